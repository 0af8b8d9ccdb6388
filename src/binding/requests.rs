//! OID requests to the adapter below: which may go down, and what becomes of the others.
//!
//! None goes down while the adapter sleeps, from the moment in which NDIS announces it
//! (handling-a-set-power-request.md), and none once the binding is being taken down. Those that are below by
//! then are not waited for: they may end only when the adapter has changed its state
//! (ns-netpnp-_net_pnp_event.md, NDIS 6.30 and later).

use core::{mem, ops::Deref};

use ndis::{
    Passive, Result, Shared, Status,
    protocol::BindingHandle,
    sync::{Expire, Timer},
};

use super::{
    Binding,
    parked::{self, Parked},
};
use crate::virtual_miniport::VirtualMiniport;

/// The adapter below, of which one OID request may be made until this is dropped.
pub(crate) struct Below<'a> {
    binding: &'a Binding,
    handle: BindingHandle<Binding>,
}

impl Deref for Below<'_> {
    type Target = BindingHandle<Binding>;

    fn deref(&self) -> &BindingHandle<Binding> {
        &self.handle
    }
}

impl Drop for Below<'_> {
    fn drop(&mut self) {
        self.binding.asking.leave(1);
    }
}

impl Binding {
    /// Enters one request below.
    ///
    /// # Errors
    /// What to complete a request with that cannot go down: [`Status::LOW_POWER_STATE`] if the adapter sleeps,
    /// [`Status::CLOSING`] if the binding is being taken down.
    pub(crate) fn enter_request(&self) -> Result<Below<'_>> {
        loop {
            if let Some(below) = self.try_enter_request() {
                return Ok(below);
            }
            let asleep = self.is_asleep();
            // If not, it woke in this moment.
            if !self.takes_requests() {
                return Err(if asleep {
                    Status::LOW_POWER_STATE
                } else {
                    Status::CLOSING
                });
            }
        }
    }

    fn try_enter_request(&self) -> Option<Below<'_>> {
        if !self.asking.enter(1) {
            return None;
        }
        let Some(handle) = self.handle().filter(|_| self.requests.enter(1)) else {
            self.asking.leave(1);
            return None;
        };
        Some(Below {
            binding: self,
            handle,
        })
    }

    /// A request below has come back.
    pub(crate) fn leave_requests(&self) {
        self.requests.leave(1);
    }

    /// Whether requests may go down.
    pub(super) fn takes_requests(&self) -> bool {
        self.asking.is_open() && self.requests.is_open()
    }

    /// Asks the adapter below to complete a forwarded request early, unless the binding is being taken
    /// down.
    pub(crate) fn cancel_below(&self, id: usize) {
        if self.requests.enter(1) {
            if let Some(handle) = self.handle() {
                handle.cancel_oid(id);
            }
            self.leave_requests();
        }
    }

    /// The adapter below is about to sleep: nothing is sent and no OID request is made from here on. A pause
    /// need not follow.
    pub(crate) fn sleep(this: &Shared<Self>, at: Passive<'_>) {
        let fell_asleep = this.state.with(|state| {
            let awake = !mem::replace(&mut state.asleep, true);
            state.patient |= awake;
            this.sends.shut();
            awake
        });
        // For the calls that are making one, not for the requests.
        this.asking.drain(at);
        if fell_asleep {
            Timer::set(this, parked::LIMIT);
        }
    }

    /// The adapter below is awake: requests may go down again, and first what waited and what was wanted
    /// meanwhile; and sends, if the binding is running.
    pub(crate) fn wake(this: &Shared<Self>) {
        if this.state.with(|state| state.asleep) {
            // In this order: what is neither open nor asleep is being taken down.
            this.asking.open();
            this.state.with(|state| state.asleep = false);
            this.let_sends_go();
            Timer::cancel(this);
            this.unpark();
            this.want_filter(None);
            // What a virtual miniport missed that woke before.
            let instances = this.instances.list();
            instances.iter().for_each(|it| it.indicate_state());
            this.follow_scaling();
            this.follow_wake();
        }
    }

    /// Whether the adapter below sleeps, or goes to sleep.
    pub(crate) fn is_asleep(&self) -> bool {
        self.state.with(|state| state.asleep)
    }

    /// Keeps a request until the adapter below wakes, unless it waited long enough.
    pub(crate) fn park(&self, request: Parked) {
        self.parked.park(request);
        // Whatever changed in this moment has not seen the request.
        let (asleep, patient) = self.state.with(|state| (state.asleep, state.patient));
        if self.takes_requests() {
            self.unpark();
        } else if !asleep {
            self.parked.refuse(Status::CLOSING);
        } else if !patient {
            self.parked.refuse(Status::LOW_POWER_STATE);
        }
    }

    /// Completes a request that waits for the adapter below to wake. The answer is whether it was there.
    pub(crate) fn cancel_parked(&self, miniport: &VirtualMiniport, id: usize) -> bool {
        let found = self.parked.find(miniport, id);
        let is_there = found.is_some();
        if let Some(parked) = found {
            parked.request.complete(Status::REQUEST_ABORTED);
        }
        is_there
    }

    fn unpark(&self) {
        while let Some(Parked { request, miniport }) = self.parked.first() {
            match self.enter_request() {
                Ok(below) => {
                    let above = request.id();
                    if !request.forward(*below, |below| miniport.forwards(above, below)) {
                        self.leave_requests();
                    }
                }
                Err(status) => request.complete(status),
            }
        }
    }

    /// Nothing waits for the adapter below any more.
    pub(crate) fn stop_waiting(this: &Shared<Self>, at: Passive<'_>) {
        this.state.with(|state| state.asleep = false);
        Timer::stop(this, at);
        this.parked.refuse(Status::CLOSING);
    }
}

impl Expire for Binding {
    /// The adapter below has slept for so long that nobody waits for it any more.
    fn expired(this: &Shared<Self>) {
        this.state.with(|state| state.patient = false);
        this.parked.refuse(Status::LOW_POWER_STATE);
    }

    fn timer(&self) -> &Timer {
        &self.patience
    }
}
