//! Drivers that are wrong in one way each.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

use ndis_sys::nt::{NTSTATUS, STATUS_PENDING, STATUS_SUCCESS, STATUS_UNSUCCESSFUL};
use ndis_sys::{
    DEVICE_OBJECT, IRP, IRP_MJ_DEVICE_CONTROL, IoMarkIrpPending, IoSetCancelRoutine,
    METHOD_BUFFERED,
};

use super::*;
use crate::nt::irql;
use crate::rules;
use crate::rules::testing::assert_broken;

#[test]
fn completing_twice_breaks_double_completion() {
    assert_broken(&rules::DOUBLE_COMPLETION, &["a second time"], || {
        wrong("Double", |irp| {
            finish(irp, STATUS_SUCCESS, 0);
            // SAFETY: none: this is the fault.
            unsafe { irp::IofCompleteRequest(irp, 0) };
            STATUS_SUCCESS
        });
    });
}

#[test]
fn reading_a_completed_request_faults() {
    assert_broken(
        &rules::PAGE_FAULT_IN_FREED_POOL,
        &["'Irp '", "a read"],
        || {
            wrong("Freed", |irp| {
                finish(irp, STATUS_SUCCESS, 0);
                // SAFETY: none: this is the fault.
                let status = unsafe { &raw const (*irp).IoStatus.Status };
                // SAFETY: none: this is the fault.
                unsafe { status.read_volatile() }
            });
        },
    );
}

#[test]
fn writing_behind_the_system_buffer_is_seen() {
    assert_broken(&rules::SPECIAL_POOL_CORRUPTION, &["past its end"], || {
        wrong("Beyond", |irp| {
            // SAFETY: the request is this routine's.
            let buffer = unsafe { (*irp).SystemBuffer };
            // SAFETY: none: this is the fault.
            unsafe { buffer.cast::<u8>().wrapping_add(4).write_volatile(0) };
            finish(irp, STATUS_SUCCESS, 0)
        });
    });
}

#[test]
fn leaving_a_request_breaks_irp_processing_complete() {
    assert_broken(
        &rules::IRP_PROCESSING_COMPLETE,
        &["nobody has completed"],
        || {
            wrong("Left", |_| STATUS_SUCCESS);
        },
    );
}

#[test]
fn marking_and_returning_success_breaks_mark_irp_pending() {
    assert_broken(&rules::MARK_IRP_PENDING, &["had marked pending"], || {
        wrong("Marked", |irp| {
            // SAFETY: the request is this routine's.
            unsafe { IoMarkIrpPending(irp) };
            finish(irp, STATUS_SUCCESS, 0)
        });
    });
}

#[test]
fn returning_pending_without_a_mark_breaks_mark_irp_pending_2() {
    assert_broken(&rules::MARK_IRP_PENDING_2, &["had not marked"], || {
        wrong("Unmarked", |_| STATUS_PENDING);
    });
}

#[test]
fn returning_pending_for_a_completed_request_breaks_its_rule() {
    assert_broken(&rules::PENDED_COMPLETED_REQUEST, &["never marked"], || {
        wrong("PendedDone", |irp| {
            finish(irp, STATUS_SUCCESS, 0);
            STATUS_PENDING
        });
    });
}

#[test]
fn returning_another_status_than_the_requests_is_inconsistent() {
    assert_broken(&rules::IRP_STATUS_INCONSISTENT, &["0xc0000001"], || {
        wrong("Inconsistent", |irp| {
            finish(irp, STATUS_UNSUCCESSFUL, 0);
            STATUS_SUCCESS
        });
    });
}

#[test]
fn completing_as_pending_breaks_its_rule() {
    assert_broken(&rules::IRP_COMPLETED_AS_PENDING, &["0x00000103"], || {
        wrong("AsPending", |irp| finish(irp, STATUS_PENDING, 0));
    });
}

#[test]
fn completing_with_a_cancel_routine_breaks_its_rule() {
    assert_broken(&rules::IRP_COMPLETED_WITH_CANCEL_ROUTINE, &[], || {
        wrong("WithRoutine", |irp| {
            // SAFETY: the request is this routine's.
            unsafe { IoSetCancelRoutine(irp, Some(cancel)) };
            finish(irp, STATUS_SUCCESS, 0)
        });
    });
}

#[test]
fn completing_above_dispatch_level_breaks_its_rule() {
    assert_broken(&rules::IRP_COMPLETED_ABOVE_DISPATCH, &["IRQL 3"], || {
        wrong("High", |irp| {
            irql::set(irql::Irql(3));
            finish(irp, STATUS_SUCCESS, 0)
        });
    });
}

#[test]
fn completing_with_a_spin_lock_breaks_its_rule() {
    assert_broken(&rules::IO_COMPLETE_WITH_SPIN_LOCK, &[], || {
        wrong("Locked", |irp| {
            let mut lock = 0;
            // SAFETY: the lock lives until this function ends.
            unsafe { crate::nt::spin_lock::acquire(&raw mut lock) };
            finish(irp, STATUS_SUCCESS, 0)
        });
    });
}

#[test]
fn saying_more_bytes_than_the_buffer_has_breaks_its_rule() {
    assert_broken(
        &rules::IRP_INFORMATION,
        &["Information 5", "4 bytes"],
        || {
            wrong("TooMany", |irp| finish(irp, STATUS_SUCCESS, 5));
        },
    );
}

#[test]
fn keeping_the_cancel_lock_breaks_its_rule() {
    unsafe extern "efiapi" fn keep(_: *mut DEVICE_OBJECT, _: *mut IRP) {}
    assert_broken(&rules::RETURNED_HOLDING_CANCEL_LOCK, &["Cancel"], || {
        cancel_with("KeepLock", keep);
    });
}

#[test]
fn not_completing_a_cancelled_request_breaks_its_rule() {
    unsafe extern "efiapi" fn forget(_: *mut DEVICE_OBJECT, irp: *mut IRP) {
        // SAFETY: the request is this routine's.
        let old = unsafe { (*irp).CancelIrql };
        // SAFETY: the cancel lock is held.
        unsafe { IoReleaseCancelSpinLock(old) };
    }
    assert_broken(
        &rules::IRP_CANCEL_TIMED_OUT,
        &["IRP_MJ_DEVICE_CONTROL"],
        || {
            cancel_with("Forget", forget);
        },
    );
}

#[test]
fn a_device_or_a_link_that_is_left_breaks_the_rule_of_unload() {
    assert_broken(
        &rules::UNLOAD_LEAVES_DEVICE,
        &[r"the device \Device\Leave", "symbolic link"],
        || {
            let driver = Driver::new("Leave", dispatch, Descriptor::of_devices());
            check_left_nothing("leave", driver.object, |_| true);
        },
    );
}

#[test]
fn deleting_a_device_twice_breaks_its_rule() {
    assert_broken(&rules::DELETE_DEVICE, &["deleted already"], || {
        let driver = Driver::new("DeletedTwice", dispatch, Descriptor::of_devices());
        delete(driver.device, "IoDeleteDevice");
        delete(driver.device, "IoDeleteDevice");
    });
}

/// Sends one request with a buffer of four bytes to a driver that does `what` with it.
fn wrong(name: &'static str, what: fn(*mut IRP) -> NTSTATUS) {
    static WHAT: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
    unsafe extern "efiapi" fn dispatch_wrong(_: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
        if major_of(irp) != IRP_MJ_DEVICE_CONTROL {
            return finish(irp, STATUS_SUCCESS, 0);
        }
        let what = WHAT.load(Ordering::SeqCst);
        // SAFETY: it was stored as such a function.
        let what = unsafe { std::mem::transmute::<*mut (), fn(*mut IRP) -> NTSTATUS>(what) };
        what(irp)
    }
    WHAT.store(what as *mut (), Ordering::SeqCst);
    let file = open_device_of(name, dispatch_wrong);
    control(
        &file,
        code(REVERSE, METHOD_BUFFERED, 0),
        b"abcd",
        vec![0; 4],
    );
}

/// Sends a request that waits with `routine` to cancel it, and closes.
fn cancel_with(
    name: &'static str,
    routine: unsafe extern "efiapi" fn(*mut DEVICE_OBJECT, *mut IRP),
) {
    static ROUTINE: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
    unsafe extern "efiapi" fn dispatch_pend(_: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
        if major_of(irp) != IRP_MJ_DEVICE_CONTROL {
            return finish(irp, STATUS_SUCCESS, 0);
        }
        let routine = ROUTINE.load(Ordering::SeqCst);
        // SAFETY: it was stored as such a function.
        let routine = unsafe { std::mem::transmute::<*mut (), ndis_sys::DRIVER_CANCEL>(routine) };
        // SAFETY: the request is this routine's.
        unsafe { IoMarkIrpPending(irp) };
        // SAFETY: as above.
        unsafe { IoSetCancelRoutine(irp, Some(routine)) };
        STATUS_PENDING
    }
    ROUTINE.store(routine as *mut (), Ordering::SeqCst);
    let file = open_device_of(name, dispatch_pend);
    let request = file.control(code(PEND, METHOD_BUFFERED, 0), b"", Vec::new());
    assert!(request.is_ok());
    file.close_within(Duration::from_millis(20));
}
