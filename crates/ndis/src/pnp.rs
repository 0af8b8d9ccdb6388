//! PnP events that NDIS tells protocols.

use core::{mem, ptr};

use ndis_sys as sys;

use crate::string;

/// A `NET_PNP_EVENT_CODE` with what a driver needs of its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetPnpEvent<'a> {
    /// Stop sending; complete when every send has come back.
    Pause,
    /// Sends may begin. What the adapter below is like now, if the event says it.
    Restart(Option<Restarted>),
    /// The adapter below changes its power state. The number is a `NET_DEVICE_POWER_STATE`; `None`
    /// if the event carries none.
    SetPower(Option<u32>),
    /// The adapter below would change its power state.
    QueryPower,
    /// The adapter below would be removed.
    QueryRemoveDevice,
    /// It will not be removed after all.
    CancelRemoveDevice,
    /// The configuration of the binding, or of the driver, has changed.
    Reconfigure,
    /// The list of bindings has changed.
    BindList,
    /// All bindings of the driver are made.
    BindsComplete,
    /// The power management capabilities have changed.
    PnpCapabilities,
    /// A virtual miniport that was disabled is enabled again: its device name.
    ReEnableDevice(&'a [u16]),
    /// Any other event, by its code.
    Other(i32),
}

/// What may have changed of an adapter while it was paused: a filter may have come or gone.
///
/// Source: NDIS_RESTART_GENERAL_ATTRIBUTES.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restarted {
    /// The largest payload of a frame, in bytes.
    pub mtu: u32,
    /// The highest speeds for sending and receiving, in bits per second.
    pub maximum_speeds: (u64, u64),
    /// How many bytes of a frame are indicated at least.
    pub lookahead: u32,
    /// `NDIS_MAC_OPTION_*`.
    pub mac_options: u32,
    /// `NDIS_PACKET_TYPE_*` that can be set.
    pub packet_filters: u32,
    /// How many groups its multicast list may have.
    pub multicast_list_size: u32,
    /// Bytes in front of a sent frame, and of NBL context, that save drivers below an allocation.
    pub backfill: (u32, u32),
}

impl Restarted {
    /// Of the first entry of a list that holds general attributes, if one does.
    ///
    /// # Safety
    /// `entry` is null or a list of attributes, each with as much data as it says.
    unsafe fn find(mut entry: *const sys::NDIS_RESTART_ATTRIBUTES) -> Option<Self> {
        loop {
            // SAFETY: null, or an entry of the list, as the caller says.
            let attributes = unsafe { entry.as_ref() }?;
            let least = usize::from(sys::NDIS_SIZEOF_RESTART_GENERAL_ATTRIBUTES_REVISION_1);
            let length = attributes.DataLength as usize;
            if attributes.Oid == sys::OID_GEN_MINIPORT_RESTART_ATTRIBUTES && length >= least {
                let mut general = sys::NDIS_RESTART_GENERAL_ATTRIBUTES::zeroed();
                let length = length.min(size_of_val(&general));
                let offset = mem::offset_of!(sys::NDIS_RESTART_ATTRIBUTES, Data);
                // The data goes on behind the one byte that the structure declares.
                let data = entry.cast::<u8>().wrapping_add(offset);
                // SAFETY: as many bytes are there by the entry, and fit; any bytes are attributes.
                unsafe { ptr::copy_nonoverlapping(data, (&raw mut general).cast(), length) };
                return Some(Self::of(&general));
            }
            entry = attributes.Next;
        }
    }

    const fn of(general: &sys::NDIS_RESTART_GENERAL_ATTRIBUTES) -> Self {
        Self {
            mtu: general.MtuSize,
            maximum_speeds: (general.MaxXmitLinkSpeed, general.MaxRcvLinkSpeed),
            lookahead: general.LookaheadSize,
            mac_options: general.MacOptions,
            packet_filters: general.SupportedPacketFilters,
            multicast_list_size: general.MaxMulticastListSize,
            backfill: (general.DataBackFillSize, general.ContextBackFillSize),
        }
    }
}

/// A network event that intermediate drivers pass on to the drivers above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// [`NetPnpEvent::QueryRemoveDevice`].
    Query,
    /// [`NetPnpEvent::CancelRemoveDevice`].
    Cancel,
}

impl Removal {
    pub(crate) const fn code(self) -> i32 {
        match self {
            Self::Query => sys::NetEventQueryRemoveDevice,
            Self::Cancel => sys::NetEventCancelRemoveDevice,
        }
    }
}

impl<'a> NetPnpEvent<'a> {
    /// Its documented name, for traces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pause => "NetEventPause",
            Self::Restart(_) => "NetEventRestart",
            Self::SetPower(_) => "NetEventSetPower",
            Self::QueryPower => "NetEventQueryPower",
            Self::QueryRemoveDevice => "NetEventQueryRemoveDevice",
            Self::CancelRemoveDevice => "NetEventCancelRemoveDevice",
            Self::Reconfigure => "NetEventReconfigure",
            Self::BindList => "NetEventBindList",
            Self::BindsComplete => "NetEventBindsComplete",
            Self::PnpCapabilities => "NetEventPnPCapabilities",
            Self::ReEnableDevice(_) => "NetEventIMReEnableDevice",
            Self::Other(_) => "another event",
        }
    }

    /// The `NET_DEVICE_POWER_STATE` that it carries, 0 (unspecified) if none.
    #[must_use]
    pub fn power_state(self) -> u32 {
        match self {
            Self::SetPower(state) => state.unwrap_or_default(),
            _ => 0,
        }
    }

    /// # Safety
    /// The event and its buffer are valid for `'a`.
    pub(crate) unsafe fn from_raw(event: &'a sys::NET_PNP_EVENT) -> Self {
        match event.NetEvent {
            sys::NetEventPause => Self::Pause,
            sys::NetEventRestart => {
                let parameters = event.Buffer.cast::<sys::NDIS_PROTOCOL_RESTART_PARAMETERS>();
                let least = usize::from(sys::NDIS_SIZEOF_PROTOCOL_RESTART_PARAMETERS_REVISION_1);
                let present = !parameters.is_null() && event.BufferLength as usize >= least;
                Self::Restart(if present {
                    // SAFETY: the buffer holds the parameters, and is valid as the caller says.
                    let attributes = unsafe { (*parameters).RestartAttributes };
                    // SAFETY: a list of attributes, valid as the event.
                    unsafe { Restarted::find(attributes) }
                } else {
                    None
                })
            }
            sys::NetEventSetPower => {
                let state = event.Buffer.cast::<u32>();
                let present = !state.is_null() && event.BufferLength as usize >= size_of::<u32>();
                // SAFETY: the buffer holds at least four bytes, the caller says that it is valid.
                Self::SetPower(present.then(|| unsafe { state.read_unaligned() }))
            }
            sys::NetEventQueryPower => Self::QueryPower,
            sys::NetEventQueryRemoveDevice => Self::QueryRemoveDevice,
            sys::NetEventCancelRemoveDevice => Self::CancelRemoveDevice,
            sys::NetEventReconfigure => Self::Reconfigure,
            sys::NetEventBindList => Self::BindList,
            sys::NetEventBindsComplete => Self::BindsComplete,
            sys::NetEventPnPCapabilities => Self::PnpCapabilities,
            sys::NetEventIMReEnableDevice => {
                // SAFETY: the buffer of this event is a UNICODE_STRING, valid as the caller says.
                Self::ReEnableDevice(unsafe { string::units(event.Buffer.cast()) })
            }
            other => Self::Other(other),
        }
    }
}
