//! `ProtocolBindAdapterEx`, `ProtocolUnbindAdapterEx` and `ProtocolUninstall`: S2 and S5.

use ndis_host::{
    faults,
    ndis::{
        AdapterState, BindingState, ImState,
        config::binding_key,
        policy::{ImCancel, ImInitialize, Policy, When},
    },
    nt::registry::{self, Value},
};
use ndismux_tests::{
    BINDING, BINDING1, MuxLab, NEVER, NIC, NIC1, SERVICE, SOON, VLAN10, VLAN20, VLAN30,
    VirtualMiniport, device, faults_in, image_tests,
};

image_tests! {
    fn s2_uninstall_comes_after_each_unbind_and_before_unload() {
        let lab = MuxLab::running();
        lab.add_second_nic();
        lab.plug_nic(NIC1).expect("the NIC comes up");
        lab.attach(VLAN30.name);
        // Both bindings are open: NDIS unbinds them for the uninstallation.
        lab.uninstall(SERVICE).expect("the driver is loaded");
        let uninstall = lab.only_call("ProtocolUninstall", SERVICE);
        for binding in [BINDING, BINDING1] {
            let unbind = lab.only_call("ProtocolUnbindAdapterEx", binding);
            assert!(unbind.ended < uninstall.sequence, "{binding}");
        }
        lab.unload(SERVICE).expect("the driver is loaded");
        assert!(uninstall.ended < lab.only_call("MiniportDriverUnload", SERVICE).sequence);
        for client in ["vlan10", "vlan20", "vlan30"] {
            lab.remove_client(client).expect("the client was there");
        }
        lab.unplug_nic(NIC).expect("the NIC was plugged");
        lab.unplug_nic(NIC1).expect("the NIC was plugged");
        lab.assert_nothing_left();
    }

    fn s2_uninstall_without_a_binding() {
        let lab = MuxLab::new(&[VLAN10]);
        lab.load_driver(SERVICE).expect("the driver loads");
        lab.finish();
        let uninstall = lab.only_call("ProtocolUninstall", SERVICE);
        assert!(uninstall.ended < lab.only_call("MiniportDriverUnload", SERVICE).sequence);
    }

    fn s5_unbind_closes_once_whether_open_and_close_pend_or_not() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        for open in [When::Inline, When::Later] {
            for close in [When::Inline, When::Later] {
                lab.trace().clear();
                lab.policy(|policy| (policy.open, policy.close) = (open, close));
                lab.up();
                lab.assert_traffic("vlan10", 10);
                lab.down();
                let pended = |when| usize::from(when == When::Later);
                assert_eq!(lab.calls("ProtocolOpenAdapterCompleteEx", BINDING).len(), pended(open));
                assert_eq!(lab.calls("ProtocolCloseAdapterCompleteEx", BINDING).len(), pended(close));
                let unbind = lab.only_call("ProtocolUnbindAdapterEx", BINDING);
                let close = lab.only_call("NdisCloseAdapterEx", BINDING);
                assert!(unbind.sequence < close.sequence);
            }
        }
    }

    fn s5_unbind_ends_each_virtual_miniport_once_and_closes_after_the_last_halt() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        for halt in [When::Inline, When::Later] {
            lab.trace().clear();
            lab.policy(|policy| policy.im_halt = halt);
            lab.up();
            lab.down();
            let unbind = lab.only_call("ProtocolUnbindAdapterEx", BINDING);
            let close = lab.only_call("NdisCloseAdapterEx", BINDING);
            for name in ["vlan10", "vlan20"] {
                let end = lab.only_call("NdisIMDeInitializeDeviceInstance", &device(name));
                let halt = lab.only_call("MiniportHaltEx", &device(name));
                assert!(unbind.sequence < end.sequence && end.sequence < halt.sequence, "{name}");
                assert!(halt.sequence < close.sequence, "{name}");
            }
        }
    }

    fn s5_unbind_while_initialize_is_outstanding_cancels_it() {
        for_each_outstanding(ImInitialize::Held, |lab, name| {
            let cancel = lab.only_call("NdisIMCancelInitializeDeviceInstance", &device(name));
            assert_eq!(cancel.status, Some(0), "{name}");
            assert!(cancel.ended < lab.only_call("NdisCloseAdapterEx", BINDING).sequence);
            assert!(!lab.release_initialize(name), "there is nothing to begin any more");
            assert!(lab.calls("MiniportInitializeEx", &device(name)).is_empty(), "{name}");
        });
    }

    fn s5_unbind_of_what_is_never_initialized_cancels_it() {
        for_each_outstanding(ImInitialize::Never, |lab, name| {
            let cancel = lab.only_call("NdisIMCancelInitializeDeviceInstance", &device(name));
            assert_eq!(cancel.status, Some(0), "{name}");
            assert!(lab.calls("MiniportInitializeEx", &device(name)).is_empty(), "{name}");
        });
    }

    fn s5_unbind_when_cancel_fails_refuses_the_initialize_that_then_comes() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        lab.policy(|policy| {
            policy.im_initialize = ImInitialize::Held;
            policy.im_cancel = ImCancel::Fails;
        });
        lab.start();
        lab.down();
        let close = lab.only_call("NdisCloseAdapterEx", BINDING);
        for name in ["vlan10", "vlan20"] {
            let cancel = lab.only_call("NdisIMCancelInitializeDeviceInstance", &device(name));
            assert_ne!(cancel.status, Some(0), "{name}");
            let initialize = lab.only_call("MiniportInitializeEx", &device(name));
            assert_ne!(initialize.status, Some(0), "{name}");
            // The driver waits for it: NDIS may not call it for a binding that is gone.
            assert!(initialize.sequence < close.sequence, "{name}");
            assert_not_halted(&lab, name);
        }
    }

    fn s5_unbind_in_the_middle_of_initialize_ends_well_whoever_is_first() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        lab.load_driver(SERVICE).expect("the driver loads");
        for round in 0..40 {
            lab.trace().clear();
            lab.policy(|policy| {
                policy.im_cancel = if round % 2 == 0 { ImCancel::Succeeds } else { ImCancel::Fails };
                policy.im_halt = if round % 4 < 2 { When::Inline } else { When::Later };
            });
            lab.plug_nic(NIC).expect("the NIC comes up");
            lab.unplug_nic(NIC).expect("the NIC was plugged");
            // The unbind need not wait until NDIS has seen the end of the callback that ended it.
            assert!(lab.settle(SOON));
            let close = lab.only_call("NdisCloseAdapterEx", BINDING);
            for name in ["vlan10", "vlan20"] {
                assert_eq!(lab.im_state(name), ImState::NoInstance);
                let initialized = lab.calls("MiniportInitializeEx", &device(name));
                let initialized = initialized.iter().filter(|call| call.status == Some(0)).count();
                let halts = lab.calls("MiniportHaltEx", &device(name));
                assert_eq!(halts.len(), initialized, "{name}");
                assert!(halts.iter().all(|halt| halt.sequence < close.sequence), "{name}");
            }
        }
        lab.finish();
    }

    fn s5_unbind_treats_each_virtual_miniport_by_its_own_state() {
        for cancel in [ImCancel::Succeeds, ImCancel::Fails] {
            let lab = MuxLab::new(&[VLAN10, VLAN20, VLAN30]);
            lab.policy(|policy| {
                policy.im_initialize = ImInitialize::Held;
                policy.im_cancel = cancel;
            });
            lab.trace().clear();
            lab.start();
            assert!(lab.release_initialize("vlan20"));
            lab.attach("vlan20");
            lab.assert_traffic("vlan20", 20);
            lab.down();
            let close = lab.only_call("NdisCloseAdapterEx", BINDING);
            lab.only_call("NdisIMDeInitializeDeviceInstance", &device("vlan20"));
            assert!(lab.only_call("MiniportHaltEx", &device("vlan20")).ended < close.sequence);
            assert!(lab.calls("NdisIMCancelInitializeDeviceInstance", &device("vlan20")).is_empty());
            for name in ["vlan10", "vlan30"] {
                lab.only_call("NdisIMCancelInitializeDeviceInstance", &device(name));
                assert_not_halted(&lab, name);
            }
        }
    }

    fn s5_virtual_miniports_come_up_whenever_ndis_initializes_them() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        for when in [ImInitialize::Inline, ImInitialize::Later, ImInitialize::Held] {
            lab.policy(|policy| policy.im_initialize = when);
            lab.start();
            if when == ImInitialize::Held {
                assert_eq!(lab.im_state("vlan10"), ImState::InitRequested);
                assert!(lab.release_initialize("vlan10") && lab.release_initialize("vlan20"));
            }
            for (name, vlan) in [("vlan10", 10), ("vlan20", 20)] {
                lab.attach(name);
                lab.assert_traffic(name, vlan);
            }
            lab.down();
        }
    }

    fn s5_an_adapter_that_cannot_be_opened_is_not_bound() {
        let lab = MuxLab::new(&[VLAN10]);
        lab.load_driver(SERVICE).expect("the driver loads");
        lab.fail_nth("NdisOpenAdapterEx", 1);
        lab.plug_nic(NIC).expect("the NIC comes up");
        assert_ne!(lab.only_call("ProtocolBindAdapterEx", BINDING).status, Some(0));
        assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Unbound);
        for not_called in ["NdisCloseAdapterEx", "ProtocolUnbindAdapterEx"] {
            assert!(lab.calls(not_called, BINDING).is_empty(), "{not_called}");
        }
        assert_eq!(lab.im_state("vlan10"), ImState::NoInstance);
        lab.unplug_nic(NIC).expect("the NIC was plugged");
        lab.plug_nic(NIC).expect("the NIC comes up");
        lab.attach("vlan10");
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn s5_a_virtual_miniport_that_ndis_refuses_leaves_the_others_working() {
        for (nth, refused, other, vlan) in [(1, "vlan10", "vlan20", 20), (2, "vlan20", "vlan10", 10)] {
            let lab = MuxLab::new(&[VLAN10, VLAN20]);
            lab.trace().clear();
            lab.fail_nth("NdisIMInitializeDeviceInstanceEx", nth);
            lab.start();
            lab.attach(other);
            lab.assert_traffic(other, vlan);
            assert!(lab.settle(SOON));
            assert_eq!(lab.im_state(refused), ImState::NoInstance);
            lab.down();
            assert!(lab.calls("NdisIMCancelInitializeDeviceInstance", &device(refused)).is_empty());
            assert_not_halted(&lab, refused);
        }
    }

    fn s5_whichever_call_of_a_bind_fails_what_was_begun_is_undone() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        // All on one thread, so that the calls are the same each time.
        lab.policy(|policy| *policy = Policy::INLINE);
        lab.load_driver(SERVICE).expect("the driver loads");
        let faults = faults_in(&FALLIBLE_IN_BIND, || {
            lab.plug_nic(NIC).expect("the NIC comes up");
        });
        lab.unplug_nic(NIC).expect("the NIC was plugged");
        let before = lab.outstanding();
        for fault in faults {
            lab.trace().clear();
            fault.arm();
            lab.plug_nic(NIC).expect("the NIC comes up");
            faults::clear();
            lab.unplug_nic(NIC).expect("the NIC was plugged");
            let succeeded = |function: &str, object: &str| {
                let calls = lab.calls(function, object);
                calls.iter().filter(|call| call.status == Some(0)).count()
            };
            let opens = succeeded("NdisOpenAdapterEx", BINDING);
            assert_eq!(lab.calls("NdisCloseAdapterEx", BINDING).len(), opens, "{fault:?}");
            for name in ["vlan10", "vlan20"] {
                let initialized = succeeded("MiniportInitializeEx", &device(name));
                let halts = lab.calls("MiniportHaltEx", &device(name)).len();
                assert_eq!(halts, initialized, "{fault:?}: {name}");
            }
            let after = lab.outstanding();
            assert_eq!(after.pool.len(), before.pool.len(), "{fault:?}: {after}");
            assert_eq!(after.handles, before.handles, "{fault:?}");
            assert!(after.virtual_miniports.is_empty(), "{fault:?}: {after}");
        }
        lab.plug_nic(NIC).expect("the NIC comes up");
        for (name, vlan) in [("vlan10", 10), ("vlan20", 20)] {
            lab.attach(name);
            lab.assert_traffic(name, vlan);
        }
        lab.down();
    }

    fn s5_a_binding_without_virtual_miniports_stays_open_and_closes() {
        let lab = MuxLab::new(&[]);
        let key = binding_key(SERVICE, r"\Device\nic0");
        for upper in [
            Some(Value::MultiSz(Vec::new())),
            None,
            Some(Value::Sz(device("vlan10"))),
            Some(Value::Dword(1)),
            Some(Value::Binary(vec![1, 2, 3])),
        ] {
            lab.trace().clear();
            registry::delete_value(&key, "UpperBindings");
            if let Some(value) = upper.clone() {
                registry::set(&key, "UpperBindings", value);
            }
            lab.start();
            assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Running, "{upper:?}");
            lab.down();
            lab.only_call("NdisCloseAdapterEx", BINDING);
            assert!(lab.trace().image_calls("NdisIMInitializeDeviceInstanceEx").is_empty());
        }
    }

    fn a_configuration_that_cannot_be_read_at_the_bind_leaves_the_adapter_bound_and_is_logged() {
        for function in ["NdisOpenConfigurationEx", "NdisReadConfiguration"] {
            let lab = MuxLab::new(&[VLAN10, VLAN20]);
            lab.load_driver(SERVICE).expect("the driver loads");
            lab.fail_nth(function, 1);
            lab.plug_nic(NIC).expect("the NIC comes up");
            assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Running, "{function}");
            let log = lab.event_log();
            assert!(log.iter().any(|entry| entry.code & 0xFFFF == 9), "{function}: {log:?}");
            lab.reconfigure_binding(SERVICE, NIC).expect("a binding");
            for (name, vlan) in [("vlan10", 10), ("vlan20", 20)] {
                lab.attach(name);
                lab.assert_traffic(name, vlan);
            }
            lab.down();
        }
    }

    fn s5_a_virtual_miniport_that_is_named_twice_comes_up_once() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        let names = [device("vlan10"), device("vlan20"), device("vlan10"), r"\DEVICE\{VLAN10}".into()];
        lab.bind(SERVICE, NIC, &[("UpperBindings", Value::MultiSz(names.to_vec()))]).expect("a device");
        lab.up();
        assert_eq!(lab.trace().image_calls("NdisIMInitializeDeviceInstanceEx").len(), 2);
        lab.assert_traffic("vlan10", 10);
        lab.assert_traffic("vlan20", 20);
        lab.down();
        lab.only_call("MiniportHaltEx", &device("vlan10"));
    }

    fn s5_a_device_that_does_not_exist_is_waited_for_in_vain() {
        let lab = MuxLab::new(&[VLAN10]);
        let names = vec![device("nowhere"), device("vlan10")];
        lab.bind(SERVICE, NIC, &[("UpperBindings", Value::MultiSz(names))]).expect("a device");
        lab.up();
        lab.assert_traffic("vlan10", 10);
        lab.down();
        let cancel = lab.only_call("NdisIMCancelInitializeDeviceInstance", &device("nowhere"));
        assert_eq!(cancel.status, Some(0));
    }

    fn s5_a_device_that_two_nics_name_comes_up_on_one_and_both_unbind() {
        let lab = MuxLab::running();
        lab.add_second_nic();
        lab.stack(SERVICE, NIC1, &["vlan10", "vlan30"]).expect("devices");
        lab.plug_nic(NIC1).expect("the NIC comes up");
        lab.attach("vlan30");
        lab.assert_traffic_by(NIC1, "vlan30", 30);
        lab.assert_traffic("vlan10", 10);
        lab.remove_client("vlan30").expect("the client was there");
        lab.unplug_nic(NIC1).expect("the NIC was plugged");
        // NDIS refused it there: there is nothing to cancel, and the other NIC's goes on.
        let cancels = lab.calls("NdisIMCancelInitializeDeviceInstance", &device("vlan10"));
        assert!(cancels.is_empty(), "{cancels:?}");
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn s5_the_drivers_own_virtual_miniports_are_not_bound() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        // Windows offers the protocol every Ethernet adapter.
        lab.bind(SERVICE, "vlan10", &[]).expect("a device");
        lab.bind(SERVICE, "vlan20", &[]).expect("a device");
        lab.up();
        for name in ["vlan10", "vlan20"] {
            let binding = format!("{SERVICE} on {}", device(name));
            assert_ne!(lab.only_call("ProtocolBindAdapterEx", &binding).status, Some(0), "{name}");
            assert!(lab.calls("NdisOpenAdapterEx", &binding).is_empty(), "{name}");
            assert_eq!(lab.adapter_state(name), AdapterState::Running);
        }
        lab.assert_traffic("vlan10", 10);
        lab.assert_traffic("vlan20", 20);
        lab.down();
    }

    fn s5_sixty_four_virtual_miniports_come_and_go() {
        let many: Vec<VirtualMiniport> = (1..=64_u16)
            .map(|vlan| {
                let vlan = &*Box::leak(vlan.to_string().into_boxed_str());
                VirtualMiniport { name: Box::leak(format!("many{vlan}").into_boxed_str()), vlan }
            })
            .collect();
        let lab = MuxLab::new(&many);
        lab.up();
        for (vlan, miniport) in (1..).zip(&many) {
            lab.assert_traffic(miniport.name, vlan);
        }
        assert!(lab.above("many1").recv(NEVER).is_none(), "a frame of another VLAN");
        lab.down();
    }
}

/// Unbinds while the initialisation of both virtual miniports is outstanding, and looks at each.
fn for_each_outstanding(initialize: ImInitialize, look: impl Fn(&MuxLab, &str)) {
    let lab = MuxLab::new(&[VLAN10, VLAN20]);
    lab.policy(|policy| policy.im_initialize = initialize);
    lab.start();
    assert_eq!(lab.im_state("vlan10"), ImState::InitRequested);
    lab.unplug_nic(NIC).expect("the NIC was plugged");
    lab.only_call("NdisCloseAdapterEx", BINDING);
    for name in ["vlan10", "vlan20"] {
        assert_eq!(lab.im_state(name), ImState::NoInstance);
        look(&lab, name);
        assert_not_halted(&lab, name);
    }
    lab.finish();
}

/// What was not initialised is neither deinitialised nor halted.
fn assert_not_halted(lab: &MuxLab, name: &str) {
    for function in ["NdisIMDeInitializeDeviceInstance", "MiniportHaltEx"] {
        assert!(
            lab.calls(function, &device(name)).is_empty(),
            "{function} for {name}"
        );
    }
}

/// What a bind with two virtual miniports calls that can fail, as far as it must.
const FALLIBLE_IN_BIND: [&str; 5] = [
    "ExAllocatePool2",
    "NdisOpenAdapterEx",
    "NdisOpenConfigurationEx",
    "NdisIMInitializeDeviceInstanceEx",
    "NdisMSetMiniportAttributes",
];
