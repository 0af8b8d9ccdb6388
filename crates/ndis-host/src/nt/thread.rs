//! What drivers ask of the thread and the processor that they run on.

use std::cell::Cell;
use std::ffi::c_void;

use ndis_sys::nt::{NTSTATUS, ULONG, USHORT};

use super::sched;
use crate::ddi;
use crate::rules;

ddi! { "ntoskrnl.exe":
    /// Keeps normal kernel APCs off (`nf-ntddk-keentercriticalregion.md`). There are none here; what
    /// is entered must be left.
    [PASSIVE..=APC] fn KeEnterCriticalRegion() {
        REGIONS.set(REGIONS.get() + 1);
    }

    /// Lets them again (`nf-ntddk-keleavecriticalregion.md`).
    [PASSIVE..=APC] fn KeLeaveCriticalRegion() {
        let regions = REGIONS.get();
        if regions == 0 {
            rules::broken(
                &rules::LEAVE_CRITICAL_REGION,
                "a critical region is left that this thread did not enter",
            );
        }
        rules::held(&rules::LEAVE_CRITICAL_REGION);
        REGIONS.set(regions - 1);
    }

    /// How many processors run (`nf-ntddk-kequeryactiveprocessorcountex.md`): those of one group.
    [PASSIVE..=HIGH] fn KeQueryActiveProcessorCountEx(group: USHORT) -> ULONG {
        match group {
            0 | ALL_GROUPS => processors(),
            _ => 0,
        }
    }

    /// How many processors there can be (`nf-wdm-kequerymaximumprocessorcountex.md`).
    [PASSIVE..=HIGH, unchecked] fn KeQueryMaximumProcessorCountEx(group: USHORT) -> ULONG {
        match group {
            0 | ALL_GROUPS => processors(),
            _ => 0,
        }
    }

    /// The processor that runs this thread (`nf-wdm-kegetcurrentprocessornumberex.md`): here each
    /// thread has one for good, and several may share it.
    [PASSIVE..=HIGH, unchecked] fn KeGetCurrentProcessorNumberEx(number: *mut ProcessorNumber) -> ULONG {
        let current = current_processor();
        if !number.is_null() {
            let full = ProcessorNumber { group: 0, number: current as u8, reserved: 0 };
            // SAFETY: a pointer that is not null is the driver's place for it (the document).
            unsafe { number.write(full) };
        }
        current
    }

    /// How long DPCs may run (`nf-wdm-kequerydpcwatchdoginformation.md`): no limit is on, so all
    /// members are 0. STATUS_SUCCESS.
    [PASSIVE..=DISPATCH, unchecked] fn KeQueryDpcWatchdogInformation(information: *mut [ULONG; 5]) -> NTSTATUS {
        // SAFETY: the driver gives the place for the five members (the function's document).
        unsafe { information.write([0; 5]) };
        0
    }

    /// The current thread (`nf-wdm-kegetcurrentthread.md`), as a value that is its own.
    [PASSIVE..=HIGH, unchecked] fn KeGetCurrentThread() -> *mut c_void {
        current_thread() as *mut c_void
    }
}

/// PROCESSOR_NUMBER.
#[repr(C)]
#[derive(Debug)]
pub struct ProcessorNumber {
    group: u16,
    number: u8,
    reserved: u8,
}

/// How many processors drivers see: those of the machine, or as many in each seeded run.
#[must_use]
pub fn processors() -> ULONG {
    if sched::is_seeded() {
        return PROCESSORS_OF_SEEDED_RUNS;
    }
    std::thread::available_parallelism().map_or(1, |count| count.get() as ULONG)
}

/// The number of the processor that drivers see this thread run on.
#[must_use]
pub fn current_processor() -> ULONG {
    (sched::current_id() % u64::from(processors())) as ULONG
}

/// The address of the current thread's object, as drivers see it: they compare it and pass it on;
/// nothing is there.
#[must_use]
pub fn current_thread() -> u64 {
    THREADS_AT | sched::current_id() << 4
}

/// How many critical regions this thread is in.
#[must_use]
pub fn critical_regions() -> u32 {
    REGIONS.get()
}

const PROCESSORS_OF_SEEDED_RUNS: ULONG = 4;
const ALL_GROUPS: USHORT = 0xffff;
/// In the upper half of the addresses, where nothing of this process is.
const THREADS_AT: u64 = 0xffff_a000_0000_0000;

thread_local! {
    static REGIONS: Cell<u32> = const { Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::assert_broken;

    #[test]
    fn regions_are_left_as_often_as_entered() {
        // SAFETY: the functions have no arguments.
        unsafe { KeEnterCriticalRegion() };
        assert_eq!(critical_regions(), 1);
        // SAFETY: as above.
        unsafe { KeLeaveCriticalRegion() };
        assert_eq!(critical_regions(), 0);
    }

    #[test]
    fn leaving_a_region_that_was_not_entered_breaks_its_rule() {
        assert_broken(&rules::LEAVE_CRITICAL_REGION, &["did not enter"], || {
            // SAFETY: the function has no arguments.
            unsafe { KeLeaveCriticalRegion() };
        });
    }

    #[test]
    fn the_current_processor_is_one_of_the_active_ones() {
        let null = std::ptr::null_mut();
        // SAFETY: a null pointer means that only the index is wanted.
        let index = unsafe { KeGetCurrentProcessorNumberEx(null) };
        // SAFETY: the function reads its argument only.
        assert!(index < unsafe { KeQueryActiveProcessorCountEx(0) });
    }
}
