//! Values of an event's fields, and how they are shown.

use std::fmt;

use serde_json::json;

/// A field of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number with a sign.
    Signed(i64),
    /// A number without one.
    Unsigned(u64),
    /// A number that is shown in hexadecimal: a status, an OID, a mask.
    Hexadecimal(u64),
    /// A floating-point number.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// Text; what was no UTF-16 or UTF-8 has replacement characters.
    Text(String),
    /// Bytes: binary data, identifiers, addresses, times of day.
    Bytes(Vec<u8>),
    /// The elements of an array.
    List(Vec<Self>),
    /// The fields of a structure.
    Structure(Vec<Field>),
}

impl Value {
    /// The value of a type (`InType`) that is shown in a way (`OutType`) and lies in `bytes`, as many as
    /// the type has.
    pub(super) fn of(kind: u8, shown: u8, bytes: &[u8]) -> Self {
        let mut all = [0; 8];
        let length = bytes.len().min(all.len());
        all[..length].copy_from_slice(&bytes[..length]);
        let unsigned = u64::from_le_bytes(all);
        // The sign of a shorter number is at its own end.
        let unused = 64 - 8 * length.max(1) as u32;
        let signed = (unsigned << unused).cast_signed() >> unused;
        match (kind, shown) {
            (1 | 22, _) => Self::Text(utf16(bytes)),
            (2 | 23, _) => Self::Text(String::from_utf8_lossy(bytes).into_owned()),
            (13, _) | (4, BOOLEAN) => Self::Boolean(unsigned != 0),
            (20 | 21, _) | (3..=10, HEXADECIMAL | WIN32_ERROR | NT_STATUS | HRESULT | CODE) => {
                Self::Hexadecimal(unsigned)
            }
            (3 | 5 | 7 | 9, _) => Self::Signed(signed),
            (4 | 6 | 8 | 10 | 17, _) => Self::Unsigned(unsigned),
            (11, _) => Self::Float(f64::from(f32::from_bits(unsigned as u32))),
            (12, _) => Self::Float(f64::from_bits(unsigned)),
            _ => Self::Bytes(bytes.to_vec()),
        }
    }

    /// As JSON: numbers that are shown in hexadecimal, and bytes, are texts.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Signed(number) => json!(number),
            Self::Unsigned(number) => json!(number),
            Self::Float(number) => json!(number),
            Self::Boolean(value) => json!(value),
            Self::Text(text) => json!(text),
            Self::Hexadecimal(_) | Self::Bytes(_) => json!(self.to_string()),
            Self::List(values) => values.iter().map(Self::to_json).collect(),
            Self::Structure(fields) => to_json(fields),
        }
    }
}

/// Fields as a JSON object. Of two with the same name the later one counts.
#[must_use]
pub fn to_json(fields: &[Field]) -> serde_json::Value {
    let entry = |field: &Field| (field.name.clone(), field.value.to_json());
    serde_json::Value::Object(fields.iter().map(entry).collect())
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signed(number) => write!(f, "{number}"),
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::Hexadecimal(number) => write!(f, "{number:#x}"),
            Self::Float(number) => write!(f, "{number}"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Text(text) => f.write_str(text),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::List(values) => separated(f, ('[', ']'), values),
            Self::Structure(fields) => separated(f, ('{', '}'), fields),
        }
    }
}

fn separated(
    f: &mut fmt::Formatter<'_>,
    (open, close): (char, char),
    items: &[impl fmt::Display],
) -> fmt::Result {
    write!(f, "{open}")?;
    for (index, item) in items.iter().enumerate() {
        let space = if index == 0 { "" } else { " " };
        write!(f, "{space}{item}")?;
    }
    write!(f, "{close}")
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2);
    let units: Vec<u16> = units
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .collect();
    String::from_utf16_lossy(&units)
}

const BOOLEAN: u8 = 3;
const HEXADECIMAL: u8 = 4;
const WIN32_ERROR: u8 = 13;
const NT_STATUS: u8 = 14;
const HRESULT: u8 = 15;
const CODE: u8 = 37;
