//! A lab: what is loaded and plugged together in this process, and the hands of who runs it.
//!
//! Tests and `ndishost run` build a lab, load driver images into it, plug NICs and clients, and do
//! what people and the system do to a machine: unplug, disable, uninstall, unload. What the drivers
//! then do runs by the rules of [`ndis`](crate::ndis); a broken rule ends the process.
//!
//! There is one lab in a process at a time. Its parts never die: a NIC that was unplugged can be
//! plugged again, a driver that was unloaded can be loaded again.
//!
//! Not in here: what a lab file says (`file`), and what is done with a lab in turn (`script`).

mod adapter;
mod device_file;
mod driver;
mod filter;
mod hardware;
mod oid;
mod outstanding;
mod port;
mod power;
mod state;
#[cfg(test)]
pub(crate) mod testing;
mod tracing;
mod virtual_miniport;

pub mod file;
pub mod race;
pub mod script;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ndis_sys::nt::NTSTATUS;
use ndis_sys::{NDIS_STATUS, NdisHaltDeviceDisabled, NdisHaltDeviceSurpriseRemoved};

pub use device_file::{DeviceFile, NtStatus, Outcome, Request, Token};
pub use oid::{Answer, Query};
pub use outstanding::Outstanding;
pub use port::NicPort;
pub use power::Order;

use crate::client::Client;
use crate::faults;
use crate::image;
use crate::ndis::adapter::Adapter;
use crate::ndis::caller::{self, Caller};
use crate::ndis::counters::{self, Counters};
use crate::ndis::device::{self, Device};
use crate::ndis::policy::{self, Policy};
use crate::ndis::trace::Trace;
use crate::ndis::{config, driver as drivers, im, open, pnp, version, watchdog};
use crate::nic::{self, Nic, NicConfig};
use crate::nt::driver::Driver;
use crate::nt::irql::{self, Irql};
use crate::nt::registry::{self, Value};
use crate::nt::sched::Monitor;
use crate::wire::{MemoryWire, Wire};

/// The lab of this process.
pub struct Lab {
    images: Monitor<BTreeMap<String, PathBuf>>,
    drivers: Monitor<BTreeMap<String, Driver>>,
    nics: Monitor<BTreeMap<String, Plugged>>,
    clients: Monitor<BTreeMap<String, &'static Client>>,
    /// Devices that images run, with the service of each.
    adapters: Monitor<BTreeMap<String, String>>,
}

#[derive(Clone)]
struct Plugged {
    port: NicPort,
    adapter: Option<&'static Adapter>,
}

/// Why something could not be done in a lab.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The image could not be loaded.
    #[error("loading {service}: {error}")]
    Load {
        /// Its service.
        service: String,
        /// What was wrong.
        error: image::Error,
    },
    /// `DriverEntry` failed.
    #[error("DriverEntry of {service} returned {status:#010x}")]
    Entry {
        /// Its service.
        service: String,
        /// What it returned.
        status: NTSTATUS,
    },
    /// `MiniportInitializeEx` failed.
    #[error("MiniportInitializeEx for {name} failed with {status:#010x}")]
    Initialize {
        /// The NIC.
        name: String,
        /// What it returned.
        status: NDIS_STATUS,
    },
    /// There is nothing of that name.
    #[error("there is no {what} {name:?} in this lab")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// Its devices are open, so that the system does not unload it.
    #[error("{service} is not unloaded: its devices have {opens} opens")]
    Open {
        /// Its service.
        service: String,
        /// How many.
        opens: usize,
    },
    /// It was done already.
    #[error("{name} is already {state}")]
    Already {
        /// What.
        name: String,
        /// In which state.
        state: &'static str,
    },
}

impl Lab {
    /// An empty lab, with the registry, devices, faults and policy as at the start.
    ///
    /// # Panics
    /// If this process has a lab already.
    pub fn new() -> Self {
        assert!(
            !EXISTS.swap(true, Ordering::SeqCst),
            "there is one lab in a process at a time"
        );
        watchdog::start();
        registry::clear();
        device::clear();
        faults::clear();
        counters::reset();
        policy::change(|policy| *policy = Policy::STRICT);
        Self {
            images: Monitor::default(),
            drivers: Monitor::default(),
            nics: Monitor::default(),
            clients: Monitor::default(),
            adapters: Monitor::default(),
        }
    }

    /// Makes NDIS this version (as `NdisGetVersion` answers) for drivers loaded from now on.
    pub fn set_ndis_version(&self, runtime_version: u32) {
        version::set(runtime_version);
    }

    /// Changes how NDIS uses the freedoms that it has.
    pub fn policy(&self, change: impl FnOnce(&mut Policy)) {
        policy::change(change);
    }

    /// Makes the nth call of a function by an image from now on fail, once.
    pub fn fail_nth(&self, function: &'static str, nth: u64) {
        faults::fail_nth(function, nth);
    }

    /// Adds a NIC on a cable inside the process, whose other end is the port that is returned.
    pub fn add_nic(&self, config: NicConfig) -> NicPort {
        let (near, far) = MemoryWire::pair();
        self.add_nic_port(config, Arc::new(near), Some(Arc::new(far)))
    }

    /// Adds a NIC on a wire.
    pub fn add_nic_on(&self, config: NicConfig, wire: Arc<dyn Wire>) -> NicPort {
        self.add_nic_port(config, wire, None)
    }

    /// Plugs a NIC in: it is initialized, protocols bind to it, and traffic flows.
    ///
    /// # Errors
    /// There is no such NIC, it is plugged in, or its initialization failed.
    pub fn plug_nic(&self, label: &str) -> Result<(), LabError> {
        let plugged = self.plugged(label)?;
        if plugged.adapter.is_some() {
            return Err(already(label, "plugged in"));
        }
        let nic = plugged.port.nic();
        nic::register(nic);
        let miniport = drivers::miniport_of(nic::CALLER.name);
        let miniport = miniport.ok_or_else(|| unknown("driver", nic::CALLER.name))?;
        let started = self.as_host(|| {
            let adapter = Adapter::new(&nic.config().device, miniport, None);
            pnp::start(adapter, || {}).map(|()| adapter)
        });
        match started {
            Ok(adapter) => {
                self.set_adapter(label, Some(adapter));
                Ok(())
            }
            Err(status) => {
                nic::deregister(nic);
                Err(LabError::Initialize {
                    name: label.to_owned(),
                    status,
                })
            }
        }
    }

    /// Takes a NIC out in the orderly way: protocols are paused and unbound, then it is halted.
    ///
    /// # Errors
    /// There is no such NIC, or it is not plugged in.
    pub fn unplug_nic(&self, label: &str) -> Result<(), LabError> {
        self.remove_nic(label, NdisHaltDeviceDisabled)
    }

    /// Pulls a NIC out: as [`Lab::unplug_nic`], with its driver being told that it was a surprise.
    ///
    /// # Errors
    /// There is no such NIC, or it is not plugged in.
    pub fn pull_nic(&self, label: &str) -> Result<(), LabError> {
        self.remove_nic(label, NdisHaltDeviceSurpriseRemoved)
    }

    /// The port of a NIC.
    ///
    /// # Errors
    /// There is no such NIC.
    pub fn nic(&self, label: &str) -> Result<NicPort, LabError> {
        Ok(self.plugged(label)?.port)
    }

    /// Adds a device for a virtual miniport, with its adapter parameters.
    pub fn add_virtual_miniport(&self, label: &str, device: &str, values: &[(&str, Value)]) {
        add_device(label, device, values);
    }

    /// Binds a protocol (by its service's name) to a device, with the values that it reads there.
    ///
    /// # Errors
    /// There is no such device.
    pub fn bind(
        &self,
        protocol: &str,
        device_label: &str,
        values: &[(&str, Value)],
    ) -> Result<(), LabError> {
        let device = find_device(device_label)?;
        let key = config::binding_key(protocol, &device.name);
        registry::create(&key);
        for (name, value) in values {
            registry::set(&key, name, value.clone());
        }
        device::bind(protocol, &device.name);
        Ok(())
    }

    /// Binds an intermediate driver's protocol to a NIC, with these virtual miniports above.
    ///
    /// # Errors
    /// There is no such device.
    pub fn stack(&self, protocol: &str, nic: &str, upper: &[&str]) -> Result<(), LabError> {
        let names: Result<Vec<String>, LabError> = upper
            .iter()
            .map(|label| find_device(label).map(|device| device.name))
            .collect();
        self.bind(protocol, nic, &[("UpperBindings", Value::MultiSz(names?))])
    }

    /// Adds a client above a device. It binds now if the device's adapter is there, else when it comes.
    ///
    /// # Errors
    /// There is no such device.
    pub fn add_client(&self, name: &str, above: &str) -> Result<&'static Client, LabError> {
        let device = find_device(above)?;
        let client = Client::new(name, &device.name);
        device::bind(name, &device.name);
        self.clients.lock().insert(name.to_owned(), client);
        self.as_host(|| {
            client.register();
            if let Some(protocol) = drivers::protocol_of(name) {
                pnp::bind_protocol(protocol);
            }
        });
        Ok(client)
    }

    /// Unbinds a client and removes it.
    ///
    /// # Errors
    /// There is no such client.
    pub fn remove_client(&self, name: &str) -> Result<(), LabError> {
        let client = self.clients.lock().remove(name);
        let client = client.ok_or_else(|| unknown("client", name))?;
        client.unbridge();
        self.as_host(|| client.deregister());
        // Another one of that name may stand elsewhere.
        device::unbind(name, client.device());
        Ok(())
    }

    /// A client by its name.
    ///
    /// # Errors
    /// There is no such client.
    pub fn client(&self, name: &str) -> Result<&'static Client, LabError> {
        let client = self.clients.lock().get(name).copied();
        client.ok_or_else(|| unknown("client", name))
    }

    /// Lets an initialize that the policy holds begin. Answers whether there was one.
    pub fn release_initialize(&self, label: &str) -> bool {
        device::find(label).is_some_and(|device| im::release(&device.name))
    }

    /// Keeps `NdisOpenAdapterEx` pending, where the policy lets it pend, or lets it end.
    pub fn hold_opens(&self, hold: bool) {
        open::hold(hold);
    }

    /// Waits until NDIS has nothing to do on its own account. Answers whether that came in time.
    pub fn settle(&self, timeout: Duration) -> bool {
        pnp::wait_idle(timeout)
    }

    /// What happened so far.
    pub fn trace(&self) -> Trace {
        Trace
    }

    /// How often images did what.
    pub fn counters(&self) -> Counters {
        counters::current()
    }

    /// What is left of images that they have to give back.
    pub fn outstanding(&self) -> Outstanding {
        outstanding::now()
    }

    /// The initialized adapter of a device.
    pub(crate) fn adapter(&self, label: &str) -> Option<&'static Adapter> {
        device::find(label).and_then(|device| pnp::adapter_of(&device.name))
    }

    fn remove_nic(&self, label: &str, action: i32) -> Result<(), LabError> {
        let plugged = self.plugged(label)?;
        let adapter = plugged.adapter.ok_or_else(|| already(label, "unplugged"))?;
        self.as_host(|| pnp::stop(adapter, action));
        self.set_adapter(label, None);
        nic::deregister(plugged.port.nic());
        Ok(())
    }

    fn add_nic_port(
        &self,
        config: NicConfig,
        wire: Arc<dyn Wire>,
        far: Option<Arc<MemoryWire>>,
    ) -> NicPort {
        add_device(&config.label, &config.device, &[]);
        let label = config.label.clone();
        let port = NicPort::new(Nic::new(config, wire), far);
        let plugged = Plugged {
            port: port.clone(),
            adapter: None,
        };
        self.nics.lock().insert(label, plugged);
        port
    }

    fn plugged(&self, label: &str) -> Result<Plugged, LabError> {
        let nic = self.nics.lock().get(label).cloned();
        nic.ok_or_else(|| unknown("NIC", label))
    }

    fn set_adapter(&self, label: &str, adapter: Option<&'static Adapter>) {
        if let Some(plugged) = self.nics.lock().get_mut(label) {
            plugged.adapter = adapter;
        }
    }

    fn as_host<R>(&self, f: impl FnOnce() -> R) -> R {
        let _entered = caller::enter(Caller::HOST);
        irql::at(Irql::PASSIVE, f)
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        EXISTS.store(false, Ordering::SeqCst);
    }
}

fn add_device(label: &str, device: &str, values: &[(&str, Value)]) {
    let leaf = device.rsplit('\\').next().unwrap_or(device);
    let key = format!(r"\Registry\Machine\System\CurrentControlSet\Control\Class\Net\{leaf}");
    registry::create(&key);
    for (name, value) in values {
        registry::set(&key, name, value.clone());
    }
    device::add(Device {
        name: device.to_owned(),
        label: label.to_owned(),
        key,
    });
}

fn find_device(label: &str) -> Result<Device, LabError> {
    device::find(label).ok_or_else(|| unknown("device", label))
}

fn unknown(what: &'static str, name: &str) -> LabError {
    LabError::Unknown {
        what,
        name: name.to_owned(),
    }
}

fn already(name: &str, state: &'static str) -> LabError {
    LabError::Already {
        name: name.to_owned(),
        state,
    }
}

static EXISTS: AtomicBool = AtomicBool::new(false);
