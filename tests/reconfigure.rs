//! Virtual miniports that are added, changed and taken away while their NIC runs: D15.

use std::{thread, time::Duration};

use mux_core::MacAddress;
use ndis_host::{
    faults,
    lab::Token,
    ndis::{
        AdapterState, BindingState, ImState,
        config::binding_key,
        policy::{ImCancel, ImInitialize, Policy, ValueTypes, When},
    },
    nt::{
        pool,
        registry::{self, Value},
    },
};
use ndis_sys::NDIS_STATUS_SUCCESS;
use ndismux_tests::{
    MAC_BELOW, MuxLab, NIC, NIC1, SERVICE, SOON, VLAN10, VLAN20, VLAN30, device, faults_in,
    image_tests,
};

use crate::control;

image_tests! {
    fn d15_the_first_virtual_miniport_is_added_while_the_nic_runs() {
        let lab = MuxLab::new(&[]);
        add_device(&lab, "vlan10", 10);
        add_device(&lab, "vlan20", 20);
        lab.start();
        assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Running);
        name(NIC, &["vlan10"]);
        reconfigure(&lab, NIC);
        lab.attach("vlan10");
        lab.assert_traffic("vlan10", 10);
        name(NIC, &["vlan10", "vlan20"]);
        reconfigure(&lab, NIC);
        lab.attach("vlan20");
        lab.assert_traffic("vlan20", 20);
        lab.assert_traffic("vlan10", 10);
        lab.only_call("MiniportInitializeEx", &device("vlan10"));
        lab.remove_client("vlan10").expect("the client was there");
        lab.remove_client("vlan20").expect("the client was there");
        lab.down();
    }

    fn d12_one_that_comes_later_avoids_an_address_that_somebody_was_given() {
        let lab = MuxLab::new(&[VLAN10]);
        let units: Vec<u16> = device("vlan20").encode_utf16().collect();
        let derived = MacAddress::derived(MacAddress(MAC_BELOW), &units);
        let text = derived.to_string().replace('-', "");
        lab.set_values("vlan10", &[("NetworkAddress", Value::Sz(text))]);
        lab.up();
        assert_eq!(lab.address("vlan10"), derived.octets());
        add_device(&lab, "vlan20", 20);
        name(NIC, &["vlan10", "vlan20"]);
        reconfigure(&lab, NIC);
        lab.attach("vlan20");
        let own = lab.address("vlan20");
        assert!(own != derived.octets() && own != MAC_BELOW, "{own:02x?}");
        assert_eq!(own[0] & 3, 2, "{own:02x?} is no local address of one station");
        lab.assert_traffic("vlan10", 10);
        lab.assert_traffic("vlan20", 20);
        lab.remove_client("vlan20").expect("the client was there");
        lab.down();
    }

    fn what_is_not_named_any_more_is_taken_down_and_nothing_else() {
        let lab = MuxLab::running();
        for halt in [When::Inline, When::Later] {
            lab.trace().clear();
            lab.policy(|policy| policy.im_halt = halt);
            name(NIC, &["vlan10"]);
            reconfigure(&lab, NIC);
            // The event ends when it is gone.
            assert_eq!(lab.adapter_state("vlan20"), AdapterState::Halted);
            assert!(lab.settle(SOON));
            assert_eq!(lab.im_state("vlan20"), ImState::NoInstance);
            lab.only_call("NdisIMDeInitializeDeviceInstance", &device("vlan20"));
            lab.assert_traffic("vlan10", 10);
            assert!(lab.calls("MiniportPause", &device("vlan10")).is_empty());
            name(NIC, &["vlan10", "vlan20"]);
            reconfigure(&lab, NIC);
            lab.wait_running("vlan20");
            lab.assert_traffic("vlan20", 20);
            lab.only_call("MiniportHaltEx", &device("vlan20"));
        }
        lab.down();
    }

    fn the_last_virtual_miniport_may_go_and_the_binding_stays() {
        let lab = MuxLab::running();
        name(NIC, &[]);
        reconfigure(&lab, NIC);
        assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Running);
        for name in ["vlan10", "vlan20"] {
            assert_eq!(lab.adapter_state(name), AdapterState::Halted, "{name}");
        }
        // The value may be gone as well.
        registry::delete_value(&binding_key(SERVICE, r"\Device\nic0"), "UpperBindings");
        reconfigure(&lab, NIC);
        lab.down();
    }

    fn what_waits_to_be_initialized_is_cancelled_when_it_is_not_named_any_more() {
        for (cancel, succeeds) in [(ImCancel::Succeeds, true), (ImCancel::Fails, false)] {
            let lab = MuxLab::new(&[VLAN10, VLAN20]);
            lab.policy(|policy| {
                policy.im_initialize = ImInitialize::Held;
                policy.im_cancel = cancel;
            });
            lab.trace().clear();
            lab.start();
            name(NIC, &["vlan20"]);
            reconfigure(&lab, NIC);
            let cancel = lab.only_call("NdisIMCancelInitializeDeviceInstance", &device("vlan10"));
            assert_eq!(cancel.status == Some(0), succeeds);
            assert!(lab.settle(SOON));
            assert_eq!(lab.im_state("vlan10"), ImState::NoInstance);
            assert_eq!(lab.im_state("vlan20"), ImState::InitRequested);
            assert!(lab.release_initialize("vlan20"));
            lab.attach("vlan20");
            lab.assert_traffic("vlan20", 20);
            lab.down();
        }
    }

    fn reconfigure_without_a_change_disturbs_nothing() {
        let lab = MuxLab::running();
        lab.trace().clear();
        for _round in 0..3 {
            reconfigure(&lab, NIC);
            assert_eq!(lab.reconfigure(SERVICE).expect("a driver"), NDIS_STATUS_SUCCESS);
        }
        for undisturbed in ["MiniportInitializeEx", "MiniportPause", "MiniportHaltEx"] {
            assert!(lab.trace().image_calls(undisturbed).is_empty(), "{undisturbed}");
        }
        lab.assert_traffic("vlan10", 10);
        lab.assert_traffic("vlan20", 20);
        lab.down();
    }

    fn a_disabled_virtual_miniport_stays_down_until_it_is_enabled() {
        let lab = MuxLab::running();
        lab.disable("vlan10").expect("an adapter");
        reconfigure(&lab, NIC);
        assert_eq!(lab.im_state("vlan10"), ImState::NoInstance);
        assert_eq!(lab.enable(SERVICE, "vlan10").expect("a device"), NDIS_STATUS_SUCCESS);
        lab.wait_running("vlan10");
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn a_changed_vlan_moves_one_virtual_miniport_and_no_other() {
        let lab = MuxLab::running();
        let address = lab.address("vlan10");
        for vlan in [11_u16, 0, 4094] {
            lab.set_values("vlan10", &[("VlanId", Value::Sz(vlan.to_string()))]);
            reconfigure(&lab, NIC);
            lab.wait_running("vlan10");
            lab.assert_traffic("vlan10", vlan);
            lab.assert_traffic("vlan20", 20);
            assert_eq!(lab.address("vlan10"), address);
        }
        lab.only_call("MiniportInitializeEx", &device("vlan20"));
        lab.down();
    }

    fn a_changed_address_is_used_and_a_deleted_one_is_derived_again() {
        let lab = MuxLab::running();
        let derived = lab.address("vlan10");
        let set = |address: &str| {
            lab.set_values("vlan10", &[("NetworkAddress", Value::Sz(address.to_owned()))]);
            reconfigure(&lab, NIC);
            lab.wait_running("vlan10");
            lab.assert_traffic("vlan10", 10);
        };
        set("02AABBCCDD01");
        assert_eq!(lab.address("vlan10"), [0x02, 0xAA, 0xBB, 0xCC, 0xDD, 0x01]);
        set("02-AA-BB-CC-DD-02");
        assert_eq!(lab.address("vlan10"), [0x02, 0xAA, 0xBB, 0xCC, 0xDD, 0x02]);
        set("");
        assert_eq!(lab.address("vlan10"), derived);
        lab.only_call("MiniportInitializeEx", &device("vlan20"));
        lab.down();
    }

    fn a_bad_value_that_comes_while_it_runs_changes_nothing() {
        let lab = MuxLab::running();
        for bad in [Value::Sz("4095".to_owned()), Value::Dword(5000), Value::Binary(vec![1])] {
            lab.set_values("vlan10", &[("VlanId", bad)]);
            reconfigure(&lab, NIC);
            lab.assert_traffic("vlan10", 10);
        }
        lab.only_call("MiniportInitializeEx", &device("vlan10"));
        lab.down();
    }

    fn a_value_that_is_corrected_while_the_nic_runs_brings_the_virtual_miniport_up() {
        let lab = MuxLab::new(&[VLAN20]);
        lab.add_virtual_miniport("vlan10", &device("vlan10"), &[("VlanId", Value::Dword(4095))]);
        lab.stack(SERVICE, NIC, &["vlan10", "vlan20"]).expect("devices");
        lab.up();
        assert!(lab.settle(SOON));
        assert_eq!(lab.im_state("vlan10"), ImState::NoInstance);
        lab.set_values("vlan10", &[("VlanId", Value::Dword(10))]);
        reconfigure(&lab, NIC);
        lab.attach("vlan10");
        lab.assert_traffic("vlan10", 10);
        lab.assert_traffic("vlan20", 20);
        lab.remove_client("vlan10").expect("the client was there");
        lab.down();
    }

    fn a_list_that_cannot_be_read_takes_nothing_down_and_is_not_written_over() {
        let lab = MuxLab::running();
        lab.add_virtual_miniport("vlan30", &device("vlan30"), &[]);
        let key = binding_key(SERVICE, r"\Device\nic0");
        let file = lab.open_device(r"\\.\ndismux", &Token::administrator()).expect("it is there");
        let still_there = |what: &str| {
            for (name, vlan) in [("vlan10", 10), ("vlan20", 20)] {
                lab.assert_traffic(name, vlan);
                lab.only_call("MiniportInitializeEx", &device(name));
            }
            let log = lab.event_log();
            let last = log.last().expect(what);
            assert_eq!((last.code & 0xFFFF, &*last.strings[0]), (9, r"\Device\nic0"), "{what}");
        };
        let unreadable = [
            None,
            Some(Value::Sz(device("vlan10"))),
            Some(Value::Dword(1)),
            Some(Value::Binary(vec![1, 2, 3])),
        ];
        for types in [ValueTypes::AsAsked, ValueTypes::AsStored] {
            lab.policy(|policy| policy.value_types = types);
            for value in unreadable.clone() {
                registry::delete_value(&key, "UpperBindings");
                if let Some(value) = value.clone() {
                    registry::set(&key, "UpperBindings", value);
                }
                reconfigure(&lab, NIC);
                still_there(&format!("{value:?}"));
                let added = file.ioctl(control::ADD, &control::add(NIC, "vlan30", 30), 8);
                assert!(added.is_err(), "{value:?}");
                assert_eq!(registry::get(&key, "UpperBindings"), value);
            }
        }
        // The same goes for the end of a list that had more values.
        name(NIC, &["vlan10"]);
        registry::set(&key, "UpperBindings2", Value::MultiSz(vec![device("vlan20")]));
        reconfigure(&lab, NIC);
        registry::delete_value(&key, "UpperBindings2");
        reconfigure(&lab, NIC);
        still_there("UpperBindings2");
        drop(file);
        lab.down();
    }

    fn a_list_that_is_longer_than_a_value_goes_on_in_the_next() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        let key = binding_key(SERVICE, r"\Device\nic0");
        let part = |number: &str, names: &[&str]| {
            let names = names.iter().map(|name| device(name)).collect();
            registry::set(&key, &format!("UpperBindings{number}"), Value::MultiSz(names));
        };
        part("", &["vlan10"]);
        // An empty value does not end the list, one that is not there does.
        part("2", &[]);
        part("3", &["vlan20", "VLAN10"]);
        add_device(&lab, "vlan30", 30);
        part("5", &["vlan30"]);
        lab.up();
        lab.assert_traffic("vlan10", 10);
        lab.assert_traffic("vlan20", 20);
        assert_eq!(lab.im_state("vlan30"), ImState::NoInstance);
        part("4", &[]);
        reconfigure(&lab, NIC);
        lab.attach("vlan30");
        lab.assert_traffic("vlan30", 30);
        part("3", &[]);
        reconfigure(&lab, NIC);
        assert_eq!(lab.adapter_state("vlan20"), AdapterState::Halted);
        lab.assert_traffic("vlan10", 10);
        lab.remove_client("vlan30").expect("the client was there");
        lab.down();
    }

    fn all_4094_vlans_of_a_nic_have_their_virtual_miniports() {
        // A page of its own for each of so many blocks is more than a process may map.
        pool::set_mode(pool::Mode::RedZones);
        let lab = MuxLab::new(&[]);
        // As many initialisations in one bind take their time where each call is checked.
        lab.policy(|policy| *policy = Policy { watchdog: MINUTES, ..Policy::INLINE });
        let label = |vlan: u32| format!("v{vlan:04}");
        let vlans = 1..=4094_u32;
        for vlan in vlans.clone() {
            let label = label(vlan);
            lab.add_virtual_miniport(&label, &device(&label), &[("VlanId", Value::Dword(vlan))]);
        }
        let key = binding_key(SERVICE, r"\Device\nic0");
        for (index, part) in vlans.clone().collect::<Vec<_>>().chunks(1000).enumerate() {
            let number = if index == 0 { String::new() } else { (index + 1).to_string() };
            let names = part.iter().map(|&vlan| device(&label(vlan))).collect();
            registry::set(&key, &format!("UpperBindings{number}"), Value::MultiSz(names));
        }
        lab.start();
        let running = vlans.filter(|&vlan| lab.adapter_state(&label(vlan)) == AdapterState::Running);
        assert_eq!(running.count(), 4094);
        lab.down();
        assert_eq!(lab.trace().image_calls("MiniportHaltEx").len(), 4094);
    }

    fn a_virtual_miniport_moves_from_one_nic_to_another() {
        let lab = MuxLab::running();
        lab.add_second_nic();
        lab.plug_nic(NIC1).expect("the NIC comes up");
        lab.attach(VLAN30.name);
        // To the NIC that is looked at first, and to the one that is looked at last.
        for (from, to) in [(NIC, NIC1), (NIC1, NIC)] {
            name(from, &[if from == NIC { "vlan20" } else { "vlan30" }]);
            name(to, &["vlan10", if to == NIC { "vlan20" } else { "vlan30" }]);
            assert_eq!(lab.reconfigure(SERVICE).expect("a driver"), NDIS_STATUS_SUCCESS);
            lab.wait_running("vlan10");
            lab.assert_traffic_by(to, "vlan10", 10);
        }
        lab.assert_traffic("vlan20", 20);
        lab.assert_traffic_by(NIC1, "vlan30", 30);
        lab.remove_client("vlan30").expect("the client was there");
        lab.unplug_nic(NIC1).expect("the NIC was plugged");
        lab.down();
    }

    fn virtual_miniports_come_and_go_while_the_nic_comes_and_goes() {
        let lab = MuxLab::running();
        lab.add_second_nic();
        let lab = &lab;
        for round in 0..24 {
            lab.policy(|policy| {
                policy.im_halt = if round % 2 == 0 { When::Inline } else { When::Later };
                policy.im_cancel = if round % 4 < 2 { ImCancel::Succeeds } else { ImCancel::Fails };
            });
            thread::scope(|scope| {
                for names in [&["vlan10"][..], &["vlan20"], &["vlan10", "vlan20"], &[]] {
                    scope.spawn(move || {
                        name(NIC, names);
                        lab.reconfigure(SERVICE).expect("a driver");
                    });
                }
                scope.spawn(move || {
                    lab.unplug_nic(NIC).expect("the NIC was plugged");
                    lab.plug_nic(NIC).expect("the NIC comes up");
                });
            });
            // Whoever was last to write is what there is in the end.
            name(NIC, &["vlan20", "vlan10"]);
            reconfigure(lab, NIC);
            for (name, vlan) in [("vlan10", 10), ("vlan20", 20)] {
                lab.wait_running(name);
                lab.assert_traffic(name, vlan);
            }
        }
        lab.down();
    }

    fn whichever_call_of_a_reconfigure_fails_the_next_one_mends_it() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        lab.policy(|policy| *policy = Policy::INLINE);
        // Without clients: what they ask for when they bind could fail as well.
        lab.start();
        let there_and_back = || {
            name(NIC, &["vlan20"]);
            reconfigure(&lab, NIC);
            name(NIC, &["vlan20", "vlan10"]);
            reconfigure(&lab, NIC);
        };
        let faults = faults_in(&FALLIBLE_IN_RECONFIGURE, there_and_back);
        for fault in faults {
            fault.arm();
            there_and_back();
            faults::clear();
            reconfigure(&lab, NIC);
            for (name, vlan) in [("vlan10", 10), ("vlan20", 20)] {
                lab.attach(name);
                lab.assert_traffic(name, vlan);
                lab.remove_client(name).expect("the client was there");
            }
        }
        lab.down();
    }
}

const MINUTES: Duration = Duration::from_secs(300);

/// What a virtual miniport that goes and comes back calls that can fail, as far as it must.
const FALLIBLE_IN_RECONFIGURE: [&str; 4] = [
    "ExAllocatePool2",
    "NdisOpenConfigurationEx",
    "NdisReadConfiguration",
    "NdisIMInitializeDeviceInstanceEx",
];

/// Writes the names of a NIC's virtual miniports, and tells nobody.
fn name(nic: &str, names: &[&str]) {
    let names = names.iter().map(|name| device(name)).collect();
    let key = binding_key(SERVICE, &format!(r"\Device\{nic}"));
    registry::set(&key, "UpperBindings", Value::MultiSz(names));
}

/// Tells the driver that the configuration of its binding to a NIC changed.
fn reconfigure(lab: &MuxLab, nic: &str) {
    let status = lab.reconfigure_binding(SERVICE, nic).expect("a binding");
    assert_eq!(status, NDIS_STATUS_SUCCESS);
}

/// A device that no NIC names yet.
fn add_device(lab: &MuxLab, name: &str, vlan: u32) {
    lab.add_virtual_miniport(name, &device(name), &[("VlanId", Value::Dword(vlan))]);
}
