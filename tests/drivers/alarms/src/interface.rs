//! A provider of network interfaces, with up to two of its own.

use core::{
    ffi::c_void,
    ptr,
    sync::atomic::{AtomicPtr, AtomicU32, Ordering},
};

use crate::{call, sys};

/// A provider, not usable before [`Provider::register`].
pub struct Provider {
    handle: AtomicPtr<c_void>,
    interfaces: [AtomicU32; 2],
}

impl Provider {
    /// A provider that is not registered.
    pub const fn new() -> Self {
        Self {
            handle: AtomicPtr::new(ptr::null_mut()),
            interfaces: [const { AtomicU32::new(0) }; 2],
        }
    }

    /// Registers it.
    pub fn register(&self) -> sys::NDIS_STATUS {
        let mut characteristics = sys::NDIS_IF_PROVIDER_CHARACTERISTICS {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_DEFAULT,
                sys::NDIS_OBJECT_REVISION_1,
                sys::NDIS_SIZEOF_IF_PROVIDER_CHARACTERISTICS_REVISION_1,
            ),
            QueryObjectHandler: Some(query),
            SetObjectHandler: Some(set),
            ..sys::NDIS_IF_PROVIDER_CHARACTERISTICS::zeroed()
        };
        call!(NdisIfRegisterProvider(
            &raw mut characteristics,
            ptr::null_mut(),
            self.handle.as_ptr(),
        ))
    }

    /// Undoes that.
    pub fn deregister(&self) {
        call!(NdisIfDeregisterProvider(
            self.handle.load(Ordering::Acquire)
        ));
    }

    /// Registers the interface in that place; answers its index.
    pub fn add(&self, place: usize) -> sys::NET_IFINDEX {
        let mut information = sys::NET_IF_INFORMATION {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_DEFAULT,
                sys::NDIS_OBJECT_REVISION_1,
                sys::NDIS_SIZEOF_NET_IF_INFORMATION_REVISION_1,
            ),
            ..sys::NET_IF_INFORMATION::zeroed()
        };
        let luid = sys::NET_LUID_LH {
            Value: FIRST_LUID + place as u64,
        };
        call!(NdisIfRegisterInterface(
            self.handle.load(Ordering::Acquire),
            luid,
            ptr::null_mut(),
            &raw mut information,
            self.interfaces[place].as_ptr(),
        ));
        self.interfaces[place].load(Ordering::Acquire)
    }

    /// Deregisters it.
    pub fn remove(&self, place: usize) {
        call!(NdisIfDeregisterInterface(
            self.interfaces[place].load(Ordering::Acquire)
        ));
    }
}

/// Of interfaces of the type "other".
const FIRST_LUID: u64 = 1 << 48 | 0x00a1_a000 << 24;

unsafe extern "efiapi" fn query(
    _interface: sys::NDIS_HANDLE,
    _object: sys::NDIS_OID,
    _length: *mut u32,
    _output: *mut c_void,
) -> sys::NDIS_STATUS {
    sys::NDIS_STATUS_NOT_SUPPORTED
}

unsafe extern "efiapi" fn set(
    _interface: sys::NDIS_HANDLE,
    _object: sys::NDIS_OID,
    _length: u32,
    _input: *mut c_void,
) -> sys::NDIS_STATUS {
    sys::NDIS_STATUS_NOT_SUPPORTED
}
