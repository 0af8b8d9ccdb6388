//! Device objects: made, named, deleted.
//!
//! A DEVICE_OBJECT is a block of nonpaged pool with the driver's extension right behind it, so that a
//! driver that touches it when it is gone, or outside of its extension, faults. `IoDeleteDevice`
//! takes the name away; the object lives until the last open of it is closed.

use std::collections::BTreeMap;
use std::ptr;

use ndis_sys::nt::{
    BOOLEAN, NTSTATUS, STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS, ULONG, UNICODE_STRING, USHORT,
};
use ndis_sys::{
    ACCESS_MASK, DEVICE_OBJECT, DEVICE_TYPE, DO_DEVICE_HAS_NAME, DO_DEVICE_INITIALIZING,
    DO_EXCLUSIVE, DRIVER_DISPATCH, DRIVER_OBJECT, FILE_DEVICE_SECURE_OPEN, PDRIVER_DISPATCH,
    STATUS_ACCESS_DENIED, STATUS_NO_SUCH_DEVICE,
};

use super::name;
use super::security::{Descriptor, Token};
use crate::ddi;
use crate::faults::should_fail;
use crate::nt::driver;
use crate::nt::pool::{self, Kind};
use crate::nt::sched::Monitor;
use crate::nt::string::to_text;
use crate::rules;

/// What a device is made of.
pub(crate) struct NewDevice {
    /// The driver's object.
    pub(crate) driver: *mut DRIVER_OBJECT,
    /// Bytes of the driver's extension.
    pub(crate) extension: u32,
    /// `\Device\...`, empty for none.
    pub(crate) name: String,
    pub(crate) device_type: DEVICE_TYPE,
    pub(crate) characteristics: ULONG,
    pub(crate) exclusive: bool,
    /// What says who may open it.
    pub(crate) security: Descriptor,
    /// Functions that take the place of the driver object's.
    pub(crate) functions: Option<[PDRIVER_DISPATCH; 28]>,
}

/// Makes a device, which cannot be opened before [`may_be_opened`].
///
/// # Errors
/// The name is taken or is none, or there is no memory.
///
/// # Safety
/// `new.driver` points to a driver object that lives as long as the device, and that no other thread
/// makes or deletes devices of.
pub(crate) unsafe fn create(new: NewDevice) -> Result<*mut DEVICE_OBJECT, NTSTATUS> {
    let size = EXTENSION_AT + new.extension as usize;
    let object = pool::allocate(size, TAG, Kind::NonPaged).cast::<DEVICE_OBJECT>();
    if object.is_null() {
        return Err(STATUS_INSUFFICIENT_RESOURCES);
    }
    if !new.name.is_empty()
        && let Err(status) = name::enter_device(&new.name, object as usize)
    {
        pool::free(object.cast(), Some(TAG.into()));
        return Err(status);
    }
    let flag = |set: bool, flag: ULONG| if set { flag } else { 0 };
    // SAFETY: the caller's own promise.
    let first = unsafe { &mut (*new.driver).DeviceObject };
    let content = DEVICE_OBJECT {
        Type: IO_TYPE_DEVICE,
        Size: size.min(usize::from(USHORT::MAX)) as USHORT,
        DriverObject: new.driver,
        NextDevice: *first,
        Flags: DO_DEVICE_INITIALIZING
            | flag(!new.name.is_empty(), DO_DEVICE_HAS_NAME)
            | flag(new.exclusive, DO_EXCLUSIVE),
        Characteristics: new.characteristics,
        DeviceExtension: if new.extension == 0 {
            ptr::null_mut()
        } else {
            object.wrapping_byte_add(EXTENSION_AT).cast()
        },
        DeviceType: new.device_type,
        StackSize: 1,
        ..DEVICE_OBJECT::zeroed()
    };
    // SAFETY: the block was just allocated with room for the structure and more.
    unsafe { object.write(content) };
    *first = object;
    let device = Device {
        driver: new.driver as usize,
        name: new.name,
        security: new.security,
        functions: new.functions,
        opens: 0,
        deleted: false,
    };
    DEVICES.lock().insert(object as usize, device);
    Ok(object)
}

/// Lets a device be opened: the I/O manager for what `DriverEntry` makes, NDIS for its own.
///
/// # Safety
/// `object` points to a device of this module that lives.
pub(crate) unsafe fn may_be_opened(object: *mut DEVICE_OBJECT) {
    // SAFETY: the caller's own promise.
    unsafe { (*object).Flags &= !DO_DEVICE_INITIALIZING };
}

/// Deletes a device, now or when the last open of it is closed; `function` was called for that.
pub(crate) fn delete(object: *mut DEVICE_OBJECT, function: &str) {
    let mut devices = DEVICES.lock();
    let found = devices.get_mut(&(object as usize));
    let Some(device) = found.filter(|device| !device.deleted) else {
        drop(devices);
        rules::broken(
            &rules::DELETE_DEVICE,
            format_args!("{function}: {object:p} is no device, or was deleted already"),
        );
    };
    device.deleted = true;
    let (driver, unused) = (device.driver as *mut DRIVER_OBJECT, device.opens == 0);
    drop(devices);
    name::leave_device(object as usize);
    // SAFETY: the device was alive until now, and a driver object outlives its devices.
    unsafe { unlink(driver, object) };
    if unused {
        remove(object);
    }
}

/// The devices of a driver that are there, in words: deleted ones that are still open too.
pub(super) fn left_of(driver: *const DRIVER_OBJECT) -> Vec<String> {
    let devices = DEVICES.lock();
    let of_driver = devices
        .iter()
        .filter(|(_, device)| device.driver == driver as usize);
    of_driver
        .map(|(address, device)| {
            let deleted = if device.deleted { ", deleted" } else { "" };
            let opens = device.opens;
            format!(
                "the device {} at {address:#x} with {opens} opens{deleted}",
                device.name
            )
        })
        .collect()
}

/// The devices of a driver that it did not delete, each with its type.
pub(super) fn of(driver: *const DRIVER_OBJECT) -> Vec<(usize, DEVICE_TYPE)> {
    let devices = DEVICES.lock();
    let of_driver = devices
        .iter()
        .filter(|(_, device)| device.driver == driver as usize && !device.deleted);
    of_driver
        .map(|(&address, _)| {
            // SAFETY: a device of the table lives, and its type is written before it comes there.
            let device_type = unsafe { (*(address as *const DEVICE_OBJECT)).DeviceType };
            (address, device_type)
        })
        .collect()
}

/// How many opens the devices of a driver have.
pub(super) fn opens_of(driver: *const DRIVER_OBJECT) -> usize {
    let devices = DEVICES.lock();
    let of_driver = devices
        .values()
        .filter(|device| device.driver == driver as usize);
    of_driver.map(|device| device.opens).sum()
}

/// Counts an open of a device that `token` asks for; answers with the rights that it gets.
pub(super) fn open(
    address: usize,
    below: &str,
    token: &Token,
    desired: ACCESS_MASK,
) -> Result<ACCESS_MASK, NTSTATUS> {
    let mut devices = DEVICES.lock();
    let device = devices.get_mut(&address).ok_or(STATUS_NO_SUCH_DEVICE)?;
    // SAFETY: a device of the table lives. The driver writes its flags before it is opened.
    let object = unsafe { &mut *(address as *mut DEVICE_OBJECT) };
    if device.deleted || object.Flags & DO_DEVICE_INITIALIZING != 0 {
        return Err(STATUS_NO_SUCH_DEVICE);
    }
    let checked = below.is_empty() || object.Characteristics & FILE_DEVICE_SECURE_OPEN != 0;
    let granted = if checked {
        device.security.check(token, desired)
    } else {
        Descriptor::for_everybody().check(token, desired)
    };
    let granted = granted.ok_or(STATUS_ACCESS_DENIED)?;
    if object.Flags & DO_EXCLUSIVE != 0 && device.opens != 0 {
        return Err(STATUS_ACCESS_DENIED);
    }
    device.opens += 1;
    object.ReferenceCount += 1;
    Ok(granted)
}

/// Counts a close of a device. A deleted one ends with its last.
pub(super) fn close(address: usize) {
    let mut devices = DEVICES.lock();
    let device = devices.get_mut(&address).expect("an open device lives");
    device.opens -= 1;
    // SAFETY: a device of the table lives.
    unsafe { (*(address as *mut DEVICE_OBJECT)).ReferenceCount -= 1 };
    let ends = device.deleted && device.opens == 0;
    drop(devices);
    if ends {
        remove(address as *mut DEVICE_OBJECT);
    }
}

/// The function of a device for one kind of request: none if NDIS's caller gave none for it.
pub(super) fn function_of(address: usize, major: u8) -> Option<DRIVER_DISPATCH> {
    let devices = DEVICES.lock();
    let device = devices.get(&address).expect("an open device lives");
    let major = usize::from(major);
    if let Some(functions) = &device.functions {
        return functions[major];
    }
    let driver = device.driver as *const DRIVER_OBJECT;
    // SAFETY: a driver object outlives its devices; the driver sets its functions before they are
    // called.
    let function = unsafe { (*driver).MajorFunction[major] };
    drop(devices);
    if function.is_none() {
        rules::broken(
            &rules::EXECUTE_OF_NOEXECUTE,
            format_args!("a request of kind {major:#x} is sent, and MajorFunction has NULL for it"),
        );
    }
    function
}

/// The name of a device and of its driver's service, for reports.
pub(super) fn describe(address: usize) -> (String, Option<String>) {
    let devices = DEVICES.lock();
    devices.get(&address).map_or_else(
        || (format!("{address:#x}"), None),
        |device| {
            let service = driver::service_of(device.driver as *const _);
            (device.name.clone(), service)
        },
    )
}

ddi! { "ntoskrnl.exe":
    /// Makes a device (`nf-wdm-iocreatedevice.md`), which everybody may read and write: a descriptor of
    /// its own comes from an INF, or through NDIS. STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES,
    /// STATUS_OBJECT_NAME_COLLISION, or what is wrong with the name.
    [PASSIVE..=PASSIVE] fn IoCreateDevice(
        driver: *mut DRIVER_OBJECT,
        extension: ULONG,
        name: *mut UNICODE_STRING,
        device_type: DEVICE_TYPE,
        characteristics: ULONG,
        exclusive: BOOLEAN,
        device: *mut *mut DEVICE_OBJECT,
    ) -> NTSTATUS {
        if should_fail("IoCreateDevice") {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        // SAFETY: a name that is not null is the driver's string (the function's document).
        let name = unsafe { to_text(name) };
        let new = NewDevice {
            driver,
            extension,
            name,
            device_type,
            characteristics,
            exclusive: exclusive != 0,
            security: Descriptor::of_devices(),
            functions: None,
        };
        // SAFETY: the driver gives its own driver object (the function's document).
        match unsafe { create(new) } {
            Ok(object) => {
                // SAFETY: the driver gives the place for the pointer (the function's document).
                unsafe { device.write(object) };
                STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Deletes a device (`nf-wdm-iodeletedevice.md`), at the latest when it is closed.
    [PASSIVE..=APC] fn IoDeleteDevice(device: *mut DEVICE_OBJECT) {
        delete(device, "IoDeleteDevice");
    }
}

struct Device {
    driver: usize,
    name: String,
    security: Descriptor,
    functions: Option<[PDRIVER_DISPATCH; 28]>,
    opens: usize,
    deleted: bool,
}

/// # Safety
/// `driver` points to the driver object of the device `object`, and both live.
unsafe fn unlink(driver: *mut DRIVER_OBJECT, object: *mut DEVICE_OBJECT) {
    // SAFETY: the caller's own promise.
    let mut place = unsafe { &raw mut (*driver).DeviceObject };
    // SAFETY: the list links live devices of this module, which is what `place` goes along.
    while !unsafe { *place }.is_null() {
        // SAFETY: as above.
        let next = unsafe { *place };
        // SAFETY: as above.
        let after = unsafe { &raw mut (*next).NextDevice };
        if ptr::eq(next, object) {
            // SAFETY: as above.
            let after = unsafe { *after };
            // SAFETY: `place` is the driver object's field or that of the device before.
            unsafe { *place = after };
            return;
        }
        place = after;
    }
}

fn remove(object: *mut DEVICE_OBJECT) {
    DEVICES.lock().remove(&(object as usize));
    pool::free(object.cast(), Some(TAG.into()));
}

const TAG: [u8; 4] = *b"Devi";
const IO_TYPE_DEVICE: i16 = 3;
/// Where extensions begin, aligned as pool is.
const EXTENSION_AT: usize = size_of::<DEVICE_OBJECT>().next_multiple_of(16);

static DEVICES: Monitor<BTreeMap<usize, Device>> = Monitor::new(BTreeMap::new());
