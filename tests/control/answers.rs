//! What a program is told: the list and the statistics.

use ndis_host::lab::NtStatus;
use ndis_sys::{STATUS_BUFFER_OVERFLOW, STATUS_OBJECT_NAME_NOT_FOUND};
use ndismux_tests::{MAC_BELOW, MuxLab, NIC1, SOON, VLAN30, image_tests};

use super::{Ask, LIST, STATISTICS, list, open, word};

image_tests! {
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
}
