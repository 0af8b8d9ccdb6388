//! NBL pools, and NBLs that are allocated plainly.

use std::ptr::{self, NonNull};

use ndis_sys::{
    MDL, NDIS_HANDLE, NDIS_OBJECT_TYPE_DEFAULT,
    NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1, NET_BUFFER_LIST,
    NET_BUFFER_LIST_POOL_PARAMETERS, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
};

use super::buffer::{self, Made as BufferMade};
use super::owner::{self, Entry, Made};
use super::{block, context};
use crate::ndis::caller::Caller;
use crate::ndis::driver::party_of;
use crate::ndis::faults::should_fail;
use crate::ndis::header;
use crate::ndis::object::{self, Kind, Object, handle_of, resolve};
use crate::ndis::trace;
use crate::ndis::view::{Nb, Nbl};
use crate::rules;

/// A pool of NBLs.
#[derive(Debug)]
pub(crate) struct NetBufferListPool {
    owner: Caller,
    tag: u32,
    context_size: u16,
    data_size: u32,
    with_buffer: bool,
}

impl Object for NetBufferListPool {
    const KIND: Kind = Kind::NetBufferListPool;
}

impl NetBufferListPool {
    pub(super) fn tag(&self) -> u32 {
        self.tag
    }
}

crate::ddi! { "ndis.sys":
    /// Makes a pool of NBLs.
    [PASSIVE..=DISPATCH] fn NdisAllocateNetBufferListPool(
        NdisHandle: NDIS_HANDLE,
        Parameters: *mut NET_BUFFER_LIST_POOL_PARAMETERS,
    ) -> NDIS_HANDLE {
        const NAME: &str = "NdisAllocateNetBufferListPool";
        // SAFETY: the document makes it a pointer to the caller's parameters.
        let parameters = unsafe { &*Parameters };
        header::require(
            &parameters.Header,
            NDIS_OBJECT_TYPE_DEFAULT,
            &[(
                NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
            )],
            NAME,
        );
        let with_buffer = parameters.fAllocateNetBuffer != 0;
        if !parameters.ContextSize.is_multiple_of(ALIGNMENT)
            || parameters.DataSize != 0 && !with_buffer
        {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!(
                    "{NAME}: ContextSize {} is no multiple of {ALIGNMENT}, or DataSize {} is given \
                     without fAllocateNetBuffer",
                    parameters.ContextSize, parameters.DataSize
                ),
            );
        }
        rules::held(&rules::NBL_OWNERSHIP);
        let owner = party_of(NdisHandle, NAME);
        let _record = trace::call(NAME, owner.name);
        if should_fail("NdisAllocateNetBufferListPool") {
            return ptr::null_mut();
        }
        let pool = object::publish(
            object::fresh(NetBufferListPool {
                owner,
                tag: parameters.PoolTag,
                context_size: parameters.ContextSize,
                data_size: parameters.DataSize,
                with_buffer,
            }),
            format!(
                "NET_BUFFER_LIST pool '{}' of {}",
                String::from_utf8_lossy(&parameters.PoolTag.to_le_bytes()),
                owner.name
            ),
        );
        handle_of(pool)
    }

    /// Frees a pool, of which no NBL may be left.
    [PASSIVE..=DISPATCH] fn NdisFreeNetBufferListPool(PoolHandle: NDIS_HANDLE) {
        let pool = resolve::<NetBufferListPool>(PoolHandle, "NdisFreeNetBufferListPool");
        let _record = trace::call("NdisFreeNetBufferListPool", pool.owner.name);
        let left = owner::of_pool(PoolHandle as usize);
        if !left.is_empty() {
            rules::broken(
                &rules::NDIS_BUGCHECK_LEAKED_NBL,
                format_args!(
                    "NdisFreeNetBufferListPool: {} NBLs of the pool are not freed:\n{}",
                    left.len(),
                    left.join("\n")
                ),
            );
        }
        rules::held(&rules::NDIS_BUGCHECK_LEAKED_NBL);
        object::retire(pool);
    }

    /// An NBL with context space, and with an NB and data if the pool says so.
    [PASSIVE..=DISPATCH] fn NdisAllocateNetBufferList(
        PoolHandle: NDIS_HANDLE,
        ContextSize: u16,
        ContextBackFill: u16,
    ) -> *mut NET_BUFFER_LIST {
        const NAME: &str = "NdisAllocateNetBufferList";
        let pool = resolve::<NetBufferListPool>(PoolHandle, NAME);
        if !ContextSize.is_multiple_of(ALIGNMENT) || !ContextBackFill.is_multiple_of(ALIGNMENT) {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!(
                    "{NAME}: ContextSize {ContextSize} and ContextBackFill {ContextBackFill} must \
                     be multiples of {ALIGNMENT}"
                ),
            );
        }
        rules::held(&rules::NBL_OWNERSHIP);
        if should_fail("NdisAllocateNetBufferList") {
            return ptr::null_mut();
        }
        let buffer = if pool.with_buffer {
            let Some(nb) = buffer_with_data(pool, PoolHandle) else {
                return ptr::null_mut();
            };
            Some(nb)
        } else {
            None
        };
        let context = (pool.context_size + ContextSize, ContextBackFill);
        plain(pool, PoolHandle, buffer, context)
    }

    /// An NBL with an NB for data that the caller has.
    [PASSIVE..=DISPATCH] fn NdisAllocateNetBufferAndNetBufferList(
        PoolHandle: NDIS_HANDLE,
        ContextSize: u16,
        ContextBackFill: u16,
        MdlChain: *mut MDL,
        DataOffset: u32,
        DataLength: usize,
    ) -> *mut NET_BUFFER_LIST {
        const NAME: &str = "NdisAllocateNetBufferAndNetBufferList";
        let pool = resolve::<NetBufferListPool>(PoolHandle, NAME);
        if !pool.with_buffer || pool.data_size != 0 {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!("{NAME}: the pool must have fAllocateNetBuffer and a DataSize of 0"),
            );
        }
        rules::held(&rules::NBL_OWNERSHIP);
        if MdlChain.is_null() && (DataOffset != 0 || DataLength != 0) {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!("{NAME}: without MdlChain, DataOffset and DataLength must be 0"),
            );
        }
        rules::held(&rules::NBL_OWNERSHIP);
        if should_fail("NdisAllocateNetBufferAndNetBufferList") {
            return ptr::null_mut();
        }
        let Some(nb) = buffer::make(pool.tag, PoolHandle, BufferMade::WithList, None) else {
            return ptr::null_mut();
        };
        buffer::describe(Some(nb), MdlChain, DataOffset, DataLength as u32);
        let context = (pool.context_size + ContextSize, ContextBackFill);
        plain(pool, PoolHandle, Some(nb), context)
    }

    /// Frees an NBL that was allocated plainly, with the NB that came with it.
    [PASSIVE..=DISPATCH] fn NdisFreeNetBufferList(NetBufferList: *mut NET_BUFFER_LIST) {
        const NAME: &str = "NdisFreeNetBufferList";
        let nbl = owner::known(NetBufferList, NAME);
        let made = owner::with(nbl, |entry| entry.made);
        let Made::Plain { nb } = made else {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!("{NAME}: NBL {NetBufferList:p} was made as a {made:?}"),
            );
        };
        rules::held(&rules::NBL_OWNERSHIP);
        owner::remove(nbl, NAME);
        if let Some(nb) = nb {
            buffer::free(buffer::known(nb as *mut _, NAME));
        }
        free(nbl);
    }
}

/// An NBL of `pool` that is known to the owner table. `None` if there is no memory.
pub(super) fn make(
    pool: Option<(&'static NetBufferListPool, NDIS_HANDLE)>,
    made: Made,
) -> Option<Nbl> {
    let tag = pool.map_or(TAG, |(pool, _)| pool.tag);
    let handle = pool.map_or(ptr::null_mut(), |(_, handle)| handle);
    let allocator = pool.map_or_else(crate::ndis::caller::current, |(pool, _)| pool.owner);
    let entry = Entry::new(allocator, handle as usize, made);
    let (block, entry) = block::allocate_known(size_of::<NET_BUFFER_LIST>(), tag, entry)?;
    let block: NonNull<NET_BUFFER_LIST> = block.cast();
    // SAFETY: the block is new and has room for a NET_BUFFER_LIST.
    unsafe { block.write(NET_BUFFER_LIST::zeroed()) };
    // SAFETY: it was just written.
    let nbl = unsafe { Nbl::from_raw(block.as_ptr()) }?;
    nbl.set_pool_handle(handle);
    if let Some(entry) = entry {
        owner::add(nbl, entry);
    }
    Some(nbl)
}

/// Frees the memory of an NBL that the owner table has forgotten.
pub(super) fn free(nbl: Nbl) {
    context::release_all(nbl);
    block::free_known::<Entry>(nbl.raw().cast());
}

fn plain(
    pool: &'static NetBufferListPool,
    handle: NDIS_HANDLE,
    buffer: Option<Nb>,
    (context_size, back_fill): (u16, u16),
) -> *mut NET_BUFFER_LIST {
    let made = Made::Plain {
        nb: buffer.map(|nb| nb.address()),
    };
    let nbl = make(Some((pool, handle)), made);
    let context = nbl.and_then(|nbl| context::install(nbl, context_size, back_fill, pool.tag));
    match (nbl, context) {
        (Some(nbl), Some(())) => {
            nbl.set_raw_first(buffer.map_or(ptr::null_mut(), Nb::raw));
            nbl.raw()
        }
        (nbl, _) => {
            if let Some(nbl) = nbl {
                owner::remove(nbl, "NdisAllocateNetBufferList");
                free(nbl);
            }
            if let Some(nb) = buffer {
                buffer::free(nb);
            }
            ptr::null_mut()
        }
    }
}

fn buffer_with_data(pool: &NetBufferListPool, handle: NDIS_HANDLE) -> Option<Nb> {
    let mdl = if pool.data_size == 0 {
        ptr::null_mut()
    } else {
        block::allocate_described(pool.data_size, pool.tag)?
    };
    let described = (!mdl.is_null()).then_some(mdl as usize);
    let Some(nb) = buffer::make(pool.tag, handle, BufferMade::WithList, described) else {
        if !mdl.is_null() {
            block::free_described(mdl);
        }
        return None;
    };
    buffer::describe(Some(nb), mdl, 0, 0);
    Some(nb)
}

/// `MEMORY_ALLOCATION_ALIGNMENT`.
const ALIGNMENT: u16 = 16;

/// Of NBLs of no driver's pool.
const TAG: u32 = u32::from_le_bytes(*b"NDnl");
