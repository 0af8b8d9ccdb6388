//! The names that people know adapters by.

use ndis_sys::{
    NDIS_HANDLE, NDIS_STATUS, NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS, NDIS_STRING,
    UNICODE_STRING,
};

use super::adapter::Adapter;
use super::binding::{BindContext, Binding};
use super::device;
use super::faults::should_fail;
use super::nbl::block;
use super::object::{Object, resolve};

crate::ddi! { "ndis.sys":
    /// The name that people know an adapter by; the caller frees its buffer by `NdisFreeMemory`.
    [PASSIVE..=PASSIVE] fn NdisMQueryAdapterInstanceName(
        pAdapterInstanceName: *mut NDIS_STRING,
        MiniportHandle: NDIS_HANDLE,
    ) -> NDIS_STATUS {
        let name = "NdisMQueryAdapterInstanceName";
        give_name(pAdapterInstanceName, named::<Adapter>(MiniportHandle, name).name(), name)
    }

    /// The same, for the adapter of a binding.
    [PASSIVE..=DISPATCH] fn NdisQueryAdapterInstanceName(
        pAdapterInstanceName: *mut NDIS_STRING,
        NdisBindingHandle: NDIS_HANDLE,
    ) -> NDIS_STATUS {
        let name = "NdisQueryAdapterInstanceName";
        let adapter = named::<Binding>(NdisBindingHandle, name).adapter();
        give_name(pAdapterInstanceName, adapter.name(), name)
    }

    /// The same, while the binding is made.
    [PASSIVE..=DISPATCH] fn NdisQueryBindInstanceName(
        pAdapterInstanceName: *mut NDIS_STRING,
        BindingContext: NDIS_HANDLE,
    ) -> NDIS_STATUS {
        let name = "NdisQueryBindInstanceName";
        let adapter = named::<BindContext>(BindingContext, name).binding.adapter();
        give_name(pAdapterInstanceName, adapter.name(), name)
    }
}

fn named<T: Object>(handle: NDIS_HANDLE, function: &str) -> &'static T {
    resolve::<T>(handle, function)
}

fn give_name(target: *mut NDIS_STRING, adapter: &str, function: &'static str) -> NDIS_STATUS {
    if should_fail(function) {
        return NDIS_STATUS_RESOURCES;
    }
    let label = device::find(adapter).map_or_else(|| adapter.to_owned(), |device| device.label);
    let units: Vec<u16> = label.encode_utf16().chain([0]).collect();
    let bytes = size_of_val(&units[..]);
    let Some(block) = block::allocate(bytes, TAG) else {
        return NDIS_STATUS_RESOURCES;
    };
    // SAFETY: the block is new and has this many bytes.
    unsafe { std::ptr::copy_nonoverlapping(units.as_ptr().cast(), block.as_ptr(), bytes) };
    let name = UNICODE_STRING {
        Length: (bytes - 2) as u16,
        MaximumLength: bytes as u16,
        Buffer: block.as_ptr().cast(),
    };
    // SAFETY: the document makes it a pointer to the caller's string.
    unsafe { target.write(name) };
    NDIS_STATUS_SUCCESS
}

/// The tag of names that a driver was given, and frees with `NdisFreeMemory`.
pub(crate) const TAG: u32 = u32::from_le_bytes(*b"NDna");
