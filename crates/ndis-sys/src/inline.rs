//! The helpers that Microsoft's headers define as macros or inline functions, those with more to
//! them than one field.
//!
//! NDIS spin locks and `MmGetSystemAddressForMdlSafe` are macros over functions of the kernel; an
//! image that uses them imports those.

use crate::nbl::*;
use crate::nt::*;

/// The part of the newest context that is in use
/// (`nf-nblaccessors-net_buffer_list_context_data_start.md`).
///
/// # Safety
///
/// `NetBufferList` is a valid NBL that has a context, and both outlive the call.
pub unsafe fn NET_BUFFER_LIST_CONTEXT_DATA_START(
    NetBufferList: *const NET_BUFFER_LIST,
) -> *mut UCHAR {
    // SAFETY: the caller gives a valid NBL.
    let context = unsafe { (*NetBufferList).Context };
    // SAFETY: the caller says that the NBL has a context.
    let offset = unsafe { (*context).Offset };
    // `wrapping_add`: the data lies behind the header, outside of what `context` was made for.
    context
        .wrapping_add(1)
        .cast::<UCHAR>()
        .wrapping_add(usize::from(offset))
}

/// Bytes in use of the newest context (`nf-nblaccessors-net_buffer_list_context_data_size.md`).
///
/// # Safety
///
/// `NetBufferList` is a valid NBL that has a context, and both outlive the call.
pub unsafe fn NET_BUFFER_LIST_CONTEXT_DATA_SIZE(NetBufferList: *const NET_BUFFER_LIST) -> USHORT {
    // SAFETY: the caller gives a valid NBL.
    let context = unsafe { (*NetBufferList).Context };
    // SAFETY: the caller says that the NBL has a context.
    let NET_BUFFER_LIST_CONTEXT { Size, Offset, .. } = unsafe { *context };
    Size - Offset
}

/// Whether received NBLs must be given back as the indication returns, by its `ReceiveFlags`.
pub const fn NDIS_TEST_RECEIVE_CANNOT_PEND(ReceiveFlags: ULONG) -> bool {
    ReceiveFlags & NDIS_RECEIVE_FLAGS_RESOURCES != 0
}

/// Whether received NBLs may be kept until they are returned, by their indication's `ReceiveFlags`.
pub const fn NDIS_TEST_RECEIVE_CAN_PEND(ReceiveFlags: ULONG) -> bool {
    !NDIS_TEST_RECEIVE_CANNOT_PEND(ReceiveFlags)
}

/// Whether an indication says that it runs at DISPATCH_LEVEL.
pub const fn NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(ReceiveFlags: ULONG) -> bool {
    ReceiveFlags & NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL != 0
}

/// Whether a return says that it runs at DISPATCH_LEVEL.
pub const fn NDIS_TEST_RETURN_AT_DISPATCH_LEVEL(ReturnFlags: ULONG) -> bool {
    ReturnFlags & NDIS_RETURN_FLAGS_DISPATCH_LEVEL != 0
}

/// Whether a send says that it runs at DISPATCH_LEVEL.
pub const fn NDIS_TEST_SEND_AT_DISPATCH_LEVEL(SendFlags: ULONG) -> bool {
    SendFlags & NDIS_SEND_FLAGS_DISPATCH_LEVEL != 0
}

/// Whether a completion says that it runs at DISPATCH_LEVEL.
pub const fn NDIS_TEST_SEND_COMPLETE_AT_DISPATCH_LEVEL(SendCompleteFlags: ULONG) -> bool {
    SendCompleteFlags & NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL != 0
}

/// Cuts an MDL short, or restores the length it was made with (`nf-ndis-ndisadjustmdllength.md`).
///
/// # Safety
///
/// `Mdl` is a valid MDL that nobody else uses now, made for `Length` bytes or more.
pub unsafe fn NdisAdjustMdlLength(Mdl: *mut MDL, Length: ULONG) {
    // SAFETY: the caller gives a valid MDL and has it alone.
    unsafe { (*Mdl).ByteCount = Length };
}

/// The address that an MDL's buffer was described by (`MmGetMdlVirtualAddress` of the `wdm`
/// header).
///
/// # Safety
///
/// `Mdl` is a valid MDL.
pub unsafe fn MmGetMdlVirtualAddress(Mdl: *const MDL) -> PVOID {
    // SAFETY: the caller gives a valid MDL.
    let mdl = unsafe { *Mdl };
    mdl.StartVa.wrapping_byte_add(mdl.ByteOffset as usize)
}

/// The buffer of an MDL, mapped if it was not, null if that fails. Up to DISPATCH_LEVEL
/// (`nf-wdm-mmgetsystemaddressformdlsafe.md`).
///
/// # Safety
///
/// `Mdl` is a valid MDL whose pages are locked or nonpaged, and stays so while the address is used.
pub unsafe fn MmGetSystemAddressForMdlSafe(Mdl: *mut MDL, Priority: ULONG) -> PVOID {
    // SAFETY: the caller gives a valid MDL.
    let mdl = unsafe { *Mdl };
    if mdl.MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL) != 0 {
        return mdl.MappedSystemVa;
    }
    // SAFETY: the caller says that the pages stay where they are.
    unsafe {
        crate::MmMapLockedPagesSpecifyCache(
            Mdl,
            KernelMode,
            MmCached,
            core::ptr::null_mut(),
            0,
            Priority,
        )
    }
}

pub use spin_lock::*;

/// `NDIS_SPIN_LOCK`s, which the headers make of the kernel's spin locks.
mod spin_lock {
    use crate::sync::NDIS_SPIN_LOCK;

    /// Makes a spin lock that is free. Any IRQL (`nf-ndis-ndisallocatespinlock.md`).
    ///
    /// # Safety
    ///
    /// `SpinLock` is writable and nobody else uses it yet.
    pub unsafe fn NdisAllocateSpinLock(SpinLock: *mut NDIS_SPIN_LOCK) {
        // SAFETY: the caller gives memory for a lock and has it alone.
        unsafe { SpinLock.write(NDIS_SPIN_LOCK::zeroed()) };
    }

    /// Takes a spin lock and raises to DISPATCH_LEVEL. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisacquirespinlock.md`).
    ///
    /// # Safety
    ///
    /// `SpinLock` was made by [`NdisAllocateSpinLock`] and this processor does not hold it.
    pub unsafe fn NdisAcquireSpinLock(SpinLock: *mut NDIS_SPIN_LOCK) {
        // SAFETY: the caller gives a valid lock.
        let lock = unsafe { &raw mut (*SpinLock).SpinLock };
        // SAFETY: as above; `lock` points into it.
        let old = unsafe { crate::KeAcquireSpinLockRaiseToDpc(lock) };
        // SAFETY: whoever holds the lock owns this field.
        unsafe { (*SpinLock).OldIrql = old };
    }

    /// Lets go of a spin lock and goes back to the IRQL before it. DISPATCH_LEVEL
    /// (`nf-ndis-ndisreleasespinlock.md`).
    ///
    /// # Safety
    ///
    /// This processor took `SpinLock` by [`NdisAcquireSpinLock`].
    pub unsafe fn NdisReleaseSpinLock(SpinLock: *mut NDIS_SPIN_LOCK) {
        // SAFETY: whoever holds the lock owns this field, and the caller holds it.
        let old = unsafe { (*SpinLock).OldIrql };
        // SAFETY: the caller gives a valid lock.
        let lock = unsafe { &raw mut (*SpinLock).SpinLock };
        // SAFETY: the caller holds it, and `old` is what taking it returned.
        unsafe { crate::KeReleaseSpinLock(lock, old) };
    }

    /// Takes a spin lock. DISPATCH_LEVEL (`nf-ndis-ndisdpracquirespinlock.md`).
    ///
    /// # Safety
    ///
    /// `SpinLock` was made by [`NdisAllocateSpinLock`] and this processor does not hold it.
    pub unsafe fn NdisDprAcquireSpinLock(SpinLock: *mut NDIS_SPIN_LOCK) {
        // SAFETY: the caller gives a valid lock.
        let lock = unsafe { &raw mut (*SpinLock).SpinLock };
        // SAFETY: as above; `lock` points into it.
        unsafe { crate::KeAcquireSpinLockAtDpcLevel(lock) };
    }

    /// Lets go of a spin lock and stays at DISPATCH_LEVEL (`nf-ndis-ndisdprreleasespinlock.md`).
    ///
    /// # Safety
    ///
    /// This processor took `SpinLock` by [`NdisDprAcquireSpinLock`].
    pub unsafe fn NdisDprReleaseSpinLock(SpinLock: *mut NDIS_SPIN_LOCK) {
        // SAFETY: the caller gives a valid lock.
        let lock = unsafe { &raw mut (*SpinLock).SpinLock };
        // SAFETY: the caller holds it.
        unsafe { crate::KeReleaseSpinLockFromDpcLevel(lock) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_data_begins_behind_the_header_at_its_offset() {
        let mut blocks = [NET_BUFFER_LIST_CONTEXT::zeroed(); 4];
        blocks[0].Size = 48;
        blocks[0].Offset = 16;
        let mut nbl = NET_BUFFER_LIST::zeroed();
        nbl.Context = blocks.as_mut_ptr();

        // SAFETY: `nbl` is whole and its context is `blocks`, both of this frame.
        let start = unsafe { NET_BUFFER_LIST_CONTEXT_DATA_START(&nbl) };
        assert_eq!(start as usize - blocks.as_ptr() as usize, 16 + 16);
        // SAFETY: as above.
        assert_eq!(unsafe { NET_BUFFER_LIST_CONTEXT_DATA_SIZE(&nbl) }, 32);
    }

    #[test]
    fn an_mdl_virtual_address_is_the_page_and_the_offset_in_it() {
        let mut mdl = MDL::zeroed();
        mdl.StartVa = core::ptr::without_provenance_mut(0x7000);
        mdl.ByteOffset = 0x123;
        // SAFETY: `mdl` is whole and of this frame.
        assert_eq!(unsafe { MmGetMdlVirtualAddress(&mdl) }.addr(), 0x7123);
    }

    #[test]
    fn an_indication_with_the_resources_flag_cannot_pend() {
        assert!(NDIS_TEST_RECEIVE_CANNOT_PEND(
            NDIS_RECEIVE_FLAGS_RESOURCES | NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL
        ));
        assert!(NDIS_TEST_RECEIVE_CAN_PEND(
            NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL
        ));
    }
}
