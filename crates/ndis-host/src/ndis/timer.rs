//! Timer objects.

use std::sync::Arc;
use std::time::Duration;

use ndis_sys::{
    BOOLEAN, NDIS_HANDLE, NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS,
    NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1, NDIS_STATUS, NDIS_STATUS_BAD_CHARACTERISTICS,
    NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS, NDIS_TIMER_CHARACTERISTICS,
    NDIS_TIMER_CHARACTERISTICS_REVISION_1, NDIS_TIMER_FUNCTION,
};

use super::caller::{self, Caller};
use super::driver::{Address, party_of, run_data};
use super::faults::should_fail;
use super::object::{self, Kind, Object, handle_of, resolve};
use super::{header, trace};
use crate::nt::irql::{self, Irql};
use crate::nt::sched::{self, Monitor};
use crate::rules;

struct Timer {
    owner: Caller,
    function: NDIS_TIMER_FUNCTION,
    context: Address,
    state: Arc<Monitor<State>>,
}

#[derive(Default)]
struct State {
    /// Number of the last set; a thread of an older one ends.
    set: u64,
    queued: bool,
    periodic: bool,
    running: bool,
}

impl Object for Timer {
    const KIND: Kind = Kind::Timer;
}

crate::ddi! { "ndis.sys":
    /// Makes a timer.
    [PASSIVE..=DISPATCH] fn NdisAllocateTimerObject(
        NdisHandle: NDIS_HANDLE,
        TimerCharacteristics: *mut NDIS_TIMER_CHARACTERISTICS,
        pTimerObject: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisAllocateTimerObject";
        let owner = party_of(NdisHandle, NAME);
        let mut record = trace::call(NAME, owner.name);
        // SAFETY: the document makes it a pointer to the caller's characteristics.
        let given = unsafe { &*TimerCharacteristics };
        let revisions = [(
            NDIS_TIMER_CHARACTERISTICS_REVISION_1,
            NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1,
        )];
        let valid = header::valid(&given.Header, NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS, &revisions);
        let Some(function) = given.TimerFunction.filter(|_| valid) else {
            return record.returns(NDIS_STATUS_BAD_CHARACTERISTICS);
        };
        if should_fail("NdisAllocateTimerObject") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        let timer = object::fresh(Timer {
            owner,
            function,
            context: Address(given.FunctionContext),
            state: Arc::default(),
        });
        object::publish_for(timer, format!("timer of {}", owner.name), NdisHandle);
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { pTimerObject.write(handle_of(timer)) };
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Sets a timer; true if it was set already.
    [PASSIVE..=DISPATCH] fn NdisSetTimerObject(
        TimerObject: NDIS_HANDLE,
        DueTime: i64,
        MillisecondsPeriod: i32,
        FunctionContext: *mut std::ffi::c_void,
    ) -> BOOLEAN {
        set(TimerObject, DueTime, MillisecondsPeriod, FunctionContext, "NdisSetTimerObject")
    }

    /// Sets a timer that may fire a little later.
    [PASSIVE..=DISPATCH] fn NdisSetCoalescableTimerObject(
        TimerObject: NDIS_HANDLE,
        DueTime: i64,
        MillisecondsPeriod: i32,
        FunctionContext: *mut std::ffi::c_void,
        _Tolerance: u32,
    ) -> BOOLEAN {
        let name = "NdisSetCoalescableTimerObject";
        set(TimerObject, DueTime, MillisecondsPeriod, FunctionContext, name)
    }

    /// Cancels a timer; true if it was set. A periodic one does not run any more on return.
    [PASSIVE..=DISPATCH] fn NdisCancelTimerObject(TimerObject: NDIS_HANDLE) -> BOOLEAN {
        let timer = resolve::<Timer>(TimerObject, "NdisCancelTimerObject");
        let _record = trace::call("NdisCancelTimerObject", timer.owner.name);
        let (was_queued, periodic) = {
            let mut state = timer.state.lock();
            state.set += 1;
            (std::mem::replace(&mut state.queued, false), state.periodic)
        };
        timer.state.notify_all();
        if periodic {
            if irql::current() != Irql::PASSIVE {
                rules::broken(
                    &rules::PERIODIC_TIMER,
                    "NdisCancelTimerObject: a periodic timer is cancelled above PASSIVE_LEVEL",
                );
            }
            rules::held(&rules::PERIODIC_TIMER);
            timer.state.wait_until(None, |state| (!state.running).then_some(()));
        }
        BOOLEAN::from(was_queued)
    }

    /// Frees a timer that is not set and does not run.
    [PASSIVE..=DISPATCH] fn NdisFreeTimerObject(TimerObject: NDIS_HANDLE) {
        let timer = resolve::<Timer>(TimerObject, "NdisFreeTimerObject");
        let _record = trace::call("NdisFreeTimerObject", timer.owner.name);
        let busy = {
            let state = timer.state.lock();
            state.queued || state.running
        };
        if busy {
            rules::broken(
                &rules::CANCEL_TIMER_OBJECT,
                "NdisFreeTimerObject: the timer is set, or its function runs",
            );
        }
        rules::held(&rules::CANCEL_TIMER_OBJECT);
        object::retire(timer);
    }
}

fn set(
    handle: NDIS_HANDLE,
    due: i64,
    period: i32,
    context: *mut std::ffi::c_void,
    function: &'static str,
) -> BOOLEAN {
    let timer = resolve::<Timer>(handle, function);
    let _record = trace::call(function, timer.owner.name);
    // Negative is from now, in 100 ns; absolute times have passed.
    let delay = Duration::from_nanos((-due).max(0).unsigned_abs().saturating_mul(100));
    let period = Duration::from_millis(period.max(0).unsigned_abs().into());
    let context = if context.is_null() {
        timer.context
    } else {
        Address(context)
    };
    let (number, was_queued) = {
        let mut state = timer.state.lock();
        state.set += 1;
        state.periodic = !period.is_zero();
        (state.set, std::mem::replace(&mut state.queued, true))
    };
    timer.state.notify_all();
    sched::spawn_service("NDIS timer", move || {
        let _entered = caller::enter(Caller::HOST);
        fire(timer, number, delay, period, context);
    });
    BOOLEAN::from(was_queued)
}

fn fire(timer: &'static Timer, number: u64, delay: Duration, period: Duration, context: Address) {
    let mut delay = delay;
    loop {
        let superseded = timer
            .state
            .wait_until(Some(delay + sched::lateness()), |state| {
                (state.set != number).then_some(())
            });
        if superseded.is_some() {
            return;
        }
        {
            let mut state = timer.state.lock();
            if state.set != number {
                return;
            }
            state.queued = !period.is_zero();
            state.running = true;
        }
        irql::at(Irql::DISPATCH, || {
            run_data(timer.owner, "NetTimerCallback", timer.owner.name, || {
                let null = std::ptr::null_mut();
                // SAFETY: the driver set this function with this context, at DISPATCH_LEVEL.
                unsafe { (timer.function)(null, context.0, null, null) };
            });
        });
        timer.state.lock().running = false;
        timer.state.notify_all();
        if period.is_zero() {
            return;
        }
        delay = period;
    }
}
