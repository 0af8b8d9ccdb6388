use proptest::prelude::*;
use std::format;
use std::vec;
use std::vec::Vec;

use super::*;
use crate::tagging::ReceivePlan;

const OWN: MacAddress = MacAddress([0x02, 0, 0, 0, 0, 0x0a]);
const OTHER: MacAddress = MacAddress([0x02, 0, 0, 0, 0, 0x0b]);
const GROUP: MacAddress = MacAddress([0x01, 0, 0x5e, 0, 0, 1]);
const OTHER_GROUP: MacAddress = MacAddress([0x33, 0x33, 0, 0, 0, 1]);
const EVERY_DESTINATION: [MacAddress; 5] = [OWN, OTHER, GROUP, OTHER_GROUP, MacAddress::BROADCAST];

fn vlan(number: u32) -> VlanId {
    VlanId::new(number).unwrap()
}

fn station(filter: PacketFilter) -> Station {
    Station {
        vlan: vlan(10),
        address: OWN,
        filter,
        multicast: MulticastList::parse(&GROUP.octets()).unwrap(),
    }
}

fn to(destination: MacAddress, vlan: VlanId) -> Received {
    Received {
        destination,
        source: OTHER,
        vlan,
        plan: ReceivePlan::AsIs,
    }
}

fn wanted(filter: PacketFilter) -> Vec<MacAddress> {
    let station = station(filter);
    let mut wanted = EVERY_DESTINATION.to_vec();
    wanted.retain(|destination| station.wants(&to(*destination, vlan(10))));
    wanted
}

#[test]
fn the_bits_are_those_of_ndis() {
    assert_eq!(PacketFilter::DIRECTED.bits(), 0x0001);
    assert_eq!(PacketFilter::MULTICAST.bits(), 0x0002);
    assert_eq!(PacketFilter::ALL_MULTICAST.bits(), 0x0004);
    assert_eq!(PacketFilter::BROADCAST.bits(), 0x0008);
    assert_eq!(PacketFilter::PROMISCUOUS.bits(), 0x0020);
    assert_eq!(PacketFilter::SUPPORTED.bits(), 0x002f);
}

#[test]
fn unsupported_bits_are_refused_and_named() {
    assert_eq!(PacketFilter::from_bits(0), Ok(PacketFilter::EMPTY));
    assert_eq!(PacketFilter::from_bits(0x2f), Ok(PacketFilter::SUPPORTED));
    for unsupported in [0x10, 0x40, 0x80, 0x1000, 0x8000_0000] {
        assert!(PacketFilter::from_bits(unsupported).is_err());
    }
    let error = PacketFilter::from_bits(0x8000_0031).unwrap_err();
    assert_eq!(error, UnsupportedFilter { bits: 0x8000_0010 });
    assert_eq!(
        format!("{error}"),
        "packet filter bits 0x80000010 are not supported: allowed are the bits of 0x2f"
    );
}

#[test]
fn an_empty_filter_wants_nothing() {
    assert_eq!(wanted(PacketFilter::EMPTY), []);
}

#[test]
fn directed_wants_frames_to_the_own_address() {
    assert_eq!(wanted(PacketFilter::DIRECTED), [OWN]);
}

#[test]
fn multicast_wants_frames_to_the_listed_groups() {
    assert_eq!(wanted(PacketFilter::MULTICAST), [GROUP]);
}

#[test]
fn all_multicast_wants_frames_to_every_group_but_not_broadcast() {
    assert_eq!(wanted(PacketFilter::ALL_MULTICAST), [GROUP, OTHER_GROUP]);
}

#[test]
fn broadcast_wants_frames_to_everybody() {
    assert_eq!(wanted(PacketFilter::BROADCAST), [MacAddress::BROADCAST]);
}

#[test]
fn promiscuous_wants_every_frame_of_its_vlan() {
    assert_eq!(wanted(PacketFilter::PROMISCUOUS), EVERY_DESTINATION);
}

#[test]
fn nobody_wants_a_frame_of_another_vlan() {
    let mut station = station(PacketFilter::SUPPORTED);
    for destination in EVERY_DESTINATION {
        assert!(!station.wants(&to(destination, vlan(20))));
        assert!(!station.wants(&to(destination, VlanId::NONE)));
    }
    station.vlan = VlanId::NONE;
    for destination in EVERY_DESTINATION {
        assert!(!station.wants(&to(destination, vlan(10))));
        assert!(station.wants(&to(destination, VlanId::NONE)));
    }
}

#[test]
fn a_multicast_list_is_read_from_its_buffer() {
    let buffer = [OTHER_GROUP.octets(), GROUP.octets(), OTHER_GROUP.octets()].concat();
    let list = MulticastList::parse(&buffer).unwrap();
    assert_eq!(list.as_slice(), [GROUP, OTHER_GROUP]);
    assert_eq!(list.len(), 2);
    assert!(list.contains(GROUP) && list.contains(OTHER_GROUP) && !list.contains(OTHER));
}

#[test]
fn an_empty_buffer_is_an_empty_list() {
    let list = MulticastList::parse(&[]).unwrap();
    assert!(list.is_empty());
    assert_eq!(list, MulticastList::new());
}

#[test]
fn a_buffer_that_is_not_whole_addresses_is_refused() {
    for length in [1, 5, 7, 11] {
        assert_eq!(
            MulticastList::parse(&vec![1; length]),
            Err(MulticastListError::InvalidLength { length })
        );
    }
}

#[test]
fn a_list_has_at_most_64_addresses() {
    let buffer = |count: usize| GROUP.octets().repeat(count);
    assert!(MulticastList::parse(&buffer(64)).is_ok());
    assert_eq!(
        MulticastList::parse(&buffer(65)),
        Err(MulticastListError::TooMany { count: 65 })
    );
}

#[test]
fn a_station_address_in_a_list_is_refused() {
    let buffer = [GROUP.octets(), OWN.octets()].concat();
    assert_eq!(
        MulticastList::parse(&buffer),
        Err(MulticastListError::NotMulticast { address: OWN })
    );
}

#[test]
fn list_errors_say_what_is_allowed() {
    let texts = [
        MulticastListError::InvalidLength { length: 7 },
        MulticastListError::TooMany { count: 65 },
        MulticastListError::NotMulticast { address: OWN },
    ]
    .map(|error| format!("{error}"));
    assert_eq!(
        texts,
        [
            "multicast list of 7 bytes: the length must be a multiple of 6",
            "multicast list of 65 addresses: at most 64 are allowed",
            "multicast list with 02-00-00-00-00-0A: only group addresses are allowed",
        ]
    );
}

#[test]
fn nothing_wanted_is_the_empty_filter_below() {
    assert_eq!(below(&[], OWN), PacketFilter::EMPTY);
    let silent = [station(PacketFilter::EMPTY), station(PacketFilter::EMPTY)];
    assert_eq!(below(&silent, OTHER), PacketFilter::EMPTY);
}

#[test]
fn directed_with_the_nics_address_is_directed_below() {
    let stations = [station(PacketFilter::DIRECTED)];
    assert_eq!(below(&stations, OWN), PacketFilter::DIRECTED);
    let needed = Needed::by(stations.iter(), &abilities(OWN, 8, 8));
    assert_eq!(*needed.addresses(), Wanted::These(vec![]));
}

#[test]
fn directed_with_another_address_is_promiscuous_below_if_it_cannot_filter_by_it() {
    let stations = [station(PacketFilter::DIRECTED)];
    assert_eq!(below(&stations, OTHER), PacketFilter::PROMISCUOUS);
}

#[test]
fn directed_with_other_addresses_is_directed_below_if_it_can_filter_by_them() {
    let stations = [
        station(PacketFilter::DIRECTED),
        Station {
            vlan: vlan(20),
            ..station(PacketFilter::DIRECTED)
        },
        Station {
            vlan: vlan(30),
            ..station(PacketFilter::BROADCAST)
        },
    ];
    let needed = Needed::by(stations.iter(), &abilities(OTHER, 8, 2));
    let unicast = |id| Unicast {
        vlan: vlan(id),
        address: OWN,
    };
    assert_eq!(
        *needed.addresses(),
        Wanted::These(vec![unicast(10), unicast(20)])
    );
    let both = PacketFilter::DIRECTED.union(PacketFilter::BROADCAST);
    assert_eq!(needed.filter(true, true), both);
    let all = PacketFilter::PROMISCUOUS.union(PacketFilter::BROADCAST);
    assert_eq!(needed.filter(true, false), all);
    // One too many.
    let needed = Needed::by(stations.iter(), &abilities(OTHER, 8, 1));
    assert_eq!(*needed.addresses(), Wanted::TooMany);
    assert_eq!(needed.filter(true, true), all);
}

#[test]
fn broadcast_alone_needs_no_promiscuous_nic() {
    let stations = [station(PacketFilter::BROADCAST)];
    assert_eq!(below(&stations, OTHER), PacketFilter::BROADCAST);
}

#[test]
fn lists_are_united_as_long_as_they_fit_the_nic() {
    let listed = [
        station(PacketFilter::MULTICAST),
        station(PacketFilter::MULTICAST),
    ];
    let groups = listed[0].multicast.as_slice();
    assert!(!groups.is_empty());
    let needed = Needed::by(listed.iter(), &abilities(OWN, groups.len(), 0));
    assert_eq!(*needed.groups(), Wanted::These(groups.to_vec()));
    assert_eq!(needed.filter(true, true), PacketFilter::MULTICAST);
    assert_eq!(needed.filter(false, true), PacketFilter::ALL_MULTICAST);
    let needed = Needed::by(listed.iter(), &abilities(OWN, groups.len() - 1, 0));
    assert_eq!(*needed.groups(), Wanted::TooMany);
    assert_eq!(needed.filter(true, true), PacketFilter::ALL_MULTICAST);
    let unlisted = [Station {
        multicast: MulticastList::new(),
        ..station(PacketFilter::MULTICAST)
    }];
    assert_eq!(below(&unlisted, OWN), PacketFilter::EMPTY);
}

#[test]
fn a_list_is_not_needed_where_all_groups_are_wanted() {
    let stations = [
        station(PacketFilter::MULTICAST),
        station(PacketFilter::ALL_MULTICAST),
    ];
    let needed = Needed::by(stations.iter(), &abilities(OWN, 8, 0));
    assert_eq!(*needed.groups(), Wanted::These(vec![]));
    assert_eq!(needed.filter(true, true), PacketFilter::ALL_MULTICAST);
}

#[test]
fn a_kind_that_the_nic_lacks_is_let_in_by_a_wider_one() {
    let without = |lacks: PacketFilter| PacketFilter(0x2f & !lacks.bits());
    let (multicast, all) = (PacketFilter::MULTICAST, PacketFilter::ALL_MULTICAST);
    let promiscuous = PacketFilter::PROMISCUOUS;
    assert_eq!(multicast.widened(without(multicast)), all);
    assert_eq!(all.widened(without(all)), promiscuous);
    assert_eq!(
        multicast.widened(without(multicast.union(all))),
        promiscuous
    );
    let nic = Abilities {
        kinds: without(all),
        ..abilities(OWN, 0, 0)
    };
    let listed = [station(multicast)];
    let needed = Needed::by(listed.iter(), &nic);
    assert_eq!(needed.filter(true, true), promiscuous);
}

#[test]
fn what_is_shown_of_a_nic_can_be_set_there() {
    let kinds = || (0..=0x2f).map(PacketFilter::known);
    for nic in kinds() {
        let shown = nic.shown();
        assert!(shown.contains(PacketFilter::DIRECTED));
        for filter in kinds().filter(|filter| shown.contains(*filter)) {
            let below = filter.widened(nic);
            let directed = filter.contains(PacketFilter::DIRECTED);
            assert!(directed || nic.contains(below), "{nic:?}: {filter:?}");
            for destination in wanted(filter) {
                let below = station(below);
                let in_list = below.wants(&to(destination, vlan(10)));
                assert!(in_list, "{nic:?}: {filter:?}, {destination}");
            }
        }
        if nic.contains(PacketFilter::PROMISCUOUS) {
            assert_eq!(shown, PacketFilter::SUPPORTED, "{nic:?}");
        } else {
            assert!(!shown.contains(PacketFilter::PROMISCUOUS));
        }
    }
}

#[test]
fn wishes_of_several_stations_are_united() {
    let stations = [
        station(PacketFilter::DIRECTED),
        station(PacketFilter::BROADCAST),
        station(PacketFilter::ALL_MULTICAST),
    ];
    assert_eq!(
        below(&stations, OWN),
        PacketFilter::DIRECTED
            .union(PacketFilter::BROADCAST)
            .union(PacketFilter::ALL_MULTICAST)
    );
}

/// The filter of an adapter below that can filter by its own address only.
fn below(stations: &[Station], nic: MacAddress) -> PacketFilter {
    Needed::by(stations.iter(), &abilities(nic, 0, 0)).filter(true, true)
}

fn abilities(address: MacAddress, groups: usize, addresses: usize) -> Abilities {
    Abilities {
        kinds: PacketFilter::SUPPORTED,
        address,
        groups,
        addresses,
    }
}

proptest! {
    #[test]
    fn any_bits_are_a_filter_or_refused(bits: u32, only_supported: bool) {
        let bits = if only_supported { bits & 0x2f } else { bits };
        match PacketFilter::from_bits(bits) {
            Ok(filter) => prop_assert!(filter.bits() == bits && bits & !0x2f == 0),
            Err(error) => prop_assert!(error.bits == bits & !0x2f && error.bits != 0),
        }
    }

    #[test]
    fn any_buffer_is_a_list_or_refused(buffer in prop::collection::vec(any::<u8>(), 0..600)) {
        match MulticastList::parse(&buffer) {
            Ok(list) => {
                prop_assert!(buffer.len() % 6 == 0 && list.len() <= MulticastList::MAXIMUM);
                prop_assert!(list.as_slice().windows(2).all(|pair| pair[0] < pair[1]));
                prop_assert!(list.as_slice().iter().all(|address| address.is_multicast()));
            }
            Err(MulticastListError::InvalidLength { length }) => prop_assert!(length % 6 != 0),
            Err(MulticastListError::TooMany { count }) => prop_assert_eq!(count * 6, buffer.len()),
            Err(MulticastListError::NotMulticast { address }) => prop_assert!(!address.is_multicast()),
            Err(MulticastListError::OutOfMemory) => prop_assert!(false),
        }
    }

    #[test]
    fn what_is_in_a_list_is_found(addresses in prop::collection::vec(any::<[u8; 6]>(), 0..64)) {
        let groups: Vec<_> = addresses.iter().map(|[first, rest @ ..]| {
            let [b, c, d, e, f] = *rest;
            [first | 1, b, c, d, e, f]
        }).collect();
        let list = MulticastList::parse(&groups.concat()).unwrap();
        for group in groups {
            prop_assert!(list.contains(MacAddress(group)));
        }
        prop_assert!(!list.contains(OWN));
    }

    /// An adapter below that follows the combined filter lets in whatever a station wants.
    #[test]
    fn the_filter_below_lets_in_what_any_station_wants(
        filters in prop::collection::vec(0_u32..0x40, 1..5),
        own_address: bool,
        destination in prop::sample::select(&EVERY_DESTINATION[..]),
    ) {
        let stations: Vec<_> = filters
            .iter()
            .map(|bits| station(PacketFilter::from_bits(bits & 0x2f).unwrap()))
            .collect();
        let nic = if own_address { OWN } else { OTHER };
        let below = Station {
            vlan: vlan(10),
            address: nic,
            filter: below(&stations, nic),
            multicast: MulticastList::new(),
        };
        let frame = to(destination, vlan(10));
        if stations.iter().any(|station| station.wants(&frame)) {
            prop_assert!(below.wants(&frame), "{:?}", below.filter);
        }
        if stations.iter().all(|station| station.filter.is_empty()) {
            prop_assert!(below.filter.is_empty());
        }
    }
}
