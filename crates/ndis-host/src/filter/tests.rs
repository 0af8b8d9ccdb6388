//! Filters that break a rule: each is named.

use std::time::Duration;

use ndis_sys::OID_GEN_VENDOR_DESCRIPTION;

use super::{Fault, Filter, FilterConfig};
use crate::client::Client;
use crate::lab::{Lab, NicPort};
use crate::ndis::device::{FilterKind, FilterRun};
use crate::ndis::policy::{Policy, Resources};
use crate::nic::NicConfig;
use crate::nt::irql::{self, Irql};
use crate::rules;
use crate::rules::testing::assert_broken;

const LONG: Duration = Duration::from_secs(10);
const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

struct Stack {
    lab: Lab,
    nic: NicPort,
    client: &'static Client,
    filter: &'static Filter,
}

/// A NIC, a filter and a client, running.
fn stack(config: FilterConfig) -> Stack {
    stack_with(config, FilterKind::Modifying, None)
}

fn stack_with(config: FilterConfig, kind: FilterKind, fault: Option<Fault>) -> Stack {
    let lab = Lab::new();
    lab.policy(|policy| *policy = Policy::INLINE);
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.stack_filter_as("flt", "nic0", kind, FilterRun::Optional)
        .unwrap();
    let filter = lab.add_filter("flt", config);
    filter.set_fault(fault);
    lab.plug_nic("nic0").unwrap();
    Stack {
        lab,
        nic,
        client,
        filter,
    }
}

fn frame(length: u8) -> Vec<u8> {
    let mut frame = [MAC, [2, 0, 0, 0, 0, 9]].concat();
    frame.extend([0x08, 0x00]);
    frame.extend(0..length);
    frame
}

/// Breaks a rule by a fault that strikes when the stack starts, or else when `act` runs.
fn strike(fault: Fault, act: impl FnOnce(&Stack)) {
    let early = matches!(fault, Fault::NoAttributes);
    let stack = stack_with(
        FilterConfig::ALL,
        FilterKind::Modifying,
        early.then_some(fault),
    );
    stack.filter.set_fault(Some(fault));
    act(&stack);
}

fn short_limits(stack: &Stack) {
    stack.lab.policy(|policy| {
        policy.send_limit = Duration::from_secs(1);
        policy.oid_limit = Duration::from_secs(1);
    });
}

fn unplug(stack: &Stack) {
    stack.lab.unplug_nic("nic0").unwrap();
}

/// The NIC's thread, which breaks the rule, has the time until the end of this to do it.
fn receive(stack: &Stack) {
    stack.nic.inject(&frame(60));
    std::thread::sleep(LONG);
}

fn send(stack: &Stack) {
    stack.client.send(&[frame(60)]).wait(LONG);
}

fn query(stack: &Stack) {
    stack.client.query(OID_GEN_VENDOR_DESCRIPTION, 64);
}

fn query_direct(stack: &Stack) {
    stack.client.query_direct(OID_GEN_VENDOR_DESCRIPTION, 64, 1);
}

#[test]
fn an_attach_sets_the_attributes() {
    assert_broken(
        &rules::FILTER_MODULE_STATE,
        &["without NdisFSetAttributes", "FilterAttach"],
        || strike(Fault::NoAttributes, |_| {}),
    );
}

#[test]
fn a_pause_does_not_fail() {
    assert_broken(
        &rules::NDIS_FILTER_TIMED_PAUSE_COMPLETE,
        &["FilterPause of flt on", "0xc0000001"],
        || strike(Fault::PauseFails, unplug),
    );
}

#[test]
fn a_pause_is_completed_once() {
    assert_broken(
        &rules::NDIS_FILTER_TIMED_PAUSE_COMPLETE,
        &["NdisFPauseComplete and succeeded too"],
        || strike(Fault::PauseTwice, unplug),
    );
}

#[test]
fn a_pause_ends_in_time() {
    assert_broken(
        &rules::NDIS_BUGCHECK_WATCHDOG_FILTER_PAUSE,
        &["FilterPause of flt on", "is pending for 1 s"],
        || {
            strike(Fault::PauseNeverCompletes, |stack| {
                stack
                    .lab
                    .policy(|policy| policy.watchdog = Duration::from_secs(1));
                unplug(stack);
            });
        },
    );
}

#[test]
fn a_paused_filter_keeps_nothing() {
    assert_broken(
        &rules::FILTER_MODULE_STATE,
        &["FilterPause returned with NBLs of others that it keeps"],
        || {
            strike(Fault::KeepOverPause, |stack| {
                stack.filter.hold_receives(true);
                stack.nic.inject(&frame(60));
                stack.filter.wait_held(1, LONG);
                unplug(stack);
            });
        },
    );
}

#[test]
fn a_pausing_filter_originates_nothing() {
    assert_broken(
        &rules::FILTER_MODULE_STATE,
        &["with an NBL of its own in state Pausing"],
        || strike(Fault::SendInPause, unplug),
    );
}

#[test]
fn the_source_of_what_passes_stays() {
    assert_broken(&rules::NBL_OWNERSHIP, &["its SourceHandle is"], || {
        strike(Fault::ChangeSource, send);
    });
}

#[test]
fn a_send_goes_back_as_it_came() {
    assert_broken(
        &rules::NBL_OWNERSHIP,
        &["NdisFSendNetBufferListsComplete", "DataOffset was"],
        || strike(Fault::KeepAdvanced, send),
    );
}

#[test]
fn a_received_frame_is_not_sent() {
    assert_broken(
        &rules::NBL_OWNERSHIP,
        &["NdisFSendNetBufferLists", "flt does not hold it"],
        || strike(Fault::SendReceived, receive),
    );
}

#[test]
fn frames_with_resources_go_back_at_return() {
    assert_broken(
        &rules::NBL_OWNERSHIP,
        &["indicated with RESOURCES, and on return is held by stack"],
        || {
            strike(Fault::KeepResources, |stack| {
                stack
                    .lab
                    .policy(|policy| policy.receive_resources = Resources::Always);
                stack.client.hold_receives(true);
                receive(stack);
            });
        },
    );
}

#[test]
fn a_direct_request_is_passed_on_as_a_clone() {
    assert_broken(
        &rules::NDIS_OID_DOUBLE_REQUEST,
        &["NdisFDirectOidRequest", "a filter passes on a clone"],
        || strike(Fault::NoClone, query_direct),
    );
}

#[test]
fn a_direct_request_is_answered_once() {
    assert_broken(
        &rules::DOUBLE_COMPLETE,
        &[
            "FilterDirectOidRequest of",
            "completed the request and returned",
        ],
        || strike(Fault::CompleteTwice, query_direct),
    );
}

#[test]
fn a_request_is_passed_on_as_a_clone() {
    assert_broken(
        &rules::NDIS_OID_DOUBLE_REQUEST,
        &["a clone of it is passed on"],
        || strike(Fault::NoClone, query),
    );
}

#[test]
fn a_request_is_answered_once() {
    assert_broken(
        &rules::DOUBLE_COMPLETE,
        &["FilterOidRequest of", "completed the request and returned"],
        || strike(Fault::CompleteTwice, query),
    );
}

#[test]
fn no_event_is_propagated_in_a_request() {
    assert_broken(
        &rules::FILTER_MODULE_STATE,
        &["NdisFNetPnPEvent inside FilterOidRequest"],
        || strike(Fault::EventInRequest, query),
    );
}

#[test]
fn a_detach_frees_what_was_allocated_with_the_module() {
    assert_broken(
        &rules::INIT_NDIS_ALLOCATE_IO_WORK_ITEM,
        &["FilterDetach", "work item of flt"],
        || strike(Fault::LeakWorkItem, unplug),
    );
}

#[test]
fn a_detach_ends_in_time() {
    assert_broken(
        &rules::NDIS_BUGCHECK_WATCHDOG_FILTER_DETACH,
        &["has not returned after 1 s: flt on"],
        || {
            strike(Fault::SlowDetach, |stack| {
                stack
                    .lab
                    .policy(|policy| policy.watchdog = Duration::from_secs(1));
                unplug(stack);
            });
        },
    );
}

#[test]
fn a_status_indication_ends_in_time() {
    assert_broken(
        &rules::NDIS_BUGCHECK_WATCHDOG_FILTER_STATUS_INDICATION,
        &["has not returned after 1 s"],
        || {
            strike(Fault::SlowStatus, |stack| {
                stack
                    .lab
                    .policy(|policy| policy.watchdog = Duration::from_secs(1));
                stack.nic.set_link(false);
            });
        },
    );
}

#[test]
fn a_send_is_not_kept_too_long() {
    assert_broken(
        &rules::NDIS_FILTER_TIMED_DATA_SEND,
        &["kept for more than 1 s", "held by flt"],
        || {
            strike(Fault::KeepOverPause, |stack| {
                short_limits(stack);
                stack.filter.hold_sends(true);
                send(stack);
            });
        },
    );
}

#[test]
fn a_received_frame_is_not_kept_too_long() {
    assert_broken(
        &rules::NDIS_FILTER_TIMED_DATA_RECEIVE,
        &["kept for more than 1 s", "held by flt"],
        || {
            strike(Fault::KeepOverPause, |stack| {
                short_limits(stack);
                stack.filter.hold_receives(true);
                receive(stack);
            });
        },
    );
}

#[test]
fn a_request_is_not_kept_too_long() {
    assert_broken(
        &rules::NDIS_BUGCHECK_WATCHDOG_FILTER_OID,
        &["is pending at filter module flt on", "for more than 1 s"],
        || {
            strike(Fault::KeepRequest, |stack| {
                short_limits(stack);
                query(stack);
            });
        },
    );
}

#[test]
fn a_direct_request_is_not_kept_too_long() {
    assert_broken(
        &rules::NDIS_BUGCHECK_WATCHDOG_FILTER_OID,
        &[
            "direct query",
            "is pending at filter module flt on",
            "for more than 1 s",
        ],
        || {
            strike(Fault::KeepRequest, |stack| {
                short_limits(stack);
                query_direct(stack);
            });
        },
    );
}

#[test]
fn a_filter_is_not_detached_before_its_direct_requests_are_answered() {
    assert_broken(
        &rules::NDIS_BUGCHECK_WATCHDOG_FILTER_OID,
        &["a direct OID request is pending at flt on", "for 1 s"],
        || {
            strike(Fault::KeepRequest, |stack| {
                stack
                    .lab
                    .policy(|policy| policy.watchdog = Duration::from_secs(1));
                let client = stack.client;
                std::thread::spawn(|| client.query_direct(OID_GEN_VENDOR_DESCRIPTION, 64, 1));
                while stack.filter.counters().direct_requests == 0 {
                    std::thread::yield_now();
                }
                stack.lab.remove_filter(stack.filter);
            });
        },
    );
}

#[test]
fn a_monitoring_filter_originates_nothing() {
    assert_broken(&rules::FILTER_TYPE, &["is a monitoring filter"], || {
        let stack = stack_with(FilterConfig::ALL, FilterKind::Monitoring, None);
        stack.filter.send(&frame(60));
    });
}

#[test]
fn a_monitoring_filter_changes_nothing() {
    assert_broken(&rules::NBL_OWNERSHIP, &["its bytes were changed"], || {
        let fault = Some(Fault::ChangeBytes);
        let stack = stack_with(FilterConfig::ALL, FilterKind::Monitoring, fault);
        send(&stack);
    });
}

#[test]
fn who_sends_takes_completions() {
    assert_broken(
        &rules::FILTER_BYPASS,
        &["has no FilterSendNetBufferListsComplete"],
        || {
            stack(FilterConfig::NONE).filter.send(&frame(60));
        },
    );
}

#[test]
fn who_indicates_takes_returns() {
    assert_broken(
        &rules::FILTER_BYPASS,
        &["has no FilterReturnNetBufferLists"],
        || {
            stack(FilterConfig::NONE).filter.indicate(&frame(60));
        },
    );
}

#[test]
fn who_asks_takes_answers() {
    assert_broken(
        &rules::FILTER_BYPASS,
        &["has no FilterOidRequestComplete"],
        || {
            stack(FilterConfig::NONE)
                .filter
                .query(OID_GEN_VENDOR_DESCRIPTION, 64);
        },
    );
}

#[test]
fn a_filter_deregisters_at_passive_level() {
    assert_broken(
        &rules::IRQL_FILTER_DRIVER_FUNCTION,
        &["NdisFDeregisterFilterDriver must be called at"],
        || {
            let stack = stack(FilterConfig::ALL);
            irql::at(Irql::DISPATCH, || stack.filter.deregister());
        },
    );
}
