use ndis_sys::{NDIS_STATUS_SUCCESS, NdisRequestQueryInformation};

use super::super::request;
use super::*;
use crate::ndis::object::handle_of;
use crate::ndis::testing::{Bound, Miniport, start};
use crate::nt::irql::{self, Irql};
use crate::rules::testing::assert_broken;

fn query(room: usize) -> &'static mut NDIS_OID_REQUEST {
    let buffer = Box::leak(vec![0; room].into_boxed_slice());
    Box::leak(Box::new(request::new(
        NdisRequestQueryInformation,
        0xff00_0001,
        buffer,
    )))
}

fn answer(_adapter: NDIS_HANDLE, request: *mut NDIS_OID_REQUEST) -> NDIS_STATUS {
    assert_eq!(irql::current(), Irql::DISPATCH);
    // SAFETY: NDIS gives a live request.
    unsafe { Request::new(request) }.answer(&[1, 2, 3, 4])
}

fn pend(_adapter: NDIS_HANDLE, _request: *mut NDIS_OID_REQUEST) -> NDIS_STATUS {
    NDIS_STATUS_PENDING
}

fn ask(bound: &Bound, request: *mut NDIS_OID_REQUEST) -> NDIS_STATUS {
    // SAFETY: the binding is open, and the request lives for good.
    unsafe { NdisDirectOidRequest(bound.handle, request) }
}

fn complete(adapter: NDIS_HANDLE, request: *mut NDIS_OID_REQUEST, status: NDIS_STATUS) {
    // SAFETY: the handle is alive; what is not pending is found.
    unsafe { NdisMDirectOidRequestComplete(adapter, request, status) };
}

#[test]
fn a_direct_request_is_answered_at_the_callers_irql() {
    let miniport = Miniport {
        direct_oid: answer,
        ..Miniport::default()
    };
    let bound = Bound::to(start("direct", miniport));
    irql::at(Irql::DISPATCH, || {
        assert_eq!(ask(&bound, query(4)), NDIS_STATUS_SUCCESS);
    });
    assert!(bound.completed().is_empty());
}

#[test]
fn direct_requests_pend_beside_each_other() {
    let miniport = Miniport {
        direct_oid: pend,
        ..Miniport::default()
    };
    let adapter = start("direct pending", miniport);
    let bound = Bound::to(adapter);
    let (first, second) = (&raw mut *query(4), &raw mut *query(4));
    assert_eq!(ask(&bound, first), NDIS_STATUS_PENDING);
    assert_eq!(ask(&bound, second), NDIS_STATUS_PENDING);
    complete(handle_of(adapter), second, NDIS_STATUS_FAILURE);
    complete(handle_of(adapter), first, NDIS_STATUS_SUCCESS);
    assert_eq!(
        bound.completed(),
        [NDIS_STATUS_FAILURE, NDIS_STATUS_SUCCESS]
    );
}

#[test]
fn completing_a_direct_request_twice_breaks_its_rule() {
    assert_broken(
        &rules::NDIS_BUGCHECK_INVALID_OID_COMPLETION,
        &["is not pending"],
        || {
            let miniport = Miniport {
                direct_oid: pend,
                ..Miniport::default()
            };
            let adapter = start("direct", miniport);
            let bound = Bound::to(adapter);
            let request = &raw mut *query(4);
            ask(&bound, request);
            complete(handle_of(adapter), request, 0);
            complete(handle_of(adapter), request, 0);
        },
    );
}

#[test]
fn completing_and_returning_breaks_double_complete() {
    assert_broken(&rules::DOUBLE_COMPLETE, &["returned 0x0"], || {
        let miniport = Miniport {
            direct_oid: |adapter, request| {
                complete(adapter, request, 0);
                0
            },
            ..Miniport::default()
        };
        ask(&Bound::to(start("direct", miniport)), query(4))
    });
}

#[test]
fn one_direct_request_is_on_its_way_once() {
    assert_broken(
        &rules::NDIS_OID_DOUBLE_REQUEST,
        &["is at", "already"],
        || {
            let miniport = Miniport {
                direct_oid: pend,
                ..Miniport::default()
            };
            let bound = Bound::to(start("direct", miniport));
            let request = &raw mut *query(4);
            ask(&bound, request);
            ask(&bound, request)
        },
    );
}
