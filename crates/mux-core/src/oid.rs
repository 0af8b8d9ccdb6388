//! Who answers an OID request that comes to a virtual miniport.
//!
//! One table, [`TABLE`], says it for each OID by the kind of request. What has no row is refused with
//! `NDIS_STATUS_NOT_SUPPORTED`. Most of what clients ask for never arrives: NDIS 6 answers it from the
//! miniport attributes and the link state (supported list, media, MTU, link speed, connect status, MAC
//! options, the current filter and multicast list), so those rows are for whoever asks on other ways.
//!
//! Not here: the answers, and the buffer's length checks.
//!
//! Sources: "Mandatory OIDs for Miniport Drivers", "NDIS General Statistics OIDs", "Handling
//! OID_PNP_Xxx Queries and Sets", and the page of each OID.

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
    /// The virtual miniport, from what it knows.
    Answer,
    /// The adapter below, by a clone of the request.
    Forward,
    /// The virtual miniport keeps the value as its wish; the packet filter below is then brought into
    /// line with all virtual miniports' wishes ([`crate::filter::combined`], [`crate::reconcile`]), and
    /// the request completes when that is settled.
    Combine,
    /// Nobody: `NDIS_STATUS_NOT_SUPPORTED`.
    Refuse,
}

/// The kind of an OID request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `NdisRequestQueryInformation` and `NdisRequestQueryStatistics`.
    Query,
    /// `NdisRequestSetInformation`.
    Set,
    /// `NdisRequestMethod`. No OID of this version is one.
    Method,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The OID.
    pub oid: u32,
    /// Its name.
    pub name: &'static str,
    /// Who answers queries.
    pub query: Policy,
    /// Who answers sets.
    pub set: Policy,
}

/// Who answers this request.
pub fn policy(oid: u32, kind: Kind) -> Policy {
    let Some(row) = TABLE.iter().find(|row| row.oid == oid) else {
        return Policy::Refuse;
    };
    match kind {
        Kind::Query => row.query,
        Kind::Set => row.set,
        Kind::Method => Policy::Refuse,
    }
}

/// Declares each OID once: its constant, its row, its place in the supported list.
macro_rules! oids {
    ($($(#[$attribute:meta])* $name:ident = $number:literal, query $query:ident, set $set:ident;)*) => {
        $($(#[$attribute])* pub const $name: u32 = $number;)*

        /// Every OID that a virtual miniport supports in some way, in ascending order.
        pub const TABLE: &[Row] = &[$(Row {
            oid: $name,
            name: stringify!($name),
            query: Policy::$query,
            set: Policy::$set,
        }),*];

        /// The OIDs of [`TABLE`], for the `SupportedOidList` of the miniport's general attributes.
        pub const SUPPORTED: &[u32] = &[$($name),*];
    };
}

oids! {
    /// Always ready. Obsolete since NDIS 6.0, still asked for.
    OID_GEN_HARDWARE_STATUS = 0x0001_0102, query Answer, set Refuse;
    /// [`crate::mtu::FrameSizes::mtu`]. NDIS 6 answers it from the attributes.
    OID_GEN_MAXIMUM_FRAME_SIZE = 0x0001_0106, query Answer, set Refuse;
    /// Bytes of send buffers; the virtual miniport has none of its own and says one frame.
    OID_GEN_TRANSMIT_BUFFER_SPACE = 0x0001_0108, query Answer, set Refuse;
    /// Bytes of receive buffers; the virtual miniport has none of its own and says one frame.
    OID_GEN_RECEIVE_BUFFER_SPACE = 0x0001_0109, query Answer, set Refuse;
    /// Bytes that one frame takes of the send buffers.
    OID_GEN_TRANSMIT_BLOCK_SIZE = 0x0001_010A, query Answer, set Refuse;
    /// Bytes that one frame takes of the receive buffers.
    OID_GEN_RECEIVE_BLOCK_SIZE = 0x0001_010B, query Answer, set Refuse;
    /// The maker's IEEE number; `0xFFFFFF` for one who has none.
    OID_GEN_VENDOR_ID = 0x0001_010C, query Answer, set Refuse;
    /// The maker's text, NUL-terminated.
    OID_GEN_VENDOR_DESCRIPTION = 0x0001_010D, query Answer, set Refuse;
    /// The packet filter. NDIS 6 answers the query.
    OID_GEN_CURRENT_PACKET_FILTER = 0x0001_010E, query Answer, set Combine;
    /// Bytes of lookahead. A set is a suggestion, accepted and without effect: whole frames are
    /// indicated. NDIS 6 answers the query.
    OID_GEN_CURRENT_LOOKAHEAD = 0x0001_010F, query Answer, set Answer;
    /// [`crate::mtu::FrameSizes::maximum_frame`].
    OID_GEN_MAXIMUM_TOTAL_SIZE = 0x0001_0111, query Answer, set Refuse;
    /// How many packets one send may have. Obsolete since NDIS 6.0.
    OID_GEN_MAXIMUM_SEND_PACKETS = 0x0001_0115, query Answer, set Refuse;
    /// The driver's version: major in the upper, minor in the lower sixteen bits.
    OID_GEN_VENDOR_DRIVER_VERSION = 0x0001_0116, query Answer, set Refuse;
    /// Not supported, says the query; a set is then `NDIS_STATUS_INVALID_DATA`, by its page.
    OID_GEN_INTERRUPT_MODERATION = 0x0001_0209, query Answer, set Answer;
    /// The VLAN. Not to be set this way: the registry says it.
    OID_GEN_VLAN_ID = 0x0001_021C, query Answer, set Refuse;
    /// Frames sent without errors.
    OID_GEN_XMIT_OK = 0x0002_0101, query Answer, set Refuse;
    /// Frames received without errors.
    OID_GEN_RCV_OK = 0x0002_0102, query Answer, set Refuse;
    /// Frames that failed to be sent.
    OID_GEN_XMIT_ERROR = 0x0002_0103, query Answer, set Refuse;
    /// Frames received with errors.
    OID_GEN_RCV_ERROR = 0x0002_0104, query Answer, set Refuse;
    /// Frames not received for lack of buffers.
    OID_GEN_RCV_NO_BUFFER = 0x0002_0105, query Answer, set Refuse;
    /// [`crate::statistics::Snapshot`], this virtual miniport's own.
    OID_GEN_STATISTICS = 0x0002_0106, query Answer, set Refuse;
    /// Frames that wait in the adapter below, which all virtual miniports share.
    OID_GEN_TRANSMIT_QUEUE_LENGTH = 0x0002_020E, query Forward, set Refuse;
    /// The address that the virtual miniport has without a setting.
    OID_802_3_PERMANENT_ADDRESS = 0x0101_0101, query Answer, set Refuse;
    /// The address that the virtual miniport has.
    OID_802_3_CURRENT_ADDRESS = 0x0101_0102, query Answer, set Refuse;
    /// The whole multicast list at once: NDIS 6 makes adding and deleting into this. NDIS answers the
    /// query. The set is combined because a list in use widens the packet filter below.
    OID_802_3_MULTICAST_LIST = 0x0101_0103, query Answer, set Combine;
    /// [`crate::filter::MulticastList::MAXIMUM`].
    OID_802_3_MAXIMUM_LIST_SIZE = 0x0101_0104, query Answer, set Refuse;
    /// Zero: the virtual miniport has no wire.
    OID_802_3_RCV_ERROR_ALIGNMENT = 0x0102_0101, query Answer, set Refuse;
    /// Zero: the virtual miniport has no wire.
    OID_802_3_XMIT_ONE_COLLISION = 0x0102_0102, query Answer, set Refuse;
    /// Zero: the virtual miniport has no wire.
    OID_802_3_XMIT_MORE_COLLISIONS = 0x0102_0103, query Answer, set Refuse;
    /// Always success, never handed down: an intermediate driver must.
    OID_PNP_SET_POWER = 0xFD01_0101, query Refuse, set Answer;
    /// Always success, never handed down: an intermediate driver must.
    OID_PNP_QUERY_POWER = 0xFD01_0102, query Answer, set Refuse;
}

#[cfg(test)]
mod tests;
