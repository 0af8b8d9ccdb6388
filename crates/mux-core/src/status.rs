//! What becomes of a status that the adapter below indicates.
//!
//! One table, [`TABLE`], says it for each `NDIS_STATUS_*` that an adapter or NDIS indicates. A code without
//! a row is swallowed: what its buffer holds is not known, so neither is whether it holds for an adapter
//! with other capabilities, ports and queues than the one it came from. A driver above that acts on a
//! status asks next for what it announces, and a virtual miniport could not answer.
//!
//! Swallowed as well, whatever their code: what is meant for one protocol only (the late answer to an OID
//! request of its own), what is about a port other than the default one (a virtual miniport has no other),
//! and what has a shorter buffer than its code demands.
//!
//! `docs/control-plane.md` shows the table.
//!
//! Not here: what is in the buffers, and whether a virtual miniport may indicate at the moment. What it may
//! not, it indicates when it wakes: link and offloads as they are then, and that the network has changed.
//!
//! Sources: "Status Indications in an Intermediate Driver", `NDIS_STATUS_INDICATION`, and the page of each
//! status.

use core::fmt;

/// What becomes of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Every virtual miniport indicates it as it came; one that sleeps, when it wakes.
    NetworkChange,
    /// It is kept as the link's state, which every virtual miniport then indicates.
    LinkState,
    /// It is kept as the task offloads that are switched on; every virtual miniport indicates what its
    /// VLAN lets it show of them ([`crate::offload`]).
    Offload,
    /// The same for the task offloads that there are.
    OffloadHardware,
    /// The virtual miniport whose wake-on-LAN pattern it is indicates it, with the number that it has there.
    Pattern,
    /// Nobody above is told.
    Swallow,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The status code.
    pub code: u32,
    /// Its name.
    pub name: &'static str,
    /// How many bytes its buffer has at the least.
    pub least: usize,
    /// What becomes of it.
    pub action: Action,
    /// Why.
    pub why: &'static str,
}

impl fmt::Display for Row {
    /// The row as `docs/control-plane.md` shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { name, why, .. } = self;
        let action = match self.action {
            Action::NetworkChange => "forwarded",
            Action::LinkState | Action::Offload | Action::OffloadHardware | Action::Pattern => {
                "translated"
            }
            Action::Swallow => "swallowed",
        };
        write!(f, "| `{name}` | {action} | {why} |")
    }
}

/// What matters of an indication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indication {
    /// `StatusCode`.
    pub code: u32,
    /// `PortNumber`.
    pub port: u32,
    /// It names a `DestinationHandle`: one protocol gets it.
    pub directed: bool,
    /// Bytes of its buffer.
    pub length: usize,
}

/// What becomes of this indication.
pub fn action(indication: Indication) -> Action {
    let Some(row) = TABLE.iter().find(|row| row.code == indication.code) else {
        return Action::Swallow;
    };
    if indication.directed || indication.port != 0 || indication.length < row.least {
        return Action::Swallow;
    }
    row.action
}

/// What is told of two changes of the network that nobody was told of yet: once, and the one that demands
/// more. A definite change (`NdisDefinitelyNetworkChange`, 2) demands more than a possible one (1).
pub fn stronger(kept: Option<u32>, change: u32) -> u32 {
    kept.map_or(change, |kept| kept.max(change))
}

/// Declares each status once: its constant and its row.
macro_rules! statuses {
    ($($name:ident = $code:literal, $least:literal, $action:ident, $why:literal;)*) => {
        $(#[doc = $why] pub const $name: u32 = $code;)*

        /// Every status that an adapter or NDIS indicates to protocols, in ascending order.
        pub const TABLE: &[Row] = &[$(Row {
            code: $name,
            name: stringify!($name),
            least: $least,
            action: Action::$action,
            why: $why,
        }),*];
    };
}

statuses! {
    NDIS_STATUS_ONLINE = 0x4001_0003, 0, Swallow, "of NDIS 5";
    NDIS_STATUS_RESET_START = 0x4001_0004, 0, Swallow, "NDIS tells of resets itself; the virtual miniport is not reset";
    NDIS_STATUS_RESET_END = 0x4001_0005, 0, Swallow, "NDIS tells of resets itself; the virtual miniport is not reset";
    NDIS_STATUS_RING_STATUS = 0x4001_0006, 0, Swallow, "of token ring";
    NDIS_STATUS_CLOSED = 0x4001_0007, 0, Swallow, "of NDIS 5";
    NDIS_STATUS_MEDIA_CONNECT = 0x4001_000b, 0, Swallow, "of NDIS 5; NDIS makes it a link state";
    NDIS_STATUS_MEDIA_DISCONNECT = 0x4001_000c, 0, Swallow, "of NDIS 5; NDIS makes it a link state";
    NDIS_STATUS_MEDIA_BUSY = 0x4001_0011, 0, Swallow, "of IrDA";
    NDIS_STATUS_MEDIA_SPECIFIC_INDICATION = 0x4001_0012, 0, Swallow, "between a medium's driver and its own protocol";
    NDIS_STATUS_LINK_SPEED_CHANGE = 0x4001_0013, 0, Swallow, "of NDIS 5; NDIS makes it a link state";
    NDIS_STATUS_LINK_STATE = 0x4001_0017, 40, LinkState, "the link below is the link above";
    NDIS_STATUS_NETWORK_CHANGE = 0x4001_0018, 4, NetworkChange, "whoever has an address on the link has to renew it";
    NDIS_STATUS_MEDIA_SPECIFIC_INDICATION_EX = 0x4001_0019, 0, Swallow, "between a medium's driver and its own protocol";
    NDIS_STATUS_PORT_STATE = 0x4001_0022, 0, Swallow, "of a port of the adapter below";
    NDIS_STATUS_OPER_STATUS = 0x4001_0023, 0, Swallow, "NDIS makes the virtual miniport's own";
    NDIS_STATUS_PACKET_FILTER = 0x4001_0024, 0, Swallow, "NDIS makes the virtual miniport's own; below is the union of all";
    NDIS_STATUS_IP_OPER_STATUS = 0x4001_0026, 0, Swallow, "NDIS makes the virtual miniport's own";
    NDIS_STATUS_OFFLOAD_PAUSE = 0x4002_0001, 0, Swallow, "connection offload is not shown above";
    NDIS_STATUS_UPLOAD_ALL = 0x4002_0002, 0, Swallow, "connection offload is not shown above";
    NDIS_STATUS_OFFLOAD_RESUME = 0x4002_0003, 0, Swallow, "connection offload is not shown above";
    NDIS_STATUS_OFFLOAD_STATE_INVALID = 0x4002_0005, 0, Swallow, "connection offload is not shown above";
    NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG = 0x4002_0006, 112, Offload, "shown as far as the VLAN lets it be";
    NDIS_STATUS_TASK_OFFLOAD_HARDWARE_CAPABILITIES = 0x4002_0007, 112, OffloadHardware, "shown as far as the VLAN lets it be";
    NDIS_STATUS_OFFLOAD_ENCASPULATION_CHANGE = 0x4002_0008, 0, Swallow, "what it changes is in the current configuration";
    NDIS_STATUS_TCP_CONNECTION_OFFLOAD_HARDWARE_CAPABILITIES = 0x4002_000b, 0, Swallow, "connection offload is not shown above";
    NDIS_STATUS_HD_SPLIT_CURRENT_CONFIG = 0x4002_000c, 0, Swallow, "header-data split is not shown above";
    NDIS_STATUS_RECEIVE_QUEUE_STATE = 0x4002_000d, 0, Swallow, "receive queues are not shown above";
    NDIS_STATUS_VF_CONFIG_STATE = 0x4002_000e, 0, Swallow, "virtual functions are not shown above";
    NDIS_STATUS_RECEIVE_FILTER_CURRENT_CAPABILITIES = 0x4002_0010, 0, Swallow, "receive filters are not shown above";
    NDIS_STATUS_RECEIVE_FILTER_HARDWARE_CAPABILITIES = 0x4002_0020, 0, Swallow, "receive filters are not shown above";
    NDIS_STATUS_RECEIVE_FILTER_QUEUE_PARAMETERS = 0x4002_0030, 0, Swallow, "receive queues are not shown above";
    NDIS_STATUS_NIC_SWITCH_CURRENT_CAPABILITIES = 0x4002_0040, 0, Swallow, "NIC switches are not shown above";
    NDIS_STATUS_NIC_SWITCH_HARDWARE_CAPABILITIES = 0x4002_0050, 0, Swallow, "NIC switches are not shown above";
    NDIS_STATUS_RECEIVE_FILTER_QUEUE_STATE_CHANGE = 0x4002_0070, 0, Swallow, "receive queues are not shown above";
    NDIS_STATUS_ISOLATION_PARAMETERS_CHANGE = 0x4002_0080, 0, Swallow, "of virtual machines' adapters; isolation here is the VLAN";
    NDIS_STATUS_QOS_OPERATIONAL_PARAMETERS_CHANGE = 0x4002_00a0, 0, Swallow, "data center bridging is set on the adapter below";
    NDIS_STATUS_QOS_REMOTE_PARAMETERS_CHANGE = 0x4002_00a1, 0, Swallow, "data center bridging is set on the adapter below";
    NDIS_STATUS_CURRENT_MAC_ADDRESS_CHANGE = 0x4002_00b0, 0, Swallow, "no page; each virtual miniport has an address of its own";
    NDIS_STATUS_L2_MTU_SIZE_CHANGE = 0x4002_00b1, 0, Swallow, "no page; the MTU is read when the adapter is bound";
    NDIS_STATUS_PD_CURRENT_CONFIG = 0x4002_0200, 0, Swallow, "PacketDirect is not shown above";
    NDIS_STATUS_QOS_OFFLOAD_CURRENT_CAPABILITIES = 0x4002_0400, 0, Swallow, "QoS offload is not shown above";
    NDIS_STATUS_QOS_OFFLOAD_HARDWARE_CAPABILITIES = 0x4002_0401, 0, Swallow, "QoS offload is not shown above";
    NDIS_STATUS_PM_WOL_PATTERN_REJECTED = 0x4003_0051, 4, Pattern, "told to whoever set the pattern, by its number there";
    NDIS_STATUS_PM_OFFLOAD_REJECTED = 0x4003_0052, 0, Swallow, "of an offload that only the adapter below knows";
    NDIS_STATUS_PM_CAPABILITIES_CHANGE = 0x4003_0053, 0, Swallow, "what is shown is read when the adapter is bound; what it cannot any more, it refuses";
    NDIS_STATUS_PM_HARDWARE_CAPABILITIES = 0x4003_0054, 0, Swallow, "the virtual miniport has no hardware that wakes";
    NDIS_STATUS_PM_WAKE_REASON = 0x4003_0055, 0, Swallow, "the adapter below woke, and NDIS notes it there; that a virtual miniport could tell it is not shown";
}

#[cfg(test)]
mod tests;
