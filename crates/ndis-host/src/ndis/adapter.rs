//! Miniport adapters: their state, their attributes, and the calls of their driver.
//!
//! An adapter is the same thing whether its driver is an image or a built-in part, and whether it is
//! a NIC or an intermediate driver's virtual miniport. Its states are those of
//! miniport-adapter-states-and-operations.md; each call here makes one transition.
//!
//! Not in here: in which order adapters and bindings go through their states (`pnp`), and the data
//! path.

mod busy;
mod snapshot;

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use ndis_sys::{
    NDIS_HALT_ACTION, NDIS_HANDLE, NDIS_MINIPORT_INIT_PARAMETERS,
    NDIS_MINIPORT_INIT_PARAMETERS_REVISION_1, NDIS_MINIPORT_PAUSE_PARAMETERS,
    NDIS_MINIPORT_PAUSE_PARAMETERS_REVISION_1, NDIS_MINIPORT_RESTART_PARAMETERS,
    NDIS_MINIPORT_RESTART_PARAMETERS_REVISION_1, NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT,
    NDIS_OBJECT_TYPE_MINIPORT_INIT_PARAMETERS, NDIS_SHUTDOWN_ACTION,
    NDIS_SIZEOF_MINIPORT_INIT_PARAMETER_REVISION_1,
    NDIS_SIZEOF_MINIPORT_PAUSE_PARAMETERS_REVISION_1,
    NDIS_SIZEOF_MINIPORT_RESTART_PARAMETERS_REVISION_1, NDIS_STATUS, NDIS_STATUS_PENDING,
    NDIS_STATUS_SUCCESS, NET_LUID_LH,
};

use super::attributes::Attributes;
use super::binding::Binding;
use super::driver::{MiniportDriver, run, run_status};
use super::filter::{Layer, Stack};
use super::im::Instance;
use super::nbl::owner;
use super::nbl::snapshot::Way;
use super::object::{self, Kind, Object, handle_of, resolve};
use super::restart::RestartAttributes;
use super::{
    caller, interface, oid, port, power, reset, resources, shared_memory, trace, watchdog,
};
use crate::nt::sched::Monitor;
use crate::rules;

/// Where an adapter is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdapterState {
    /// Before `MiniportInitializeEx` and after `MiniportHaltEx`.
    Halted,
    /// In `MiniportInitializeEx`.
    Initializing,
    /// Initialized, without traffic.
    Paused,
    /// From `MiniportRestart` until it is complete.
    Restarting,
    /// With traffic.
    Running,
    /// From `MiniportPause` until it is complete.
    Pausing,
    /// After `MiniportShutdownEx`.
    Shutdown,
}

impl AdapterState {
    /// All of them, in order.
    const ALL: [Self; 7] = [
        Self::Halted,
        Self::Initializing,
        Self::Paused,
        Self::Restarting,
        Self::Running,
        Self::Pausing,
        Self::Shutdown,
    ];
}

/// A miniport adapter.
pub(crate) struct Adapter {
    name: String,
    driver: &'static MiniportDriver,
    instance: Option<&'static Instance>,
    index: u32,
    context: AtomicPtr<c_void>,
    inner: Monitor<Inner>,
    /// The state that `inner` has, for the data path, which takes no lock.
    state: AtomicU8,
    /// The address that the attributes in `inner` have, likewise.
    mac: AtomicU64,
    /// Its bindings that are open.
    bindings: ArcSwap<Vec<&'static Binding>>,
    /// The thread that does a PnP operation on it.
    pnp: Monitor<Option<u64>>,
    /// Indications that have not returned.
    indicating: AtomicUsize,
    /// Completions of sends.
    completed: AtomicU32,
    /// Its OID requests.
    pub(crate) oids: oid::Queue,
    /// Whether it is awake.
    pub(crate) power: power::State,
    /// The filter modules above it.
    pub(crate) filters: Stack,
}

struct Inner {
    state: AdapterState,
    /// What a pending pause or restart was completed with.
    completed: Option<NDIS_STATUS>,
    attributes: Attributes,
}

impl Object for Adapter {
    const KIND: Kind = Kind::Adapter;
}

impl std::fmt::Debug for Adapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "adapter {} of {}", self.name, self.driver.caller().name)
    }
}

impl Adapter {
    /// An adapter that is not yet initialized. `instance`: the request that it answers, for a virtual
    /// miniport.
    pub(crate) fn new(
        name: &str,
        driver: &'static MiniportDriver,
        instance: Option<&'static Instance>,
    ) -> &'static Self {
        let _party = caller::enter(driver.caller());
        object::publish(
            object::fresh(Self {
                name: name.to_owned(),
                driver,
                instance,
                index: interface::next_index(),
                context: AtomicPtr::default(),
                inner: Monitor::new(Inner {
                    state: AdapterState::Halted,
                    completed: None,
                    attributes: Attributes::default(),
                }),
                state: AtomicU8::new(AdapterState::Halted as u8),
                mac: AtomicU64::new(0),
                bindings: ArcSwap::default(),
                pnp: Monitor::new(None),
                indicating: AtomicUsize::new(0),
                completed: AtomicU32::new(0),
                oids: oid::Queue::default(),
                power: power::State::default(),
                filters: Stack::default(),
            }),
            format!("adapter {name}"),
        )
    }

    /// Its device name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its driver.
    pub(crate) fn driver(&self) -> &'static MiniportDriver {
        self.driver
    }

    /// Its interface index.
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// Its interface's name.
    pub(crate) fn luid(&self) -> NET_LUID_LH {
        luid_of(self.index)
    }

    /// Index and name of the highest interface on it, which protocols are bound to: the filter module
    /// at the top, or its own.
    pub(crate) fn bound_interface(&self) -> (u32, NET_LUID_LH) {
        match self.filters.top() {
            Some(top) => (top.index(), top.luid()),
            None => (self.index, self.luid()),
        }
    }

    /// What its driver calls it.
    pub(crate) fn context(&self) -> NDIS_HANDLE {
        self.context.load(Ordering::Acquire)
    }

    /// Its name and how it stands, for reports: nothing if its lock is taken.
    pub(crate) fn glance(&self) -> Option<(String, String)> {
        let inner = self.inner.try_lock()?;
        let mut text = format!(
            "adapter {} of {}: {:?}",
            self.name,
            self.driver.caller().name,
            inner.state
        );
        if let Some(requests) = self.oids.glance() {
            text.push_str(&format!("; {requests}"));
        }
        Some((self.name.clone(), text))
    }

    /// Where it is in its life.
    pub(crate) fn state(&self) -> AdapterState {
        AdapterState::ALL[usize::from(self.state.load(Ordering::SeqCst))]
    }

    /// Sets the context, from the registration attributes.
    pub(crate) fn set_context(&self, context: NDIS_HANDLE) {
        self.context.store(context, Ordering::Release);
    }

    /// Halted to Paused by `MiniportInitializeEx`, or back.
    pub(crate) fn initialize(&'static self) -> Result<(), NDIS_STATUS> {
        self.go(AdapterState::Halted, AdapterState::Initializing);
        self.driver.add_adapter(self);
        let mut parameters = NDIS_MINIPORT_INIT_PARAMETERS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_MINIPORT_INIT_PARAMETERS,
                NDIS_MINIPORT_INIT_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_MINIPORT_INIT_PARAMETER_REVISION_1,
            ),
            IMDeviceInstanceContext: self.instance.map_or(ptr::null_mut(), Instance::context),
            IfIndex: self.index,
            NetLuid: self.luid(),
            ..NDIS_MINIPORT_INIT_PARAMETERS::zeroed()
        };
        let handler = self.driver.handlers().InitializeHandlerEx;
        let handler = handler.expect("registration requires it");
        let context = self.driver.context();
        let status = run_status(
            self.driver.caller(),
            "MiniportInitializeEx",
            &self.name,
            || {
                // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with its own context and
                // parameters that outlive the call.
                unsafe { handler(handle_of(self), context, &raw mut parameters) }
            },
        );
        shared_memory::require_logged(self);
        if status == NDIS_STATUS_SUCCESS {
            if self.driver.handlers().CheckForHangHandlerEx.is_some() {
                reset::watch();
            }
            if !self.with_attributes(|attributes| attributes.complete()) {
                self.broken(
                    "MiniportInitializeEx succeeded without registration and general attributes",
                );
            }
            self.go(AdapterState::Initializing, AdapterState::Paused);
            return Ok(());
        }
        if status == NDIS_STATUS_PENDING {
            self.broken("MiniportInitializeEx returned NDIS_STATUS_PENDING");
        }
        self.go(AdapterState::Initializing, AdapterState::Halted);
        self.ended("MiniportInitializeEx");
        Err(status)
    }

    /// Paused to Halted by `MiniportHaltEx`.
    pub(crate) fn halt(&'static self, action: NDIS_HALT_ACTION) {
        self.oids.drain(Layer::Adapter(self));
        oid::direct::drain(Layer::Adapter(self));
        self.go(AdapterState::Paused, AdapterState::Halted);
        let handler = self.driver.handlers().HaltHandlerEx;
        let handler = handler.expect("registration requires it");
        let context = self.context();
        let rule = &rules::NDIS_BUGCHECK_WATCHDOG_MINIPORT_HALT;
        let limit = watchdog::limit(rule, &format!("MiniportHaltEx of {}", self.name));
        run(self.driver.caller(), "MiniportHaltEx", &self.name, || {
            // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the context that it
            // set for this adapter.
            unsafe { handler(context, action) };
        });
        drop(limit);
        self.ended("MiniportHaltEx");
    }

    /// Halted to Paused again, with what is bound to it, after a halt for low power.
    pub(crate) fn initialize_again(&'static self) -> Result<(), NDIS_STATUS> {
        let _party = caller::enter(self.driver.caller());
        object::publish(self, format!("adapter {}", self.name));
        self.with_attributes(|attributes| *attributes = Attributes::default());
        self.initialize()
    }

    /// Any state but Halted to Shutdown by `MiniportShutdownEx`, for good.
    pub(crate) fn shut_down(&'static self, action: NDIS_SHUTDOWN_ACTION) {
        {
            let mut inner = self.inner.lock();
            if matches!(
                inner.state,
                AdapterState::Halted | AdapterState::Initializing
            ) {
                return;
            }
            inner.state = AdapterState::Shutdown;
            self.state.store(inner.state as u8, Ordering::SeqCst);
        }
        self.inner.notify_all();
        let handler = self.driver.handlers().ShutdownHandlerEx;
        let handler = handler.expect("registration requires it");
        let context = self.context();
        run(
            self.driver.caller(),
            "MiniportShutdownEx",
            &self.name,
            || {
                // SAFETY: the driver's registered function, at PASSIVE_LEVEL for a power off, with the
                // context that it set for this adapter.
                unsafe { handler(context, action) };
            },
        );
    }

    /// Running to Paused by `MiniportPause`.
    pub(crate) fn pause(&'static self, reason: u32) {
        self.go(AdapterState::Running, AdapterState::Pausing);
        let mut parameters = NDIS_MINIPORT_PAUSE_PARAMETERS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_DEFAULT,
                NDIS_MINIPORT_PAUSE_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_MINIPORT_PAUSE_PARAMETERS_REVISION_1,
            ),
            Flags: 0,
            PauseReason: reason,
        };
        let handler = self.driver.handlers().PauseHandler;
        let handler = handler.expect("registration requires it");
        let context = self.context();
        let rule = &rules::NDIS_BUGCHECK_WATCHDOG_MINIPORT_PAUSE;
        let limit = watchdog::limit(rule, &format!("MiniportPause of {}", self.name));
        let status = run_status(self.driver.caller(), "MiniportPause", &self.name, || {
            // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the context that it
            // set for this adapter and parameters that outlive the call.
            unsafe { handler(context, &raw mut parameters) }
        });
        drop(limit);
        match status {
            NDIS_STATUS_PENDING => {
                self.wait_completed(
                    &rules::NDIS_BUGCHECK_WATCHDOG_MINIPORT_PAUSE,
                    "MiniportPause",
                );
            }
            NDIS_STATUS_SUCCESS => self.require_quiet("MiniportPause returned"),
            other => rules::broken(
                &rules::MINIPORT_PAUSE_RETURN,
                format_args!("MiniportPause of {} returned {other:#x}", self.name),
            ),
        }
        rules::held(&rules::MINIPORT_PAUSE_RETURN);
        self.go(AdapterState::Pausing, AdapterState::Paused);
    }

    /// Paused to Running by `MiniportRestart`, or back.
    pub(crate) fn restart(
        &'static self,
        attributes: &mut RestartAttributes,
    ) -> Result<(), NDIS_STATUS> {
        self.go(AdapterState::Paused, AdapterState::Restarting);
        let mut parameters = NDIS_MINIPORT_RESTART_PARAMETERS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_DEFAULT,
                NDIS_MINIPORT_RESTART_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_MINIPORT_RESTART_PARAMETERS_REVISION_1,
            ),
            RestartAttributes: attributes.as_ptr(),
            Flags: 0,
        };
        let handler = self.driver.handlers().RestartHandler;
        let handler = handler.expect("registration requires it");
        let context = self.context();
        let mut status = run_status(self.driver.caller(), "MiniportRestart", &self.name, || {
            // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the context that it
            // set for this adapter and parameters that outlive the operation.
            unsafe { handler(context, &raw mut parameters) }
        });
        if status == NDIS_STATUS_PENDING {
            status = self.wait_completed(
                &rules::NDIS_BUGCHECK_ILLEGAL_MINIPORT_STATE_TRANSITION,
                "MiniportRestart",
            );
        }
        let next = if status == NDIS_STATUS_SUCCESS {
            AdapterState::Running
        } else {
            AdapterState::Paused
        };
        self.go(AdapterState::Restarting, next);
        if status == NDIS_STATUS_SUCCESS {
            Ok(())
        } else {
            Err(status)
        }
    }

    /// Ends the run unless the adapter is in one of `states`; `what` was done to it.
    pub(crate) fn require_state(&self, states: &[AdapterState], what: &str) {
        let state = self.state();
        if !states.contains(&state) {
            self.broken(&format!(
                "{what} in state {state:?}; it is allowed in {states:?}"
            ));
        }
        rules::held(&rules::MINIPORT_ADAPTER_STATE);
    }

    /// Ends the run for a broken state rule.
    pub(crate) fn broken(&self, what: &str) -> ! {
        rules::broken(
            &rules::MINIPORT_ADAPTER_STATE,
            format_args!("adapter {}: {what}", self.name),
        )
    }

    fn complete(&self, during: AdapterState, status: NDIS_STATUS, function: &str) {
        if status == NDIS_STATUS_PENDING {
            self.broken(&format!("{function} with NDIS_STATUS_PENDING"));
        }
        let mut inner = self.inner.lock();
        if inner.state != during || inner.completed.is_some() {
            let state = inner.state;
            drop(inner);
            rules::broken(
                &rules::NDIS_BUGCHECK_ILLEGAL_MINIPORT_STATE_TRANSITION,
                format_args!(
                    "{function}: adapter {} is {state:?}, or it was completed already",
                    self.name
                ),
            );
        }
        rules::held(&rules::NDIS_BUGCHECK_ILLEGAL_MINIPORT_STATE_TRANSITION);
        inner.completed = Some(status);
        drop(inner);
        self.inner.notify_all();
    }

    fn go(&self, from: AdapterState, to: AdapterState) {
        let mut inner = self.inner.lock();
        if inner.state != from {
            let state = inner.state;
            drop(inner);
            self.broken(&format!(
                "should go from {from:?} to {to:?} but is {state:?}"
            ));
        }
        inner.state = to;
        self.state.store(to as u8, Ordering::SeqCst);
        inner.completed = None;
        drop(inner);
        rules::held(&rules::MINIPORT_ADAPTER_STATE);
        self.inner.notify_all();
    }

    /// The adapter is halted: its handle is dead, and nothing that was allocated with it is left.
    fn ended(&'static self, function: &str) {
        resources::require_none_of(handle_of(self), function);
        port::require_none_of(self, function);
        self.driver.remove_adapter(self);
        object::retire(self);
    }
}

crate::ddi! { "ndis.sys":
    /// Completes a pending `MiniportPause`.
    [PASSIVE..=DISPATCH] fn NdisMPauseComplete(NdisMiniportHandle: NDIS_HANDLE) {
        let adapter = resolve::<Adapter>(NdisMiniportHandle, "NdisMPauseComplete");
        let _record = trace::call("NdisMPauseComplete", &adapter.name);
        adapter.require_quiet("NdisMPauseComplete was called");
        adapter.complete(AdapterState::Pausing, NDIS_STATUS_SUCCESS, "NdisMPauseComplete");
    }

    /// Completes a pending `MiniportRestart`.
    [PASSIVE..=DISPATCH] fn NdisMRestartComplete(
        NdisMiniportHandle: NDIS_HANDLE,
        Status: NDIS_STATUS,
    ) {
        let adapter = resolve::<Adapter>(NdisMiniportHandle, "NdisMRestartComplete");
        let mut record = trace::call("NdisMRestartComplete", &adapter.name);
        record.returns(Status);
        adapter.complete(AdapterState::Restarting, Status, "NdisMRestartComplete");
    }
}

/// The name of the interface with that index.
pub(crate) fn luid_of(index: u32) -> NET_LUID_LH {
    let mut luid = NET_LUID_LH::zeroed();
    luid.set_NetLuidIndex(u64::from(index));
    luid.set_IfType(6);
    luid
}
