//! OID requests as they come from protocols and from NDIS itself, with buffers that are right and wrong.
//!
//! A driver may answer each of them as it likes, as long as it answers, and by the rules. What is seen here
//! is that a query tells no more than it was given room for, and that what a protocol needs succeeds.

use std::collections::BTreeSet;

use ndis_sys::{
    NDIS_OID, NDIS_PACKET_TYPE_ALL_MULTICAST, NDIS_PACKET_TYPE_BROADCAST,
    NDIS_PACKET_TYPE_DIRECTED, NDIS_PACKET_TYPE_MULTICAST, NDIS_PACKET_TYPE_PROMISCUOUS,
    NDIS_STATUS_SUCCESS, OID_802_3_CURRENT_ADDRESS, OID_802_3_MAXIMUM_LIST_SIZE,
    OID_802_3_MULTICAST_LIST, OID_802_3_PERMANENT_ADDRESS, OID_GEN_CURRENT_LOOKAHEAD,
    OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_INTERRUPT_MODERATION, OID_GEN_LINK_PARAMETERS,
    OID_GEN_MAXIMUM_FRAME_SIZE, OID_GEN_RCV_OK, OID_GEN_STATISTICS, OID_GEN_SUPPORTED_LIST,
    OID_GEN_VENDOR_DESCRIPTION, OID_GEN_VENDOR_DRIVER_VERSION, OID_GEN_XMIT_OK,
};

use super::Outcome;
use super::run::{Result, Runner, skipped};
use crate::lab::Query;
use crate::ndis::AdapterState;

impl Runner<'_> {
    pub(super) fn requests(&mut self, name: &str) -> Result {
        let client = self.client(name)?;
        if !self.wait_for(|_| self.runs(client)) {
            return Err(skipped(format_args!("the client {name} does not run")));
        }
        let below = self.below(name).to_owned();
        let mut made = 0;
        let mut wrong = Vec::new();
        for oid in QUERIES {
            for room in ROOMS {
                let (_, answer) = client.query(oid, room);
                if answer.len() > room {
                    wrong.push(format!("{oid:#010x} wrote more than its {room} bytes"));
                }
                // The same from NDIS, which reaches the driver also where NDIS answers protocols itself.
                let direct = self.lab.query(&below, oid, room).ok();
                if direct.is_some_and(|answer| answer.done as usize > room) {
                    wrong.push(format!("{oid:#010x} of NDIS wrote more than {room} bytes"));
                }
                made += 2;
            }
        }
        for (oid, value) in sets() {
            client.set(oid, &value);
            made += 1;
        }
        // As it was, so that traffic goes on.
        for (oid, value) in [
            (OID_802_3_MULTICAST_LIST, Vec::new()),
            (OID_GEN_CURRENT_PACKET_FILTER, USUAL.to_le_bytes().to_vec()),
        ] {
            let status = client.set(oid, &value);
            made += 1;
            if status != NDIS_STATUS_SUCCESS {
                wrong.push(format!("the set of {oid:#010x} failed with {status:#010x}"));
            }
        }
        if wrong.is_empty() {
            return Ok(format!("{made} requests"));
        }
        Err((Outcome::Failed, wrong.join("; ")))
    }
}

impl Runner<'_> {
    /// Asks each adapter that is up, of an image or below a client. Whatever becomes of the adapter
    /// meanwhile, each request has to end: it is waited for when the answer is dropped.
    pub(super) fn ask(&self) -> Vec<Query> {
        let clients = self.clients.values().filter(|client| self.runs(client));
        let below = clients.map(|client| self.below(client.name()));
        let adapters: BTreeSet<&str> = below.chain(self.adapters()).collect();
        // Without anything above, an adapter stays paused.
        let up = [AdapterState::Running, AdapterState::Paused];
        let is_up = |adapter: &&str| up.contains(&self.lab.adapter_state(adapter));
        let ask = |adapter| self.lab.query_start(adapter, OID_GEN_STATISTICS, ROOMS[3]);
        // What is gone is not asked.
        let asked = adapters.into_iter().filter(is_up).map(ask);
        asked.filter_map(std::result::Result::ok).collect()
    }
}

/// Sets in the order in which they are made.
fn sets() -> Vec<(NDIS_OID, Vec<u8>)> {
    let group = |last: u8| [0x01, 0x00, 0x5e, 0x00, 0x00, last];
    let number = |value: u32| value.to_le_bytes().to_vec();
    vec![
        (OID_GEN_CURRENT_PACKET_FILTER, number(0)),
        (
            OID_GEN_CURRENT_PACKET_FILTER,
            number(NDIS_PACKET_TYPE_PROMISCUOUS),
        ),
        (
            OID_GEN_CURRENT_PACKET_FILTER,
            number(USUAL | NDIS_PACKET_TYPE_ALL_MULTICAST),
        ),
        (OID_GEN_CURRENT_PACKET_FILTER, number(0x8000_0000)),
        (OID_GEN_CURRENT_PACKET_FILTER, vec![1, 0]),
        (OID_GEN_CURRENT_PACKET_FILTER, Vec::new()),
        (OID_802_3_MULTICAST_LIST, group(1).to_vec()),
        (OID_802_3_MULTICAST_LIST, [group(1), group(2)].concat()),
        (OID_802_3_MULTICAST_LIST, group(3)[..5].to_vec()),
        (OID_802_3_MULTICAST_LIST, (0..200).flat_map(group).collect()),
        (OID_GEN_CURRENT_LOOKAHEAD, number(128)),
        (OID_GEN_CURRENT_LOOKAHEAD, vec![1]),
        (OID_GEN_LINK_PARAMETERS, vec![0; 4]),
        (OID_GEN_INTERRUPT_MODERATION, vec![0; 12]),
        (UNKNOWN, vec![0xff; 16]),
    ]
}

const USUAL: u32 =
    NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST | NDIS_PACKET_TYPE_BROADCAST;
/// An OID that nobody defined.
const UNKNOWN: NDIS_OID = 0xff7f_0001;
/// None, too short for everything, just a number, more than anything needs.
const ROOMS: [usize; 4] = [0, 1, 4, 4096];
const QUERIES: [NDIS_OID; 14] = [
    OID_GEN_STATISTICS,
    OID_GEN_SUPPORTED_LIST,
    OID_GEN_CURRENT_PACKET_FILTER,
    OID_GEN_CURRENT_LOOKAHEAD,
    OID_GEN_MAXIMUM_FRAME_SIZE,
    OID_GEN_VENDOR_DESCRIPTION,
    OID_GEN_VENDOR_DRIVER_VERSION,
    OID_GEN_XMIT_OK,
    OID_GEN_RCV_OK,
    OID_GEN_INTERRUPT_MODERATION,
    OID_802_3_CURRENT_ADDRESS,
    OID_802_3_PERMANENT_ADDRESS,
    OID_802_3_MAXIMUM_LIST_SIZE,
    UNKNOWN,
];
