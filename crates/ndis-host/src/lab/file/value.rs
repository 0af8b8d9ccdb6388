//! Values that a lab file spells as text and the host uses as something else.
//!
//! Each checks itself as it is read, so that a mistake is reported at its own place in the file.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize, Serialize};

use crate::nt::registry::Value;

/// A registry value: `"text"` is `REG_SZ`, a number `REG_DWORD`, a list of texts `REG_MULTI_SZ`,
/// `{ binary = [1, 2] }` is `REG_BINARY`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RegistryValue {
    /// `REG_SZ`
    Sz(String),
    /// `REG_MULTI_SZ`
    MultiSz(Vec<String>),
    /// `REG_DWORD`
    Dword(u32),
    /// `REG_BINARY`
    Binary(Vec<u8>),
}

/// An Ethernet address, `"02:00:00:00:00:01"`, with colons or hyphens; not a group address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MacAddress(pub [u8; 6]);

/// An NDIS version, `"6.80"`: the minor number counts in hundredths, as in Microsoft's names.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct NdisVersion {
    /// `6`
    pub major: u16,
    /// `80` for 6.80.
    pub minor: u16,
}

/// The name of a device object, `\Device\{GUID}`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeviceName(String);

/// The name of a Linux network interface: one to fifteen bytes, no slash, no space.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InterfaceName(String);

impl NdisVersion {
    /// What `NdisGetVersion` returns for it: the major number in the high half.
    #[must_use]
    pub const fn packed(self) -> u32 {
        (self.major as u32) << 16 | self.minor as u32
    }
}

impl Default for NdisVersion {
    fn default() -> Self {
        Self {
            major: 6,
            minor: 80,
        }
    }
}

impl DeviceName {
    /// What every device name of an adapter begins with.
    pub const PREFIX: &str = "\\Device\\";

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl InterfaceName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MacAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not an Ethernet address: write six hexadecimal bytes, like 02:00:00:00:00:01"
            )
        };
        let mut bytes = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut bytes {
            let part = parts
                .next()
                .filter(|part| part.len() == 2)
                .ok_or_else(wrong)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| wrong())?;
        }
        if parts.next().is_some() {
            return Err(wrong());
        }
        if bytes[0] & 1 != 0 {
            return Err(format!(
                "`{text}` is a group address: the first byte of a NIC's address is even"
            ));
        }
        Ok(Self(bytes))
    }
}

impl FromStr for NdisVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not an NDIS 6 version: write it like 6.80");
        let (major, minor) = text.split_once('.').ok_or_else(wrong)?;
        if minor.len() != 2 {
            return Err(wrong());
        }
        let version = Self {
            major: major.parse().map_err(|_| wrong())?,
            minor: minor.parse().map_err(|_| wrong())?,
        };
        if version.major == 6 {
            Ok(version)
        } else {
            Err(wrong())
        }
    }
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let prefix = text
            .get(..Self::PREFIX.len())
            .filter(|start| start.eq_ignore_ascii_case(Self::PREFIX));
        match prefix {
            Some(_) if text.len() > Self::PREFIX.len() => Ok(Self(text.to_owned())),
            _ => Err(format!(
                "`{text}` is not a device name: write it in single quotes, like '\\Device\\{{GUID}}'"
            )),
        }
    }
}

impl FromStr for InterfaceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fits = (1..=15).contains(&text.len());
        if fits && !text.contains(|c: char| c == '/' || c.is_whitespace()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "`{text}` cannot name a network interface: 1 to 15 bytes, no slash, no space"
            ))
        }
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Display for NdisVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.major, self.minor)
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As text in the file, by `FromStr` and `Display`.
macro_rules! as_text {
    ($($type:ty),+) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}

as_text!(MacAddress, NdisVersion, DeviceName, InterfaceName);

impl<'de> Deserialize<'de> for RegistryValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RegistryValueVisitor)
    }
}

struct RegistryValueVisitor;

impl<'de> Visitor<'de> for RegistryValueVisitor {
    type Value = RegistryValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a registry value: \"text\", a number of 32 bits, a list of texts, or { binary = […] }",
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RegistryValue, E> {
        Ok(RegistryValue::Sz(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<RegistryValue, E> {
        u32::try_from(number)
            .map(RegistryValue::Dword)
            .map_err(|_| E::custom(format!("{number} is no REG_DWORD: 0 to 4294967295")))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<RegistryValue, E> {
        u32::try_from(number)
            .map(RegistryValue::Dword)
            .map_err(|_| E::custom(format!("{number} is no REG_DWORD: 0 to 4294967295")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RegistryValue, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element::<String>()? {
            if text.is_empty() {
                return Err(de::Error::custom(
                    "a REG_MULTI_SZ cannot hold an empty text: it would end there",
                ));
            }
            texts.push(text);
        }
        Ok(RegistryValue::MultiSz(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RegistryValue, A::Error> {
        let kind: Option<String> = map.next_key()?;
        let value = match kind.as_deref() {
            Some("binary") => RegistryValue::Binary(map.next_value()?),
            Some(other) => {
                return Err(de::Error::unknown_field(other, &["binary"]));
            }
            None => return Err(de::Error::custom("an empty table is no registry value")),
        };
        match map.next_key::<String>()? {
            None => Ok(value),
            Some(_) => Err(de::Error::custom("a registry value has one type")),
        }
    }
}

impl Serialize for RegistryValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Sz(text) => serializer.serialize_str(text),
            Self::Dword(number) => serializer.serialize_u32(*number),
            Self::MultiSz(texts) => texts.serialize(serializer),
            Self::Binary(bytes) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("binary", bytes)?;
                map.end()
            }
        }
    }
}

impl From<&RegistryValue> for Value {
    fn from(value: &RegistryValue) -> Self {
        match value {
            RegistryValue::Sz(text) => Self::Sz(text.clone()),
            RegistryValue::Dword(number) => Self::Dword(*number),
            RegistryValue::MultiSz(texts) => Self::MultiSz(texts.clone()),
            RegistryValue::Binary(bytes) => Self::Binary(bytes.clone()),
        }
    }
}
