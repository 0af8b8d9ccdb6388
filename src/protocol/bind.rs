//! Binding to an adapter, and taking a binding down.

use alloc::vec::Vec;

use mux_core::config::{multi_sz, same_name};
use ndis::{
    Passive, Result, Shared, Status,
    driver::Driver,
    protocol::{BindParameters, BindingHandle},
};
use wdk::println;

use crate::{binding::Binding, config, driver::Mux, instance::Instance};

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
        return Err(Status::NOT_ACCEPTED);
    }
    let binding = Binding::try_new(mux, parameters)?;
    mux.add(&binding)?;
    Ok(binding)
}

/// The adapter is open: asks for the virtual miniports that the registry names. One that cannot be
/// had does not keep the others from working, and none at all is a binding that waits for its first.
pub(super) fn opened(
    binding: &Shared<Binding>,
    handle: BindingHandle<Binding>,
    at: Passive<'_>,
) -> Result {
    binding.open_succeeded(handle);
    let mux = Mux::cell().get().ok_or(Status::FAILURE)?;
    let names = {
        let mut configuration = handle.configuration(at)?;
        config::upper_bindings(&mut configuration, at)?
    };
    let instances = instances(&names, binding)?;
    binding.set_instances(instances)?;
    binding.each_instance(|instance| {
        if let Err(status) = Instance::request(instance, mux, at) {
            println!("ndismux: a virtual miniport was not initialised: {status}");
        }
    });
    Ok(())
}

/// Takes down all that stands on the binding. After this the adapter is closed.
pub(super) fn unbind(binding: &Shared<Binding>, at: Passive<'_>) {
    binding.unbind();
    if let Some(mux) = Mux::cell().get() {
        binding.each_instance(|instance| instance.leave(mux, at));
        binding.each_instance(|instance| instance.wait_until_gone(at));
    }
    binding.quiesce(at);
}

/// The adapter is closed, or could not be opened.
pub(super) fn closed(binding: &Shared<Binding>) {
    binding.closed();
    if let Some(mux) = Mux::cell().get() {
        mux.remove(binding);
    }
}

/// An instance for each name, once.
fn instances(names: &[u16], binding: &Shared<Binding>) -> Result<Vec<Shared<Instance>>> {
    let mut instances: Vec<Shared<Instance>> = Vec::new();
    for name in multi_sz(names) {
        if instances.iter().any(|known| same_name(known.name(), name)) {
            continue;
        }
        instances.try_reserve(1).map_err(|_| Status::RESOURCES)?;
        instances.push(Instance::try_new(name, binding)?);
    }
    Ok(instances)
}
