//! Direct OID requests: from a binding or a filter module to what handles them next below, at the
//! caller's IRQL, beside the queue of the regular ones and beside each other.
//!
//! A filter module that has `FilterDirectOidRequest` gets what comes from above and passes a clone on; one
//! without it is left out. A request may pend, and is then completed once. NDIS lets only some OIDs take
//! this way; here any may, so that the miniport decides.
//!
//! Not in here: the functions that filters call (`ndis/filter/direct_oid.rs`).

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ndis_sys::{
    NDIS_HANDLE, NDIS_OID_REQUEST, NDIS_STATUS, NDIS_STATUS_FAILURE, NDIS_STATUS_NOT_SUPPORTED,
    NDIS_STATUS_PENDING,
};

use super::request::Request;
use crate::ndis::adapter::Adapter;
use crate::ndis::binding::Binding;
use crate::ndis::driver::{run_data, run_data_status};
use crate::ndis::faults::should_fail;
use crate::ndis::filter::{Layer, Module};
use crate::ndis::object::resolve;
use crate::ndis::{policy, trace};
use crate::nt::sched::{self, Monitor};
use crate::rules;

/// Who made a direct request.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Asker {
    /// A protocol's binding.
    Binding(&'static Binding),
    /// A filter module: a clone of what came from above, or a request of its own.
    Filter(&'static Module),
}

/// A direct request at a filter module or the miniport.
#[derive(Clone, Copy)]
struct Pending {
    at: Layer,
    asker: Asker,
    request: Request,
    since: Duration,
}

struct Inner {
    pending: Vec<Pending>,
    /// Whose driver is being asked to complete one soon, once for each such call.
    cancelling: Vec<Layer>,
}

crate::ddi! { "ndis.sys":
    /// A protocol asks the adapter that it is bound to, past the queue.
    [PASSIVE..=DISPATCH] fn NdisDirectOidRequest(
        NdisBindingHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisDirectOidRequest";
        let binding = resolve::<Binding>(NdisBindingHandle, NAME);
        // SAFETY: the request lives until it is completed, by the document.
        let request = unsafe { Request::checked(OidRequest, NAME) };
        let mut record = trace::call(NAME, &request.describe());
        binding.require_awake(&format!("{NAME} ({})", request.describe()));
        if should_fail(NAME) {
            return record.returns(NDIS_STATUS_FAILURE);
        }
        if binding.protocol().handlers().DirectOidRequestCompleteHandler.is_none() {
            return record.returns(NDIS_STATUS_NOT_SUPPORTED);
        }
        record.returns(submit(Asker::Binding(binding), request, NAME))
    }

    /// A miniport completes a direct request.
    [PASSIVE..=DISPATCH] fn NdisMDirectOidRequestComplete(
        MiniportAdapterHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        Status: NDIS_STATUS,
    ) {
        const NAME: &str = "NdisMDirectOidRequestComplete";
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        let mut record = trace::call(NAME, adapter.name());
        record.returns(Status);
        completed(Layer::Adapter(adapter), OidRequest, Status, NAME);
    }

    /// Asks those below to complete a direct request soon.
    [PASSIVE..=DISPATCH] fn NdisCancelDirectOidRequest(
        NdisBindingHandle: NDIS_HANDLE,
        RequestId: *mut c_void,
    ) {
        const NAME: &str = "NdisCancelDirectOidRequest";
        let binding = resolve::<Binding>(NdisBindingHandle, NAME);
        let _record = trace::call(NAME, binding.name());
        cancel(Asker::Binding(binding), RequestId);
    }
}

/// Gives a direct request to what handles it next below. Anything but PENDING is the answer.
pub(crate) fn submit(asker: Asker, request: Request, function: &str) -> NDIS_STATUS {
    let at = {
        let mut inner = OUT.lock();
        let same = |other: &Pending| other.request == request;
        if let Some(other) = inner.pending.iter().find(|other| same(other)).copied() {
            drop(inner);
            rules::broken(
                &rules::NDIS_OID_DOUBLE_REQUEST,
                format_args!(
                    "{function}: {} at {:p} is at {} already; a filter passes on a clone",
                    request.describe(),
                    request.raw(),
                    other.at.name()
                ),
            );
        }
        // A module that is being taken out is found no more from here on, or waits for this.
        let at = first_below(asker);
        inner.pending.push(Pending {
            at,
            asker,
            request,
            since: sched::now(),
        });
        at
    };
    rules::held(&rules::NDIS_OID_DOUBLE_REQUEST);
    asker.count().fetch_add(1, Ordering::SeqCst);
    let about = format!("{} {}", request.describe(), at.name());
    let status = call(at, request, &about);
    if status == NDIS_STATUS_PENDING {
        return status;
    }
    if take(at, request.raw()).is_none() {
        rules::broken(
            &rules::DOUBLE_COMPLETE,
            format_args!(
                "{} of {about} completed the request and returned {status:#x}",
                function_of(at)
            ),
        );
    }
    rules::held(&rules::DOUBLE_COMPLETE);
    super::queue::check(at, request, status);
    asker.count().fetch_sub(1, Ordering::SeqCst);
    status
}

/// The miniport or filter module `at` completes a direct request that pends there.
pub(crate) fn completed(
    at: Layer,
    request: *mut NDIS_OID_REQUEST,
    status: NDIS_STATUS,
    function: &str,
) {
    let Some(pending) = take(at, request) else {
        rules::broken(
            &rules::NDIS_BUGCHECK_INVALID_OID_COMPLETION,
            format_args!("{function}: {request:p} is not pending at {}", at.name()),
        );
    };
    rules::held(&rules::NDIS_BUGCHECK_INVALID_OID_COMPLETION);
    if status == NDIS_STATUS_PENDING {
        rules::broken(
            &rules::NDIS_OID_COMPLETE,
            format_args!(
                "{function} of {} with NDIS_STATUS_PENDING",
                pending.request.describe()
            ),
        );
    }
    super::queue::check(at, pending.request, status);
    answer(pending, status);
}

/// Cancels a direct request of `asker` with that id: its holder is asked to complete it.
pub(crate) fn cancel(asker: Asker, id: *mut c_void) {
    let at = {
        let mut inner = OUT.lock();
        let is_it = |other: &&Pending| other.asker == asker && other.request.id() == id;
        let Some(pending) = inner.pending.iter().find(is_it).copied() else {
            return;
        };
        inner.cancelling.push(pending.at);
        pending.at
    };
    let _cancelling = Cancelling(at);
    match at {
        Layer::Adapter(adapter) => {
            let handler = adapter.driver().handlers().CancelDirectOidRequestHandler;
            let handler = handler.expect("registration requires both or none");
            let context = adapter.context();
            let caller = adapter.driver().caller();
            run_data(
                caller,
                "MiniportCancelDirectOidRequest",
                adapter.name(),
                || {
                    // SAFETY: the driver's registered function, with the context that it set, of an
                    // adapter whose halt waits for the end of this.
                    unsafe { handler(context, id) };
                },
            );
        }
        Layer::Filter(module) => {
            let Some(handler) = module.driver().handlers().CancelDirectOidRequestHandler else {
                // It keeps no requests: what it passed on is further below, with the same id.
                return cancel(Asker::Filter(module), id);
            };
            let context = module.context();
            let caller = module.driver().caller();
            run_data(
                caller,
                "FilterCancelDirectOidRequest",
                module.name(),
                || {
                    // SAFETY: the driver's registered function, with the context that it set, of a
                    // module whose detach waits for the end of this.
                    unsafe { handler(context, id) };
                },
            );
        }
    }
}

/// Waits until no direct request is at the miniport or filter module `at`, and it is not being asked to
/// complete one: what follows may be its end.
pub(crate) fn drain(at: Layer) {
    let limit = policy::current().watchdog;
    let idle = OUT.wait_until(Some(limit), |inner| {
        let quiet = !inner.pending.iter().any(|other| other.at == at);
        (quiet && !inner.cancelling.contains(&at)).then_some(())
    });
    if idle.is_none() {
        super::queue::kept_too_long(at, "a direct OID request", limit);
    }
}

/// What pends at a miniport or filter module for longer than `limit`, in words.
pub(crate) fn late(at: Layer, limit: Duration) -> Option<String> {
    let inner = OUT.lock();
    let is_late = |other: &&Pending| other.at == at && sched::now() - other.since > limit;
    let late = inner.pending.iter().find(is_late)?;
    Some(format!("direct {}", late.request.describe()))
}

impl Asker {
    /// Where its requests are counted, direct and regular ones: it does not end before they do.
    fn count(self) -> &'static AtomicUsize {
        match self {
            Self::Binding(binding) => &binding.requests,
            Self::Filter(module) => &module.requests,
        }
    }
}

/// A call that asks for the end of a request, until it has returned.
struct Cancelling(Layer);

impl Drop for Cancelling {
    fn drop(&mut self) {
        let mut inner = OUT.lock();
        if let Some(at) = inner.cancelling.iter().position(|other| *other == self.0) {
            inner.cancelling.swap_remove(at);
        }
        drop(inner);
        OUT.notify_all();
    }
}

/// Who gets a direct request of `asker`: the next filter module that handles such, or the adapter.
fn first_below(asker: Asker) -> Layer {
    let has = |module: &Module| module.driver().handlers().DirectOidRequestHandler.is_some();
    let (adapter, from) = match asker {
        Asker::Binding(binding) => (binding.adapter(), None),
        Asker::Filter(module) => (module.adapter(), Some(module)),
    };
    match adapter.filters.below(from, has) {
        Some(module) => Layer::Filter(module),
        None => Layer::Adapter(adapter),
    }
}

fn function_of(at: Layer) -> &'static str {
    match at {
        Layer::Adapter(_) => "MiniportDirectOidRequest",
        Layer::Filter(_) => "FilterDirectOidRequest",
    }
}

/// Calls the driver's function. A miniport without one supports no direct request.
fn call(at: Layer, request: Request, about: &str) -> NDIS_STATUS {
    match at {
        Layer::Adapter(adapter) => {
            let Some(handler) = adapter.driver().handlers().DirectOidRequestHandler else {
                return NDIS_STATUS_NOT_SUPPORTED;
            };
            let context = adapter.context();
            run_data_status(at.caller(), function_of(at), about, || {
                // SAFETY: the driver's registered function, with the context that it set and a request
                // that lives until it is completed.
                unsafe { handler(context, request.raw()) }
            })
        }
        Layer::Filter(module) => {
            let handler = module.driver().handlers().DirectOidRequestHandler;
            let handler = handler.expect("modules without it are left out");
            let context = module.context();
            run_data_status(at.caller(), function_of(at), about, || {
                // SAFETY: as above; a module is not detached before its requests are completed.
                unsafe { handler(context, request.raw()) }
            })
        }
    }
}

/// Calls the completion function of who made the request.
fn answer(pending: Pending, status: NDIS_STATUS) {
    let Pending { asker, request, .. } = pending;
    match asker {
        Asker::Binding(binding) => {
            let handler = binding
                .protocol()
                .handlers()
                .DirectOidRequestCompleteHandler;
            let handler = handler.expect("the request was refused without it");
            let context = binding.context();
            asker.count().fetch_sub(1, Ordering::SeqCst);
            let about = format!("{} {}", request.describe(), binding.name());
            let caller = binding.protocol().caller();
            run_data(caller, "ProtocolDirectOidRequestComplete", &about, || {
                // SAFETY: the driver's registered function, with the context of a binding that is not
                // closed before its requests are answered.
                unsafe { handler(context, request.raw(), status) };
            });
        }
        Asker::Filter(module) => {
            let handler = module.driver().handlers().DirectOidRequestCompleteHandler;
            let handler = handler.expect("NdisFDirectOidRequest requires it");
            let _busy = module.enter_owed();
            asker.count().fetch_sub(1, Ordering::SeqCst);
            let context = module.context();
            let about = format!("{} {}", request.describe(), module.name());
            let caller = module.driver().caller();
            run_data(caller, "FilterDirectOidRequestComplete", &about, || {
                // SAFETY: the driver's registered function, with the context of a module that is not
                // detached before its requests are answered.
                unsafe { handler(context, request.raw(), status) };
            });
        }
    }
}

fn take(at: Layer, request: *mut NDIS_OID_REQUEST) -> Option<Pending> {
    let mut inner = OUT.lock();
    let is_it = |other: &Pending| other.at == at && other.request.raw() == request;
    let place = inner.pending.iter().position(is_it)?;
    let taken = inner.pending.swap_remove(place);
    drop(inner);
    OUT.notify_all();
    Some(taken)
}

static OUT: Monitor<Inner> = Monitor::new(Inner {
    pending: Vec::new(),
    cancelling: Vec::new(),
});

#[cfg(test)]
mod tests;
