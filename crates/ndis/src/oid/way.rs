//! How a regular request ends that was left pending: by its completion, or, while a network event goes up
//! through its adapter, by the return of the call that brought it.
//!
//! `NdisMNetPnPEvent` must not be called while a request pends at the adapter (NdisMNetPnPEventInOIDRequest).
//! Whoever calls it waits for those that do, and no other one is left pending until it has returned: the
//! call that brings one waits for its end, at PASSIVE_LEVEL. To hold such requests back would not do: a
//! driver above may make one in its event function, and wait for it.

use core::{
    ptr::{self, NonNull},
    sync::atomic::{AtomicI32, Ordering},
};

use ndis_sys as sys;

use super::{OidOutcome, OidRequest};
use crate::{
    irql::Passive,
    mem::Shared,
    status::{Result, Status},
    sync::{Event, Rundown},
};

/// Somebody who waits for the end of a request.
pub(super) struct Waiter {
    done: Event,
    status: AtomicI32,
}

impl Waiter {
    pub(super) fn try_new() -> Result<Self> {
        Ok(Self {
            done: Event::try_new()?,
            status: AtomicI32::new(0),
        })
    }

    /// Before a request is made again.
    pub(super) fn reset(&self) {
        self.done.reset();
    }

    pub(super) fn tell(&self, status: Status) {
        self.status.store(status.raw(), Ordering::Release);
        self.done.set();
    }

    pub(super) fn wait(&self, at: Passive<'_>) -> Status {
        self.done.wait(at);
        Status::from_raw(self.status.load(Ordering::Acquire))
    }
}

/// Gives a request to `handle`, which may leave it pending. `requests` counts those that do.
pub(crate) fn dispatch(
    raw: NonNull<sys::NDIS_OID_REQUEST>,
    requests: &Shared<Rundown>,
    at: Passive<'_>,
    handle: impl FnOnce(OidRequest<'_>) -> OidOutcome,
) -> OidOutcome {
    if requests.enter(1) {
        // SAFETY: the request is this driver's until it is completed.
        unsafe { set_end(raw, [ptr::null_mut(), Shared::clone(requests).into_raw()]) };
        // SAFETY: NDIS entrusted the request to this adapter, as the caller says.
        let outcome = handle(unsafe { OidRequest::new(raw) });
        if outcome.status() != Status::PENDING {
            // SAFETY: the request is this driver's until this returns.
            let end = unsafe { end(raw) };
            // SAFETY: nothing was left pending that would use it up.
            unsafe { counted_out(end) };
        }
        return outcome;
    }
    let Ok(waiter) = Waiter::try_new() else {
        // The failure that Driver Verifier allows of every OID (NdisOidComplete).
        return OidOutcome(Status::NOT_ACCEPTED);
    };
    let end = [(&raw const waiter).cast_mut().cast(), ptr::null_mut()];
    // SAFETY: as above.
    unsafe { set_end(raw, end) };
    // SAFETY: as above.
    let outcome = handle(unsafe { OidRequest::new(raw) });
    if outcome.status() == Status::PENDING {
        return OidOutcome(waiter.wait(at));
    }
    outcome
}

/// Ends a request that was left pending, as [`dispatch`] laid down. `complete` tells NDIS.
///
/// # Safety
/// The request came by [`dispatch`], was left pending, and is ended once, here.
pub(super) unsafe fn finish(
    raw: NonNull<sys::NDIS_OID_REQUEST>,
    status: Status,
    complete: impl FnOnce(),
) {
    // SAFETY: the request is this driver's until it is completed.
    let end = unsafe { end(raw) };
    let [waiter, _] = end;
    if waiter.is_null() {
        complete();
        // SAFETY: the reference is used up here, once, as the caller says.
        unsafe { counted_out(end) };
        return;
    }
    // SAFETY: `dispatch` waits, and so keeps the waiter.
    let waiter = unsafe { &*waiter.cast::<Waiter>() };
    waiter.tell(status);
}

/// Whoever waits for the request to end waits no more.
///
/// # Safety
/// The end of a request that was counted, used up by this.
unsafe fn counted_out([_, requests]: [sys::PVOID; 2]) {
    // SAFETY: the reference that `dispatch` gave the request.
    let requests = unsafe { Shared::<Rundown>::from_raw(requests) };
    requests.leave(1);
}

/// What is kept in a request, in the field that is the miniport driver's.
///
/// # Safety
/// The request is this driver's.
unsafe fn end(raw: NonNull<sys::NDIS_OID_REQUEST>) -> [sys::PVOID; 2] {
    // SAFETY: as the caller says.
    let place = unsafe { &raw const (*raw.as_ptr()).MiniportReserved }.cast::<[sys::PVOID; 2]>();
    // SAFETY: the field is as large as two pointers, which `set_end` put there.
    unsafe { place.read_unaligned() }
}

/// # Safety
/// The request is this driver's.
unsafe fn set_end(raw: NonNull<sys::NDIS_OID_REQUEST>, end: [sys::PVOID; 2]) {
    // SAFETY: as the caller says.
    let place = unsafe { &raw mut (*raw.as_ptr()).MiniportReserved }.cast::<[sys::PVOID; 2]>();
    // SAFETY: the field is as large as two pointers.
    unsafe { place.write_unaligned(end) };
}
