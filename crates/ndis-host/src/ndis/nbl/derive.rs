//! Clones and fragments: NBLs that describe the data of another NBL.
//!
//! They copy no data. What they are made from must be held until they are freed; the owner table
//! counts them and refuses to let the original go before.

use std::ptr;

use ndis_sys::{
    MDL, NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS, NDIS_HANDLE, NDIS_STATUS_SUCCESS, NET_BUFFER_LIST,
};
use smallvec::SmallVec;

use super::buffer::{self, Made as BufferMade, NetBufferPool};
use super::owner::{self, Made};
use super::pool::{self, NetBufferListPool};
use super::{block, data, window};
use crate::ndis::faults::should_fail;
use crate::ndis::object::resolve;
use crate::ndis::view::{Mdl, Nb, Nbl};
use crate::rules;

crate::ddi! { "ndis.sys":
    /// An NBL for the same used data.
    [PASSIVE..=DISPATCH] fn NdisAllocateCloneNetBufferList(
        OriginalNetBufferList: *mut NET_BUFFER_LIST,
        NetBufferListPoolHandle: NDIS_HANDLE,
        NetBufferPoolHandle: NDIS_HANDLE,
        AllocateCloneFlags: u32,
    ) -> *mut NET_BUFFER_LIST {
        const NAME: &str = "NdisAllocateCloneNetBufferList";
        let original = owner::known(OriginalNetBufferList, NAME);
        let pools = Pools::resolve(NetBufferListPoolHandle, NetBufferPoolHandle, NAME);
        if should_fail("NdisAllocateCloneNetBufferList") {
            return ptr::null_mut();
        }
        let made = Made::Clone {
            of: original.address(),
            flags: AllocateCloneFlags,
        };
        let shared = AllocateCloneFlags & NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS != 0;
        derive(original, pools, made, |nb| {
            let piece = if shared {
                pools.buffer(nb.raw_current(), nb.current_offset(), nb.length())?
            } else {
                let chain = partial_chain(nb, 0, nb.length())?;
                let piece = pools.buffer(chain, 0, nb.length());
                if piece.is_none() {
                    buffer::free_partial_chain(mdl_of(chain));
                }
                piece?
            };
            Some(Pieces::from_slice(&[piece]))
        })
    }

    /// Frees a clone.
    [PASSIVE..=DISPATCH] fn NdisFreeCloneNetBufferList(
        CloneNetBufferList: *mut NET_BUFFER_LIST,
        FreeCloneFlags: u32,
    ) {
        const NAME: &str = "NdisFreeCloneNetBufferList";
        let nbl = owner::known(CloneNetBufferList, NAME);
        let made = owner::with(nbl, |entry| entry.made);
        let Made::Clone { of, flags } = made else {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!("{NAME}: NBL {CloneNetBufferList:p} was made as a {made:?}"),
            );
        };
        rules::held(&rules::NBL_OWNERSHIP);
        if flags != FreeCloneFlags {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!(
                    "{NAME}: FreeCloneFlags {FreeCloneFlags:#x} are not the AllocateCloneFlags \
                     {flags:#x}"
                ),
            );
        }
        rules::held(&rules::NBL_OWNERSHIP);
        owner::remove(nbl, NAME);
        let shared = flags & NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS != 0;
        free_derived(nbl, of, !shared);
    }

    /// An NBL whose NBs are pieces of the used data, each with new space before it.
    [PASSIVE..=DISPATCH] fn NdisAllocateFragmentNetBufferList(
        OriginalNetBufferList: *mut NET_BUFFER_LIST,
        NetBufferListPool: NDIS_HANDLE,
        NetBufferPool: NDIS_HANDLE,
        StartOffset: u32,
        MaximumLength: u32,
        DataOffsetDelta: u32,
        DataBackFill: u32,
        AllocateFragmentFlags: u32,
    ) -> *mut NET_BUFFER_LIST {
        const NAME: &str = "NdisAllocateFragmentNetBufferList";
        let original = owner::known(OriginalNetBufferList, NAME);
        let pools = Pools::resolve(NetBufferListPool, NetBufferPool, NAME);
        let short = original.buffers().find(|nb| nb.length() < StartOffset);
        if MaximumLength == 0 || AllocateFragmentFlags != 0 || short.is_some() {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!(
                    "{NAME}: MaximumLength {MaximumLength} and AllocateFragmentFlags \
                     {AllocateFragmentFlags:#x} must be right, and StartOffset {StartOffset} \
                     within the data of each NET_BUFFER"
                ),
            );
        }
        rules::held(&rules::NBL_OWNERSHIP);
        if should_fail("NdisAllocateFragmentNetBufferList") {
            return ptr::null_mut();
        }
        let made = Made::Fragment {
            of: original.address(),
            delta: DataOffsetDelta,
        };
        derive(original, pools, made, |nb| {
            let mut pieces = Pieces::new();
            let mut at = StartOffset;
            while at < nb.length() {
                let length = MaximumLength.min(nb.length() - at);
                let piece = fragment(nb, pools, at, length, DataOffsetDelta, DataBackFill);
                let Some(piece) = piece else {
                    pieces.into_iter().for_each(|piece| free_fragment(piece, DataOffsetDelta));
                    return None;
                };
                pieces.push(piece);
                at += length;
            }
            Some(pieces)
        })
    }

    /// Frees a fragment NBL.
    [PASSIVE..=DISPATCH] fn NdisFreeFragmentNetBufferList(
        FragmentNetBufferList: *mut NET_BUFFER_LIST,
        DataOffsetDelta: u32,
        FreeFragmentFlags: u32,
    ) {
        const NAME: &str = "NdisFreeFragmentNetBufferList";
        let nbl = owner::known(FragmentNetBufferList, NAME);
        let made = owner::with(nbl, |entry| entry.made);
        let Made::Fragment { of, delta } = made else {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!("{NAME}: NBL {FragmentNetBufferList:p} was made as a {made:?}"),
            );
        };
        rules::held(&rules::NBL_OWNERSHIP);
        if delta != DataOffsetDelta || FreeFragmentFlags != 0 {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!(
                    "{NAME}: DataOffsetDelta {DataOffsetDelta} and flags {FreeFragmentFlags:#x} \
                     are not those of the allocation ({delta}, 0)"
                ),
            );
        }
        rules::held(&rules::NBL_OWNERSHIP);
        owner::remove(nbl, NAME);
        for nb in nbl.buffers() {
            window::advance(nb, delta, true, None, NAME);
        }
        free_derived(nbl, of, true);
    }
}

/// NBs that one NB is made into.
pub(super) type Pieces = SmallVec<[Nb; 4]>;

/// Where the parts of a derived NBL come from.
#[derive(Clone, Copy)]
pub(super) struct Pools {
    list: Option<(&'static NetBufferListPool, NDIS_HANDLE)>,
    buffer: NDIS_HANDLE,
}

impl Pools {
    pub(super) fn resolve(list: NDIS_HANDLE, buffer: NDIS_HANDLE, function: &str) -> Self {
        if !buffer.is_null() {
            resolve::<NetBufferPool>(buffer, function);
        }
        Self {
            list: (!list.is_null()).then(|| (resolve::<NetBufferListPool>(list, function), list)),
            buffer,
        }
    }

    fn tag(self) -> u32 {
        self.list.map_or(TAG, |(pool, _)| pool.tag())
    }

    pub(super) fn buffer(self, chain: *mut MDL, offset: u32, length: u32) -> Option<Nb> {
        let nb = buffer::make(self.tag(), self.buffer, BufferMade::WithList, None);
        buffer::describe(nb, chain, offset, length);
        nb
    }
}

/// Makes the NBL with the NBs that `pieces` makes of each NB of the original. NULL if any fails.
pub(super) fn derive(
    original: Nbl,
    pools: Pools,
    made: Made,
    mut pieces: impl FnMut(Nb) -> Option<Pieces>,
) -> *mut NET_BUFFER_LIST {
    let Some(nbl) = pool::make(pools.list, made) else {
        return ptr::null_mut();
    };
    owner::derived(original.address(), 1);
    let mut last: Option<Nb> = None;
    for nb in original.buffers() {
        let Some(made_of_it) = pieces(nb) else {
            owner::remove(nbl, "NDIS");
            if let Made::Fragment { delta, .. } | Made::Reassembled { delta, .. } = made {
                for nb in nbl.buffers() {
                    window::advance(nb, delta, true, None, "NDIS");
                }
            }
            let shared = matches!(made, Made::Clone { flags, .. }
                if flags & NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS != 0);
            free_derived(nbl, original.address(), !shared);
            return ptr::null_mut();
        };
        for piece in made_of_it {
            match last {
                None => nbl.set_raw_first(piece.raw()),
                Some(last) => last.set_raw_next(piece.raw()),
            }
            last = Some(piece);
        }
    }
    nbl.set_flags(original.flags());
    nbl.raw()
}

/// Frees a derived NBL that the owner table has forgotten; its MDLs too if they are its own.
pub(super) fn free_derived(nbl: Nbl, of: usize, own_mdls: bool) {
    let buffers: Pieces = nbl.buffers().collect();
    for nb in buffers {
        if own_mdls {
            buffer::free_partial_chain(nb.chain());
        }
        buffer::free(nb);
    }
    owner::derived(of, -1);
    pool::free(nbl);
}

fn fragment(nb: Nb, pools: Pools, at: u32, length: u32, delta: u32, back_fill: u32) -> Option<Nb> {
    let chain = partial_chain(nb, at, length)?;
    let Some(piece) = pools.buffer(chain, 0, length) else {
        buffer::free_partial_chain(mdl_of(chain));
        return None;
    };
    if delta != 0 && window::retreat(piece, delta, back_fill, None) != NDIS_STATUS_SUCCESS {
        free_fragment(piece, 0);
        return None;
    }
    Some(piece)
}

pub(super) fn free_fragment(nb: Nb, delta: u32) {
    window::advance(nb, delta, true, None, "NDIS");
    buffer::free_partial_chain(nb.chain());
    buffer::free(nb);
}

/// MDLs of their own for `length` used bytes of `nb` from `skip` on. `None` if there is no memory.
pub(super) fn partial_chain(nb: Nb, skip: u32, length: u32) -> Option<*mut MDL> {
    let mut first: *mut MDL = ptr::null_mut();
    let mut last: Option<Mdl> = None;
    for (start, length) in data::pieces(nb, skip, length) {
        let Some(mdl) = block::describe(start, length as u32) else {
            buffer::free_partial_chain(mdl_of(first));
            return None;
        };
        match last {
            None => first = mdl,
            Some(last) => last.set_raw_next(mdl),
        }
        last = mdl_of(mdl);
    }
    Some(first)
}

pub(super) fn mdl_of(mdl: *mut MDL) -> Option<Mdl> {
    // SAFETY: only chains that were made here are passed, and they are alive.
    unsafe { Mdl::from_raw(mdl) }
}

const TAG: u32 = u32::from_le_bytes(*b"NDcl");
