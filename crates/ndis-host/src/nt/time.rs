//! Clocks. All of them follow the scheduler's, so that a run may have a time of its own.

use std::time::Duration;

use ndis_sys::nt::{BOOLEAN, KPROCESSOR_MODE, LARGE_INTEGER, NTSTATUS, ULONG};

use super::sched;
use crate::ddi;
use crate::rules;

/// The system time now: 100 ns units since 1601.
#[must_use]
pub fn system_time() -> i64 {
    EPOCH_1970 + START.get_or_init(start_of_run) + units(sched::now())
}

/// A duration in units of 100 ns.
#[must_use]
pub fn units(duration: Duration) -> i64 {
    (duration.as_nanos() / 100) as i64
}

/// How long a time-out in a driver's form is from now: negative ones are relative, others absolute.
#[must_use]
pub fn until(due: i64) -> Duration {
    let relative = if due < 0 {
        due.unsigned_abs()
    } else {
        (due - system_time()).max(0) as u64
    };
    Duration::from_nanos(relative.saturating_mul(100))
}

ddi! { "ntoskrnl.exe":
    /// The high-resolution clock, 10 MHz (`nf-ntifs-kequeryperformancecounter.md`).
    [PASSIVE..=HIGH, unchecked] fn KeQueryPerformanceCounter(frequency: *mut LARGE_INTEGER) -> LARGE_INTEGER {
        if !frequency.is_null() {
            // SAFETY: a pointer that is not null is the driver's place for it (the document).
            unsafe { *frequency = 10_000_000 };
        }
        units(sched::now())
    }

    /// The system time (`nf-wdm-kequerysystemtimeprecise.md`).
    [PASSIVE..=HIGH, unchecked] fn KeQuerySystemTimePrecise(time: *mut LARGE_INTEGER) {
        // SAFETY: the driver gives the place for the time (the function's document).
        unsafe { *time = system_time() };
    }

    /// The system time (`nf-wdm-kequerysystemtime-r1.md`).
    [PASSIVE..=HIGH, unchecked] fn KeQuerySystemTime(time: *mut LARGE_INTEGER) {
        // SAFETY: the driver gives the place for the time (the function's document).
        unsafe { *time = system_time() };
    }

    /// Clock ticks since the start (`nf-wdm-kequerytickcount.md`).
    [PASSIVE..=HIGH, unchecked] fn KeQueryTickCount(count: *mut LARGE_INTEGER) {
        // SAFETY: the driver gives the place for the count (the function's document).
        unsafe { *count = units(sched::now()) / i64::from(UNITS_PER_TICK) };
    }

    /// Units of 100 ns per clock tick (`nf-wdm-kequerytimeincrement.md`).
    [PASSIVE..=HIGH, unchecked] fn KeQueryTimeIncrement() -> ULONG {
        UNITS_PER_TICK
    }

    /// Time since the start in units of 100 ns (`nf-wdm-kequeryinterrupttime.md`).
    [PASSIVE..=HIGH, unchecked] fn KeQueryInterruptTime() -> u64 {
        units(sched::now()).cast_unsigned()
    }

    /// The same, precisely, with the performance counter's value
    /// (`nf-wdm-kequeryinterrupttimeprecise.md`).
    [PASSIVE..=HIGH, unchecked] fn KeQueryInterruptTimePrecise(counter: *mut u64) -> u64 {
        let now = units(sched::now()).cast_unsigned();
        // SAFETY: the driver gives the place for the counter (the function's document).
        unsafe { *counter = now };
        now
    }

    /// Waits without letting go of the processor (`nf-wdm-kestallexecutionprocessor.md`).
    [PASSIVE..=HIGH, unchecked] fn KeStallExecutionProcessor(microseconds: ULONG) {
        let short = microseconds <= LONGEST_STALL;
        rules::check(&rules::NDIS_STALL_EXECUTION_DELAY, short, || {
            format!("KeStallExecutionProcessor keeps the processor for {microseconds} us")
        });
        sched::stall(Duration::from_micros(microseconds.into()));
    }

    /// Suspends the thread (`nf-wdm-kedelayexecutionthread.md`).
    [PASSIVE..=APC] fn KeDelayExecutionThread(
        _mode: KPROCESSOR_MODE,
        _alertable: BOOLEAN,
        interval: *mut LARGE_INTEGER,
    ) -> NTSTATUS {
        // SAFETY: the driver gives an interval (the function's document).
        let interval = unsafe { *interval };
        sched::sleep(until(interval));
        0
    }
}

fn start_of_run() -> i64 {
    if sched::is_seeded() {
        return START_OF_SEEDED_RUNS;
    }
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    clock.map_or(0, units) - units(sched::now())
}

/// 1970 in the time since 1601.
const EPOCH_1970: i64 = 116_444_736_000_000_000;
/// Midnight of 2025-01-01 UTC since 1970: the same in each run.
const START_OF_SEEDED_RUNS: i64 = 1_735_689_600 * 10_000_000;
/// In microseconds (`ndis-ndisstallexecution-delay.md`).
const LONGEST_STALL: u32 = 50;
const UNITS_PER_TICK: u32 = 156_250;

static START: std::sync::OnceLock<i64> = std::sync::OnceLock::new();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::assert_broken;

    #[test]
    fn keeping_the_processor_for_long_breaks_the_rule() {
        assert_broken(&rules::NDIS_STALL_EXECUTION_DELAY, &["51 us"], || {
            for time in [50, 51] {
                // SAFETY: any number is a time.
                unsafe { KeStallExecutionProcessor(time) };
            }
        });
    }

    #[test]
    fn system_time_counts_from_1601() {
        let year = system_time() / (10_000_000 * 86_400 * 365);
        assert!((420..700).contains(&year), "{year} years after 1601");
    }

    #[test]
    fn due_times_are_relative_if_negative_and_absolute_else() {
        assert_eq!(until(-10_000), Duration::from_millis(1));
        let in_an_hour = until(system_time() + 36_000_000_000);
        assert!(in_an_hour > Duration::from_secs(3590) && in_an_hour <= Duration::from_secs(3600));
        assert_eq!(until(1), Duration::ZERO);
    }
}
