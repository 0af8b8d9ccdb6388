//! What a miniport of hardware registers for its adapter: a line interrupt, or scatter/gather DMA and
//! with it memory that the device shares. Their handles are kept in `Adapter::kept`, one at a time.

use core::{
    ffi::c_void,
    ptr,
    sync::atomic::{AtomicI64, AtomicPtr, Ordering},
};

use crate::{Adapter, SUCCESS, call, sys};

/// Opens the adapter and registers its interrupt.
pub fn open_with_interrupt(adapter: &Adapter) -> sys::NDIS_STATUS {
    let mut status = adapter.open();
    if status == SUCCESS {
        status = register_interrupt(adapter);
        if status != SUCCESS {
            adapter.close();
        }
    }
    status
}

/// Registers the interrupt.
pub fn register_interrupt(adapter: &Adapter) -> sys::NDIS_STATUS {
    let mut characteristics = sys::NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_MINIPORT_INTERRUPT,
            sys::NDIS_MINIPORT_INTERRUPT_REVISION_1,
            sys::NDIS_SIZEOF_MINIPORT_INTERRUPT_CHARACTERISTICS_REVISION_1,
        ),
        InterruptHandler: Some(interrupt),
        InterruptDpcHandler: Some(interrupt_dpc),
        ..sys::NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS::zeroed()
    };
    call!(NdisMRegisterInterruptEx(
        adapter.handle(),
        ptr::from_ref(adapter).cast_mut().cast(),
        &raw mut characteristics,
        adapter.kept.as_ptr(),
    ))
}

/// Undoes that.
pub fn deregister_interrupt(adapter: &Adapter) {
    call!(NdisMDeregisterInterruptEx(kept(adapter)));
}

/// Opens the adapter as a bus master and registers scatter/gather DMA with that function.
pub fn open_with_dma(
    adapter: &Adapter,
    process: sys::MINIPORT_PROCESS_SG_LIST_HANDLER,
) -> sys::NDIS_STATUS {
    let mut status = adapter.open_with(sys::NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER);
    if status != SUCCESS {
        return status;
    }
    let mut description = sys::NDIS_SG_DMA_DESCRIPTION {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_SG_DMA_DESCRIPTION,
            sys::NDIS_SG_DMA_DESCRIPTION_REVISION_1,
            sys::NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_1,
        ),
        MaximumPhysicalMapping: 1514,
        ProcessSGListHandler: process,
        ..sys::NDIS_SG_DMA_DESCRIPTION::zeroed()
    };
    status = call!(NdisMRegisterScatterGatherDma(
        adapter.handle(),
        &raw mut description,
        adapter.kept.as_ptr(),
    ));
    if status != SUCCESS {
        adapter.close();
    }
    status
}

/// Undoes [`open_with_dma`].
pub fn close_with_dma(adapter: &Adapter) {
    call!(NdisMDeregisterScatterGatherDma(kept(adapter)));
    adapter.close();
}

/// What is kept in the adapter.
pub fn kept(adapter: &Adapter) -> sys::NDIS_HANDLE {
    adapter.kept.load(Ordering::Acquire)
}

/// For drivers that make no scatter/gather lists.
///
/// # Safety
/// None is needed: it does nothing.
pub unsafe extern "efiapi" fn no_list(
    _device: *mut sys::DEVICE_OBJECT,
    _reserved: *mut c_void,
    _list: *mut sys::SCATTER_GATHER_LIST,
    _context: *mut c_void,
) {
}

/// A block of memory that the device shares.
pub struct Shared {
    at: AtomicPtr<c_void>,
    physical: AtomicI64,
}

impl Shared {
    /// No block.
    pub const fn new() -> Self {
        Self {
            at: AtomicPtr::new(ptr::null_mut()),
            physical: AtomicI64::new(0),
        }
    }

    /// Where it is.
    pub fn at(&self) -> *mut u8 {
        self.at.load(Ordering::Acquire).cast()
    }

    /// Allocates it, in initialize after [`open_with_dma`]. Answers whether there was memory.
    pub fn allocate(&self, adapter: &Adapter) -> bool {
        call!(NdisMAllocateSharedMemory(
            adapter.handle(),
            SHARED as u32,
            0,
            self.at.as_ptr(),
            self.physical.as_ptr().cast(),
        ));
        !self.at().is_null()
    }

    /// Frees it.
    pub fn free(&self, adapter: &Adapter) {
        call!(NdisMFreeSharedMemory(
            adapter.handle(),
            SHARED as u32,
            0,
            self.at().cast(),
            self.physical.load(Ordering::Acquire) as sys::NDIS_PHYSICAL_ADDRESS,
        ));
    }
}

/// Bytes of a shared block.
pub const SHARED: usize = 256;

/// The device is ours, and its DPC is to run.
unsafe extern "efiapi" fn interrupt(
    _context: sys::NDIS_HANDLE,
    queue_default: *mut sys::BOOLEAN,
    _processors: *mut u32,
) -> sys::BOOLEAN {
    // SAFETY: NDIS lends the variable for the length of the call.
    unsafe { queue_default.write(1) };
    1
}

unsafe extern "efiapi" fn interrupt_dpc(
    _context: sys::NDIS_HANDLE,
    _dpc_context: *mut c_void,
    _throttle: *mut c_void,
    _reserved: *mut c_void,
) {
}
