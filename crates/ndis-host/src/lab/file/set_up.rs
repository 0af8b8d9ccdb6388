//! From a lab file to a lab that runs, and back to an empty one.
//!
//! Up: registry, devices and wires first, then each image is loaded, then the NICs are plugged, then
//! the adapters of images, then the clients bind, and last their wires are made (a TAP has the address that its adapter has) and
//! bridged. Down, in reverse: clients, adapters, NICs, then uninstall and unload of each image.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{
    ClientSection, LabFile, NicSection, OffloadsSection, RegistryValues, ShapesKey, WireSection,
};
use crate::client::{Attributes, Client};
use crate::lab::{Lab, LabError};
use crate::ndis::BindingState;
use crate::ndis::device::{FilterKind, FilterRun};
use crate::ndis::driver;
use crate::nic::{NicConfig, Shape, WakeUp};
use crate::nt::pool;
use crate::nt::registry::{self, Value};
use crate::wire::{Capture, CaptureWire, MemoryWire, PacketWire, TapOptions, TapWire, Wire};

/// Why a lab file could not be turned into a running lab.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// A driver or an adapter did not come up.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// A wire or its capture could not be made.
    #[error("the wire of {name}: {error}")]
    Wire {
        /// The NIC or client.
        name: String,
        /// What was wrong.
        error: io::Error,
    },
    /// The capture could not be started.
    #[error(transparent)]
    Capture {
        /// What was wrong.
        error: io::Error,
    },
    /// A client's adapter did not come up.
    #[error(
        "the client {client} is not bound to {above} within {} s: does its driver make that adapter, \
         and is its device name in `UpperBindings`?",
        BIND.as_secs()
    )]
    NotBound {
        /// The client.
        client: String,
        /// What it was to bind to.
        above: String,
    },
}

/// A lab that a lab file describes.
pub struct Running {
    lab: Lab,
    /// What is loaded, plugged and bound, in the order in which that was done.
    images: Vec<String>,
    nics: Vec<String>,
    adapters: Vec<String>,
    clients: Vec<&'static Client>,
    capture: Option<Arc<Capture>>,
    /// Keeps the far ends of wires inside the process from looking cut.
    far_ends: Vec<MemoryWire>,
}

impl Running {
    /// A lab with the file's registry, devices, images and NICs, and nothing loaded or plugged yet.
    /// With `capture`, what passes each edge is written to that file.
    ///
    /// # Errors
    /// A wire of a NIC could not be opened, or a name is not in the file.
    ///
    /// # Panics
    /// If this process has a lab already.
    pub fn prepare(file: &LabFile, capture: Option<&Path>) -> Result<Self, SetUpError> {
        let capture = capture.map(Capture::start).transpose();
        let capture = capture.map_err(|error| SetUpError::Capture { error })?;
        let lab = Lab::new();
        lab.set_ndis_version(file.ndis.packed());
        lab.policy(|policy| file.policy.apply(policy));
        pool::set_mode(file.policy.pool.map_or(pool::Mode::Special, Into::into));
        pool::set_guard(
            file.policy
                .special_pool
                .map_or(pool::Guard::End, Into::into),
        );
        let mut running = Self {
            lab,
            images: Vec::new(),
            nics: Vec::new(),
            adapters: Vec::new(),
            clients: Vec::new(),
            capture,
            far_ends: Vec::new(),
        };
        for image in &file.images {
            running.lab.add_image(&image.service, &image.file);
            let key = registry::service_path(&image.service);
            registry::create(&key);
            for (name, value) in &image.registry {
                registry::set(&key, name, value.into());
            }
        }
        for nic in &file.nics {
            running.add_nic(nic)?;
        }
        for adapter in &file.adapters {
            let values = values(&adapter.registry);
            let (name, device) = (&adapter.name, adapter.device_name());
            let miniport = &adapter.miniport;
            running
                .lab
                .add_adapter(name, &device, miniport, &borrowed(&values));
        }
        for virtual_miniport in &file.virtual_miniports {
            let values = values(&virtual_miniport.registry);
            let (name, device) = (&virtual_miniport.name, virtual_miniport.device.as_str());
            running
                .lab
                .add_virtual_miniport(name, device, &borrowed(&values));
        }
        for binding in &file.bindings {
            let values = values(&binding.registry);
            running
                .lab
                .bind(&binding.protocol, &binding.above, &borrowed(&values))?;
        }
        for filter in &file.filters {
            let kind = if filter.monitoring {
                FilterKind::Monitoring
            } else {
                FilterKind::Modifying
            };
            let run = if filter.mandatory {
                FilterRun::Mandatory
            } else {
                FilterRun::Optional
            };
            let (service, above) = (&filter.service, &filter.above);
            running.lab.stack_filter_as(service, above, kind, run)?;
        }
        Ok(running)
    }

    /// Loads the images.
    ///
    /// # Errors
    /// An image cannot be loaded, or its `DriverEntry` failed.
    pub fn load(&mut self, file: &LabFile) -> Result<(), SetUpError> {
        for image in &file.images {
            self.lab.load_driver(&image.service)?;
            self.images.push(image.service.clone());
        }
        Ok(())
    }

    /// Plugs the NICs and adapters, and brings the clients up. Returns once each client is bound.
    ///
    /// # Errors
    /// A NIC or an adapter does not initialize, a client's adapter does not come up, or its wire cannot be made.
    pub fn plug(&mut self, file: &LabFile) -> Result<(), SetUpError> {
        for nic in &file.nics {
            self.lab.plug_nic(&nic.name)?;
            self.nics.push(nic.name.clone());
        }
        for adapter in &file.adapters {
            self.lab.plug_adapter(&adapter.name)?;
            self.adapters.push(adapter.name.clone());
        }
        for client in &file.clients {
            self.bring_up(client)?;
        }
        Ok(())
    }

    /// The lab.
    #[must_use]
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// The clients, in the file's order.
    #[must_use]
    pub fn clients(&self) -> &[&'static Client] {
        &self.clients
    }

    /// Takes everything down in reverse order; works on whatever has come up so far. Returns the first
    /// thing that went wrong, after all else was taken down as well.
    ///
    /// # Errors
    /// A driver cannot be unloaded.
    pub fn take_down(&mut self) -> Result<(), SetUpError> {
        let mut outcome = Ok(());
        let mut note = |result: Result<(), LabError>| {
            if let Err(error) = result
                && outcome.is_ok()
            {
                outcome = Err(error.into());
            }
        };
        for client in self.clients.drain(..).rev() {
            note(self.lab.remove_client(client.name()));
        }
        for adapter in self.adapters.drain(..).rev() {
            note(self.lab.unplug_adapter(&adapter));
        }
        for nic in self.nics.drain(..).rev() {
            note(self.lab.unplug_nic(&nic));
        }
        for image in self.images.drain(..).rev() {
            if driver::protocol_of(&image).is_some() {
                note(self.lab.uninstall(&image));
            }
            note(self.lab.unload(&image));
        }
        self.lab.settle(BIND);
        if let Some(capture) = &self.capture
            && let Err(error) = capture.finish()
        {
            eprintln!("the capture is incomplete: {error}");
        }
        outcome
    }

    fn add_nic(&mut self, nic: &NicSection) -> Result<(), SetUpError> {
        if nic.wire == WireSection::Memory && self.capture.is_none() {
            // The lab keeps the far end: by the NIC's port it is there for whoever runs the lab.
            self.lab.add_nic(configuration(nic, None));
            return Ok(());
        }
        let wire = self.nic_wire(nic)?;
        self.lab.add_nic_on(configuration(nic, wire.mac()), wire);
        Ok(())
    }

    fn bring_up(&mut self, section: &ClientSection) -> Result<(), SetUpError> {
        let client = self.lab.add_client(&section.name, &section.above)?;
        self.clients.push(client);
        if section.wake_up {
            client.wake_for_its_frames();
        }
        let bound = client.wait_state(BindingState::Running, BIND);
        let attributes =
            client
                .attributes()
                .filter(|_| bound)
                .ok_or_else(|| SetUpError::NotBound {
                    client: section.name.clone(),
                    above: section.above.clone(),
                })?;
        let wire = client_wire(&section.wire, attributes);
        let (wire, far_end) = wire.map_err(|error| SetUpError::Wire {
            name: section.name.clone(),
            error,
        })?;
        self.far_ends.extend(far_end);
        // A client's frames are recorded at its binding.
        client.bridge(Arc::from(wire));
        Ok(())
    }

    /// Makes the wire of a NIC.
    fn nic_wire(&mut self, nic: &NicSection) -> Result<Arc<dyn Wire>, SetUpError> {
        let tap = |name| TapOptions {
            name,
            mac: None,
            mtu: nic.mtu,
            up: true,
        };
        let (wire, far_end) = wire(&nic.wire, tap).map_err(|error| SetUpError::Wire {
            name: nic.name.clone(),
            error,
        })?;
        self.far_ends.extend(far_end);
        Ok(match &self.capture {
            Some(capture) => {
                let edge = format!("wire {}", nic.name);
                Arc::new(CaptureWire::wrap(wire, Arc::clone(capture), edge))
            }
            None => Arc::from(wire),
        })
    }
}

/// Makes the wire of a client whose adapter has these attributes; one inside the process has another end,
/// which has to be kept.
pub(crate) fn client_wire(
    section: &WireSection,
    attributes: Attributes,
) -> io::Result<(Box<dyn Wire>, Option<MemoryWire>)> {
    wire(section, |name| TapOptions {
        name,
        mac: Some(attributes.mac),
        mtu: u16::try_from(attributes.mtu).unwrap_or(u16::MAX),
        up: true,
    })
}

fn wire(
    section: &WireSection,
    tap: impl FnOnce(String) -> TapOptions,
) -> io::Result<(Box<dyn Wire>, Option<MemoryWire>)> {
    Ok(match section {
        WireSection::Memory => {
            let (near, far) = MemoryWire::pair();
            (Box::new(near), Some(far))
        }
        WireSection::Tap(device) => {
            let options = tap(device.as_str().to_owned());
            (Box::new(TapWire::create(&options)?), None)
        }
        WireSection::Packet(interface) => (Box::new(PacketWire::open(interface.as_str())?), None),
    })
}

/// What the NIC of a section is like, on a wire with that address.
fn configuration(nic: &NicSection, of_wire: Option<[u8; 6]>) -> NicConfig {
    let mac = nic
        .mac
        .map(|mac| mac.0)
        .or(of_wire)
        .unwrap_or_else(|| made_address(&nic.name));
    let mut config = NicConfig::new(&nic.name, mac);
    config.device = nic.device_name();
    config.mtu = u32::from(nic.mtu);
    config.link_speed = nic.speed;
    if nic.out_of_band_tags {
        config = config.handling_tags();
    }
    config.receive_filters = nic.receive_filters;
    config.offloads = nic.offloads.as_ref().map(OffloadsSection::offloads);
    config.wake_up = nic.wake_up.then_some(WakeUp::USUAL);
    config.shapes = match nic.shapes {
        ShapesKey::Whole => vec![Shape::WHOLE],
        ShapesKey::Awkward => Shape::awkward(),
    };
    config
}

/// An address for a NIC whose wire has none: locally administered, the same for the same name.
fn made_address(name: &str) -> [u8; 6] {
    // FNV-1a: short, and fixed for ever, which the standard library's hashers are not.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let [a, b, c, d, e, ..] = hash.to_be_bytes();
    [2, a, b, c, d, e]
}

/// Registry values as the lab takes them.
pub(crate) fn values(registry: &RegistryValues) -> Vec<(String, Value)> {
    registry
        .iter()
        .map(|(name, value)| (name.clone(), value.into()))
        .collect()
}

/// The same with borrowed names.
pub(crate) fn borrowed(values: &[(String, Value)]) -> Vec<(&str, Value)> {
    values
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect()
}

/// How long an adapter and a client may take to come up.
const BIND: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use ndis_sys::{NDIS_ENCAPSULATION_IEEE_802_3, NDIS_MAC_OPTION_8021Q_VLAN};

    use super::*;
    use crate::nic::Offloads;

    #[test]
    fn a_made_address_is_unicast_local_and_the_names_own() {
        let [first, second] = ["trunk", "spare"].map(made_address);
        assert_eq!(first[0], 2);
        assert_ne!(first, second);
        assert_eq!(first, made_address("trunk"));
    }

    #[test]
    fn a_nic_is_made_as_its_section_says() {
        let file = LabFile::parse(
            "[[nic]]\nname = 'trunk'\nwire = 'memory'\nmtu = 9000\nout_of_band_tags = true\n\
             receive_filters = 4\n[nic.offloads]\ncoalesces = false\n\
             [[nic]]\nname = 'spare'\nwire = 'memory'\n",
        );
        let [trunk, spare] = &file.unwrap().nics[..] else {
            panic!("there are two");
        };
        let trunk = configuration(trunk, None);
        let tags = NDIS_MAC_OPTION_8021Q_VLAN;
        assert_eq!((trunk.mtu, trunk.mac_options & tags), (9000, tags));
        assert_eq!((trunk.out_of_band_tags, trunk.receive_filters), (true, 4));
        let offloads = Offloads {
            coalesces: false,
            ..Offloads::with(NDIS_ENCAPSULATION_IEEE_802_3)
        };
        assert_eq!(trunk.offloads, Some(offloads));
        let spare = configuration(spare, Some([2, 0, 0, 0, 0, 7]));
        assert_eq!((spare.mac, spare.offloads), ([2, 0, 0, 0, 0, 7], None));
    }
}
