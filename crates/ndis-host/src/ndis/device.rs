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
}

impl System {
    const fn new() -> Self {
        Self {
            devices: Vec::new(),
            bindings: Vec::new(),
        }
    }
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

static SYSTEM: Monitor<System> = Monitor::new(System::new());
