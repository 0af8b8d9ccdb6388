//! `MiniportPause` and `MiniportRestart`: D3 and D4. That nothing is indicated by a miniport that is
//! paused is a rule of the host's too; `races` has schedules against it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use ndis_host::ndis::{AdapterState, BindingState};
use ndis_sys::NDIS_PACKET_TYPE_DIRECTED;
use ndismux_tests::{
    Frame, MAC_PEER, MuxLab, NEVER, NIC, SOON, device, image_tests, until, wait_until,
};

image_tests! {
    fn a_virtual_miniport_pauses_for_a_bind_and_carries_traffic_again() {
        let lab = MuxLab::running();
        for round in 1..=5 {
            let second = lab.add_client("second", "vlan10").expect("a device");
            assert!(second.wait_state(BindingState::Running, SOON));
            assert_eq!(lab.adapter_state("vlan10"), AdapterState::Running);
            lab.assert_traffic("vlan10", 10);
            second.recv(SOON).expect("the frame arrives at the second client too");
            lab.remove_client("second").expect("the client was there");
            // Once for the first client's bind, and in each round for a bind and an unbind.
            let pauses = lab.calls("MiniportPause", &device("vlan10"));
            assert_eq!(pauses.len(), 1 + 2 * round);
            assert_eq!(lab.calls("MiniportRestart", &device("vlan10")).len(), pauses.len() + 1);
            lab.assert_traffic("vlan10", 10);
            lab.assert_traffic("vlan20", 20);
        }
        assert_eq!(lab.calls("MiniportPause", &device("vlan20")).len(), 1);
        lab.down();
    }

    fn a_pause_waits_for_sends_and_holds_up_no_other_virtual_miniport() {
        let lab = MuxLab::running();
        let frame = Frame::new(lab.address("vlan10"), MAC_PEER, 1).bytes();
        lab.below().hold_sends(true);
        let held = lab.above("vlan10").send(&[frame.clone(), frame]);
        assert!(lab.below().wait_sends(SOON, 2));
        let lab = &lab;
        thread::scope(|scope| {
            let second = scope.spawn(|| lab.add_client("second", "vlan10").expect("a device"));
            assert!(lab.above("vlan10").wait_state(BindingState::Pausing, SOON));
            thread::sleep(NEVER);
            assert_ne!(lab.adapter_state("vlan10"), AdapterState::Paused);
            assert_eq!(held.statuses(), [None, None]);
            // The other one on the same NIC is not held up.
            let own = lab.address("vlan20");
            let other = lab.above("vlan20").send(&[Frame::new(own, MAC_PEER, 3).bytes()]);
            assert!(lab.below().wait_sends(SOON, 3));
            lab.below().hold_sends(false);
            assert_eq!(held.wait(SOON), Some(vec![0, 0]));
            assert_eq!(other.wait(SOON), Some(vec![0]));
            let second = second.join().expect("the client binds");
            assert!(second.wait_state(BindingState::Running, SOON));
        });
        while lab.below().take_sent(NEVER).is_some() {}
        lab.assert_traffic("vlan10", 10);
        lab.remove_client("second").expect("the client was there");
        lab.down();
    }

    fn d03_a_virtual_miniport_is_not_paused_while_it_completes_sends() {
        let lab = MuxLab::running();
        let client = lab.above("vlan10");
        let frame = Frame::new(lab.address("vlan10"), MAC_PEER, 1).bytes();
        client.linger_in_completions(true);
        let sent = client.send(&[frame.clone(), frame]);
        assert_eq!(sent.wait(SOON), Some(vec![0, 0]));
        // The client has its sends back, so that it pauses; the calls that bring them have not returned.
        assert_pausing_until(&lab, || client.linger_in_completions(false));
        while lab.below().take_sent(NEVER).is_some() {}
        lab.assert_traffic("vlan10", 10);
        lab.remove_client("second").expect("the client was there");
        lab.down();
    }

    fn d03_a_virtual_miniport_is_not_paused_before_what_a_client_keeps_is_back() {
        let lab = MuxLab::running();
        let client = lab.above("vlan10");
        client.hold_receives(true);
        client.keep_over_pauses(true);
        for seed in 0..16 {
            let frame = Frame::new(MAC_PEER, lab.address("vlan10"), seed);
            lab.below().inject(&frame.tagged(10).bytes());
            client.recv(SOON).expect("the frame arrives above");
        }
        wait_until("the client keeps them all", || client.receives_held() == 16);
        assert_eq!(lab.below().receives_outstanding(), 16);
        assert_pausing_until(&lab, || client.return_held());
        assert_eq!(lab.below().receives_outstanding(), 0);
        client.hold_receives(false);
        lab.assert_traffic("vlan10", 10);
        lab.remove_client("second").expect("the client was there");
        lab.down();
    }

    fn d04_nothing_is_indicated_after_the_pause_is_complete() {
        let lab = MuxLab::running();
        for name in ["vlan10", "vlan20"] {
            assert_eq!(lab.above(name).set_packet_filter(NDIS_PACKET_TYPE_DIRECTED), 0);
        }
        let (ten, twenty) = (lab.address("vlan10"), lab.address("vlan20"));
        lab.below().hold_requests(true);
        thread::scope(|scope| {
            // It wants more than the first client, so its bind waits for the NIC.
            let second = scope.spawn(|| lab.add_client("second", "vlan10").expect("a device"));
            until(|| lab.below().requests_outstanding() == 1);
            assert_eq!(lab.adapter_state("vlan10"), AdapterState::Paused);
            let before = lab.counters().indicated;
            for seed in 0..16 {
                lab.below().inject(&Frame::new(MAC_PEER, ten, seed).tagged(10).bytes());
            }
            // What comes in later arrives where nothing is paused: the others have been looked at.
            let last = Frame::new(MAC_PEER, twenty, 16);
            lab.below().inject(&last.clone().tagged(20).bytes());
            assert_eq!(lab.above("vlan20").recv(SOON).map(|it| it.frame), Some(last.bytes()));
            assert_eq!(lab.counters().indicated, before + 1);
            until(|| lab.below().receives_outstanding() == 0);
            assert_eq!(lab.adapter_state("vlan10"), AdapterState::Paused);
            lab.below().hold_requests(false);
            second.join().expect("the client binds");
        });
        // Nor are they kept until it runs again: what arrives next is what comes in next.
        lab.assert_traffic("vlan10", 10);
        lab.remove_client("second").expect("the client was there");
        lab.down();
    }

    fn d03_d04_pauses_under_traffic_lose_no_send_and_keep_no_receive() {
        let lab = MuxLab::running();
        let (ten, twenty) = (lab.address("vlan10"), lab.address("vlan20"));
        let (lab, done) = (&lab, &AtomicBool::new(false));
        let (ended, refused) = thread::scope(|scope| {
            scope.spawn(|| {
                let before = arrived(lab);
                for injected in (2..).step_by(2) {
                    let seed = injected as u8;
                    lab.below().inject(&Frame::new(MAC_PEER, ten, seed).tagged(10).bytes());
                    lab.below().inject(&Frame::new(MAC_PEER, twenty, seed).tagged(20).bytes());
                    // As fast as they are taken, so that there are always some on their way.
                    let done = done.load(Ordering::Relaxed);
                    let most = if done { 0 } else { 64 };
                    until(|| injected - (arrived(lab) - before) <= most);
                    if done {
                        break;
                    }
                }
            });
            let senders = [("vlan10", ten), ("vlan20", twenty)].map(|(name, own)| {
                scope.spawn(move || {
                    let chain: Vec<_> =
                        (0..16).map(|seed| Frame::new(own, MAC_PEER, seed).bytes()).collect();
                    let (mut ended, mut refused) = (0, 0);
                    while !done.load(Ordering::Relaxed) {
                        // Each NBL has an end, a good one or a bad one.
                        let ends = lab.above(name).send(&chain).wait(SOON).expect("all complete");
                        assert_eq!(ends.len(), 16);
                        ended += 1;
                        refused += usize::from(ends.iter().all(|end| *end != 0));
                    }
                    (ended, refused)
                })
            });
            for _round in 0..10 {
                lab.add_client("second", "vlan10").expect("a device");
                lab.remove_client("second").expect("the client was there");
                lab.add_client("other", NIC).expect("a device");
                lab.remove_client("other").expect("the client was there");
            }
            done.store(true, Ordering::Relaxed);
            let counts = senders.map(|sender| sender.join().expect("no chain is lost"));
            counts.into_iter().fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1))
        });
        assert!(ended > refused && refused != 0, "{refused} of {ended} chains met a pause");
        while lab.below().take_sent(NEVER).is_some() {}
        until(|| lab.below().is_quiet());
        while lab.above("vlan10").recv(NEVER).is_some() {}
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }
}

/// A second client binds to `vlan10`, which pauses for it and stays Pausing until `release`.
fn assert_pausing_until(lab: &MuxLab, release: impl FnOnce()) {
    thread::scope(|scope| {
        let second = scope.spawn(|| lab.add_client("second", "vlan10").expect("a device"));
        assert!(lab.wait_adapter("vlan10", AdapterState::Pausing, SOON));
        thread::sleep(NEVER);
        assert_eq!(lab.adapter_state("vlan10"), AdapterState::Pausing);
        assert_eq!(lab.above("vlan10").binding_state(), BindingState::Paused);
        release();
        let second = second.join().expect("the client binds");
        assert!(second.wait_state(BindingState::Running, SOON));
    });
}

/// How many frames the NIC has taken from the wire.
fn arrived(lab: &MuxLab) -> u64 {
    let statistics = lab.below().statistics();
    statistics.received_frames + statistics.discarded
}
