//! What the system is configured with: devices, and which protocol binds to which.
//!
//! The lab fills this in, as installation does on Windows. A device is there whether or not an
//! adapter of it is initialized. Names are device names, `\Device\{…}`, and compare without case; a
//! label is what people call a device.

use crate::nt::sched::Monitor;

/// A network device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its device name.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// The registry path of its adapter parameters.
    pub key: String,
}

/// A filter driver's place in the stack over a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Its service.
    pub service: String,
    /// Whether it may modify and originate, or only watch (`FilterType` of its INF).
    pub kind: FilterKind,
    /// Whether the stack goes without it when it does not attach (`FilterRunType` of its INF).
    pub run: FilterRun,
}

/// What a filter driver may do (types-of-filter-drivers.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FilterKind {
    /// It passes on what comes, as it came.
    Monitoring,
    /// It may change and originate data.
    #[default]
    Modifying,
}

/// Whether a stack needs a filter (mandatory-filter-drivers.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FilterRun {
    /// Without it no protocol is bound.
    Mandatory,
    /// Without it the stack runs.
    #[default]
    Optional,
}

/// Adds a device, or replaces the one of that name.
pub fn add(device: Device) {
    let mut system = SYSTEM.lock();
    system
        .devices
        .retain(|other| !same(&other.name, &device.name));
    system.devices.push(device);
}

/// Removes the device of that name.
pub fn remove(name: &str) {
    SYSTEM
        .lock()
        .devices
        .retain(|other| !same(&other.name, name));
}

/// Makes `protocol` (its name or its service's) bind to the device of that name.
pub fn bind(protocol: &str, name: &str) {
    let binding = (protocol.to_owned(), name.to_owned());
    let mut system = SYSTEM.lock();
    if !system.bindings.contains(&binding) {
        system.bindings.push(binding);
    }
}

/// Makes `protocol` no longer bind to the device of that name.
pub fn unbind(protocol: &str, name: &str) {
    SYSTEM
        .lock()
        .bindings
        .retain(|(other, device)| !(same(other, protocol) && same(device, name)));
}

/// Puts a filter driver on top of those that stand on the device of that name already.
pub fn stack_filter(name: &str, filter: Filter) {
    let mut system = SYSTEM.lock();
    let is_there = system
        .filters
        .iter()
        .any(|(device, other)| same(device, name) && same(&other.service, &filter.service));
    if !is_there {
        system.filters.push((name.to_owned(), filter));
    }
}

/// The filter drivers on the device of that name, from the bottom up.
pub fn filters_on(name: &str) -> Vec<Filter> {
    let system = SYSTEM.lock();
    let on = system
        .filters
        .iter()
        .filter(|(device, _)| same(device, name));
    on.map(|(_, filter)| filter.clone()).collect()
}

/// All devices.
pub fn all() -> Vec<Device> {
    SYSTEM.lock().devices.clone()
}

/// The device of that name or label.
pub fn find(name: &str) -> Option<Device> {
    let system = SYSTEM.lock();
    let by_name = system
        .devices
        .iter()
        .find(|device| same(&device.name, name));
    let by_label = || {
        system
            .devices
            .iter()
            .find(|device| same(&device.label, name))
    };
    by_name.or_else(by_label).cloned()
}

/// Forgets all devices and bindings.
pub fn clear() {
    *SYSTEM.lock() = System::new();
}

/// Whether `protocol`, under any of its `names`, is to bind to the device `name`.
pub(crate) fn is_bound(names: &[&str], name: &str) -> bool {
    SYSTEM.lock().bindings.iter().any(|(protocol, device)| {
        same(device, name) && names.iter().any(|known| same(known, protocol))
    })
}

struct System {
    devices: Vec<Device>,
    bindings: Vec<(String, String)>,
    /// Device and filter, from the bottom up.
    filters: Vec<(String, Filter)>,
}

impl System {
    const fn new() -> Self {
        Self {
            devices: Vec::new(),
            bindings: Vec::new(),
            filters: Vec::new(),
        }
    }
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

static SYSTEM: Monitor<System> = Monitor::new(System::new());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_stand_in_the_order_in_which_they_came_each_once() {
        let filter = |service: &str| Filter {
            service: service.to_owned(),
            kind: FilterKind::default(),
            run: FilterRun::default(),
        };
        for service in ["lower", "upper", "LOWER"] {
            stack_filter(r"\Device\FilterTest", filter(service));
        }
        stack_filter(r"\Device\FilterTestOther", filter("third"));
        assert_eq!(
            filters_on(r"\device\filtertest"),
            [filter("lower"), filter("upper")]
        );
    }
}
