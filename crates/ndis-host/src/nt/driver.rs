//! Drivers as the I/O manager has them: the DRIVER_OBJECT, `DriverEntry`, unload.
//!
//! A driver is loaded with its service name; `DriverEntry` runs once, and unload once after it
//! succeeded. The driver's NDIS side is not here: it hangs on the DRIVER_OBJECT's address.

use std::ffi::c_void;
use std::path::Path;

use ndis_sys::nt::{NTSTATUS, UNICODE_STRING};

use super::irql::Irql;
use super::sched::Monitor;
use super::string::UnicodeString;
use super::{Outstanding, pool, registry, timer};
use crate::call;
use crate::image::{self, Image};
use crate::rules;

/// A loaded driver image with its driver object.
#[derive(Debug)]
pub struct Driver {
    // Dropped in this order: the object's pointers go to what follows it.
    object: Box<DriverObject>,
    _extension: Box<DriverExtension>,
    _name: UnicodeString,
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
        let mut extension = Box::new(DriverExtension {
            driver_object: std::ptr::null_mut(),
            add_device: std::ptr::null_mut(),
            count: 0,
            service_key_name: copy_of(&service_name),
            _service_key_owner: service_name,
        });
        let mut object = Box::new(DriverObject::new(&image, &name));
        object.driver_extension = &raw mut *extension;
        extension.driver_object = &raw mut *object;
        let driver = Self {
            object,
            _extension: extension,
            _name: name,
            registry_path: UnicodeString::new(&key),
            service: service.to_owned(),
            image,
        };
        SERVICES
            .lock()
            .push((driver.object_address(), service.to_owned()));
        Ok(driver)
    }

    /// Calls `DriverEntry` at PASSIVE_LEVEL, in the thread that calls this.
    pub fn entry(&mut self) -> NTSTATUS {
        let entry = self.image.entry();
        let (object, path) = (&raw mut *self.object, self.registry_path.as_ptr());
        call::callback("DriverEntry", Irql::PASSIVE..=Irql::PASSIVE, || {
            // SAFETY: the entry point of a native driver image has this type; the object and the
            // path live as long as the driver.
            unsafe { entry(object.cast(), path) }
        })
    }

    /// Whether `DriverEntry`, or NDIS for it, gave an unload routine.
    #[must_use]
    pub fn has_unload(&self) -> bool {
        self.object.driver_unload.is_some()
    }

    /// Calls the unload routine of the driver object, if it has one.
    pub fn unload(&mut self) {
        let Some(unload) = self.object.driver_unload else {
            return;
        };
        let object = &raw mut *self.object;
        call::callback("DriverUnload", Irql::PASSIVE..=Irql::PASSIVE, || {
            // SAFETY: the driver, or NDIS for it, put an unload routine there, and the object lives.
            unsafe { unload(object.cast()) }
        });
    }

    /// Ends the run if the driver, which has been unloaded, left pool that its image allocated, or a
    /// timer that would run its code. Called before the image goes.
    pub fn check_left_nothing(&self) {
        let mut left = pool::outstanding();
        left.retain(|block| self.image.contains(block.caller));
        if let Some(first) = left.first() {
            let blocks = Outstanding {
                pool: left.clone(),
                ..Outstanding::default()
            };
            rules::broken_at(
                &rules::POOL_LEAK,
                format_args!("{} was unloaded and left\n{blocks}", self.service),
                first.caller,
            );
        }
        let memory = self.image.base()..self.image.base() + self.image.size();
        if let Some(timer) = timer::set_within(memory) {
            rules::broken(
                &rules::UNLOADED_WITH_PENDING,
                format_args!(
                    "{} was unloaded and left the timer at {timer:#x} set",
                    self.service
                ),
            );
        }
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

impl Drop for Driver {
    fn drop(&mut self) {
        let address = self.object_address();
        SERVICES.lock().retain(|(object, _)| *object != address);
    }
}

/// The service name of a driver object that [`Driver::load`] made.
#[must_use]
pub fn service_of(driver_object: *const c_void) -> Option<String> {
    let services = SERVICES.lock();
    let found = services
        .iter()
        .find(|(object, _)| *object == driver_object as usize);
    found.map(|(_, service)| service.clone())
}

/// Sets the unload routine of a driver object, as NDIS does for miniport drivers.
///
/// # Safety
/// `driver_object` is one that [`Driver::load`] made and that lives.
pub unsafe fn set_unload(driver_object: *mut c_void, unload: Option<DriverUnload>) {
    let object = driver_object.cast::<DriverObject>();
    // SAFETY: the caller's own promise; the host changes the object only in the driver's own calls.
    unsafe { (*object).driver_unload = unload };
}

/// `DriverEntry`.
pub type DriverEntry = unsafe extern "efiapi" fn(*mut c_void, *mut UNICODE_STRING) -> NTSTATUS;
/// A driver object's unload routine.
pub type DriverUnload = unsafe extern "efiapi" fn(*mut c_void);

/// DRIVER_OBJECT of 64-bit Windows (`ns-wdm-_driver_object.md`): drivers read and write it.
#[repr(C)]
#[derive(Debug)]
struct DriverObject {
    type_: i16,
    size: i16,
    device_object: *mut c_void,
    flags: u32,
    driver_start: *mut c_void,
    driver_size: u32,
    driver_section: *mut c_void,
    driver_extension: *mut DriverExtension,
    driver_name: RawString,
    hardware_database: *mut UNICODE_STRING,
    fast_io_dispatch: *mut c_void,
    driver_init: *mut c_void,
    driver_start_io: *mut c_void,
    driver_unload: Option<DriverUnload>,
    major_function: [*mut c_void; 28],
}

/// DRIVER_EXTENSION, as far as it is public.
#[repr(C)]
#[derive(Debug)]
struct DriverExtension {
    driver_object: *mut DriverObject,
    add_device: *mut c_void,
    count: u32,
    service_key_name: RawString,
    _service_key_owner: UnicodeString,
}

/// A UNICODE_STRING inside of another structure.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct RawString {
    length: u16,
    maximum_length: u16,
    buffer: *mut u16,
}

impl DriverObject {
    fn new(image: &Image, name: &UnicodeString) -> Self {
        Self {
            type_: IO_TYPE_DRIVER,
            size: size_of::<Self>() as i16,
            device_object: std::ptr::null_mut(),
            flags: 0,
            driver_start: image.base() as *mut c_void,
            driver_size: image.size() as u32,
            driver_section: std::ptr::null_mut(),
            driver_extension: std::ptr::null_mut(),
            driver_name: copy_of(name),
            hardware_database: std::ptr::null_mut(),
            fast_io_dispatch: std::ptr::null_mut(),
            driver_init: image.entry() as *mut c_void,
            driver_start_io: std::ptr::null_mut(),
            driver_unload: None,
            major_function: [std::ptr::null_mut(); 28],
        }
    }
}

fn copy_of(string: &UnicodeString) -> RawString {
    // SAFETY: the host's own string is valid as long as it lives, and has no concurrent writer.
    let raw = unsafe { string.as_ptr().read() };
    RawString {
        length: raw.Length,
        maximum_length: raw.MaximumLength,
        buffer: raw.Buffer,
    }
}

const IO_TYPE_DRIVER: i16 = 4;
const _: () = assert!(size_of::<DriverObject>() == 336);
const _: () = assert!(std::mem::offset_of!(DriverObject, driver_name) == 56);
const _: () = assert!(std::mem::offset_of!(DriverObject, driver_unload) == 104);
const _: () = assert!(std::mem::offset_of!(DriverObject, major_function) == 112);
const _: () = assert!(size_of::<RawString>() == size_of::<UNICODE_STRING>());

static SERVICES: Monitor<Vec<(usize, String)>> = Monitor::new(Vec::new());
