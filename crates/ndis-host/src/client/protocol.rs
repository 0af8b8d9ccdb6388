//! The protocol driver of a client: registration and functions.

use std::ffi::c_void;
use std::ptr;

use ndis_sys::{
    MediaConnectStateConnected, NDIS_BIND_PARAMETERS, NDIS_HANDLE, NDIS_LINK_STATE, NDIS_MEDIUM,
    NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT, NDIS_OBJECT_TYPE_OPEN_PARAMETERS,
    NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS, NDIS_OID_REQUEST, NDIS_OPEN_PARAMETERS,
    NDIS_OPEN_PARAMETERS_REVISION_1, NDIS_PACKET_TYPE_ALL_MULTICAST, NDIS_PACKET_TYPE_BROADCAST,
    NDIS_PACKET_TYPE_DIRECTED, NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
    NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1, NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1,
    NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2, NDIS_STATUS, NDIS_STATUS_FAILURE,
    NDIS_STATUS_INDICATION, NDIS_STATUS_LINK_STATE, NDIS_STATUS_PENDING,
    NDIS_STATUS_PM_WOL_PATTERN_REJECTED, NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS,
    NET_BUFFER_LIST_POOL_PARAMETERS, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
    NET_PNP_EVENT_NOTIFICATION, NdisDeviceStateD0, NdisMedium802_3, NdisRequestSetInformation,
    NetEventPause, NetEventQueryPower, NetEventQueryRemoveDevice, NetEventRestart,
    NetEventSetPower, OID_802_3_MULTICAST_LIST, OID_GEN_CURRENT_LOOKAHEAD,
    OID_GEN_CURRENT_PACKET_FILTER, OID_PM_REMOVE_WOL_PATTERN,
};

use super::{Attributes, Client};
use crate::ndis::event::NdisCompleteNetPnPEvent;
use crate::ndis::nbl::pool::{NdisAllocateNetBufferListPool, NdisFreeNetBufferListPool};
use crate::ndis::oid::request;
use crate::ndis::open::{NdisCloseAdapterEx, NdisOpenAdapterEx};
use crate::ndis::register::{NdisDeregisterProtocolDriver, NdisRegisterProtocolDriver};
use crate::ndis::strings::Counted;
use crate::ndis::{BindingState, caller, pnp};

impl Client {
    /// Registers its protocol driver, which then gets its binds.
    pub(crate) fn register(&'static self) {
        let _entered = caller::enter(self.caller());
        let name = Counted::new(self.name);
        // SAFETY: the string lives until the registration has copied the characteristics.
        let name_value = unsafe { *name.as_ptr() };
        let mut characteristics = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
                NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
                NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
            ),
            MajorNdisVersion: 6,
            MinorNdisVersion: 30,
            Name: name_value,
            BindAdapterHandlerEx: Some(bind),
            UnbindAdapterHandlerEx: Some(unbind),
            OpenAdapterCompleteHandlerEx: Some(open_complete),
            CloseAdapterCompleteHandlerEx: Some(close_complete),
            NetPnPEventHandler: Some(event),
            OidRequestCompleteHandler: Some(oid_complete),
            StatusHandlerEx: Some(status),
            ReceiveNetBufferListsHandler: Some(super::receive::receive),
            SendNetBufferListsCompleteHandler: Some(super::send::complete),
            DirectOidRequestCompleteHandler: Some(oid_complete),
            ..NDIS_PROTOCOL_DRIVER_CHARACTERISTICS::zeroed()
        };
        // The first binds may come before the registration returns.
        {
            let mut state = self.state.lock();
            if state.packet_filter == 0 {
                state.packet_filter = NDIS_PACKET_TYPE_DIRECTED
                    | NDIS_PACKET_TYPE_BROADCAST
                    | NDIS_PACKET_TYPE_ALL_MULTICAST;
            }
        }
        let mut handle = ptr::null_mut();
        let context = ptr::from_ref(self).cast_mut().cast::<c_void>();
        // SAFETY: the characteristics are whole, and the out pointer is a local.
        let status = unsafe {
            NdisRegisterProtocolDriver(context, &raw mut characteristics, &raw mut handle)
        };
        assert_eq!(status, NDIS_STATUS_SUCCESS, "a client registers");
        self.state.lock().protocol = Some(handle as usize);
    }

    /// Undoes the registration: NDIS unbinds it first.
    pub(crate) fn deregister(&'static self) {
        let _entered = caller::enter(self.caller());
        let handle = self.state.lock().protocol.take();
        if let Some(handle) = handle {
            // SAFETY: the handle is the registration's.
            unsafe { NdisDeregisterProtocolDriver(handle as NDIS_HANDLE) };
        }
    }

    fn phase(&self, phase: BindingState) {
        self.state.lock().phase = Some(phase);
        self.state.notify_all();
    }

    /// Opens the adapter and waits until that is done.
    fn open(
        &'static self,
        bind_context: NDIS_HANDLE,
        parameters: &NDIS_BIND_PARAMETERS,
    ) -> NDIS_STATUS {
        let mut media: [NDIS_MEDIUM; 1] = [NdisMedium802_3];
        let mut selected = 0;
        let mut open = NDIS_OPEN_PARAMETERS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_OPEN_PARAMETERS,
                NDIS_OPEN_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1,
            ),
            AdapterName: parameters.AdapterName,
            MediumArray: media.as_mut_ptr(),
            MediumArraySize: 1,
            SelectedMediumIndex: &raw mut selected,
            ..NDIS_OPEN_PARAMETERS::zeroed()
        };
        {
            let mut state = self.state.lock();
            state.opened = None;
            state.asleep = false;
        }
        let protocol = self.protocol_handle();
        let mut handle = ptr::null_mut();
        let context = ptr::from_ref(self).cast_mut().cast::<c_void>();
        // SAFETY: called in the bind that `bind_context` is of; all that is pointed at lives until
        // the open is complete.
        let mut status = unsafe {
            NdisOpenAdapterEx(
                protocol,
                context,
                &raw mut open,
                bind_context,
                &raw mut handle,
            )
        };
        if status == NDIS_STATUS_PENDING {
            let opened = self.state.wait_until(None, |state| state.opened.take());
            status = opened.unwrap_or(NDIS_STATUS_SUCCESS);
        }
        if status == NDIS_STATUS_SUCCESS {
            self.state.lock().binding = Some(handle as usize);
        }
        status
    }

    /// Closes the adapter and waits until that is done.
    fn close(&'static self) {
        self.state.lock().closing = true;
        self.state.wait_until(None, |state| {
            (!state.returning && state.using == 0).then_some(())
        });
        let (binding, pool) = {
            let mut state = self.state.lock();
            state.closed = false;
            (state.binding, state.pool.take())
        };
        if let Some(binding) = binding {
            let mut none = 0_u32.to_le_bytes();
            let set = NdisRequestSetInformation;
            let mut filter = request::new(set, OID_GEN_CURRENT_PACKET_FILTER, &mut none);
            self.request_on(binding, &mut filter);
            let mut list = request::new(set, OID_802_3_MULTICAST_LIST, &mut []);
            self.request_on(binding, &mut list);
            let patterns = std::mem::take(&mut self.state.lock().wake_patterns);
            for id in patterns {
                let mut id = id.to_le_bytes();
                let mut remove = request::new(set, OID_PM_REMOVE_WOL_PATTERN, &mut id);
                self.request_on(binding, &mut remove);
            }
        }
        {
            let mut state = self.state.lock();
            state.binding = None;
            state.closing = false;
        }
        let Some(binding) = binding else {
            return;
        };
        // SAFETY: the binding is open, and this is its unbind or failed bind.
        let status = unsafe { NdisCloseAdapterEx(binding as NDIS_HANDLE) };
        if status == NDIS_STATUS_PENDING {
            self.state
                .wait_until(None, |state| state.closed.then_some(()));
        }
        self.free_buffer_pool();
        if let Some(pool) = pool {
            // SAFETY: the pool is this client's; its sends were complete before the pause was.
            unsafe { NdisFreeNetBufferListPool(pool as NDIS_HANDLE) };
        }
    }

    /// The handle of its registration. NDIS may bind before the registration returned, so the handle
    /// is looked up.
    fn protocol_handle(&self) -> NDIS_HANDLE {
        let handle = self.state.lock().protocol;
        match handle {
            Some(handle) => handle as NDIS_HANDLE,
            None => crate::ndis::driver::protocol_of(self.name)
                .map_or(ptr::null_mut(), crate::ndis::object::handle_of),
        }
    }

    fn bring_up(&'static self, parameters: &NDIS_BIND_PARAMETERS) -> NDIS_STATUS {
        let address = parameters.CurrentMacAddress;
        let connected = parameters.MediaConnectState == MediaConnectStateConnected;
        let mut pool_parameters = NET_BUFFER_LIST_POOL_PARAMETERS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_DEFAULT,
                NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
            ),
            PoolTag: u32::from_le_bytes(*b"NDct"),
            ..NET_BUFFER_LIST_POOL_PARAMETERS::zeroed()
        };
        let protocol = self.protocol_handle();
        // SAFETY: the handle is the registration's, and the parameters a local.
        let pool = unsafe { NdisAllocateNetBufferListPool(protocol, &raw mut pool_parameters) };
        if pool.is_null() {
            return NDIS_STATUS_RESOURCES;
        }
        let filter = {
            let mut state = self.state.lock();
            state.pool = Some(pool as usize);
            state.link_up = connected;
            state.attributes = Some(Attributes {
                mac: std::array::from_fn(|index| address[index]),
                mtu: parameters.MtuSize,
                link_speed: parameters.XmitLinkSpeed,
                connected,
                mac_options: parameters.MacOptions,
                packet_filters: parameters.SupportedPacketFilters,
                data_back_fill: parameters.DataBackFillSize,
                context_back_fill: parameters.ContextBackFillSize,
            });
            state.packet_filter
        };
        self.set(OID_GEN_CURRENT_LOOKAHEAD, &128_u32.to_le_bytes());
        self.set(OID_802_3_MULTICAST_LIST, &[0x33, 0x33, 0, 0, 0, 1]);
        if self.state.lock().wakes {
            self.add_wake_up();
        }
        self.set(OID_GEN_CURRENT_PACKET_FILTER, &filter.to_le_bytes())
    }
}

unsafe extern "efiapi" fn bind(
    context: NDIS_HANDLE,
    bind_context: NDIS_HANDLE,
    parameters: *mut NDIS_BIND_PARAMETERS,
) -> NDIS_STATUS {
    let client = client_of(context);
    // SAFETY: the parameters are valid during the bind.
    let parameters = unsafe { &*parameters };
    client.phase(BindingState::Opening);
    let mut status = client.open(bind_context, parameters);
    if status == NDIS_STATUS_SUCCESS {
        status = client.bring_up(parameters);
        if status != NDIS_STATUS_SUCCESS {
            client.close();
        }
    }
    client.phase(if status == NDIS_STATUS_SUCCESS {
        BindingState::Paused
    } else {
        BindingState::Unbound
    });
    status
}

unsafe extern "efiapi" fn unbind(_unbind: NDIS_HANDLE, context: NDIS_HANDLE) -> NDIS_STATUS {
    let client = client_of(context);
    client.phase(BindingState::Closing);
    client.return_held();
    client.close();
    client.phase(BindingState::Unbound);
    NDIS_STATUS_SUCCESS
}

unsafe extern "efiapi" fn open_complete(context: NDIS_HANDLE, status: NDIS_STATUS) {
    let client = client_of(context);
    client.state.lock().opened = Some(status);
    client.state.notify_all();
}

unsafe extern "efiapi" fn close_complete(context: NDIS_HANDLE) {
    let client = client_of(context);
    client.state.lock().closed = true;
    client.state.notify_all();
}

unsafe extern "efiapi" fn event(
    context: NDIS_HANDLE,
    notification: *mut NET_PNP_EVENT_NOTIFICATION,
) -> NDIS_STATUS {
    // SAFETY: the notification lives until the event is complete.
    let code = unsafe { (*notification).NetPnPEvent.NetEvent };
    if context.is_null() {
        return NDIS_STATUS_SUCCESS;
    }
    let client = client_of(context);
    client.state.lock().events.push(code);
    match code {
        NetEventPause => {
            client.phase(BindingState::Pausing);
            if !client.state.lock().keeps_over_pauses {
                client.return_held();
            }
            if client.state.lock().is_quiet() {
                client.phase(BindingState::Paused);
                return NDIS_STATUS_SUCCESS;
            }
            let notification = notification as usize;
            pnp::job("client pause", move || {
                let _entered = caller::enter(client.caller());
                client
                    .state
                    .wait_until(None, |state| state.is_quiet().then_some(()));
                client.phase(BindingState::Paused);
                let binding = client.state.lock().binding.unwrap_or(0) as NDIS_HANDLE;
                let notification = notification as *mut NET_PNP_EVENT_NOTIFICATION;
                // SAFETY: the event is pending, and the binding is not closed before it ends.
                unsafe { NdisCompleteNetPnPEvent(binding, notification, NDIS_STATUS_SUCCESS) };
            });
            NDIS_STATUS_PENDING
        }
        NetEventRestart => {
            client.phase(BindingState::Running);
            NDIS_STATUS_SUCCESS
        }
        NetEventSetPower => {
            // SAFETY: the notification lives until the event is complete.
            let buffer = unsafe { (*notification).NetPnPEvent.Buffer };
            // SAFETY: the buffer of this event is the power state.
            let to = unsafe { buffer.cast::<i32>().read() };
            client.state.lock().asleep = to != NdisDeviceStateD0;
            if to != NdisDeviceStateD0 {
                // What is on its way was asked of an adapter that was awake.
                client
                    .state
                    .wait_until(None, |state| (state.using == 0).then_some(()));
            }
            NDIS_STATUS_SUCCESS
        }
        NetEventQueryPower if client.state.lock().refuses_sleep => NDIS_STATUS_FAILURE,
        NetEventQueryRemoveDevice if client.state.lock().refuses_removal => NDIS_STATUS_FAILURE,
        NetEventQueryRemoveDevice => {
            let asks = client.state.lock().asks_before_removal;
            asks.map_or(NDIS_STATUS_SUCCESS, |oid| client.query(oid, 4).0)
        }
        _ => NDIS_STATUS_SUCCESS,
    }
}

unsafe extern "efiapi" fn oid_complete(
    context: NDIS_HANDLE,
    request: *mut NDIS_OID_REQUEST,
    status: NDIS_STATUS,
) {
    let client = client_of(context);
    client
        .state
        .lock()
        .requests
        .insert(request as usize, Some(status));
    client.state.notify_all();
}

unsafe extern "efiapi" fn status(context: NDIS_HANDLE, indication: *mut NDIS_STATUS_INDICATION) {
    let client = client_of(context);
    // SAFETY: the indication lives during the call.
    let indication = unsafe { &*indication };
    let buffer = if indication.StatusBuffer.is_null() {
        Vec::new()
    } else {
        let length = indication.StatusBufferSize as usize;
        // SAFETY: the buffer has as many bytes as the indication says.
        unsafe { std::slice::from_raw_parts(indication.StatusBuffer.cast::<u8>(), length) }.to_vec()
    };
    if indication.StatusCode == NDIS_STATUS_PM_WOL_PATTERN_REJECTED
        && let Some(id) = buffer.first_chunk()
    {
        client.forget_wake_pattern(u32::from_le_bytes(*id));
    }
    let mut state = client.state.lock();
    if indication.StatusCode == NDIS_STATUS_LINK_STATE {
        let link = indication.StatusBuffer.cast::<NDIS_LINK_STATE>();
        // SAFETY: NDIS checked that the buffer is an NDIS_LINK_STATE.
        state.link_up = unsafe { (*link).MediaConnectState } == MediaConnectStateConnected;
    }
    state.statuses.push((indication.StatusCode, buffer));
    drop(state);
    client.state.notify_all();
}

/// The client that a context is.
pub(super) fn client_of(context: NDIS_HANDLE) -> &'static Client {
    // SAFETY: it is the context that the client registered and opened with; clients are never freed.
    unsafe { &*context.cast::<Client>() }
}
