//! NET_BUFFERs and their pools.

use std::collections::HashMap;
use std::ptr::{self, NonNull};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use ndis_sys::{
    MDL, NDIS_HANDLE, NDIS_OBJECT_TYPE_DEFAULT, NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1,
    NET_BUFFER, NET_BUFFER_POOL_PARAMETERS, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
};

use super::{block, data};
use crate::ndis::driver::party_of;
use crate::ndis::faults::should_fail;
use crate::ndis::header;
use crate::ndis::object::{self, Kind, Object, handle_of, resolve};
use crate::ndis::view::{Mdl, Nb};
use crate::nt::sched;
use crate::rules;

/// A pool of NET_BUFFERs.
#[derive(Debug)]
pub(crate) struct NetBufferPool {
    tag: u32,
    data_size: u32,
}

impl Object for NetBufferPool {
    const KIND: Kind = Kind::NetBufferPool;
}

crate::ddi! { "ndis.sys":
    /// Makes a pool of NET_BUFFERs.
    [PASSIVE..=DISPATCH] fn NdisAllocateNetBufferPool(
        NdisHandle: NDIS_HANDLE,
        Parameters: *mut NET_BUFFER_POOL_PARAMETERS,
    ) -> NDIS_HANDLE {
        const NAME: &str = "NdisAllocateNetBufferPool";
        // SAFETY: the document makes it a pointer to the caller's parameters.
        let parameters = unsafe { &*Parameters };
        header::require(
            &parameters.Header,
            NDIS_OBJECT_TYPE_DEFAULT,
            &[(
                NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1,
            )],
            NAME,
        );
        if should_fail("NdisAllocateNetBufferPool") {
            return ptr::null_mut();
        }
        let owner = party_of(NdisHandle, NAME);
        let pool = object::publish(
            object::fresh(NetBufferPool {
                tag: parameters.PoolTag,
                data_size: parameters.DataSize,
            }),
            format!("NET_BUFFER pool of {}", owner.name),
        );
        handle_of(pool)
    }

    /// Frees a pool, of which no NET_BUFFER may be left.
    [PASSIVE..=DISPATCH] fn NdisFreeNetBufferPool(PoolHandle: NDIS_HANDLE) {
        let pool = resolve::<NetBufferPool>(PoolHandle, "NdisFreeNetBufferPool");
        // With the rules off the table is empty.
        let left = lock()
            .values()
            .filter(|entry| entry.pool == PoolHandle as usize)
            .count();
        if left != 0 {
            rules::broken(
                &rules::NDIS_ALLOCATE_NET_BUFFER,
                format_args!("NdisFreeNetBufferPool: {left} NET_BUFFERs of the pool are not freed"),
            );
        }
        rules::held(&rules::NDIS_ALLOCATE_NET_BUFFER);
        object::retire(pool);
    }

    /// A NET_BUFFER for data that the caller has.
    [PASSIVE..=DISPATCH] fn NdisAllocateNetBuffer(
        PoolHandle: NDIS_HANDLE,
        MdlChain: *mut MDL,
        DataOffset: u32,
        DataLength: usize,
    ) -> *mut NET_BUFFER {
        let pool = resolve::<NetBufferPool>(PoolHandle, "NdisAllocateNetBuffer");
        if should_fail("NdisAllocateNetBuffer") {
            return ptr::null_mut();
        }
        let nb = make(pool.tag, PoolHandle, Made::Separately, None);
        describe(nb, MdlChain, DataOffset, DataLength as u32)
    }

    /// A NET_BUFFER with an MDL and memory of the pool's data size.
    [PASSIVE..=DISPATCH] fn NdisAllocateNetBufferMdlAndData(
        PoolHandle: NDIS_HANDLE,
    ) -> *mut NET_BUFFER {
        let pool = resolve::<NetBufferPool>(PoolHandle, "NdisAllocateNetBufferMdlAndData");
        if should_fail("NdisAllocateNetBufferMdlAndData") {
            return ptr::null_mut();
        }
        let Some(mdl) = block::allocate_described(pool.data_size, pool.tag) else {
            return ptr::null_mut();
        };
        let nb = make(pool.tag, PoolHandle, Made::Separately, Some(mdl as usize));
        if nb.is_none() {
            block::free_described(mdl);
        }
        describe(nb, mdl, 0, 0)
    }

    /// Frees a NET_BUFFER that was allocated by itself.
    [PASSIVE..=DISPATCH] fn NdisFreeNetBuffer(NetBuffer: *mut NET_BUFFER) {
        let nb = known(NetBuffer, "NdisFreeNetBuffer");
        if rules::enforced()
            && lock().get(&nb.address()).map(|entry| entry.made) != Some(Made::Separately)
        {
            rules::broken(
                &rules::NDIS_ALLOCATE_NET_BUFFER,
                format_args!(
                    "NdisFreeNetBuffer: NET_BUFFER {NetBuffer:p} came with its NET_BUFFER_LIST and \
                     is freed with it"
                ),
            );
        }
        rules::held(&rules::NDIS_ALLOCATE_NET_BUFFER);
        free(nb);
    }
}

/// How an NB came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// By itself.
    Separately,
    /// With an NBL.
    WithList,
}

/// The NB that a driver passed to `function`; ends the run if it is none, or freed.
pub(crate) fn known(nb: *mut NET_BUFFER, function: &str) -> Nb {
    if rules::enforced() && !lock().contains_key(&(nb as usize)) {
        rules::broken(
            &rules::NDIS_ALLOCATE_NET_BUFFER,
            format_args!("{function}: {nb:p} is no NET_BUFFER, or one that was freed"),
        );
    }
    rules::held(&rules::NDIS_ALLOCATE_NET_BUFFER);
    // SAFETY: the table has it, so it was made here and was not freed; with the rules off, the
    // driver's word for it.
    let view = unsafe { Nb::from_raw(nb) };
    view.expect("NULL is not in the table")
}

/// Makes an NB, with data that is freed with it if `described` is such an MDL. `None` if there is no
/// memory.
pub(super) fn make(
    tag: u32,
    pool: NDIS_HANDLE,
    made: Made,
    described: Option<usize>,
) -> Option<Nb> {
    let entry = Entry {
        pool: pool as usize,
        made,
        described,
    };
    let (block, entry) = block::allocate_known(size_of::<NET_BUFFER>(), tag, entry)?;
    let block: NonNull<NET_BUFFER> = block.cast();
    // SAFETY: the block is new and has room for a NET_BUFFER.
    unsafe { block.write(NET_BUFFER::zeroed()) };
    // SAFETY: it was just written.
    let nb = unsafe { Nb::from_raw(block.as_ptr()) }?;
    nb.set_pool_handle(pool);
    if let Some(entry) = entry {
        lock().insert(nb.address(), entry);
    }
    Some(nb)
}

/// Frees an NB and what came with it.
pub(super) fn free(nb: Nb) {
    let entry = if rules::enforced() {
        lock().remove(&nb.address())
    } else {
        // SAFETY: `make` put it there, and nobody reads it after this.
        Some(unsafe { block::entry_of::<Entry>(nb.address()).read() })
    };
    if let Some(mdl) = entry.and_then(|entry| entry.described) {
        block::free_described(mdl as *mut MDL);
    }
    block::free_known::<Entry>(nb.raw().cast());
}

/// Sets where the data of `nb` is. NULL for no NB.
pub(super) fn describe(
    nb: Option<Nb>,
    chain: *mut MDL,
    offset: u32,
    length: u32,
) -> *mut NET_BUFFER {
    let Some(nb) = nb else {
        return ptr::null_mut();
    };
    nb.set_raw_chain(chain);
    nb.set_offset(offset);
    nb.set_length(length);
    data::place(nb);
    nb.raw()
}

/// Frees the MDLs of a chain that describe parts of other MDLs' memory.
pub(super) fn free_partial_chain(mut mdl: Option<Mdl>) {
    while let Some(here) = mdl {
        mdl = here.next();
        block::free_mdl(here.raw());
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    pool: usize,
    made: Made,
    described: Option<usize>,
}

fn lock() -> MutexGuard<'static, HashMap<usize, Entry>> {
    sched::note_lock();
    BUFFERS.lock().unwrap_or_else(PoisonError::into_inner)
}

static BUFFERS: LazyLock<Mutex<HashMap<usize, Entry>>> = LazyLock::new(Mutex::default);
