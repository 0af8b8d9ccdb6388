//! An adapter, from initialize to halt.
//!
//! What is under way in it is counted by its gate: sends that wait, and received frames that are not
//! back. A pause shuts the gate and is complete when the last of them has left.

use alloc::boxed::Box;
use core::{
    cell::UnsafeCell,
    ptr,
    sync::atomic::{AtomicU64, Ordering},
};

use ndis::{
    Status,
    sync::{Drained, Gate, SpinLock},
};
use ndis_sys as sys;

use crate::{
    TAG, attributes, cable,
    filter::Filter,
    send::{self, Queue},
};

/// An adapter.
pub(crate) struct Adapter {
    pub(crate) handle: sys::NDIS_HANDLE,
    /// Of the frames that it indicates.
    pub(crate) pool: sys::NDIS_HANDLE,
    /// Which cable it is plugged into.
    pub(crate) cable: u32,
    pub(crate) address: [u8; 6],
    pub(crate) gate: Gate,
    pub(crate) filter: SpinLock<Filter>,
    pub(crate) sends: SpinLock<Queue>,
    /// Puts what is in `sends` on the cable.
    pub(crate) dpc: UnsafeCell<sys::KDPC>,
    pub(crate) counters: Counters,
}

// SAFETY: handles are NDIS's and usable on any thread, the DPC is only touched by the kernel's
// functions for it, and the rest is made for sharing.
unsafe impl Sync for Adapter {}

/// What it has done, in frames and bytes.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) sent: Counted,
    pub(crate) received: Counted,
    /// Frames for which there was no memory.
    pub(crate) not_received: AtomicU64,
}

/// Frames and bytes of each kind of destination.
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) directed: [AtomicU64; 2],
    pub(crate) multicast: [AtomicU64; 2],
    pub(crate) broadcast: [AtomicU64; 2],
}

impl Counted {
    /// Counts a frame.
    pub(crate) fn add(&self, destination: [u8; 6], bytes: usize) {
        let kind = match destination {
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => &self.broadcast,
            [first, ..] if first & 1 != 0 => &self.multicast,
            _ => &self.directed,
        };
        kind[0].fetch_add(1, Ordering::Relaxed);
        kind[1].fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// All frames.
    pub(crate) fn frames(&self) -> u64 {
        let kinds = [&self.directed, &self.multicast, &self.broadcast];
        kinds
            .map(|kind| kind[0].load(Ordering::Relaxed))
            .iter()
            .sum()
    }
}

impl Adapter {
    /// So many have left the gate. The last one after a pause completes that.
    pub(crate) fn leave(&self, number: usize) {
        if self.gate.leave(number) {
            // SAFETY: the pause is pending, and completed only by who left last.
            unsafe { sys::NdisMPauseComplete(self.handle) };
        }
    }

    fn new(handle: sys::NDIS_HANDLE) -> ndis::Result<Box<Self>> {
        let (cable, address) = attributes::configured(handle);
        let adapter = ndis::mem::try_box(Self {
            handle,
            pool: ptr::null_mut(),
            cable,
            address,
            gate: Gate::shut_and_empty(),
            filter: SpinLock::default(),
            sends: SpinLock::default(),
            dpc: UnsafeCell::new(sys::KDPC::zeroed()),
            counters: Counters::default(),
        })?;
        let context = ptr::from_ref(&*adapter).cast_mut().cast();
        // SAFETY: the DPC is resident memory that stays where it is as long as the adapter lives, and
        // halt waits for it to have run.
        unsafe { sys::KeInitializeDpc(adapter.dpc.get(), Some(send::deliver), context) };
        Ok(adapter)
    }

    fn start(&mut self) -> ndis::Result {
        attributes::set(self)?;
        let mut parameters = sys::NET_BUFFER_LIST_POOL_PARAMETERS {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_DEFAULT,
                sys::NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                sys::NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
            ),
            fAllocateNetBuffer: 1,
            PoolTag: TAG,
            ..sys::NET_BUFFER_LIST_POOL_PARAMETERS::zeroed()
        };
        // SAFETY: the handle is that of the initialize that is running.
        self.pool = unsafe { sys::NdisAllocateNetBufferListPool(self.handle, &raw mut parameters) };
        if self.pool.is_null() {
            return Err(Status::RESOURCES);
        }
        Ok(())
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        if !self.pool.is_null() {
            // SAFETY: the pool is the adapter's, and all its NBLs are back: it is paused, or never ran.
            unsafe { sys::NdisFreeNetBufferListPool(self.pool) };
        }
    }
}

/// The adapter that a context is.
///
/// # Safety
/// NDIS passed it to a function of the driver that runs.
pub(crate) unsafe fn lend<'callback>(context: sys::NDIS_HANDLE) -> &'callback Adapter {
    // SAFETY: it is the box that `initialize` leaked, which stays until the end of halt.
    unsafe { &*context.cast::<Adapter>() }
}

/// `MiniportInitializeEx`.
pub(crate) unsafe extern "efiapi" fn initialize(
    handle: sys::NDIS_HANDLE,
    _driver: sys::NDIS_HANDLE,
    _parameters: *mut sys::NDIS_MINIPORT_INIT_PARAMETERS,
) -> sys::NDIS_STATUS {
    let started = Adapter::new(handle).and_then(|mut adapter| {
        adapter.start()?;
        cable::plug(&adapter)?;
        Ok(adapter)
    });
    match started {
        Ok(adapter) => {
            // NDIS has its address as the context, until halt.
            let _context = Box::into_raw(adapter);
            sys::NDIS_STATUS_SUCCESS
        }
        Err(status) => status.raw(),
    }
}

/// `MiniportHaltEx`.
pub(crate) unsafe extern "efiapi" fn halt(
    context: sys::NDIS_HANDLE,
    _action: sys::NDIS_HALT_ACTION,
) {
    // SAFETY: the box that `initialize` leaked, and NDIS halts once.
    let adapter = unsafe { Box::from_raw(context.cast::<Adapter>()) };
    cable::unplug(&adapter);
    // SAFETY: the IRQL is PASSIVE_LEVEL. The last send is complete, but the DPC that completed it may
    // not have returned.
    unsafe { sys::KeFlushQueuedDpcs() };
    drop(adapter);
}

/// `MiniportPause`.
pub(crate) unsafe extern "efiapi" fn pause(
    context: sys::NDIS_HANDLE,
    _parameters: *mut sys::NDIS_MINIPORT_PAUSE_PARAMETERS,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS passed it.
    let adapter = unsafe { lend(context) };
    match adapter.gate.shut() {
        Drained::Now => sys::NDIS_STATUS_SUCCESS,
        Drained::Later => sys::NDIS_STATUS_PENDING,
    }
}

/// `MiniportRestart`.
pub(crate) unsafe extern "efiapi" fn restart(
    context: sys::NDIS_HANDLE,
    _parameters: *mut sys::NDIS_MINIPORT_RESTART_PARAMETERS,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS passed it.
    unsafe { lend(context) }.gate.open();
    sys::NDIS_STATUS_SUCCESS
}

/// `MiniportDevicePnPEventNotify`: there is no hardware that could be gone.
pub(crate) unsafe extern "efiapi" fn pnp_event(
    _context: sys::NDIS_HANDLE,
    _event: *mut sys::NET_DEVICE_PNP_EVENT,
) {
}

/// `MiniportShutdownEx`: there is no hardware that could go on.
pub(crate) unsafe extern "efiapi" fn shutdown(
    _context: sys::NDIS_HANDLE,
    _action: sys::NDIS_SHUTDOWN_ACTION,
) {
}
