//! Task offloads: `NDIS_OFFLOAD` of any revision, read and written.
//!
//! What an adapter says is copied by the size in its header, and a revision that is not known is read as
//! far as it is. What is written has the revision of the contract that the driver registered for.

use core::{mem::MaybeUninit, ptr, slice};

use ndis_sys as sys;

use crate::contract::Contract;

/// The task offloads of an adapter, as far as this crate knows them. The bits of each are NDIS's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskOffload {
    /// Checksums: IPv4 sent, IPv4 received, IPv6 sent, IPv6 received.
    pub checksums: [ChecksumTask; 4],
    /// Segmentation: TCP over IPv4 and over IPv6, UDP over IPv4 and over IPv6.
    pub segmentations: [SegmentationTask; 4],
    /// Whether received segments are coalesced: over IPv4, over IPv6.
    pub coalescing: [bool; 2],
}

/// One of the structures of `NDIS_TCP_IP_CHECKSUM_OFFLOAD`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChecksumTask {
    /// `NDIS_ENCAPSULATION_*`.
    pub encapsulation: u32,
    /// The bit field.
    pub bits: u32,
}

/// One of the structures of `NDIS_TCP_LARGE_SEND_OFFLOAD_V2` or `NDIS_UDP_SEGMENTATION_OFFLOAD`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentationTask {
    /// `NDIS_ENCAPSULATION_*`.
    pub encapsulation: u32,
    /// `MaxOffLoadSize`, in bytes.
    pub maximum_size: u32,
    /// `MinSegmentCount`; of UDP, the bit field that it stands in.
    pub minimum_segments: u32,
    /// The bit field with the options.
    pub bits: u32,
}

impl TaskOffload {
    /// Reads an `NDIS_OFFLOAD`. `None` if the bytes are none, or fewer than its header says.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..size_of::<sys::NDIS_OBJECT_HEADER>())?;
        // SAFETY: there are as many bytes as a header has, and any bytes are one.
        let header = unsafe {
            header
                .as_ptr()
                .cast::<sys::NDIS_OBJECT_HEADER>()
                .read_unaligned()
        };
        let size = usize::from(header.Size);
        let least = usize::from(sys::NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_1);
        if header.Type != sys::NDIS_OBJECT_TYPE_OFFLOAD || size < least || size > bytes.len() {
            return None;
        }
        let mut raw = MaybeUninit::<sys::NDIS_OFFLOAD>::zeroed();
        let known = size.min(size_of::<sys::NDIS_OFFLOAD>());
        // SAFETY: both have `known` bytes, and do not overlap.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), raw.as_mut_ptr().cast(), known) };
        // SAFETY: the structure is integers throughout: any bytes are one.
        Some(Self::from_raw(&unsafe { raw.assume_init() }))
    }

    /// Reads the `NDIS_OFFLOAD` behind a pointer. `None` if there is none.
    ///
    /// # Safety
    /// The pointer is null, or there are as many bytes as the header behind it says.
    pub(crate) unsafe fn read_raw(raw: *const sys::NDIS_OFFLOAD) -> Option<Self> {
        // SAFETY: as the caller says.
        let header = unsafe { raw.cast::<sys::NDIS_OBJECT_HEADER>().as_ref() }?;
        // SAFETY: as the caller says.
        Self::read(unsafe { slice::from_raw_parts(raw.cast(), usize::from(header.Size)) })
    }

    fn from_raw(raw: &sys::NDIS_OFFLOAD) -> Self {
        let ipv4 = |task: sys::NDIS_TCP_IP_CHECKSUM_OFFLOAD_IPV4| ChecksumTask {
            encapsulation: task.Encapsulation,
            bits: task.Bits,
        };
        let ipv6 = |task: sys::NDIS_TCP_IP_CHECKSUM_OFFLOAD_IPV6| ChecksumTask {
            encapsulation: task.Encapsulation,
            bits: task.Bits,
        };
        let (checksum, lso, uso) = (raw.Checksum, raw.LsoV2, raw.UdpSegmentation);
        let segmentation =
            |(encapsulation, maximum_size, minimum_segments, bits)| SegmentationTask {
                encapsulation,
                maximum_size,
                minimum_segments,
                bits,
            };
        let (lso4, lso6, uso4, uso6) = (lso.IPv4, lso.IPv6, uso.IPv4, uso.IPv6);
        Self {
            checksums: [
                ipv4(checksum.IPv4Transmit),
                ipv4(checksum.IPv4Receive),
                ipv6(checksum.IPv6Transmit),
                ipv6(checksum.IPv6Receive),
            ],
            segmentations: [
                (
                    lso4.Encapsulation,
                    lso4.MaxOffLoadSize,
                    lso4.MinSegmentCount,
                    0,
                ),
                (
                    lso6.Encapsulation,
                    lso6.MaxOffLoadSize,
                    lso6.MinSegmentCount,
                    lso6.Bits,
                ),
                (uso4.Encapsulation, uso4.MaxOffLoadSize, uso4.Bits, 0),
                (
                    uso6.Encapsulation,
                    uso6.MaxOffLoadSize,
                    uso6.Bits,
                    uso6.Bits2,
                ),
            ]
            .map(segmentation),
            coalescing: [raw.Rsc.IPv4.Enabled != 0, raw.Rsc.IPv6.Enabled != 0],
        }
    }

    /// The structure, in the revision that the driver's contract has. What the revision has no place
    /// for is beyond the size in the header.
    pub(crate) fn to_raw(self) -> sys::NDIS_OFFLOAD {
        let mut raw = sys::NDIS_OFFLOAD::zeroed();
        raw.Header = header();
        let ipv4 = |task: ChecksumTask| sys::NDIS_TCP_IP_CHECKSUM_OFFLOAD_IPV4 {
            Encapsulation: task.encapsulation,
            Bits: task.bits,
        };
        let ipv6 = |task: ChecksumTask| sys::NDIS_TCP_IP_CHECKSUM_OFFLOAD_IPV6 {
            Encapsulation: task.encapsulation,
            Bits: task.bits,
        };
        let [ipv4_sent, ipv4_received, ipv6_sent, ipv6_received] = self.checksums;
        raw.Checksum = sys::NDIS_TCP_IP_CHECKSUM_OFFLOAD {
            IPv4Transmit: ipv4(ipv4_sent),
            IPv4Receive: ipv4(ipv4_received),
            IPv6Transmit: ipv6(ipv6_sent),
            IPv6Receive: ipv6(ipv6_received),
        };
        let [lso4, lso6, uso4, uso6] = self.segmentations;
        raw.LsoV2.IPv4 = sys::NDIS_TCP_LARGE_SEND_OFFLOAD_V2_IPV4 {
            Encapsulation: lso4.encapsulation,
            MaxOffLoadSize: lso4.maximum_size,
            MinSegmentCount: lso4.minimum_segments,
        };
        raw.LsoV2.IPv6 = sys::NDIS_TCP_LARGE_SEND_OFFLOAD_V2_IPV6 {
            Encapsulation: lso6.encapsulation,
            MaxOffLoadSize: lso6.maximum_size,
            MinSegmentCount: lso6.minimum_segments,
            Bits: lso6.bits,
        };
        raw.UdpSegmentation.IPv4 = sys::NDIS_UDP_SEGMENTATION_OFFLOAD_IPV4_CAPABILITIES {
            Encapsulation: uso4.encapsulation,
            MaxOffLoadSize: uso4.maximum_size,
            Bits: uso4.minimum_segments,
        };
        raw.UdpSegmentation.IPv6 = sys::NDIS_UDP_SEGMENTATION_OFFLOAD_IPV6_CAPABILITIES {
            Encapsulation: uso6.encapsulation,
            MaxOffLoadSize: uso6.maximum_size,
            Bits: uso6.minimum_segments,
            Bits2: uso6.bits,
        };
        let [ipv4, ipv6] = self.coalescing;
        raw.Rsc.IPv4.Enabled = u8::from(ipv4);
        raw.Rsc.IPv6.Enabled = u8::from(ipv6);
        raw
    }
}

/// Of the newest revision that the contract has (`NDIS_OFFLOAD`).
fn header() -> sys::NDIS_OBJECT_HEADER {
    let minor = Contract::newest().map_or(0, Contract::minor);
    let (revision, size) = match minor {
        83.. => (
            sys::NDIS_OFFLOAD_REVISION_6,
            sys::NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_6,
        ),
        70.. => (
            sys::NDIS_OFFLOAD_REVISION_5,
            sys::NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_5,
        ),
        50.. => (
            sys::NDIS_OFFLOAD_REVISION_4,
            sys::NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_4,
        ),
        _ => (
            sys::NDIS_OFFLOAD_REVISION_3,
            sys::NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_3,
        ),
    };
    sys::NDIS_OBJECT_HEADER {
        Type: sys::NDIS_OBJECT_TYPE_OFFLOAD,
        Revision: revision,
        Size: size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_offload_are_not_read() {
        let size = sys::NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_3;
        let [low, high] = size.to_ne_bytes();
        let mut bytes = [0; 512];
        bytes[..4].copy_from_slice(&[sys::NDIS_OBJECT_TYPE_OFFLOAD, 3, low, high]);
        let whole = usize::from(size);
        assert_eq!(
            TaskOffload::read(&bytes[..whole]),
            Some(TaskOffload::default())
        );
        for length in 0..whole {
            assert_eq!(TaskOffload::read(&bytes[..length]), None, "{length}");
        }
        bytes[0] = sys::NDIS_OBJECT_TYPE_DEFAULT;
        assert_eq!(TaskOffload::read(&bytes), None, "another type");
        bytes[..4].copy_from_slice(&[sys::NDIS_OBJECT_TYPE_OFFLOAD, 3, 8, 0]);
        assert_eq!(
            TaskOffload::read(&bytes),
            None,
            "too small for any revision"
        );
    }

    #[test]
    fn a_revision_is_read_as_far_as_it_goes() {
        let mut raw = sys::NDIS_OFFLOAD::zeroed();
        raw.Rsc.IPv4.Enabled = 1;
        raw.Checksum.IPv6Receive.Encapsulation = sys::NDIS_ENCAPSULATION_IEEE_802_3;
        raw.UdpSegmentation.IPv6.MaxOffLoadSize = 9;
        let mut read = |revision, size| {
            raw.Header = sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_OFFLOAD,
                Revision: revision,
                Size: size,
            };
            // SAFETY: the structure is as long as each of these sizes.
            let read = unsafe { TaskOffload::read_raw(&raw const raw) };
            read.expect("it is one")
        };
        let first = read(1, sys::NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_1);
        assert_eq!(first.checksums[3].encapsulation, 2);
        assert_eq!(first.coalescing, [false; 2]);
        let third = read(3, sys::NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_3);
        assert_eq!(third.coalescing, [true, false]);
        assert_eq!(third.segmentations[3].maximum_size, 0);
        let sixth = read(6, sys::NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_6);
        assert_eq!(sixth.segmentations[3].maximum_size, 9);
    }

    #[test]
    fn nothing_behind_a_pointer_is_nothing() {
        // SAFETY: null is allowed.
        assert_eq!(unsafe { TaskOffload::read_raw(ptr::null()) }, None);
    }
}
