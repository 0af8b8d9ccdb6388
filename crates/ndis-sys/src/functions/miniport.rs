//! What a miniport adapter tells NDIS: attributes, completions, indications.

use crate::attributes::NDIS_MINIPORT_ADAPTER_ATTRIBUTES;
use crate::declare::functions;
use crate::dma::NDIS_SG_DMA_DESCRIPTION;
use crate::handle::NDIS_HANDLE;
use crate::interrupt::NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS;
use crate::io::*;
use crate::nbl::NET_BUFFER_LIST;
use crate::nt::*;
use crate::oid::NDIS_OID_REQUEST;
use crate::pnp::NET_PNP_EVENT_NOTIFICATION;
use crate::port::{NDIS_PORT_CHARACTERISTICS, NDIS_PORT_NUMBER};
use crate::power::NDIS_DEVICE_POWER_STATE;
use crate::rss::NDIS_RSS_PROCESSOR_INFO;
use crate::status::{NDIS_STATUS, NDIS_STATUS_INDICATION};

functions! {
    "ndis.sys";

    /// Reports an adapter's attributes. PASSIVE_LEVEL (`nf-ndis-ndismsetminiportattributes.md`).
    fn NdisMSetMiniportAttributes [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisMiniportHandle: NDIS_HANDLE,
        MiniportAttributes: *mut NDIS_MINIPORT_ADAPTER_ATTRIBUTES,
    ) -> NDIS_STATUS;

    /// Gives sent frames back. Up to DISPATCH_LEVEL (`nf-ndis-ndismsendnetbufferlistscomplete.md`).
    fn NdisMSendNetBufferListsComplete [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        NetBufferList: *mut NET_BUFFER_LIST,
        SendCompleteFlags: ULONG,
    );

    /// Passes received frames up. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndismindicatereceivenetbufferlists.md`).
    fn NdisMIndicateReceiveNetBufferLists [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        NetBufferList: *mut NET_BUFFER_LIST,
        PortNumber: NDIS_PORT_NUMBER,
        NumberOfNetBufferLists: ULONG,
        ReceiveFlags: ULONG,
    );

    /// Passes a status up. Up to DISPATCH_LEVEL (`nf-ndis-ndismindicatestatusex.md`).
    fn NdisMIndicateStatusEx [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        StatusIndication: *mut NDIS_STATUS_INDICATION,
    );

    /// Ends a `MiniportOidRequest` that pended. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndismoidrequestcomplete.md`).
    fn NdisMOidRequestComplete [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        Status: NDIS_STATUS,
    );

    /// Ends a `MiniportDirectOidRequest` that pended. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndismdirectoidrequestcomplete.md`).
    fn NdisMDirectOidRequestComplete [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        Status: NDIS_STATUS,
    );

    /// Ends a `MiniportPause` that pended. Up to DISPATCH_LEVEL (`nf-ndis-ndismpausecomplete.md`).
    fn NdisMPauseComplete [PASSIVE_LEVEL, DISPATCH_LEVEL] (MiniportAdapterHandle: NDIS_HANDLE);

    /// Ends a `MiniportRestart` that pended. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndismrestartcomplete.md`).
    fn NdisMRestartComplete [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        Status: NDIS_STATUS,
    );

    /// Ends a `MiniportResetEx` that pended. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndismresetcomplete~r1.md`).
    fn NdisMResetComplete [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        Status: NDIS_STATUS,
        AddressingReset: BOOLEAN,
    );

    /// Asks for a reset. Up to DISPATCH_LEVEL (`nf-ndis-ndismresetminiport.md`).
    fn NdisMResetMiniport [PASSIVE_LEVEL, DISPATCH_LEVEL] (MiniportAdapterHandle: NDIS_HANDLE);

    /// Says that the hardware has failed for good. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndismremoveminiport.md`).
    fn NdisMRemoveMiniport [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportHandle: NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Passes a network event up. PASSIVE_LEVEL (`nf-ndis-ndismnetpnpevent.md`).
    fn NdisMNetPnPEvent [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        NetPnPEventNotification: *mut NET_PNP_EVENT_NOTIFICATION,
    ) -> NDIS_STATUS;

    /// Makes a port. Up to DISPATCH_LEVEL (`nf-ndis-ndismallocateport.md`).
    fn NdisMAllocatePort [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisMiniportHandle: NDIS_HANDLE,
        PortCharacteristics: *mut NDIS_PORT_CHARACTERISTICS,
    ) -> NDIS_STATUS;

    /// Frees a port. Up to DISPATCH_LEVEL (`nf-ndis-ndismfreeport.md`).
    fn NdisMFreePort [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisMiniportHandle: NDIS_HANDLE,
        PortNumber: NDIS_PORT_NUMBER,
    ) -> NDIS_STATUS;

    /// Ends a selective suspend. Up to DISPATCH_LEVEL (`nf-ndis-ndismidlenotificationcomplete.md`).
    fn NdisMIdleNotificationComplete [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
    );

    /// Says that the adapter can be suspended. PASSIVE_LEVEL
    /// (`nf-ndis-ndismidlenotificationconfirm.md`).
    fn NdisMIdleNotificationConfirm [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        IdlePowerState: NDIS_DEVICE_POWER_STATE,
    );

    /// The adapter's friendly name; its buffer is freed by `NdisFreeMemory`. PASSIVE_LEVEL
    /// (`nf-ndis-ndismqueryadapterinstancename.md`).
    fn NdisMQueryAdapterInstanceName [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        pAdapterInstanceName: *mut NDIS_STRING,
        MiniportHandle: NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// The adapter's device objects and resources; each pointer may be null. PASSIVE_LEVEL
    /// (`nf-ndis-ndismgetdeviceproperty.md`).
    fn NdisMGetDeviceProperty [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        PhysicalDeviceObject: *mut *mut DEVICE_OBJECT,
        FunctionalDeviceObject: *mut *mut DEVICE_OBJECT,
        NextDeviceObject: *mut *mut DEVICE_OBJECT,
        AllocatedResources: *mut *mut CM_RESOURCE_LIST,
        AllocatedResourcesTranslated: *mut *mut CM_RESOURCE_LIST,
    );

    /// Registers an interrupt. PASSIVE_LEVEL (`nf-ndis-ndismregisterinterruptex.md`).
    fn NdisMRegisterInterruptEx [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        MiniportInterruptContext: NDIS_HANDLE,
        MiniportInterruptCharacteristics: *mut NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS,
        NdisInterruptHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Undoes that. PASSIVE_LEVEL (`nf-ndis-ndismderegisterinterruptex.md`).
    fn NdisMDeregisterInterruptEx [PASSIVE_LEVEL, PASSIVE_LEVEL] (NdisInterruptHandle: NDIS_HANDLE);

    /// Registers scatter/gather DMA. PASSIVE_LEVEL (`nf-ndis-ndismregisterscattergatherdma.md`).
    fn NdisMRegisterScatterGatherDma [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        DmaDescription: *mut NDIS_SG_DMA_DESCRIPTION,
        NdisMiniportDmaHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Undoes that. PASSIVE_LEVEL (`nf-ndis-ndismderegisterscattergatherdma.md`).
    fn NdisMDeregisterScatterGatherDma [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisMiniportDmaHandle: NDIS_HANDLE,
    );

    /// The processors for receive side scaling. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisgetrssprocessorinformation.md`).
    fn NdisGetRssProcessorInformation [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisHandle: NDIS_HANDLE,
        RssProcessorInfo: *mut NDIS_RSS_PROCESSOR_INFO,
        Size: *mut SIZE_T,
    ) -> NDIS_STATUS;
}
