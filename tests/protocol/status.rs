//! `ProtocolStatusEx`: the link below is the link above, and nothing else passes.

use std::thread;

use ndis_host::ndis::{BindingState, policy::ImInitialize};
use ndis_sys::{
    NDIS_STATUS_LINK_STATE, NDIS_STATUS_MEDIA_SPECIFIC_INDICATION, NDIS_STATUS_NETWORK_CHANGE,
    NDIS_STATUS_OPER_STATUS, NDIS_STATUS_PACKET_FILTER, NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG,
    OID_GEN_LINK_STATE, OID_GEN_MEDIA_CONNECT_STATUS,
};
use ndismux_tests::{MuxLab, NIC, NONE, SERVICE, SOON, VLAN10, VLAN20, image_tests, until};

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

    fn no_other_status_passes() {
        let lab = MuxLab::running();
        let before = lab.above("vlan10").statuses();
        let others = [
            NDIS_STATUS_MEDIA_SPECIFIC_INDICATION, NDIS_STATUS_NETWORK_CHANGE,
            NDIS_STATUS_OPER_STATUS, NDIS_STATUS_PACKET_FILTER,
            NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG, 0x4001_FFFF, 0,
        ];
        for code in others {
            lab.below().indicate_status(code, &[0_u64; 8]);
        }
        for name in ["vlan10", "vlan20"] {
            assert_eq!(lab.above(name).statuses(), before, "{name}");
        }
        assert_eq!(lab.trace().image_calls("NdisMIndicateStatusEx").len(), 0);
        lab.below().set_link(false);
        assert!(lab.above("vlan10").wait_link(false, SOON));
        lab.down();
    }

    fn a_flapping_link_ends_the_same_above_and_below() {
        let lab = MuxLab::running();
        for round in 0..10 {
            let up = round % 2 == 0;
            thread::scope(|scope| {
                scope.spawn(|| {
                    for flap in 0..20 {
                        lab.below().set_link((flap % 2 == 0) != up);
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
            for name in ["vlan10", "vlan20"] {
                assert!(lab.above(name).wait_link(up, SOON), "{name}");
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
