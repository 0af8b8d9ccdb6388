use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::rules::testing::assert_broken;

fn register(data: u32, enable: EnableCallback) -> ULONG64 {
    let id = GUID {
        Data1: data,
        ..GUID::zeroed()
    };
    let mut handle = 0;
    // SAFETY: both pointers are to variables; the callback takes no context.
    let status = unsafe { EtwRegister(&raw const id, enable, ptr::null_mut(), &raw mut handle) };
    assert_eq!(status, STATUS_SUCCESS);
    handle
}

fn unregister(handle: ULONG64) {
    // SAFETY: the handle is only looked up.
    assert_eq!(unsafe { EtwUnregister(handle) }, STATUS_SUCCESS);
}

fn id(data: u32) -> [u8; 16] {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&data.to_le_bytes());
    id
}

fn session(data: u32) -> Session {
    Session {
        provider: Some(id(data)),
        ..Session::EVERYTHING
    }
}

fn of(data: u32) -> Vec<Event> {
    let mut events = events();
    events.retain(|event| event.provider == id(data));
    events
}

fn write_pieces(handle: ULONG64, level: u8, pieces: &[(u32, &[u8])]) -> NTSTATUS {
    let descriptor = Descriptor {
        id: 7,
        level,
        keyword: 2,
        ..Descriptor::default()
    };
    let piece = |&(kind, bytes): &(u32, &[u8])| Data {
        address: bytes.as_ptr() as u64,
        size: bytes.len() as u32,
        kind,
    };
    let data: Vec<Data> = pieces.iter().map(piece).collect();
    let (null, count) = (ptr::null(), data.len() as u32);
    // SAFETY: all pointers are to variables, or null where that is allowed.
    unsafe {
        EtwWriteTransfer(
            handle,
            &raw const descriptor,
            null,
            null,
            count,
            data.as_ptr(),
        )
    }
}

#[test]
fn an_event_is_kept_with_what_it_says() {
    let handle = register(0x1001, None);
    listen(session(0x1001));
    let traits = [5_u8, 0, b'm', b'x', 0];
    // SAFETY: the array has five bytes.
    let set = unsafe { EtwSetInformation(handle, PROVIDER_TRAITS, traits.as_ptr(), 5) };
    assert_eq!(set, STATUS_SUCCESS);
    let metadata = [9_u8, 0, 0, b'E', 0, b'V', b'l', 0, 6];
    let pieces: [(u32, &[u8]); 3] = [(2, &traits), (1, &metadata), (0, &[10, 0])];
    assert_eq!(write_pieces(handle, 4, &pieces), STATUS_SUCCESS);
    let events = of(0x1001);
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].provider_name.as_str(), events[0].line().as_str()),
        ("mx", "E Vl=10")
    );
    assert_eq!(
        (events[0].descriptor.id, events[0].descriptor.level_name()),
        (7, "information")
    );
    assert_eq!(events[0].data[2], (0, vec![10, 0]));
    unregister(handle);
}

#[test]
fn an_event_without_metadata_is_kept_as_it_is() {
    let handle = register(0x1004, None);
    listen(session(0x1004));
    assert_eq!(write_pieces(handle, 4, &[(0, &[1, 2])]), STATUS_SUCCESS);
    assert_eq!(of(0x1004)[0].says, None);
    assert_eq!(of(0x1004)[0].data, [(0, vec![1, 2])]);
    unregister(handle);
}

#[test]
fn what_nobody_wants_is_not_kept() {
    let handle = register(0x1005, None);
    assert_eq!(write_pieces(handle, 4, &[]), STATUS_SUCCESS);
    listen(Session {
        level: 3,
        ..session(0x1005)
    });
    assert_eq!(write_pieces(handle, 4, &[]), STATUS_SUCCESS);
    // SAFETY: the handle is only looked up.
    let enabled = |level, keyword| unsafe { EtwProviderEnabled(handle, level, keyword) };
    assert_eq!((enabled(3, 2), enabled(4, 2)), (1, 0));
    assert_eq!(of(0x1005), []);
    assert_eq!(write_pieces(handle, 3, &[]), STATUS_SUCCESS);
    assert_eq!(of(0x1005).len(), 1);
    unregister(handle);
}

#[test]
fn more_pieces_than_an_event_can_have_are_refused() {
    let handle = register(0x1006, None);
    let pieces: Vec<(u32, &[u8])> = vec![(0, &[1]); 129];
    assert_eq!(write_pieces(handle, 4, &pieces), STATUS_INVALID_PARAMETER);
    assert_eq!(write_pieces(handle, 4, &pieces[..128]), STATUS_SUCCESS);
    unregister(handle);
}

#[test]
fn a_provider_is_told_who_listens_when_it_comes_and_when_they_do() {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    static LEVEL: AtomicU64 = AtomicU64::new(0);
    static KEYWORDS: AtomicU64 = AtomicU64::new(0);
    unsafe extern "efiapi" fn enable(
        _: *const GUID,
        enabled: ULONG,
        level: UCHAR,
        any: u64,
        _: u64,
        _: *mut c_void,
        _: *mut c_void,
    ) {
        assert_eq!(enabled != 0, level != 0);
        CALLS.fetch_add(1, Ordering::SeqCst);
        LEVEL.store(u64::from(level), Ordering::SeqCst);
        KEYWORDS.store(any, Ordering::SeqCst);
    }
    let told = || {
        (
            CALLS.load(Ordering::SeqCst),
            LEVEL.load(Ordering::SeqCst),
            KEYWORDS.load(Ordering::SeqCst),
        )
    };
    let handle = register(0x1007, Some(enable));
    assert_eq!(told(), (0, 0, 0), "nobody listens");
    listen(Session {
        level: 2,
        keywords: 1,
        ..session(0x1007)
    });
    assert_eq!(told(), (1, 2, 1));
    listen(Session {
        level: 5,
        keywords: 4,
        ..session(0x1007)
    });
    assert_eq!(told(), (2, 5, 5), "of both");
    listen(session(0x7777));
    assert_eq!(told().0, 2, "that is another's");
    unregister(handle);
    let again = register(0x1007, Some(enable));
    assert_eq!(told(), (3, 5, 5), "when it registers");
    unregister(again);
}

#[test]
fn unregistering_twice_breaks_its_rule() {
    assert_broken(&rules::ETW_INVALID_HANDLE, &["no registration"], || {
        let handle = register(0x1002, None);
        unregister(handle);
        unregister(handle);
    });
}

#[test]
fn writing_after_unregistering_breaks_its_rule() {
    assert_broken(&rules::ETW_WRITE, &["no registration"], || {
        let handle = register(0x1008, None);
        unregister(handle);
        write_pieces(handle, 4, &[]);
    });
}

#[test]
fn an_event_that_says_nothing_sensible_breaks_its_rule() {
    assert_broken(
        &rules::ETW_EVENT,
        &["1 bytes of data follow the last field"],
        || {
            let handle = register(0x1009, None);
            write_pieces(handle, 4, &[(1, &[5, 0, 0, b'E', 0]), (0, &[1])]);
        },
    );
}

#[test]
fn a_provider_left_at_unload_breaks_its_rule() {
    assert_broken(&rules::ETW_LEFT, &["still there"], || {
        register(0x1003, None);
        check_left_nothing(|_| true);
    });
}
