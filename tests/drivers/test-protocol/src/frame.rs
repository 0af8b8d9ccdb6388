//! The frames of this driver: made, told apart, checked, freed.
//!
//! Behind the Ethernet header stand a number, and bytes that follow from it.

use ndis_sys as sys;

use crate::{TAG, binding::Binding};

/// A frame's bytes.
pub(crate) type Frame = [u8; LENGTH];

/// Frame `number` from `source` to `destination`; `echo` says that it answers one that was received.
pub(crate) fn make(destination: [u8; 6], source: [u8; 6], echo: bool, number: u32) -> Frame {
    let mut frame = [0; LENGTH];
    frame[..6].copy_from_slice(&destination);
    frame[6..12].copy_from_slice(&source);
    frame[12..14].copy_from_slice(if echo { &ECHO } else { &ORIGINAL });
    frame[14..18].copy_from_slice(&number.to_be_bytes());
    for (at, byte) in frame[18..].iter_mut().enumerate() {
        *byte = (number as u8).wrapping_add(at as u8);
    }
    frame
}

/// What a received frame is.
pub(crate) enum Kind {
    /// Of this driver; whether it is an echo, and whether it is as it was made.
    Own { echo: bool, whole: bool },
    /// Of somebody else.
    Foreign,
}

/// Looks at a received frame.
pub(crate) fn kind(frame: &Frame) -> Kind {
    let [destination @ .., _, _, _, _, _, _] = frame.first_chunk::<12>().unwrap_or(&[0; 12]);
    let source = frame[6..12].first_chunk().unwrap_or(destination);
    let echo = match &frame[12..14] {
        kind if kind == ORIGINAL => false,
        kind if kind == ECHO => true,
        _ => return Kind::Foreign,
    };
    let number = frame[14..18].first_chunk().copied();
    let number = u32::from_be_bytes(number.unwrap_or_default());
    let whole = *frame == make(*destination, *source, echo, number);
    Kind::Own { echo, whole }
}

/// An NBL with a frame, from the binding's pool.
pub(crate) fn wrap(binding: &Binding, frame: &Frame) -> Option<*mut sys::NET_BUFFER_LIST> {
    let bytes = HEADROOM + LENGTH;
    // SAFETY: at most DISPATCH_LEVEL, and more than no bytes.
    let block = unsafe { sys::ExAllocatePool2(sys::POOL_FLAG_NON_PAGED, bytes, TAG) };
    if block.is_null() {
        return None;
    }
    let start = block.cast::<u8>().wrapping_add(HEADROOM);
    // SAFETY: the block has room for the frame behind the headroom.
    unsafe { start.copy_from_nonoverlapping(frame.as_ptr(), LENGTH) };
    // SAFETY: the handle is the open adapter's, the block nonpaged pool.
    let mdl = unsafe { sys::NdisAllocateMdl(binding.handle(), block, bytes as u32) };
    if mdl.is_null() {
        // SAFETY: it was just allocated, and nobody has it.
        unsafe { sys::ExFreePoolWithTag(block, TAG) };
        return None;
    }
    let (pool, headroom) = (binding.pool, HEADROOM as u32);
    // SAFETY: the pool makes NBLs with an NB, and the MDL describes headroom and frame.
    let nbl =
        unsafe { sys::NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, mdl, headroom, LENGTH) };
    if nbl.is_null() {
        // SAFETY: it was just allocated, and nobody has it.
        unsafe { sys::NdisFreeMdl(mdl) };
        // SAFETY: as above.
        unsafe { sys::ExFreePoolWithTag(block, TAG) };
        return None;
    }
    // SAFETY: the NBL is new and ours.
    let new = unsafe { &mut *nbl };
    new.SourceHandle = binding.handle();
    // Where the block is, for who frees it.
    new.ProtocolReserved[0] = block;
    Some(nbl)
}

/// Frees what [`wrap`] made.
///
/// # Safety
/// The NBL is back, or was never sent.
pub(crate) unsafe fn free(nbl: *mut sys::NET_BUFFER_LIST) {
    // SAFETY: the caller has the NBL.
    let it = unsafe { &*nbl };
    let block = it.ProtocolReserved[0];
    // SAFETY: the NBL has its one NB as long as it lives.
    let mdl = unsafe { (*it.FirstNetBuffer).MdlChain };
    // SAFETY: `wrap` made it, and nobody else has it.
    unsafe { sys::NdisFreeNetBufferList(nbl) };
    // SAFETY: as above.
    unsafe { sys::NdisFreeMdl(mdl) };
    // SAFETY: as above.
    unsafe { sys::ExFreePoolWithTag(block, TAG) };
}

/// A broadcast's destination.
pub(crate) const EVERYBODY: [u8; 6] = [0xff; 6];

/// Bytes of a frame: the shortest that Ethernet has, and more than a tag.
const LENGTH: usize = 64;

/// Bytes in front of a frame, for drivers below that put a tag there.
const HEADROOM: usize = 16;

/// The types of the frames: those for experiments on a local network.
const ORIGINAL: [u8; 2] = [0x88, 0xb5];
const ECHO: [u8; 2] = [0x88, 0xb6];
