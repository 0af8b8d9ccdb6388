//! Built-in lower NICs: an Ethernet miniport driver of the host's own over a [`Wire`].
//!
//! It is an NDIS driver like any other: it registers, is initialized for each NIC, honours filters,
//! sends, indicates, pauses and halts through the functions that images call. What is special is its
//! other side: [`Nic`] lets a test (or a wire's thread) be the network, and hold back what the
//! miniport would do.
//!
//! | file | concern |
//! |---|---|
//! | `miniport` | registration and the miniport's functions |
//! | `frames` | NBLs for received frames, in many shapes; frames from sent NBLs |
//! | `traffic` | the threads of a running NIC |
//! | `offload` | large sends and checksums |
//! | `oid` | what it answers |
//! | `scaling` | receive side scaling |
//! | `wake` | what it wakes the computer for |
//! | `bench` | sends that end here, and the same chain indicated again and again |
//!
//! Not in here: where frames come from (`wire`).

pub(crate) mod bench;
pub(crate) mod frames;
mod miniport;
mod offload;
mod oid;
mod scaling;
mod traffic;
mod wake;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ndis_sys::{
    MediaConnectStateConnected, MediaConnectStateDisconnected, MediaDuplexStateFull, NDIS_HANDLE,
    NDIS_LINK_STATE, NDIS_LINK_STATE_REVISION_1, NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT,
    NDIS_OBJECT_TYPE_STATUS_INDICATION, NDIS_SIZEOF_LINK_STATE_REVISION_1,
    NDIS_SIZEOF_STATUS_INDICATION_REVISION_1, NDIS_STATISTICS_INFO, NDIS_STATUS,
    NDIS_STATUS_INDICATION, NDIS_STATUS_INDICATION_REVISION_1, NDIS_STATUS_LINK_STATE,
};

pub(crate) use frames::Memory;
pub use frames::Shape;
pub(crate) use miniport::{deregister, register};
pub use offload::Offloads;
pub use scaling::{Scaling, ScalingCapabilities};
pub use wake::{WakeUp, WokenBy};

use crate::ndis::caller::{self, Caller};
use crate::ndis::ethernet::{EthernetFilter, Mac};
use crate::nt::sched::Monitor;
use crate::wire::Wire;

/// What a NIC is like.
#[derive(Clone, Debug)]
pub struct NicConfig {
    /// What people call it.
    pub label: String,
    /// Its device name.
    pub device: String,
    /// Its permanent address.
    pub mac: Mac,
    /// The most bytes that a frame carries after its Ethernet header.
    pub mtu: u32,
    /// Bits a second, both ways.
    pub link_speed: u64,
    /// `NDIS_MAC_OPTION_*`.
    pub mac_options: u32,
    /// Whether it takes the tag out of a received frame and indicates it beside it, in
    /// `Ieee8021QNetBufferListInfo`. Whether it puts a tag into a sent frame is said by `mac_options`.
    pub out_of_band_tags: bool,
    /// The kinds of frames that its packet filter can let in (`NDIS_PACKET_TYPE_*`).
    pub packet_filters: u32,
    /// How many receive filters for an address in a VLAN it has on its default queue.
    pub receive_filters: u32,
    /// Its task offloads, if it has any.
    pub offloads: Option<Offloads>,
    /// Its receive side scaling, if it has any.
    pub scaling: Option<ScalingCapabilities>,
    /// Slots of `NetBufferListInfo`, and what stands there in each NBL that it indicates.
    pub receive_info: Vec<(usize, usize)>,
    /// Whether it has low-power states; NDIS halts it for the time of a sleep if it has none.
    pub sleeps: bool,
    /// Whether NDIS pauses the stack before a sleep. If not, and all drivers are of NDIS 6.30 or later, they
    /// learn of it by the event only (`NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND`).
    pub pauses_to_sleep: bool,
    /// What frames it can wake the computer for, if it can and has low-power states.
    pub wake_up: Option<WakeUp>,
    /// How received frames are laid out; several are used in turn.
    pub shapes: Vec<Shape>,
}

impl NicConfig {
    /// The same, but inserting and stripping 802.1Q tags itself.
    #[must_use]
    pub fn handling_tags(self) -> Self {
        Self {
            mac_options: self.mac_options | ndis_sys::NDIS_MAC_OPTION_8021Q_VLAN,
            out_of_band_tags: true,
            ..self
        }
    }

    /// A gigabit NIC with standard frames in single MDLs.
    pub fn new(label: &str, mac: Mac) -> Self {
        use ndis_sys::{
            NDIS_MAC_OPTION_8021P_PRIORITY, NDIS_MAC_OPTION_COPY_LOOKAHEAD_DATA,
            NDIS_MAC_OPTION_NO_LOOPBACK, NDIS_MAC_OPTION_TRANSFERS_NOT_PEND,
            NDIS_PACKET_TYPE_ALL_MULTICAST, NDIS_PACKET_TYPE_BROADCAST, NDIS_PACKET_TYPE_DIRECTED,
            NDIS_PACKET_TYPE_MULTICAST, NDIS_PACKET_TYPE_PROMISCUOUS,
        };
        Self {
            label: label.to_owned(),
            device: format!(r"\Device\{label}"),
            mac,
            mtu: 1500,
            link_speed: 1_000_000_000,
            mac_options: NDIS_MAC_OPTION_COPY_LOOKAHEAD_DATA
                | NDIS_MAC_OPTION_TRANSFERS_NOT_PEND
                | NDIS_MAC_OPTION_NO_LOOPBACK
                | NDIS_MAC_OPTION_8021P_PRIORITY,
            out_of_band_tags: false,
            packet_filters: NDIS_PACKET_TYPE_DIRECTED
                | NDIS_PACKET_TYPE_MULTICAST
                | NDIS_PACKET_TYPE_ALL_MULTICAST
                | NDIS_PACKET_TYPE_BROADCAST
                | NDIS_PACKET_TYPE_PROMISCUOUS,
            receive_filters: 0,
            offloads: None,
            scaling: None,
            receive_info: Vec::new(),
            sleeps: true,
            pauses_to_sleep: true,
            wake_up: None,
            shapes: vec![Shape::WHOLE],
        }
    }
}

/// A lower NIC.
pub struct Nic {
    config: NicConfig,
    wire: Arc<dyn Wire>,
    /// The miniport handle while it is initialized.
    handle: AtomicPtr<std::ffi::c_void>,
    pool: AtomicPtr<std::ffi::c_void>,
    state: Monitor<State>,
    stop: AtomicBool,
    /// What it does in a measurement.
    bench: OnceLock<bench::Lower>,
}

/// A NIC's state, behind its lock.
#[derive(Default)]
struct State {
    /// May indicate.
    running: bool,
    /// What its attributes say of the MTU from its next restart on, if that has changed.
    mtu_at_restart: Option<u32>,
    /// From the end of its initialization to its halt.
    up: bool,
    /// Status indications in progress.
    telling: u32,
    /// Indications in progress.
    indicating: u32,
    /// Completion calls in progress.
    completing: u32,
    /// Threads that have not ended.
    threads: u32,
    link_down: bool,
    switches: offload::Switches,
    scaling: Option<Scaling>,
    scaling_sets: u64,
    wake: wake::State,
    filter: EthernetFilter,
    lookahead: u32,
    statistics: Statistics,
    /// NBLs indicated and not returned, with their memory.
    out: BTreeMap<usize, frames::Memory>,
    /// Sends not completed.
    sends: VecDeque<(usize, NDIS_STATUS)>,
    hold_sends: bool,
    /// OID requests not answered.
    requests: VecDeque<usize>,
    direct_requests: VecDeque<usize>,
    hold_requests: bool,
    indications: u64,
}

/// What a NIC counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Frames received and indicated.
    pub received_frames: u64,
    /// Their bytes.
    pub received_bytes: u64,
    /// Frames received that no filter wanted, or that came while paused.
    pub discarded: u64,
    /// Frames sent.
    pub sent_frames: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Frames that could not be sent.
    pub send_errors: u64,
    info: ByKind,
}

/// Frames and bytes to one address, to groups, to all: received, then sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ByKind {
    received: [(u64, u64); 3],
    sent: [(u64, u64); 3],
}

impl Nic {
    /// A NIC that is not plugged yet.
    pub(crate) fn new(config: NicConfig, wire: Arc<dyn Wire>) -> &'static Self {
        Box::leak(Box::new(Self {
            config,
            wire,
            handle: AtomicPtr::default(),
            pool: AtomicPtr::default(),
            state: Monitor::default(),
            stop: AtomicBool::new(false),
            bench: OnceLock::new(),
        }))
    }

    /// What it is like.
    pub fn config(&self) -> &NicConfig {
        &self.config
    }

    /// What it let through last: the union of what its bindings want.
    pub fn filter(&self) -> EthernetFilter {
        self.state.lock().filter.clone()
    }

    /// What it counted.
    pub fn statistics(&self) -> Statistics {
        self.state.lock().statistics
    }

    /// Received NBLs that were not returned.
    pub fn receives_outstanding(&self) -> usize {
        self.state.lock().out.len()
    }

    /// Whether every frame that it received was indicated, and is back.
    pub fn is_quiet(&self) -> bool {
        let state = self.state.lock();
        state.indicating == 0 && state.out.is_empty()
    }

    /// Sends that were not completed.
    pub fn sends_outstanding(&self) -> usize {
        self.state.lock().sends.len()
    }

    /// Keeps sends (they are on the wire, but not completed), or completes what is kept.
    pub fn hold_sends(&self, hold: bool) {
        self.state.lock().hold_sends = hold;
        self.state.notify_all();
    }

    /// Keeps OID requests unanswered, or answers what is kept.
    pub fn hold_requests(&self, hold: bool) {
        self.state.lock().hold_requests = hold;
        self.state.notify_all();
    }

    /// OID requests that it keeps: regular ones.
    pub fn requests_outstanding(&self) -> usize {
        self.state.lock().requests.len()
    }

    /// Direct OID requests that it keeps.
    pub fn direct_requests_outstanding(&self) -> usize {
        self.state.lock().direct_requests.len()
    }

    /// Another MTU, which drivers above learn of when the adapter restarts next.
    pub fn set_mtu_at_restart(&self, mtu: u32) {
        self.state.lock().mtu_at_restart = Some(mtu);
    }

    /// Waits until it keeps that many sends.
    pub fn wait_sends(&self, timeout: Duration, count: usize) -> bool {
        self.state
            .wait_until(Some(timeout), |state| {
                (state.sends.len() >= count).then_some(())
            })
            .is_some()
    }

    /// Plugs or unplugs the cable, and indicates it.
    pub fn set_link(&self, up: bool) {
        self.state.lock().link_down = !up;
        let link = self.link();
        self.indicate_status(NDIS_STATUS_LINK_STATE, &link);
    }

    /// Indicates a status with a buffer.
    pub fn indicate_status<T: Copy>(&self, code: NDIS_STATUS, buffer: &T) {
        {
            let mut state = self.state.lock();
            if !state.up {
                return;
            }
            state.telling += 1;
        }
        let handle = self.handle();
        let mut buffer = *buffer;
        let mut indication = NDIS_STATUS_INDICATION {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_STATUS_INDICATION,
                NDIS_STATUS_INDICATION_REVISION_1,
                NDIS_SIZEOF_STATUS_INDICATION_REVISION_1,
            ),
            SourceHandle: handle,
            StatusCode: code,
            StatusBuffer: (&raw mut buffer).cast(),
            StatusBufferSize: size_of::<T>() as u32,
            ..NDIS_STATUS_INDICATION::zeroed()
        };
        {
            let _entered = caller::enter(CALLER);
            // SAFETY: the handle is the adapter's, whose halt waits for the end of this; the
            // indication lives during the call.
            unsafe { crate::ndis::status::NdisMIndicateStatusEx(handle, &raw mut indication) };
        }
        self.state.lock().telling -= 1;
        self.state.notify_all();
    }

    fn link(&self) -> NDIS_LINK_STATE {
        let up = !self.state.lock().link_down;
        // Field by field: what lies between the fields goes to protocols too, and stays zero.
        let mut link = NDIS_LINK_STATE::zeroed();
        link.Header = NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_DEFAULT,
            NDIS_LINK_STATE_REVISION_1,
            NDIS_SIZEOF_LINK_STATE_REVISION_1,
        );
        link.MediaConnectState = if up {
            MediaConnectStateConnected
        } else {
            MediaConnectStateDisconnected
        };
        link.MediaDuplexState = MediaDuplexStateFull;
        link.XmitLinkSpeed = self.config.link_speed;
        link.RcvLinkSpeed = self.config.link_speed;
        link
    }

    fn handle(&self) -> NDIS_HANDLE {
        self.handle.load(Ordering::Acquire)
    }
}

impl ByKind {
    fn add(counts: &mut [(u64, u64); 3], destination: Mac, bytes: u64) {
        let kind = match destination {
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => 2,
            [first, ..] if first & 1 != 0 => 1,
            _ => 0,
        };
        counts[kind].0 += 1;
        counts[kind].1 += bytes;
    }

    fn write_to(&self, info: &mut NDIS_STATISTICS_INFO) {
        let [directed, multicast, broadcast] = self.received;
        (info.ifHCInUcastPkts, info.ifHCInUcastOctets) = directed;
        (info.ifHCInMulticastPkts, info.ifHCInMulticastOctets) = multicast;
        (info.ifHCInBroadcastPkts, info.ifHCInBroadcastOctets) = broadcast;
        info.ifHCInOctets = directed.1 + multicast.1 + broadcast.1;
        let [directed, multicast, broadcast] = self.sent;
        (info.ifHCOutUcastPkts, info.ifHCOutUcastOctets) = directed;
        (info.ifHCOutMulticastPkts, info.ifHCOutMulticastOctets) = multicast;
        (info.ifHCOutBroadcastPkts, info.ifHCOutBroadcastOctets) = broadcast;
        info.ifHCOutOctets = directed.1 + multicast.1 + broadcast.1;
    }
}

/// Who runs in the NIC driver's functions.
pub(crate) const CALLER: Caller = Caller {
    name: "nic",
    built_in: true,
};
