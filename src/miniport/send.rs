//! `MiniportSendNetBufferLists`: frames on their way down.

use core::sync::atomic::Ordering;

use mux_core::tagging::{ADDRESSES_LENGTH, SendPlan, TAG_LENGTH, plan_send};
use ndis::{
    Result, Shared, Status,
    nbl::{Chain, Forwarded, Nbl, NetBuffer, NetBufferList, OffloadWords, OutOfBandTag, Outgoing},
    protocol::BindingHandle,
};

use crate::{
    binding::{Binding, offload},
    in_band,
    out_of_band::{to_core, to_ndis},
    protocol::{Changed, Sent},
    virtual_miniport::VirtualMiniport,
};

/// Sends a chain below, each frame with its tag. What cannot be sent is completed with an error: the
/// whole chain if the virtual miniport or the binding is not running.
pub(super) fn send(
    miniport: &Shared<VirtualMiniport>,
    mut sends: Chain<Outgoing>,
    at_dispatch: bool,
) {
    if miniport.removed.load(Ordering::Acquire) {
        refuse(miniport, sends, Status::NOT_ACCEPTED, at_dispatch);
        return;
    }
    // One more than there are NBLs, so that neither gate drains before this function is done.
    let number = sends.len();
    if !miniport.traffic.enter(number + 1) {
        refuse(miniport, sends, Status::PAUSED, at_dispatch);
        return;
    }
    let binding = miniport.binding();
    match binding.enter_sends(number + 1) {
        Err(status) => {
            refuse(miniport, sends, status, at_dispatch);
            miniport.leave(number + 1);
        }
        Ok(handle) => {
            let refused = forward(miniport, handle, &mut sends, at_dispatch);
            binding.leave_sends(refused + 1);
            miniport.leave(refused + 1);
        }
    }
}

/// `MiniportCancelSend`: nothing is queued here, but something may be below.
pub(super) fn cancel(miniport: &VirtualMiniport, cancel_id: usize) {
    if let Ok(handle) = miniport.binding().enter_sends(1) {
        handle.cancel_sends(cancel_id);
        miniport.binding().leave_sends(1);
    }
}

/// Passes on what can be sent, in one call, and completes the rest. Returns how many were not sent.
fn forward(
    miniport: &Shared<VirtualMiniport>,
    handle: BindingHandle<Binding>,
    sends: &mut Chain<Outgoing>,
    at_dispatch: bool,
) -> usize {
    let mut references = miniport.bulk(sends.len());
    let mut down = Chain::new();
    let mut refused = Chain::new();
    while let (Some(send), Some(reference)) = (sends.pop(), references.take()) {
        match plan_and_tag(send, reference, handle) {
            Ok(send) => down.push(send),
            Err((mut send, status)) => {
                send.set_status(status);
                refused.push(send);
            }
        }
    }
    let number = refused.len();
    handle.send(down, at_dispatch);
    miniport.statistics.add_send_discards(refused.frames());
    miniport.handle.complete_sends(refused, at_dispatch);
    number
}

/// Makes an NBL a send below, with the virtual miniport's tag in its frames or beside them. One that
/// comes back with an error is as it was.
fn plan_and_tag(
    send: Nbl<Outgoing>,
    miniport: Shared<VirtualMiniport>,
    handle: BindingHandle<Binding>,
) -> core::result::Result<Nbl<Forwarded<Binding>>, (Nbl<Outgoing>, Status)> {
    let mode = miniport.nic.tag_mode;
    let Some(plan) = plan_send(miniport.vlan, mode, to_core(send.out_of_band_tag())) else {
        return Err((send, Status::FAILURE));
    };
    if send.is_read_only() || !has_room(&send, plan) {
        carry(send, miniport, handle, plan)
    } else {
        tag_in_place(send, miniport, handle, plan)
    }
}

/// Whether the tag that is put into the frames, if any, finds room in front of each.
fn has_room(frames: &NetBufferList, plan: SendPlan) -> bool {
    let needs = match plan {
        SendPlan::InBand(_) => TAG_LENGTH as u32,
        SendPlan::AsIs | SendPlan::OutOfBand(_) => 0,
    };
    let mut frames = frames.buffers();
    frames.all(|frame| frame.room_in_front() >= needs)
}

/// The NBL itself goes down; the tag is put into its frames or beside them, and taken away when it
/// comes back.
fn tag_in_place(
    send: Nbl<Outgoing>,
    miniport: Shared<VirtualMiniport>,
    handle: BindingHandle<Binding>,
    plan: SendPlan,
) -> core::result::Result<Nbl<Forwarded<Binding>>, (Nbl<Outgoing>, Status)> {
    let (before, words) = (send.send_info(), send.offload_words());
    let changed = match plan {
        SendPlan::AsIs => Changed::Nothing,
        SendPlan::InBand(_) => Changed::InBand(before, words),
        SendPlan::OutOfBand(_) => Changed::OutOfBand(before),
    };
    let mut send = send
        .forward(handle, Sent { miniport, changed })
        .map_err(|send| (send, Status::RESOURCES))?;
    match plan {
        SendPlan::AsIs => {}
        SendPlan::InBand(tag) => {
            if let Err(status) = in_band::insert(&mut send, tag) {
                let (send, _sent) = send.take_back();
                return Err((send, status));
            }
            if words != OffloadWords::default()
                && let Err(status) = move_offload(&mut send, words)
            {
                in_band::remove(&mut send);
                let (send, _sent) = send.take_back();
                return Err((send, status));
            }
            send.set_out_of_band_tag(OutOfBandTag::default());
        }
        SendPlan::OutOfBand(tag) => send.set_out_of_band_tag(to_ndis(tag)),
    }
    Ok(send)
}

/// What the adapter is asked to do is asked for frames with a tag in them: its headers are further back.
fn move_offload(send: &mut NetBufferList, words: OffloadWords) -> Result {
    let words = offload::words(words);
    let moved = words.moved(TAG_LENGTH as u32).ok_or(Status::INVALID_DATA)?;
    if send
        .buffers()
        .any(|frame| frame.first_piece() < moved.headers())
    {
        return Err(Status::NOT_SUPPORTED);
    }
    send.set_offload_words(offload::from_words(moved));
    Ok(())
}

/// A carrier goes down: the NBL and its frames may not be written to, or have no room for the tag.
fn carry(
    send: Nbl<Outgoing>,
    miniport: Shared<VirtualMiniport>,
    handle: BindingHandle<Binding>,
    plan: SendPlan,
) -> core::result::Result<Nbl<Forwarded<Binding>>, (Nbl<Outgoing>, Status)> {
    let binding = Shared::clone(miniport.binding());
    let carriers = binding.carriers();
    let sent = Sent {
        miniport,
        changed: Changed::Nothing,
    };
    let skip = ADDRESSES_LENGTH as u32;
    let words = offload::words(send.offload_words());
    // A carrier's first piece is shorter than any headers.
    if words.headers() != 0 {
        return Err((send, Status::NOT_SUPPORTED));
    }
    let beside = match plan {
        SendPlan::AsIs => send.out_of_band_tag(),
        SendPlan::OutOfBand(tag) => to_ndis(tag),
        SendPlan::InBand(tag) => {
            let Some(moved) = words.moved(TAG_LENGTH as u32) else {
                return Err((send, Status::INVALID_DATA));
            };
            let front = |frame: &NetBuffer| in_band::tagged(frame, tag);
            let mut carrier = send.forward_by_carrier(carriers, handle, sent, skip, front)?;
            carrier.set_offload_words(offload::from_words(moved));
            return Ok(carrier);
        }
    };
    let mut carrier = send.forward_by_carrier(carriers, handle, sent, skip, in_band::addresses)?;
    carrier.set_out_of_band_tag(beside);
    Ok(carrier)
}

fn refuse(
    miniport: &VirtualMiniport,
    mut sends: Chain<Outgoing>,
    status: Status,
    at_dispatch: bool,
) {
    miniport.statistics.add_send_discards(sends.frames());
    sends.set_status(status);
    miniport.handle.complete_sends(sends, at_dispatch);
}
