//! What the adapter below says of itself.

use mux_core::{
    MacAddress,
    filter::{Abilities, PacketFilter},
    rss,
    tagging::TagMode,
    wake::WakeUp,
};
use ndis::{pnp::Restarted, protocol::BindParameters, receive_scaling::ReceiveScaling, wake_up};

use crate::config::MiniportConfig;

/// What the adapter below said of itself when it was bound, or restarted since.
#[derive(PartialEq, Eq)]
pub(crate) struct Nic {
    pub(crate) address: MacAddress,
    /// What it can filter by.
    pub(crate) filters: Abilities,
    pub(crate) mtu: u32,
    pub(crate) maximum_speeds: (u64, u64),
    pub(crate) lookahead: u32,
    /// Where it takes the tags of sent frames.
    pub(crate) tag_mode: TagMode,
    /// Access, direction and connection type.
    pub(crate) interface_types: (u32, u32, u32),
    /// Of data and of context.
    pub(crate) backfill: (u32, u32),
    /// Its receive side scaling, as far as virtual miniports can use it.
    pub(crate) scaling: Option<ReceiveScaling>,
    /// What it can wake the computer for.
    pub(crate) wake_up: WakeUp,
}

impl Nic {
    pub(super) fn of(parameters: &BindParameters<'_>) -> Self {
        Self {
            address: MacAddress(parameters.current_address()),
            filters: Abilities {
                address: MacAddress(parameters.current_address()),
                kinds: PacketFilter::known(parameters.packet_filters()),
                groups: parameters.multicast_list_size() as usize,
                addresses: parameters.receive_filters() as usize,
            },
            mtu: parameters.mtu(),
            maximum_speeds: parameters.maximum_speeds(),
            lookahead: parameters.lookahead(),
            tag_mode: TagMode::of(parameters.mac_options()),
            interface_types: parameters.interface_types(),
            backfill: parameters.backfill(),
            wake_up: parameters.wake_up().map_or(WakeUp::NONE, to_core),
            scaling: parameters.receive_scaling().map(|scaling| ReceiveScaling {
                flags: rss::shown(scaling.flags),
                ..scaling
            }),
        }
    }

    /// The same adapter as it is after a restart.
    pub(super) fn restarted(&self, now: &Restarted) -> Self {
        Self {
            address: self.address,
            filters: Abilities {
                kinds: PacketFilter::known(now.packet_filters),
                groups: now.multicast_list_size as usize,
                ..self.filters
            },
            mtu: now.mtu,
            maximum_speeds: now.maximum_speeds,
            lookahead: now.lookahead,
            tag_mode: TagMode::of(now.mac_options),
            interface_types: self.interface_types,
            backfill: now.backfill,
            scaling: self.scaling,
            wake_up: self.wake_up,
        }
    }

    /// Whether a virtual miniport of this adapter shows what one of `other` does, and treats frames alike.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let shown = |nic: &Self| {
            let sizes = (nic.mtu, nic.lookahead, nic.backfill);
            (
                sizes,
                nic.maximum_speeds,
                nic.tag_mode,
                nic.filters.kinds.shown(),
            )
        };
        shown(self) == shown(other)
    }

    /// What a virtual miniport of that configuration and address shows of what the adapter can wake for.
    pub(crate) fn wake_up_shown(&self, config: &MiniportConfig, address: MacAddress) -> WakeUp {
        let same = address == self.address;
        self.wake_up.shown(config.vlan, config.wake_up, same)
    }
}

const fn to_core(wake_up: wake_up::WakeUp) -> WakeUp {
    WakeUp {
        packet_patterns: wake_up.packet_patterns,
        patterns: wake_up.patterns,
        pattern_size: wake_up.pattern_size,
        pattern_offset: wake_up.pattern_offset,
        magic_packet_from: wake_up.magic_packet_from,
        pattern_from: wake_up.pattern_from,
    }
}

/// The same the other way.
pub(crate) const fn wake_up_to_ndis(wake_up: WakeUp) -> wake_up::WakeUp {
    wake_up::WakeUp {
        packet_patterns: wake_up.packet_patterns,
        patterns: wake_up.patterns,
        pattern_size: wake_up.pattern_size,
        pattern_offset: wake_up.pattern_offset,
        magic_packet_from: wake_up.magic_packet_from,
        pattern_from: wake_up.pattern_from,
    }
}
