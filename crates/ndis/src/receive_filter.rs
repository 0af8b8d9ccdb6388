//! Receive filters of the adapter below: which addresses it lets in besides its own, each in its VLAN.
//!
//! They are set on the default queue, which every adapter with such filters has, and which no protocol
//! has to allocate. A filter tests the destination address and the VLAN; one for no VLAN lets in frames
//! without a tag or with VLAN id 0.
//!
//! Sources: OID_RECEIVE_FILTER_SET_FILTER, OID_RECEIVE_FILTER_CLEAR_FILTER, "Setting a VMQ Filter",
//! NDIS_RECEIVE_FILTER_FIELD_PARAMETERS.

use core::{mem, slice};

use ndis_sys as sys;

use crate::{mem::try_to_vec, oid::OwnRequest, status::Result};

/// What OID_RECEIVE_FILTER_SET_FILTER carries: one filter with up to two tests.
#[repr(C)]
struct Filter {
    parameters: sys::NDIS_RECEIVE_FILTER_PARAMETERS,
    /// The tests begin at a multiple of eight.
    padding: u32,
    tests: [sys::NDIS_RECEIVE_FILTER_FIELD_PARAMETERS; 2],
}

/// A request for a filter that lets in frames to `address` in a VLAN; 0 is none. Its answer has the
/// filter's [number](id_of).
///
/// # Errors
/// [`Status::RESOURCES`](crate::Status::RESOURCES).
pub fn set(vlan: u16, address: [u8; 6]) -> Result<OwnRequest> {
    let mut filter = Filter {
        parameters: sys::NDIS_RECEIVE_FILTER_PARAMETERS::zeroed(),
        padding: 0,
        tests: [sys::NDIS_RECEIVE_FILTER_FIELD_PARAMETERS::zeroed(); 2],
    };
    let parameters = &mut filter.parameters;
    parameters.Header = header(
        sys::NDIS_RECEIVE_FILTER_PARAMETERS_REVISION_2,
        sys::NDIS_SIZEOF_RECEIVE_FILTER_PARAMETERS_REVISION_2,
    );
    parameters.FilterType = sys::NdisReceiveFilterTypeVMQueue;
    parameters.QueueId = sys::NDIS_DEFAULT_RECEIVE_QUEUE_ID;
    parameters.VPortId = sys::NDIS_DEFAULT_VPORT_ID;
    parameters.FieldParametersArrayOffset = mem::offset_of!(Filter, tests) as u32;
    parameters.FieldParametersArrayElementSize =
        size_of::<sys::NDIS_RECEIVE_FILTER_FIELD_PARAMETERS>() as u32;
    let [on_address, on_vlan] = &mut filter.tests;
    let mut octets = [0; 8];
    octets[..6].copy_from_slice(&address);
    test(
        on_address,
        sys::NdisMacHeaderFieldDestinationAddress,
        u64::from_ne_bytes(octets),
    );
    let mut number = 1;
    if vlan == 0 {
        on_address.Flags = sys::NDIS_RECEIVE_FILTER_FIELD_MAC_HEADER_VLAN_UNTAGGED_OR_ZERO;
    } else {
        let [low, high] = vlan.to_ne_bytes();
        let value = u64::from_ne_bytes([low, high, 0, 0, 0, 0, 0, 0]);
        test(on_vlan, sys::NdisMacHeaderFieldVlanId, value);
        number = 2;
    }
    filter.parameters.FieldParametersArrayNumElements = number;
    let length = mem::offset_of!(Filter, tests)
        + number as usize * size_of::<sys::NDIS_RECEIVE_FILTER_FIELD_PARAMETERS>();
    let start = (&raw const filter).cast::<u8>();
    // SAFETY: the filter is longer than that, and all its bytes were zeroed before its fields were set.
    let bytes = unsafe { slice::from_raw_parts(start, length) };
    Ok(OwnRequest::method(
        sys::OID_RECEIVE_FILTER_SET_FILTER,
        try_to_vec(bytes)?,
    ))
}

/// OID_RECEIVE_FILTER_CLEAR_FILTER, a set request that carries [`clear`].
pub const OID_CLEAR: u32 = sys::OID_RECEIVE_FILTER_CLEAR_FILTER;

/// What clears a filter.
#[must_use]
pub fn clear(id: u32) -> [u8; 16] {
    let parameters = sys::NDIS_RECEIVE_FILTER_CLEAR_PARAMETERS {
        Header: header(
            sys::NDIS_RECEIVE_FILTER_CLEAR_PARAMETERS_REVISION_1,
            sys::NDIS_SIZEOF_RECEIVE_FILTER_CLEAR_PARAMETERS_REVISION_1,
        ),
        Flags: 0,
        QueueId: sys::NDIS_DEFAULT_RECEIVE_QUEUE_ID,
        FilterId: id,
    };
    // SAFETY: the structure is sixteen bytes of integers without padding.
    unsafe { mem::transmute(parameters) }
}

/// The number of the filter that a request of [`set`] has set, from its buffer.
#[must_use]
pub fn id_of(answer: &[u8]) -> Option<u32> {
    let place = mem::offset_of!(sys::NDIS_RECEIVE_FILTER_PARAMETERS, FilterId);
    let id = answer.get(place..)?.first_chunk().copied();
    id.map(u32::from_ne_bytes).filter(|id| *id != 0)
}

/// How many filters of this kind an adapter has.
pub(crate) fn number(capabilities: &sys::NDIS_RECEIVE_FILTER_CAPABILITIES) -> u32 {
    let fields = sys::NDIS_RECEIVE_FILTER_MAC_HEADER_DEST_ADDR_SUPPORTED
        | sys::NDIS_RECEIVE_FILTER_MAC_HEADER_VLAN_ID_SUPPORTED;
    let has = |word: u32, all: u32| word & all == all;
    let can = has(
        capabilities.EnabledFilterTypes,
        sys::NDIS_RECEIVE_FILTER_VMQ_FILTERS_ENABLED,
    ) && has(
        capabilities.SupportedFilterTests,
        sys::NDIS_RECEIVE_FILTER_TEST_HEADER_FIELD_EQUAL_SUPPORTED,
    ) && has(
        capabilities.SupportedHeaders,
        sys::NDIS_RECEIVE_FILTER_MAC_HEADER_SUPPORTED,
    ) && has(capabilities.SupportedMacHeaderFields, fields);
    if can {
        capabilities.MaxMacHeaderFilters
    } else {
        0
    }
}

fn test(
    place: &mut sys::NDIS_RECEIVE_FILTER_FIELD_PARAMETERS,
    field: sys::NDIS_MAC_HEADER_FIELD,
    value: u64,
) {
    place.Header = header(
        sys::NDIS_RECEIVE_FILTER_FIELD_PARAMETERS_REVISION_1,
        sys::NDIS_SIZEOF_RECEIVE_FILTER_FIELD_PARAMETERS_REVISION_1,
    );
    place.FrameHeader = sys::NdisFrameHeaderMac;
    place.ReceiveFilterTest = sys::NdisReceiveFilterTestEqual;
    place.HeaderField = field;
    place.FieldValue[0] = value;
}

const fn header(revision: u8, size: u16) -> sys::NDIS_OBJECT_HEADER {
    sys::NDIS_OBJECT_HEADER {
        Type: sys::NDIS_OBJECT_TYPE_DEFAULT,
        Revision: revision,
        Size: size,
    }
}
