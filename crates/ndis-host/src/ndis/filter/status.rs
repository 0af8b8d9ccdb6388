//! Status indications through a filter module.

use ndis_sys::{NDIS_HANDLE, NDIS_STATUS_INDICATION};

use super::module::{FilterState, Module};
use super::stack::Layer;
use crate::ndis::driver::run_data;
use crate::ndis::object::{handle_of, resolve};
use crate::ndis::{status, trace, watchdog};
use crate::rules;

crate::ddi! { "ndis.sys":
    /// A filter passes a status indication on, or originates one.
    [PASSIVE..=DISPATCH] fn NdisFIndicateStatus(
        NdisFilterHandle: NDIS_HANDLE,
        StatusIndication: *mut NDIS_STATUS_INDICATION,
    ) {
        const NAME: &str = "NdisFIndicateStatus";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        // SAFETY: the document makes it a pointer to an indication that lives during the call.
        let indication = unsafe { &*StatusIndication };
        let about = format!("{:#010x} {}", indication.StatusCode, module.name());
        let _record = trace::call(NAME, &about);
        status::require_header(indication, NAME);
        if module.state() == FilterState::Detached || !module.has_attributes() {
            module.broken(&format!("{NAME} before NdisFSetAttributes or after FilterDetach"));
        }
        let source = indication.SourceHandle;
        let adapter = module.adapter();
        let modules = adapter.filters.modules();
        let below = modules
            .iter()
            .take_while(|other| !std::ptr::eq(**other, module))
            .any(|other| handle_of(*other) == source);
        if source != handle_of(module) && source != handle_of(adapter) && !below {
            module.broken(&format!(
                "the SourceHandle of status {:#x} is {source:p}: neither the module's handle nor that \
                 of something below it",
                indication.StatusCode
            ));
        }
        status::check_buffer(indication, NAME, module.name());
        status::pass_up(Layer::Filter(module), indication);
    }
}

/// Calls `FilterStatus`. Answers whether the module was there to be called.
pub(crate) fn deliver(module: &'static Module, indication: &NDIS_STATUS_INDICATION) -> bool {
    let Some(_busy) = module.enter() else {
        return false;
    };
    let handler = module.driver().handlers().StatusHandler;
    let handler = handler.expect("modules without it are left out");
    let context = module.context();
    let about = format!("{:#010x} {}", indication.StatusCode, module.name());
    let mut copy = *indication;
    let rule = &rules::NDIS_BUGCHECK_WATCHDOG_FILTER_STATUS_INDICATION;
    let _limit = watchdog::limit(rule, &about);
    run_data(module.driver().caller(), "FilterStatus", &about, || {
        // SAFETY: the driver's registered function, with the context of a module that is not detached
        // while this runs; the buffer is that of who indicates, for the whole call.
        unsafe { handler(context, &raw mut copy) };
    });
    true
}
