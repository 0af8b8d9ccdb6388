//! The device that programs control the driver by: D16, D17, D18, S2.
//!
//! Requests and answers are put together here by the table in the documentation of
//! `mux_core::control`, not by its code.

use std::thread;

use ndis_host::{
    faults,
    lab::{DeviceFile, LabError, NtStatus, Token},
    ndis::{
        AdapterState, BindingState, ImState,
        config::binding_key,
        policy::{ImInitialize, Policy, When},
    },
    nt::registry::{self, Value},
};
use ndis_sys::{
    GENERIC_READ, NDIS_STATUS_FAILURE, NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS, NTSTATUS,
    STATUS_ACCESS_DENIED, STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL,
    STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_PARAMETER, STATUS_NO_SUCH_DEVICE,
    STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_NAME_NOT_FOUND,
};
use ndismux_tests::{
    Frame, MAC_BELOW, MAC_PEER, MuxLab, NEVER, NIC, NIC1, SERVICE, SOON, VLAN10, VLAN20, VLAN30,
    device, faults_in, image_tests,
};

image_tests! {
    fn d18_only_the_system_and_administrators_open_the_device() {
        let lab = MuxLab::new(&[]);
        lab.load_driver(SERVICE).expect("the driver loads");
        for token in [Token::system(), Token::administrator()] {
            lab.open_device(DEVICE, &token).expect("it is for them");
        }
        let refused = |path, desired| {
            lab.open_device_for(path, &Token::user(), desired).err()
        };
        assert_eq!(refused(DEVICE, GENERIC_READ), Some(NtStatus(STATUS_ACCESS_DENIED)));
        assert_eq!(refused(r"\\.\ndismux\below", GENERIC_READ), Some(NtStatus(STATUS_ACCESS_DENIED)));
        lab.finish();
    }

    fn d18_a_handle_for_reading_changes_nothing() {
        let lab = MuxLab::running();
        let read = lab
            .open_device_for(DEVICE, &Token::administrator(), GENERIC_READ)
            .expect("it may be opened");
        assert_eq!(read.ioctl(LIST, &Ask::new().bytes(), 4096).map(|it| it.len() > 24), Ok(true));
        let remove = read.ioctl(REMOVE, &Ask::new().device("vlan10").bytes(), 8);
        assert_eq!(remove, Err(NtStatus(STATUS_ACCESS_DENIED)));
        drop(read);
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn d18_what_is_no_request_fails_and_changes_nothing() {
        let lab = MuxLab::running();
        let file = open(&lab);
        let good = Ask::new().device("vlan10").bytes();
        let end = |code, input: &[u8], output| file.ioctl(code, input, output).map(drop);
        for code in [0, LIST + 4 * 5, LIST - 4, LIST | 1, LIST | 2, REMOVE | 3, u32::MAX] {
            let end = end(code, &good, 4096);
            assert_eq!(end, Err(NtStatus(STATUS_INVALID_DEVICE_REQUEST)), "{code:#x}");
        }
        for code in [LIST, ADD, REMOVE, SET, STATISTICS] {
            for length in 0..good.len() {
                let end = end(code, &good[..length], 4096);
                assert_eq!(end, Err(NtStatus(STATUS_INVALID_PARAMETER)), "{code:#x} {length}");
            }
            let end = end(code, &good, 7);
            assert_eq!(end, Err(NtStatus(STATUS_BUFFER_TOO_SMALL)), "{code:#x}");
        }
        let mut newer = good.clone();
        newer[0] = 2;
        assert_eq!(end(REMOVE, &newer, 8), Err(NtStatus(REVISION_MISMATCH)));
        for name in ["vlan10", "vlan20"] {
            lab.only_call("MiniportInitializeEx", &device(name));
        }
        lab.assert_traffic("vlan10", 10);
        drop(file);
        lab.down();
    }

    fn the_list_shows_each_nic_and_what_stands_on_it() {
        let lab = MuxLab::running();
        lab.add_second_nic();
        lab.plug_nic(NIC1).expect("the NIC comes up");
        lab.attach(VLAN30.name);
        lab.disable("vlan20").expect("an adapter");
        let file = open(&lab);
        let entries = list(&file);
        let shown: Vec<_> = entries.iter().map(|it| (it.kind, it.state, it.vlan, &*it.name)).collect();
        assert_eq!(
            shown,
            [
                (1, 2, 0, r"\Device\nic0"),
                (2, 4, 10, r"\Device\{vlan10}"),
                (2, 0, 0, r"\Device\{vlan20}"),
                (1, 2, 0, r"\Device\nic1"),
                (2, 4, 30, r"\Device\{vlan30}"),
            ]
        );
        assert_eq!(entries[0].address, MAC_BELOW);
        assert_eq!(entries[1].address, lab.address("vlan10"));
        assert_eq!((entries[0].link, entries[1].link, entries[2].link), (1, 1, 0));
        assert_eq!((entries[0].mtu, entries[2].mtu), (1500, 0));
        lab.below().set_link(false);
        assert!(lab.settle(SOON));
        assert_eq!(list(&file)[1].link, 2);
        drop(file);
        lab.remove_client("vlan30").expect("the client was there");
        lab.unplug_nic(NIC1).expect("the NIC was plugged");
        lab.down();
    }

    fn a_list_that_is_cut_short_says_how_long_it_is() {
        let lab = MuxLab::running();
        let file = open(&lab);
        let whole = file.ioctl(LIST, &Ask::new().bytes(), 4096).expect("it fits");
        for room in 24..whole.len() {
            let cut = file.ioctl_raw(LIST, &Ask::new().bytes(), vec![0; room]).expect("it may");
            assert_eq!(cut.status, STATUS_BUFFER_OVERFLOW, "{room}");
            assert_eq!(word(&cut.output, 8) as usize, whole.len(), "{room}");
            assert!(cut.information <= room);
            assert_eq!(word(&cut.output, 4) as usize, cut.information);
        }
        let exact = file.ioctl(LIST, &Ask::new().bytes(), whole.len());
        assert_eq!(exact, Ok(whole));
        drop(file);
        lab.down();
    }

    fn statistics_are_what_the_virtual_miniport_has_counted() {
        let lab = MuxLab::running();
        let file = open(&lab);
        let counts = |name| {
            let answer = file.ioctl(STATISTICS, &Ask::new().device(name).bytes(), 200).expect("counts");
            assert_eq!(answer.len(), 8 + 16 * 8);
            answer[8..].chunks(8).map(|it| u64::from_le_bytes(it.try_into().expect("8"))).collect::<Vec<_>>()
        };
        let before = counts("vlan10");
        lab.assert_traffic("vlan10", 10);
        let after = counts("vlan10");
        // A directed frame of 60 bytes each way.
        assert_eq!((after[0] - before[0], after[1] - before[1]), (1, 60));
        assert_eq!((after[8] - before[8], after[9] - before[9]), (1, 60));
        lab.disable("vlan20").expect("an adapter");
        assert_eq!(counts("vlan20"), [0; 16]);
        let none = file.ioctl(STATISTICS, &Ask::new().device("none").bytes(), 200);
        assert_eq!(none, Err(NtStatus(STATUS_OBJECT_NAME_NOT_FOUND)));
        drop(file);
        lab.down();
    }

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

    fn s2_uninstall_takes_the_device_away_and_an_open_keeps_the_driver_loaded() {
        let lab = MuxLab::running();
        let file = open(&lab);
        lab.uninstall(SERVICE).expect("the driver is loaded");
        let uninstall = lab.only_call("ProtocolUninstall", SERVICE);
        let deregister = lab.trace().image_calls("NdisDeregisterDeviceEx");
        assert!(uninstall.sequence < deregister[0].sequence && deregister[0].ended < uninstall.ended);
        let gone = lab.open_device(DEVICE, &Token::administrator()).err();
        assert_eq!(gone, Some(NtStatus(STATUS_OBJECT_NAME_NOT_FOUND)));
        // Who has it open still gets answers: there is nothing any more.
        assert!(list(&file).is_empty());
        let add = file.ioctl(ADD, &Ask::new().nic(NIC).device("vlan30").vlan(30).bytes(), 8);
        assert_eq!(add, Err(NtStatus(STATUS_NO_SUCH_DEVICE)));
        assert!(matches!(lab.unload(SERVICE), Err(LabError::Open { opens: 1, .. })));
        drop(file);
        lab.unload(SERVICE).expect("nobody has it open");
        for name in ["vlan10", "vlan20"] {
            lab.remove_client(name).expect("the client was there");
        }
        lab.unplug_nic(NIC).expect("the NIC was plugged");
        lab.assert_nothing_left();
    }

    fn s3_unload_without_an_uninstall_takes_the_device_away() {
        let lab = MuxLab::running();
        lab.unload(SERVICE).expect("the driver was loaded");
        assert_eq!(lab.trace().image_calls("NdisDeregisterDeviceEx").len(), 1);
        for name in ["vlan10", "vlan20"] {
            lab.remove_client(name).expect("the client was there");
        }
        lab.unplug_nic(NIC).expect("the NIC was plugged");
        lab.assert_nothing_left();
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

/// What removing calls that can fail, as far as it must.
const FALLIBLE_IN_REMOVE: [&str; 4] = [
    "ExAllocatePool2",
    "NdisOpenConfigurationEx",
    "NdisReadConfiguration",
    "NdisWriteConfiguration",
];

const DEVICE: &str = r"\\.\ndismux";

const LIST: u32 = 0x12_6004;
const ADD: u32 = 0x12_A008;
const REMOVE: u32 = 0x12_A00C;
const SET: u32 = 0x12_A010;
const STATISTICS: u32 = 0x12_6014;

/// `STATUS_REVISION_MISMATCH`.
const REVISION_MISMATCH: NTSTATUS = 0xC000_0059_u32.cast_signed();
/// `STATUS_ADDRESS_ALREADY_EXISTS`.
const ADDRESS_ALREADY_EXISTS: NTSTATUS = 0xC000_020A_u32.cast_signed();

fn open(lab: &MuxLab) -> DeviceFile {
    lab.open_device(DEVICE, &Token::administrator())
        .expect("it is there")
}

/// A request.
#[derive(Clone, Debug)]
struct Ask {
    flags: u16,
    vlan: u16,
    address: [u8; 6],
    nic: String,
    device: String,
}

impl Ask {
    fn new() -> Self {
        Self {
            flags: 0,
            vlan: 0,
            address: [0; 6],
            nic: String::new(),
            device: String::new(),
        }
    }

    fn nic(self, label: &str) -> Self {
        let nic = format!(r"\Device\{label}");
        Self { nic, ..self }
    }

    fn device(self, label: &str) -> Self {
        let device = device(label);
        Self { device, ..self }
    }

    fn vlan(self, vlan: u16) -> Self {
        let flags = self.flags | 1;
        Self {
            flags,
            vlan,
            ..self
        }
    }

    fn address(self, address: [u8; 6]) -> Self {
        let flags = self.flags | 2;
        Self {
            flags,
            address,
            ..self
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let units = |text: &str| {
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>()
        };
        let (nic, device) = (units(&self.nic), units(&self.device));
        let length = 24 + nic.len() + device.len();
        let mut bytes = Vec::new();
        bytes.extend(1_u16.to_le_bytes());
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend((length as u32).to_le_bytes());
        bytes.extend(self.vlan.to_le_bytes());
        bytes.extend((nic.len() as u16).to_le_bytes());
        bytes.extend((device.len() as u16).to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend(self.address);
        bytes.extend([0; 2]);
        bytes.extend(nic);
        bytes.extend(device);
        bytes
    }
}

/// An entry of a list.
#[derive(Debug)]
struct Entry {
    kind: u16,
    state: u16,
    vlan: u16,
    link: u16,
    mtu: u32,
    address: [u8; 6],
    name: String,
}

/// All entries of the list, which has its own length right.
fn list(file: &DeviceFile) -> Vec<Entry> {
    let answer = file
        .ioctl(LIST, &Ask::new().bytes(), 1 << 16)
        .expect("a list");
    assert_eq!((half(&answer, 0), half(&answer, 2)), (1, 0));
    assert_eq!(word(&answer, 4) as usize, answer.len());
    assert_eq!(word(&answer, 8) as usize, answer.len());
    let mut entries = Vec::new();
    let mut rest = &answer[24..];
    while !rest.is_empty() {
        let (entry, after) = rest.split_at(28 + usize::from(half(rest, 26)));
        let units: Vec<u16> = entry[28..]
            .chunks(2)
            .map(|it| u16::from_le_bytes([it[0], it[1]]))
            .collect();
        entries.push(Entry {
            kind: half(entry, 0),
            state: half(entry, 2),
            vlan: half(entry, 4),
            link: half(entry, 6),
            mtu: word(entry, 16),
            address: entry[20..26].try_into().expect("six bytes"),
            name: String::from_utf16(&units).expect("a name"),
        });
        rest = after;
    }
    assert_eq!(word(&answer, 12) as usize, entries.len());
    assert_eq!(word(&answer, 16) as usize, entries.len());
    entries
}

fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// The names that the registry has for a NIC.
fn names(nic: &str) -> Vec<String> {
    let key = binding_key(SERVICE, &format!(r"\Device\{nic}"));
    match registry::get(&key, "UpperBindings") {
        Some(Value::MultiSz(names)) => names,
        other => panic!("{other:?}"),
    }
}
