//! Plug and Play events through filter modules: network events on their way up, device events on
//! their way down.

use ndis_sys::{
    NDIS_HANDLE, NDIS_STATUS, NDIS_STATUS_SUCCESS, NET_DEVICE_PNP_EVENT,
    NET_PNP_EVENT_NOTIFICATION, NetEventQueryPower, NetEventQueryRemoveDevice,
};

use super::module::{Module, is_inside};
use super::stack::Layer;
use crate::ndis::driver::{run, run_status};
use crate::ndis::object::resolve;
use crate::ndis::{device_event, event, trace, watchdog};
use crate::rules;

crate::ddi! { "ndis.sys":
    /// A filter passes a network event on to those above.
    [PASSIVE..=PASSIVE] fn NdisFNetPnPEvent(
        NdisFilterHandle: NDIS_HANDLE,
        NetPnPEventNotification: *mut NET_PNP_EVENT_NOTIFICATION,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisFNetPnPEvent";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let mut record = trace::call(NAME, module.name());
        if is_inside("FilterOidRequest") {
            module.broken(&format!("{NAME} inside FilterOidRequest"));
        }
        module.require_attached(NAME);
        // SAFETY: the document makes it a pointer to a notification.
        let notification = unsafe { &*NetPnPEventNotification };
        event::require_propagated(notification.NetPnPEvent.NetEvent, NAME);
        record.returns(event::pass_up(Layer::Filter(module), notification))
    }

    /// A filter passes a device event on to those below.
    [PASSIVE..=PASSIVE] fn NdisFDevicePnPEventNotify(
        NdisFilterHandle: NDIS_HANDLE,
        NetDevicePnPEvent: *mut NET_DEVICE_PNP_EVENT,
    ) {
        const NAME: &str = "NdisFDevicePnPEventNotify";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let _record = trace::call(NAME, module.name());
        module.require_attached(NAME);
        // SAFETY: the document makes it a pointer to an event.
        let event = unsafe { &*NetDevicePnPEvent };
        device_event::pass_down(module.adapter(), Some(module), event);
    }
}

/// Calls `FilterNetPnPEvent`.
pub(crate) fn deliver(
    module: &'static Module,
    notification: &NET_PNP_EVENT_NOTIFICATION,
) -> Option<NDIS_STATUS> {
    let _busy = module.enter()?;
    let handler = module.driver().handlers().NetPnPEventHandler;
    let handler = handler.expect("modules without it are left out");
    let context = module.context();
    let code = notification.NetPnPEvent.NetEvent;
    let about = format!("{} {}", event::name_of(code), module.name());
    let mut copy = *notification;
    let rule = &rules::NDIS_BUGCHECK_WATCHDOG_FILTER_NETPNPEVENT;
    let _limit = watchdog::limit(rule, &about);
    let caller = module.driver().caller();
    let status = run_status(caller, "FilterNetPnPEvent", &about, || {
        // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the context of a module
        // that is not detached while this runs, and a notification that outlives the call.
        unsafe { handler(context, &raw mut copy) }
    });
    let may_fail = matches!(code, NetEventQueryPower | NetEventQueryRemoveDevice);
    if status != NDIS_STATUS_SUCCESS && !may_fail {
        module.broken(&format!(
            "FilterNetPnPEvent for {} returned {status:#x}; only queries can fail",
            event::name_of(code)
        ));
    }
    Some(status)
}

/// Calls `FilterDevicePnPEventNotify`. Answers whether the module was there to be called.
pub(crate) fn deliver_device(
    module: &'static Module,
    event: &NET_DEVICE_PNP_EVENT,
    name: &str,
) -> bool {
    let Some(_busy) = module.enter() else {
        return false;
    };
    let handler = module.driver().handlers().DevicePnPEventNotifyHandler;
    let handler = handler.expect("modules without it are left out");
    let context = module.context();
    let caller = module.driver().caller();
    let about = format!("{name} {}", module.name());
    let mut copy = *event;
    run(caller, "FilterDevicePnPEventNotify", &about, || {
        // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the context of a module
        // that is not detached while this runs, and an event that outlives the call.
        unsafe { handler(context, &raw mut copy) };
    });
    true
}
