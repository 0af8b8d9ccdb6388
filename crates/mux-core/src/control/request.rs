//! Requests: what the driver is asked.

use super::bytes::Filler;
use super::name::Name;
use super::{BufferTooSmall, Operation, RequestError, VERSION};
use crate::config::asked::Address;
use crate::wire::mac::MacAddress;
use crate::wire::vlan::VlanId;

/// A question to the driver. Whatever was decoded is checked: VLANs and addresses are ones that a
/// virtual miniport may have, names ones that a device may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// [`Operation::List`].
    List,
    /// [`Operation::Add`].
    Add {
        /// The NIC's device name, as in `AdapterName` of `ProtocolBindAdapterEx`.
        nic: Name<'a>,
        /// The virtual miniport's device name, as in `UpperBindings`.
        device: Name<'a>,
        /// Its VLAN.
        vlan: VlanId,
        /// Its address; `None`: one is derived.
        address: Option<MacAddress>,
    },
    /// [`Operation::Remove`].
    Remove {
        /// The virtual miniport's device name.
        device: Name<'a>,
    },
    /// [`Operation::Set`]. At least one is given.
    Set {
        /// The virtual miniport's device name.
        device: Name<'a>,
        /// Its new VLAN.
        vlan: Option<VlanId>,
        /// Its new address.
        address: Option<Address>,
    },
    /// [`Operation::Statistics`].
    Statistics {
        /// The virtual miniport's device name.
        device: Name<'a>,
    },
}

impl<'a> Request<'a> {
    /// What it asks for.
    pub const fn operation(&self) -> Operation {
        match self {
            Request::List => Operation::List,
            Request::Add { .. } => Operation::Add,
            Request::Remove { .. } => Operation::Remove,
            Request::Set { .. } => Operation::Set,
            Request::Statistics { .. } => Operation::Statistics,
        }
    }

    /// Reads the input of a device control request.
    ///
    /// # Errors
    /// [`RequestError`]; the caller ends the request with its [`status`](RequestError::status).
    pub fn decode(operation: Operation, input: &'a [u8]) -> Result<Self, RequestError> {
        let fields = Fields::decode(input)?;
        match (operation, fields) {
            (Operation::List, Fields::NONE) => Ok(Request::List),
            (
                Operation::Add,
                Fields {
                    nic: Some(nic),
                    device: Some(device),
                    vlan: Some(vlan),
                    address,
                },
            ) => Ok(Request::Add {
                nic,
                device,
                vlan,
                address: match address {
                    None => None,
                    Some(Address::Set(address)) => Some(address),
                    Some(Address::Derived) => return Err(RequestError::WrongFields),
                },
            }),
            (
                Operation::Set,
                Fields {
                    nic: None,
                    device: Some(device),
                    vlan,
                    address,
                },
            ) => match (vlan, address) {
                (None, None) => Err(RequestError::NothingToSet),
                _ => Ok(Request::Set {
                    device,
                    vlan,
                    address,
                }),
            },
            (
                Operation::Remove | Operation::Statistics,
                Fields {
                    nic: None,
                    device: Some(device),
                    vlan: None,
                    address: None,
                },
            ) => Ok(match operation {
                Operation::Remove => Request::Remove { device },
                _ => Request::Statistics { device },
            }),
            _ => Err(RequestError::WrongFields),
        }
    }

    /// Writes it to the start of `buffer` and gives its length in bytes, at most
    /// [`MAXIMUM_REQUEST_LENGTH`](super::MAXIMUM_REQUEST_LENGTH).
    ///
    /// # Errors
    /// [`BufferTooSmall`]; the buffer has nothing of use then.
    pub fn encode(&self, buffer: &mut [u8]) -> Result<usize, BufferTooSmall> {
        self.fields().encode(buffer)
    }

    fn fields(&self) -> Fields<'a> {
        match *self {
            Request::List => Fields::NONE,
            Request::Add {
                nic,
                device,
                vlan,
                address,
            } => Fields {
                nic: Some(nic),
                device: Some(device),
                vlan: Some(vlan),
                address: address.map(Address::Set),
            },
            Request::Set {
                device,
                vlan,
                address,
            } => Fields {
                nic: None,
                device: Some(device),
                vlan,
                address,
            },
            Request::Remove { device } | Request::Statistics { device } => Fields {
                device: Some(device),
                ..Fields::NONE
            },
        }
    }
}

/// What the layout can say, whatever the operation is.
#[derive(PartialEq)]
struct Fields<'a> {
    nic: Option<Name<'a>>,
    device: Option<Name<'a>>,
    vlan: Option<VlanId>,
    address: Option<Address>,
}

impl<'a> Fields<'a> {
    const NONE: Fields<'static> = Fields {
        nic: None,
        device: None,
        vlan: None,
        address: None,
    };

    fn decode(input: &'a [u8]) -> Result<Self, RequestError> {
        let length = input.len();
        // The version first: it says what the rest means.
        if let Some((version, _)) = input.split_first_chunk::<2>() {
            let version = u16::from_le_bytes(*version);
            if version != VERSION {
                return Err(RequestError::UnknownVersion { version });
            }
        }
        let (fixed, names) = input
            .split_first_chunk::<FIXED>()
            .ok_or(RequestError::TooShort { length })?;
        #[rustfmt::skip]
        let [_, _, f0, f1, l0, l1, l2, l3, v0, v1, n0, n1, d0, d1, z0, z1,
             a0, a1, a2, a3, a4, a5, z2, z3] = *fixed;
        let said = u32::from_le_bytes([l0, l1, l2, l3]);
        let nic_length = usize::from(u16::from_le_bytes([n0, n1]));
        let device_length = usize::from(u16::from_le_bytes([d0, d1]));
        let right = nic_length.checked_add(device_length) == Some(names.len())
            && usize::try_from(said) == Ok(length);
        let (nic, device) = names
            .split_at_checked(nic_length)
            .filter(|_| right)
            .ok_or(RequestError::WrongLength { length })?;

        let flags = u16::from_le_bytes([f0, f1]);
        let vlan = u16::from_le_bytes([v0, v1]);
        let address = MacAddress([a0, a1, a2, a3, a4, a5]);
        let unused = [z0, z1, z2, z3] != [0; 4]
            || flags & !(FLAG_VLAN | FLAG_ADDRESS | FLAG_DERIVED) != 0
            || (flags & FLAG_VLAN == 0 && vlan != 0)
            || (flags & FLAG_ADDRESS == 0 && address != MacAddress::ZERO);
        if unused {
            return Err(RequestError::WrongFields);
        }
        let vlan = match flags & FLAG_VLAN {
            0 => None,
            _ => Some(VlanId::new(u32::from(vlan)).map_err(RequestError::VlanId)?),
        };
        let address = match flags & (FLAG_ADDRESS | FLAG_DERIVED) {
            0 => None,
            FLAG_DERIVED => Some(Address::Derived),
            FLAG_ADDRESS if !address.usable_as_station() => {
                return Err(RequestError::Address(address));
            }
            FLAG_ADDRESS => Some(Address::Set(address)),
            _ => return Err(RequestError::WrongFields),
        };
        Ok(Fields {
            nic: name(nic)?,
            device: name(device)?,
            vlan,
            address,
        })
    }

    fn encode(&self, buffer: &mut [u8]) -> Result<usize, BufferTooSmall> {
        let bytes = |name: &Option<Name<'_>>| name.map_or(0, |name| name.byte_length());
        let (nic_length, device_length) = (bytes(&self.nic), bytes(&self.device));
        // Names have at most 520 bytes each: none of these is cut.
        let needed = FIXED
            .saturating_add(nic_length)
            .saturating_add(device_length);
        let (address_flag, address) = match self.address {
            None => (0, MacAddress::ZERO),
            Some(Address::Set(address)) => (FLAG_ADDRESS, address),
            Some(Address::Derived) => (FLAG_DERIVED, MacAddress::ZERO),
        };
        let flags = self.vlan.map_or(0, |_| FLAG_VLAN) | address_flag;
        let vlan = self.vlan.map_or(0, VlanId::get);

        let mut filler = Filler::new(buffer);
        let mut fill = || {
            filler.put(&VERSION.to_le_bytes())?;
            filler.put(&flags.to_le_bytes())?;
            filler.put(&(needed as u32).to_le_bytes())?;
            filler.put(&vlan.to_le_bytes())?;
            filler.put(&(nic_length as u16).to_le_bytes())?;
            filler.put(&(device_length as u16).to_le_bytes())?;
            filler.put(&[0; 2])?;
            filler.put(&address.octets())?;
            filler.put(&[0; 2])?;
            let names = [self.nic, self.device].into_iter().flatten();
            names
                .into_iter()
                .try_for_each(|name| filler.put_units(name.units()))
        };
        fill().map(|()| needed).ok_or(BufferTooSmall { needed })
    }
}

/// A name of no bytes is not given.
fn name(bytes: &[u8]) -> Result<Option<Name<'_>>, RequestError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    Name::of_bytes(bytes)
        .map(Some)
        .ok_or(RequestError::WrongName)
}

/// The bytes before the names.
pub(super) const FIXED: usize = 24;
const FLAG_VLAN: u16 = 1;
const FLAG_ADDRESS: u16 = 2;
const FLAG_DERIVED: u16 = 4;
