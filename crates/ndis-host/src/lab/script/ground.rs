//! What a client stands on in the end, by the lab file: a NIC of the host's, whose cable the script has the
//! other end of, or an adapter of an image, whose wire is the driver's own business.

use crate::lab::file::{BindingSection, LabFile, RegistryValue, VirtualMiniportSection};

/// The lowest device below something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground<'a> {
    /// A `[[nic]]`.
    Nic(&'a str),
    /// An `[[adapter]]`.
    Adapter(&'a str),
}

/// What the device of that name stands on, or is. None if the file does not say: a virtual miniport that
/// a step adds, or that a driver makes of its own accord.
pub(super) fn below<'a>(file: &'a LabFile, device: &'a str) -> Option<Ground<'a>> {
    let mut device = device;
    // A file may lead in a circle.
    for _ in 0..=file.virtual_miniports.len() {
        if file.nics.iter().any(|nic| nic.name == device) {
            return Some(Ground::Nic(device));
        }
        if file.adapters.iter().any(|adapter| adapter.name == device) {
            return Some(Ground::Adapter(device));
        }
        let mut virtual_miniports = file.virtual_miniports.iter();
        let it = virtual_miniports.find(|it| it.name == device)?;
        device = &binding_below(file, it)?.above;
    }
    None
}

/// The binding that a virtual miniport stands on: the one whose `UpperBindings` name it.
pub(super) fn binding_below<'a>(
    file: &'a LabFile,
    it: &VirtualMiniportSection,
) -> Option<&'a BindingSection> {
    file.bindings.iter().find(|binding| {
        let upper = binding.registry.get("UpperBindings");
        matches!(upper, Some(RegistryValue::MultiSz(names)) if names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(it.device.as_str())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAB: &str = r#"
[[image]]
file = "a.sys"
service = "a"
[[nic]]
name = "nic"
wire = "memory"
[[adapter]]
name = "adapter"
miniport = "a"
[[binding]]
protocol = "a"
above = "nic"
[binding.registry]
UpperBindings = ['\Device\{one}']
[[binding]]
protocol = "a"
above = "one"
[binding.registry]
UpperBindings = ['\Device\{two}']
[[binding]]
protocol = "a"
above = "round"
[binding.registry]
UpperBindings = ['\Device\{round}']
[[virtual_miniport]]
name = "one"
device = '\Device\{ONE}'
[[virtual_miniport]]
name = "two"
device = '\Device\{TWO}'
[[virtual_miniport]]
name = "round"
device = '\Device\{round}'
[[virtual_miniport]]
name = "alone"
device = '\Device\{alone}'
"#;

    #[test]
    fn the_way_down_ends_at_a_nic_or_an_adapter_or_nowhere() {
        let file = LabFile::parse(LAB).unwrap();
        assert_eq!(below(&file, "two"), Some(Ground::Nic("nic")));
        assert_eq!(below(&file, "nic"), Some(Ground::Nic("nic")));
        assert_eq!(below(&file, "adapter"), Some(Ground::Adapter("adapter")));
        for nowhere in ["alone", "round", "unheard of"] {
            assert_eq!(below(&file, nowhere), None, "{nowhere}");
        }
    }
}
