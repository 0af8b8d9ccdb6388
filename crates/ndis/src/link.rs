//! Link state, as bind parameters, general attributes and `NDIS_STATUS_LINK_STATE` all tell it.

use ndis_sys as sys;

/// OID_GEN_LINK_STATE.
pub const OID: u32 = sys::OID_GEN_LINK_STATE;

/// The state of a link. The enumerations keep NDIS's numbers, unknown ones too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkState {
    /// `NET_IF_MEDIA_CONNECT_STATE`.
    pub connect: u32,
    /// `NET_IF_MEDIA_DUPLEX_STATE`.
    pub duplex: u32,
    /// Transmit speed, in bits per second.
    pub transmit_speed: u64,
    /// Receive speed, in bits per second.
    pub receive_speed: u64,
    /// `NDIS_SUPPORTED_PAUSE_FUNCTIONS`.
    pub pause_functions: u32,
    /// `NDIS_LINK_STATE_*_AUTO_NEGOTIATED`.
    pub auto_negotiation: u32,
}

impl LinkState {
    /// Whether the medium is connected.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        self.connect == sys::MediaConnectStateConnected as u32
    }

    /// Reads an `NDIS_LINK_STATE`: the buffer of a status, or the answer to OID_GEN_LINK_STATE. `None` if
    /// there are fewer bytes than it has.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..size_of::<sys::NDIS_LINK_STATE>())?;
        // SAFETY: there are as many bytes as the structure has, and it is integers: any bytes are one.
        let raw = unsafe {
            bytes
                .as_ptr()
                .cast::<sys::NDIS_LINK_STATE>()
                .read_unaligned()
        };
        Some(Self::from_raw(&raw))
    }

    pub(crate) const fn from_raw(raw: &sys::NDIS_LINK_STATE) -> Self {
        Self {
            connect: raw.MediaConnectState as u32,
            duplex: raw.MediaDuplexState as u32,
            transmit_speed: raw.XmitLinkSpeed,
            receive_speed: raw.RcvLinkSpeed,
            pause_functions: raw.PauseFunctions as u32,
            auto_negotiation: raw.AutoNegotiationFlags,
        }
    }

    pub(crate) const fn to_raw(self) -> sys::NDIS_LINK_STATE {
        sys::NDIS_LINK_STATE {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_DEFAULT,
                Revision: sys::NDIS_LINK_STATE_REVISION_1,
                Size: sys::NDIS_SIZEOF_LINK_STATE_REVISION_1,
            },
            MediaConnectState: self.connect as _,
            MediaDuplexState: self.duplex as _,
            XmitLinkSpeed: self.transmit_speed,
            RcvLinkSpeed: self.receive_speed,
            PauseFunctions: self.pause_functions as _,
            AutoNegotiationFlags: self.auto_negotiation,
        }
    }
}
