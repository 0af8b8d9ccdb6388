//! What a driver calls on one of its adapters.

use ndis_sys as sys;

use crate::{
    configuration::Configuration,
    irql::Passive,
    link::LinkState,
    nbl::{Chain, Derived, Outgoing},
    offload::TaskOffload,
    pnp::Removal,
    status::{Result, Status},
    sync::Rundown,
};

/// NDIS's handle of an adapter.
///
/// It is valid from `MiniportInitializeEx` until `MiniportHaltEx` returns; the driver must not use
/// it after. No type can show that: a driver keeps its handle in the adapter's own state and counts
/// what is under way in a [`Gate`](crate::sync::Gate).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MiniportHandle(sys::NDIS_HANDLE);

// SAFETY: an opaque number that NDIS takes on any thread.
unsafe impl Send for MiniportHandle {}
// SAFETY: as above.
unsafe impl Sync for MiniportHandle {}

impl MiniportHandle {
    pub(crate) const fn from_raw(raw: sys::NDIS_HANDLE) -> Self {
        Self(raw)
    }

    pub(crate) const fn raw(self) -> sys::NDIS_HANDLE {
        self.0
    }

    /// The adapter's configuration in the registry.
    ///
    /// # Errors
    /// What `NdisOpenConfigurationEx` says.
    pub fn configuration<'callback>(
        self,
        _at: Passive<'callback>,
    ) -> Result<Configuration<'callback>> {
        // SAFETY: the driver counts those who use the handle and waits for them in its halt, as the
        // type's documentation demands, so it is valid while this is used.
        unsafe { Configuration::open(self.0) }
    }

    /// Completes sends, each with the status that it carries.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NdisMSendNetBufferListsComplete.
    pub fn complete_sends(self, sends: Chain<Outgoing>, at_dispatch: bool) {
        if sends.is_empty() {
            return;
        }
        let flags = if at_dispatch {
            sys::NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL
        } else {
            0
        };
        // SAFETY: the chain was entrusted by this adapter's upper edge, and goes back whole.
        unsafe { sys::NdisMSendNetBufferListsComplete(self.0, sends.into_raw(), flags) };
    }

    /// Indicates frames that the upper drivers may keep. They come back to
    /// [`return_receives`](super::Miniport::return_receives).
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NdisMIndicateReceiveNetBufferLists.
    pub fn indicate(self, receives: Chain<Derived>, at_dispatch: bool) {
        let flags = IndicateFlags {
            at_dispatch,
            lent: false,
        };
        self.indicate_raw(receives.len(), receives.into_raw(), flags);
    }

    /// Indicates frames that the upper drivers must copy, and hands the chain back.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NdisMIndicateReceiveNetBufferLists.
    #[must_use]
    pub fn indicate_lent(self, receives: Chain<Derived>, at_dispatch: bool) -> Chain<Derived> {
        let head = receives.first();
        let flags = IndicateFlags {
            at_dispatch,
            lent: true,
        };
        self.indicate_raw(receives.len(), head, flags);
        receives
    }

    /// Tells the upper drivers of the link's state.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NdisMIndicateStatusEx, NDIS_STATUS_LINK_STATE.
    pub fn indicate_link_state(self, link: LinkState) {
        let mut state = link.to_raw();
        // SAFETY: the buffer is a link state, as the code says, for the length of the call.
        unsafe {
            self.indicate_status(
                sys::NDIS_STATUS_LINK_STATE,
                (&raw mut state).cast(),
                size_of::<sys::NDIS_LINK_STATE>() as u32,
            );
        }
    }

    /// Tells the upper drivers which task offloads are switched on now.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG.
    pub fn indicate_offload(self, current: TaskOffload) {
        self.indicate_task_offload(sys::NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG, current);
    }

    /// Tells the upper drivers which task offloads there are now.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NDIS_STATUS_TASK_OFFLOAD_HARDWARE_CAPABILITIES.
    pub fn indicate_offload_hardware(self, hardware: TaskOffload) {
        self.indicate_task_offload(
            sys::NDIS_STATUS_TASK_OFFLOAD_HARDWARE_CAPABILITIES,
            hardware,
        );
    }

    fn indicate_task_offload(self, code: sys::NDIS_STATUS, offload: TaskOffload) {
        let mut raw = offload.to_raw();
        let length = u32::from(raw.Header.Size);
        // SAFETY: the buffer is of this code's kind, and has the bytes that its header says.
        unsafe { self.indicate_status(code, (&raw mut raw).cast(), length) };
    }

    /// Tells whoever set a wake-on-LAN pattern that it is gone, by its number.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NDIS_STATUS_PM_WOL_PATTERN_REJECTED.
    pub fn indicate_pattern_rejected(self, mut id: u32) {
        let code = sys::NDIS_STATUS_PM_WOL_PATTERN_REJECTED;
        // SAFETY: the buffer is a number, as the code demands, for the length of the call.
        unsafe { self.indicate_status(code, (&raw mut id).cast(), size_of::<u32>() as u32) };
    }

    /// Tells the upper drivers that the network on the link has changed, so that they renew their
    /// addresses. The number is an `NDIS_NETWORK_CHANGE_TYPE`.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NDIS_STATUS_NETWORK_CHANGE.
    pub fn indicate_network_change(self, change: u32) {
        let mut change = change;
        // SAFETY: the buffer is a number, as the code says, for the length of the call.
        unsafe {
            self.indicate_status(
                sys::NDIS_STATUS_NETWORK_CHANGE,
                (&raw mut change).cast(),
                size_of::<u32>() as u32,
            );
        }
    }

    /// # Safety
    /// The buffer has that many bytes, of what the code demands, for the length of the call.
    unsafe fn indicate_status(self, code: sys::NDIS_STATUS, buffer: sys::PVOID, length: u32) {
        let mut indication = sys::NDIS_STATUS_INDICATION {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_STATUS_INDICATION,
                Revision: sys::NDIS_STATUS_INDICATION_REVISION_1,
                Size: sys::NDIS_SIZEOF_STATUS_INDICATION_REVISION_1,
            },
            SourceHandle: self.0,
            StatusCode: code,
            StatusBuffer: buffer,
            StatusBufferSize: length,
            ..sys::NDIS_STATUS_INDICATION::zeroed()
        };
        // SAFETY: the adapter's registration attributes are set, the buffer is as the caller says, and
        // NDIS copies what it keeps.
        unsafe { sys::NdisMIndicateStatusEx(self.0, &raw mut indication) };
    }

    /// Passes an event of the adapter below on to the drivers above, and waits for their answer. Meanwhile
    /// no regular request is left pending at this adapter, whose `requests` these are. One thread at a
    /// time, and from `ProtocolNetPnPEvent` only.
    ///
    /// # Errors
    /// A driver above cannot do without the adapter: only of a query.
    ///
    /// Source: NdisMNetPnPEvent.
    pub fn pass_on(self, requests: &Rundown, removal: Removal, at: Passive<'_>) -> Result {
        requests.drain(at);
        let mut notification = sys::NET_PNP_EVENT_NOTIFICATION {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_DEFAULT,
                Revision: sys::NET_PNP_EVENT_NOTIFICATION_REVISION_2,
                Size: sys::NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_2,
            },
            ..sys::NET_PNP_EVENT_NOTIFICATION::zeroed()
        };
        notification.NetPnPEvent.NetEvent = removal.code();
        // SAFETY: at PASSIVE_LEVEL; the driver keeps the adapter from its halt; no request pends at it, as
        // its `requests` are shut and empty.
        let status = unsafe { sys::NdisMNetPnPEvent(self.0, &raw mut notification) };
        requests.open();
        Status::from_raw(status).ok()
    }

    /// Completes a pause that was [pending](super::Pause::Pending).
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NdisMPauseComplete.
    pub fn pause_complete(self) {
        // SAFETY: the driver's pause returned pending, and nothing is outstanding any more.
        unsafe { sys::NdisMPauseComplete(self.0) };
    }

    fn indicate_raw(self, count: usize, head: *mut sys::NET_BUFFER_LIST, flags: IndicateFlags) {
        if count == 0 {
            return;
        }
        let mut bits = 0;
        if flags.at_dispatch {
            bits |= sys::NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL;
        }
        if flags.lent {
            bits |= sys::NDIS_RECEIVE_FLAGS_RESOURCES;
        }
        // SAFETY: the NBLs are this driver's own, have this adapter as source, and number `count`.
        // The default port is always there.
        unsafe {
            sys::NdisMIndicateReceiveNetBufferLists(
                self.0,
                head,
                sys::NDIS_DEFAULT_PORT_NUMBER,
                count as u32,
                bits,
            );
        };
    }
}

/// How receives are indicated.
struct IndicateFlags {
    /// The IRQL is known to be DISPATCH_LEVEL.
    at_dispatch: bool,
    /// The NBLs are lent: NDIS gives them back when the call returns
    /// (`NDIS_RECEIVE_FLAGS_RESOURCES`).
    lent: bool,
}
