//! Wake-on-LAN patterns of a client: it adds them, and removes what is left before it closes, as a
//! protocol must (adding-and-deleting-wake-on-lan-patterns.md).

use std::mem::offset_of;

use ndis_sys::{
    NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT, NDIS_PM_WOL_BITMAP_PATTERN,
    NDIS_PM_WOL_BITMAP_PATTERN_ENABLED, NDIS_PM_WOL_PATTERN, NDIS_PM_WOL_PATTERN_REVISION_2,
    NDIS_PM_WOL_PRIORITY_NORMAL, NDIS_SIZEOF_NDIS_PM_WOL_PATTERN_REVISION_2, NDIS_STATUS,
    NDIS_STATUS_SUCCESS, NdisPMWoLPacketBitmapPattern, NdisRequestSetInformation,
    OID_PM_ADD_WOL_PATTERN, OID_PM_PARAMETERS, OID_PM_REMOVE_WOL_PATTERN,
};

use super::Client;
use crate::ndis::oid::request;
use crate::ndis::oid::wake::Enabled;

/// What OID_PM_ADD_WOL_PATTERN takes for a bitmap: wake for a frame that has these bytes, those with a
/// bit in the mask, from its Ethernet header on.
pub fn bitmap_pattern(mask: &[u8], bytes: &[u8]) -> Vec<u8> {
    let start = size_of::<NDIS_PM_WOL_PATTERN>();
    let mut pattern = NDIS_PM_WOL_PATTERN::zeroed();
    pattern.Header = NDIS_OBJECT_HEADER::new(
        NDIS_OBJECT_TYPE_DEFAULT,
        NDIS_PM_WOL_PATTERN_REVISION_2,
        NDIS_SIZEOF_NDIS_PM_WOL_PATTERN_REVISION_2,
    );
    pattern.Priority = NDIS_PM_WOL_PRIORITY_NORMAL;
    pattern.WoLPacketType = NdisPMWoLPacketBitmapPattern;
    pattern.WoLPattern.WoLBitMapPattern = NDIS_PM_WOL_BITMAP_PATTERN {
        Flags: 0,
        MaskOffset: start as u32,
        MaskSize: mask.len() as u32,
        PatternOffset: (start + mask.len()) as u32,
        PatternSize: bytes.len() as u32,
    };
    let head = (&raw const pattern).cast::<u8>();
    // SAFETY: the structure has this many bytes, and was zeroed as a whole.
    let head = unsafe { std::slice::from_raw_parts(head, start) };
    [head, mask, bytes].concat()
}

impl Client {
    /// Adds a wake-on-LAN pattern: its number.
    ///
    /// # Errors
    /// What OID_PM_ADD_WOL_PATTERN was answered.
    pub fn add_wake_pattern(&self, pattern: &[u8]) -> Result<u32, NDIS_STATUS> {
        let mut buffer = pattern.to_vec();
        let set = NdisRequestSetInformation;
        let mut request = request::new(set, OID_PM_ADD_WOL_PATTERN, &mut buffer);
        match self.request(&mut request) {
            NDIS_STATUS_SUCCESS => {
                let id = buffer
                    .get(offset_of!(NDIS_PM_WOL_PATTERN, PatternId)..)
                    .and_then(<[u8]>::first_chunk);
                let id = u32::from_le_bytes(*id.expect("NDIS checked the length"));
                self.state.lock().wake_patterns.push(id);
                Ok(id)
            }
            status => Err(status),
        }
    }

    /// Removes a wake-on-LAN pattern.
    pub fn remove_wake_pattern(&self, id: u32) -> NDIS_STATUS {
        self.forget_wake_pattern(id);
        self.set(OID_PM_REMOVE_WOL_PATTERN, &id.to_le_bytes())
    }

    /// Makes it want the computer to be woken for frames to its address, now and after each bind. An adapter
    /// that cannot says so, and that is all.
    pub fn wake_for_its_frames(&self) {
        self.state.lock().wakes = true;
        if self.state.lock().wake_patterns.is_empty() {
            self.add_wake_up();
        }
    }

    pub(super) fn add_wake_up(&self) {
        let Some(attributes) = self.attributes() else {
            return;
        };
        let enabled = Enabled {
            packet_patterns: NDIS_PM_WOL_BITMAP_PATTERN_ENABLED,
            ..Enabled::default()
        };
        self.set(OID_PM_PARAMETERS, &enabled.bytes());
        let _added = self.add_wake_pattern(&bitmap_pattern(&[0x3f], &attributes.mac));
    }

    pub(crate) fn forget_wake_pattern(&self, id: u32) {
        let patterns = &mut self.state.lock().wake_patterns;
        patterns.retain(|other| *other != id);
    }
}
