//! Wake on LAN over a built-in NIC: what NDIS keeps, sets, and what wakes the system.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ndis_host::client::{Client, bitmap_pattern};
use ndis_host::lab::{Lab, NicPort};
use ndis_host::ndis::BindingState;
use ndis_host::nic::{NicConfig, WakeUp, WokenBy};
use ndis_sys::{
    NDIS_OBJECT_TYPE_DEFAULT, NDIS_PM_CAPABILITIES, NDIS_PM_PARAMETERS_REVISION_2,
    NDIS_STATUS_BUFFER_TOO_SHORT, NDIS_STATUS_FAILURE, NDIS_STATUS_FILE_NOT_FOUND,
    NDIS_STATUS_INVALID_LENGTH, NDIS_STATUS_INVALID_PARAMETER, NDIS_STATUS_NOT_SUPPORTED,
    NDIS_STATUS_PM_WAKE_REASON, NDIS_STATUS_PM_WOL_PATTERN_LIST_FULL,
    NDIS_STATUS_PM_WOL_PATTERN_REJECTED, NDIS_STATUS_SUCCESS, OID_PM_CURRENT_CAPABILITIES,
    OID_PM_HARDWARE_CAPABILITIES, OID_PM_PARAMETERS, OID_PM_REMOVE_WOL_PATTERN,
    OID_PM_WOL_PATTERN_LIST,
};

const LONG: Duration = Duration::from_secs(10);
const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const BITMAP: u32 = 1;
const MAGIC: u32 = 2;
const LINK_CHANGE: u32 = 1;

#[test]
fn what_all_protocols_enable_is_set_before_the_sleep_and_not_earlier() {
    let (_turn, lab) = lab();
    let (nic, first) = stack(&lab, WakeUp::USUAL);
    let second = lab.add_client("second", "nic0").unwrap();
    assert!(second.wait_state(BindingState::Running, LONG));
    lab.allow_magic_packet("nic0", false).unwrap();
    assert_eq!(set(first, BITMAP, 0), NDIS_STATUS_SUCCESS);
    assert_eq!(set(second, MAGIC, 0), NDIS_STATUS_SUCCESS);
    // NDIS answers both ways, and the miniport knows nothing yet.
    assert_eq!(nic.wakes_for().packet_patterns, 0);
    let (status, joined) = first.query(OID_PM_PARAMETERS, 64);
    assert_eq!((status, &joined), (0, &parameters(BITMAP | MAGIC, 0)));
    sleep(&lab);
    assert_eq!(nic.wakes_for().packet_patterns, BITMAP | MAGIC);
    wake(&lab, first);
    // One protocol does not switch off what another switched on; one that closes takes its share away.
    assert_eq!(set(first, 0, 0), NDIS_STATUS_SUCCESS);
    sleep(&lab);
    assert_eq!(nic.wakes_for().packet_patterns, MAGIC);
    wake(&lab, first);
    lab.remove_client("second").unwrap();
    sleep(&lab);
    assert_eq!(nic.wakes_for().packet_patterns, 0);
    wake(&lab, first);
    take_down(&lab);
}

#[test]
fn the_magic_packet_is_the_users_to_allow() {
    let (_turn, lab) = lab();
    let (nic, client) = stack(&lab, WakeUp::USUAL);
    sleep(&lab);
    assert_eq!(nic.wakes_for().packet_patterns, MAGIC);
    nic.inject(&magic_packet(&[2, 0, 0, 0, 0, 2]));
    nic.inject(&magic_packet(&MAC));
    woken(&lab, client);
    let woken_by = nic.woken_by().expect("the NIC woke the system");
    assert_eq!(woken_by.pattern, None);
    assert_eq!(woken_by.frame, magic_packet(&MAC));
    take_down(&lab);
}

#[test]
fn what_an_adapter_cannot_is_not_enabled() {
    let (_turn, lab) = lab();
    let no_patterns = WakeUp {
        patterns: 0,
        ..WakeUp::USUAL
    };
    let (_nic, client) = stack(&lab, no_patterns);
    for oid in [OID_PM_CURRENT_CAPABILITIES, OID_PM_HARDWARE_CAPABILITIES] {
        let (status, bytes) = client.query(oid, 256);
        assert_eq!(
            (status, bytes.len()),
            (0, size_of::<NDIS_PM_CAPABILITIES>())
        );
        assert_eq!(bytes[8..12], MAGIC.to_le_bytes());
    }
    assert_eq!(set(client, BITMAP, 0), NDIS_STATUS_INVALID_PARAMETER);
    assert_eq!(set(client, 0, LINK_CHANGE), NDIS_STATUS_INVALID_PARAMETER);
    let short = &parameters(0, 0)[..12];
    assert_eq!(
        client.set(OID_PM_PARAMETERS, short),
        NDIS_STATUS_BUFFER_TOO_SHORT
    );
    let pattern = client.add_wake_pattern(&bitmap_pattern(&[1], &[1]));
    assert_eq!(pattern, Err(NDIS_STATUS_NOT_SUPPORTED));
    take_down(&lab);
}

#[test]
fn an_adapter_without_power_management_has_no_capabilities() {
    let (_turn, lab) = lab();
    let mut config = NicConfig::new("nic0", MAC);
    config.sleeps = false;
    config.wake_up = Some(WakeUp::USUAL);
    lab.add_nic(config);
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    let (status, _) = client.query(OID_PM_CURRENT_CAPABILITIES, 256);
    assert_eq!(status, NDIS_STATUS_NOT_SUPPORTED);
    assert_eq!(set(client, 0, 0), NDIS_STATUS_FAILURE);
    take_down(&lab);
}

#[test]
fn patterns_are_numbered_listed_and_removed_by_who_added_them() {
    let (_turn, lab) = lab();
    let two = WakeUp {
        patterns: 2,
        pattern_size: 16,
        ..WakeUp::USUAL
    };
    let (nic, first) = stack(&lab, two);
    let second = lab.add_client("second", "nic0").unwrap();
    assert!(second.wait_state(BindingState::Running, LONG));
    let a = first.add_wake_pattern(&bitmap_pattern(&[1], &[1])).unwrap();
    let b = second
        .add_wake_pattern(&bitmap_pattern(&[3], &[1, 2]))
        .unwrap();
    assert_ne!(a, b);
    assert_eq!(nic.wake_patterns(), [a, b]);
    let full = first.add_wake_pattern(&bitmap_pattern(&[1], &[3]));
    assert_eq!(full, Err(NDIS_STATUS_PM_WOL_PATTERN_LIST_FULL));
    let long = first.add_wake_pattern(&bitmap_pattern(&[1; 3], &[3; 17]));
    assert_eq!(long, Err(NDIS_STATUS_INVALID_PARAMETER));

    // Offsets in the list count from its start, those in a pattern from the pattern's.
    let (status, list) = first.query(OID_PM_WOL_PATTERN_LIST, 1024);
    assert_eq!(status, NDIS_STATUS_SUCCESS);
    let number = |at: usize| u32::from_le_bytes(*list[at..].first_chunk().unwrap());
    let next = number(152) as usize;
    assert_eq!(
        (number(148), number(next + 148), number(next + 152)),
        (a, b, 0)
    );
    assert_eq!(list[next + number(next + 156 + 12) as usize..], [1, 2]);

    assert_eq!(first.remove_wake_pattern(b), NDIS_STATUS_FILE_NOT_FOUND);
    assert_eq!(
        first.set(OID_PM_REMOVE_WOL_PATTERN, &[1, 2]),
        NDIS_STATUS_INVALID_LENGTH
    );
    assert_eq!(first.remove_wake_pattern(a), NDIS_STATUS_SUCCESS);
    assert_eq!(nic.wake_patterns(), [b]);
    // Whose pattern the NIC gives up is told so, and nobody else.
    nic.reject_pattern(b);
    let told = |client: &Client| {
        let statuses = client.statuses();
        let mut rejected = statuses
            .into_iter()
            .filter(|(code, _)| *code == NDIS_STATUS_PM_WOL_PATTERN_REJECTED);
        rejected.next().map(|(_, bytes)| bytes)
    };
    assert_eq!(told(second), Some(b.to_le_bytes().to_vec()));
    assert_eq!(told(first), None);
    assert_eq!(second.remove_wake_pattern(b), NDIS_STATUS_FILE_NOT_FOUND);
    lab.remove_client("second").unwrap();
    take_down(&lab);
}

#[test]
fn a_frame_that_matches_a_pattern_wakes_the_system_and_is_received() {
    let (_turn, lab) = lab();
    let (nic, client) = stack(&lab, WakeUp::USUAL);
    // To this address, whatever the source, with this type.
    let mut frame = [&MAC[..], &[2, 0, 0, 0, 0, 9], &[0x88, 0xb5], &[7; 46]].concat();
    let id = client
        .add_wake_pattern(&bitmap_pattern(&[0x3f, 0x30], &frame[..14]))
        .unwrap();
    sleep(&lab);
    nic.inject(&frame);
    assert!(nic.wait_slept_through(LONG, 1));
    assert!(lab.settle(LONG));
    assert!(lab.is_asleep("nic0"), "nobody enabled patterns");
    wake(&lab, client);
    assert_eq!(set(client, BITMAP, 0), NDIS_STATUS_SUCCESS);
    sleep(&lab);
    frame[13] ^= 1;
    nic.inject(&frame);
    frame[13] ^= 1;
    frame[6..12].fill(5);
    nic.inject(&frame);
    woken(&lab, client);
    let woken_by = WokenBy {
        pattern: Some(id),
        frame: frame.clone(),
    };
    assert_eq!(nic.woken_by(), Some(woken_by));
    assert_eq!(
        client.recv(LONG).map(|received| received.frame),
        Some(frame.clone())
    );
    let statuses = client.statuses();
    let (_, reason) = statuses
        .iter()
        .find(|(code, _)| *code == NDIS_STATUS_PM_WAKE_REASON)
        .expect("the NIC says why it woke");
    let number = |at: usize| u32::from_le_bytes(*reason[at..].first_chunk().unwrap()) as usize;
    let packet = number(12);
    assert_eq!(
        (packet % 8, number(8), number(packet + 8)),
        (0, 1, id as usize)
    );
    let saved = packet + number(packet + 152);
    assert_eq!((saved % 8, number(packet + 148)), (0, frame.len()));
    assert_eq!(reason[saved..saved + frame.len()], frame[..]);
    take_down(&lab);
}

fn lab() -> (MutexGuard<'static, ()>, Lab) {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    (turn, Lab::new())
}

fn stack(lab: &Lab, wake_up: WakeUp) -> (NicPort, &'static Client) {
    let mut config = NicConfig::new("nic0", MAC);
    config.wake_up = Some(wake_up);
    let nic = lab.add_nic(config);
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    assert!(client.wait_state(BindingState::Running, LONG));
    (nic, client)
}

fn take_down(lab: &Lab) {
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("stack").unwrap();
}

fn sleep(lab: &Lab) {
    assert_eq!(lab.sleep_adapter("nic0").unwrap(), Ok(()));
}

fn wake(lab: &Lab, client: &Client) {
    assert_eq!(lab.wake_adapter("nic0").unwrap(), Ok(()));
    assert!(client.wait_state(BindingState::Running, LONG));
}

/// The NIC has woken the system by itself.
fn woken(lab: &Lab, client: &Client) {
    assert!(client.wait_state(BindingState::Running, LONG));
    assert!(lab.settle(LONG));
    assert!(!lab.is_asleep("nic0"));
}

fn set(client: &Client, packet_patterns: u32, wake_up_flags: u32) -> i32 {
    client.set(
        OID_PM_PARAMETERS,
        &parameters(packet_patterns, wake_up_flags),
    )
}

fn parameters(packet_patterns: u32, wake_up_flags: u32) -> Vec<u8> {
    let head = [
        NDIS_OBJECT_TYPE_DEFAULT,
        NDIS_PM_PARAMETERS_REVISION_2,
        20,
        0,
    ];
    let words = [packet_patterns, 0, wake_up_flags, 0];
    [&head[..], &words.map(u32::to_le_bytes).concat()].concat()
}

fn magic_packet(mac: &[u8; 6]) -> Vec<u8> {
    [
        &[0xff; 6][..],
        &[2, 0, 0, 0, 0, 9],
        &[8, 0x42],
        &[0xff; 6],
        &mac.repeat(16),
    ]
    .concat()
}
