//! What is there, and finding one of it by what people call it.

use mux_core::control::{Entry, List};

use super::{Engine, machine};
use crate::error::Error;
use crate::machine::{Adapter, Machine};
use crate::view::{Nic, Vlan};

/// Which VLAN adapter is meant.
#[derive(Clone, Debug)]
pub enum Which {
    /// By its name, its device name or the GUID in that.
    Name(String),
    /// By its NIC and its VLAN.
    OnNic {
        /// The NIC: its name or device name.
        nic: String,
        /// The VLAN.
        vlan: u16,
    },
}

impl Which {
    /// In the words of an error.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Name(name) => format!("\"{name}\""),
            Self::OnNic { nic, vlan } => format!("in VLAN {vlan} on \"{nic}\""),
        }
    }
}

impl<M: Machine> Engine<M> {
    /// The NICs that the driver is bound to, each with its VLAN adapters.
    ///
    /// # Errors
    /// [`Error`].
    pub fn nics(&mut self) -> Result<Vec<Nic>, Error> {
        let names = self.adapters()?;
        let name = |device: &str| {
            let known = names.iter().find(|it| same(&it.device, device));
            known.map_or_else(|| device.to_owned(), |it| it.name.clone())
        };
        let output = self.driver_list()?;
        let list = List::decode(&output)?;
        let mut nics: Vec<Nic> = Vec::new();
        for entry in list.entries() {
            match entry {
                Entry::Binding(it) => nics.push(Nic::new(&it, name(&it.nic.to_string()))),
                Entry::VirtualMiniport(it) => {
                    if let Some(nic) = nics.last_mut() {
                        let name = name(&it.device.to_string());
                        nic.vlans.push(Vlan::new(&it, name, &nic.name));
                    }
                }
            }
        }
        Ok(nics)
    }

    /// The one VLAN adapter that is meant.
    ///
    /// # Errors
    /// None fits, or several do; or the driver cannot be asked.
    pub fn find(&mut self, which: &Which) -> Result<Vlan, Error> {
        let nics = self.nics()?;
        let fits = |nic: &Nic, vlan: &Vlan| match which {
            Which::Name(name) => is_called(&vlan.name, &vlan.device, name),
            Which::OnNic {
                nic: name,
                vlan: id,
            } => is_called(&nic.name, &nic.device, name) && vlan.vlan == *id,
        };
        let all = nics
            .iter()
            .flat_map(|nic| nic.vlans.iter().map(move |vlan| (nic, vlan)));
        let found: Vec<&Vlan> = all
            .clone()
            .filter(|(nic, vlan)| fits(nic, vlan))
            .map(|it| it.1)
            .collect();
        let names =
            |vlans: &mut dyn Iterator<Item = &Vlan>| vlans.map(|it| it.name.clone()).collect();
        match found[..] {
            [vlan] => Ok(vlan.clone()),
            [] => Err(Error::UnknownVlan {
                name: which.text(),
                known: names(&mut all.map(|it| it.1)),
            }),
            _ => Err(Error::Ambiguous {
                name: which.text(),
                known: found.iter().map(|it| it.device.clone()).collect(),
            }),
        }
    }

    pub(super) fn adapters(&mut self) -> Result<Vec<Adapter>, Error> {
        let adapters = self.machine.adapters();
        adapters.map_err(|error| machine("list the network adapters", error))
    }
}

/// Whether `name` means the adapter that people call `called`, with that device name.
pub(crate) fn is_called(called: &str, device: &str, name: &str) -> bool {
    let leaf = device.rsplit('\\').next().unwrap_or(device);
    let guid = leaf.trim_start_matches('{').trim_end_matches('}');
    [called, device, leaf, guid]
        .into_iter()
        .any(|it| same(it, name))
}

/// Windows compares names of devices and connections without regard to case.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}
