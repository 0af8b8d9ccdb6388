//! What comes beside a frame's bytes: the stripped tag, and what offload left undone.
//!
//! Plain parsing of what the kernel wrote; formats as in `<linux/if_packet.h>`
//! (`tpacket_auxdata`), `<linux/virtio_net.h>` (`virtio_net_hdr`) and `cmsg(3)`.

use std::mem::MaybeUninit;

/// The kernel's view of a buffer of ours.
pub(super) fn as_uninit(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    let length = bytes.len();
    let start = bytes.as_mut_ptr().cast::<MaybeUninit<u8>>();
    // SAFETY: same memory, length and lifetime, and `MaybeUninit<u8>` has the layout of `u8`. The
    // only taker is `recvmsg`, which writes initialised bytes or none, so `bytes` stays initialised.
    unsafe { std::slice::from_raw_parts_mut(start, length) }
}

/// Space for the control messages of one frame, aligned as `cmsghdr` wants it.
#[repr(C, align(8))]
pub(super) struct Buffer([u8; 64]);

impl Buffer {
    pub(super) fn new() -> Self {
        Self([0; 64])
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    pub(super) fn filled(&self, length: usize) -> &[u8] {
        self.0.get(..length).unwrap_or(&self.0)
    }
}

/// `tpacket_auxdata`, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Ancillary {
    status: u32,
    tci: u16,
    tpid: u16,
}

impl Ancillary {
    /// Finds the packet socket's message among the control messages; without one, all zeros.
    pub(super) fn parse(control: &[u8]) -> Self {
        let mut rest = control;
        while let Some((message, next)) = next_message(rest) {
            if message.level == libc::SOL_PACKET && message.kind == libc::PACKET_AUXDATA {
                let word = |at| field::<4>(message.data, at).map_or(0, u32::from_ne_bytes);
                let half = |at| field::<2>(message.data, at).map_or(0, u16::from_ne_bytes);
                return Self {
                    status: word(0),
                    tci: half(16),
                    tpid: half(18),
                };
            }
            rest = next;
        }
        Self::default()
    }

    /// The stripped tag as it stood in the frame, if there was one.
    pub(super) fn tag(self) -> Option<[u8; 4]> {
        if self.status & libc::TP_STATUS_VLAN_VALID == 0 {
            return None;
        }
        let tpid = if self.status & libc::TP_STATUS_VLAN_TPID_VALID == 0 {
            0x8100
        } else {
            self.tpid
        };
        let ([p0, p1], [t0, t1]) = (tpid.to_be_bytes(), self.tci.to_be_bytes());
        Some([p0, p1, t0, t1])
    }
}

/// `virtio_net_hdr`: what the sender left to hardware.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct VnetHeader {
    flags: u8,
    gso_type: u8,
    csum_start: u16,
    csum_offset: u16,
}

impl VnetHeader {
    /// Bytes of the header before each frame.
    pub(super) const SIZE: usize = 10;

    const NEEDS_CSUM: u8 = 1;
    /// Explicit congestion notification: a flag beside the segmentation type.
    const GSO_ECN: u8 = 0x80;

    pub(super) fn parse(header: &[u8; Self::SIZE]) -> Self {
        let [flags, gso_type, _, _, _, _, s0, s1, o0, o1] = *header;
        Self {
            flags,
            gso_type,
            csum_start: u16::from_ne_bytes([s0, s1]),
            csum_offset: u16::from_ne_bytes([o0, o1]),
        }
    }

    /// Several segments in one, which no wire carries.
    pub(super) fn is_segmented(self) -> bool {
        self.gso_type & !Self::GSO_ECN != 0
    }

    /// Fills in the checksum the sender left out. `shift` is what was inserted into `frame` before
    /// the place that the header names.
    pub(super) fn complete_checksum(self, frame: &mut [u8], shift: usize) {
        if self.flags & Self::NEEDS_CSUM == 0 {
            return;
        }
        let start = usize::from(self.csum_start) + shift;
        let place = start + usize::from(self.csum_offset);
        let Some(covered) = frame.get(start..) else {
            return;
        };
        // The field holds the pseudo-header's sum, so it takes part in the sum like any other.
        let sum = match !fold(covered) {
            0 => 0xffff,
            sum => sum,
        };
        if let Some(field) = frame.get_mut(place..place + 2) {
            field.copy_from_slice(&sum.to_be_bytes());
        }
    }
}

struct Message<'a> {
    level: i32,
    kind: i32,
    data: &'a [u8],
}

/// Splits the first control message off.
fn next_message(control: &[u8]) -> Option<(Message<'_>, &[u8])> {
    const HEADER: usize = 16;
    let length = usize::try_from(u64::from_ne_bytes(field(control, 0)?)).ok()?;
    let message = Message {
        level: i32::from_ne_bytes(field(control, 8)?),
        kind: i32::from_ne_bytes(field(control, 12)?),
        data: control.get(HEADER..length)?,
    };
    let next = control.get(length.next_multiple_of(8)..).unwrap_or(&[]);
    Some((message, next))
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// The ones' complement sum of RFC 1071.
fn fold(bytes: &[u8]) -> u16 {
    let mut sum: u64 = 0;
    let mut pairs = bytes.chunks_exact(2);
    for pair in &mut pairs {
        sum += u64::from(u16::from_be_bytes([pair[0], pair[1]]));
    }
    if let [last] = *pairs.remainder() {
        sum += u64::from(u16::from_be_bytes([last, 0]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(status: u32, tci: u16, tpid: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A message of another kind comes first, of a length that needs padding.
        bytes.extend(20_u64.to_ne_bytes());
        bytes.extend(libc::SOL_SOCKET.to_ne_bytes());
        bytes.extend(libc::SO_TIMESTAMP.to_ne_bytes());
        bytes.extend([0; 8]);
        bytes.extend(36_u64.to_ne_bytes());
        bytes.extend(libc::SOL_PACKET.to_ne_bytes());
        bytes.extend(libc::PACKET_AUXDATA.to_ne_bytes());
        bytes.extend(status.to_ne_bytes());
        bytes.extend([0; 12]);
        bytes.extend(tci.to_ne_bytes());
        bytes.extend(tpid.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes
    }

    #[test]
    fn a_stripped_tag_comes_back_with_its_priority_and_protocol() {
        let both = libc::TP_STATUS_VLAN_VALID | libc::TP_STATUS_VLAN_TPID_VALID;
        assert_eq!(
            Ancillary::parse(&control(both, 0xa00a, 0x88a8)).tag(),
            Some([0x88, 0xa8, 0xa0, 0x0a])
        );
        let no_tpid = libc::TP_STATUS_VLAN_VALID;
        assert_eq!(
            Ancillary::parse(&control(no_tpid, 20, 0)).tag(),
            Some([0x81, 0x00, 0x00, 20])
        );
    }

    #[test]
    fn a_tag_of_all_zeros_is_a_tag_and_no_tag_is_none() {
        assert_eq!(
            Ancillary::parse(&control(libc::TP_STATUS_VLAN_VALID, 0, 0)).tag(),
            Some([0x81, 0, 0, 0])
        );
        assert_eq!(
            Ancillary::parse(&control(libc::TP_STATUS_USER, 0, 0)).tag(),
            None
        );
        assert_eq!(Ancillary::parse(&[]).tag(), None);
    }

    #[test]
    fn cut_or_lying_control_messages_are_no_tag_and_no_panic() {
        let whole = control(libc::TP_STATUS_VLAN_VALID, 10, 0x8100);
        for length in 0..56 {
            assert_eq!(
                Ancillary::parse(&whole[..length]).tag(),
                None,
                "cut at {length}"
            );
        }
        for lie in [0_u64, 1, 15, 17, u64::MAX] {
            let mut bytes = whole.clone();
            bytes[..8].copy_from_slice(&lie.to_ne_bytes());
            let _ = Ancillary::parse(&bytes).tag();
        }
    }

    #[test]
    fn a_checksum_left_to_hardware_is_completed_behind_a_tag_too() {
        // UDP over IPv4, 10.0.0.1:1 to 10.0.0.2:2, payload "abc": the field holds the pseudo-header's sum.
        let pseudo = fold(&[10, 0, 0, 1, 10, 0, 0, 2, 0, 17, 0, 11]);
        let mut udp = vec![0, 1, 0, 2, 0, 11];
        udp.extend(pseudo.to_be_bytes());
        udp.extend(b"abc");
        for shift in [0, 4] {
            let mut frame = vec![0xee; 34 + shift];
            frame.extend(&udp);
            let header = VnetHeader {
                flags: 1,
                gso_type: 0,
                csum_start: 34,
                csum_offset: 6,
            };
            header.complete_checksum(&mut frame, shift);
            let mut checked = vec![10, 0, 0, 1, 10, 0, 0, 2, 0, 17, 0, 11];
            checked.extend(&frame[34 + shift..]);
            assert_eq!(
                fold(&checked),
                0xffff,
                "the sum over a right checksum is all ones"
            );
            assert_eq!(frame[..34 + shift], vec![0xee; 34 + shift]);
        }
    }

    #[test]
    fn a_header_that_points_outside_the_frame_changes_nothing() {
        let mut frame = [7; 60];
        for (csum_start, csum_offset) in [(61, 0), (60, 0), (58, 1), (u16::MAX, u16::MAX)] {
            VnetHeader {
                flags: 1,
                gso_type: 0,
                csum_start,
                csum_offset,
            }
            .complete_checksum(&mut frame, 4);
            assert_eq!(frame, [7; 60]);
        }
    }

    #[test]
    fn congestion_notification_alone_is_not_segmentation() {
        let header = |gso_type| VnetHeader {
            flags: 0,
            gso_type,
            csum_start: 0,
            csum_offset: 0,
        };
        assert!(!header(0).is_segmented());
        assert!(!header(0x80).is_segmented());
        assert!(header(1).is_segmented());
        assert!(header(0x84).is_segmented());
    }
}
