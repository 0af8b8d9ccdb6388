//! A registration for DMA at DISPATCH_LEVEL.

#![no_std]

use core::{ffi::c_void, sync::atomic::Ordering};

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = adapter.open_with(sys::NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER);
        if status != SUCCESS {
            return status;
        }
        let mut description = sys::NDIS_SG_DMA_DESCRIPTION {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_SG_DMA_DESCRIPTION,
                sys::NDIS_SG_DMA_DESCRIPTION_REVISION_1,
                sys::NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_1,
            ),
            MaximumPhysicalMapping: 2048,
            ProcessSGListHandler: Some(process),
            ..sys::NDIS_SG_DMA_DESCRIPTION::zeroed()
        };
        let status = irql::at(LEVEL, || {
            call!(NdisMRegisterScatterGatherDma(
                adapter.handle(),
                &raw mut description,
                adapter.kept.as_ptr(),
            ))
        });
        if status != SUCCESS {
            adapter.close();
        }
        status
    }

    fn halt(adapter: &'static Adapter) {
        let dma = adapter.kept.load(Ordering::Relaxed);
        call!(NdisMDeregisterScatterGatherDma(dma));
        adapter.close();
    }
}

unsafe extern "efiapi" fn process(
    _device: *mut sys::DEVICE_OBJECT,
    _reserved: *mut c_void,
    _list: *mut sys::SCATTER_GATHER_LIST,
    _context: *mut c_void,
) {
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };
