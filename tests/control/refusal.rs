//! What a program cannot have, or does not get because something fails: D16, D17, D18, D22.

use ndis_host::{
    faults,
    lab::NtStatus,
    ndis::{
        BindingState, ImState,
        config::binding_key,
        policy::{ImInitialize, Policy},
    },
    nt::registry::{self, Value},
};
use ndis_sys::{
    NDIS_STATUS_FAILURE, NDIS_STATUS_RESOURCES, NTSTATUS, STATUS_INVALID_PARAMETER,
    STATUS_NO_SUCH_DEVICE, STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_NAME_NOT_FOUND,
};
use ndismux_tests::{
    Frame, MAC_PEER, MuxLab, NEVER, NIC, NIC1, SERVICE, SOON, VLAN10, VLAN20, device, faults_in,
    image_tests,
};

use super::{ADD, Ask, Entry, REMOVE, SET, list, names, open};

image_tests! {
    fn d16_a_vlan_or_address_that_none_can_have_is_refused_and_changes_nothing() {
        let lab = MuxLab::running();
        lab.add_virtual_miniport("vlan30", &device("vlan30"), &[]);
        let file = open(&lab);
        let refused = |code, ask: Ask| {
            let end = file.ioctl(code, &ask.bytes(), 8);
            assert_eq!(end, Err(NtStatus(STATUS_INVALID_PARAMETER)), "{ask:?}");
        };
        for vlan in [4095, 4096, 0xFFFF] {
            refused(SET, Ask::new().device("vlan10").vlan(vlan));
            refused(ADD, Ask::new().nic(NIC).device("vlan30").vlan(vlan));
        }
        for address in [[0; 6], [1, 0, 0, 0, 0, 1], [0xFF; 6]] {
            refused(SET, Ask::new().device("vlan10").address(address));
            refused(ADD, Ask::new().nic(NIC).device("vlan30").vlan(30).address(address));
        }
        refused(SET, Ask::new().device("vlan10"));
        refused(ADD, Ask::new().nic(NIC).device("vlan30"));
        drop(file);
        lab.assert_traffic("vlan10", 10);
        lab.only_call("MiniportInitializeEx", &device("vlan10"));
        assert_eq!(names(NIC), ["vlan10", "vlan20"].map(device));
        assert_eq!(lab.im_state("vlan30"), ImState::NoInstance);
        lab.down();
    }

    fn d18_each_thing_that_cannot_be_had_has_its_own_status() {
        let lab = MuxLab::running();
        lab.add_virtual_miniport("vlan30", &device("vlan30"), &[]);
        let file = open(&lab);
        let ask = Ask::new;
        for (code, ask, status) in [
            (ADD, ask().nic("nic9").device("vlan30").vlan(30), STATUS_NO_SUCH_DEVICE),
            (ADD, ask().nic(NIC).device("vlan10").vlan(30), STATUS_OBJECT_NAME_COLLISION),
            (ADD, ask().nic(NIC).device("vlan30").vlan(10), ADDRESS_ALREADY_EXISTS),
            (SET, ask().device("vlan20").vlan(10), ADDRESS_ALREADY_EXISTS),
            (SET, ask().device("vlan30").vlan(30), STATUS_OBJECT_NAME_NOT_FOUND),
            (REMOVE, ask().device("vlan30"), STATUS_OBJECT_NAME_NOT_FOUND),
        ] {
            assert_eq!(file.ioctl(code, &ask.bytes(), 8), Err(NtStatus(status)), "{ask:?}");
        }
        drop(file);
        for (name, vlan) in [("vlan10", 10), ("vlan20", 20)] {
            lab.only_call("MiniportInitializeEx", &device(name));
            lab.assert_traffic(name, vlan);
        }
        assert_eq!(names(NIC), ["vlan10", "vlan20"].map(device));
        lab.down();
    }

    fn d17_whichever_call_of_a_change_fails_all_is_as_before() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        lab.policy(|policy| *policy = Policy { im_initialize: ImInitialize::Held, ..Policy::INLINE });
        lab.add_virtual_miniport("vlan30", &device("vlan30"), &[]);
        lab.start();
        let file = open(&lab);
        let add = Ask::new().nic(NIC).device("vlan30").vlan(30).bytes();
        let remove = Ask::new().device("vlan30").bytes();
        let change = |code, input: &[u8]| file.ioctl(code, input, 8).map(drop);
        let adding = faults_in(&FALLIBLE_IN_ADD, || change(ADD, &add).expect("there is room"));
        let removing = faults_in(&FALLIBLE_IN_REMOVE, || change(REMOVE, &remove).expect("it is there"));
        let kept = |entries: &[Entry]| entries.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
        let without = kept(&list(&file));
        let written = names(NIC);
        for fault in adding {
            fault.arm();
            let end = change(ADD, &add);
            faults::clear();
            if end.is_ok() {
                // Nothing that it needs, like the copy of a value for the case that it fails.
                change(REMOVE, &remove).expect("it is there");
                continue;
            }
            let expected = [NDIS_STATUS_RESOURCES, NDIS_STATUS_FAILURE].map(|it| Err(NtStatus(it)));
            assert!(expected.contains(&end), "{fault:?}: {end:?}");
            assert_eq!(kept(&list(&file)), without, "{fault:?}");
            assert_eq!(names(NIC), written, "{fault:?}");
            assert_eq!(lab.im_state("vlan30"), ImState::NoInstance, "{fault:?}");
        }
        change(ADD, &add).expect("there is room");
        let with = kept(&list(&file));
        for fault in removing {
            fault.arm();
            let end = change(REMOVE, &remove);
            faults::clear();
            if end.is_ok() {
                change(ADD, &add).expect("there is room");
                continue;
            }
            assert_eq!(kept(&list(&file)), with, "{fault:?}");
            assert!(names(NIC).contains(&device("vlan30")), "{fault:?}");
            assert_eq!(lab.im_state("vlan30"), ImState::InitRequested, "{fault:?}");
        }
        drop(file);
        lab.down();
    }

    fn d17_a_setting_that_cannot_be_written_keeps_one_down_and_a_reconfigure_mends_it() {
        let lab = MuxLab::running();
        lab.add_virtual_miniport("vlan30", &device("vlan30"), &[]);
        lab.policy(|policy| policy.im_initialize = ImInitialize::Held);
        let file = open(&lab);
        file.ioctl(ADD, &Ask::new().nic(NIC).device("vlan30").vlan(30).bytes(), 8).expect("there is room");
        lab.fail_nth("NdisWriteConfiguration", 1);
        assert!(lab.release_initialize("vlan30"));
        assert!(lab.settle(SOON));
        assert_eq!(lab.im_state("vlan30"), ImState::NoInstance);
        lab.reconfigure_binding(SERVICE, NIC).expect("a binding");
        assert!(lab.release_initialize("vlan30"));
        lab.attach("vlan30");
        lab.assert_traffic("vlan30", 30);
        drop(file);
        lab.remove_client("vlan30").expect("the client was there");
        lab.down();
    }

    fn d17_what_ndis_refuses_to_change_comes_back_as_it_was() {
        let lab = MuxLab::running();
        let address = lab.address("vlan10");
        let file = open(&lab);
        let set = Ask::new().device("vlan10").vlan(11).address([2, 3, 4, 5, 6, 7]).bytes();
        let is_as_before = || {
            lab.wait_running("vlan10");
            assert_eq!(lab.address("vlan10"), address);
            lab.assert_traffic("vlan10", 10);
        };
        let refused = Err(NtStatus(NDIS_STATUS_FAILURE));
        lab.fail_nth("NdisIMInitializeDeviceInstanceEx", 1);
        assert_eq!(file.ioctl(SET, &set, 8).map(drop), refused);
        is_as_before();
        assert_eq!(lab.event_log().len(), 0, "{:?}", lab.event_log());
        // Nor is it asked for after a restart.
        lab.unplug_nic(NIC).expect("the NIC was plugged");
        lab.plug_nic(NIC).expect("the NIC comes up");
        is_as_before();
        // Refused as it was too, it waits for the next reconfiguration.
        for nth in [1, 2] {
            lab.fail_nth("NdisIMInitializeDeviceInstanceEx", nth);
        }
        assert_eq!(file.ioctl(SET, &set, 8).map(drop), refused);
        assert_eq!(lab.im_state("vlan10"), ImState::NoInstance);
        let log = lab.event_log();
        assert_eq!(log.len(), 1, "an administrator is told: {log:?}");
        assert_eq!(&log[0].strings[0], &device("vlan10"));
        lab.assert_traffic("vlan20", 20);
        lab.reconfigure_binding(SERVICE, NIC).expect("a binding");
        is_as_before();
        // It can still be changed.
        file.ioctl(SET, &set, 8).expect("NDIS takes it");
        lab.wait_running("vlan10");
        lab.assert_traffic("vlan10", 11);
        drop(file);
        lab.down();
    }

    fn d17_what_ndis_refuses_to_change_before_it_came_up_is_asked_for_as_before() {
        let lab = MuxLab::running();
        let key = binding_key(SERVICE, r"\Device\nic0");
        let written = || registry::get(&key, &device("vlan10"));
        lab.policy(|policy| policy.im_initialize = ImInitialize::Held);
        let file = open(&lab);
        let set = |vlan| file.ioctl(SET, &Ask::new().device("vlan10").vlan(vlan).bytes(), 8).map(drop);
        set(11).expect("it is there");
        lab.fail_nth("NdisIMInitializeDeviceInstanceEx", 1);
        assert_eq!(set(12), Err(NtStatus(NDIS_STATUS_FAILURE)));
        assert_eq!(written(), Some(Value::Sz("11,".to_owned())));
        assert!(lab.release_initialize("vlan10"));
        lab.wait_running("vlan10");
        lab.assert_traffic("vlan10", 11);
        drop(file);
        lab.down();
    }

    fn d17_whichever_call_of_a_set_fails_all_is_as_before() {
        let lab = MuxLab::running();
        lab.policy(|policy| *policy = Policy { im_initialize: ImInitialize::Held, ..Policy::INLINE });
        let file = open(&lab);
        let set = |vlan| file.ioctl(SET, &Ask::new().device("vlan10").vlan(vlan).bytes(), 8).map(drop);
        let vlan = || {
            let entries = list(&file);
            let mut named = entries.iter().filter(|it| it.name == device("vlan10"));
            let entry = named.next().expect("it is there");
            assert!(named.next().is_none(), "it is there once");
            entry.vlan
        };
        set(11).expect("it is there");
        let setting = faults_in(&FALLIBLE_IN_SET, || set(12).expect("it is there"));
        set(11).expect("it is there");
        for fault in setting {
            fault.arm();
            let end = set(12);
            faults::clear();
            match end {
                // Nothing that it needs, like room for a shorter list.
                Ok(()) => {
                    assert_eq!(vlan(), 12, "{fault:?}");
                    set(11).expect("it is there");
                }
                Err(_) => assert_eq!(vlan(), 11, "{fault:?}"),
            }
            assert_eq!(lab.im_state("vlan10"), ImState::InitRequested, "{fault:?}");
        }
        drop(file);
        lab.down();
    }

    fn d22_two_virtual_miniports_in_one_vlan_of_a_nic_are_refused() {
        // Two could not hear each other: what one sends leaves by the wire. So the second does not come up,
        // whoever is second, and comes up when the VLAN is free.
        let lab = MuxLab::running();
        lab.add_virtual_miniport("other", &device("other"), &[("VlanId", Value::Dword(10))]);
        lab.stack(SERVICE, NIC, &["vlan10", "vlan20", "other"]).expect("devices");
        lab.reconfigure_binding(SERVICE, NIC).expect("a binding");
        assert!(lab.settle(SOON));
        assert_eq!(lab.im_state("other"), ImState::NoInstance);
        assert_eq!(lab.binding_state(SERVICE, NIC), BindingState::Running);
        lab.assert_traffic("vlan10", 10);
        let file = open(&lab);
        file.ioctl(REMOVE, &Ask::new().device("vlan10").bytes(), 8).expect("it is there");
        drop(file);
        lab.reconfigure_binding(SERVICE, NIC).expect("a binding");
        lab.attach("other");
        lab.assert_traffic("other", 10);
        lab.remove_client("other").expect("the client was there");
        lab.down();
    }

    fn d22_the_same_vlan_on_two_nics_is_two_vlans() {
        let lab = MuxLab::running();
        lab.add_second_nic();
        lab.set_values("vlan30", &[("VlanId", Value::Dword(10))]);
        lab.plug_nic(NIC1).expect("the NIC comes up");
        lab.attach("vlan30");
        lab.assert_traffic_by(NIC1, "vlan30", 10);
        lab.assert_traffic("vlan10", 10);
        lab.below().inject(&Frame::new(MAC_PEER, [0xFF; 6], 1).tagged(10).bytes());
        lab.above("vlan10").recv(SOON).expect("a broadcast arrives");
        assert!(lab.above("vlan30").recv(NEVER).is_none());
        lab.remove_client("vlan30").expect("the client was there");
        lab.unplug_nic(NIC1).expect("the NIC was plugged");
        lab.down();
    }
}

/// What adding calls that can fail, as far as it must.
const FALLIBLE_IN_ADD: [&str; 5] = [
    "ExAllocatePool2",
    "NdisOpenConfigurationEx",
    "NdisReadConfiguration",
    "NdisWriteConfiguration",
    "NdisIMInitializeDeviceInstanceEx",
];

/// What setting calls that can fail, as far as it must.
const FALLIBLE_IN_SET: [&str; 4] = [
    "ExAllocatePool2",
    "NdisOpenConfigurationEx",
    "NdisWriteConfiguration",
    "NdisIMInitializeDeviceInstanceEx",
];

/// What removing calls that can fail, as far as it must.
const FALLIBLE_IN_REMOVE: [&str; 4] = [
    "ExAllocatePool2",
    "NdisOpenConfigurationEx",
    "NdisReadConfiguration",
    "NdisWriteConfiguration",
];

/// `STATUS_ADDRESS_ALREADY_EXISTS`.
const ADDRESS_ALREADY_EXISTS: NTSTATUS = 0xC000_020A_u32.cast_signed();
