//! Who opens the device and what for, what is no request, and that the device goes: D18, S2, S3.

use ndis_host::{
    lab::{LabError, NtStatus, Token},
    ndis::policy::DeviceNames,
};
use ndis_sys::{
    GENERIC_READ, NTSTATUS, STATUS_ACCESS_DENIED, STATUS_BUFFER_TOO_SMALL,
    STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_PARAMETER, STATUS_NO_SUCH_DEVICE,
    STATUS_OBJECT_NAME_NOT_FOUND,
};
use ndismux_tests::{MuxLab, NIC, SERVICE, device, image_tests};

use super::{ADD, Ask, DEVICE, LIST, REMOVE, SET, STATISTICS, list, open};

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
        lab.finish();
    }

    fn d18_nobody_opens_a_name_below_the_device() {
        for (names, of_users) in [
            (DeviceNames::Open, STATUS_OBJECT_NAME_NOT_FOUND),
            (DeviceNames::Secure, STATUS_ACCESS_DENIED),
        ] {
            let lab = MuxLab::new(&[]);
            lab.policy(|policy| policy.device_names = names);
            lab.load_driver(SERVICE).expect("the driver loads");
            for path in [r"\\.\ndismux\below", r"\\.\ndismux\"] {
                let opened = |token| lab.open_device_for(path, &token, GENERIC_READ).err();
                let administrator = opened(Token::administrator());
                assert_eq!(administrator, Some(NtStatus(STATUS_OBJECT_NAME_NOT_FOUND)), "{path}");
                assert_eq!(opened(Token::user()), Some(NtStatus(of_users)), "{path}, {names:?}");
            }
            lab.finish();
        }
    }

    fn d18_a_handle_for_reading_changes_nothing() {
        let lab = MuxLab::running();
        let read = lab
            .open_device_for(DEVICE, &Token::administrator(), GENERIC_READ)
            .expect("it may be opened");
        assert_eq!(read.ioctl(LIST, &Ask::new().bytes(), 4096).map(|it| it.len() > 24), Ok(true));
        let ask = Ask::new().nic(NIC).device("vlan10").vlan(30).bytes();
        for operation in [ADD, REMOVE, SET] {
            // The system looks at the access that a code asks for; the driver knows each with one.
            for access in 0..4 {
                let end = read.ioctl(operation & !(3 << 14) | access << 14, &ask, 8).map(drop);
                let asks_for_write = access & 2 != 0;
                let expected =
                    if asks_for_write { STATUS_ACCESS_DENIED } else { STATUS_INVALID_DEVICE_REQUEST };
                assert_eq!(end, Err(NtStatus(expected)), "{operation:#x} {access}");
            }
        }
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
}

/// `STATUS_REVISION_MISMATCH`.
const REVISION_MISMATCH: NTSTATUS = 0xC000_0059_u32.cast_signed();
