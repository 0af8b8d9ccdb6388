//! Device registers and I/O ports.
//!
//! A mapped range of registers is zeroed memory, the same for the same address as long as it is mapped:
//! what a software miniport needs to come up. There are no I/O ports here: nobody could trap the
//! instructions that the headers make of the port functions cheaply, and a software miniport has none.

use std::ptr;

use ndis_sys::{
    NDIS_HANDLE, NDIS_PHYSICAL_ADDRESS, NDIS_STATUS, NDIS_STATUS_FAILURE,
    NDIS_STATUS_RESOURCE_CONFLICT, NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS, PVOID,
};

use super::adapter::{Adapter, AdapterState};
use super::faults::should_fail;
use super::object::{self, Kind, Object, resolve};
use super::{nbl::block, trace};
use crate::nt::sched::Monitor;
use crate::rules::{self, Rule};

struct Mapping {
    adapter: &'static Adapter,
    address: usize,
    physical: NDIS_PHYSICAL_ADDRESS,
    length: u32,
}

impl Object for Mapping {
    const KIND: Kind = Kind::IoSpace;
}

crate::ddi! { "ndis.sys":
    /// Maps device registers.
    [PASSIVE..=PASSIVE] fn NdisMMapIoSpace(
        VirtualAddress: *mut PVOID,
        MiniportAdapterHandle: NDIS_HANDLE,
        PhysicalAddress: NDIS_PHYSICAL_ADDRESS,
        Length: u32,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisMMapIoSpace";
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        let mut record = trace::call(NAME, adapter.name());
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { VirtualAddress.write(ptr::null_mut()) };
        require_initializing(adapter, &rules::NDIS_M_MAP_IO_SPACE, NAME);
        if Length == 0 {
            return record.returns(NDIS_STATUS_FAILURE);
        }
        let taken = |mapping: &Mapping| {
            let end = mapping.physical + NDIS_PHYSICAL_ADDRESS::from(mapping.length);
            PhysicalAddress < end
                && mapping.physical < PhysicalAddress + NDIS_PHYSICAL_ADDRESS::from(Length)
        };
        if MAPPINGS.lock().iter().any(|mapping| taken(mapping)) {
            return record.returns(NDIS_STATUS_RESOURCE_CONFLICT);
        }
        if should_fail("NdisMMapIoSpace") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        let Some(memory) = block::allocate(Length as usize, TAG) else {
            return record.returns(NDIS_STATUS_RESOURCES);
        };
        let mapping = object::fresh(Mapping {
            adapter,
            address: memory.as_ptr() as usize,
            physical: PhysicalAddress,
            length: Length,
        });
        let name = format!("{Length} bytes at {PhysicalAddress:#x}");
        object::publish_for(mapping, name, MiniportAdapterHandle);
        MAPPINGS.lock().push(mapping);
        // SAFETY: as above.
        unsafe { VirtualAddress.write(memory.as_ptr().cast()) };
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Undoes a mapping, all of it.
    [PASSIVE..=PASSIVE] fn NdisMUnmapIoSpace(
        MiniportAdapterHandle: NDIS_HANDLE,
        VirtualAddress: PVOID,
        Length: u32,
    ) {
        const NAME: &str = "NdisMUnmapIoSpace";
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        let _record = trace::call(NAME, adapter.name());
        let found = MAPPINGS.lock().iter().copied().find(|mapping| {
            ptr::eq(mapping.adapter, adapter)
                && mapping.address == VirtualAddress as usize
                && mapping.length == Length
        });
        let Some(mapping) = found else {
            rules::broken(
                &rules::NDIS_M_MAP_IO_SPACE,
                format_args!(
                    "{NAME}: {Length} bytes at {VirtualAddress:p} are no mapping of adapter {}",
                    adapter.name()
                ),
            );
        };
        MAPPINGS.lock().retain(|other| !ptr::eq(*other, mapping));
        object::retire(mapping);
        block::free(VirtualAddress.cast());
    }

    /// Claims I/O ports, of which there are none.
    [PASSIVE..=PASSIVE] fn NdisMRegisterIoPortRange(
        PortOffset: *mut PVOID,
        MiniportAdapterHandle: NDIS_HANDLE,
        InitialPort: u32,
        NumberOfPorts: u32,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisMRegisterIoPortRange";
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        let mut record = trace::call(NAME, adapter.name());
        require_initializing(adapter, &rules::NDIS_M_REGISTER_IO_PORT_RANGE, NAME);
        eprintln!(
            "ndis-host: {NAME}({}): there are no I/O ports here, nor {NumberOfPorts} from \
             {InitialPort:#x}",
            adapter.name()
        );
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { PortOffset.write(ptr::null_mut()) };
        record.returns(NDIS_STATUS_RESOURCE_CONFLICT)
    }

    /// Gives up I/O ports, which nobody can have.
    [PASSIVE..=PASSIVE] fn NdisMDeregisterIoPortRange(
        MiniportAdapterHandle: NDIS_HANDLE,
        InitialPort: u32,
        _NumberOfPorts: u32,
        _PortOffset: PVOID,
    ) {
        const NAME: &str = "NdisMDeregisterIoPortRange";
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        rules::broken(
            &rules::NDIS_M_REGISTER_IO_PORT_RANGE,
            format_args!(
                "{NAME}: port {InitialPort:#x} was not registered for adapter {}",
                adapter.name()
            ),
        );
    }
}

fn require_initializing(adapter: &Adapter, rule: &'static Rule, function: &str) {
    let state = adapter.state();
    let registered = adapter.with_attributes(|attributes| attributes.registered());
    if state != AdapterState::Initializing || !registered {
        rules::broken(
            rule,
            format_args!(
                "{function}: adapter {} is {state:?}, registration attributes set: {registered}; it \
                 belongs into MiniportInitializeEx, after NdisMSetMiniportAttributes",
                adapter.name()
            ),
        );
    }
}

const TAG: u32 = u32::from_le_bytes(*b"NDio");

static MAPPINGS: Monitor<Vec<&'static Mapping>> = Monitor::new(Vec::new());

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::ndis::object::handle_of;
    use crate::ndis::testing::{Miniport, halt, start, start_fails};
    use crate::rules::testing::assert_broken;

    fn map(adapter: NDIS_HANDLE, physical: NDIS_PHYSICAL_ADDRESS) -> (NDIS_STATUS, usize) {
        let mut address = ptr::null_mut();
        // SAFETY: the variable lives during the call.
        let status = unsafe { NdisMMapIoSpace(&raw mut address, adapter, physical, 256) };
        (status, address as usize)
    }

    fn initialize(adapter: NDIS_HANDLE) -> NDIS_STATUS {
        let (status, address) = map(adapter, 0xfe00_0000);
        MAPPED.store(address, Ordering::SeqCst);
        assert_eq!(
            map(adapter, 0xfe00_0080),
            (NDIS_STATUS_RESOURCE_CONFLICT, 0)
        );
        status
    }

    fn unmap(adapter: NDIS_HANDLE) {
        let address = MAPPED.load(Ordering::SeqCst) as PVOID;
        // SAFETY: what is no mapping is found first.
        unsafe { NdisMUnmapIoSpace(adapter, address, 256) };
    }

    static MAPPED: AtomicUsize = AtomicUsize::new(0);

    #[test]
    fn registers_are_mapped_once_at_a_time() {
        for _round in 0..2 {
            let miniport = Miniport {
                initialize,
                halt: unmap,
                ..Miniport::default()
            };
            halt(start("io space", miniport));
        }
    }

    #[test]
    fn mapping_late_breaks_ndis_m_map_io_space() {
        assert_broken(&rules::NDIS_M_MAP_IO_SPACE, &["is Running"], || {
            map(handle_of(start("io space", Miniport::default())), 0)
        });
    }

    fn register_ports(adapter: NDIS_HANDLE) -> NDIS_STATUS {
        let mut offset = ptr::null_mut();
        // SAFETY: the variable lives during the call.
        unsafe { NdisMRegisterIoPortRange(&raw mut offset, adapter, 0x300, 32) }
    }

    #[test]
    fn ports_are_refused() {
        let miniport = Miniport {
            initialize: register_ports,
            ..Miniport::default()
        };
        let status = start_fails("io ports", miniport);
        assert_eq!(status, NDIS_STATUS_RESOURCE_CONFLICT);
    }

    #[test]
    fn registering_ports_late_breaks_its_rule() {
        assert_broken(
            &rules::NDIS_M_REGISTER_IO_PORT_RANGE,
            &["is Running"],
            || register_ports(handle_of(start("io ports", Miniport::default()))),
        );
    }
}
