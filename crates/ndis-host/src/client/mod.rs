//! Built-in upper clients: protocol drivers of the host's own, which come up as a network stack does.
//!
//! A client binds, reads the adapter's attributes, sets look-ahead, multicast list and packet filter,
//! sends and receives, pauses, and unbinds, through the functions that images call. Its other side is
//! either a test, which calls [`Client`], or a wire that it bridges to ([`Client::bridge`]).
//!
//! | file | concern |
//! |---|---|
//! | `protocol` | registration and the protocol's functions |
//! | `send` | NBLs from frames, tickets |
//! | `receive` | what was received |
//! | `wake` | wake-on-LAN patterns |
//! | `bridge` | a wire in place of a test |
//! | `bench` | the same chain again and again, in place of a test |

pub(crate) mod bench;
mod bridge;
mod protocol;
mod receive;
mod send;
mod wake;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ndis_sys::{
    NDIS_OID, NDIS_OID_REQUEST, NDIS_STATUS, NDIS_STATUS_CLOSED, NDIS_STATUS_PENDING,
    NdisRequestQueryInformation, NdisRequestSetInformation,
};

pub use receive::Received;
pub use send::{SendShape, SendTicket};
pub use wake::bitmap_pattern;

use crate::ndis::caller::{self, Caller};
use crate::ndis::ethernet::Mac;
use crate::ndis::oid::direct::{NdisCancelDirectOidRequest, NdisDirectOidRequest};
use crate::ndis::oid::{self, request};
use crate::ndis::{BindingState, strings};
use crate::nt::irql::{self, Irql};
use crate::nt::sched::Monitor;

/// An upper client.
pub struct Client {
    name: &'static str,
    device: String,
    state: Monitor<State>,
    /// What drives it in a measurement.
    bench: OnceLock<bench::Upper>,
}

#[derive(Default)]
struct State {
    protocol: Option<usize>,
    binding: Option<usize>,
    /// Signalled by an open or close that pended.
    opened: Option<NDIS_STATUS>,
    closed: bool,
    attributes: Option<Attributes>,
    link_up: bool,
    phase: Option<BindingState>,
    pool: Option<usize>,
    /// Sends out, by NBL.
    sends: BTreeMap<usize, send::Out>,
    /// Its send completion handler does not return.
    lingers: bool,
    /// Send calls in progress.
    sending: u32,
    /// Other calls in progress that use the binding.
    using: u32,
    /// The binding is about to be closed: no more calls with it but those of the closing.
    closing: bool,
    /// The adapter sleeps, or is about to.
    asleep: bool,
    buffer_pool: Option<usize>,
    /// OID requests out, with their answers.
    requests: BTreeMap<usize, Option<NDIS_STATUS>>,
    received: VecDeque<Received>,
    held: Vec<usize>,
    to_return: Vec<usize>,
    returning: bool,
    hold_receives: bool,
    /// What is held is not returned at a pause.
    keeps_over_pauses: bool,
    statuses: Vec<(NDIS_STATUS, Vec<u8>)>,
    events: Vec<i32>,
    refuses_sleep: bool,
    refuses_removal: bool,
    asks_before_removal: Option<NDIS_OID>,
    packet_filter: u32,
    /// The numbers of its wake-on-LAN patterns.
    wake_patterns: Vec<u32>,
    /// It wants to be woken for frames to its address.
    wakes: bool,
    counters: ClientCounters,
    bridge: Option<Arc<dyn crate::wire::Wire>>,
    threads: u32,
    stop: bool,
}

/// What the adapter told a client when it bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// The current address.
    pub mac: Mac,
    /// The most bytes that a frame carries after its Ethernet header.
    pub mtu: u32,
    /// Bits a second.
    pub link_speed: u64,
    /// Whether there is a link.
    pub connected: bool,
    /// `NDIS_MAC_OPTION_*`.
    pub mac_options: u32,
    /// `NDIS_PACKET_TYPE_*` that the adapter can filter.
    pub packet_filters: u32,
    /// Bytes that the stack below wants before a frame.
    pub data_back_fill: u32,
    /// Bytes of NBL context that the stack below wants.
    pub context_back_fill: u32,
}

/// What a client counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientCounters {
    /// Frames sent.
    pub sent_frames: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Frames whose send failed.
    pub send_errors: u64,
    /// Frames received.
    pub received_frames: u64,
    /// Their bytes.
    pub received_bytes: u64,
    /// Frames that a bridge could not pass on because the adapter was not running.
    pub dropped: u64,
}

impl State {
    /// Whether no send is out or being made.
    fn is_quiet(&self) -> bool {
        self.sends.is_empty() && self.sending == 0
    }
}

impl Client {
    /// A client for the device of that name; it binds when that is initialized.
    pub(crate) fn new(name: &str, device: &str) -> &'static Self {
        Box::leak(Box::new(Self {
            name: strings::intern(name),
            device: device.to_owned(),
            state: Monitor::default(),
            bench: OnceLock::new(),
        }))
    }

    /// What it is called, as protocol driver too.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The device that it binds to.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Where its binding is.
    pub fn binding_state(&self) -> BindingState {
        self.state.lock().phase.unwrap_or(BindingState::Unbound)
    }

    /// Waits until its binding is in that state.
    pub fn wait_state(&self, state: BindingState, timeout: Duration) -> bool {
        self.state
            .wait_until(Some(timeout), |inner| {
                (inner.phase.unwrap_or(BindingState::Unbound) == state).then_some(())
            })
            .is_some()
    }

    /// Waits until its adapter tells of a link.
    pub fn wait_link(&self, up: bool, timeout: Duration) -> bool {
        self.state
            .wait_until(Some(timeout), |inner| (inner.link_up == up).then_some(()))
            .is_some()
    }

    /// Whether its adapter has a link, as it was last told.
    pub fn link_up(&self) -> bool {
        self.state.lock().link_up
    }

    /// What the adapter told when it bound last.
    pub fn attributes(&self) -> Option<Attributes> {
        self.state.lock().attributes
    }

    /// What it counted.
    pub fn counters(&self) -> ClientCounters {
        self.state.lock().counters
    }

    /// The statuses that it was indicated, with their buffers.
    pub fn statuses(&self) -> Vec<(NDIS_STATUS, Vec<u8>)> {
        self.state.lock().statuses.clone()
    }

    /// The network events that it was told, as `NET_PNP_EVENT_CODE`.
    pub fn events(&self) -> Vec<i32> {
        self.state.lock().events.clone()
    }

    /// Makes it keep the adapter below awake, against the advice of the documents, or not.
    pub fn refuse_sleep(&self, refuse: bool) {
        self.state.lock().refuses_sleep = refuse;
    }

    /// Makes it say that the adapter below cannot be removed, or not.
    pub fn refuse_removal(&self, refuse: bool) {
        self.state.lock().refuses_removal = refuse;
    }

    /// Makes it query this OID of 32 bits when it is asked whether the adapter below can be removed, and
    /// say no if that fails.
    pub fn ask_before_removal(&self, oid: Option<NDIS_OID>) {
        self.state.lock().asks_before_removal = oid;
    }

    /// Sets its packet filter, now and at the next bind.
    pub fn set_packet_filter(&self, types: u32) -> NDIS_STATUS {
        self.state.lock().packet_filter = types;
        self.set(
            ndis_sys::OID_GEN_CURRENT_PACKET_FILTER,
            &types.to_le_bytes(),
        )
    }

    /// Queries an OID: the status, and the answer.
    pub fn query(&self, oid: NDIS_OID, room: usize) -> (NDIS_STATUS, Vec<u8>) {
        let mut buffer = vec![0; room];
        let mut request = request::new(NdisRequestQueryInformation, oid, &mut buffer);
        let status = self.request(&mut request);
        // SAFETY: a query's member of the union.
        let written = unsafe { request.DATA.QUERY_INFORMATION.BytesWritten } as usize;
        buffer.truncate(written.min(room));
        (status, buffer)
    }

    /// Sets an OID.
    pub fn set(&self, oid: NDIS_OID, value: &[u8]) -> NDIS_STATUS {
        let mut buffer = value.to_vec();
        self.request(&mut request::new(
            NdisRequestSetInformation,
            oid,
            &mut buffer,
        ))
    }

    /// Makes any OID request and waits for its answer, which is `NDIS_STATUS_CLOSED` without a binding.
    pub fn request(&self, request: &mut NDIS_OID_REQUEST) -> NDIS_STATUS {
        let Some(using) = self.begin_use() else {
            return NDIS_STATUS_CLOSED;
        };
        self.request_on(using.binding, request)
    }

    /// The same on a binding that the caller knows to stay open.
    fn request_on(&self, binding: usize, request: &mut NDIS_OID_REQUEST) -> NDIS_STATUS {
        self.answer_to(request, |address| {
            // SAFETY: the binding is open, and the request lives until it is answered.
            unsafe { oid::NdisOidRequest(binding as *mut _, address) }
        })
    }

    /// Makes any OID request as a direct one, at DISPATCH_LEVEL, and waits for its answer, which is
    /// `NDIS_STATUS_CLOSED` without a binding.
    pub fn direct_request(&self, request: &mut NDIS_OID_REQUEST) -> NDIS_STATUS {
        let Some(using) = self.begin_use() else {
            return NDIS_STATUS_CLOSED;
        };
        let binding = using.binding as *mut _;
        self.answer_to(request, |address| {
            // SAFETY: the binding is open, and the request lives until it is answered.
            irql::at(Irql::DISPATCH, || unsafe {
                NdisDirectOidRequest(binding, address)
            })
        })
    }

    /// Queries an OID by a direct request with that `RequestId`: the status, and the answer.
    pub fn query_direct(&self, oid: NDIS_OID, room: usize, id: usize) -> (NDIS_STATUS, Vec<u8>) {
        let mut buffer = vec![0; room];
        let mut request = request::new(NdisRequestQueryInformation, oid, &mut buffer);
        request.RequestId = std::ptr::without_provenance_mut(id);
        let status = self.direct_request(&mut request);
        // SAFETY: a query's member of the union.
        let written = unsafe { request.DATA.QUERY_INFORMATION.BytesWritten } as usize;
        buffer.truncate(written.min(room));
        (status, buffer)
    }

    /// Asks for direct requests with that `RequestId` to be completed early.
    pub fn cancel_direct_requests(&self, id: usize) {
        let Some(using) = self.begin_use() else {
            return;
        };
        let _entered = caller::enter(self.caller());
        let id = std::ptr::without_provenance_mut(id);
        // SAFETY: the binding is open; the id is a number that NDIS compares.
        unsafe { NdisCancelDirectOidRequest(using.binding as *mut _, id) };
    }

    /// Makes a request by `ask`, and waits for its answer if it pends.
    fn answer_to(
        &self,
        request: &mut NDIS_OID_REQUEST,
        ask: impl FnOnce(*mut NDIS_OID_REQUEST) -> NDIS_STATUS,
    ) -> NDIS_STATUS {
        let _entered = caller::enter(self.caller());
        let address = std::ptr::from_mut(request);
        self.state.lock().requests.insert(address as usize, None);
        let mut status = ask(address);
        if status == NDIS_STATUS_PENDING {
            let answer = self.state.wait_until(None, |state| {
                state.requests.get(&(address as usize)).copied().flatten()
            });
            status = answer.unwrap_or(NDIS_STATUS_CLOSED);
        }
        self.state.lock().requests.remove(&(address as usize));
        status
    }

    /// Queries an OID with a `RequestId`, by which it can be cancelled: the status.
    pub fn query_with_id(&self, oid: NDIS_OID, room: usize, id: usize) -> NDIS_STATUS {
        let mut buffer = vec![0; room];
        let mut request = request::new(NdisRequestQueryInformation, oid, &mut buffer);
        request.RequestId = std::ptr::without_provenance_mut(id);
        self.request(&mut request)
    }

    /// Asks for OID requests with that `RequestId` to be completed early.
    pub fn cancel_requests(&self, id: usize) {
        let Some(using) = self.begin_use() else {
            return;
        };
        let _entered = caller::enter(self.caller());
        let id = std::ptr::without_provenance_mut(id);
        // SAFETY: the binding is open; the id is a number that NDIS compares.
        unsafe { oid::NdisCancelOidRequest(using.binding as *mut _, id) };
    }

    /// Keeps the binding from being closed for as long as the answer lives; none if it is not open, or
    /// is about to be closed or to sleep.
    fn begin_use(&self) -> Option<Using<'_>> {
        let mut state = self.state.lock();
        let binding = state.binding.filter(|_| !state.closing && !state.asleep)?;
        state.using += 1;
        Some(Using {
            client: self,
            binding,
        })
    }

    fn caller(&self) -> Caller {
        Caller {
            name: self.name,
            built_in: true,
        }
    }
}

/// A call in progress that uses a client's binding.
struct Using<'a> {
    client: &'a Client,
    binding: usize,
}

impl Drop for Using<'_> {
    fn drop(&mut self) {
        self.client.state.lock().using -= 1;
        self.client.state.notify_all();
    }
}
