//! The upper edge: what NDIS calls on a [`VirtualMiniport`], one file for each concern.

mod halt;
mod initialize;
mod oid;
mod pause;
mod return_nbls;
mod send;

use ndis::{
    Passive, Result, Shared,
    miniport::{Initializer, Miniport, Pause},
    nbl::{Chain, Derived, Outgoing},
    oid::{DirectOidRequest, OidOutcome, OidRequest},
    sync::Rundown,
};

use crate::{driver::Mux, trace, virtual_miniport::VirtualMiniport};

impl Miniport for VirtualMiniport {
    type Driver = Mux;

    fn initialize(
        driver: &Mux,
        initializer: &Initializer<'_, Self>,
        at: Passive<'_>,
    ) -> Result<Shared<Self>> {
        initialize::initialize(driver, initializer, at)
    }

    fn halt(this: &Shared<Self>, at: Passive<'_>) {
        halt::halt(this, at);
    }

    fn pause(&self, _at: Passive<'_>) -> Pause {
        pause::pause(self)
    }

    fn restart(&self, _at: Passive<'_>) -> Result {
        pause::restart(self)
    }

    fn send(this: &Shared<Self>, sends: Chain<Outgoing>, at_dispatch: bool) {
        send::send(this, sends, at_dispatch);
    }

    fn return_receives(&self, receives: Chain<Derived>, at_dispatch: bool) {
        return_nbls::return_receives(self, receives, at_dispatch);
    }

    fn cancel_send(&self, cancel_id: usize) {
        send::cancel(self, cancel_id);
    }

    fn oid_request(this: &Shared<Self>, request: OidRequest<'_>, at: Passive<'_>) -> OidOutcome {
        let oid = request.oid();
        let outcome = oid::request(this, request, at);
        trace::oid_answered(this.instance.name(), oid, outcome.status());
        outcome
    }

    fn requests(&self) -> &Shared<Rundown> {
        &self.requests
    }

    fn cancel_oid_request(&self, request_id: usize) {
        oid::cancel(self, request_id);
    }

    fn direct_oid_request(&self, request: DirectOidRequest<'_>) -> OidOutcome {
        let oid = request.oid();
        let outcome = oid::direct_request(self, request);
        trace::oid_answered(self.instance.name(), oid, outcome.status());
        outcome
    }

    fn surprise_removed(&self, _at: Passive<'_>) {
        halt::surprise_removed(self);
    }
}
