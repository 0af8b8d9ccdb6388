//! What NDIS tells of the adapter below: when it binds, and by status indications.

use core::slice;

use ndis_sys as sys;

use crate::{
    link::LinkState, offload::TaskOffload, receive_filter, receive_scaling::ReceiveScaling, string,
    wake_up::WakeUp,
};

/// The adapter below, as `NDIS_BIND_PARAMETERS` describe it.
pub struct BindParameters<'callback> {
    raw: &'callback sys::NDIS_BIND_PARAMETERS,
}

/// A status that the adapter below indicated.
pub struct StatusIndication<'callback> {
    raw: &'callback sys::NDIS_STATUS_INDICATION,
}

impl<'callback> BindParameters<'callback> {
    /// # Safety
    /// The parameters and what they point at are valid for `'callback`.
    pub(super) const unsafe fn new(raw: &'callback sys::NDIS_BIND_PARAMETERS) -> Self {
        Self { raw }
    }

    pub(super) const fn adapter_name(&self) -> *mut sys::UNICODE_STRING {
        self.raw.AdapterName
    }

    /// The adapter's device name.
    #[must_use]
    pub fn name(&self) -> &'callback [u16] {
        // SAFETY: null or a valid string for the callback, as `new` demands.
        unsafe { string::units(self.raw.AdapterName) }
    }

    /// Where the binding's configuration is, from the key of all services on.
    pub(crate) fn section(&self) -> &'callback [u16] {
        // SAFETY: null or a valid string for the callback, as `new` demands.
        unsafe { string::units(self.raw.ProtocolSection) }
    }

    /// Whether the adapter is an Ethernet one.
    #[must_use]
    pub const fn is_ethernet(&self) -> bool {
        self.raw.MediaType == sys::NdisMedium802_3 && self.raw.MacAddressLength == 6
    }

    /// The largest payload of a frame, in bytes.
    #[must_use]
    pub const fn mtu(&self) -> u32 {
        self.raw.MtuSize
    }

    /// The highest transmit and receive speeds, in bits per second.
    #[must_use]
    pub const fn maximum_speeds(&self) -> (u64, u64) {
        (self.raw.MaxXmitLinkSpeed, self.raw.MaxRcvLinkSpeed)
    }

    /// The link as it is now.
    #[must_use]
    pub const fn link(&self) -> LinkState {
        LinkState {
            connect: self.raw.MediaConnectState as u32,
            duplex: self.raw.MediaDuplexState as u32,
            transmit_speed: self.raw.XmitLinkSpeed,
            receive_speed: self.raw.RcvLinkSpeed,
            pause_functions: sys::NdisPauseFunctionsUnknown as u32,
            auto_negotiation: 0,
        }
    }

    /// How many bytes of a frame are indicated at least.
    #[must_use]
    pub const fn lookahead(&self) -> u32 {
        self.raw.LookaheadSize
    }

    /// The address that the adapter uses.
    #[must_use]
    pub fn current_address(&self) -> [u8; 6] {
        let mut address = [0; 6];
        address.copy_from_slice(&self.raw.CurrentMacAddress[..6]);
        address
    }

    /// The kinds of frames that the adapter's packet filter can let in (`NDIS_PACKET_TYPE_*`).
    #[must_use]
    pub const fn packet_filters(&self) -> u32 {
        self.raw.SupportedPacketFilters
    }

    /// How many groups the adapter's multicast list may have.
    #[must_use]
    pub const fn multicast_list_size(&self) -> u32 {
        self.raw.MaxMulticastListSize
    }

    /// How many receive filters for an address in a VLAN the adapter has on its default queue.
    ///
    /// Source: NDIS_RECEIVE_FILTER_CAPABILITIES.
    #[must_use]
    pub fn receive_filters(&self) -> u32 {
        // SAFETY: null, or valid for the callback, as `new` demands.
        let capabilities = unsafe { self.raw.ReceiveFilterCapabilities.as_ref() };
        capabilities.map_or(0, receive_filter::number)
    }

    /// `NDIS_MAC_OPTION_*`.
    #[must_use]
    pub const fn mac_options(&self) -> u32 {
        self.raw.MacOptions
    }

    /// `NET_IF_ACCESS_TYPE`, `NET_IF_DIRECTION_TYPE` and `NET_IF_CONNECTION_TYPE`.
    #[must_use]
    pub const fn interface_types(&self) -> (u32, u32, u32) {
        let raw = self.raw;
        (
            raw.AccessType as u32,
            raw.DirectionType as u32,
            raw.ConnectionType as u32,
        )
    }

    /// The task offloads that are switched on. `None` if the adapter has none.
    #[must_use]
    pub fn offload(&self) -> Option<TaskOffload> {
        // SAFETY: null, or a structure as long as its header says, for the callback (`new`).
        unsafe { TaskOffload::read_raw(self.raw.DefaultOffloadConfiguration) }
    }

    /// What its receive side scaling can do. `None` if it has none.
    #[must_use]
    pub fn receive_scaling(&self) -> Option<ReceiveScaling> {
        // SAFETY: null, or a structure as long as its header says, for the callback (`new`).
        unsafe { ReceiveScaling::read_raw(self.raw.RcvScaleCapabilities) }
    }

    /// What the adapter can wake the computer for. `None` if it has no power management.
    #[must_use]
    pub fn wake_up(&self) -> Option<WakeUp> {
        // SAFETY: null, or a structure as long as its header says, for the callback (`new`).
        unsafe { WakeUp::read_raw(self.raw.PowerManagementCapabilitiesEx) }
    }

    /// How many bytes in front of a sent frame, and of NBL context space, save an allocation below.
    #[must_use]
    pub const fn backfill(&self) -> (u32, u32) {
        (self.raw.DataBackFillSize, self.raw.ContextBackFillSize)
    }
}

impl<'callback> StatusIndication<'callback> {
    /// # Safety
    /// The indication and its buffer are valid for `'callback`.
    pub(super) const unsafe fn new(raw: &'callback sys::NDIS_STATUS_INDICATION) -> Self {
        Self { raw }
    }

    /// `NDIS_STATUS_*`.
    #[must_use]
    pub const fn code(&self) -> u32 {
        self.raw.StatusCode.cast_unsigned()
    }

    /// The port that it is about; 0 is the default port, and what is about none.
    #[must_use]
    pub const fn port(&self) -> u32 {
        self.raw.PortNumber
    }

    /// Whether it is for one protocol only: the late answer to an OID request.
    #[must_use]
    pub fn is_directed(&self) -> bool {
        !self.raw.DestinationHandle.is_null()
    }

    /// What it says, as bytes. Empty if there is nothing.
    #[must_use]
    pub fn buffer(&self) -> &'callback [u8] {
        let start = self.raw.StatusBuffer.cast::<u8>().cast_const();
        if start.is_null() {
            return &[];
        }
        // SAFETY: the buffer has as many bytes as the indication says, and stays for the callback, as
        // `new` demands.
        unsafe { slice::from_raw_parts(start, self.raw.StatusBufferSize as usize) }
    }

    /// The number that the buffer holds, if it does.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        self.buffer().first_chunk().copied().map(u32::from_ne_bytes)
    }

    /// The task offloads that the buffer holds, if it does.
    #[must_use]
    pub fn offload(&self) -> Option<TaskOffload> {
        TaskOffload::read(self.buffer())
    }

    /// The link state that the buffer holds, if it does.
    #[must_use]
    pub fn link_state(&self) -> Option<LinkState> {
        LinkState::read(self.buffer())
    }
}
