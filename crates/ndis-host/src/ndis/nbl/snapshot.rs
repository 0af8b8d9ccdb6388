//! What an NBL looked like when it changed hands, to hold against what comes back.
//!
//! Whoever gets an NBL has to give it back as it was: the same NBs with the same MDLs, the same data
//! start and length, the same context space, the same bytes. A snapshot remembers it, and
//! [`Snapshot::difference`] says in words what is no longer so.
//!
//! Not in here: when a snapshot is taken (`owner`).

use std::ffi::c_void;

use ndis_sys::{
    Ieee8021QNetBufferListInfo, NDIS_TCP_LARGE_SEND_OFFLOAD_V2_TYPE, NetBufferListCancelId,
    NetBufferListHashInfo, NetBufferListHashValue, TcpIpChecksumNetBufferListInfo,
    TcpLargeSendNetBufferListInfo,
};

use super::data;
use crate::ndis::view::Nbl;

/// Which way an NBL travels. What has to be restored differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From a protocol to a miniport, and completed.
    Down,
    /// From a miniport to a protocol, and returned.
    Up,
}

/// The look of one NBL.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    way: Way,
    context: usize,
    context_offset: Option<u16>,
    parent: usize,
    info: Vec<(usize, usize)>,
    protocol_reserved: [usize; 4],
    buffers: Vec<Buffer>,
}

#[derive(Clone, Debug)]
struct Buffer {
    nb: usize,
    current: usize,
    current_offset: u32,
    offset: u32,
    length: u32,
    mdls: Vec<(usize, usize, u32)>,
    fingerprint: u64,
}

impl Snapshot {
    /// The look of `nbl` now.
    pub(crate) fn of(nbl: Nbl, way: Way) -> Self {
        let info = nbl.info();
        let restored: &[usize] = match way {
            Way::Down => &[
                Ieee8021QNetBufferListInfo,
                NetBufferListCancelId,
                TcpIpChecksumNetBufferListInfo,
                TcpLargeSendNetBufferListInfo,
            ],
            Way::Up => &[
                Ieee8021QNetBufferListInfo,
                NetBufferListHashValue,
                NetBufferListHashInfo,
            ],
        };
        Self {
            way,
            context: nbl.context() as usize,
            context_offset: super::context::offset(nbl),
            parent: nbl.parent() as usize,
            info: restored
                .iter()
                .map(|&index| (index, info[index] as usize))
                .collect(),
            protocol_reserved: addresses(nbl.protocol_reserved()),
            buffers: nbl
                .buffers()
                .map(|nb| Buffer {
                    nb: nb.address(),
                    current: nb.raw_current() as usize,
                    current_offset: nb.current_offset(),
                    offset: nb.offset(),
                    length: nb.length(),
                    mdls: nb
                        .mdls()
                        .map(|mdl| {
                            (
                                mdl.address(),
                                mdl.virtual_address() as usize,
                                mdl.byte_count(),
                            )
                        })
                        .collect(),
                    fingerprint: data::fingerprint(nb, watched(way)),
                })
                .collect(),
        }
    }

    /// What about `nbl` is not as it was, the most telling thing first; its bytes are looked at if
    /// `bytes`.
    pub(crate) fn difference(&self, nbl: Nbl, bytes: bool) -> Option<String> {
        let now_buffers: Vec<usize> = nbl.buffers().map(|nb| nb.address()).collect();
        let buffers: Vec<usize> = self.buffers.iter().map(|buffer| buffer.nb).collect();
        if now_buffers != buffers {
            return Some(format!(
                "FirstNetBuffer: its NET_BUFFERs were {buffers:#x?} and are {now_buffers:#x?}"
            ));
        }
        for (index, (before, nb)) in self.buffers.iter().zip(nbl.buffers()).enumerate() {
            let differs = |field: &str, was: String, is: String| {
                Some(format!("NET_BUFFER {index}: {field} was {was} and is {is}"))
            };
            let mdls: Vec<_> = nb
                .mdls()
                .map(|mdl| {
                    (
                        mdl.address(),
                        mdl.virtual_address() as usize,
                        mdl.byte_count(),
                    )
                })
                .collect();
            if mdls != before.mdls {
                return differs(
                    "MdlChain (MDL, address, bytes)",
                    format!("{:x?}", before.mdls),
                    format!("{mdls:x?}"),
                );
            }
            if nb.offset() != before.offset {
                return differs(
                    "DataOffset",
                    before.offset.to_string(),
                    nb.offset().to_string(),
                );
            }
            if nb.length() != before.length {
                return differs(
                    "DataLength",
                    before.length.to_string(),
                    nb.length().to_string(),
                );
            }
            if nb.raw_current() as usize != before.current {
                return differs(
                    "CurrentMdl",
                    format!("{:#x}", before.current),
                    format!("{:p}", nb.raw_current()),
                );
            }
            if nb.current_offset() != before.current_offset {
                return differs(
                    "CurrentMdlOffset",
                    before.current_offset.to_string(),
                    nb.current_offset().to_string(),
                );
            }
            if bytes && data::fingerprint(nb, watched(self.way)) != before.fingerprint {
                return Some(format!("NET_BUFFER {index}: its bytes were changed"));
            }
        }
        let context = nbl.context() as usize;
        if context != self.context || super::context::offset(nbl) != self.context_offset {
            return Some(format!(
                "Context: was {:#x} with offset {:?} and is {context:#x} with offset {:?}",
                self.context,
                self.context_offset,
                super::context::offset(nbl)
            ));
        }
        if nbl.parent() as usize != self.parent {
            return Some(format!(
                "ParentNetBufferList: was {:#x} and is {:p}",
                self.parent,
                nbl.parent()
            ));
        }
        let info = nbl.info();
        for &(index, was) in &self.info {
            let is = info[index] as usize;
            if is != was
                && !(index == TcpLargeSendNetBufferListInfo && is_large_send_result(was, is))
            {
                return Some(format!(
                    "NetBufferListInfo[{index}]: was {was:#x} and is {is:#x}"
                ));
            }
        }
        if addresses(nbl.protocol_reserved()) != self.protocol_reserved {
            return Some("ProtocolReserved: was changed".to_owned());
        }
        None
    }
}

/// Whether `is` says that a large send asked for by `was` is done: by version 1 with how much was sent, by
/// version 2 with zeros beside the version (`ns-nbllso-ndis_tcp_large_send_offload_net_buffer_list_info.md`).
fn is_large_send_result(was: usize, is: usize) -> bool {
    let version = |word: usize| (word >> 30 & 1) as u32;
    was != 0
        && version(is) == version(was)
        && (version(was) != NDIS_TCP_LARGE_SEND_OFFLOAD_V2_TYPE || is & 0x3FFF_FFFF == 0)
}

fn addresses<const N: usize>(pointers: [*mut c_void; N]) -> [usize; N] {
    pointers.map(|pointer| pointer as usize)
}

/// How many bytes of each NB are held against each other: of a received frame all, because others
/// may read it too; of a sent one those that a driver on the way would touch.
fn watched(way: Way) -> u32 {
    match way {
        Way::Down => 64,
        Way::Up => u32::MAX,
    }
}
