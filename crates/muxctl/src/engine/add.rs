//! A new VLAN adapter.
//!
//! | step | undone by |
//! |---|---|
//! | its device is made | the device is removed |
//! | `VlanId` and `NetworkAddress` are written | they go with the device |
//! | its name goes into the NIC's `UpperBindings` | its name is taken out |
//! | the driver is asked for the virtual miniport | the driver is asked to remove it |
//! | it is waited for until it runs, and named | |
//!
//! The registry first, so that a driver which reads it at any moment finds it whole; then the driver may
//! have found the new name there by itself, and its answer that the virtual miniport is there is as good.

use std::thread;
use std::time::Instant;

use mux_core::config::{NETWORK_ADDRESS, UPPER_BINDINGS, VLAN_ID};
use mux_core::control::{Request, status};

use super::list::{is_called, same};
use super::{Engine, LOOK, NewVlan, machine, name, wide};
use crate::error::Error;
use crate::machine::{Adapter, Key, Machine, MachineError, Setting};
use crate::view::Vlan;

/// What was done, and can be undone.
enum Done {
    Device,
    Listed,
    Asked,
}

impl<M: Machine> Engine<M> {
    /// Adds a VLAN adapter, and waits until it runs.
    ///
    /// # Errors
    /// [`Error`]; whatever was done is undone then, or the error says what is not.
    pub fn add(&mut self, new: &NewVlan) -> Result<Vlan, Error> {
        let called = new.name.clone();
        let called = called.unwrap_or_else(|| format!("vlan{}", new.vlan));
        let nic = self.place(new, &called)?;
        self.go_on()?;
        let device = self.machine.create_device(&called);
        let device =
            device.map_err(|error| machine(format!("make the device of {called}"), error))?;
        let mut done = vec![Done::Device];
        self.set_up(new, &nic, &device, &mut done)
            .and_then(|()| self.wait_up(&called, &device, &nic.name))
            .and_then(|vlan| self.named(vlan, called))
            .map_err(|error| self.undo(error, &done, &nic, &device))
    }

    /// Looks whether there may be such an adapter, before anything is done.
    fn place(&mut self, new: &NewVlan, called: &str) -> Result<Adapter, Error> {
        let adapters = self.adapters()?;
        let nic = adapters
            .iter()
            .find(|it| is_called(&it.name, &it.device, &new.nic))
            .ok_or_else(|| Error::UnknownNic {
                name: new.nic.clone(),
                known: adapters.iter().map(|it| it.name.clone()).collect(),
            })?;
        if adapters.iter().any(|it| same(&it.name, called)) {
            return Err(Error::NameTaken {
                name: called.to_owned(),
            });
        }
        let nics = match self.nics() {
            Ok(nics) => nics,
            // The first VLAN adapter loads the driver.
            Err(Error::Machine {
                error: MachineError::NoDriver,
                ..
            }) => return Ok(nic.clone()),
            Err(error) => return Err(error),
        };
        let bound = nics.iter().find(|it| same(&it.device, &nic.device));
        let bound = bound.ok_or_else(|| Error::NotBound {
            name: nic.name.clone(),
            bound: nics.iter().map(|it| it.name.clone()).collect(),
        })?;
        let taken = bound.vlans.iter().find(|it| it.vlan == new.vlan.get());
        match taken {
            Some(taken) if !new.duplicate => Err(Error::VlanTaken {
                nic: nic.name.clone(),
                vlan: taken.vlan,
                name: taken.name.clone(),
            }),
            _ => Ok(nic.clone()),
        }
    }

    fn set_up(
        &mut self,
        new: &NewVlan,
        nic: &Adapter,
        device: &str,
        done: &mut Vec<Done>,
    ) -> Result<(), Error> {
        self.go_on()?;
        let vlan = Setting::Text(new.vlan.to_string());
        self.write(Key::Device(device), VLAN_ID, Some(&vlan))?;
        self.go_on()?;
        if let Some(address) = new.address {
            let digits = Setting::Text(address.to_string().replace('-', ""));
            self.write(Key::Device(device), NETWORK_ADDRESS, Some(&digits))?;
            self.go_on()?;
        }
        self.enlist(&nic.device, device)?;
        done.push(Done::Listed);
        self.go_on()?;

        let (nic_units, device_units) = (wide(&nic.device), wide(device));
        let request = Request::Add {
            nic: name(&nic_units)?,
            device: name(&device_units)?,
            vlan: new.vlan,
            address: new.address,
        };
        // Whatever comes of it, the driver may have it from here on.
        done.push(Done::Asked);
        match self.order(&request, "add the VLAN adapter") {
            Err(Error::Refused {
                status: status::OBJECT_NAME_COLLISION,
                ..
            }) => Ok(()),
            outcome => outcome,
        }
    }

    /// Waits until the virtual miniport of that device runs.
    pub(super) fn wait_up(&mut self, called: &str, device: &str, nic: &str) -> Result<Vlan, Error> {
        let end = Instant::now() + self.patience;
        loop {
            self.go_on()?;
            let nics = self.nics()?;
            let mut vlans = nics.into_iter().flat_map(|nic| nic.vlans);
            let found = vlans.find(|it| same(&it.device, device));
            let state = match found {
                Some(vlan) if vlan.is_up() => return Ok(vlan),
                Some(vlan) => vlan.state,
                None => "not there".to_owned(),
            };
            if Instant::now() >= end {
                return Err(Error::NotUp {
                    name: called.to_owned(),
                    seconds: self.patience.as_secs(),
                    state,
                    nic: nic.to_owned(),
                });
            }
            thread::sleep(LOOK);
        }
    }

    fn named(&mut self, vlan: Vlan, name: String) -> Result<Vlan, Error> {
        let named = self.machine.name_device(&vlan.device, &name);
        named.map_err(|error| machine(format!("name the adapter {name}"), error))?;
        Ok(Vlan { name, ..vlan })
    }

    /// Undoes what was done, the last step first.
    fn undo(&mut self, error: Error, done: &[Done], nic: &Adapter, device: &str) -> Error {
        let mut left = Vec::new();
        for step in done.iter().rev() {
            let undone = match step {
                Done::Asked => self.forget(device),
                Done::Listed => self.delist(&nic.device, device),
                Done::Device => self
                    .machine
                    .remove_device(device)
                    .map_err(|error| machine(format!("remove the device {device}"), error)),
            };
            left.extend(undone.err().map(|error| error.to_string()));
        }
        if left.is_empty() {
            error
        } else {
            Error::NotUndone {
                error: Box::new(error),
                left,
            }
        }
    }

    /// Has the driver remove the virtual miniport; that it has none is as good.
    pub(super) fn forget(&mut self, device: &str) -> Result<(), Error> {
        let units = wide(device);
        let request = Request::Remove {
            device: name(&units)?,
        };
        match self.order(&request, "remove the VLAN adapter") {
            Err(Error::Refused {
                status: status::OBJECT_NAME_NOT_FOUND,
                ..
            }) => Ok(()),
            outcome => outcome,
        }
    }

    /// Puts a device name at the end of a NIC's `UpperBindings`.
    pub(super) fn enlist(&mut self, nic: &str, device: &str) -> Result<(), Error> {
        let mut names = self.upper_bindings(nic)?;
        if !names.iter().any(|it| same(it, device)) {
            names.push(device.to_owned());
        }
        self.write(
            Key::Binding(nic),
            UPPER_BINDINGS,
            Some(&Setting::Texts(names)),
        )
    }

    /// Takes a device name out of a NIC's `UpperBindings`; others stay, who may have come meanwhile.
    pub(super) fn delist(&mut self, nic: &str, device: &str) -> Result<(), Error> {
        let mut names = self.upper_bindings(nic)?;
        names.retain(|it| !same(it, device));
        let names = Some(Setting::Texts(names)).filter(|it| *it != Setting::Texts(Vec::new()));
        self.write(Key::Binding(nic), UPPER_BINDINGS, names.as_ref())
    }

    pub(super) fn upper_bindings(&mut self, nic: &str) -> Result<Vec<String>, Error> {
        Ok(match self.read(Key::Binding(nic), UPPER_BINDINGS)? {
            Some(Setting::Texts(names)) => names,
            // What is of another type is of no use to the driver either.
            _ => Vec::new(),
        })
    }

    pub(super) fn read(&mut self, key: Key<'_>, name: &str) -> Result<Option<Setting>, Error> {
        let setting = self.machine.read(key, name);
        setting.map_err(|error| machine(format!("read {name} of {}", place(key)), error))
    }

    pub(super) fn write(
        &mut self,
        key: Key<'_>,
        name: &str,
        setting: Option<&Setting>,
    ) -> Result<(), Error> {
        let written = self.machine.write(key, name, setting);
        written.map_err(|error| machine(format!("write {name} of {}", place(key)), error))
    }
}

fn place(key: Key<'_>) -> &str {
    match key {
        Key::Device(device) | Key::Binding(device) => device,
    }
}
