//! Device objects that an NDIS driver adds beside its adapters, for a control interface
//! (`ns-ndis-_ndis_device_object_attributes.md`).

use crate::declare::{constants, size_through, structures};
use crate::io::*;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;

structures! {
    /// What `NdisRegisterDeviceEx` creates a device object from.
    pub struct NDIS_DEVICE_OBJECT_ATTRIBUTES {
        pub Header: NDIS_OBJECT_HEADER,
        pub DeviceName: *mut NDIS_STRING,
        pub SymbolicName: *mut NDIS_STRING,
        pub MajorFunctions: *mut PDRIVER_DISPATCH,
        pub ExtensionSize: ULONG,
        pub DefaultSDDLString: *const UNICODE_STRING,
        pub DeviceClassGuid: *const GUID,
    }
}

constants! {
    UCHAR {
        NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1 =
            size_through!(NDIS_DEVICE_OBJECT_ATTRIBUTES, DeviceClassGuid),
    }
}
