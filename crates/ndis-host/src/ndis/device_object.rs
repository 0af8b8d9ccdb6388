//! Devices that drivers have beside their adapters, for programs that control them.
//!
//! NDIS makes the device and its symbolic link in one step, sends its requests to the functions that
//! were given with it, and takes both away again. The memory that the driver asked for is NDIS's own
//! block: it goes with the registration, also if somebody still has the device open.
//!
//! Not here: what a device object is and who opens it (`nt::io`).

use std::ffi::c_void;
use std::ptr;

use ndis_sys::{
    DEVICE_OBJECT, DRIVER_OBJECT, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN,
    NDIS_DEVICE_OBJECT_ATTRIBUTES, NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1 as REVISION_1,
    NDIS_HANDLE, NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES,
    NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1 as SIZE_1, NDIS_STATUS, NDIS_STATUS_RESOURCES,
    NDIS_STATUS_SUCCESS, NTSTATUS, PDRIVER_DISPATCH, STATUS_INVALID_PARAMETER,
};

use super::driver::{Address, MiniportDriver};
use super::faults::should_fail;
use super::object::{self, Kind, Object, handle_of, resolve};
use super::policy::{self, DeviceNames};
use super::{header, trace};
use crate::nt::io::security::Descriptor;
use crate::nt::io::{self, NewDevice};
use crate::nt::pool;
use crate::nt::sched::Monitor;
use crate::nt::string::to_text;
use crate::rules;

struct Device {
    object: Address,
    /// What `DeviceExtension` is as long as nobody changes it.
    extension: Address,
    reserved: Address,
    link: String,
}

impl Object for Device {
    const KIND: Kind = Kind::Device;
}

crate::ddi! { "ndis.sys":
    /// Makes a device with a symbolic link. `NDIS_STATUS_RESOURCES`, or the status of the name, the
    /// link or the SDDL string that is wrong.
    [PASSIVE..=PASSIVE] fn NdisRegisterDeviceEx(
        NdisHandle: NDIS_HANDLE,
        DeviceObjectAttributes: *mut NDIS_DEVICE_OBJECT_ATTRIBUTES,
        pDeviceObject: *mut *mut DEVICE_OBJECT,
        NdisDeviceHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisRegisterDeviceEx";
        let driver = resolve::<MiniportDriver>(NdisHandle, NAME);
        let mut record = trace::call(NAME, driver.caller().name);
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { pDeviceObject.write(ptr::null_mut()) };
        // SAFETY: the document makes it a pointer to the attributes.
        let attributes = unsafe { &*DeviceObjectAttributes };
        header::require(
            &attributes.Header,
            NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES,
            &[(REVISION_1, SIZE_1)],
            NAME,
        );
        if should_fail(NAME) {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        // SAFETY: the driver gave its driver object when it registered, and it lives until unload.
        let made = unsafe { register(driver.object().cast(), attributes) };
        let (device, text) = match made {
            Ok(made) => made,
            Err(status) => return record.returns(status),
        };
        let object = device.object;
        let device = object::publish_for(object::fresh(device), text, NdisHandle);
        DEVICES.lock().push(device);
        // SAFETY: the document makes it a pointer to the caller's variable.
        unsafe { pDeviceObject.write(object.0.cast()) };
        // SAFETY: as above.
        unsafe { NdisDeviceHandle.write(handle_of(device)) };
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Takes a device and its symbolic link away, and frees its reserved extension.
    [PASSIVE..=PASSIVE] fn NdisDeregisterDeviceEx(NdisDeviceHandle: NDIS_HANDLE) {
        const NAME: &str = "NdisDeregisterDeviceEx";
        let device = resolve::<Device>(NdisDeviceHandle, NAME);
        let _record = trace::call(NAME, &object::name_of(NdisDeviceHandle));
        let object = device.object.0.cast::<DEVICE_OBJECT>();
        // SAFETY: the device lives until it is deleted below.
        let extension = unsafe { (*object).DeviceExtension };
        if extension != device.extension.0 {
            rules::broken(
                &rules::NDIS_REGISTER_DEVICE_EX,
                format_args!(
                    "DeviceExtension of {object:p} is {extension:p}; NDIS had put {:p} there",
                    device.extension.0
                ),
            );
        }
        DEVICES.lock().retain(|other| !ptr::eq(*other, device));
        object::retire(device);
        if !device.link.is_empty() {
            // A driver that deleted the link by itself has done no harm.
            let _ = io::delete_link(&device.link);
        }
        io::delete(object, NAME);
        if !device.reserved.0.is_null() {
            pool::free(device.reserved.0.cast(), Some(TAG.into()));
        }
    }

    /// The memory that was asked for with a device; null for any other device.
    [PASSIVE..=HIGH] fn NdisGetDeviceReservedExtension(
        DeviceObject: *mut DEVICE_OBJECT,
    ) -> *mut c_void {
        let devices = DEVICES.lock();
        let device = devices.iter().find(|device| device.object.0 == DeviceObject.cast());
        device.map_or(ptr::null_mut(), |device| device.reserved.0)
    }
}

/// # Safety
/// `driver` is a live driver object, and `attributes` are as the document has them.
unsafe fn register(
    driver: *mut DRIVER_OBJECT,
    attributes: &NDIS_DEVICE_OBJECT_ATTRIBUTES,
) -> Result<(Device, String), NTSTATUS> {
    // SAFETY: the caller's contract; the same for the next two.
    let name = unsafe { to_text(attributes.DeviceName) };
    // SAFETY: as above.
    let link = unsafe { to_text(attributes.SymbolicName) };
    // SAFETY: as above.
    let sddl = unsafe { to_text(attributes.DefaultSDDLString) };
    if name.is_empty() || attributes.MajorFunctions.is_null() {
        return Err(STATUS_INVALID_PARAMETER);
    }
    let security = if attributes.DefaultSDDLString.is_null() {
        Descriptor::of_devices()
    } else {
        Descriptor::parse(&sddl)?
    };
    let functions = attributes.MajorFunctions.cast::<[PDRIVER_DISPATCH; 28]>();
    // SAFETY: the table has an entry for each kind of request, as that of a driver object.
    let functions = unsafe { functions.read_unaligned() };
    let reserved = match attributes.ExtensionSize as usize {
        0 => ptr::null_mut(),
        size => {
            let memory = pool::allocate(size, TAG, pool::Kind::NonPaged);
            if memory.is_null() {
                return Err(NDIS_STATUS_RESOURCES);
            }
            memory
        }
    };
    let undo = |status| {
        if !reserved.is_null() {
            pool::free(reserved, Some(TAG.into()));
        }
        status
    };
    let new = NewDevice {
        driver,
        extension: NDIS_EXTENSION,
        name: name.clone(),
        device_type: FILE_DEVICE_NETWORK,
        characteristics: match policy::current().device_names {
            DeviceNames::Open => 0,
            DeviceNames::Secure => FILE_DEVICE_SECURE_OPEN,
        },
        exclusive: false,
        security,
        functions: Some(functions),
    };
    // SAFETY: the caller's contract.
    let object = unsafe { io::create(new) }.map_err(undo)?;
    if !link.is_empty()
        && let Err(status) = io::create_link(&link, &name)
    {
        io::delete(object, "NdisRegisterDeviceEx");
        return Err(undo(status));
    }
    // SAFETY: the device was just made.
    unsafe { io::may_be_opened(object) };
    // SAFETY: as above.
    let extension = unsafe { (*object).DeviceExtension };
    let device = Device {
        object: Address(object.cast()),
        extension: Address(extension),
        reserved: Address(reserved.cast()),
        link,
    };
    Ok((device, name))
}

const TAG: [u8; 4] = *b"NDdx";
/// Bytes of the extension that is NDIS's own.
const NDIS_EXTENSION: u32 = 64;

/// The devices that are registered.
static DEVICES: Monitor<Vec<&'static Device>> = Monitor::new(Vec::new());

#[cfg(test)]
mod tests;
