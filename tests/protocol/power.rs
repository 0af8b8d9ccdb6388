//! Sleep and wake: the edges come in either order, and traffic flows again after all of them.

use std::{
    thread,
    time::{Duration, Instant},
};

use ndis_host::{
    lab::Order,
    ndis::{AdapterState, BindingState, policy::When},
    nic::NicConfig,
};
use ndis_sys::{
    NDIS_OBJECT_TYPE_DEFAULT, NDIS_PACKET_TYPE_BROADCAST, NDIS_PM_CAPABILITIES,
    NDIS_PM_PARAMETERS_REVISION_2, NDIS_STATUS_INVALID_PARAMETER, NDIS_STATUS_LOW_POWER_STATE,
    NDIS_STATUS_NETWORK_CHANGE, NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_PAUSED,
    NDIS_STATUS_REQUEST_ABORTED, NetEventSetPower, OID_GEN_TRANSMIT_QUEUE_LENGTH,
    OID_PM_ADD_WOL_PATTERN, OID_PM_CURRENT_CAPABILITIES, OID_PM_PARAMETERS,
};
use ndismux_tests::{
    BINDING, Frame, MAC_BELOW, MAC_PEER, MuxLab, NEVER, NIC, SOON, VLAN10, device, image_tests,
    until, wait_until,
};

use super::oid::request_with_id;

image_tests! {
    fn traffic_flows_again_after_sleep_and_wake_in_any_order() {
        let lab = MuxLab::running();
        let orders = [Order::UpperFirst, Order::LowerFirst];
        for (sleep, wake) in orders.iter().flat_map(|sleep| orders.iter().map(move |wake| (sleep, wake))) {
            assert!(lab.sleep_system(*sleep).is_empty());
            assert!(lab.is_asleep(NIC) && lab.is_asleep("vlan10") && lab.is_asleep("vlan20"));
            assert!(lab.wake_system(*wake).is_empty());
            lab.wait_running("vlan10");
            lab.wait_running("vlan20");
            lab.assert_traffic("vlan10", 10);
            lab.assert_traffic("vlan20", 20);
        }
        lab.down();
    }

    fn one_edge_may_sleep_alone() {
        let lab = MuxLab::running();
        lab.sleep_adapter("vlan10").expect("an adapter").expect("nobody refuses");
        lab.assert_traffic("vlan20", 20);
        lab.wake_adapter("vlan10").expect("an adapter").expect("it only slept");
        lab.wait_running("vlan10");
        lab.assert_traffic("vlan10", 10);

        lab.sleep_adapter(NIC).expect("an adapter").expect("nobody refuses");
        lab.wake_adapter(NIC).expect("an adapter").expect("it only slept");
        lab.assert_traffic("vlan10", 10);
        lab.assert_traffic("vlan20", 20);
        lab.down();
        // A sleep is no reason to let go of the NIC.
        lab.only_call("ProtocolUnbindAdapterEx", BINDING);
    }

    fn nothing_is_sent_to_a_nic_that_sleeps_without_a_pause() {
        let nic = NicConfig { pauses_to_sleep: false, ..NicConfig::new(NIC, MAC_BELOW) };
        let lab = MuxLab::with_nic(nic, &[VLAN10]);
        lab.up();
        let send = || {
            let frame = Frame::new(lab.address("vlan10"), MAC_PEER, 1).bytes();
            lab.above("vlan10").send(&[frame]).wait(SOON).expect("it completes")
        };
        let sent = || lab.below().statistics().sent_frames;
        lab.sleep_adapter(NIC).expect("an adapter").expect("nobody refuses");
        assert_eq!(lab.adapter_state(NIC), AdapterState::Running, "nothing was paused");
        // The virtual miniport itself is awake, and its clients may send.
        let before = sent();
        assert_eq!(send(), [NDIS_STATUS_PAUSED]);
        assert_eq!(sent(), before);
        lab.wake_adapter(NIC).expect("an adapter").expect("it only slept");
        lab.assert_traffic("vlan10", 10);
        assert_eq!(sent(), before + 1);
        lab.down();
    }

    fn a_sleep_is_not_kept_waiting_by_a_request_that_is_below() {
        // NDIS asks nothing of it before it announces the sleep, and halts it.
        let nic = NicConfig { sleeps: false, ..NicConfig::new(NIC, MAC_BELOW) };
        let lab = MuxLab::with_nic(nic, &[VLAN10]);
        lab.up();
        let other = lab.add_client("other", NIC).expect("a device");
        assert!(other.wait_state(BindingState::Running, SOON));
        lab.below().hold_requests(true);
        thread::scope(|scope| {
            let query = scope.spawn(|| lab.above("vlan10").query(OID_GEN_TRANSMIT_QUEUE_LENGTH, 4));
            until(|| lab.below().requests_outstanding() == 1);
            let sleep = scope.spawn(|| lab.sleep_adapter(NIC));
            // The next one is told only when the driver has answered.
            until(|| other.events().contains(&NetEventSetPower));
            assert!(!query.is_finished() && !sleep.is_finished());
            lab.below().hold_requests(false);
            sleep.join().expect("it ends").expect("an adapter").expect("nobody refuses");
            query.join().expect("it is answered");
        });
        lab.wake_adapter(NIC).expect("an adapter").expect("it only slept");
        lab.assert_traffic("vlan10", 10);
        lab.remove_client("other").expect("the client was there");
        lab.down();
    }

    fn a_virtual_miniport_that_sleeps_alone_is_silent_and_learns_on_waking_what_it_missed() {
        let lab = MuxLab::running();
        lab.sleep_adapter("vlan10").expect("an adapter").expect("nobody refuses");
        let before = lab.above("vlan10").statuses().len();
        lab.below().set_link(false);
        lab.below().indicate_status(NDIS_STATUS_NETWORK_CHANGE, &0_u32);
        assert!(lab.above("vlan20").wait_link(false, SOON));
        lab.below().indicate_status(NDIS_STATUS_NETWORK_CHANGE, &2_u32);
        lab.below().indicate_status(NDIS_STATUS_NETWORK_CHANGE, &1_u32);
        assert_eq!(lab.above("vlan10").statuses().len(), before);
        lab.wake_adapter("vlan10").expect("an adapter").expect("it only slept");
        assert!(lab.above("vlan10").wait_link(false, SOON), "told on waking");
        // That the network changed is told once, as what demands most.
        let change = |name| {
            let statuses = lab.above(name).statuses();
            let changes = statuses.into_iter().filter(|(code, _)| *code == NDIS_STATUS_NETWORK_CHANGE);
            changes.map(|(_, buffer)| buffer[0]).collect::<Vec<_>>()
        };
        wait_until("the change is told", || !change("vlan10").is_empty());
        assert_eq!((change("vlan10"), change("vlan20")), (vec![2], vec![0, 2, 1]));
        lab.sleep_adapter("vlan10").expect("an adapter").expect("nobody refuses");
        lab.wake_adapter("vlan10").expect("an adapter").expect("it only slept");
        assert_eq!(change("vlan10"), [2], "and not again");
        lab.below().set_link(true);
        for name in ["vlan10", "vlan20"] {
            assert!(lab.above(name).wait_link(true, SOON), "{name}");
            lab.wait_running(name);
        }
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn what_a_virtual_miniport_missed_that_wakes_first_it_learns_when_the_nic_wakes() {
        let lab = MuxLab::running();
        lab.sleep_adapter("vlan10").expect("an adapter").expect("nobody refuses");
        lab.below().set_link(false);
        lab.sleep_adapter(NIC).expect("an adapter").expect("nobody refuses");
        let before = lab.above("vlan10").statuses().len();
        lab.wake_adapter("vlan10").expect("an adapter").expect("it only slept");
        // Nothing is told as long as one of the two edges sleeps.
        assert_eq!(lab.above("vlan10").statuses().len(), before);
        lab.wake_adapter(NIC).expect("an adapter").expect("it only slept");
        assert!(lab.above("vlan10").wait_link(false, SOON));
        lab.down();
    }

    fn d05_a_nic_that_says_nothing_of_power_is_bound_and_no_wake_up_is_shown() {
        for sleeps in [false, true] {
            // One that has no power management passes no capabilities: the pointer is null.
            let nic = NicConfig { sleeps, ..NicConfig::new(NIC, MAC_BELOW) };
            let lab = MuxLab::with_nic(nic, &[VLAN10]);
            lab.up();
            let (status, capabilities) = lab.above("vlan10").query(OID_PM_CURRENT_CAPABILITIES, 256);
            assert_eq!((status, capabilities.len()), (0, size_of::<NDIS_PM_CAPABILITIES>()));
            assert!(capabilities[4..].iter().all(|byte| *byte == 0), "{capabilities:?}");

            // Type, revision and size of NDIS_PM_PARAMETERS, then what is enabled.
            let mut parameters = vec![NDIS_OBJECT_TYPE_DEFAULT, NDIS_PM_PARAMETERS_REVISION_2, 20, 0];
            parameters.resize(20, 0);
            let set = |value: &[u8]| lab.set("vlan10", OID_PM_PARAMETERS, value).expect("it is there").status;
            assert_eq!(set(&parameters), 0);
            for word in (4..20).step_by(4) {
                parameters[word] = 2;
                assert_eq!(set(&parameters), NDIS_STATUS_INVALID_PARAMETER, "{word}");
                parameters[word] = 0;
            }
            let pattern = lab.set("vlan10", OID_PM_ADD_WOL_PATTERN, &[0; 64]).expect("it is there");
            assert_eq!(pattern.status, NDIS_STATUS_NOT_SUPPORTED);
            lab.assert_traffic("vlan10", 10);
            lab.down();
        }
    }

    fn a_driver_may_be_unloaded_while_everything_sleeps() {
        let lab = MuxLab::running();
        lab.sleep_system(Order::LowerFirst);
        lab.down();
        assert_eq!(lab.adapter_state("vlan10"), AdapterState::Halted);
        lab.only_call("MiniportHaltEx", &device("vlan10"));
    }

    fn requests_wait_for_a_nic_that_sleeps_and_go_down_when_it_wakes() {
        for when in [When::Inline, When::Later] {
            let lab = MuxLab::running();
            lab.policy(|policy| (policy.oid, policy.nic_oid) = (when, when));
            lab.sleep_adapter(NIC).expect("an adapter").expect("nobody refuses");
            thread::scope(|scope| {
                let queries = ["vlan10", "vlan20"].map(|name| {
                    let lab = &lab;
                    scope.spawn(move || lab.above(name).query(OID_GEN_TRANSMIT_QUEUE_LENGTH, 4))
                });
                thread::sleep(NEVER);
                assert!(queries.iter().all(|query| !query.is_finished()), "they wait");
                lab.wake_adapter(NIC).expect("an adapter").expect("it only slept");
                for query in queries {
                    assert_eq!(query.join().expect("it is answered"), (0, vec![0; 4]));
                }
            });
            lab.assert_traffic("vlan10", 10);
            lab.down();
        }
    }

    fn nobody_waits_longer_for_a_nic_that_sleeps_than_an_oid_request_may_take() {
        let lab = MuxLab::running();
        let query = || lab.above("vlan10").query(OID_GEN_TRANSMIT_QUEUE_LENGTH, 4).0;
        lab.sleep_adapter(NIC).expect("an adapter").expect("nobody refuses");
        let begin = Instant::now();
        assert_eq!(query(), NDIS_STATUS_LOW_POWER_STATE);
        assert!(begin.elapsed() > Duration::from_secs(4), "{:?}", begin.elapsed());
        assert!(begin.elapsed() < Duration::from_secs(12), "{:?}", begin.elapsed());
        let again = Instant::now();
        assert_eq!(query(), NDIS_STATUS_LOW_POWER_STATE);
        assert!(again.elapsed() < Duration::from_secs(4), "refused at once from then on");
        lab.wake_adapter(NIC).expect("an adapter").expect("it only slept");
        assert_eq!(query(), 0);
        // The next sleep is another one.
        lab.sleep_adapter(NIC).expect("an adapter").expect("nobody refuses");
        thread::scope(|scope| {
            let waits = scope.spawn(query);
            thread::sleep(NEVER);
            assert!(!waits.is_finished());
            lab.wake_adapter(NIC).expect("an adapter").expect("it only slept");
            assert_eq!(waits.join().expect("it is answered"), 0);
        });
        lab.down();
    }

    fn a_request_that_waits_for_the_wake_can_be_cancelled_and_no_other_is() {
        let lab = MuxLab::running();
        lab.sleep_adapter(NIC).expect("an adapter").expect("nobody refuses");
        thread::scope(|scope| {
            let first = scope.spawn(|| request_with_id(&lab, "vlan10", 7));
            let second = scope.spawn(|| request_with_id(&lab, "vlan20", 7));
            thread::sleep(NEVER);
            lab.above("vlan10").cancel_requests(8);
            thread::sleep(NEVER);
            assert!(!first.is_finished() && !second.is_finished());
            lab.above("vlan10").cancel_requests(7);
            assert_eq!(first.join().expect("it completes"), NDIS_STATUS_REQUEST_ABORTED);
            assert!(!second.is_finished());
            lab.wake_adapter(NIC).expect("an adapter").expect("it only slept");
            assert_eq!(second.join().expect("it completes"), 0);
        });
        lab.down();
    }

    fn a_request_that_waits_completes_when_the_nic_goes() {
        let lab = MuxLab::running();
        lab.sleep_adapter(NIC).expect("an adapter").expect("nobody refuses");
        thread::scope(|scope| {
            let waits = scope.spawn(|| lab.above("vlan10").query(OID_GEN_TRANSMIT_QUEUE_LENGTH, 4).0);
            thread::sleep(NEVER);
            lab.pull_nic(NIC).expect("the NIC was plugged");
            let _any = waits.join().expect("it completes");
        });
        lab.finish();
    }

    fn what_is_wanted_while_the_nic_sleeps_is_taken_at_once_and_set_at_the_wake() {
        let lab = MuxLab::running();
        let broadcast = NDIS_PACKET_TYPE_BROADCAST;
        assert_eq!(lab.above("vlan20").set_packet_filter(0), 0);
        assert_eq!(lab.above("vlan10").set_packet_filter(0), 0);
        lab.sleep_adapter(NIC).expect("an adapter").expect("nobody refuses");
        assert_eq!(lab.above("vlan10").set_packet_filter(broadcast), 0);
        assert_eq!(lab.below().filter().packet_types, 0);
        lab.wake_adapter(NIC).expect("an adapter").expect("it only slept");
        wait_until("the filter is set", || lab.below().filter().packet_types == broadcast);
        lab.down();
    }
}
