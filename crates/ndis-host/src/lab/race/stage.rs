//! What races act on: a prepared lab, and what in it is driver, NIC, and place for a client.

use std::time::Duration;

use crate::client::Client;
use crate::lab::Lab;
use crate::lab::file::LabFile;
use crate::ndis::BindingState;

/// A lab in which everything is prepared, and nothing is loaded or plugged.
#[derive(Clone)]
pub struct Stage {
    pub(super) lab: &'static Lab,
    /// Services of the images, in the order of loading.
    pub(super) drivers: Vec<String>,
    pub(super) nics: Vec<String>,
    /// Where clients bind to, above the drivers.
    pub(super) above: Vec<String>,
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
        Self {
            lab,
            drivers: file
                .images
                .iter()
                .map(|image| image.service.clone())
                .collect(),
            nics,
            above,
        }
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
        }
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
        for client in &clients {
            let running = client.wait_state(BindingState::Running, SOON);
            assert!(running, "{} does not come up", client.name());
        }
        clients
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

/// How long anything may take on the virtual clock that nothing holds up.
const SOON: Duration = Duration::from_secs(60);
