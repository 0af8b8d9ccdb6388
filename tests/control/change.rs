//! What a program changes while the driver runs: D15.

use std::thread;

use ndis_host::{
    lab::NtStatus,
    ndis::{
        AdapterState, BindingState, ImState,
        config::binding_key,
        policy::{ImInitialize, MissingKey, When},
    },
    nt::registry::{self, Value},
};
use ndis_sys::{NDIS_STATUS_SUCCESS, STATUS_OBJECT_NAME_NOT_FOUND};
use ndismux_tests::{MuxLab, NIC, SERVICE, SOON, VLAN10, VLAN20, device, image_tests};

use super::{ADD, Ask, REMOVE, SET, list, names, open};

image_tests! {
    fn what_is_added_is_there_at_once_and_after_a_restart() {
        let lab = MuxLab::running();
        lab.add_virtual_miniport("vlan30", &device("vlan30"), &[]);
        let file = open(&lab);
        let address = [2, 3, 4, 5, 6, 7];
        let add = Ask::new().nic(NIC).device("vlan30").vlan(30).address(address);
        file.ioctl(ADD, &add.bytes(), 8).expect("there is room");
        drop(file);
        lab.attach("vlan30");
        lab.assert_traffic("vlan30", 30);
        assert_eq!(lab.address("vlan30"), address);
        lab.assert_traffic("vlan10", 10);
        lab.only_call("MiniportInitializeEx", &device("vlan10"));
        assert_eq!(names(NIC), ["vlan10", "vlan20", "vlan30"].map(device));
        lab.unplug_nic(NIC).expect("the NIC was plugged");
        lab.plug_nic(NIC).expect("the NIC comes up");
        lab.wait_running("vlan30");
        lab.assert_traffic("vlan30", 30);
        assert_eq!(lab.address("vlan30"), address);
        lab.remove_client("vlan30").expect("the client was there");
        lab.down();
    }

    fn d15_the_first_virtual_miniport_is_added_by_a_program() {
        let lab = MuxLab::new(&[]);
        lab.add_virtual_miniport("vlan30", &device("vlan30"), &[]);
        lab.start();
        let file = open(&lab);
        file.ioctl(ADD, &Ask::new().nic(NIC).device("vlan30").vlan(30).bytes(), 8).expect("it is the first");
        lab.attach("vlan30");
        lab.assert_traffic("vlan30", 30);
        drop(file);
        lab.remove_client("vlan30").expect("the client was there");
        lab.down();
    }

    fn d15_a_binding_whose_registry_key_nobody_made_waits_for_its_first_virtual_miniport() {
        let parameters = registry::service_path(&format!(r"{SERVICE}\Parameters"));
        for missing_key in [MissingKey::Fails, MissingKey::Opens] {
            let lab = MuxLab::new(&[]);
            lab.add_virtual_miniport("vlan30", &device("vlan30"), &[]);
            lab.policy(|policy| policy.missing_key = missing_key);
            assert!(registry::delete(&parameters));
            lab.start();
            assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Running, "{missing_key:?}");
            // A new machine is nothing to complain of.
            assert_eq!(lab.event_log().len(), 0, "{missing_key:?}: {:?}", lab.event_log());
            let file = open(&lab);
            let add = Ask::new().nic(NIC).device("vlan30").vlan(30);
            file.ioctl(ADD, &add.bytes(), 8).expect("it is the first");
            drop(file);
            assert_eq!(names(NIC), [device("vlan30")], "{missing_key:?}");
            lab.attach("vlan30");
            lab.assert_traffic("vlan30", 30);
            lab.remove_client("vlan30").expect("the client was there");
            lab.down();
        }
    }

    fn what_is_asked_for_is_not_lost_with_a_nic_that_goes_before_ndis_initializes() {
        let lab = MuxLab::running();
        lab.add_virtual_miniport("vlan30", &device("vlan30"), &[]);
        let key = binding_key(SERVICE, r"\Device\nic0");
        let rebind = || {
            lab.unplug_nic(NIC).expect("the NIC was plugged");
            lab.plug_nic(NIC).expect("the NIC comes up");
        };
        let address = [2, 3, 4, 5, 6, 7];
        let file = open(&lab);
        lab.policy(|policy| policy.im_initialize = ImInitialize::Held);
        let add = Ask::new().nic(NIC).device("vlan30").vlan(30).address(address);
        file.ioctl(ADD, &add.bytes(), 8).expect("there is room");
        for vlan in [11, 12] {
            let set = Ask::new().device("vlan10").vlan(vlan);
            file.ioctl(SET, &set.bytes(), 8).expect("it is free");
        }
        drop(file);
        for _round in 0..2 {
            rebind();
        }
        for name in ["vlan10", "vlan20", "vlan30"] {
            assert!(lab.release_initialize(name), "{name}");
        }
        lab.attach("vlan30");
        lab.wait_running("vlan10");
        lab.assert_traffic("vlan30", 30);
        assert_eq!(lab.address("vlan30"), address);
        lab.assert_traffic("vlan10", 12);
        // From here on their own keys say it, and the binding's nothing.
        for name in ["vlan10", "vlan30"] {
            assert_eq!(registry::get(&key, &device(name)), None, "{name}");
        }
        lab.policy(|policy| policy.im_initialize = ImInitialize::Later);
        rebind();
        lab.wait_running("vlan30");
        lab.assert_traffic("vlan30", 30);
        lab.remove_client("vlan30").expect("the client was there");
        lab.down();
    }

    fn what_is_asked_for_goes_with_a_removal() {
        let lab = MuxLab::running();
        lab.add_virtual_miniport("vlan30", &device("vlan30"), &[("VlanId", Value::Dword(40))]);
        lab.policy(|policy| policy.im_initialize = ImInitialize::Held);
        let file = open(&lab);
        file.ioctl(ADD, &Ask::new().nic(NIC).device("vlan30").vlan(30).bytes(), 8).expect("there is room");
        file.ioctl(REMOVE, &Ask::new().device("vlan30").bytes(), 8).expect("it is there");
        drop(file);
        lab.policy(|policy| policy.im_initialize = ImInitialize::Later);
        lab.stack(SERVICE, NIC, &["vlan10", "vlan20", "vlan30"]).expect("devices");
        lab.reconfigure_binding(SERVICE, NIC).expect("a binding");
        lab.attach("vlan30");
        lab.assert_traffic("vlan30", 40);
        lab.remove_client("vlan30").expect("the client was there");
        lab.down();
    }

    fn what_nobody_can_have_asked_for_starts_nothing() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        let key = binding_key(SERVICE, r"\Device\nic0");
        for spoiled in [Value::Sz("x".to_owned()), Value::Dword(30), Value::Binary(vec![3, 0])] {
            registry::set(&key, &device("vlan10"), spoiled.clone());
            lab.start();
            lab.attach("vlan20");
            assert_eq!(lab.im_state("vlan10"), ImState::NoInstance, "{spoiled:?}");
            let log = lab.event_log();
            let last = log.last().expect("an administrator is told");
            assert_eq!((last.code & 0xFFFF, &last.strings[0]), (1, &device("vlan10")), "{spoiled:?}");
            lab.down();
        }
    }

    fn what_is_removed_is_gone_at_once_and_after_a_restart() {
        for halt in [When::Inline, When::Later] {
            let lab = MuxLab::running();
            lab.policy(|policy| policy.im_halt = halt);
            let file = open(&lab);
            file.ioctl(REMOVE, &Ask::new().device("VLAN20").bytes(), 8).expect("in any case");
            assert_eq!(lab.adapter_state("vlan20"), AdapterState::Halted);
            let again = file.ioctl(REMOVE, &Ask::new().device("vlan20").bytes(), 8);
            assert_eq!(again, Err(NtStatus(STATUS_OBJECT_NAME_NOT_FOUND)));
            drop(file);
            lab.assert_traffic("vlan10", 10);
            assert_eq!(names(NIC), [device("vlan10")]);
            lab.unplug_nic(NIC).expect("the NIC was plugged");
            lab.plug_nic(NIC).expect("the NIC comes up");
            lab.wait_running("vlan10");
            assert!(lab.settle(SOON));
            assert_eq!(lab.im_state("vlan20"), ImState::NoInstance);
            lab.down();
        }
    }

    fn a_vlan_and_an_address_are_set_and_stay_after_a_restart() {
        let lab = MuxLab::running();
        let file = open(&lab);
        let set = |ask: Ask| file.ioctl(SET, &ask.bytes(), 8).map(drop);
        assert_eq!(set(Ask::new().device("vlan10").vlan(11)), Ok(()));
        lab.wait_running("vlan10");
        lab.assert_traffic("vlan10", 11);
        let address = [2, 3, 4, 5, 6, 7];
        assert_eq!(set(Ask::new().device("vlan10").address(address)), Ok(()));
        lab.wait_running("vlan10");
        assert_eq!(lab.address("vlan10"), address);
        lab.assert_traffic("vlan10", 11);
        lab.assert_traffic("vlan20", 20);
        lab.only_call("MiniportInitializeEx", &device("vlan20"));
        drop(file);
        lab.unplug_nic(NIC).expect("the NIC was plugged");
        lab.plug_nic(NIC).expect("the NIC comes up");
        lab.wait_running("vlan10");
        lab.assert_traffic("vlan10", 11);
        assert_eq!(lab.address("vlan10"), address);
        lab.down();
    }

    fn an_address_that_was_set_can_be_derived_again() {
        let lab = MuxLab::running();
        let file = open(&lab);
        let set = |ask: Ask| {
            assert_eq!(file.ioctl(SET, &ask.bytes(), 8).map(drop), Ok(()));
            lab.wait_running("vlan10");
            lab.address("vlan10")
        };
        let derived = lab.address("vlan10");
        let address = [2, 3, 4, 5, 6, 7];
        assert_eq!(set(Ask::new().device("vlan10").address(address)), address);
        assert_eq!(set(Ask::new().device("vlan10").derived_address()), derived);
        lab.assert_traffic("vlan10", 10);
        assert_eq!(set(Ask::new().device("vlan10").vlan(11).address(address)), address);
        assert_eq!(set(Ask::new().device("vlan10").vlan(12).derived_address()), derived);
        lab.assert_traffic("vlan10", 12);
        assert_eq!(set(Ask::new().device("vlan10").vlan(13)), derived);
        // What is asked for and not written yet is kept while the NIC is away, and joined.
        lab.policy(|policy| policy.im_initialize = ImInitialize::Held);
        let ask = |ask: Ask| assert_eq!(file.ioctl(SET, &ask.bytes(), 8).map(drop), Ok(()));
        ask(Ask::new().device("vlan10").address(address));
        ask(Ask::new().device("vlan10").derived_address());
        ask(Ask::new().device("vlan10").vlan(10));
        lab.unplug_nic(NIC).expect("the NIC was plugged");
        lab.policy(|policy| policy.im_initialize = ImInitialize::Later);
        lab.plug_nic(NIC).expect("the NIC comes up");
        lab.wait_running("vlan10");
        assert_eq!(lab.address("vlan10"), derived);
        lab.assert_traffic("vlan10", 10);
        let log = lab.event_log();
        assert_eq!(log.len(), 0, "{log:?}");
        drop(file);
        lab.down();
    }

    fn what_is_changed_again_and_again_is_asked_for_until_ndis_has_ended_the_last() {
        let lab = MuxLab::running();
        // NDIS regards it as gone some time after the driver has halted it, and says so to nobody.
        lab.policy(|policy| policy.im_halt = When::Later);
        let file = open(&lab);
        for round in 0..40 {
            let set = Ask::new().device("vlan10").vlan(11 + round % 2);
            assert_eq!(file.ioctl(SET, &set.bytes(), 8).map(drop), Ok(()), "{round}");
        }
        drop(file);
        lab.wait_running("vlan10");
        lab.assert_traffic("vlan10", 12);
        lab.down();
    }

    fn programs_ndis_and_the_nic_may_all_change_at_once() {
        let lab = MuxLab::running();
        for name in ["a", "b", "c"] {
            lab.add_virtual_miniport(name, &device(name), &[]);
        }
        let lab = &lab;
        for round in 0..12 {
            lab.policy(|policy| policy.im_halt = if round % 2 == 0 { When::Inline } else { When::Later });
            thread::scope(|scope| {
                for (name, vlan) in [("a", 31), ("b", 32), ("c", 31), ("a", 33)] {
                    scope.spawn(move || {
                        let file = open(lab);
                        // Whether one is there is another's business as well.
                        let _added = file.ioctl(ADD, &Ask::new().nic(NIC).device(name).vlan(vlan).bytes(), 8);
                        let _set = file.ioctl(SET, &Ask::new().device(name).vlan(vlan + 10).bytes(), 8);
                        list(&file);
                        let _removed = file.ioctl(REMOVE, &Ask::new().device(name).bytes(), 8);
                    });
                }
                scope.spawn(move || lab.reconfigure(SERVICE).expect("a driver"));
                scope.spawn(move || {
                    lab.unplug_nic(NIC).expect("the NIC was plugged");
                    lab.plug_nic(NIC).expect("the NIC comes up");
                });
            });
            assert!(lab.settle(SOON));
            let file = open(lab);
            for name in ["a", "b", "c"] {
                let _left = file.ioctl(REMOVE, &Ask::new().device(name).bytes(), 8);
            }
            drop(file);
            assert_eq!(lab.reconfigure(SERVICE).expect("a driver"), NDIS_STATUS_SUCCESS);
            for (name, vlan) in [("vlan10", 10), ("vlan20", 20)] {
                lab.wait_running(name);
                lab.assert_traffic(name, vlan);
            }
        }
        lab.down();
    }
}
