//! PnP events that NDIS tells protocols.

use ndis_sys as sys;

use crate::string;

/// A `NET_PNP_EVENT_CODE` with what a driver needs of its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetPnpEvent<'a> {
    /// Stop sending; complete when every send has come back.
    Pause,
    /// Sends may begin.
    Restart,
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

impl<'a> NetPnpEvent<'a> {
    /// Its documented name, for traces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pause => "NetEventPause",
            Self::Restart => "NetEventRestart",
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
            sys::NetEventRestart => Self::Restart,
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
