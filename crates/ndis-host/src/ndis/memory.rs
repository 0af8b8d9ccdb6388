//! Memory and MDLs that drivers allocate from NDIS.

use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr;
use std::sync::{LazyLock, Mutex, PoisonError};

use ndis_sys::{
    DRIVER_OBJECT, EX_POOL_PRIORITY, MDL, NDIS_GENERIC_OBJECT, NDIS_HANDLE, NDIS_OBJECT_HEADER,
    NDIS_OBJECT_REVISION_1, NDIS_OBJECT_TYPE_DEFAULT, NDIS_STATUS, NDIS_STATUS_RESOURCES,
    NDIS_STATUS_SUCCESS,
};

use super::driver::party_of;
use super::faults::should_fail;
use super::nbl::block;
use super::object::{self, Kind, Object, handle_of, resolve};
use super::view::Mdl;
use crate::nt::pool;
use crate::rules;

crate::ddi! { "ndis.sys":
    /// Nonpaged memory.
    [PASSIVE..=DISPATCH] fn NdisAllocateMemoryWithTagPriority(
        NdisHandle: NDIS_HANDLE,
        Length: u32,
        Tag: u32,
        _Priority: EX_POOL_PRIORITY,
    ) -> *mut c_void {
        party_of(NdisHandle, "NdisAllocateMemoryWithTagPriority");
        allocate("NdisAllocateMemoryWithTagPriority", Length, Tag)
    }

    /// Nonpaged memory; the older form.
    [PASSIVE..=DISPATCH] fn NdisAllocateMemoryWithTag(
        VirtualAddress: *mut *mut c_void,
        Length: u32,
        Tag: u32,
    ) -> NDIS_STATUS {
        let memory = allocate("NdisAllocateMemoryWithTag", Length, Tag);
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { VirtualAddress.write(memory) };
        if memory.is_null() { NDIS_STATUS_RESOURCES } else { NDIS_STATUS_SUCCESS }
    }

    /// Frees memory.
    [PASSIVE..=DISPATCH] fn NdisFreeMemory(
        VirtualAddress: *mut c_void,
        _Length: u32,
        _MemoryFlags: u32,
    ) {
        pool::free(VirtualAddress.cast(), None);
    }

    /// Frees memory, of which the tag must be right.
    [PASSIVE..=DISPATCH] fn NdisFreeMemoryWithTag(VirtualAddress: *mut c_void, Tag: u32) {
        pool::free(VirtualAddress.cast(), Some(Tag.into()));
    }

    /// Frees memory, of which the tag must be right.
    [PASSIVE..=DISPATCH] fn NdisFreeMemoryWithTagPriority(
        NdisHandle: NDIS_HANDLE,
        VirtualAddress: *mut c_void,
        Tag: u32,
    ) {
        party_of(NdisHandle, "NdisFreeMemoryWithTagPriority");
        pool::free(VirtualAddress.cast(), Some(Tag.into()));
    }

    /// An MDL for nonpaged memory of the caller.
    [PASSIVE..=DISPATCH] fn NdisAllocateMdl(
        NdisHandle: NDIS_HANDLE,
        VirtualAddress: *mut c_void,
        Length: u32,
    ) -> *mut MDL {
        party_of(NdisHandle, "NdisAllocateMdl");
        if should_fail("NdisAllocateMdl") {
            return ptr::null_mut();
        }
        let Some(mdl) = block::describe(VirtualAddress.cast(), Length) else {
            return ptr::null_mut();
        };
        MDLS.lock().unwrap_or_else(PoisonError::into_inner).insert(mdl as usize, Length);
        mdl
    }

    /// Frees an MDL, which must be out of any chain and as long as it was.
    [PASSIVE..=DISPATCH] fn NdisFreeMdl(Mdl: *mut MDL) {
        let length = MDLS.lock().unwrap_or_else(PoisonError::into_inner).remove(&(Mdl as usize));
        let Some(length) = length else {
            rules::broken(
                &rules::NDIS_ALLOCATE_MDL,
                format_args!("NdisFreeMdl: {Mdl:p} is not from NdisAllocateMdl, or was freed"),
            );
        };
        rules::held(&rules::NDIS_ALLOCATE_MDL);
        // SAFETY: the table had it, so it lives.
        let count = unsafe { self::Mdl::from_raw(Mdl) }.map_or(0, self::Mdl::byte_count);
        if count != length {
            rules::broken(
                &rules::NDIS_ALLOCATE_MDL,
                format_args!("NdisFreeMdl: {Mdl:p} has {count} bytes, it was allocated for {length}"),
            );
        }
        rules::held(&rules::NDIS_ALLOCATE_MDL);
        block::free_mdl(Mdl);
    }

    /// An object that stands for a component without an NDIS handle.
    [PASSIVE..=DISPATCH] fn NdisAllocateGenericObject(
        DriverObject: *mut DRIVER_OBJECT,
        _Tag: u32,
        _Size: u16,
    ) -> *mut NDIS_GENERIC_OBJECT {
        if should_fail("NdisAllocateGenericObject") {
            return ptr::null_mut();
        }
        let object = object::fresh(Generic(NDIS_GENERIC_OBJECT {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_DEFAULT,
                NDIS_OBJECT_REVISION_1,
                size_of::<NDIS_GENERIC_OBJECT>() as u16,
            ),
            DriverObject,
            ..NDIS_GENERIC_OBJECT::zeroed()
        }));
        handle_of(object::publish(object, "generic object".to_owned())).cast()
    }

    /// Frees such an object.
    [PASSIVE..=DISPATCH] fn NdisFreeGenericObject(NdisObject: *mut NDIS_GENERIC_OBJECT) {
        rules::check(
            &rules::NDIS_ALLOCATE_GENERIC_OBJECT,
            !object::is_dead(NdisObject.cast(), Kind::GenericObject),
            || format!("NdisFreeGenericObject: {NdisObject:p} was freed"),
        );
        let object = resolve::<Generic>(NdisObject.cast(), "NdisFreeGenericObject");
        super::resources::require_none_of(NdisObject.cast(), "NdisFreeGenericObject");
        object::retire(object);
    }
}

/// MDLs that drivers allocated and did not free.
pub(crate) fn mdls_outstanding() -> usize {
    MDLS.lock().unwrap_or_else(PoisonError::into_inner).len()
}

#[repr(transparent)]
struct Generic(NDIS_GENERIC_OBJECT);

// SAFETY: the host never changes it, and its pointers are not followed.
unsafe impl Sync for Generic {}

impl Object for Generic {
    const KIND: Kind = Kind::GenericObject;
}

fn allocate(function: &'static str, length: u32, tag: u32) -> *mut c_void {
    if tag == 0 {
        rules::broken(
            &rules::NDIS_ALLOCATE_MEMORY_WITH_TAG_PRIORITY,
            format_args!("{function}: {length} bytes are allocated without a tag"),
        );
    }
    rules::held(&rules::NDIS_ALLOCATE_MEMORY_WITH_TAG_PRIORITY);
    if should_fail(function) {
        return ptr::null_mut();
    }
    pool::allocate_with(
        length as usize,
        tag.into(),
        pool::Kind::NonPaged,
        16,
        pool::Fill::Uninitialized,
    )
    .cast()
}

static MDLS: LazyLock<Mutex<HashMap<usize, u32>>> = LazyLock::new(Mutex::default);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::assert_broken;

    #[test]
    fn a_generic_object_is_freed_once() {
        assert_broken(
            &rules::NDIS_ALLOCATE_GENERIC_OBJECT,
            &["NdisFreeGenericObject", "was freed"],
            || {
                // SAFETY: the driver object is not looked at.
                let object = unsafe { NdisAllocateGenericObject(ptr::null_mut(), 1, 0) };
                // SAFETY: the object is alive.
                unsafe { NdisFreeGenericObject(object) };
                // SAFETY: it is not; the host finds out.
                unsafe { NdisFreeGenericObject(object) };
            },
        );
    }
}
