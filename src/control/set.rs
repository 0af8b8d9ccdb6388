//! A virtual miniport gets another VLAN or address: it is taken down, and another one of its name takes its
//! place.
//!
//! NDIS may refuse that one. Then the same one is asked for once more, with what the last one had: it was
//! made and listed before anything was taken down, so that this needs no memory. Should NDIS refuse that too,
//! it stays down, to be asked for with the next reconfiguration, as it was.

use mux_core::{
    config::asked::{Address, Asked},
    control::Name,
    event_log::Message,
};
use ndis::{Passive, Shared, Status, configuration::Configuration};

use super::{Outcome, Text, begin_change, require_free};
use crate::{config, driver::Mux, instance::Instance};

/// Gives a virtual miniport what is `wanted`.
pub(super) fn set(mux: &Mux, device: Name<'_>, wanted: Asked, at: Passive<'_>) -> Outcome {
    let instance = Text::of(device)?.instance(mux)?;
    let binding = instance.binding();
    let change = begin_change(&instance, at)?;
    require_free(binding, wanted.vlan, Some(&instance))?;
    let unwritten = instance.asked();
    let asked = wanted.or(unwritten);
    let before = unwritten.or(in_use(&instance, wanted));
    let address = instance.permanent_address();
    let next = Instance::try_new(instance.name(), address, binding, asked)?;
    // What can fail comes before anything is taken down.
    binding.add_instances(&change, core::slice::from_ref(&next))?;
    let written = change.configuration(at).and_then(|mut configuration| {
        config::write_asked(next.name(), asked, &mut configuration, at)?;
        Ok(configuration)
    });
    let mut configuration = written.inspect_err(|_| {
        next.leave(mux, at);
        binding.instances().tidy();
    })?;
    instance.leave(mux, at);
    instance.wait_until_gone(at);
    if unwritten != Asked::default() {
        // On its last way it may have written what was asked for it, and forgotten this with that.
        let _written = config::write_asked(next.name(), asked, &mut configuration, at);
    }
    binding.instances().tidy();
    Instance::request(&next, mux, at)
        .or_else(|refused| put_back(mux, &next, before, refused, &mut configuration, at))
}

/// Asks for it as it was `before`, because NDIS has `refused` it as it should be.
fn put_back(
    mux: &Mux,
    next: &Shared<Instance>,
    before: Asked,
    refused: Status,
    configuration: &mut Configuration<'_>,
    at: Passive<'_>,
) -> Outcome {
    if !next.ask_instead(before) {
        // Somebody enabled its device meanwhile, and NDIS took that request.
        return Ok(());
    }
    // Should this fail, its initialisation still deletes what stands there.
    let _written = config::write_asked(next.name(), before, configuration, at);
    if before == Asked::default() {
        next.binding().forget_asked(next.name(), at);
    }
    if let Err(status) = Instance::request(next, mux, at) {
        mux.log(Message::NotStarted, next.name(), &status);
    }
    Err(refused)
}

/// What it uses now, of what is to change. Nothing if it is not initialised: then its own configuration
/// says it, and stays as it is.
fn in_use(instance: &Instance, wanted: Asked) -> Asked {
    let Some(miniport) = instance.miniport() else {
        return Asked::default();
    };
    let address = match miniport.address {
        address if address == miniport.permanent_address => Address::Derived,
        address => Address::Set(address),
    };
    Asked {
        vlan: wanted.vlan.and(Some(miniport.vlan)),
        address: wanted.address.and(Some(address)),
    }
}
