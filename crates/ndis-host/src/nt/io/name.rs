//! Names of devices, and the symbolic links to them that programs see.
//!
//! Names compare without case. `\DosDevices\`, `\??\`, `\GLOBAL??\`, `\\.\` and `\\?\` are one
//! directory here: there is one session.

use std::collections::BTreeMap;

use ndis_sys::nt::{
    NTSTATUS, STATUS_INSUFFICIENT_RESOURCES, STATUS_OBJECT_NAME_COLLISION,
    STATUS_OBJECT_NAME_NOT_FOUND, STATUS_SUCCESS, UNICODE_STRING,
};
use ndis_sys::{STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_PATH_NOT_FOUND};

use crate::call;
use crate::ddi;
use crate::faults::should_fail;
use crate::nt::sched::Monitor;
use crate::nt::string::{to_text, upcase};

/// Makes a symbolic link for the driver call that is under way.
///
/// # Errors
/// The name is taken or is none.
pub(crate) fn create_link(link: &str, target: &str) -> Result<(), NTSTATUS> {
    let key = canonical(link)?;
    let target = canonical(target)?;
    let mut names = NAMES.lock();
    if names.contains_key(&key) {
        return Err(STATUS_OBJECT_NAME_COLLISION);
    }
    let caller = call::caller_address();
    names.insert(key, Name::Link { target, caller });
    Ok(())
}

/// Deletes a symbolic link.
///
/// # Errors
/// There is none of that name.
pub(crate) fn delete_link(link: &str) -> Result<(), NTSTATUS> {
    let key = canonical(link)?;
    let mut names = NAMES.lock();
    match names.get(&key) {
        Some(Name::Link { .. }) => {
            names.remove(&key);
            Ok(())
        }
        Some(Name::Device(_)) | None => Err(STATUS_OBJECT_NAME_NOT_FOUND),
    }
}

/// Gives a device its name.
pub(super) fn enter_device(name: &str, device: usize) -> Result<(), NTSTATUS> {
    let key = canonical(name)?;
    let mut names = NAMES.lock();
    if names.contains_key(&key) {
        return Err(STATUS_OBJECT_NAME_COLLISION);
    }
    names.insert(key, Name::Device(device));
    Ok(())
}

/// Takes a device's name away.
pub(super) fn leave_device(device: usize) {
    NAMES
        .lock()
        .retain(|_, name| !matches!(name, Name::Device(it) if *it == device));
}

/// The device that a path leads to, and what of the path follows the device's name, as it is spelled.
pub(super) fn resolve(spelled: &str) -> Result<(usize, String), NTSTATUS> {
    let mut path = canonical_with_rest(spelled)?;
    let names = NAMES.lock();
    for _ in 0..MAX_LINKS {
        let Some((name, rest)) = known_prefix(&names, &path) else {
            return Err(STATUS_OBJECT_NAME_NOT_FOUND);
        };
        match name {
            Name::Device(device) => return Ok((*device, end_of(spelled, rest))),
            Name::Link { target, .. } => path = format!("{target}{rest}"),
        }
    }
    Err(STATUS_OBJECT_NAME_NOT_FOUND)
}

/// The names by which programs open a device: the links to it, else its own.
pub(super) fn paths_to(device: usize) -> Vec<String> {
    let names = NAMES.lock();
    let own = names.iter().find_map(|(key, name)| match name {
        Name::Device(it) if *it == device => Some(key.clone()),
        _ => None,
    });
    let Some(own) = own else {
        return Vec::new();
    };
    let links = names.iter().filter_map(|(key, name)| match name {
        Name::Link { target, .. } if *target == own => Some(key.clone()),
        _ => None,
    });
    let links: Vec<_> = links.collect();
    if links.is_empty() { vec![own] } else { links }
}

/// The links that code within `of` made and that are there.
pub(super) fn links_of(of: impl Fn(usize) -> bool) -> Vec<String> {
    let names = NAMES.lock();
    let left = names.iter().filter_map(|(link, name)| match name {
        Name::Link { target, caller } if of(*caller) => Some(format!(
            "the symbolic link {link} to {target}, made by {}",
            call::CodeAddress::of(*caller)
        )),
        _ => None,
    });
    left.collect()
}

ddi! { "ntoskrnl.exe":
    /// Makes a name for a device that users see (`nf-wdm-iocreatesymboliclink.md`). STATUS_SUCCESS,
    /// STATUS_OBJECT_NAME_COLLISION, or what is wrong with the names.
    [PASSIVE..=PASSIVE] fn IoCreateSymbolicLink(
        link: *mut UNICODE_STRING,
        device: *mut UNICODE_STRING,
    ) -> NTSTATUS {
        if should_fail("IoCreateSymbolicLink") {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        // SAFETY: the driver gives two strings (the function's document).
        let link = unsafe { to_text(link) };
        // SAFETY: as above.
        let device = unsafe { to_text(device) };
        create_link(&link, &device).err().unwrap_or(STATUS_SUCCESS)
    }

    /// Deletes such a name (`nf-wdm-iodeletesymboliclink.md`). STATUS_SUCCESS, or
    /// STATUS_OBJECT_NAME_NOT_FOUND.
    [PASSIVE..=PASSIVE] fn IoDeleteSymbolicLink(link: *mut UNICODE_STRING) -> NTSTATUS {
        // SAFETY: the driver gives a string (the function's document).
        let link = unsafe { to_text(link) };
        delete_link(&link).err().unwrap_or(STATUS_SUCCESS)
    }
}

#[derive(Debug)]
enum Name {
    /// A DEVICE_OBJECT's address.
    Device(usize),
    Link {
        target: String,
        caller: usize,
    },
}

/// A name as the table has it: in upper case, in a directory that there is.
fn canonical(name: &str) -> Result<String, NTSTATUS> {
    let name = canonical_with_rest(name)?;
    let in_directory = DIRECTORIES.iter().any(|directory| {
        name.strip_prefix(directory)
            .is_some_and(|leaf| !leaf.is_empty() && !leaf.contains('\\'))
    });
    if in_directory {
        Ok(name)
    } else {
        Err(STATUS_OBJECT_PATH_NOT_FOUND)
    }
}

fn canonical_with_rest(path: &str) -> Result<String, NTSTATUS> {
    let path = upcase(path);
    if !path.starts_with('\\') || path.contains('\0') {
        return Err(STATUS_OBJECT_NAME_INVALID);
    }
    let same = SAME_DIRECTORY
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix));
    Ok(same.map_or_else(|| path.clone(), |rest| format!(r"\??\{rest}")))
}

/// The name of the table that `path` is or begins with at a separator, and the rest of the path.
fn known_prefix<'a, 'p>(
    names: &'a BTreeMap<String, Name>,
    path: &'p str,
) -> Option<(&'a Name, &'p str)> {
    names.iter().find_map(|(known, name)| {
        let rest = path.strip_prefix(known.as_str())?;
        (rest.is_empty() || rest.starts_with('\\')).then_some((name, rest))
    })
}

/// As many UTF-16 units from the end of `text` as `like` has.
fn end_of(text: &str, like: &str) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    let from = units.len() - like.encode_utf16().count();
    String::from_utf16_lossy(&units[from..])
}

const SAME_DIRECTORY: &[&str] = &[r"\DOSDEVICES\", r"\GLOBAL??\", r"\\.\", r"\\?\", r"\??\"];
const DIRECTORIES: &[&str] = &[r"\??\", r"\DEVICE\"];
const MAX_LINKS: usize = 32;

static NAMES: Monitor<BTreeMap<String, Name>> = Monitor::new(BTreeMap::new());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::string::UnicodeString;

    #[test]
    fn every_spelling_of_a_link_leads_to_the_device() {
        enter_device(r"\Device\NameTest1", 1).expect("the name is free");
        create_link(r"\DosDevices\nametest1", r"\Device\NameTest1").expect("the name is free");
        for path in [
            r"\\.\NameTest1",
            r"\??\NAMETEST1",
            r"\GLOBAL??\nametest1",
            r"\device\nametest1",
        ] {
            assert_eq!(resolve(path), Ok((1, String::new())), "{path}");
        }
        assert_eq!(resolve(r"\\.\nametest1\sub"), Ok((1, r"\sub".to_owned())));
        let longer = resolve(r"\\.\nametest12");
        assert_eq!(longer, Err(STATUS_OBJECT_NAME_NOT_FOUND));
    }

    #[test]
    fn a_name_is_given_once_until_it_is_taken_away() {
        let (link, device) = (
            UnicodeString::new(r"\DosDevices\NameTest2"),
            UnicodeString::new(r"\Device\NameTest2"),
        );
        // SAFETY: both strings live.
        let create = || unsafe { IoCreateSymbolicLink(link.as_ptr(), device.as_ptr()) };
        // SAFETY: as above.
        let delete = || unsafe { IoDeleteSymbolicLink(link.as_ptr()) };
        assert_eq!(create(), STATUS_SUCCESS);
        assert_eq!(create(), STATUS_OBJECT_NAME_COLLISION);
        assert_eq!(delete(), STATUS_SUCCESS);
        assert_eq!(delete(), STATUS_OBJECT_NAME_NOT_FOUND);
    }

    #[test]
    fn names_are_whole_paths_into_directories_that_there_are() {
        assert_eq!(enter_device("x", 3), Err(STATUS_OBJECT_NAME_INVALID));
        let nowhere = enter_device(r"\Nowhere\x", 3);
        assert_eq!(nowhere, Err(STATUS_OBJECT_PATH_NOT_FOUND));
        let below = enter_device(r"\Device\a\b", 3);
        assert_eq!(below, Err(STATUS_OBJECT_PATH_NOT_FOUND));
    }

    #[test]
    fn programs_use_the_links_or_the_name_where_there_is_none() {
        enter_device(r"\Device\NameTest5", 5).expect("the name is free");
        assert_eq!(paths_to(5), [r"\DEVICE\NAMETEST5"]);
        create_link(r"\DosDevices\NameTest5a", r"\Device\NameTest5").expect("free");
        create_link(r"\DosDevices\NameTest5b", r"\Device\NameTest5").expect("free");
        assert_eq!(paths_to(5), [r"\??\NAMETEST5A", r"\??\NAMETEST5B"]);
        assert_eq!(paths_to(55), [""; 0]);
    }

    #[test]
    fn links_in_a_circle_lead_nowhere() {
        create_link(r"\??\NameTest4a", r"\??\NameTest4b").expect("free");
        create_link(r"\??\NameTest4b", r"\??\NameTest4a").expect("free");
        assert_eq!(
            resolve(r"\\.\NameTest4a"),
            Err(STATUS_OBJECT_NAME_NOT_FOUND)
        );
    }
}
