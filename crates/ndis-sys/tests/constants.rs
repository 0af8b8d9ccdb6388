//! Holds every constant of the crate against the values that the public headers and the public
//! symbols of `ndis.sys` give (`data/constants.csv`).
//!
//! `NDIS_SIZEOF_*` are computed from the crate's own structures, so a wrong one also says that a
//! structure is wrong: that is the check of the filter structures, which no symbol table has.

use ndis_sys::declare::Constant;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn every_constant_has_its_documented_value() {
    let constants = constants();
    let wrong: Vec<String> = table()
        .filter_map(|(name, value)| {
            let Some(constant) = constants.get(name) else {
                return Some(format!("{name}: not in the crate"));
            };
            // Statuses are signed here and not in the table; both are the same 32 bits.
            let (ours, theirs) = (constant.value as u32, value as u32);
            (ours != theirs).then(|| format!("{name}: {ours:#x}, not {theirs:#x}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_constant_of_the_crate_is_in_the_table_or_excepted() {
    let in_table: BTreeSet<&str> = table().map(|(name, _)| name).collect();
    let missing: Vec<_> = constants()
        .into_keys()
        .filter(|name| !in_table.contains(name) && !NOT_IN_TABLE.contains(name))
        .collect();
    assert!(missing.is_empty(), "checked by no table: {missing:?}");
    let needless: Vec<_> = NOT_IN_TABLE
        .iter()
        .filter(|name| in_table.contains(*name))
        .collect();
    assert!(needless.is_empty(), "needlessly excepted: {needless:?}");
}

fn constants() -> BTreeMap<&'static str, &'static Constant> {
    let all: Vec<&Constant> = ndis_sys::CONSTANTS.iter().copied().flatten().collect();
    let by_name: BTreeMap<_, _> = all
        .iter()
        .map(|constant| (constant.name, *constant))
        .collect();
    assert_eq!(all.len(), by_name.len(), "two constants of one name");
    by_name
}

/// Names and values.
fn table() -> impl Iterator<Item = (&'static str, i64)> {
    include_str!("data/constants.csv")
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let [_group, name, value] = cells[..] else {
                panic!("not three cells: {line}");
            };
            (
                name,
                value
                    .parse()
                    .unwrap_or_else(|_| panic!("no number: {line}")),
            )
        })
}

/// Constants newer than the table, of other headers, or that are no C constant.
const NOT_IN_TABLE: &[&str] = &[
    "IF_MAX_PHYS_ADDRESS_LENGTH",
    "IF_TYPE_ETHERNET_CSMACD",
    "IF_TYPE_SOFTWARE_LOOPBACK",
    "NDIS_CONNECT_LINE_BASED",
    "NDIS_CONNECT_MESSAGE_BASED",
    "NDIS_IF_MAX_STRING_SIZE",
    "NDIS_INDICATE_ALL_NBLS",
    "NDIS_SIZEOF_IF_PROVIDER_CHARACTERISTICS_REVISION_1",
    "NDIS_LINK_SPEED_UNKNOWN",
    "NDIS_MAX_PHYS_ADDRESS_LENGTH",
    "NDIS_OFFLOAD_REVISION_6",
    "NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_6",
    "NDIS_UDP_SEGMENTATION_OFFLOAD_IPV4",
    "NDIS_UDP_SEGMENTATION_OFFLOAD_IPV6",
    "NET_BUFFER_LIST_POOL_FLAG_VERIFY",
    "NET_IF_COMPARTMENT_ID_PRIMARY",
    "NET_IF_COMPARTMENT_ID_UNSPECIFIED",
    // The kernel's own headers.
    "APC_LEVEL",
    "DISPATCH_LEVEL",
    "Executive",
    "FALSE",
    "HIGH_LEVEL",
    "HighPoolPriority",
    "KernelMode",
    "LowPoolPriority",
    "MDL_ALLOCATED_FIXED_SIZE",
    "MDL_ALLOCATED_MUST_SUCCEED",
    "MDL_MAPPED_TO_SYSTEM_VA",
    "MDL_NETWORK_HEADER",
    "MDL_PAGES_LOCKED",
    "MDL_PARTIAL",
    "MDL_PARTIAL_HAS_BEEN_MAPPED",
    "MDL_SOURCE_IS_NONPAGED_POOL",
    "MEMORY_ALLOCATION_ALIGNMENT",
    "MdlMappingNoExecute",
    "MmCached",
    "MmNonCached",
    "MmWriteCombined",
    "NormalPoolPriority",
    "PASSIVE_LEVEL",
    "RTL_REGISTRY_ABSOLUTE",
    "RTL_REGISTRY_SERVICES",
    "POOL_FLAG_CACHE_ALIGNED",
    "POOL_FLAG_NON_PAGED",
    "POOL_FLAG_NON_PAGED_EXECUTE",
    "POOL_FLAG_PAGED",
    "POOL_FLAG_RAISE_ON_FAILURE",
    "POOL_FLAG_UNINITIALIZED",
    "STATUS_ACCESS_DENIED",
    "STATUS_BUFFER_OVERFLOW",
    "STATUS_BUFFER_TOO_SMALL",
    "STATUS_CANCELLED",
    "STATUS_DELETE_PENDING",
    "STATUS_INSUFFICIENT_RESOURCES",
    "STATUS_INVALID_ACL",
    "STATUS_INVALID_DEVICE_REQUEST",
    "STATUS_INVALID_PARAMETER",
    "STATUS_INVALID_SECURITY_DESCR",
    "STATUS_INVALID_SID",
    "STATUS_NOT_IMPLEMENTED",
    "STATUS_NOT_SUPPORTED",
    "STATUS_NO_SUCH_DEVICE",
    "STATUS_OBJECT_NAME_COLLISION",
    "STATUS_OBJECT_NAME_INVALID",
    "STATUS_OBJECT_NAME_NOT_FOUND",
    "STATUS_OBJECT_PATH_NOT_FOUND",
    "STATUS_OBJECT_TYPE_MISMATCH",
    "STATUS_PENDING",
    "STATUS_SUCCESS",
    "STATUS_UNKNOWN_REVISION",
    "STATUS_UNSUCCESSFUL",
    "TRUE",
    "UserMode",
];
