//! Receive side scaling of the built-in NIC: what it says of it, what is set, and the hash beside a frame.
//!
//! The frames of every queue are indicated by one thread: what scales is up to whoever reads the hash.

use ndis_sys::{
    NDIS_HASH_FUNCTION_MASK, NDIS_HASH_IPV4, NDIS_HASH_TCP_IPV4, NDIS_OBJECT_HEADER,
    NDIS_OBJECT_TYPE_RSS_CAPABILITIES, NDIS_OBJECT_TYPE_RSS_PARAMETERS,
    NDIS_RECEIVE_SCALE_CAPABILITIES, NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_2,
    NDIS_RECEIVE_SCALE_PARAMETERS, NDIS_RECEIVE_SCALE_PARAMETERS_REVISION_2,
    NDIS_RSS_HASH_SECRET_KEY_SIZE_REVISION_1, NDIS_RSS_PARAM_FLAG_DISABLE_RSS,
    NDIS_RSS_PARAM_FLAG_HASH_INFO_UNCHANGED, NDIS_RSS_PARAM_FLAG_HASH_KEY_UNCHANGED,
    NDIS_RSS_PARAM_FLAG_ITABLE_UNCHANGED, NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_2,
    NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_2, NDIS_STATUS, NDIS_STATUS_INVALID_DATA,
    NDIS_STATUS_INVALID_LENGTH, NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_SUCCESS, PROCESSOR_NUMBER,
};

use super::Nic;

/// What a NIC's receive side scaling can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalingCapabilities {
    /// `NDIS_RSS_CAPS_*`, and the hash function.
    pub flags: u32,
    /// Receive queues.
    pub queues: u32,
    /// The most entries of an indirection table.
    pub table_entries: u16,
}

/// What was set of a NIC's receive side scaling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaling {
    /// Hash function and types.
    pub hash_information: u32,
    /// The indirection table, `PROCESSOR_NUMBER`s.
    pub table: Vec<u8>,
    /// The secret key.
    pub key: Vec<u8>,
}

impl ScalingCapabilities {
    pub(super) fn structure(self) -> NDIS_RECEIVE_SCALE_CAPABILITIES {
        let mut capabilities = NDIS_RECEIVE_SCALE_CAPABILITIES::zeroed();
        capabilities.Header = NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_RSS_CAPABILITIES,
            NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_2,
            NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_2,
        );
        capabilities.CapabilitiesFlags = self.flags;
        capabilities.NumberOfInterruptMessages = self.queues;
        capabilities.NumberOfReceiveQueues = self.queues;
        capabilities.NumberOfIndirectionTableEntries = self.table_entries;
        capabilities
    }
}

impl Nic {
    /// What was set of its receive side scaling; `None` while that is off.
    pub fn scaling(&self) -> Option<Scaling> {
        self.state.lock().scaling.clone()
    }

    /// How often it was set or switched off.
    pub fn scaling_sets(&self) -> u64 {
        self.state.lock().scaling_sets
    }

    /// `OID_GEN_RECEIVE_SCALE_PARAMETERS`.
    pub(super) fn set_scaling(&self, input: &[u8]) -> NDIS_STATUS {
        let Some(capabilities) = self.config.scaling else {
            return NDIS_STATUS_NOT_SUPPORTED;
        };
        let mut state = self.state.lock();
        let scaling = match read(capabilities, input, state.scaling.as_ref()) {
            Ok(scaling) => scaling,
            Err(status) => return status,
        };
        state.scaling = scaling;
        state.scaling_sets += 1;
        NDIS_STATUS_SUCCESS
    }

    /// The hash type and function, and the hash, of a frame that has no tag in it.
    pub(super) fn hash(&self, frame: &[u8]) -> Option<(u32, u32)> {
        let state = self.state.lock();
        let scaling = state.scaling.as_ref()?;
        hash(scaling, frame)
    }
}

/// What is set by `input`, which must be right in all that the document demands. `None`: scaling is off.
fn read(
    capabilities: ScalingCapabilities,
    input: &[u8],
    before: Option<&Scaling>,
) -> Result<Option<Scaling>, NDIS_STATUS> {
    if input.len() < usize::from(NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_2) {
        return Err(NDIS_STATUS_INVALID_LENGTH);
    }
    let mut given = NDIS_RECEIVE_SCALE_PARAMETERS::zeroed();
    let length = input.len().min(size_of_val(&given));
    // SAFETY: both have as many bytes, and any bytes are parameters.
    unsafe { std::ptr::copy_nonoverlapping(input.as_ptr(), (&raw mut given).cast(), length) };
    let header = given.Header;
    if header.Type != NDIS_OBJECT_TYPE_RSS_PARAMETERS
        || header.Revision < NDIS_RECEIVE_SCALE_PARAMETERS_REVISION_2
        || header.Size < NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_2
        || usize::from(header.Size) > input.len()
    {
        return Err(NDIS_STATUS_INVALID_DATA);
    }
    let has = |flag| given.Flags & flag != 0;
    if has(NDIS_RSS_PARAM_FLAG_DISABLE_RSS) {
        return Ok(None);
    }
    let before = || before.cloned().ok_or(NDIS_STATUS_INVALID_DATA);
    let array = |offset: u32, size: u16| {
        let (start, size) = (offset as usize, usize::from(size));
        let behind = start >= usize::from(header.Size);
        let array = input.get(start..start + size).filter(|_| behind);
        array.map(<[u8]>::to_vec).ok_or(NDIS_STATUS_INVALID_DATA)
    };
    let hash_information = if has(NDIS_RSS_PARAM_FLAG_HASH_INFO_UNCHANGED) {
        before()?.hash_information
    } else {
        given.HashInformation
    };
    if hash_information & NDIS_HASH_FUNCTION_MASK == 0 {
        return Ok(None);
    }
    let table = if has(NDIS_RSS_PARAM_FLAG_ITABLE_UNCHANGED) {
        before()?.table
    } else {
        array(given.IndirectionTableOffset, given.IndirectionTableSize)?
    };
    let key = if has(NDIS_RSS_PARAM_FLAG_HASH_KEY_UNCHANGED) {
        before()?.key
    } else {
        array(given.HashSecretKeyOffset, given.HashSecretKeySize)?
    };
    let entries = table.len() / size_of::<PROCESSOR_NUMBER>();
    let right = entries.is_power_of_two()
        && table.len() % size_of::<PROCESSOR_NUMBER>() == 0
        && entries <= usize::from(capabilities.table_entries)
        && key.len() == usize::from(NDIS_RSS_HASH_SECRET_KEY_SIZE_REVISION_1);
    let scaling = Scaling {
        hash_information,
        table,
        key,
    };
    right
        .then_some(Some(scaling))
        .ok_or(NDIS_STATUS_INVALID_DATA)
}

/// Over addresses and ports of a TCP segment, over the addresses of any other IPv4 packet.
fn hash(scaling: &Scaling, frame: &[u8]) -> Option<(u32, u32)> {
    let packet = frame.get(14..).filter(|_| frame[12..14] == [0x08, 0x00])?;
    let addresses = packet.get(12..20)?;
    let ports_at = usize::from(packet[0] & 0xf) * 4;
    let ports = packet.get(ports_at..ports_at + 4);
    // No fragment of a segment has all its ports.
    let is_tcp = packet[9] == 6 && packet[6] & 0x3f == 0 && packet[7] == 0;
    let wants = |kind| scaling.hash_information & kind != 0;
    let (kind, input) = match ports {
        Some(ports) if is_tcp && wants(NDIS_HASH_TCP_IPV4) => {
            (NDIS_HASH_TCP_IPV4, [addresses, ports].concat())
        }
        _ if wants(NDIS_HASH_IPV4) => (NDIS_HASH_IPV4, addresses.to_vec()),
        _ => return None,
    };
    let function = scaling.hash_information & NDIS_HASH_FUNCTION_MASK;
    Some((kind | function, toeplitz(&scaling.key, &input)))
}

/// The Toeplitz hash ("RSS Hashing Functions"): the key's window at each bit of the input that is one.
fn toeplitz(key: &[u8], input: &[u8]) -> u32 {
    let window = |bit: usize| {
        let bytes = key.iter().skip(bit / 8).chain(&[0; 5]).take(5);
        let five = bytes.fold(0_u64, |five, byte| five << 8 | u64::from(*byte));
        (five >> (8 - bit % 8)) as u32
    };
    let bits = (0..input.len() * 8).filter(|bit| input[bit / 8] & (0x80 >> (bit % 8)) != 0);
    bits.fold(0, |hash, bit| hash ^ window(bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Verifying the RSS Hash Calculation": 66.9.149.187:2794 to 161.142.100.80:1766.
    #[test]
    fn the_hash_is_that_of_the_documents_example() {
        let key = [
            0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
            0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
            0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
        ];
        let addresses = [66, 9, 149, 187, 161, 142, 100, 80];
        assert_eq!(toeplitz(&key, &addresses), 0x323e_8fc2);
        let ports = [2794_u16.to_be_bytes(), 1766_u16.to_be_bytes()].concat();
        let input = [&addresses[..], &ports].concat();
        assert_eq!(toeplitz(&key, &input), 0x51cc_c178);
    }
}
