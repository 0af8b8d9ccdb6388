//! The freedoms that the documents leave NDIS, and which of them this run takes.
//!
//! Where a driver must cope with several behaviours (a call that may pend, an initialize that may
//! run now or later) the host has to be able to show each of them. The default is the stricter one:
//! completions arrive asynchronously, on another thread. In a seeded run each freedom that the lab
//! leaves at its default is drawn anew for each call.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::nt::sched;

/// When the virtual miniport of `NdisIMInitializeDeviceInstanceEx` is initialised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImInitialize {
    /// Before the call returns, on the same thread.
    Inline,
    /// On another thread, soon.
    Later,
    /// On another thread, when the test releases it.
    Held,
    /// Never.
    Never,
}

/// What `NdisIMCancelInitializeDeviceInstance` does with a request that has not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImCancel {
    /// Succeeds: `MiniportInitializeEx` will not come.
    Succeeds,
    /// Comes too late: fails, and the initialize then runs, held or not.
    Fails,
}

/// Whether something is done on the caller's thread or on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before the call returns.
    Inline,
    /// On another thread; the call pends or returns first.
    Later,
}

/// Which indications carry `NDIS_RECEIVE_FLAGS_RESOURCES` when a NIC of ours makes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resources {
    /// None.
    Never,
    /// All.
    Always,
    /// Every second one.
    Alternate,
}

/// When a protocol driver gets its first binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstBind {
    /// Before `NdisRegisterProtocolDriver` returns, so before the driver associated its edges.
    InsideRegister,
    /// After `DriverEntry` returned.
    AfterEntry,
}

/// What `NdisOpenConfigurationEx` does about a registry key that is not there: its page does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingKey {
    /// It fails with `NDIS_STATUS_FAILURE`.
    Fails,
    /// It opens a key without values; a write makes it.
    Opens,
}

/// Which types of values `NdisReadConfiguration` finds. Its page says that it ignores the type that it is
/// asked for; that of `NDIS_CONFIGURATION_PARAMETER` says that what it returns has that type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueTypes {
    /// Only a value of the type that was asked for; any other fails with `NDIS_STATUS_FAILURE`.
    AsAsked,
    /// A value of any type, as it is stored.
    AsStored,
}

/// Whom the system lets open names below a device of `NdisRegisterDeviceEx`: no page says whether NDIS gives it
/// the characteristic FILE_DEVICE_SECURE_OPEN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceNames {
    /// Everybody: the driver itself has to refuse.
    Open,
    /// Those who may open the device.
    Secure,
}

/// How NDIS behaves in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// See [`ImInitialize`].
    pub im_initialize: ImInitialize,
    /// See [`ImCancel`].
    pub im_cancel: ImCancel,
    /// Whether `MiniportHaltEx` runs inside `NdisIMDeInitializeDeviceInstance`.
    pub im_halt: When,
    /// Whether `NdisOpenAdapterEx` pends.
    pub open: When,
    /// Whether `NdisCloseAdapterEx` pends.
    pub close: When,
    /// Whether a regular OID request is handed to the miniport on the caller's thread.
    pub oid: When,
    /// Whether built-in NICs answer OID requests inside their handler or pend them.
    pub nic_oid: When,
    /// Whether built-in clients return received frames inside their handler or on their own thread.
    pub client_return: When,
    /// Whether built-in NICs complete sends inside their send handler or on their own thread.
    pub send_completion: When,
    /// See [`Resources`].
    pub receive_resources: Resources,
    /// See [`FirstBind`].
    pub first_bind: FirstBind,
    /// See [`MissingKey`].
    pub missing_key: MissingKey,
    /// See [`ValueTypes`].
    pub value_types: ValueTypes,
    /// See [`DeviceNames`].
    pub device_names: DeviceNames,
    /// How long a driver may take for a PnP operation before the watchdog rule of it is broken.
    pub watchdog: Duration,
    /// How long a miniport may take for a send. The rule's own limit is the default.
    pub send_limit: Duration,
    /// How long a miniport may take for an OID request. The rule's own limit is the default.
    pub oid_limit: Duration,
    /// How long a miniport with sends may complete none. The rule's own limit is the default.
    pub hang_limit: Duration,
}

impl Policy {
    /// Asynchronous where that is allowed.
    pub const STRICT: Self = Self {
        im_initialize: ImInitialize::Later,
        im_cancel: ImCancel::Succeeds,
        im_halt: When::Inline,
        open: When::Later,
        close: When::Later,
        oid: When::Later,
        nic_oid: When::Later,
        client_return: When::Later,
        send_completion: When::Later,
        receive_resources: Resources::Never,
        first_bind: FirstBind::AfterEntry,
        missing_key: MissingKey::Fails,
        value_types: ValueTypes::AsAsked,
        device_names: DeviceNames::Open,
        watchdog: Duration::from_secs(30),
        send_limit: Duration::from_secs(30),
        oid_limit: Duration::from_secs(12),
        hang_limit: Duration::from_secs(22),
    };

    /// Everything on the caller's thread.
    pub const INLINE: Self = Self {
        im_initialize: ImInitialize::Inline,
        im_cancel: ImCancel::Succeeds,
        im_halt: When::Inline,
        open: When::Inline,
        close: When::Inline,
        oid: When::Inline,
        nic_oid: When::Inline,
        client_return: When::Inline,
        send_completion: When::Inline,
        receive_resources: Resources::Never,
        first_bind: FirstBind::AfterEntry,
        missing_key: MissingKey::Fails,
        value_types: ValueTypes::AsAsked,
        device_names: DeviceNames::Open,
        watchdog: Duration::from_secs(30),
        send_limit: Duration::from_secs(30),
        oid_limit: Duration::from_secs(12),
        hang_limit: Duration::from_secs(22),
    };
}

impl Default for Policy {
    fn default() -> Self {
        Self::STRICT
    }
}

/// The policy in force.
pub fn current() -> Policy {
    let mut policy = *lock();
    if sched::is_seeded() {
        draw(&mut policy);
    }
    policy
}

/// Takes each freedom that was left at its default by a draw from the seed.
fn draw(policy: &mut Policy) {
    fn one_of<T: PartialEq + Copy>(place: &mut T, default: T, choices: [T; 2]) {
        let drawn = choices[sched::choose(2) as usize];
        if *place == default {
            *place = drawn;
        }
    }
    const WHEN: [When; 2] = [When::Inline, When::Later];
    let default = Policy::STRICT;
    one_of(
        &mut policy.im_initialize,
        default.im_initialize,
        [ImInitialize::Inline, ImInitialize::Later],
    );
    one_of(
        &mut policy.im_cancel,
        default.im_cancel,
        [ImCancel::Succeeds, ImCancel::Fails],
    );
    one_of(&mut policy.im_halt, default.im_halt, WHEN);
    one_of(&mut policy.open, default.open, WHEN);
    one_of(&mut policy.close, default.close, WHEN);
    one_of(&mut policy.oid, default.oid, WHEN);
    one_of(&mut policy.nic_oid, default.nic_oid, WHEN);
    one_of(&mut policy.client_return, default.client_return, WHEN);
    one_of(&mut policy.send_completion, default.send_completion, WHEN);
    one_of(
        &mut policy.receive_resources,
        default.receive_resources,
        [Resources::Never, Resources::Always],
    );
    one_of(
        &mut policy.first_bind,
        default.first_bind,
        [FirstBind::InsideRegister, FirstBind::AfterEntry],
    );
    one_of(
        &mut policy.missing_key,
        default.missing_key,
        [MissingKey::Fails, MissingKey::Opens],
    );
    one_of(
        &mut policy.value_types,
        default.value_types,
        [ValueTypes::AsAsked, ValueTypes::AsStored],
    );
    one_of(
        &mut policy.device_names,
        default.device_names,
        [DeviceNames::Open, DeviceNames::Secure],
    );
}

/// Changes the policy for what happens from now on.
pub fn change(change: impl FnOnce(&mut Policy)) {
    change(&mut lock());
}

fn lock() -> MutexGuard<'static, Policy> {
    sched::note_lock();
    POLICY
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

static POLICY: Mutex<Policy> = Mutex::new(Policy::STRICT);
