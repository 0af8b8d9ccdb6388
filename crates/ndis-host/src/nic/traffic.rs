//! A running NIC's traffic: sends to the wire, completions, and indications of what it brings.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ndis_sys::{
    Ieee8021QNetBufferListInfo, NDIS_OID_REQUEST, NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL,
    NDIS_RECEIVE_FLAGS_RESOURCES, NDIS_STATUS, NDIS_STATUS_FAILURE, NDIS_STATUS_INVALID_LENGTH,
    NDIS_STATUS_MEDIA_DISCONNECTED, NDIS_STATUS_SUCCESS, NET_BUFFER_LIST, NetBufferListHashInfo,
    NetBufferListHashValue,
};

use super::{ByKind, CALLER, Nic, frames};
use crate::ndis::caller;
use crate::ndis::ethernet;
use crate::ndis::nbl::{data, owner};
use crate::ndis::oid::NdisMOidRequestComplete;
use crate::ndis::oid::direct::NdisMDirectOidRequestComplete;
use crate::ndis::oid::request::Request;
use crate::ndis::policy::{self, Resources};
use crate::ndis::receive::NdisMIndicateReceiveNetBufferLists;
use crate::ndis::send::{NdisMSendNetBufferListsComplete, dispatch_flag, link};
use crate::ndis::view::Nbl;
use crate::nt::irql::{self, Irql};
use crate::nt::sched;
use crate::wire::MAX_FRAME;

impl Nic {
    /// Puts the frames of an NBL on the wire.
    pub(super) fn transmit(&self, nbl: Nbl) -> NDIS_STATUS {
        nbl.poison(POISON);
        if self.state.lock().link_down {
            return NDIS_STATUS_MEDIA_DISCONNECTED;
        }
        let mut status = NDIS_STATUS_SUCCESS;
        let tag = frames::tag_beside(nbl, self.config.mac_options);
        for nb in nbl.buffers() {
            match self.offload(nbl, nb, data::bytes(nb), tag.is_some()) {
                Ok(frames) => frames
                    .into_iter()
                    .for_each(|frame| self.transmit_frame(frame, tag, &mut status)),
                Err(refused) => {
                    status = refused;
                    self.state.lock().statistics.send_errors += 1;
                }
            }
        }
        Self::large_send_done(nbl);
        status
    }

    fn transmit_frame(&self, mut frame: Vec<u8>, tag: Option<u16>, status: &mut NDIS_STATUS) {
        // Room for a tag is only there for the one that the NIC puts in itself.
        let longest = self.config.mtu as usize + 14;
        let fits = (14..=longest).contains(&frame.len());
        if let Some(tag) = tag {
            frames::insert_tag(&mut frame, tag);
        }
        let sent = if !fits {
            *status = NDIS_STATUS_INVALID_LENGTH;
            false
        } else if self.wire.send(&frame).is_err() {
            *status = NDIS_STATUS_FAILURE;
            false
        } else {
            true
        };
        let mut state = self.state.lock();
        let statistics = &mut state.statistics;
        if sent {
            statistics.sent_frames += 1;
            statistics.sent_bytes += frame.len() as u64;
            let destination = std::array::from_fn(|index| frame[index]);
            ByKind::add(&mut statistics.info.sent, destination, frame.len() as u64);
        } else {
            statistics.send_errors += 1;
        }
    }

    pub(super) fn complete(&self, done: &[(usize, NDIS_STATUS)]) {
        let mut nbls = Vec::with_capacity(done.len());
        for &(address, status) in done {
            let nbl = owner::known(address as *mut NET_BUFFER_LIST, "NIC");
            nbl.set_status(status);
            nbls.push(nbl);
        }
        let Some(first) = nbls.first() else {
            return;
        };
        link(&nbls);
        let handle = self.handle();
        let flags = dispatch_flag();
        // SAFETY: the sends are this adapter's, each once.
        unsafe { NdisMSendNetBufferListsComplete(handle, first.raw(), flags) };
    }

    /// Completes sends and answers requests, until the NIC is halted.
    pub(super) fn send_loop(&'static self) {
        let _entered = caller::enter(CALLER);
        loop {
            let work = self.state.wait_until(None, |state| {
                if !state.hold_sends && !state.sends.is_empty() {
                    state.completing += 1;
                    return Some(Work::Sends(next_to_complete(&mut state.sends)));
                }
                if !state.hold_requests
                    && let Some(request) = state.requests.pop_front()
                {
                    return Some(Work::Request(request));
                }
                if !state.hold_requests
                    && let Some(request) = state.direct_requests.pop_front()
                {
                    return Some(Work::DirectRequest(request));
                }
                self.stop.load(Ordering::SeqCst).then_some(Work::Stop)
            });
            match work {
                Some(Work::Sends(done)) => {
                    irql::at(Irql::DISPATCH, || self.complete(&done));
                    self.state.lock().completing -= 1;
                    self.state.notify_all();
                }
                Some(Work::Request(request)) => {
                    let request = request as *mut NDIS_OID_REQUEST;
                    // SAFETY: the request is pending here.
                    let status = self.request(unsafe { Request::new(request) });
                    let handle = self.handle();
                    irql::at(Irql::DISPATCH, || {
                        // SAFETY: as above; it is completed once.
                        unsafe { NdisMOidRequestComplete(handle, request, status) };
                    });
                }
                Some(Work::DirectRequest(request)) => irql::at(Irql::DISPATCH, || {
                    let request = request as *mut NDIS_OID_REQUEST;
                    // SAFETY: the request is pending here.
                    let status = self.request(unsafe { Request::new(request) });
                    // SAFETY: as above; it is completed once.
                    unsafe { NdisMDirectOidRequestComplete(self.handle(), request, status) };
                }),
                Some(Work::Stop) | None => break,
            }
        }
        self.state.lock().threads -= 1;
        self.state.notify_all();
    }

    /// Indicates what the wire brings, until the NIC is halted.
    pub(super) fn receive_loop(&'static self) {
        let _entered = caller::enter(CALLER);
        let mut buffer = vec![0; MAX_FRAME];
        while !self.stop.load(Ordering::SeqCst) {
            if let Some(frame) = self.take_wake_frame() {
                self.receive(vec![frame]);
            }
            match self.wire.recv(&mut buffer, Duration::from_millis(50)) {
                Ok(Some(length)) => {
                    let mut batch = vec![buffer[..length].to_vec()];
                    while batch.len() < MOST_IN_A_CHAIN
                        && let Ok(Some(length)) = self.wire.recv(&mut buffer, Duration::ZERO)
                    {
                        batch.push(buffer[..length].to_vec());
                    }
                    self.receive(batch);
                }
                Ok(None) => {}
                Err(error) => {
                    eprintln!("ndis-host: {}: {error}", self.wire.describe());
                    break;
                }
            }
        }
        self.state.lock().threads -= 1;
        self.state.notify_all();
    }

    fn receive(&'static self, batch: Vec<Vec<u8>>) {
        if self.sleeps_through(&batch) {
            return;
        }
        let Some((wanted, number)) = self.admit(batch) else {
            return;
        };
        let pool = self.pool.load(Ordering::Acquire);
        let handle = self.handle();
        let mut nbls = Vec::new();
        for (index, mut frame) in wanted.into_iter().enumerate() {
            let tag = if self.config.out_of_band_tags {
                frames::strip_tag(&mut frame)
            } else {
                None
            };
            let shapes = &self.config.shapes;
            let shape = &shapes[(number as usize + index) % shapes.len()];
            let Some((nbl, memory)) = frames::receive(pool, &frame, shape) else {
                continue;
            };
            nbl.set_source(handle);
            let mut info = nbl.info();
            info[Ieee8021QNetBufferListInfo] = tag.unwrap_or(0) as *mut c_void;
            if let Some((information, hash)) = self.hash(&frame) {
                info[NetBufferListHashInfo] = information as usize as *mut c_void;
                info[NetBufferListHashValue] = hash as usize as *mut c_void;
            }
            for &(slot, value) in &self.config.receive_info {
                info[slot] = value as *mut c_void;
            }
            nbl.set_info(info);
            self.state.lock().out.insert(nbl.address(), memory);
            nbls.push(nbl);
        }
        if !nbls.is_empty() {
            let resources = match policy::current().receive_resources {
                Resources::Never => false,
                Resources::Always => true,
                Resources::Alternate => number % 2 == 1,
            };
            self.indicate(&nbls, resources);
        }
        self.state.lock().indicating -= 1;
        self.state.notify_all();
    }

    /// Counts frames that come in, and takes those that the filter wants. The caller indicates them,
    /// and then counts `indicating` down.
    fn admit(&self, batch: Vec<Vec<u8>>) -> Option<(Vec<Vec<u8>>, u64)> {
        let mut state = self.state.lock();
        let running = state.running && !state.link_down;
        let mut wanted = Vec::new();
        for frame in batch {
            let Some(&destination) = frame.first_chunk() else {
                continue;
            };
            let vlan = ethernet::vlan_of(frame.get(12..).unwrap_or_default());
            if running && state.filter.passes(destination, vlan, self.config.mac) {
                state.statistics.received_frames += 1;
                state.statistics.received_bytes += frame.len() as u64;
                let bytes = frame.len() as u64;
                ByKind::add(&mut state.statistics.info.received, destination, bytes);
                wanted.push(frame);
            } else {
                state.statistics.discarded += 1;
            }
        }
        if wanted.is_empty() {
            return None;
        }
        state.indicating += 1;
        let number = state.indications;
        state.indications += 1;
        Some((wanted, number))
    }

    fn indicate(&self, nbls: &[Nbl], resources: bool) {
        link(nbls);
        let mut flags = NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL;
        if resources {
            flags |= NDIS_RECEIVE_FLAGS_RESOURCES;
        }
        let (first, count) = (nbls[0].raw(), nbls.len() as u32);
        let handle = self.handle();
        irql::at(Irql::DISPATCH, || {
            // SAFETY: the adapter's handle, and a chain of its own NBLs.
            unsafe { NdisMIndicateReceiveNetBufferLists(handle, first, 0, count, flags) };
        });
        if resources {
            self.take_back(nbls);
        }
    }

    pub(super) fn take_back(&self, nbls: &[Nbl]) {
        for nbl in nbls {
            let memory = self.state.lock().out.remove(&nbl.address());
            frames::free(nbl.raw(), memory.expect("the NBL is this NIC's"));
        }
        self.state.notify_all();
    }
}

/// All sends in their order, or in a seeded run some of them in any order.
fn next_to_complete(sends: &mut VecDeque<(usize, NDIS_STATUS)>) -> Vec<(usize, NDIS_STATUS)> {
    if !sched::is_seeded() {
        return sends.drain(..).collect();
    }
    let number = 1 + sched::choose(sends.len() as u32);
    (0..number)
        .filter_map(|_| sends.remove(sched::choose(sends.len() as u32) as usize))
        .collect()
}

enum Work {
    Sends(Vec<(usize, NDIS_STATUS)>),
    Request(usize),
    DirectRequest(usize),
    Stop,
}

/// What the miniport leaves in fields that are its own while it has an NBL.
const POISON: usize = 0xdead_0000_0000_4e49;

/// Frames that came together are indicated together, up to this many.
const MOST_IN_A_CHAIN: usize = 64;
