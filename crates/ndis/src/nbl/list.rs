//! A NET_BUFFER_LIST as a view: its buffers and its out-of-band data.

use core::ptr::{self, NonNull};

use ndis_sys as sys;

use super::NetBuffer;

/// A NET_BUFFER_LIST, seen by a driver that may read it.
#[repr(C)]
pub struct NetBufferList {
    raw: sys::NET_BUFFER_LIST,
    /// Takes no room, but has no size that is known: so nobody can swap what two views look at.
    unsized_tail: [()],
}

/// What an NBL's `Ieee8021QNetBufferListInfo` says: an 802.1Q tag that travels beside the frame. All
/// zero means that there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutOfBandTag {
    /// The user priority, 0 to 7.
    pub priority: u8,
    /// The canonical format indicator, which 802.1Q calls drop eligible indicator today.
    pub drop_eligible: bool,
    /// The VLAN identifier, 0 to 4095.
    pub vlan: u16,
}

/// What an NBL says beside its frames and a driver may change on the way down, as it was: for
/// [`NetBufferList::restore_send_info`].
#[derive(Clone, Copy, Debug)]
pub struct SendInfo {
    tag: sys::PVOID,
}

// SAFETY: a word that is kept and put back, and never followed.
unsafe impl Send for SendInfo {}
// SAFETY: as above.
unsafe impl Sync for SendInfo {}

/// What an NBL asks the adapter to do with its frames. In each word stands where the frames' headers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OffloadWords {
    /// `TcpIpChecksumNetBufferListInfo`.
    pub checksum: u32,
    /// `TcpLargeSendNetBufferListInfo`.
    pub large_send: u32,
    /// `UdpSegmentationOffloadInfo`.
    pub udp_segmentation: u32,
}

impl OffloadWords {
    /// The word of a large send that was asked for by these and came back with `now`. Version 1 comes back
    /// with how much was sent, version 2 with zeros beside the version; anything else is what was asked,
    /// perhaps with headers elsewhere (`NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO`).
    pub(super) fn completed(self, now: u32) -> u32 {
        const VERSION_2: u32 = 1 << 30;
        let result = if self.large_send & VERSION_2 == 0 {
            self.large_send != 0
        } else {
            now & !(1 << 31) == VERSION_2
        };
        if result { now } else { self.large_send }
    }
}

impl NetBufferList {
    /// # Safety
    /// The NBL is valid, and nobody writes to it, for as long as the view lives.
    pub(crate) unsafe fn from_raw<'a>(raw: NonNull<sys::NET_BUFFER_LIST>) -> &'a Self {
        let view = ptr::slice_from_raw_parts(raw.as_ptr().cast::<()>(), 0) as *const Self;
        // SAFETY: as the caller says; the view has the structure's layout.
        unsafe { &*view }
    }

    /// # Safety
    /// The NBL is valid, and nobody else uses it, for as long as the view lives.
    pub(crate) unsafe fn from_raw_mut<'a>(raw: NonNull<sys::NET_BUFFER_LIST>) -> &'a mut Self {
        let view = ptr::slice_from_raw_parts_mut(raw.as_ptr().cast::<()>(), 0) as *mut Self;
        // SAFETY: as the caller says; the view has the structure's layout.
        unsafe { &mut *view }
    }

    pub(super) const fn raw(&self) -> &sys::NET_BUFFER_LIST {
        &self.raw
    }

    /// The frames of the NBL.
    pub fn buffers(&self) -> impl Iterator<Item = &NetBuffer> {
        let mut next = self.raw.FirstNetBuffer;
        core::iter::from_fn(move || {
            let buffer = NonNull::new(next)?;
            // SAFETY: the NET_BUFFERs of a valid NBL are valid and belong to it.
            let buffer = unsafe { NetBuffer::from_raw(buffer) };
            next = buffer.next();
            Some(buffer)
        })
    }

    /// The frames of the NBL, to be changed.
    pub fn buffers_mut(&mut self) -> impl Iterator<Item = &mut NetBuffer> {
        let mut next = self.raw.FirstNetBuffer;
        core::iter::from_fn(move || {
            let buffer = NonNull::new(next)?;
            // SAFETY: the NET_BUFFERs of a valid NBL are valid and belong to it, and each is handed
            // out once.
            let buffer = unsafe { NetBuffer::from_raw_mut(buffer) };
            next = buffer.next();
            Some(buffer)
        })
    }

    /// The 802.1Q tag beside the frame.
    #[must_use]
    pub fn out_of_band_tag(&self) -> OutOfBandTag {
        OutOfBandTag::from_raw(self.raw.NetBufferListInfo[IEEE_8021Q].addr())
    }

    /// Sets the 802.1Q tag beside the frame.
    pub fn set_out_of_band_tag(&mut self, tag: OutOfBandTag) {
        self.raw.NetBufferListInfo[IEEE_8021Q] = ptr::without_provenance_mut(tag.to_raw());
    }

    /// Says which type the frame is of, as it stands in its Ethernet header: by that NDIS finds the protocols
    /// that take it.
    pub fn set_frame_type(&mut self, frame_type: [u8; 2]) {
        let slot = usize::from(u16::from_ne_bytes(frame_type));
        self.raw.NetBufferListInfo[sys::NetBufferListFrameType] = ptr::without_provenance_mut(slot);
    }

    /// Takes away the hash that the adapter below made of the frame for receive side scaling.
    pub fn clear_hash(&mut self) {
        self.raw.NetBufferListInfo[sys::NetBufferListHashInfo] = ptr::null_mut();
        self.raw.NetBufferListInfo[sys::NetBufferListHashValue] = ptr::null_mut();
    }

    /// What stands beside the frames before a driver changes it, to the last bit.
    #[must_use]
    pub fn send_info(&self) -> SendInfo {
        SendInfo {
            tag: self.raw.NetBufferListInfo[IEEE_8021Q],
        }
    }

    /// Puts back what stood beside the frames.
    pub fn restore_send_info(&mut self, before: SendInfo) {
        self.raw.NetBufferListInfo[IEEE_8021Q] = before.tag;
    }

    /// What the adapter is asked to do with the frames.
    #[must_use]
    pub fn offload_words(&self) -> OffloadWords {
        let word = |slot: usize| self.raw.NetBufferListInfo[slot].addr() as u32;
        OffloadWords {
            checksum: word(CHECKSUM),
            large_send: word(LARGE_SEND),
            udp_segmentation: word(UDP_SEGMENTATION),
        }
    }

    /// Sets what the adapter is asked to do with the frames.
    pub fn set_offload_words(&mut self, words: OffloadWords) {
        let mut set = |slot: usize, word: u32| {
            self.raw.NetBufferListInfo[slot] = ptr::without_provenance_mut(word as usize);
        };
        set(CHECKSUM, words.checksum);
        set(LARGE_SEND, words.large_send);
        set(UDP_SEGMENTATION, words.udp_segmentation);
    }

    /// Takes over what the adapter says of a large send that was done for these frames by another NBL.
    pub(super) fn set_large_send_result(&mut self, sent: OffloadWords) {
        let before = self.offload_words();
        let large_send = before.completed(sent.large_send);
        if large_send != before.large_send {
            self.raw.NetBufferListInfo[LARGE_SEND] =
                ptr::without_provenance_mut(large_send as usize);
        }
    }

    /// Puts back what the adapter was asked to do with frames that come back, but for what it says of a
    /// large send that is done.
    pub fn restore_offload_words(&mut self, before: OffloadWords) {
        let large_send = before.completed(self.offload_words().large_send);
        self.set_offload_words(OffloadWords {
            large_send,
            ..before
        });
    }
}

impl OutOfBandTag {
    /// From the bits of `NDIS_NET_BUFFER_LIST_8021Q_INFO`: priority 0 to 2, format 3, VLAN 4 to 15.
    const fn from_raw(raw: usize) -> Self {
        Self {
            priority: (raw & 0x7) as u8,
            drop_eligible: raw & 0x8 != 0,
            vlan: (raw >> 4 & 0xFFF) as u16,
        }
    }

    const fn to_raw(self) -> usize {
        (self.priority & 0x7) as usize
            | (self.drop_eligible as usize) << 3
            | (self.vlan as usize & 0xFFF) << 4
    }
}

const IEEE_8021Q: usize = sys::Ieee8021QNetBufferListInfo;
const CHECKSUM: usize = sys::TcpIpChecksumNetBufferListInfo;
const LARGE_SEND: usize = sys::TcpLargeSendNetBufferListInfo;
const UDP_SEGMENTATION: usize = sys::UdpSegmentationOffloadInfo;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_send_comes_back_as_it_was_but_for_its_result() {
        let words = |large_send| OffloadWords {
            large_send,
            ..OffloadWords::default()
        };
        let second = words(1460 | 54 << 20 | 1 << 30);
        let moved = 1460 | 58 << 20 | 1 << 30;
        assert_eq!(second.completed(moved), second.large_send, "left as it was");
        assert_eq!(second.completed(1 << 30), 1 << 30, "done");
        assert_eq!(words(1460 | 54 << 20).completed(9000), 9000, "version 1");
        assert_eq!(words(0).completed(0), 0, "no large send");
    }

    #[test]
    fn out_of_band_tags_survive_both_ways() {
        for raw in 0..=0xFFFF {
            assert_eq!(OutOfBandTag::from_raw(raw).to_raw(), raw);
        }
        let tag = OutOfBandTag::from_raw(0x00A5);
        assert_eq!(
            tag,
            OutOfBandTag {
                priority: 5,
                drop_eligible: false,
                vlan: 10
            }
        );
    }
}
