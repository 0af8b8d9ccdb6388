//! What handles point at.
//!
//! A handle is the address of an object of the host. The table of all objects ever made tells a live
//! handle from a dead one and from something that never was a handle, and names the object in a
//! report. Objects are never freed, so that no address comes back with another meaning; a run makes
//! few of them, the many (NBLs, memory) are tracked elsewhere.
//!
//! Not in here: what the objects are and when they end.

use std::collections::HashMap;
use std::ffi::c_void;
use std::fmt;
use std::sync::{LazyLock, PoisonError, RwLock};

use ndis_sys::NDIS_HANDLE;

use super::caller::{self, Caller};
use crate::nt::sched;
use crate::rules;

/// The kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// From `NdisMRegisterMiniportDriver`.
    MiniportDriver,
    /// From `NdisRegisterProtocolDriver`.
    ProtocolDriver,
    /// From `NdisFRegisterFilterDriver`.
    FilterDriver,
    /// Given to `FilterAttach`.
    FilterModule,
    /// Given to `MiniportInitializeEx`.
    Adapter,
    /// Given to `ProtocolBindAdapterEx`.
    BindContext,
    /// Given to `ProtocolUnbindAdapterEx`.
    UnbindContext,
    /// From `NdisOpenAdapterEx`.
    Binding,
    /// From `NdisOpenConfigurationEx`.
    Configuration,
    /// From `NdisAllocateNetBufferListPool`.
    NetBufferListPool,
    /// From `NdisAllocateNetBufferPool`.
    NetBufferPool,
    /// From `NdisAllocateIoWorkItem`.
    WorkItem,
    /// From `NdisAllocateTimerObject`.
    Timer,
    /// From `NdisAllocateRWLock`.
    RwLock,
    /// From `NdisAllocateGenericObject`.
    GenericObject,
    /// From `NdisMRegisterInterruptEx`.
    Interrupt,
    /// From `NdisMRegisterScatterGatherDma`.
    Dma,
    /// From the functions that allocate shared memory.
    SharedMemory,
    /// From `NdisMMapIoSpace`.
    IoSpace,
    /// From `NdisIfRegisterProvider`.
    InterfaceProvider,
    /// From `NdisRegisterDeviceEx`.
    Device,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MiniportDriver => "miniport driver handle",
            Self::ProtocolDriver => "protocol driver handle",
            Self::FilterDriver => "filter driver handle",
            Self::FilterModule => "filter module handle",
            Self::Adapter => "miniport adapter handle",
            Self::BindContext => "bind context",
            Self::UnbindContext => "unbind context",
            Self::Binding => "binding handle",
            Self::Configuration => "configuration handle",
            Self::NetBufferListPool => "NET_BUFFER_LIST pool handle",
            Self::NetBufferPool => "NET_BUFFER pool handle",
            Self::WorkItem => "I/O work item",
            Self::Timer => "timer object",
            Self::RwLock => "read-write lock",
            Self::GenericObject => "generic object",
            Self::Interrupt => "interrupt handle",
            Self::Dma => "DMA handle",
            Self::SharedMemory => "block of shared memory",
            Self::IoSpace => "mapping of device registers",
            Self::InterfaceProvider => "interface provider handle",
            Self::Device => "device handle",
        })
    }
}

/// Something that a handle can point at.
pub(crate) trait Object: Sync + 'static {
    /// Its kind; one type for each.
    const KIND: Kind;
}

/// An object that lives for good, and is no handle yet.
pub(crate) fn fresh<T: Object>(object: T) -> &'static T {
    Box::leak(Box::new(object))
}

/// Makes `object` known under its handle.
pub(crate) fn publish<T: Object>(object: &'static T, name: String) -> &'static T {
    publish_for(object, name, std::ptr::null_mut())
}

/// Makes `object` known under its handle, as something that was allocated with the handle `owner` and
/// has to be gone before that.
pub(crate) fn publish_for<T: Object>(
    object: &'static T,
    name: String,
    owner: NDIS_HANDLE,
) -> &'static T {
    let entry = Entry {
        kind: T::KIND,
        alive: true,
        name,
        owner: owner as usize,
        party: caller::current(),
    };
    write().insert(address(object), entry);
    object
}

/// Makes the handle of `object` a dead one.
pub(crate) fn retire<T: Object>(object: &'static T) {
    if let Some(entry) = write().get_mut(&address(object)) {
        entry.alive = false;
    }
}

/// The handle of `object`.
pub(crate) fn handle_of<T: Object>(object: &'static T) -> NDIS_HANDLE {
    std::ptr::from_ref(object).cast_mut().cast::<c_void>()
}

/// The live object that a driver's handle names. `function` is what it was passed to; anything but a
/// live handle of that kind ends the run.
pub(crate) fn resolve<T: Object>(handle: NDIS_HANDLE, function: &str) -> &'static T {
    if rules::enforced() {
        require(handle, &[T::KIND], function);
    }
    // SAFETY: with the rules off, the driver's word for it; else the table has the address as a live object of this kind, each kind has one type, and
    // objects are never freed.
    unsafe { &*handle.cast::<T>() }
}

/// The live object that `handle` names if it is of this kind.
pub(crate) fn peek<T: Object>(handle: NDIS_HANDLE) -> Option<&'static T> {
    if kind_of(handle) != Some(T::KIND) {
        return None;
    }
    // SAFETY: as in `resolve`.
    Some(unsafe { &*handle.cast::<T>() })
}

/// The kind of a live handle.
pub(crate) fn kind_of(handle: NDIS_HANDLE) -> Option<Kind> {
    sched::note_lock();
    let table = OBJECTS.read().unwrap_or_else(PoisonError::into_inner);
    table
        .get(&(handle as usize))
        .filter(|entry| entry.alive)
        .map(|entry| entry.kind)
}

/// Checks that `handle` is alive and of one of `kinds`, and returns its kind; else ends the run.
pub(crate) fn require(handle: NDIS_HANDLE, kinds: &[Kind], function: &str) -> Kind {
    let found = {
        sched::note_lock();
        let table = OBJECTS.read().unwrap_or_else(PoisonError::into_inner);
        table
            .get(&(handle as usize))
            .map(|entry| (entry.kind, entry.alive, entry.name.clone()))
    };
    let wanted = kinds
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" or ");
    match found {
        Some((kind, true, _)) if kinds.contains(&kind) => {
            rules::held(&rules::INVALID_HANDLE);
            kind
        }
        Some((kind, true, name)) => rules::broken(
            &rules::INVALID_HANDLE,
            format_args!("{function} wants a {wanted}; {handle:p} is a {kind} ({name})"),
        ),
        Some((kind, false, name)) => rules::broken(
            &rules::INVALID_HANDLE,
            format_args!("{function} was given a dead {kind}: {handle:p} ({name})"),
        ),
        None => rules::broken(
            &rules::INVALID_HANDLE,
            format_args!("{function} wants a {wanted}; {handle:p} was never a handle"),
        ),
    }
}

/// Whether `handle` was a handle of that kind, and is one no more.
pub(crate) fn is_dead(handle: NDIS_HANDLE, kind: Kind) -> bool {
    sched::note_lock();
    let table = OBJECTS.read().unwrap_or_else(PoisonError::into_inner);
    table
        .get(&(handle as usize))
        .is_some_and(|entry| !entry.alive && entry.kind == kind)
}

/// The name that a handle's object has in reports, dead or alive.
pub(crate) fn name_of(handle: NDIS_HANDLE) -> String {
    sched::note_lock();
    let table = OBJECTS.read().unwrap_or_else(PoisonError::into_inner);
    table
        .get(&(handle as usize))
        .map_or_else(String::new, |entry| entry.name.clone())
}

/// What the handle at an address is or was, in words, if nobody changes the table just now.
pub(crate) fn explain(address: usize) -> Option<String> {
    let table = OBJECTS.try_read().ok()?;
    let entry = table.get(&address)?;
    Some(format!(
        "{address:#x} is the {} {}, made for {}, {}",
        entry.kind,
        entry.name,
        entry.party.name,
        if entry.alive { "alive" } else { "dead" }
    ))
}

/// The kinds and names of all live objects of images, sorted.
pub(crate) fn alive() -> Vec<(Kind, String)> {
    sched::note_lock();
    let table = OBJECTS.read().unwrap_or_else(PoisonError::into_inner);
    let mut alive: Vec<_> = table
        .values()
        .filter(|entry| entry.alive && !entry.party.built_in)
        .map(|entry| (entry.kind, entry.name.clone()))
        .collect();
    alive.sort();
    alive
}

/// The kinds and names of the live objects that the driver of `service` made.
pub(crate) fn alive_of(service: &str) -> Vec<(Kind, String)> {
    sched::note_lock();
    let table = OBJECTS.read().unwrap_or_else(PoisonError::into_inner);
    table
        .values()
        .filter(|entry| entry.alive && entry.party.name.eq_ignore_ascii_case(service))
        .map(|entry| (entry.kind, entry.name.clone()))
        .collect()
}

/// The kinds and names of the live objects that were allocated with the handle `owner`.
pub(crate) fn owned_by(owner: NDIS_HANDLE) -> Vec<(Kind, String)> {
    sched::note_lock();
    let table = OBJECTS.read().unwrap_or_else(PoisonError::into_inner);
    table
        .values()
        .filter(|entry| entry.alive && entry.owner == owner as usize)
        .map(|entry| (entry.kind, entry.name.clone()))
        .collect()
}

struct Entry {
    kind: Kind,
    alive: bool,
    name: String,
    owner: usize,
    /// Who made it.
    party: Caller,
}

fn address<T>(object: &'static T) -> usize {
    std::ptr::from_ref(object) as usize
}

fn write() -> std::sync::RwLockWriteGuard<'static, HashMap<usize, Entry>> {
    OBJECTS.write().unwrap_or_else(PoisonError::into_inner)
}

static OBJECTS: LazyLock<RwLock<HashMap<usize, Entry>>> = LazyLock::new(RwLock::default);
