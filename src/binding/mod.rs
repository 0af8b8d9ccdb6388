//! One open adapter below, and all that stands on it.
//!
//! Lifecycle: made by [`Binding::try_new`] in `ProtocolBindAdapterEx`, opened, paused and restarted by
//! NDIS's events, taken down in `ProtocolUnbindAdapterEx`. What happens when is `mux_core`'s
//! [`Lifecycle`]; what a callback does about it stands in [`crate::protocol`].
//!
//! Its parts: OID requests to it ([`requests`], [`parked`]), who receives ([`receivers`], [`stations`]), what
//! it does for all above ([`offload`], [`scaling`], [`wake`]).
//!
//! Not here: the virtual miniports' own lives ([`crate::instance`]) and the data path.

mod nic;
pub(crate) mod offload;
pub(crate) mod parked;
pub(crate) mod receivers;
mod requests;
mod scaling;
pub(crate) mod stations;
mod wake;

use core::{
    mem,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use mux_core::{
    VlanId,
    config::ConfigError,
    filter::PacketFilter,
    lifecycle::binding::{Binding as Lifecycle, State as LifecycleState},
    oid::{
        OID_802_3_MULTICAST_LIST, OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_RECEIVE_SCALE_PARAMETERS,
        OID_PM_REMOVE_WOL_PATTERN,
    },
    rss,
    vlans::VlanSet,
};
use ndis::{
    Passive, Result, Shared, Status,
    configuration::{Configuration, Section},
    link::{self, LinkState},
    nbl::DerivedPool,
    oid::WaitedCall,
    pnp::{Removal, Restarted},
    protocol::{BindParameters, BindingHandle, HandleCell},
    receive_filter,
    string::UnicodeString,
    sync::{Rundown, SpinLock, Taken, Timer, Turn},
};

pub(crate) use self::nic::{Nic, wake_up_to_ndis};
use self::{
    offload::Offloads, parked::ParkedRequests, receivers::Receivers, scaling::Scaling, wake::Wake,
};
use crate::{
    config::UpperBindings,
    driver::{Mux, Pools},
    instance::Instance,
    roster::{List, Member, Roster},
    trace,
};

/// One open adapter below.
pub(crate) struct Binding {
    name: UnicodeString,
    /// Where its configuration is.
    section: Section,
    /// What it says of itself: another one after a restart that changed it.
    nic: SpinLock<Shared<Nic>>,
    pools: Pools,
    state: SpinLock<State>,
    receivers: Receivers,
    scaling: Scaling,
    wake: Shared<Wake>,
    /// The virtual miniports that are configured, shut once the binding is taken down.
    instances: Roster<Instance>,
    /// Whose turn it is to change which ones those are.
    changes: Turn,
    /// In how many values of the registry they were named when those were read last.
    extent: AtomicUsize,
    /// Whose turn it is to pass an event on to the drivers above.
    events: Turn,
    /// The VLANs of those that are initialised.
    vlans: SpinLock<VlanSet>,
    /// The adapter below, while it is open.
    handle: HandleCell<Self>,
    /// Whether received frames are passed on: while the binding is running.
    receives: AtomicBool,
    /// Sends below; open while the binding is running and the adapter below awake.
    sends: Rundown,
    /// Calls that make an OID request; open from the open to the unbind, while the adapter below is awake.
    asking: Rundown,
    /// The requests themselves, the binding's own and forwarded ones; open from the open to the unbind.
    requests: Rundown,
    /// Those that wait for the adapter below to wake, and until when.
    parked: ParkedRequests,
    patience: Timer,
}

/// The turn to change which virtual miniports a binding has.
pub(crate) struct Change<'a> {
    /// The adapter below, which stays open for as long.
    handle: BindingHandle<Binding>,
    section: &'a Section,
    extent: &'a AtomicUsize,
    _turn: Taken<'a>,
}

impl Change<'_> {
    /// The binding's configuration. Before the first virtual miniport of all there may be no key for it:
    /// no document says who makes it, or what NDIS answers then. So it is made.
    ///
    /// # Errors
    /// [`Status::RESOURCES`], or why it can neither be opened nor made.
    pub(crate) fn configuration<'callback>(
        &self,
        at: Passive<'callback>,
    ) -> Result<Configuration<'callback>> {
        match self.handle.configuration(at) {
            Ok(configuration) => Ok(configuration),
            Err(Status::RESOURCES) => Err(Status::RESOURCES),
            Err(_) => {
                self.section.make(at)?;
                self.handle.configuration(at)
            }
        }
    }

    /// The names of the virtual miniports. What cannot be used is told to `unused`.
    ///
    /// # Errors
    /// As [`UpperBindings::read`].
    pub(crate) fn names(
        &self,
        configuration: &mut Configuration<'_>,
        unused: impl Fn(&ConfigError),
        at: Passive<'_>,
    ) -> Result<UpperBindings> {
        let known = self.extent.load(Ordering::Relaxed);
        let names = UpperBindings::read(configuration, known, unused, at)?;
        self.extent.store(names.extent(), Ordering::Relaxed);
        Ok(names)
    }

    /// A name was written into a value, counted from 0.
    pub(crate) fn named_in(&self, part: usize) {
        let extent = part.saturating_add(1);
        self.extent.fetch_max(extent, Ordering::Relaxed);
    }
}

struct State {
    lifecycle: Lifecycle,
    link: LinkState,
    /// The adapter below has indicated it.
    link_is_told: bool,
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
            section: Section::try_of(parameters)?,
            nic: SpinLock::new(Shared::try_new(Nic::of(parameters))?),
            pools: mux.pools()?,
            state: SpinLock::new(State {
                lifecycle: Lifecycle::new(),
                link: parameters.link(),
                link_is_told: false,
                offloads: parameters.offload().map(Offloads::switched_on),
                asleep: false,
                patient: false,
                last_call: Some(WaitedCall::try_new()?),
            }),
            receivers: Receivers::try_new()?,
            scaling: Scaling::new(),
            wake: Wake::try_new()?,
            instances: Roster::try_new()?,
            changes: Turn::try_new()?,
            extent: AtomicUsize::new(0),
            events: Turn::try_new()?,
            vlans: SpinLock::new(VlanSet::new()),
            handle: HandleCell::default(),
            receives: AtomicBool::new(false),
            sends: Rundown::try_new()?,
            asking: Rundown::try_new()?,
            requests: Rundown::try_new()?,
            parked: ParkedRequests::new(),
            patience: Timer::try_new::<Self>(mux.miniport())?,
        })
    }

    /// The device name of the adapter below.
    pub(crate) fn name(&self) -> &[u16] {
        self.name.units()
    }

    /// The adapter below, as it was when it was bound or restarted last.
    pub(crate) fn nic(&self) -> Shared<Nic> {
        self.nic.with(|nic| nic.clone())
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
        self.asking.open();
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
            section: &self.section,
            extent: &self.extent,
            _turn: turn,
        })
    }

    /// Deletes what is asked for a virtual miniport from the binding's configuration. Should that fail, it is
    /// asked for once more after the next bind.
    pub(crate) fn forget_asked(&self, name: &[u16], at: Passive<'_>) {
        let _deleted = self.section.delete_value(name, at);
    }

    /// Asks the drivers above whether the adapter may be removed: who says no is the last one asked.
    ///
    /// # Errors
    /// What that one says.
    pub(crate) fn ask_removal(&self, at: Passive<'_>) -> Result {
        let _turn = self.events.take(at);
        let instances = self.instances.list();
        let mut instances = instances.iter();
        instances.try_for_each(|instance| instance.pass_on(Removal::Query, at))
    }

    /// Tells all of them that it is not removed.
    pub(crate) fn cancel_removal(&self, at: Passive<'_>) {
        let _turn = self.events.take(at);
        for instance in self.instances.list().iter() {
            // Only a question can be answered with no.
            let _told = instance.pass_on(Removal::Cancel, at);
        }
    }

    /// What the virtual miniports want of receive side scaling.
    pub(crate) fn scaling(&self) -> &Scaling {
        &self.scaling
    }

    /// What the virtual miniports want the computer to be woken for.
    pub(crate) fn wake_up(&self) -> &Wake {
        &self.wake
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

    /// `NetEventRestart`, with what the adapter below is like now. Answers whether virtual miniports show
    /// something else of it. Without memory for that they go on showing what they did.
    pub(crate) fn restart(&self, now: Option<&Restarted>) -> bool {
        let before = self.nic();
        let after = now.map(|now| before.restarted(now));
        let after = after.filter(|after| *after != *before);
        let has_changed = match after.map(Shared::try_new) {
            Some(Ok(after)) => {
                let looks_other = !after.is_like(&before);
                let replaced = self.nic.with(|nic| mem::replace(nic, after));
                drop(replaced);
                self.want_filter(None);
                looks_other
            }
            None | Some(Err(_)) => false,
        };
        if self.change(Lifecycle::restart).is_ok() {
            self.receives.store(true, Ordering::Release);
            self.let_sends_go();
        }
        has_changed
    }

    /// Sends go below if the binding is running and the adapter below awake.
    fn let_sends_go(&self) {
        self.state.with(|state| {
            if state.lifecycle.state() == LifecycleState::Running && !state.asleep {
                self.sends.open();
            }
        });
    }

    /// `NetEventPause`: takes no new send, and waits until all have come back.
    pub(crate) fn pause(&self, at: Passive<'_>) {
        if self.change(Lifecycle::pause_begun).is_err() {
            return;
        }
        self.receives.store(false, Ordering::Release);
        self.sends.drain(at);
        self.change(Lifecycle::paused);
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
        self.asking.drain(at);
        self.requests.drain(at);
        let last = self.state.with(|state| state.last_call.take());
        let (Some(handle), Some(mut call)) = (self.handle(), last) else {
            return;
        };
        // An adapter that is gone says so, twice: there is nothing to clear then. One that only lacked memory
        // may have some the second time.
        let mut set = |oid, value: &[u8]| {
            let cleared = handle.set(&mut call, oid, value, at);
            let _cleared = cleared.or_else(|_| handle.set(&mut call, oid, value, at));
        };
        set(
            OID_GEN_CURRENT_PACKET_FILTER,
            &PacketFilter::EMPTY.bits().to_ne_bytes(),
        );
        set(OID_802_3_MULTICAST_LIST, &[]);
        if self.scaling.is_set() {
            match self.scaling.take_others() {
                Some(others) => set(OID_GEN_RECEIVE_SCALE_PARAMETERS, &others),
                None => set(OID_GEN_RECEIVE_SCALE_PARAMETERS, &rss::disabled()),
            }
        }
        while let Some(id) = self.wake.take_any() {
            set(OID_PM_REMOVE_WOL_PATTERN, &id.to_ne_bytes());
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
        self.receives.load(Ordering::Acquire)
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

    /// The adapter below says that its link has changed.
    pub(crate) fn set_link(&self, link: LinkState) {
        self.state.with(|state| {
            state.link = link;
            state.link_is_told = true;
        });
    }

    /// Asks the adapter below for its link: nobody told of a change between the bind parameters and the
    /// open. What it has indicated since is newer than the answer.
    pub(crate) fn learn_link(&self, handle: BindingHandle<Self>, at: Passive<'_>) {
        let mut answer = [0; LINK_STATE_LENGTH];
        let link = handle
            .query(link::OID, &mut answer, at)
            .ok()
            .and_then(|length| LinkState::read(answer.get(..length)?));
        if let Some(link) = link {
            self.state.with(|state| {
                if !state.link_is_told {
                    state.link = link;
                }
            });
        }
    }
}

/// Bytes of an `NDIS_LINK_STATE`, and of what a later revision may add.
const LINK_STATE_LENGTH: usize = 64;

impl Member for Binding {
    fn is_gone(&self) -> bool {
        self.state.with(|state| state.lifecycle.state()) == LifecycleState::Closed
    }
}
