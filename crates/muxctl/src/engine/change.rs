//! Removing a VLAN adapter, and changing one.

use mux_core::config::asked::Address;
use mux_core::control::Request;

use super::list::{Which, is_called};
use super::{Change, Engine, machine, name, wide};
use crate::error::Error;
use crate::machine::{Adapter, Machine, MachineError};
use crate::view::Vlan;

impl<M: Machine> Engine<M> {
    /// Removes a VLAN adapter, from the driver and then its device, and answers its name. One that the
    /// driver does not know is a device only: an earlier removal that failed leaves such a one.
    ///
    /// If the driver does not let go of it, it is as it was. Once the driver has, there is no way back; what
    /// is left is removed by asking again.
    ///
    /// # Errors
    /// [`Error`].
    pub fn remove(&mut self, which: &Which) -> Result<String, Error> {
        let (device, called) = match self.find(which) {
            Ok(Vlan { device, name, .. }) => (device, name),
            Err(
                error @ (Error::UnknownVlan { .. }
                | Error::Machine {
                    error: MachineError::NoDriver,
                    ..
                }),
            ) => {
                let Adapter { device, name, .. } = self.device_only(which, error)?;
                (device, name)
            }
            Err(error) => return Err(error),
        };
        self.go_on()?;
        self.forget(&device)?;
        let removed = self.machine.remove_device(&device);
        removed.map_err(|error| {
            let text = format!(
                "remove the device of {called}, which is out of use now (ask again, or remove it in \
                 Device Manager)"
            );
            machine(text, error)
        })?;
        Ok(called)
    }

    /// Changes the VLAN or the address of a VLAN adapter, and waits until it runs with them.
    ///
    /// # Errors
    /// [`Error`]. If the driver refuses, nothing has changed.
    pub fn set(&mut self, which: &Which, change: Change) -> Result<Vlan, Error> {
        let vlan = self.find(which)?;
        self.go_on()?;
        let units = wide(&vlan.device);
        let request = Request::Set {
            device: name(&units)?,
            vlan: change.vlan,
            address: change.address,
        };
        self.order(&request, &format!("change {}", vlan.name))?;
        let right = |now: &Vlan| {
            let is_address = match change.address {
                Some(Address::Set(address)) => now.address == address.to_string(),
                // Which that is, only the driver knows.
                Some(Address::Derived) | None => true,
            };
            is_address && change.vlan.is_none_or(|it| now.vlan == it.get())
        };
        self.wait_up(&vlan.name, &vlan.device, &vlan.nic, right)
    }

    /// The device of a virtual miniport that the driver does not know. Otherwise `error` is what there is
    /// to say.
    fn device_only(&mut self, which: &Which, error: Error) -> Result<Adapter, Error> {
        let Which::Name(wanted) = which else {
            return Err(error);
        };
        let mut adapters = self.adapters()?.into_iter();
        let is = |it: &Adapter| it.is_virtual && is_called(&it.name, &it.device, wanted);
        adapters.find(is).ok_or(error)
    }
}
