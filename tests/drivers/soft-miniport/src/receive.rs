//! Received frames: copied from the cable into memory of our own, indicated, and freed when they are
//! back.

use core::{ptr, slice, sync::atomic::Ordering};

use ndis_sys as sys;

use crate::{
    TAG,
    adapter::{Adapter, lend},
    attributes::LARGEST_FRAME,
};

/// Indicates those of the frames that the adapter wants, at DISPATCH_LEVEL. The caller is a guest in
/// the adapter's gate.
pub(crate) fn frames(adapter: &Adapter, frames: impl Iterator<Item = *mut sys::NET_BUFFER>) {
    let mut first = ptr::null_mut();
    let mut number = 0;
    let mut last: *mut *mut sys::NET_BUFFER_LIST = &raw mut first;
    for frame in frames {
        let mut destination = [0; 6];
        let Some(destination) = data(frame, &mut destination) else {
            continue;
        };
        let address = adapter.address;
        if !adapter
            .filter
            .with(|filter| filter.passes(destination, address))
        {
            continue;
        }
        // SAFETY: who sends the frame has it during the call.
        let bytes = unsafe { (*frame).DataLength };
        let Some(nbl) = copy(adapter, frame, bytes as usize) else {
            adapter
                .counters
                .not_received
                .fetch_add(1, Ordering::Relaxed);
            continue;
        };
        // It leaves the gate when it is back. A pause may have shut that meanwhile.
        if !adapter.gate.enter(1) {
            free(nbl);
            break;
        }
        adapter.counters.received.add(destination, bytes as usize);
        // SAFETY: `last` is the local variable, or the last NBL's link.
        unsafe { last.write(nbl) };
        // SAFETY: the NBL is new and ours.
        last = unsafe { &raw mut (*nbl).Next };
        number += 1;
    }
    if number == 0 {
        return;
    }
    let flags = sys::NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL;
    // SAFETY: the NBLs are this adapter's, whose pause is not complete before they are back.
    unsafe {
        sys::NdisMIndicateReceiveNetBufferLists(
            adapter.handle,
            first,
            sys::NDIS_DEFAULT_PORT_NUMBER,
            number,
            flags,
        );
    };
}

/// `MiniportReturnNetBufferLists`.
pub(crate) unsafe extern "efiapi" fn returned(
    context: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    _flags: u32,
) {
    // SAFETY: NDIS passed it.
    let adapter = unsafe { lend(context) };
    let number = free(nbls);
    adapter.leave(number);
}

/// The first bytes of a frame. None if it is shorter.
pub(crate) fn data<const N: usize>(
    frame: *mut sys::NET_BUFFER,
    storage: &mut [u8; N],
) -> Option<[u8; N]> {
    let room = storage.as_mut_ptr().cast();
    // SAFETY: who sends the frame has it during the call, and `storage` has room for the bytes.
    let bytes = unsafe { sys::NdisGetDataBuffer(frame, N as u32, room, 1, 0) };
    // SAFETY: null, or so many bytes of the frame or of `storage`.
    unsafe { bytes.cast::<[u8; N]>().as_ref() }.copied()
}

/// A frame of the adapter's own with the bytes of `frame`.
fn copy(
    adapter: &Adapter,
    frame: *mut sys::NET_BUFFER,
    bytes: usize,
) -> Option<*mut sys::NET_BUFFER_LIST> {
    if bytes > LARGEST_FRAME {
        return None;
    }
    // SAFETY: at most DISPATCH_LEVEL, and more than no bytes: the frame has an address.
    let block = unsafe { sys::ExAllocatePool2(sys::POOL_FLAG_NON_PAGED, bytes, TAG) };
    if block.is_null() {
        return None;
    }
    let nbl = fill(frame, block, bytes).and_then(|()| wrap(adapter, block, bytes));
    if nbl.is_none() {
        // SAFETY: it was just allocated, and nobody has it.
        unsafe { sys::ExFreePoolWithTag(block, TAG) };
    }
    nbl
}

/// Copies a frame to `block`.
fn fill(frame: *mut sys::NET_BUFFER, block: sys::PVOID, bytes: usize) -> Option<()> {
    // SAFETY: who sends the frame has it during the call, and the block is as long as it.
    let found = unsafe { sys::NdisGetDataBuffer(frame, bytes as u32, block, 1, 0) };
    if found.is_null() {
        return None;
    }
    if found != block {
        // SAFETY: so many bytes of the frame, in one piece.
        let from = unsafe { slice::from_raw_parts(found.cast::<u8>(), bytes) };
        // SAFETY: the block is as long, and apart from any frame.
        unsafe {
            block
                .cast::<u8>()
                .copy_from_nonoverlapping(from.as_ptr(), bytes)
        };
    }
    Some(())
}

/// An NBL for a block.
fn wrap(adapter: &Adapter, block: sys::PVOID, bytes: usize) -> Option<*mut sys::NET_BUFFER_LIST> {
    // SAFETY: the handle is the adapter's, the block nonpaged pool.
    let mdl = unsafe { sys::NdisAllocateMdl(adapter.handle, block, bytes as u32) };
    if mdl.is_null() {
        return None;
    }
    let pool = adapter.pool;
    // SAFETY: the pool makes NBLs with an NB, and the MDL describes so many bytes.
    let nbl = unsafe { sys::NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, mdl, 0, bytes) };
    if nbl.is_null() {
        // SAFETY: it was just allocated.
        unsafe { sys::NdisFreeMdl(mdl) };
        return None;
    }
    // SAFETY: the NBL is new and ours.
    let new = unsafe { &mut *nbl };
    new.SourceHandle = adapter.handle;
    // Where the block is, for who frees it.
    new.MiniportReserved[0] = block;
    Some(nbl)
}

/// Frees frames that [`copy`] made; answers how many.
fn free(first: *mut sys::NET_BUFFER_LIST) -> usize {
    let mut next = first;
    let mut number = 0;
    while !next.is_null() {
        let nbl = next;
        // SAFETY: the NBL is back, or was never away.
        let it = unsafe { &*nbl };
        next = it.Next;
        let block = it.MiniportReserved[0];
        // SAFETY: the NBL has its one NB as long as it lives.
        let mdl = unsafe { (*it.FirstNetBuffer).MdlChain };
        // SAFETY: `wrap` made it, and nobody else has it.
        unsafe { sys::NdisFreeNetBufferList(nbl) };
        // SAFETY: as above.
        unsafe { sys::NdisFreeMdl(mdl) };
        // SAFETY: as above.
        unsafe { sys::ExFreePoolWithTag(block, TAG) };
        number += 1;
    }
    number
}
