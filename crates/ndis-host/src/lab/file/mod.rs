//! The lab file: what a run loads and plugs together, as TOML.
//!
//! | section | says |
//! |---|---|
//! | `ndis = "6.80"` | what `NdisGetVersion` answers; the newest the host knows if absent |
//! | `[policy]` | the freedoms the documents leave NDIS, and how strict memory is |
//! | `[[image]]` | a driver image to load, in this order: its file and its service key |
//! | `[[nic]]` | a built-in NIC: its wire, address, MTU, speed, tags, offloads |
//! | `[[adapter]]` | a device that the miniport of an image runs, and its registry |
//! | `[[filter]]` | a filter driver's place above a device; those of one device from the bottom up |
//! | `[[binding]]` | which protocol binds to what, and what the registry holds for it (`UpperBindings`) |
//! | `[[virtual_miniport]]` | what it holds for a virtual miniport (`VlanId`, `NetworkAddress`) |
//! | `[[client]]` | a built-in protocol above one of these devices, and its wire |
//! | `[[step]]` | what `check` does with it, in place of its standard script |
//!
//! Images are of any kind, and several of each: miniports, filters, intermediate drivers, protocols.
//! `labs/demo.toml` shows one between built-in parts, `labs/stack.toml` a stack of images alone. Paths
//! are relative to the lab file's own folder. An unknown key is an error, and so is a name that nothing
//! in the file has. `set_up.rs` acts on it.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::script::{Refers, Step};

pub use error::LabFileError;
pub use nic::{EncapsulationKey, NicSection, OffloadsSection, ShapesKey};
pub use policy::{
    DeviceNamesKey, FirstBindKey, GuardKey, ImCancelKey, ImInitializeKey, MissingKeyKey,
    PolicySection, PoolKey, ResourcesKey, Seconds, ValueTypesKey, WhenKey,
};
pub use replace::Replace;
pub use set_up::{Running, SetUpError};
pub(crate) use set_up::{borrowed, client_wire, values};
pub use value::{DeviceName, InterfaceName, MacAddress, NdisVersion, RegistryValue};

mod error;
mod nic;
mod policy;
mod replace;
mod set_up;
mod value;

/// Registry values of one key, by name.
pub type RegistryValues = BTreeMap<String, RegistryValue>;

/// A whole lab file.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LabFile {
    /// The NDIS version of this run.
    #[serde(default)]
    pub ndis: NdisVersion,
    /// How NDIS behaves where the documents leave it a choice.
    #[serde(default)]
    pub policy: PolicySection,
    /// The images, in the order in which they are loaded.
    #[serde(default, rename = "image")]
    pub images: Vec<ImageSection>,
    /// The lower NICs, in the order in which they are plugged.
    #[serde(default, rename = "nic")]
    pub nics: Vec<NicSection>,
    /// Devices of images' miniports, in the order in which they are plugged.
    #[serde(default, rename = "adapter")]
    pub adapters: Vec<AdapterSection>,
    /// Filter drivers above devices, those above one from the bottom up.
    #[serde(default, rename = "filter")]
    pub filters: Vec<FilterSection>,
    /// Bindings of images' protocols.
    #[serde(default, rename = "binding")]
    pub bindings: Vec<BindingSection>,
    /// Registry values of virtual miniports.
    #[serde(default, rename = "virtual_miniport")]
    pub virtual_miniports: Vec<VirtualMiniportSection>,
    /// The upper clients.
    #[serde(default, rename = "client")]
    pub clients: Vec<ClientSection>,
    /// The script of `check`, the standard one if empty.
    #[serde(default, rename = "step", skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

/// `[[image]]`: a driver image.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSection {
    /// The PE file. [`LabFile::load`] makes it relative to the lab file's folder.
    pub file: PathBuf,
    /// Name of its service, which is also the name that its protocol registers under.
    pub service: String,
    /// Values of its service key, `…\Services\<service>`.
    #[serde(default)]
    pub registry: RegistryValues,
}

fn device_name(device: Option<&DeviceName>, name: &str) -> String {
    match device {
        Some(device) => device.as_str().to_owned(),
        None => format!("{}{name}", DeviceName::PREFIX),
    }
}

/// `[[adapter]]`: a device that the miniport of an image runs.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterSection {
    /// How the rest of the file calls it.
    pub name: String,
    /// Service name of the image whose miniport it is.
    pub miniport: String,
    /// Its device name; `\Device\<name>` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceName>,
    /// The values that `NdisOpenConfigurationEx` shows at initialize.
    #[serde(default)]
    pub registry: RegistryValues,
}

impl AdapterSection {
    /// The device name in force.
    #[must_use]
    pub fn device_name(&self) -> String {
        device_name(self.device.as_ref(), &self.name)
    }
}

/// `[[filter]]`: a filter driver's place above a device.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FilterSection {
    /// Service name of the image whose filter driver it is.
    pub service: String,
    /// Name of the device.
    pub above: String,
    /// Whether its INF says that it only watches.
    #[serde(default)]
    pub monitoring: bool,
    /// Whether its INF says that no protocol binds without it.
    #[serde(default)]
    pub mandatory: bool,
}

/// `[[binding]]`: one protocol above one device, with its registry.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BindingSection {
    /// Service name of the image whose protocol it is.
    pub protocol: String,
    /// Name of the device.
    pub above: String,
    /// The values that `NdisOpenConfigurationEx` shows at bind.
    #[serde(default)]
    pub registry: RegistryValues,
}

/// `[[virtual_miniport]]`: the registry of one virtual miniport.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VirtualMiniportSection {
    /// How the rest of the file and the counters call it.
    pub name: String,
    /// Its device name, as in the binding's `UpperBindings`.
    pub device: DeviceName,
    /// The values that `NdisOpenConfigurationEx` shows at initialize.
    #[serde(default)]
    pub registry: RegistryValues,
}

/// `[[client]]`: a protocol of the host's own above a virtual miniport or a NIC.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSection {
    /// What events and counters call it.
    pub name: String,
    /// Name of the device that it binds to.
    pub above: String,
    /// Where its frames come from and go to.
    pub wire: WireSection,
    /// Whether `check` is to see what it sends leave a NIC of the lab, and to answer that. Never so above an
    /// `[[adapter]]`, whose wire is its driver's own.
    #[serde(default = "yes")]
    pub answered: bool,
    /// Whether it wants the computer to be woken for frames to its address, where its adapter can.
    #[serde(default)]
    pub wake_up: bool,
}

/// `wire = "memory"`, `{ tap = "vlan10" }` or `{ packet = "eth1" }`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WireSection {
    /// A cable inside the process; its other end belongs to the test.
    Memory,
    /// A TAP device of this name, made for the run.
    Tap(InterfaceName),
    /// A packet socket on this network interface, which exists already.
    Packet(InterfaceName),
}

impl LabFile {
    /// Reads and checks the file at `path`; image paths come back usable from the current folder.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, has a key or a value that is not known, or names
    /// something that is not in it; with file, line and column.
    pub fn load(path: &Path) -> Result<Self, LabFileError> {
        let text =
            fs::read_to_string(path).map_err(|error| LabFileError::unreadable(path, &error))?;
        let mut file = Self::parse(&text).map_err(|error| error.in_file(path))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for image in &mut file.images {
            image.file = folder.join(&image.file);
        }
        Ok(file)
    }

    /// Parses and checks the text of a lab file.
    ///
    /// # Errors
    /// As [`LabFile::load`], without a file name.
    pub fn parse(text: &str) -> Result<Self, LabFileError> {
        let file: Self = toml::from_str(text)
            .map_err(|error| LabFileError::at(text, error.span(), error.message().to_owned()))?;
        file.check().map_err(|fault| {
            let place = locate(text, fault.section, fault.index, fault.key);
            LabFileError::at(text, place, fault.message)
        })?;
        Ok(file)
    }

    /// What the types cannot say: names are there once, and what is referred to exists.
    fn check(&self) -> Result<(), Fault> {
        unique(
            "image",
            "service",
            self.images.iter().map(|image| image.service.clone()),
        )?;
        let devices = self.devices();
        let mut seen = Vec::new();
        for (section, names) in &devices {
            unique_among(&mut seen, section, "name", names.iter().cloned())?;
        }
        unique(
            "virtual_miniport",
            "device",
            self.virtual_miniports
                .iter()
                .map(|virtual_miniport| virtual_miniport.device.as_str().to_ascii_lowercase()),
        )?;
        unique(
            "client",
            "name",
            self.clients.iter().map(|client| client.name.clone()),
        )?;

        let services: Vec<&str> = self
            .images
            .iter()
            .map(|image| image.service.as_str())
            .collect();
        let nics: Vec<&str> = self.nics.iter().map(|nic| nic.name.as_str()).collect();
        let devices = devices.iter().flat_map(|(_, names)| names);
        let mut devices: Vec<&str> = devices.map(String::as_str).collect();
        devices.extend(self.steps.iter().filter_map(Step::adds));

        for (index, nic) in self.nics.iter().enumerate() {
            nic.check().map_err(|(key, message)| Fault {
                section: "nic",
                index,
                key,
                message,
            })?;
        }
        let image = |section, index, key, name: &str| {
            let wanted = "an [[image]] with that service";
            known(section, index, key, name, wanted, &services)
        };
        let device =
            |section, index, name: &str| known(section, index, "above", name, DEVICE, &devices);
        for (index, adapter) in self.adapters.iter().enumerate() {
            image("adapter", index, "miniport", &adapter.miniport)?;
        }
        for (index, filter) in self.filters.iter().enumerate() {
            image("filter", index, "service", &filter.service)?;
            device("filter", index, &filter.above)?;
        }
        for (index, binding) in self.bindings.iter().enumerate() {
            image("binding", index, "protocol", &binding.protocol)?;
            device("binding", index, &binding.above)?;
        }
        for (index, client) in self.clients.iter().enumerate() {
            device("client", index, &client.above)?;
        }
        let clients: Vec<&str> = self.clients.iter().map(|it| it.name.as_str()).collect();
        let adapters = self.adapters.iter().map(|it| it.name.as_str());
        let plugs: Vec<&str> = nics.iter().copied().chain(adapters).collect();
        for (index, step) in self.steps.iter().enumerate() {
            for (key, refers, name) in step.refers() {
                let (wanted, names) = match refers {
                    Refers::Service => ("an [[image]] with that service", &services),
                    Refers::Nic => ("a [[nic]]", &nics),
                    Refers::Plug => ("a [[nic]] or an [[adapter]]", &plugs),
                    Refers::Client => ("a [[client]]", &clients),
                    Refers::Adapter => (DEVICE, &devices),
                };
                known("step", index, key, name, wanted, names)?;
            }
        }
        Ok(())
    }

    /// The names of all devices, by section.
    fn devices(&self) -> [(&'static str, Vec<String>); 3] {
        let nics = self.nics.iter().map(|nic| nic.name.clone());
        let adapters = self.adapters.iter().map(|adapter| adapter.name.clone());
        let virtual_miniports = self.virtual_miniports.iter().map(|it| it.name.clone());
        [
            ("nic", nics.collect()),
            ("adapter", adapters.collect()),
            ("virtual_miniport", virtual_miniports.collect()),
        ]
    }
}

/// What has a name that something can stand above.
const DEVICE: &str = "a [[nic]], an [[adapter]] or a [[virtual_miniport]]";

fn yes() -> bool {
    true
}

/// What is wrong, and at which key of which entry of which section.
struct Fault {
    section: &'static str,
    index: usize,
    key: &'static str,
    message: String,
}

fn unique(
    section: &'static str,
    key: &'static str,
    values: impl Iterator<Item = String>,
) -> Result<(), Fault> {
    unique_among(&mut Vec::new(), section, key, values)
}

/// The same, among `seen` as well.
fn unique_among(
    seen: &mut Vec<String>,
    section: &'static str,
    key: &'static str,
    values: impl Iterator<Item = String>,
) -> Result<(), Fault> {
    for (index, value) in values.enumerate() {
        if value.is_empty() {
            return Err(Fault {
                section,
                index,
                key,
                message: format!("`{key}` is empty: give it a name"),
            });
        }
        if seen.contains(&value) {
            let message =
                format!("`{value}` is there twice: each [[{section}]] needs a `{key}` of its own");
            return Err(Fault {
                section,
                index,
                key,
                message,
            });
        }
        seen.push(value);
    }
    Ok(())
}

fn known(
    section: &'static str,
    index: usize,
    key: &'static str,
    name: &str,
    wanted: &str,
    names: &[&str],
) -> Result<(), Fault> {
    if names.contains(&name) {
        return Ok(());
    }
    let there = if names.is_empty() {
        "there is none".to_owned()
    } else {
        format!("there are {}", names.join(", "))
    };
    let message = format!("`{name}` is not the name of {wanted} of this file: {there}");
    Err(Fault {
        section,
        index,
        key,
        message,
    })
}

/// Where in `text` a key of the nth entry of a section stands.
fn locate(text: &str, section: &str, index: usize, key: &str) -> Option<Range<usize>> {
    let table = toml::de::DeTable::parse(text).ok()?;
    let entry = table.get_ref().get(section)?.get_ref().get(index)?;
    match entry.get_ref().get(key) {
        Some(value) => Some(value.span()),
        None => Some(entry.span()),
    }
}

#[cfg(test)]
mod tests;
