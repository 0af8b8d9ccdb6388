//! Memory that a driver shares with its simulated device.
//!
//! Physical addresses are the virtual ones. A block has whole pages of its own and a page after them
//! that nobody may write: what is written behind the block's end is found when it is freed.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::{BTreeMap, BTreeSet};
use std::ptr;

use ndis_sys::{
    BOOLEAN, NDIS_HANDLE, NDIS_OBJECT_TYPE_DEFAULT, NDIS_PHYSICAL_ADDRESS,
    NDIS_SHARED_MEMORY_PARAMETERS, NDIS_SHARED_MEMORY_PARAMETERS_REVISION_1,
    NDIS_SHARED_MEMORY_PARAMETERS_REVISION_2, NDIS_SIZEOF_SHARED_MEMORY_PARAMETERS_REVISION_1,
    NDIS_SIZEOF_SHARED_MEMORY_PARAMETERS_REVISION_2, NDIS_STATUS, NDIS_STATUS_FAILURE,
    NDIS_STATUS_INVALID_PARAMETER, NDIS_STATUS_PENDING, NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS,
    PVOID,
};

use super::adapter::{Adapter, AdapterState};
use super::dma::{self, Channel};
use super::driver::{Address, party_of, run};
use super::faults::should_fail;
use super::object::{self, Kind, Object, handle_of, resolve};
use super::{header, pnp, trace};
use crate::nt::sched::Monitor;
use crate::rules;

/// A block, for as long as it is allocated.
struct Block {
    address: usize,
    length: u32,
    owner: Address,
}

impl Object for Block {
    const KIND: Kind = Kind::SharedMemory;
}

crate::ddi! { "ndis.sys":
    /// Allocates a block while the adapter is initialized.
    [PASSIVE..=PASSIVE] fn NdisMAllocateSharedMemory(
        MiniportAdapterHandle: NDIS_HANDLE,
        Length: u32,
        _Cached: BOOLEAN,
        VirtualAddress: *mut PVOID,
        PhysicalAddress: *mut NDIS_PHYSICAL_ADDRESS,
    ) {
        const NAME: &str = "NdisMAllocateSharedMemory";
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        let _record = trace::call(NAME, adapter.name());
        adapter.require_state(&[AdapterState::Initializing], NAME);
        require_channel(adapter, NAME);
        let block = if should_fail("NdisMAllocateSharedMemory") {
            None
        } else {
            allocate(MiniportAdapterHandle, Length)
        };
        if block.is_none() {
            UNLOGGED.lock().insert(MiniportAdapterHandle as usize);
        }
        let address = block.map_or(0, |block| block.address);
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { VirtualAddress.write(address as PVOID) };
        // SAFETY: as above.
        unsafe { PhysicalAddress.write(address as NDIS_PHYSICAL_ADDRESS) };
    }

    /// Frees a block, all of it.
    [PASSIVE..=DISPATCH] fn NdisMFreeSharedMemory(
        MiniportAdapterHandle: NDIS_HANDLE,
        Length: u32,
        _Cached: BOOLEAN,
        VirtualAddress: PVOID,
        PhysicalAddress: NDIS_PHYSICAL_ADDRESS,
    ) {
        const NAME: &str = "NdisMFreeSharedMemory";
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        let _record = trace::call(NAME, adapter.name());
        if adapter.state() == AdapterState::Shutdown {
            rules::broken(
                &rules::NDIS_M_FREE_SHARED_MEMORY,
                format_args!("{NAME} of adapter {} in MiniportShutdownEx", adapter.name()),
            );
        }
        let found = BLOCKS.lock().get(&(VirtualAddress as usize)).copied();
        let right = |block: &&Block| {
            block.length == Length
                && block.owner.0 == MiniportAdapterHandle
                && block.address as NDIS_PHYSICAL_ADDRESS == PhysicalAddress
        };
        let Some(block) = found.filter(right) else {
            rules::broken(
                &rules::NDIS_BUGCHECK_FREE_INVALID_SHARED_MEM,
                format_args!(
                    "{NAME}: {Length} bytes at {VirtualAddress:p}, physical {PhysicalAddress:#x}, are \
                     no block of adapter {}, or were freed",
                    adapter.name()
                ),
            );
        };
        free(block, NAME);
    }

    /// Allocates a block later: the driver's function gets it, or NULL.
    [PASSIVE..=DISPATCH] fn NdisMAllocateSharedMemoryAsyncEx(
        MiniportDmaHandle: NDIS_HANDLE,
        Length: u32,
        _Cached: BOOLEAN,
        Context: PVOID,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisMAllocateSharedMemoryAsyncEx";
        let channel = resolve::<Channel>(MiniportDmaHandle, NAME);
        let adapter = channel.adapter;
        let mut record = trace::call(NAME, adapter.name());
        let Some(handler) = channel.allocated else {
            adapter.broken(&format!("{NAME} without SharedMemAllocateCompleteHandler"));
        };
        if should_fail("NdisMAllocateSharedMemoryAsyncEx") {
            return record.returns(NDIS_STATUS_FAILURE);
        }
        let context = Address(Context);
        pnp::job("NDIS shared memory", move || {
            let context = context;
            let block = {
                let _party = super::caller::enter(adapter.driver().caller());
                allocate(handle_of(adapter), Length)
            };
            let address = block.map_or(0, |block| block.address);
            let mut physical = address as NDIS_PHYSICAL_ADDRESS;
            let driver = adapter.driver().caller();
            let name = "MiniportSharedMemoryAllocateComplete";
            run(driver, name, adapter.name(), || {
                let at = if block.is_some() { &raw mut physical } else { ptr::null_mut() };
                let of_adapter = adapter.context();
                // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with its contexts.
                unsafe { handler(of_adapter, address as PVOID, at, Length, context.0) };
            });
        });
        record.returns(NDIS_STATUS_PENDING)
    }

    /// Allocates a block as parameters say.
    [PASSIVE..=PASSIVE] fn NdisAllocateSharedMemory(
        NdisHandle: NDIS_HANDLE,
        SharedMemoryParameters: *mut NDIS_SHARED_MEMORY_PARAMETERS,
        pAllocationHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisAllocateSharedMemory";
        let owner = party_of(NdisHandle, NAME);
        let mut record = trace::call(NAME, owner.name);
        // SAFETY: the document makes it a pointer to the caller's handle variable.
        unsafe { pAllocationHandle.write(ptr::null_mut()) };
        // SAFETY: the document makes it a pointer to the caller's parameters.
        let header = unsafe { (*SharedMemoryParameters).Header };
        header::require(
            &header,
            NDIS_OBJECT_TYPE_DEFAULT,
            &[
                (
                    NDIS_SHARED_MEMORY_PARAMETERS_REVISION_1,
                    NDIS_SIZEOF_SHARED_MEMORY_PARAMETERS_REVISION_1,
                ),
                (
                    NDIS_SHARED_MEMORY_PARAMETERS_REVISION_2,
                    NDIS_SIZEOF_SHARED_MEMORY_PARAMETERS_REVISION_2,
                ),
            ],
            NAME,
        );
        // SAFETY: as above; revision 1 has the field.
        let length = unsafe { (*SharedMemoryParameters).Length };
        // SAFETY: as above.
        let room = unsafe { (*SharedMemoryParameters).SGListBufferLength };
        // SAFETY: as above.
        let list = unsafe { (*SharedMemoryParameters).SGListBuffer };
        if length == 0 || list.is_null() || (room as usize) < dma::size_of_list(1) {
            return record.returns(NDIS_STATUS_INVALID_PARAMETER);
        }
        if should_fail("NdisAllocateSharedMemory") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        let Some(block) = allocate(NdisHandle, length) else {
            return record.returns(NDIS_STATUS_RESOURCES);
        };
        // SAFETY: the caller's buffer has room for one element, as was just checked.
        unsafe { dma::write_list(list.cast(), &[(block.address as u64, length)]) };
        // SAFETY: as above; revision 1 has the field.
        unsafe { (*SharedMemoryParameters).VirtualAddress = block.address as PVOID };
        // SAFETY: as above.
        unsafe { (*SharedMemoryParameters).SharedMemoryHandle = handle_of(block) };
        // SAFETY: as above.
        unsafe { pAllocationHandle.write(handle_of(block)) };
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Frees such a block, by the handle that it was allocated with.
    [PASSIVE..=PASSIVE] fn NdisFreeSharedMemory(
        NdisHandle: NDIS_HANDLE,
        AllocationHandle: NDIS_HANDLE,
    ) {
        const NAME: &str = "NdisFreeSharedMemory";
        let owner = party_of(NdisHandle, NAME);
        let _record = trace::call(NAME, owner.name);
        let Some(block) = object::peek::<Block>(AllocationHandle)
            .filter(|block| block.owner.0 == NdisHandle)
        else {
            rules::broken(
                &rules::NDIS_BUGCHECK_FREE_INVALID_SHARED_MEM,
                format_args!("{NAME}: {AllocationHandle:p} is no block of this handle, or was freed"),
            );
        };
        free(block, NAME);
    }

    /// The alignment for data that processors share: the length of a cache line.
    [PASSIVE..=DISPATCH] fn NdisGetSharedDataAlignment() -> u32 {
        64
    }
}

/// Ends the run if an allocation failed in an initialize that logged nothing.
pub(crate) fn require_logged(adapter: &'static Adapter) {
    if UNLOGGED.lock().remove(&(handle_of(adapter) as usize)) {
        rules::broken(
            &rules::WRITE_ERROR_LOG,
            format_args!(
                "NdisMAllocateSharedMemory failed in MiniportInitializeEx of {}, which did not call \
                 NdisWriteErrorLogEntry",
                adapter.name()
            ),
        );
    }
}

/// The adapter's driver wrote to the error log.
pub(crate) fn logged(adapter: NDIS_HANDLE) {
    UNLOGGED.lock().remove(&(adapter as usize));
}

fn require_channel(adapter: &'static Adapter, function: &str) {
    let owned = object::owned_by(handle_of(adapter));
    if !owned.iter().any(|(kind, _)| *kind == Kind::Dma) {
        adapter.broken(&format!("{function} before NdisMRegisterScatterGatherDma"));
    }
}

fn layout(length: u32) -> Layout {
    let pages = (length as usize).next_multiple_of(PAGE) + PAGE;
    Layout::from_size_align(pages, PAGE).expect("pages are a layout")
}

fn allocate(owner: NDIS_HANDLE, length: u32) -> Option<&'static Block> {
    let layout = layout(length);
    // SAFETY: the layout has at least a page.
    let start = unsafe { alloc_zeroed(layout) };
    if start.is_null() {
        return None;
    }
    let rest = layout.size() - length as usize;
    // SAFETY: the block has that many bytes behind its end.
    unsafe { ptr::write_bytes(start.wrapping_add(length as usize), PATTERN, rest) };
    let block = object::fresh(Block {
        address: start as usize,
        length,
        owner: Address(owner),
    });
    object::publish_for(block, format!("{length} bytes at {start:p}"), owner);
    BLOCKS.lock().insert(block.address, block);
    Some(block)
}

fn free(block: &'static Block, function: &str) {
    let layout = layout(block.length);
    let end = block.address + block.length as usize;
    let rest = layout.size() - block.length as usize;
    // SAFETY: the block was not freed, and has that many bytes behind its end.
    let behind = unsafe { std::slice::from_raw_parts(end as *const u8, rest) };
    if let Some(at) = behind.iter().position(|byte| *byte != PATTERN) {
        rules::broken(
            &rules::NDIS_BUGCHECK_SHARED_MEM_CORRUPTION,
            format_args!(
                "{function}: {} bytes at {:#x}: byte {at} behind the end was written",
                block.length, block.address
            ),
        );
    }
    BLOCKS.lock().remove(&block.address);
    object::retire(block);
    // SAFETY: the block came from the allocator with this layout, and the table has forgotten it.
    unsafe { dealloc(block.address as *mut u8, layout) };
}

const PAGE: usize = 4096;
const PATTERN: u8 = 0xd5;

static BLOCKS: Monitor<BTreeMap<usize, &'static Block>> = Monitor::new(BTreeMap::new());
/// Adapters whose initialize has a failed allocation to write to the error log.
static UNLOGGED: Monitor<BTreeSet<usize>> = Monitor::new(BTreeSet::new());

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ndis_sys::{DEVICE_OBJECT, NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER, SCATTER_GATHER_LIST};

    use super::*;
    use crate::faults;
    use crate::ndis::dma::tests::{deregister, register};
    use crate::ndis::testing::{Miniport, halt, start};
    use crate::nt::irql::{self, Irql};
    use crate::rules::testing::assert_broken;

    unsafe extern "efiapi" fn process(
        _device: *mut DEVICE_OBJECT,
        _reserved: PVOID,
        _list: *mut SCATTER_GATHER_LIST,
        _context: PVOID,
    ) {
    }

    unsafe extern "efiapi" fn allocated(
        _adapter: NDIS_HANDLE,
        address: PVOID,
        physical: *mut NDIS_PHYSICAL_ADDRESS,
        length: u32,
        context: PVOID,
    ) {
        assert_eq!((length, context as usize), (100, 3));
        // SAFETY: the allocation succeeds, so NDIS gives a variable.
        assert_eq!(unsafe { physical.read() } as usize, address as usize);
        LATER.store(address as usize, Ordering::SeqCst);
    }

    fn get(adapter: NDIS_HANDLE, length: u32) -> (PVOID, NDIS_PHYSICAL_ADDRESS) {
        let (mut address, mut physical) = (ptr::null_mut(), 0);
        // SAFETY: the variables live during the call.
        unsafe {
            NdisMAllocateSharedMemory(adapter, length, 1, &raw mut address, &raw mut physical);
        }
        (address, physical)
    }

    fn give(adapter: NDIS_HANDLE, length: u32, address: usize) {
        let physical = address as NDIS_PHYSICAL_ADDRESS;
        // SAFETY: what is no block is found first.
        unsafe { NdisMFreeSharedMemory(adapter, length, 1, address as PVOID, physical) };
    }

    fn initialize(adapter: NDIS_HANDLE) -> NDIS_STATUS {
        let channel = register(adapter, process, Some(allocated));
        CHANNEL.store(channel as usize, Ordering::SeqCst);
        let (address, physical) = get(adapter, 100);
        BLOCK.store(address as usize, Ordering::SeqCst);
        assert_eq!(physical as usize, address as usize);
        NDIS_STATUS_SUCCESS
    }

    fn end(adapter: NDIS_HANDLE) {
        give(adapter, 100, BLOCK.load(Ordering::SeqCst));
        deregister(CHANNEL.load(Ordering::SeqCst) as NDIS_HANDLE);
    }

    fn miniport() -> Miniport {
        Miniport {
            initialize,
            halt: end,
            attribute_flags: NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER,
            ..Miniport::default()
        }
    }

    static CHANNEL: AtomicUsize = AtomicUsize::new(0);
    static BLOCK: AtomicUsize = AtomicUsize::new(0);
    static LATER: AtomicUsize = AtomicUsize::new(0);

    #[test]
    fn blocks_are_zero_and_come_in_time_or_later() {
        let adapter = start("shared memory", miniport());
        let block = BLOCK.load(Ordering::SeqCst) as *const [u8; 100];
        // SAFETY: the block is allocated.
        assert_eq!(unsafe { block.read() }, [0; 100]);
        let channel = CHANNEL.load(Ordering::SeqCst) as NDIS_HANDLE;
        // SAFETY: the channel is alive.
        let status = unsafe { NdisMAllocateSharedMemoryAsyncEx(channel, 100, 1, 3 as PVOID) };
        assert_eq!(status, NDIS_STATUS_PENDING);
        while LATER.load(Ordering::SeqCst) == 0 {
            crate::nt::sched::sleep(std::time::Duration::from_millis(1));
        }
        give(handle_of(adapter), 100, LATER.load(Ordering::SeqCst));
        halt(adapter);
    }

    #[test]
    fn blocks_by_parameters_have_a_list_and_a_handle() {
        let adapter = handle_of(start("shared memory by parameters", Miniport::default()));
        let mut list = [0_u64; 5];
        let mut parameters = NDIS_SHARED_MEMORY_PARAMETERS {
            Header: ndis_sys::NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_DEFAULT,
                NDIS_SHARED_MEMORY_PARAMETERS_REVISION_2,
                NDIS_SIZEOF_SHARED_MEMORY_PARAMETERS_REVISION_2,
            ),
            Length: 100,
            SGListBufferLength: 40,
            SGListBuffer: list.as_mut_ptr().cast(),
            ..NDIS_SHARED_MEMORY_PARAMETERS::zeroed()
        };
        let mut handle = ptr::null_mut();
        // SAFETY: all live during the call.
        let status =
            unsafe { NdisAllocateSharedMemory(adapter, &raw mut parameters, &raw mut handle) };
        assert_eq!(status, NDIS_STATUS_SUCCESS);
        assert_eq!(list[2], parameters.VirtualAddress as u64);
        assert_eq!(handle, parameters.SharedMemoryHandle);
        // SAFETY: the block is allocated.
        unsafe { NdisFreeSharedMemory(adapter, handle) };
    }

    #[test]
    fn writing_behind_the_end_breaks_its_rule() {
        assert_broken(
            &rules::NDIS_BUGCHECK_SHARED_MEM_CORRUPTION,
            &["byte 0 behind the end"],
            || {
                let adapter = start("shared memory", miniport());
                let end = BLOCK.load(Ordering::SeqCst) + 100;
                // SAFETY: the host's own bytes, which the test spoils.
                unsafe { (end as *mut u8).write(1) };
                halt(adapter);
            },
        );
    }

    #[test]
    fn freeing_a_part_breaks_its_rule() {
        assert_broken(
            &rules::NDIS_BUGCHECK_FREE_INVALID_SHARED_MEM,
            &["50 bytes"],
            || {
                let adapter = start("shared memory", miniport());
                give(handle_of(adapter), 50, BLOCK.load(Ordering::SeqCst));
            },
        );
    }

    #[test]
    fn allocating_at_raised_irql_breaks_its_rule() {
        assert_broken(
            &rules::NDIS_BUGCHECK_ALLOCATE_SHARED_MEM_HIGH_IRQL,
            &["DISPATCH_LEVEL"],
            || {
                irql::set(Irql::DISPATCH);
                get(ptr::null_mut(), 1)
            },
        );
    }

    #[test]
    fn freeing_in_a_shutdown_breaks_ndis_m_free_shared_memory() {
        assert_broken(
            &rules::NDIS_M_FREE_SHARED_MEMORY,
            &["MiniportShutdownEx"],
            || {
                let adapter = start(
                    "shared memory",
                    Miniport {
                        shutdown: end,
                        ..miniport()
                    },
                );
                adapter.shut_down(ndis_sys::NdisShutdownPowerOff);
            },
        );
    }

    #[test]
    fn a_failure_that_is_not_logged_breaks_write_error_log() {
        assert_broken(&rules::WRITE_ERROR_LOG, &["did not call"], || {
            faults::fail_nth("NdisMAllocateSharedMemory", 1);
            start("shared memory", miniport());
        });
    }
}
