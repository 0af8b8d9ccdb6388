//! Receive side scaling of the adapter below, which its virtual miniports share.
//!
//! [`Sharing`] decides what is set below and when; OID requests from above wait here until it is. Like the
//! receive filter ([`super::receivers`]), what is wanted while the adapter sleeps is set when it wakes.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use mux_core::{
    VlanId,
    oid::OID_GEN_RECEIVE_SCALE_PARAMETERS,
    rss::{self, Invalid, Next, Sharing, Ticket},
    vlans::SharedVlanSet,
};
use ndis::{
    Passive, Result, Status,
    miniport::MiniportHandle,
    oid::{OidOutcome, OidRequest, OwnRequest, PendedOid, Requested},
    sync::SpinLock,
};

use super::Binding;
use crate::protocol::Request;

/// What the virtual miniports of a binding want, and those who wait for it.
pub(crate) struct Scaling {
    state: SpinLock<State>,
    /// Whose frames the adapter below hashes as they want.
    hashed: SharedVlanSet,
}

struct State {
    sharing: Sharing,
    /// NDIS makes one request at a time of each virtual miniport: room for that many is made before.
    waiting: Vec<Waiting>,
}

struct Waiting {
    ticket: Ticket,
    vlan: VlanId,
    request: PendedOid,
}

enum Step {
    Send(core::result::Result<Vec<u8>, Invalid>),
    Accept(PendedOid),
    Nothing,
}

impl Scaling {
    pub(crate) const fn new() -> Self {
        Self {
            state: SpinLock::new(State {
                sharing: Sharing::new(),
                waiting: Vec::new(),
            }),
            hashed: SharedVlanSet::new(),
        }
    }

    /// Makes room for the requests of that many virtual miniports.
    pub(crate) fn make_room(&self, number: usize) -> Result {
        self.state.make_room(number, |state| &mut state.waiting)
    }

    /// What others had set of the adapter below before any virtual miniport did.
    pub(crate) fn take_others(&self) -> Option<Vec<u8>> {
        self.state.with(|state| state.sharing.take_others())
    }

    /// Whether the adapter below scales for a virtual miniport.
    pub(crate) fn is_set(&self) -> bool {
        self.state.with(|state| state.sharing.is_set())
    }

    /// Whose frames have the hash that their virtual miniport asked for.
    pub(crate) fn hashed(&self) -> &SharedVlanSet {
        &self.hashed
    }

    /// Changes what is wanted, or what the adapter below has.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        self.state.with(|state| {
            let result = change(state);
            self.hashed.replace(&state.sharing.hashed());
            result
        })
    }

    fn next(&self) -> Step {
        self.change(|state| match state.sharing.next_step() {
            Next::Send(data) => Step::Send(data),
            Next::Busy => Step::Nothing,
            Next::Settled => match state.waiting.pop() {
                Some(waiting) => Step::Accept(waiting.request),
                None => Step::Nothing,
            },
        })
    }

    fn done(&self, result: Result) {
        let failed = self.change(|state| state.sharing.done(result.is_ok()));
        if let (Some(failed), Err(status)) = (failed, result) {
            self.refuse(&failed, status);
        }
    }

    /// The request was not sent. Whoever waits can be answered now.
    fn put_back(&self) -> RangeInclusive<Ticket> {
        self.change(|state| {
            state.sharing.put_back();
            Ticket::default()..=state.sharing.latest()
        })
    }

    fn accept(&self, tickets: &RangeInclusive<Ticket>) {
        while let Some(waiting) = self.state.with(|state| state.take(tickets)) {
            waiting.request.accept();
        }
    }

    fn refuse(&self, tickets: &RangeInclusive<Ticket>, status: Status) {
        let take = |state: &mut State| {
            let waiting = state.take(tickets)?;
            state.sharing.take_back(waiting.vlan);
            Some(waiting)
        };
        while let Some(waiting) = self.state.with(take) {
            waiting.request.complete(status);
        }
        // Once for all of them, who may be many.
        self.change(|_| ());
    }
}

impl State {
    fn take(&mut self, tickets: &RangeInclusive<Ticket>) -> Option<Waiting> {
        let mut waiting = self.waiting.iter();
        let place = waiting.position(|waiting| tickets.contains(&waiting.ticket))?;
        Some(self.waiting.swap_remove(place))
    }
}

impl Binding {
    /// A virtual miniport sets its parameters. The request completes when the adapter below has what comes
    /// of that, or has refused it.
    ///
    pub(crate) fn set_scaling(
        &self,
        vlan: VlanId,
        adapter: MiniportHandle,
        request: OidRequest<'_>,
        at: Passive<'_>,
    ) -> OidOutcome {
        if !self.scaling().is_set() {
            self.learn_scaling(at);
        }
        let set =
            self.scaling()
                .change(|state| match state.sharing.set(vlan, request.set_data()) {
                    Ok(ticket) => {
                        let (request, outcome) = request.pend(adapter);
                        state.waiting.push(Waiting {
                            ticket,
                            vlan,
                            request,
                        });
                        Ok(outcome)
                    }
                    Err(invalid) => Err((request, invalid)),
                });
        match set {
            Ok(outcome) => {
                self.follow_scaling();
                outcome
            }
            Err((request, Invalid::Length { needed })) => request.refuse_length(needed),
            Err((request, invalid)) => request.complete(status_of(invalid)),
        }
    }

    /// The virtual miniport of this VLAN has halted.
    pub(crate) fn leave_scaling(&self, vlan: VlanId) {
        self.scaling().change(|state| state.sharing.leave(vlan));
        self.follow_scaling();
    }

    /// Asks what others who use the adapter below have set of it, which NDIS answers. One that is asleep, or a
    /// lack of memory, leaves it at nothing.
    fn learn_scaling(&self, at: Passive<'_>) {
        let Ok(below) = self.enter_request() else {
            return;
        };
        let mut answer = Vec::new();
        let mut length = Err(Status::RESOURCES);
        if answer.try_reserve_exact(rss::LONGEST).is_ok() {
            answer.resize(rss::LONGEST, 0);
            length = below.query(OID_GEN_RECEIVE_SCALE_PARAMETERS, &mut answer, at);
        }
        drop(below);
        self.leave_requests();
        if let Some(answer) = length.ok().and_then(|length| answer.get(..length)) {
            self.scaling().change(|state| state.sharing.learn(answer));
        }
    }

    /// Brings the adapter below nearer to what is wanted, until a request to it pends or nothing is left to
    /// do.
    pub(crate) fn follow_scaling(&self) {
        loop {
            let data = match self.scaling().next() {
                Step::Send(data) => data,
                Step::Accept(request) => {
                    request.accept();
                    continue;
                }
                Step::Nothing => return,
            };
            let below = match self.enter_request() {
                Ok(below) => below,
                Err(status) => {
                    let tickets = self.scaling().put_back();
                    if self.takes_requests() {
                        // It woke meanwhile, and whoever woke it found this request in flight.
                        continue;
                    }
                    return match status {
                        Status::LOW_POWER_STATE => self.scaling().accept(&tickets),
                        status => self.scaling().refuse(&tickets, status),
                    };
                }
            };
            let request = data
                .map(|data| OwnRequest::set(OID_GEN_RECEIVE_SCALE_PARAMETERS, data))
                .map_err(status_of);
            let status = match request {
                Ok(request) => match below.request(request, Request::Scaling) {
                    Requested::Done(_, _, status) => status,
                    Requested::Pending => return,
                },
                Err(status) => status,
            };
            self.leave_requests();
            self.scaling().done(status.ok());
        }
    }

    /// The request has come back.
    pub(crate) fn scaling_complete(&self, status: Status) {
        self.scaling().done(status.ok());
        self.follow_scaling();
        self.leave_requests();
    }
}

/// The documented status of a set that is not used.
const fn status_of(invalid: Invalid) -> Status {
    match invalid {
        Invalid::Length { .. } => Status::INVALID_LENGTH,
        Invalid::Data => Status::INVALID_DATA,
        Invalid::OutOfMemory => Status::RESOURCES,
    }
}
