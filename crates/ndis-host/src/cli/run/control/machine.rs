//! Does with a running lab what programs ask.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::protocol::{Hex, Key, Question, Who};
use crate::client::Client;
use crate::lab::file::{Running, WireSection, borrowed, client_wire, values};
use crate::lab::{Lab, Token};
use crate::ndis::{BindingState, config, device};
use crate::nt::registry::{self, Value as Data};
use crate::wire::{MAX_FRAME, MemoryWire};

/// What stands above devices that come without saying what.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(in crate::cli::run) enum ClientsKey {
    /// A client on a TAP device that is called as the device is
    Tap,
    /// A client on a cable that ends inside the process
    Memory,
}

/// The machine of a run.
pub(in crate::cli::run) struct Machine<'a> {
    running: &'a Running,
    clients: Option<ClientsKey>,
    /// The clients above devices that came, by the device's label. No lock of NDIS's: it is held while a
    /// wire is changed, and whoever has it calls no driver.
    added: Mutex<BTreeMap<String, Above>>,
    next: AtomicU32,
}

/// A client above a device that came. Its wire is made when it binds.
struct Above {
    client: &'static Client,
    wire: WireSection,
    /// The address and MTU that its wire was made for.
    wired: Option<([u8; 6], u32)>,
    /// Keeps the other end of a wire inside the process from looking cut.
    far_end: Option<MemoryWire>,
}

impl<'a> Machine<'a> {
    pub(in crate::cli::run) fn new(running: &'a Running, clients: Option<ClientsKey>) -> Self {
        Self {
            running,
            clients,
            added: Mutex::default(),
            next: AtomicU32::new(1),
        }
    }

    /// The clients above devices that came, with the labels of those.
    pub(in crate::cli::run) fn clients(&self) -> Vec<(String, &'static Client)> {
        let added = self.added();
        let clients = added.iter();
        clients
            .map(|(label, above)| (label.clone(), above.client))
            .collect()
    }

    /// Makes the wires of clients that have bound, until `stop`.
    pub(in crate::cli::run) fn wire_clients(&self, stop: &AtomicBool) {
        while !stop.load(Ordering::SeqCst) {
            for above in self.added().values_mut() {
                above.connect();
            }
            thread::sleep(LOOK);
        }
    }

    /// Takes away what came and did not go.
    pub(in crate::cli::run) fn take_down(&self) {
        let added = std::mem::take(&mut *self.added());
        for above in added.into_values() {
            self.remove_client(&above);
        }
    }

    /// Does what a program asks, or says why it cannot be done.
    pub(super) fn act(&self, question: Question) -> Result<Value, String> {
        match question {
            Question::Adapters {} => Ok(self.adapters()),
            Question::Control {
                device,
                code,
                input,
                output_length,
                who,
            } => self.control(&device, code, &input, output_length, who),
            Question::RegistryGet { key, name } => {
                let value = registry::get(&self.path(&key)?, &name);
                Ok(json!({ "value": value.map(as_json) }))
            }
            Question::RegistrySet { key, name, value } => {
                registry::set(&self.path(&key)?, &name, (&value).into());
                Ok(Value::Null)
            }
            Question::RegistryDelete { key, name } => {
                let was_there = registry::delete_value(&self.path(&key)?, &name);
                Ok(json!({ "was_there": was_there }))
            }
            Question::DeviceAdd {
                label,
                device,
                values: registry,
                client,
            } => {
                let device = device.map(|it| it.as_str().to_owned());
                let device = device.unwrap_or_else(|| self.new_name());
                let values = values(&registry);
                self.add_device(&label, &device, &borrowed(&values), client)?;
                Ok(json!({ "device": device }))
            }
            Question::DeviceRemove { device } => self.remove_device(&device).map(|()| Value::Null),
            Question::Reconfigure { protocol, above } => {
                let status = match above {
                    Some(above) => self.lab().reconfigure_binding(&protocol, &above),
                    None => self.lab().reconfigure(&protocol),
                };
                let status = status.map_err(|error| error.to_string())?;
                Ok(json!({ "status": status.cast_unsigned() }))
            }
            Question::Send { client, frames } => self.send(&client, frames),
            Question::Receive { nic, frames } => self.receive(&nic, frames).map(|()| Value::Null),
        }
    }

    fn added(&self) -> MutexGuard<'_, BTreeMap<String, Above>> {
        self.added.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lab(&self) -> &Lab {
        self.running.lab()
    }

    fn adapters(&self) -> Value {
        let devices = device::all().into_iter();
        devices
            .map(|device| {
                json!({
                    "device": device.name,
                    "label": device.label,
                    "state": format!("{:?}", self.lab().adapter_state(&device.name)),
                    "is_virtual": self.lab().is_virtual_miniport(&device.name),
                })
            })
            .collect()
    }

    fn control(
        &self,
        path: &str,
        code: u32,
        input: &Hex,
        output_length: u32,
        who: Who,
    ) -> Result<Value, String> {
        if output_length > MOST_OUTPUT {
            return Err(format!("`output_length` is at most {MOST_OUTPUT}"));
        }
        let token = match who {
            Who::Administrator => Token::administrator(),
            Who::User => Token::user(),
        };
        let status = |status: i32| status.cast_unsigned();
        let file = match self.lab().open_device(path, &token) {
            Ok(file) => file,
            Err(error) => return Ok(json!({ "opened": false, "status": status(error.0) })),
        };
        let output = vec![0; output_length as usize];
        match file.ioctl_raw(code, &input.0, output) {
            Ok(outcome) => Ok(json!({
                "opened": true,
                "status": status(outcome.status),
                "information": outcome.information,
                "output": Hex(outcome.output).to_string(),
            })),
            Err(error) => Ok(json!({
                "opened": true, "status": status(error.0), "information": 0, "output": "",
            })),
        }
    }

    /// The path of a key in the registry.
    fn path(&self, key: &Key) -> Result<String, String> {
        let find = |name: &str| {
            let device = device::find(name);
            device.ok_or_else(|| format!("there is no device {name:?} in this lab"))
        };
        match key {
            Key::Device(device) => Ok(find(device)?.key),
            Key::Binding(binding) if binding.protocol.contains('\\') => {
                Err("the name of a protocol has no backslash".to_owned())
            }
            Key::Binding(binding) => Ok(config::binding_key(
                &binding.protocol,
                &find(&binding.above)?.name,
            )),
        }
    }

    fn add_device(
        &self,
        label: &str,
        device: &str,
        values: &[(&str, Data)],
        client: Option<WireSection>,
    ) -> Result<(), String> {
        let wire = match (client, self.clients) {
            (Some(wire), _) => Some(wire),
            (None, Some(ClientsKey::Memory)) => Some(WireSection::Memory),
            (None, Some(ClientsKey::Tap)) => Some(WireSection::Tap(label.parse()?)),
            (None, None) => None,
        };
        if label.is_empty() || self.lab().client(label).is_ok() {
            return Err(format!(
                "a device cannot be called {label:?}: that name is taken"
            ));
        }
        let lab = self.lab();
        lab.plug_virtual_miniport(label, device, values)
            .map_err(|error| error.to_string())?;
        let Some(wire) = wire else {
            return Ok(());
        };
        let client = lab.add_client(label, label);
        let client = client.map_err(|error| error.to_string())?;
        let above = Above {
            client,
            wire,
            wired: None,
            far_end: None,
        };
        self.added().insert(label.to_owned(), above);
        Ok(())
    }

    fn remove_device(&self, device: &str) -> Result<(), String> {
        let label = device::find(device).map(|device| device.label);
        let above = label.and_then(|label| self.added().remove(&label));
        if let Some(above) = above {
            self.remove_client(&above);
        }
        let removed = self.lab().unplug_virtual_miniport(device);
        removed.map_err(|error| error.to_string())
    }

    fn remove_client(&self, above: &Above) {
        if let Err(error) = self.lab().remove_client(above.client.name()) {
            eprintln!("ndishost: {error}");
        }
    }

    fn send(&self, client: &str, frames: Vec<Hex>) -> Result<Value, String> {
        let client = self
            .lab()
            .client(client)
            .map_err(|error| error.to_string())?;
        let attributes = client
            .attributes()
            .filter(|_| client.binding_state() == BindingState::Running);
        let attributes = attributes.ok_or_else(|| format!("{} is not bound", client.name()))?;
        let frames = checked(frames, HEADER_LENGTH + attributes.mtu as usize)?;
        let ticket = client.send(&frames);
        let statuses = ticket.wait(LONGEST_SEND);
        let statuses = statuses.ok_or("the frames are not back yet: their driver may keep them")?;
        let statuses: Vec<_> = statuses.into_iter().map(i32::cast_unsigned).collect();
        Ok(json!({ "statuses": statuses }))
    }

    fn receive(&self, nic: &str, frames: Vec<Hex>) -> Result<(), String> {
        let port = self.lab().nic(nic).map_err(|error| error.to_string())?;
        if !port.is_on_cable() {
            return Err(format!(
                "the wire of {nic} does not end inside the process, or is captured"
            ));
        }
        let frames = checked(frames, MAX_FRAME)?;
        frames.iter().for_each(|frame| port.inject(frame));
        Ok(())
    }

    /// A device name that no device has.
    fn new_name(&self) -> String {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let name = format!(r"\Device\{{6E646973-686F-4000-8000-{number:012X}}}");
            if device::find(&name).is_none() {
                return name;
            }
        }
    }
}

impl Above {
    /// Makes the wire if the client is bound and has none, or one for an address or MTU that its adapter
    /// had before.
    fn connect(&mut self) {
        let Some(attributes) = self.client.attributes() else {
            return;
        };
        let wanted = (attributes.mac, attributes.mtu);
        if self.client.binding_state() != BindingState::Running || self.wired == Some(wanted) {
            return;
        }
        if self.wired.is_some() {
            self.client.unbridge();
        }
        self.wired = Some(wanted);
        match client_wire(&self.wire, attributes) {
            Ok((wire, far_end)) => {
                self.far_end = far_end;
                self.client.bridge(Arc::from(wire));
            }
            // It is not tried again: the device is there, without anybody above it.
            Err(error) => eprintln!("ndishost: the wire of {}: {error}", self.client.name()),
        }
    }
}

/// Frames that have a header, and at most so many bytes.
fn checked(frames: Vec<Hex>, most: usize) -> Result<Vec<Vec<u8>>, String> {
    let frames = frames.into_iter().map(|Hex(bytes)| {
        let length = bytes.len();
        let fits = (HEADER_LENGTH..=most).contains(&length);
        fits.then_some(bytes).ok_or_else(|| {
            format!("a frame of {length} bytes: {HEADER_LENGTH} to {most} are possible")
        })
    });
    frames.collect()
}

fn as_json(value: Data) -> Value {
    match value {
        Data::Sz(text) => json!(text),
        Data::Dword(number) => json!(number),
        Data::MultiSz(texts) => json!(texts),
        Data::Binary(bytes) => json!({ "binary": bytes }),
    }
}

/// How often clients are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How long frames are waited for that a client sends.
const LONGEST_SEND: Duration = Duration::from_secs(30);
/// Bytes of an Ethernet header.
const HEADER_LENGTH: usize = 14;
/// Bytes of an output buffer.
const MOST_OUTPUT: u32 = 1 << 20;
