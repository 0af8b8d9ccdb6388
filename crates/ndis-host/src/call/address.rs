//! An address in a driver's code, as people read it.

use std::fmt;

use crate::image;

/// A code address: which image, where in it, and in which function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeAddress {
    /// The address in this process, 0 if unknown.
    pub address: usize,
    /// The file name of the image, if the address lies in one that is or was loaded.
    pub image: Option<String>,
    /// The offset from the start of the image (its RVA).
    pub offset: u32,
    /// The function by the image's PDB.
    pub symbol: Option<String>,
    /// Source file and line by the image's PDB.
    pub line: Option<String>,
    /// The function that `symbol` is inlined into, if it is.
    pub within: Option<String>,
}

impl CodeAddress {
    /// Looks up a return address: the instruction before it, the call, says the function.
    #[must_use]
    pub fn of(address: usize) -> Self {
        Self::look_up(address, 1)
    }

    /// Looks up the address of an instruction.
    #[must_use]
    pub fn of_instruction(address: usize) -> Self {
        Self::look_up(address, 0)
    }

    fn look_up(address: usize, back: u32) -> Self {
        let unknown = Self {
            address,
            image: None,
            offset: 0,
            symbol: None,
            line: None,
            within: None,
        };
        if address == 0 {
            return unknown;
        }
        let Some(place) = image::place_of(address) else {
            return unknown;
        };
        let found = Self {
            image: Some(place.image_name().to_owned()),
            offset: place.offset(),
            ..unknown
        };
        match place.symbol(back) {
            None => found,
            Some(symbol) => Self {
                symbol: Some(symbol.name),
                line: symbol.line,
                within: symbol.within,
                ..found
            },
        }
    }
}

/// `image+0x1234 (function, file:line, in outer function)`, `0x7f…` outside every image, `unknown` for address 0.
impl fmt::Display for CodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(image) = &self.image else {
            return match self.address {
                0 => f.write_str("unknown"),
                address => write!(f, "{address:#x}"),
            };
        };
        write!(f, "{image}+{:#x}", self.offset)?;
        let Some(symbol) = &self.symbol else {
            return Ok(());
        };
        write!(f, " ({symbol}")?;
        if let Some(line) = &self.line {
            write!(f, ", {line}")?;
        }
        if let Some(within) = &self.within {
            write!(f, ", in {within}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_gives_image_offset_symbol_and_line() {
        let address = CodeAddress {
            address: 0x7000_1234,
            image: Some("driver.sys".into()),
            offset: 0x1234,
            symbol: Some("driver::Binding::close".into()),
            line: Some("binding.rs:12".into()),
            within: Some("driver::unbind".into()),
        };
        assert_eq!(
            address.to_string(),
            "driver.sys+0x1234 (driver::Binding::close, binding.rs:12, in driver::unbind)"
        );
        assert_eq!(CodeAddress::of(0).to_string(), "unknown");
        assert_eq!(CodeAddress::of(0x10).to_string(), "0x10");
    }
}
