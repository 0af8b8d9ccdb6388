//! What a TraceLogging event says of itself, and what that makes of its data.
//!
//! Such an event has no manifest: two of its pieces are metadata.
//!
//! | piece | what it has |
//! |---|---|
//! | of the provider | size (two bytes, which count), name (UTF-8, terminated), traits |
//! | of the event | size (two bytes, which count), tags (one byte or more), name (UTF-8, terminated), fields |
//! | a field | name (UTF-8, terminated), type of its value in memory; with bit 7 of that, how it is to be shown, and with bit 7 of that, tags; with bit 5 the number of its elements, with bit 6 that number stands before the data |
//!
//! A structure is a field without data whose way to be shown is the number of fields that it has. The
//! rest of the pieces, one after the other, are the data. All bytes are a driver's: nothing here trusts
//! them.
//!
//! Sources: the crate `tracelogging` (its module documentation and enumerations) and
//! `TraceLoggingProvider.h`; provider traits: learn.microsoft.com, "Provider Traits".

use super::value::{Field, Value};

/// What an event says.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// Its name.
    pub name: String,
    /// Its fields in order.
    pub fields: Vec<Field>,
}

/// Why an event says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The metadata is too short for a size, or has another one than it says.
    #[error("the metadata is {is} bytes long and says {says}")]
    Size {
        /// What it says.
        says: usize,
        /// How many there are.
        is: usize,
    },
    /// The metadata ends within something.
    #[error("the metadata ends within {0}")]
    MetadataEnds(&'static str),
    /// The data ends within a field.
    #[error("the data ends within the field {0:?}")]
    DataEnds(String),
    /// The data goes on after the last field.
    #[error("{0} bytes of data follow the last field")]
    DataLeft(usize),
    /// A name is no UTF-8.
    #[error("{0} is not UTF-8")]
    NoText(&'static str),
    /// A field has a type that there is not.
    #[error("the field {field:?} has the type {kind}, which there is not")]
    NoType {
        /// Its name.
        field: String,
        /// The type's number.
        kind: u8,
    },
    /// A structure says that it has more fields than follow.
    #[error("the structure {0:?} has more fields than follow it")]
    FieldsMissing(String),
    /// There are more values, or structures in structures, than anybody reads.
    #[error("there are more fields, or structures in structures, than a reader takes")]
    TooMuch,
    /// The one form that is not understood here.
    #[error("the field {0:?} has an encoding of its own, which is not decoded")]
    OwnEncoding(String),
}

impl Problem {
    /// Whether no reader can understand the event, and not this one only.
    #[must_use]
    pub const fn is_malformed(&self) -> bool {
        !matches!(self, Self::OwnEncoding(_))
    }
}

/// The name in a provider's metadata or traits.
///
/// # Errors
/// It is no such metadata.
pub fn provider_name(traits: &[u8]) -> Result<String, Problem> {
    let mut bytes = sized(traits)?;
    bytes.text("the provider's name")
}

/// What an event says whose metadata and data these are.
///
/// # Errors
/// The metadata is wrong, or the data is not what it says.
pub fn decode(metadata: &[u8], data: &[u8]) -> Result<Decoded, Problem> {
    let mut metadata = sized(metadata)?;
    while metadata.byte("the event's tags")? & MORE != 0 {}
    let name = metadata.text("the event's name")?;
    let fields = describe(&mut metadata)?;
    let mut data = Values {
        bytes: Bytes(data),
        left: MOST_VALUES,
    };
    let fields = data.fields(&fields, 0)?;
    match data.bytes.0.len() {
        0 => Ok(Decoded { name, fields }),
        left => Err(Problem::DataLeft(left)),
    }
}

/// The identifier that TraceLogging derives from a provider's name, as it is in memory.
#[must_use]
pub fn provider_id(name: &str) -> [u8; 16] {
    tracelogging::Guid::from_name(name).to_bytes_le()
}

/// A field, as the metadata describes it.
struct Description {
    name: String,
    kind: u8,
    shown: u8,
    count: Count,
}

#[derive(Clone, Copy)]
enum Count {
    One,
    Fixed(u16),
    Before,
}

fn describe(metadata: &mut Bytes<'_>) -> Result<Vec<Description>, Problem> {
    let mut fields = Vec::new();
    while !metadata.0.is_empty() {
        let name = metadata.text("a field's name")?;
        let kind = metadata.byte("a field's type")?;
        let mut shown = 0;
        if kind & MORE != 0 {
            shown = metadata.byte("how a field is shown")?;
            if shown & MORE != 0 {
                while metadata.byte("a field's tags")? & MORE != 0 {}
            }
        }
        let count = match kind & COUNTS {
            0 => Count::One,
            FIXED_COUNT => Count::Fixed(metadata.number("a field's count")?),
            COUNT_BEFORE => Count::Before,
            _ => return Err(Problem::OwnEncoding(name)),
        };
        let (kind, shown) = (kind & !(MORE | COUNTS), shown & !MORE);
        fields.push(Description {
            name,
            kind,
            shown,
            count,
        });
    }
    Ok(fields)
}

/// The data, and how many values may still be read.
struct Values<'a> {
    bytes: Bytes<'a>,
    left: usize,
}

impl Values<'_> {
    /// The values of these fields, of which structures take those that follow them.
    fn fields(&mut self, described: &[Description], depth: usize) -> Result<Vec<Field>, Problem> {
        let mut rest = described;
        let mut fields = Vec::new();
        while let Some((field, after)) = rest.split_first() {
            let own = own_fields(field, after)?;
            fields.push(Field {
                name: field.name.clone(),
                value: self.field(field, &after[..own], depth)?,
            });
            rest = &after[own..];
        }
        Ok(fields)
    }

    fn field(
        &mut self,
        field: &Description,
        own: &[Description],
        depth: usize,
    ) -> Result<Value, Problem> {
        let number = match field.count {
            Count::One => return self.value(field, own, depth),
            Count::Fixed(number) => number,
            Count::Before => self.number(field)?,
        };
        let values = (0..number).map(|_| self.value(field, own, depth));
        values.collect::<Result<_, _>>().map(Value::List)
    }

    fn value(
        &mut self,
        field: &Description,
        own: &[Description],
        depth: usize,
    ) -> Result<Value, Problem> {
        self.left = self.left.checked_sub(1).ok_or(Problem::TooMuch)?;
        if field.kind == STRUCTURE {
            if depth == DEEPEST {
                return Err(Problem::TooMuch);
            }
            return self.fields(own, depth + 1).map(Value::Structure);
        }
        let bytes = match field.kind {
            0 => &[],
            1 => self.terminated(field, 2)?,
            2 => self.terminated(field, 1)?,
            3 | 4 => self.take(field, 1)?,
            5 | 6 => self.take(field, 2)?,
            7 | 8 | 11 | 13 | 20 => self.take(field, 4)?,
            9 | 10 | 12 | 17 | 21 => self.take(field, 8)?,
            15 | 18 => self.take(field, 16)?,
            14 | 22 | 23 | 25 => {
                let length = self.number(field)?;
                self.take(field, usize::from(length))?
            }
            19 => {
                // Revision, number of sub-authorities, authority, and each sub-authority.
                let subs = self.bytes.0.get(1).copied().unwrap_or_default();
                self.take(field, 8 + 4 * usize::from(subs))?
            }
            kind => {
                let field = field.name.clone();
                return Err(Problem::NoType { field, kind });
            }
        };
        Ok(Value::of(field.kind, field.shown, bytes))
    }

    fn take(&mut self, field: &Description, length: usize) -> Result<&[u8], Problem> {
        let taken = self.bytes.take(length);
        taken.ok_or_else(|| Problem::DataEnds(field.name.clone()))
    }

    fn number(&mut self, field: &Description) -> Result<u16, Problem> {
        let bytes = self.take(field, 2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    /// Up to a unit of zeros, which is taken and not given.
    fn terminated(&mut self, field: &Description, unit: usize) -> Result<&[u8], Problem> {
        let units = self.bytes.0.chunks_exact(unit);
        let length = units
            .take_while(|unit| unit.iter().any(|&byte| byte != 0))
            .count()
            * unit;
        let bytes = self.take(field, length + unit)?;
        Ok(&bytes[..length])
    }
}

/// How many of the fields after it are a structure's own.
fn own_fields(field: &Description, after: &[Description]) -> Result<usize, Problem> {
    if field.kind != STRUCTURE {
        return Ok(0);
    }
    let mut own = 0;
    for _ in 0..field.shown {
        let missing = || Problem::FieldsMissing(field.name.clone());
        let inner = after.get(own).ok_or_else(missing)?;
        own += 1 + own_fields(inner, &after[own + 1..])?;
    }
    Ok(own)
}

/// Bytes that are read from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self, what: &'static str) -> Result<u8, Problem> {
        let byte = self.take(1).ok_or(Problem::MetadataEnds(what))?;
        Ok(byte[0])
    }

    fn number(&mut self, what: &'static str) -> Result<u16, Problem> {
        let bytes = self.take(2).ok_or(Problem::MetadataEnds(what))?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn text(&mut self, what: &'static str) -> Result<String, Problem> {
        let end = self.0.iter().position(|&byte| byte == 0);
        let end = end.ok_or(Problem::MetadataEnds(what))?;
        let text = self.take(end + 1).unwrap_or_default();
        let text = std::str::from_utf8(&text[..end]).map_err(|_| Problem::NoText(what))?;
        Ok(text.to_owned())
    }
}

/// The bytes after a size that counts all of them.
fn sized(metadata: &[u8]) -> Result<Bytes<'_>, Problem> {
    let is = metadata.len();
    let (size, rest) = metadata
        .split_first_chunk()
        .ok_or(Problem::Size { says: 0, is })?;
    let says = usize::from(u16::from_le_bytes(*size));
    if says == is {
        Ok(Bytes(rest))
    } else {
        Err(Problem::Size { says, is })
    }
}

/// A further byte belongs to this one.
const MORE: u8 = 0x80;
const COUNTS: u8 = 0x60;
const FIXED_COUNT: u8 = 0x20;
const COUNT_BEFORE: u8 = 0x40;
const STRUCTURE: u8 = 24;
/// How deep structures lie in structures at most, and how many values there are.
const DEEPEST: usize = 8;
const MOST_VALUES: usize = 4096;

#[cfg(test)]
mod tests;
