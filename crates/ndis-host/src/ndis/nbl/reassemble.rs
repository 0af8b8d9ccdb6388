//! Reassembled NBLs: the data of all NET_BUFFERs of a fragmented NBL in one.

use std::ptr;

use ndis_sys::{MDL, NDIS_HANDLE, NDIS_STATUS_SUCCESS, NET_BUFFER_LIST};

use super::derive::{Pieces, Pools, derive, free_derived, free_fragment, mdl_of, partial_chain};
use super::owner::{self, Made};
use super::{buffer, window};
use crate::ndis::faults::should_fail;
use crate::ndis::view::Nb;
use crate::rules;

crate::ddi! { "ndis.sys":
    /// Makes one NET_BUFFER of what a fragmented NBL's have after their first bytes.
    [PASSIVE..=DISPATCH] fn NdisAllocateReassembledNetBufferList(
        FragmentNetBufferList: *mut NET_BUFFER_LIST,
        NetBufferAndNetBufferListPoolHandle: NDIS_HANDLE,
        StartOffset: u32,
        DataOffsetDelta: u32,
        DataBackFill: u32,
        AllocateReassembleFlags: u32,
    ) -> *mut NET_BUFFER_LIST {
        const NAME: &str = "NdisAllocateReassembledNetBufferList";
        let original = owner::known(FragmentNetBufferList, NAME);
        let pools = Pools::resolve(NetBufferAndNetBufferListPoolHandle, ptr::null_mut(), NAME);
        let short = original.buffers().find(|nb| nb.length() < StartOffset);
        if AllocateReassembleFlags != 0 || short.is_some() {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!(
                    "{NAME}: AllocateReassembleFlags {AllocateReassembleFlags:#x} must be 0, and \
                     StartOffset {StartOffset} within the data of each NET_BUFFER"
                ),
            );
        }
        if should_fail("NdisAllocateReassembledNetBufferList") {
            return ptr::null_mut();
        }
        let made = Made::Reassembled {
            of: original.address(),
            delta: DataOffsetDelta,
        };
        let mut left = original.buffers().count();
        let mut whole = Whole::default();
        derive(original, pools, made, |nb| {
            left -= 1;
            if !whole.add(nb, StartOffset) {
                return None;
            }
            if left != 0 {
                return Some(Pieces::new());
            }
            let (chain, length) = whole.take();
            let Some(piece) = pools.buffer(chain, 0, length) else {
                buffer::free_partial_chain(mdl_of(chain));
                return None;
            };
            if DataOffsetDelta != 0
                && window::retreat(piece, DataOffsetDelta, DataBackFill, None) != NDIS_STATUS_SUCCESS
            {
                free_fragment(piece, 0);
                return None;
            }
            Some(Pieces::from_slice(&[piece]))
        })
    }

    /// Frees a reassembled NBL.
    [PASSIVE..=DISPATCH] fn NdisFreeReassembledNetBufferList(
        ReassembledNetBufferList: *mut NET_BUFFER_LIST,
        DataOffsetDelta: u32,
        FreeReassembleFlags: u32,
    ) {
        const NAME: &str = "NdisFreeReassembledNetBufferList";
        let nbl = owner::known(ReassembledNetBufferList, NAME);
        let made = owner::with(nbl, |entry| entry.made);
        let Made::Reassembled { of, delta } = made else {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!("{NAME}: NBL {ReassembledNetBufferList:p} was made as a {made:?}"),
            );
        };
        if delta != DataOffsetDelta || FreeReassembleFlags != 0 {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!(
                    "{NAME}: DataOffsetDelta {DataOffsetDelta} and flags {FreeReassembleFlags:#x} are \
                     not those of the allocation ({delta}, 0)"
                ),
            );
        }
        owner::remove(nbl, NAME);
        for nb in nbl.buffers() {
            window::advance(nb, delta, true, None, NAME);
        }
        free_derived(nbl, of, true);
    }
}

/// The MDLs of the buffers so far.
struct Whole {
    first: *mut MDL,
    length: u32,
}

impl Default for Whole {
    fn default() -> Self {
        Self {
            first: ptr::null_mut(),
            length: 0,
        }
    }
}

impl Whole {
    /// Adds a buffer's data from `skip` on. Without memory for it nothing is left.
    fn add(&mut self, nb: Nb, skip: u32) -> bool {
        let length = nb.length() - skip;
        let Some(chain) = partial_chain(nb, skip, length) else {
            buffer::free_partial_chain(mdl_of(self.take().0));
            return false;
        };
        let last = std::iter::successors(mdl_of(self.first), |mdl| mdl.next()).last();
        match last {
            None => self.first = chain,
            Some(last) => last.set_raw_next(chain),
        }
        self.length += length;
        true
    }

    fn take(&mut self) -> (*mut MDL, u32) {
        let taken = std::mem::take(self);
        (taken.first, taken.length)
    }
}
