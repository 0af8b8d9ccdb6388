//! From registry values to configuration: what is read where, and what happens to a bad value.
//!
//! A value that makes no sense never keeps the adapter below from working, nor the other virtual
//! miniports.

use alloc::vec::Vec;

use mux_core::{
    MacAddress, VlanId,
    config::{self, ConfigError, parse_network_address_bytes, parse_vlan_id},
};
use ndis::{
    Passive, Result,
    configuration::{Configuration, ReadAs, Value},
    string::ascii,
};

/// The value of a binding that names its virtual miniports, REG_MULTI_SZ.
const UPPER_BINDINGS: [u16; 13] = ascii(config::UPPER_BINDINGS);

/// The value of a virtual miniport that says its VLAN, REG_SZ or REG_DWORD.
const VLAN_ID: [u16; 6] = ascii(config::VLAN_ID);

/// What the registry says of one virtual miniport.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct MiniportConfig {
    pub(crate) vlan: VlanId,
    /// The address that an administrator set.
    pub(crate) address: Option<MacAddress>,
}

/// The device names of a binding's virtual miniports, as a REG_MULTI_SZ. Empty if there are none. What
/// cannot be used is told to `unused`.
pub(crate) fn upper_bindings(
    configuration: &mut Configuration<'_>,
    unused: impl FnOnce(&ConfigError),
    at: Passive<'_>,
) -> Result<Vec<u16>> {
    let Some(Value::MultiText(names)) =
        configuration.read(&UPPER_BINDINGS, ReadAs::MultiText, at)?
    else {
        return Ok(Vec::new());
    };
    if let Err(error) = config::check_upper_bindings(&names) {
        // What can be used of the list is used.
        unused(&error);
    }
    Ok(names)
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
    let address = match configuration
        .network_address(at)
        .map(parse_network_address_bytes)
    {
        None => None,
        Some(Ok(address)) => Some(address),
        Some(Err(error)) => {
            unused(&error);
            None
        }
    };
    Ok(Some(MiniportConfig { vlan, address }))
}
