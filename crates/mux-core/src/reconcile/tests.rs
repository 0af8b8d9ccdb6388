use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::filter::{Abilities, MulticastList, Station};
use crate::tagging::{ReceivePlan, Received};
use crate::wire::vlan::VlanId;

/// An adapter below that filters by its own address, a list, and a few receive filters.
#[derive(Default)]
struct Nic {
    filter: u32,
    groups: Vec<MacAddress>,
    addresses: Vec<(FilterId, Unicast)>,
    next: FilterId,
    most: usize,
}

impl Nic {
    /// Takes a step. `refuses` may hit any of them but a clear.
    fn take(&mut self, step: &Step, refuses: bool) -> Option<FilterId> {
        if refuses && !matches!(step, Step::Clear(_)) {
            return None;
        }
        match step {
            Step::PacketFilter(filter) => self.filter = filter.bits(),
            Step::Groups(octets) => {
                let (addresses, rest) = octets.as_chunks::<6>();
                assert!(rest.is_empty());
                self.groups = addresses.iter().copied().map(MacAddress).collect();
            }
            Step::Add(unicast) => {
                if self.addresses.len() == self.most {
                    return None;
                }
                self.next += 1;
                self.addresses.push((self.next, *unicast));
                return Some(self.next);
            }
            Step::Clear(id) => {
                let before = self.addresses.len();
                self.addresses.retain(|(other, _)| other != id);
                assert_eq!(
                    self.addresses.len() + 1,
                    before,
                    "only what is set is cleared"
                );
            }
        }
        Some(0)
    }

    fn lets_in(&self, frame: &Received) -> bool {
        let has = |filter: PacketFilter| self.filter & filter.bits() != 0;
        let to = frame.destination;
        if has(PacketFilter::PROMISCUOUS) {
            true
        } else if to.is_broadcast() {
            has(PacketFilter::BROADCAST)
        } else if to.is_multicast() {
            has(PacketFilter::ALL_MULTICAST)
                || has(PacketFilter::MULTICAST) && self.groups.contains(&to)
        } else {
            let unicast = Unicast {
                vlan: frame.vlan,
                address: to,
            };
            let listed = self.addresses.iter().any(|(_, other)| *other == unicast);
            has(PacketFilter::DIRECTED) && (to == OWN || listed)
        }
    }
}

#[test]
fn lists_come_before_the_filter_that_counts_on_them_and_go_after_it() {
    let (mut nic, mut reconciler) = (nic(4), Reconciler::new());
    let wanted = [station(10, ALL, &[GROUPS[0]])];
    let (ticket, _) = reconciler.want(Needed::by(wanted.iter(), &ABILITIES));
    let unicast = Unicast {
        vlan: vlan(10),
        address: address(10),
    };
    let all = [
        Step::PacketFilter(PacketFilter::BROADCAST),
        Step::Groups(GROUPS[0].octets().to_vec()),
        Step::Add(unicast),
        Step::PacketFilter(PacketFilter::from_bits(ALL).unwrap()),
    ];
    assert_eq!(run(&mut reconciler, &mut nic), (all.into(), ticket));
    let (ticket, _) = reconciler.want(Needed::NOTHING);
    let none = [Step::PacketFilter(PacketFilter::EMPTY), Step::Clear(1)];
    assert_eq!(run(&mut reconciler, &mut nic), (none.into(), ticket));
}

#[test]
fn only_one_request_is_in_flight_and_the_last_wish_counts() {
    let (mut nic, mut reconciler) = (nic(4), Reconciler::new());
    let want = |reconciler: &mut Reconciler, bits| {
        let stations = [station(0, bits, &[])];
        reconciler.want(Needed::by(stations.iter(), &ABILITIES)).0
    };
    let _first = want(&mut reconciler, 8);
    let Next::Send(step) = reconciler.next_step() else {
        panic!("nothing is sent")
    };
    let last = [4, 0x20, 0x24].map(|bits| want(&mut reconciler, bits))[2];
    assert_eq!(reconciler.next_step(), Next::Busy);
    assert_eq!(reconciler.done(nic.take(&step, false)), None);
    let expected = Step::PacketFilter(PacketFilter::from_bits(0x24).unwrap());
    assert_eq!(run(&mut reconciler, &mut nic), ([expected].into(), last));
}

#[test]
fn a_refused_list_lets_in_everything_of_its_kind_until_another_is_wanted() {
    let (mut nic, mut reconciler) = (nic(4), Reconciler::new());
    let want = |reconciler: &mut Reconciler, groups: &[MacAddress]| {
        let stations = [station(0, 2, groups)];
        let _ticket = reconciler.want(Needed::by(stations.iter(), &ABILITIES));
    };
    want(&mut reconciler, &GROUPS[..1]);
    let Next::Send(step) = reconciler.next_step() else {
        panic!("nothing is sent")
    };
    assert!(matches!(step, Step::Groups(_)));
    assert_eq!(reconciler.done(None), None, "no wish fails for that");
    run(&mut reconciler, &mut nic);
    assert_eq!(nic.filter, PacketFilter::ALL_MULTICAST.bits());
    want(&mut reconciler, &GROUPS[..1]);
    assert_eq!(
        run(&mut reconciler, &mut nic).0,
        [],
        "the same list is not tried again"
    );
    want(&mut reconciler, &GROUPS);
    run(&mut reconciler, &mut nic);
    assert_eq!(
        (nic.filter, nic.groups),
        (PacketFilter::MULTICAST.bits(), GROUPS.to_vec())
    );
}

#[test]
fn a_refused_address_makes_the_adapter_promiscuous_until_others_are_wanted() {
    let (mut nic, mut reconciler) = (nic(1), Reconciler::new());
    let stations = [station(10, 1, &[]), station(20, 1, &[])];
    let (ticket, _) = reconciler.want(Needed::by(stations.iter(), &ABILITIES));
    assert_eq!(run(&mut reconciler, &mut nic).1, ticket);
    assert_eq!(nic.filter, PacketFilter::PROMISCUOUS.bits());
    let _ticket = reconciler.want(Needed::by(stations[1..].iter(), &ABILITIES));
    run(&mut reconciler, &mut nic);
    assert_eq!(nic.filter, PacketFilter::DIRECTED.bits());
    let unicast = Unicast {
        vlan: vlan(20),
        address: address(20),
    };
    assert_eq!(nic.addresses, [(2, unicast)]);
}

#[test]
fn a_refused_filter_fails_the_wishes_before_it_and_none_after() {
    let mut reconciler = Reconciler::new();
    let want = |reconciler: &mut Reconciler, bits| {
        let stations = [station(0, bits, &[])];
        reconciler.want(Needed::by(stations.iter(), &ABILITIES)).0
    };
    let first = want(&mut reconciler, 8);
    assert!(matches!(reconciler.next_step(), Next::Send(_)));
    let second = want(&mut reconciler, 4);
    assert_eq!(reconciler.done(None), Some(first));
    assert!(
        matches!(reconciler.next_step(), Next::Send(_)),
        "the second is tried"
    );
    assert_eq!(reconciler.done(None), Some(second));
    assert_eq!(
        reconciler.next_step(),
        Next::Settled(second),
        "and not over and over"
    );
    let third = want(&mut reconciler, 4);
    assert!(
        matches!(reconciler.next_step(), Next::Send(_)),
        "who asks again is tried again"
    );
    assert_eq!(reconciler.done(Some(0)), None);
    assert_eq!(reconciler.next_step(), Next::Settled(third));
}

#[test]
fn what_was_put_back_is_sent_later() {
    let (mut nic, mut reconciler) = (nic(1), Reconciler::new());
    let stations = [station(10, 1, &[])];
    let (ticket, _) = reconciler.want(Needed::by(stations.iter(), &ABILITIES));
    assert!(matches!(reconciler.next_step(), Next::Send(Step::Add(_))));
    reconciler.put_back();
    assert_eq!(run(&mut reconciler, &mut nic).1, ticket);
    assert_eq!(nic.filter, PacketFilter::DIRECTED.bits());
}

proptest! {
    /// At every moment the adapter lets in what is wanted now and was wanted when it last had all; in the
    /// end, what is wanted. A wish that failed is taken back.
    #[test]
    fn no_frame_is_lost_on_the_way_whatever_is_refused(
        wishes in prop::collection::vec((0_usize..3, 0_u32..0x30, 0_usize..4), 1..12),
        refusals in prop::collection::vec(any::<bool>(), 0..40),
        most in 0_usize..4,
    ) {
        let (mut nic, mut reconciler) = (nic(most), Reconciler::new());
        let mut stations = [0, 10, 20].map(|id| station(id, 0, &[]));
        let mut had: Vec<bool> = frames().map(|_| false).collect();
        let mut refusals = refusals.into_iter();
        for (index, bits, groups) in wishes {
            let kept = Station {
                filter: stations[index].filter,
                multicast: stations[index].multicast.try_clone().unwrap(),
                ..stations[index]
            };
            stations[index] = station([0, 10, 20][index], bits & 0x2f, &GROUPS[..groups]);
            let _ticket = reconciler.want(Needed::by(stations.iter(), &ABILITIES));
            while let Next::Send(step) = reconciler.next_step() {
                let succeeded = nic.take(&step, refusals.next().unwrap_or(false));
                if reconciler.done(succeeded).is_some() {
                    // What it did not want may be gone, and comes back.
                    for (frame, had) in frames().zip(&mut had) {
                        *had &= stations.iter().any(|station| station.wants(&frame));
                    }
                    stations[index] = Station {
                        filter: kept.filter,
                        multicast: kept.multicast.try_clone().unwrap(),
                        ..stations[index]
                    };
                    let _ticket = reconciler.want(Needed::by(stations.iter(), &ABILITIES));
                }
                for (frame, had) in frames().zip(&had) {
                    let wanted = stations.iter().any(|station| station.wants(&frame));
                    prop_assert!(!(wanted && *had) || nic.lets_in(&frame), "{frame:?}");
                }
            }
            had = frames()
                .map(|frame| stations.iter().any(|station| station.wants(&frame)))
                .collect();
            for (frame, wanted) in frames().zip(&had) {
                prop_assert!(!wanted || nic.lets_in(&frame), "{frame:?} in the end");
            }
        }
    }
}

/// Does what is to be done. The steps, and the ticket that is settled in the end.
fn run(reconciler: &mut Reconciler, nic: &mut Nic) -> (Vec<Step>, Ticket) {
    let mut steps = Vec::new();
    loop {
        match reconciler.next_step() {
            Next::Send(step) => {
                let _failed = reconciler.done(nic.take(&step, false));
                steps.push(step);
            }
            Next::Settled(ticket) => return (steps, ticket),
            Next::Busy => panic!("nothing is in flight"),
        }
    }
}

fn nic(most: usize) -> Nic {
    Nic {
        most,
        ..Nic::default()
    }
}

fn station(id: u32, bits: u32, groups: &[MacAddress]) -> Station {
    let octets: Vec<u8> = groups.iter().flat_map(|group| group.octets()).collect();
    Station {
        vlan: vlan(id),
        address: address(id),
        filter: PacketFilter::from_bits(bits).unwrap(),
        multicast: MulticastList::parse(&octets).unwrap(),
    }
}

/// A frame of each kind in each VLAN.
fn frames() -> impl Iterator<Item = Received> {
    let destinations = [0, 10, 20].map(address).into_iter().chain(GROUPS);
    let destinations: Vec<_> = destinations.chain([MacAddress([0xFF; 6])]).collect();
    [0, 10, 20].into_iter().flat_map(move |id| {
        let frame = move |destination| Received {
            destination,
            source: OWN,
            vlan: vlan(id),
            plan: ReceivePlan::AsIs,
        };
        destinations.clone().into_iter().map(frame)
    })
}

fn vlan(id: u32) -> VlanId {
    VlanId::new(id).unwrap()
}

/// VLAN 0 has the adapter's own.
fn address(id: u32) -> MacAddress {
    MacAddress([2, 0, 0, 0, 0, id as u8])
}

const OWN: MacAddress = MacAddress([2, 0, 0, 0, 0, 0]);
const GROUPS: [MacAddress; 3] = [
    MacAddress([1, 0, 0x5E, 0, 0, 1]),
    MacAddress([0x33, 0x33, 0, 0, 0, 1]),
    MacAddress([0x33, 0x33, 0, 0, 0, 2]),
];
const ABILITIES: Abilities = Abilities {
    kinds: PacketFilter::SUPPORTED,
    address: OWN,
    groups: 3,
    addresses: 3,
};
/// Directed, multicast, broadcast.
const ALL: u32 = 0x0B;
