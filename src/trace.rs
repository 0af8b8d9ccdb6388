//! What the driver tells whoever traces it: TraceLogging events of the provider `ndismux`, whose
//! identifier is derived from that name.
//!
//! One function for each kind of event, and each is called where the thing happens, after the lock under
//! which it was decided. While nobody listens a call is a load, a comparison and a return; nothing is
//! formatted or allocated either way. There is none for a frame: the data path counts, and statistics
//! say it.
//!
//! IRQL: `<= DISPATCH_LEVEL`, but for [`register`] and [`unregister`].
#![expect(
    unsafe_code,
    reason = "the registration is undone before the image goes, and only entry.rs knows when that is"
)]

use mux_core::{
    event_log::Message,
    lifecycle::{binding::State as BindingState, instance::Instance as Lifecycle},
    oid::{Kind, Policy},
    status::Action,
};
use ndis::{Passive, Status, contract::Contract, pnp::NetPnpEvent};
use tracelogging::{Level, define_provider, write_event};

use crate::{
    binding::receivers::Asked, protocol::bind::OWN_ADAPTER, virtual_miniport::VirtualMiniport,
};

define_provider!(PROVIDER, "ndismux");

/// What a session can choose by; an event may be of several.
mod keyword {
    /// The driver, its bindings and its virtual miniports: where each is in its life.
    pub(super) const LIFECYCLE: u64 = 1 << 0;
    /// What each virtual miniport was made with, and what of its configuration was not used.
    pub(super) const CONFIGURATION: u64 = 1 << 1;
    /// OID requests.
    pub(super) const OID: u64 = 1 << 2;
    /// What the adapter below told: status indications, PnP and power events.
    pub(super) const BELOW: u64 = 1 << 3;
    /// What somebody could not have.
    pub(super) const ERROR: u64 = 1 << 4;
}

/// Registers the provider. Without it the driver works as well, and nobody can trace it.
pub(crate) fn register(_at: Passive<'_>) {
    // SAFETY: `unregister` comes before the image goes: at the end of unload, or of a `DriverEntry` that
    // fails (entry.rs). Neither runs beside this one.
    let _status = unsafe { PROVIDER.register() };
}

/// Undoes [`register`]. No callback of NDIS's runs any more.
pub(crate) fn unregister(_at: Passive<'_>) {
    PROVIDER.unregister();
}

/// `DriverEntry` succeeded.
pub(crate) fn loaded(contract: Contract) {
    write_event!(
        PROVIDER,
        "DriverLoaded",
        level(Level::Informational),
        keyword(keyword::LIFECYCLE),
        u8("NdisMajor", &contract.major()),
        u8("NdisMinor", &contract.minor()),
    );
}

/// `DriverEntry` is about to fail.
pub(crate) fn load_failed(status: Status) {
    write_event!(
        PROVIDER,
        "DriverLoadFailed",
        level(Level::Error),
        keyword(keyword::LIFECYCLE | keyword::ERROR),
        win_ntstatus("Status", &status.raw()),
    );
}

/// Unload has undone all that `DriverEntry` did.
pub(crate) fn unloaded() {
    write_event!(
        PROVIDER,
        "DriverUnloaded",
        level(Level::Informational),
        keyword(keyword::LIFECYCLE),
    );
}

/// A binding's state has changed; nothing if it is the same.
pub(crate) fn binding(nic: &[u16], from: BindingState, to: BindingState) {
    if from == to {
        return;
    }
    write_event!(
        PROVIDER,
        "BindingState",
        level(Level::Informational),
        keyword(keyword::LIFECYCLE),
        str16("Nic", nic),
        str8("From", from.name()),
        str8("To", to.name()),
    );
}

/// A virtual miniport's state has changed, or it is being taken down now; nothing if neither.
pub(crate) fn virtual_miniport(device: &[u16], before: Lifecycle, after: Lifecycle) {
    if before == after {
        return;
    }
    let (from, to) = (before.state(), after.state());
    write_event!(
        PROVIDER,
        "VirtualMiniportState",
        level(Level::Informational),
        keyword(keyword::LIFECYCLE),
        str16("Device", device),
        str8("From", from.name()),
        str8("To", to.name()),
        bool8("Leaving", &after.leaving()),
    );
}

/// A virtual miniport was made, of this configuration.
pub(crate) fn configured(miniport: &VirtualMiniport) {
    write_event!(
        PROVIDER,
        "VirtualMiniportConfigured",
        level(Level::Informational),
        keyword(keyword::CONFIGURATION),
        str16("Device", miniport.instance.name()),
        str16("Nic", miniport.binding().name()),
        u16("Vlan", &miniport.vlan.get()),
        binary("Address", &miniport.address.octets()),
        bool8("Derived", &(miniport.address == miniport.permanent_address)),
        u32("Mtu", &miniport.sizes.mtu),
    );
}

/// An administrator is told of something in the event log, in the words of this message.
pub(crate) fn event_logged(message: Message, device: &[u16]) {
    write_event!(
        PROVIDER,
        "EventLogged",
        level(Level::Warning),
        keyword(keyword::CONFIGURATION | keyword::ERROR),
        str16("Device", device),
        u16("Id", &message.id()),
    );
}

/// A callback of NDIS's is about to return an error.
pub(crate) fn failed(callback: &'static str, device: &[u16], status: Status) {
    write_event!(
        PROVIDER,
        "CallbackFailed",
        level(Level::Error),
        keyword(keyword::LIFECYCLE | keyword::ERROR),
        str8("Callback", callback),
        str16("Device", device),
        win_ntstatus("Status", &status.raw()),
    );
}

/// `ProtocolBindAdapterEx` is about to return an error: the adapter is not for this driver, or could not
/// be had.
pub(crate) fn not_bound(nic: &[u16], status: Status) {
    if status != OWN_ADAPTER && status != Status::UNSUPPORTED_MEDIA {
        return failed("ProtocolBindAdapterEx", nic, status);
    }
    write_event!(
        PROVIDER,
        "BindDeclined",
        level(Level::Informational),
        keyword(keyword::LIFECYCLE),
        str16("Nic", nic),
        win_ntstatus("Status", &status.raw()),
    );
}

/// What is done about a request to a virtual miniport.
pub(crate) fn oid(device: &[u16], oid: u32, kind: Kind, policy: Policy) {
    write_event!(
        PROVIDER,
        "OidRequest",
        level(Level::Verbose),
        keyword(keyword::OID),
        str16("Device", device),
        u32_hex("Oid", &oid),
        str8("Kind", kind_name(kind)),
        str8("Way", way_name(policy)),
    );
}

/// What a virtual miniport answered at once: its final status, or that it is pending.
pub(crate) fn oid_answered(device: &[u16], oid: u32, status: Status) {
    write_event!(
        PROVIDER,
        "OidAnswered",
        level(Level::Verbose),
        keyword(keyword::OID),
        str16("Device", device),
        u32_hex("Oid", &oid),
        win_ntstatus("Status", &status.raw()),
    );
}

/// A request that was forwarded comes back from the adapter below.
pub(crate) fn oid_answered_below(nic: &[u16], oid: u32, status: Status) {
    write_event!(
        PROVIDER,
        "OidAnsweredBelow",
        level(Level::Verbose),
        keyword(keyword::OID),
        str16("Nic", nic),
        u32_hex("Oid", &oid),
        win_ntstatus("Status", &status.raw()),
    );
}

/// A request that was combined with those of others is completed.
pub(crate) fn oid_settled(asked: &Asked, status: Status) {
    write_event!(
        PROVIDER,
        "OidSettled",
        level(Level::Verbose),
        keyword(keyword::OID),
        str16("Device", asked.miniport.instance.name()),
        u32_hex("Oid", &asked.request.oid()),
        win_ntstatus("Status", &status.raw()),
    );
}

/// A request of a binding's own for its filter below has come back.
pub(crate) fn own_request(nic: &[u16], status: Status) {
    write_event!(
        PROVIDER,
        "FilterSetBelow",
        level(Level::Verbose),
        keyword(keyword::OID),
        str16("Nic", nic),
        win_ntstatus("Status", &status.raw()),
    );
}

/// A PnP or power event of a binding.
pub(crate) fn pnp(nic: &[u16], event: NetPnpEvent<'_>) {
    write_event!(
        PROVIDER,
        "NetPnpEvent",
        level(Level::Informational),
        keyword(keyword::BELOW),
        str16("Nic", nic),
        str8("Event", event.name()),
        u32("PowerState", &event.power_state()),
    );
}

/// What is done about a status indication of the adapter below.
pub(crate) fn status(nic: &[u16], code: u32, action: Action) {
    write_event!(
        PROVIDER,
        "StatusIndication",
        level(Level::Informational),
        keyword(keyword::BELOW),
        str16("Nic", nic),
        u32_hex("Code", &code),
        str8("Action", action_name(action)),
    );
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Query => "query",
        Kind::Set => "set",
        Kind::Method => "method",
    }
}

const fn way_name(policy: Policy) -> &'static str {
    match policy {
        Policy::Answer(_) => "answer",
        Policy::Forward(_) => "forward",
        Policy::Combine(_) => "combine",
        Policy::Refuse(_) => "refuse",
    }
}

const fn action_name(action: Action) -> &'static str {
    match action {
        Action::NetworkChange => "network change",
        Action::LinkState => "link state",
        Action::Offload => "offload configuration",
        Action::OffloadHardware => "offload capabilities",
        Action::Pattern => "wake-on-LAN pattern",
        Action::Swallow => "swallow",
    }
}
