//! Sends through a filter module: passed on, completed early, and its own.

use std::ffi::c_void;

use ndis_sys::{
    NDIS_HANDLE, NDIS_PORT_NUMBER, NDIS_SEND_FLAGS_DISPATCH_LEVEL, NDIS_STATUS_PAUSED,
    NET_BUFFER_LIST,
};

use super::module::{FilterState, Module};
use super::stack::Layer;
use crate::ndis::driver::run_data;
use crate::ndis::faults;
use crate::ndis::nbl::owner::{self, Party};
use crate::ndis::object::resolve;
use crate::ndis::send::{self, require_dispatch};
use crate::ndis::trace;
use crate::rules;

crate::ddi! { "ndis.sys":
    /// A filter passes sends on, or sends NBLs of its own.
    [PASSIVE..=DISPATCH] fn NdisFSendNetBufferLists(
        NdisFilterHandle: NDIS_HANDLE,
        NetBufferList: *mut NET_BUFFER_LIST,
        PortNumber: NDIS_PORT_NUMBER,
        SendFlags: u32,
    ) {
        const NAME: &str = "NdisFSendNetBufferLists";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let record = trace::data_call(NAME, module.name());
        require_dispatch(SendFlags & NDIS_SEND_FLAGS_DISPATCH_LEVEL != 0, NAME);
        module.require_state(&[FilterState::Running, FilterState::Pausing], NAME);
        if module.data().send_complete.is_none() {
            rules::broken(
                &rules::FILTER_BYPASS,
                format_args!("{NAME} of {module:?}, which has no FilterSendNetBufferListsComplete"),
            );
        }
        let chain = owner::chain(NetBufferList, NAME);
        record.hands_over(chain.len());
        let from = Layer::Filter(module);
        let to = send::first_below(module.adapter(), Some(module));
        for &nbl in &chain {
            if owner::send(nbl, Party::Below(from), to, NAME) {
                require_may_originate(module, &[FilterState::Running], NAME);
            }
        }
        send::require_running(to);
        if faults::should_fail(NAME) {
            for &nbl in &chain {
                nbl.set_status(NDIS_STATUS_PAUSED);
            }
            send::complete(to, &chain, NAME);
            return;
        }
        send::hand_down(to, (NetBufferList, &chain), PortNumber, SendFlags);
    }

    /// A filter completes sends that came from above.
    [PASSIVE..=DISPATCH] fn NdisFSendNetBufferListsComplete(
        NdisFilterHandle: NDIS_HANDLE,
        NetBufferList: *mut NET_BUFFER_LIST,
        SendCompleteFlags: u32,
    ) {
        const NAME: &str = "NdisFSendNetBufferListsComplete";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let record = trace::data_call(NAME, module.name());
        require_dispatch(SendCompleteFlags & NDIS_SEND_FLAGS_DISPATCH_LEVEL != 0, NAME);
        let chain = owner::chain(NetBufferList, NAME);
        record.hands_over(chain.len());
        send::complete(Layer::Filter(module), &chain, NAME);
    }

    /// A filter asks those below to cancel sends.
    [PASSIVE..=DISPATCH] fn NdisFCancelSendNetBufferLists(
        NdisFilterHandle: NDIS_HANDLE,
        CancelId: *mut c_void,
    ) {
        const NAME: &str = "NdisFCancelSendNetBufferLists";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let _record = trace::call(NAME, module.name());
        send::cancel(module.adapter(), Some(module), CancelId);
    }
}

/// Calls `FilterSendNetBufferLists`.
pub(crate) fn hand(
    module: &'static Module,
    first: *mut NET_BUFFER_LIST,
    port: NDIS_PORT_NUMBER,
    flags: u32,
) {
    let handler = module.data().send.expect("modules without it are left out");
    let _busy = module.enter_owed();
    let context = module.context();
    let caller = module.driver().caller();
    run_data(caller, "FilterSendNetBufferLists", module.name(), || {
        // SAFETY: the driver's registered function, with the context of a module that is not detached
        // while this runs, and a checked chain that now is its own.
        unsafe { handler(context, first, port, flags) };
    });
}

/// Calls `FilterSendNetBufferListsComplete` for NBLs that it sent or passed on.
pub(crate) fn completed(module: &'static Module, first: *mut NET_BUFFER_LIST, flags: u32) {
    let handler = module.data().send_complete;
    let handler = handler.expect("NdisFSendNetBufferLists requires it");
    let _busy = module.enter_owed();
    let context = module.context();
    let caller = module.driver().caller();
    let name = "FilterSendNetBufferListsComplete";
    run_data(caller, name, module.name(), || {
        // SAFETY: the driver's registered function, with the context of a module that is not detached
        // before its sends are complete, and NBLs that it sent.
        unsafe { handler(context, first, flags) };
    });
}

/// Calls `FilterCancelSendNetBufferLists`.
pub(crate) fn cancel(module: &'static Module, id: *mut c_void) {
    let handler = module.data().cancel_send;
    let handler = handler.expect("modules without it are left out");
    let _busy = module.enter_owed();
    let context = module.context();
    let caller = module.driver().caller();
    let name = "FilterCancelSendNetBufferLists";
    run_data(caller, name, module.name(), || {
        // SAFETY: the driver's registered function, with the context that it set.
        unsafe { handler(context, id) };
    });
}

/// Ends the run unless a module may originate data, in one of `states`.
pub(super) fn require_may_originate(module: &Module, states: &[FilterState], function: &str) {
    if module.is_monitoring() {
        rules::broken(
            &rules::FILTER_TYPE,
            format_args!("{function}: {module:?} is a monitoring filter, and originates data"),
        );
    }
    module.require_state(states, &format!("{function} with an NBL of its own"));
}
