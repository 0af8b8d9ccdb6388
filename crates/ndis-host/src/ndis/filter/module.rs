//! A filter module: one filter driver over one adapter.
//!
//! Each call here makes one transition of filter-module-states-and-operations.md. A module is in the
//! adapter's stack from the end of a successful attach until its detach begins; its handle is alive
//! from the beginning of `FilterAttach` to the end of `FilterDetach`.
//!
//! Not in here: the transitions (`lifecycle`), in which order modules go through their states (`pnp`, `attach`), and what passes
//! through them.

use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::time::Duration;

use ndis_sys::{
    NDIS_FILTER_ATTRIBUTES, NDIS_FILTER_ATTRIBUTES_REVISION_1, NDIS_HANDLE,
    NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES, NDIS_PAUSE_FILTER_RESTART_STACK,
    NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1, NDIS_STATUS, NDIS_STATUS_PENDING,
    NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS, NET_LUID_LH,
};

use super::driver::FilterDriver;
use super::options::DataHandlers;
use crate::call;
use crate::ndis::adapter::{Adapter, luid_of};
use crate::ndis::device::{self, FilterKind};
use crate::ndis::driver::run_status;
use crate::ndis::faults::should_fail;
use crate::ndis::nbl::owner;
use crate::ndis::object::{self, Kind, Object, handle_of, resolve};
use crate::ndis::{caller, header, interface, oid, pnp, resources, trace};
use crate::nt::sched::{self, Monitor};
use crate::rules::{self, Rule};

/// Where a filter module is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterState {
    /// Before `FilterAttach` and after `FilterDetach`.
    Detached,
    /// In `FilterAttach`.
    Attaching,
    /// Attached, without traffic.
    Paused,
    /// From `FilterRestart` until it is complete.
    Restarting,
    /// With traffic.
    Running,
    /// From `FilterPause` until it is complete.
    Pausing,
}

/// A filter module.
pub(crate) struct Module {
    driver: &'static FilterDriver,
    adapter: &'static Adapter,
    configured: device::Filter,
    name: String,
    index: u32,
    context: AtomicPtr<c_void>,
    inner: Monitor<Inner>,
    data: Monitor<DataHandlers>,
    /// Requests that it made and that were not answered.
    pub(crate) requests: AtomicUsize,
    /// The OID requests that pass it.
    pub(crate) oids: oid::Queue,
}

struct Inner {
    state: FilterState,
    /// What a pending pause or restart was completed with.
    completed: Option<NDIS_STATUS>,
    /// `NdisFSetAttributes` was called.
    attributes: bool,
    /// In the stack: its functions may be called.
    open: bool,
    /// In `FilterSetModuleOptions`.
    options: bool,
    /// Calls of its functions that have not returned.
    busy: usize,
    /// Calls of its functions so far.
    calls: u64,
}

impl Object for Module {
    const KIND: Kind = Kind::FilterModule;
}

impl PartialEq for Module {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "filter module {}", self.name)
    }
}

impl Module {
    pub(crate) fn driver(&self) -> &'static FilterDriver {
        self.driver
    }

    pub(crate) fn adapter(&self) -> &'static Adapter {
        self.adapter
    }

    /// How the system is configured to use it.
    pub(crate) fn configured(&self) -> &device::Filter {
        &self.configured
    }

    /// Whether it may only watch.
    pub(crate) fn is_monitoring(&self) -> bool {
        self.configured.kind == FilterKind::Monitoring
    }

    /// `service on adapter`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its interface index.
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// Its interface's name.
    pub(crate) fn luid(&self) -> NET_LUID_LH {
        luid_of(self.index)
    }

    /// What its driver calls it.
    pub(crate) fn context(&self) -> NDIS_HANDLE {
        self.context.load(Ordering::Acquire)
    }

    pub(crate) fn state(&self) -> FilterState {
        self.inner.lock().state
    }

    /// Whether it has its context.
    pub(super) fn has_attributes(&self) -> bool {
        self.inner.lock().attributes
    }

    /// The data path functions that are in force for it.
    pub(crate) fn data(&self) -> DataHandlers {
        *self.data.lock()
    }

    /// Starts a call of one of its functions, unless it is not in the stack. It is not detached while
    /// the answer lives.
    pub(crate) fn enter(&self) -> Option<Busy<'_>> {
        let mut inner = self.inner.lock();
        if !inner.open {
            return None;
        }
        inner.busy += 1;
        inner.calls += 1;
        Some(Busy(self))
    }

    /// As [`Module::enter`], for what it must get before it is detached: NBLs and answers of its own.
    pub(crate) fn enter_owed(&self) -> Busy<'_> {
        let mut inner = self.inner.lock();
        inner.busy += 1;
        inner.calls += 1;
        Busy(self)
    }

    /// A module that is attaching; its handle is alive.
    pub(super) fn new(
        driver: &'static FilterDriver,
        adapter: &'static Adapter,
        configured: device::Filter,
    ) -> &'static Self {
        let name = format!("{} on {}", driver.caller().name, adapter.name());
        let _party = caller::enter(driver.caller());
        let module = object::fresh(Self {
            driver,
            adapter,
            configured,
            name: name.clone(),
            index: interface::next_index(),
            context: AtomicPtr::default(),
            inner: Monitor::new(Inner {
                state: FilterState::Attaching,
                completed: None,
                attributes: false,
                open: false,
                options: false,
                busy: 0,
                calls: 0,
            }),
            data: Monitor::new(DataHandlers::of(driver.handlers())),
            requests: AtomicUsize::new(0),
            oids: oid::Queue::default(),
        });
        object::publish(module, format!("filter module {name}"))
    }

    /// Its functions may be called from now on.
    pub(super) fn set_open(&self) {
        self.inner.lock().open = true;
    }

    /// None of its functions is called from now on, and none runs.
    pub(super) fn close(&self) {
        self.inner.lock().open = false;
        self.inner
            .wait_until(None, |inner| (inner.busy == 0).then_some(()));
    }

    /// Whether the transition that is going on was completed already.
    pub(super) fn is_completed(&self) -> bool {
        self.inner.lock().completed.is_some()
    }

    /// Lets it choose its data path functions, before any module of the stack restarts.
    pub(crate) fn set_options(&'static self) -> NDIS_STATUS {
        let Some(handler) = self.driver.handlers().SetFilterModuleOptionsHandler else {
            return NDIS_STATUS_SUCCESS;
        };
        self.inner.lock().options = true;
        let context = self.context();
        let caller = self.driver.caller();
        let status = run_status(caller, "FilterSetModuleOptions", &self.name, || {
            // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the context that it
            // set for this module.
            unsafe { handler(context) }
        });
        self.inner.lock().options = false;
        status
    }

    /// Puts other data path functions in force, within `FilterSetModuleOptions`.
    pub(super) fn set_data(&'static self, handlers: DataHandlers, function: &str) {
        if !self.inner.lock().options {
            self.broken(&format!("{function} outside of FilterSetModuleOptions"));
        }
        *self.data.lock() = handlers;
    }

    /// Interface index and name of what stands just below.
    pub(super) fn lower(&'static self) -> (u32, NET_LUID_LH) {
        match self.adapter.filters.below(Some(self), |_| true) {
            Some(lower) => (lower.index, lower.luid()),
            // While it attaches it is not in the stack yet: what is below then is the top.
            None if self.state() == FilterState::Attaching => match self.adapter.filters.top() {
                Some(top) => (top.index, top.luid()),
                None => (self.adapter.index(), self.adapter.luid()),
            },
            None => (self.adapter.index(), self.adapter.luid()),
        }
    }

    /// Ends the run unless the module is in one of `states`; `what` was done to it.
    pub(crate) fn require_state(&self, states: &[FilterState], what: &str) {
        let state = self.state();
        if !states.contains(&state) {
            self.broken(&format!(
                "{what} in state {state:?}; it is allowed in {states:?}"
            ));
        }
    }

    /// Ends the run unless the module is attached, and not on its way in or out; `what` was done to it.
    pub(crate) fn require_attached(&self, what: &str) {
        self.require_state(
            &[
                FilterState::Paused,
                FilterState::Restarting,
                FilterState::Running,
                FilterState::Pausing,
            ],
            what,
        );
    }

    /// Ends the run for a broken state rule.
    pub(crate) fn broken(&self, what: &str) -> ! {
        rules::broken(
            &rules::FILTER_MODULE_STATE,
            format_args!("filter module {}: {what}", self.name),
        )
    }

    /// What a completed pause promises.
    pub(super) fn require_quiet(&'static self, when: &str) {
        let originated = owner::originated_by(self);
        if !originated.is_empty() {
            self.broken(&format!(
                "{when} with NBLs of its own on their way:\n{}",
                originated.join("\n")
            ));
        }
        // What is passing through it just now is not kept: look while none of its functions runs. What
        // is on its way back to one of them is the module's already, so look for a while.
        let mut kept = Vec::new();
        for _ in 0..QUIET_LOOKS {
            let before = self.idle_calls();
            let now = owner::held_by_filter(self);
            if before.is_none() || self.idle_calls() != before {
                continue;
            }
            if now.is_empty() {
                return;
            }
            kept = now;
            sched::sleep(BETWEEN_LOOKS);
        }
        if !kept.is_empty() {
            self.broken(&format!(
                "{when} with NBLs of others that it keeps:\n{}",
                kept.join("\n")
            ));
        }
    }

    /// How often its functions were called so far, once none runs, if that is soon.
    fn idle_calls(&self) -> Option<u64> {
        self.inner.wait_until(Some(QUIET_LOOK), |inner| {
            (inner.busy == 0).then_some(inner.calls)
        })
    }

    /// What the end of a module promises.
    pub(super) fn require_nothing_out(&'static self, when: &str) {
        let out = owner::through_filter(self);
        if !out.is_empty() {
            rules::broken(
                &rules::NDIS_BUGCHECK_LEAKED_NBL,
                format_args!("{when}: filter module {}:\n{}", self.name, out.join("\n")),
            );
        }
        let requests = self.requests.load(Ordering::SeqCst);
        if requests != 0 {
            self.broken(&format!("{when} with {requests} OID requests outstanding"));
        }
    }

    fn complete(&self, during: FilterState, status: NDIS_STATUS, function: &str) {
        let mut inner = self.inner.lock();
        if inner.state != during || inner.completed.is_some() || status == NDIS_STATUS_PENDING {
            let state = inner.state;
            drop(inner);
            let rule = match during {
                FilterState::Pausing => &rules::NDIS_FILTER_TIMED_PAUSE_COMPLETE,
                _ => &rules::FILTER_MODULE_STATE,
            };
            rules::broken(
                rule,
                format_args!(
                    "{function} with {status:#x}: filter module {} is {state:?}, or it was completed \
                     already",
                    self.name
                ),
            );
        }
        inner.completed = Some(status);
        drop(inner);
        self.inner.notify_all();
    }

    /// Waits for the end of what pends, at most for `limit`.
    pub(super) fn wait_completed(
        &self,
        rule: &'static Rule,
        limit: Duration,
        what: &str,
    ) -> NDIS_STATUS {
        let status = self
            .inner
            .wait_until(Some(limit), |inner| inner.completed.take());
        status.unwrap_or_else(|| {
            rules::broken(
                rule,
                format_args!(
                    "{what} of {} is pending for {} s; NBLs on their way:\n{}",
                    self.name,
                    limit.as_secs(),
                    owner::outstanding().join("\n")
                ),
            )
        })
    }

    /// Makes a transition.
    pub(super) fn go(&self, from: FilterState, to: FilterState) {
        let mut inner = self.inner.lock();
        if inner.state != from {
            let state = inner.state;
            drop(inner);
            self.broken(&format!(
                "should go from {from:?} to {to:?} but is {state:?}"
            ));
        }
        inner.state = to;
        inner.completed = None;
        drop(inner);
        self.inner.notify_all();
    }

    /// The module is detached: its handle is dead, and nothing that was allocated with it is left.
    pub(super) fn ended(&'static self, function: &str) {
        resources::require_none_of(handle_of(self), function);
        object::retire(self);
    }
}

crate::ddi! { "ndis.sys":
    /// Gives a module its context, in `FilterAttach`.
    [PASSIVE..=PASSIVE] fn NdisFSetAttributes(
        NdisFilterHandle: NDIS_HANDLE,
        FilterModuleContext: NDIS_HANDLE,
        FilterAttributes: *mut NDIS_FILTER_ATTRIBUTES,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisFSetAttributes";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let mut record = trace::call(NAME, &module.name);
        module.require_state(&[FilterState::Attaching], NAME);
        // SAFETY: the document makes it a pointer to the caller's attributes.
        let head = unsafe { (*FilterAttributes).Header };
        header::require(
            &head,
            NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES,
            &[(NDIS_FILTER_ATTRIBUTES_REVISION_1, NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1)],
            NAME,
        );
        if should_fail(NAME) {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        module.context.store(FilterModuleContext, Ordering::Release);
        module.inner.lock().attributes = true;
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Completes a pending `FilterPause`.
    [PASSIVE..=DISPATCH] fn NdisFPauseComplete(NdisFilterHandle: NDIS_HANDLE) {
        const NAME: &str = "NdisFPauseComplete";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let _record = trace::call(NAME, &module.name);
        module.require_quiet("NdisFPauseComplete was called");
        module.complete(FilterState::Pausing, NDIS_STATUS_SUCCESS, NAME);
    }

    /// Completes a pending `FilterRestart`.
    [PASSIVE..=PASSIVE] fn NdisFRestartComplete(NdisFilterHandle: NDIS_HANDLE, Status: NDIS_STATUS) {
        const NAME: &str = "NdisFRestartComplete";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let mut record = trace::call(NAME, &module.name);
        record.returns(Status);
        module.complete(FilterState::Restarting, Status, NAME);
    }

    /// Pauses and restarts the stack of a module, soon.
    [PASSIVE..=DISPATCH] fn NdisFRestartFilter(NdisFilterHandle: NDIS_HANDLE) -> NDIS_STATUS {
        const NAME: &str = "NdisFRestartFilter";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let mut record = trace::call(NAME, &module.name);
        if should_fail(NAME) {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        let adapter = module.adapter;
        pnp::job("PnP filter restart", move || {
            let _operation = adapter.begin_pnp();
            if module.state() != FilterState::Detached {
                pnp::pause_stack(adapter, NDIS_PAUSE_FILTER_RESTART_STACK);
                pnp::restart_stack(adapter);
            }
        });
        record.returns(NDIS_STATUS_SUCCESS)
    }
}

/// A call of a module's function that has not returned.
pub(crate) struct Busy<'a>(&'a Module);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.inner.lock().busy -= 1;
        self.0.inner.notify_all();
    }
}

/// The functions of a driver that this thread is in: for rules on what is called inside of what.
pub(super) fn is_inside(callback: &str) -> bool {
    call::frames().iter().any(|frame| frame.name == callback)
}

/// How often a completed pause is looked at, until a look falls between calls.
const QUIET_LOOKS: usize = 64;

/// How long each look waits for the calls that run; the pause may be completed inside one of them.
const QUIET_LOOK: Duration = Duration::from_millis(1);
/// Between two looks that found something.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);
