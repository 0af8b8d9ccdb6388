//! The lower edge: what NDIS calls on a [`Binding`], one file for each concern.

pub(crate) mod bind;
mod oid;
pub(crate) mod pnp;
mod receive;
mod send_complete;
mod status;

pub(crate) use receive::LOOKAHEAD;

use ndis::{
    Passive, Result, Shared,
    nbl::{Chain, Forwarded, Incoming, Lent, OffloadWords, SendInfo},
    oid::Completed,
    pnp::NetPnpEvent,
    protocol::{BindParameters, BindingHandle, Protocol, StatusIndication},
};

use crate::{binding::Binding, driver::Mux, trace, virtual_miniport::VirtualMiniport};

/// What is remembered of each NBL that is sent below.
pub(crate) struct Sent {
    /// Who sent it. The virtual miniport's gate counts it too.
    pub(crate) miniport: Shared<VirtualMiniport>,
    /// What to undo when it comes back.
    pub(crate) changed: Changed,
}

/// What was done to an NBL for the way down.
pub(crate) enum Changed {
    /// Nothing, or it was done to a carrier.
    Nothing,
    /// A tag was put into its frames; what stood beside them before is here.
    InBand(SendInfo, OffloadWords),
    /// A tag was put beside its frames, where this stood before.
    OutOfBand(SendInfo),
}

/// The OID requests of the binding's own that nobody waits for.
#[derive(Clone, Copy)]
pub(crate) enum Request {
    /// Sets the receive filter for an address, and answers with its number.
    AddFilter,
    /// Sets anything else of what the adapter below lets in.
    Filter,
    /// Sets receive side scaling.
    Scaling,
    /// Sets what the computer is woken for.
    Wake,
}

impl Protocol for Binding {
    type Driver = Mux;
    type SendContext = Sent;
    type Request = Request;

    fn bind(
        driver: &Mux,
        parameters: &BindParameters<'_>,
        _at: Passive<'_>,
    ) -> Result<Shared<Self>> {
        bind::bind(driver, parameters)
            .inspect_err(|&status| trace::not_bound(parameters.name(), status))
    }

    fn opened(this: &Shared<Self>, handle: BindingHandle<Self>, at: Passive<'_>) -> Result {
        bind::opened(this, handle, at).inspect_err(|&status| trace::not_bound(this.name(), status))
    }

    fn unbind(this: &Shared<Self>, at: Passive<'_>) {
        bind::unbind(this, at);
    }

    fn closed(this: &Shared<Self>, _at: Passive<'_>) {
        bind::closed(this);
    }

    fn net_pnp_event(this: &Shared<Self>, event: NetPnpEvent<'_>, at: Passive<'_>) -> Result {
        pnp::binding_event(this, event, at)
    }

    fn receive(
        this: &Shared<Self>,
        handle: BindingHandle<Self>,
        frames: Chain<Incoming>,
        at_dispatch: bool,
    ) {
        receive::receive(this, handle, frames, at_dispatch);
    }

    fn receive_lent(this: &Shared<Self>, frames: Lent<'_>, at_dispatch: bool) {
        receive::receive_lent(this, frames, at_dispatch);
    }

    fn send_complete(this: &Shared<Self>, sends: Chain<Forwarded<Self>>, at_dispatch: bool) {
        send_complete::send_complete(this, sends, at_dispatch);
    }

    fn oid_complete(this: &Shared<Self>, completed: Completed<Request>) {
        oid::complete(this, completed);
    }

    fn status(this: &Shared<Self>, indication: &StatusIndication<'_>) {
        status::status(this, indication);
    }
}
