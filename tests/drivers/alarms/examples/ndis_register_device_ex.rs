//! A device of NDIS whose `DeviceExtension` the driver changed.

#![no_std]

use core::{ptr, sync::atomic::Ordering};

use alarms::{
    Adapter, Miniport, WRONG, call,
    device::{LINK, NAME},
    protocol::text,
    sys,
};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn entry(adapter: &'static Adapter) -> sys::NTSTATUS {
        let (mut name, mut link) = (text(&NAME), text(&LINK));
        let mut functions = [None; 28];
        let mut attributes = sys::NDIS_DEVICE_OBJECT_ATTRIBUTES {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES,
                sys::NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1,
                sys::NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1,
            ),
            DeviceName: &raw mut name,
            SymbolicName: &raw mut link,
            MajorFunctions: functions.as_mut_ptr(),
            ExtensionSize: 16,
            DefaultSDDLString: ptr::null(),
            DeviceClassGuid: ptr::null(),
        };
        let mut device = ptr::null_mut();
        let status = call!(NdisRegisterDeviceEx(
            adapter.driver(),
            &raw mut attributes,
            &raw mut device,
            adapter.kept.as_ptr(),
        ));
        if WRONG && !device.is_null() {
            // SAFETY: none is claimed, as for `call!`.
            unsafe { (*device).DeviceExtension = ptr::null_mut() };
        }
        status
    }

    fn unload(adapter: &'static Adapter) {
        let device = adapter.kept.load(Ordering::Relaxed);
        call!(NdisDeregisterDeviceEx(device));
        adapter.deregister();
    }
}
