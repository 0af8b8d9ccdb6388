//! Sending by a timer, receiving, echoing.

use core::{ffi::c_void, iter, ptr, sync::atomic::Ordering};

use ndis_sys as sys;

use crate::{
    binding::{Binding, lend},
    frame::{self, EVERYBODY, Frame, Kind},
};

/// The timer: sends the next chain, if there is one to be sent.
pub(crate) unsafe extern "efiapi" fn tick(
    _: *mut c_void,
    context: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
) {
    // SAFETY: it is what the timer was made with, which waits for this before it goes.
    let binding = unsafe { lend(context) };
    let left = binding.to_send.load(Ordering::Acquire);
    let number = left.min(binding.chain);
    // The timer's function runs once at a time, so nobody else takes from `to_send`.
    let frames = (0..number).map(|at| frame::make(EVERYBODY, binding.address, false, left - at));
    let sent = send(binding, frames);
    binding.to_send.fetch_sub(sent, Ordering::AcqRel);
}

/// `ProtocolSendNetBufferListsComplete`.
pub(crate) unsafe extern "efiapi" fn sent(
    context: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    _flags: u32,
) {
    // SAFETY: NDIS passed it.
    let binding = unsafe { lend(context) };
    let mut next = nbls;
    let mut number = 0;
    // SAFETY: null, or an NBL that is back.
    while let Some(nbl) = unsafe { next.as_ref() } {
        let counter = if nbl.Status == sys::NDIS_STATUS_SUCCESS {
            &binding.counters.sent
        } else {
            &binding.counters.send_errors
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let done = next;
        next = nbl.Next;
        // SAFETY: it is back.
        unsafe { frame::free(done) };
        number += 1;
    }
    binding.sends.leave(number);
}

/// `ProtocolReceiveNetBufferLists`.
pub(crate) unsafe extern "efiapi" fn receive(
    context: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    _port: sys::NDIS_PORT_NUMBER,
    _number: u32,
    flags: u32,
) {
    // SAFETY: NDIS passed it.
    let binding = unsafe { lend(context) };
    for frame in received(nbls) {
        let Kind::Own { echo, whole } = frame::kind(&frame) else {
            continue;
        };
        binding.counters.received.fetch_add(1, Ordering::Relaxed);
        if !whole {
            binding.counters.damaged.fetch_add(1, Ordering::Relaxed);
        } else if binding.echoes && !echo {
            send(binding, iter::once(answer(binding, &frame)));
        }
    }
    if sys::NDIS_TEST_RECEIVE_CAN_PEND(flags) {
        let at_dispatch = sys::NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(flags);
        let flags = if at_dispatch {
            sys::NDIS_RETURN_FLAGS_DISPATCH_LEVEL
        } else {
            0
        };
        // SAFETY: they came from this binding, and nothing of them was kept or changed.
        unsafe { sys::NdisReturnNetBufferLists(binding.handle(), nbls, flags) };
    }
}

/// Sends frames as one chain, as many as there is memory for; answers how many. None while the binding
/// is paused.
fn send(binding: &Binding, frames: impl Iterator<Item = Frame>) -> u32 {
    let mut first = ptr::null_mut();
    let mut last: *mut *mut sys::NET_BUFFER_LIST = &raw mut first;
    let mut number = 0;
    for frame in frames {
        if !binding.sends.enter(1) {
            break;
        }
        let Some(nbl) = frame::wrap(binding, &frame) else {
            binding.sends.leave(1);
            break;
        };
        // SAFETY: `last` is the local variable, or the last NBL's link.
        unsafe { last.write(nbl) };
        // SAFETY: the NBL is new and ours.
        last = unsafe { &raw mut (*nbl).Next };
        number += 1;
    }
    if !first.is_null() {
        let port = sys::NDIS_DEFAULT_PORT_NUMBER;
        // SAFETY: the NBLs are the binding's, whose pause is not complete before they are back.
        unsafe { sys::NdisSendNetBufferLists(binding.handle(), first, port, 0) };
    }
    number
}

/// The frames of an indication that are long enough to be of this driver.
fn received(nbls: *mut sys::NET_BUFFER_LIST) -> impl Iterator<Item = Frame> {
    let mut next = nbls;
    let chain = iter::from_fn(move || {
        // SAFETY: null, or an NBL that NDIS lends or that was not returned.
        let nbl = unsafe { next.as_ref() }?;
        next = nbl.Next;
        Some(nbl.FirstNetBuffer)
    });
    chain.filter_map(|frame| {
        let mut storage: Frame = [0; _];
        let (bytes, room) = (storage.len() as u32, storage.as_mut_ptr().cast());
        // SAFETY: the frame is the NBL's, and `storage` has room for the bytes.
        let data = unsafe { sys::NdisGetDataBuffer(frame, bytes, room, 1, 0) };
        // SAFETY: null, or so many bytes of the frame or of `storage`.
        unsafe { data.cast::<Frame>().as_ref() }.copied()
    })
}

/// The echo of a frame.
fn answer(binding: &Binding, frame: &Frame) -> Frame {
    let source = frame[6..12].first_chunk().copied().unwrap_or(EVERYBODY);
    let number = frame[14..18].first_chunk().copied().unwrap_or_default();
    frame::make(source, binding.address, true, u32::from_be_bytes(number))
}
