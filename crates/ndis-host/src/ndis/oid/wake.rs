//! Wake on LAN: what the protocols on an adapter want it to wake for is kept here, and given to the
//! miniport before it sleeps.
//!
//! * `OID_PM_PARAMETERS`: each binding's own, checked against what the adapter can, and answered without
//!   the miniport. Joined, with the magic packet where the user allows it, they are set just before the
//!   adapter goes to sleep (low-power-for-wake-on-lan.md, obtaining-and-updating-power-management-parameters.md).
//! * `OID_PM_ADD_WOL_PATTERN`: gets its number and goes to the miniport, which says whether there is room.
//! * `OID_PM_REMOVE_WOL_PATTERN`: of a pattern that the binding has.
//!
//! Not in here: taking out a pattern of lower priority where the list is full, which NDIS "might" do
//! (adding-and-deleting-wake-on-lan-patterns.md); protocol offloads; the older OID_PNP requests.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use ndis_sys::{
    NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT, NDIS_PM_CAPABILITIES, NDIS_PM_MAX_PATTERN_ID,
    NDIS_PM_PARAMETERS_REVISION_1, NDIS_PM_PARAMETERS_REVISION_2,
    NDIS_PM_WAKE_ON_LINK_CHANGE_ENABLED, NDIS_PM_WOL_BITMAP_PATTERN_SUPPORTED,
    NDIS_PM_WOL_EAPOL_REQUEST_ID_MESSAGE_SUPPORTED, NDIS_PM_WOL_IPV4_TCP_SYN_SUPPORTED,
    NDIS_PM_WOL_IPV6_TCP_SYN_SUPPORTED, NDIS_PM_WOL_MAGIC_PACKET_ENABLED, NDIS_PM_WOL_PACKET,
    NDIS_PM_WOL_PATTERN, NDIS_PM_WOL_PATTERN_REVISION_1, NDIS_SIZEOF_NDIS_PM_PARAMETERS_REVISION_1,
    NDIS_SIZEOF_NDIS_PM_PARAMETERS_REVISION_2, NDIS_SIZEOF_NDIS_PM_WOL_PATTERN_REVISION_1,
    NDIS_STATUS, NDIS_STATUS_BUFFER_TOO_SHORT, NDIS_STATUS_FAILURE, NDIS_STATUS_FILE_NOT_FOUND,
    NDIS_STATUS_INDICATION, NDIS_STATUS_INVALID_LENGTH, NDIS_STATUS_INVALID_PARAMETER,
    NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_SUCCESS, NdisPMWoLPacketBitmapPattern,
    NdisPMWoLPacketEapolRequestIdMessage, NdisPMWoLPacketIPv4TcpSyn, NdisPMWoLPacketIPv6TcpSyn,
    NdisRequestSetInformation, OID_PM_ADD_WOL_PATTERN, OID_PM_CURRENT_CAPABILITIES,
    OID_PM_HARDWARE_CAPABILITIES, OID_PM_PARAMETERS, OID_PM_REMOVE_WOL_PATTERN,
    OID_PM_WOL_PATTERN_LIST,
};

use super::queue::{Entry, Own, Source};
use super::request::{self, Request};
use crate::ndis::adapter::Adapter;
use crate::ndis::binding::Binding;
use crate::ndis::header;
use crate::nt::sched::Monitor;

/// What a binding wants its adapter to wake for.
#[derive(Default)]
pub(crate) struct Wishes(Monitor<Inner>);

#[derive(Default)]
struct Inner {
    enabled: Enabled,
    /// By number: `NDIS_PM_WOL_PATTERN` with what belongs to it.
    patterns: Vec<(u32, Vec<u8>)>,
}

/// Whether the user lets an adapter wake the computer by a magic packet (`*WakeOnMagicPacket`).
#[derive(Debug)]
pub(crate) struct MagicPacket(AtomicBool);

/// The words of `NDIS_PM_PARAMETERS`: packet patterns, protocol offloads, wake-up and media events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enabled {
    /// `EnabledWoLPacketPatterns`.
    pub packet_patterns: u32,
    /// `EnabledProtocolOffloads`.
    pub protocol_offloads: u32,
    /// `WakeUpFlags`.
    pub wake_up_flags: u32,
    /// `MediaSpecificWakeUpEvents`.
    pub media_events: u32,
}

/// A wake-on-LAN pattern, as far as the host knows its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) id: u32,
    pub(crate) kind: NDIS_PM_WOL_PACKET,
    pub(crate) bitmap: Option<Bitmap>,
}

/// A bitmap pattern: which bytes of a frame, and what they must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bitmap {
    mask: Vec<u8>,
    bytes: Vec<u8>,
}

impl Default for MagicPacket {
    /// Allowed, as the standardized keyword has it.
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl MagicPacket {
    pub(crate) fn allow(&self, allow: bool) {
        self.0.store(allow, Ordering::SeqCst);
    }
}

impl Wishes {
    /// How many patterns are set.
    pub(crate) fn patterns(&self) -> usize {
        self.0.lock().patterns.len()
    }

    /// The binding is closed.
    pub(super) fn clear(&self) {
        *self.0.lock() = Inner::default();
    }

    /// The miniport gave a pattern up: whether it is this binding's, which has it no more.
    pub(crate) fn rejected(&self, indication: &NDIS_STATUS_INDICATION) -> bool {
        // SAFETY: the buffer of this status is a number, as `status` has made sure.
        let id = unsafe { indication.StatusBuffer.cast::<u32>().read_unaligned() };
        self.remove(id)
    }

    fn remove(&self, id: u32) -> bool {
        let mut inner = self.0.lock();
        let before = inner.patterns.len();
        inner.patterns.retain(|(other, _)| *other != id);
        inner.patterns.len() != before
    }
}

impl Enabled {
    /// What a buffer of OID_PM_PARAMETERS says.
    ///
    /// # Errors
    /// The status, and the bytes that it must have.
    pub(crate) fn parse(buffer: &[u8]) -> Result<Self, (NDIS_STATUS, u32)> {
        let least = usize::from(NDIS_SIZEOF_NDIS_PM_PARAMETERS_REVISION_1);
        let short = |needed: usize| (NDIS_STATUS_BUFFER_TOO_SHORT, needed as u32);
        if buffer.len() < least {
            return Err(short(least));
        }
        let head = NDIS_OBJECT_HEADER {
            Type: buffer[0],
            Revision: buffer[1],
            Size: u16::from_le_bytes([buffer[2], buffer[3]]),
        };
        let revisions = [
            (
                NDIS_PM_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_NDIS_PM_PARAMETERS_REVISION_1,
            ),
            (
                NDIS_PM_PARAMETERS_REVISION_2,
                NDIS_SIZEOF_NDIS_PM_PARAMETERS_REVISION_2,
            ),
        ];
        if !header::valid(&head, NDIS_OBJECT_TYPE_DEFAULT, &revisions) {
            return Err((NDIS_STATUS_INVALID_PARAMETER, 0));
        }
        let length = usize::from(head.Size);
        if buffer.len() < length {
            return Err(short(length));
        }
        let word = |at: usize| {
            let bytes = buffer[..length].get(at..).and_then(<[u8]>::first_chunk);
            bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
        };
        Ok(Self {
            packet_patterns: word(4),
            protocol_offloads: word(8),
            wake_up_flags: word(12),
            media_events: word(16),
        })
    }

    /// `NDIS_PM_PARAMETERS` of the second revision.
    pub(crate) fn bytes(self) -> Vec<u8> {
        let [low, high] = NDIS_SIZEOF_NDIS_PM_PARAMETERS_REVISION_2.to_le_bytes();
        let head = [
            NDIS_OBJECT_TYPE_DEFAULT,
            NDIS_PM_PARAMETERS_REVISION_2,
            low,
            high,
        ];
        let words = [
            self.packet_patterns,
            self.protocol_offloads,
            self.wake_up_flags,
            self.media_events,
        ];
        let bytes = words.into_iter().flat_map(u32::to_le_bytes);
        head.into_iter().chain(bytes).collect()
    }

    fn or(self, other: Self) -> Self {
        Self {
            packet_patterns: self.packet_patterns | other.packet_patterns,
            protocol_offloads: self.protocol_offloads | other.protocol_offloads,
            wake_up_flags: self.wake_up_flags | other.wake_up_flags,
            media_events: self.media_events | other.media_events,
        }
    }

    /// Whether an adapter with these capabilities can do it all.
    fn is_supported(self, by: &NDIS_PM_CAPABILITIES) -> bool {
        self.packet_patterns & !by.SupportedWoLPacketPatterns == 0
            && self.protocol_offloads & !by.SupportedProtocolOffloads == 0
            && self.wake_up_flags & !by.SupportedWakeUpEvents == 0
            && self.media_events & !by.MediaSpecificWakeUpEvents == 0
    }
}

impl Bitmap {
    /// Whether a frame has those bytes. One that is too short has not.
    pub(crate) fn matches(&self, frame: &[u8]) -> bool {
        self.bytes.iter().enumerate().all(|(at, byte)| {
            let compared = self.mask[at / 8] >> (at % 8) & 1 != 0;
            !compared || frame.get(at) == Some(byte)
        })
    }

    /// How many bytes of a frame it looks at.
    pub(crate) fn length(&self) -> usize {
        self.bytes.len()
    }
}

/// The status of a request that NDIS answers itself, `None` if it is for those below.
pub(super) fn answer(
    adapter: &'static Adapter,
    binding: Option<&'static Binding>,
    request: Request,
) -> Option<NDIS_STATUS> {
    if request.is_set() {
        return match (request.oid(), binding) {
            (OID_PM_PARAMETERS, Some(binding)) => Some(set_parameters(binding, request)),
            _ => None,
        };
    }
    if !request.is_query() {
        return None;
    }
    Some(match request.oid() {
        OID_PM_PARAMETERS => request.answer(&joined(adapter).bytes()),
        OID_PM_CURRENT_CAPABILITIES | OID_PM_HARDWARE_CAPABILITIES => match capabilities(adapter) {
            Some(capabilities) => request.answer(&super::answer::bytes_of(&capabilities)),
            None => NDIS_STATUS_NOT_SUPPORTED,
        },
        OID_PM_WOL_PATTERN_LIST => request.answer(&list(adapter)),
        _ => return None,
    })
}

/// Sets what the adapter is to wake for; it is about to sleep. A miniport that cannot sleep is told nothing.
/// What it answers changes nothing about its sleep.
pub(crate) fn arm(adapter: &'static Adapter) {
    if capabilities(adapter).is_none() {
        return;
    }
    let mut enabled = joined(adapter);
    // A cable that is plugged while the computer sleeps is no reason to wake it.
    enabled.wake_up_flags &= !NDIS_PM_WAKE_ON_LINK_CHANGE_ENABLED;
    let mut bytes = enabled.bytes();
    let mut request = request::new(NdisRequestSetInformation, OID_PM_PARAMETERS, &mut bytes);
    super::ask(adapter, &mut request);
}

/// What the miniport gets for OID_PM_ADD_WOL_PATTERN: the same with a number.
pub(super) fn add(
    binding: &'static Binding,
    request: Request,
    input: &[u8],
) -> Result<Entry, NDIS_STATUS> {
    let Pattern { kind, bitmap, .. } = parse(input).inspect_err(|&status| {
        if status == NDIS_STATUS_BUFFER_TOO_SHORT {
            request.set_counts(0, size_of::<NDIS_PM_WOL_PATTERN>() as u32);
        }
    })?;
    let capabilities = capabilities(binding.adapter()).ok_or(NDIS_STATUS_NOT_SUPPORTED)?;
    let needed = match kind {
        NdisPMWoLPacketBitmapPattern => NDIS_PM_WOL_BITMAP_PATTERN_SUPPORTED,
        NdisPMWoLPacketIPv4TcpSyn => NDIS_PM_WOL_IPV4_TCP_SYN_SUPPORTED,
        NdisPMWoLPacketIPv6TcpSyn => NDIS_PM_WOL_IPV6_TCP_SYN_SUPPORTED,
        NdisPMWoLPacketEapolRequestIdMessage => NDIS_PM_WOL_EAPOL_REQUEST_ID_MESSAGE_SUPPORTED,
        _ => return Err(NDIS_STATUS_INVALID_PARAMETER),
    };
    if capabilities.SupportedWoLPacketPatterns & needed == 0 {
        return Err(NDIS_STATUS_NOT_SUPPORTED);
    }
    let longest = capabilities
        .MaxWoLPatternSize
        .min(capabilities.MaxWoLPatternOffset);
    if bitmap.is_some_and(|bitmap| bitmap.length() > longest as usize) {
        return Err(NDIS_STATUS_INVALID_PARAMETER);
    }
    let id = new_id();
    let mut bytes = input.to_vec();
    bytes[PATTERN_ID..PATTERN_ID + 4].copy_from_slice(&id.to_le_bytes());
    let own = Own::new(request.kind(), OID_PM_ADD_WOL_PATTERN, bytes);
    let taken = input.len() as u32;
    let source = Source::Binding(binding, request);
    Ok(Entry::translated(own, source, move |status, own| {
        if status == NDIS_STATUS_SUCCESS {
            request.put(PATTERN_ID, &id.to_le_bytes());
            request.set_counts(taken, 0);
            let mut inner = binding.wake.0.lock();
            inner.patterns.push((id, own.buffer.clone()));
        }
        status
    }))
}

/// What the miniport gets for OID_PM_REMOVE_WOL_PATTERN: the same, of a pattern that the binding has.
pub(super) fn remove(
    binding: &'static Binding,
    request: Request,
    input: &[u8],
) -> Result<Entry, NDIS_STATUS> {
    let Some(id) = input.first_chunk().copied().map(u32::from_le_bytes) else {
        request.set_counts(0, 4);
        return Err(NDIS_STATUS_INVALID_LENGTH);
    };
    let inner = binding.wake.0.lock();
    if !inner.patterns.iter().any(|(other, _)| *other == id) {
        return Err(NDIS_STATUS_FILE_NOT_FOUND);
    }
    drop(inner);
    let own = Own::new(request.kind(), OID_PM_REMOVE_WOL_PATTERN, input.to_vec());
    let source = Source::Binding(binding, request);
    Ok(Entry::translated(own, source, move |status, _| {
        // Whatever the miniport says: the protocol can do no more before it closes.
        binding.wake.remove(id);
        if status == NDIS_STATUS_SUCCESS {
            request.set_counts(4, 0);
        }
        status
    }))
}

/// The pattern that a buffer of OID_PM_ADD_WOL_PATTERN describes.
///
/// # Errors
/// What is to be answered if it is wrong.
pub(crate) fn parse(buffer: &[u8]) -> Result<Pattern, NDIS_STATUS> {
    if buffer.len() < size_of::<NDIS_PM_WOL_PATTERN>() {
        return Err(NDIS_STATUS_BUFFER_TOO_SHORT);
    }
    let start = buffer.as_ptr().cast::<NDIS_PM_WOL_PATTERN>();
    // SAFETY: there are enough bytes, and any bytes are integers.
    let pattern = unsafe { start.read_unaligned() };
    let revision = (
        NDIS_PM_WOL_PATTERN_REVISION_1,
        NDIS_SIZEOF_NDIS_PM_WOL_PATTERN_REVISION_1,
    );
    if !header::valid(&pattern.Header, NDIS_OBJECT_TYPE_DEFAULT, &[revision]) {
        return Err(NDIS_STATUS_INVALID_PARAMETER);
    }
    let mut parsed = Pattern {
        id: pattern.PatternId,
        kind: pattern.WoLPacketType,
        bitmap: None,
    };
    if parsed.kind != NdisPMWoLPacketBitmapPattern {
        return Ok(parsed);
    }
    // SAFETY: the type says that the union is this, and any bytes are integers.
    let place = unsafe { pattern.WoLPattern.WoLBitMapPattern };
    let part = |offset: u32, size: u32| {
        let (offset, size) = (offset as usize, size as usize);
        let end = offset.checked_add(size)?;
        let is_behind = offset >= size_of::<NDIS_PM_WOL_PATTERN>() && size != 0;
        buffer.get(offset..end).filter(|_| is_behind)
    };
    let mask = part(place.MaskOffset, place.MaskSize).ok_or(NDIS_STATUS_INVALID_PARAMETER)?;
    let bytes =
        part(place.PatternOffset, place.PatternSize).ok_or(NDIS_STATUS_INVALID_PARAMETER)?;
    if mask.len() < bytes.len().div_ceil(8) {
        return Err(NDIS_STATUS_INVALID_PARAMETER);
    }
    parsed.bitmap = Some(Bitmap {
        mask: mask.to_vec(),
        bytes: bytes.to_vec(),
    });
    Ok(parsed)
}

fn set_parameters(binding: &'static Binding, request: Request) -> NDIS_STATUS {
    let input = request.input();
    let enabled = match Enabled::parse(&input) {
        Ok(enabled) => enabled,
        Err((status, needed)) => {
            request.set_counts(0, needed);
            return status;
        }
    };
    let Some(capabilities) = capabilities(binding.adapter()) else {
        return NDIS_STATUS_FAILURE;
    };
    if !enabled.is_supported(&capabilities) {
        return NDIS_STATUS_INVALID_PARAMETER;
    }
    binding.wake.0.lock().enabled = enabled;
    request.set_counts(input.len() as u32, 0);
    NDIS_STATUS_SUCCESS
}

/// What all bindings want, and the user.
fn joined(adapter: &'static Adapter) -> Enabled {
    let bindings = adapter.bindings();
    let wishes = bindings.iter().map(|binding| binding.wake.0.lock().enabled);
    let mut joined = wishes.fold(Enabled::default(), Enabled::or);
    let supported =
        capabilities(adapter).map_or(0, |capabilities| capabilities.SupportedWoLPacketPatterns);
    if adapter.power.magic_packet.0.load(Ordering::SeqCst) {
        joined.packet_patterns |= NDIS_PM_WOL_MAGIC_PACKET_ENABLED & supported;
    }
    joined
}

/// The patterns of all bindings, each with the offset of the next.
fn list(adapter: &'static Adapter) -> Vec<u8> {
    let bindings = adapter.bindings();
    let patterns = bindings.iter().flat_map(|binding| {
        let inner = binding.wake.0.lock();
        inner
            .patterns
            .iter()
            .map(|(_, bytes)| bytes.clone())
            .collect::<Vec<_>>()
    });
    let mut list: Vec<u8> = Vec::new();
    let mut last = None;
    for mut bytes in patterns {
        list.resize(list.len().next_multiple_of(8), 0);
        let start = list.len();
        if let Some(last) = last.replace(start) {
            let place: usize = last + NEXT_OFFSET;
            list[place..place + 4].copy_from_slice(&(start as u32).to_le_bytes());
        }
        bytes[NEXT_OFFSET..NEXT_OFFSET + 4].fill(0);
        list.append(&mut bytes);
    }
    list
}

fn capabilities(adapter: &Adapter) -> Option<NDIS_PM_CAPABILITIES> {
    adapter.with_attributes(|attributes| attributes.power.as_deref().copied())
}

/// A number for a pattern. They are each adapter's own; ours are nobody else's, so that a driver that
/// takes one adapter's number for another's is found out.
fn new_id() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed) % (NDIS_PM_MAX_PATTERN_ID - 1) + 2
}

const PATTERN_ID: usize = std::mem::offset_of!(NDIS_PM_WOL_PATTERN, PatternId);
const NEXT_OFFSET: usize = std::mem::offset_of!(NDIS_PM_WOL_PATTERN, NextWoLPatternOffset);

#[cfg(test)]
mod tests;
