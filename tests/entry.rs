//! `DriverEntry` and unload: S1, S3, S4 and S7.

use ndis_host::{
    image::inspect::{self, Status},
    lab::LabError,
    ndis::policy::{FirstBind, ImCancel, ImInitialize, Policy, Resources, When},
};
use ndis_sys::{NDIS_STATUS_BAD_VERSION, OID_GEN_DRIVER_VERSION};
use ndismux_tests::{
    BINDING, MuxLab, NIC, SERVICE, VLAN10, VLAN20, device, faults_in, image, image_tests,
};

#[test]
fn s1_the_image_imports_what_ndis_6_has_and_nothing_of_ndis_5() {
    let report = inspect::file(&image()).expect("the image is a PE file");
    let mut functions = Vec::new();
    for module in &report.imports {
        assert!(
            ["ntoskrnl.exe", "ndis.sys"].contains(&module.name.as_str()),
            "{}",
            module.name
        );
        for function in &module.functions {
            assert_eq!(function.status, Status::Known, "{}", function.name);
            functions.push(function.name.as_str());
        }
    }
    for wanted in ["NdisMRegisterMiniportDriver", "NdisRegisterProtocolDriver"] {
        assert!(functions.contains(&wanted), "{wanted} is not imported");
    }
    for name in FORBIDDEN_BY_NAME {
        assert!(!functions.contains(name), "{name} is imported");
    }
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}

#[test]
fn d20_the_image_has_nothing_to_sleep_or_spin_with() {
    let report = inspect::file(&image()).expect("the image is a PE file");
    for function in report.imports.iter().flat_map(|module| &module.functions) {
        // What waits, waits for an event that somebody sets.
        assert!(
            !SLEEPS.contains(&function.name.as_str()),
            "{} is imported",
            function.name
        );
    }
}

image_tests! {
    fn s1_the_unload_handler_is_in_the_characteristics_and_runs() {
        let lab = MuxLab::new(&[VLAN10]);
        lab.load_driver(SERVICE).expect("the driver loads");
        // NDIS gives the driver object an unload routine that calls the handler registered with it.
        lab.unload(SERVICE).expect("the driver has an unload routine");
        lab.only_call("MiniportDriverUnload", SERVICE);
        lab.assert_nothing_left();
    }

    fn s3_unload_deregisters_the_protocol_then_the_miniport() {
        let lab = MuxLab::running();
        lab.down();
        let unload = lab.only_call("MiniportDriverUnload", SERVICE);
        let protocol = lab.only_call("NdisDeregisterProtocolDriver", SERVICE);
        let miniport = lab.only_call("NdisMDeregisterMiniportDriver", SERVICE);
        assert!(unload.sequence < protocol.sequence);
        assert!(protocol.ended < miniport.sequence);
        assert!(miniport.ended < unload.ended);
    }

    fn s3_unload_comes_after_each_instance_was_halted_once() {
        let lab = MuxLab::running();
        lab.down();
        let unload = lab.only_call("MiniportDriverUnload", SERVICE);
        for name in ["vlan10", "vlan20"] {
            let halt = lab.only_call("MiniportHaltEx", &device(name));
            assert!(halt.ended < unload.sequence, "{name}");
        }
    }

    fn s3_unload_takes_down_a_binding_that_is_still_open() {
        let lab = MuxLab::running();
        lab.assert_traffic("vlan10", 10);
        // Neither uninstalled nor unplugged: NDIS halts the virtual miniports, and unload does the rest.
        lab.unload(SERVICE).expect("the driver was loaded");
        let protocol = lab.only_call("NdisDeregisterProtocolDriver", SERVICE);
        let unbind = lab.only_call("ProtocolUnbindAdapterEx", BINDING);
        let close = lab.only_call("NdisCloseAdapterEx", BINDING);
        let miniport = lab.only_call("NdisMDeregisterMiniportDriver", SERVICE);
        for name in ["vlan10", "vlan20"] {
            let halt = lab.only_call("MiniportHaltEx", &device(name));
            assert!(halt.ended < protocol.sequence, "{name}");
        }
        assert!(protocol.sequence < unbind.sequence && unbind.ended < protocol.ended);
        assert!(unbind.sequence < close.sequence && close.ended < unbind.ended);
        assert!(protocol.ended < miniport.sequence);
        for name in ["vlan10", "vlan20"] {
            lab.remove_client(name).expect("the client was there");
        }
        lab.unplug_nic(NIC).expect("the NIC was plugged");
        lab.assert_nothing_left();
    }

    fn s3_unload_before_any_bind() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        for _round in 0..3 {
            lab.load_driver(SERVICE).expect("the driver loads");
            lab.unload(SERVICE).expect("the driver was loaded");
            lab.assert_nothing_left();
        }
        assert!(lab.trace().image_calls("ProtocolBindAdapterEx").is_empty());
    }

    fn s3_unload_without_any_virtual_miniport() {
        let lab = MuxLab::new(&[]);
        lab.start();
        lab.down();
        lab.only_call("NdisCloseAdapterEx", BINDING);
        assert!(lab.trace().image_calls("MiniportInitializeEx").is_empty());
    }

    fn s4_driver_entry_undoes_everything_whichever_of_its_calls_fails() {
        let lab = MuxLab::new(&[VLAN10]);
        let faults = faults_in(&FALLIBLE_IN_DRIVER_ENTRY, || {
            lab.load_driver(SERVICE).expect("the driver loads");
        });
        lab.unload(SERVICE).expect("the driver was loaded");
        for fault in faults {
            lab.trace().clear();
            fault.arm();
            match lab.load_driver(SERVICE) {
                Err(LabError::Entry { status, .. }) => assert!(status < 0, "{fault:?}: {status:#x}"),
                // The driver works without anybody who could trace it.
                Ok(()) if fault.function == "EtwRegister" => {
                    lab.unload(SERVICE).expect("the driver was loaded");
                    lab.assert_nothing_left();
                    continue;
                }
                other => panic!("{fault:?}: {other:?}"),
            }
            for (register, deregister) in REGISTRATIONS {
                let done = lab.calls(register, SERVICE).iter().filter(|it| it.status == Some(0)).count();
                assert_eq!(lab.calls(deregister, SERVICE).len(), done, "{fault:?}: {deregister}");
            }
            assert!(lab.calls("MiniportDriverUnload", SERVICE).is_empty(), "{fault:?}");
            lab.assert_nothing_left();
            lab.up();
            lab.assert_traffic("vlan10", 10);
            lab.down();
        }
    }

    fn d21_s4_each_ndis_version_gets_the_newest_contract_that_it_has() {
        let lab = MuxLab::new(&[VLAN10]);
        for minor in 30..=89_u16 {
            lab.set_ndis_version(6 << 16 | u32::from(minor));
            lab.up();
            let (status, version) = lab.above("vlan10").query(OID_GEN_DRIVER_VERSION, 2);
            // There is one contract for every ten minor versions, and 6.83, the last one known here.
            let contract = if minor >= 83 { 83 } else { minor - minor % 10 };
            assert_eq!((status, version), (0, (6 << 8 | contract).to_le_bytes().to_vec()), "6.{minor}");
            lab.assert_traffic("vlan10", 10);
            lab.down();
        }
    }

    fn s4_an_ndis_before_6_30_is_refused_before_anything_is_registered() {
        let lab = MuxLab::new(&[VLAN10]);
        for (major, minor) in [(5, 1), (6, 0), (6, 1), (6, 20), (6, 29)] {
            lab.set_ndis_version(major << 16 | minor);
            match lab.load_driver(SERVICE) {
                Err(LabError::Entry { status, .. }) => assert_eq!(status, NDIS_STATUS_BAD_VERSION),
                other => panic!("{major}.{minor}: {other:?}"),
            }
            lab.assert_nothing_left();
        }
        for (register, _) in REGISTRATIONS {
            assert!(lab.calls(register, SERVICE).is_empty(), "{register}");
        }
        lab.set_ndis_version(6 << 16 | 30);
        lab.up();
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn s4_the_first_bind_may_come_inside_the_registration() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        for initialize in [ImInitialize::Inline, ImInitialize::Later] {
            for open in [When::Inline, When::Later] {
                lab.trace().clear();
                lab.policy(|policy| {
                    policy.first_bind = FirstBind::InsideRegister;
                    policy.im_initialize = initialize;
                    policy.open = open;
                });
                lab.plug_nic(NIC).expect("the NIC comes up");
                lab.load_driver(SERVICE).expect("the driver loads");
                let register = lab.only_call("NdisRegisterProtocolDriver", SERVICE);
                let bind = lab.only_call("ProtocolBindAdapterEx", BINDING);
                let associate = lab.only_call("NdisIMAssociateMiniport", SERVICE);
                assert!(register.sequence < bind.sequence && bind.ended < register.ended);
                assert!(register.ended < associate.sequence);
                // That was about the driver; its clients are bound as ever.
                lab.policy(|policy| policy.first_bind = FirstBind::AfterEntry);
                for (name, vlan) in [("vlan10", 10), ("vlan20", 20)] {
                    lab.attach(name);
                    lab.assert_traffic(name, vlan);
                }
                lab.down();
            }
        }
    }

    fn s7_ten_rounds_of_load_bind_traffic_unload_leave_nothing_outstanding() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        for _round in 0..10 {
            lab.up();
            lab.assert_traffic("vlan10", 10);
            lab.assert_traffic("vlan20", 20);
            lab.down();
        }
    }

    fn s7_nothing_is_outstanding_however_ndis_uses_its_freedoms() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        let inline = Policy::INLINE;
        let later = Policy::STRICT;
        for policy in [
            inline,
            Policy { receive_resources: Resources::Always, ..inline },
            Policy { receive_resources: Resources::Alternate, ..later },
            Policy { im_initialize: ImInitialize::Inline, oid: When::Inline, ..later },
            Policy { im_halt: When::Later, nic_oid: When::Inline, ..later },
            Policy { open: When::Later, close: When::Later, im_halt: When::Later, ..inline },
        ] {
            lab.policy(|current| *current = policy);
            lab.up();
            for _frame in 0..4 {
                lab.assert_traffic("vlan10", 10);
                lab.assert_traffic("vlan20", 20);
            }
            lab.down();
        }
    }

    fn s7_an_uninstall_while_virtual_miniports_are_coming_up_leaves_nothing() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        for round in 0..20 {
            lab.policy(|policy| {
                policy.im_cancel = if round % 2 == 0 { ImCancel::Succeeds } else { ImCancel::Fails };
            });
            // They are on their way up, or not yet, or just done.
            lab.start();
            lab.uninstall(SERVICE).expect("the driver is loaded");
            lab.unload(SERVICE).expect("the driver is loaded");
            lab.unplug_nic(NIC).expect("the NIC was plugged");
            lab.assert_nothing_left();
        }
    }
}

/// The functions that S1 forbids by name.
const FORBIDDEN_BY_NAME: &[&str] = &[
    "NdisMRegisterUnloadHandler",
    "NdisMInitializeWrapper",
    "NdisInitializeWrapper",
    "NdisMRegisterMiniport",
    "NdisIMRegisterLayeredMiniport",
    "NdisTerminateWrapper",
    "NdisDeregisterProtocol",
];

/// What lets time pass, whatever happens meanwhile.
const SLEEPS: &[&str] = &[
    "NdisMSleep",
    "NdisStallExecution",
    "KeDelayExecutionThread",
    "KeStallExecutionProcessor",
];

/// What `DriverEntry` calls that can fail, as far as it must.
const FALLIBLE_IN_DRIVER_ENTRY: [&str; 6] = [
    "ExAllocatePool2",
    "NdisMRegisterMiniportDriver",
    "NdisAllocateNetBufferListPool",
    "NdisAllocateNetBufferPool",
    "NdisRegisterProtocolDriver",
    "NdisRegisterDeviceEx",
];

/// The registrations, each with what undoes it.
const REGISTRATIONS: [(&str, &str); 3] = [
    (
        "NdisMRegisterMiniportDriver",
        "NdisMDeregisterMiniportDriver",
    ),
    ("NdisRegisterProtocolDriver", "NdisDeregisterProtocolDriver"),
    ("NdisRegisterDeviceEx", "NdisDeregisterDeviceEx"),
];
