//! Which modules an adapter has, and when it gets and loses them.

use std::ptr;

use ndis_sys::{NDIS_PAUSE_ATTACH_FILTER, NDIS_PAUSE_DETACH_FILTER, NetEventFilterPreDetach};

use super::driver::{FilterDriver, filter_of};
use super::module::Module;
use crate::ndis::adapter::{Adapter, AdapterState};
use crate::ndis::device::{self, FilterRun};
use crate::ndis::{event, pnp, power};

/// Attaches what is configured for an adapter that was just initialized, from the bottom up.
pub(crate) fn attach_all(adapter: &'static Adapter) {
    for filter in device::filters_on(adapter.name()) {
        if let Some(driver) = filter_of(&filter.service) {
            attach(driver, adapter, filter);
        }
    }
}

/// Whether all filters that the stack must have are there.
pub(crate) fn is_complete(adapter: &'static Adapter) -> bool {
    let modules = adapter.filters.modules();
    device::filters_on(adapter.name())
        .iter()
        .filter(|filter| filter.run == FilterRun::Mandatory)
        .all(|filter| modules.iter().any(|module| module.configured() == filter))
}

/// Takes a module out of its stack, which is paused, and detaches it.
pub(crate) fn detach(module: &'static Module) {
    let handlers = module.driver().handlers();
    if handlers.NetPnPEventHandler.is_some() && handlers.MinorNdisVersion >= 30 {
        // The last time at which it can ask and indicate. Its status counts for queries only.
        super::event::deliver(module, &event::notification(NetEventFilterPreDetach));
    }
    module.adapter().filters.remove(module);
    module.detach();
}

/// Attaches a filter driver to all adapters that it is configured for and not attached to: their
/// stacks are paused for it.
pub(crate) fn attach_driver(driver: &'static FilterDriver) {
    for adapter in pnp::adapters() {
        let filters = device::filters_on(adapter.name());
        let of_driver = |filter: &&device::Filter| {
            filter_of(&filter.service).is_some_and(|other| ptr::eq(other, driver))
        };
        let Some(filter) = filters.iter().find(of_driver) else {
            continue;
        };
        let operation = adapter.begin_pnp();
        if power::ensure_awake(adapter).is_err() {
            continue;
        }
        let usable = !matches!(
            adapter.state(),
            AdapterState::Halted | AdapterState::Initializing | AdapterState::Shutdown
        );
        if !usable || is_attached(driver, adapter) {
            continue;
        }
        pnp::pause_stack(adapter, NDIS_PAUSE_ATTACH_FILTER);
        if filter.run == FilterRun::Mandatory {
            pnp::unbind_all(adapter);
        }
        attach(driver, adapter, filter.clone());
        let bound = pnp::bind_all(adapter);
        pnp::restart_stack(adapter);
        drop(operation);
        pnp::binds_complete(&bound);
    }
}

/// Detaches all modules of a filter driver: their stacks are paused for it.
pub(super) fn detach_driver(driver: &'static FilterDriver) {
    for module in driver.modules() {
        let adapter = module.adapter();
        let _operation = adapter.begin_pnp();
        // Another operation may have detached it while this one waited.
        if power::ensure_awake(adapter).is_err() || !is_attached(driver, adapter) {
            continue;
        }
        pnp::pause_stack(adapter, NDIS_PAUSE_DETACH_FILTER);
        if module.configured().run == FilterRun::Mandatory {
            pnp::unbind_all(adapter);
        }
        detach(module);
        pnp::restart_stack(adapter);
    }
}

/// Attaches a module at its place; a failure leaves the stack as it is.
fn attach(driver: &'static FilterDriver, adapter: &'static Adapter, filter: device::Filter) {
    let order = device::filters_on(adapter.name());
    let rank = |filter: &device::Filter| order.iter().position(|other| other == filter);
    let own = rank(&filter);
    let modules = adapter.filters.modules();
    let position = modules
        .iter()
        .take_while(|module| rank(module.configured()) < own)
        .count();
    match Module::attach(driver, adapter, filter) {
        Ok(module) => adapter.filters.insert(position, module),
        Err(status) => eprintln!(
            "ndis-host: FilterAttach of {driver:?} to {adapter:?} failed with {status:#x}"
        ),
    }
}

fn is_attached(driver: &FilterDriver, adapter: &Adapter) -> bool {
    let modules = adapter.filters.modules();
    modules
        .iter()
        .any(|module| ptr::eq(module.driver(), driver))
}
