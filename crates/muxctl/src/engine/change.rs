//! Removing a VLAN adapter, and changing one.

use mux_core::config::{NETWORK_ADDRESS, VLAN_ID};
use mux_core::control::Request;

use super::list::{Which, is_called, same};
use super::{Change, Engine, machine, name, wide};
use crate::error::Error;
use crate::machine::{Adapter, Key, Machine, MachineError, Setting};
use crate::view::Vlan;

impl<M: Machine> Engine<M> {
    /// Removes a VLAN adapter: from the NIC's list in the registry, from the driver, and its device. One
    /// that the driver does not know is removed from the rest. Answers its name.
    ///
    /// If the driver does not let go of it, it goes back into the list. Once the driver has, there is no
    /// way back; what is left is removed by asking again.
    ///
    /// # Errors
    /// [`Error`].
    pub fn remove(&mut self, which: &Which) -> Result<String, Error> {
        let (nic, adapter) = match self.find(which) {
            Ok(vlan) => {
                let nic = self.nic_of(&vlan)?;
                let Vlan { device, name, .. } = vlan;
                (nic, Adapter { device, name })
            }
            Err(error @ Error::UnknownVlan { .. }) => self.listed_only(which, error)?,
            Err(
                error @ Error::Machine {
                    error: MachineError::NoDriver,
                    ..
                },
            ) => self.listed_only(which, error)?,
            Err(error) => return Err(error),
        };
        self.go_on()?;
        self.delist(&nic, &adapter.device)?;
        let forgotten = match self.go_on().and_then(|()| self.forget(&adapter.device)) {
            Err(Error::Machine {
                error: MachineError::NoDriver,
                ..
            }) => Ok(()),
            outcome => outcome,
        };
        if let Err(error) = forgotten {
            return Err(match self.enlist(&nic, &adapter.device) {
                Ok(()) => error,
                Err(left) => Error::NotUndone {
                    error: Box::new(error),
                    left: vec![left.to_string()],
                },
            });
        }
        let removed = self.machine.remove_device(&adapter.device);
        removed.map_err(|error| {
            let text = format!(
                "remove the device of {}, which is out of use now; remove it in Device Manager",
                adapter.name
            );
            machine(text, error)
        })?;
        Ok(adapter.name)
    }

    /// Changes the VLAN or the address of a VLAN adapter, and waits until it runs with them.
    ///
    /// # Errors
    /// [`Error`]; the registry is as before then.
    pub fn set(&mut self, which: &Which, change: Change) -> Result<Vlan, Error> {
        let vlan = self.find(which)?;
        let key = Key::Device(&vlan.device);
        let new = [
            (VLAN_ID, change.vlan.map(|it| it.to_string())),
            (
                NETWORK_ADDRESS,
                change.address.map(|it| it.to_string().replace('-', "")),
            ),
        ];
        let mut old = Vec::new();
        let write = || {
            for (value, text) in new {
                let Some(text) = text else { continue };
                self.go_on()?;
                let before = self.read(key, value)?;
                self.write(key, value, Some(&Setting::Text(text)))?;
                old.push((value, before));
            }
            self.go_on()?;
            let units = wide(&vlan.device);
            let request = Request::Set {
                device: name(&units)?,
                vlan: change.vlan,
                address: change.address,
            };
            self.order(&request, &format!("change {}", vlan.name))
        };
        if let Err(error) = write() {
            let mut left = Vec::new();
            for (value, before) in old.into_iter().rev() {
                let undone = self.write(key, value, before.as_ref());
                left.extend(undone.err().map(|error| error.to_string()));
            }
            return Err(match left.is_empty() {
                true => error,
                false => Error::NotUndone {
                    error: Box::new(error),
                    left,
                },
            });
        }
        self.wait_up(&vlan.name, &vlan.device, &vlan.nic)
    }

    /// The device name of the NIC below a VLAN adapter.
    fn nic_of(&mut self, vlan: &Vlan) -> Result<String, Error> {
        let nics = self.nics()?;
        let below = nics
            .into_iter()
            .find(|nic| nic.vlans.iter().any(|it| same(&it.device, &vlan.device)));
        below
            .map(|nic| nic.device)
            .ok_or_else(|| Error::UnknownVlan {
                name: format!("\"{}\" any more", vlan.name),
                known: Vec::new(),
            })
    }

    /// A VLAN adapter that stands in the registry and that the driver does not know, with its NIC's device
    /// name. Otherwise `error` is what there is to say.
    fn listed_only(&mut self, which: &Which, error: Error) -> Result<(String, Adapter), Error> {
        let Which::Name(wanted) = which else {
            return Err(error);
        };
        let adapters = self.adapters()?;
        for nic in &adapters {
            for device in self.upper_bindings(&nic.device)? {
                let known = adapters.iter().find(|it| same(&it.device, &device));
                let called = known.map_or(device.as_str(), |it| it.name.as_str());
                if is_called(called, &device, wanted) {
                    let name = called.to_owned();
                    return Ok((nic.device.clone(), Adapter { device, name }));
                }
            }
        }
        Err(error)
    }
}
