//! The names that Microsoft's headers give to numbers: statuses and OIDs, for people.
//!
//! They come from the tables of `ndis-sys`. Not in here: when they are shown.

use std::collections::HashMap;
use std::sync::LazyLock;

use ndis_sys::{NDIS_OID, NDIS_STATUS};

/// A status by its name, `0xc0010099` if it has none.
#[must_use]
pub fn status(status: NDIS_STATUS) -> String {
    named("NDIS_STATUS", u64::from(status.cast_unsigned()))
        .map_or_else(|| format!("{status:#010x}"), str::to_owned)
}

/// An OID by its name, `0xff010203` if it has none.
#[must_use]
pub fn oid(oid: NDIS_OID) -> String {
    named("NDIS_OID", u64::from(oid)).map_or_else(|| format!("{oid:#010x}"), str::to_owned)
}

/// `text`, with the names of the OIDs and statuses that stand in it as `0x` and eight digits: how
/// requests and indications are recorded.
#[must_use]
pub fn in_text(text: &str) -> String {
    let name_of = |word: &str| {
        let digits = word.strip_prefix("0x").filter(|digits| digits.len() == 8)?;
        let number = u64::from_str_radix(digits, 16).ok()?;
        named("NDIS_OID", number).or_else(|| named("NDIS_STATUS", number))
    };
    let words = text.split(' ').map(|word| name_of(word).unwrap_or(word));
    words.collect::<Vec<_>>().join(" ")
}

fn named(type_name: &'static str, value: u64) -> Option<&'static str> {
    static NAMES: LazyLock<HashMap<(&'static str, u64), &'static str>> = LazyLock::new(|| {
        let mut names = HashMap::new();
        for constant in ndis_sys::CONSTANTS.iter().copied().flatten() {
            // The low half: statuses are signed.
            let value = u64::from(constant.value as u32);
            // Of several names for a number, the first of the table.
            names
                .entry((constant.type_name, value))
                .or_insert(constant.name);
        }
        names
    });
    NAMES.get(&(type_name, value)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_headers_names_or_stay_numbers() {
        assert_eq!(status(0x103), "NDIS_STATUS_PENDING");
        assert_eq!(
            status(0xc001_0006_u32.cast_signed()),
            "NDIS_STATUS_ADAPTER_NOT_FOUND"
        );
        assert_eq!(status(0xcfff_0028_u32.cast_signed()), "0xcfff0028");
        assert_eq!(oid(0x0001_0207), "OID_GEN_LINK_STATE");
        assert_eq!(
            in_text(r"query 0x00010207 mux on \Device\nic"),
            r"query OID_GEN_LINK_STATE mux on \Device\nic"
        );
        assert_eq!(in_text("0x40010017 nic"), "NDIS_STATUS_LINK_STATE nic");
        assert_eq!(in_text("0x7f0012345678 x"), "0x7f0012345678 x");
    }
}
