//! One open adapter below, and all that stands on it.
//!
//! Lifecycle: made by [`Binding::try_new`] in `ProtocolBindAdapterEx`, opened, paused and restarted by
//! NDIS's events, taken down in `ProtocolUnbindAdapterEx`. What happens when is `mux_core`'s
//! [`Lifecycle`]; what a callback does about it stands in [`crate::protocol`].
//!
//! Not here: the virtual miniports' own lives ([`crate::instance`]) and the data path.

use alloc::vec::Vec;
use core::mem;

use mux_core::{
    MacAddress, VlanId,
    filter::{Abilities, PacketFilter},
    lifecycle::binding::{Binding as Lifecycle, State as LifecycleState},
    oid::{
        OID_802_3_MULTICAST_LIST, OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_RECEIVE_SCALE_PARAMETERS,
        OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES,
    },
    reconcile::Next,
    rss,
    tagging::TagMode,
    vlans::VlanSet,
};
use ndis::{
    Passive, Result, Shared, Status,
    link::LinkState,
    nbl::DerivedPool,
    offload::TaskOffload,
    oid::{Requested, WaitedCall},
    protocol::{BindParameters, BindingHandle, HandleCell},
    receive_filter,
    receive_scaling::ReceiveScaling,
    string::UnicodeString,
    sync::{Expire, Rundown, SpinLock, Taken, Timer, Turn},
};

use crate::{
    driver::{Mux, Pools},
    instance::Instance,
    offload::{self, Offloads},
    parked::{self, Parked, ParkedRequests},
    protocol::Request,
    receivers::{Asked, Receivers},
    roster::{List, Member, Roster},
    scaling::Scaling,
    stations::Stations,
    trace,
    virtual_miniport::VirtualMiniport,
};

/// One open adapter below.
pub(crate) struct Binding {
    name: UnicodeString,
    /// What does not change while the adapter is bound.
    nic: Nic,
    pools: Pools,
    state: SpinLock<State>,
    receivers: Receivers,
    scaling: Scaling,
    /// The virtual miniports that are configured, shut once the binding is taken down.
    instances: Roster<Instance>,
    /// Whose turn it is to change which ones those are.
    changes: Turn,
    /// The VLANs of those that are initialised.
    vlans: SpinLock<VlanSet>,
    /// The adapter below, while it is open.
    handle: HandleCell<Self>,
    /// Sends below; open while the binding is running.
    sends: Rundown,
    /// OID requests, the binding's own and forwarded ones; open from the open to the unbind, while the
    /// adapter below is awake.
    requests: Rundown,
    /// Those that wait for the adapter below to wake, and until when.
    parked: ParkedRequests,
    patience: Timer,
}

/// The turn to change which virtual miniports a binding has.
pub(crate) struct Change<'a> {
    /// The adapter below, which stays open for as long.
    pub(crate) handle: BindingHandle<Binding>,
    _turn: Taken<'a>,
}

/// What the adapter below said of itself when it was bound.
#[derive(Clone)]
pub(crate) struct Nic {
    pub(crate) address: MacAddress,
    /// What it can filter by.
    pub(crate) filters: Abilities,
    pub(crate) mtu: u32,
    pub(crate) maximum_speeds: (u64, u64),
    pub(crate) lookahead: u32,
    /// Where it takes the tags of sent frames.
    pub(crate) tag_mode: TagMode,
    /// Access, direction and connection type.
    pub(crate) interface_types: (u32, u32, u32),
    /// Of data and of context.
    pub(crate) backfill: (u32, u32),
    /// Its receive side scaling, as far as virtual miniports can use it.
    pub(crate) scaling: Option<ReceiveScaling>,
}

struct State {
    lifecycle: Lifecycle,
    link: LinkState,
    /// The task offloads below, if the adapter has any.
    offloads: Option<Offloads>,
    /// NDIS has announced that the adapter below goes to sleep, and not yet that it is awake again.
    asleep: bool,
    /// Requests may still wait for it to wake.
    patient: bool,
    /// For the requests of the unbind, which must not fail for want of memory.
    last_call: Option<WaitedCall>,
}

impl Binding {
    pub(crate) fn try_new(mux: &Mux, parameters: &BindParameters<'_>) -> Result<Shared<Self>> {
        Shared::try_new(Self {
            name: UnicodeString::try_from_units(parameters.name())?,
            nic: Nic::of(parameters),
            pools: mux.pools()?,
            state: SpinLock::new(State {
                lifecycle: Lifecycle::new(),
                link: parameters.link(),
                offloads: parameters.offload().map(|current| {
                    let current = offload::to_core(current);
                    // As far as is known before the adapter is open.
                    let hardware = current;
                    Offloads { current, hardware }
                }),
                asleep: false,
                patient: false,
                last_call: Some(WaitedCall::try_new()?),
            }),
            receivers: Receivers::try_new()?,
            scaling: Scaling::new(),
            instances: Roster::try_new()?,
            changes: Turn::try_new()?,
            vlans: SpinLock::new(VlanSet::new()),
            handle: HandleCell::default(),
            sends: Rundown::try_new()?,
            requests: Rundown::try_new()?,
            parked: ParkedRequests::new(),
            patience: Timer::try_new::<Self>(mux.miniport())?,
        })
    }

    /// The device name of the adapter below.
    pub(crate) fn name(&self) -> &[u16] {
        self.name.units()
    }

    /// The adapter below, as it was when it was bound.
    pub(crate) fn nic(&self) -> &Nic {
        &self.nic
    }

    /// Where NBLs are derived from received frames.
    pub(crate) fn derived(&self) -> &DerivedPool {
        &self.pools.received
    }

    /// Where carriers come from, for sends that must not be written to.
    pub(crate) fn carriers(&self) -> &DerivedPool {
        &self.pools.carriers
    }

    /// The adapter is open: requests may go down.
    pub(crate) fn open_succeeded(&self, handle: BindingHandle<Self>) {
        self.change(Lifecycle::open_succeeded);
        self.handle.set(Some(handle));
        self.requests.open();
    }

    /// Asks the adapter below for the task offloads that are switched off, too. One that does not say has
    /// no more than those that are switched on.
    pub(crate) fn learn_offloads(&self, handle: BindingHandle<Self>, at: Passive<'_>) {
        if self.offloads().is_none() {
            return;
        }
        let mut answer = [0; OFFLOAD_LENGTH];
        let hardware = handle
            .query(OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, &mut answer, at)
            .ok()
            .and_then(|length| TaskOffload::read(answer.get(..length)?));
        if let Some(hardware) = hardware {
            self.set_offloads(|offloads| offloads.hardware = offload::to_core(hardware));
        }
    }

    /// The task offloads below, if the adapter had any when it was bound.
    pub(crate) fn offloads(&self) -> Option<Offloads> {
        self.state.with(|state| state.offloads)
    }

    /// What a virtual miniport of `vlan` shows of the task offloads below.
    pub(crate) fn offloads_of(&self, vlan: VlanId) -> Option<Offloads> {
        let Offloads { current, hardware } = self.offloads()?;
        let mode = self.nic.tag_mode;
        Some(Offloads {
            current: current.shown(mode, vlan),
            hardware: hardware.shown(mode, vlan),
        })
    }

    /// The task offloads below have changed.
    pub(crate) fn set_offloads(&self, change: impl FnOnce(&mut Offloads)) {
        self.state.with(|state| state.offloads.as_mut().map(change));
    }

    /// The virtual miniports that are configured.
    pub(crate) fn instances(&self) -> &Roster<Instance> {
        &self.instances
    }

    /// Waits for the turn to change which virtual miniports there are. Whoever has it may use the
    /// binding's configuration, and is the only one to add or take down virtual miniports but the unbind.
    ///
    /// # Errors
    /// [`Status::CLOSING`] if the binding is being taken down.
    pub(crate) fn begin_change(&self, at: Passive<'_>) -> Result<Change<'_>> {
        let turn = self.changes.take(at);
        let handle = self.handle().filter(|_| self.instances.is_open());
        let handle = handle.ok_or(Status::CLOSING)?;
        Ok(Change {
            handle,
            _turn: turn,
        })
    }

    /// What the virtual miniports want of receive side scaling.
    pub(crate) fn scaling(&self) -> &Scaling {
        &self.scaling
    }

    /// Takes a VLAN; answers whether it was free.
    pub(crate) fn take_vlan(&self, vlan: VlanId) -> bool {
        self.vlans.with(|vlans| vlans.insert(vlan))
    }

    /// Frees a VLAN that was taken.
    pub(crate) fn free_vlan(&self, vlan: VlanId) {
        self.vlans.with(|vlans| vlans.remove(vlan));
    }

    /// Where it is in its life.
    pub(crate) fn lifecycle(&self) -> LifecycleState {
        self.state.with(|state| state.lifecycle.state())
    }

    /// Adds virtual miniports, with room for what each may have outstanding.
    ///
    /// # Errors
    /// [`Status::CLOSING`] if the binding is being taken down, [`Status::RESOURCES`]: none was added.
    pub(crate) fn add_instances(&self, _turn: &Change<'_>, new: &[Shared<Instance>]) -> Result {
        let number = self.instances.list().len() + new.len();
        self.receivers.make_room(number)?;
        self.scaling.make_room(number)?;
        self.parked.make_room(number)?;
        self.instances.add(new)
    }

    /// Begins to take all virtual miniports down: none is added from here on.
    pub(crate) fn shut_instances(&self) -> List<Instance> {
        self.instances.shut();
        self.instances.list()
    }

    /// Waits until nobody changes which virtual miniports there are, after
    /// [`shut_instances`](Self::shut_instances).
    pub(crate) fn end_changes(&self, at: Passive<'_>) {
        drop(self.changes.take(at));
    }

    /// `NetEventRestart`.
    pub(crate) fn restart(&self) {
        if self.change(Lifecycle::restart).is_ok() {
            self.sends.open();
        }
    }

    /// `NetEventPause`: takes no new send, and waits until all have come back.
    pub(crate) fn pause(&self, at: Passive<'_>) {
        if self.change(Lifecycle::pause_begun).is_err() {
            return;
        }
        self.sends.drain(at);
        self.change(Lifecycle::paused);
    }

    /// The adapter below is about to sleep: makes no OID request of it any more, and waits until those
    /// on their way have come back (handling-a-set-power-request.md).
    pub(crate) fn sleep(this: &Shared<Self>, at: Passive<'_>) {
        let fell_asleep = this.state.with(|state| {
            let awake = !mem::replace(&mut state.asleep, true);
            state.patient |= awake;
            awake
        });
        this.requests.drain(at);
        if fell_asleep {
            Timer::set(this, parked::LIMIT);
        }
    }

    /// The adapter below is awake: requests may go down again, and first what waited and what was wanted
    /// meanwhile.
    pub(crate) fn wake(this: &Shared<Self>) {
        if this.state.with(|state| state.asleep) {
            // In this order: what is neither open nor asleep is being taken down.
            this.requests.open();
            this.state.with(|state| state.asleep = false);
            Timer::cancel(this);
            this.unpark();
            this.want_filter(None);
            // What a virtual miniport missed that woke before.
            let instances = this.instances.list();
            instances.iter().for_each(|it| it.indicate_state());
            this.follow_scaling();
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
        if self.requests.is_open() {
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
                Some(handle) => {
                    let above = request.id();
                    if !request.forward(handle, |below| miniport.forwards(above, below)) {
                        self.leave_requests();
                    }
                }
                None => request.complete(self.why_no_request()),
            }
        }
    }

    /// Nothing waits for the adapter below any more.
    pub(crate) fn stop_waiting(this: &Shared<Self>, at: Passive<'_>) {
        this.state.with(|state| state.asleep = false);
        Timer::stop(this, at);
        this.parked.refuse(Status::CLOSING);
    }

    /// Begins to take the binding down. NDIS has paused it.
    pub(crate) fn unbind(&self) {
        // Refused if the binding was never opened, or is not paused; then there is as much to take
        // down, and NDIS wants it closed all the same.
        let _accepted = self.change(Lifecycle::unbind);
    }

    /// Ends all that the binding has under way below. Every virtual miniport is gone.
    pub(crate) fn quiesce(&self, at: Passive<'_>) {
        self.sends.drain(at);
        self.requests.drain(at);
        let last = self.state.with(|state| state.last_call.take());
        let (Some(handle), Some(mut call)) = (self.handle(), last) else {
            return;
        };
        // An adapter that is gone says so; there is nothing to clear then.
        let mut set = |oid, value: &[u8]| {
            let _cleared = handle.set(&mut call, oid, value, at);
        };
        set(
            OID_GEN_CURRENT_PACKET_FILTER,
            &PacketFilter::EMPTY.bits().to_ne_bytes(),
        );
        set(OID_802_3_MULTICAST_LIST, &[]);
        if self.scaling.is_set() {
            set(OID_GEN_RECEIVE_SCALE_PARAMETERS, &rss::disabled());
        }
        while let Some(id) = self.receivers.take_filter() {
            set(receive_filter::OID_CLEAR, &receive_filter::clear(id));
        }
    }

    /// The adapter is closed, or could not be opened: lets go of all that refers back to the binding.
    pub(crate) fn closed(&self) {
        self.change(|lifecycle| match lifecycle.state() {
            LifecycleState::Opening => lifecycle.open_failed(),
            _ => lifecycle.closed(),
        });
        self.handle.set(None);
        self.instances.clear();
        self.receivers.clear();
    }

    /// The handle, while the adapter is open.
    pub(crate) fn handle(&self) -> Option<BindingHandle<Self>> {
        self.handle.get()
    }

    /// Whether received frames are passed on. If not, they go back at once.
    pub(crate) fn receives(&self) -> bool {
        self.sends.is_open()
    }

    /// Enters a chain of `number` sends. The error is what to complete it with.
    pub(crate) fn enter_sends(&self, number: usize) -> Result<BindingHandle<Self>> {
        if !self.sends.enter(number) {
            return Err(self.why_not());
        }
        self.handle().ok_or_else(|| {
            self.leave_sends(number);
            Status::FAILURE
        })
    }

    /// `number` sends have come back.
    pub(crate) fn leave_sends(&self, number: usize) {
        self.sends.leave(number);
    }

    fn why_not(&self) -> Status {
        match self.state.with(|state| state.lifecycle.state()) {
            LifecycleState::Closing | LifecycleState::Closed => Status::FAILURE,
            _ => Status::PAUSED,
        }
    }

    /// Lets an event happen, and traces what it changed.
    fn change<R>(&self, event: impl FnOnce(&mut Lifecycle) -> R) -> R {
        let (result, from, to) = self.state.with(|state| {
            let from = state.lifecycle.state();
            let result = event(&mut state.lifecycle);
            (result, from, state.lifecycle.state())
        });
        trace::binding(self.name(), from, to);
        result
    }

    /// The link below as it is now.
    pub(crate) fn link(&self) -> LinkState {
        self.state.with(|state| state.link)
    }

    /// The link below has changed.
    pub(crate) fn set_link(&self, link: LinkState) {
        self.state.with(|state| state.link = link);
    }

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
        self.scaling.leave(miniport.vlan);
        self.follow_scaling();
    }

    fn want_filter(&self, asked: Option<Asked>) {
        self.receivers.want(&self.nic.filters, asked);
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
            let Some(handle) = self.enter_request() else {
                if self.requests.is_open() {
                    // It woke in this moment.
                    self.receivers.put_back();
                    continue;
                }
                return match self.why_no_request() {
                    Status::LOW_POWER_STATE => self.receivers.postpone(),
                    status => self.receivers.give_up(status),
                };
            };
            let (request, token) = Request::of(step);
            let requested = match request {
                Ok(request) => handle.request(request, token),
                Err(status) => Requested::Done(token, Vec::new(), status),
            };
            let Requested::Done(token, answer, status) = requested else {
                return;
            };
            self.leave_requests();
            trace::own_request(self.name(), status);
            self.receivers
                .done(&self.nic.filters, token.result(&answer, status));
        }
    }

    /// A request of the binding's own has come back.
    pub(crate) fn own_complete(&self, token: Request, answer: &[u8], status: Status) {
        trace::own_request(self.name(), status);
        self.receivers
            .done(&self.nic.filters, token.result(answer, status));
        self.follow();
        self.leave_requests();
    }

    /// Asks the adapter below to complete a forwarded request early, unless the binding is being taken
    /// down.
    pub(crate) fn cancel_below(&self, id: usize) {
        if let Some(handle) = self.enter_request() {
            handle.cancel_oid(id);
            self.leave_requests();
        }
    }

    /// Whether requests may go down.
    pub(crate) fn takes_requests(&self) -> bool {
        self.requests.is_open()
    }

    /// Enters one request below, unless the adapter sleeps or the binding is being taken down.
    pub(crate) fn enter_request(&self) -> Option<BindingHandle<Self>> {
        if !self.requests.enter(1) {
            return None;
        }
        let handle = self.handle();
        if handle.is_none() {
            self.leave_requests();
        }
        handle
    }

    /// A request below has come back.
    pub(crate) fn leave_requests(&self) {
        self.requests.leave(1);
    }

    /// What to complete a request with that cannot go down.
    pub(crate) fn why_no_request(&self) -> Status {
        if self.state.with(|state| state.asleep) {
            Status::LOW_POWER_STATE
        } else {
            Status::CLOSING
        }
    }
}

impl Member for Binding {
    fn is_gone(&self) -> bool {
        self.state.with(|state| state.lifecycle.state()) == LifecycleState::Closed
    }
}

/// Bytes of the largest `NDIS_OFFLOAD` that is asked for: larger than that of any revision so far.
const OFFLOAD_LENGTH: usize = 512;

impl Nic {
    fn of(parameters: &BindParameters<'_>) -> Self {
        Self {
            address: MacAddress(parameters.current_address()),
            filters: Abilities {
                address: MacAddress(parameters.current_address()),
                groups: parameters.multicast_list_size() as usize,
                addresses: parameters.receive_filters() as usize,
            },
            mtu: parameters.mtu(),
            maximum_speeds: parameters.maximum_speeds(),
            lookahead: parameters.lookahead(),
            tag_mode: TagMode::of(parameters.mac_options()),
            interface_types: parameters.interface_types(),
            backfill: parameters.backfill(),
            scaling: parameters.receive_scaling().map(|scaling| ReceiveScaling {
                flags: rss::shown(scaling.flags),
                ..scaling
            }),
        }
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
