//! Work items of the I/O manager: a driver's function, run once in a system thread at PASSIVE_LEVEL
//! (`system-worker-threads.md`).
//!
//! An item is a block of pool that nobody looks into: a driver that uses one after freeing it is seen
//! in the table here.

use std::collections::BTreeMap;
use std::ffi::c_void;

use ndis_sys::DEVICE_OBJECT;

use super::irql::Irql;
use super::pool::{self, Kind};
use super::sched::{self, Monitor};
use crate::call;
use crate::ddi;
use crate::faults::should_fail;
use crate::rules;

/// IO_WORKITEM_ROUTINE (`nc-wdm-io_workitem_routine.md`).
type Routine = unsafe extern "efiapi" fn(*mut DEVICE_OBJECT, *mut c_void);

ddi! { "ntoskrnl.exe":
    /// Makes a work item for a device (`nf-wdm-ioallocateworkitem.md`). Null if there is no memory.
    [PASSIVE..=DISPATCH, unchecked] fn IoAllocateWorkItem(device: *mut DEVICE_OBJECT) -> *mut c_void {
        if should_fail("IoAllocateWorkItem") {
            return std::ptr::null_mut();
        }
        let item = pool::allocate(ITEM_SIZE, TAG, Kind::NonPaged);
        if !item.is_null() {
            let state = Item { device: device as usize, queued: false };
            ITEMS.lock().insert(item as usize, state);
        }
        item.cast()
    }

    /// Runs a function in a system thread, once (`nf-wdm-ioqueueworkitem.md`).
    [PASSIVE..=DISPATCH, unchecked] fn IoQueueWorkItem(
        item: *mut c_void,
        routine: Option<Routine>,
        _queue: i32,
        context: *mut c_void,
    ) {
        let mut items = ITEMS.lock();
        let found = items.get_mut(&(item as usize)).filter(|item| !item.queued);
        let (Some(found), Some(routine)) = (found, routine) else {
            drop(items);
            rules::broken(
                &rules::WORK_ITEM,
                format_args!("{item:p} is queued: it is no work item, is queued already, or has no routine"),
            );
        };
        found.queued = true;
        let device = found.device;
        drop(items);
        let (item, context) = (item as usize, context as usize);
        sched::spawn("system worker", move || {
            // The system dequeues an item before its routine runs, which may free it or queue it again.
            if let Some(item) = ITEMS.lock().get_mut(&item) {
                item.queued = false;
            }
            call::callback("WorkItem", Irql::PASSIVE..=Irql::PASSIVE, || {
                // SAFETY: the driver queued this function for its device with this context.
                unsafe { routine(device as *mut DEVICE_OBJECT, context as *mut c_void) };
            });
        });
    }

    /// Frees a work item that is not queued (`nf-wdm-iofreeworkitem.md`).
    [PASSIVE..=DISPATCH, unchecked] fn IoFreeWorkItem(item: *mut c_void) {
        let mut items = ITEMS.lock();
        let free = items.get(&(item as usize)).is_some_and(|item| !item.queued);
        if !free {
            drop(items);
            rules::broken(
                &rules::WORK_ITEM,
                format_args!("{item:p} is freed: it is no work item, or is queued"),
            );
        }
        items.remove(&(item as usize));
        drop(items);
        pool::free(item.cast(), Some(TAG.into()));
        rules::held(&rules::WORK_ITEM);
    }
}

struct Item {
    device: usize,
    queued: bool,
}

const TAG: [u8; 4] = *b"IoWi";
const ITEM_SIZE: usize = 88;

static ITEMS: Monitor<BTreeMap<usize, Item>> = Monitor::new(BTreeMap::new());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::irql;
    use crate::rules::testing::{alone, assert_broken};

    unsafe extern "efiapi" fn wait_for(_: *mut DEVICE_OBJECT, signal: *mut c_void) {
        // SAFETY: the tests give signals that live for good.
        let signals = unsafe { &*signal.cast::<[sched::Signal; 2]>() };
        assert_eq!(irql::current(), Irql::PASSIVE);
        signals[0].wait(None);
        signals[1].set();
    }

    fn queue(signals: &'static [sched::Signal; 2]) -> *mut c_void {
        // SAFETY: no device is looked at.
        let item = unsafe { IoAllocateWorkItem(std::ptr::null_mut()) };
        let context = std::ptr::from_ref(signals).cast_mut().cast();
        // SAFETY: the item was just made, and the signals live for good.
        unsafe { IoQueueWorkItem(item, Some(wait_for), 1, context) };
        item
    }

    fn signals() -> &'static [sched::Signal; 2] {
        Box::leak(Box::new([sched::Signal::new(), sched::Signal::new()]))
    }

    #[test]
    fn an_item_runs_once_and_can_be_freed_while_it_runs() {
        let signals = signals();
        signals[0].set();
        let item = queue(signals);
        assert!(signals[1].wait(None));
        // SAFETY: the item has run.
        unsafe { IoFreeWorkItem(item) };
    }

    #[test]
    fn an_allocation_that_is_told_to_fail_answers_null() {
        alone(|| {
            crate::faults::fail_nth("IoAllocateWorkItem", 1);
            // SAFETY: no device is looked at.
            let item = unsafe { IoAllocateWorkItem(std::ptr::null_mut()) };
            assert!(item.is_null());
        });
    }

    #[test]
    fn freeing_twice_breaks_the_rule() {
        assert_broken(&rules::WORK_ITEM, &["is freed"], || {
            // SAFETY: no device is looked at.
            let item = unsafe { IoAllocateWorkItem(std::ptr::null_mut()) };
            // SAFETY: the item was just made; the second call only looks it up.
            unsafe { IoFreeWorkItem(item) };
            // SAFETY: as above.
            unsafe { IoFreeWorkItem(item) };
        });
    }

    #[test]
    fn queueing_what_is_no_item_breaks_the_rule() {
        assert_broken(&rules::WORK_ITEM, &["is queued"], || {
            let null = std::ptr::null_mut();
            // SAFETY: the pointer is only looked up.
            unsafe { IoQueueWorkItem(null, Some(wait_for), 1, null) };
        });
    }
}
