//! Event tracing: providers that drivers register, and the events that they write.
//!
//! A session that wants everything is always there: a provider's enable callback is told so when it
//! registers, and each event is kept as it was written, for tests and tools to read. What the bytes
//! mean (TraceLogging's metadata, a manifest's fields) is for the reader.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::c_void;

use ndis_sys::nt::{
    BOOLEAN, GUID, NTSTATUS, STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS, UCHAR, ULONG, ULONG64,
    USHORT,
};

use super::irql::Irql;
use super::sched::Monitor;
use crate::call::{self, CodeAddress};
use crate::ddi;
use crate::faults::should_fail;
use crate::rules;

/// A provider that is registered.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its identifier, in the form of a GUID's memory.
    pub id: [u8; 16],
    /// Its traits, as `EtwSetInformation` got them: for TraceLogging, its name is in there.
    pub traits: Vec<u8>,
    /// Where the driver registered it.
    pub caller: usize,
}

/// An event, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its provider's identifier.
    pub provider: [u8; 16],
    /// What the driver said of it.
    pub descriptor: Descriptor,
    /// The pieces of data with the kind that TraceLogging gives each: 0 data, 1 event metadata, 2
    /// provider metadata.
    pub data: Vec<(u32, Vec<u8>)>,
}

/// EVENT_DESCRIPTOR.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of Microsoft's headers")]
pub struct Descriptor {
    pub id: USHORT,
    pub version: UCHAR,
    pub channel: UCHAR,
    pub level: UCHAR,
    pub opcode: UCHAR,
    pub task: USHORT,
    pub keyword: u64,
}

/// The providers that are registered.
#[must_use]
pub fn providers() -> Vec<Provider> {
    STATE.lock().providers.values().cloned().collect()
}

/// The last events that were written, oldest first.
#[must_use]
pub fn events() -> Vec<Event> {
    STATE.lock().events.iter().cloned().collect()
}

/// Ends the run if code within `image`, which was unloaded, left a provider registered.
pub(super) fn check_left_nothing(image: impl Fn(usize) -> bool) {
    let left = providers();
    if let Some(provider) = left.iter().find(|provider| image(provider.caller)) {
        rules::broken_at(
            &rules::ETW_LEFT,
            format_args!(
                "the provider that {} registered is still there",
                CodeAddress::of(provider.caller)
            ),
            provider.caller,
        );
    }
}

ddi! { "ntoskrnl.exe":
    /// Registers a provider and enables it (`nf-wdm-etwregister.md`). STATUS_SUCCESS or
    /// STATUS_INSUFFICIENT_RESOURCES.
    [PASSIVE..=PASSIVE, unchecked] fn EtwRegister(
        id: *const GUID,
        enable: EnableCallback,
        context: *mut c_void,
        handle: *mut ULONG64,
    ) -> NTSTATUS {
        if should_fail("EtwRegister") {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        // SAFETY: the driver gives its identifier (the function's document).
        let bytes = unsafe { id.cast::<[u8; 16]>().read_unaligned() };
        let mut state = STATE.lock();
        state.next += 1;
        let new = HANDLES_FROM + state.next;
        let provider = Provider { id: bytes, traits: Vec::new(), caller: call::caller_address() };
        state.providers.insert(new, provider);
        drop(state);
        // SAFETY: the driver gives the place for the handle (the function's document).
        unsafe { handle.write(new) };
        if let Some(enable) = enable {
            call::callback("EtwEnableCallback", Irql::PASSIVE..=Irql::PASSIVE, || {
                // SAFETY: the driver registered this function with this context.
                unsafe { enable(id, 1, EVERY_LEVEL, u64::MAX, 0, std::ptr::null_mut(), context) };
            });
        }
        STATUS_SUCCESS
    }

    /// Undoes a registration (`nf-wdm-etwunregister.md`). STATUS_SUCCESS.
    [PASSIVE..=PASSIVE, unchecked] fn EtwUnregister(handle: ULONG64) -> NTSTATUS {
        if STATE.lock().providers.remove(&handle).is_none() {
            rules::broken(
                &rules::ETW_INVALID_HANDLE,
                format_args!("EtwUnregister: {handle:#x} is no registration"),
            );
        }
        STATUS_SUCCESS
    }

    /// Keeps what a provider says of itself (`nf-wdm-etwsetinformation.md`). STATUS_SUCCESS or
    /// STATUS_INVALID_HANDLE.
    [PASSIVE..=PASSIVE, unchecked] fn EtwSetInformation(
        handle: ULONG64,
        class: i32,
        information: *const u8,
        length: ULONG,
    ) -> NTSTATUS {
        let mut state = STATE.lock();
        let Some(provider) = state.providers.get_mut(&handle) else {
            return STATUS_INVALID_HANDLE;
        };
        if class == PROVIDER_TRAITS {
            // SAFETY: the driver gives that many bytes (the function's document).
            provider.traits = unsafe { bytes_of(information, length) };
        }
        STATUS_SUCCESS
    }

    /// Writes an event (`nf-wdm-etwwrite.md`). STATUS_SUCCESS or STATUS_INVALID_HANDLE.
    [PASSIVE..=HIGH, unchecked] fn EtwWrite(
        handle: ULONG64,
        descriptor: *const Descriptor,
        _activity: *const GUID,
        count: ULONG,
        data: *const Data,
    ) -> NTSTATUS {
        // SAFETY: the driver gives an event (the function's document).
        unsafe { write(handle, descriptor, count, data) }
    }

    /// Writes an event of a related activity (`nf-wdm-etwwritetransfer.md`). STATUS_SUCCESS or
    /// STATUS_INVALID_HANDLE.
    [PASSIVE..=HIGH, unchecked] fn EtwWriteTransfer(
        handle: ULONG64,
        descriptor: *const Descriptor,
        _activity: *const GUID,
        _related: *const GUID,
        count: ULONG,
        data: *const Data,
    ) -> NTSTATUS {
        // SAFETY: the driver gives an event (the function's document).
        unsafe { write(handle, descriptor, count, data) }
    }

    /// Whether anybody wants events of a level (`nf-wdm-etwproviderenabled.md`): always.
    [PASSIVE..=HIGH, unchecked] fn EtwProviderEnabled(handle: ULONG64, _level: UCHAR, _keyword: u64) -> BOOLEAN {
        BOOLEAN::from(STATE.lock().providers.contains_key(&handle))
    }

    /// Whether anybody wants an event (`nf-wdm-etweventenabled.md`): always.
    [PASSIVE..=HIGH, unchecked] fn EtwEventEnabled(handle: ULONG64, _descriptor: *const Descriptor) -> BOOLEAN {
        BOOLEAN::from(STATE.lock().providers.contains_key(&handle))
    }
}

/// ETWENABLECALLBACK (`nc-wdm-etwenablecallback.md`).
type EnableCallback = Option<
    unsafe extern "efiapi" fn(*const GUID, ULONG, UCHAR, u64, u64, *mut c_void, *mut c_void),
>;

/// EVENT_DATA_DESCRIPTOR.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Data {
    address: u64,
    size: ULONG,
    kind: ULONG,
}

/// # Safety
/// `descriptor` points to one, and `data` to `count` pieces of data.
unsafe fn write(
    handle: ULONG64,
    descriptor: *const Descriptor,
    count: ULONG,
    data: *const Data,
) -> NTSTATUS {
    // SAFETY: the caller's own promise.
    let descriptor = unsafe { descriptor.read_unaligned() };
    let pieces = (0..count as usize).map(|index| {
        // SAFETY: the caller's own promise.
        let piece = unsafe { data.wrapping_add(index).read_unaligned() };
        // SAFETY: the caller's own promise.
        let bytes = unsafe { bytes_of(piece.address as *const u8, piece.size) };
        // The upper bits are flags of the kind's own.
        (piece.kind & 0xff, bytes)
    });
    let pieces = pieces.collect();
    let mut state = STATE.lock();
    let Some(provider) = state.providers.get(&handle) else {
        return STATUS_INVALID_HANDLE;
    };
    let event = Event {
        provider: provider.id,
        descriptor,
        data: pieces,
    };
    if state.events.len() == KEPT_EVENTS {
        state.events.pop_front();
    }
    state.events.push_back(event);
    STATUS_SUCCESS
}

/// # Safety
/// `length` bytes are at `address`.
unsafe fn bytes_of(address: *const u8, length: ULONG) -> Vec<u8> {
    if length == 0 {
        return Vec::new();
    }
    // SAFETY: the caller's own promise.
    unsafe { std::slice::from_raw_parts(address, length as usize) }.to_vec()
}

struct State {
    next: u64,
    providers: BTreeMap<u64, Provider>,
    events: VecDeque<Event>,
}

const STATUS_INVALID_HANDLE: NTSTATUS = 0xC000_0008_u32.cast_signed();
/// EventProviderSetTraits.
const PROVIDER_TRAITS: i32 = 2;
const EVERY_LEVEL: UCHAR = 0xff;
const KEPT_EVENTS: usize = 10_000;
const HANDLES_FROM: u64 = 0xffff_e700_0000_0000;
const _: () = assert!(size_of::<Descriptor>() == 16 && size_of::<Data>() == 16);

static STATE: Monitor<State> = Monitor::new(State {
    next: 0,
    providers: BTreeMap::new(),
    events: VecDeque::new(),
});

#[cfg(test)]
mod tests {
    use std::ptr;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::rules::testing::assert_broken;

    fn register(data: u32) -> ULONG64 {
        let id = GUID {
            Data1: data,
            ..GUID::zeroed()
        };
        let mut handle = 0;
        // SAFETY: both pointers are to variables; there is no callback.
        let status = unsafe { EtwRegister(&raw const id, None, ptr::null_mut(), &raw mut handle) };
        assert_eq!(status, STATUS_SUCCESS);
        handle
    }

    fn write_byte(handle: ULONG64, byte: &u8) -> NTSTATUS {
        let descriptor = Descriptor {
            id: 7,
            level: 4,
            ..Descriptor::default()
        };
        let data = Data {
            address: ptr::from_ref(byte) as u64,
            size: 1,
            kind: 1,
        };
        let null = ptr::null();
        // SAFETY: all pointers are to variables, or null where that is allowed.
        unsafe {
            EtwWriteTransfer(
                handle,
                &raw const descriptor,
                null,
                null,
                1,
                &raw const data,
            )
        }
    }

    #[test]
    fn an_event_is_kept_with_its_provider_and_data() {
        let handle = register(0x1001);
        let traits = [3_u8, 0, 0];
        // SAFETY: the array has three bytes.
        let set = unsafe { EtwSetInformation(handle, PROVIDER_TRAITS, traits.as_ptr(), 3) };
        assert_eq!(set, STATUS_SUCCESS);
        assert_eq!(write_byte(handle, &42), STATUS_SUCCESS);
        let id = 0x1001_u32.to_le_bytes();
        let events = events();
        let event = events.iter().find(|event| event.provider.starts_with(&id));
        let event = event.expect("it was written");
        assert_eq!((event.descriptor.id, event.descriptor.level), (7, 4));
        assert_eq!(event.data, [(1, vec![42])]);
        let providers = providers();
        let provider = providers.iter().find(|it| it.id.starts_with(&id));
        assert_eq!(provider.expect("it is registered").traits, traits);
        // SAFETY: the handle was just given out.
        assert_eq!(unsafe { EtwUnregister(handle) }, STATUS_SUCCESS);
        assert_eq!(write_byte(handle, &42), STATUS_INVALID_HANDLE);
    }

    #[test]
    fn a_provider_is_told_that_it_is_enabled() {
        static KEYWORDS: AtomicU64 = AtomicU64::new(0);
        unsafe extern "efiapi" fn enable(
            _: *const GUID,
            enabled: ULONG,
            _: UCHAR,
            any: u64,
            _: u64,
            _: *mut c_void,
            _: *mut c_void,
        ) {
            assert_eq!(enabled, 1);
            KEYWORDS.store(any, Ordering::SeqCst);
        }
        let (id, mut handle) = (GUID::zeroed(), 0);
        let null = ptr::null_mut();
        // SAFETY: the pointers are to variables, the function is of the right type.
        unsafe { EtwRegister(&raw const id, Some(enable), null, &raw mut handle) };
        assert_eq!(KEYWORDS.load(Ordering::SeqCst), u64::MAX);
    }

    #[test]
    fn unregistering_twice_breaks_its_rule() {
        assert_broken(&rules::ETW_INVALID_HANDLE, &["no registration"], || {
            let handle = register(0x1002);
            // SAFETY: the handle is only looked up.
            unsafe { EtwUnregister(handle) };
            // SAFETY: as above.
            unsafe { EtwUnregister(handle) };
        });
    }

    #[test]
    fn a_provider_left_at_unload_breaks_its_rule() {
        assert_broken(&rules::ETW_LEFT, &["still there"], || {
            register(0x1003);
            check_left_nothing(|_| true);
        });
    }
}
