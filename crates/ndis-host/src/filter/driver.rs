//! Registration, attach, restart, pause and detach of a built-in filter.

use std::ffi::c_void;
use std::ptr;

use ndis_sys::{
    FILTER_SEND_NET_BUFFER_LISTS_HANDLER, NDIS_DRIVER_OPTIONAL_HANDLERS,
    NDIS_FILTER_ATTACH_PARAMETERS, NDIS_FILTER_ATTRIBUTES, NDIS_FILTER_ATTRIBUTES_REVISION_1,
    NDIS_FILTER_CHARACTERISTICS_REVISION_1, NDIS_FILTER_CHARACTERISTICS_REVISION_2,
    NDIS_FILTER_DRIVER_CHARACTERISTICS, NDIS_FILTER_PARTIAL_CHARACTERISTICS,
    NDIS_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1, NDIS_FILTER_PAUSE_PARAMETERS,
    NDIS_FILTER_RESTART_PARAMETERS, NDIS_HANDLE, NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT,
    NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES, NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS,
    NDIS_OBJECT_TYPE_FILTER_PARTIAL_CHARACTERISTICS, NDIS_RESTART_ATTRIBUTES,
    NDIS_RESTART_GENERAL_ATTRIBUTES, NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1,
    NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_1,
    NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2,
    NDIS_SIZEOF_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1,
    NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1, NDIS_STATUS, NDIS_STATUS_FAILURE,
    NDIS_STATUS_PENDING, NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS,
    NET_BUFFER_LIST_POOL_PARAMETERS, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
};

use super::{Fault, Filter, Instance, SLOW, control, instance_of, traffic};
use crate::ndis::caller;
use crate::ndis::filter::driver::{NdisFDeregisterFilterDriver, NdisFRegisterFilterDriver};
use crate::ndis::filter::module::{
    NdisFPauseComplete, NdisFRestartComplete, NdisFRestartFilter, NdisFSetAttributes,
};
use crate::ndis::nbl::pool::{NdisAllocateNetBufferListPool, NdisFreeNetBufferListPool};
use crate::ndis::pnp;
use crate::ndis::register::NdisSetOptionalHandlers;
use crate::ndis::strings::Counted;
use crate::ndis::work::NdisAllocateIoWorkItem;
use crate::nt::sched::{self, Monitor};

impl Filter {
    /// Registers its driver. What it answers tells why NDIS refuses, if it does.
    pub(crate) fn register(&'static self) -> NDIS_STATUS {
        let _entered = caller::enter(self.caller());
        let name = Counted::new(self.name);
        let guid = Counted::new("{5cbf81bd-5055-47cd-9055-a76b2b4e3697}");
        // SAFETY: the string lives until the registration has copied the characteristics.
        let name_value = unsafe { *name.as_ptr() };
        // SAFETY: so does this one.
        let guid_value = unsafe { *guid.as_ptr() };
        let (revision, size) = if self.config.minor_version == 0 {
            (
                NDIS_FILTER_CHARACTERISTICS_REVISION_1,
                NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_1,
            )
        } else {
            (
                NDIS_FILTER_CHARACTERISTICS_REVISION_2,
                NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2,
            )
        };
        let mut given = NDIS_FILTER_DRIVER_CHARACTERISTICS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS,
                revision,
                size,
            ),
            MajorNdisVersion: 6,
            MinorNdisVersion: self.config.minor_version,
            FriendlyName: name_value,
            UniqueName: guid_value,
            ServiceName: name_value,
            AttachHandler: Some(attach),
            DetachHandler: Some(detach),
            RestartHandler: Some(restart),
            PauseHandler: Some(pause),
            ..NDIS_FILTER_DRIVER_CHARACTERISTICS::zeroed()
        };
        if self.config.sends {
            given.SendNetBufferListsHandler = Some(traffic::send);
            given.SendNetBufferListsCompleteHandler = Some(traffic::send_complete);
            given.CancelSendNetBufferListsHandler = Some(traffic::cancel);
        }
        if self.config.receives {
            given.ReceiveNetBufferListsHandler = Some(traffic::receive);
            given.ReturnNetBufferListsHandler = Some(traffic::returned);
        }
        if self.config.requests {
            given.OidRequestHandler = Some(control::request);
            given.OidRequestCompleteHandler = Some(control::request_complete);
            given.CancelOidRequestHandler = Some(control::cancel_request);
            given.DirectOidRequestHandler = Some(control::direct_request);
            given.DirectOidRequestCompleteHandler = Some(control::direct_request_complete);
            given.CancelDirectOidRequestHandler = Some(control::cancel_direct_request);
        }
        if self.config.status {
            given.StatusHandler = Some(control::status);
        }
        if self.config.events {
            given.NetPnPEventHandler = Some(control::network_event);
            given.DevicePnPEventNotifyHandler = Some(control::device_event);
        }
        if self.config.options {
            given.SetFilterModuleOptionsHandler = Some(set_options);
        }
        let mut handle = ptr::null_mut();
        let context = ptr::from_ref(self).cast_mut().cast::<c_void>();
        // SAFETY: the characteristics are whole, and the out pointer is a local.
        let status = unsafe {
            NdisFRegisterFilterDriver(ptr::null_mut(), context, &raw mut given, &raw mut handle)
        };
        if status == NDIS_STATUS_SUCCESS {
            self.state.lock().driver = Some(handle as usize);
        }
        status
    }

    /// Undoes the registration: NDIS detaches its modules first.
    pub(crate) fn deregister(&'static self) {
        let _entered = caller::enter(self.caller());
        let handle = self.state.lock().driver.take();
        if let Some(handle) = handle {
            // SAFETY: the handle is the registration's.
            unsafe { NdisFDeregisterFilterDriver(handle as NDIS_HANDLE) };
        }
    }
}

impl Instance {
    /// Asks for a pause and a restart.
    pub(super) fn ask_restart(&self) {
        let _entered = caller::enter(self.filter.caller());
        // SAFETY: the module is attached.
        unsafe { NdisFRestartFilter(self.handle()) };
    }
}

unsafe extern "efiapi" fn attach(
    handle: NDIS_HANDLE,
    context: NDIS_HANDLE,
    _parameters: *mut NDIS_FILTER_ATTACH_PARAMETERS,
) -> NDIS_STATUS {
    // SAFETY: it is the context that was registered; filters are never freed.
    let filter: &'static Filter = unsafe { &*context.cast::<Filter>() };
    if filter.has_fault(Fault::AttachFails) {
        return NDIS_STATUS_FAILURE;
    }
    if filter.has_fault(Fault::NoAttributes) {
        return NDIS_STATUS_SUCCESS;
    }
    let mut parameters = NET_BUFFER_LIST_POOL_PARAMETERS {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_DEFAULT,
            NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
            NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
        ),
        fAllocateNetBuffer: 1,
        PoolTag: u32::from_le_bytes(*b"NDfi"),
        ..NET_BUFFER_LIST_POOL_PARAMETERS::zeroed()
    };
    // SAFETY: the handle is this attach's, and the parameters a local.
    let pool = unsafe { NdisAllocateNetBufferListPool(handle, &raw mut parameters) };
    if pool.is_null() {
        return NDIS_STATUS_RESOURCES;
    }
    let instance: &'static Instance = Box::leak(Box::new(Instance {
        filter,
        handle: handle as usize,
        pool: pool as usize,
        state: Monitor::default(),
    }));
    let mut attributes = NDIS_FILTER_ATTRIBUTES {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES,
            NDIS_FILTER_ATTRIBUTES_REVISION_1,
            NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1,
        ),
        Flags: 0,
    };
    let context = ptr::from_ref(instance).cast_mut().cast::<c_void>();
    // SAFETY: as above.
    let status = unsafe { NdisFSetAttributes(handle, context, &raw mut attributes) };
    if status == NDIS_STATUS_SUCCESS {
        filter.state.lock().instances.push(instance);
    } else {
        // SAFETY: the pool was just made.
        unsafe { NdisFreeNetBufferListPool(pool) };
    }
    status
}

unsafe extern "efiapi" fn detach(context: NDIS_HANDLE) {
    let instance = instance_of(context);
    let filter = instance.filter;
    filter
        .state
        .lock()
        .instances
        .retain(|other| !ptr::eq(*other, instance));
    if filter.has_fault(Fault::SlowDetach) {
        sched::sleep(SLOW);
    }
    if filter.has_fault(Fault::LeakWorkItem) {
        // SAFETY: the module is not detached before this function returns.
        unsafe { NdisAllocateIoWorkItem(instance.handle()) };
    }
    // SAFETY: the pool is this module's; all its NBLs are back, because it is paused.
    unsafe { NdisFreeNetBufferListPool(instance.pool()) };
}

unsafe extern "efiapi" fn set_options(context: NDIS_HANDLE) -> NDIS_STATUS {
    let instance = instance_of(context);
    let filter = instance.filter;
    let through = !filter.state.lock().bypass;
    let send: FILTER_SEND_NET_BUFFER_LISTS_HANDLER = Some(traffic::send);
    let mut partial = NDIS_FILTER_PARTIAL_CHARACTERISTICS {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_FILTER_PARTIAL_CHARACTERISTICS,
            NDIS_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1,
            NDIS_SIZEOF_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1,
        ),
        ..NDIS_FILTER_PARTIAL_CHARACTERISTICS::zeroed()
    };
    if through && filter.config.sends {
        partial.SendNetBufferListsHandler = send;
        partial.SendNetBufferListsCompleteHandler = Some(traffic::send_complete);
    }
    if through && filter.config.receives {
        partial.ReceiveNetBufferListsHandler = Some(traffic::receive);
        partial.ReturnNetBufferListsHandler = Some(traffic::returned);
    }
    let given = (&raw mut partial).cast::<NDIS_DRIVER_OPTIONAL_HANDLERS>();
    // SAFETY: the handle is the module's, and the characteristics a local that is whole.
    unsafe { NdisSetOptionalHandlers(instance.handle(), given) }
}

unsafe extern "efiapi" fn restart(
    context: NDIS_HANDLE,
    parameters: *mut NDIS_FILTER_RESTART_PARAMETERS,
) -> NDIS_STATUS {
    let instance = instance_of(context);
    let filter = instance.filter;
    if filter.has_fault(Fault::RestartFails) {
        return NDIS_STATUS_FAILURE;
    }
    // SAFETY: the parameters live during the operation.
    let parameters = unsafe { &*parameters };
    // SAFETY: the first entry of the list is the adapter's.
    let mtu = unsafe { mtu_of(parameters.RestartAttributes) };
    {
        let mut state = instance.state.lock();
        state.restarted_with = Some((mtu, parameters.LowerIfIndex));
        state.running = true;
    }
    if !filter.state.lock().pend_restart {
        return NDIS_STATUS_SUCCESS;
    }
    pnp::job("filter restart", move || {
        let _entered = caller::enter(filter.caller());
        // SAFETY: the restart of this module is pending.
        unsafe { NdisFRestartComplete(instance.handle(), NDIS_STATUS_SUCCESS) };
    });
    NDIS_STATUS_PENDING
}

unsafe extern "efiapi" fn pause(
    context: NDIS_HANDLE,
    _parameters: *mut NDIS_FILTER_PAUSE_PARAMETERS,
) -> NDIS_STATUS {
    let instance = instance_of(context);
    let filter = instance.filter;
    let fault = filter.state.lock().fault;
    match fault {
        Some(Fault::PauseFails) => return NDIS_STATUS_FAILURE,
        Some(Fault::PauseNeverCompletes) => return NDIS_STATUS_PENDING,
        Some(Fault::KeepOverPause) => return NDIS_STATUS_SUCCESS,
        Some(Fault::SendInPause) => {
            filter.send(&[0; 60]);
        }
        Some(Fault::PauseTwice) => {
            // SAFETY: the pause of this module is going on, if not pending.
            unsafe { NdisFPauseComplete(instance.handle()) };
            return NDIS_STATUS_SUCCESS;
        }
        _ => {}
    }
    instance.state.lock().running = false;
    instance.give_back_held();
    let quiet = instance.state.lock().own.is_empty();
    if quiet && !filter.state.lock().pend_pause {
        return NDIS_STATUS_SUCCESS;
    }
    pnp::job("filter pause", move || {
        let _entered = caller::enter(filter.caller());
        let own_back = |state: &mut super::Module| state.own.is_empty().then_some(());
        instance.state.wait_until(None, own_back);
        // SAFETY: the pause of this module is pending.
        unsafe { NdisFPauseComplete(instance.handle()) };
    });
    NDIS_STATUS_PENDING
}

/// The MTU in the general attributes, which come first.
///
/// # Safety
/// NULL, or a list of restart attributes that begins with the adapter's.
unsafe fn mtu_of(attributes: *const NDIS_RESTART_ATTRIBUTES) -> u32 {
    if attributes.is_null() {
        return 0;
    }
    let offset = std::mem::offset_of!(NDIS_RESTART_ATTRIBUTES, Data);
    let general = attributes.cast::<u8>().wrapping_add(offset);
    // SAFETY: the caller's contract: the entry's data are general attributes.
    let general = unsafe {
        general
            .cast::<NDIS_RESTART_GENERAL_ATTRIBUTES>()
            .read_unaligned()
    };
    general.MtuSize
}
