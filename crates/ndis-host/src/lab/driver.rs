//! Drivers in a lab: loading, uninstalling and unloading them, and what Device Manager does to their
//! virtual miniports.

use std::path::Path;
use std::time::Duration;

use ndis_sys::{
    DEVICE_TYPE, NDIS_HALT_ACTION, NDIS_STATUS, NdisHaltDeviceDisabled,
    NdisHaltDeviceSurpriseRemoved, NetEventReconfigure,
};

use super::{Lab, LabError, already, find_device, outstanding, unknown};
use crate::ndis::caller::{self, Caller};
use crate::ndis::filter::attach;
use crate::ndis::filter::driver::{filter_of, registered};
use crate::ndis::{driver, event, im, pnp, strings, trace};
use crate::nt::driver::Driver;
use crate::nt::irql::{self, Irql};
use crate::rules;

impl Lab {
    /// Says which file the image of a service is.
    pub fn add_image(&self, service: &str, file: &Path) {
        self.images
            .lock()
            .insert(service.to_owned(), file.to_owned());
    }

    /// Loads the image of a service, runs `DriverEntry`, and lets its protocol bind.
    ///
    /// # Errors
    /// It cannot be loaded, or `DriverEntry` failed.
    pub fn load_driver(&self, service: &str) -> Result<(), LabError> {
        let file = self.images.lock().get(service).cloned();
        let file = file.ok_or_else(|| unknown("image", service))?;
        if self.drivers.lock().contains_key(service) {
            return Err(already(service, "loaded"));
        }
        let mut driver = Driver::load(&file, service).map_err(|error| LabError::Load {
            service: service.to_owned(),
            error,
        })?;
        let status = {
            let _entered = caller::enter(image_caller(service));
            let mut record = trace::callback("DriverEntry", image_caller(service), service, false);
            let status = driver.entry();
            record.returns(status)
        };
        if status != 0 {
            outstanding::require_nothing_of(service, &driver, "DriverEntry failed");
            return Err(LabError::Entry {
                service: service.to_owned(),
                status,
            });
        }
        self.drivers.lock().insert(service.to_owned(), driver);
        self.as_host(|| {
            if let Some(filter) = filter_of(service) {
                attach::attach_driver(filter);
            }
            if let Some(protocol) = driver::protocol_of(service) {
                pnp::bind_protocol(protocol);
            }
        });
        Ok(())
    }

    /// The names by which programs open the devices of a driver, each with the device's type.
    ///
    /// # Errors
    /// There is no such driver.
    pub fn devices(&self, service: &str) -> Result<Vec<(String, DEVICE_TYPE)>, LabError> {
        let drivers = self.drivers.lock();
        let driver = drivers.get(service);
        Ok(driver.ok_or_else(|| unknown("driver", service))?.devices())
    }

    /// Disables a virtual miniport, as Device Manager does: it is halted without its driver asking.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn disable(&self, label: &str) -> Result<(), LabError> {
        self.halt(label, NdisHaltDeviceDisabled)
    }

    /// Removes the device of a virtual miniport without a warning: its driver is told, and then it is halted.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn pull(&self, label: &str) -> Result<(), LabError> {
        self.halt(label, NdisHaltDeviceSurpriseRemoved)
    }

    fn halt(&self, label: &str, action: NDIS_HALT_ACTION) -> Result<(), LabError> {
        let adapter = self
            .adapter(label)
            .ok_or_else(|| unknown("adapter", label))?;
        self.as_host(|| im::disable(adapter, action));
        Ok(())
    }

    /// Enables a virtual miniport of that service again: the driver is told, and may ask for it.
    ///
    /// # Errors
    /// There is no such device or driver.
    pub fn enable(&self, service: &str, label: &str) -> Result<NDIS_STATUS, LabError> {
        let device = find_device(label)?;
        let protocol = driver::protocol_of(service).ok_or_else(|| unknown("driver", service))?;
        Ok(self.as_host(|| event::reenable(protocol, &device.name)))
    }

    /// Tells a driver's protocol that its configuration changed.
    ///
    /// # Errors
    /// There is no such driver.
    pub fn reconfigure(&self, service: &str) -> Result<NDIS_STATUS, LabError> {
        let protocol = driver::protocol_of(service).ok_or_else(|| unknown("driver", service))?;
        Ok(self.as_host(|| event::notify_driver(protocol, NetEventReconfigure)))
    }

    /// Tells a driver's protocol that the configuration of its binding to a device changed.
    ///
    /// # Errors
    /// There is no such binding.
    pub fn reconfigure_binding(&self, service: &str, label: &str) -> Result<NDIS_STATUS, LabError> {
        let none = || unknown("binding", label);
        let adapter = self.adapter(label).ok_or_else(none)?;
        self.as_host(|| {
            // A binding does not come or go while another one's operation runs.
            let _operation = adapter.begin_pnp();
            let binding = self.binding(service, label).ok_or_else(none)?;
            Ok(event::notify_binding(binding, NetEventReconfigure))
        })
    }

    /// Uninstalls a driver's protocol: all bindings end, then `ProtocolUninstall` runs.
    ///
    /// # Errors
    /// There is no such driver.
    pub fn uninstall(&self, service: &str) -> Result<(), LabError> {
        let protocol = driver::protocol_of(service).ok_or_else(|| unknown("driver", service))?;
        self.as_host(|| {
            pnp::unbind_protocol(protocol);
            if let Some(handler) = protocol.handlers().UninstallHandler {
                driver::run(
                    protocol.caller(),
                    "ProtocolUninstall",
                    protocol.name(),
                    || {
                        // SAFETY: the driver's registered function, at PASSIVE_LEVEL.
                        unsafe { handler() };
                    },
                );
            }
        });
        Ok(())
    }

    /// Unloads a driver: adapters that are left are halted, then its unload routine runs. Nothing of it
    /// may be left after that.
    ///
    /// # Errors
    /// There is no such driver, it has no unload routine, or its devices are open.
    pub fn unload(&self, service: &str) -> Result<(), LabError> {
        let driver = self.drivers.lock().remove(service);
        let mut driver = driver.ok_or_else(|| unknown("driver", service))?;
        if !driver.has_unload() {
            self.drivers.lock().insert(service.to_owned(), driver);
            return Err(unknown("unload routine of driver", service));
        }
        let opens = driver.opens();
        if opens != 0 {
            self.drivers.lock().insert(service.to_owned(), driver);
            return Err(LabError::Open {
                service: service.to_owned(),
                opens,
            });
        }
        // What is still coming up has to be halted as well.
        self.settle(SETTLE);
        self.as_host(|| {
            if let Some(miniport) = driver::miniport_of(service) {
                for adapter in miniport.adapters() {
                    im::disable(adapter, NdisHaltDeviceDisabled);
                }
            }
        });
        self.settle(SETTLE);
        {
            let _entered = caller::enter(image_caller(service));
            irql::at(Irql::PASSIVE, || driver.unload());
        }
        let filters = registered(service);
        rules::check(
            &rules::NDIS_F_DEREGISTER_FILTER_DRIVER,
            filters.is_empty(),
            || format!("the driver was unloaded, and this is registered: {filters:?}"),
        );
        outstanding::require_nothing_of(service, &driver, "the driver was unloaded");
        Ok(())
    }
}

fn image_caller(service: &str) -> Caller {
    Caller {
        name: strings::intern(service),
        built_in: false,
    }
}

/// How long an unload waits for what is still on its way.
const SETTLE: Duration = Duration::from_secs(30);
