//! Reading the Security Descriptor Definition Language.

use ndis_sys::{
    ACCESS_MASK, DELETE, FILE_ALL_ACCESS, FILE_GENERIC_EXECUTE, FILE_GENERIC_READ,
    FILE_GENERIC_WRITE, GENERIC_ALL, GENERIC_EXECUTE, GENERIC_READ, GENERIC_WRITE, NTSTATUS,
    READ_CONTROL, STATUS_INVALID_ACL, STATUS_INVALID_SECURITY_DESCR, STATUS_INVALID_SID, WRITE_DAC,
    WRITE_OWNER,
};

use super::{Descriptor, Entry, Sid, map_generic};

/// `O:owner G:group D:flags(entry)... S:flags(entry)...`, each part at most once, in this order.
pub(super) fn descriptor(text: &str) -> Result<Descriptor, NTSTATUS> {
    let mut descriptor = Descriptor {
        owner: None,
        group: None,
        entries: None,
    };
    let mut rest = text.trim();
    if let Some(after) = rest.strip_prefix("O:") {
        let (owner, after) = take_sid(after)?;
        (descriptor.owner, rest) = (Some(owner), after);
    }
    if let Some(after) = rest.strip_prefix("G:") {
        let (group, after) = take_sid(after)?;
        (descriptor.group, rest) = (Some(group), after);
    }
    if let Some(after) = rest.strip_prefix("D:") {
        let (flags, after) = take_flags(after)?;
        let (entries, after) = take_entries(after, &["A", "D"])?;
        descriptor.entries = (!flags.contains(&NO_ACCESS_CONTROL)).then_some(entries);
        rest = after;
    }
    if let Some(after) = rest.strip_prefix("S:") {
        let (_, after) = take_flags(after)?;
        let (_, after) = take_entries(after, &["AU", "ML"])?;
        rest = after;
    }
    if rest.is_empty() {
        Ok(descriptor)
    } else {
        Err(STATUS_INVALID_SECURITY_DESCR)
    }
}

/// The flags of a list, up to its first entry, the next part, or the end.
fn take_flags(text: &str) -> Result<(Vec<&str>, &str), NTSTATUS> {
    const FLAGS: &[&str] = &[NO_ACCESS_CONTROL, "AR", "AI", "P"];
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((flag, after)) = FLAGS
        .iter()
        .find_map(|flag| Some((*flag, rest.strip_prefix(flag)?)))
    {
        found.push(flag);
        rest = after;
    }
    if rest.is_empty() || rest.starts_with(['(', 'S']) {
        Ok((found, rest))
    } else {
        Err(STATUS_INVALID_SECURITY_DESCR)
    }
}

/// Entries in parentheses, of which those that are for heirs only are left out.
fn take_entries<'a>(text: &'a str, kinds: &[&str]) -> Result<(Vec<Entry>, &'a str), NTSTATUS> {
    let mut entries = Vec::new();
    let mut rest = text;
    while let Some(after) = rest.strip_prefix('(') {
        let (inside, after) = after.split_once(')').ok_or(STATUS_INVALID_ACL)?;
        entries.extend(entry(inside, kinds)?);
        rest = after.trim_start();
    }
    Ok((entries, rest))
}

/// `kind;flags;rights;object;inherited object;sid`.
fn entry(text: &str, kinds: &[&str]) -> Result<Option<Entry>, NTSTATUS> {
    let fields: Vec<&str> = text.split(';').map(str::trim).collect();
    let [kind, flags, rights, "", "", sid] = fields[..] else {
        return Err(STATUS_INVALID_ACL);
    };
    if !kinds.contains(&kind) {
        return Err(STATUS_INVALID_ACL);
    }
    let flags = in_pairs(flags).ok_or(STATUS_INVALID_ACL)?;
    if !flags.iter().all(|flag| ENTRY_FLAGS.contains(flag)) {
        return Err(STATUS_INVALID_ACL);
    }
    // The rights of an integrity label are not those of an access.
    let rights = if kind == "ML" {
        0
    } else {
        map_generic(self::rights(rights).ok_or(STATUS_INVALID_ACL)?)
    };
    let (sid, "") = take_sid(sid)? else {
        return Err(STATUS_INVALID_SID);
    };
    Ok((!flags.contains(&INHERIT_ONLY)).then_some(Entry {
        allows: kind == "A",
        rights,
        sid,
    }))
}

/// Rights in hexadecimal, or as names of two letters.
fn rights(text: &str) -> Option<ACCESS_MASK> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    if let Some(digits) = digits {
        return ACCESS_MASK::from_str_radix(digits, 16).ok();
    }
    let names = in_pairs(text)?;
    names.iter().try_fold(0, |rights, name| {
        let (_, bits) = RIGHTS.iter().find(|(right, _)| right == name)?;
        Some(rights | bits)
    })
}

fn in_pairs(text: &str) -> Option<Vec<&str>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    let pairs = (0..text.len()).step_by(2).map(|at| &text[at..at + 2]);
    Some(pairs.collect())
}

/// An identifier, by its abbreviation or written out, and what follows it.
fn take_sid(text: &str) -> Result<(Sid, &str), NTSTATUS> {
    if let Some(numbers) = text.strip_prefix("S-1-") {
        let end = numbers
            .find(|c: char| !c.is_ascii_digit() && c != '-')
            .unwrap_or(numbers.len());
        let (numbers, rest) = numbers.split_at(end);
        let (authority, parts) = numbers.split_once('-').ok_or(STATUS_INVALID_SID)?;
        let parts: Result<Vec<u32>, _> = parts.split('-').map(str::parse).collect();
        let sid = Sid {
            authority: authority.parse().map_err(|_| STATUS_INVALID_SID)?,
            parts: parts.map_err(|_| STATUS_INVALID_SID)?,
        };
        return Ok((sid, rest));
    }
    let (name, rest) = text.split_at_checked(2).ok_or(STATUS_INVALID_SID)?;
    let found = SIDS.iter().find(|(known, _)| *known == name);
    let (_, parts) = found.ok_or(STATUS_INVALID_SID)?;
    Ok((Sid::of(parts), rest))
}

const NO_ACCESS_CONTROL: &str = "NO_ACCESS_CONTROL";
const INHERIT_ONLY: &str = "IO";
const ENTRY_FLAGS: &[&str] = &["CI", "OI", "NP", INHERIT_ONLY, "ID", "SA", "FA"];

const RIGHTS: &[(&str, ACCESS_MASK)] = &[
    ("GA", GENERIC_ALL),
    ("GR", GENERIC_READ),
    ("GW", GENERIC_WRITE),
    ("GX", GENERIC_EXECUTE),
    ("RC", READ_CONTROL),
    ("SD", DELETE),
    ("WD", WRITE_DAC),
    ("WO", WRITE_OWNER),
    ("FA", FILE_ALL_ACCESS),
    ("FR", FILE_GENERIC_READ),
    ("FW", FILE_GENERIC_WRITE),
    ("FX", FILE_GENERIC_EXECUTE),
    ("CC", 0x1),
    ("DC", 0x2),
    ("LC", 0x4),
    ("SW", 0x8),
    ("RP", 0x10),
    ("WP", 0x20),
    ("DT", 0x40),
    ("LO", 0x80),
    ("CR", 0x100),
];

/// The abbreviations for identifiers that are the same on every machine.
const SIDS: &[(&str, &[u32])] = &[
    ("AC", &[15, 2, 1]),
    ("AN", &[5, 7]),
    ("AU", &[5, 11]),
    ("BA", &[5, 32, 544]),
    ("BG", &[5, 32, 546]),
    ("BO", &[5, 32, 551]),
    ("BU", &[5, 32, 545]),
    ("CG", &[3, 1]),
    ("CO", &[3, 0]),
    ("HI", &[16, 12288]),
    ("IU", &[5, 4]),
    ("LS", &[5, 19]),
    ("LW", &[16, 4096]),
    ("ME", &[16, 8192]),
    ("NO", &[5, 32, 556]),
    ("NS", &[5, 20]),
    ("NU", &[5, 2]),
    ("OW", &[3, 4]),
    ("PU", &[5, 32, 547]),
    ("RC", &[5, 12]),
    ("SI", &[16, 16384]),
    ("SU", &[5, 6]),
    ("SY", &[5, 18]),
    ("UD", &[5, 84, 0, 0, 0, 0, 0]),
    ("WD", &[1, 0]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_read() {
        let text = "O:BAG:S-1-5-18D:PAI(A;OICI;0x12019f;;;WD)(D;;FX;;;S-1-5-32-546)S:(ML;;NW;;;LW)";
        let descriptor = descriptor(text).expect("it is a valid string");
        assert_eq!(
            descriptor.owner.expect("it is given").to_string(),
            "S-1-5-32-544"
        );
        assert_eq!(
            descriptor.group.expect("it is given").to_string(),
            "S-1-5-18"
        );
        let entries = descriptor.entries.expect("there is a list");
        assert_eq!((entries[0].allows, entries[0].rights), (true, 0x12_019f));
        assert_eq!(
            (entries[1].allows, entries[1].rights),
            (false, FILE_GENERIC_EXECUTE)
        );
        assert_eq!(entries[1].sid.to_string(), "S-1-5-32-546");
    }

    #[test]
    fn entries_for_heirs_do_not_count() {
        let entries = descriptor("D:(A;CIIO;GA;;;WD)").expect("valid").entries;
        assert_eq!(entries, Some(Vec::new()));
    }

    #[test]
    fn a_string_that_is_none_has_the_status_of_its_wrong_part() {
        for (text, status) in [
            ("D:P(A;;GA;;;SY", STATUS_INVALID_ACL),
            ("D:P(A;;GA;;SY)", STATUS_INVALID_ACL),
            ("D:P(X;;GA;;;SY)", STATUS_INVALID_ACL),
            ("D:P(A;;GZ;;;SY)", STATUS_INVALID_ACL),
            ("D:P(A;;G;;;SY)", STATUS_INVALID_ACL),
            ("D:P(A;ZZ;GA;;;SY)", STATUS_INVALID_ACL),
            ("D:P(AU;SA;GA;;;SY)", STATUS_INVALID_ACL),
            ("D:P(A;;GA;;;ZZ)", STATUS_INVALID_SID),
            ("D:P(A;;GA;;;S-1-)", STATUS_INVALID_SID),
            ("D:P(A;;GA;;;é)", STATUS_INVALID_SID),
            ("O:ZZD:P", STATUS_INVALID_SID),
            ("D:Q(A;;GA;;;SY)", STATUS_INVALID_SECURITY_DESCR),
            ("nonsense", STATUS_INVALID_SECURITY_DESCR),
            ("D:P(A;;GA;;;SY)O:BA", STATUS_INVALID_SECURITY_DESCR),
        ] {
            assert_eq!(descriptor(text), Err(status), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_string_makes_it_panic(text in "[ODGS:PA();Gé0x-]{0,40}") {
            // Only that it answers counts here.
            let _: Result<_, _> = descriptor(&text);
        }
    }
}
