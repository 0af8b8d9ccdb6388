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

use ndis::{Passive, Status, contract::Contract};
use tracelogging::{Level, define_provider, write_event};

define_provider!(PROVIDER, "ndismux");

/// What a session can choose by; an event may be of several.
mod keyword {
    /// The driver, its bindings and its virtual miniports: where each is in its life.
    pub(super) const LIFECYCLE: u64 = 1 << 0;
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
