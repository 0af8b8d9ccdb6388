//! Events that a driver waits for, sleep and time.
//!
//! An `NDIS_EVENT` is a notification event of the kernel in NDIS's clothes.

use std::time::Duration;

use ndis_sys::{BOOLEAN, NDIS_EVENT};

use super::trace;
use crate::nt::dispatcher::{self, Kind};
use crate::nt::sched;

crate::ddi! { "ndis.sys":
    /// Makes an event that is not signalled.
    [PASSIVE..=HIGH] fn NdisInitializeEvent(Event: *mut NDIS_EVENT) {
        // SAFETY: the document makes it a pointer to the caller's event, in resident memory.
        unsafe { dispatcher::initialize_event(Event.cast(), Kind::NotificationEvent, false) };
    }

    /// Signals an event.
    [PASSIVE..=DISPATCH] fn NdisSetEvent(Event: *mut NDIS_EVENT) {
        // SAFETY: the document makes it a pointer to an initialized event.
        unsafe { dispatcher::set_event(Event.cast()) };
    }

    /// Makes an event not signalled.
    [PASSIVE..=DISPATCH] fn NdisResetEvent(Event: *mut NDIS_EVENT) {
        // SAFETY: the document makes it a pointer to an initialized event.
        unsafe { dispatcher::reset_event(Event.cast()) };
    }

    /// Waits until an event is signalled, at most for so many milliseconds, or without end for 0.
    [PASSIVE..=PASSIVE] fn NdisWaitEvent(Event: *mut NDIS_EVENT, MsToWait: u32) -> BOOLEAN {
        let _record = trace::call("NdisWaitEvent", "");
        let timeout = (MsToWait != 0).then(|| Duration::from_millis(MsToWait.into()));
        // SAFETY: the document makes it a pointer to an initialized event.
        let signalled = unsafe { dispatcher::wait(Event.cast(), timeout) };
        BOOLEAN::from(signalled)
    }

    /// Suspends the thread.
    [PASSIVE..=APC] fn NdisMSleep(MicrosecondsToSleep: u32) {
        sched::sleep(Duration::from_micros(MicrosecondsToSleep.into()));
    }

    /// Milliseconds since the system started.
    [PASSIVE..=HIGH] fn NdisGetSystemUpTimeEx(pSystemUpTime: *mut i64) {
        let now = sched::now().as_millis() as i64;
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { pSystemUpTime.write(now) };
    }
}
