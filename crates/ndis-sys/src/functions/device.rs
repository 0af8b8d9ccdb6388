//! Device objects beside the adapters, and how interfaces are stacked.

use crate::declare::functions;
use crate::device::NDIS_DEVICE_OBJECT_ATTRIBUTES;
use crate::handle::NDIS_HANDLE;
use crate::interface::{
    NDIS_IF_PROVIDER_CHARACTERISTICS, NET_IF_INFORMATION, NET_IFINDEX, NET_IFTYPE, NET_LUID,
};
use crate::io::*;
use crate::nt::*;
use crate::status::NDIS_STATUS;

functions! {
    "ndis.sys";

    /// Makes a device object. PASSIVE_LEVEL (`nf-ndis-ndisregisterdeviceex.md`).
    fn NdisRegisterDeviceEx [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisHandle: NDIS_HANDLE,
        DeviceObjectAttributes: *mut NDIS_DEVICE_OBJECT_ATTRIBUTES,
        pDeviceObject: *mut *mut DEVICE_OBJECT,
        NdisDeviceHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Removes it. PASSIVE_LEVEL (`nf-ndis-ndisderegisterdeviceex.md`).
    fn NdisDeregisterDeviceEx [PASSIVE_LEVEL, PASSIVE_LEVEL] (NdisDeviceHandle: NDIS_HANDLE);

    /// The memory that was asked for with the device. Any IRQL
    /// (`nf-ndis-ndisgetdevicereservedextension.md`).
    fn NdisGetDeviceReservedExtension [PASSIVE_LEVEL, HIGH_LEVEL] (
        DeviceObject: *mut DEVICE_OBJECT,
    ) -> PVOID;

    /// Says that one interface lies on another. PASSIVE_LEVEL (`nf-ndis-ndisifaddifstackentry.md`).
    fn NdisIfAddIfStackEntry [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        HigherLayerIfIndex: NET_IFINDEX,
        LowerLayerIfIndex: NET_IFINDEX,
    ) -> NDIS_STATUS;

    /// Takes that back. PASSIVE_LEVEL (`nf-ndis-ndisifdeleteifstackentry.md`).
    fn NdisIfDeleteIfStackEntry [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        HigherLayerIfIndex: NET_IFINDEX,
        LowerLayerIfIndex: NET_IFINDEX,
    ) -> NDIS_STATUS;

    /// The interfaces below a binding. PASSIVE_LEVEL (`nf-ndis-ndisifquerybindingifindex.md`).
    fn NdisIfQueryBindingIfIndex [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisBindingHandle: NDIS_HANDLE,
        pBoundIfIndex: *mut NET_IFINDEX,
        pBoundIfNetLuid: *mut NET_LUID,
        pLowestIfIndex: *mut NET_IFINDEX,
        pLowestIfNetLuid: *mut NET_LUID,
    ) -> NDIS_STATUS;

    /// Registers a provider of interfaces. PASSIVE_LEVEL (`nf-ndis-ndisifregisterprovider.md`).
    fn NdisIfRegisterProvider [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        ProviderCharacteristics: *mut NDIS_IF_PROVIDER_CHARACTERISTICS,
        IfProviderContext: NDIS_HANDLE,
        pNdisIfProviderHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Undoes that. PASSIVE_LEVEL (`nf-ndis-ndisifderegisterprovider.md`).
    fn NdisIfDeregisterProvider [PASSIVE_LEVEL, PASSIVE_LEVEL] (NdisProviderHandle: NDIS_HANDLE);

    /// Registers an interface. PASSIVE_LEVEL (`nf-ndis-ndisifregisterinterface.md`).
    fn NdisIfRegisterInterface [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisProviderHandle: NDIS_HANDLE,
        NetLuid: NET_LUID,
        ProviderIfContext: NDIS_HANDLE,
        pIfInfo: *mut NET_IF_INFORMATION,
        pfIndex: *mut NET_IFINDEX,
    ) -> NDIS_STATUS;

    /// Undoes that. PASSIVE_LEVEL (`nf-ndis-ndisifderegisterinterface.md`).
    fn NdisIfDeregisterInterface [PASSIVE_LEVEL, PASSIVE_LEVEL] (ifIndex: NET_IFINDEX);

    /// A LUID index that is free. PASSIVE_LEVEL (`nf-ndis-ndisifallocatenetluidindex.md`).
    fn NdisIfAllocateNetLuidIndex [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        ifType: NET_IFTYPE,
        pNetLuidIndex: *mut ULONG,
    ) -> NDIS_STATUS;

    /// Gives it back. PASSIVE_LEVEL (`nf-ndis-ndisiffreenetluidindex.md`).
    fn NdisIfFreeNetLuidIndex [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        ifType: NET_IFTYPE,
        NetLuidIndex: ULONG,
    ) -> NDIS_STATUS;

    /// An interface's index. PASSIVE_LEVEL (`nf-ndis-ndisifgetinterfaceindexfromnetluid.md`).
    fn NdisIfGetInterfaceIndexFromNetLuid [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NetLuid: NET_LUID,
        pIfIndex: *mut NET_IFINDEX,
    ) -> NDIS_STATUS;

    /// An interface's LUID. PASSIVE_LEVEL (`nf-ndis-ndisifgetnetluidfrominterfaceindex.md`).
    fn NdisIfGetNetLuidFromInterfaceIndex [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        ifIndex: NET_IFINDEX,
        pNetLuid: *mut NET_LUID,
    ) -> NDIS_STATUS;
}
