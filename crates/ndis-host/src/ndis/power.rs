//! Sleep, wake and shutdown: how adapters change their power state.
//!
//! | operation | order (handling-a-set-power-request.md) |
//! |---|---|
//! | [`sleep`] | `NetEventQueryPower`, `OID_PNP_QUERY_POWER`, `NetEventSetPower` to each filter and binding; pause for low power; `OID_PM_PARAMETERS`, `OID_PNP_SET_POWER`, or the halt of an adapter that cannot sleep |
//! | [`wake`] | `OID_PNP_SET_POWER` to D0, or `MiniportInitializeEx`; restart; `NetEventSetPower` to D0 |
//! | [`shut_down`] | `MiniportShutdownEx` |
//!
//! Adapters sleep one by one: an intermediate driver's two edges come in either order. PnP operations
//! on an adapter that sleeps wake it first ([`ensure_awake`]), as the PnP manager does.
//!
//! Not in here: what an adapter wakes for (`oid::wake`), and selective suspend.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use ndis_sys::{
    NDIS_DEVICE_POWER_STATE, NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND, NDIS_PAUSE_LOW_POWER,
    NDIS_RUNTIME_VERSION_630, NDIS_STATUS, NDIS_STATUS_SUCCESS, NdisDeviceStateD0,
    NdisHaltDevicePoweredDown, NdisRequestQueryInformation, NdisRequestSetInformation,
    NdisShutdownPowerOff, NetEventQueryPower, NetEventSetPower, OID_PNP_QUERY_POWER,
    OID_PNP_SET_POWER,
};

use super::adapter::{Adapter, AdapterState};
use super::oid::wake::MagicPacket;
use super::oid::{self, request};
use super::{device_event, event, pnp, version};
use crate::rules::{self, Rule};

/// An adapter's power state.
#[derive(Debug)]
pub(crate) struct State {
    /// What the miniport was told last.
    device: AtomicI32,
    /// What is bound was told that the adapter goes to sleep, and not yet that it is awake.
    announced: AtomicBool,
    /// Whether a magic packet may wake it.
    pub(crate) magic_packet: MagicPacket,
}

impl Default for State {
    fn default() -> Self {
        Self {
            device: AtomicI32::new(NdisDeviceStateD0),
            announced: AtomicBool::new(false),
            magic_packet: MagicPacket::default(),
        }
    }
}

impl State {
    /// Whether the miniport is in a low-power state, or halted for one.
    pub(crate) fn is_asleep(&self) -> bool {
        self.device.load(Ordering::SeqCst) != NdisDeviceStateD0
    }

    /// Whether what is bound knows that the adapter sleeps or goes to sleep: no OID requests then.
    pub(crate) fn is_announced(&self) -> bool {
        self.announced.load(Ordering::SeqCst)
    }

    /// As the documents name it: `D0` to `D3`.
    fn name(state: NDIS_DEVICE_POWER_STATE) -> String {
        format!("D{}", state - NdisDeviceStateD0)
    }
}

/// Puts an adapter to sleep, unless it sleeps or is not there.
///
/// # Errors
/// What a protocol answered that does not let it sleep. All is as before then.
pub(crate) fn sleep(
    adapter: &'static Adapter,
    to: NDIS_DEVICE_POWER_STATE,
) -> Result<(), NDIS_STATUS> {
    let _operation = adapter.begin_pnp();
    if adapter.power.is_asleep() || !matches!(adapter.state(), RUNNING | PAUSED) {
        return Ok(());
    }
    query(adapter, to)?;
    event::tell(adapter, NetEventSetPower, &mut to.clone());
    adapter.power.announced.store(true, Ordering::SeqCst);
    if !stays_running(adapter) {
        pnp::pause_stack(adapter, NDIS_PAUSE_LOW_POWER);
    }
    if adapter.with_attributes(|attributes| attributes.keeps_through_sleep()) {
        oid::wake::arm(adapter);
        set_power(adapter, to);
        adapter.power.device.store(to, Ordering::SeqCst);
    } else {
        adapter.power.device.store(to, Ordering::SeqCst);
        if adapter.state() == RUNNING {
            pnp::pause_stack(adapter, NDIS_PAUSE_LOW_POWER);
        }
        adapter.halt(NdisHaltDevicePoweredDown);
        // Its driver is not to be unloaded while it can wake.
        adapter.driver().add_adapter(adapter);
    }
    Ok(())
}

/// Wakes an adapter, unless it is awake.
///
/// # Errors
/// What `MiniportInitializeEx` failed with; the adapter is gone then, and nothing is bound to it.
pub(crate) fn wake(adapter: &'static Adapter) -> Result<(), NDIS_STATUS> {
    let operation = adapter.begin_pnp();
    let result = ensure_awake(adapter);
    drop(operation);
    if result.is_ok() {
        // Who came while it slept was not bound.
        for protocol in super::driver::protocols() {
            pnp::bind_protocol(protocol);
        }
    }
    result
}

/// As [`wake`], in a PnP operation of the caller's.
pub(crate) fn ensure_awake(adapter: &'static Adapter) -> Result<(), NDIS_STATUS> {
    if !adapter.power.is_asleep() {
        return Ok(());
    }
    // From here on: the miniport may say why it woke while it handles the request.
    adapter
        .power
        .device
        .store(NdisDeviceStateD0, Ordering::SeqCst);
    if adapter.state() == AdapterState::Halted {
        if let Err(status) = adapter.initialize_again() {
            for binding in adapter.bindings().iter() {
                binding.unbind();
            }
            pnp::forget(adapter);
            return Err(status);
        }
    } else {
        set_power(adapter, NdisDeviceStateD0);
    }
    adapter.power.announced.store(false, Ordering::SeqCst);
    pnp::restart_stack(adapter);
    event::tell(adapter, NetEventSetPower, &mut NdisDeviceStateD0.clone());
    device_event::power_profile(adapter);
    Ok(())
}

/// A device woke the system: all adapters wake, NICs before what stands on them. One that cannot is gone.
pub(crate) fn wake_all() {
    let mut adapters = pnp::adapters();
    adapters.sort_by_key(|adapter| adapter.driver().is_intermediate());
    for adapter in adapters {
        let _woke = wake(adapter);
    }
}

/// The system goes down: adapters stop, and nothing is undone.
pub(crate) fn shut_down() {
    for adapter in pnp::adapters() {
        adapter.shut_down(NdisShutdownPowerOff);
    }
}

/// Asks everyone whether the adapter may sleep.
fn query(adapter: &'static Adapter, to: NDIS_DEVICE_POWER_STATE) -> Result<(), NDIS_STATUS> {
    let status = event::tell(adapter, NetEventQueryPower, &mut to.clone());
    if status != NDIS_STATUS_SUCCESS {
        // A set to the state that it is in takes the query back.
        event::tell(adapter, NetEventSetPower, &mut NdisDeviceStateD0.clone());
        return Err(status);
    }
    if adapter.with_attributes(|attributes| attributes.keeps_through_sleep()) {
        let mut buffer = to.to_le_bytes();
        let mut request = request::new(
            NdisRequestQueryInformation,
            OID_PNP_QUERY_POWER,
            &mut buffer,
        );
        require_success(
            adapter,
            &rules::NDIS_BUGCHECK_MINIPORT_FAILED_OID_WHICH_MUST_SUCCEED,
            "a query of OID_PNP_QUERY_POWER",
            to,
            oid::ask(adapter, &mut request),
        );
    }
    Ok(())
}

fn set_power(adapter: &'static Adapter, to: NDIS_DEVICE_POWER_STATE) {
    let mut buffer = to.to_le_bytes();
    let mut request = request::new(NdisRequestSetInformation, OID_PNP_SET_POWER, &mut buffer);
    let rule = if adapter.driver().is_intermediate() {
        &rules::NDIS_BUGCHECK_MINIPORT_FAILED_OID_WHICH_MUST_SUCCEED
    } else {
        &rules::NDIS_BUGCHECK_MINIPORT_FATAL_ERROR
    };
    let status = oid::ask(adapter, &mut request);
    require_success(adapter, rule, "a set of OID_PNP_SET_POWER", to, status);
}

fn require_success(
    adapter: &Adapter,
    rule: &'static Rule,
    what: &str,
    to: NDIS_DEVICE_POWER_STATE,
    status: NDIS_STATUS,
) {
    rules::check(rule, status == NDIS_STATUS_SUCCESS, || {
        format!(
            "{what} ({}) of adapter {} ended with {status:#x}",
            State::name(to),
            adapter.name()
        )
    });
}

/// Whether the stack is not paused for the sleep: its miniport asks for that, and all drivers know of
/// it.
fn stays_running(adapter: &'static Adapter) -> bool {
    let flags = adapter.with_attributes(|attributes| attributes.flags);
    flags & NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND != 0
        && version::current() >= NDIS_RUNTIME_VERSION_630
        && adapter
            .bindings()
            .iter()
            .all(|binding| binding.protocol().version() >= (6, 30))
}

const RUNNING: AdapterState = AdapterState::Running;
const PAUSED: AdapterState = AdapterState::Paused;
