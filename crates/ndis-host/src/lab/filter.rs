//! Filter drivers in a lab: on which devices they stand, and in which order.

use ndis_sys::NDIS_STATUS_SUCCESS;

use super::{Lab, LabError, find_device};
use crate::filter::{Filter as BuiltIn, FilterConfig};
use crate::ndis::FilterState;
use crate::ndis::config;
use crate::ndis::device::{self, Filter, FilterKind, FilterRun};
use crate::ndis::filter::driver::filter_of;
use crate::ndis::filter::{Module, attach};
use crate::nt::registry;

impl Lab {
    /// Puts the filter driver of a service on top of those that stand on a device already: an optional
    /// one that may modify. Its modules attach when both driver and adapter are there.
    ///
    /// # Errors
    /// There is no such device.
    pub fn stack_filter(&self, service: &str, device_label: &str) -> Result<(), LabError> {
        self.stack_filter_as(
            service,
            device_label,
            FilterKind::default(),
            FilterRun::default(),
        )
    }

    /// As [`Lab::stack_filter`], with what its INF says of it.
    ///
    /// # Errors
    /// There is no such device.
    pub fn stack_filter_as(
        &self,
        service: &str,
        device_label: &str,
        kind: FilterKind,
        run: FilterRun,
    ) -> Result<(), LabError> {
        let device = find_device(device_label)?;
        let filter = Filter {
            service: service.to_owned(),
            kind,
            run,
        };
        registry::create(&config::binding_key(service, &device.name));
        device::stack_filter(&device.name, filter);
        if let Some(driver) = filter_of(service) {
            self.as_host(|| attach::attach_driver(driver));
        }
        Ok(())
    }

    /// Registers a built-in filter, as loading an image does: it attaches where it was stacked.
    ///
    /// # Panics
    /// If NDIS refuses its registration.
    pub fn add_filter(&self, name: &str, config: FilterConfig) -> &'static BuiltIn {
        let filter = BuiltIn::new(name, config);
        self.as_host(|| {
            let status = filter.register();
            assert_eq!(status, NDIS_STATUS_SUCCESS, "the built-in filter registers");
            if let Some(driver) = filter_of(name) {
                attach::attach_driver(driver);
            }
        });
        filter
    }

    /// Undoes the registration of a built-in filter: it is detached from where it was.
    pub fn remove_filter(&self, filter: &'static BuiltIn) {
        self.as_host(|| filter.deregister());
    }

    /// Where the module of a filter driver on a device is.
    pub fn filter_state(&self, service: &str, device_label: &str) -> FilterState {
        let adapter = self.adapter(device_label);
        let module = adapter.and_then(|adapter| {
            let modules = adapter.filters.modules();
            let of_service = |module: &&&'static Module| {
                module.configured().service.eq_ignore_ascii_case(service)
            };
            modules.iter().find(of_service).copied()
        });
        module.map_or(FilterState::Detached, |module| module.state())
    }
}
