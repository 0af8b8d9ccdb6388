//! The lower edge: bindings to the adapters below, as NDIS calls them.

mod bind;
mod callbacks;
mod handle;

pub use bind::{BindParameters, StatusIndication};
pub use handle::{BindingHandle, HandleCell};

pub(crate) use callbacks::characteristics;

use crate::{
    driver::Driver,
    irql::Passive,
    mem::Shared,
    nbl::{Chain, Forwarded, Incoming, Lent},
    oid::Completed,
    pnp::NetPnpEvent,
    status::Result,
};

/// One binding of an intermediate driver's lower edge.
///
/// NDIS holds one reference to it, from [`bind`](Self::bind) until after [`closed`](Self::closed).
/// The adapter below is opened and closed by this crate, exactly once each: the driver is told.
/// Opening and closing wait where NDIS leaves them pending; both happen at PASSIVE_LEVEL in threads
/// that NDIS provides for just that, and a close must be made from within an unbind anyway.
///
/// Where a method says nothing else, it may be called at any IRQL up to DISPATCH_LEVEL and by
/// several threads at once.
pub trait Protocol: Sized + Send + Sync + 'static {
    /// The driver it belongs to.
    type Driver: Driver<Protocol = Self>;
    /// What the driver remembers of each NBL that it sends.
    type SendContext: Send;
    /// What it remembers of each OID request of its own that it does not wait for.
    type Request: Copy + Send;

    /// `ProtocolBindAdapterEx`, before the adapter is opened.
    ///
    /// # Errors
    /// The driver does not want the adapter: it is not opened.
    fn bind(
        driver: &Self::Driver,
        parameters: &BindParameters<'_>,
        at: Passive<'_>,
    ) -> Result<Shared<Self>>;

    /// The adapter is open. Receives and status indications may come.
    ///
    /// # Errors
    /// The adapter is closed again and the bind fails.
    fn opened(this: &Shared<Self>, handle: BindingHandle<Self>, at: Passive<'_>) -> Result;

    /// `ProtocolUnbindAdapterEx`, before the adapter is closed: from the return on, the driver uses
    /// the handle no more. Sends, requests and kept receives must be back.
    fn unbind(this: &Shared<Self>, at: Passive<'_>);

    /// The adapter is closed, or could not be opened.
    fn closed(this: &Shared<Self>, at: Passive<'_>);

    /// `ProtocolNetPnPEvent` for this binding.
    ///
    /// # Errors
    /// Only `QueryRemoveDevice` and port activation may fail.
    fn net_pnp_event(this: &Shared<Self>, event: NetPnpEvent<'_>, at: Passive<'_>) -> Result;

    /// `ProtocolReceiveNetBufferLists` with frames that the driver keeps until it returns them to
    /// `handle`. May come before [`opened`](Self::opened).
    fn receive(
        this: &Shared<Self>,
        handle: BindingHandle<Self>,
        frames: Chain<Incoming>,
        at_dispatch: bool,
    );

    /// `ProtocolReceiveNetBufferLists` with frames that go back when it returns.
    fn receive_lent(this: &Shared<Self>, frames: Lent<'_>, at_dispatch: bool);

    /// `ProtocolSendNetBufferListsComplete`.
    fn send_complete(this: &Shared<Self>, sends: Chain<Forwarded<Self>>, at_dispatch: bool);

    /// `ProtocolOidRequestComplete`.
    fn oid_complete(this: &Shared<Self>, completed: Completed<Self::Request>);

    /// `ProtocolStatusEx`.
    fn status(this: &Shared<Self>, indication: &StatusIndication<'_>);
}
