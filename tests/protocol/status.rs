//! `ProtocolStatusEx`: what the adapter below tells goes up, or not, as `mux_core::status::TABLE` says.

use std::thread;

use mux_core::status::{self, Action};
use ndis_host::{
    ndis::{
        BindingState,
        policy::{ImInitialize, Policy},
        trace::Record,
    },
    nic::{NicConfig, Offloads},
    nt::irql::Irql,
};
use ndis_sys::{
    NDIS_ENCAPSULATION_IEEE_802_3, NDIS_PACKET_TYPE_BROADCAST, NDIS_PACKET_TYPE_DIRECTED,
    NDIS_PACKET_TYPE_MULTICAST, NDIS_STATUS_LINK_STATE, NDIS_STATUS_NETWORK_CHANGE,
    NDIS_STATUS_PENDING, NDIS_STATUS_RESET_END, NDIS_STATUS_RESET_START, OID_802_3_MULTICAST_LIST,
    OID_GEN_LINK_STATE, OID_GEN_MEDIA_CONNECT_STATUS, OID_TCP_OFFLOAD_PARAMETERS,
};
use ndismux_tests::{
    BINDING, MAC_BELOW, MuxLab, NIC, NONE, SERVICE, SOON, VLAN10, VLAN20, image_tests, until,
};

image_tests! {
    fn the_link_below_is_the_link_above_on_every_virtual_miniport() {
        let lab = MuxLab::new(&[NONE, VLAN10, VLAN20]);
        lab.up();
        let names = ["none", "vlan10", "vlan20"];
        for up in [false, true, false, true] {
            let below = lab.add_client("below", NIC).expect("a device");
            lab.below().set_link(up);
            let state = link_state(&below.query(OID_GEN_LINK_STATE, 64).1);
            for name in names {
                assert!(lab.above(name).wait_link(up, SOON), "{name}");
                let (status, answer) = lab.above(name).query(OID_GEN_MEDIA_CONNECT_STATUS, 4);
                assert_eq!((status, answer), (0, u32::from(!up).to_le_bytes().to_vec()), "{name}");
                // Speeds and duplex too.
                let above = lab.above(name).query(OID_GEN_LINK_STATE, 64).1;
                assert_eq!(link_state(&above), state, "{name}");
                let (code, buffer) = lab.above(name).statuses().pop().expect("it was indicated");
                assert_eq!((code, link_state(&buffer)), (NDIS_STATUS_LINK_STATE, state.clone()), "{name}");
            }
            lab.remove_client("below").expect("the client was there");
        }
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn a_virtual_miniport_initialized_without_a_link_has_none_until_it_comes() {
        let lab = MuxLab::new(&[NONE, VLAN10]);
        lab.below().set_link(false);
        lab.up();
        for name in ["none", "vlan10"] {
            let attributes = lab.above(name).attributes().expect("the client is bound");
            assert!(!attributes.connected && !lab.above(name).link_up(), "{name}");
        }
        lab.below().set_link(true);
        for name in ["none", "vlan10"] {
            assert!(lab.above(name).wait_link(true, SOON), "{name}");
        }
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn a_link_that_changes_before_the_adapter_is_open_is_asked_for() {
        let lab = MuxLab::new(&[VLAN10]);
        lab.load_driver(SERVICE).expect("the driver loads");
        for up in [false, true] {
            // The bind parameters say what was before.
            lab.hold_opens(true);
            let opens = || lab.calls("NdisOpenAdapterEx", BINDING).len();
            let before = opens();
            thread::scope(|scope| {
                let plug = scope.spawn(|| lab.plug_nic(NIC).expect("the NIC comes up"));
                until(|| opens() > before);
                // Nobody is told: the adapter is not open yet.
                lab.below().set_link(up);
                lab.hold_opens(false);
                plug.join().expect("it is plugged");
            });
            if lab.client("vlan10").is_err() {
                lab.attach("vlan10");
            }
            lab.wait_running("vlan10");
            let attributes = lab.above("vlan10").attributes().expect("the client is bound");
            assert_eq!(attributes.connected, up);
            lab.unplug_nic(NIC).expect("the NIC was plugged");
        }
        lab.finish();
    }

    fn a_link_that_cannot_be_asked_for_is_as_the_bind_said() {
        let lab = MuxLab::new(&[VLAN10]);
        lab.below().set_link(false);
        lab.load_driver(SERVICE).expect("the driver loads");
        lab.fail_nth("NdisOidRequest", 1);
        lab.plug_nic(NIC).expect("the NIC comes up");
        lab.attach("vlan10");
        assert!(!lab.above("vlan10").link_up());
        lab.below().set_link(true);
        assert!(lab.above("vlan10").wait_link(true, SOON));
        lab.down();
    }

    fn a_link_that_goes_before_initialize_begins_is_gone_when_it_ends() {
        let lab = MuxLab::new(&[VLAN10]);
        lab.policy(|policy| policy.im_initialize = ImInitialize::Held);
        lab.load_driver(SERVICE).expect("the driver loads");
        for up in [false, true] {
            lab.plug_nic(NIC).expect("the NIC comes up");
            lab.below().set_link(up);
            until(|| lab.release_initialize("vlan10"));
            if lab.client("vlan10").is_err() {
                lab.attach("vlan10");
            }
            assert!(lab.above("vlan10").wait_state(BindingState::Running, SOON));
            assert!(lab.above("vlan10").wait_link(up, SOON));
            lab.unplug_nic(NIC).expect("the NIC was plugged");
        }
        lab.finish();
    }

    fn d08_d09_what_completes_inline_meets_no_lock_that_is_held() {
        let nic = NicConfig {
            offloads: Some(Offloads::with(NDIS_ENCAPSULATION_IEEE_802_3)),
            ..NicConfig::new(NIC, MAC_BELOW)
        };
        let lab = MuxLab::with_nic(nic, &[NONE, VLAN10, VLAN20]);
        lab.policy(|policy| *policy = Policy::INLINE);
        lab.up();
        let lab = &lab;
        thread::scope(|scope| {
            for (name, group) in [("none", 1), ("vlan10", 2), ("vlan20", 3)] {
                scope.spawn(move || {
                    for round in 0..50_u8 {
                        let client = lab.above(name);
                        assert_eq!(client.set_packet_filter(FILTERS[usize::from(round) % 3]), 0);
                        let list = [1, 0, 0x5E, 0, round, group];
                        assert_eq!(client.set(OID_802_3_MULTICAST_LIST, &list), 0);
                        // The NIC says from within its handler what has become of it.
                        let parameters = large_sends(round % 2 == 0);
                        if name == "none" {
                            assert_eq!(client.set(OID_TCP_OFFLOAD_PARAMETERS, &parameters), 0);
                        }
                    }
                });
            }
            scope.spawn(|| {
                for round in 0..50 {
                    lab.below().set_link(round % 2 == 1);
                    lab.below().indicate_status(NDIS_STATUS_NETWORK_CHANGE, &0_u32);
                    lab.reconfigure(SERVICE).expect("a driver");
                }
            });
        });
        let requests = lab.trace().image_calls("NdisOidRequest");
        assert!(requests.len() > 150, "{}", requests.len());
        let inline = |request: &Record| request.status != Some(NDIS_STATUS_PENDING);
        // Whoever holds a spin lock is at DISPATCH_LEVEL; nobody else here is.
        let locked = |it: &&Record| it.irql != Irql::PASSIVE;
        assert_eq!(requests.iter().find(locked).map(|it| &it.object), None);
        assert!(requests.iter().filter(|it| inline(it)).count() > 100);
        // Statuses arrived within a request, and went up within it.
        let told = lab.trace().image_calls("NdisMIndicateStatusEx");
        assert_eq!(told.iter().find(locked).map(|it| &it.object), None);
        let within = |status: &Record| requests.iter().any(|request| {
            request.thread == status.thread
                && request.sequence < status.sequence
                && status.ended < request.ended
        });
        assert!(told.iter().any(within));
        for (name, vlan) in [("none", 0), ("vlan10", 10), ("vlan20", 20)] {
            assert_eq!(lab.above(name).set_packet_filter(NDIS_PACKET_TYPE_DIRECTED), 0);
            assert!(lab.above(name).link_up(), "{name}");
            lab.assert_traffic(name, vlan);
        }
        lab.down();
    }

    fn each_status_is_forwarded_or_swallowed_as_its_row_says() {
        let lab = MuxLab::running();
        let buffer: [u8; 64] = std::array::from_fn(|at| at as u8);
        let names = ["vlan10", "vlan20"];
        let told = |code: u32| {
            let before = names.map(|name| lab.above(name).statuses().len());
            lab.below().indicate_status(code.cast_signed(), &buffer);
            let after = names.map(|name| lab.above(name).statuses());
            [0, 1].map(|at| after[at][before[at]..].to_vec())
        };
        for row in status::TABLE {
            match row.action {
                // Only NDIS may indicate these.
                Action::Swallow if RESETS.contains(&row.code.cast_signed()) => {}
                Action::Swallow => assert_eq!(told(row.code), [const { Vec::new() }; 2], "{}", row.name),
                Action::NetworkChange => {
                    // A number, and nothing behind it.
                    let number = (row.code.cast_signed(), buffer[..4].to_vec());
                    assert_eq!(told(row.code), [vec![number.clone()], vec![number]], "{}", row.name);
                }
                // What these hold is looked at in tests of their own.
                Action::LinkState
                | Action::Offload
                | Action::OffloadHardware
                | Action::Pattern => {}
            }
        }
        for code in [0x4001_FFFF, 0x4002_0FFF, 0, u32::MAX] {
            assert_eq!(told(code), [const { Vec::new() }; 2], "{code:#x} has no row");
        }
        // A network change says in four bytes what changed.
        let before = lab.above("vlan10").statuses();
        lab.below().indicate_status(NDIS_STATUS_NETWORK_CHANGE, &[0_u8; 3]);
        assert_eq!(lab.above("vlan10").statuses(), before);
        lab.down();
    }

    fn the_rows_have_the_numbers_of_the_headers() {
        for row in status::TABLE {
            let known = ndis_sys::CONSTANTS.iter().copied().flatten();
            match known.into_iter().find(|constant| constant.name == row.name) {
                Some(constant) => assert_eq!(constant.value as u32, row.code, "{}", row.name),
                None => panic!("{} has another name in the headers", row.name),
            }
        }
    }

    fn a_flapping_link_ends_the_same_above_and_below() {
        let lab = MuxLab::running();
        for round in 0..10 {
            let up = round % 2 == 0;
            thread::scope(|scope| {
                scope.spawn(|| {
                    for flap in 0..20 {
                        lab.below().set_link((flap % 2 == 0) != up);
                        lab.below().indicate_status(NDIS_STATUS_NETWORK_CHANGE, &0_u32);
                    }
                });
                // Meanwhile one virtual miniport is paused and restarted, and the other one halted.
                scope.spawn(|| {
                    lab.add_client("second", "vlan20").expect("a device");
                    lab.remove_client("second").expect("the client was there");
                    lab.disable("vlan10").expect("it is there");
                    lab.enable(SERVICE, "vlan10").expect("the driver is told");
                });
            });
            until(|| lab.above("vlan10").binding_state() == BindingState::Running);
            // Not what the client was told last: it may have been bound between two of the changes.
            let disconnected = u32::from(!up).to_le_bytes().to_vec();
            for name in ["vlan10", "vlan20"] {
                until(|| lab.above(name).query(OID_GEN_MEDIA_CONNECT_STATUS, 4) == (0, disconnected.clone()));
            }
        }
        lab.below().set_link(true);
        lab.assert_traffic("vlan10", 10);
        lab.assert_traffic("vlan20", 20);
        lab.down();
    }
}

/// The bytes of an NDIS_LINK_STATE without the four of padding before the speeds.
fn link_state(bytes: &[u8]) -> Vec<u8> {
    assert_eq!(bytes.len(), 40);
    [&bytes[..12], &bytes[16..]].concat()
}

/// `NDIS_OFFLOAD_PARAMETERS` of the first revision that switch large sends over IPv4.
fn large_sends(enabled: bool) -> [u8; 20] {
    let mut parameters = [0; 20];
    parameters[..4].copy_from_slice(&[0x80, 1, 20, 0]);
    parameters[11] = if enabled { 2 } else { 1 };
    parameters
}

const FILTERS: [u32; 3] = [
    NDIS_PACKET_TYPE_MULTICAST,
    NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST,
    NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST,
];

const RESETS: [i32; 2] = [NDIS_STATUS_RESET_START, NDIS_STATUS_RESET_END];
