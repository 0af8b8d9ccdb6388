//! OID requests that wait for the adapter below to wake.
//!
//! A request that is forwarded while the adapter below sleeps is kept and sent when it wakes, in the order
//! in which requests came; NDIS makes one at a time of each virtual miniport, so there is room for all.
//! Nobody waits for longer than [`LIMIT`]: an OID request may take 12 seconds (ndis-ndistimedoidcomplete.md),
//! and NDIS's own requests, for the sleep of the virtual miniport itself, wait behind it. What is left then
//! is refused, and what comes later is refused at once until the wake.

use alloc::vec::Vec;

use ndis::{Result, Shared, Status, oid::PendedOid, sync::SpinLock};

use crate::virtual_miniport::VirtualMiniport;

/// A request that waits, and whose it is.
pub(crate) struct Parked {
    pub(crate) request: PendedOid,
    pub(crate) miniport: Shared<VirtualMiniport>,
}

/// The requests that wait, in order.
pub(crate) struct ParkedRequests(SpinLock<Vec<Parked>>);

/// How long a request waits, in milliseconds from the beginning of the sleep.
pub(crate) const LIMIT: u32 = 5_000;

impl ParkedRequests {
    pub(crate) const fn new() -> Self {
        Self(SpinLock::new(Vec::new()))
    }

    /// Makes room for the requests of that many virtual miniports.
    pub(crate) fn make_room(&self, number: usize) -> Result {
        self.0.make_room(number, |parked| parked)
    }

    /// Keeps a request.
    pub(crate) fn park(&self, request: Parked) {
        self.0.with(|parked| parked.push(request));
    }

    /// The request that has waited longest.
    pub(crate) fn first(&self) -> Option<Parked> {
        self.0
            .with(|parked| (!parked.is_empty()).then(|| parked.remove(0)))
    }

    /// The request of a virtual miniport that has this number.
    pub(crate) fn find(&self, miniport: &VirtualMiniport, id: usize) -> Option<Parked> {
        self.0.with(|parked| {
            let place = parked.iter().position(|parked| {
                core::ptr::eq(&raw const *parked.miniport, miniport) && parked.request.id() == id
            })?;
            Some(parked.remove(place))
        })
    }

    /// Completes all with an error.
    pub(crate) fn refuse(&self, status: Status) {
        while let Some(parked) = self.first() {
            parked.request.complete(status);
        }
    }
}
