//! A scatter/gather list that is freed twice.

#![no_std]

use core::ffi::c_void;

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
            nbl.update(|it| it.Next = core::ptr::null_mut());
            let mut status = SUCCESS;
            irql::at(irql::DISPATCH, || {
                status = call!(NdisMAllocateNetBufferSGList(
                    hardware::kept(adapter),
                    nbl.get().FirstNetBuffer,
                    nbl.0.cast(),
                    WRITE_TO_DEVICE,
                    core::ptr::null_mut(),
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
    let free = || {
        call!(NdisMFreeNetBufferSGList(
            hardware::kept(&ADAPTER),
            list,
            nbl.get().FirstNetBuffer,
        ));
    };
    free();
    if WRONG {
        free();
    }
    ADAPTER.complete(nbl);
}

/// `NDIS_SG_LIST_WRITE_TO_DEVICE`.
const WRITE_TO_DEVICE: u32 = 1;
