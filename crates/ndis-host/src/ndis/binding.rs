//! Bindings: a protocol driver's open adapters, their state and their driver's calls.
//!
//! A binding begins with `ProtocolBindAdapterEx` and ends when the unbind is complete; its handle is
//! alive from the end of a successful `NdisOpenAdapterEx` to `NdisCloseAdapterEx`. The states are those of
//! protocol-binding-states-and-operations.md.
//!
//! Not in here: opening and closing (`open`), events (`event`), the order of things (`pnp`), data.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use ndis_sys::{
    NDIS_HANDLE, NDIS_STATUS, NDIS_STATUS_CLOSING, NDIS_STATUS_PENDING, NDIS_STATUS_SUCCESS,
};

use super::adapter::Adapter;
use super::bind_parameters::BindParameters;
use super::driver::{ProtocolDriver, run_status};
use super::ethernet::EthernetFilter;
use super::nbl::owner;
use super::nbl::snapshot::Way;
use super::object::{self, Kind, Object, handle_of, resolve};
use super::oid::wake::Wishes;
use super::{policy, trace, watchdog};
use crate::nt::sched::Monitor;
use crate::rules;

/// Where a binding is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingState {
    /// Before binding and after unbinding.
    Unbound,
    /// From `ProtocolBindAdapterEx` until it is complete.
    Opening,
    /// Open, without traffic.
    Paused,
    /// While `NetEventRestart` is handled.
    Restarting,
    /// With traffic.
    Running,
    /// While `NetEventPause` is handled.
    Pausing,
    /// From `ProtocolUnbindAdapterEx` until it is complete.
    Closing,
}

impl BindingState {
    /// All of them, in order.
    const ALL: [Self; 7] = [
        Self::Unbound,
        Self::Opening,
        Self::Paused,
        Self::Restarting,
        Self::Running,
        Self::Pausing,
        Self::Closing,
    ];
}

/// How long the end of a restart may take.
const RESTART: Duration = Duration::from_secs(5);

/// Whether the adapter is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    No,
    Opening,
    Yes,
    Closing,
}

/// A binding of a protocol driver to an adapter.
pub(crate) struct Binding {
    protocol: &'static ProtocolDriver,
    adapter: &'static Adapter,
    name: String,
    context: AtomicPtr<c_void>,
    inner: Monitor<Inner>,
    /// The state that `inner` has, for the data path, which takes no lock.
    state: AtomicU8,
    /// Whether `inner` has it open, likewise.
    is_open: AtomicBool,
    /// What it wants to receive.
    filter: ArcSwap<EthernetFilter>,
    /// Callbacks that use the binding's context and have not returned.
    busy: AtomicUsize,
    /// OID requests that were not answered yet.
    pub(crate) requests: AtomicUsize,
    /// The look-ahead that it set.
    pub(crate) lookahead: AtomicU32,
    /// What it wants the adapter to wake for.
    pub(crate) wake: Wishes,
}

struct Inner {
    state: BindingState,
    open: Open,
    /// What a pending bind or unbind was completed with.
    completed: Option<NDIS_STATUS>,
}

/// The handle that `ProtocolBindAdapterEx` gets.
pub(crate) struct BindContext {
    pub(crate) binding: &'static Binding,
}

/// The handle that `ProtocolUnbindAdapterEx` gets.
pub(crate) struct UnbindContext {
    binding: &'static Binding,
}

impl Object for Binding {
    const KIND: Kind = Kind::Binding;
}

impl Object for BindContext {
    const KIND: Kind = Kind::BindContext;
}

impl Object for UnbindContext {
    const KIND: Kind = Kind::UnbindContext;
}

impl std::fmt::Debug for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "binding {}", self.name)
    }
}

impl Binding {
    pub(crate) fn protocol(&self) -> &'static ProtocolDriver {
        self.protocol
    }

    pub(crate) fn adapter(&self) -> &'static Adapter {
        self.adapter
    }

    /// `protocol on adapter`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What the protocol driver calls it.
    pub(crate) fn context(&self) -> NDIS_HANDLE {
        self.context.load(Ordering::Acquire)
    }

    pub(crate) fn set_context(&self, context: NDIS_HANDLE) {
        self.context.store(context, Ordering::Release);
    }

    /// Its name and how it stands, for reports: nothing if its lock is taken.
    pub(crate) fn glance(&self) -> Option<(String, String)> {
        let inner = self.inner.try_lock()?;
        let (state, open) = (inner.state, inner.open);
        let requests = self.requests.load(Ordering::SeqCst);
        let text = format!(
            "binding {}: {state:?}, open: {open:?}, {requests} requests out",
            self.name
        );
        Some((self.name.clone(), text))
    }

    pub(crate) fn state(&self) -> BindingState {
        BindingState::ALL[usize::from(self.state.load(Ordering::SeqCst))]
    }

    /// Waits until a restart that the protocol has completed is complete for NDIS too.
    pub(crate) fn wait_restarted(&self) {
        let restarted = |inner: &mut Inner| (inner.state != BindingState::Restarting).then_some(());
        let _in_time = self.inner.wait_until(Some(RESTART), restarted);
    }

    pub(crate) fn open_state(&self) -> Open {
        self.inner.lock().open
    }

    pub(crate) fn set_open(&self, open: Open) {
        let mut inner = self.inner.lock();
        inner.open = open;
        self.is_open.store(open == Open::Yes, Ordering::SeqCst);
        drop(inner);
        self.inner.notify_all();
    }

    /// Ends the run if `call` asks something of an adapter of which it was said that it goes to sleep.
    pub(crate) fn require_awake(&self, call: &str) {
        if self.adapter.power.is_announced() {
            self.broken(&format!(
                "{call} after NetEventSetPower said that the adapter goes to sleep"
            ));
        }
    }

    /// What it wants to receive.
    pub(crate) fn filter(&self) -> EthernetFilter {
        EthernetFilter::clone(&self.filter.load())
    }

    /// The same, for the data path.
    pub(crate) fn shared_filter(&self) -> Arc<EthernetFilter> {
        self.filter.load_full()
    }

    pub(crate) fn change_filter(&self, change: impl FnOnce(&mut EthernetFilter)) {
        let _alone = self.inner.lock();
        let mut filter = EthernetFilter::clone(&self.filter.load());
        change(&mut filter);
        self.filter.store(Arc::new(filter));
    }

    /// Starts a callback with the binding's context, unless it is closed. It is not closed for good
    /// while the answer lives.
    pub(crate) fn enter(&self) -> Option<Busy<'_>> {
        // Counted first: who waits for the end of callbacks has closed it before it looks.
        self.busy.fetch_add(1, Ordering::SeqCst);
        let busy = Busy(self);
        self.is_open.load(Ordering::SeqCst).then_some(busy)
    }

    /// Waits until no callback with the binding's context runs any more, now that it is not open.
    pub(crate) fn wait_idle(&self) {
        self.inner.wait_until(None, |_| {
            (self.busy.load(Ordering::SeqCst) == 0).then_some(())
        });
    }

    /// Ends the run unless the binding is in one of `states`; `what` was done to it.
    pub(crate) fn require_state(&self, states: &[BindingState], what: &str) {
        let state = self.state();
        if !states.contains(&state) {
            self.broken(&format!(
                "{what} in state {state:?}; it is allowed in {states:?}"
            ));
        }
        rules::held(&rules::PROTOCOL_BINDING_STATE);
    }

    /// Ends the run for a broken state rule.
    pub(crate) fn broken(&self, what: &str) -> ! {
        rules::broken(
            &rules::PROTOCOL_BINDING_STATE,
            format_args!("binding {}: {what}", self.name),
        )
    }

    pub(crate) fn go(&self, from: BindingState, to: BindingState) {
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
        drop(inner);
        self.inner.notify_all();
    }

    /// Binds `protocol` to `adapter`: Unbound to Paused by `ProtocolBindAdapterEx`, or back.
    pub(crate) fn bind(
        protocol: &'static ProtocolDriver,
        adapter: &'static Adapter,
    ) -> Result<&'static Self, NDIS_STATUS> {
        let name = format!("{} on {}", protocol.name(), adapter.name());
        let binding = object::fresh(Self {
            protocol,
            adapter,
            name: name.clone(),
            context: AtomicPtr::default(),
            inner: Monitor::new(Inner {
                state: BindingState::Opening,
                open: Open::No,
                completed: None,
            }),
            state: AtomicU8::new(BindingState::Opening as u8),
            is_open: AtomicBool::new(false),
            filter: ArcSwap::default(),
            busy: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            lookahead: AtomicU32::new(0),
            wake: Wishes::default(),
        });
        if !protocol.add_binding(binding) {
            return Err(NDIS_STATUS_CLOSING);
        }
        let context = object::publish(
            object::fresh(BindContext { binding }),
            format!("bind context of {name}"),
        );
        let mut parameters = BindParameters::of(protocol, adapter);
        let handler = protocol.handlers().BindAdapterHandlerEx;
        let handler = handler.expect("registration requires it");
        let driver_context = protocol.context();
        let rule = &rules::NDIS_BUGCHECK_WATCHDOG_PROTOCOL_UNBIND;
        let limit = watchdog::limit(rule, &format!("ProtocolBindAdapterEx of {name}"));
        let mut status = run_status(protocol.caller(), "ProtocolBindAdapterEx", &name, || {
            // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with its own context and
            // parameters that outlive the operation.
            unsafe { handler(driver_context, handle_of(context), parameters.as_ptr()) }
        });
        drop(limit);
        if status == NDIS_STATUS_PENDING {
            status = binding.wait_completed("ProtocolBindAdapterEx");
        }
        object::retire(context);
        let open = binding.open_state();
        match (status, open) {
            (NDIS_STATUS_SUCCESS, Open::Yes) => {
                binding.go(BindingState::Opening, BindingState::Paused);
                Ok(binding)
            }
            (NDIS_STATUS_SUCCESS, _) => {
                binding.broken("ProtocolBindAdapterEx succeeded without an open adapter")
            }
            (_, Open::No) => {
                binding.go(BindingState::Opening, BindingState::Unbound);
                protocol.remove_binding(binding);
                Err(status)
            }
            _ => binding.broken(&format!(
                "ProtocolBindAdapterEx failed with {status:#x} and left the adapter open"
            )),
        }
    }

    /// Paused to Unbound by `ProtocolUnbindAdapterEx`.
    pub(crate) fn unbind(&'static self) {
        self.go(BindingState::Paused, BindingState::Closing);
        let context = object::publish(
            object::fresh(UnbindContext { binding: self }),
            format!("unbind context of {}", self.name),
        );
        let handler = self.protocol.handlers().UnbindAdapterHandlerEx;
        let handler = handler.expect("registration requires it");
        let binding_context = self.context();
        let rule = &rules::NDIS_BUGCHECK_WATCHDOG_PROTOCOL_UNBIND;
        let limit = watchdog::limit(rule, &format!("ProtocolUnbindAdapterEx of {}", self.name));
        let mut status = run_status(
            self.protocol.caller(),
            "ProtocolUnbindAdapterEx",
            &self.name,
            || {
                // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the context that
                // it gave this binding.
                unsafe { handler(handle_of(context), binding_context) }
            },
        );
        drop(limit);
        if status == NDIS_STATUS_PENDING {
            status = self.wait_completed("ProtocolUnbindAdapterEx");
        }
        object::retire(context);
        if status != NDIS_STATUS_SUCCESS {
            self.broken(&format!(
                "ProtocolUnbindAdapterEx ended with {status:#x}; it cannot fail"
            ));
        }
        let left = match self.open_state() {
            Open::No => None,
            Open::Opening => Some("is still being opened"),
            Open::Yes => Some("is still open: NdisCloseAdapterEx was not called"),
            Open::Closing => Some("is still being closed: NdisCloseAdapterEx is not complete"),
        };
        if let Some(left) = left {
            self.broken(&format!("the unbind ended, but the adapter {left}"));
        }
        self.go(BindingState::Closing, BindingState::Unbound);
        self.protocol.remove_binding(self);
    }

    /// What the driver must have got back before it closes.
    pub(crate) fn require_quiet(&'static self, function: &str) {
        let sent = owner::of_binding(self, Way::Down);
        let received = owner::of_binding(self, Way::Up);
        if sent + received != 0 {
            rules::broken(
                &rules::NDIS_BUGCHECK_LEAKED_NBL,
                format_args!(
                    "{function}: binding {}: {sent} sends are not completed, {received} received \
                     NBLs are not returned:\n{}",
                    self.name,
                    owner::outstanding().join("\n")
                ),
            );
        }
        rules::held(&rules::NDIS_BUGCHECK_LEAKED_NBL);
        let requests = self.requests.load(Ordering::SeqCst);
        if requests != 0 {
            self.broken(&format!(
                "{function} with {requests} OID requests outstanding"
            ));
        }
    }

    fn complete(&self, during: BindingState, status: NDIS_STATUS, function: &str) {
        let mut inner = self.inner.lock();
        if inner.state != during || inner.completed.is_some() || status == NDIS_STATUS_PENDING {
            let state = inner.state;
            drop(inner);
            self.broken(&format!(
                "{function} with {status:#x} in state {state:?}, or a second time"
            ));
        }
        inner.completed = Some(status);
        drop(inner);
        self.inner.notify_all();
    }

    fn wait_completed(&self, what: &str) -> NDIS_STATUS {
        let limit = policy::current().watchdog;
        let status = self
            .inner
            .wait_until(Some(limit), |inner| inner.completed.take());
        status.unwrap_or_else(|| {
            rules::broken(
                &rules::NDIS_BUGCHECK_WATCHDOG_PROTOCOL_UNBIND,
                format_args!(
                    "{what} of {} is pending for {} s",
                    self.name,
                    limit.as_secs()
                ),
            )
        })
    }
}

crate::ddi! { "ndis.sys":
    /// Completes a pending `ProtocolBindAdapterEx`.
    [PASSIVE..=DISPATCH] fn NdisCompleteBindAdapterEx(
        BindAdapterContext: NDIS_HANDLE,
        Status: NDIS_STATUS,
    ) {
        let binding = resolve::<BindContext>(BindAdapterContext, "NdisCompleteBindAdapterEx").binding;
        let mut record = trace::call("NdisCompleteBindAdapterEx", &binding.name);
        record.returns(Status);
        binding.complete(BindingState::Opening, Status, "NdisCompleteBindAdapterEx");
    }

    /// Completes a pending `ProtocolUnbindAdapterEx`.
    [PASSIVE..=DISPATCH] fn NdisCompleteUnbindAdapterEx(UnbindAdapterContext: NDIS_HANDLE) {
        let context = resolve::<UnbindContext>(UnbindAdapterContext, "NdisCompleteUnbindAdapterEx");
        let _record = trace::call("NdisCompleteUnbindAdapterEx", &context.binding.name);
        context.binding.complete(
            BindingState::Closing,
            NDIS_STATUS_SUCCESS,
            "NdisCompleteUnbindAdapterEx",
        );
    }
}

/// A callback that uses a binding's context.
pub(crate) struct Busy<'a>(&'a Binding);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let last = self.0.busy.fetch_sub(1, Ordering::SeqCst) == 1;
        // Nobody waits while it is open. Under the lock, so that who does cannot miss it.
        if last && !self.0.is_open.load(Ordering::SeqCst) {
            let _inner = self.0.inner.lock();
            self.0.inner.notify_all();
        }
    }
}

impl PartialEq for Binding {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self, other)
    }
}
