//! `MiniportInitializeEx`: registry values good and bad, addresses, and what fails: S5, D12 and D17.

use std::collections::BTreeSet;

use ndis_host::{
    faults,
    ndis::{
        BindingState, ImState,
        ethernet::Mac,
        policy::{ImInitialize, Policy, ValueTypes},
    },
    nt::registry::Value,
};
use ndis_sys::{OID_802_3_CURRENT_ADDRESS, OID_802_3_PERMANENT_ADDRESS};
use ndismux_tests::{
    MAC_BELOW, MAC_BELOW_1, MuxLab, NIC, NIC1, SERVICE, SOON, VLAN10, VLAN20, VLAN30,
    VirtualMiniport, device, faults_in, image_tests,
};

image_tests! {
    fn s5_a_bad_vlan_id_keeps_one_virtual_miniport_down_and_no_other() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        lab.load_driver(SERVICE).expect("the driver loads");
        for bad in [
            Value::Dword(4095),
            Value::Dword(u32::MAX),
            text("4095"),
            text("-1"),
            text("ten"),
            text(""),
            text("1 0"),
            text("0x10"),
            text("4294967306"),
            Value::MultiSz(vec!["10".to_owned()]),
            Value::MultiSz(Vec::new()),
            Value::Binary(vec![10, 0, 0, 0]),
            Value::Binary(Vec::new()),
        ] {
            lab.trace().clear();
            lab.set_values("vlan10", &[("VlanId", bad.clone())]);
            lab.plug_nic(NIC).expect("the NIC comes up");
            lab.attach("vlan20");
            assert!(lab.settle(SOON));
            let initialize = lab.only_call("MiniportInitializeEx", &device("vlan10"));
            assert_ne!(initialize.status, Some(0), "{bad:?}");
            assert_eq!(lab.im_state("vlan10"), ImState::NoInstance, "{bad:?}");
            assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Running, "{bad:?}");
            lab.assert_traffic("vlan20", 20);
            lab.remove_client("vlan20").expect("the client was there");
            lab.unplug_nic(NIC).expect("the NIC was plugged");
            assert!(lab.calls("MiniportHaltEx", &device("vlan10")).is_empty(), "{bad:?}");
        }
        // Corrected, it comes up.
        lab.set_values("vlan10", &[("VlanId", Value::Dword(10))]);
        lab.plug_nic(NIC).expect("the NIC comes up");
        lab.attach("vlan10");
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn s5_what_is_wrong_with_a_value_is_in_the_event_log() {
        let lab = MuxLab::new(&[VLAN10]);
        let logged = |name: &str, value: Value| {
            lab.set_values("vlan10", &[("VlanId", Value::Dword(10)), (name, value)]);
            let before = lab.event_log().len();
            lab.start();
            assert!(lab.settle(SOON));
            lab.down();
            let mut new = lab.event_log().split_off(before).into_iter();
            let entry = new.next().expect("an entry was written");
            assert_eq!(new.next(), None, "{name} has one entry");
            assert_eq!(entry.source, SERVICE);
            (entry.code, entry.text.expect("the image has a text for it"))
        };
        let said = |code: u32, text: &str| (code, text.to_owned());
        assert_eq!(
            logged("VlanId", text("ten")),
            said(
                0xE000_0001,
                r"The VLAN adapter \Device\{vlan10} was not started: its VlanId is not a decimal number. Allowed are 1 to 4094, and 0 for no tag.",
            )
        );
        assert_eq!(
            logged("VlanId", Value::Dword(u32::MAX)),
            said(
                0xE000_0002,
                r"The VLAN adapter \Device\{vlan10} was not started: its VlanId is 4294967295. Allowed are 1 to 4094, and 0 for no tag.",
            )
        );
        assert_eq!(
            logged("NetworkAddress", text("01AABBCCDDEE")),
            said(
                0xA000_0005,
                r"The VLAN adapter \Device\{vlan10} uses an address that was made for it: its NetworkAddress is 01-AA-BB-CC-DD-EE, which no adapter can have. Allowed are addresses other than zero whose first octet is even.",
            )
        );
    }

    fn s5_a_vlan_id_may_be_text_or_a_number() {
        let lab = MuxLab::new(&[VLAN10]);
        for (value, vlan) in [
            (text("10"), 10),
            (text(" 10 "), 10),
            (text("0010"), 10),
            (Value::Dword(10), 10),
            (text("1"), 1),
            (Value::Dword(4094), 4094),
            (text("4094"), 4094),
            (text("0"), 0),
            (Value::Dword(0), 0),
        ] {
            lab.set_values("vlan10", &[("VlanId", value)]);
            for types in [ValueTypes::AsAsked, ValueTypes::AsStored] {
                lab.policy(|policy| policy.value_types = types);
                lab.up();
                lab.assert_traffic("vlan10", vlan);
                lab.down();
            }
        }
    }

    fn s5_no_vlan_id_is_no_tag() {
        let lab = MuxLab::new(&[VLAN20]);
        lab.add_virtual_miniport("plain", &device("plain"), &[]);
        lab.stack(SERVICE, NIC, &["plain", "vlan20"]).expect("devices");
        lab.up();
        lab.attach("plain");
        lab.assert_traffic("plain", 0);
        lab.assert_traffic("vlan20", 20);
        lab.remove_client("plain").expect("the client was there");
        lab.down();
    }

    fn s5_a_good_network_address_is_used() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        for (address, mac) in [
            ("02AABBCCDD01", [0x02, 0xAA, 0xBB, 0xCC, 0xDD, 0x01]),
            ("02-aa-bb-cc-dd-02", [0x02, 0xAA, 0xBB, 0xCC, 0xDD, 0x02]),
            ("00155D010203", [0x00, 0x15, 0x5D, 0x01, 0x02, 0x03]),
        ] {
            lab.set_values("vlan10", &[("NetworkAddress", text(address))]);
            lab.up();
            assert_eq!(lab.address("vlan10"), mac);
            assert_ne!(lab.address("vlan20"), mac);
            lab.assert_traffic("vlan10", 10);
            lab.down();
        }
    }

    fn s5_a_bad_network_address_is_as_none() {
        let lab = MuxLab::new(&[VLAN10]);
        lab.up();
        let derived = lab.address("vlan10");
        lab.down();
        for (bad, event) in [
            (text("01AABBCCDDEE"), 5),
            (text("FFFFFFFFFFFF"), 5),
            (text("000000000000"), 5),
            (text("02AABBCCDD"), 4),
            (text("02AABBCCDDEE00"), 4),
            (text("not an address"), 3),
            (text("02AABBCCDDEX"), 3),
            (Value::Dword(2), 3),
            (Value::Binary(vec![2, 0, 0, 0, 0, 1]), 3),
        ] {
            lab.set_values("vlan10", &[("NetworkAddress", bad.clone())]);
            lab.up();
            assert_eq!(lab.address("vlan10"), derived, "{bad:?}");
            let log = lab.event_log();
            assert_eq!(log.last().map(|entry| entry.code & 0xFFFF), Some(event), "{bad:?}");
            lab.assert_traffic("vlan10", 10);
            lab.down();
        }
        // A blank one says nothing, and nothing is wrong with it.
        let told = lab.event_log().len();
        lab.set_values("vlan10", &[("NetworkAddress", text(" "))]);
        lab.up();
        assert_eq!(lab.address("vlan10"), derived);
        assert_eq!(lab.event_log().len(), told);
        lab.down();
    }

    fn d12_each_virtual_miniport_has_and_shows_an_address_of_its_own() {
        let names: Vec<&'static str> = (0..64).map(|at| &*format!("vm{at}").leak()).collect();
        let miniports: Vec<VirtualMiniport> = names
            .iter()
            .zip(1..)
            .map(|(&name, vlan): (_, u32)| VirtualMiniport { name, vlan: vlan.to_string().leak() })
            .collect();
        let lab = MuxLab::new(&miniports);
        let given = [0x00, 0x15, 0x5D, 0x01, 0x02, 0x03];
        let mut before = BTreeSet::new();
        for set in [false, true] {
            if set {
                lab.set_values("vm7", &[("NetworkAddress", text("00-15-5d-01-02-03"))]);
            }
            lab.up();
            let mut own = BTreeSet::from([MAC_BELOW]);
            for (vlan, &name) in (1..).zip(&names) {
                let address = lab.address(name);
                assert!(own.insert(address), "{name}: {address:02x?} twice");
                let current = lab.above(name).query(OID_802_3_CURRENT_ADDRESS, 6);
                assert_eq!(current, (0, address.to_vec()), "{name}");
                let permanent = lab.above(name).query(OID_802_3_PERMANENT_ADDRESS, 6).1;
                if set && name == "vm7" {
                    assert_eq!(address, given);
                    assert!(before.iter().any(|known| permanent == *known), "the permanent one stays");
                } else {
                    assert_eq!(permanent, address, "{name}");
                    assert!(!set || before.contains(&address), "{name} has another one now");
                }
                // Frames go out from it, and come in to it.
                lab.assert_traffic(name, vlan);
            }
            before = own;
            lab.down();
        }
    }

    fn s5_derived_addresses_are_stable_and_nobody_elses() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        lab.add_second_nic();
        let mut before: Option<Vec<Mac>> = None;
        for _round in 0..2 {
            lab.up();
            lab.plug_nic(NIC1).expect("the NIC comes up");
            lab.attach(VLAN30.name);
            let own: Vec<Mac> = ["vlan10", "vlan20", "vlan30"].map(|name| lab.address(name)).into();
            for (index, address) in own.iter().enumerate() {
                assert_eq!(address[0] & 3, 2, "{address:02x?} is no local address of one station");
                assert!(![MAC_BELOW, MAC_BELOW_1].contains(address));
                assert!(!own[..index].contains(address), "{address:02x?} twice");
            }
            assert_eq!(before.get_or_insert_with(|| own.clone()), &own);
            lab.remove_client(VLAN30.name).expect("the client was there");
            lab.unplug_nic(NIC1).expect("the NIC was plugged");
            lab.down();
        }
    }

    fn d17_whichever_call_of_initialize_fails_the_binding_and_the_others_stay() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        lab.policy(|policy| *policy = Policy { im_initialize: ImInitialize::Held, ..Policy::INLINE });
        lab.start();
        let initialize = |name: &str| {
            assert!(lab.release_initialize(name));
            assert!(lab.settle(SOON));
        };
        let faults = faults_in(&FALLIBLE_IN_INITIALIZE, || initialize("vlan10"));
        lab.unplug_nic(NIC).expect("the NIC was plugged");
        for fault in faults {
            lab.trace().clear();
            lab.plug_nic(NIC).expect("the NIC comes up");
            fault.arm();
            initialize("vlan10");
            faults::clear();
            let failed = lab.only_call("MiniportInitializeEx", &device("vlan10"));
            assert_ne!(failed.status, Some(0), "{fault:?}");
            assert_eq!(lab.im_state("vlan10"), ImState::NoInstance, "{fault:?}");
            assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Running, "{fault:?}");
            initialize("vlan20");
            lab.attach("vlan20");
            lab.assert_traffic("vlan20", 20);
            // Whoever enables it gets it, now that there is nothing in its way.
            lab.enable(SERVICE, "vlan10").expect("a device");
            initialize("vlan10");
            lab.attach("vlan10");
            lab.assert_traffic("vlan10", 10);
            for name in ["vlan10", "vlan20"] {
                lab.remove_client(name).expect("the client was there");
            }
            lab.unplug_nic(NIC).expect("the NIC was plugged");
            lab.only_call("MiniportHaltEx", &device("vlan10"));
        }
        lab.finish();
    }

    fn s5_a_binding_whose_virtual_miniports_all_fail_closes_cleanly() {
        let bad = |name| VirtualMiniport { name, vlan: "no number" };
        let lab = MuxLab::new(&[bad("one"), bad("two")]);
        lab.start();
        assert!(lab.settle(SOON));
        for name in ["one", "two"] {
            let initialize = lab.only_call("MiniportInitializeEx", &device(name));
            assert_ne!(initialize.status, Some(0), "{name}");
        }
        assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Running);
        lab.down();
        assert!(lab.trace().image_calls("MiniportHaltEx").is_empty());
    }
}

fn text(text: &str) -> Value {
    Value::Sz(text.to_owned())
}

/// What an initialize calls that can fail, as far as it must.
const FALLIBLE_IN_INITIALIZE: [&str; 4] = [
    "ExAllocatePool2",
    "NdisMSetMiniportAttributes",
    "NdisOpenConfigurationEx",
    "NdisReadConfiguration",
];
