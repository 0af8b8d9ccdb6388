//! The upper edge: virtual miniports as NDIS calls them.

mod attributes;
mod callbacks;
mod handle;

pub use attributes::{GeneralAttributes, Initializer, mac_option};
pub use handle::MiniportHandle;

pub(crate) use callbacks::characteristics;

use crate::{
    driver::Driver,
    irql::Passive,
    mem::Shared,
    nbl::{Chain, Derived, Outgoing},
    oid::{DirectOidRequest, OidOutcome, OidRequest},
    status::Result,
    sync::Rundown,
};

/// One adapter of an intermediate driver's upper edge.
///
/// NDIS holds one reference to it, from a successful [`initialize`](Self::initialize) to the end of
/// [`halt`](Self::halt). Where a method says nothing else, it may be called at any IRQL up to
/// DISPATCH_LEVEL and by several threads at once.
pub trait Miniport: Sized + Send + Sync + 'static {
    /// The driver it belongs to.
    type Driver: Driver<Miniport = Self>;
    /// `MiniportInitializeEx`. Must set the registration attributes and then the general ones.
    ///
    /// # Errors
    /// The adapter stays halted, and everything was undone.
    fn initialize(
        driver: &Self::Driver,
        initializer: &Initializer<'_, Self>,
        at: Passive<'_>,
    ) -> Result<Shared<Self>>;

    /// `MiniportHaltEx`: the adapter is paused, and no OID request is outstanding.
    fn halt(this: &Shared<Self>, at: Passive<'_>);

    /// `MiniportPause`: from its return on, no new send is taken and no receive indicated.
    fn pause(&self, at: Passive<'_>) -> Pause;

    /// `MiniportRestart`. Receives may be indicated before it returns.
    ///
    /// # Errors
    /// NDIS records a failure as a fatal error of the adapter.
    fn restart(&self, at: Passive<'_>) -> Result;

    /// `MiniportSendNetBufferLists`. `at_dispatch` says that the IRQL is known to be
    /// DISPATCH_LEVEL.
    fn send(this: &Shared<Self>, sends: Chain<Outgoing>, at_dispatch: bool);

    /// `MiniportReturnNetBufferLists`.
    fn return_receives(&self, receives: Chain<Derived>, at_dispatch: bool);

    /// `MiniportCancelSend`: complete queued sends with this cancel ID early, if that can be done.
    fn cancel_send(&self, cancel_id: usize);

    /// `MiniportOidRequest`. NDIS makes one request at a time.
    fn oid_request(this: &Shared<Self>, request: OidRequest<'_>, at: Passive<'_>) -> OidOutcome;

    /// Counts the regular requests that are with the adapter; open but for the time of a network event
    /// that is [passed on](MiniportHandle::pass_on).
    fn requests(&self) -> &Shared<Rundown>;

    /// `MiniportCancelOidRequest`: complete the request with this ID early, if that can be done.
    fn cancel_oid_request(&self, request_id: usize);

    /// `MiniportDirectOidRequest`: beside other requests, and answered when it returns.
    fn direct_oid_request(&self, request: DirectOidRequest<'_>) -> OidOutcome;

    /// `MiniportDevicePnPEventNotify` with `NdisDevicePnPEventSurpriseRemoved`: sends and OID
    /// requests are refused from here to halt.
    fn surprise_removed(&self, at: Passive<'_>);
}

/// How a pause went. It cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// Nothing is outstanding.
    Complete,
    /// [`MiniportHandle::pause_complete`] will be called once.
    Pending,
}
