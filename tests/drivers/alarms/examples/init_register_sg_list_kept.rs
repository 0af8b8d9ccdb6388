//! Scatter/gather DMA that is deregistered with a list in use.

#![no_std]

use core::{ffi::c_void, ptr};

use alarms::{
    Adapter, Miniport, SUCCESS, WRONG, call, frame::Nbl, hardware, irql, miniport::ADAPTER, sys,
};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        hardware::open_with_dma(adapter, Some(list_made))
    }

    fn halt(adapter: &'static Adapter) {
        hardware::close_with_dma(adapter);
    }

    fn send(adapter: &'static Adapter, nbls: Nbl) {
        for nbl in nbls.chain() {
            // Each is completed by itself when its list is there.
            nbl.update(|it| it.Next = ptr::null_mut());
            let mut status = SUCCESS;
            irql::at(irql::DISPATCH, || {
                status = call!(NdisMAllocateNetBufferSGList(
                    hardware::kept(adapter),
                    nbl.get().FirstNetBuffer,
                    nbl.0.cast(),
                    WRITE_TO_DEVICE,
                    ptr::null_mut(),
                    0,
                ));
            });
            if status != SUCCESS {
                adapter.complete(nbl);
            }
        }
    }
}

unsafe extern "efiapi" fn list_made(
    _device: *mut sys::DEVICE_OBJECT,
    _reserved: *mut c_void,
    list: *mut sys::SCATTER_GATHER_LIST,
    context: *mut c_void,
) {
    let nbl = Nbl(context.cast());
    if !WRONG {
        call!(NdisMFreeNetBufferSGList(
            hardware::kept(&ADAPTER),
            list,
            nbl.get().FirstNetBuffer,
        ));
    }
    ADAPTER.complete(nbl);
}

/// `NDIS_SG_LIST_WRITE_TO_DEVICE`.
const WRITE_TO_DEVICE: u32 = 1;
