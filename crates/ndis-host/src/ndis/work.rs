//! I/O work items: functions that run in a system thread.

use ndis_sys::{NDIS_HANDLE, NDIS_IO_WORKITEM_ROUTINE};

use super::caller::Caller;
use super::driver::{Address, party_of, run};
use super::faults::should_fail;
use super::object::{self, Kind, Object, handle_of, resolve};
use super::{pnp, trace};
use crate::nt::sched::{self, Monitor};
use crate::rules;

struct WorkItem {
    owner: Caller,
    state: Monitor<State>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Queued,
}

impl Object for WorkItem {
    const KIND: Kind = Kind::WorkItem;
}

crate::ddi! { "ndis.sys":
    /// Makes a work item.
    [PASSIVE..=DISPATCH] fn NdisAllocateIoWorkItem(NdisObjectHandle: NDIS_HANDLE) -> NDIS_HANDLE {
        const NAME: &str = "NdisAllocateIoWorkItem";
        // A protocol's handles are not accepted.
        let kinds = [Kind::Adapter, Kind::MiniportDriver, Kind::FilterDriver, Kind::FilterModule];
        object::require(NdisObjectHandle, &kinds, NAME);
        let owner = party_of(NdisObjectHandle, NAME);
        let _record = trace::call(NAME, owner.name);
        if should_fail("NdisAllocateIoWorkItem") {
            return std::ptr::null_mut();
        }
        let item = object::fresh(WorkItem {
            owner,
            state: Monitor::default(),
        });
        handle_of(object::publish_for(
            item,
            format!("work item of {}", owner.name),
            NdisObjectHandle,
        ))
    }

    /// Runs a function in a system thread, once.
    [PASSIVE..=DISPATCH] fn NdisQueueIoWorkItem(
        NdisIoWorkItemHandle: NDIS_HANDLE,
        Routine: NDIS_IO_WORKITEM_ROUTINE,
        WorkItemContext: *mut std::ffi::c_void,
    ) {
        let item = resolve::<WorkItem>(NdisIoWorkItemHandle, "NdisQueueIoWorkItem");
        let _record = trace::call("NdisQueueIoWorkItem", item.owner.name);
        let before = std::mem::replace(&mut *item.state.lock(), State::Queued);
        let Some(routine) = Routine.filter(|_| before == State::Idle) else {
            rules::broken(
                &rules::INIT_NDIS_ALLOCATE_IO_WORK_ITEM,
                "NdisQueueIoWorkItem: the work item is queued already, or the routine is NULL",
            );
        };
        rules::held(&rules::INIT_NDIS_ALLOCATE_IO_WORK_ITEM);
        let context = Address(WorkItemContext);
        let handle = Address(NdisIoWorkItemHandle);
        pnp::job("system worker", move || {
            let (context, handle) = (context, handle);
            sched::linger();
            *item.state.lock() = State::Idle;
            run(item.owner, "NdisIoWorkItemRoutine", item.owner.name, || {
                // SAFETY: the driver queued this function with this context, at PASSIVE_LEVEL.
                unsafe { routine(context.0, handle.0) };
            });
        });
    }

    /// Frees a work item that is not queued.
    [PASSIVE..=DISPATCH] fn NdisFreeIoWorkItem(NdisIoWorkItemHandle: NDIS_HANDLE) {
        let item = resolve::<WorkItem>(NdisIoWorkItemHandle, "NdisFreeIoWorkItem");
        let _record = trace::call("NdisFreeIoWorkItem", item.owner.name);
        if *item.state.lock() == State::Queued {
            rules::broken(
                &rules::INIT_NDIS_ALLOCATE_IO_WORK_ITEM,
                "NdisFreeIoWorkItem: the work item is queued and did not run yet",
            );
        }
        rules::held(&rules::INIT_NDIS_ALLOCATE_IO_WORK_ITEM);
        object::retire(item);
    }
}
