//! `ProtocolNetPnPEvent`, and NICs that come and go: S5.

use std::thread;

use ndis_host::{
    faults,
    ndis::{
        AdapterState, BindingState, ImState,
        policy::{ImInitialize, When},
    },
    nt::registry::Value,
};
use ndis_sys::{
    NDIS_PACKET_TYPE_BROADCAST, NDIS_PACKET_TYPE_DIRECTED, NDIS_STATUS_FAILURE, NDIS_STATUS_PAUSED,
    NDIS_STATUS_REQUEST_ABORTED, NDIS_STATUS_SUCCESS, NetEventBindList, NetEventBindsComplete,
    NetEventCancelRemoveDevice, NetEventFilterPreDetach, NetEventPnPCapabilities,
    NetEventPortActivation, NetEventPortDeactivation, NetEventQueryPower,
    NetEventQueryRemoveDevice, NetEventReconfigure, OID_GEN_TRANSMIT_QUEUE_LENGTH,
    OID_GEN_VENDOR_ID,
};
use ndismux_tests::{
    BINDING, BINDING1, Frame, MAC_PEER, MuxLab, NEVER, NIC, NIC1, SERVICE, SOON, VLAN10, VLAN20,
    VLAN30, device, faults_in, image_tests, until, wait_until,
};

image_tests! {
    fn s5_a_disabled_virtual_miniport_comes_up_again_when_it_is_enabled() {
        let lab = MuxLab::running();
        for _round in 0..3 {
            lab.disable("vlan10").expect("an adapter");
            assert_eq!(lab.adapter_state("vlan10"), AdapterState::Halted);
            lab.assert_traffic("vlan20", 20);
            assert_eq!(lab.enable(SERVICE, "vlan10").expect("a device"), NDIS_STATUS_SUCCESS);
            lab.wait_running("vlan10");
            lab.assert_traffic("vlan10", 10);
            lab.assert_traffic("vlan20", 20);
        }
        lab.down();
        assert_eq!(lab.calls("MiniportHaltEx", &device("vlan10")).len(), 4);
        lab.only_call("NdisIMDeInitializeDeviceInstance", &device("vlan10"));
    }

    fn virtual_miniports_follow_a_nic_that_is_another_after_a_restart() {
        let lab = MuxLab::running();
        let mtu = |name: &str| lab.above(name).attributes().expect("the client is bound").mtu;
        let initialized = || ["vlan10", "vlan20"].map(|name| lab.calls("MiniportInitializeEx", &device(name)).len());
        assert_eq!((mtu("vlan10"), mtu("vlan20")), (1496, 1496));
        // A driver that binds to the NIC pauses it: what has not changed is left alone.
        lab.add_client("other", NIC).expect("a device");
        lab.assert_traffic("vlan10", 10);
        assert_eq!(initialized(), [1, 1]);
        lab.below().set_mtu_at_restart(1400);
        lab.remove_client("other").expect("the client was there");
        lab.add_client("other", NIC).expect("a device");
        for (name, vlan) in [("vlan10", 10), ("vlan20", 20)] {
            wait_until("it shows the NIC's new MTU", || mtu(name) == 1396);
            lab.wait_running(name);
            lab.assert_traffic(name, vlan);
        }
        assert_eq!(initialized(), [2, 2]);
        lab.remove_client("other").expect("the client was there");
        lab.down();
    }

    fn s5_enable_knows_the_device_in_any_case() {
        let lab = MuxLab::new(&[VLAN10]);
        let name = r"\DEVICE\{VLAN10}".to_owned();
        lab.bind(SERVICE, NIC, &[("UpperBindings", Value::MultiSz(vec![name]))]).expect("a device");
        lab.up();
        lab.disable("vlan10").expect("an adapter");
        // NDIS names the device as it was installed: with small letters.
        assert_eq!(lab.enable(SERVICE, "vlan10").expect("a device"), NDIS_STATUS_SUCCESS);
        lab.wait_running("vlan10");
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn s5_enable_of_a_device_that_is_not_the_drivers_changes_nothing() {
        let lab = MuxLab::running();
        lab.add_virtual_miniport("stranger", &device("stranger"), &[]);
        let requests = || lab.trace().image_calls("NdisIMInitializeDeviceInstanceEx").len();
        let before = requests();
        assert_eq!(lab.enable(SERVICE, "stranger").expect("a device"), NDIS_STATUS_SUCCESS);
        // Nor of one that is up.
        assert_eq!(lab.enable(SERVICE, "vlan10").expect("a device"), NDIS_STATUS_SUCCESS);
        assert_eq!(requests(), before);
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn s5_unbind_leaves_a_disabled_virtual_miniport_alone() {
        let lab = MuxLab::running();
        lab.disable("vlan10").expect("an adapter");
        lab.down();
        let close = lab.only_call("NdisCloseAdapterEx", BINDING);
        assert!(lab.only_call("MiniportHaltEx", &device("vlan10")).ended < close.sequence);
        for not_called in ["NdisIMDeInitializeDeviceInstance", "NdisIMCancelInitializeDeviceInstance"] {
            assert!(lab.calls(not_called, &device("vlan10")).is_empty(), "{not_called}");
            assert_eq!(
                lab.calls(not_called, &device("vlan20")).len(),
                usize::from(not_called == "NdisIMDeInitializeDeviceInstance")
            );
        }
    }

    fn s5_unbind_while_an_enabled_virtual_miniport_waits_to_be_initialized() {
        let lab = MuxLab::running();
        lab.disable("vlan10").expect("an adapter");
        lab.policy(|policy| policy.im_initialize = ImInitialize::Held);
        assert_eq!(lab.enable(SERVICE, "vlan10").expect("a device"), NDIS_STATUS_SUCCESS);
        assert_eq!(lab.im_state("vlan10"), ImState::InitRequested);
        lab.down();
        let cancel = lab.only_call("NdisIMCancelInitializeDeviceInstance", &device("vlan10"));
        assert_eq!(cancel.status, Some(0));
        lab.only_call("MiniportHaltEx", &device("vlan10"));
    }

    fn s5_an_enable_that_ndis_refuses_may_be_tried_again() {
        let lab = MuxLab::running();
        lab.disable("vlan10").expect("an adapter");
        lab.fail_nth("NdisIMInitializeDeviceInstanceEx", 1);
        // The event itself may not fail.
        assert_eq!(lab.enable(SERVICE, "vlan10").expect("a device"), NDIS_STATUS_SUCCESS);
        assert_eq!(lab.im_state("vlan10"), ImState::NoInstance);
        assert_eq!(lab.enable(SERVICE, "vlan10").expect("a device"), NDIS_STATUS_SUCCESS);
        lab.wait_running("vlan10");
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn s5_an_enable_succeeds_whichever_of_its_calls_fails() {
        let lab = MuxLab::running();
        lab.policy(|policy| policy.im_initialize = ImInitialize::Held);
        let enable = || {
            assert_eq!(lab.enable(SERVICE, "vlan10").expect("a device"), NDIS_STATUS_SUCCESS);
        };
        lab.disable("vlan10").expect("an adapter");
        let faults = faults_in(&["NdisIMInitializeDeviceInstanceEx"], enable);
        let bring_up = || {
            assert!(lab.release_initialize("vlan10"));
            assert!(lab.wait_adapter("vlan10", AdapterState::Running, SOON));
            lab.disable("vlan10").expect("an adapter");
        };
        bring_up();
        for fault in faults {
            fault.arm();
            enable();
            faults::clear();
            if lab.im_state("vlan10") == ImState::NoInstance {
                enable();
            }
            bring_up();
        }
        lab.down();
    }

    fn s5_disable_and_unplug_at_the_same_time() {
        let lab = MuxLab::running();
        for round in 0..20 {
            if round % 2 == 1 {
                lab.policy(|policy| policy.im_halt = When::Later);
            }
            let lab = &lab;
            thread::scope(|scope| {
                // The adapter may be gone already.
                scope.spawn(move || lab.disable("vlan10"));
                scope.spawn(move || lab.unplug_nic(NIC).expect("the NIC was plugged"));
            });
            lab.plug_nic(NIC).expect("the NIC comes up");
            for name in ["vlan10", "vlan20"] {
                lab.wait_running(name);
            }
        }
        lab.assert_traffic("vlan10", 10);
        lab.down();
        for name in ["vlan10", "vlan20"] {
            let initialized = lab.calls("MiniportInitializeEx", &device(name)).len();
            assert_eq!(lab.calls("MiniportHaltEx", &device(name)).len(), initialized, "{name}");
        }
    }

    fn each_event_that_asks_nothing_is_answered_with_success() {
        let lab = MuxLab::running();
        let events = [
            NetEventQueryPower, NetEventQueryRemoveDevice, NetEventCancelRemoveDevice,
            NetEventReconfigure, NetEventBindList, NetEventBindsComplete, NetEventPnPCapabilities,
            NetEventPortActivation, NetEventPortDeactivation, NetEventFilterPreDetach,
            // Of no document: who knows what comes.
            77, -1,
        ];
        for event in events {
            let status = lab.tell(NIC, event, 0).expect("the NIC is there");
            assert_eq!(status, NDIS_STATUS_SUCCESS, "{event}");
            lab.assert_traffic("vlan10", 10);
        }
        lab.down();
    }

    fn who_is_above_may_keep_a_nic_from_being_removed_and_all_learn_that_it_stays() {
        let lab = MuxLab::running();
        let told = |name: &str, event| lab.above(name).events().iter().filter(|it| **it == event).count();
        let asked = |name| told(name, NetEventQueryRemoveDevice);
        lab.above("vlan20").refuse_removal(true);
        let answer = lab.tell(NIC, NetEventQueryRemoveDevice, 0).expect("the NIC is there");
        assert_eq!(answer, NDIS_STATUS_FAILURE);
        assert_eq!((asked("vlan10"), asked("vlan20")), (1, 1));
        let answer = lab.tell(NIC, NetEventCancelRemoveDevice, 0).expect("the NIC is there");
        assert_eq!(answer, NDIS_STATUS_SUCCESS);
        for name in ["vlan10", "vlan20"] {
            assert_eq!(told(name, NetEventCancelRemoveDevice), 1, "{name}");
        }
        lab.assert_traffic("vlan10", 10);
        lab.assert_traffic("vlan20", 20);
        // One that is not there is not asked, nor is one that has nobody above.
        lab.disable("vlan20").expect("an adapter");
        let answer = lab.tell(NIC, NetEventQueryRemoveDevice, 0).expect("the NIC is there");
        assert_eq!((answer, asked("vlan10"), asked("vlan20")), (NDIS_STATUS_SUCCESS, 2, 1));
        lab.down();
    }

    fn an_event_goes_up_when_no_request_pends_and_requests_of_those_who_get_it_are_answered() {
        for when in [When::Inline, When::Later] {
            let lab = MuxLab::running();
            lab.policy(|policy| (policy.oid, policy.nic_oid) = (when, when));
            // The request pends below, and the event waits for it.
            lab.below().hold_requests(true);
            thread::scope(|scope| {
                let query = scope.spawn(|| lab.above("vlan10").query(OID_GEN_TRANSMIT_QUEUE_LENGTH, 4));
                until(|| lab.below().requests_outstanding() == 1);
                let event = scope.spawn(|| lab.tell(NIC, NetEventQueryRemoveDevice, 0));
                thread::sleep(NEVER);
                assert!(!event.is_finished() && !query.is_finished());
                assert!(!lab.above("vlan10").events().contains(&NetEventQueryRemoveDevice));
                lab.below().hold_requests(false);
                assert_eq!(query.join().expect("it is answered"), (0, vec![0; 4]));
                assert_eq!(event.join().expect("it ends").expect("the NIC is there"), 0);
            });
            // Requests of an event function: one that goes below, one that is answered here.
            for oid in [OID_GEN_TRANSMIT_QUEUE_LENGTH, OID_GEN_VENDOR_ID] {
                lab.above("vlan10").ask_before_removal(Some(oid));
                let answer = lab.tell(NIC, NetEventQueryRemoveDevice, 0);
                assert_eq!(answer.expect("the NIC is there"), NDIS_STATUS_SUCCESS, "{oid:#x}");
            }
            lab.assert_traffic("vlan10", 10);
            lab.down();
        }
    }

    fn events_go_up_between_requests_of_all_kinds() {
        for when in [When::Inline, When::Later] {
            let lab = MuxLab::running();
            lab.policy(|policy| (policy.oid, policy.nic_oid) = (when, when));
            let lab = &lab;
            lab.above("vlan10").ask_before_removal(Some(OID_GEN_TRANSMIT_QUEUE_LENGTH));
            thread::scope(|scope| {
                for (name, id) in [("vlan10", 1), ("vlan20", 2)] {
                    let client = lab.above(name);
                    scope.spawn(move || {
                        for round in 0..100_u32 {
                            let length = client.query_with_id(OID_GEN_TRANSMIT_QUEUE_LENGTH, 4, id);
                            let bits = NDIS_PACKET_TYPE_DIRECTED | (round % 2 * NDIS_PACKET_TYPE_BROADCAST);
                            let filter = client.set_packet_filter(bits);
                            let vendor = client.query(OID_GEN_VENDOR_ID, 4).0;
                            // The other one comes and goes.
                            if name == "vlan10" {
                                assert!([0, NDIS_STATUS_REQUEST_ABORTED].contains(&length), "{length:#x}");
                                assert_eq!((filter, vendor), (0, 0));
                            }
                        }
                    });
                    scope.spawn(move || (0..100).for_each(|_| client.cancel_requests(id)));
                }
                for event in [NetEventQueryRemoveDevice, NetEventCancelRemoveDevice] {
                    scope.spawn(move || {
                        for _round in 0..50 {
                            assert_eq!(lab.tell(NIC, event, 0).expect("the NIC is there"), 0);
                        }
                    });
                }
                for _round in 0..10 {
                    // It may not be back yet.
                    let _disabled = lab.disable("vlan20");
                    assert_eq!(lab.enable(SERVICE, "vlan20").expect("a device"), 0);
                }
            });
            lab.down();
        }
    }

    fn s5_a_nic_that_comes_back_gets_its_virtual_miniports_back() {
        let lab = MuxLab::running();
        for round in 1..=5 {
            lab.unplug_nic(NIC).expect("the NIC was plugged");
            assert_eq!(lab.calls("NdisCloseAdapterEx", BINDING).len(), round);
            for name in ["vlan10", "vlan20"] {
                assert_eq!(lab.adapter_state(name), AdapterState::Halted, "{name}");
                assert_eq!(lab.above(name).binding_state(), BindingState::Unbound, "{name}");
            }
            lab.plug_nic(NIC).expect("the NIC comes up");
            for (name, vlan) in [("vlan10", 10), ("vlan20", 20)] {
                lab.wait_running(name);
                lab.assert_traffic(name, vlan);
            }
        }
        lab.down();
    }

    fn s5_a_nic_may_be_pulled_out_by_surprise() {
        let lab = MuxLab::running();
        for name in ["vlan10", "vlan20"] {
            let own = lab.address(name);
            lab.above(name).send(&[Frame::new(own, MAC_PEER, 1).bytes()]);
        }
        lab.pull_nic(NIC).expect("the NIC was plugged");
        lab.only_call("NdisCloseAdapterEx", BINDING);
        for name in ["vlan10", "vlan20"] {
            lab.only_call("MiniportHaltEx", &device(name));
        }
        lab.finish();
    }

    fn s5_two_nics_stand_for_themselves() {
        let lab = MuxLab::running();
        lab.add_second_nic();
        lab.plug_nic(NIC1).expect("the NIC comes up");
        lab.attach(VLAN30.name);
        lab.assert_traffic_by(NIC1, "vlan30", 30);
        lab.assert_traffic("vlan10", 10);
        // VLAN 30 is another NIC's: nobody here has it, nor VLAN 10 there.
        let own = lab.address("vlan30");
        lab.below().inject(&Frame::new(MAC_PEER, own, 3).tagged(30).bytes());
        let other = lab.nic(NIC1).expect("the lab has the NIC");
        other.inject(&Frame::new(MAC_PEER, lab.address("vlan10"), 3).tagged(10).bytes());
        for name in ["vlan10", "vlan20", "vlan30"] {
            assert!(lab.above(name).recv(NEVER).is_none(), "{name}");
        }
        lab.unplug_nic(NIC).expect("the NIC was plugged");
        lab.only_call("NdisCloseAdapterEx", BINDING);
        assert!(lab.calls("NdisCloseAdapterEx", BINDING1).is_empty());
        lab.assert_traffic_by(NIC1, "vlan30", 30);
        lab.plug_nic(NIC).expect("the NIC comes up");
        lab.wait_running("vlan10");
        lab.assert_traffic("vlan10", 10);
        lab.remove_client("vlan30").expect("the client was there");
        lab.unplug_nic(NIC1).expect("the NIC was plugged");
        lab.only_call("NdisCloseAdapterEx", BINDING1);
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn d03_the_pause_of_a_binding_waits_for_its_sends() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        lab.up();
        let frame = Frame::new(lab.address("vlan10"), MAC_PEER, 1).bytes();
        lab.below().hold_sends(true);
        let held = lab.above("vlan10").send(&[frame.clone(), frame.clone()]);
        assert!(lab.below().wait_sends(SOON, 2));
        let lab = &lab;
        thread::scope(|scope| {
            // A protocol that binds to the NIC makes NDIS pause all bindings there.
            let other = scope.spawn(|| lab.add_client("other", NIC).expect("a device"));
            wait_until("the binding pauses", || {
                lab.binding_state(SERVICE, NIC) == BindingState::Pausing
            });
            // The virtual miniport runs on, but what is sent from now on does not go down. What is sent
            // before the driver has heard of the pause is held like the others.
            let refused = (0..50).find_map(|_| {
                let send = lab.above("vlan10").send(std::slice::from_ref(&frame));
                send.wait(NEVER)
            });
            assert_eq!(refused, Some(vec![NDIS_STATUS_PAUSED]));
            assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Pausing);
            assert_eq!(held.statuses(), [None, None]);
            lab.below().hold_sends(false);
            assert_eq!(held.wait(SOON), Some(vec![0, 0]));
            let other = other.join().expect("the client binds");
            assert!(other.wait_state(BindingState::Running, SOON));
        });
        assert!(lab.above("vlan10").binding_state() == BindingState::Running);
        while lab.below().take_sent(NEVER).is_some() {}
        lab.assert_traffic("vlan10", 10);
        lab.assert_traffic("vlan20", 20);
        lab.remove_client("other").expect("the client was there");
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn an_unplug_waits_for_what_the_client_above_keeps() {
        let lab = MuxLab::running();
        lab.above("vlan10").hold_receives(true);
        lab.below().inject(&Frame::new(MAC_PEER, lab.address("vlan10"), 1).tagged(10).bytes());
        lab.above("vlan10").recv(SOON).expect("the frame arrives above");
        assert_eq!(lab.below().receives_outstanding(), 1);
        let lab = &lab;
        thread::scope(|scope| {
            let unplug = scope.spawn(|| lab.unplug_nic(NIC).expect("the NIC was plugged"));
            // The binding need not wait for receives, but the NIC must.
            assert!(lab.wait_adapter(NIC, AdapterState::Pausing, SOON));
            thread::sleep(NEVER);
            assert_eq!(lab.adapter_state(NIC), AdapterState::Pausing);
            assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Paused);
            assert_eq!(lab.adapter_state("vlan10"), AdapterState::Running);
            lab.above("vlan10").return_held();
            unplug.join().expect("the NIC goes");
        });
        assert_eq!(lab.below().receives_outstanding(), 0);
        lab.finish();
    }
}
