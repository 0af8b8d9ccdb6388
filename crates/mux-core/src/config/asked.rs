//! What a program asked for a virtual miniport, until that has it in its own key.
//!
//! Its own key can be written only while it is being initialised, which may be much later, or never. Until
//! then what was asked for stands in the binding's key, in a REG_SZ that has the device's name: the VLAN in
//! decimal digits, a comma, the address in hexadecimal ones or `derived`. What was not asked for is left out,
//! so that `30,`, `30,02AABBCCDDEE`, `,02AABBCCDDEE` and `,derived` are possible.

use super::{
    ConfigError, Value, network_address_text, parse_network_address, parse_vlan_id, vlan_id_text,
};
use crate::wire::mac::MacAddress;
use crate::wire::vlan::VlanId;

/// What was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The VLAN.
    pub vlan: Option<VlanId>,
    /// The address.
    pub address: Option<Address>,
}

/// Which address is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// This one, which a virtual miniport may have.
    Set(MacAddress),
    /// The one that is derived where none is set.
    Derived,
}

/// As it is written.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    units: [u16; LONGEST],
    length: usize,
}

impl Asked {
    /// This, and of `others` what this does not say.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            vlan: self.vlan.or(others.vlan),
            address: self.address.or(others.address),
        }
    }

    /// As it is written.
    #[must_use]
    pub fn text(self) -> Text {
        let vlan = self.vlan.map(vlan_id_text);
        let vlan = vlan
            .iter()
            .flat_map(|(digits, first)| digits.iter().skip(*first));
        let (digits, word) = match self.address {
            None => (None, ""),
            Some(Address::Set(address)) => (Some(network_address_text(address)), ""),
            Some(Address::Derived) => (None, DERIVED),
        };
        let address = digits.into_iter().flatten().chain(word.encode_utf16());
        let parts = vlan.chain(&[COMMA]).copied().chain(address);
        let mut text = Text {
            units: [0; LONGEST],
            length: 0,
        };
        for (place, unit) in text.units.iter_mut().zip(parts) {
            *place = unit;
            text.length = text.length.saturating_add(1);
        }
        text
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// [`ConfigError`] for what [`text`](Self::text) does not write: the virtual miniport must not be
    /// initialised, because nobody knows in which VLAN.
    pub fn parse(text: &[u16]) -> Result<Self, ConfigError> {
        let mut parts = text.splitn(2, |unit| *unit == COMMA);
        let (Some(vlan), Some(address)) = (parts.next(), parts.next()) else {
            return Err(ConfigError::VlanIdNotNumber);
        };
        let said = |part: &[u16]| !part.is_empty();
        let vlan = Some(vlan).filter(|it| said(it));
        let address = Some(address).filter(|it| said(it));
        Ok(Self {
            vlan: vlan.map(|it| parse_vlan_id(Value::Text(it))).transpose()?,
            address: address.map(parse_address).transpose()?,
        })
    }
}

impl Text {
    /// Its UTF-16 units.
    #[must_use]
    pub fn units(&self) -> &[u16] {
        self.units.get(..self.length).unwrap_or_default()
    }

    /// The same and a NUL.
    #[must_use]
    pub fn terminated(&self) -> &[u16] {
        let length = self.length.saturating_add(1);
        self.units.get(..length).unwrap_or_default()
    }
}

fn parse_address(text: &[u16]) -> Result<Address, ConfigError> {
    if text.iter().copied().eq(DERIVED.encode_utf16()) {
        return Ok(Address::Derived);
    }
    parse_network_address(text).map(Address::Set)
}

const COMMA: u16 = b',' as u16;
const DERIVED: &str = "derived";

/// Four digits, a comma, twelve digits, a NUL.
const LONGEST: usize = 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_in_each_form() {
        let address = Address::Set(MacAddress([2, 0xaa, 0xbb, 0xcc, 0xdd, 0xee]));
        let vlans = [0, 1, 30, 999, 4094].map(|id| VlanId::new(id).ok());
        for vlan in vlans.into_iter().chain([None]) {
            for address in [None, Some(address), Some(Address::Derived)] {
                let asked = Asked { vlan, address };
                assert_eq!(Asked::parse(asked.text().units()), Ok(asked));
            }
        }
        let all = Asked {
            vlan: VlanId::new(4094).ok(),
            address: Some(address),
        };
        let text = |asked: Asked| std::string::String::from_utf16(asked.text().units());
        assert_eq!(text(all).expect("ASCII"), "4094,02AABBCCDDEE");
        let terminated = std::string::String::from_utf16(all.text().terminated());
        assert_eq!(terminated.expect("ASCII"), "4094,02AABBCCDDEE\0");
        let derived = Asked {
            address: Some(Address::Derived),
            ..all
        };
        assert_eq!(text(derived).expect("ASCII"), "4094,derived");
        assert_eq!(Asked::default().text().units(), [COMMA]);
    }

    #[test]
    fn anything_else_is_no_vlan_at_all() {
        for text in [
            "",
            "30",
            "4095,",
            "x,",
            "30,02",
            "30,010000000001",
            "30,,",
            "-1,",
            "30,derive",
            "30,Derived",
            "derived",
        ] {
            let units: std::vec::Vec<u16> = text.encode_utf16().collect();
            assert!(Asked::parse(&units).is_err(), "{text}");
        }
    }
}
