//! Wake on LAN: what a virtual miniport shows, what the NIC is told for all of them, and which frames wake the
//! system then.

use ndis_host::{
    client::bitmap_pattern,
    lab::Order,
    nic::{NicConfig, WakeUp},
    nt::registry::Value,
};
use ndis_sys::{
    NDIS_OBJECT_TYPE_DEFAULT, NDIS_PM_PARAMETERS_REVISION_2, NDIS_STATUS_INVALID_PARAMETER,
    NDIS_STATUS_LOW_POWER_STATE, NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_PM_WOL_PATTERN_LIST_FULL,
    NDIS_STATUS_PM_WOL_PATTERN_REJECTED, OID_GEN_SUPPORTED_LIST, OID_PM_ADD_WOL_PATTERN,
    OID_PM_CURRENT_CAPABILITIES, OID_PM_PARAMETERS,
};
use ndismux_tests::{
    Fault, MAC_BELOW, MAC_PEER, MuxLab, NIC, NONE, SOON, VLAN10, VLAN20, VirtualMiniport,
    image_tests, wait_until,
};

image_tests! {
    fn no_wake_up_is_shown_that_no_administrator_allows_or_the_nic_cannot() {
        for (allowed, wake_up) in [(false, Some(WakeUp::USUAL)), (true, None)] {
            let lab = lab(wake_up, &[NONE, VLAN10], allowed);
            for name in ["none", "vlan10"] {
                assert_eq!(shown(&lab, name), [0; 7], "{name}");
                let client = lab.above(name);
                assert_eq!(client.set(OID_PM_PARAMETERS, &parameters(BITMAP)), NDIS_STATUS_INVALID_PARAMETER);
                let added = client.add_wake_pattern(&pattern_for([2; 6]));
                assert_eq!(added, Err(NDIS_STATUS_NOT_SUPPORTED));
                assert!(!lists_patterns(&lab, name), "{name}");
            }
            lab.down();
        }
    }

    fn what_holds_in_its_vlan_is_shown() {
        let lab = lab(Some(WakeUp::USUAL), &[NONE, VLAN10], true);
        // Patterns, eight of them, from D3; each may be a tag shorter than the NIC's.
        assert_eq!(shown(&lab, "vlan10"), [BITMAP, 8, 124, 124, 0, 0, 4]);
        assert!(lists_patterns(&lab, "vlan10"));
        // A magic packet has the NIC's address: this virtual miniport has it, and no tag.
        let none = shown(&lab, "none");
        assert_eq!((none[0], none[2], none[5]), (BITMAP | MAGIC, 128, 4));
        lab.down();
    }

    fn what_all_virtual_miniports_enable_is_set_below() {
        let lab = lab(Some(WakeUp::USUAL), &[NONE, VLAN10], true);
        lab.allow_magic_packet("none", false).expect("an adapter");
        let armed = || lab.below().wakes_for().packet_patterns;
        let nic_sleeps = || {
            sleep(&lab, NIC);
            let armed = armed();
            wake(&lab, NIC);
            armed
        };
        // NDIS keeps what the protocols above enable until the virtual miniport goes to sleep.
        assert_eq!(lab.above("vlan10").set(OID_PM_PARAMETERS, &parameters(BITMAP)), 0);
        assert_eq!(nic_sleeps(), 0);
        sleep(&lab, "vlan10");
        assert_eq!(nic_sleeps(), BITMAP);
        wake(&lab, "vlan10");
        // The user's magic packet, on the virtual miniport that shows it.
        lab.allow_magic_packet("none", true).expect("an adapter");
        sleep(&lab, "none");
        assert_eq!(nic_sleeps(), BITMAP | MAGIC);
        // It wakes the system: all adapters.
        sleep(&lab, NIC);
        lab.below().inject(&magic_packet());
        wait_until("the NIC has woken the system", || !lab.is_asleep("none") && !lab.is_asleep(NIC));
        lab.wait_running("none");
        assert!(lab.settle(SOON));
        assert_eq!(lab.below().woken_by().expect("it did").pattern, None);
        // What one wants no more, and who is gone, counts no more.
        assert_eq!(lab.above("vlan10").set(OID_PM_PARAMETERS, &parameters(0)), 0);
        sleep(&lab, "vlan10");
        wake(&lab, "vlan10");
        assert_eq!(nic_sleeps(), MAGIC);
        lab.unplug_virtual_miniport("none").expect("it was there");
        assert_eq!(nic_sleeps(), 0);
        lab.down();
    }

    fn a_set_below_that_fails_leaves_all_as_it_was() {
        let lab = lab(Some(WakeUp::USUAL), &[VLAN10], true);
        assert_eq!(lab.above("vlan10").set(OID_PM_PARAMETERS, &parameters(BITMAP)), 0);
        Fault { function: "NdisOidRequest", nth: 1 }.arm();
        sleep(&lab, "vlan10");
        wake(&lab, "vlan10");
        sleep(&lab, NIC);
        assert_eq!(lab.below().wakes_for().packet_patterns, 0);
        wake(&lab, NIC);
        sleep(&lab, "vlan10");
        sleep(&lab, NIC);
        assert_eq!(lab.below().wakes_for().packet_patterns, BITMAP);
        wake(&lab, NIC);
        wake(&lab, "vlan10");
        lab.down();
    }

    fn patterns_of_two_vlans_wake_for_their_own_frames_and_go_with_their_owners() {
        for order in [Order::UpperFirst, Order::LowerFirst] {
            let lab = lab(Some(WakeUp::USUAL), &[VLAN10, VLAN20], true);
            let (ten, twenty) = (lab.address("vlan10"), lab.address("vlan20"));
            let id = add(&lab, "vlan10", ten);
            add(&lab, "vlan20", twenty);
            let below = lab.below().wake_patterns();
            assert_eq!(below.len(), 2);
            assert!(!below.contains(&id), "a number of its own");
            let mut frames = 0;
            for (name, vlan, own) in [("vlan10", 10, ten), ("vlan20", 20, twenty)] {
                for client in ["vlan10", "vlan20"] {
                    assert_eq!(lab.above(client).set(OID_PM_PARAMETERS, &parameters(BITMAP)), 0);
                }
                assert!(lab.sleep_system(order).is_empty());
                assert_eq!(lab.below().wakes_for().packet_patterns, BITMAP, "{order:?}");
                // Without a tag, in the other's VLAN, to another address.
                lab.below().inject(&frame(None, own));
                lab.below().inject(&frame(Some(30 - vlan), own));
                lab.below().inject(&frame(Some(vlan), [2; 6]));
                frames += 3;
                assert!(lab.below().wait_slept_through(SOON, frames));
                assert!(lab.settle(SOON));
                assert!(lab.is_asleep(NIC), "{name} {order:?}");
                // In its own VLAN, whatever the priority.
                let wakes = frame(Some(5 << 13 | vlan), own);
                lab.below().inject(&wakes);
                frames += 1;
                wait_until("the NIC has woken the system", || !lab.is_asleep(name) && !lab.is_asleep(NIC));
                assert!(lab.settle(SOON));
                assert_eq!(lab.below().woken_by().expect("it did").frame, wakes);
                lab.wait_running("vlan10");
                lab.wait_running("vlan20");
                while lab.above(name).recv(std::time::Duration::from_millis(100)).is_some() {}
                lab.assert_traffic(name, vlan);
            }
            assert_eq!(lab.above("vlan10").remove_wake_pattern(id), 0);
            wait_until("it is gone", || lab.below().wake_patterns().len() == 1);
            lab.unplug_virtual_miniport("vlan20").expect("it was there");
            wait_until("it is gone", || lab.below().wake_patterns().is_empty());
            lab.down();
        }
    }

    fn while_the_nic_sleeps_a_pattern_is_refused_and_one_that_is_removed_goes_when_it_wakes() {
        let lab = lab(Some(WakeUp::USUAL), &[VLAN10], true);
        let id = add(&lab, "vlan10", [2; 6]);
        sleep(&lab, NIC);
        let client = lab.above("vlan10");
        let refused = client.add_wake_pattern(&pattern_for([4; 6]));
        assert_eq!(refused, Err(NDIS_STATUS_LOW_POWER_STATE));
        assert_eq!(client.remove_wake_pattern(id), 0);
        assert_eq!(lab.below().wake_patterns().len(), 1);
        wake(&lab, NIC);
        wait_until("it is gone", || lab.below().wake_patterns().is_empty());
        lab.down();
    }

    fn a_pattern_that_the_nic_has_no_room_for_is_refused() {
        let one = WakeUp { patterns: 1, ..WakeUp::USUAL };
        let lab = lab(Some(one), &[VLAN10, VLAN20], true);
        let id = add(&lab, "vlan10", [2; 6]);
        let full = lab.above("vlan20").add_wake_pattern(&pattern_for([4; 6]));
        assert_eq!(full, Err(NDIS_STATUS_PM_WOL_PATTERN_LIST_FULL));
        assert_eq!(lab.above("vlan10").remove_wake_pattern(id), 0);
        wait_until("it is gone", || lab.below().wake_patterns().is_empty());
        add(&lab, "vlan20", [4; 6]);
        assert_eq!(lab.below().wake_patterns().len(), 1);
        lab.down();
    }

    fn a_pattern_that_the_nic_gives_up_is_told_to_whoever_set_it() {
        let lab = lab(Some(WakeUp::USUAL), &[VLAN10, VLAN20], true);
        add(&lab, "vlan10", [2; 6]);
        let id = add(&lab, "vlan20", [4; 6]);
        let below = lab.below().wake_patterns();
        lab.below().reject_pattern(below[1]);
        let told = |name: &str| {
            let mut statuses = lab.above(name).statuses().into_iter();
            let is_it = |(code, _): &(i32, Vec<u8>)| *code == NDIS_STATUS_PM_WOL_PATTERN_REJECTED;
            statuses.find(is_it).map(|(_, buffer)| buffer)
        };
        assert_eq!(told("vlan20"), Some(id.to_le_bytes().to_vec()));
        assert_eq!(told("vlan10"), None);
        lab.down();
    }
}

const BITMAP: u32 = 1;
const MAGIC: u32 = 2;

/// A lab that is up, with a NIC that can wake so; `none` has the NIC's address.
fn lab(wake_up: Option<WakeUp>, miniports: &[VirtualMiniport], allowed: bool) -> MuxLab {
    let nic = NicConfig {
        wake_up,
        ..NicConfig::new(NIC, MAC_BELOW)
    };
    let lab = MuxLab::with_nic(nic, miniports);
    for miniport in miniports {
        let allowed = Value::Sz(u8::from(allowed).to_string());
        let mut values = vec![
            ("VlanId", Value::Sz(miniport.vlan.to_owned())),
            ("*WakeOnPattern", allowed.clone()),
            ("*WakeOnMagicPacket", allowed),
        ];
        if miniport.name == NONE.name {
            let digits = MAC_BELOW.map(|octet| format!("{octet:02X}")).concat();
            values.push(("NetworkAddress", Value::Sz(digits)));
        }
        lab.set_values(miniport.name, &values);
    }
    lab.up();
    // What the NIC is told is the virtual miniports' doing then.
    lab.allow_magic_packet(NIC, false).expect("an adapter");
    lab
}

/// Packet patterns, their number, size and depth; from which state a link, a magic packet, a pattern wakes.
fn shown(lab: &MuxLab, name: &str) -> [u32; 7] {
    let (status, bytes) = lab.above(name).query(OID_PM_CURRENT_CAPABILITIES, 256);
    assert_eq!(status, 0);
    [8, 12, 16, 20, 48, 40, 44]
        .map(|at| u32::from_le_bytes(*bytes[at..].first_chunk().expect("the structure is whole")))
}

fn lists_patterns(lab: &MuxLab, name: &str) -> bool {
    let (status, list) = lab.above(name).query(OID_GEN_SUPPORTED_LIST, 4096);
    assert_eq!(status, 0);
    list.chunks(4)
        .any(|oid| oid == OID_PM_ADD_WOL_PATTERN.to_le_bytes())
}

fn sleep(lab: &MuxLab, name: &str) {
    lab.sleep_adapter(name)
        .expect("an adapter")
        .expect("nobody refuses");
}

fn wake(lab: &MuxLab, name: &str) {
    lab.wake_adapter(name)
        .expect("an adapter")
        .expect("it only slept");
    assert!(lab.settle(SOON));
}

fn add(lab: &MuxLab, name: &str, address: [u8; 6]) -> u32 {
    lab.above(name)
        .add_wake_pattern(&pattern_for(address))
        .expect("there is room")
}

/// A pattern for frames to an address with the type 0x88B5.
fn pattern_for(address: [u8; 6]) -> Vec<u8> {
    let bytes = [&address[..], &[0; 6], &[0x88, 0xB5]].concat();
    bitmap_pattern(&[0x3F, 0x30], &bytes)
}

/// Such a frame, with a tag.
fn frame(tag: Option<u16>, address: [u8; 6]) -> Vec<u8> {
    let tag = tag.map_or(Vec::new(), |tag| [[0x81, 0], tag.to_be_bytes()].concat());
    [&address[..], &MAC_PEER, &tag, &[0x88, 0xB5], &[7; 46]].concat()
}

fn magic_packet() -> Vec<u8> {
    [
        &[0xFF; 6][..],
        &MAC_PEER,
        &[8, 0x42],
        &[0xFF; 6],
        &MAC_BELOW.repeat(16),
    ]
    .concat()
}

fn parameters(packet_patterns: u32) -> Vec<u8> {
    let head = [
        NDIS_OBJECT_TYPE_DEFAULT,
        NDIS_PM_PARAMETERS_REVISION_2,
        20,
        0,
    ];
    [&head[..], &packet_patterns.to_le_bytes(), &[0; 12]].concat()
}
