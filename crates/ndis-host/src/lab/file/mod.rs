//! The lab file: what a run loads and plugs together, as TOML.
//!
//! | section | says |
//! |---|---|
//! | `ndis = "6.80"` | what `NdisGetVersion` answers; the newest the host knows if absent |
//! | `[policy]` | the freedoms the documents leave NDIS, and how strict memory is |
//! | `[[image]]` | a driver image to load, in this order: its file and its service key |
//! | `[[nic]]` | a lower NIC: its wire, address, MTU, speed |
//! | `[[binding]]` | what the registry holds for a protocol's binding to a NIC (`UpperBindings`) |
//! | `[[virtual_miniport]]` | what it holds for a virtual miniport (`VlanId`, `NetworkAddress`) |
//! | `[[client]]` | a built-in protocol above a virtual miniport or a NIC, and its wire |
//! | `[[step]]` | what `check` does with it, in place of its standard script |
//!
//! `labs/demo.toml` shows each of them. Paths are relative to the lab file's own folder. An unknown
//! key is an error, and so is a name that nothing in the file has. `set_up.rs` acts on it.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::script::{Refers, Step};

pub use error::LabFileError;
pub use policy::{
    FirstBindKey, ImCancelKey, ImInitializeKey, PolicySection, PoolKey, ResourcesKey, WhenKey,
};
pub use set_up::{Running, SetUpError};
pub(crate) use set_up::{borrowed, values};
pub use value::{DeviceName, InterfaceName, MacAddress, NdisVersion, RegistryValue};

mod error;
mod policy;
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
    /// Registry values of bindings.
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

/// `[[nic]]`: a lower NIC, a miniport of the host's own.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NicSection {
    /// How the rest of the file calls it.
    pub name: String,
    /// Its device name; `\Device\<name>` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceName>,
    /// Where its frames come from and go to.
    pub wire: WireSection,
    /// Its permanent address; the wire's own if absent, else one made from the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddress>,
    /// Its MTU in bytes, without Ethernet header.
    #[serde(default = "default_mtu")]
    pub mtu: u16,
    /// Its link speed in bits per second, both ways.
    #[serde(default = "default_speed")]
    pub speed: u64,
    /// Whether it takes and gives 802.1Q tags beside the frame (`Ieee8021QNetBufferListInfo`), as a
    /// NIC that inserts and strips them does.
    #[serde(default)]
    pub out_of_band_tags: bool,
    /// How frames that it receives lie in memory.
    #[serde(default)]
    pub shapes: ShapesKey,
}

/// `shapes`: how received frames are laid out over MDLs.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShapesKey {
    /// Each frame in one MDL.
    #[default]
    Whole,
    /// In turn: cuts in and around the Ethernet header and the tag, odd bytes before the frame.
    Awkward,
}

impl NicSection {
    /// The device name in force.
    #[must_use]
    pub fn device_name(&self) -> String {
        match &self.device {
            Some(device) => device.as_str().to_owned(),
            None => format!("{}{}", DeviceName::PREFIX, self.name),
        }
    }
}

/// `[[binding]]`: the registry of one protocol on one NIC.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BindingSection {
    /// Service name of the image whose protocol it is.
    pub protocol: String,
    /// Name of the NIC.
    pub nic: String,
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
    /// Name of the virtual miniport or the NIC that it binds to.
    pub above: String,
    /// Where its frames come from and go to.
    pub wire: WireSection,
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
        unique("nic", "name", self.nics.iter().map(|nic| nic.name.clone()))?;
        unique(
            "virtual_miniport",
            "name",
            self.virtual_miniports
                .iter()
                .map(|virtual_miniport| virtual_miniport.name.clone()),
        )?;
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
        let mut adapters = nics.clone();
        adapters.extend(
            self.virtual_miniports
                .iter()
                .map(|virtual_miniport| virtual_miniport.name.as_str()),
        );
        adapters.extend(self.steps.iter().filter_map(Step::adds));

        for (index, nic) in self.nics.iter().enumerate() {
            if !MTU_RANGE.contains(&nic.mtu) {
                return Err(Fault {
                    section: "nic",
                    index,
                    key: "mtu",
                    message: format!(
                        "an MTU of {} bytes is out of range: {} to {}",
                        nic.mtu,
                        MTU_RANGE.start,
                        MTU_RANGE.end - 1
                    ),
                });
            }
        }
        for (index, binding) in self.bindings.iter().enumerate() {
            known(
                "binding",
                index,
                "protocol",
                &binding.protocol,
                "an [[image]] with that service",
                &services,
            )?;
            known("binding", index, "nic", &binding.nic, "a [[nic]]", &nics)?;
        }
        for (index, client) in self.clients.iter().enumerate() {
            let wanted = "a [[virtual_miniport]] or a [[nic]]";
            known("client", index, "above", &client.above, wanted, &adapters)?;
        }
        let clients: Vec<&str> = self.clients.iter().map(|it| it.name.as_str()).collect();
        for (index, step) in self.steps.iter().enumerate() {
            for (key, refers, name) in step.refers() {
                let (wanted, names) = match refers {
                    Refers::Service => ("an [[image]] with that service", &services),
                    Refers::Nic => ("a [[nic]]", &nics),
                    Refers::Client => ("a [[client]]", &clients),
                    Refers::Adapter => ("a [[virtual_miniport]] or a [[nic]]", &adapters),
                };
                known("step", index, key, name, wanted, names)?;
            }
        }
        Ok(())
    }
}

/// IPv6 needs 1280 bytes; IPv4 alone 68. A frame with two tags must fit a wire's buffer.
const MTU_RANGE: Range<u16> = 68..9217;

fn default_mtu() -> u16 {
    1500
}

fn default_speed() -> u64 {
    1_000_000_000
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
    let mut seen = Vec::new();
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
                format!("`{value}` is there twice: each [[{section}]] needs its own `{key}`");
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
