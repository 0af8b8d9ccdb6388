//! OID requests: from a binding (or the host) through the filters to an adapter, one after the other,
//! and back.
//!
//! NDIS answers some requests itself (`answer`) and changes others, because a filter or a multicast
//! list is each binding's own but the adapter's is their union (`filter`). All others reach
//! `MiniportOidRequest` as they are, one at a time for each adapter, at PASSIVE_LEVEL.
//!
//! | file | concern |
//! |---|---|
//! | `queue` | one request at a time, completion |
//! | `request` | the fields of a request |
//! | `answer` | what NDIS knows itself |
//! | `filter` | packet filter, multicast list, look-ahead |
//! | `receive_filter` | receive filters for addresses |
//! | `statistics` | single counters from `OID_GEN_STATISTICS` |
//! | `wake` | wake-on-LAN parameters and patterns |
//! | `clone` | clones for intermediate drivers |
//! | `direct`, `synchronous` | requests past the queue |

mod answer;
pub(crate) mod clone;
pub(crate) mod direct;
mod filter;
mod queue;
pub(crate) mod receive_filter;
pub(crate) mod request;
mod statistics;
mod synchronous;
pub(crate) mod wake;

use std::sync::atomic::Ordering;

use ndis_sys::{
    NDIS_HANDLE, NDIS_OID_REQUEST, NDIS_STATUS, NDIS_STATUS_FAILURE, NDIS_STATUS_PENDING,
};

pub(crate) use queue::Queue;
use queue::{Entry, Source};
use request::Request;

use super::adapter::{Adapter, AdapterState};
use super::binding::Binding;
use super::driver::run_data;
use super::faults::should_fail;
use super::filter::{Layer, Module};
use super::object::resolve;
use super::policy::{self, When};
use super::trace;
use crate::call::Export;
use crate::nt::irql::{self, Irql};
use crate::nt::sched::Monitor;

pub(crate) const TABLES: &[&[Export]] = &[
    EXPORTS,
    clone::EXPORTS,
    direct::EXPORTS,
    synchronous::EXPORTS,
];

crate::ddi! { "ndis.sys":
    /// A protocol asks the adapter that it is bound to.
    [PASSIVE..=DISPATCH] fn NdisOidRequest(
        NdisBindingHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisOidRequest";
        let binding = resolve::<Binding>(NdisBindingHandle, NAME);
        // SAFETY: the request lives until it is completed, by the document.
        let request = unsafe { Request::checked(OidRequest, NAME) };
        trace::next_at(binding.name());
        let mut record = trace::call(NAME, &request.describe());
        binding.require_awake(&format!("{NAME} ({})", request.describe()));
        if should_fail("NdisOidRequest") {
            return record.returns(NDIS_STATUS_FAILURE);
        }
        record.returns(submit(binding, request))
    }

    /// A miniport completes the request that it has.
    [PASSIVE..=DISPATCH] fn NdisMOidRequestComplete(
        MiniportAdapterHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        Status: NDIS_STATUS,
    ) {
        const NAME: &str = "NdisMOidRequestComplete";
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        let mut record = trace::call(NAME, adapter.name());
        record.returns(Status);
        adapter.oids.completed(Layer::Adapter(adapter), OidRequest, Status);
    }

    /// Asks the miniport below to complete a request soon.
    [PASSIVE..=DISPATCH] fn NdisCancelOidRequest(
        NdisBindingHandle: NDIS_HANDLE,
        RequestId: *mut std::ffi::c_void,
    ) {
        const NAME: &str = "NdisCancelOidRequest";
        let binding = resolve::<Binding>(NdisBindingHandle, NAME);
        let _record = trace::call(NAME, binding.name());
        cancel(binding.adapter(), None, RequestId);
    }
}

/// Cancels requests with that id that came from `from` (a binding, if that is `None`): those that wait
/// are aborted, of one that is further below its holder is asked to complete it.
pub(crate) fn cancel(
    adapter: &'static Adapter,
    from: Option<&'static Module>,
    id: *mut std::ffi::c_void,
) {
    let at = first_below(adapter, from);
    let queue = queue::queue_of(at);
    if queue.cancel_waiting(at, id) {
        return;
    }
    let Some(_cancelling) = queue.begin_cancel(id) else {
        return;
    };
    match at {
        Layer::Adapter(adapter) => {
            let handler = adapter.driver().handlers().CancelOidRequestHandler;
            let handler = handler.expect("registration requires it");
            let context = adapter.context();
            let caller = adapter.driver().caller();
            run_data(caller, "MiniportCancelOidRequest", adapter.name(), || {
                // SAFETY: the driver's registered function, with the context that it set, of an adapter
                // whose halt waits for the end of this.
                unsafe { handler(context, id) };
            });
        }
        Layer::Filter(module) => {
            let Some(handler) = module.driver().handlers().CancelOidRequestHandler else {
                // It keeps no requests: what it passed on is further below, with the same id.
                return cancel(adapter, Some(module), id);
            };
            let _busy = module.enter_owed();
            let context = module.context();
            let caller = module.driver().caller();
            run_data(caller, "FilterCancelOidRequest", module.name(), || {
                // SAFETY: the driver's registered function, with the context that it set.
                unsafe { handler(context, id) };
            });
        }
    }
}

/// Who gets a request from `from` (a binding, or NDIS, if that is `None`): the next filter module that
/// handles requests, or the adapter.
fn first_below(adapter: &'static Adapter, from: Option<&'static Module>) -> Layer {
    let has = |module: &Module| module.driver().handlers().OidRequestHandler.is_some();
    match adapter.filters.below(from, has) {
        Some(module) => Layer::Filter(module),
        None => Layer::Adapter(adapter),
    }
}

/// Takes a request of a filter module on its way. Anything but PENDING is the answer.
pub(crate) fn submit_below(module: &'static Module, request: Request) -> NDIS_STATUS {
    let adapter = module.adapter();
    if let Some(status) = answer::answer(adapter, None, request) {
        return status;
    }
    let source = Source::Filter(module, request);
    let entry = statistics::translate(source, request);
    let entry = entry.unwrap_or_else(|| Entry::new(request, source));
    module.requests.fetch_add(1, Ordering::SeqCst);
    put(first_below(adapter, Some(module)), entry)
}

fn put(at: Layer, entry: Entry) -> NDIS_STATUS {
    queue::queue_of(at).submit(at, entry, may_inline())
}

/// Takes a request of a binding on its way. Anything but PENDING is the answer.
fn submit(binding: &'static Binding, request: Request) -> NDIS_STATUS {
    let adapter = binding.adapter();
    if let Some(status) = answer::answer(adapter, Some(binding), request) {
        return status;
    }
    binding.requests.fetch_add(1, Ordering::SeqCst);
    let entry = match statistics::translate(Source::Binding(binding, request), request) {
        Some(entry) => entry,
        None => match filter::translate(binding, request) {
            Ok(entry) => entry,
            Err(status) => {
                binding.requests.fetch_sub(1, Ordering::SeqCst);
                return status;
            }
        },
    };
    put(first_below(adapter, None), entry)
}

/// The host itself sends a request to an adapter and waits for the answer.
pub(crate) fn ask(adapter: &'static Adapter, request: &mut NDIS_OID_REQUEST) -> NDIS_STATUS {
    // SAFETY: the request outlives this function, which waits for its end.
    unsafe { begin(adapter, request) }.wait()
}

/// A request of the host's own, on its way.
pub(crate) enum Asked {
    /// It was answered at once.
    Answered(NDIS_STATUS),
    /// The answer comes here.
    Pending(&'static Monitor<Option<NDIS_STATUS>>),
}

impl Asked {
    /// Waits for the answer.
    pub(crate) fn wait(self) -> NDIS_STATUS {
        match self {
            Self::Answered(status) => status,
            Self::Pending(answer) => answer
                .wait_until(None, |answer| *answer)
                .unwrap_or(NDIS_STATUS_FAILURE),
        }
    }
}

/// The host itself sends a request to an adapter.
///
/// # Safety
/// `request` lives, and nothing else touches it or its buffer, until [`Asked::wait`] has returned.
pub(crate) unsafe fn begin(adapter: &'static Adapter, request: *mut NDIS_OID_REQUEST) -> Asked {
    adapter.require_state(
        &[
            AdapterState::Paused,
            AdapterState::Restarting,
            AdapterState::Running,
            AdapterState::Pausing,
        ],
        "an OID request of NDIS",
    );
    let answer: &'static Monitor<Option<NDIS_STATUS>> = Box::leak(Box::new(Monitor::new(None)));
    // SAFETY: the caller's own promise.
    let request = unsafe { Request::new(request) };
    let entry = Entry::new(request, Source::Host(answer));
    match put(first_below(adapter, None), entry) {
        NDIS_STATUS_PENDING => Asked::Pending(answer),
        status => Asked::Answered(status),
    }
}

/// What a closed binding wanted no longer counts.
pub(crate) fn binding_left(binding: &'static Binding) {
    binding.change_filter(|filter| *filter = super::ethernet::EthernetFilter::default());
    binding.wake.clear();
}

fn may_inline() -> bool {
    policy::current().oid == When::Inline && irql::current() == Irql::PASSIVE
}

#[cfg(test)]
mod tests {
    use std::ffi::c_void;
    use std::time::Duration;

    use ndis_sys::{
        NDIS_STATUS_SUCCESS, NdisRequestQueryInformation, OID_GEN_VENDOR_DRIVER_VERSION,
    };

    use super::*;
    use crate::ndis::testing::{self, Miniport};
    use crate::nt::sched::{self, Signal};

    #[test]
    fn an_adapter_is_not_halted_while_its_driver_is_asked_to_cancel() {
        let adapter = testing::start(
            "cancel-meets-halt",
            Miniport {
                oid: |_, _| NDIS_STATUS_PENDING,
                ..Miniport::default()
            },
        );
        let id = 7 as *mut c_void;
        let mut bytes = [0; 4];
        let mut request = request::new(
            NdisRequestQueryInformation,
            OID_GEN_VENDOR_DRIVER_VERSION,
            &mut bytes,
        );
        request.RequestId = id;
        // SAFETY: the request and its buffer are locals that outlive the wait below.
        let asked = unsafe { begin(adapter, &raw mut request) };
        // The job that takes it to the miniport is done when it pends there.
        crate::ndis::pnp::wait_idle(Duration::from_secs(10));
        assert!(adapter.oids.begin_cancel(std::ptr::null_mut()).is_none());
        let cancelling = adapter
            .oids
            .begin_cancel(id)
            .expect("it is at the miniport");
        let at = Layer::Adapter(adapter);
        adapter
            .oids
            .completed(at, &raw mut request, NDIS_STATUS_SUCCESS);
        assert_eq!(asked.wait(), NDIS_STATUS_SUCCESS);
        let halted = Signal::new();
        let end = halted.clone();
        let thread = sched::spawn("halt", move || {
            testing::halt(adapter);
            end.set();
        });
        sched::sleep(Duration::from_millis(100));
        assert!(!halted.is_set(), "the cancel routine may still run");
        drop(cancelling);
        thread.join();
        assert!(halted.is_set());
    }
}
