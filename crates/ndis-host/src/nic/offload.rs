//! Task offloads of the built-in NIC: large sends over IPv4, TCP checksums, and what it says of them.
//!
//! It does what it shows and no more: a send that asks for a task that is switched off, or with a tag
//! where the NIC does not look for it, fails. Headers are taken from where the NBL says, not looked for,
//! and must lie in one piece.

use ndis_sys::{
    NDIS_ENCAPSULATION_IEEE_802_3, NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q,
    NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB, NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_OFFLOAD,
    NDIS_OFFLOAD, NDIS_OFFLOAD_PARAMETERS_LSOV2_DISABLED, NDIS_OFFLOAD_PARAMETERS_LSOV2_ENABLED,
    NDIS_OFFLOAD_PARAMETERS_TX_RX_DISABLED, NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED,
    NDIS_OFFLOAD_REVISION_3, NDIS_OFFLOAD_SUPPORTED, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_3,
    NDIS_SIZEOF_OFFLOAD_ENCAPSULATION_REVISION_1, NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_1,
    NDIS_STATUS, NDIS_STATUS_INVALID_LENGTH, NDIS_STATUS_INVALID_PARAMETER,
    NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_SUCCESS, NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG,
    NDIS_TCP_IP_CHECKSUM_TRANSMIT, NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V2_TRANSMIT,
    NDIS_TCP_LARGE_SEND_OFFLOAD_V2_TYPE, TcpIpChecksumNetBufferListInfo,
    TcpLargeSendNetBufferListInfo,
};

use super::Nic;
use crate::ndis::view::{Nb, Nbl};

/// What a NIC can do for its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offloads {
    /// `NDIS_ENCAPSULATION_*`, of every task.
    pub encapsulation: u32,
    /// The most bytes of user data in a large send.
    pub largest_send: u32,
    /// Whether it coalesces received segments.
    pub coalesces: bool,
}

impl Offloads {
    /// Large sends of up to 60 KiB and checksums, with these `NDIS_ENCAPSULATION_*`.
    #[must_use]
    pub const fn with(encapsulation: u32) -> Self {
        Self {
            encapsulation,
            largest_send: 60 * 1024,
            coalesces: true,
        }
    }

    fn structure(self, on: Switches) -> NDIS_OFFLOAD {
        let mut offload = NDIS_OFFLOAD::zeroed();
        offload.Header = NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_OFFLOAD,
            NDIS_OFFLOAD_REVISION_3,
            NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_3,
        );
        if on.checksums {
            for task in [
                &mut offload.Checksum.IPv4Transmit,
                &mut offload.Checksum.IPv4Receive,
            ] {
                task.Encapsulation = self.encapsulation;
                task.set_TcpChecksum(NDIS_OFFLOAD_SUPPORTED);
                task.set_TcpOptionsSupported(NDIS_OFFLOAD_SUPPORTED);
                task.set_IpChecksum(NDIS_OFFLOAD_SUPPORTED);
                task.set_IpOptionsSupported(NDIS_OFFLOAD_SUPPORTED);
            }
        }
        if on.large_sends {
            offload.LsoV2.IPv4.Encapsulation = self.encapsulation;
            offload.LsoV2.IPv4.MaxOffLoadSize = self.largest_send;
            offload.LsoV2.IPv4.MinSegmentCount = 2;
        }
        offload.Rsc.IPv4.Enabled = u8::from(self.coalesces);
        offload
    }
}

/// Which tasks are switched on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Switches {
    checksums: bool,
    large_sends: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            checksums: true,
            large_sends: true,
        }
    }
}

impl Nic {
    /// What it can do, and what it does, as its attributes say.
    pub(super) fn offload_attributes(&self) -> Option<[NDIS_OFFLOAD; 2]> {
        let offloads = self.config.offloads?;
        let switches = self.state.lock().switches;
        Some([
            offloads.structure(switches),
            offloads.structure(Switches::default()),
        ])
    }

    /// `OID_TCP_OFFLOAD_PARAMETERS`: IPv4 TCP checksums and large sends can be switched.
    pub(super) fn set_offload_parameters(&self, input: &[u8]) -> NDIS_STATUS {
        if self.config.offloads.is_none() {
            return NDIS_STATUS_NOT_SUPPORTED;
        }
        if input.len() < usize::from(NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_1) {
            return NDIS_STATUS_INVALID_LENGTH;
        }
        let (tcp_ipv4, lso_v2_ipv4) = (input[5], input[11]);
        {
            let switches = &mut self.state.lock().switches;
            match tcp_ipv4 {
                NDIS_OFFLOAD_PARAMETERS_TX_RX_DISABLED => switches.checksums = false,
                NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED => switches.checksums = true,
                _ => {}
            }
            match lso_v2_ipv4 {
                NDIS_OFFLOAD_PARAMETERS_LSOV2_DISABLED => switches.large_sends = false,
                NDIS_OFFLOAD_PARAMETERS_LSOV2_ENABLED => switches.large_sends = true,
                _ => {}
            }
        }
        self.tell_offloads();
        NDIS_STATUS_SUCCESS
    }

    /// `OID_OFFLOAD_ENCAPSULATION`: what is switched on is done for Ethernet.
    pub(super) fn set_offload_encapsulation(&self, input: &[u8]) -> NDIS_STATUS {
        if self.config.offloads.is_none() {
            return NDIS_STATUS_NOT_SUPPORTED;
        }
        if input.len() < usize::from(NDIS_SIZEOF_OFFLOAD_ENCAPSULATION_REVISION_1) {
            return NDIS_STATUS_INVALID_LENGTH;
        }
        self.tell_offloads();
        NDIS_STATUS_SUCCESS
    }

    fn tell_offloads(&self) {
        if let Some([current, _]) = self.offload_attributes() {
            self.indicate_status(NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG, &current);
        }
    }

    /// The frames that an NB becomes by what its NBL asks for, none of them with a tag that travels
    /// beside it.
    ///
    /// # Errors
    /// It asks for what the NIC does not do.
    pub(super) fn offload(
        &self,
        nbl: Nbl,
        nb: Nb,
        frame: Vec<u8>,
        tag_beside: bool,
    ) -> Result<Vec<Vec<u8>>, NDIS_STATUS> {
        let info = nbl.info();
        let large = NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V2_TRANSMIT {
            Bits: info[TcpLargeSendNetBufferListInfo] as u32,
        };
        let checksum = NDIS_TCP_IP_CHECKSUM_TRANSMIT {
            Bits: info[TcpIpChecksumNetBufferListInfo] as u32,
        };
        if large.Bits == 0 && checksum.Bits == 0 {
            return Ok(vec![frame]);
        }
        let offloads = self.config.offloads.ok_or(NDIS_STATUS_NOT_SUPPORTED)?;
        let switches = self.state.lock().switches;
        let tag_inside = frame.get(12..14) == Some(&[0x81, 0]);
        let needed = match (tag_inside, tag_beside) {
            (true, false) => NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q,
            (false, true) => NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB,
            (false, false) => NDIS_ENCAPSULATION_IEEE_802_3,
            (true, true) => return Err(NDIS_STATUS_NOT_SUPPORTED),
        };
        let asked_and_off = large.Bits != 0 && !switches.large_sends
            || checksum.TcpChecksum() != 0 && !switches.checksums;
        if offloads.encapsulation & needed == 0 || asked_and_off {
            return Err(NDIS_STATUS_NOT_SUPPORTED);
        }
        let ip = if tag_inside { 18 } else { 14 };
        if large.Bits == 0 {
            let headers = Headers::of(&frame, ip, checksum.TcpHeaderOffset() as usize)?;
            return Ok(vec![headers.segment(&frame, 0, headers.payload(&frame))]);
        }
        let headers = Headers::of(&frame, ip, large.TcpHeaderOffset() as usize)?;
        let payload = headers.payload(&frame);
        let mss = large.MSS() as usize;
        let wrong = large.Type() != NDIS_TCP_LARGE_SEND_OFFLOAD_V2_TYPE
            || mss == 0
            || payload.len() > offloads.largest_send as usize
            || first_piece(nb) < headers.end;
        if wrong {
            return Err(NDIS_STATUS_INVALID_PARAMETER);
        }
        let segments = payload.chunks(mss).enumerate();
        Ok(segments
            .map(|(index, part)| headers.segment(&frame, index * mss, part))
            .collect())
    }

    /// Says beside an NBL that its large send is done.
    pub(super) fn large_send_done(nbl: Nbl) {
        let mut info = nbl.info();
        if !info[TcpLargeSendNetBufferListInfo].is_null() {
            let mut done = NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V2_TRANSMIT::zeroed();
            done.set_Type(NDIS_TCP_LARGE_SEND_OFFLOAD_V2_TYPE);
            info[TcpLargeSendNetBufferListInfo] = done.Bits as usize as *mut _;
            nbl.set_info(info);
        }
    }
}

/// Where the headers of a TCP frame over IPv4 are.
struct Headers {
    ip: usize,
    tcp: usize,
    /// Where the payload begins.
    end: usize,
}

impl Headers {
    fn of(frame: &[u8], ip: usize, tcp: usize) -> Result<Self, NDIS_STATUS> {
        let is_ipv4 = frame.get(ip - 2..ip) == Some(&[0x08, 0x00]);
        let Some(&version) = frame.get(ip) else {
            return Err(NDIS_STATUS_INVALID_LENGTH);
        };
        // The IP header ends where the NBL says that the TCP header begins.
        if !is_ipv4 || ip + usize::from(version & 0xf) * 4 != tcp {
            return Err(NDIS_STATUS_INVALID_PARAMETER);
        }
        let Some(&offset) = frame.get(tcp + 12) else {
            return Err(NDIS_STATUS_INVALID_LENGTH);
        };
        let end = tcp + usize::from(offset >> 4) * 4;
        if end > frame.len() {
            return Err(NDIS_STATUS_INVALID_LENGTH);
        }
        Ok(Self { ip, tcp, end })
    }

    fn payload<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        &frame[self.end..]
    }

    /// The frame with `part` of its payload, which begins `at` bytes into it, and checksums.
    fn segment(&self, frame: &[u8], at: usize, part: &[u8]) -> Vec<u8> {
        let mut segment = [&frame[..self.end], part].concat();
        let word =
            |bytes: &[u8], place: usize| u16::from_be_bytes([bytes[place], bytes[place + 1]]);
        let mut put = |place: usize, value: u16| {
            segment[place..place + 2].copy_from_slice(&value.to_be_bytes());
        };
        put(self.ip + 2, (self.end - self.ip + part.len()) as u16);
        put(self.ip + 10, 0);
        put(self.tcp + 16, 0);
        let sequence =
            u32::from(word(frame, self.tcp + 4)) << 16 | u32::from(word(frame, self.tcp + 6));
        let sequence = sequence.wrapping_add(at as u32);
        put(self.tcp + 4, (sequence >> 16) as u16);
        put(self.tcp + 6, sequence as u16);
        let ip_sum = checksum(&segment[self.ip..self.tcp]);
        segment[self.ip + 10..self.ip + 12].copy_from_slice(&ip_sum.to_be_bytes());
        let length = (segment.len() - self.tcp) as u16;
        let pseudo = [
            &segment[self.ip + 12..self.ip + 20],
            &[0, 6],
            &length.to_be_bytes(),
        ]
        .concat();
        let tcp_sum = checksum(&[&pseudo, &segment[self.tcp..]].concat());
        segment[self.tcp + 16..self.tcp + 18].copy_from_slice(&tcp_sum.to_be_bytes());
        segment
    }
}

/// The checksum of RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Bytes of the frame in its first piece.
fn first_piece(nb: Nb) -> usize {
    let current = nb.current();
    current.map_or(0, |mdl| {
        (mdl.byte_count() as usize).saturating_sub(nb.current_offset() as usize)
    })
}
