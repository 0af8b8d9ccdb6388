//! Registering drivers, and what an intermediate driver adds to it.

use crate::declare::functions;
use crate::handle::NDIS_HANDLE;
use crate::io::*;
use crate::miniport::{NDIS_DRIVER_OPTIONAL_HANDLERS, NDIS_MINIPORT_DRIVER_CHARACTERISTICS};
use crate::nt::*;
use crate::protocol::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS;
use crate::status::NDIS_STATUS;

functions! {
    "ndis.sys";

    /// Registers a miniport driver. PASSIVE_LEVEL (`nf-ndis-ndismregisterminiportdriver.md`).
    fn NdisMRegisterMiniportDriver [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        DriverObject: *mut DRIVER_OBJECT,
        RegistryPath: *mut UNICODE_STRING,
        MiniportDriverContext: NDIS_HANDLE,
        MiniportDriverCharacteristics: *mut NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
        NdisMiniportDriverHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Undoes `NdisMRegisterMiniportDriver`. PASSIVE_LEVEL
    /// (`nf-ndis-ndismderegisterminiportdriver.md`).
    fn NdisMDeregisterMiniportDriver [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisMiniportDriverHandle: NDIS_HANDLE,
    );

    /// Registers a protocol driver; its callbacks may come before this returns. PASSIVE_LEVEL
    /// (`nf-ndis-ndisregisterprotocoldriver.md`).
    fn NdisRegisterProtocolDriver [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        ProtocolDriverContext: NDIS_HANDLE,
        ProtocolCharacteristics: *mut NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
        NdisProtocolHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Undoes that, and closes every binding first. PASSIVE_LEVEL
    /// (`nf-ndis-ndisderegisterprotocoldriver.md`).
    fn NdisDeregisterProtocolDriver [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisProtocolHandle: NDIS_HANDLE,
    );

    /// Registers optional services. PASSIVE_LEVEL (`nf-ndis-ndissetoptionalhandlers.md`).
    fn NdisSetOptionalHandlers [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisHandle: NDIS_HANDLE,
        OptionalHandlers: *mut NDIS_DRIVER_OPTIONAL_HANDLERS,
    ) -> NDIS_STATUS;

    /// Tells NDIS that both edges are one intermediate driver. PASSIVE_LEVEL
    /// (`nf-ndis-ndisimassociateminiport.md`).
    fn NdisIMAssociateMiniport [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        DriverHandle: NDIS_HANDLE,
        ProtocolHandle: NDIS_HANDLE,
    );

    /// Starts a virtual miniport; `MiniportInitializeEx` comes now or later. PASSIVE_LEVEL
    /// (`nf-ndis-ndisiminitializedeviceinstanceex.md`).
    fn NdisIMInitializeDeviceInstanceEx [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        DriverHandle: NDIS_HANDLE,
        DriverInstance: *mut NDIS_STRING,
        DeviceContext: NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Takes that back if it has not come. PASSIVE_LEVEL
    /// (`nf-ndis-ndisimcancelinitializedeviceinstance.md`).
    fn NdisIMCancelInitializeDeviceInstance [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        DriverHandle: NDIS_HANDLE,
        DeviceInstance: *mut NDIS_STRING,
    ) -> NDIS_STATUS;

    /// Halts a virtual miniport. PASSIVE_LEVEL (`nf-ndis-ndisimdeinitializedeviceinstance.md`).
    fn NdisIMDeInitializeDeviceInstance [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisMiniportHandle: NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// The device context of the virtual miniport that a binding is on. Up to APC_LEVEL
    /// (`nf-ndis-ndisimgetbindingcontext.md`).
    fn NdisIMGetBindingContext [PASSIVE_LEVEL, APC_LEVEL] (
        NdisBindingHandle: NDIS_HANDLE,
    ) -> NDIS_HANDLE;

    /// The device context a virtual miniport was started with. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisimgetdevicecontext.md`).
    fn NdisIMGetDeviceContext [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
    ) -> NDIS_HANDLE;

    /// The newest NDIS version that the system knows: major in the upper half. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisgetversion.md`).
    fn NdisGetVersion [PASSIVE_LEVEL, DISPATCH_LEVEL] () -> UINT;
}
