//! The device that an adapter stands for: its objects, the processors for its interrupts, and its end
//! when the driver gives it up.

use std::ptr;

use ndis_sys::{
    CM_RESOURCE_LIST, DEVICE_OBJECT, NDIS_HANDLE, NDIS_OBJECT_HEADER,
    NDIS_OBJECT_TYPE_RSS_PROCESSOR_INFO, NDIS_RSS_PROCESSOR, NDIS_RSS_PROCESSOR_INFO,
    NDIS_RSS_PROCESSOR_INFO_REVISION_1, NDIS_SIZEOF_RSS_PROCESSOR_INFO_REVISION_1, NDIS_STATUS,
    NDIS_STATUS_BUFFER_TOO_SHORT, NDIS_STATUS_SUCCESS, NdisHaltDeviceFailed, PROCESSOR_NUMBER,
    SIZE_T,
};

use super::adapter::Adapter;
use super::driver::party_of;
use super::object::resolve;
use super::{pnp, trace};

crate::ddi! { "ndis.sys":
    /// The objects of an adapter's device: numbers that only tell one from the other. There are no
    /// hardware resources.
    [PASSIVE..=PASSIVE] fn NdisMGetDeviceProperty(
        MiniportAdapterHandle: NDIS_HANDLE,
        PhysicalDeviceObject: *mut *mut DEVICE_OBJECT,
        FunctionalDeviceObject: *mut *mut DEVICE_OBJECT,
        NextDeviceObject: *mut *mut DEVICE_OBJECT,
        AllocatedResources: *mut *mut CM_RESOURCE_LIST,
        AllocatedResourcesTranslated: *mut *mut CM_RESOURCE_LIST,
    ) {
        const NAME: &str = "NdisMGetDeviceProperty";
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        let _record = trace::call(NAME, adapter.name());
        let base = DEVICES + adapter.index() as usize * 16;
        let objects = [
            (PhysicalDeviceObject, base),
            (FunctionalDeviceObject, base + 1),
            // Nothing filters the device.
            (NextDeviceObject, base),
        ];
        for (at, value) in objects {
            if !at.is_null() {
                // SAFETY: the document makes it a pointer to the caller's variable, or NULL.
                unsafe { at.write(value as *mut DEVICE_OBJECT) };
            }
        }
        for at in [AllocatedResources, AllocatedResourcesTranslated] {
            if !at.is_null() {
                // SAFETY: as above.
                unsafe { at.write(ptr::null_mut()) };
            }
        }
    }

    /// Gives an adapter up, for good: it is taken down soon.
    [PASSIVE..=DISPATCH] fn NdisMRemoveMiniport(MiniportHandle: NDIS_HANDLE) -> NDIS_STATUS {
        let adapter = resolve::<Adapter>(MiniportHandle, "NdisMRemoveMiniport");
        let mut record = trace::call("NdisMRemoveMiniport", adapter.name());
        pnp::job("PnP remove", move || pnp::stop(adapter, NdisHaltDeviceFailed));
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// The processors for receive side scaling: one, here.
    [PASSIVE..=DISPATCH] fn NdisGetRssProcessorInformation(
        NdisHandle: NDIS_HANDLE,
        RssProcessorInfo: *mut NDIS_RSS_PROCESSOR_INFO,
        Size: *mut SIZE_T,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisGetRssProcessorInformation";
        let mut record = trace::call(NAME, party_of(NdisHandle, NAME).name);
        let head = size_of::<NDIS_RSS_PROCESSOR_INFO>();
        let needed = head + size_of::<NDIS_RSS_PROCESSOR>();
        // SAFETY: the document makes it a pointer to the caller's variable.
        let room = unsafe { Size.replace(needed as SIZE_T) };
        if RssProcessorInfo.is_null() || (room as usize) < needed {
            return record.returns(NDIS_STATUS_BUFFER_TOO_SHORT);
        }
        let info = NDIS_RSS_PROCESSOR_INFO {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_RSS_PROCESSOR_INFO,
                NDIS_RSS_PROCESSOR_INFO_REVISION_1,
                NDIS_SIZEOF_RSS_PROCESSOR_INFO_REVISION_1,
            ),
            MaxNumRssProcessors: 1,
            RssProcessorArrayOffset: head as u32,
            RssProcessorCount: 1,
            RssProcessorEntrySize: size_of::<NDIS_RSS_PROCESSOR>() as u32,
            ..NDIS_RSS_PROCESSOR_INFO::zeroed()
        };
        // SAFETY: the buffer has room for it, by its size.
        unsafe { RssProcessorInfo.write(info) };
        let processor = NDIS_RSS_PROCESSOR {
            ProcNum: PROCESSOR_NUMBER::zeroed(),
            ..NDIS_RSS_PROCESSOR::zeroed()
        };
        let first = RssProcessorInfo.wrapping_add(1).cast::<NDIS_RSS_PROCESSOR>();
        // SAFETY: as above.
        unsafe { first.write(processor) };
        record.returns(NDIS_STATUS_SUCCESS)
    }
}

/// Where the numbers of device objects begin: no address of this process.
const DEVICES: usize = 0xffff_d000_0000_0000;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ndis::AdapterState;
    use crate::ndis::object::handle_of;
    use crate::ndis::testing::{Miniport, halt, start};
    use crate::nt::sched;

    #[test]
    fn device_objects_tell_adapters_apart() {
        let adapters = [
            start("device a", Miniport::default()),
            start("device b", Miniport::default()),
        ];
        let objects = adapters.map(|adapter| {
            let (mut physical, mut functional) = (ptr::null_mut(), ptr::null_mut());
            let null = ptr::null_mut();
            // SAFETY: the variables live during the call.
            unsafe {
                NdisMGetDeviceProperty(
                    handle_of(adapter),
                    &raw mut physical,
                    &raw mut functional,
                    ptr::null_mut(),
                    null,
                    ptr::null_mut(),
                );
            }
            assert!(!physical.is_null() && physical != functional);
            physical
        });
        assert_ne!(objects[0], objects[1]);
        adapters.into_iter().for_each(halt);
    }

    #[test]
    fn an_adapter_that_its_driver_gives_up_is_taken_down() {
        let adapter = start("given up", Miniport::default());
        // SAFETY: the handle is alive.
        unsafe { NdisMRemoveMiniport(handle_of(adapter)) };
        while adapter.state() != AdapterState::Halted {
            sched::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn processors_need_a_buffer_that_is_long_enough() {
        let mut buffer = [0_u32; 32];
        let mut size: SIZE_T = 4;
        let info = (&raw mut buffer).cast::<NDIS_RSS_PROCESSOR_INFO>();
        // SAFETY: the buffer has the size that is said, or more.
        let mut ask =
            || unsafe { NdisGetRssProcessorInformation(ptr::null_mut(), info, &raw mut size) };
        assert_eq!(ask(), NDIS_STATUS_BUFFER_TOO_SHORT);
        assert_eq!(ask(), NDIS_STATUS_SUCCESS);
        assert_eq!(size as usize, size_of::<NDIS_RSS_PROCESSOR_INFO>() + 8);
    }
}
