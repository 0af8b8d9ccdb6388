//! The data path functions of a module, which it may exchange in `FilterSetModuleOptions`.

use ndis_sys::{
    FILTER_CANCEL_SEND_NET_BUFFER_LISTS_HANDLER, FILTER_RECEIVE_NET_BUFFER_LISTS_HANDLER,
    FILTER_RETURN_NET_BUFFER_LISTS_HANDLER, FILTER_SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER,
    FILTER_SEND_NET_BUFFER_LISTS_HANDLER, NDIS_DRIVER_OPTIONAL_HANDLERS,
    NDIS_FILTER_DRIVER_CHARACTERISTICS, NDIS_FILTER_PARTIAL_CHARACTERISTICS,
    NDIS_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1,
    NDIS_OBJECT_TYPE_FILTER_PARTIAL_CHARACTERISTICS,
    NDIS_SIZEOF_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1, NDIS_STATUS, NDIS_STATUS_FAILURE,
    NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS,
};

use super::module::Module;
use crate::ndis::faults::should_fail;
use crate::ndis::{header, trace};

/// The functions that a module may leave out at run time.
#[derive(Clone, Copy)]
pub(crate) struct DataHandlers {
    pub(crate) send: FILTER_SEND_NET_BUFFER_LISTS_HANDLER,
    pub(crate) send_complete: FILTER_SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER,
    pub(crate) cancel_send: FILTER_CANCEL_SEND_NET_BUFFER_LISTS_HANDLER,
    pub(crate) receive: FILTER_RECEIVE_NET_BUFFER_LISTS_HANDLER,
    pub(crate) returned: FILTER_RETURN_NET_BUFFER_LISTS_HANDLER,
}

impl DataHandlers {
    /// Those that a driver registered.
    pub(super) fn of(handlers: &NDIS_FILTER_DRIVER_CHARACTERISTICS) -> Self {
        Self {
            send: handlers.SendNetBufferListsHandler,
            send_complete: handlers.SendNetBufferListsCompleteHandler,
            cancel_send: handlers.CancelSendNetBufferListsHandler,
            receive: handlers.ReceiveNetBufferListsHandler,
            returned: handlers.ReturnNetBufferListsHandler,
        }
    }
}

/// `NdisSetOptionalHandlers` for a module.
///
/// # Safety
/// A structure as long as its header says.
pub(crate) unsafe fn set(
    module: &'static Module,
    given: *const NDIS_DRIVER_OPTIONAL_HANDLERS,
) -> NDIS_STATUS {
    const NAME: &str = "NdisSetOptionalHandlers";
    let mut record = trace::call(NAME, module.name());
    // SAFETY: the caller's contract: it begins with a header.
    let head = unsafe { (*given).Header };
    if head.Type != NDIS_OBJECT_TYPE_FILTER_PARTIAL_CHARACTERISTICS {
        eprintln!(
            "ndis-host: {NAME}: handlers of type {:#x} are not supported",
            head.Type
        );
        return record.returns(NDIS_STATUS_NOT_SUPPORTED);
    }
    header::require(
        &head,
        NDIS_OBJECT_TYPE_FILTER_PARTIAL_CHARACTERISTICS,
        &[(
            NDIS_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1,
            NDIS_SIZEOF_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1,
        )],
        NAME,
    );
    if should_fail(NAME) {
        return record.returns(NDIS_STATUS_RESOURCES);
    }
    // SAFETY: the header says that it is this structure, whole.
    let partial = unsafe { *given.cast::<NDIS_FILTER_PARTIAL_CHARACTERISTICS>() };
    let handlers = DataHandlers {
        send: partial.SendNetBufferListsHandler,
        send_complete: partial.SendNetBufferListsCompleteHandler,
        cancel_send: partial.CancelSendNetBufferListsHandler,
        receive: partial.ReceiveNetBufferListsHandler,
        returned: partial.ReturnNetBufferListsHandler,
    };
    let receives = handlers.receive.is_some() || handlers.returned.is_some();
    if receives && module.driver().handlers().StatusHandler.is_none() {
        eprintln!(
            "ndis-host: {NAME}({}): it receives, and has no FilterStatus",
            module.name()
        );
        return record.returns(NDIS_STATUS_FAILURE);
    }
    module.set_data(handlers, NAME);
    record.returns(NDIS_STATUS_SUCCESS)
}
