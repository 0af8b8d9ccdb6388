//! The ways in which NDIS may behave, each of which a lab is checked under: `--policy`.
//!
//! | name | NDIS |
//! |---|---|
//! | `strict` | pends whatever may pend, and completes it on another thread |
//! | `inline` | does everything before the call returns |
//! | `resources` | receives carry `NDIS_RECEIVE_FLAGS_RESOURCES` |
//! | `mixed` | every second receive does, and NICs and clients answer inline |
//! | `initialize-inline` | initializes virtual miniports inside `NdisIMInitializeDeviceInstanceEx` |
//! | `initialize-never` | never initializes them, and a cancel comes too late |
//! | `halt-later` | halts them after `NdisIMDeInitializeDeviceInstance` has returned |
//! | `bind-early` | binds inside `NdisRegisterProtocolDriver`, before the driver has associated its edges |
//!
//! Each changes what it names in what the lab file's own `[policy]` says.

use crate::lab::file::LabFile;
use crate::ndis::policy::{FirstBind, ImCancel, ImInitialize, Policy, Resources, When};

/// The policy that is as the lab file says, and strict where it says nothing.
pub const STRICT: &str = "strict";

/// The names.
#[must_use]
pub fn names() -> [&'static str; POLICIES.len()] {
    POLICIES.map(|(name, _)| name)
}

/// Changes the policy of a lab to the one of that name. Answers whether there is one.
pub(super) fn apply(name: &str, policy: &mut Policy) -> bool {
    let found = POLICIES.iter().find(|(other, _)| *other == name);
    if let Some((_, change)) = found {
        change(policy);
    }
    found.is_some()
}

/// Whether the script of that lab comes to what it expects under the policy: where virtual miniports never
/// come, nothing above them does.
pub(super) fn comes_up(name: &str, file: &LabFile) -> bool {
    name != NEVER || file.virtual_miniports.is_empty()
}

type Change = fn(&mut Policy);

const NEVER: &str = "initialize-never";
const POLICIES: [(&str, Change); 8] = [
    (STRICT, |_| {}),
    ("inline", |policy| {
        *policy = Policy {
            receive_resources: policy.receive_resources,
            watchdog: policy.watchdog,
            ..Policy::INLINE
        };
    }),
    ("resources", |policy| {
        policy.receive_resources = Resources::Always;
    }),
    ("mixed", |policy| {
        policy.receive_resources = Resources::Alternate;
        policy.nic_oid = When::Inline;
        policy.client_return = When::Inline;
        policy.send_completion = When::Inline;
    }),
    ("initialize-inline", |policy| {
        policy.im_initialize = ImInitialize::Inline;
    }),
    (NEVER, |policy| {
        policy.im_initialize = ImInitialize::Never;
        policy.im_cancel = ImCancel::Fails;
    }),
    ("halt-later", |policy| policy.im_halt = When::Later),
    ("bind-early", |policy| {
        policy.first_bind = FirstBind::InsideRegister;
    }),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_but_the_strict_one_changes_something_and_no_two_the_same() {
        let changed: Vec<_> = names()
            .iter()
            .map(|name| {
                let mut policy = Policy::STRICT;
                assert!(apply(name, &mut policy), "{name}");
                policy
            })
            .collect();
        assert_eq!(changed[0], Policy::STRICT);
        for (index, policy) in changed.iter().enumerate() {
            assert!(!changed[..index].contains(policy), "{}", names()[index]);
        }
        assert!(!apply("lenient", &mut Policy::STRICT.clone()));
    }
}
