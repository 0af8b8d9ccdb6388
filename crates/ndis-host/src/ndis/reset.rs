//! Check-for-hang and reset, of miniports of hardware (hardware-reset.md).
//!
//! NDIS asks each miniport that has the functions whether it hangs, every two seconds or as it said, and
//! resets what does; the lab and `NdisMResetMiniport` can ask for a reset too. What is bound hears of the
//! start and the end. A reset leaves the adapter's state alone.
//!
//! Not in here: intermediate drivers, which have neither function.

use std::collections::BTreeMap;
use std::sync::Once;
use std::time::Duration;

use ndis_sys::{
    BOOLEAN, NDIS_HANDLE, NDIS_STATUS, NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_PENDING,
    NDIS_STATUS_RESET_END, NDIS_STATUS_RESET_IN_PROGRESS, NDIS_STATUS_RESET_START,
    NDIS_STATUS_SUCCESS, NdisRequestSetInformation, OID_802_3_MULTICAST_LIST,
    OID_GEN_CURRENT_LOOKAHEAD, OID_GEN_CURRENT_PACKET_FILTER,
};

use super::adapter::{Adapter, AdapterState};
use super::caller::{self, Caller};
use super::driver::{run_data_status, run_status};
use super::ethernet::EthernetFilter;
use super::object::{handle_of, resolve};
use super::oid::{self, request};
use super::{pnp, policy, status, trace};
use crate::nt::sched::{self, Monitor};
use crate::rules;

crate::ddi! { "ndis.sys":
    /// Completes a pending `MiniportResetEx`.
    [PASSIVE..=DISPATCH] fn NdisMResetComplete(
        MiniportAdapterHandle: NDIS_HANDLE,
        Status: NDIS_STATUS,
        AddressingReset: BOOLEAN,
    ) {
        const NAME: &str = "NdisMResetComplete";
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        let mut record = trace::call(NAME, adapter.name());
        record.returns(Status);
        let expected = {
            let mut resets = RESETS.lock();
            match resets.get_mut(&(MiniportAdapterHandle as usize)) {
                Some(slot @ None) if Status != NDIS_STATUS_PENDING => {
                    *slot = Some((Status, AddressingReset != 0));
                    true
                }
                _ => false,
            }
        };
        rules::check(&rules::NDIS_BUGCHECK_RESET_COMPLETE_UNEXPECTED, expected, || {
            format!(
                "{NAME} with {Status:#x}: no reset of adapter {} is pending, or it was completed already",
                adapter.name()
            )
        });
        RESETS.notify_all();
    }

    /// Asks for a reset, soon.
    [PASSIVE..=DISPATCH] fn NdisMResetMiniport(MiniportAdapterHandle: NDIS_HANDLE) {
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, "NdisMResetMiniport");
        let _record = trace::call("NdisMResetMiniport", adapter.name());
        pnp::job("NDIS reset", move || {
            let _status = reset(adapter);
        });
    }
}

/// Asks an adapter whether it hangs, and resets it if so. Answers how that ended.
pub(crate) fn check(adapter: &'static Adapter) -> Option<NDIS_STATUS> {
    let handler = adapter.driver().handlers().CheckForHangHandlerEx?;
    let context = adapter.context();
    let driver = adapter.driver().caller();
    let mut hangs = false;
    run_status(driver, "MiniportCheckForHangEx", adapter.name(), || {
        // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the context that it set.
        hangs = unsafe { handler(context) } != 0;
        NDIS_STATUS_SUCCESS
    });
    hangs.then(|| reset(adapter))
}

/// Resets an adapter, and tells what is bound to it. Answers how that ended.
pub(crate) fn reset(adapter: &'static Adapter) -> NDIS_STATUS {
    let Some(handler) = adapter.driver().handlers().ResetHandlerEx else {
        return NDIS_STATUS_NOT_SUPPORTED;
    };
    if !is_initialized(adapter) {
        return NDIS_STATUS_NOT_SUPPORTED;
    }
    let key = handle_of(adapter) as usize;
    {
        let mut resets = RESETS.lock();
        if resets.contains_key(&key) {
            return NDIS_STATUS_RESET_IN_PROGRESS;
        }
        resets.insert(key, None);
    }
    status::of_ndis(adapter, NDIS_STATUS_RESET_START);
    let context = adapter.context();
    let mut addressing: BOOLEAN = 0;
    let driver = adapter.driver().caller();
    let returned = run_data_status(driver, "MiniportResetEx", adapter.name(), || {
        // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the context that it set and a
        // variable that outlives the call.
        unsafe { handler(context, &raw mut addressing) }
    });
    let (ended, lost) = if returned == NDIS_STATUS_PENDING {
        wait(adapter, key)
    } else {
        let early = RESETS.lock().get(&key).copied().flatten();
        rules::check(
            &rules::NDIS_BUGCHECK_RESET_COMPLETE_UNEXPECTED,
            early.is_none(),
            || {
                format!(
                    "MiniportResetEx of adapter {} completed the reset and returned {returned:#x}",
                    adapter.name()
                )
            },
        );
        (returned, addressing != 0)
    };
    RESETS.lock().remove(&key);
    if lost && ended == NDIS_STATUS_SUCCESS {
        restore_addressing(adapter);
    }
    status::of_ndis(adapter, NDIS_STATUS_RESET_END);
    ended
}

/// Starts the thread that asks for hangs, once in a process.
pub(crate) fn watch() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        sched::spawn_service("NDIS check for hang", || {
            let _entered = caller::enter(Caller::HOST);
            let mut last: BTreeMap<usize, Duration> = BTreeMap::new();
            loop {
                sched::sleep(TICK);
                for adapter in pnp::adapters() {
                    let since = last
                        .entry(handle_of(adapter) as usize)
                        .or_insert_with(sched::now);
                    if sched::now() - *since >= interval(adapter) && is_initialized(adapter) {
                        *since = sched::now();
                        check(adapter);
                    }
                }
            }
        });
    });
}

fn interval(adapter: &Adapter) -> Duration {
    match adapter.with_attributes(|attributes| attributes.check_for_hang) {
        0 => TICK * 2,
        seconds => Duration::from_secs(seconds.into()),
    }
}

fn is_initialized(adapter: &Adapter) -> bool {
    !adapter.power.is_asleep()
        && !matches!(
            adapter.state(),
            AdapterState::Halted | AdapterState::Initializing | AdapterState::Shutdown
        )
}

fn wait(adapter: &Adapter, key: usize) -> (NDIS_STATUS, bool) {
    let limit = policy::current().watchdog;
    let ended = RESETS.wait_until(Some(limit), |resets| resets.get(&key).copied().flatten());
    ended.unwrap_or_else(|| {
        adapter.broken(&format!(
            "MiniportResetEx is pending for {} s",
            limit.as_secs()
        ))
    })
}

/// Sets again what the hardware forgot.
fn restore_addressing(adapter: &'static Adapter) {
    let bindings = adapter.bindings();
    let union = EthernetFilter::union(bindings.iter().map(|binding| binding.filter()));
    let lookahead = bindings
        .iter()
        .map(|binding| binding.lookahead.load(std::sync::atomic::Ordering::Relaxed))
        .fold(0, u32::max);
    let values = [
        (OID_802_3_MULTICAST_LIST, union.multicast.concat()),
        (
            OID_GEN_CURRENT_PACKET_FILTER,
            union.packet_types.to_le_bytes().to_vec(),
        ),
        (OID_GEN_CURRENT_LOOKAHEAD, lookahead.to_le_bytes().to_vec()),
    ];
    for (oid, mut value) in values {
        let mut request = request::new(NdisRequestSetInformation, oid, &mut value);
        oid::ask(adapter, &mut request);
    }
}

/// The adapters that are being reset, with what a pending reset was completed with.
static RESETS: Monitor<BTreeMap<usize, Option<(NDIS_STATUS, bool)>>> =
    Monitor::new(BTreeMap::new());

/// NDIS asks every two of these, where the driver did not say when.
const TICK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use ndis_sys::{NDIS_OID_REQUEST, NDIS_STATUS_FAILURE};

    use super::*;
    use crate::ndis::oid::request::Request;
    use crate::ndis::testing::{Miniport, halt, start};
    use crate::rules::testing::assert_broken;

    fn complete(adapter: NDIS_HANDLE, status: NDIS_STATUS) {
        // SAFETY: the handle is alive; a completion that nobody waits for is found.
        unsafe { NdisMResetComplete(adapter, status, 0) };
    }

    fn remember(_adapter: NDIS_HANDLE, request: *mut NDIS_OID_REQUEST) -> NDIS_STATUS {
        // SAFETY: NDIS gives a live request.
        let request = unsafe { Request::new(request) };
        assert!(request.is_set());
        RESTORED.fetch_add(1, Ordering::SeqCst);
        NDIS_STATUS_SUCCESS
    }

    static RESTORED: AtomicU32 = AtomicU32::new(0);

    #[test]
    fn a_miniport_that_hangs_is_reset_and_gets_its_addressing_back() {
        let adapter = start(
            "reset",
            Miniport {
                is_hung: |_| true,
                reset: |_, addressing| {
                    // SAFETY: NDIS gives a variable for it.
                    unsafe { addressing.write(1) };
                    NDIS_STATUS_SUCCESS
                },
                oid: remember,
                ..Miniport::default()
            },
        );
        assert_eq!(check(adapter), Some(NDIS_STATUS_SUCCESS));
        assert_eq!(RESTORED.load(Ordering::SeqCst), 3);
        halt(adapter);
    }

    #[test]
    fn a_miniport_that_does_not_hang_is_not_reset() {
        let adapter = start("no reset", Miniport::default());
        assert_eq!(check(adapter), None);
        halt(adapter);
    }

    #[test]
    fn a_reset_may_be_completed_later() {
        let adapter = start(
            "pending reset",
            Miniport {
                reset: |adapter, _| {
                    let adapter = adapter as usize;
                    pnp::job("test", move || {
                        complete(adapter as NDIS_HANDLE, NDIS_STATUS_FAILURE);
                    });
                    NDIS_STATUS_PENDING
                },
                ..Miniport::default()
            },
        );
        assert_eq!(reset(adapter), NDIS_STATUS_FAILURE);
        halt(adapter);
    }

    #[test]
    fn completing_without_a_reset_breaks_its_rule() {
        assert_broken(
            &rules::NDIS_BUGCHECK_RESET_COMPLETE_UNEXPECTED,
            &["no reset of adapter"],
            || complete(handle_of(start("reset", Miniport::default())), 0),
        );
    }

    #[test]
    fn completing_and_returning_breaks_its_rule() {
        assert_broken(
            &rules::NDIS_BUGCHECK_RESET_COMPLETE_UNEXPECTED,
            &["completed the reset and returned"],
            || {
                reset(start(
                    "reset",
                    Miniport {
                        reset: |adapter, _| {
                            complete(adapter, 0);
                            NDIS_STATUS_SUCCESS
                        },
                        ..Miniport::default()
                    },
                ))
            },
        );
    }
}
