use proptest::prelude::*;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use super::list::{SPEED_UNKNOWN, Written};
use super::*;
use crate::config::asked::Address;
use crate::lifecycle::{binding, instance};
use crate::statistics::{Count, Snapshot, Tally};
use crate::wire::vlan::VlanId;

const NIC: &str = r"\Device\{11111111-2222-3333-4444-555555555555}";
const DEVICE: &str = r"\Device\{4D757801-0000-4000-8000-00000000001E}";

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn encoded(request: &Request<'_>) -> Vec<u8> {
    let mut buffer = [0xaa; MAXIMUM_REQUEST_LENGTH];
    let length = request.encode(&mut buffer).unwrap();
    buffer[..length].to_vec()
}

fn add<'a>(nic: &'a [u16], device: &'a [u16]) -> Request<'a> {
    Request::Add {
        nic: Name::new(nic).unwrap(),
        device: Name::new(device).unwrap(),
        vlan: VlanId::new(30).unwrap(),
        address: Some(MacAddress([2, 0, 0x4d, 0x55, 0x58, 0x1e])),
    }
}

#[test]
fn codes_are_what_the_table_says() {
    let codes = Operation::ALL.map(Operation::code);
    assert_eq!(
        codes,
        [0x12_6004, 0x12_a008, 0x12_a00c, 0x12_a010, 0x12_6014]
    );
    for operation in Operation::ALL {
        assert_eq!(Operation::of_code(operation.code()), Some(operation));
    }
    assert_eq!(Operation::of_code(0x12_6000), None);
    assert_eq!(Operation::of_code(0x12_6008), None, "add, for readers");
}

#[test]
fn a_request_lies_as_the_table_says() {
    let (nic, device) = (wide("ab"), wide("c"));
    let bytes = encoded(&add(&nic, &device));
    #[rustfmt::skip]
    assert_eq!(bytes, [
        1, 0, 3, 0, 30, 0, 0, 0, 30, 0, 4, 0, 2, 0, 0, 0,
        2, 0, 0x4d, 0x55, 0x58, 0x1e, 0, 0,
        b'a', 0, b'b', 0, b'c', 0,
    ]);
}

#[test]
fn the_derived_address_is_a_flag() {
    let device = wide("c");
    let request = Request::Set {
        device: Name::new(&device).unwrap(),
        vlan: None,
        address: Some(Address::Derived),
    };
    let bytes = encoded(&request);
    #[rustfmt::skip]
    assert_eq!(bytes, [
        1, 0, 4, 0, 26, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0,
        b'c', 0,
    ]);
    let with_digits = |place: usize| {
        let mut bytes = bytes.clone();
        bytes[place] = 2;
        Request::decode(Operation::Set, &bytes).map(|_| ())
    };
    assert_eq!(with_digits(16), Err(RequestError::WrongFields));
    assert_eq!(with_digits(21), Err(RequestError::WrongFields));
}

#[test]
fn a_version_that_is_not_known_is_refused_whatever_follows() {
    let wrong = RequestError::UnknownVersion { version: 2 };
    for operation in Operation::ALL {
        assert_eq!(Request::decode(operation, &[2, 0]), Err(wrong));
        assert_eq!(Request::decode(operation, &[2, 0, 9, 9, 9]), Err(wrong));
    }
    assert_eq!(wrong.status(), status::REVISION_MISMATCH);
    let answer = [2, 0, 0, 0, 8, 0, 0, 0];
    let wrong = AnswerError::UnknownVersion { version: 2 };
    assert_eq!(Acknowledgement::decode(&answer), Err(wrong));
    assert_eq!(StatisticsAnswer::decode(&answer), Err(wrong));
    assert_eq!(List::decode(&answer), Err(wrong));
}

#[test]
fn a_request_with_wrong_fields_is_refused() {
    let (nic, device) = (wide(NIC), wide(DEVICE));
    let good = encoded(&add(&nic, &device));
    let decode = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        Request::decode(Operation::Add, &bytes).map(|_| ())
    };
    assert_eq!(decode(&|_| ()), Ok(()));
    let length = good.len();
    let wrong_length = |length| Err(RequestError::WrongLength { length });
    assert_eq!(
        decode(&|it| it.truncate(23)),
        Err(RequestError::TooShort { length: 23 })
    );
    assert_eq!(
        decode(&|it| it.truncate(length - 1)),
        wrong_length(length - 1)
    );
    assert_eq!(decode(&|it| it.push(0)), wrong_length(length + 1));
    assert_eq!(decode(&|it| it[10] += 2), wrong_length(length));
    assert_eq!(decode(&|it| it[4] += 1), wrong_length(length));
    // Lengths that agree, and cut a unit.
    let odd = |it: &mut Vec<u8>| {
        it[10] -= 1;
        it[12] += 1;
    };
    assert_eq!(decode(&odd), Err(RequestError::WrongName));
    assert_eq!(
        decode(&|it| it[24] = 0),
        Err(RequestError::WrongName),
        "a NUL"
    );
    for unused in [14, 15, 22, 23] {
        assert_eq!(decode(&|it| it[unused] = 1), Err(RequestError::WrongFields));
    }
    for flags in [4, 5, 6, 7, 8] {
        assert_eq!(decode(&|it| it[2] = flags), Err(RequestError::WrongFields));
    }
    assert_eq!(
        decode(&|it| it[2] = 2),
        Err(RequestError::WrongFields),
        "a VLAN not given"
    );
    assert_eq!(
        decode(&|it| it[2] = 1),
        Err(RequestError::WrongFields),
        "an address not given"
    );
    let out_of_range = VlanIdError { value: 4095 };
    let reserved = |it: &mut Vec<u8>| it[8..10].copy_from_slice(&[0xff, 0x0f]);
    assert_eq!(decode(&reserved), Err(RequestError::VlanId(out_of_range)));
    let group = MacAddress([3, 0, 0x4d, 0x55, 0x58, 0x1e]);
    assert_eq!(decode(&|it| it[16] = 3), Err(RequestError::Address(group)));
}

#[test]
fn each_operation_takes_its_own_fields_only() {
    let (nic, device) = (wide(NIC), wide(DEVICE));
    let device = Name::new(&device).unwrap();
    let requests = [
        Request::List,
        add(&nic, &nic),
        Request::Remove { device },
        Request::Set {
            device,
            vlan: Some(VlanId::NONE),
            address: None,
        },
    ];
    for request in &requests {
        let bytes = encoded(request);
        for operation in Operation::ALL {
            let taken = Request::decode(operation, &bytes);
            let named = matches!(request, Request::Remove { .. });
            let expected = match operation {
                _ if operation == request.operation() => Ok(*request),
                Operation::Statistics if named => Ok(Request::Statistics { device }),
                Operation::Set if named => Err(RequestError::NothingToSet),
                _ => Err(RequestError::WrongFields),
            };
            assert_eq!(taken, expected, "{operation:?} of {request:?}");
        }
    }
}

#[test]
fn names_of_every_length_up_to_the_greatest_are_taken() {
    let longest = vec![u16::from(b'x'); MAXIMUM_NAME_LENGTH];
    assert!(Name::new(&longest).is_some());
    assert!(Name::new(&vec![u16::from(b'x'); MAXIMUM_NAME_LENGTH + 1]).is_none());
    assert!(Name::new(&[]).is_none());
    let request = add(&longest, &longest);
    let bytes = encoded(&request);
    assert_eq!(bytes.len(), MAXIMUM_REQUEST_LENGTH);
    assert_eq!(Request::decode(Operation::Add, &bytes), Ok(request));
    let mut buffer = [0; MAXIMUM_NAME_LENGTH];
    assert_eq!(
        Name::new(&longest).unwrap().copy_to(&mut buffer),
        Some(&longest[..])
    );
    assert_eq!(Name::new(&longest).unwrap().copy_to(&mut [0; 3]), None);
}

#[test]
fn an_answer_that_does_not_fit_says_what_it_needs() {
    let statistics = StatisticsAnswer(Snapshot::default());
    assert_eq!(
        Acknowledgement.encode(&mut [0; 7]),
        Err(BufferTooSmall { needed: 8 })
    );
    assert_eq!(
        statistics.encode(&mut [0; 135]),
        Err(BufferTooSmall { needed: 136 })
    );
    let none = ListWriter::new(&mut [0; 23]).map(|_| ());
    assert_eq!(none, Err(BufferTooSmall { needed: 24 }));
    let least = Operation::ALL.map(Operation::least_answer);
    assert_eq!(least, [24, 8, 8, 8, 136]);
}

#[test]
fn a_list_lies_as_the_table_says() {
    let (nic, device) = (wide("n"), wide("v"));
    let entries = [
        Entry::Binding(Binding {
            nic: Name::new(&nic).unwrap(),
            state: binding::State::Running,
            link: Link::Up,
            speed: 1_000_000_000,
            mtu: 1500,
            address: MacAddress([2, 1, 1, 1, 1, 1]),
        }),
        Entry::VirtualMiniport(VirtualMiniport {
            device: Name::new(&device).unwrap(),
            state: instance::State::Requested,
            vlan: VlanId::new(30).unwrap(),
            link: Link::Unknown,
            speed: SPEED_UNKNOWN,
            mtu: 0,
            address: MacAddress::ZERO,
        }),
    ];
    let mut buffer = [0xaa; 100];
    let (written, bytes) = listed(&entries, &mut buffer);
    assert_eq!(written, Written::All(84));
    #[rustfmt::skip]
    assert_eq!(bytes, [
        1, 0, 0, 0, 84, 0, 0, 0, 84, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 2, 0, 0, 0, 1, 0, 0, 0xca, 0x9a, 0x3b, 0, 0, 0, 0, 0xdc, 5, 0, 0,
        2, 1, 1, 1, 1, 1, 2, 0, b'n', 0,
        2, 0, 1, 0, 30, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 2, 0, b'v', 0,
    ]);
    let list = List::decode(bytes).unwrap();
    assert!(!list.is_cut_short());
    assert!(list.entries().eq(entries));
}

#[test]
fn a_name_is_shown_as_text() {
    let units = [u16::from(b'a'), 0xd800, 0xe4];
    let name = Name::new(&units).unwrap();
    assert_eq!(name.to_string(), "a\u{fffd}\u{e4}");
}

/// What a writer leaves of these entries.
fn listed<'b>(entries: &[Entry<'_>], buffer: &'b mut [u8]) -> (Written, &'b [u8]) {
    let mut writer = ListWriter::new(buffer).unwrap();
    entries.iter().for_each(|entry| writer.push(entry));
    let written = writer.finish();
    let (Written::All(length) | Written::CutShort(length)) = written;
    (written, &buffer[..length])
}

/// An entry's parts, from which one that borrows its name is made.
type Parts = (bool, usize, u16, u16, u64, u32, [u8; 6], Vec<u16>);

fn parts() -> impl Strategy<Value = Parts> {
    (
        any::<bool>(),
        0..6_usize,
        0..=4094_u16,
        0..3_u16,
        any::<u64>(),
        any::<u32>(),
        any::<[u8; 6]>(),
        name(),
    )
}

fn name() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(1..=u16::MAX, 1..=MAXIMUM_NAME_LENGTH)
}

fn entry((is_binding, state, vlan, link, speed, mtu, address, name): &Parts) -> Entry<'_> {
    use binding::State as B;
    use instance::State as I;
    let bindings = [
        B::Opening,
        B::Paused,
        B::Running,
        B::Pausing,
        B::Closing,
        B::Closed,
    ];
    let instances = [
        I::Idle,
        I::Requested,
        I::Initializing,
        I::Paused,
        I::Running,
        I::Pausing,
    ];
    let link = [Link::Unknown, Link::Up, Link::Down][usize::from(*link)];
    let name = Name::new(name).unwrap();
    if *is_binding {
        Entry::Binding(Binding {
            nic: name,
            state: bindings[*state],
            link,
            speed: *speed,
            mtu: *mtu,
            address: MacAddress(*address),
        })
    } else {
        Entry::VirtualMiniport(VirtualMiniport {
            device: name,
            state: instances[*state],
            vlan: VlanId::new(u32::from(*vlan)).unwrap(),
            link,
            speed: *speed,
            mtu: *mtu,
            address: MacAddress(*address),
        })
    }
}

proptest! {
    #[test]
    fn no_bytes_make_anything_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for operation in Operation::ALL {
            let _ = Request::decode(operation, &bytes);
        }
        let _ = Acknowledgement::decode(&bytes);
        let _ = StatisticsAnswer::decode(&bytes);
        if let Ok(list) = List::decode(&bytes) {
            list.entries().for_each(drop);
        }
    }

    /// Good bytes with a few changed get further than noise does; what is taken is taken the same
    /// way again.
    #[test]
    fn what_is_taken_of_changed_bytes_is_taken_whole(
        nic in name(),
        device in name(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = encoded(&add(&nic, &device));
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        for operation in Operation::ALL {
            if let Ok(request) = Request::decode(operation, &bytes) {
                prop_assert_eq!(&encoded(&request), &bytes);
            }
        }
    }

    #[test]
    fn a_decoded_request_is_the_encoded_one(
        nic in name(),
        device in name(),
        vlan in 0..=4094_u32,
        octets in any::<[u8; 6]>(),
        room in 0..MAXIMUM_REQUEST_LENGTH,
    ) {
        let (nic, device) = (Name::new(&nic).unwrap(), Name::new(&device).unwrap());
        let vlan = VlanId::new(vlan).unwrap();
        let address = Some(MacAddress(octets)).filter(|it| it.usable_as_station());
        let mut requests = vec![
            Request::List,
            Request::Add { nic, device, vlan, address },
            Request::Remove { device },
            Request::Set { device, vlan: Some(vlan), address: None },
            Request::Statistics { device },
        ];
        let given = address.map(Address::Set).into_iter();
        requests.extend(given.chain([Address::Derived]).flat_map(|address| {
            let address = Some(address);
            [None, Some(vlan)].map(|vlan| Request::Set { device, vlan, address })
        }));
        for request in requests {
            let bytes = encoded(&request);
            prop_assert_eq!(Request::decode(request.operation(), &bytes), Ok(request));
            let mut short = vec![0; room];
            let fits = request.encode(&mut short);
            if room < bytes.len() {
                prop_assert_eq!(fits, Err(BufferTooSmall { needed: bytes.len() }));
            } else {
                prop_assert_eq!(fits, Ok(bytes.len()));
            }
        }
    }

    #[test]
    fn a_decoded_list_is_the_encoded_one_or_its_beginning(
        parts in prop::collection::vec(parts(), 0..6),
        room in list::FIXED..3000,
    ) {
        let entries: Vec<_> = parts.iter().map(entry).collect();
        let mut all = vec![0; 6 * 600];
        let (written, bytes) = listed(&entries, &mut all);
        prop_assert_eq!(written, Written::All(bytes.len()));
        let list = List::decode(bytes).unwrap();
        prop_assert_eq!(list.entries().collect::<Vec<_>>(), &entries[..]);

        let mut short = vec![0; room];
        let (written, cut) = listed(&entries, &mut short);
        let list = List::decode(cut).unwrap();
        prop_assert_eq!(list.needed, bytes.len());
        prop_assert_eq!(list.entries_in_all as usize, entries.len());
        prop_assert_eq!(list.is_cut_short(), room < bytes.len());
        prop_assert_eq!(matches!(written, Written::All(_)), room >= bytes.len());
        let shown: Vec<_> = list.entries().collect();
        prop_assert_eq!(&shown[..], &entries[..shown.len()]);
    }

    #[test]
    fn decoded_statistics_are_the_encoded_ones(numbers in any::<[u64; 16]>()) {
        let tally = |at: usize| Tally {
            directed: Count { frames: numbers[at], bytes: numbers[at + 1] },
            multicast: Count { frames: numbers[at + 2], bytes: numbers[at + 3] },
            broadcast: Count { frames: numbers[at + 4], bytes: numbers[at + 5] },
        };
        let answer = StatisticsAnswer(Snapshot {
            receive: tally(0),
            receive_errors: numbers[6],
            receive_discards: numbers[7],
            send: tally(8),
            send_errors: numbers[14],
            send_discards: numbers[15],
        });
        let mut buffer = [0; StatisticsAnswer::LENGTH];
        prop_assert_eq!(answer.encode(&mut buffer), Ok(buffer.len()));
        prop_assert_eq!(StatisticsAnswer::decode(&buffer), Ok(answer));
        let in_order: Vec<u64> = buffer[8..].chunks(8)
            .map(|it| u64::from_le_bytes(it.try_into().unwrap()))
            .collect();
        prop_assert_eq!(&in_order[..], &numbers[..]);
    }
}

/// The table of codes in the documentation is the one in the code.
#[test]
fn the_documented_codes_are_the_real_ones() {
    let text = include_str!("../control.rs");
    for operation in Operation::ALL {
        let row: String = std::format!(
            "| `0x{:02X}_{:04X}` |",
            operation.code() >> 16,
            operation.code() & 0xffff
        );
        assert!(text.contains(&row), "{row}");
    }
}
