//! Network interfaces: providers and what they register, LUIDs, and which interface lies on which.
//!
//! NDIS is the provider of the interfaces of adapters. Their indices and those of other providers come
//! from one counter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

use ndis_sys::{
    NDIS_HANDLE, NDIS_IF_PROVIDER_CHARACTERISTICS, NDIS_OBJECT_REVISION_1,
    NDIS_OBJECT_TYPE_DEFAULT, NDIS_SIZEOF_IF_PROVIDER_CHARACTERISTICS_REVISION_1,
    NDIS_SIZEOF_NET_IF_INFORMATION_REVISION_1, NDIS_STATUS, NDIS_STATUS_INTERFACE_NOT_FOUND,
    NDIS_STATUS_INVALID_PARAMETER, NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_RESOURCES,
    NDIS_STATUS_SUCCESS, NET_IF_INFORMATION, NET_IFINDEX, NET_IFTYPE, NET_LUID, NET_LUID_LH,
};

use super::binding::Binding;
use super::faults::should_fail;
use super::object::{self, Kind, Object, handle_of, resolve};
use super::{caller, header, pnp, trace};
use crate::nt::sched::Monitor;
use crate::rules;

/// A provider, with the name of its driver.
struct Provider(&'static str);

impl Object for Provider {
    const KIND: Kind = Kind::InterfaceProvider;
}

#[derive(Default)]
struct Table {
    /// By index: the LUID and the provider's handle.
    interfaces: BTreeMap<u32, (u64, usize)>,
    /// Higher and lower index.
    stack: BTreeSet<(u32, u32)>,
    /// Allocated LUID indices, by interface type.
    luids: BTreeSet<(u16, u32)>,
}

crate::ddi! { "ndis.sys":
    /// Registers a provider of interfaces.
    [PASSIVE..=PASSIVE] fn NdisIfRegisterProvider(
        ProviderCharacteristics: *mut NDIS_IF_PROVIDER_CHARACTERISTICS,
        _IfProviderContext: NDIS_HANDLE,
        pNdisIfProviderHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisIfRegisterProvider";
        let mut record = trace::call(NAME, caller::current().name);
        // SAFETY: the document makes it a pointer to the caller's characteristics.
        let given = unsafe { &*ProviderCharacteristics };
        let revisions = [(
            NDIS_OBJECT_REVISION_1,
            NDIS_SIZEOF_IF_PROVIDER_CHARACTERISTICS_REVISION_1,
        )];
        if !header::valid(&given.Header, NDIS_OBJECT_TYPE_DEFAULT, &revisions) {
            return record.returns(NDIS_STATUS_NOT_SUPPORTED);
        }
        if given.QueryObjectHandler.is_none() || given.SetObjectHandler.is_none() {
            return record.returns(NDIS_STATUS_INVALID_PARAMETER);
        }
        if should_fail("NdisIfRegisterProvider") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        let driver = caller::current().name;
        let name = format!("interface provider {driver}");
        let provider = object::publish(object::fresh(Provider(driver)), name);
        // SAFETY: the document makes it a pointer to the caller's handle variable.
        unsafe { pNdisIfProviderHandle.write(handle_of(provider)) };
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Undoes the registration of a provider that has no interface left.
    [PASSIVE..=PASSIVE] fn NdisIfDeregisterProvider(NdisProviderHandle: NDIS_HANDLE) {
        const NAME: &str = "NdisIfDeregisterProvider";
        let provider = resolve::<Provider>(NdisProviderHandle, NAME);
        let _record = trace::call(NAME, provider.0);
        let left = TABLE
            .lock()
            .interfaces
            .values()
            .filter(|(_, of)| *of == NdisProviderHandle as usize)
            .count();
        rules::check(&rules::NDIS_BUGCHECK_IF_PROVIDER_DEREGISTER_UNEXPECTED, left == 0, || {
            format!("{NAME}: {left} interfaces are still registered")
        });
        object::retire(provider);
    }

    /// Registers an interface, which gets an index.
    [PASSIVE..=PASSIVE] fn NdisIfRegisterInterface(
        NdisProviderHandle: NDIS_HANDLE,
        NetLuid: NET_LUID,
        _ProviderIfContext: NDIS_HANDLE,
        pIfInfo: *mut NET_IF_INFORMATION,
        pfIndex: *mut NET_IFINDEX,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisIfRegisterInterface";
        let provider = resolve::<Provider>(NdisProviderHandle, NAME);
        let mut record = trace::call(NAME, provider.0);
        // SAFETY: the document makes it a pointer to the caller's information.
        let header = unsafe { (*pIfInfo).Header };
        let revisions = [(NDIS_OBJECT_REVISION_1, NDIS_SIZEOF_NET_IF_INFORMATION_REVISION_1)];
        if !header::valid(&header, NDIS_OBJECT_TYPE_DEFAULT, &revisions) {
            return record.returns(NDIS_STATUS_INVALID_PARAMETER);
        }
        if should_fail("NdisIfRegisterInterface") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        if index_of(NetLuid.Value).is_some() {
            return record.returns(NDIS_STATUS_DUPLICATE_OBJECTID);
        }
        let index = next_index();
        let of = NdisProviderHandle as usize;
        TABLE.lock().interfaces.insert(index, (NetLuid.Value, of));
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { pfIndex.write(index) };
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Removes an interface, with its places in the stack.
    [PASSIVE..=PASSIVE] fn NdisIfDeregisterInterface(ifIndex: NET_IFINDEX) {
        const NAME: &str = "NdisIfDeregisterInterface";
        let _record = trace::call(NAME, caller::current().name);
        let mut table = TABLE.lock();
        let was_there = table.interfaces.remove(&ifIndex).is_some();
        table.stack.retain(|&(higher, lower)| higher != ifIndex && lower != ifIndex);
        drop(table);
        if !was_there {
            rules::broken(
                &rules::INVALID_HANDLE,
                format_args!("{NAME}: no provider registered an interface {ifIndex}"),
            );
        }
    }

    /// A LUID index that no interface of that type has.
    [PASSIVE..=PASSIVE] fn NdisIfAllocateNetLuidIndex(
        ifType: NET_IFTYPE,
        pNetLuidIndex: *mut u32,
    ) -> NDIS_STATUS {
        if should_fail("NdisIfAllocateNetLuidIndex") {
            return NDIS_STATUS_RESOURCES;
        }
        let mut table = TABLE.lock();
        let free = (FIRST_LUID..).find(|index| !table.luids.contains(&(ifType, *index)));
        let index = free.expect("there are more indices than interfaces");
        table.luids.insert((ifType, index));
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { pNetLuidIndex.write(index) };
        NDIS_STATUS_SUCCESS
    }

    /// Gives a LUID index back.
    [PASSIVE..=PASSIVE] fn NdisIfFreeNetLuidIndex(
        ifType: NET_IFTYPE,
        NetLuidIndex: u32,
    ) -> NDIS_STATUS {
        if TABLE.lock().luids.remove(&(ifType, NetLuidIndex)) {
            NDIS_STATUS_SUCCESS
        } else {
            NDIS_STATUS_INVALID_PARAMETER
        }
    }

    /// Says that one interface lies on another.
    [PASSIVE..=PASSIVE] fn NdisIfAddIfStackEntry(
        HigherLayerIfIndex: NET_IFINDEX,
        LowerLayerIfIndex: NET_IFINDEX,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisIfAddIfStackEntry";
        let about = format!("{HigherLayerIfIndex} on {LowerLayerIfIndex}");
        let mut record = trace::call(NAME, &about);
        if luid_of(HigherLayerIfIndex).is_none() || luid_of(LowerLayerIfIndex).is_none() {
            return record.returns(NDIS_STATUS_INTERFACE_NOT_FOUND);
        }
        if should_fail("NdisIfAddIfStackEntry") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        let loops = TABLE.lock().lies_on(LowerLayerIfIndex, HigherLayerIfIndex);
        rules::check(&rules::NDIS_BUGCHECK_IF_STACK_TABLE_LOOP, !loops, || {
            format!(
                "{NAME}: interface {HigherLayerIfIndex} on {LowerLayerIfIndex}, which lies on it already"
            )
        });
        TABLE.lock().stack.insert((HigherLayerIfIndex, LowerLayerIfIndex));
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Takes that back.
    [PASSIVE..=PASSIVE] fn NdisIfDeleteIfStackEntry(
        HigherLayerIfIndex: NET_IFINDEX,
        LowerLayerIfIndex: NET_IFINDEX,
    ) -> NDIS_STATUS {
        let about = format!("{HigherLayerIfIndex} on {LowerLayerIfIndex}");
        let mut record = trace::call("NdisIfDeleteIfStackEntry", &about);
        let entry = (HigherLayerIfIndex, LowerLayerIfIndex);
        record.returns(if TABLE.lock().stack.remove(&entry) {
            NDIS_STATUS_SUCCESS
        } else {
            NDIS_STATUS_INTERFACE_NOT_FOUND
        })
    }

    /// The index of the interface of that LUID.
    [PASSIVE..=PASSIVE] fn NdisIfGetInterfaceIndexFromNetLuid(
        NetLuid: NET_LUID,
        pIfIndex: *mut NET_IFINDEX,
    ) -> NDIS_STATUS {
        let Some(index) = index_of(NetLuid.Value) else {
            return NDIS_STATUS_INTERFACE_NOT_FOUND;
        };
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { pIfIndex.write(index) };
        NDIS_STATUS_SUCCESS
    }

    /// The LUID of the interface of that index.
    [PASSIVE..=PASSIVE] fn NdisIfGetNetLuidFromInterfaceIndex(
        ifIndex: NET_IFINDEX,
        pNetLuid: *mut NET_LUID,
    ) -> NDIS_STATUS {
        let Some(luid) = luid_of(ifIndex) else {
            return NDIS_STATUS_INTERFACE_NOT_FOUND;
        };
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { pNetLuid.write(NET_LUID_LH { Value: luid }) };
        NDIS_STATUS_SUCCESS
    }

    /// The interface that a binding is to, and the lowest one below it.
    [PASSIVE..=PASSIVE] fn NdisIfQueryBindingIfIndex(
        NdisBindingHandle: NDIS_HANDLE,
        pBoundIfIndex: *mut NET_IFINDEX,
        pBoundIfNetLuid: *mut NET_LUID,
        pLowestIfIndex: *mut NET_IFINDEX,
        pLowestIfNetLuid: *mut NET_LUID,
    ) -> NDIS_STATUS {
        let binding = resolve::<Binding>(NdisBindingHandle, "NdisIfQueryBindingIfIndex");
        let (index, luid) = (binding.adapter().index(), binding.adapter().luid());
        for (at, value) in [(pBoundIfIndex, index), (pLowestIfIndex, index)] {
            // SAFETY: the document makes it a pointer to the caller's variable.
            unsafe { at.write(value) };
        }
        for (at, value) in [(pBoundIfNetLuid, luid), (pLowestIfNetLuid, luid)] {
            // SAFETY: as above.
            unsafe { at.write(value) };
        }
        NDIS_STATUS_SUCCESS
    }
}

/// An index that no interface has had.
pub(crate) fn next_index() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Table {
    /// Whether `higher` is `lower`, or lies on it, over any number of others.
    fn lies_on(&self, higher: u32, lower: u32) -> bool {
        higher == lower
            || self
                .stack
                .range((higher, 0)..=(higher, u32::MAX))
                .any(|&(_, below)| self.lies_on(below, lower))
    }
}

fn luid_of(index: u32) -> Option<u64> {
    let registered = TABLE.lock().interfaces.get(&index).map(|(luid, _)| *luid);
    registered.or_else(|| {
        let adapters = pnp::adapters();
        let adapter = adapters.iter().find(|adapter| adapter.index() == index)?;
        Some(adapter.luid().Value)
    })
}

fn index_of(luid: u64) -> Option<u32> {
    let registered = {
        let table = TABLE.lock();
        let mut all = table.interfaces.iter();
        all.find(|(_, (other, _))| *other == luid)
            .map(|(index, _)| *index)
    };
    registered.or_else(|| {
        let adapters = pnp::adapters();
        let adapter = adapters
            .iter()
            .find(|adapter| adapter.luid().Value == luid)?;
        Some(adapter.index())
    })
}

/// NDIS's name for `STATUS_DUPLICATE_OBJECTID` of the `ntstatus` header.
const NDIS_STATUS_DUPLICATE_OBJECTID: NDIS_STATUS = 0xc000_022a_u32.cast_signed();
/// Indices below are NDIS's own, of adapters.
const FIRST_LUID: u32 = 0x8000;

static TABLE: Monitor<Table> = Monitor::new(Table {
    interfaces: BTreeMap::new(),
    stack: BTreeSet::new(),
    luids: BTreeSet::new(),
});

#[cfg(test)]
mod tests {
    use std::ffi::c_void;
    use std::ptr;

    use ndis_sys::{NDIS_OBJECT_HEADER, NDIS_OID};

    use super::*;
    use crate::rules::testing::assert_broken;

    unsafe extern "efiapi" fn query(
        _context: NDIS_HANDLE,
        _oid: NDIS_OID,
        _length: *mut u32,
        _buffer: *mut c_void,
    ) -> NDIS_STATUS {
        NDIS_STATUS_NOT_SUPPORTED
    }

    unsafe extern "efiapi" fn set(
        _context: NDIS_HANDLE,
        _oid: NDIS_OID,
        _length: u32,
        _buffer: *mut c_void,
    ) -> NDIS_STATUS {
        NDIS_STATUS_NOT_SUPPORTED
    }

    fn provider() -> NDIS_HANDLE {
        let mut given = NDIS_IF_PROVIDER_CHARACTERISTICS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_DEFAULT,
                NDIS_OBJECT_REVISION_1,
                NDIS_SIZEOF_IF_PROVIDER_CHARACTERISTICS_REVISION_1,
            ),
            QueryObjectHandler: Some(query),
            SetObjectHandler: Some(set),
            ..NDIS_IF_PROVIDER_CHARACTERISTICS::zeroed()
        };
        let mut handle = ptr::null_mut();
        // SAFETY: both live during the call.
        let status =
            unsafe { NdisIfRegisterProvider(&raw mut given, ptr::null_mut(), &raw mut handle) };
        assert_eq!(status, NDIS_STATUS_SUCCESS);
        handle
    }

    fn interface(provider: NDIS_HANDLE) -> (NDIS_STATUS, NET_LUID, u32) {
        let mut luid_index = 0;
        // SAFETY: the variable lives during the call.
        let status = unsafe { NdisIfAllocateNetLuidIndex(6, &raw mut luid_index) };
        assert_eq!(status, NDIS_STATUS_SUCCESS);
        let mut luid = NET_LUID_LH::zeroed();
        luid.set_NetLuidIndex(luid_index.into());
        luid.set_IfType(6);
        let (status, index) = register(provider, luid);
        (status, luid, index)
    }

    fn register(provider: NDIS_HANDLE, luid: NET_LUID) -> (NDIS_STATUS, u32) {
        let mut information = NET_IF_INFORMATION {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_DEFAULT,
                NDIS_OBJECT_REVISION_1,
                NDIS_SIZEOF_NET_IF_INFORMATION_REVISION_1,
            ),
            ..NET_IF_INFORMATION::zeroed()
        };
        let mut index = 0;
        let context = ptr::null_mut();
        // SAFETY: all live during the call.
        let status = unsafe {
            NdisIfRegisterInterface(
                provider,
                luid,
                context,
                &raw mut information,
                &raw mut index,
            )
        };
        (status, index)
    }

    fn add(higher: u32, lower: u32) -> NDIS_STATUS {
        // SAFETY: the function has no requirement on numbers.
        unsafe { NdisIfAddIfStackEntry(higher, lower) }
    }

    #[test]
    fn interfaces_are_found_by_luid_and_index_until_they_are_deregistered() {
        let provider = provider();
        let (status, luid, index) = interface(provider);
        assert_eq!(status, NDIS_STATUS_SUCCESS);
        assert_eq!(register(provider, luid).0, NDIS_STATUS_DUPLICATE_OBJECTID);
        assert_eq!(
            (index_of(luid.Value), luid_of(index)),
            (Some(index), Some(luid.Value))
        );
        // SAFETY: the interface is registered.
        unsafe { NdisIfDeregisterInterface(index) };
        assert_eq!((index_of(luid.Value), luid_of(index)), (None, None));
        let luid_index = luid.NetLuidIndex() as u32;
        // SAFETY: the function has no requirement on numbers.
        let status = unsafe { NdisIfFreeNetLuidIndex(6, luid_index) };
        assert_eq!(status, NDIS_STATUS_SUCCESS);
        // SAFETY: the provider has no interface left.
        unsafe { NdisIfDeregisterProvider(provider) };
    }

    #[test]
    fn the_stack_takes_interfaces_that_are_there() {
        let provider = provider();
        let (_, _, lower) = interface(provider);
        let (_, _, higher) = interface(provider);
        assert_eq!(add(higher, lower), NDIS_STATUS_SUCCESS);
        assert_eq!(add(higher, 0), NDIS_STATUS_INTERFACE_NOT_FOUND);
        // SAFETY: the function has no requirement on numbers.
        let delete = || unsafe { NdisIfDeleteIfStackEntry(higher, lower) };
        assert_eq!(delete(), NDIS_STATUS_SUCCESS);
        assert_eq!(delete(), NDIS_STATUS_INTERFACE_NOT_FOUND);
    }

    #[test]
    fn a_loop_in_the_stack_breaks_its_rule() {
        assert_broken(
            &rules::NDIS_BUGCHECK_IF_STACK_TABLE_LOOP,
            &["lies on it"],
            || {
                let provider = provider();
                let [a, b, c] = [(); 3].map(|()| interface(provider).2);
                add(a, b);
                add(b, c);
                add(c, a)
            },
        );
    }

    #[test]
    fn a_provider_that_leaves_interfaces_breaks_its_rule() {
        assert_broken(
            &rules::NDIS_BUGCHECK_IF_PROVIDER_DEREGISTER_UNEXPECTED,
            &["1 interfaces"],
            || {
                let provider = provider();
                interface(provider);
                // SAFETY: what is left is found first.
                unsafe { NdisIfDeregisterProvider(provider) };
            },
        );
    }
}
