//! An OID request that is completed twice in a work item.

#![no_std]

use core::{ffi::c_void, sync::atomic::Ordering};

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, hardware, miniport::ADAPTER, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = adapter.open();
        if status != SUCCESS {
            return status;
        }
        let item = call!(NdisAllocateIoWorkItem(adapter.handle()));
        if item.is_null() {
            adapter.close();
            return sys::NDIS_STATUS_RESOURCES;
        }
        adapter.kept.store(item, Ordering::Release);
        SUCCESS
    }

    fn halt(adapter: &'static Adapter) {
        call!(NdisFreeIoWorkItem(hardware::kept(adapter)));
        adapter.close();
    }

    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        let item = hardware::kept(adapter);
        call!(NdisQueueIoWorkItem(item, Some(work), request.cast()));
        sys::NDIS_STATUS_PENDING
    }
}

unsafe extern "efiapi" fn work(request: *mut c_void, _item: sys::NDIS_HANDLE) {
    let request = request.cast();
    let status = ADAPTER.answer(request);
    let complete = || call!(NdisMOidRequestComplete(ADAPTER.handle(), request, status));
    complete();
    if WRONG {
        complete();
    }
}
