//! Sends that meet a binding or a virtual miniport that does not run, or not any more: S6 and D2.

use std::thread;

use ndis_host::{
    client::{SendShape, SendTicket},
    ndis::{AdapterState, BindingState},
};
use ndis_sys::{NDIS_STATUS_PENDING, OID_GEN_CURRENT_PACKET_FILTER};
use ndismux_tests::{
    BINDING, MuxLab, NIC, SERVICE, SOON, VLAN10, VLAN20, frames, image_tests, until,
};

image_tests! {
    fn s6_a_chain_of_64_sent_after_close_began_comes_back_whole_with_an_error() {
        let lab = MuxLab::running();
        // So that the filter below changes when the first virtual miniport goes.
        assert_eq!(lab.above("vlan20").set_packet_filter(0), 0);
        lab.below().hold_requests(true);
        thread::scope(|scope| {
            let unplug = scope.spawn(|| lab.unplug_nic(NIC).expect("the NIC was plugged"));
            until(|| lab.below().requests_outstanding() == 1);
            // The first one on its way out waits for the NIC. The other is not halted before, so its
            // client still sends.
            assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Closing);
            assert_eq!(lab.above("vlan10").binding_state(), BindingState::Closing);
            assert_eq!(lab.above("vlan20").binding_state(), BindingState::Running);
            let frames = frames(&lab, "vlan20", &[60; 64]);
            assert_whole_chain_fails(&lab, || lab.above("vlan20").send(&frames));
            lab.below().hold_requests(false);
            unplug.join().expect("the NIC comes out");
        });
        // What could send was gone before the binding was closed.
        let close = lab.only_call("NdisCloseAdapterEx", BINDING);
        for halt in lab.trace().image_calls("MiniportHaltEx") {
            assert!(halt.ended < close.sequence);
        }
        lab.finish();
    }

    fn s6_a_chain_of_64_sent_to_a_halting_virtual_miniport_comes_back_whole_with_an_error() {
        let lab = MuxLab::running();
        lab.below().hold_requests(true);
        thread::scope(|scope| {
            let unplug = scope.spawn(|| lab.unplug_nic(NIC).expect("the NIC was plugged"));
            until(|| lab.below().requests_outstanding() == 1);
            let name = ["vlan10", "vlan20"]
                .into_iter()
                .find(|name| lab.above(name).binding_state() == BindingState::Closing)
                .expect("a client is being unbound");
            assert_eq!(lab.adapter_state(name), AdapterState::Paused);
            let frames = frames(&lab, name, &[60; 64]);
            assert_whole_chain_fails(&lab, || lab.above(name).send_late(&frames, &SendShape::PLAIN));
            lab.below().hold_requests(false);
            unplug.join().expect("the NIC comes out");
        });
        lab.finish();
    }

    fn d02_send_while_the_binding_is_pausing_completes_the_whole_chain() {
        let lab = MuxLab::running();
        lab.below().hold_sends(true);
        let held = lab.above("vlan10").send(&frames(&lab, "vlan10", &[60]));
        assert!(lab.below().wait_sends(SOON, 1));
        thread::scope(|scope| {
            let unplug = scope.spawn(|| lab.unplug_nic(NIC).expect("the NIC was plugged"));
            until(|| lab.binding_state(SERVICE, NIC) == BindingState::Pausing);
            // The event reaches the driver a moment after the state.
            until(|| ends_with_an_error(&lab, "vlan20"));
            for name in ["vlan10", "vlan20"] {
                assert_eq!(lab.adapter_state(name), AdapterState::Running);
                let frames = frames(&lab, name, &[60; 64]);
 assert_whole_chain_fails(&lab, || lab.above(name).send(&frames));
            }
            assert_eq!(held.statuses(), [None]);
            lab.below().hold_sends(false);
            unplug.join().expect("the NIC comes out");
        });
        assert_eq!(held.wait(SOON), Some(vec![0]));
        lab.finish();
    }

    fn d02_send_while_the_binding_is_paused_completes_the_whole_chain() {
        let lab = MuxLab::running();
        lab.below().hold_requests(true);
        thread::scope(|scope| {
            // A protocol that binds to the NIC pauses all that is above it, until it is done.
            let other = scope.spawn(|| lab.add_client("other", NIC).expect("a device"));
            until(|| lab.below().requests_outstanding() == 1);
            assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Paused);
            for name in ["vlan10", "vlan20"] {
                assert_eq!(lab.adapter_state(name), AdapterState::Running);
                let frames = frames(&lab, name, &[60; 64]);
 assert_whole_chain_fails(&lab, || lab.above(name).send(&frames));
            }
            lab.below().hold_requests(false);
            other.join().expect("the client binds");
        });
        lab.assert_traffic("vlan10", 10);
        lab.assert_traffic("vlan20", 20);
        lab.remove_client("other").expect("the client was there");
        lab.down();
    }

    fn d02_send_while_the_virtual_miniport_is_paused_completes_the_whole_chain() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        lab.start();
        lab.attach("vlan20");
        lab.below().hold_requests(true);
        // Nothing else widens the filter below, so that a bind waits for it.
        thread::scope(|scope| {
            let set = scope.spawn(|| {
                let nothing = 0_u32.to_le_bytes();
                lab.above("vlan20").set(OID_GEN_CURRENT_PACKET_FILTER, &nothing)
            });
            until(|| lab.below().requests_outstanding() == 1);
            let attach = scope.spawn(|| lab.attach("vlan10"));
            until(|| lab.client("vlan10").is_ok_and(|client| {
                client.binding_state() == BindingState::Opening && client.attributes().is_some()
            }));
            assert_eq!(lab.adapter_state("vlan10"), AdapterState::Paused);
            let frames = frames(&lab, "vlan10", &[60; 64]);
            let late = || lab.above("vlan10").send_late(&frames, &SendShape::PLAIN);
            assert_whole_chain_fails(&lab, late);
            lab.below().hold_requests(false);
            assert_eq!(set.join().expect("the set completes"), 0);
            attach.join().expect("the client binds");
        });
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn d02_sends_that_a_pause_overtakes_all_complete() {
        let lab = MuxLab::running();
        let lab = &lab;
        thread::scope(|scope| {
            let mut senders = Vec::new();
            for name in ["vlan10", "vlan20"] {
                let frames = frames(lab, name, &[60; 64]);
                senders.push(scope.spawn(move || {
                    let mut refused = 0;
                    for _chain in 0..200 {
                        let statuses = lab.above(name).send(&frames).wait(SOON);
                        let statuses = statuses.expect("all complete");
                        assert_eq!(statuses.len(), 64);
                        assert!(!statuses.contains(&NDIS_STATUS_PENDING));
                        refused += usize::from(statuses.iter().all(|status| *status != 0));
                    }
                    refused
                }));
            }
            while senders.iter().any(|sender| !sender.is_finished()) {
                lab.add_client("other", NIC).expect("a device");
                lab.remove_client("other").expect("the client was there");
            }
            let refused: usize =
                senders.into_iter().map(|sender| sender.join().expect("no chain is lost")).sum();
            assert_ne!(refused, 0, "no chain met a pause");
        });
        while lab.below().take_sent(std::time::Duration::ZERO).is_some() {}
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }
}

fn ends_with_an_error(lab: &MuxLab, name: &str) -> bool {
    let ticket = lab.above(name).send(&frames(lab, name, &[60]));
    // What is still taken is held below.
    ticket.statuses().iter().all(Option::is_some)
}

/// All of the chain that is sent ends at once, by an error, and nothing of it is on the wire.
fn assert_whole_chain_fails(lab: &MuxLab, send: impl FnOnce() -> SendTicket) {
    let before = lab.below().statistics();
    let statuses = send().statuses();
    assert_eq!(statuses.len(), 64);
    for status in &statuses {
        let status = status.expect("each NBL is back before the send returns");
        assert!(status < 0, "{status:#x}");
    }
    let after = lab.below().statistics();
    assert_eq!(
        (after.sent_frames, after.send_errors),
        (before.sent_frames, before.send_errors)
    );
}
