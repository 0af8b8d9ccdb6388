//! Receive side scaling: what a virtual miniport shows of its NIC's (D13), whose parameters the NIC has when
//! several set theirs, and the hash beside received frames.

use std::thread;

use ndis_host::{
    client::Client,
    nic::{NicConfig, ScalingCapabilities},
};
use ndis_sys::{
    NDIS_HASH_IPV4, NDIS_HASH_TCP_IPV4, NDIS_RECEIVE_SCALE_CAPABILITIES,
    NDIS_RSS_CAPS_HASH_TYPE_TCP_IPV4, NDIS_RSS_CAPS_MESSAGE_SIGNALED_INTERRUPTS,
    NDIS_RSS_CAPS_RSS_AVAILABLE_ON_PORTS, NDIS_RSS_CAPS_SUPPORTS_INDEPENDENT_ENTRY_MOVE,
    NDIS_RSS_PARAM_FLAG_DISABLE_RSS, NDIS_RSS_PARAM_FLAG_HASH_KEY_UNCHANGED,
    NDIS_STATUS_INVALID_DATA, NDIS_STATUS_INVALID_LENGTH, NDIS_STATUS_NOT_SUPPORTED,
    NetBufferListHashInfo, NetBufferListHashValue, OID_GEN_RECEIVE_SCALE_CAPABILITIES,
    OID_GEN_RECEIVE_SCALE_PARAMETERS, OID_GEN_SUPPORTED_LIST,
};
use ndismux_tests::{
    MAC_BELOW, MAC_PEER, MuxLab, NEVER, NIC, NONE, SOON, VLAN10, VLAN20, image_tests, until,
};

image_tests! {
    fn d13_the_nics_scaling_is_shown_without_what_cannot_be_set() {
        let lab = lab();
        for name in NAMES {
            let (status, shown) = lab.above(name).query(OID_GEN_RECEIVE_SCALE_CAPABILITIES, 64);
            assert_eq!(status, 0, "{name}");
            assert!(shown.len() >= size_of::<NDIS_RECEIVE_SCALE_CAPABILITIES>());
            let word = |at: usize| u32::from_le_bytes(shown[at..at + 4].try_into().expect("four"));
            assert_eq!(word(4), FLAGS, "{name}: neither RSSv2 nor ports");
            assert_eq!((word(8), word(12)), (4, 4), "{name}");
            assert_eq!(shown[16..18], [64, 0], "{name}");
            assert!(lists_scaling(&lab, name), "{name}");
        }
        lab.down();
    }

    fn d13_without_scaling_below_none_is_shown_and_none_can_be_set() {
        let lab = MuxLab::running();
        let client = lab.above("vlan10");
        let (status, _) = client.query(OID_GEN_RECEIVE_SCALE_CAPABILITIES, 64);
        assert_eq!(status, NDIS_STATUS_NOT_SUPPORTED);
        let status = client.set(OID_GEN_RECEIVE_SCALE_PARAMETERS, &parameters(0, 4, 1));
        assert_eq!(status, NDIS_STATUS_NOT_SUPPORTED);
        assert!(!lists_scaling(&lab, "vlan10"));
        lab.down();
    }

    fn the_newest_parameters_are_set_below_and_the_last_who_leaves_switches_off() {
        let lab = lab();
        let set = |name: &str, data: &[u8]| lab.above(name).set(OID_GEN_RECEIVE_SCALE_PARAMETERS, data);
        let below = || lab.below().scaling().map(|scaling| (scaling.table, scaling.key[0]));
        let off = parameters(NDIS_RSS_PARAM_FLAG_DISABLE_RSS, 1, 0);
        assert_eq!(set("vlan10", &off), 0);
        assert_eq!(lab.below().scaling_sets(), 0, "it was off");
        assert_eq!(set("vlan10", &parameters(0, 4, 1)), 0);
        assert_eq!(below(), Some((vec![1; 16], 1)));
        assert_eq!(set("vlan20", &parameters(0, 8, 2)), 0);
        assert_eq!(below(), Some((vec![2; 32], 2)));
        // What stays unchanged is its own, not what the NIC has.
        let table_only = parameters(NDIS_RSS_PARAM_FLAG_HASH_KEY_UNCHANGED, 2, 3);
        assert_eq!(set("vlan10", &table_only), 0);
        assert_eq!(below(), Some((vec![3; 8], 1)));
        assert_eq!(set("vlan10", &off), 0);
        assert_eq!(below(), Some((vec![2; 32], 2)), "20 wants its own still");
        // A table that the NIC has no room for: nothing changes for anybody.
        assert_eq!(set("none", &parameters(0, 64, 4)), 0);
        assert_eq!(set("vlan10", &parameters(0, 128, 5)), NDIS_STATUS_INVALID_DATA);
        assert_eq!(below(), Some((vec![4; 256], 4)));
        assert_eq!(set("none", &off), 0);
        assert_eq!(below(), Some((vec![2; 32], 2)));
        assert_eq!(set("vlan20", &off), 0);
        assert_eq!(below(), None);
        // The virtual miniport that goes away last wants nothing either.
        assert_eq!(set("vlan20", &parameters(0, 2, 6)), 0);
        assert_eq!(below(), Some((vec![6; 8], 6)));
        let nic = lab.below();
        lab.down();
        assert_eq!(nic.scaling(), None);
    }

    fn what_the_nics_own_clients_had_set_comes_back() {
        let lab = lab();
        let other = lab.add_client("other", NIC).expect("a device");
        let set = |client: &Client, data: &[u8]| client.set(OID_GEN_RECEIVE_SCALE_PARAMETERS, data);
        let nic = lab.below();
        let key = || nic.scaling().map(|scaling| scaling.key[0]);
        let off = parameters(NDIS_RSS_PARAM_FLAG_DISABLE_RSS, 1, 0);
        assert_eq!(set(other, &parameters(0, 8, 9)), 0);
        assert_eq!(set(lab.above("vlan10"), &parameters(0, 4, 1)), 0);
        assert_eq!(set(lab.above("vlan20"), &parameters(0, 4, 2)), 0);
        assert_eq!(key(), Some(2));
        assert_eq!(set(lab.above("vlan20"), &off), 0);
        assert_eq!(set(lab.above("vlan10"), &off), 0);
        assert_eq!(key(), Some(9), "no virtual miniport wants scaling");
        // And when all go at once.
        assert_eq!(set(lab.above("vlan10"), &parameters(0, 4, 3)), 0);
        assert_eq!(key(), Some(3));
        lab.finish();
        assert_eq!(key(), Some(9));
    }

    fn sets_that_meet_below_are_each_answered_and_the_newest_counts() {
        let lab = lab();
        let set = |name: &str, fill: u8| {
            let data = parameters(0, 4, fill);
            lab.above(name).set(OID_GEN_RECEIVE_SCALE_PARAMETERS, &data)
        };
        lab.below().hold_requests(true);
        thread::scope(|scope| {
            let mut sets = Vec::new();
            for (name, fill) in NAMES.into_iter().zip(1..) {
                sets.push(scope.spawn(move || set(name, fill)));
                until(|| lab.below().requests_outstanding() == 1);
                thread::sleep(NEVER);
            }
            assert_eq!(lab.below().requests_outstanding(), 1, "one at a time");
            assert!(sets.iter().all(|set| !set.is_finished()), "none before the NIC has answered");
            lab.below().hold_requests(false);
            for set in sets {
                assert_eq!(set.join().expect("it completes"), 0);
            }
        });
        assert_eq!(lab.below().scaling().map(|scaling| scaling.key[0]), Some(3));
        assert_eq!(lab.below().scaling_sets(), 2, "the one between was never needed");
        lab.down();
    }

    fn what_is_set_while_the_nic_sleeps_is_taken_at_once_and_set_at_the_wake() {
        let lab = lab();
        lab.sleep_adapter(NIC).expect("an adapter").expect("nobody refuses");
        for (name, fill) in [("vlan10", 1), ("vlan20", 2)] {
            let data = parameters(0, 4, fill);
            assert_eq!(lab.above(name).set(OID_GEN_RECEIVE_SCALE_PARAMETERS, &data), 0);
        }
        assert_eq!(lab.below().scaling(), None);
        lab.wake_adapter(NIC).expect("an adapter").expect("it only slept");
        let key = || lab.below().scaling().map(|scaling| scaling.key[0]);
        until(|| key() == Some(2));
        lab.down();
    }

    fn parameters_that_are_not_right_are_refused_before_anything_is_read() {
        let lab = lab();
        let set = |data: &[u8]| lab.above("vlan10").set(OID_GEN_RECEIVE_SCALE_PARAMETERS, data);
        let whole = parameters(0, 4, 1);
        for length in 0..whole.len() {
            let status = if length < 40 { NDIS_STATUS_INVALID_LENGTH } else { NDIS_STATUS_INVALID_DATA };
            assert_eq!(set(&whole[..length]), status, "{length}");
        }
        // (place, value): type, revision, size; sizes and offsets of table, key and masks; a key that
        // never was set.
        let wrong = [
            (0, 0x80), (1, 1), (2, 39), (4, 8), (12, 12), (12, 6), (16, 39), (19, 0xff), (20, 39),
            (24, 39), (27, 0xff), (32, 1), (35, 0xff),
        ];
        for (place, value) in wrong {
            let mut data = whole.clone();
            data[place] = value;
            assert_eq!(set(&data), NDIS_STATUS_INVALID_DATA, "{place}: {value}");
        }
        assert_eq!(lab.below().scaling_sets(), 0, "the NIC saw none of it");
        lab.down();
    }

    fn the_hash_of_a_frame_reaches_whoever_asked_for_that_hash() {
        let lab = lab();
        let set = |name: &str, entries: u16, fill: u8| {
            let data = parameters(0, entries, fill);
            assert_eq!(lab.above(name).set(OID_GEN_RECEIVE_SCALE_PARAMETERS, &data), 0);
        };
        set("none", 4, 0x6d);
        let hash = |name: &str, tag: &[u8], protocol: u8| {
            let frame = ipv4_frame(lab.address(name), protocol);
            lab.below().inject(&[&frame[..12], tag, &frame[12..]].concat());
            let received = lab.above(name).recv(SOON).expect("it arrives");
            assert_eq!(received.frame, frame);
            (received.info[NetBufferListHashInfo], received.info[NetBufferListHashValue])
        };
        let (plain, tcp) = (hash("none", &[], 17), hash("none", &[], 6));
        assert_eq!(plain.0, NDIS_HASH_IPV4 as usize | 1);
        assert_eq!(tcp.0, NDIS_HASH_TCP_IPV4 as usize | 1);
        assert!(plain.1 != 0 && tcp.1 != 0 && plain.1 != tcp.1);
        let (in_10, in_20) = ([0x81, 0, 0, 10], [0x81, 0, 0, 20]);
        assert_eq!(hash("vlan10", &in_10, 17), (0, 0), "it asked for none");
        // Another table, and the same hash. The NIC takes tags out, and so hashes behind them too.
        set("vlan10", 8, 0x6d);
        assert_eq!(hash("vlan10", &in_10, 17), plain);
        assert_eq!(hash("none", &[], 6), tcp);
        set("vlan20", 4, 0x3c);
        let other = hash("vlan20", &in_20, 17);
        assert_eq!(other.0, plain.0);
        assert!(other.1 != 0 && other.1 != plain.1, "by another key");
        assert_eq!(hash("vlan10", &in_10, 17), (0, 0), "it would be by another key");
        lab.down();
    }
}

/// NONE, VLAN10 and VLAN20 above a NIC that scales, and handles tags.
fn lab() -> MuxLab {
    let unusable =
        NDIS_RSS_CAPS_SUPPORTS_INDEPENDENT_ENTRY_MOVE | NDIS_RSS_CAPS_RSS_AVAILABLE_ON_PORTS;
    let nic = NicConfig {
        scaling: Some(ScalingCapabilities {
            flags: FLAGS | unusable,
            queues: 4,
            table_entries: 64,
        }),
        ..NicConfig::new(NIC, MAC_BELOW)
    };
    let lab = MuxLab::with_nic(nic.handling_tags(), &[NONE, VLAN10, VLAN20]);
    lab.up();
    lab
}

fn lists_scaling(lab: &MuxLab, name: &str) -> bool {
    let supported = lab.above(name).query(OID_GEN_SUPPORTED_LIST, 4096).1;
    supported
        .chunks(4)
        .any(|listed| listed == OID_GEN_RECEIVE_SCALE_PARAMETERS.to_le_bytes())
}

/// `NDIS_RECEIVE_SCALE_PARAMETERS` of revision 2: the Toeplitz hash over IPv4 and TCP, and a table of
/// `entries` and a key whose bytes are `fill`.
fn parameters(flags: u16, entries: u16, fill: u8) -> Vec<u8> {
    let table = usize::from(entries) * 4;
    let mut data = vec![0; 40];
    data[..3].copy_from_slice(&[0x89, 2, 40]);
    data[4..6].copy_from_slice(&flags.to_le_bytes());
    let hash = NDIS_HASH_IPV4 | NDIS_HASH_TCP_IPV4 | 1;
    data[8..12].copy_from_slice(&hash.to_le_bytes());
    data[12..14].copy_from_slice(&(table as u16).to_le_bytes());
    data[16..20].copy_from_slice(&40_u32.to_le_bytes());
    data[20..22].copy_from_slice(&40_u16.to_le_bytes());
    data[24..28].copy_from_slice(&(40 + table as u32).to_le_bytes());
    data.resize(40 + table + 40, fill);
    data
}

/// A packet of that protocol from one port to another.
fn ipv4_frame(destination: [u8; 6], protocol: u8) -> Vec<u8> {
    let mut frame = [destination, MAC_PEER].concat();
    frame.extend([0x08, 0x00]);
    frame.extend([0x45, 0, 0, 46, 0, 7, 0x40, 0, 64, protocol, 0, 0]);
    frame.extend([10, 0, 0, 1, 10, 0, 0, 2]);
    frame.extend([0x04, 0, 0, 80]);
    frame.resize(60, 0);
    frame
}

const NAMES: [&str; 3] = ["none", "vlan10", "vlan20"];
const FLAGS: u32 = NDIS_RSS_CAPS_MESSAGE_SIGNALED_INTERRUPTS | NDIS_RSS_CAPS_HASH_TYPE_TCP_IPV4 | 1;
