//! The Windows machine that this runs on. **It is compiled in every check of this repository, and has never
//! run: no Windows machine was at hand.**
//!
//! | file | concern |
//! |---|---|
//! | `control_device` | requests to `\\.\ndismux` |
//! | `devices` | root-enumerated devices, by SetupAPI |
//!
//! A VLAN adapter's device is root-enumerated, with the hardware id of `ndismux_mp.inf`, which has to be in
//! the driver store. The GUID in its driver (class) key, `NetCfgInstanceId`, makes its device name. The names
//! that people use are those of network connections.
//!
//! Lifecycle: nothing is held between two steps.

use std::ffi::OsString;
use std::os::windows::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use windows_registry::LOCAL_MACHINE;
use windows_sys::Win32::Foundation::MAX_PATH;
use windows_sys::Win32::System::SystemInformation::GetSystemDirectoryW;

use crate::machine::{Adapter, Machine, MachineError, Reply};

mod control_device;
mod devices;

/// This machine.
pub struct Windows;

impl Machine for Windows {
    fn adapters(&mut self) -> Result<Vec<Adapter>, MachineError> {
        let mut adapters = Vec::new();
        for device in devices::Set::present()?.members()? {
            // One that is not installed yet is no adapter.
            if let Some(guid) = device.class_key().ok().and_then(|key| guid_of(&key)) {
                let name = connection_name(&guid).unwrap_or_else(|| guid.clone());
                adapters.push(Adapter {
                    device: format!("{PREFIX}{guid}"),
                    name,
                    is_virtual: device.has_hardware_id(HARDWARE_ID),
                });
            }
        }
        Ok(adapters)
    }

    fn control(&mut self, code: u32, input: &[u8], room: usize) -> Result<Reply, MachineError> {
        control_device::request(code, input, room)
    }

    fn create_device(&mut self, _name: &str) -> Result<String, MachineError> {
        let set = devices::Set::empty()?;
        let device = set.register(HARDWARE_ID)?;
        let installed = device.install().and_then(|()| {
            // No document says whether it is there when the installation returns.
            let key = device.class_key()?;
            wait_for(|| guid_of(&key))
                .ok_or_else(|| failed("the new device has no NetCfgInstanceId"))
        });
        match installed {
            Ok(guid) => Ok(format!("{PREFIX}{guid}")),
            Err(error) => match device.uninstall() {
                Ok(()) => Err(error),
                Err(left) => Err(failed(&format!("{error}; its device is left: {left}"))),
            },
        }
    }

    fn name_device(&mut self, device: &str, name: &str) -> Result<(), MachineError> {
        let guid = guid(device);
        let old = wait_for(|| connection_name(guid));
        let old = old.ok_or_else(|| failed("it has no connection"))?;
        if old == name {
            return Ok(());
        }
        let renamed = Command::new(system_directory()?.join("netsh.exe"))
            .args(["interface", "set", "interface"])
            .args([format!("name={old}"), format!("newname={name}")])
            .output()
            .map_err(|error| failed(&format!("netsh does not start: {error}")))?;
        if renamed.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&renamed.stdout);
        Err(failed(&format!("netsh says: {}", said.trim())))
    }

    fn remove_device(&mut self, device: &str) -> Result<(), MachineError> {
        let set = devices::Set::present()?;
        find(&set, device)?.uninstall()
    }
}

/// What `look` finds, as soon as it finds something.
fn wait_for(look: impl Fn() -> Option<String>) -> Option<String> {
    let end = Instant::now() + PATIENCE;
    loop {
        match look() {
            None if Instant::now() < end => thread::sleep(Duration::from_millis(100)),
            found => return found,
        }
    }
}

/// Where Windows has its own programs. An administrator's program looks for them nowhere else: a name
/// alone would be looked for beside `muxctl.exe` first.
fn system_directory() -> Result<PathBuf, MachineError> {
    let mut path = [0; MAX_PATH as usize];
    // SAFETY: the buffer has the length that is given.
    let length = unsafe { GetSystemDirectoryW(path.as_mut_ptr(), MAX_PATH) };
    let path = path.get(..length as usize).filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| failed("the system directory cannot be found"))?;
    Ok(OsString::from_wide(path).into())
}

/// The device of that name among those of a set.
fn find<'a>(set: &'a devices::Set, device: &str) -> Result<devices::Member<'a>, MachineError> {
    let is = |member: &devices::Member<'_>| {
        let guid_there = member.class_key().ok().and_then(|key| guid_of(&key));
        guid_there.is_some_and(|it| it.eq_ignore_ascii_case(guid(device)))
    };
    let found = set.members()?.into_iter().find(is);
    found.ok_or_else(|| failed(&format!("there is no device {device}")))
}

/// `{…}` of `\Device\{…}`.
fn guid(device: &str) -> &str {
    device.rsplit('\\').next().unwrap_or(device)
}

fn guid_of(class_key: &str) -> Option<String> {
    let key = LOCAL_MACHINE.open(class_key).ok()?;
    key.get_string("NetCfgInstanceId").ok()
}

fn connection_name(guid: &str) -> Option<String> {
    let key = LOCAL_MACHINE.open(format!("{CONNECTIONS}\\{guid}\\Connection"));
    key.ok()?.get_string("Name").ok()
}

fn failed(text: &str) -> MachineError {
    MachineError::Failed(text.to_owned())
}

const PREFIX: &str = r"\Device\";
/// Of `ndismux_mp.inf`.
const HARDWARE_ID: &str = "NDISMUX_MP";
const CONNECTIONS: &str =
    r"SYSTEM\CurrentControlSet\Control\Network\{4D36E972-E325-11CE-BFC1-08002BE10318}";
/// How long a new device's GUID, and its connection, may take to appear.
const PATIENCE: Duration = Duration::from_secs(10);
