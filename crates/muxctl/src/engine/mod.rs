//! The steps of each command, in an order in which each can be undone.
//!
//! | file | commands |
//! |---|---|
//! | `list` | what is there, and finding one of it by what people call it |
//! | `add` | a new VLAN adapter |
//! | `change` | remove and set |
//!
//! A step is a call of the [`Machine`]. Between two steps Ctrl-C is looked at: it counts as a failure, so
//! that whatever was done is undone. Nothing is done by halves: what a machine was asked is waited for.

use std::time::Duration;

use mux_core::config::asked::Address;
use mux_core::control::{Acknowledgement, List, Operation, Request, StatisticsAnswer, status};
use mux_core::{MacAddress, VlanId};

use crate::error::Error;
use crate::machine::{Machine, MachineError};
use crate::view::Statistics;

mod add;
mod change;
mod list;
#[cfg(test)]
mod tests;

pub use list::Which;
pub(crate) use list::is_called;

/// Does what commands say, with a machine.
pub struct Engine<M> {
    machine: M,
    patience: Duration,
    interrupted: Box<dyn Fn() -> bool>,
}

/// A VLAN adapter to add.
#[derive(Clone, Debug)]
pub struct NewVlan {
    /// The NIC: its name or device name.
    pub nic: String,
    /// The VLAN; 0 for untagged frames.
    pub vlan: VlanId,
    /// What people will call it; `vlan` and the number if not given.
    pub name: Option<String>,
    /// Its MAC address; the driver derives one if not given.
    pub address: Option<MacAddress>,
}

/// What is to change of a VLAN adapter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change {
    /// Its VLAN.
    pub vlan: Option<VlanId>,
    /// Its MAC address.
    pub address: Option<Address>,
}

impl<M: Machine> Engine<M> {
    /// An engine that gives up when `interrupted` says so.
    pub fn new(machine: M, interrupted: impl Fn() -> bool + 'static) -> Self {
        Self {
            machine,
            patience: PATIENCE,
            interrupted: Box::new(interrupted),
        }
    }

    /// Waits this long for an adapter to come up, instead of [`PATIENCE`].
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// What the VLAN adapters that fit have counted.
    ///
    /// # Errors
    /// [`Error`].
    pub fn statistics(&mut self, which: Option<&Which>) -> Result<Vec<Statistics>, Error> {
        let vlans = match which {
            Some(which) => vec![self.find(which)?],
            None => {
                let nics = self.nics()?;
                nics.into_iter().flat_map(|nic| nic.vlans).collect()
            }
        };
        let mut all = Vec::new();
        for vlan in vlans {
            let doing = format!("tell the statistics of {}", vlan.name);
            let device = wide(&vlan.device);
            let device = name(&device)?;
            let request = Request::Statistics { device };
            let output = self.ask(&request, StatisticsAnswer::LENGTH, &doing)?;
            let StatisticsAnswer(snapshot) = StatisticsAnswer::decode(&output)?;
            all.push(Statistics::new(&vlan, &snapshot));
        }
        Ok(all)
    }

    /// The driver's list, whole.
    fn driver_list(&mut self) -> Result<Vec<u8>, Error> {
        const DOING: &str = "list its adapters";
        let mut room = FIRST_ROOM;
        loop {
            let output = self.ask(&Request::List, room, DOING)?;
            let list = List::decode(&output)?;
            if !list.is_cut_short() {
                return Ok(output);
            }
            // More may come meanwhile; it is asked for again then.
            room = list.needed;
        }
    }

    /// Asks for a change, and reads the acknowledgement.
    fn order(&mut self, request: &Request<'_>, doing: &str) -> Result<(), Error> {
        let output = self.ask(request, Acknowledgement::LENGTH, doing)?;
        Acknowledgement::decode(&output)?;
        Ok(())
    }

    fn ask(&mut self, request: &Request<'_>, room: usize, doing: &str) -> Result<Vec<u8>, Error> {
        let mut buffer = [0; mux_core::control::MAXIMUM_REQUEST_LENGTH];
        // The buffer is as long as the longest request.
        let length = request.encode(&mut buffer).unwrap_or_default();
        let code = request.operation().code();
        let reply = self.machine.control(code, &buffer[..length], room);
        let reply = reply.map_err(|error| machine(format!("have the driver {doing}"), error))?;
        let cut_short =
            request.operation() == Operation::List && reply.status == status::BUFFER_OVERFLOW;
        if reply.status == status::SUCCESS || cut_short {
            Ok(reply.output)
        } else {
            Err(Error::Refused {
                doing: doing.to_owned(),
                status: reply.status,
            })
        }
    }

    /// An error if Ctrl-C came.
    fn go_on(&self) -> Result<(), Error> {
        if (self.interrupted)() {
            Err(Error::Interrupted)
        } else {
            Ok(())
        }
    }
}

/// How long an adapter may take to come up.
pub const PATIENCE: Duration = Duration::from_secs(30);

fn machine(doing: impl Into<String>, error: MachineError) -> Error {
    Error::Machine {
        doing: doing.into(),
        error,
    }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// A machine's own device name, as requests have it.
fn name(units: &[u16]) -> Result<mux_core::control::Name<'_>, Error> {
    mux_core::control::Name::new(units).ok_or_else(|| {
        let failed = MachineError::Failed("it is empty or too long".to_owned());
        let shown = String::from_utf16_lossy(units);
        machine(format!("use the device name \"{shown}\""), failed)
    })
}

/// Room for the list of some ten adapters; a longer one is asked for again.
const FIRST_ROOM: usize = 2048;
/// How often the list is looked at while something is waited for.
const LOOK: Duration = Duration::from_millis(50);
