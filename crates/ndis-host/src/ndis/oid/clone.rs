//! Cloned OID requests: how an intermediate driver passes a request on.

use ndis_sys::{
    NDIS_HANDLE, NDIS_OID_REQUEST, NDIS_STATUS, NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS,
};

use crate::ndis::driver::party_of;
use crate::ndis::faults::should_fail;
use crate::ndis::nbl::block;
use crate::nt::sched::Monitor;
use crate::rules;

crate::ddi! { "ndis.sys":
    /// A copy of a request, for the same buffer.
    [PASSIVE..=DISPATCH] fn NdisAllocateCloneOidRequest(
        SourceHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        PoolTag: u32,
        ClonedOidRequest: *mut *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS {
        party_of(SourceHandle, "NdisAllocateCloneOidRequest");
        if should_fail("NdisAllocateCloneOidRequest") {
            return NDIS_STATUS_RESOURCES;
        }
        let Some(block) = block::allocate(size_of::<NDIS_OID_REQUEST>(), PoolTag) else {
            return NDIS_STATUS_RESOURCES;
        };
        let clone: *mut NDIS_OID_REQUEST = block.as_ptr().cast();
        // SAFETY: the document makes it a pointer to a request with a header.
        let length = usize::from(unsafe { (*OidRequest).Header.Size }).min(size_of::<NDIS_OID_REQUEST>());
        // SAFETY: the request is as long as its header says, and the block is new and longer.
        unsafe { std::ptr::copy_nonoverlapping(OidRequest.cast::<u8>(), clone.cast(), length) };
        // SAFETY: the block is the clone's. What the original's owners keep in it is not copied.
        let clone_fields = unsafe { &mut *clone };
        clone_fields.NdisReserved = [0; 128];
        clone_fields.MiniportReserved = [0; 16];
        clone_fields.SourceReserved = [0; 16];
        CLONES.lock().push(clone as usize);
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { ClonedOidRequest.write(clone) };
        NDIS_STATUS_SUCCESS
    }

    /// Frees a clone that is not on its way.
    [PASSIVE..=DISPATCH] fn NdisFreeCloneOidRequest(
        SourceHandle: NDIS_HANDLE,
        Request: *mut NDIS_OID_REQUEST,
    ) {
        party_of(SourceHandle, "NdisFreeCloneOidRequest");
        let known = {
            let mut clones = CLONES.lock();
            let before = clones.len();
            clones.retain(|clone| *clone != Request as usize);
            clones.len() != before
        };
        if !known {
            rules::broken(
                &rules::NDIS_OID_COMPLETE,
                format_args!("NdisFreeCloneOidRequest: {Request:p} is no clone, or was freed"),
            );
        }
        rules::held(&rules::NDIS_OID_COMPLETE);
        block::free(Request.cast());
    }
}

static CLONES: Monitor<Vec<usize>> = Monitor::new(Vec::new());
