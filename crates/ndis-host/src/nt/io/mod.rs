//! The I/O manager: devices, who may open them, and the requests that they get.
//!
//! A driver makes a device and names it; somebody with a [`security::Token`] opens it ([`File`]), and
//! each thing that is then asked of it is an IRP to one of the driver's dispatch routines. What is
//! checked: the device's security descriptor, what the dispatch routine returns, that each request is
//! completed once and in time, and that nothing is left at unload.
//!
//! Not here: Plug and Play and power requests (NDIS speaks for its miniports), stacks of devices, fast
//! I/O, and requests that drivers make themselves.

mod buffers;
mod device;
mod file;
mod irp;
mod name;
pub mod security;

pub(crate) use device::{NewDevice, create, delete, may_be_opened};
pub use file::{File, Pending};
#[cfg(test)]
pub(crate) use irp::IofCompleteRequest;
pub use irp::Outcome;
pub(crate) use name::{create_link, delete_link};

use ndis_sys::{DEVICE_TYPE, DRIVER_DISPATCH, DRIVER_OBJECT};

use crate::call::Export;
use crate::rules;

/// The export tables of all files here.
pub(crate) const EXPORTS: &[&[Export]] = &[device::EXPORTS, irp::EXPORTS, name::EXPORTS];

/// What a driver object has for requests of which the driver handles none.
pub(super) fn refuse() -> DRIVER_DISPATCH {
    irp::refuse()
}

/// Lets the devices be opened that `DriverEntry` made.
///
/// # Safety
/// `driver` points to a driver object whose `DriverEntry` has returned.
pub(super) unsafe fn initialized(driver: *const DRIVER_OBJECT) {
    // SAFETY: the caller's own promise.
    let mut next = unsafe { (*driver).DeviceObject };
    while !next.is_null() {
        // SAFETY: the list has the devices that the driver made and did not delete.
        unsafe { may_be_opened(next) };
        // SAFETY: as above.
        next = unsafe { (*next).NextDevice };
    }
}

/// The names by which programs open the devices of a driver, each with the device's type.
pub(super) fn paths_of(driver: *const DRIVER_OBJECT) -> Vec<(String, DEVICE_TYPE)> {
    let devices = device::of(driver).into_iter();
    let paths = devices.flat_map(|(device, device_type)| {
        let paths = name::paths_to(device).into_iter();
        paths.map(move |path| (path, device_type))
    });
    paths.collect()
}

/// How many opens the devices of a driver have: as long as there are any, it is not unloaded.
pub(super) fn opens_of(driver: *const DRIVER_OBJECT) -> usize {
    device::opens_of(driver)
}

/// Ends the run if a driver that was unloaded left a device, or a symbolic link that code within
/// `image` made.
pub(super) fn check_left_nothing(
    service: &str,
    driver: *const DRIVER_OBJECT,
    image: impl Fn(usize) -> bool,
) {
    let mut left = device::left_of(driver);
    left.extend(name::links_of(image));
    if !left.is_empty() {
        rules::broken(
            &rules::UNLOAD_LEAVES_DEVICE,
            format_args!("{service} was unloaded and left\n{}", left.join("\n")),
        );
    }
}

#[cfg(test)]
mod tests;
