//! A new VLAN adapter.
//!
//! | step | undone by |
//! |---|---|
//! | its device is made | the device is removed |
//! | the driver is asked for the virtual miniport | the driver is asked to remove it |
//! | it is waited for until it runs, and named | |
//!
//! The device first: it is what loads the driver, and without one NDIS initializes nothing. NDIS binds a
//! driver that was just loaded when it comes to it, so the first request is made again until then. The driver
//! writes into the registry what is to hold after a restart.

use std::thread;
use std::time::Instant;

use mux_core::control::{Request, status};

use super::list::{is_called, same};
use super::{Engine, LOOK, NewVlan, machine, name, wide};
use crate::error::Error;
use crate::machine::{Adapter, Machine, MachineError};
use crate::view::Vlan;

/// What was done, and can be undone.
enum Done {
    Device,
    Asked,
}

/// Whether the driver can take a request for a virtual miniport on a NIC.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ready {
    /// It is bound to the NIC.
    Bound,
    /// The device is to load it, and NDIS binds it some time after that.
    NotYet,
}

/// Whether this is how a driver answers that is about to be loaded, or to be bound.
fn comes_later(error: &Error) -> bool {
    matches!(
        error,
        Error::Refused {
            status: status::NO_SUCH_DEVICE,
            ..
        } | Error::Machine {
            error: MachineError::NoDriver,
            ..
        }
    )
}

impl<M: Machine> Engine<M> {
    /// Adds a VLAN adapter, and waits until it runs.
    ///
    /// # Errors
    /// [`Error`]; whatever was done is undone then, or the error says what is not.
    pub fn add(&mut self, new: &NewVlan) -> Result<Vlan, Error> {
        let called = new.name.clone();
        let called = called.unwrap_or_else(|| format!("vlan{}", new.vlan));
        let (nic, ready) = self.place(new, &called)?;
        self.go_on()?;
        let device = self.machine.create_device(&called);
        let device =
            device.map_err(|error| machine(format!("make the device of {called}"), error))?;
        let mut done = vec![Done::Device];
        self.request(new, (&nic, ready), &device, &mut done)
            .and_then(|()| self.wait_up(&called, &device, &nic.name, |_| true))
            .and_then(|vlan| self.named(vlan, called))
            .map_err(|error| self.undo(error, &done, &device))
    }

    /// Looks whether there may be such an adapter, before anything is done. Answers with its NIC, and whether
    /// the driver is there and bound to that.
    fn place(&mut self, new: &NewVlan, called: &str) -> Result<(Adapter, Ready), Error> {
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
            }) => return Ok((nic.clone(), Ready::NotYet)),
            Err(error) => return Err(error),
        };
        let bound = nics.iter().find(|it| same(&it.device, &nic.device));
        let bound = bound.ok_or_else(|| Error::NotBound {
            name: nic.name.clone(),
            bound: nics.iter().map(|it| it.name.clone()).collect(),
        })?;
        match bound.vlans.iter().find(|it| it.vlan == new.vlan.get()) {
            Some(taken) => Err(Error::VlanTaken {
                nic: nic.name.clone(),
                vlan: taken.vlan,
                name: taken.name.clone(),
            }),
            None => Ok((nic.clone(), Ready::Bound)),
        }
    }

    fn request(
        &mut self,
        new: &NewVlan,
        (nic, ready): (&Adapter, Ready),
        device: &str,
        done: &mut Vec<Done>,
    ) -> Result<(), Error> {
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
        let end = Instant::now() + self.patience;
        loop {
            let asked = self.order(&request, "add the VLAN adapter");
            match &asked {
                Err(error) if ready == Ready::NotYet && comes_later(error) => {}
                _ => return asked,
            }
            if Instant::now() >= end {
                return asked;
            }
            thread::sleep(LOOK);
            self.go_on()?;
        }
    }

    /// Waits until the virtual miniport of that device runs and is as it should be.
    pub(super) fn wait_up(
        &mut self,
        called: &str,
        device: &str,
        nic: &str,
        right: impl Fn(&Vlan) -> bool,
    ) -> Result<Vlan, Error> {
        let end = Instant::now() + self.patience;
        loop {
            self.go_on()?;
            let nics = self.nics()?;
            let mut vlans = nics.into_iter().flat_map(|nic| nic.vlans);
            let found = vlans.find(|it| same(&it.device, device));
            let state = match found {
                Some(vlan) if vlan.is_up() && right(&vlan) => return Ok(vlan),
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
    fn undo(&mut self, error: Error, done: &[Done], device: &str) -> Error {
        let mut left = Vec::new();
        for step in done.iter().rev() {
            let undone = match step {
                Done::Asked => self.forget(device),
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

    /// Has the driver remove the virtual miniport; that it has none, or is none, is as good.
    pub(super) fn forget(&mut self, device: &str) -> Result<(), Error> {
        let units = wide(device);
        let request = Request::Remove {
            device: name(&units)?,
        };
        match self.order(&request, "remove the VLAN adapter") {
            Err(
                Error::Refused {
                    status: status::OBJECT_NAME_NOT_FOUND,
                    ..
                }
                | Error::Machine {
                    error: MachineError::NoDriver,
                    ..
                },
            ) => Ok(()),
            outcome => outcome,
        }
    }
}
