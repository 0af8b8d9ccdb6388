//! Scatter/gather DMA of simulated devices: what is physical is what is virtual.
//!
//! A device that the lab or the driver plays reaches memory by its virtual address, so a buffer's list
//! has one element for each piece of its MDLs. The list is handed over as HAL does it, on the caller's
//! thread or, by the policy for sends, later on the thread of DPCs.
//!
//! Not in here: shared memory (`shared_memory`), and DMA channels of subordinate devices.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;

use ndis_sys::{
    DEVICE_OBJECT, MINIPORT_ALLOCATE_SHARED_MEM_COMPLETE_HANDLER, MINIPORT_PROCESS_SG_LIST,
    NDIS_HANDLE, NDIS_OBJECT_TYPE_SG_DMA_DESCRIPTION, NDIS_SG_DMA_DESCRIPTION,
    NDIS_SG_DMA_DESCRIPTION_REVISION_1, NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_1, NDIS_STATUS,
    NDIS_STATUS_BAD_VERSION, NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS,
    NET_BUFFER, PVOID, SCATTER_GATHER_LIST,
};
use ndis_sys::{NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER, ULONG_PTR};

use super::adapter::{Adapter, AdapterState};
use super::driver::{Address, run_data};
use super::faults::should_fail;
use super::nbl::{block, buffer};
use super::object::{self, Kind, Object, handle_of, resolve};
use super::policy::{self, When};
use super::view::Nb;
use super::{header, trace};
use crate::nt::dpc;
use crate::nt::sched::Monitor;
use crate::rules;

/// A registered DMA channel.
pub(crate) struct Channel {
    pub(crate) adapter: &'static Adapter,
    process: MINIPORT_PROCESS_SG_LIST,
    pub(crate) allocated: MINIPORT_ALLOCATE_SHARED_MEM_COMPLETE_HANDLER,
    /// The lists that are out: their buffer, and whether their memory is NDIS's.
    lists: Monitor<BTreeMap<usize, (usize, bool)>>,
}

impl Object for Channel {
    const KIND: Kind = Kind::Dma;
}

crate::ddi! { "ndis.sys":
    /// Registers an adapter that is a bus master.
    [PASSIVE..=PASSIVE] fn NdisMRegisterScatterGatherDma(
        MiniportAdapterHandle: NDIS_HANDLE,
        DmaDescription: *mut NDIS_SG_DMA_DESCRIPTION,
        NdisMiniportDmaHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisMRegisterScatterGatherDma";
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        let mut record = trace::call(NAME, adapter.name());
        adapter.require_state(&[AdapterState::Initializing], NAME);
        // SAFETY: the document makes it a pointer to the caller's description.
        let header = unsafe { (*DmaDescription).Header };
        let revisions = [(
            NDIS_SG_DMA_DESCRIPTION_REVISION_1,
            NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_1,
        )];
        if !header::valid(&header, NDIS_OBJECT_TYPE_SG_DMA_DESCRIPTION, &revisions) {
            return record.returns(NDIS_STATUS_BAD_VERSION);
        }
        let flags = adapter.with_attributes(|attributes| attributes.flags);
        if flags & NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER == 0 {
            return record.returns(NDIS_STATUS_NOT_SUPPORTED);
        }
        // SAFETY: as above; revision 1 has the field.
        let process = unsafe { (*DmaDescription).ProcessSGListHandler };
        // SAFETY: as above.
        let allocated = unsafe { (*DmaDescription).SharedMemAllocateCompleteHandler };
        let Some(process) = process else {
            adapter.broken("NdisMRegisterScatterGatherDma without ProcessSGListHandler");
        };
        if should_fail("NdisMRegisterScatterGatherDma") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        let channel = object::fresh(Channel {
            adapter,
            process,
            allocated,
            lists: Monitor::default(),
        });
        let name = format!("DMA of {}", adapter.name());
        object::publish_for(channel, name, MiniportAdapterHandle);
        // SAFETY: the document makes it a pointer to the caller's description.
        unsafe { (*DmaDescription).ScatterGatherListSize = size_of_list(PIECES) as u32 };
        // SAFETY: the document makes it a pointer to the caller's handle variable.
        unsafe { NdisMiniportDmaHandle.write(handle_of(channel)) };
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Undoes the registration, when all lists are back.
    [PASSIVE..=PASSIVE] fn NdisMDeregisterScatterGatherDma(NdisMiniportDmaHandle: NDIS_HANDLE) {
        const NAME: &str = "NdisMDeregisterScatterGatherDma";
        let channel = resolve::<Channel>(NdisMiniportDmaHandle, NAME);
        let _record = trace::call(NAME, channel.adapter.name());
        let left = channel.lists.lock().len();
        if left != 0 {
            rules::broken(
                &rules::INIT_REGISTER_SG,
                format_args!("{NAME}: {left} scatter/gather lists were not freed"),
            );
        }
        super::resources::require_none_of(NdisMiniportDmaHandle, NAME);
        object::retire(channel);
    }

    /// Makes the scatter/gather list of a buffer's data, from the start of its current MDL.
    [DISPATCH..=DISPATCH] fn NdisMAllocateNetBufferSGList(
        NdisMiniportDmaHandle: NDIS_HANDLE,
        NetBuffer: *mut NET_BUFFER,
        Context: PVOID,
        _Flags: u32,
        ScatterGatherListBuffer: PVOID,
        ScatterGatherListBufferSize: u32,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisMAllocateNetBufferSGList";
        let channel = resolve::<Channel>(NdisMiniportDmaHandle, NAME);
        let mut record = trace::data_call(NAME, channel.adapter.name());
        let nb = buffer::known(NetBuffer, NAME);
        if should_fail("NdisMAllocateNetBufferSGList") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        let pieces = pieces(nb);
        let size = size_of_list(pieces.len());
        let given = !ScatterGatherListBuffer.is_null()
            && ScatterGatherListBufferSize as usize >= size;
        let list = if given {
            ScatterGatherListBuffer.cast::<u8>()
        } else {
            match block::allocate(size, TAG) {
                Some(block) => block.as_ptr(),
                None => return record.returns(NDIS_STATUS_RESOURCES),
            }
        };
        // SAFETY: the memory has room for that many elements: the caller's, by the size that it gave,
        // or the block.
        unsafe { write_list(list.cast(), &pieces) };
        channel.lists.lock().insert(list as usize, (nb.address(), !given));
        let hand_over = {
            let (list, context) = (list as usize, Address(Context));
            move || process(channel, list, context)
        };
        match policy::current().send_completion {
            When::Inline => hand_over(),
            When::Later => dpc::queue(hand_over),
        }
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Gives a list back; the device is done with the buffer.
    [DISPATCH..=DISPATCH] fn NdisMFreeNetBufferSGList(
        NdisMiniportDmaHandle: NDIS_HANDLE,
        pSGL: *mut SCATTER_GATHER_LIST,
        NetBuffer: *mut NET_BUFFER,
    ) {
        const NAME: &str = "NdisMFreeNetBufferSGList";
        let channel = resolve::<Channel>(NdisMiniportDmaHandle, NAME);
        let _record = trace::data_call(NAME, channel.adapter.name());
        let removed = channel.lists.lock().remove(&(pSGL as usize));
        match removed {
            Some((buffer, is_ours)) if buffer == NetBuffer as usize => {
                if is_ours {
                    block::free(pSGL.cast());
                }
            }
            _ => rules::broken(
                &rules::INIT_REGISTER_SG,
                format_args!("{NAME}: {pSGL:p} is no list of buffer {NetBuffer:p}, or was freed"),
            ),
        }
    }
}

fn process(channel: &'static Channel, list: usize, context: Address) {
    let driver = channel.adapter.driver().caller();
    run_data(
        driver,
        "MiniportProcessSGList",
        channel.adapter.name(),
        || {
            let device = ptr::null_mut::<DEVICE_OBJECT>();
            let list = list as *mut SCATTER_GATHER_LIST;
            // SAFETY: the driver's registered function, at DISPATCH_LEVEL, with a list that it keeps until
            // it frees it and its own context.
            unsafe { (channel.process)(device, ptr::null_mut(), list, context.0) };
        },
    );
}

/// The memory that a buffer's data lies in, from the start of its current MDL to the end of the data.
fn pieces(nb: Nb) -> Vec<(u64, u32)> {
    let mut left = nb.current_offset() + nb.length();
    let mut pieces = Vec::new();
    let mut at = nb.current();
    while let Some(mdl) = at.filter(|_| left != 0) {
        let here = mdl.byte_count().min(left);
        if here != 0 {
            pieces.push((mdl.virtual_address() as u64, here));
        }
        left -= here;
        at = mdl.next();
    }
    pieces
}

/// A `SCATTER_GATHER_LIST`'s head (`ns-wdm-_scatter_gather_list.md`).
#[repr(C)]
struct Head {
    number: u32,
    reserved: ULONG_PTR,
}

/// A `SCATTER_GATHER_ELEMENT` (`ns-wdm-_scatter_gather_element.md`).
#[repr(C)]
struct Element {
    address: u64,
    length: u32,
    reserved: ULONG_PTR,
}

/// How many bytes a list of so many elements has.
pub(crate) fn size_of_list(elements: usize) -> usize {
    size_of::<Head>() + elements * size_of::<Element>()
}

/// Writes a list of `pieces`, address and length each.
///
/// # Safety
/// `list` has [`size_of_list`] bytes for as many, aligned for a pointer.
pub(crate) unsafe fn write_list(list: *mut c_void, pieces: &[(u64, u32)]) {
    let head = Head {
        number: pieces.len() as u32,
        reserved: 0,
    };
    // SAFETY: the caller's contract.
    unsafe { list.cast::<Head>().write(head) };
    let first = list.wrapping_byte_add(size_of::<Head>()).cast::<Element>();
    for (index, &(address, length)) in pieces.iter().enumerate() {
        let element = Element {
            address,
            length,
            reserved: 0,
        };
        // SAFETY: as above.
        unsafe { first.wrapping_add(index).write(element) };
    }
}

/// Pieces that a list has room for in the size that drivers are told.
const PIECES: usize = 16;
const TAG: u32 = u32::from_le_bytes(*b"NDsg");

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::ndis::nbl::buffer::{NdisAllocateNetBuffer, NdisFreeNetBuffer};
    use crate::ndis::nbl::buffer::{NdisAllocateNetBufferPool, NdisFreeNetBufferPool};
    use crate::ndis::testing::{Miniport, halt, start, start_fails};
    use crate::nt::irql::{self, Irql};
    use crate::rules::testing::assert_broken;

    /// Registers a channel, for a miniport that is a bus master.
    pub(crate) fn register(
        adapter: NDIS_HANDLE,
        process: MINIPORT_PROCESS_SG_LIST,
        allocated: MINIPORT_ALLOCATE_SHARED_MEM_COMPLETE_HANDLER,
    ) -> NDIS_HANDLE {
        let mut description = NDIS_SG_DMA_DESCRIPTION {
            Header: ndis_sys::NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_SG_DMA_DESCRIPTION,
                NDIS_SG_DMA_DESCRIPTION_REVISION_1,
                NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_1,
            ),
            ProcessSGListHandler: Some(process),
            SharedMemAllocateCompleteHandler: allocated,
            ..NDIS_SG_DMA_DESCRIPTION::zeroed()
        };
        let mut handle = ptr::null_mut();
        // SAFETY: both live during the call.
        let status = unsafe {
            NdisMRegisterScatterGatherDma(adapter, &raw mut description, &raw mut handle)
        };
        assert_eq!(status, NDIS_STATUS_SUCCESS);
        assert!(description.ScatterGatherListSize as usize > size_of_list(1));
        handle
    }

    pub(crate) fn deregister(handle: NDIS_HANDLE) {
        // SAFETY: the handle is a registration's.
        unsafe { NdisMDeregisterScatterGatherDma(handle) };
    }

    unsafe extern "efiapi" fn processed(
        _device: *mut DEVICE_OBJECT,
        _reserved: PVOID,
        list: *mut SCATTER_GATHER_LIST,
        context: PVOID,
    ) {
        assert_eq!((context as usize, irql::current()), (5, Irql::DISPATCH));
        LIST.store(list as usize, Ordering::SeqCst);
    }

    fn initialize(adapter: NDIS_HANDLE) -> NDIS_STATUS {
        CHANNEL.store(
            register(adapter, processed, None) as usize,
            Ordering::SeqCst,
        );
        NDIS_STATUS_SUCCESS
    }

    fn channel() -> NDIS_HANDLE {
        CHANNEL.load(Ordering::SeqCst) as NDIS_HANDLE
    }

    fn bus_master() -> Miniport {
        Miniport {
            initialize,
            halt: |_| deregister(channel()),
            attribute_flags: NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER,
            ..Miniport::default()
        }
    }

    static CHANNEL: AtomicUsize = AtomicUsize::new(0);
    static LIST: AtomicUsize = AtomicUsize::new(0);

    #[test]
    fn a_list_has_the_pieces_of_the_data_from_the_current_mdl_on() {
        let adapter = start("dma", bus_master());
        let mut data = [7_u8; 64];
        let mdl = block::describe(data.as_mut_ptr(), 64).expect("there is memory");
        let mut parameters = ndis_sys::NET_BUFFER_POOL_PARAMETERS {
            Header: ndis_sys::NDIS_OBJECT_HEADER::new(
                ndis_sys::NDIS_OBJECT_TYPE_DEFAULT,
                ndis_sys::NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                ndis_sys::NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1,
            ),
            PoolTag: TAG,
            ..ndis_sys::NET_BUFFER_POOL_PARAMETERS::zeroed()
        };
        // SAFETY: the handle is the adapter's, and the parameters live during the call.
        let pool = unsafe { NdisAllocateNetBufferPool(handle_of(adapter), &raw mut parameters) };
        // SAFETY: the pool is alive, and the MDL outlives the buffer.
        let nb = unsafe { NdisAllocateNetBuffer(pool, mdl, 10, 20) };
        irql::at(Irql::DISPATCH, || {
            // SAFETY: channel and buffer are alive.
            let status = unsafe {
                NdisMAllocateNetBufferSGList(channel(), nb, 5 as PVOID, 1, ptr::null_mut(), 0)
            };
            assert_eq!(status, NDIS_STATUS_SUCCESS);
        });
        dpc::flush();
        let list = LIST.load(Ordering::SeqCst);
        // SAFETY: the list is out.
        let words = unsafe { std::slice::from_raw_parts(list as *const u64, 5) };
        assert_eq!(words[0] as u32, 1);
        assert_eq!((words[2], words[3] as u32), (data.as_ptr() as u64, 30));
        irql::at(Irql::DISPATCH, || {
            // SAFETY: the list is out, and of this buffer.
            unsafe { NdisMFreeNetBufferSGList(channel(), list as *mut SCATTER_GATHER_LIST, nb) };
        });
        // SAFETY: nobody uses the buffer any more.
        unsafe { NdisFreeNetBuffer(nb) };
        // SAFETY: the pool is empty.
        unsafe { NdisFreeNetBufferPool(pool) };
        block::free_mdl(mdl);
        halt(adapter);
    }

    #[test]
    fn a_miniport_that_is_no_bus_master_gets_no_channel() {
        let status = start_fails(
            "no bus master",
            Miniport {
                initialize: |adapter| {
                    let mut description = NDIS_SG_DMA_DESCRIPTION {
                        Header: ndis_sys::NDIS_OBJECT_HEADER::new(
                            NDIS_OBJECT_TYPE_SG_DMA_DESCRIPTION,
                            NDIS_SG_DMA_DESCRIPTION_REVISION_1,
                            NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_1,
                        ),
                        ProcessSGListHandler: Some(processed),
                        ..NDIS_SG_DMA_DESCRIPTION::zeroed()
                    };
                    let mut handle = ptr::null_mut();
                    // SAFETY: both live during the call.
                    unsafe {
                        NdisMRegisterScatterGatherDma(
                            adapter,
                            &raw mut description,
                            &raw mut handle,
                        )
                    }
                },
                ..Miniport::default()
            },
        );
        assert_eq!(status, NDIS_STATUS_NOT_SUPPORTED);
    }

    #[test]
    fn a_halt_that_leaves_the_channel_breaks_init_register_sg() {
        assert_broken(&rules::INIT_REGISTER_SG, &["DMA of"], || {
            halt(start(
                "dma",
                Miniport {
                    halt: |_| {},
                    ..bus_master()
                },
            ));
        });
    }

    #[test]
    fn freeing_a_list_that_is_none_breaks_init_register_sg() {
        assert_broken(&rules::INIT_REGISTER_SG, &["is no list"], || {
            start("dma", bus_master());
            irql::set(Irql::DISPATCH);
            // SAFETY: that the list is none is found first.
            unsafe { NdisMFreeNetBufferSGList(channel(), 16 as *mut _, ptr::null_mut()) };
        });
    }
}
