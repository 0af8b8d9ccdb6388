//! Devices whose miniport driver is an image: added with their registry values, plugged and unplugged.

use ndis_sys::{NDIS_HALT_ACTION, NdisHaltDeviceDisabled, NdisHaltDeviceSurpriseRemoved};

use super::{Lab, LabError, add_device, already, find_device, unknown};
use crate::ndis::adapter::Adapter;
use crate::ndis::{driver, pnp};
use crate::nt::registry::Value;

impl Lab {
    /// Adds a device that the miniport driver of a service runs, with its adapter parameters.
    pub fn add_adapter(&self, label: &str, device: &str, service: &str, values: &[(&str, Value)]) {
        add_device(label, device, values);
        self.adapters
            .lock()
            .insert(label.to_owned(), service.to_owned());
    }

    /// Plugs such a device in: its driver, which is loaded, initializes it, protocols bind to it, and
    /// traffic flows.
    ///
    /// # Errors
    /// There is no such device, it is plugged in, its driver has registered no miniport, or
    /// `MiniportInitializeEx` failed.
    pub fn plug_adapter(&self, label: &str) -> Result<(), LabError> {
        let service = self.adapters.lock().get(label).cloned();
        let service = service.ok_or_else(|| unknown("adapter", label))?;
        if self.adapter(label).is_some() {
            return Err(already(label, "plugged in"));
        }
        let miniport = driver::miniport_of(&service);
        let miniport = miniport.ok_or_else(|| unknown("miniport driver", &service))?;
        let device = find_device(label)?;
        self.as_host(|| pnp::start(Adapter::new(&device.name, miniport, None), || {}))
            .map_err(|status| LabError::Initialize {
                name: label.to_owned(),
                status,
            })
    }

    /// Takes such a device out in the orderly way: protocols are paused and unbound, then it is halted.
    ///
    /// # Errors
    /// There is no such device, or it is not plugged in.
    pub fn unplug_adapter(&self, label: &str) -> Result<(), LabError> {
        self.remove_adapter(label, NdisHaltDeviceDisabled)
    }

    /// Pulls such a device out: as [`Lab::unplug_adapter`], with the halt saying that it was a surprise.
    ///
    /// # Errors
    /// There is no such device, or it is not plugged in.
    pub fn pull_adapter(&self, label: &str) -> Result<(), LabError> {
        self.remove_adapter(label, NdisHaltDeviceSurpriseRemoved)
    }

    fn remove_adapter(&self, label: &str, action: NDIS_HALT_ACTION) -> Result<(), LabError> {
        if !self.adapters.lock().contains_key(label) {
            return Err(unknown("adapter", label));
        }
        let adapter = self.adapter(label);
        let adapter = adapter.ok_or_else(|| already(label, "unplugged"))?;
        self.as_host(|| pnp::stop(adapter, action));
        Ok(())
    }
}
