//! Who may open a device: security descriptors, tokens, and the check of one against the other.
//!
//! A [`Descriptor`] is made of a string in the Security Descriptor Definition Language
//! (`sddl-for-device-objects.md`, and MS-DTYP 2.5.1 for what that page leaves out): owner, group, and a
//! list of entries that allow or deny. A [`Token`] is who opens. Generic rights become those of files,
//! as devices have them.
//!
//! Not here: auditing, integrity levels, restricted tokens, privileges, and entries for parts of an
//! object. The list for auditing is read over; an entry of another kind is an error.

mod parse;

use std::fmt;

use ndis_sys::{
    ACCESS_MASK, FILE_ALL_ACCESS, FILE_GENERIC_EXECUTE, FILE_GENERIC_READ, FILE_GENERIC_WRITE,
    GENERIC_ALL, GENERIC_EXECUTE, GENERIC_READ, GENERIC_WRITE, NTSTATUS, READ_CONTROL, WRITE_DAC,
};

/// Who somebody is, or a group of those: a security identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sid {
    authority: u64,
    parts: Vec<u32>,
}

/// Who opens a device.
#[derive(Clone, Debug)]
pub struct Token {
    user: Sid,
    groups: Vec<Sid>,
}

/// What says who may do what with a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    owner: Option<Sid>,
    group: Option<Sid>,
    /// None lets everybody do everything; an empty list lets nobody in.
    entries: Option<Vec<Entry>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    allows: bool,
    rights: ACCESS_MASK,
    sid: Sid,
}

impl Token {
    /// The operating system itself, such as a service of it.
    #[must_use]
    pub fn system() -> Self {
        Self::of(LOCAL_SYSTEM, &[ADMINISTRATORS, AUTHENTICATED_USERS, WORLD])
    }

    /// An administrator at the machine, elevated.
    #[must_use]
    pub fn administrator() -> Self {
        let groups = [
            ADMINISTRATORS,
            USERS,
            AUTHENTICATED_USERS,
            INTERACTIVE,
            WORLD,
        ];
        Self::of(&[5, 21, 1, 2, 3, 500], &groups)
    }

    /// A user at the machine who is no administrator.
    #[must_use]
    pub fn user() -> Self {
        let groups = [USERS, AUTHENTICATED_USERS, INTERACTIVE, WORLD];
        Self::of(&[5, 21, 1, 2, 3, 1001], &groups)
    }

    fn of(user: &[u32], groups: &[&[u32]]) -> Self {
        Self {
            user: Sid::of(user),
            groups: groups.iter().map(|group| Sid::of(group)).collect(),
        }
    }

    fn has(&self, sid: &Sid) -> bool {
        self.user == *sid || self.groups.contains(sid)
    }
}

impl Descriptor {
    /// Reads a string in the Security Descriptor Definition Language.
    ///
    /// # Errors
    /// The status that says which part is no valid one: STATUS_INVALID_SECURITY_DESCR,
    /// STATUS_INVALID_ACL or STATUS_INVALID_SID.
    pub fn parse(sddl: &str) -> Result<Self, NTSTATUS> {
        parse::descriptor(sddl)
    }

    /// What a device has without one of its own: all for administrators and the system, reading,
    /// writing and executing for everybody (`controlling-device-access.md`).
    #[must_use]
    pub fn of_devices() -> Self {
        let entry = |rights, sid| Entry {
            allows: true,
            rights: map_generic(rights),
            sid: Sid::of(sid),
        };
        Self {
            owner: Some(Sid::of(ADMINISTRATORS)),
            group: Some(Sid::of(LOCAL_SYSTEM)),
            entries: Some(vec![
                entry(GENERIC_ALL, LOCAL_SYSTEM),
                entry(GENERIC_ALL, ADMINISTRATORS),
                entry(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE, WORLD),
            ]),
        }
    }

    /// Lets everybody do everything: what nothing is checked against.
    pub(super) fn for_everybody() -> Self {
        Self {
            owner: None,
            group: None,
            entries: None,
        }
    }

    /// The rights that `token` gets if it asks for `desired`: all of them, or none.
    #[must_use]
    pub fn check(&self, token: &Token, desired: ACCESS_MASK) -> Option<ACCESS_MASK> {
        let desired = map_generic(desired);
        let Some(entries) = &self.entries else {
            return Some(desired);
        };
        // Whoever owns an object can always see and change who may use it.
        let owns = self.owner.as_ref().is_some_and(|owner| token.has(owner));
        let mut missing = desired;
        if owns {
            missing &= !(READ_CONTROL | WRITE_DAC);
        }
        for entry in entries.iter().filter(|entry| token.has(&entry.sid)) {
            if entry.allows {
                missing &= !entry.rights;
            } else if missing & entry.rights != 0 {
                return None;
            }
        }
        (missing == 0).then_some(desired)
    }

    /// Who owns what this describes, if the string said it.
    #[must_use]
    pub fn owner(&self) -> Option<&Sid> {
        self.owner.as_ref()
    }

    /// The owner's group, if the string said it.
    #[must_use]
    pub fn group(&self) -> Option<&Sid> {
        self.group.as_ref()
    }
}

impl Sid {
    /// The first part is the authority.
    fn of(parts: &[u32]) -> Self {
        Self {
            authority: u64::from(parts[0]),
            parts: parts[1..].to_vec(),
        }
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S-1-{}", self.authority)?;
        self.parts.iter().try_for_each(|part| write!(f, "-{part}"))
    }
}

/// Rights in their own terms: the generic ones become those of files (`access-mask.md`).
fn map_generic(rights: ACCESS_MASK) -> ACCESS_MASK {
    let generic = [
        (GENERIC_READ, FILE_GENERIC_READ),
        (GENERIC_WRITE, FILE_GENERIC_WRITE),
        (GENERIC_EXECUTE, FILE_GENERIC_EXECUTE),
        (GENERIC_ALL, FILE_ALL_ACCESS),
    ];
    let all = GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL;
    generic
        .into_iter()
        .filter(|(generic, _)| rights & generic != 0)
        .fold(rights & !all, |mapped, (_, specific)| mapped | specific)
}

// The authority, then the rest.
const LOCAL_SYSTEM: &[u32] = &[5, 18];
const ADMINISTRATORS: &[u32] = &[5, 32, 544];
const USERS: &[u32] = &[5, 32, 545];
const AUTHENTICATED_USERS: &[u32] = &[5, 11];
const INTERACTIVE: &[u32] = &[5, 4];
const WORLD: &[u32] = &[1, 0];

#[cfg(test)]
mod tests {
    use super::*;

    const READ_WRITE: ACCESS_MASK = GENERIC_READ | GENERIC_WRITE;

    fn may(sddl: &str, token: &Token, desired: ACCESS_MASK) -> bool {
        let descriptor = Descriptor::parse(sddl).expect("it is a valid string");
        descriptor.check(token, desired).is_some()
    }

    #[test]
    fn the_strings_of_wdmsec_let_in_whom_they_name() {
        let (system, administrator, user) =
            (Token::system(), Token::administrator(), Token::user());
        let kernel_only = "D:P";
        assert!(!may(kernel_only, &system, GENERIC_READ));

        let system_all = "D:P(A;;GA;;;SY)";
        assert!(may(system_all, &system, GENERIC_ALL));
        assert!(!may(system_all, &administrator, GENERIC_READ));

        let administrators_all = "D:P(A;;GA;;;SY)(A;;GA;;;BA)";
        assert!(may(administrators_all, &administrator, GENERIC_ALL));
        assert!(!may(administrators_all, &user, GENERIC_READ));

        let world_reads = "D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)";
        assert!(may(world_reads, &user, GENERIC_READ));
        assert!(!may(world_reads, &user, READ_WRITE));
        assert!(may(world_reads, &administrator, READ_WRITE));
        assert!(!may(world_reads, &administrator, WRITE_DAC));
    }

    #[test]
    fn the_first_entry_that_speaks_of_a_right_decides() {
        let user = Token::user();
        assert!(!may("D:(D;;GW;;;BU)(A;;GA;;;WD)", &user, READ_WRITE));
        assert!(!may("D:(D;;GW;;;BU)(A;;GR;;;WD)", &user, GENERIC_WRITE));
        assert!(may("D:(A;;GA;;;WD)(D;;GW;;;BU)", &user, READ_WRITE));
    }

    #[test]
    fn an_owner_may_always_change_the_list() {
        let user = Token::user();
        assert!(may("O:BUD:P", &user, READ_CONTROL | WRITE_DAC));
        assert!(!may("O:BUD:P", &user, GENERIC_READ));
        assert!(!may("O:BAD:P", &user, WRITE_DAC));
    }

    #[test]
    fn no_list_lets_everybody_in_and_an_empty_one_nobody() {
        assert!(may("O:BAG:SY", &Token::user(), GENERIC_ALL));
        assert!(may("D:NO_ACCESS_CONTROL", &Token::user(), GENERIC_ALL));
        assert!(!may("D:", &Token::system(), GENERIC_READ));
    }

    #[test]
    fn devices_let_everybody_read_and_write_by_default() {
        let devices = Descriptor::of_devices();
        assert!(devices.check(&Token::user(), READ_WRITE).is_some());
        assert_eq!(devices.check(&Token::user(), GENERIC_ALL), None);
        assert!(
            devices
                .check(&Token::administrator(), GENERIC_ALL)
                .is_some()
        );
    }

    #[test]
    fn what_is_granted_are_the_rights_of_files() {
        let all = Descriptor::parse("D:(A;;GA;;;WD)").expect("valid");
        let granted = all.check(&Token::user(), GENERIC_READ);
        assert_eq!(granted, Some(FILE_GENERIC_READ));
    }
}
