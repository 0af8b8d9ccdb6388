//! Tests of miniport rules: a NIC that misbehaves, below a built-in client.

use std::sync::atomic::Ordering;

use ndis_sys::{
    NDIS_OID_REQUEST, NDIS_STATUS_FAILURE, NDIS_STATUS_INDICATION, NDIS_STATUS_PENDING,
    NDIS_STATUS_SUCCESS, NET_BUFFER_LIST, NdisRequestQueryInformation, OID_GEN_STATISTICS,
};

use super::{CALLER, WakeUp};
use crate::call;
use crate::client::{Client, bitmap_pattern};
use crate::lab::NicPort;
use crate::lab::testing::{LONG, frame, nic, stack};
use crate::ndis::adapter::NdisMPauseComplete;
use crate::ndis::caller;
use crate::ndis::oid::{NdisMOidRequestComplete, request};
use crate::ndis::send::NdisMSendNetBufferListsComplete;
use crate::ndis::status::NdisMIndicateStatusEx;
use crate::nt::irql::Irql;
use crate::nt::sched;
use crate::rules::{self, testing::assert_broken};

/// A send that the NIC has and has not completed.
fn kept_send(nic: &NicPort, client: &'static Client) -> *mut NET_BUFFER_LIST {
    nic.hold_sends(true);
    client.send(&[frame()]);
    assert!(nic.wait_sends(LONG, 1));
    nic.state.lock().sends[0].0 as *mut NET_BUFFER_LIST
}

fn complete(nic: &NicPort, nbl: *mut NET_BUFFER_LIST) {
    let _entered = caller::enter(CALLER);
    let handle = nic.handle.load(Ordering::Acquire);
    // SAFETY: not sound by NDIS's rules, which is what the tests are about; the host checks.
    unsafe { NdisMSendNetBufferListsComplete(handle, nbl, 0) };
}

#[test]
fn completing_without_a_status_is_broken() {
    assert_broken(
        &rules::NBL_OWNERSHIP,
        &["Status member was not set"],
        || {
            let (_lab, nic, client) = stack(nic());
            let nbl = kept_send(&nic, client);
            complete(&nic, nbl);
        },
    );
}

#[test]
fn completing_a_send_twice_is_broken() {
    assert_broken(
        &rules::NBL_OWNERSHIP,
        &["NdisMSendNetBufferListsComplete"],
        || {
            let (_lab, nic, client) = stack(nic());
            let nbl = kept_send(&nic, client);
            let view = crate::ndis::nbl::owner::known(nbl, "test");
            view.set_status(NDIS_STATUS_SUCCESS);
            complete(&nic, nbl);
            complete(&nic, nbl);
        },
    );
}

#[test]
fn completing_a_changed_send_is_broken() {
    assert_broken(
        &rules::NBL_OWNERSHIP,
        &["DataLength was 60 and is 59"],
        || {
            let (_lab, nic, client) = stack(nic());
            let nbl = kept_send(&nic, client);
            let view = crate::ndis::nbl::owner::known(nbl, "test");
            view.set_status(NDIS_STATUS_SUCCESS);
            view.first().unwrap().set_length(59);
            complete(&nic, nbl);
        },
    );
}

#[test]
fn completing_a_pause_that_is_not_pending_is_broken() {
    assert_broken(
        &rules::NDIS_BUGCHECK_ILLEGAL_MINIPORT_STATE_TRANSITION,
        &["NdisMPauseComplete", "Running"],
        || {
            let (_lab, nic, _client) = stack(nic());
            let handle = nic.handle.load(Ordering::Acquire);
            // SAFETY: not sound by NDIS's rules; the host checks.
            unsafe { NdisMPauseComplete(handle) };
        },
    );
}

#[test]
fn completing_an_oid_request_twice_is_broken() {
    assert_broken(
        &rules::NDIS_OID_DOUBLE_COMPLETE,
        &["NdisMOidRequestComplete"],
        || {
            let (_lab, nic, client) = stack(nic());
            nic.hold_requests(true);
            sched::spawn("asks", || {
                client.query(OID_GEN_STATISTICS, 256);
            });
            while nic.requests_outstanding() == 0 {
                std::thread::yield_now();
            }
            let kept = nic.state.lock().requests.pop_front().unwrap() as *mut NDIS_OID_REQUEST;
            let handle = nic.handle.load(Ordering::Acquire);
            for _ in 0..2 {
                // SAFETY: not sound by NDIS's rules the second time; the host checks.
                unsafe { NdisMOidRequestComplete(handle, kept, NDIS_STATUS_SUCCESS) };
            }
        },
    );
}

#[test]
fn completing_an_oid_request_as_pending_is_broken() {
    assert_broken(&rules::NDIS_OID_COMPLETE, &["NDIS_STATUS_PENDING"], || {
        let (_lab, nic, client) = stack(nic());
        nic.hold_requests(true);
        sched::spawn("asks", || {
            client.query(OID_GEN_STATISTICS, 256);
        });
        while nic.requests_outstanding() == 0 {
            std::thread::yield_now();
        }
        let kept = nic.state.lock().requests.pop_front().unwrap() as *mut NDIS_OID_REQUEST;
        let handle = nic.handle.load(Ordering::Acquire);
        // SAFETY: not sound by NDIS's rules; the host checks.
        unsafe { NdisMOidRequestComplete(handle, kept, NDIS_STATUS_PENDING) };
    });
}

#[test]
fn an_answer_longer_than_its_buffer_is_broken() {
    assert_broken(
        &rules::NDIS_BUGCHECK_OID_REQUEST_INVALID_BUFFER,
        &["BytesWritten is 9"],
        || {
            let (lab, nic, _client) = stack(nic());
            nic.hold_requests(true);
            sched::spawn("asks", move || {
                let mut buffer = [0; 8];
                let oid = ndis_sys::OID_GEN_VENDOR_ID;
                let mut request = request::new(NdisRequestQueryInformation, oid, &mut buffer);
                lab.ask("nic0", &mut request).unwrap();
            });
            while nic.requests_outstanding() == 0 {
                std::thread::yield_now();
            }
            let kept = nic.state.lock().requests.pop_front().unwrap() as *mut NDIS_OID_REQUEST;
            // SAFETY: the request is pending here.
            unsafe { request::Request::new(kept) }.set_counts(9, 9);
            let handle = nic.handle.load(Ordering::Acquire);
            // SAFETY: not sound by NDIS's rules; the host checks.
            unsafe { NdisMOidRequestComplete(handle, kept, NDIS_STATUS_SUCCESS) };
        },
    );
}

#[test]
fn completing_an_oid_request_again_in_a_work_item_is_broken() {
    let parts = ["NdisMOidRequestComplete", "NdisIoWorkItemRoutine"];
    assert_broken(&rules::DOUBLE_COMPLETE_WORK_ITEM, &parts, || {
        let (_lab, nic, client) = stack(nic());
        nic.hold_requests(true);
        sched::spawn("asks", || {
            client.query(OID_GEN_STATISTICS, 256);
        });
        let kept = kept_request(&nic);
        let handle = nic.handle.load(Ordering::Acquire);
        for _ in 0..2 {
            call::callback(
                "NdisIoWorkItemRoutine",
                Irql::PASSIVE..=Irql::PASSIVE,
                || {
                    // SAFETY: not sound by NDIS's rules the second time; the host checks.
                    unsafe { NdisMOidRequestComplete(handle, kept, NDIS_STATUS_SUCCESS) };
                },
            );
        }
    });
}

#[test]
fn failing_a_request_that_gives_something_back_is_broken() {
    assert_broken(
        &rules::NDIS_OID_COMPLETE,
        &["0xfd01010b", "0xc0000001"],
        || {
            let mut config = nic();
            config.wake_up = Some(WakeUp::USUAL);
            let (_lab, nic, client) = stack(config);
            let id = client.add_wake_pattern(&bitmap_pattern(&[1], &[1]));
            let id = id.expect("there is room");
            nic.hold_requests(true);
            sched::spawn("sets", move || {
                client.remove_wake_pattern(id);
            });
            let kept = kept_request(&nic);
            let handle = nic.handle.load(Ordering::Acquire);
            // SAFETY: the request is pending here; that it must not fail is for the host to check.
            unsafe { NdisMOidRequestComplete(handle, kept, NDIS_STATUS_FAILURE) };
        },
    );
}

#[test]
fn indicating_a_status_after_the_halt_is_broken() {
    assert_broken(&rules::NDIS_M_INDICATE_STATUS_EX, &["is halted"], || {
        let (lab, nic, _client) = stack(nic());
        let handle = nic.handle.load(Ordering::Acquire);
        lab.unplug_nic("nic0").unwrap();
        let mut indication = NDIS_STATUS_INDICATION::zeroed();
        // SAFETY: not sound by NDIS's rules, as the handle is dead; the host checks.
        unsafe { NdisMIndicateStatusEx(handle, &raw mut indication) };
    });
}

fn kept_request(nic: &NicPort) -> *mut NDIS_OID_REQUEST {
    while nic.requests_outstanding() == 0 {
        std::thread::yield_now();
    }
    nic.state.lock().requests.pop_front().unwrap() as *mut NDIS_OID_REQUEST
}
