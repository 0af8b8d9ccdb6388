//! Frames from the adapter below, each to the virtual miniport that wants it.

use mux_core::{
    statistics::Tally,
    tagging::{
        ADDRESSES_LENGTH, ReceivePlan, Received, TAG_LENGTH, TAGGED_FRONT_LENGTH, plan_receive,
    },
    vlans::SharedVlanSet,
    wire::{ethernet::HEADER_LENGTH, vlan::Tag},
};
use ndis::{
    Result, Shared, Status,
    miniport::MiniportHandle,
    nbl::{Chain, Derived, DerivedPool, Incoming, Lent, Nbl, OutOfBandTag, Parent},
    protocol::BindingHandle,
};

use crate::{
    batch::Batches,
    binding::{
        Binding,
        stations::{Entry, Stations},
    },
    out_of_band::to_core,
};

/// Frames that the driver keeps until it returns them: each goes back when who got it has returned it, or at
/// once if nobody wants it.
pub(super) fn receive(
    binding: &Binding,
    handle: BindingHandle<Binding>,
    mut frames: Chain<Incoming>,
    at_dispatch: bool,
) {
    if !binding.receives() {
        handle.return_received(frames, at_dispatch);
        return;
    }
    let stations = binding.stations();
    let mut fan = FanOut::new(binding, &stations, Ownership::Kept, at_dispatch);
    while let Some(frame) = frames.pop() {
        let parent = frame.into_parent();
        fan.out(&parent);
        if let Some(frame) = parent.release() {
            fan.back.push(frame);
        }
    }
    handle.return_received(fan.finish(), at_dispatch);
}

/// Frames that go back when this returns: whoever gets one must copy it meanwhile.
pub(super) fn receive_lent(binding: &Binding, frames: Lent<'_>, at_dispatch: bool) {
    if !binding.receives() {
        return;
    }
    let stations = binding.stations();
    let mut fan = FanOut::new(binding, &stations, Ownership::Lent, at_dispatch);
    let parents = frames.into_parents();
    for parent in parents.iter() {
        fan.out(&parent);
    }
    // Nothing comes back here: the parents count themselves until they are dropped, below.
    let none = fan.finish();
    debug_assert!(none.is_empty());
}

/// One received chain on its way to several virtual miniports.
struct FanOut<'a> {
    pool: &'a DerivedPool,
    stations: &'a Stations,
    /// Whose frames keep the hash that the adapter below made of them.
    hashed: &'a SharedVlanSet,
    ownership: Ownership,
    at_dispatch: bool,
    batches: Batches<Batch<'a>, BATCHES>,
    /// Received frames that nobody has any more.
    back: Chain<Incoming>,
}

/// Frames for one virtual miniport.
struct Batch<'a> {
    entry: &'a Shared<Entry>,
    frames: Chain<Derived>,
    tally: Tally,
}

/// Whether receivers may keep a frame.
#[derive(Clone, Copy)]
enum Ownership {
    Kept,
    Lent,
}

impl<'a> FanOut<'a> {
    fn new(
        binding: &'a Binding,
        stations: &'a Stations,
        ownership: Ownership,
        at_dispatch: bool,
    ) -> Self {
        Self {
            pool: binding.derived(),
            stations,
            hashed: binding.scaling().hashed(),
            ownership,
            at_dispatch,
            batches: Batches::new(),
            back: Chain::new(),
        }
    }

    /// Gives the virtual miniport that wants the frame an NBL of its own.
    fn out(&mut self, frame: &Parent) {
        // The documents give every received NBL one NET_BUFFER. One with more could hold frames of
        // different VLANs, and nobody gets it.
        let mut buffers = frame.buffers();
        let (Some(buffer), None) = (buffers.next(), buffers.next()) else {
            return;
        };
        let mut first = [0; TAGGED_FRONT_LENGTH + 2];
        let length = buffer.read_front(&mut first);
        let out_of_band = to_core(frame.out_of_band_tag());
        let Some(received) = plan_receive(&first[..length], out_of_band) else {
            return;
        };
        if let Some(entry) = self.stations.wanting(&received) {
            self.add(frame, buffer.data_length(), &received, entry);
        }
    }

    fn add(&mut self, frame: &Parent, length: u32, received: &Received, entry: &'a Shared<Entry>) {
        let Ok(mut derived) = derive(self.pool, frame, received, entry.miniport.handle) else {
            entry.miniport.statistics.add_receive_discards(1);
            return;
        };
        if !self.hashed.contains(entry.station.vlan) {
            derived.clear_hash();
        }
        let length = match received.plan {
            ReceivePlan::StripInBand(_) => length.saturating_sub(TAG_LENGTH as u32),
            ReceivePlan::AsIs | ReceivePlan::ClearOutOfBand(_) => length,
        };
        let (ownership, at_dispatch) = (self.ownership, self.at_dispatch);
        let back = &mut self.back;
        let batch = self.batches.batch(
            |batch| core::ptr::eq(batch.entry, entry),
            || Batch {
                entry,
                frames: Chain::new(),
                tally: Tally::new(),
            },
            |full| back.append(full.indicate(ownership, at_dispatch)),
        );
        batch.frames.push(derived);
        batch.tally.frame(received.destination, length);
    }

    /// Indicates what is left. What comes out goes back below.
    fn finish(self) -> Chain<Incoming> {
        let Self {
            ownership,
            at_dispatch,
            batches,
            mut back,
            ..
        } = self;
        batches.deliver(|batch| back.append(batch.indicate(ownership, at_dispatch)));
        back
    }
}

impl Batch<'_> {
    /// One indication. What comes out nobody wanted after all.
    fn indicate(self, ownership: Ownership, at_dispatch: bool) -> Chain<Incoming> {
        let miniport = &self.entry.miniport;
        let number = self.frames.len();
        // One more than there are frames: a pause is complete only once the indication has returned,
        // even if every frame came back within it.
        if !miniport.traffic.enter(number + 1) {
            miniport.statistics.add_receive_discards(number as u64);
            return self.frames.free();
        }
        miniport.statistics.add_receive(&self.tally);
        match ownership {
            Ownership::Kept => {
                miniport.handle.indicate(self.frames, at_dispatch);
                miniport.leave(1);
                Chain::new()
            }
            Ownership::Lent => {
                let back = miniport
                    .handle
                    .indicate_lent(self.frames, at_dispatch)
                    .free();
                miniport.leave(number + 1);
                back
            }
        }
    }
}

/// An NBL of our own for a frame, without its tag. The priority goes up beside the frame.
fn derive(
    pool: &DerivedPool,
    frame: &Parent,
    received: &Received,
    adapter: MiniportHandle,
) -> Result<Nbl<Derived>> {
    match received.plan {
        ReceivePlan::AsIs => pool.clone_of(frame, adapter),
        ReceivePlan::ClearOutOfBand(tag) => {
            let mut derived = pool.clone_of(frame, adapter)?;
            derived.set_out_of_band_tag(priority_of(tag));
            Ok(derived)
        }
        ReceivePlan::StripInBand(tag) => {
            let mut front = [0; TAG_LENGTH + HEADER_LENGTH + LOOKAHEAD as usize];
            let front = untagged(frame, &mut front).ok_or(Status::INVALID_LENGTH)?;
            let skip = (front.len() + TAG_LENGTH) as u32;
            let mut derived = pool.fragment_of(frame, skip, front, adapter)?;
            derived.set_out_of_band_tag(priority_of(tag));
            // The NIC's word may be of the tag.
            if let Some(frame_type) = front.get(ADDRESSES_LENGTH..).and_then(<[u8]>::first_chunk) {
                derived.set_frame_type(*frame_type);
            }
            Ok(derived)
        }
    }
}

/// The first bytes of a tagged frame without the tag: headers and look-ahead, in one piece for whoever
/// reads them. At least one byte stays behind, because a fragment must have something of its parent.
fn untagged<'a>(frame: &Parent, bytes: &'a mut [u8]) -> Option<&'a [u8]> {
    let buffer = frame.buffers().next()?;
    let most = (buffer.data_length() as usize).checked_sub(1)?;
    let length = bytes.len().min(most);
    let bytes = bytes.get_mut(..length)?;
    if buffer.read_front(bytes) < length || length < TAGGED_FRONT_LENGTH {
        return None;
    }
    // The addresses move over the tag, in this copy.
    bytes.copy_within(..ADDRESSES_LENGTH, TAG_LENGTH);
    bytes.get(TAG_LENGTH..)
}

fn priority_of(tag: Tag) -> OutOfBandTag {
    OutOfBandTag {
        priority: tag.priority.get(),
        drop_eligible: tag.drop_eligible,
        vlan: 0,
    }
}

/// How many virtual miniports' frames are collected at once. A chain with frames for more of them
/// takes more indications.
const BATCHES: usize = 8;

/// How many bytes behind the Ethernet header a receiver finds in one piece, at the least: enough for
/// the headers of IPv6 and TCP with all options that are in use.
pub(crate) const LOOKAHEAD: u32 = 256;
