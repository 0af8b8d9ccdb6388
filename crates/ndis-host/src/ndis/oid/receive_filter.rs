//! Receive filters of the default queue: NDIS checks what a protocol asks for, gives each filter its
//! number, and knows whose it is.
//!
//! Only filters for an address in a VLAN are known, which is what VMQ filters test
//! (setting-a-vmq-filter.md). Not in here: queues, virtual ports, packet coalescing.

use ndis_sys::{
    NDIS_DEFAULT_RECEIVE_QUEUE_ID, NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT,
    NDIS_OID_REQUEST_METHOD, NDIS_RECEIVE_FILTER_CLEAR_PARAMETERS,
    NDIS_RECEIVE_FILTER_CLEAR_PARAMETERS_REVISION_1,
    NDIS_RECEIVE_FILTER_FIELD_MAC_HEADER_VLAN_UNTAGGED_OR_ZERO,
    NDIS_RECEIVE_FILTER_FIELD_PARAMETERS, NDIS_RECEIVE_FILTER_FIELD_PARAMETERS_REVISION_1,
    NDIS_RECEIVE_FILTER_PARAMETERS, NDIS_RECEIVE_FILTER_PARAMETERS_REVISION_1,
    NDIS_RECEIVE_FILTER_PARAMETERS_REVISION_2,
    NDIS_SIZEOF_RECEIVE_FILTER_CLEAR_PARAMETERS_REVISION_1,
    NDIS_SIZEOF_RECEIVE_FILTER_FIELD_PARAMETERS_REVISION_1,
    NDIS_SIZEOF_RECEIVE_FILTER_PARAMETERS_REVISION_1,
    NDIS_SIZEOF_RECEIVE_FILTER_PARAMETERS_REVISION_2, NDIS_STATUS, NDIS_STATUS_INVALID_LENGTH,
    NDIS_STATUS_INVALID_PARAMETER, NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_SUCCESS,
    NdisFrameHeaderMac, NdisMacHeaderFieldDestinationAddress, NdisMacHeaderFieldVlanId,
    NdisReceiveFilterTestEqual, NdisReceiveFilterTypeVMQueue, OID_RECEIVE_FILTER_SET_FILTER,
};

use super::queue::{Entry, Own, Source};
use super::request::Request;
use crate::ndis::binding::Binding;
use crate::ndis::ethernet::ReceiveFilter;
use crate::ndis::header;

/// What the miniport gets for OID_RECEIVE_FILTER_SET_FILTER: the same with a number.
pub(super) fn set(binding: &'static Binding, request: Request) -> Result<Entry, NDIS_STATUS> {
    if binding
        .adapter()
        .with_attributes(|attributes| attributes.receive_filters.is_none())
    {
        return Err(NDIS_STATUS_NOT_SUPPORTED);
    }
    let buffer = request.method_input();
    let mut filter = parse(&buffer)?;
    if filter.id != 0 {
        return Err(NDIS_STATUS_INVALID_PARAMETER);
    }
    let mut own = Own::new(request.kind(), OID_RECEIVE_FILTER_SET_FILTER, buffer);
    let length = own.buffer.len() as u32;
    own.request.DATA.METHOD_INFORMATION = NDIS_OID_REQUEST_METHOD {
        Oid: OID_RECEIVE_FILTER_SET_FILTER,
        InformationBuffer: own.buffer.as_mut_ptr().cast(),
        InputBufferLength: length,
        OutputBufferLength: length,
        MethodId: 0,
        BytesWritten: 0,
        BytesRead: 0,
        BytesNeeded: 0,
    };
    let source = Source::Binding(binding, request);
    let entry = Entry::translated(own, source, move |status, own| {
        if status == NDIS_STATUS_SUCCESS {
            let id = own.buffer[FILTER_ID..].first_chunk();
            filter.id = id.map_or(0, |id| u32::from_le_bytes(*id));
            binding.change_filter(|current| current.receive.push(filter));
            request.answer_method(&own.buffer);
        }
        status
    });
    Ok(entry.at_its_turn(move |own| {
        own.buffer[FILTER_ID..FILTER_ID + 4].copy_from_slice(&number(binding).to_le_bytes());
    }))
}

/// What the miniport gets for OID_RECEIVE_FILTER_CLEAR_FILTER: the same, of a filter that the binding has.
pub(super) fn clear(
    binding: &'static Binding,
    request: Request,
    input: &[u8],
) -> Result<Entry, NDIS_STATUS> {
    let id = cleared(input)?;
    let filter = binding.filter();
    if !filter.receive.iter().any(|filter| filter.id == id) {
        return Err(NDIS_STATUS_INVALID_PARAMETER);
    }
    let own = Own::new(request.kind(), request.oid(), input.to_vec());
    let taken = input.len() as u32;
    let source = Source::Binding(binding, request);
    Ok(Entry::translated(own, source, move |status, _| {
        binding.change_filter(|current| current.receive.retain(|filter| filter.id != id));
        if status == NDIS_STATUS_SUCCESS {
            request.set_counts(taken, 0);
        }
        status
    }))
}

/// The filter that a buffer of OID_RECEIVE_FILTER_SET_FILTER describes.
///
/// # Errors
/// What is to be answered if it is wrong, or asks for more than an address in a VLAN.
pub(crate) fn parse(buffer: &[u8]) -> Result<ReceiveFilter, NDIS_STATUS> {
    let parameters: NDIS_RECEIVE_FILTER_PARAMETERS = read(buffer, 0)?;
    let revisions = [
        (
            NDIS_RECEIVE_FILTER_PARAMETERS_REVISION_1,
            NDIS_SIZEOF_RECEIVE_FILTER_PARAMETERS_REVISION_1,
        ),
        (
            NDIS_RECEIVE_FILTER_PARAMETERS_REVISION_2,
            NDIS_SIZEOF_RECEIVE_FILTER_PARAMETERS_REVISION_2,
        ),
    ];
    require(valid(&parameters.Header, &revisions))?;
    let offset = parameters.FieldParametersArrayOffset as usize;
    let size = parameters.FieldParametersArrayElementSize as usize;
    require(parameters.Flags == 0 && parameters.RequestedFilterIdBitCount == 0)?;
    require(parameters.FilterType == NdisReceiveFilterTypeVMQueue)?;
    require(parameters.QueueId == NDIS_DEFAULT_RECEIVE_QUEUE_ID)?;
    require(size >= size_of::<NDIS_RECEIVE_FILTER_FIELD_PARAMETERS>() && offset.is_multiple_of(8))?;
    let (mut mac, mut vlan, mut untagged) = (None, None, false);
    for index in 0..parameters.FieldParametersArrayNumElements as usize {
        let place = index
            .checked_mul(size)
            .and_then(|it| it.checked_add(offset));
        let place = place.ok_or(NDIS_STATUS_INVALID_PARAMETER)?;
        let test: NDIS_RECEIVE_FILTER_FIELD_PARAMETERS = read(buffer, place)?;
        let revision = (
            NDIS_RECEIVE_FILTER_FIELD_PARAMETERS_REVISION_1,
            NDIS_SIZEOF_RECEIVE_FILTER_FIELD_PARAMETERS_REVISION_1,
        );
        require(valid(&test.Header, &[revision]))?;
        require(test.FrameHeader == NdisFrameHeaderMac)?;
        require(test.ReceiveFilterTest == NdisReceiveFilterTestEqual)?;
        let value = test.FieldValue[0].to_le_bytes();
        match test.HeaderField {
            NdisMacHeaderFieldDestinationAddress if mac.is_none() => {
                untagged =
                    test.Flags & NDIS_RECEIVE_FILTER_FIELD_MAC_HEADER_VLAN_UNTAGGED_OR_ZERO != 0;
                mac = value.first_chunk::<6>().copied();
            }
            NdisMacHeaderFieldVlanId if vlan.is_none() => {
                require(test.Flags == 0)?;
                vlan = Some(u16::from_le_bytes([value[0], value[1]]));
            }
            _ => return Err(NDIS_STATUS_INVALID_PARAMETER),
        }
    }
    let mac = mac.ok_or(NDIS_STATUS_INVALID_PARAMETER)?;
    // With neither a VLAN nor the flag, tags would have to go beside the frames.
    let vlan = match (vlan, untagged) {
        (Some(vlan @ 1..=4094), false) => vlan,
        (None, true) => 0,
        _ => return Err(NDIS_STATUS_INVALID_PARAMETER),
    };
    require(mac[0] & 1 == 0)?;
    Ok(ReceiveFilter {
        id: parameters.FilterId,
        mac,
        vlan,
    })
}

/// The number of the filter that a buffer of OID_RECEIVE_FILTER_CLEAR_FILTER names.
///
/// # Errors
/// What is to be answered if it is wrong.
pub(crate) fn cleared(input: &[u8]) -> Result<u32, NDIS_STATUS> {
    let parameters: NDIS_RECEIVE_FILTER_CLEAR_PARAMETERS = read(input, 0)?;
    let revision = (
        NDIS_RECEIVE_FILTER_CLEAR_PARAMETERS_REVISION_1,
        NDIS_SIZEOF_RECEIVE_FILTER_CLEAR_PARAMETERS_REVISION_1,
    );
    require(valid(&parameters.Header, &[revision]))?;
    require(parameters.Flags == 0 && parameters.QueueId == NDIS_DEFAULT_RECEIVE_QUEUE_ID)?;
    Ok(parameters.FilterId)
}

/// The lowest number that no filter of the adapter has; 0 is none.
fn number(binding: &Binding) -> u32 {
    let bindings = binding.adapter().bindings();
    let used: Vec<u32> = bindings
        .iter()
        .flat_map(|binding| binding.filter().receive)
        .map(|filter| filter.id)
        .collect();
    (1..)
        .find(|id| !used.contains(id))
        .expect("there are fewer filters than numbers")
}

fn valid(head: &NDIS_OBJECT_HEADER, revisions: &[(u8, u16)]) -> bool {
    header::valid(head, NDIS_OBJECT_TYPE_DEFAULT, revisions)
}

fn require(holds: bool) -> Result<(), NDIS_STATUS> {
    holds.then_some(()).ok_or(NDIS_STATUS_INVALID_PARAMETER)
}

/// A structure of integers at a place in a buffer.
fn read<T: Copy>(buffer: &[u8], place: usize) -> Result<T, NDIS_STATUS> {
    let bytes = buffer.get(place..).filter(|it| it.len() >= size_of::<T>());
    let bytes = bytes.ok_or(NDIS_STATUS_INVALID_LENGTH)?;
    // SAFETY: there are enough bytes, and any bytes are integers.
    Ok(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
}

const FILTER_ID: usize = std::mem::offset_of!(NDIS_RECEIVE_FILTER_PARAMETERS, FilterId);

#[cfg(test)]
mod tests {
    use super::*;

    /// A filter for 02-00-00-00-00-03 in VLAN 10, as the documents lay it out.
    fn filter() -> Vec<u8> {
        let mut bytes = vec![0; 160];
        let mut put = |place: usize, value: u32| {
            bytes[place..place + 4].copy_from_slice(&value.to_le_bytes());
        };
        put(0, 0x002c_0280);
        put(8, 1);
        put(20, 48);
        put(24, 2);
        put(28, 56);
        for (place, field, value) in [(48, 1, 2), (104, 4, 10)] {
            put(place, 0x0038_0180);
            put(place + 8, 1);
            put(place + 12, 1);
            put(place + 16, field);
            put(place + 24, value);
        }
        bytes[48 + 24 + 5] = 3;
        bytes
    }

    #[test]
    fn a_filter_for_an_address_in_a_vlan_is_understood() {
        let expected = ReceiveFilter {
            id: 0,
            mac: [2, 0, 0, 0, 0, 3],
            vlan: 10,
        };
        assert_eq!(parse(&filter()), Ok(expected));
    }

    #[test]
    fn what_is_wrong_or_too_short_is_refused() {
        for length in 0..160 {
            assert_eq!(
                parse(&filter()[..length]),
                Err(NDIS_STATUS_INVALID_LENGTH),
                "{length}"
            );
        }
        // (place, byte): type, queue, filter type, offset, size, header, test, field, group, VLAN.
        let wrong = [
            (0, 0),
            (12, 1),
            (8, 2),
            (20, 49),
            (28, 55),
            (56, 2),
            (60, 2),
            (64, 2),
            (72, 3),
            (128, 0),
        ];
        for (place, byte) in wrong {
            let mut bytes = filter();
            bytes[place] = byte;
            assert!(parse(&bytes).is_err(), "{place}");
        }
    }
}
