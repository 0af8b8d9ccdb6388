//! Access to the data of NET_BUFFERs, and questions about NBLs and NBs.

use std::ffi::c_void;
use std::ptr;

use ndis_sys::{NDIS_HANDLE, NET_BUFFER, NET_BUFFER_LIST};

use super::{buffer, data, owner};
use crate::ndis::faults::should_fail;
use crate::rules;

crate::ddi! { "ndis.sys":
    /// The first `BytesNeeded` bytes of the used data space in one piece: where they lie if they are
    /// in one MDL and aligned as asked, else copied to `Storage`, else NULL.
    [PASSIVE..=DISPATCH] fn NdisGetDataBuffer(
        NetBuffer: *mut NET_BUFFER,
        BytesNeeded: u32,
        Storage: *mut c_void,
        AlignMultiple: u32,
        AlignOffset: u32,
    ) -> *mut c_void {
        let nb = buffer::known(NetBuffer, "NdisGetDataBuffer");
        if let Err(fault) = data::check(nb) {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!("NdisGetDataBuffer: NET_BUFFER {NetBuffer:p}: {fault}"),
            );
        }
        rules::held(&rules::NBL_OWNERSHIP);
        if BytesNeeded == 0 || nb.length() < BytesNeeded || should_fail("NdisGetDataBuffer") {
            return ptr::null_mut();
        }
        let pieces = data::pieces(nb, 0, BytesNeeded);
        if let [(start, length)] = pieces[..]
            && length == BytesNeeded as usize
            && (AlignMultiple < 2
                || (start as usize)
                    .wrapping_sub(AlignOffset as usize)
                    .is_multiple_of(AlignMultiple as usize))
        {
            return start.cast();
        }
        if Storage.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: by the document Storage has room for BytesNeeded bytes.
        let storage = unsafe {
            std::slice::from_raw_parts_mut(Storage.cast::<u8>(), BytesNeeded as usize)
        };
        data::read(nb, 0, storage);
        Storage
    }

    /// The pool an NBL is from.
    [PASSIVE..=DISPATCH] fn NdisGetPoolFromNetBufferList(
        NetBufferList: *mut NET_BUFFER_LIST,
    ) -> NDIS_HANDLE {
        owner::known(NetBufferList, "NdisGetPoolFromNetBufferList").pool_handle()
    }

    /// The pool an NB is from.
    [PASSIVE..=DISPATCH] fn NdisGetPoolFromNetBuffer(NetBuffer: *mut NET_BUFFER) -> NDIS_HANDLE {
        buffer::known(NetBuffer, "NdisGetPoolFromNetBuffer").pool_handle()
    }

    /// How many physically contiguous pieces the data can have, at most.
    [PASSIVE..=DISPATCH] fn NdisQueryNetBufferPhysicalCount(NetBuffer: *mut NET_BUFFER) -> u32 {
        let nb = buffer::known(NetBuffer, "NdisQueryNetBufferPhysicalCount");
        data::pieces(nb, 0, nb.length())
            .iter()
            .map(|&(start, length)| {
                let first = start as usize / PAGE;
                let last = (start as usize + length - 1) / PAGE;
                (last - first + 1) as u32
            })
            .sum()
    }
}

const PAGE: usize = 4096;
