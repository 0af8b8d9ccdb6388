//! What the computer is to be woken for through the adapter below, which its virtual miniports share.
//!
//! [`Sharing`] decides what is asked of the adapter and when; OID requests from above wait here until that
//! is done. While the adapter sleeps nothing is asked. A set of parameters and a removal are then taken,
//! and done when it wakes; a new pattern is refused, as NDIS itself would.
//!
//! The two edges go to sleep in either order. NDIS sets a virtual miniport's parameters when that goes to
//! sleep; if the adapter below sleeps already, they hold from its next sleep on. Patterns are below as soon as
//! they are added, and enabled with that.

use alloc::vec::Vec;

use mux_core::{
    VlanId,
    oid::{OID_PM_ADD_WOL_PATTERN, OID_PM_PARAMETERS, OID_PM_REMOVE_WOL_PATTERN},
    wake::{self, Done, Next, Parameters, Refused, Sharing},
};
use ndis::{
    Result, Shared, Status,
    mem::try_to_vec,
    oid::{OidOutcome, OidRequest, OwnRequest, PendedOid, Requested},
    sync::SpinLock,
};

use super::Binding;
use crate::{protocol::Request, virtual_miniport::VirtualMiniport};

/// What the virtual miniports of a binding want, and those who wait for it.
pub(crate) struct Wake {
    state: SpinLock<State>,
}

struct State {
    sharing: Sharing,
    /// NDIS makes one request at a time of each virtual miniport.
    waiting: Vec<Waiting>,
}

struct Waiting {
    vlan: VlanId,
    request: PendedOid,
    what: What,
}

/// What a request that waits is about.
enum What {
    /// A new pattern.
    Pattern,
    /// The parameters, and what they were before.
    Parameters(Parameters),
}

/// What is to be done next.
enum Step {
    /// This is wanted of the adapter below.
    Send(core::result::Result<Next, wake::OutOfMemory>),
    /// The adapter below has what this one asked for.
    Accept(PendedOid),
    /// Nothing, or a request is below.
    Nothing,
}

impl State {
    /// Who waits for the parameters: the last first, so that what was before the first wish is what is left.
    fn take_waiting(&mut self) -> Option<Waiting> {
        let is_it = |it: &Waiting| matches!(it.what, What::Parameters(_));
        let place = self.waiting.iter().rposition(is_it)?;
        Some(self.waiting.remove(place))
    }
}

impl Wake {
    /// In memory of its own: a binding is made on a stack of few kilobytes.
    ///
    /// # Errors
    /// [`Status::RESOURCES`].
    pub(super) fn try_new() -> Result<Shared<Self>> {
        Shared::try_new(Self {
            state: SpinLock::new(State {
                sharing: Sharing::new(),
                waiting: Vec::new(),
            }),
        })
    }

    /// A pattern that is still below when nobody wants any.
    pub(super) fn take_any(&self) -> Option<u32> {
        self.state.with(|state| state.sharing.take_any())
    }

    /// The adapter below gave a pattern up: whose it was, and its number there.
    pub(crate) fn rejected(&self, below: u32) -> Option<(VlanId, u32)> {
        self.state.with(|state| state.sharing.rejected(below))
    }

    /// What is to be done now. Whether anything is wanted below, and who waits for that, is looked at
    /// together: who comes in between is not content yet.
    fn next(&self) -> Step {
        self.state.with(|state| match state.sharing.next_step() {
            Ok(Next::Busy) => Step::Nothing,
            Ok(Next::Settled) => match state.take_waiting() {
                Some(waiting) => Step::Accept(waiting.request),
                None => Step::Nothing,
            },
            wanted => Step::Send(wanted),
        })
    }

    /// Answers those who wait for the parameters.
    fn settle(&self, result: Result) {
        let take = |state: &mut State| {
            let waiting = state.take_waiting()?;
            if let (What::Parameters(before), Err(_)) = (&waiting.what, result) {
                state.sharing.take_back(waiting.vlan, *before);
            }
            Some(waiting.request)
        };
        while let Some(request) = self.state.with(take) {
            answer(request, result);
        }
    }

    /// Answers those who wait for a pattern: all, or one virtual miniport.
    fn settle_patterns(&self, of: Option<VlanId>, result: Result) {
        let take = |state: &mut State| {
            let is_it = |it: &Waiting| {
                matches!(it.what, What::Pattern) && of.is_none_or(|vlan| it.vlan == vlan)
            };
            let place = state.waiting.iter().position(is_it)?;
            let waiting = state.waiting.swap_remove(place);
            if result.is_err() {
                state.sharing.take_back_pattern(waiting.vlan);
            }
            Some(waiting.request)
        };
        while let Some(request) = self.state.with(take) {
            answer(request, result);
        }
    }

    /// A request below has ended: with the number that a pattern got, or any.
    fn done(&self, result: Result<u32>) {
        let done = self.state.with(|state| state.sharing.done(result.ok()));
        let result = result.map(|_| ());
        match done {
            Some(Done::Added(vlan)) => self.settle_patterns(Some(vlan), result),
            // Who is content waits until all is done that is wanted.
            Some(Done::Set) if result.is_err() => self.settle(result),
            Some(Done::Set | Done::Removed) | None => {}
        }
    }
}

impl Binding {
    /// A set of OID_PM_PARAMETERS, of what the virtual miniport shows. The request completes when the adapter
    /// below has what comes of that, or has refused it.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn set_wake_up(
        &self,
        miniport: &VirtualMiniport,
        wanted: Parameters,
        request: OidRequest<'_>,
    ) -> OidOutcome {
        self.begin_wake(miniport, request, |sharing| {
            let before = sharing.wish(miniport.vlan, wanted);
            before.map(What::Parameters).map_err(|_| Status::RESOURCES)
        })
    }

    /// A new pattern of a virtual miniport.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn add_wake_pattern(
        &self,
        miniport: &VirtualMiniport,
        request: OidRequest<'_>,
    ) -> OidOutcome {
        let data = request.set_data();
        let below = self.nic().wake_up;
        let longest = below.pattern_size.min(below.pattern_offset);
        let woven = wake::weave(data, miniport.vlan, longest).map_err(|refused| match refused {
            Refused::Invalid => Status::INVALID_PARAMETER,
            Refused::NotSupported => Status::NOT_SUPPORTED,
            Refused::OutOfMemory => Status::RESOURCES,
        });
        let (woven, above) = match (woven, wake::id_of(data)) {
            (Ok(woven), Some(above)) => (woven, above),
            (Err(status), _) => return request.complete(status),
            (Ok(_), None) => return request.complete(Status::INVALID_PARAMETER),
        };
        self.begin_wake(miniport, request, |sharing| {
            let added = sharing.add(miniport.vlan, above, woven);
            added.map(|()| What::Pattern).map_err(|_| Status::RESOURCES)
        })
    }

    /// A virtual miniport removes its pattern, which must not fail: it need not wait either.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn remove_wake_pattern(&self, vlan: VlanId, above: u32) {
        self.wake_up()
            .state
            .with(|state| state.sharing.remove(vlan, above));
        self.follow_wake();
    }

    /// The virtual miniport of this VLAN has halted.
    pub(crate) fn leave_wake(&self, vlan: VlanId) {
        self.wake_up().state.with(|state| state.sharing.leave(vlan));
        self.follow_wake();
    }

    fn begin_wake(
        &self,
        miniport: &VirtualMiniport,
        request: OidRequest<'_>,
        change: impl FnOnce(&mut Sharing) -> Result<What>,
    ) -> OidOutcome {
        let vlan = miniport.vlan;
        let begun = self.wake_up().state.with(|state| {
            if state.waiting.try_reserve(1).is_err() {
                return Err((request, Status::RESOURCES));
            }
            match change(&mut state.sharing) {
                Ok(what) => {
                    let (request, outcome) = request.pend(miniport.handle);
                    state.waiting.push(Waiting {
                        vlan,
                        request,
                        what,
                    });
                    Ok(outcome)
                }
                Err(status) => Err((request, status)),
            }
        });
        match begun {
            Ok(outcome) => {
                self.follow_wake();
                outcome
            }
            Err((request, status)) => request.complete(status),
        }
    }

    /// Brings the adapter below nearer to what is wanted, until a request to it pends or nothing is left to
    /// do.
    pub(crate) fn follow_wake(&self) {
        let wake = self.wake_up();
        loop {
            let wanted = match wake.next() {
                Step::Send(wanted) => wanted,
                Step::Accept(request) => {
                    request.accept();
                    continue;
                }
                Step::Nothing => return,
            };
            let below = match self.enter_request() {
                Ok(below) => below,
                Err(status) => {
                    wake.state.with(|state| state.sharing.put_back());
                    if self.takes_requests() {
                        // It woke meanwhile, and whoever woke it found this request in flight.
                        continue;
                    }
                    wake.settle_patterns(None, Err(status));
                    let asleep = status == Status::LOW_POWER_STATE;
                    return wake.settle(if asleep { Ok(()) } else { Err(status) });
                }
            };
            let (result, buffer) = match request_of(wanted) {
                Ok(request) => match below.request(request, Request::Wake) {
                    Requested::Done(_, buffer, status) => (status.ok(), buffer),
                    Requested::Pending => return,
                },
                Err(status) => (Err(status), Vec::new()),
            };
            self.leave_requests();
            wake.done(result.map(|()| wake::id_of(&buffer).unwrap_or_default()));
        }
    }

    /// The request has come back.
    pub(crate) fn wake_complete(&self, buffer: &[u8], status: Status) {
        let id = wake::id_of(buffer).unwrap_or_default();
        self.wake_up().done(status.ok().map(|()| id));
        self.follow_wake();
        self.leave_requests();
    }
}

fn request_of(next: core::result::Result<Next, wake::OutOfMemory>) -> Result<OwnRequest> {
    let (oid, value) = match next {
        Ok(Next::Add(pattern)) => (OID_PM_ADD_WOL_PATTERN, pattern),
        Ok(Next::Remove(id)) => (OID_PM_REMOVE_WOL_PATTERN, try_to_vec(&id.to_ne_bytes())?),
        Ok(Next::Set(parameters)) => (OID_PM_PARAMETERS, try_to_vec(&parameters.bytes())?),
        Ok(Next::Busy | Next::Settled) => return Err(Status::FAILURE),
        Err(wake::OutOfMemory) => return Err(Status::RESOURCES),
    };
    Ok(OwnRequest::set(oid, value))
}

fn answer(request: PendedOid, result: Result) {
    match result {
        Ok(()) => request.accept(),
        Err(status) => request.complete(status),
    }
}
