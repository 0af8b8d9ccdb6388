//! `[policy]`: how NDIS behaves in this run where the documents leave it a choice.
//!
//! The keys are the fields of [`Policy`], and `pool`: `"special"` gives each block pages of its own, which
//! is slow and finds the most; `"red_zones"` is for speed. `special_pool` says at
//! which end of a special block the page is that cannot be touched. What is absent keeps the strict default.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ndis::policy::{
    DeviceNames, FirstBind, ImCancel, ImInitialize, MissingKey, Policy, Resources, ValueTypes, When,
};
use crate::nt::pool::{Guard, Mode};

/// The keys of `[policy]`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "each key is the field of `Policy` that has its name, or told above"
)]
pub struct PolicySection {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub im_initialize: Option<ImInitializeKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub im_cancel: Option<ImCancelKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub im_halt: Option<WhenKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<WhenKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close: Option<WhenKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oid: Option<WhenKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nic_oid: Option<WhenKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_return: Option<WhenKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_completion: Option<WhenKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive_resources: Option<ResourcesKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_bind: Option<FirstBindKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_key: Option<MissingKeyKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_types: Option<ValueTypesKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_names: Option<DeviceNamesKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watchdog: Option<Seconds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_limit: Option<Seconds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oid_limit: Option<Seconds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hang_limit: Option<Seconds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special_pool: Option<GuardKey>,
}

impl PolicySection {
    /// Changes `policy` where the file says so.
    pub fn apply(&self, policy: &mut Policy) {
        fn set<K: Copy, T: From<K>>(field: &mut T, key: Option<K>) {
            if let Some(key) = key {
                *field = key.into();
            }
        }
        set(&mut policy.im_initialize, self.im_initialize);
        set(&mut policy.im_cancel, self.im_cancel);
        set(&mut policy.im_halt, self.im_halt);
        set(&mut policy.open, self.open);
        set(&mut policy.close, self.close);
        set(&mut policy.oid, self.oid);
        set(&mut policy.nic_oid, self.nic_oid);
        set(&mut policy.client_return, self.client_return);
        set(&mut policy.send_completion, self.send_completion);
        set(&mut policy.receive_resources, self.receive_resources);
        set(&mut policy.first_bind, self.first_bind);
        set(&mut policy.missing_key, self.missing_key);
        set(&mut policy.value_types, self.value_types);
        set(&mut policy.device_names, self.device_names);
        set(&mut policy.watchdog, self.watchdog);
        set(&mut policy.send_limit, self.send_limit);
        set(&mut policy.oid_limit, self.oid_limit);
        set(&mut policy.hang_limit, self.hang_limit);
    }
}

/// A limit, in whole seconds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Seconds(pub u32);

impl From<Seconds> for Duration {
    fn from(Seconds(seconds): Seconds) -> Self {
        Self::from_secs(seconds.into())
    }
}

/// A file's spelling of an enumeration of `ndis::policy`.
macro_rules! keys {
    ($($(#[$doc:meta])* $key:ident for $type:ident { $($variant:ident),+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, clap::ValueEnum)]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "each variant is the one of its name that it stands for")]
        pub enum $key {
            $($variant),+
        }

        impl From<$key> for $type {
            fn from(key: $key) -> Self {
                match key {
                    $($key::$variant => Self::$variant),+
                }
            }
        }
    )+};
}

keys! {
    /// `"inline"`, `"later"` or `"never"`; holding an initialize back is for tests, by the API.
    ImInitializeKey for ImInitialize { Inline, Later, Never }
    /// `"succeeds"` or `"fails"`.
    ImCancelKey for ImCancel { Succeeds, Fails }
    /// `"inline"` or `"later"`.
    WhenKey for When { Inline, Later }
    /// `"never"`, `"always"` or `"alternate"`.
    ResourcesKey for Resources { Never, Always, Alternate }
    /// `"inside_register"` or `"after_entry"`.
    FirstBindKey for FirstBind { InsideRegister, AfterEntry }
    /// `"fails"` or `"opens"`.
    MissingKeyKey for MissingKey { Fails, Opens }
    /// `"as_asked"` or `"as_stored"`.
    ValueTypesKey for ValueTypes { AsAsked, AsStored }
    /// `"open"` or `"secure"`.
    DeviceNamesKey for DeviceNames { Open, Secure }
    /// `"special"` or `"red_zones"`.
    PoolKey for Mode { Special, RedZones }
    /// `"end"`, `"start"` or `"alternate"`.
    GuardKey for Guard { End, Start, Alternate }
}
