//! The order in which adapters and bindings start and stop.
//!
//! | operation | order (starting-a-driver-stack.md, stopping-a-driver-stack.md) |
//! |---|---|
//! | [`start`] | initialize, attach the filters, bind each protocol, restart the stack |
//! | [`stop`] | pause the stack, unbind each protocol, detach the filters, halt |
//! | [`bind_protocol`] | pause the stack, bind, restart |
//! | [`unbind_protocol`] | pause the stack, unbind, restart what is left |
//! | [`pause_stack`] | the bindings, the filters from the top down, the adapter |
//! | [`restart_stack`] | the adapter, the filters from the bottom up, the bindings |
//!
//! One operation at a time goes on with an adapter; operations on different adapters run in parallel
//! and may nest, as an intermediate driver's do. What NDIS does on its own account runs in jobs
//! ([`job`]) that a test can wait for.
//!
//! Not in here: filters that come and go while the adapter runs (`filter::attach`).

use std::collections::BTreeMap;
use std::time::Duration;

use ndis_sys::{
    NDIS_HALT_ACTION, NDIS_HANDLE, NDIS_PAUSE_BIND_PROTOCOL, NDIS_PAUSE_DETACH_FILTER,
    NDIS_PAUSE_MINIPORT_DEVICE_REMOVE, NDIS_PAUSE_UNBIND_PROTOCOL, NDIS_STATUS,
    NDIS_STATUS_SUCCESS, NdisHaltDeviceSurpriseRemoved, NetEventBindsComplete,
};

use super::adapter::{Adapter, AdapterState};
use super::binding::{Binding, BindingState};
use super::caller::{self, Caller};
use super::device::FilterRun;
use super::driver::{self, ProtocolDriver};
use super::filter::{FilterState, Module, attach};
use super::object::resolve;
use super::restart::RestartAttributes;
use super::{device, device_event, event, power, trace};
use crate::nt::sched::{self, Monitor};
use crate::{call, rules};

/// Brings an adapter up: initializes it, binds the protocols that are configured to bind to it, and
/// lets traffic flow. `initialized` runs between, when `MiniportInitializeEx` has succeeded.
///
/// # Errors
/// What `MiniportInitializeEx` failed with; the adapter is gone then.
pub(crate) fn start(
    adapter: &'static Adapter,
    initialized: impl FnOnce(),
) -> Result<(), NDIS_STATUS> {
    let operation = adapter.begin_pnp();
    adapter.initialize()?;
    ADAPTERS
        .lock()
        .insert(adapter.name().to_ascii_uppercase(), adapter);
    initialized();
    device_event::power_profile(adapter);
    attach::attach_all(adapter);
    let bound = bind_all(adapter);
    restart_stack(adapter);
    drop(operation);
    binds_complete(&bound);
    Ok(())
}

/// Binds the protocols that are configured for an adapter and not bound to it; none, if a filter is
/// missing that the stack must have.
pub(crate) fn bind_all(adapter: &'static Adapter) -> Vec<&'static ProtocolDriver> {
    let mut bound = Vec::new();
    if !attach::is_complete(adapter) {
        return bound;
    }
    for protocol in driver::protocols() {
        let wanted = is_configured(protocol, adapter) && !is_bound(protocol, adapter);
        if wanted && Binding::bind(protocol, adapter).is_ok() {
            bound.push(protocol);
        }
    }
    bound
}

/// Unbinds all protocols from an adapter, whose stack is paused.
pub(crate) fn unbind_all(adapter: &'static Adapter) {
    for binding in adapter.bindings().iter() {
        binding.unbind();
    }
}

/// Tells protocols that their binds are made.
pub(crate) fn binds_complete(protocols: &[&'static ProtocolDriver]) {
    for &protocol in protocols {
        event::notify_driver(protocol, NetEventBindsComplete);
    }
}

/// Takes an adapter down and halts it, unless it is halted already.
pub(crate) fn stop(adapter: &'static Adapter, action: NDIS_HALT_ACTION) {
    let _operation = adapter.begin_pnp();
    if power::ensure_awake(adapter).is_err() || adapter.state() == AdapterState::Halted {
        return;
    }
    if action == NdisHaltDeviceSurpriseRemoved {
        device_event::surprise_removed(adapter);
    }
    pause_stack(adapter, NDIS_PAUSE_MINIPORT_DEVICE_REMOVE);
    unbind_all(adapter);
    for module in adapter.filters.modules().iter().rev() {
        attach::detach(module);
    }
    forget(adapter);
    adapter.halt(action);
}

/// An adapter is not there any more.
pub(crate) fn forget(adapter: &'static Adapter) {
    ADAPTERS.lock().remove(&adapter.name().to_ascii_uppercase());
}

/// Binds a protocol to all adapters that it is configured for and not bound to.
pub(crate) fn bind_protocol(protocol: &'static ProtocolDriver) {
    let registered = driver::protocols();
    if !registered
        .iter()
        .any(|other| std::ptr::eq(*other, protocol))
    {
        return;
    }
    let mut bound = false;
    for adapter in adapters() {
        if !is_configured(protocol, adapter) {
            continue;
        }
        let _operation = adapter.begin_pnp();
        let usable = !matches!(
            adapter.state(),
            AdapterState::Halted | AdapterState::Initializing
        );
        // Who comes while the adapter sleeps is bound when it wakes.
        let asleep = adapter.power.is_asleep();
        if !usable || asleep || is_bound(protocol, adapter) || !attach::is_complete(adapter) {
            continue;
        }
        pause_stack(adapter, NDIS_PAUSE_BIND_PROTOCOL);
        bound |= Binding::bind(protocol, adapter).is_ok();
        restart_stack(adapter);
    }
    if bound {
        event::notify_driver(protocol, NetEventBindsComplete);
    }
}

/// Ends all bindings of a protocol.
pub(crate) fn unbind_protocol(protocol: &'static ProtocolDriver) {
    for binding in protocol.bindings() {
        unbind_one(binding);
    }
}

fn unbind_one(binding: &'static Binding) {
    let adapter = binding.adapter();
    let _operation = adapter.begin_pnp();
    // Another operation may have ended it while this one waited.
    if power::ensure_awake(adapter).is_err() || binding.state() == BindingState::Unbound {
        return;
    }
    pause_stack(adapter, NDIS_PAUSE_UNBIND_PROTOCOL);
    binding.unbind();
    restart_stack(adapter);
}

/// Stops traffic through an adapter, from the top down.
pub(crate) fn pause_stack(adapter: &'static Adapter, reason: u32) {
    for binding in adapter.bindings().iter() {
        if binding.state() == BindingState::Running {
            binding.pause(reason);
        }
    }
    pause_filters(adapter, reason);
    if adapter.state() == AdapterState::Running {
        adapter.pause(reason);
    }
}

fn pause_filters(adapter: &'static Adapter, reason: u32) {
    for module in adapter.filters.modules().iter().rev() {
        if module.state() == FilterState::Running {
            module.pause(reason);
        }
    }
}

/// Lets traffic flow through an adapter, from the bottom up.
pub(crate) fn restart_stack(adapter: &'static Adapter) {
    let mut attributes = RestartAttributes::of(adapter);
    if adapter.state() == AdapterState::Paused
        && let Err(status) = adapter.restart(&mut attributes)
    {
        eprintln!(
            "ndis-host: MiniportRestart of {} failed with {status:#x}",
            adapter.name()
        );
        return;
    }
    if let Err(module) = restart_filters(adapter, &mut attributes) {
        drop(attributes);
        remove_failed(module);
        return restart_stack(adapter);
    }
    for binding in adapter.bindings().iter() {
        if binding.state() == BindingState::Paused {
            binding.restart(&mut attributes);
        }
    }
}

/// Restarts the filters of an adapter from the bottom up, after all of them chose their options.
///
/// # Errors
/// The module that did not restart.
fn restart_filters(
    adapter: &'static Adapter,
    attributes: &mut RestartAttributes,
) -> Result<(), &'static Module> {
    let modules = adapter.filters.modules();
    let paused = modules
        .iter()
        .filter(|module| module.state() == FilterState::Paused);
    for module in paused.clone() {
        if module.set_options() != NDIS_STATUS_SUCCESS {
            return Err(module);
        }
    }
    for &module in paused.collect::<Vec<_>>() {
        if let Err(status) = module.restart(attributes) {
            eprintln!(
                "ndis-host: FilterRestart of {} failed with {status:#x}",
                module.name()
            );
            return Err(module);
        }
    }
    Ok(())
}

/// Detaches a module that did not restart; without one that it must have, the stack has no protocols.
fn remove_failed(module: &'static Module) {
    let adapter = module.adapter();
    pause_stack(adapter, NDIS_PAUSE_DETACH_FILTER);
    if module.configured().run == FilterRun::Mandatory {
        unbind_all(adapter);
    }
    attach::detach(module);
}

/// The initialized adapter of that device name.
pub(crate) fn adapter_of(name: &str) -> Option<&'static Adapter> {
    ADAPTERS.lock().get(&name.to_ascii_uppercase()).copied()
}

/// All initialized adapters.
pub(crate) fn adapters() -> Vec<&'static Adapter> {
    ADAPTERS.lock().values().copied().collect()
}

/// Runs `f` as the host on a thread of its own; [`wait_idle`] waits for it.
pub(crate) fn job(name: &str, f: impl FnOnce() + Send + 'static) {
    *JOBS.lock() += 1;
    sched::spawn(name, move || {
        {
            let _entered = caller::enter(Caller::HOST);
            f();
        }
        *JOBS.lock() -= 1;
        JOBS.notify_all();
    });
}

/// Waits until no job runs, at most for `timeout`; answers whether that is so.
pub(crate) fn wait_idle(timeout: Duration) -> bool {
    JOBS.wait_until(Some(timeout), |jobs| (*jobs == 0).then_some(()))
        .is_some()
}

crate::ddi! { "ndis.sys":
    /// Binds a protocol to the adapters that it is configured for and not bound to, soon.
    [PASSIVE..=PASSIVE] fn NdisReEnumerateProtocolBindings(NdisProtocolHandle: NDIS_HANDLE) {
        const NAME: &str = "NdisReEnumerateProtocolBindings";
        let protocol = resolve::<ProtocolDriver>(NdisProtocolHandle, NAME);
        let _record = trace::call(NAME, protocol.name());
        let inside = call::is_inside(&["ProtocolBindAdapterEx", "ProtocolUnbindAdapterEx"])
            || event::in_event_of_binding();
        if inside {
            rules::broken(
                &rules::NDIS_RE_ENUMERATE_PROTOCOL_BINDINGS,
                format_args!("{NAME} of {} inside a bind or unbind handler, or an event of a binding", protocol.name()),
            );
        }
        rules::held(&rules::NDIS_RE_ENUMERATE_PROTOCOL_BINDINGS);
        job("PnP bind", move || bind_protocol(protocol));
    }

    /// Ends a binding outside of an unbind, soon.
    [PASSIVE..=DISPATCH] fn NdisUnbindAdapter(NdisBindingHandle: NDIS_HANDLE) -> NDIS_STATUS {
        let binding = resolve::<Binding>(NdisBindingHandle, "NdisUnbindAdapter");
        let mut record = trace::call("NdisUnbindAdapter", binding.name());
        job("PnP unbind", move || unbind_one(binding));
        record.returns(NDIS_STATUS_SUCCESS)
    }
}

fn is_bound(protocol: &ProtocolDriver, adapter: &Adapter) -> bool {
    let bindings = protocol.bindings();
    bindings
        .iter()
        .any(|binding| std::ptr::eq(binding.adapter(), adapter))
}

fn is_configured(protocol: &ProtocolDriver, adapter: &Adapter) -> bool {
    device::is_bound(&[protocol.name(), protocol.caller().name], adapter.name())
}

static ADAPTERS: Monitor<BTreeMap<String, &'static Adapter>> = Monitor::new(BTreeMap::new());
static JOBS: Monitor<usize> = Monitor::new(0);
