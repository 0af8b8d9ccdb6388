//! Waking the computer: which frames an adapter can do it for (`NDIS_PM_CAPABILITIES`).
//!
//! Not here: what it is to wake for, which travels as the bytes of its OIDs.

use core::{mem::MaybeUninit, ptr};

use ndis_sys as sys;

/// Which frames an adapter can wake the computer for. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WakeUp {
    /// `NDIS_PM_WOL_*_SUPPORTED`.
    pub packet_patterns: u32,
    /// How many patterns there is room for, the magic packet not counted.
    pub patterns: u32,
    /// The longest pattern, in bytes.
    pub pattern_size: u32,
    /// How many bytes of a frame are looked at.
    pub pattern_offset: u32,
    /// The lowest `NDIS_DEVICE_POWER_STATE` from which a magic packet wakes; 0 for none.
    pub magic_packet_from: i32,
    /// The same for a pattern.
    pub pattern_from: i32,
}

impl WakeUp {
    /// Reads the capabilities behind a pointer, as far as their header says that they go. `None` if there
    /// are none: the adapter has no power management.
    ///
    /// # Safety
    /// The pointer is null, or there are as many bytes as the header behind it says.
    pub(crate) unsafe fn read_raw(raw: *const sys::NDIS_PM_CAPABILITIES) -> Option<Self> {
        // SAFETY: as the caller says.
        let header = unsafe { raw.cast::<sys::NDIS_OBJECT_HEADER>().as_ref() }?;
        let least = sys::NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_1;
        if header.Type != sys::NDIS_OBJECT_TYPE_DEFAULT || header.Size < least {
            return None;
        }
        let mut copy = MaybeUninit::<sys::NDIS_PM_CAPABILITIES>::zeroed();
        let known = usize::from(header.Size).min(size_of_val(&copy));
        // SAFETY: both have `known` bytes, and do not overlap.
        unsafe { ptr::copy_nonoverlapping(raw.cast::<u8>(), copy.as_mut_ptr().cast(), known) };
        // SAFETY: the structure is integers throughout: any bytes are one.
        let copy = unsafe { copy.assume_init() };
        Some(Self {
            packet_patterns: copy.SupportedWoLPacketPatterns,
            patterns: copy.NumTotalWoLPatterns,
            pattern_size: copy.MaxWoLPatternSize,
            pattern_offset: copy.MaxWoLPatternOffset,
            magic_packet_from: copy.MinMagicPacketWakeUp,
            pattern_from: copy.MinPatternWakeUp,
        })
    }

    /// The capabilities of an adapter that can be put to sleep, and wakes the computer for this only.
    pub(crate) const fn to_raw(self) -> sys::NDIS_PM_CAPABILITIES {
        sys::NDIS_PM_CAPABILITIES {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_DEFAULT,
                Revision: sys::NDIS_PM_CAPABILITIES_REVISION_2,
                Size: sys::NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_2,
            },
            SupportedWoLPacketPatterns: self.packet_patterns,
            NumTotalWoLPatterns: self.patterns,
            MaxWoLPatternSize: self.pattern_size,
            MaxWoLPatternOffset: self.pattern_offset,
            MinMagicPacketWakeUp: self.magic_packet_from,
            MinPatternWakeUp: self.pattern_from,
            ..sys::NDIS_PM_CAPABILITIES::zeroed()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_as_far_as_their_header_says() {
        let wake_up = WakeUp {
            packet_patterns: 3,
            patterns: 8,
            pattern_size: 128,
            pattern_offset: 256,
            magic_packet_from: 4,
            pattern_from: 3,
        };
        let mut raw = wake_up.to_raw();
        // SAFETY: the structure is whole.
        let read = |raw: &sys::NDIS_PM_CAPABILITIES| unsafe { WakeUp::read_raw(raw) };
        assert_eq!(read(&raw), Some(wake_up));
        raw.Header.Size = sys::NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_1;
        assert_eq!(read(&raw), Some(wake_up));
        raw.Header.Size -= 1;
        assert_eq!(read(&raw), None);
        // SAFETY: null is allowed.
        assert_eq!(unsafe { WakeUp::read_raw(ptr::null()) }, None);
    }
}
