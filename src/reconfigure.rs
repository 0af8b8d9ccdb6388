//! Brings the virtual miniports of a binding into line with the registry.
//!
//! At the bind all that `UpperBindings` names are added. When NDIS says that the configuration changed,
//! those that are not named any more are taken down, those whose own configuration has changed are taken
//! down and made anew, and those that are new are added, the first one of a binding like any other. The
//! rest is not touched.
//!
//! One change of a binding is made at a time ([`Binding::begin_change`]). It waits for virtual miniports
//! to halt, which waits for nobody who changes anything; an unbind meanwhile takes down what it finds,
//! and lets nothing be added.

use alloc::vec::Vec;

use mux_core::{
    MacAddress,
    config::{ConfigError, asked::Asked, same_name},
    event_log::Message,
};
use ndis::{Passive, Result, Shared, Status};

use crate::{binding::Binding, config, driver::Mux, instance::Instance};

/// The adapter is bound: all that the registry names is added. Should that fail, the binding stays, without
/// virtual miniports.
pub(crate) fn bound(binding: &Shared<Binding>, mux: &Mux, at: Passive<'_>) {
    report(add_named(binding, mux, at), binding, mux);
}

/// The configuration of the driver has changed: all bindings are looked through. What moves from one to
/// another is taken down before it is added.
pub(crate) fn all(mux: &Mux, at: Passive<'_>) {
    let bindings = mux.bindings();
    for binding in bindings.iter() {
        report(take_down_changed(binding, mux, at), binding, mux);
    }
    for binding in bindings.iter() {
        report(add_named(binding, mux, at), binding, mux);
    }
}

/// The configuration of a binding has changed.
pub(crate) fn binding(binding: &Shared<Binding>, mux: &Mux, at: Passive<'_>) {
    let changed = take_down_changed(binding, mux, at).and_then(|()| add_named(binding, mux, at));
    report(changed, binding, mux);
}

/// Adds the virtual miniports that the registry names and that are not there, and asks NDIS for them, as
/// for those of which nothing has come before. One that cannot be had does not keep the others from
/// working, and none at all is a binding that waits for its first.
///
/// # Errors
/// [`Status::CLOSING`] if the binding is being taken down, or there is no memory for the list: nothing
/// was added.
fn add_named(binding: &Shared<Binding>, mux: &Mux, at: Passive<'_>) -> Result {
    let change = binding.begin_change(at)?;
    let unused = |error: &ConfigError| mux.log_config(error, binding.name());
    let mut configuration = change.configuration(at)?;
    let names = change.names(&mut configuration, unused, at)?;
    let there = binding.instances().list();
    let mut known = Known::default();
    for instance in there.iter().filter(|it| !it.is_leaving()) {
        known.add(instance.name(), instance)?;
    }
    let mut new: Vec<Shared<Instance>> = Vec::new();
    for name in names.names() {
        if known.has(name) {
            continue;
        }
        let asked = match config::read_asked(name, &mut configuration, at)? {
            Ok(asked) => asked,
            Err(error) => {
                mux.log_config(&error, name);
                continue;
            }
        };
        let is_taken = |address| known.uses(address);
        let instance = instance(name, binding, is_taken, asked)?;
        known.add(name, &instance)?;
        new.try_reserve(1).map_err(|_| Status::RESOURCES)?;
        new.push(instance);
    }
    binding.add_instances(&change, &new)?;
    drop(configuration);
    for instance in binding.instances().list().iter() {
        if !instance.is_unasked() {
            continue;
        }
        if let Err(status) = Instance::request(instance, mux, at) {
            mux.log(Message::NotStarted, instance.name(), &status);
        }
    }
    Ok(())
}

/// A new virtual miniport, with an address that is not taken.
///
/// # Errors
/// [`Status::RESOURCES`].
pub(crate) fn instance(
    name: &[u16],
    binding: &Shared<Binding>,
    is_taken: impl Fn(MacAddress) -> bool,
    asked: Asked,
) -> Result<Shared<Instance>> {
    let address = MacAddress::unique(binding.nic().address, name, is_taken);
    Instance::try_new(name, address, binding, asked)
}

/// The names and the addresses of a binding's virtual miniports, collected once: there may be thousands,
/// and each of them has a lock of its own.
#[derive(Default)]
struct Known<'a> {
    names: Vec<&'a [u16]>,
    /// In ascending order.
    addresses: Vec<MacAddress>,
}

impl<'a> Known<'a> {
    fn add(&mut self, name: &'a [u16], instance: &Instance) -> Result {
        self.names.try_reserve(1).map_err(|_| Status::RESOURCES)?;
        self.names.push(name);
        for address in instance.addresses() {
            if let Err(place) = self.addresses.binary_search(&address) {
                let room = self.addresses.try_reserve(1);
                room.map_err(|_| Status::RESOURCES)?;
                self.addresses.insert(place, address);
            }
        }
        Ok(())
    }

    fn has(&self, name: &[u16]) -> bool {
        self.names.iter().any(|known| same_name(known, name))
    }

    fn uses(&self, address: MacAddress) -> bool {
        self.addresses.binary_search(&address).is_ok()
    }
}

/// Takes down the virtual miniports that the registry does not name any more, and those of which it says
/// something else than before, and waits until they are gone.
fn take_down_changed(binding: &Binding, mux: &Mux, at: Passive<'_>) -> Result {
    let change = binding.begin_change(at)?;
    // What is wrong in there is told when it is added.
    let names = change.names(&mut change.configuration(at)?, |_| (), at)?;
    let instances = binding.instances().list();
    let is_named = |instance: &Instance| {
        let mut names = names.names();
        names.any(|name| same_name(name, instance.name()))
    };
    for instance in instances.iter() {
        if !is_named(instance) || instance.has_changed(mux, at) {
            instance.leave(mux, at);
        }
    }
    let leaving = instances.iter().filter(|instance| instance.is_leaving());
    leaving.for_each(|instance| instance.wait_until_gone(at));
    binding.instances().tidy();
    Ok(())
}

/// What becomes of a change that NDIS wants no answer to.
fn report(changed: Result, binding: &Binding, mux: &Mux) {
    if let Err(status) = changed
        && status != Status::CLOSING
    {
        mux.log(Message::NotTakenOver, binding.name(), &status);
    }
}
