//! Task offloads of the built-in NIC: large sends and UDP segmentation over IPv4, TCP checksums, and what it
//! says of them.
//!
//! It does what it shows and no more: a send that asks for a task that is switched off, or with a tag
//! where the NIC does not look for it, fails. Headers are taken from where the NBL says, not looked for,
//! and must lie in one piece.

use ndis_sys::{
    NDIS_ENCAPSULATION_IEEE_802_3, NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q,
    NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB, NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_OFFLOAD,
    NDIS_OFFLOAD, NDIS_OFFLOAD_PARAMETERS_LSOV2_DISABLED, NDIS_OFFLOAD_PARAMETERS_LSOV2_ENABLED,
    NDIS_OFFLOAD_PARAMETERS_TX_RX_DISABLED, NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED,
    NDIS_OFFLOAD_REVISION_3, NDIS_OFFLOAD_REVISION_6, NDIS_OFFLOAD_SUPPORTED, NDIS_RUNTIME_VERSION,
    NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_3, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_6,
    NDIS_SIZEOF_OFFLOAD_ENCAPSULATION_REVISION_1, NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_1,
    NDIS_STATUS, NDIS_STATUS_INVALID_LENGTH, NDIS_STATUS_INVALID_PARAMETER,
    NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_SUCCESS, NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG,
    NDIS_TCP_IP_CHECKSUM_TRANSMIT, NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V2_TRANSMIT,
    NDIS_TCP_LARGE_SEND_OFFLOAD_V2_TYPE, NDIS_UDP_SEGMENTATION_OFFLOAD_TRANSMIT,
    TcpIpChecksumNetBufferListInfo, TcpLargeSendNetBufferListInfo, UdpSegmentationOffloadInfo,
};

use super::Nic;
use crate::ndis::version;
use crate::ndis::view::{Nb, Nbl};

/// What a NIC can do for its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offloads {
    /// `NDIS_ENCAPSULATION_*`, of every task.
    pub encapsulation: u32,
    /// The most bytes of user data in a large send, and in a UDP packet to be segmented.
    pub largest_send: u32,
    /// Whether it segments UDP packets (USO). It cannot be switched.
    pub segments_udp: bool,
    /// Whether it coalesces received segments.
    pub coalesces: bool,
}

impl Offloads {
    /// Large sends and UDP packets of up to 60 KiB and checksums, with these `NDIS_ENCAPSULATION_*`.
    #[must_use]
    pub const fn with(encapsulation: u32) -> Self {
        Self {
            encapsulation,
            largest_send: 60 * 1024,
            segments_udp: true,
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
        if self.segments_udp && version::current() >= NDIS_RUNTIME_VERSION(6, 83) {
            offload.Header = NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_OFFLOAD,
                NDIS_OFFLOAD_REVISION_6,
                NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_6,
            );
            let udp = &mut offload.UdpSegmentation.IPv4;
            udp.Encapsulation = self.encapsulation;
            udp.MaxOffLoadSize = self.largest_send;
            udp.set_MinSegmentCount(2);
            udp.set_SubMssFinalSegmentSupported(1);
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
        let udp = NDIS_UDP_SEGMENTATION_OFFLOAD_TRANSMIT {
            Bits: info[UdpSegmentationOffloadInfo] as u32,
        };
        if large.Bits == 0 && checksum.Bits == 0 && udp.Bits == 0 {
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
            || checksum.TcpChecksum() != 0 && !switches.checksums
            || udp.Bits != 0 && !offloads.segments_udp;
        if offloads.encapsulation & needed == 0 || asked_and_off {
            return Err(NDIS_STATUS_NOT_SUPPORTED);
        }
        let ip = if tag_inside { 18 } else { 14 };
        if large.Bits == 0 && udp.Bits == 0 {
            let headers = Headers::of_tcp(&frame, ip, checksum.TcpHeaderOffset() as usize)?;
            return Ok(vec![headers.segment(&frame, 0, headers.payload(&frame))]);
        }
        let (headers, mss, is_v2) = if udp.Bits == 0 {
            let headers = Headers::of_tcp(&frame, ip, large.TcpHeaderOffset() as usize)?;
            let is_v2 = large.Type() == NDIS_TCP_LARGE_SEND_OFFLOAD_V2_TYPE;
            (headers, large.MSS() as usize, is_v2)
        } else {
            let headers = Headers::of_udp(&frame, ip, udp.UdpHeaderOffset() as usize)?;
            (headers, udp.MSS() as usize, large.Bits == 0)
        };
        let payload = headers.payload(&frame);
        let wrong = !is_v2
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

/// Where the headers of a TCP or UDP frame over IPv4 are.
struct Headers {
    ip: usize,
    transport: usize,
    /// Where the payload begins.
    end: usize,
    protocol: Protocol,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Tcp = 6,
    Udp = 17,
}

impl Headers {
    fn of_tcp(frame: &[u8], ip: usize, tcp: usize) -> Result<Self, NDIS_STATUS> {
        let Some(&offset) = frame.get(tcp + 12) else {
            return Err(NDIS_STATUS_INVALID_LENGTH);
        };
        Self::of(frame, ip, tcp, usize::from(offset >> 4) * 4, Protocol::Tcp)
    }

    fn of_udp(frame: &[u8], ip: usize, udp: usize) -> Result<Self, NDIS_STATUS> {
        Self::of(frame, ip, udp, 8, Protocol::Udp)
    }

    fn of(
        frame: &[u8],
        ip: usize,
        transport: usize,
        length: usize,
        protocol: Protocol,
    ) -> Result<Self, NDIS_STATUS> {
        let is_ipv4 = frame.get(ip - 2..ip) == Some(&[0x08, 0x00]);
        let Some(&version) = frame.get(ip) else {
            return Err(NDIS_STATUS_INVALID_LENGTH);
        };
        // The IP header ends where the NBL says that the next header begins.
        let begins = ip + usize::from(version & 0xf) * 4 == transport;
        if !is_ipv4 || !begins || frame.get(ip + 9) != Some(&(protocol as u8)) {
            return Err(NDIS_STATUS_INVALID_PARAMETER);
        }
        let end = transport + length;
        if end > frame.len() {
            return Err(NDIS_STATUS_INVALID_LENGTH);
        }
        Ok(Self {
            ip,
            transport,
            end,
            protocol,
        })
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
        let (ip, transport) = (self.ip, self.transport);
        put(ip + 2, (self.end - ip + part.len()) as u16);
        put(ip + 10, 0);
        let length = (self.end - transport + part.len()) as u16;
        let sum_at = match self.protocol {
            Protocol::Tcp => {
                let high = u32::from(word(frame, transport + 4)) << 16;
                let sequence = high | u32::from(word(frame, transport + 6));
                let sequence = sequence.wrapping_add(at as u32);
                put(transport + 4, (sequence >> 16) as u16);
                put(transport + 6, sequence as u16);
                transport + 16
            }
            Protocol::Udp => {
                put(transport + 4, length);
                transport + 6
            }
        };
        put(sum_at, 0);
        let ip_sum = checksum(&segment[ip..transport]);
        segment[ip + 10..ip + 12].copy_from_slice(&ip_sum.to_be_bytes());
        let pseudo = [
            &segment[ip + 12..ip + 20],
            &[0, self.protocol as u8],
            &length.to_be_bytes(),
        ]
        .concat();
        let sum = checksum(&[&pseudo, &segment[transport..]].concat());
        segment[sum_at..sum_at + 2].copy_from_slice(&sum.to_be_bytes());
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
