//! Task offloads of the adapter below: as `ndis` reads and writes them, and as `mux_core` decides on them.

use mux_core::offload::{Checksum, Offload, Segmentation, SendWords};
use ndis::{
    nbl::OffloadWords,
    offload::{ChecksumTask, SegmentationTask, TaskOffload},
};

/// What an adapter does for its clients.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offloads {
    /// What is switched on.
    pub(crate) current: Offload,
    /// What could be.
    pub(crate) hardware: Offload,
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
