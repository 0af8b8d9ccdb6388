//! Device events: what NDIS tells filters and a miniport of the device (`nc-ndis-miniport_device_pnp_event_notify.md`).

use std::ffi::c_void;
use std::ptr;

use ndis_sys::{
    NDIS_DEVICE_PNP_EVENT, NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT, NDIS_POWER_PROFILE,
    NDIS_SIZEOF_NET_DEVICE_PNP_EVENT_REVISION_1, NET_DEVICE_PNP_EVENT,
    NET_DEVICE_PNP_EVENT_REVISION_1, NdisDevicePnPEventPowerProfileChanged,
    NdisDevicePnPEventSurpriseRemoved, NdisPowerProfileAcOnLine,
};

use super::adapter::Adapter;
use super::driver::run;
use super::filter::{self, Module};

/// The device is gone; the halt follows.
pub(crate) fn surprise_removed(adapter: &'static Adapter) {
    notify(
        adapter,
        NdisDevicePnPEventSurpriseRemoved,
        (ptr::null_mut(), 0),
    );
}

/// The system runs on mains. A miniport hears of it when it is initialized and when it is awake again.
pub(crate) fn power_profile(adapter: &'static Adapter) {
    let mut profile: NDIS_POWER_PROFILE = NdisPowerProfileAcOnLine;
    notify(
        adapter,
        NdisDevicePnPEventPowerProfileChanged,
        ((&raw mut profile).cast(), size_of_val(&profile) as u32),
    );
}

fn notify(
    adapter: &'static Adapter,
    event: NDIS_DEVICE_PNP_EVENT,
    (buffer, length): (*mut c_void, u32),
) {
    let notification = NET_DEVICE_PNP_EVENT {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_DEFAULT,
            NET_DEVICE_PNP_EVENT_REVISION_1,
            NDIS_SIZEOF_NET_DEVICE_PNP_EVENT_REVISION_1,
        ),
        DevicePnPEvent: event,
        InformationBuffer: buffer,
        InformationBufferLength: length,
        ..NET_DEVICE_PNP_EVENT::zeroed()
    };
    pass_down(adapter, None, &notification);
}

/// Tells what stands below `from` (all of the stack, if that is `None`) of a device event: the first
/// filter module that wants to know, or the miniport.
pub(crate) fn pass_down(
    adapter: &'static Adapter,
    from: Option<&'static Module>,
    event: &NET_DEVICE_PNP_EVENT,
) {
    let has = |module: &Module| {
        let handlers = module.driver().handlers();
        handlers.DevicePnPEventNotifyHandler.is_some()
    };
    let name = name_of(event.DevicePnPEvent);
    let next = adapter.filters.below(from, has);
    if next.is_some_and(|module| filter::event::deliver_device(module, event, name)) {
        return;
    }
    let handler = adapter.driver().handlers().DevicePnPEventNotifyHandler;
    let handler = handler.expect("registration requires it");
    let context = adapter.context();
    let about = format!("{name} {}", adapter.name());
    let mut copy = *event;
    run(
        adapter.driver().caller(),
        "MiniportDevicePnPEventNotify",
        &about,
        || {
            // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the context that it set
            // for this adapter and an event that outlives the call.
            unsafe { handler(context, &raw mut copy) };
        },
    );
}

fn name_of(event: NDIS_DEVICE_PNP_EVENT) -> &'static str {
    match event {
        NdisDevicePnPEventSurpriseRemoved => "SurpriseRemoved",
        NdisDevicePnPEventPowerProfileChanged => "PowerProfileChanged",
        _ => "DeviceEvent",
    }
}
