//! From registry values to configuration: what is read where, and what happens to a bad value.
//!
//! A value that makes no sense never keeps the adapter below from working, nor the other virtual
//! miniports.

use alloc::vec::Vec;

use mux_core::{
    MacAddress, VlanId,
    config::{
        self, ConfigError,
        asked::{Address, Asked},
        is_blank, parse_network_address, parse_vlan_id,
        upper_bindings::{self, ChangeError, Changed, PartName},
    },
    wake::Allowed,
};
use ndis::{
    Passive, Result, Status,
    configuration::{Configuration, ReadAs, Value},
    mem::try_to_vec,
    string::ascii,
};

/// The value of a virtual miniport that says its VLAN, REG_SZ or REG_DWORD.
const VLAN_ID: [u16; 6] = ascii(config::VLAN_ID);

/// The value of a virtual miniport that says its address, REG_SZ.
const NETWORK_ADDRESS: [u16; 14] = ascii(config::NETWORK_ADDRESS);

/// The values of a virtual miniport that let it wake the computer, REG_SZ or REG_DWORD.
const WAKE_ON_PATTERN: [u16; 14] = ascii(config::WAKE_ON_PATTERN);
const WAKE_ON_MAGIC_PACKET: [u16; 18] = ascii(config::WAKE_ON_MAGIC_PACKET);

/// What the registry says of one virtual miniport.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct MiniportConfig {
    pub(crate) vlan: VlanId,
    /// The address that an administrator set.
    pub(crate) address: Option<MacAddress>,
    /// What it may wake the computer for.
    pub(crate) wake_up: Allowed,
}

/// The names of a binding's virtual miniports, as they stand in its values. Empty if there are none.
#[derive(Default)]
pub(crate) struct UpperBindings {
    parts: Vec<Vec<u16>>,
}

impl UpperBindings {
    /// Reads them. What cannot be used is told to `unused`. `known` is in how many values there were names
    /// when they were read last ([`extent`](Self::extent)).
    ///
    /// # Errors
    /// [`Status::RESOURCES`], or [`Status::FAILURE`] if one of those values does not come as a list now: NDIS
    /// says the same of a value that it cannot read and of one that is not there, and nothing may be taken
    /// down, or written over, because of the former.
    pub(crate) fn read(
        configuration: &mut Configuration<'_>,
        known: usize,
        unused: impl Fn(&ConfigError),
        at: Passive<'_>,
    ) -> Result<Self> {
        let mut parts = Vec::new();
        while let Some(name) = PartName::new(parts.len()) {
            let part = match configuration.read(name.units(), ReadAs::MultiText, at)? {
                Some(Value::MultiText(names)) => names,
                None if parts.len() >= known => break,
                _ if parts.len() < known => return Err(Status::FAILURE),
                _ => {
                    unused(&ConfigError::NotNames);
                    Vec::new()
                }
            };
            parts.try_reserve(1).map_err(|_| Status::RESOURCES)?;
            parts.push(part);
        }
        if let Err(error) = config::check_upper_bindings(&parts) {
            // What can be used of the list is used.
            unused(&error);
        }
        Ok(Self { parts })
    }

    /// In how many of the values there are names, or before others with names.
    pub(crate) fn extent(&self) -> usize {
        let has_names = |part: &Vec<u16>| part.iter().any(|unit| *unit != 0);
        self.parts
            .iter()
            .rposition(has_names)
            .map_or(0, |last| last.saturating_add(1))
    }

    /// The device names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &[u16]> {
        upper_bindings::names(&self.parts)
    }

    /// Writes the list with a name in it. It says which value to put back to undo that, if there was
    /// anything to write.
    ///
    /// # Errors
    /// [`Status::RESOURCES`] if there are too many or there is no memory, or what NDIS says: the list is as
    /// it was.
    pub(crate) fn add(
        &self,
        name: &[u16],
        configuration: &mut Configuration<'_>,
        at: Passive<'_>,
    ) -> Result<Option<Changed>> {
        let changed = upper_bindings::with_name(&self.parts, name).map_err(refused)?;
        let Some(changed) = changed else {
            return Ok(None);
        };
        let before = self.parts.get(changed.part).map_or(&[0][..], Vec::as_slice);
        let before = Changed {
            part: changed.part,
            value: try_to_vec(before)?,
        };
        Self::write(&changed, configuration, at)?;
        Ok(Some(before))
    }

    /// Writes the list without a name.
    ///
    /// # Errors
    /// [`Status::RESOURCES`], or what NDIS says: the list has the name still.
    pub(crate) fn remove(
        mut self,
        name: &[u16],
        configuration: &mut Configuration<'_>,
        at: Passive<'_>,
    ) -> Result {
        while let Some(changed) =
            upper_bindings::without_name(&self.parts, name).map_err(refused)?
        {
            Self::write(&changed, configuration, at)?;
            if let Some(part) = self.parts.get_mut(changed.part) {
                *part = changed.value;
            }
        }
        Ok(())
    }

    /// Writes one of the values.
    ///
    /// # Errors
    /// What NDIS says: it is as it was.
    pub(crate) fn write(
        changed: &Changed,
        configuration: &mut Configuration<'_>,
        at: Passive<'_>,
    ) -> Result {
        let name = PartName::new(changed.part).ok_or(Status::RESOURCES)?;
        configuration.write_multi_text(name.units(), &changed.value, at)
    }
}

/// Writes into the binding's configuration what is asked for a virtual miniport, from where it is read if
/// that does not come up before the binding ends. Needs no memory.
///
/// # Errors
/// What NDIS says.
pub(crate) fn write_asked(
    name: &[u16],
    asked: Asked,
    configuration: &mut Configuration<'_>,
    at: Passive<'_>,
) -> Result {
    configuration.write_terminated(name, asked.text().terminated(), at)
}

/// Reads what was asked for a virtual miniport and is not in its own configuration yet. The error of the
/// inner result is why it must not be initialised.
///
/// # Errors
/// [`Status::RESOURCES`].
pub(crate) fn read_asked(
    name: &[u16],
    configuration: &mut Configuration<'_>,
    at: Passive<'_>,
) -> Result<core::result::Result<Asked, ConfigError>> {
    Ok(match configuration.read(name, ReadAs::Text, at)? {
        None => Ok(Asked::default()),
        Some(Value::Text(text)) => Asked::parse(&text),
        Some(_) => Err(ConfigError::VlanIdNotNumber),
    })
}

/// Writes what was asked for into the virtual miniport's own configuration.
///
/// # Errors
/// What NDIS says.
pub(crate) fn write_own(
    asked: Asked,
    configuration: &mut Configuration<'_>,
    at: Passive<'_>,
) -> Result {
    if let Some(vlan) = asked.vlan {
        let (digits, first) = config::vlan_id_text(vlan);
        configuration.write_text(&VLAN_ID, digits.get(first..).unwrap_or_default(), at)?;
    }
    match asked.address {
        Some(Address::Set(address)) => {
            let digits = config::network_address_text(address);
            configuration.write_text(&NETWORK_ADDRESS, &digits, at)
        }
        // NDIS has no call that deletes a value. An empty one is like none.
        Some(Address::Derived) => configuration.write_text(&NETWORK_ADDRESS, &[], at),
        None => Ok(()),
    }
}

fn refused(error: ChangeError) -> Status {
    match error {
        ChangeError::Full | ChangeError::NoMemory => Status::RESOURCES,
        ChangeError::WrongName => Status::INVALID_PARAMETER,
    }
}

/// What the registry says of the virtual miniport that is being initialised. `None` if it must not be
/// initialised: in no VLAN at all it would see what is not for it. What cannot be used is told to
/// `unused`.
pub(crate) fn miniport(
    configuration: &mut Configuration<'_>,
    unused: impl Fn(&ConfigError),
    at: Passive<'_>,
) -> Result<Option<MiniportConfig>> {
    let vlan = match configuration.read(&VLAN_ID, ReadAs::Text, at)? {
        None => Ok(VlanId::NONE),
        Some(Value::Dword(number)) => parse_vlan_id(config::Value::Dword(number)),
        Some(Value::Text(text)) => parse_vlan_id(config::Value::Text(&text)),
        Some(Value::MultiText(_) | Value::Binary(_) | Value::Other) => {
            parse_vlan_id(config::Value::Text(&[]))
        }
    };
    let vlan = match vlan {
        Ok(vlan) => vlan,
        Err(error) => {
            unused(&error);
            return Ok(None);
        }
    };
    let address = match configuration.read(&NETWORK_ADDRESS, ReadAs::Text, at)? {
        None => Ok(None),
        Some(Value::Text(text)) if is_blank(&text) => Ok(None),
        Some(Value::Text(text)) => parse_network_address(&text).map(Some),
        Some(_) => Err(ConfigError::AddressNotHexadecimal),
    };
    let address = address.unwrap_or_else(|error| {
        unused(&error);
        None
    });
    let mut enabled = |name| {
        Ok(match configuration.read(name, ReadAs::Text, at)? {
            Some(Value::Dword(number)) => config::enables(config::Value::Dword(number)),
            Some(Value::Text(text)) => config::enables(config::Value::Text(&text)),
            None | Some(Value::MultiText(_) | Value::Binary(_) | Value::Other) => false,
        })
    };
    let wake_up = Allowed {
        pattern: enabled(&WAKE_ON_PATTERN[..])?,
        magic_packet: enabled(&WAKE_ON_MAGIC_PACKET[..])?,
    };
    Ok(Some(MiniportConfig {
        vlan,
        address,
        wake_up,
    }))
}
