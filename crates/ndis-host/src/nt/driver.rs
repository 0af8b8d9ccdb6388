//! Drivers as the I/O manager has them: the DRIVER_OBJECT, `DriverEntry`, unload.
//!
//! A driver is loaded with its service name; `DriverEntry` runs once, and unload once after it
//! succeeded. The driver's NDIS side is not here: it hangs on the DRIVER_OBJECT's address.

use std::ffi::c_void;
use std::path::Path;

use ndis_sys::nt::{CSHORT, NTSTATUS, PVOID, UNICODE_STRING};
use ndis_sys::{DEVICE_TYPE, DRIVER_EXTENSION, DRIVER_OBJECT, DRIVER_UNLOAD};

use super::irql::Irql;
use super::sched::Monitor;
use super::string::UnicodeString;
use super::{Outstanding, etw, handle, io, pool, registry, system_thread, timer};
use crate::call;
use crate::image::{self, Image, Messages};
use crate::ndis;
use crate::rules;

/// A loaded driver image with its driver object.
pub struct Driver {
    // Dropped in this order: the object's pointers go to what follows it.
    object: Box<DRIVER_OBJECT>,
    _extension: Box<DRIVER_EXTENSION>,
    _name: UnicodeString,
    _service_name: UnicodeString,
    registry_path: UnicodeString,
    service: String,
    image: Image,
}

// SAFETY: the pointers in the object go to boxes and memory that the value owns, and nothing of it
// belongs to one thread.
unsafe impl Send for Driver {}

impl Driver {
    /// Loads the image under a service name and makes its driver object. No code of the driver runs.
    ///
    /// # Errors
    /// What [`Image::load`] answers with.
    pub fn load(path: &Path, service: &str) -> Result<Self, image::Error> {
        let image = Image::load(path)?;
        let key = registry::service_path(service);
        registry::create(&key);
        let name = UnicodeString::new(&format!(r"\Driver\{service}"));
        let service_name = UnicodeString::new(service);
        let mut extension = Box::new(DRIVER_EXTENSION {
            ServiceKeyName: copy_of(&service_name),
            ..DRIVER_EXTENSION::zeroed()
        });
        let mut object = Box::new(object_of(&image, &name));
        object.DriverExtension = &raw mut *extension;
        extension.DriverObject = &raw mut *object;
        let driver = Self {
            object,
            _extension: extension,
            _name: name,
            _service_name: service_name,
            registry_path: UnicodeString::new(&key),
            service: service.to_owned(),
            image,
        };
        SERVICES.lock().push(Known {
            object: driver.object_address(),
            service: service.to_owned(),
            messages: driver.image.messages().clone(),
        });
        Ok(driver)
    }

    /// Calls `DriverEntry` at PASSIVE_LEVEL, in the thread that calls this.
    pub fn entry(&mut self) -> NTSTATUS {
        let entry = self.image.entry();
        let (object, path) = (&raw mut *self.object, self.registry_path.as_ptr());
        let status = call::callback("DriverEntry", Irql::PASSIVE..=Irql::PASSIVE, || {
            // SAFETY: the entry point of a native driver image has this type; the object and the
            // path live as long as the driver.
            unsafe { entry(object.cast(), path) }
        });
        // SAFETY: the object is this driver's, whose entry point has returned.
        unsafe { io::initialized(object) };
        status
    }

    /// Whether `DriverEntry`, or NDIS for it, gave an unload routine.
    #[must_use]
    pub fn has_unload(&self) -> bool {
        self.object.DriverUnload.is_some()
    }

    /// Calls the unload routine of the driver object, if it has one.
    pub fn unload(&mut self) {
        let Some(unload) = self.object.DriverUnload else {
            return;
        };
        let object = &raw mut *self.object;
        call::callback("DriverUnload", Irql::PASSIVE..=Irql::PASSIVE, || {
            // SAFETY: the driver, or NDIS for it, put an unload routine there, and the object lives.
            unsafe { unload(object) }
        });
    }

    /// Ends the run if the driver, now that `when`, left pool that its image allocated, or a timer in
    /// its image that is set. Called before the image goes.
    pub fn check_left_no_memory(&self, when: &str) {
        let mut left = super::outstanding().pool;
        left.retain(|block| self.image.contains(block.caller));
        if let Some(first) = left.first() {
            let blocks = Outstanding {
                pool: left.clone(),
                ..Outstanding::default()
            };
            rules::broken_at(
                rule_of_leak(first),
                format_args!(
                    "{when} ({}), and this is left:
{blocks}",
                    self.service
                ),
                first.caller,
            );
        }
        rules::held(&rules::POOL_LEAK);
        let memory = self.image.base()..self.image.base() + self.image.size();
        if let Some(timer) = timer::set_within(memory) {
            rules::broken(
                &rules::UNLOADED_WITH_PENDING,
                format_args!(
                    "{when} ({}), and the timer at {timer:#x} is set",
                    self.service
                ),
            );
        }
        rules::held(&rules::UNLOADED_WITH_PENDING);
    }

    /// Ends the run if the driver, which has been unloaded, left a device, or a symbolic link, thread,
    /// trace provider or handle that its image made.
    pub fn check_left_no_object(&self) {
        let object = &raw const *self.object;
        let of_image = |address| self.image.contains(address);
        io::check_left_nothing(&self.service, object, of_image);
        system_thread::check_left_nothing(of_image);
        etw::check_left_nothing(of_image);
        handle::check_left_nothing(of_image);
    }

    /// The names by which programs open its devices, each with the device's type.
    #[must_use]
    pub fn devices(&self) -> Vec<(String, DEVICE_TYPE)> {
        io::paths_of(&raw const *self.object)
    }

    /// How many opens its devices have. As long as there are any, the I/O manager does not unload it.
    #[must_use]
    pub fn opens(&self) -> usize {
        io::opens_of(&raw const *self.object)
    }

    /// The driver object's address: what `DriverEntry` gets.
    #[must_use]
    pub fn object_address(&self) -> usize {
        &raw const *self.object as usize
    }

    /// The service name.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The registry path that `DriverEntry` gets.
    #[must_use]
    pub fn registry_path(&self) -> String {
        registry::service_path(&self.service)
    }

    /// The loaded image.
    #[must_use]
    pub fn image(&self) -> &Image {
        &self.image
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver")
            .field("service", &self.service)
            .field("image", &self.image)
            .finish_non_exhaustive()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let address = self.object_address();
        SERVICES.lock().retain(|known| known.object != address);
    }
}

/// The service name of a driver object that [`Driver::load`] made.
#[must_use]
pub fn service_of(driver_object: *const c_void) -> Option<String> {
    with_known(driver_object, |known| known.service.clone())
}

/// The text that the image of a driver object has for a code of the event log, if [`Driver::load`] made
/// the object.
#[must_use]
pub fn message_of(driver_object: *const c_void, code: u32) -> Option<String> {
    with_known(driver_object, |known| known.messages.get(&code).cloned())?
}

/// A driver object that [`Driver::load`] made.
struct Known {
    object: usize,
    service: String,
    messages: Messages,
}

fn with_known<R>(driver_object: *const c_void, look: impl FnOnce(&Known) -> R) -> Option<R> {
    let services = SERVICES.lock();
    let mut services = services.iter();
    let found = services.find(|known| known.object == driver_object as usize);
    found.map(look)
}

/// Sets the unload routine of a driver object, as NDIS does for miniport drivers.
///
/// # Safety
/// `driver_object` is one that [`Driver::load`] made and that lives.
pub unsafe fn set_unload(driver_object: *mut c_void, unload: Option<DRIVER_UNLOAD>) {
    let object = driver_object.cast::<DRIVER_OBJECT>();
    // SAFETY: the caller's own promise; the host changes the object only in the driver's own calls.
    unsafe { (*object).DriverUnload = unload };
}

/// `DriverEntry`.
pub type DriverEntry = unsafe extern "efiapi" fn(*mut c_void, *mut UNICODE_STRING) -> NTSTATUS;

/// The object of a driver that was just loaded: every request gets the system's refusal until
/// `DriverEntry` puts something else there.
fn object_of(image: &Image, name: &UnicodeString) -> DRIVER_OBJECT {
    DRIVER_OBJECT {
        Type: IO_TYPE_DRIVER,
        Size: size_of::<DRIVER_OBJECT>() as CSHORT,
        DriverStart: image.base() as PVOID,
        DriverSize: image.size() as u32,
        DriverName: copy_of(name),
        DriverInit: image.entry() as PVOID,
        MajorFunction: [Some(io::refuse()); 28],
        ..DRIVER_OBJECT::zeroed()
    }
}

fn copy_of(string: &UnicodeString) -> UNICODE_STRING {
    // SAFETY: the host's own string is valid as long as it lives, and has no concurrent writer.
    unsafe { string.as_ptr().read() }
}

/// What leaving `block` behind breaks.
fn rule_of_leak(block: &pool::Block) -> &'static rules::Rule {
    if block.tag.0 == ndis::NAME_TAG {
        &rules::NDIS_QUERY_BIND_INSTANCE_NAME
    } else {
        &rules::POOL_LEAK
    }
}

const IO_TYPE_DRIVER: CSHORT = 4;

static SERVICES: Monitor<Vec<Known>> = Monitor::new(Vec::new());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_left_breaks_the_rule_of_who_gave_it() {
        let block = pool::Block {
            address: 0x1000,
            size: 20,
            tag: pool::Tag(ndis::NAME_TAG),
            kind: pool::Kind::NonPaged,
            caller: 0,
            thread: 0,
        };
        assert_eq!(rule_of_leak(&block).name, "NdisQueryBindInstanceName");
        let other = pool::Block {
            tag: pool::Tag::from(*b"Mine"),
            ..block
        };
        assert_eq!(rule_of_leak(&other), &rules::POOL_LEAK);
    }
}
