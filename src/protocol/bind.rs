//! Binding to an adapter, and taking a binding down.

use mux_core::config::same_name;
use ndis::{
    Passive, Result, Shared, Status,
    driver::Driver,
    protocol::{BindParameters, BindingHandle},
};

use crate::{binding::Binding, driver::Mux, reconfigure};

/// Takes an Ethernet adapter, unless it is one of our own virtual miniports: Windows offers those to
/// this protocol too, and a VLAN adapter on a VLAN adapter would be bound to itself.
pub(super) fn bind(mux: &Mux, parameters: &BindParameters<'_>) -> Result<Shared<Binding>> {
    if !parameters.is_ethernet() {
        return Err(Status::UNSUPPORTED_MEDIA);
    }
    let name = parameters.name();
    if mux
        .find_instance(|instance| same_name(instance.name(), name))
        .is_some()
    {
        // An error by its number, too: NDIS must not take the binding for open.
        return Err(OWN_ADAPTER);
    }
    let binding = Binding::try_new(mux, parameters)?;
    mux.add(&binding)?;
    Ok(binding)
}

/// Of a bind to one of our own virtual miniports.
pub(crate) const OWN_ADAPTER: Status = Status::NOT_SUPPORTED;

/// The adapter is open: asks for the virtual miniports that the registry names. One that cannot be
/// had does not keep the others from working, and none at all, or a list that cannot be had, is a binding
/// that waits for its first.
pub(super) fn opened(
    binding: &Shared<Binding>,
    handle: BindingHandle<Binding>,
    at: Passive<'_>,
) -> Result {
    binding.open_succeeded(handle);
    let mux = Mux::cell().get().ok_or(Status::FAILURE)?;
    binding.learn_link(handle, at);
    binding.learn_offloads(handle, at);
    reconfigure::bound(binding, mux, at);
    Ok(())
}

/// Takes down all that stands on the binding. After this the adapter is closed.
pub(super) fn unbind(binding: &Shared<Binding>, at: Passive<'_>) {
    binding.unbind();
    Binding::stop_waiting(binding, at);
    if let Some(mux) = Mux::cell().get() {
        let instances = binding.shut_instances();
        instances
            .iter()
            .for_each(|instance| instance.leave(mux, at));
        instances
            .iter()
            .for_each(|instance| instance.wait_until_gone(at));
    }
    binding.end_changes(at);
    binding.quiesce(at);
}

/// The adapter is closed, or could not be opened.
pub(super) fn closed(binding: &Shared<Binding>) {
    binding.closed();
    if let Some(mux) = Mux::cell().get() {
        mux.tidy();
    }
}
