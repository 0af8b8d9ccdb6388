//! What races act on: a prepared lab, and what in it is driver, NIC, and place for a client.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::client::Client;
use crate::lab::file::{LabFile, RegistryValue};
use crate::lab::{Lab, find_device};
use crate::ndis::{BindingState, config};
use crate::nt::registry::{self, Value};

/// A lab in which everything is prepared, and nothing is loaded or plugged.
#[derive(Clone)]
pub struct Stage {
    pub(super) lab: &'static Lab,
    /// Services of the images, in the order of loading.
    pub(super) drivers: Vec<String>,
    pub(super) nics: Vec<String>,
    /// Where clients bind to, above the drivers.
    pub(super) above: Vec<String>,
    pub(super) lists: Vec<List>,
    /// The first thing that a race found other than it should be.
    pub(super) unexpected: Arc<OnceLock<String>>,
}

/// A value of a binding that names virtual miniports: an intermediate driver reads there which ones to
/// have.
#[derive(Clone)]
pub(super) struct List {
    pub(super) service: String,
    pub(super) nic: String,
    key: String,
    value: String,
    names: Vec<String>,
}

impl Stage {
    /// The stage of a lab that was prepared by `file`, with a client above each virtual miniport, or
    /// above each NIC if there is none.
    #[must_use]
    pub fn new(lab: &'static Lab, file: &LabFile) -> Self {
        let nics: Vec<String> = file.nics.iter().map(|nic| nic.name.clone()).collect();
        let mut above: Vec<String> = file
            .virtual_miniports
            .iter()
            .map(|miniport| miniport.name.clone())
            .collect();
        if above.is_empty() {
            above.clone_from(&nics);
        }
        let stage = Self {
            lab,
            drivers: file
                .images
                .iter()
                .map(|image| image.service.clone())
                .collect(),
            nics,
            above,
            lists: Vec::new(),
            unexpected: Arc::default(),
        };
        lists_of(file).fold(stage, |stage, (service, nic, value, names)| {
            stage.with_list(service, nic, value, names)
        })
    }

    /// A stage of these parts of a lab.
    #[must_use]
    pub fn of(lab: &'static Lab, drivers: &[&str], nics: &[&str], above: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            lab,
            drivers: owned(drivers),
            nics: owned(nics),
            above: owned(above),
            lists: Vec::new(),
            unexpected: Arc::default(),
        }
    }

    /// The same, with a value of a binding that names these virtual miniports by their devices.
    ///
    /// # Panics
    /// If there is no such NIC in the lab.
    #[must_use]
    pub fn with_list(mut self, service: &str, nic: &str, value: &str, names: &[String]) -> Self {
        let device = find_device(nic).unwrap_or_else(|error| panic!("{error}"));
        self.lists.push(List {
            service: service.to_owned(),
            nic: nic.to_owned(),
            key: config::binding_key(service, &device.name),
            value: value.to_owned(),
            names: names.to_vec(),
        });
        self
    }

    pub(super) fn load(&self) {
        for driver in &self.drivers {
            let loaded = self.lab.load_driver(driver);
            loaded.unwrap_or_else(|error| panic!("{error}"));
        }
    }

    pub(super) fn plug(&self) {
        for nic in &self.nics {
            let plugged = self.lab.plug_nic(nic);
            plugged.unwrap_or_else(|error| panic!("{error}"));
        }
    }

    pub(super) fn unplug(&self) {
        for nic in &self.nics {
            let unplugged = self.lab.unplug_nic(nic);
            unplugged.unwrap_or_else(|error| panic!("{error}"));
        }
    }

    /// Pulls the NICs out by surprise.
    pub(super) fn pull(&self) {
        for nic in &self.nics {
            let pulled = self.lab.pull_nic(nic);
            pulled.unwrap_or_else(|error| panic!("{error}"));
        }
    }

    /// A client above each place. It binds when what is below comes up.
    pub(super) fn add_clients(&self) -> Vec<&'static Client> {
        self.above
            .iter()
            .map(|above| self.add_client(above))
            .collect()
    }

    pub(super) fn add_client(&self, above: &str) -> &'static Client {
        let client = self.lab.add_client(&format!("client of {above}"), above);
        client.unwrap_or_else(|error| panic!("{error}"))
    }

    pub(super) fn remove_clients(&self, clients: &[&'static Client]) {
        for client in clients {
            let removed = self.lab.remove_client(client.name());
            removed.unwrap_or_else(|error| panic!("{error}"));
        }
    }

    /// Drivers loaded, NICs plugged, and a client above each place, with traffic.
    pub(super) fn up(&self) -> Vec<&'static Client> {
        self.load();
        self.plug();
        let clients = self.add_clients();
        self.wait_running(&clients);
        clients
    }

    /// Waits until each client runs, as it should soon.
    pub(super) fn wait_running(&self, clients: &[&'static Client]) {
        for client in clients {
            if !client.wait_state(BindingState::Running, SOON) {
                let what = format!("{} does not come up", client.name());
                self.unexpected.get_or_init(|| what);
            }
        }
    }

    /// Drivers uninstalled and unloaded, with nothing left of them.
    pub(super) fn unload(&self) {
        for driver in self.drivers.iter().rev() {
            let uninstalled = self.lab.uninstall(driver);
            uninstalled.unwrap_or_else(|error| panic!("{error}"));
            let unloaded = self.lab.unload(driver);
            unloaded.unwrap_or_else(|error| panic!("{error}"));
        }
        let left = self.lab.outstanding();
        assert!(left.is_nothing(), "after the unload there is left: {left}");
    }
}

impl List {
    /// How many virtual miniports it names when it is whole.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Names all virtual miniports but the one at `index`.
    pub(super) fn leave_out(&self, index: usize) {
        let mut names = self.names.clone();
        names.remove(index);
        self.set(names);
    }

    /// Names all virtual miniports.
    pub(super) fn restore(&self) {
        self.set(self.names.clone());
    }

    fn set(&self, names: Vec<String>) {
        registry::set(&self.key, &self.value, Value::MultiSz(names));
    }
}

/// The values of bindings to NICs that name virtual miniports of the lab and nothing else.
fn lists_of(file: &LabFile) -> impl Iterator<Item = (&str, &str, &str, &[String])> {
    let is_nic = |name: &str| file.nics.iter().any(|nic| nic.name == name);
    let is_device = |name: &String| {
        let devices = file.virtual_miniports.iter().map(|it| it.device.as_str());
        devices.into_iter().any(|device| device == name)
    };
    let bindings = file.bindings.iter();
    bindings
        .filter(move |binding| is_nic(&binding.above))
        .flat_map(move |binding| {
            binding.registry.iter().filter_map(move |(value, data)| {
                let RegistryValue::MultiSz(names) = data else {
                    return None;
                };
                let all = !names.is_empty() && names.iter().all(is_device);
                let (service, nic) = (binding.protocol.as_str(), binding.above.as_str());
                all.then_some((service, nic, value.as_str(), names.as_slice()))
            })
        })
}

/// How long anything may take on the virtual clock that nothing holds up.
const SOON: Duration = Duration::from_secs(60);
