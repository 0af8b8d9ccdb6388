//! Sends: they wait in the adapter for its DPC, which puts them on the cable and completes them.

use core::{ffi::c_void, mem, ptr};

use ndis_sys as sys;

use crate::{
    adapter::{Adapter, lend},
    cable, receive,
};

/// NBLs in the order in which they came, linked by `Next`.
pub(crate) struct Queue {
    first: *mut sys::NET_BUFFER_LIST,
    last: *mut sys::NET_BUFFER_LIST,
}

// SAFETY: the queue owns its NBLs, which belong to no thread.
unsafe impl Send for Queue {}

impl Default for Queue {
    fn default() -> Self {
        Self {
            first: ptr::null_mut(),
            last: ptr::null_mut(),
        }
    }
}

impl Queue {
    /// Puts the NBLs from `first` to `last` behind the others.
    fn push(&mut self, first: *mut sys::NET_BUFFER_LIST, last: *mut sys::NET_BUFFER_LIST) {
        if self.last.is_null() {
            self.first = first;
        } else {
            // SAFETY: the last NBL is the queue's.
            unsafe { (*self.last).Next = first };
        }
        self.last = last;
    }
}

/// `MiniportSendNetBufferLists`.
pub(crate) unsafe extern "efiapi" fn send(
    context: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    _port: sys::NDIS_PORT_NUMBER,
    flags: u32,
) {
    // SAFETY: NDIS passed it.
    let adapter = unsafe { lend(context) };
    let mut last = nbls;
    let mut number = 0;
    for nbl in chain(nbls) {
        last = nbl;
        number += 1;
    }
    if !adapter.gate.enter(number) {
        let at_dispatch = sys::NDIS_TEST_SEND_AT_DISPATCH_LEVEL(flags);
        complete(adapter, nbls, sys::NDIS_STATUS_PAUSED, at_dispatch);
        return;
    }
    adapter.sends.with(|queue| queue.push(nbls, last));
    // SAFETY: the DPC was initialised with the adapter. If it is queued already, it finds these too.
    unsafe { sys::KeInsertQueueDpc(adapter.dpc.get(), ptr::null_mut(), ptr::null_mut()) };
}

/// `MiniportCancelSend`: nothing waits for long enough.
pub(crate) unsafe extern "efiapi" fn cancel(_context: sys::NDIS_HANDLE, _id: *mut c_void) {}

/// The DPC.
pub(crate) unsafe extern "efiapi" fn deliver(
    _dpc: *mut sys::KDPC,
    context: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
) {
    // SAFETY: it is what the DPC was initialised with; halt waits until no DPC runs.
    let adapter = unsafe { lend(context) };
    let Queue { first, .. } = adapter.sends.with(mem::take);
    if first.is_null() {
        return;
    }
    for nb in chain(first).flat_map(buffers) {
        count(adapter, nb);
    }
    cable::others(adapter, |other| {
        receive::frames(other, chain(first).flat_map(buffers));
    });
    let number = chain(first).count();
    complete(adapter, first, sys::NDIS_STATUS_SUCCESS, true);
    adapter.leave(number);
}

fn complete(
    adapter: &Adapter,
    nbls: *mut sys::NET_BUFFER_LIST,
    status: sys::NDIS_STATUS,
    at_dispatch: bool,
) {
    for nbl in chain(nbls) {
        // SAFETY: the driver has the NBL until it completes it.
        unsafe { (*nbl).Status = status };
    }
    let flags = if at_dispatch {
        sys::NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL
    } else {
        0
    };
    // SAFETY: the NBLs were sent through this adapter, and are completed once.
    unsafe { sys::NdisMSendNetBufferListsComplete(adapter.handle, nbls, flags) };
}

fn count(adapter: &Adapter, nb: *mut sys::NET_BUFFER) {
    let mut destination = [0; 6];
    if let Some(start) = receive::data(nb, &mut destination) {
        // SAFETY: the frame is the driver's while it is sent.
        let bytes = unsafe { (*nb).DataLength };
        adapter.counters.sent.add(start, bytes as usize);
    }
}

/// The NBLs from `first` on, which the driver has.
fn chain(first: *mut sys::NET_BUFFER_LIST) -> impl Iterator<Item = *mut sys::NET_BUFFER_LIST> {
    let mut next = first;
    core::iter::from_fn(move || {
        let nbl = next;
        // SAFETY: null or an NBL that the driver has.
        next = unsafe { nbl.as_ref() }?.Next;
        Some(nbl)
    })
}

/// The frames of an NBL that the driver has.
fn buffers(nbl: *mut sys::NET_BUFFER_LIST) -> impl Iterator<Item = *mut sys::NET_BUFFER> {
    // SAFETY: the driver has the NBL.
    let mut next = unsafe { (*nbl).FirstNetBuffer };
    core::iter::from_fn(move || {
        let nb = next;
        // SAFETY: null or a frame of that NBL.
        next = unsafe { nb.as_ref() }?.Next;
        Some(nb)
    })
}
