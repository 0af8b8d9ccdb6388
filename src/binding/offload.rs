//! Task offloads of the adapter below: as `ndis` reads and writes them, and as `mux_core` decides on them.

use mux_core::{
    VlanId,
    offload::{Checksum, Offload, Segmentation, SendWords},
    oid::OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES,
};
use ndis::{
    Passive,
    nbl::OffloadWords,
    offload::{ChecksumTask, SegmentationTask, TaskOffload},
    protocol::BindingHandle,
};

use super::Binding;

/// What an adapter does for its clients.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offloads {
    /// What is switched on.
    pub(crate) current: Offload,
    /// What could be.
    pub(crate) hardware: Offload,
}

impl Offloads {
    /// What is known before the adapter is open: what is switched on.
    pub(super) fn switched_on(current: TaskOffload) -> Self {
        let current = to_core(current);
        Self {
            current,
            hardware: current,
        }
    }
}

impl Binding {
    /// Asks the adapter below for the task offloads that are switched off, too. One that does not say has
    /// no more than those that are switched on.
    pub(crate) fn learn_offloads(&self, handle: BindingHandle<Self>, at: Passive<'_>) {
        if self.offloads().is_none() {
            return;
        }
        let mut answer = [0; OFFLOAD_LENGTH];
        let hardware = handle
            .query(OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, &mut answer, at)
            .ok()
            .and_then(|length| TaskOffload::read(answer.get(..length)?));
        if let Some(hardware) = hardware {
            self.set_offloads(|offloads| offloads.hardware = to_core(hardware));
        }
    }

    /// The task offloads below, if the adapter had any when it was bound.
    pub(crate) fn offloads(&self) -> Option<Offloads> {
        self.state.with(|state| state.offloads)
    }

    /// What a virtual miniport of `vlan` shows of the task offloads below.
    pub(crate) fn offloads_of(&self, vlan: VlanId) -> Option<Offloads> {
        let Offloads { current, hardware } = self.offloads()?;
        let mode = self.nic().tag_mode;
        Some(Offloads {
            current: current.shown(mode, vlan),
            hardware: hardware.shown(mode, vlan),
        })
    }

    /// The task offloads below have changed.
    pub(crate) fn set_offloads(&self, change: impl FnOnce(&mut Offloads)) {
        self.state.with(|state| state.offloads.as_mut().map(change));
    }
}

pub(crate) fn to_core(offload: TaskOffload) -> Offload {
    let checksum = |task: ChecksumTask| Checksum {
        encapsulation: task.encapsulation,
        features: task.bits,
    };
    let segmentation = |task: SegmentationTask| Segmentation {
        encapsulation: task.encapsulation,
        maximum_size: task.maximum_size,
        minimum_segments: task.minimum_segments,
        features: task.bits,
    };
    let [ipv4_transmit, ipv4_receive, ipv6_transmit, ipv6_receive] =
        offload.checksums.map(checksum);
    let [tcp_ipv4, tcp_ipv6, udp_ipv4, udp_ipv6] = offload.segmentations.map(segmentation);
    let [coalesces_ipv4, coalesces_ipv6] = offload.coalescing;
    Offload {
        ipv4_transmit,
        ipv4_receive,
        ipv6_transmit,
        ipv6_receive,
        tcp_ipv4,
        tcp_ipv6,
        udp_ipv4,
        udp_ipv6,
        coalesces_ipv4,
        coalesces_ipv6,
    }
}

pub(crate) fn to_ndis(offload: Offload) -> TaskOffload {
    let checksums = [
        offload.ipv4_transmit,
        offload.ipv4_receive,
        offload.ipv6_transmit,
        offload.ipv6_receive,
    ];
    let segmentations = [
        offload.tcp_ipv4,
        offload.tcp_ipv6,
        offload.udp_ipv4,
        offload.udp_ipv6,
    ];
    TaskOffload {
        checksums: checksums.map(|task| ChecksumTask {
            encapsulation: task.encapsulation,
            bits: task.features,
        }),
        segmentations: segmentations.map(|task| SegmentationTask {
            encapsulation: task.encapsulation,
            maximum_size: task.maximum_size,
            minimum_segments: task.minimum_segments,
            bits: task.features,
        }),
        coalescing: [offload.coalesces_ipv4, offload.coalesces_ipv6],
    }
}

/// What an NBL asks the adapter to do, as `mux_core` wants it.
pub(crate) const fn words(words: OffloadWords) -> SendWords {
    SendWords {
        checksum: words.checksum,
        large_send: words.large_send,
        udp_segmentation: words.udp_segmentation,
    }
}

/// The same the other way.
pub(crate) const fn from_words(words: SendWords) -> OffloadWords {
    OffloadWords {
        checksum: words.checksum,
        large_send: words.large_send,
        udp_segmentation: words.udp_segmentation,
    }
}

/// Bytes of the largest `NDIS_OFFLOAD` that is asked for: larger than that of any revision so far.
const OFFLOAD_LENGTH: usize = 512;
