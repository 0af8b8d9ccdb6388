//! Tests of protocol rules: a client that misbehaves, over a built-in NIC.
//!
//! Each runs in a process of its own, so that each can have a lab.

use std::time::Duration;

use ndis_sys::{NDIS_HANDLE, NET_BUFFER_LIST};

use super::Client;
use crate::call;
use crate::lab::NicPort;
use crate::lab::testing::{LONG, frame, nic, stack};
use crate::ndis::nbl::{data, owner};
use crate::ndis::object::handle_of;
use crate::ndis::open::NdisCloseAdapterEx;
use crate::ndis::pnp::NdisReEnumerateProtocolBindings;
use crate::ndis::receive::NdisReturnNetBufferLists;
use crate::ndis::send::NdisSendNetBufferLists;
use crate::ndis::{caller, driver};
use crate::nt::irql::Irql;
use crate::rules::{self, testing::assert_broken};

fn binding(client: &Client) -> NDIS_HANDLE {
    client.state.lock().binding.unwrap() as NDIS_HANDLE
}

/// An NBL that the NIC indicated and the client keeps.
fn held(nic: &NicPort, client: &Client) -> *mut NET_BUFFER_LIST {
    client.hold_receives(true);
    nic.inject(&frame());
    client.recv(LONG).unwrap();
    while client.receives_held() == 0 {
        std::thread::yield_now();
    }
    client.state.lock().held[0] as *mut NET_BUFFER_LIST
}

fn give_back(client: &Client, nbl: *mut NET_BUFFER_LIST) {
    let _entered = caller::enter(client.caller());
    let binding = binding(client);
    // SAFETY: not sound by NDIS's rules, which is what the tests are about; the host checks.
    unsafe { NdisReturnNetBufferLists(binding, nbl, 0) };
}

#[test]
fn returning_a_frame_twice_is_broken() {
    assert_broken(&rules::NBL_OWNERSHIP, &["NdisReturnNetBufferLists"], || {
        let (_lab, nic, client) = stack(nic());
        let nbl = held(&nic, client);
        give_back(client, nbl);
        give_back(client, nbl);
    });
}

#[test]
fn returning_a_rewritten_frame_is_broken() {
    assert_broken(&rules::NBL_OWNERSHIP, &["its bytes were changed"], || {
        let (_lab, nic, client) = stack(nic());
        let nbl = held(&nic, client);
        let nb = owner::known(nbl, "test").first().unwrap();
        data::write(nb, 59, &[1]);
        give_back(client, nbl);
    });
}

#[test]
fn returning_an_advanced_frame_is_broken() {
    assert_broken(
        &rules::NBL_OWNERSHIP,
        &["DataOffset was 0 and is 14"],
        || {
            let (_lab, nic, client) = stack(nic());
            let nbl = held(&nic, client);
            let nb = owner::known(nbl, "test").first().unwrap();
            // SAFETY: the NB is alive.
            unsafe {
                crate::ndis::nbl::window::NdisAdvanceNetBufferDataStart(nb.raw(), 14, 0, None);
            }
            give_back(client, nbl);
        },
    );
}

#[test]
fn returning_a_frame_that_came_with_resources_is_broken() {
    assert_broken(
        &rules::NBL_OWNERSHIP,
        &["no NET_BUFFER_LIST, or one that was freed"],
        || {
            let (_lab, nic, client) = stack(nic());
            let nbl = held(&nic, client);
            client.return_held();
            while nic.receives_outstanding() != 0 {
                std::thread::yield_now();
            }
            // As one is that was kept beyond the receive handler: the NIC has freed it.
            give_back(client, nbl);
        },
    );
}

#[test]
fn a_frame_that_is_never_returned_holds_up_the_pause_and_is_named() {
    let parts = ["NDnc", "held by stack since it was indicated"];
    assert_broken(
        &rules::NDIS_BUGCHECK_WATCHDOG_MINIPORT_PAUSE,
        &parts,
        || {
            let (lab, nic, client) = stack(nic());
            held(&nic, client);
            // The pause returns what is kept, unless it is forgotten.
            client.state.lock().held.clear();
            lab.policy(|policy| policy.watchdog = Duration::from_millis(200));
            lab.unplug_nic("nic0").unwrap();
        },
    );
}

#[test]
fn closing_outside_of_an_unbind_is_broken() {
    assert_broken(
        &rules::PROTOCOL_BINDING_STATE,
        &["NdisCloseAdapterEx in state Running"],
        || {
            let (_lab, _nic, client) = stack(nic());
            let binding = binding(client);
            // SAFETY: not sound by NDIS's rules; the host checks.
            unsafe { NdisCloseAdapterEx(binding) };
        },
    );
}

#[test]
fn a_dead_binding_handle_is_named() {
    assert_broken(
        &rules::INVALID_HANDLE,
        &["dead binding handle", "stack on"],
        || {
            let (lab, _nic, client) = stack(nic());
            let binding = binding(client);
            lab.unplug_nic("nic0").unwrap();
            // SAFETY: not sound by NDIS's rules; the host checks.
            unsafe { NdisSendNetBufferLists(binding, std::ptr::null_mut(), 0, 0) };
        },
    );
}

#[test]
fn sending_what_another_holds_is_broken() {
    assert_broken(&rules::NBL_OWNERSHIP, &["stack does not hold it"], || {
        let (_lab, nic, client) = stack(nic());
        nic.hold_sends(true);
        client.send(&[frame()]);
        let nbl = *client.state.lock().sends.keys().next().unwrap() as *mut NET_BUFFER_LIST;
        let _entered = caller::enter(client.caller());
        let binding = binding(client);
        // SAFETY: not sound by NDIS's rules; the host checks.
        unsafe { NdisSendNetBufferLists(binding, nbl, 0, 0) };
    });
}

#[test]
fn sending_on_a_paused_binding_is_broken() {
    assert_broken(
        &rules::PROTOCOL_BINDING_STATE,
        &["NdisSendNetBufferLists in state Paused"],
        || {
            let (_lab, _nic, client) = stack(nic());
            let handle = binding(client);
            let binding: &crate::ndis::binding::Binding =
                crate::ndis::object::resolve(handle, "test");
            binding.pause(0);
            // SAFETY: not sound by NDIS's rules; the host checks.
            unsafe { NdisSendNetBufferLists(handle, std::ptr::null_mut(), 0, 0) };
        },
    );
}

#[test]
fn enumerating_bindings_inside_a_bind_is_broken() {
    let parts = ["inside a bind or unbind handler"];
    assert_broken(&rules::NDIS_RE_ENUMERATE_PROTOCOL_BINDINGS, &parts, || {
        let (_lab, _nic, _client) = stack(nic());
        let handle = handle_of(driver::protocol_of("stack").unwrap());
        call::callback(
            "ProtocolBindAdapterEx",
            Irql::PASSIVE..=Irql::PASSIVE,
            || {
                // SAFETY: the handle is the client's; that it is no time for it is for the host to check.
                unsafe { NdisReEnumerateProtocolBindings(handle) };
            },
        );
    });
}
