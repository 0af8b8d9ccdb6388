//! The miniport driver of the built-in NICs: its functions, and the threads of a running NIC.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::atomic::Ordering;
use std::{mem, ptr};

use ndis_sys::{
    IF_TYPE_ETHERNET_CSMACD, NDIS_HALT_ACTION, NDIS_HANDLE, NDIS_MINIPORT_ADAPTER_ATTRIBUTES,
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES, NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
    NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES,
    NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_2,
    NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES, NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1,
    NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
    NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
    NDIS_MINIPORT_ATTRIBUTES_HARDWARE_DEVICE, NDIS_MINIPORT_ATTRIBUTES_NDIS_WDM,
    NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND, NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2, NDIS_MINIPORT_INIT_PARAMETERS,
    NDIS_MINIPORT_PAUSE_PARAMETERS, NDIS_MINIPORT_RESTART_PARAMETERS, NDIS_OBJECT_HEADER,
    NDIS_OBJECT_TYPE_DEFAULT, NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
    NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES,
    NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES,
    NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
    NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS, NDIS_OID_REQUEST, NDIS_PM_CAPABILITIES,
    NDIS_PORT_NUMBER, NDIS_RECEIVE_FILTER_CAPABILITIES,
    NDIS_RECEIVE_FILTER_CAPABILITIES_REVISION_2,
    NDIS_RECEIVE_FILTER_MAC_HEADER_DEST_ADDR_SUPPORTED, NDIS_RECEIVE_FILTER_MAC_HEADER_SUPPORTED,
    NDIS_RECEIVE_FILTER_MAC_HEADER_VLAN_ID_SUPPORTED,
    NDIS_RECEIVE_FILTER_TEST_HEADER_FIELD_EQUAL_SUPPORTED, NDIS_RECEIVE_FILTER_VM_QUEUE_SUPPORTED,
    NDIS_RECEIVE_FILTER_VMQ_FILTERS_ENABLED, NDIS_RESTART_ATTRIBUTES,
    NDIS_RESTART_GENERAL_ATTRIBUTES, NDIS_SHUTDOWN_ACTION,
    NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
    NDIS_SIZEOF_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_2,
    NDIS_SIZEOF_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1,
    NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
    NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
    NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
    NDIS_SIZEOF_RECEIVE_FILTER_CAPABILITIES_REVISION_2, NDIS_STATUS, NDIS_STATUS_FAILURE,
    NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_PENDING, NDIS_STATUS_REQUEST_ABORTED,
    NDIS_STATUS_SUCCESS, NET_BUFFER_LIST, NET_BUFFER_LIST_POOL_PARAMETERS,
    NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1, NET_DEVICE_PNP_EVENT, NET_IF_ACCESS_BROADCAST,
    NET_IF_CONNECTION_DEDICATED, NET_IF_DIRECTION_SENDRECEIVE, NdisInterfaceInternal,
    NdisMedium802_3, NdisPhysicalMedium802_3,
};

use super::{CALLER, Nic, ScalingCapabilities, oid};
use crate::ndis::adapter::{Adapter, NdisMPauseComplete};
use crate::ndis::attributes::NdisMSetMiniportAttributes;
use crate::ndis::caller;
use crate::ndis::nbl::owner;
use crate::ndis::nbl::pool::{NdisAllocateNetBufferListPool, NdisFreeNetBufferListPool};
use crate::ndis::object::resolve;
use crate::ndis::oid::NdisMOidRequestComplete;
use crate::ndis::oid::direct::NdisMDirectOidRequestComplete;
use crate::ndis::oid::request::Request;
use crate::ndis::pnp;
use crate::ndis::policy::{self, When};
use crate::ndis::register::{NdisMDeregisterMiniportDriver, NdisMRegisterMiniportDriver};
use crate::nt::sched::{self, Monitor};

/// Registers the driver, if it is not, and makes `nic` known to it under its device name.
pub(crate) fn register(nic: &'static Nic) {
    let _entered = caller::enter(CALLER);
    NICS.lock().push(nic);
    if REGISTERED.lock().is_some() {
        return;
    }
    let mut characteristics = NDIS_MINIPORT_DRIVER_CHARACTERISTICS {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
            NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
            NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
        ),
        MajorNdisVersion: 6,
        MinorNdisVersion: 30,
        InitializeHandlerEx: Some(initialize),
        HaltHandlerEx: Some(halt),
        UnloadHandler: Some(unload),
        PauseHandler: Some(pause),
        RestartHandler: Some(restart),
        OidRequestHandler: Some(oid_request),
        SendNetBufferListsHandler: Some(send),
        ReturnNetBufferListsHandler: Some(returned),
        CancelSendHandler: Some(cancel_send),
        DevicePnPEventNotifyHandler: Some(pnp_event),
        ShutdownHandlerEx: Some(shutdown),
        CancelOidRequestHandler: Some(cancel_oid),
        DirectOidRequestHandler: Some(direct_oid_request),
        CancelDirectOidRequestHandler: Some(cancel_direct_oid),
        ..NDIS_MINIPORT_DRIVER_CHARACTERISTICS::zeroed()
    };
    let mut handle = ptr::null_mut();
    // SAFETY: the characteristics are whole, and the out pointer is a local.
    let status = unsafe {
        NdisMRegisterMiniportDriver(
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            &raw mut characteristics,
            &raw mut handle,
        )
    };
    assert_eq!(
        status, NDIS_STATUS_SUCCESS,
        "the built-in NIC driver registers"
    );
    *REGISTERED.lock() = Some(handle as usize);
}

/// Forgets a halted NIC, and undoes the registration with the last one.
pub(crate) fn deregister(nic: &'static Nic) {
    let _entered = caller::enter(CALLER);
    let last = {
        let mut nics = NICS.lock();
        nics.retain(|other| !ptr::eq(*other, nic));
        nics.is_empty()
    };
    let handle = if last { REGISTERED.lock().take() } else { None };
    if let Some(handle) = handle {
        // SAFETY: the handle is the registration's, and all its adapters are halted.
        unsafe { NdisMDeregisterMiniportDriver(handle as NDIS_HANDLE) };
    }
}

unsafe extern "efiapi" fn initialize(
    handle: NDIS_HANDLE,
    _driver: NDIS_HANDLE,
    _parameters: *mut NDIS_MINIPORT_INIT_PARAMETERS,
) -> NDIS_STATUS {
    let name = resolve::<Adapter>(handle, "MiniportInitializeEx").name();
    let nic = NICS
        .lock()
        .iter()
        .copied()
        .find(|nic| nic.config.device == name);
    let Some(nic) = nic else {
        return NDIS_STATUS_FAILURE;
    };
    nic.handle.store(handle, Ordering::Release);
    let mut flags = NDIS_MINIPORT_ATTRIBUTES_HARDWARE_DEVICE | NDIS_MINIPORT_ATTRIBUTES_NDIS_WDM;
    if !nic.config.pauses_to_sleep {
        flags |= NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND;
    }
    let mut registration = NDIS_MINIPORT_ADAPTER_ATTRIBUTES {
        RegistrationAttributes: NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
                NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
                NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
            ),
            MiniportAdapterContext: ptr::from_ref(nic).cast_mut().cast::<c_void>(),
            AttributeFlags: flags,
            CheckForHangTimeInSeconds: 0,
            InterfaceType: NdisInterfaceInternal,
        },
    };
    // SAFETY: the handle is this initialization's; the attributes live during the call.
    let status = unsafe { NdisMSetMiniportAttributes(handle, &raw mut registration) };
    if status != NDIS_STATUS_SUCCESS {
        return status;
    }
    let mut power = nic.power_capabilities();
    let mut supported = oid::SUPPORTED.to_vec();
    let mut scaling = nic.config.scaling.map(ScalingCapabilities::structure);
    let mut general = nic.general(&mut supported, &mut power);
    general.RecvScaleCapabilities = scaling.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
    let mut general = NDIS_MINIPORT_ADAPTER_ATTRIBUTES {
        GeneralAttributes: general,
    };
    // SAFETY: as above.
    let status = unsafe { NdisMSetMiniportAttributes(handle, &raw mut general) };
    if status != NDIS_STATUS_SUCCESS {
        return status;
    }
    if nic.config.receive_filters != 0 {
        let mut filters = nic.receive_filter_capabilities();
        let mut assist = NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES,
                NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_2,
                NDIS_SIZEOF_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_2,
            ),
            HardwareReceiveFilterCapabilities: &raw mut filters,
            CurrentReceiveFilterCapabilities: &raw mut filters,
            ..NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES::zeroed()
        };
        // SAFETY: as above; the structure is longer than its header says.
        let status = unsafe { NdisMSetMiniportAttributes(handle, (&raw mut assist).cast()) };
        if status != NDIS_STATUS_SUCCESS {
            return status;
        }
    }
    if let Some([mut current, mut hardware]) = nic.offload_attributes() {
        let mut offload = NDIS_MINIPORT_ADAPTER_ATTRIBUTES {
            OffloadAttributes: NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES {
                Header: NDIS_OBJECT_HEADER::new(
                    NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES,
                    NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1,
                    NDIS_SIZEOF_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1,
                ),
                DefaultOffloadConfiguration: &raw mut current,
                HardwareOffloadCapabilities: &raw mut hardware,
                ..NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES::zeroed()
            },
        };
        // SAFETY: as above.
        let status = unsafe { NdisMSetMiniportAttributes(handle, &raw mut offload) };
        if status != NDIS_STATUS_SUCCESS {
            return status;
        }
    }
    let mut parameters = NET_BUFFER_LIST_POOL_PARAMETERS {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_DEFAULT,
            NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
            NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
        ),
        fAllocateNetBuffer: 1,
        PoolTag: u32::from_le_bytes(*b"NDnc"),
        ..NET_BUFFER_LIST_POOL_PARAMETERS::zeroed()
    };
    // SAFETY: as above.
    let pool = unsafe { NdisAllocateNetBufferListPool(handle, &raw mut parameters) };
    nic.pool.store(pool, Ordering::Release);
    nic.stop.store(false, Ordering::SeqCst);
    {
        let mut state = nic.state.lock();
        state.threads = 2;
        state.up = true;
    }
    sched::spawn_service(format!("{} receive", nic.config.label), || {
        nic.receive_loop()
    });
    sched::spawn(format!("{} send", nic.config.label), || nic.send_loop());
    NDIS_STATUS_SUCCESS
}

unsafe extern "efiapi" fn halt(context: NDIS_HANDLE, _action: NDIS_HALT_ACTION) {
    let nic = nic_of(context);
    nic.stop.store(true, Ordering::SeqCst);
    nic.state.lock().up = false;
    nic.state.notify_all();
    nic.state.wait_until(None, |state| {
        (state.threads == 0 && state.telling == 0).then_some(())
    });
    nic.handle.store(ptr::null_mut(), Ordering::Release);
    let pool = nic.pool.swap(ptr::null_mut(), Ordering::AcqRel);
    // SAFETY: the pool is this adapter's; all its NBLs are back, because it is paused.
    unsafe { NdisFreeNetBufferListPool(pool) };
}

unsafe extern "efiapi" fn unload(_driver: *mut ndis_sys::DRIVER_OBJECT) {}

unsafe extern "efiapi" fn pause(
    context: NDIS_HANDLE,
    _parameters: *mut NDIS_MINIPORT_PAUSE_PARAMETERS,
) -> NDIS_STATUS {
    let nic = nic_of(context);
    nic.state.lock().running = false;
    nic.state.notify_all();
    pnp::job("NIC pause", || {
        let _entered = caller::enter(CALLER);
        nic.state.wait_until(None, |state| {
            let quiet = state.indicating == 0 && state.out.is_empty() && state.sends.is_empty();
            (quiet && state.completing == 0).then_some(())
        });
        // SAFETY: the handle is the adapter's, whose pause is pending.
        unsafe { NdisMPauseComplete(nic.handle()) };
    });
    NDIS_STATUS_PENDING
}

unsafe extern "efiapi" fn restart(
    context: NDIS_HANDLE,
    parameters: *mut NDIS_MINIPORT_RESTART_PARAMETERS,
) -> NDIS_STATUS {
    let nic = nic_of(context);
    let mtu = nic.state.lock().mtu_at_restart;
    if let Some(mtu) = mtu {
        // SAFETY: NDIS gives parameters, and general attributes first in the list.
        unsafe { set_restart_mtu(parameters, mtu) };
    }
    nic.state.lock().running = true;
    nic.state.notify_all();
    NDIS_STATUS_SUCCESS
}

/// # Safety
/// The parameters are those of a restart, with `NDIS_RESTART_GENERAL_ATTRIBUTES` first in the list.
unsafe fn set_restart_mtu(parameters: *mut NDIS_MINIPORT_RESTART_PARAMETERS, mtu: u32) {
    // SAFETY: as the caller says.
    let entry = unsafe { (*parameters).RestartAttributes };
    let data = mem::offset_of!(NDIS_RESTART_ATTRIBUTES, Data);
    let general = entry.cast::<u8>().wrapping_add(data);
    let field = general.wrapping_add(mem::offset_of!(NDIS_RESTART_GENERAL_ATTRIBUTES, MtuSize));
    // SAFETY: the field lies in the entry's data.
    unsafe { field.cast::<u32>().write_unaligned(mtu) };
}

unsafe extern "efiapi" fn oid_request(
    context: NDIS_HANDLE,
    request: *mut NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    let nic = nic_of(context);
    let hold = nic.state.lock().hold_requests;
    if !hold && policy::current().nic_oid == When::Inline {
        // SAFETY: NDIS owns the request until it is completed.
        return nic.request(unsafe { Request::new(request) });
    }
    nic.state.lock().requests.push_back(request as usize);
    nic.state.notify_all();
    NDIS_STATUS_PENDING
}

unsafe extern "efiapi" fn direct_oid_request(
    context: NDIS_HANDLE,
    request: *mut NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    let nic = nic_of(context);
    // SAFETY: NDIS owns the request until it is completed.
    let asked = unsafe { Request::new(request) };
    if !asked.is_query() {
        return NDIS_STATUS_NOT_SUPPORTED;
    }
    let hold = nic.state.lock().hold_requests;
    if !hold && policy::current().nic_oid == When::Inline {
        return nic.request(asked);
    }
    let mut state = nic.state.lock();
    state.direct_requests.push_back(request as usize);
    drop(state);
    nic.state.notify_all();
    NDIS_STATUS_PENDING
}

unsafe extern "efiapi" fn cancel_direct_oid(context: NDIS_HANDLE, id: *mut c_void) {
    let nic = nic_of(context);
    let found = take_by_id(&mut nic.state.lock().direct_requests, id);
    if let Some(request) = found {
        // SAFETY: the request was pending here.
        unsafe {
            NdisMDirectOidRequestComplete(
                nic.handle(),
                request as *mut NDIS_OID_REQUEST,
                NDIS_STATUS_REQUEST_ABORTED,
            );
        }
    }
}

/// Takes out the request with that id, if it is among those that pend here.
fn take_by_id(requests: &mut VecDeque<usize>, id: *mut c_void) -> Option<usize> {
    let at = requests.iter().position(|&request| {
        // SAFETY: the request is pending here.
        let request = unsafe { Request::new(request as *mut NDIS_OID_REQUEST) };
        request.id() == id
    })?;
    requests.remove(at)
}

unsafe extern "efiapi" fn cancel_oid(context: NDIS_HANDLE, id: *mut c_void) {
    let nic = nic_of(context);
    let found = take_by_id(&mut nic.state.lock().requests, id);
    if let Some(request) = found {
        let handle = nic.handle();
        // SAFETY: the request was pending here.
        unsafe {
            NdisMOidRequestComplete(
                handle,
                request as *mut NDIS_OID_REQUEST,
                NDIS_STATUS_REQUEST_ABORTED,
            );
        }
    }
}

unsafe extern "efiapi" fn send(
    context: NDIS_HANDLE,
    first: *mut NET_BUFFER_LIST,
    _port: NDIS_PORT_NUMBER,
    _flags: u32,
) {
    let nic = nic_of(context);
    if let Some(bench) = nic.bench.get() {
        return bench.sent(nic, first);
    }
    let nbls = owner::chain(first, "MiniportSendNetBufferLists");
    let done: Vec<(usize, NDIS_STATUS)> = nbls
        .iter()
        .map(|&nbl| (nbl.address(), nic.transmit(nbl)))
        .collect();
    let inline = {
        let mut state = nic.state.lock();
        let inline = policy::current().send_completion == When::Inline && !state.hold_sends;
        if inline {
            state.completing += 1;
        } else {
            state.sends.extend(&done);
        }
        inline
    };
    if inline {
        nic.complete(&done);
        nic.state.lock().completing -= 1;
    }
    nic.state.notify_all();
}

unsafe extern "efiapi" fn returned(context: NDIS_HANDLE, first: *mut NET_BUFFER_LIST, _flags: u32) {
    let nic = nic_of(context);
    if let Some(bench) = nic.bench.get() {
        return bench.returned(first);
    }
    nic.take_back(&owner::chain(first, "MiniportReturnNetBufferLists"));
}

unsafe extern "efiapi" fn cancel_send(context: NDIS_HANDLE, id: *mut c_void) {
    let nic = nic_of(context);
    let mut state = nic.state.lock();
    for (address, status) in &mut state.sends {
        let nbl = owner::known(*address as *mut NET_BUFFER_LIST, "MiniportCancelSend");
        if nbl.info()[ndis_sys::NetBufferListCancelId] == id {
            *status = ndis_sys::NDIS_STATUS_SEND_ABORTED;
        }
    }
}

unsafe extern "efiapi" fn pnp_event(_context: NDIS_HANDLE, _event: *mut NET_DEVICE_PNP_EVENT) {}

unsafe extern "efiapi" fn shutdown(_context: NDIS_HANDLE, _action: NDIS_SHUTDOWN_ACTION) {}

impl Nic {
    fn receive_filter_capabilities(&self) -> NDIS_RECEIVE_FILTER_CAPABILITIES {
        NDIS_RECEIVE_FILTER_CAPABILITIES {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_DEFAULT,
                NDIS_RECEIVE_FILTER_CAPABILITIES_REVISION_2,
                NDIS_SIZEOF_RECEIVE_FILTER_CAPABILITIES_REVISION_2,
            ),
            EnabledFilterTypes: NDIS_RECEIVE_FILTER_VMQ_FILTERS_ENABLED,
            SupportedQueueProperties: NDIS_RECEIVE_FILTER_VM_QUEUE_SUPPORTED,
            SupportedFilterTests: NDIS_RECEIVE_FILTER_TEST_HEADER_FIELD_EQUAL_SUPPORTED,
            SupportedHeaders: NDIS_RECEIVE_FILTER_MAC_HEADER_SUPPORTED,
            SupportedMacHeaderFields: NDIS_RECEIVE_FILTER_MAC_HEADER_DEST_ADDR_SUPPORTED
                | NDIS_RECEIVE_FILTER_MAC_HEADER_VLAN_ID_SUPPORTED,
            MaxMacHeaderFilters: self.config.receive_filters,
            ..NDIS_RECEIVE_FILTER_CAPABILITIES::zeroed()
        }
    }

    fn general(
        &self,
        supported: &mut Vec<u32>,
        power: &mut NDIS_PM_CAPABILITIES,
    ) -> NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES {
        let link = self.link();
        let mut address = [0; 32];
        address[..6].copy_from_slice(&self.config.mac);
        NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
                NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
                NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
            ),
            MediaType: NdisMedium802_3,
            PhysicalMediumType: NdisPhysicalMedium802_3,
            MtuSize: self.config.mtu,
            MaxXmitLinkSpeed: self.config.link_speed,
            XmitLinkSpeed: self.config.link_speed,
            MaxRcvLinkSpeed: self.config.link_speed,
            RcvLinkSpeed: self.config.link_speed,
            MediaConnectState: link.MediaConnectState,
            MediaDuplexState: link.MediaDuplexState,
            LookaheadSize: self.config.mtu,
            MacOptions: self.config.mac_options,
            SupportedPacketFilters: self.config.packet_filters,
            MaxMulticastListSize: 64,
            MacAddressLength: 6,
            PermanentMacAddress: address,
            CurrentMacAddress: address,
            AccessType: NET_IF_ACCESS_BROADCAST,
            DirectionType: NET_IF_DIRECTION_SENDRECEIVE,
            ConnectionType: NET_IF_CONNECTION_DEDICATED,
            IfType: IF_TYPE_ETHERNET_CSMACD,
            IfConnectorPresent: 1,
            SupportedStatistics: oid::ALL_STATISTICS,
            SupportedOidList: supported.as_mut_ptr(),
            SupportedOidListLength: (supported.len() * 4) as u32,
            PowerManagementCapabilitiesEx: if self.config.sleeps {
                ptr::from_mut(power)
            } else {
                ptr::null_mut()
            },
            ..NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES::zeroed()
        }
    }
}

fn nic_of(context: NDIS_HANDLE) -> &'static Nic {
    // SAFETY: it is the context that `initialize` set, of a NIC that is never freed.
    unsafe { &*context.cast::<Nic>() }
}

static NICS: Monitor<Vec<&'static Nic>> = Monitor::new(Vec::new());
static REGISTERED: Monitor<Option<usize>> = Monitor::new(None);
