//! Waking the computer: what a NIC was told to wake for, and what happens when such a frame comes.
//!
//! A NIC that sleeps looks at every frame from its wire. The first that it is to wake for is kept, and the
//! host wakes all adapters, as the power manager does when a bus says that a device woke
//! (low-power-for-wake-on-lan.md). While the NIC handles the set to D0 it tells why it woke, and
//! when it runs again it indicates the frame (issuing-ndis-wake-reason-indications.md).

use std::mem::offset_of;
use std::time::Duration;

use ndis_sys::{
    NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT, NDIS_PM_CAPABILITIES,
    NDIS_PM_CAPABILITIES_REVISION_2, NDIS_PM_WAKE_PACKET, NDIS_PM_WAKE_PACKET_INDICATION_SUPPORTED,
    NDIS_PM_WAKE_PACKET_REVISION_1, NDIS_PM_WAKE_REASON, NDIS_PM_WAKE_REASON_REVISION_1,
    NDIS_PM_WOL_BITMAP_PATTERN_ENABLED, NDIS_PM_WOL_BITMAP_PATTERN_SUPPORTED,
    NDIS_PM_WOL_MAGIC_PACKET_ENABLED, NDIS_PM_WOL_MAGIC_PACKET_SUPPORTED,
    NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_2, NDIS_SIZEOF_PM_WAKE_PACKET_REVISION_1,
    NDIS_SIZEOF_PM_WAKE_REASON_REVISION_1, NDIS_STATUS, NDIS_STATUS_FILE_NOT_FOUND,
    NDIS_STATUS_INVALID_LENGTH, NDIS_STATUS_INVALID_PARAMETER, NDIS_STATUS_NOT_SUPPORTED,
    NDIS_STATUS_PM_WAKE_REASON, NDIS_STATUS_PM_WOL_PATTERN_LIST_FULL,
    NDIS_STATUS_PM_WOL_PATTERN_REJECTED, NDIS_STATUS_SUCCESS, NdisDeviceStateD0, NdisDeviceStateD3,
    NdisWakeReasonPacket,
};

use super::Nic;
use crate::ndis::ethernet::Mac;
use crate::ndis::oid::wake::{self, Bitmap, Enabled};
use crate::ndis::{pnp, power};

/// What frames a NIC can wake the computer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WakeUp {
    /// A magic packet for its address.
    pub magic_packet: bool,
    /// How many bitmap patterns there is room for.
    pub patterns: u32,
    /// How many bytes of a frame a pattern may look at, from the Ethernet header on.
    pub pattern_size: u32,
}

impl WakeUp {
    /// As a usual NIC has it: magic packets, and eight patterns of 128 bytes.
    pub const USUAL: Self = Self {
        magic_packet: true,
        patterns: 8,
        pattern_size: 128,
    };
}

/// Why a NIC woke the computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WokenBy {
    /// The number of the pattern, nothing for a magic packet.
    pub pattern: Option<u32>,
    /// The frame.
    pub frame: Vec<u8>,
}

/// What a NIC is to wake for, and the frame that woke it.
#[derive(Default)]
pub(super) struct State {
    asleep: bool,
    enabled: Enabled,
    patterns: Vec<(u32, Bitmap)>,
    woken_by: Option<WokenBy>,
    /// Frames that came in its sleep.
    slept_through: usize,
    /// The frame that woke it is not yet indicated.
    indicates: bool,
}

impl State {
    /// Why it is to wake for that frame, if it is.
    fn wakes_for(&self, frame: &[u8], mac: Mac) -> Option<WokenBy> {
        let enabled = self.enabled.packet_patterns;
        let found = |pattern| {
            Some(WokenBy {
                pattern,
                frame: frame.to_vec(),
            })
        };
        if enabled & NDIS_PM_WOL_MAGIC_PACKET_ENABLED != 0 && is_magic_packet(frame, mac) {
            return found(None);
        }
        if enabled & NDIS_PM_WOL_BITMAP_PATTERN_ENABLED != 0 {
            let mut patterns = self.patterns.iter();
            let (id, _) = patterns.find(|(_, bitmap)| bitmap.matches(frame))?;
            return found(Some(*id));
        }
        None
    }
}

impl Nic {
    /// What it was last told to wake for, before its last sleep if it is awake.
    pub fn wakes_for(&self) -> Enabled {
        self.state.lock().wake.enabled
    }

    /// The numbers of its bitmap patterns.
    pub fn wake_patterns(&self) -> Vec<u32> {
        let state = self.state.lock();
        state.wake.patterns.iter().map(|(id, _)| *id).collect()
    }

    /// What woke the computer last, if it was this NIC.
    pub fn woken_by(&self) -> Option<WokenBy> {
        self.state.lock().wake.woken_by.clone()
    }

    /// Waits until so many frames have come in its sleeps, those with it that woke it.
    pub fn wait_slept_through(&self, timeout: Duration, count: usize) -> bool {
        self.state
            .wait_until(Some(timeout), |state| {
                (state.wake.slept_through >= count).then_some(())
            })
            .is_some()
    }

    /// Gives a bitmap pattern up, as a NIC does whose surroundings do not let it keep it.
    pub fn reject_pattern(&self, id: u32) {
        self.state
            .lock()
            .wake
            .patterns
            .retain(|(other, _)| *other != id);
        self.indicate_status(NDIS_STATUS_PM_WOL_PATTERN_REJECTED, &id);
    }

    pub(super) fn power_capabilities(&self) -> NDIS_PM_CAPABILITIES {
        let mut capabilities = NDIS_PM_CAPABILITIES::zeroed();
        capabilities.Header = NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_DEFAULT,
            NDIS_PM_CAPABILITIES_REVISION_2,
            NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_2,
        );
        let Some(wake) = self.config.wake_up else {
            return capabilities;
        };
        if wake.magic_packet {
            capabilities.SupportedWoLPacketPatterns |= NDIS_PM_WOL_MAGIC_PACKET_SUPPORTED;
            capabilities.MinMagicPacketWakeUp = NdisDeviceStateD3;
        }
        if wake.patterns != 0 {
            capabilities.SupportedWoLPacketPatterns |= NDIS_PM_WOL_BITMAP_PATTERN_SUPPORTED;
            capabilities.MinPatternWakeUp = NdisDeviceStateD3;
            capabilities.NumTotalWoLPatterns = wake.patterns;
            capabilities.MaxWoLPatternSize = wake.pattern_size;
            capabilities.MaxWoLPatternOffset = wake.pattern_size;
        }
        capabilities.Flags = NDIS_PM_WAKE_PACKET_INDICATION_SUPPORTED;
        capabilities.MaxWoLPacketSaveBuffer = SAVED as u32;
        capabilities
    }

    pub(super) fn set_wake_up(&self, input: &[u8]) -> NDIS_STATUS {
        match Enabled::parse(input) {
            Ok(enabled) => self.state.lock().wake.enabled = enabled,
            Err((status, _)) => return status,
        }
        NDIS_STATUS_SUCCESS
    }

    pub(super) fn add_wake_pattern(&self, input: &[u8]) -> NDIS_STATUS {
        let pattern = match wake::parse(input) {
            Ok(pattern) => pattern,
            Err(status) => return status,
        };
        let (Some(bitmap), Some(wake)) = (pattern.bitmap, self.config.wake_up) else {
            return NDIS_STATUS_NOT_SUPPORTED;
        };
        if bitmap.length() > wake.pattern_size as usize {
            return NDIS_STATUS_INVALID_PARAMETER;
        }
        let patterns = &mut self.state.lock().wake.patterns;
        if patterns.len() >= wake.patterns as usize {
            return NDIS_STATUS_PM_WOL_PATTERN_LIST_FULL;
        }
        patterns.push((pattern.id, bitmap));
        NDIS_STATUS_SUCCESS
    }

    pub(super) fn remove_wake_pattern(&self, input: &[u8]) -> NDIS_STATUS {
        let Some(id) = input.first_chunk().copied().map(u32::from_le_bytes) else {
            return NDIS_STATUS_INVALID_LENGTH;
        };
        let patterns = &mut self.state.lock().wake.patterns;
        let before = patterns.len();
        patterns.retain(|(other, _)| *other != id);
        if patterns.len() == before {
            return NDIS_STATUS_FILE_NOT_FOUND;
        }
        NDIS_STATUS_SUCCESS
    }

    /// OID_PNP_SET_POWER.
    pub(super) fn set_power(&self, input: &[u8]) -> NDIS_STATUS {
        let Some(to) = input.first_chunk().copied().map(i32::from_le_bytes) else {
            return NDIS_STATUS_INVALID_LENGTH;
        };
        let woken_by = {
            let wake = &mut self.state.lock().wake;
            let slept = std::mem::replace(&mut wake.asleep, to != NdisDeviceStateD0);
            if wake.asleep {
                wake.woken_by = None;
            }
            let woken_by = wake.woken_by.clone().filter(|_| slept && !wake.asleep);
            wake.indicates = woken_by.is_some();
            woken_by
        };
        if let Some(woken_by) = woken_by {
            self.indicate_status(NDIS_STATUS_PM_WAKE_REASON, &reason(&woken_by));
        }
        NDIS_STATUS_SUCCESS
    }

    /// Looks at frames that come while the NIC sleeps. Answers whether it does.
    pub(super) fn sleeps_through(&self, batch: &[Vec<u8>]) -> bool {
        let (asleep, wakes) = {
            let wake = &mut self.state.lock().wake;
            if wake.asleep {
                wake.slept_through += batch.len();
            }
            let first = wake.asleep && wake.woken_by.is_none();
            if first {
                let mut frames = batch.iter();
                wake.woken_by = frames.find_map(|frame| wake.wakes_for(frame, self.config.mac));
            }
            (wake.asleep, first && wake.woken_by.is_some())
        };
        self.state.notify_all();
        if wakes {
            pnp::job("NIC wake-up", power::wake_all);
        }
        asleep
    }

    /// The frame that woke the NIC, once it runs again.
    pub(super) fn take_wake_frame(&self) -> Option<Vec<u8>> {
        let mut state = self.state.lock();
        let ready = state.running && std::mem::take(&mut state.wake.indicates);
        let woken_by = state.wake.woken_by.as_ref().filter(|_| ready)?;
        Some(woken_by.frame.clone())
    }
}

/// What NDIS_STATUS_PM_WAKE_REASON tells.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Reason {
    reason: NDIS_PM_WAKE_REASON,
    // The packet's description and the packet begin at multiples of eight bytes.
    packet: Aligned<NDIS_PM_WAKE_PACKET>,
    saved: Aligned<[u8; SAVED]>,
}

#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Aligned<T>(T);

fn reason(woken_by: &WokenBy) -> Reason {
    let frame = &woken_by.frame;
    let length = frame.len().min(SAVED);
    let mut saved = [0; SAVED];
    saved[..length].copy_from_slice(&frame[..length]);
    let packet = offset_of!(Reason, packet);
    let mut reason = NDIS_PM_WAKE_REASON::zeroed();
    reason.Header = NDIS_OBJECT_HEADER::new(
        NDIS_OBJECT_TYPE_DEFAULT,
        NDIS_PM_WAKE_REASON_REVISION_1,
        NDIS_SIZEOF_PM_WAKE_REASON_REVISION_1,
    );
    reason.WakeReason = NdisWakeReasonPacket;
    reason.InfoBufferOffset = packet as u32;
    let before_saved = offset_of!(Reason, saved) - packet;
    reason.InfoBufferSize = (before_saved + length) as u32;
    let mut described = NDIS_PM_WAKE_PACKET::zeroed();
    described.Header = NDIS_OBJECT_HEADER::new(
        NDIS_OBJECT_TYPE_DEFAULT,
        NDIS_PM_WAKE_PACKET_REVISION_1,
        NDIS_SIZEOF_PM_WAKE_PACKET_REVISION_1,
    );
    described.PatternId = woken_by.pattern.unwrap_or(0);
    described.OriginalPacketSize = frame.len() as u32;
    described.SavedPacketSize = length as u32;
    described.SavedPacketOffset = before_saved as u32;
    Reason {
        reason,
        packet: Aligned(described),
        saved: Aligned(saved),
    }
}

/// Six bytes 0xFF and sixteen times the address, anywhere behind the Ethernet header.
fn is_magic_packet(frame: &[u8], mac: Mac) -> bool {
    let mut magic = vec![0xff; 6];
    magic.extend(mac.repeat(16));
    let payload = frame.get(14..).unwrap_or_default();
    payload.windows(magic.len()).any(|window| window == magic)
}

/// How many bytes of the frame that woke it a NIC keeps for the status.
const SAVED: usize = 128;
