//! The OID requests of one adapter or filter module: its driver has one, the others wait.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ndis_sys::{
    NDIS_OID, NDIS_OID_REQUEST, NDIS_REQUEST_TYPE, NDIS_STATUS, NDIS_STATUS_NOT_ACCEPTED,
    NDIS_STATUS_PENDING, NDIS_STATUS_REQUEST_ABORTED, NDIS_STATUS_SUCCESS,
    OID_802_3_DELETE_MULTICAST_ADDRESS, OID_PM_REMOVE_PROTOCOL_OFFLOAD, OID_PM_REMOVE_WOL_PATTERN,
    OID_PNP_SET_POWER, OID_RECEIVE_FILTER_CLEAR_FILTER, OID_RECEIVE_FILTER_FREE_QUEUE,
    OID_TCP_TASK_IPSEC_OFFLOAD_V2_DELETE_SA,
};

use super::answer;
use super::request::{self, Request};
use crate::ndis::binding::Binding;
use crate::ndis::driver::{run_data, run_status};
use crate::ndis::filter::{Layer, Module};
use crate::ndis::{pnp, policy};
use crate::nt::sched::{self, Monitor};
use crate::{call, rules};

/// A request on its way.
pub(super) struct Entry {
    id: u64,
    /// What the miniport gets.
    request: Request,
    source: Source,
    since: Duration,
    /// The driver's function returned and left it pending.
    pended: bool,
    /// What the miniport gets in place of the source's request, with its buffer.
    own: Option<Box<Own>>,
    at_its_turn: Option<AtItsTurn>,
    then: Option<Then>,
}

/// A request that NDIS made, and its buffer.
pub(super) struct Own {
    pub(super) request: NDIS_OID_REQUEST,
    pub(super) buffer: Vec<u8>,
}

// SAFETY: the request's pointers lead to `buffer` only, and go with it.
unsafe impl Send for Own {}

impl Own {
    /// A query or a set.
    pub(super) fn new(kind: NDIS_REQUEST_TYPE, oid: NDIS_OID, mut buffer: Vec<u8>) -> Box<Self> {
        let request = request::new(kind, oid, &mut buffer);
        Box::new(Self { request, buffer })
    }

    /// Another buffer for the same request.
    pub(super) fn replace(&mut self, buffer: Vec<u8>) {
        self.buffer = buffer;
        let data = &mut self.request.DATA;
        // A query and a set have the same layout.
        data.QUERY_INFORMATION.InformationBuffer = self.buffer.as_mut_ptr().cast();
        data.QUERY_INFORMATION.InformationBufferLength = self.buffer.len() as u32;
    }
}

/// Who asked.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// A binding, with the request that it made.
    Binding(&'static Binding, Request),
    /// A filter module, with the request that it made.
    Filter(&'static Module, Request),
    /// The host.
    Host(&'static Monitor<Option<NDIS_STATUS>>),
}

/// Makes the value that the miniport gets.
type AtItsTurn = Box<dyn FnOnce(&mut Own) + Send>;

/// What NDIS does with the miniport's answer before the source gets it.
type Then = Box<dyn FnOnce(NDIS_STATUS, &Own) -> NDIS_STATUS + Send>;

impl Entry {
    /// A request that the miniport gets as it is.
    pub(super) fn new(request: Request, source: Source) -> Self {
        Self {
            id: next_id(),
            request,
            source,
            since: sched::now(),
            pended: false,
            own: None,
            at_its_turn: None,
            then: None,
        }
    }

    /// The request that the source made, whatever the miniport gets.
    fn made(&self) -> Request {
        match self.source {
            Source::Binding(_, request) | Source::Filter(_, request) => request,
            Source::Host(_) => self.request,
        }
    }

    /// A request of NDIS's own in the place of the source's; `then` makes the answer, before the next
    /// request has its turn.
    pub(super) fn translated(
        mut own: Box<Own>,
        source: Source,
        then: impl FnOnce(NDIS_STATUS, &Own) -> NDIS_STATUS + Send + 'static,
    ) -> Self {
        // SAFETY: the request is in the box, which goes with the entry.
        let request = unsafe { Request::new(&raw mut own.request) };
        let entry = Self::new(request, source);
        own.request.RequestId = entry.made().id();
        Self {
            own: Some(own),
            then: Some(Box::new(then)),
            ..entry
        }
    }

    /// The same of which the value is made when all requests before it have been answered.
    pub(super) fn at_its_turn(self, make: impl FnOnce(&mut Own) + Send + 'static) -> Self {
        Self {
            at_its_turn: Some(Box::new(make)),
            ..self
        }
    }

    /// It is this request's turn: what the miniport gets.
    fn begin(&mut self) -> Request {
        if let (Some(make), Some(own)) = (self.at_its_turn.take(), &mut self.own) {
            make(own);
        }
        self.request
    }

    /// The answer of `at` is this: what the source gets.
    fn end(&mut self, at: Layer, status: NDIS_STATUS) -> NDIS_STATUS {
        if let Layer::Adapter(adapter) = at
            && status == NDIS_STATUS_SUCCESS
        {
            answer::note_set(adapter, self.request);
        }
        match (self.then.take(), &self.own) {
            (Some(then), Some(own)) => then(status, own),
            _ => status,
        }
    }
}

/// The requests of an adapter.
#[derive(Default)]
pub(crate) struct Queue(Monitor<Inner>);

#[derive(Default)]
struct Inner {
    current: Option<Entry>,
    /// Calls to the holder of the current request that ask it to complete that soon.
    cancelling: u32,
    waiting: VecDeque<Entry>,
    /// The requests that were completed last: to tell a second completion from nonsense. Not only
    /// one: when a request is completed, the next is at the miniport at once, on another thread.
    completed: VecDeque<usize>,
}

impl Inner {
    /// Takes the current request, which `at` has answered. What that changes is done when the next one can
    /// become the current one. Answers with what the source gets, too.
    fn end(&mut self, at: Layer, status: NDIS_STATUS) -> Option<(Entry, NDIS_STATUS)> {
        let mut entry = self.current.take()?;
        self.note_completed(entry.request.raw());
        let status = entry.end(at, status);
        Some((entry, status))
    }

    fn note_completed(&mut self, request: *mut NDIS_OID_REQUEST) {
        self.completed.push_back(request as usize);
        if self.completed.len() > REMEMBERED {
            self.completed.pop_front();
        }
    }
}

/// A call that asks the holder of a request to complete it soon.
pub(super) struct Cancelling<'a>(&'a Queue);

impl Drop for Cancelling<'_> {
    fn drop(&mut self) {
        self.0.0.lock().cancelling -= 1;
        self.0.0.notify_all();
    }
}

impl Queue {
    /// The requests on their way, for reports: nothing if there are none, or the lock is taken.
    pub(crate) fn glance(&self) -> Option<String> {
        let inner = self.0.try_lock()?;
        let current = inner.current.as_ref()?;
        // Not what it asks: the driver may have freed it.
        Some(format!(
            "an OID request at the miniport for {} ms, {} wait",
            (sched::now() - current.since).as_millis(),
            inner.waiting.len()
        ))
    }

    /// Takes a request on its way, on this thread if `inline` and it is its turn.
    pub(super) fn submit(&self, at: Layer, entry: Entry, inline: bool) -> NDIS_STATUS {
        let address = entry.made().raw() as usize;
        let mut inner = self.0.lock();
        let same = |entry: &Entry| entry.made().raw() as usize == address;
        if inner.current.as_ref().is_some_and(same) || inner.waiting.iter().any(same) {
            drop(inner);
            rules::broken(
                &rules::NDIS_OID_DOUBLE_REQUEST,
                format_args!("the request at {address:#x} is on its way already"),
            );
        }
        rules::held(&rules::NDIS_OID_DOUBLE_REQUEST);
        if inner.current.is_some() {
            inner.waiting.push_back(entry);
            return NDIS_STATUS_PENDING;
        }
        inner.current = Some(entry);
        drop(inner);
        if inline {
            return self.run(at, true);
        }
        pnp::job("NDIS OID", move || {
            queue_of(at).run(at, false);
        });
        NDIS_STATUS_PENDING
    }

    /// Whether the miniport has left a request pending, and not completed it.
    pub(crate) fn is_pending(&self) -> bool {
        let inner = self.0.lock();
        inner.current.as_ref().is_some_and(|entry| entry.pended)
    }

    /// Whether that request is here.
    pub(crate) fn has(&self, request: *mut NDIS_OID_REQUEST) -> bool {
        let inner = self.0.lock();
        let current = inner.current.as_ref();
        current.is_some_and(|entry| entry.request.raw() == request)
    }

    /// Waits until no request is at the miniport or filter module `at`, and it is not being asked to
    /// complete one: what follows may be its end.
    pub(crate) fn drain(&self, at: Layer) {
        let limit = policy::current().watchdog;
        let idle = self.0.wait_until(Some(limit), |inner| {
            (inner.current.is_none() && inner.cancelling == 0).then_some(())
        });
        if idle.is_none() {
            kept_too_long(at, &self.describe(), limit);
        }
        rules::held(&rules::NDIS_BUGCHECK_WATCHDOG_MINIPORT_OID);
    }

    /// The request at the miniport, in words.
    pub(crate) fn describe(&self) -> String {
        self.0
            .lock()
            .current
            .as_ref()
            .map_or_else(|| "no request".to_owned(), |entry| entry.request.describe())
    }

    /// For how long the request at the miniport is there.
    pub(crate) fn pending_for(&self) -> Option<Duration> {
        let inner = self.0.lock();
        inner
            .current
            .as_ref()
            .map(|entry| sched::now() - entry.since)
    }

    /// Keeps the holder of the request with that id from its end, for as long as the answer lives. The
    /// request may be completed meanwhile. Nothing if its holder has none with that id.
    pub(super) fn begin_cancel(&self, id: *mut c_void) -> Option<Cancelling<'_>> {
        let mut inner = self.0.lock();
        let current = inner.current.as_ref()?;
        if current.request.id() != id {
            return None;
        }
        inner.cancelling += 1;
        Some(Cancelling(self))
    }

    /// Aborts the waiting requests with that id. Answers whether there was one.
    pub(super) fn cancel_waiting(&self, at: Layer, id: *mut c_void) -> bool {
        let mut cancelled = Vec::new();
        {
            let mut inner = self.0.lock();
            let waiting = std::mem::take(&mut inner.waiting);
            for entry in waiting {
                if entry.request.id() == id {
                    cancelled.push(entry);
                } else {
                    inner.waiting.push_back(entry);
                }
            }
        }
        let any = !cancelled.is_empty();
        for mut entry in cancelled {
            pnp::job("NDIS OID", move || {
                let status = entry.end(at, NDIS_STATUS_REQUEST_ABORTED);
                finish(&entry, status, false);
            });
        }
        any
    }

    /// Calls `MiniportOidRequest` or `FilterOidRequest` for the current request. Synchronous answers
    /// are returned if `inline`, else the source is called.
    fn run(&self, at: Layer, inline: bool) -> NDIS_STATUS {
        let (id, request) = {
            let mut inner = self.0.lock();
            let entry = inner.current.as_mut().expect("a request was made current");
            (entry.id, entry.begin())
        };
        let about = format!("{} {}", request.describe(), at.name());
        let function = function_of(at);
        let status = run_status(at.caller(), function, &about, || call(at, request));
        if status == NDIS_STATUS_PENDING {
            let mut inner = self.0.lock();
            if let Some(entry) = inner.current.as_mut().filter(|entry| entry.id == id) {
                entry.pended = true;
            }
            return NDIS_STATUS_PENDING;
        }
        let mut inner = self.0.lock();
        if inner.current.as_ref().map(|entry| entry.id) != Some(id) {
            drop(inner);
            rules::broken(
                &rules::DOUBLE_COMPLETE,
                format_args!(
                    "{function} of {about} completed the request and returned {status:#x}"
                ),
            );
        }
        rules::held(&rules::DOUBLE_COMPLETE);
        let (entry, answer) = inner.end(at, status).expect("just looked at");
        drop(inner);
        self.0.notify_all();
        check(at, entry.request, status);
        let status = finish(&entry, answer, inline);
        self.next(at);
        status
    }

    /// The miniport or filter module `at` completes a request.
    pub(crate) fn completed(&self, at: Layer, request: *mut NDIS_OID_REQUEST, status: NDIS_STATUS) {
        let taken = {
            let mut inner = self.0.lock();
            let is_it = inner
                .current
                .as_ref()
                .is_some_and(|entry| entry.request.raw() == request);
            if is_it {
                Ok(inner.end(at, status).expect("just looked at"))
            } else {
                Err(inner.completed.contains(&(request as usize)))
            }
        };
        let (entry, answer) = match taken {
            Ok(ended) => {
                rules::held(&rules::NDIS_OID_DOUBLE_COMPLETE);
                rules::held(&rules::DOUBLE_COMPLETE_WORK_ITEM);
                rules::held(&rules::NDIS_BUGCHECK_INVALID_OID_COMPLETION);
                ended
            }
            Err(twice) => rules::broken(
                if twice && call::is_inside(&["NdisIoWorkItemRoutine"]) {
                    &rules::DOUBLE_COMPLETE_WORK_ITEM
                } else if twice {
                    &rules::NDIS_OID_DOUBLE_COMPLETE
                } else {
                    &rules::NDIS_BUGCHECK_INVALID_OID_COMPLETION
                },
                format_args!(
                    "the request at {request:p} is completed and is not pending at {}; {} is",
                    at.name(),
                    self.describe()
                ),
            ),
        };
        if status == NDIS_STATUS_PENDING {
            rules::broken(
                &rules::NDIS_OID_COMPLETE,
                format_args!(
                    "{} is completed with NDIS_STATUS_PENDING",
                    entry.request.describe()
                ),
            );
        }
        rules::held(&rules::NDIS_OID_COMPLETE);
        self.0.notify_all();
        check(at, entry.request, status);
        finish(&entry, answer, false);
        self.next(at);
    }

    /// Gives `at` the next request, if one waits.
    fn next(&self, at: Layer) {
        let mut inner = self.0.lock();
        if inner.current.is_some() {
            return;
        }
        let Some(entry) = inner.waiting.pop_front() else {
            return;
        };
        inner.current = Some(entry);
        drop(inner);
        pnp::job("NDIS OID", move || {
            queue_of(at).run(at, false);
        });
    }
}

/// The requests of an adapter or a filter module.
pub(super) fn queue_of(at: Layer) -> &'static Queue {
    match at {
        Layer::Adapter(adapter) => &adapter.oids,
        Layer::Filter(module) => &module.oids,
    }
}

fn function_of(at: Layer) -> &'static str {
    match at {
        Layer::Adapter(_) => "MiniportOidRequest",
        Layer::Filter(_) => "FilterOidRequest",
    }
}

/// Calls the driver's function, in its guard.
fn call(at: Layer, request: Request) -> NDIS_STATUS {
    match at {
        Layer::Adapter(adapter) => {
            let handler = adapter.driver().handlers().OidRequestHandler;
            let handler = handler.expect("registration requires it");
            let context = adapter.context();
            // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the context that it
            // set and a request that lives until it is completed.
            unsafe { handler(context, request.raw()) }
        }
        Layer::Filter(module) => {
            let handler = module.driver().handlers().OidRequestHandler;
            let handler = handler.expect("modules without it are left out");
            let context = module.context();
            // SAFETY: as above; a module is not detached before its requests are completed.
            unsafe { handler(context, request.raw()) }
        }
    }
}

/// Ends the run: a request, in words, is at `at` for longer than the watchdog allows.
pub(super) fn kept_too_long(at: Layer, what: &str, limit: Duration) -> ! {
    let rule = match at {
        Layer::Adapter(_) => &rules::NDIS_BUGCHECK_WATCHDOG_MINIPORT_OID,
        Layer::Filter(_) => &rules::NDIS_BUGCHECK_WATCHDOG_FILTER_OID,
    };
    rules::broken(
        rule,
        format_args!(
            "{what} is pending at {} for {} s",
            at.name(),
            limit.as_secs()
        ),
    )
}

/// Gives the source its answer: by return if `inline`, else by its completion handler.
fn finish(entry: &Entry, status: NDIS_STATUS, inline: bool) -> NDIS_STATUS {
    match entry.source {
        Source::Binding(binding, request) => {
            if inline {
                binding.requests.fetch_sub(1, Ordering::SeqCst);
                return status;
            }
            let handler = binding.protocol().handlers().OidRequestCompleteHandler;
            let handler = handler.expect("registration requires it");
            let context = binding.context();
            binding.requests.fetch_sub(1, Ordering::SeqCst);
            let about = format!("{} {}", request.describe(), binding.name());
            run_data(
                binding.protocol().caller(),
                "ProtocolOidRequestComplete",
                &about,
                || {
                    // SAFETY: the driver's registered function, with the context of a binding that is
                    // not closed before its requests are answered.
                    unsafe { handler(context, request.raw(), status) };
                },
            );
        }
        Source::Filter(module, request) => {
            if inline {
                module.requests.fetch_sub(1, Ordering::SeqCst);
                return status;
            }
            let handler = module.driver().handlers().OidRequestCompleteHandler;
            let handler = handler.expect("NdisFOidRequest requires it");
            let _busy = module.enter_owed();
            module.requests.fetch_sub(1, Ordering::SeqCst);
            let context = module.context();
            let about = format!("{} {}", request.describe(), module.name());
            let caller = module.driver().caller();
            run_data(caller, "FilterOidRequestComplete", &about, || {
                // SAFETY: the driver's registered function, with the context of a module that is not
                // detached before its requests are answered.
                unsafe { handler(context, request.raw(), status) };
            });
        }
        Source::Host(answer) => {
            if inline {
                return status;
            }
            *answer.lock() = Some(status);
            answer.notify_all();
        }
    }
    NDIS_STATUS_PENDING
}

/// What every answer of a miniport or a filter promises.
pub(super) fn check(at: Layer, request: Request, status: NDIS_STATUS) {
    let (name, count, limit) = request.counts();
    if status == NDIS_STATUS_SUCCESS && count > limit {
        rules::broken(
            &rules::NDIS_BUGCHECK_OID_REQUEST_INVALID_BUFFER,
            format_args!(
                "{} at {}: {name} is {count}, the buffer has {limit} bytes",
                request.describe(),
                at.name()
            ),
        );
    }
    rules::held(&rules::NDIS_BUGCHECK_OID_REQUEST_INVALID_BUFFER);
    let allowed: &[NDIS_STATUS] = match request.oid() {
        OID_PNP_SET_POWER if request.is_set() => &[NDIS_STATUS_SUCCESS, NDIS_STATUS_NOT_ACCEPTED],
        oid if request.is_set() && MUST_NOT_FAIL.contains(&oid) => &[
            NDIS_STATUS_SUCCESS,
            NDIS_STATUS_NOT_ACCEPTED,
            NDIS_STATUS_REQUEST_ABORTED,
        ],
        _ => return,
    };
    rules::check(&rules::NDIS_OID_COMPLETE, allowed.contains(&status), || {
        format!(
            "{} at {} ended with {status:#x}; it may end with {allowed:#x?} only",
            request.describe(),
            at.name()
        )
    });
}

/// Sets that give something back, which failing would lose (`ndis-ndisoidcomplete.md`).
const MUST_NOT_FAIL: &[NDIS_OID] = &[
    OID_RECEIVE_FILTER_CLEAR_FILTER,
    OID_TCP_TASK_IPSEC_OFFLOAD_V2_DELETE_SA,
    OID_RECEIVE_FILTER_FREE_QUEUE,
    OID_802_3_DELETE_MULTICAST_ADDRESS,
    OID_PM_REMOVE_WOL_PATTERN,
    OID_PM_REMOVE_PROTOCOL_OFFLOAD,
];

/// How many completed requests an adapter's queue knows.
const REMEMBERED: usize = 16;

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
