//! The NDIS 5 entry points that no NDIS 6 driver may import.

use super::parse::{ImportName, Pe};

/// The forbidden functions that the image imports.
pub(super) fn imports(pe: &Pe) -> impl Iterator<Item = String> {
    pe.imports.iter().filter_map(|import| match &import.name {
        ImportName::Name(name) if is_forbidden(&import.module, name) => Some(name.clone()),
        _ => None,
    })
}

/// Whether a function of ndis.sys belongs to NDIS 5 only.
pub(super) fn is_forbidden(module: &str, name: &str) -> bool {
    module.eq_ignore_ascii_case("ndis.sys") && NDIS_5.contains(&name)
}

/// Functions that NDIS 6 replaced: registration, opening and closing, packets and buffers, requests,
/// status, timers, interrupts, configuration.
const NDIS_5: &[&str] = &[
    "NdisAllocateBuffer",
    "NdisAllocateBufferPool",
    "NdisAllocatePacket",
    "NdisAllocatePacketPool",
    "NdisAllocatePacketPoolEx",
    "NdisCancelSendPackets",
    "NdisCancelTimer",
    "NdisCloseAdapter",
    "NdisCompleteBindAdapter",
    "NdisCompleteUnbindAdapter",
    "NdisCopyBuffer",
    "NdisCopyFromPacketToPacket",
    "NdisDeregisterProtocol",
    "NdisDprAllocatePacket",
    "NdisDprAllocatePacketNonInterlocked",
    "NdisDprFreePacket",
    "NdisDprFreePacketNonInterlocked",
    "NdisFreePacket",
    "NdisFreePacketPool",
    "NdisGetFirstBufferFromPacket",
    "NdisGetReceivedPacket",
    "NdisIMCopySendCompletePerPacketInfo",
    "NdisIMCopySendPerPacketInfo",
    "NdisIMDeregisterLayeredMiniport",
    "NdisIMGetCurrentPacketStack",
    "NdisIMInitializeDeviceInstance",
    "NdisIMQueueMiniportCallback",
    "NdisIMRegisterLayeredMiniport",
    "NdisIMRevertBack",
    "NdisIMSwitchToMiniport",
    "NdisInitializeTimer",
    "NdisInitializeWrapper",
    "NdisMAllocateMapRegisters",
    "NdisMCancelTimer",
    "NdisMCompleteBufferPhysicalMapping",
    "NdisMDeregisterDevice",
    "NdisMDeregisterInterrupt",
    "NdisMFreeMapRegisters",
    "NdisMIndicateStatus",
    "NdisMIndicateStatusComplete",
    "NdisMInitializeTimer",
    "NdisMInitializeWrapper",
    "NdisMQueryInformationComplete",
    "NdisMRegisterDevice",
    "NdisMRegisterInterrupt",
    "NdisMRegisterMiniport",
    "NdisMRegisterUnloadHandler",
    "NdisMSendComplete",
    "NdisMSendResourcesAvailable",
    "NdisMSetAttributes",
    "NdisMSetAttributesEx",
    "NdisMSetInformationComplete",
    "NdisMSetPeriodicTimer",
    "NdisMSetTimer",
    "NdisMStartBufferPhysicalMapping",
    "NdisMSynchronizeWithInterrupt",
    "NdisMTransferDataComplete",
    "NdisOpenAdapter",
    "NdisOpenConfiguration",
    "NdisOpenProtocolConfiguration",
    "NdisRegisterProtocol",
    "NdisRequest",
    "NdisReset",
    "NdisReturnPackets",
    "NdisScheduleWorkItem",
    "NdisSend",
    "NdisSendPackets",
    "NdisSetTimer",
    "NdisTerminateWrapper",
    "NdisTransferData",
    "NdisUnchainBufferAtBack",
    "NdisUnchainBufferAtFront",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_counts_and_its_case_does_not() {
        assert!(is_forbidden("NDIS.SYS", "NdisMRegisterUnloadHandler"));
        assert!(!is_forbidden("ntoskrnl.exe", "NdisMRegisterUnloadHandler"));
        assert!(!is_forbidden("ndis.sys", "NdisMRegisterMiniportDriver"));
    }
}
