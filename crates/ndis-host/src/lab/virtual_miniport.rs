//! The devices of virtual miniports: they come and go while a lab runs, as Plug and Play finds and loses them.

use std::time::Duration;

use ndis_sys::NdisHaltDeviceDisabled;

use super::{Lab, LabError, add_device, already, find_device, unknown};
use crate::ndis::{device, im, pnp};
use crate::nt::registry::{self, Value};

impl Lab {
    /// A device for a virtual miniport comes, with its adapter parameters. If its driver asked for it
    /// before, it is started.
    ///
    /// # Errors
    /// There is a device of that name or label.
    pub fn plug_virtual_miniport(
        &self,
        label: &str,
        device: &str,
        values: &[(&str, Value)],
    ) -> Result<(), LabError> {
        for name in [label, device] {
            if device::find(name).is_some() {
                return Err(already(name, "there"));
            }
        }
        add_device(label, device, values);
        self.as_host(|| im::device_came(device));
        Ok(())
    }

    /// Whether there is such a device, and it is for a virtual miniport: no NIC's, nor an image's own.
    pub fn is_virtual_miniport(&self, label: &str) -> bool {
        device::find(label).is_some_and(|found| {
            !self.nics.lock().contains_key(&found.label)
                && !self.adapters.lock().contains_key(&found.label)
        })
    }

    /// The device of a virtual miniport goes, and what the registry holds for it: if it is initialized, it
    /// is halted without its driver asking.
    ///
    /// # Errors
    /// There is no such device, or it is a NIC's or an image's own.
    pub fn unplug_virtual_miniport(&self, label: &str) -> Result<(), LabError> {
        let found = find_device(label)?;
        if !self.is_virtual_miniport(label) {
            return Err(unknown("virtual miniport", label));
        }
        // From here on nothing starts it, and what is on its way ends.
        device::remove(&found.name);
        self.settle(SETTLE);
        if let Some(adapter) = pnp::adapter_of(&found.name) {
            self.as_host(|| im::disable(adapter, NdisHaltDeviceDisabled));
        }
        self.settle(SETTLE);
        registry::delete(&found.key);
        Ok(())
    }
}

/// How long what is on its way may take.
const SETTLE: Duration = Duration::from_secs(30);
