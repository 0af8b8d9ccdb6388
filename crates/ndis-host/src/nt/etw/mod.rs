//! Event tracing: providers that drivers register, sessions that listen, and the events they get.
//!
//! Nobody listens at first, as on a machine where no session runs. [`listen`] starts a session: the
//! enable callback of each provider that it is for is called, at once and when one registers later. An
//! event that a session wants is kept as it was written and, if it is one of TraceLogging's, with what
//! it says; an event that says nothing sensible breaks a rule.
//!
//! Not in here: what the bytes of an event mean ([`trace_logging`]), what a session wants ([`session`]).

pub mod session;
pub mod trace_logging;
pub mod value;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::ffi::c_void;
use std::time::Duration;

use ndis_sys::nt::{
    BOOLEAN, GUID, NTSTATUS, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS, UCHAR, ULONG, ULONG64, USHORT,
};

use self::session::{Session, written};
use self::trace_logging::{Decoded, Problem, decode, provider_name};
use super::irql::{self, Irql};
use super::sched::{self, Monitor};
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
    enable: EnableCallback,
    context: usize,
    /// How many calls of its callback are on their way.
    calls: usize,
}

/// An event, as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its position among all events, from 1.
    pub sequence: u64,
    /// Its provider's identifier.
    pub provider: [u8; 16],
    /// Its provider's name, or its identifier where it has said none.
    pub provider_name: String,
    /// What the driver said of it.
    pub descriptor: Descriptor,
    /// The pieces of data with the kind that TraceLogging gives each: 0 data, 1 event metadata, 2
    /// provider metadata.
    pub data: Vec<(u32, Vec<u8>)>,
    /// What it says, if it is one of TraceLogging's.
    pub says: Option<Result<Decoded, Problem>>,
    /// When it was written, by the clock of the scheduler.
    pub at: Duration,
    /// The name of the thread that wrote it.
    pub thread: String,
    /// The IRQL at which it was written.
    pub irql: Irql,
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

impl Descriptor {
    /// The level's name.
    #[must_use]
    pub const fn level_name(&self) -> &'static str {
        match self.level {
            0 => "always",
            1 => "critical",
            2 => "error",
            3 => "warning",
            4 => "information",
            5 => "verbose",
            _ => "beyond verbose",
        }
    }
}

impl Event {
    /// Its name and its fields as one line.
    #[must_use]
    pub fn line(&self) -> String {
        match &self.says {
            Some(Ok(decoded)) => {
                let fields = decoded.fields.iter().map(|field| format!(" {field}"));
                format!("{}{}", decoded.name, fields.collect::<String>())
            }
            Some(Err(problem)) => format!("an event that cannot be shown: {problem}"),
            None => format!("event {} of a manifest", self.descriptor.id),
        }
    }
}

/// Starts a session, and tells the providers that it is for.
pub fn listen(session: Session) {
    STATE.lock().sessions.push(session);
    tell(|provider| session.is_for(provider));
}

/// Ends all sessions, and tells the providers that they were for. Events that were kept stay.
pub fn stop_listening() {
    let ended = std::mem::take(&mut STATE.lock().sessions);
    tell(|provider| ended.iter().any(|session| session.is_for(provider)));
}

/// The providers that are registered.
#[must_use]
pub fn providers() -> Vec<Provider> {
    STATE.lock().providers.values().cloned().collect()
}

/// The last events that sessions got, oldest first.
#[must_use]
pub fn events() -> Vec<Event> {
    since(0)
}

/// Those of them after the one of this number.
#[must_use]
pub fn since(sequence: u64) -> Vec<Event> {
    let state = STATE.lock();
    let events = state.events.iter();
    events
        .filter(|event| event.sequence > sequence)
        .cloned()
        .collect()
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
    /// Registers a provider, and enables it if somebody listens (`nf-wdm-etwregister.md`).
    /// STATUS_SUCCESS or STATUS_INSUFFICIENT_RESOURCES.
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
        let id = unsafe { id.cast::<[u8; 16]>().read_unaligned() };
        let provider = Provider {
            id,
            traits: Vec::new(),
            caller: call::caller_address(),
            enable,
            context: context.addr(),
            calls: 0,
        };
        let new = STATE.lock().add(provider);
        // SAFETY: the driver gives the place for the handle (the function's document).
        unsafe { handle.write(new) };
        tell_one(new, true);
        STATUS_SUCCESS
    }

    /// Undoes a registration, and waits for its callback (`nf-wdm-etwunregister.md`). STATUS_SUCCESS.
    [PASSIVE..=PASSIVE, unchecked] fn EtwUnregister(handle: ULONG64) -> NTSTATUS {
        if !STATE.lock().providers.contains_key(&handle) {
            rules::broken(
                &rules::ETW_INVALID_HANDLE,
                format_args!("EtwUnregister: {handle:#x} is no registration"),
            );
        }
        STATE.wait_until(None, |state| {
            let calls = state.providers.get(&handle).map_or(0, |provider| provider.calls);
            (calls == 0).then(|| state.providers.remove(&handle))
        });
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
        // SAFETY: the driver gives that many bytes (the function's document).
        let bytes = unsafe { bytes_of(information, length) };
        let mut state = STATE.lock();
        let Some(provider) = state.providers.get_mut(&handle) else {
            return STATUS_INVALID_HANDLE;
        };
        if class == PROVIDER_TRAITS {
            provider.traits = bytes;
        }
        STATUS_SUCCESS
    }

    /// Writes an event (`nf-wdm-etwwrite.md`). STATUS_SUCCESS, also if nobody wants it, or
    /// STATUS_INVALID_PARAMETER.
    [PASSIVE..=HIGH, unchecked] fn EtwWrite(
        handle: ULONG64,
        descriptor: *const Descriptor,
        _activity: *const GUID,
        count: ULONG,
        data: *const Data,
    ) -> NTSTATUS {
        // SAFETY: the driver gives an event (the function's document).
        unsafe { write("EtwWrite", handle, descriptor, count, data) }
    }

    /// Writes an event of a related activity (`nf-wdm-etwwritetransfer.md`). STATUS_SUCCESS, also if
    /// nobody wants it, or STATUS_INVALID_PARAMETER.
    [PASSIVE..=HIGH, unchecked] fn EtwWriteTransfer(
        handle: ULONG64,
        descriptor: *const Descriptor,
        _activity: *const GUID,
        _related: *const GUID,
        count: ULONG,
        data: *const Data,
    ) -> NTSTATUS {
        // SAFETY: the driver gives an event (the function's document).
        unsafe { write("EtwWriteTransfer", handle, descriptor, count, data) }
    }

    /// Whether anybody wants events of a level (`nf-wdm-etwproviderenabled.md`).
    [PASSIVE..=HIGH, unchecked] fn EtwProviderEnabled(
        handle: ULONG64,
        level: UCHAR,
        keyword: u64,
    ) -> BOOLEAN {
        let event = Descriptor { level, keyword, ..Descriptor::default() };
        BOOLEAN::from(STATE.lock().wants(handle, &event))
    }

    /// Whether anybody wants an event (`nf-wdm-etweventenabled.md`).
    [PASSIVE..=HIGH, unchecked] fn EtwEventEnabled(
        handle: ULONG64,
        descriptor: *const Descriptor,
    ) -> BOOLEAN {
        // SAFETY: the driver gives a descriptor (the function's document).
        let descriptor = unsafe { descriptor.read_unaligned() };
        BOOLEAN::from(STATE.lock().wants(handle, &descriptor))
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

/// Tells the providers that `which` knows whether anybody listens to them now.
fn tell(which: impl Fn(&[u8; 16]) -> bool) {
    let state = STATE.lock();
    let providers = state.providers.iter();
    let concerned = providers.filter(|(_, provider)| which(&provider.id));
    let handles: Vec<u64> = concerned.map(|(&handle, _)| handle).collect();
    drop(state);
    for handle in handles {
        tell_one(handle, false);
    }
}

/// Tells a provider who listens, unless it is `new` and nobody does.
fn tell_one(handle: u64, new: bool) {
    let mut state = STATE.lock();
    let (level, keywords) = state.wanted(handle);
    let Some(provider) = state.providers.get_mut(&handle) else {
        return;
    };
    let Some(enable) = provider.enable else {
        return;
    };
    if new && level == 0 {
        return;
    }
    provider.calls += 1;
    let context = provider.context as *mut c_void;
    drop(state);
    let (code, source) = (u32::from(level != 0), GUID::zeroed());
    call::callback("EtwEnableCallback", Irql::PASSIVE..=Irql::PASSIVE, || {
        let none = std::ptr::null_mut();
        // SAFETY: the driver registered this function with this context, and its unregistration waits
        // for the call.
        unsafe { enable(&raw const source, code, level, keywords, 0, none, context) };
    });
    if let Some(provider) = STATE.lock().providers.get_mut(&handle) {
        provider.calls -= 1;
    }
    STATE.notify_all();
}

/// # Safety
/// `descriptor` points to one, and `data` to `count` pieces of data.
unsafe fn write(
    name: &str,
    handle: ULONG64,
    descriptor: *const Descriptor,
    count: ULONG,
    data: *const Data,
) -> NTSTATUS {
    // SAFETY: the caller's own promise.
    let descriptor = unsafe { descriptor.read_unaligned() };
    if count > MOST_PIECES {
        return STATUS_INVALID_PARAMETER;
    }
    let pieces = (0..count as usize).map(|index| {
        // SAFETY: the caller's own promise.
        let piece = unsafe { data.wrapping_add(index).read_unaligned() };
        // SAFETY: the caller's own promise.
        let bytes = unsafe { bytes_of(piece.address as *const u8, piece.size) };
        // The upper bits are flags of the kind's own.
        (piece.kind & 0xff, bytes)
    });
    let pieces: Vec<(u32, Vec<u8>)> = pieces.collect();
    let says = said(&pieces);
    let state = STATE.lock();
    let registered = state.providers.get(&handle);
    let traits = registered.map(|provider| (provider.id, provider.traits.clone()));
    let wanted = state.wants(handle, &descriptor);
    drop(state);
    let Some((provider, traits)) = traits else {
        rules::broken(
            &rules::ETW_WRITE,
            format_args!("{name}: {handle:#x} is no registration"),
        );
    };
    rules::held(&rules::ETW_WRITE);
    let problem = says.as_ref().and_then(|says| says.as_ref().err());
    if let Some(problem) = problem.filter(|problem| problem.is_malformed()) {
        rules::broken(&rules::ETW_EVENT, format_args!("{name}: {problem}"));
    }
    rules::held(&rules::ETW_EVENT);
    if wanted {
        let event = Event {
            sequence: 0,
            provider,
            provider_name: provider_name(&traits).unwrap_or_else(|_| written(&provider)),
            descriptor,
            data: pieces,
            says,
            at: sched::now(),
            thread: sched::current_name(),
            irql: irql::current(),
        };
        STATE.lock().keep(event);
    }
    STATUS_SUCCESS
}

/// What an event of these pieces says, if it is one of TraceLogging's.
fn said(pieces: &[(u32, Vec<u8>)]) -> Option<Result<Decoded, Problem>> {
    let (_, metadata) = pieces.iter().find(|(kind, _)| *kind == EVENT_METADATA)?;
    let provider = pieces.iter().find(|(kind, _)| *kind == PROVIDER_METADATA);
    let provider = provider.map_or(Ok(String::new()), |(_, traits)| provider_name(traits));
    let data = pieces.iter().filter(|(kind, _)| *kind == 0);
    let data: Vec<u8> = data.flat_map(|(_, bytes)| bytes).copied().collect();
    Some(provider.and_then(|_| decode(metadata, &data)))
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
    sessions: Vec<Session>,
    written: u64,
    events: VecDeque<Event>,
}

impl State {
    fn add(&mut self, provider: Provider) -> u64 {
        self.next += 1;
        let handle = HANDLES_FROM + self.next;
        self.providers.insert(handle, provider);
        handle
    }

    fn sessions_of(&self, handle: u64) -> impl Iterator<Item = &Session> {
        let provider = self.providers.get(&handle).map(|provider| provider.id);
        self.sessions
            .iter()
            .filter(move |session| provider.is_some_and(|id| session.is_for(&id)))
    }

    /// The most verbose level and all the keywords that sessions want of a provider; level 0 if there
    /// is none.
    fn wanted(&self, handle: u64) -> (u8, u64) {
        self.sessions_of(handle)
            .fold((0, 0), |(level, keywords), session| {
                (level.max(session.level), keywords | session.keywords)
            })
    }

    fn wants(&self, handle: u64, event: &Descriptor) -> bool {
        self.sessions_of(handle).any(|session| session.wants(event))
    }

    fn keep(&mut self, mut event: Event) {
        self.written += 1;
        event.sequence = self.written;
        if self.events.len() == KEPT_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}

const STATUS_INVALID_HANDLE: NTSTATUS = 0xC000_0008_u32.cast_signed();
/// EventProviderSetTraits.
const PROVIDER_TRAITS: i32 = 2;
const EVENT_METADATA: u32 = 1;
const PROVIDER_METADATA: u32 = 2;
const EVERY_LEVEL: UCHAR = 0xff;
/// MAX_EVENT_DATA_DESCRIPTORS (`nf-wdm-etwwrite.md`).
const MOST_PIECES: u32 = 128;
const KEPT_EVENTS: usize = 10_000;
const HANDLES_FROM: u64 = 0xffff_e700_0000_0000;
const _: () = assert!(size_of::<Descriptor>() == 16 && size_of::<Data>() == 16);

static STATE: Monitor<State> = Monitor::new(State {
    next: 0,
    providers: BTreeMap::new(),
    sessions: Vec::new(),
    written: 0,
    events: VecDeque::new(),
});
