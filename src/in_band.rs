//! An 802.1Q tag in a frame that is being sent: put in on the way down, taken out on the way back.

use mux_core::{
    tagging::{ADDRESSES_LENGTH, TAG_LENGTH, TAGGED_FRONT_LENGTH, tagged_front, untagged_front},
    wire::vlan::Tag,
};
use ndis::{
    Result, Status,
    nbl::{NetBuffer, NetBufferList},
};

/// Puts a tag into every frame, or into none.
///
/// # Errors
/// [`Status::INVALID_LENGTH`] if a frame has no room for two addresses, [`Status::RESOURCES`] if
/// memory is short.
pub(crate) fn insert(frames: &mut NetBufferList, tag: Tag) -> Result {
    let mut done = 0;
    let inserted = frames.buffers_mut().try_for_each(|frame| {
        insert_one(frame, tag)?;
        done += 1;
        Ok(())
    });
    if inserted.is_err() {
        frames.buffers_mut().take(done).for_each(remove_one);
    }
    inserted
}

/// Takes the tag out of every frame: each is as it was before [`insert`].
pub(crate) fn remove(frames: &mut NetBufferList) {
    frames.buffers_mut().for_each(remove_one);
}

/// The first bytes of a frame with a tag in them: what replaces its addresses.
///
/// # Errors
/// [`Status::INVALID_LENGTH`] if the frame has no room for two addresses.
pub(crate) fn tagged(frame: &NetBuffer, tag: Tag) -> Result<[u8; TAGGED_FRONT_LENGTH]> {
    Ok(tagged_front(&addresses(frame)?, tag))
}

/// The addresses of a frame.
///
/// # Errors
/// [`Status::INVALID_LENGTH`] if the frame has no room for two addresses.
pub(crate) fn addresses(frame: &NetBuffer) -> Result<[u8; ADDRESSES_LENGTH]> {
    let mut addresses = [0; ADDRESSES_LENGTH];
    if frame.read_front(&mut addresses) < addresses.len() {
        return Err(Status::INVALID_LENGTH);
    }
    Ok(addresses)
}

fn insert_one(frame: &mut NetBuffer, tag: Tag) -> Result {
    let front = tagged(frame, tag)?;
    frame.grow_front(TAG_LENGTH as u32, &front)
}

fn remove_one(frame: &mut NetBuffer) {
    let mut front = [0; TAGGED_FRONT_LENGTH];
    let length = frame.read_front(&mut front);
    let (addresses, _tag) = untagged_front(&front);
    let removed = frame.shrink_front(TAG_LENGTH as u32, &addresses);
    // The frame was written when the tag was put in, so it is mapped and long enough. What it holds
    // is not looked at: a frame may lie in memory that somebody else can write to.
    assert!(
        length == front.len() && removed.is_ok(),
        "a frame came back shorter than it was sent"
    );
}
