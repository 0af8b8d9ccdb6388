//! Reading and writing a driver's and an adapter's registry values
//! (`ns-ndis-_ndis_configuration_object.md`, `ns-ndis-_ndis_configuration_parameter.md`).
//!
//! What the values mean is each driver's own business; the functions are in
//! `functions::configuration`.

use crate::declare::{constants, size_through, structures};
use crate::handle::NDIS_HANDLE;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;

structures! {
    /// What `NdisOpenConfigurationEx` opens: the handle says whose configuration.
    pub struct NDIS_CONFIGURATION_OBJECT {
        pub Header: NDIS_OBJECT_HEADER,
        pub NdisHandle: NDIS_HANDLE,
        pub Flags: ULONG,
    }

    /// One registry value; which member of `ParameterData` counts, `ParameterType` says.
    pub struct NDIS_CONFIGURATION_PARAMETER {
        pub ParameterType: NDIS_PARAMETER_TYPE,
        pub ParameterData: NDIS_CONFIGURATION_PARAMETER_DATA,
    }

    /// The value of an [`NDIS_CONFIGURATION_PARAMETER`].
    pub union NDIS_CONFIGURATION_PARAMETER_DATA {
        pub IntegerData: ULONG,
        /// For `NdisParameterString` and `NdisParameterMultiString`.
        pub StringData: NDIS_STRING,
        pub BinaryData: BINARY_DATA,
    }

    /// A counted run of bytes (`ns-ndis-binary_data.md`).
    pub struct BINARY_DATA {
        /// Bytes at `Buffer`.
        pub Length: USHORT,
        pub Buffer: PVOID,
    }
}

/// How a registry value is to be read or is written (`ne-ndis-_ndis_parameter_type.md`).
pub type NDIS_PARAMETER_TYPE = i32;

constants! {
    NDIS_PARAMETER_TYPE {
        NdisParameterInteger = 0,
        NdisParameterHexInteger = 1,
        NdisParameterString = 2,
        NdisParameterMultiString = 3,
        NdisParameterBinary = 4,
    }
    ULONG {
        NDIS_CONFIG_FLAG_FILTER_INSTANCE_CONFIGURATION = 0x1,
        RTL_REGISTRY_ABSOLUTE = 0,
        RTL_REGISTRY_SERVICES = 1,
    }
    UCHAR {
        NDIS_CONFIGURATION_OBJECT_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1 =
            size_through!(NDIS_CONFIGURATION_OBJECT, Flags),
    }
}
