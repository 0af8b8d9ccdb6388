//! Configuration from the registry, the network address, log entries.

use crate::configuration::{
    NDIS_CONFIGURATION_OBJECT, NDIS_CONFIGURATION_PARAMETER, NDIS_PARAMETER_TYPE,
};
use crate::declare::functions;
use crate::handle::NDIS_HANDLE;
use crate::nt::*;
use crate::status::NDIS_STATUS;

functions! {
    "ndis.sys";

    /// Opens the configuration of a driver, an adapter or a binding, by its handle. PASSIVE_LEVEL
    /// (`nf-ndis-ndisopenconfigurationex.md`).
    fn NdisOpenConfigurationEx [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        ConfigObject: *mut NDIS_CONFIGURATION_OBJECT,
        ConfigurationHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Opens a subkey. Up to APC_LEVEL (`nf-ndis-ndisopenconfigurationkeybyname.md`).
    fn NdisOpenConfigurationKeyByName [PASSIVE_LEVEL, APC_LEVEL] (
        Status: *mut NDIS_STATUS,
        ConfigurationHandle: NDIS_HANDLE,
        SubKeyName: *mut NDIS_STRING,
        SubKeyHandle: *mut NDIS_HANDLE,
    );

    /// Opens a subkey by its number. Up to APC_LEVEL
    /// (`nf-ndis-ndisopenconfigurationkeybyindex.md`).
    fn NdisOpenConfigurationKeyByIndex [PASSIVE_LEVEL, APC_LEVEL] (
        Status: *mut NDIS_STATUS,
        ConfigurationHandle: NDIS_HANDLE,
        Index: ULONG,
        KeyName: *mut NDIS_STRING,
        KeyHandle: *mut NDIS_HANDLE,
    );

    /// Reads a value, which NDIS frees with the handle. PASSIVE_LEVEL
    /// (`nf-ndis-ndisreadconfiguration.md`).
    fn NdisReadConfiguration [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        Status: *mut NDIS_STATUS,
        ParameterValue: *mut *mut NDIS_CONFIGURATION_PARAMETER,
        ConfigurationHandle: NDIS_HANDLE,
        Keyword: *mut NDIS_STRING,
        ParameterType: NDIS_PARAMETER_TYPE,
    );

    /// Writes a value. PASSIVE_LEVEL (`nf-ndis-ndiswriteconfiguration.md`).
    fn NdisWriteConfiguration [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        Status: *mut NDIS_STATUS,
        ConfigurationHandle: NDIS_HANDLE,
        Keyword: *mut NDIS_STRING,
        ParameterValue: *mut NDIS_CONFIGURATION_PARAMETER,
    );

    /// Reads the address that the administrator set; NDIS frees it with the handle. PASSIVE_LEVEL
    /// (`nf-ndis-ndisreadnetworkaddress.md`).
    fn NdisReadNetworkAddress [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        Status: *mut NDIS_STATUS,
        NetworkAddress: *mut PVOID,
        NetworkAddressLength: *mut UINT,
        ConfigurationHandle: NDIS_HANDLE,
    );

    /// Closes a handle and frees what was read by it. PASSIVE_LEVEL
    /// (`nf-ndis-ndiscloseconfiguration.md`).
    fn NdisCloseConfiguration [PASSIVE_LEVEL, PASSIVE_LEVEL] (ConfigurationHandle: NDIS_HANDLE);

    /// Writes to the system event log. Up to DISPATCH_LEVEL (`nf-ndis-ndiswriteeventlogentry.md`).
    fn NdisWriteEventLogEntry [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        LogHandle: PVOID,
        EventCode: NDIS_STATUS,
        UniqueEventValue: ULONG,
        NumStrings: USHORT,
        StringsList: PVOID,
        DataSize: ULONG,
        Data: PVOID,
    ) -> NDIS_STATUS;
}
