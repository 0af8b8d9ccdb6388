//! A timer that runs once, some time after it was set.

use core::{ffi::c_void, ptr};

use ndis_sys as sys;

use super::Rundown;
use crate::{
    driver::MiniportRegistration,
    irql::Passive,
    mem::Shared,
    status::{Result, Status},
};

/// Who is told that a timer has expired.
pub trait Expire: Send + Sync + 'static {
    /// The timer has expired. IRQL: DISPATCH_LEVEL.
    fn expired(this: &Shared<Self>)
    where
        Self: Sized;

    /// The timer, which is a part of this value.
    fn timer(&self) -> &Timer;
}

/// A timer; whoever owns it [stops](Self::stop) it before it is dropped.
pub struct Timer {
    timer: sys::NDIS_HANDLE,
    /// One for the time from set to the end of its function. Each has a reference to who is told.
    set: Rundown,
}

// SAFETY: an NDIS timer may be set and cancelled by any thread.
unsafe impl Send for Timer {}
// SAFETY: as above.
unsafe impl Sync for Timer {}

impl Timer {
    /// A timer that is not set, and tells a `T`. Source: NdisAllocateTimerObject.
    ///
    /// # Errors
    /// [`Status::RESOURCES`].
    pub fn try_new<T: Expire>(driver: &MiniportRegistration) -> Result<Self> {
        let set = Rundown::try_new()?;
        let mut characteristics = sys::NDIS_TIMER_CHARACTERISTICS {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS,
                Revision: sys::NDIS_TIMER_CHARACTERISTICS_REVISION_1,
                Size: sys::NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1,
            },
            AllocationTag: TAG,
            TimerFunction: Some(expired::<T>),
            FunctionContext: ptr::null_mut(),
        };
        let mut timer = ptr::null_mut();
        // SAFETY: the driver is registered; the characteristics are whole, and NDIS copies them.
        let status = unsafe {
            sys::NdisAllocateTimerObject(driver.handle(), &raw mut characteristics, &raw mut timer)
        };
        Status::from_raw(status).ok()?;
        set.open();
        Ok(Self { timer, set })
    }

    /// Tells `whom` after that many milliseconds. It is not set yet, or was cancelled.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NdisSetTimerObject.
    pub fn set<T: Expire>(whom: &Shared<T>, milliseconds: u32) {
        let this = whom.timer();
        if !this.set.enter(1) {
            return;
        }
        let context = whom.clone().into_raw();
        // In units of 100 ns; negative is from now on.
        let due = -(i64::from(milliseconds) * 10_000);
        // SAFETY: the timer is allocated, and the context is a reference that its function takes over.
        let was_set = unsafe { sys::NdisSetTimerObject(this.timer, due, 0, context) };
        assert_eq!(was_set, 0, "a timer is cancelled before it is set again");
    }

    /// Takes back what was set. Its function may be running, or have run, all the same.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NdisCancelTimerObject.
    pub fn cancel<T: Expire>(whom: &Shared<T>) {
        let this = whom.timer();
        // SAFETY: the timer is allocated.
        if unsafe { sys::NdisCancelTimerObject(this.timer) } != 0 {
            // SAFETY: the reference that `set` gave the function, which will not run.
            drop(unsafe { Shared::<T>::from_raw(whom.as_raw()) });
            this.set.leave(1);
        }
    }

    /// Cancels it, waits until its function does not run any more, and lets nobody set it again.
    ///
    /// Source: KeFlushQueuedDpcs.
    pub fn stop<T: Expire>(whom: &Shared<T>, at: Passive<'_>) {
        Self::cancel(whom);
        whom.timer().set.drain(at);
        // The function has let go of `whom`, which may be freed with its timer from here on, only when it
        // has returned.
        // SAFETY: at PASSIVE_LEVEL (KeFlushQueuedDpcs).
        unsafe { sys::KeFlushQueuedDpcs() };
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: each time that it is set holds a reference to its owner, so it is not set.
        unsafe { sys::NdisFreeTimerObject(self.timer) };
    }
}

unsafe extern "efiapi" fn expired<T: Expire>(
    _specific1: sys::PVOID,
    context: *mut c_void,
    _specific2: sys::PVOID,
    _specific3: sys::PVOID,
) {
    // SAFETY: the reference that `set` gave, and NDIS runs the function once for each set.
    let whom = unsafe { Shared::<T>::from_raw(context) };
    T::expired(&whom);
    whom.timer().set.leave(1);
}

/// Pool tag of timers, `NmxT` as the debugger shows it.
const TAG: u32 = u32::from_le_bytes(*b"NmxT");
