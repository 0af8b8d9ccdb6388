//! Devices of the class Net, by SetupAPI: those that are there, and new root-enumerated ones.
//!
//! A device is registered (`DIF_REGISTERDEVICE`), which makes it known to Plug and Play, and then installed
//! (`DiInstallDevice`) with the best driver of the driver store. Sources: the pages of these functions.

use std::io;
use std::ptr;

use windows_sys::Win32::Devices::DeviceAndDriverInstallation::{
    DICD_GENERATE_ID, DIF_REGISTERDEVICE, DIGCF_PRESENT, DiInstallDevice, DiUninstallDevice,
    GUID_DEVCLASS_NET, HDEVINFO, SP_DEVINFO_DATA, SPDRP_DRIVER, SPDRP_HARDWAREID,
    SetupDiCallClassInstaller, SetupDiCreateDeviceInfoList, SetupDiCreateDeviceInfoW,
    SetupDiDestroyDeviceInfoList, SetupDiEnumDeviceInfo, SetupDiGetClassDevsW,
    SetupDiGetDeviceRegistryPropertyW, SetupDiSetDeviceRegistryPropertyW,
};
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_NO_MORE_ITEMS, GetLastError, INVALID_HANDLE_VALUE,
};
use windows_sys::core::BOOL;

use crate::machine::MachineError;

/// A set of devices. The devices stay when it goes.
pub(super) struct Set(HDEVINFO);

/// A device of a set.
pub(super) struct Member<'a> {
    set: &'a Set,
    data: SP_DEVINFO_DATA,
}

impl Set {
    /// The network devices that are there.
    pub(super) fn present() -> Result<Self, MachineError> {
        // SAFETY: the GUID is a constant; the other pointers may be null.
        let set = unsafe {
            SetupDiGetClassDevsW(
                &GUID_DEVCLASS_NET,
                ptr::null(),
                ptr::null_mut(),
                DIGCF_PRESENT,
            )
        };
        Self::of(set, "list the network devices")
    }

    /// A set for a new device.
    pub(super) fn empty() -> Result<Self, MachineError> {
        // SAFETY: the GUID is a constant; a null window is allowed.
        let set = unsafe { SetupDiCreateDeviceInfoList(&GUID_DEVCLASS_NET, ptr::null_mut()) };
        Self::of(set, "make a device list")
    }

    fn of(set: HDEVINFO, doing: &str) -> Result<Self, MachineError> {
        if set == INVALID_HANDLE_VALUE as HDEVINFO {
            return Err(last_error(doing));
        }
        Ok(Self(set))
    }

    pub(super) fn members(&self) -> Result<Vec<Member<'_>>, MachineError> {
        let mut members = Vec::new();
        for index in 0.. {
            let mut data = new_data();
            // SAFETY: the set is open as long as `self` lives, and the size of `data` is set.
            let there = unsafe { SetupDiEnumDeviceInfo(self.0, index, &raw mut data) };
            if there == 0 {
                break;
            }
            members.push(Member { set: self, data });
        }
        if last_code() == ERROR_NO_MORE_ITEMS {
            Ok(members)
        } else {
            Err(last_error("list the network devices"))
        }
    }

    /// Makes a root-enumerated device with this hardware id, without a driver yet.
    pub(super) fn register(&self, hardware_id: &str) -> Result<Member<'_>, MachineError> {
        let mut data = new_data();
        let name = wide(&[ROOT_NAME]);
        // SAFETY: the set is open, the name ends with a NUL, the size of `data` is set; the description
        // and the window may be null.
        let made = unsafe {
            SetupDiCreateDeviceInfoW(
                self.0,
                name.as_ptr(),
                &GUID_DEVCLASS_NET,
                ptr::null(),
                ptr::null_mut(),
                DICD_GENERATE_ID,
                &raw mut data,
            )
        };
        succeeded(made, "make a device")?;

        // A REG_MULTI_SZ: an empty text ends it.
        let ids: Vec<u8> = wide(&[hardware_id, ""])
            .into_iter()
            .flat_map(u16::to_le_bytes)
            .collect();
        // SAFETY: the device is of this set; the buffer has the length that is given.
        let set = unsafe {
            SetupDiSetDeviceRegistryPropertyW(
                self.0,
                &raw mut data,
                SPDRP_HARDWAREID,
                ids.as_ptr(),
                ids.len() as u32,
            )
        };
        succeeded(set, "give the device its hardware id")?;
        // SAFETY: the device is of this set.
        let registered = unsafe { SetupDiCallClassInstaller(DIF_REGISTERDEVICE, self.0, &data) };
        succeeded(registered, "register the device")?;
        Ok(Member { set: self, data })
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        // SAFETY: the set is open, and nobody has it after this. What could be done about a failure?
        unsafe { SetupDiDestroyDeviceInfoList(self.0) };
    }
}

impl Member<'_> {
    /// Installs the best driver of the driver store, and starts the device.
    pub(super) fn install(&self) -> Result<(), MachineError> {
        let mut reboot: BOOL = 0;
        // SAFETY: the device is of this set, which is open; a null window and a null driver (the best
        // one) are allowed.
        let installed = unsafe {
            DiInstallDevice(
                ptr::null_mut(),
                self.set.0,
                &self.data,
                ptr::null(),
                0,
                &raw mut reboot,
            )
        };
        succeeded(
            installed,
            "install the device (is ndismux_mp.inf in the driver store?)",
        )?;
        match reboot {
            0 => Ok(()),
            _ => Err(MachineError::Failed(
                "Windows wants a restart before a new device works: restart it, then ask again"
                    .to_owned(),
            )),
        }
    }

    /// Removes the device. If Windows says that it goes with the next restart only, that is an error: until
    /// then it is there.
    pub(super) fn uninstall(&self) -> Result<(), MachineError> {
        let mut reboot: BOOL = 0;
        // SAFETY: the device is of this set, which is open; a null window is allowed.
        let gone = unsafe {
            DiUninstallDevice(ptr::null_mut(), self.set.0, &self.data, 0, &raw mut reboot)
        };
        succeeded(gone, "remove the device")?;
        match reboot {
            0 => Ok(()),
            _ => Err(MachineError::Failed(
                "Windows removes it with the next restart".to_owned(),
            )),
        }
    }

    /// The path of its driver key, below HKEY_LOCAL_MACHINE.
    pub(super) fn class_key(&self) -> Result<String, MachineError> {
        let leaf = self.texts(SPDRP_DRIVER, "find the device's driver key")?;
        Ok(format!("{CLASSES}\\{}", leaf.concat()))
    }

    /// Whether this is one of its hardware ids.
    pub(super) fn has_hardware_id(&self, id: &str) -> bool {
        let ids = self.texts(SPDRP_HARDWAREID, "read the device's hardware ids");
        ids.is_ok_and(|ids| ids.iter().any(|it| it.eq_ignore_ascii_case(id)))
    }

    /// The texts of a property, which is a REG_SZ or a REG_MULTI_SZ.
    fn texts(&self, property: u32, doing: &str) -> Result<Vec<String>, MachineError> {
        // A hardware id has at most 200 characters, and few devices have more than a few.
        let mut bytes = [0_u8; 8192];
        // SAFETY: the device is of this set, which is open; the buffer has the length that is given,
        // and the other pointers may be null.
        let read = unsafe {
            SetupDiGetDeviceRegistryPropertyW(
                self.set.0,
                &self.data,
                property,
                ptr::null_mut(),
                bytes.as_mut_ptr(),
                bytes.len() as u32,
                ptr::null_mut(),
            )
        };
        succeeded(read, doing)?;
        let (units, _) = bytes.as_chunks::<2>();
        let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
        let texts = units.split(|unit| *unit == 0);
        let texts = texts.take_while(|text| !text.is_empty());
        Ok(texts.map(String::from_utf16_lossy).collect())
    }
}

fn new_data() -> SP_DEVINFO_DATA {
    SP_DEVINFO_DATA {
        cbSize: size_of::<SP_DEVINFO_DATA>() as u32,
        ..SP_DEVINFO_DATA::default()
    }
}

/// Texts in UTF-16, each with its NUL.
fn wide(texts: &[&str]) -> Vec<u16> {
    let texts = texts.iter();
    texts
        .flat_map(|text| text.encode_utf16().chain([0]))
        .collect()
}

fn succeeded(result: BOOL, doing: &str) -> Result<(), MachineError> {
    match result {
        0 => Err(last_error(doing)),
        _ => Ok(()),
    }
}

fn last_error(doing: &str) -> MachineError {
    match last_code() {
        ERROR_ACCESS_DENIED => MachineError::Denied,
        code => {
            let error = io::Error::from_raw_os_error(with_a_text(code).cast_signed());
            MachineError::Failed(format!("cannot {doing}: {error}"))
        }
    }
}

/// SetupAPI has error codes of its own (0xE0000203: no driver is selected), for which the system has a text
/// only as an HRESULT. This is HRESULT_FROM_SETUPAPI of setupapi.h.
fn with_a_text(code: u32) -> u32 {
    const OF_SETUPAPI: u32 = 0xE000_0000;
    const AS_HRESULT: u32 = 0x800F_0000;
    match code & OF_SETUPAPI {
        OF_SETUPAPI => AS_HRESULT | (code & 0xFFFF),
        _ => code,
    }
}

fn last_code() -> u32 {
    // SAFETY: it reads a value of this thread.
    unsafe { GetLastError() }
}

/// What the generated instance ids begin with: `ROOT\NDISMUX\0000`.
const ROOT_NAME: &str = "NDISMUX";
const CLASSES: &str = r"SYSTEM\CurrentControlSet\Control\Class";
