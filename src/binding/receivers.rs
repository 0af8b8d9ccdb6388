//! Who receives on a binding, as it changes, and the receive filter of the adapter below that follows.
//!
//! The receive path sees an immutable [`Stations`]; a change makes a new one. What is let in below is what
//! all of them want together: [`Reconciler`] decides what is sent and when, and OID requests from above
//! wait here until the adapter below has what they ask for.

use alloc::vec::Vec;
use core::mem;

use mux_core::{
    filter::Abilities,
    reconcile::{FilterId, Next, Reconciler, Ticket},
};
use ndis::{
    Result, Shared, Status,
    oid::{PendedOid, Requested},
    sync::SpinLock,
};

use super::{Binding, stations::Stations};
use crate::{
    protocol::Request,
    trace,
    virtual_miniport::{VirtualMiniport, Wish},
};

/// Who receives, and what the adapter below lets through for them.
pub(crate) struct Receivers {
    state: SpinLock<State>,
    /// Who receives in the end: kept so that clearing needs no memory.
    nobody: Shared<Stations>,
}

/// An OID request that changes what a virtual miniport wants to receive.
pub(crate) struct Asked {
    pub(crate) request: PendedOid,
    pub(crate) miniport: Shared<VirtualMiniport>,
    /// What it wanted before: comes back if the request fails.
    pub(crate) before: Wish,
}

struct State {
    stations: Shared<Stations>,
    below: Reconciler,
    /// Those that wait until the adapter below lets in what they ask for. Each virtual miniport
    /// has at most one, and room for that many is made before.
    waiting: Vec<(Ticket, Asked)>,
}

impl Receivers {
    pub(crate) fn try_new() -> Result<Self> {
        let nobody = Shared::try_new(Stations::default())?;
        let state = State {
            stations: nobody.clone(),
            below: Reconciler::new(),
            waiting: Vec::new(),
        };
        Ok(Self {
            state: SpinLock::new(state),
            nobody,
        })
    }

    /// Makes room for the requests of that many virtual miniports.
    pub(crate) fn make_room(&self, number: usize) -> Result {
        self.state.make_room(number, |state| &mut state.waiting)
    }

    /// Who receives now.
    pub(crate) fn stations(&self) -> Shared<Stations> {
        self.state.with(|state| state.stations.clone())
    }

    /// Puts a changed list in the place of the one it was made from.
    ///
    /// # Errors
    /// What `change` says, or [`Status::RESOURCES`]: nothing was changed.
    pub(crate) fn change(&self, change: impl Fn(&Stations) -> Result<Stations>) -> Result {
        loop {
            let before = self.stations();
            let after = Shared::try_new(change(&before)?)?;
            let replaced = self.state.with(|state| {
                let unchanged = state.stations.same(&before);
                unchanged.then(|| mem::replace(&mut state.stations, after))
            });
            if replaced.is_some() {
                return Ok(());
            }
        }
    }

    /// Nobody receives any more.
    pub(crate) fn clear(&self) {
        let nobody = self.nobody.clone();
        let before = self
            .state
            .with(|state| mem::replace(&mut state.stations, nobody));
        drop(before);
    }

    /// Wants what all receivers together need, of an adapter that can do that much. `asked` waits until
    /// it has it.
    pub(crate) fn want(&self, adapter: &Abilities, mut asked: Option<Asked>) {
        loop {
            let stations = self.stations();
            let needed = stations.needed(adapter);
            let wanted = self.state.with(|state| {
                if !state.stations.same(&stations) {
                    return Err(needed);
                }
                let (ticket, before) = state.below.want(needed);
                if let Some(asked) = asked.take() {
                    state.waiting.push((ticket, asked));
                }
                Ok(before)
            });
            if wanted.is_ok() {
                return;
            }
        }
    }

    /// What is to be done now.
    pub(crate) fn next(&self) -> Next {
        self.state.with(|state| state.below.next_step())
    }

    /// The request that was sent below has come back: with this filter number (any that is no receive
    /// filter's) or with this error. Completes the request that fails with it: the newest of those that it
    /// was made for. What the others ask for may still be had without that one, and is tried next.
    pub(crate) fn done(&self, adapter: &Abilities, result: Result<FilterId>) {
        let failed = self.state.with(|state| state.below.done(result.ok()));
        let (Some(ticket), Err(status)) = (failed, result) else {
            return;
        };
        if let Some(asked) = self.newest_waiting(ticket) {
            self.refuse(asked, status);
            // What comes next was worked out with the wishes that were just taken back.
            self.want(adapter, None);
        }
    }

    /// The adapter below has what the wishes up to this one ask for: completes their requests.
    pub(crate) fn settle(&self, ticket: Ticket) {
        while let Some(asked) = self.waiting(ticket) {
            trace::oid_settled(&asked, Status::SUCCESS);
            asked.request.accept();
        }
    }

    /// The adapter below cannot be asked any more for the wishes up to this one.
    pub(crate) fn give_up(&self, latest: Ticket, status: Status) {
        while let Some(asked) = self.waiting(latest) {
            self.refuse(asked, status);
        }
    }

    /// The request was not sent; a later [`next`](Self::next) leads to it again. The last wish.
    fn put_back(&self) -> Ticket {
        self.state.with(|state| {
            state.below.put_back();
            state.below.latest()
        })
    }

    /// A receive filter that is still set below.
    pub(crate) fn take_filter(&self) -> Option<FilterId> {
        self.state.with(|state| state.below.take_filter())
    }

    /// One that waits for this wish or an earlier one.
    fn waiting(&self, settled: Ticket) -> Option<Asked> {
        self.state.with(|state| {
            let mut waiting = state.waiting.iter();
            let place = waiting.position(|(ticket, _)| *ticket <= settled)?;
            Some(state.waiting.swap_remove(place).1)
        })
    }

    /// The newest of those that wait for this wish or an earlier one.
    fn newest_waiting(&self, failed: Ticket) -> Option<Asked> {
        self.state.with(|state| {
            let waiting = state.waiting.iter().enumerate();
            let concerned = waiting.filter(|(_, (ticket, _))| *ticket <= failed);
            let (place, _) = concerned.max_by_key(|(_, (ticket, _))| *ticket)?;
            Some(state.waiting.swap_remove(place).1)
        })
    }

    /// Completes a request with an error, and makes the virtual miniport's wishes what they were.
    pub(crate) fn refuse(&self, asked: Asked, status: Status) {
        trace::oid_settled(&asked, status);
        let Asked {
            request,
            miniport,
            before,
        } = asked;
        let refused = miniport.wish(before);
        drop(refused);
        // Without memory the list keeps what was refused until its next change.
        let _restored = self.change(|stations| stations.with(VirtualMiniport::entry(&miniport)?));
        request.complete(status);
    }
}

impl Binding {
    /// Who receives now.
    pub(crate) fn stations(&self) -> Shared<Stations> {
        self.receivers.stations()
    }

    /// Takes up what a virtual miniport now wants to receive, and brings the filter below into line.
    /// The request is completed when that is done, or has failed.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn set_station(&self, asked: Asked) {
        let entry = || VirtualMiniport::entry(&asked.miniport);
        match self.receivers.change(|stations| stations.with(entry()?)) {
            Ok(()) => self.want_filter(Some(asked)),
            Err(status) => self.receivers.refuse(asked, status),
        }
    }

    /// A virtual miniport has halted: nobody wants its frames any more.
    pub(crate) fn remove_station(&self, miniport: &Shared<VirtualMiniport>) {
        // Without memory the old list stays, with a virtual miniport in it that does not count any
        // more; the next change, or the close, takes it out.
        let _removed = self.receivers.change(|stations| stations.without(miniport));
        self.want_filter(None);
    }

    pub(super) fn want_filter(&self, asked: Option<Asked>) {
        self.receivers.want(&self.nic().filters, asked);
        self.follow();
    }

    /// Brings the adapter below nearer to what is wanted, until a request to it pends or nothing is left
    /// to do.
    fn follow(&self) {
        loop {
            let step = match self.receivers.next() {
                Next::Send(step) => step,
                Next::Busy => return,
                Next::Settled(ticket) => return self.receivers.settle(ticket),
            };
            let below = match self.enter_request() {
                Ok(below) => below,
                Err(status) => {
                    let latest = self.receivers.put_back();
                    if self.takes_requests() {
                        // It woke meanwhile, and whoever woke it found this step in flight.
                        continue;
                    }
                    return match status {
                        // It gets what is wanted when it wakes. Nothing is received until then, so those
                        // who ask are answered as if it had it.
                        Status::LOW_POWER_STATE => self.receivers.settle(latest),
                        status => self.receivers.give_up(latest, status),
                    };
                }
            };
            let (request, token) = Request::of(step);
            let requested = match request {
                Ok(request) => below.request(request, token),
                Err(status) => Requested::Done(token, Vec::new(), status),
            };
            drop(below);
            let Requested::Done(token, answer, status) = requested else {
                return;
            };
            self.leave_requests();
            trace::own_request(self.name(), status);
            self.receivers
                .done(&self.nic().filters, token.result(&answer, status));
        }
    }

    /// A request of the binding's own has come back.
    pub(crate) fn own_complete(&self, token: Request, answer: &[u8], status: Status) {
        trace::own_request(self.name(), status);
        self.receivers
            .done(&self.nic().filters, token.result(answer, status));
        self.follow();
        self.leave_requests();
    }
}
