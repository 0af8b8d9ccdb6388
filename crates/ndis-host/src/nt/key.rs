//! The registry by handles, as drivers use it: keys opened by path or below another, values by name.

use std::ptr;

use ndis_sys::nt::{
    NTSTATUS, STATUS_BUFFER_TOO_SMALL, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER,
    STATUS_OBJECT_NAME_NOT_FOUND, STATUS_SUCCESS, ULONG, UNICODE_STRING, WCHAR,
};
use ndis_sys::{
    ACCESS_MASK, RTL_REGISTRY_ABSOLUTE, RTL_REGISTRY_SERVICES, STATUS_BUFFER_OVERFLOW,
    STATUS_OBJECT_TYPE_MISMATCH,
};

use super::handle::{self, Object};
use super::registry::{self, Value};
use super::string::{terminated, to_text};
use crate::ddi;
use crate::faults::should_fail;

/// OBJECT_ATTRIBUTES of 64-bit Windows.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct ObjectAttributes {
    length: ULONG,
    root: usize,
    name: *const UNICODE_STRING,
    attributes: ULONG,
    security: [usize; 2],
}

ddi! { "ntoskrnl.exe":
    /// Opens a key (`nf-wdm-zwopenkey.md`). STATUS_SUCCESS, STATUS_OBJECT_NAME_NOT_FOUND,
    /// STATUS_INVALID_HANDLE, or STATUS_INSUFFICIENT_RESOURCES.
    [PASSIVE..=PASSIVE, unchecked] fn ZwOpenKey(
        out: *mut usize,
        _access: ACCESS_MASK,
        attributes: *const ObjectAttributes,
    ) -> NTSTATUS {
        if should_fail("ZwOpenKey") {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        // SAFETY: the driver gives the attributes (the function's document).
        let path = match unsafe { path_of(attributes) } {
            Ok(path) if registry::exists(&path) => path,
            Ok(_) => return STATUS_OBJECT_NAME_NOT_FOUND,
            Err(status) => return status,
        };
        // SAFETY: the driver gives the place for the handle (the function's document).
        unsafe { out.write(handle::open(Object::Key(path))) };
        STATUS_SUCCESS
    }

    /// Opens a key, making it if it is not there (`nf-wdm-zwcreatekey.md`). STATUS_SUCCESS,
    /// STATUS_OBJECT_NAME_NOT_FOUND if its parent is not there, STATUS_INVALID_HANDLE, or
    /// STATUS_INSUFFICIENT_RESOURCES.
    [PASSIVE..=PASSIVE, unchecked] fn ZwCreateKey(
        out: *mut usize,
        _access: ACCESS_MASK,
        attributes: *const ObjectAttributes,
        _title: ULONG,
        _class: *const UNICODE_STRING,
        _options: ULONG,
        disposition: *mut ULONG,
    ) -> NTSTATUS {
        if should_fail("ZwCreateKey") {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        // SAFETY: the driver gives the attributes (the function's document).
        let path = match unsafe { path_of(attributes) } {
            Ok(path) => path,
            Err(status) => return status,
        };
        let existed = registry::exists(&path);
        let parent = path.rsplit_once('\\').map_or("", |(parent, _)| parent);
        if !existed && !registry::exists(parent) {
            return STATUS_OBJECT_NAME_NOT_FOUND;
        }
        registry::create(&path);
        if !disposition.is_null() {
            let how = if existed { OPENED_EXISTING } else { CREATED_NEW };
            // SAFETY: a pointer that is not null is the driver's place for it (the document).
            unsafe { disposition.write(how) };
        }
        // SAFETY: the driver gives the place for the handle (the function's document).
        unsafe { out.write(handle::open(Object::Key(path))) };
        STATUS_SUCCESS
    }

    /// Reads a value (`nf-wdm-zwqueryvaluekey.md`). STATUS_SUCCESS, STATUS_OBJECT_NAME_NOT_FOUND,
    /// STATUS_BUFFER_OVERFLOW with a part, STATUS_BUFFER_TOO_SMALL with nothing,
    /// STATUS_INVALID_PARAMETER, or what is wrong with the handle.
    [PASSIVE..=PASSIVE, unchecked] fn ZwQueryValueKey(
        key: usize,
        name: *const UNICODE_STRING,
        class: i32,
        information: *mut u8,
        length: ULONG,
        result_length: *mut ULONG,
    ) -> NTSTATUS {
        let path = match key_of(key) {
            Ok(path) => path,
            Err(status) => return status,
        };
        // SAFETY: the driver gives a string (the function's document).
        let name = unsafe { to_text(name) };
        let Some(value) = registry::get(&path, &name) else {
            return STATUS_OBJECT_NAME_NOT_FOUND;
        };
        let Some((bytes, fixed)) = describe(class, &name, &value) else {
            return STATUS_INVALID_PARAMETER;
        };
        // SAFETY: the driver gives the place for the length (the function's document).
        unsafe { result_length.write(bytes.len() as ULONG) };
        let length = length as usize;
        if length < fixed {
            return STATUS_BUFFER_TOO_SMALL;
        }
        // SAFETY: the driver gives a buffer of that length (the function's document).
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), information, length.min(bytes.len())) };
        if length < bytes.len() { STATUS_BUFFER_OVERFLOW } else { STATUS_SUCCESS }
    }

    /// Writes a value (`nf-wdm-zwsetvaluekey.md`). STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES, or
    /// what is wrong with the handle.
    [PASSIVE..=PASSIVE, unchecked] fn ZwSetValueKey(
        key: usize,
        name: *const UNICODE_STRING,
        _title: ULONG,
        value_type: ULONG,
        data: *const u8,
        size: ULONG,
    ) -> NTSTATUS {
        if should_fail("ZwSetValueKey") {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        let path = match key_of(key) {
            Ok(path) => path,
            Err(status) => return status,
        };
        let bytes = if size == 0 {
            &[]
        } else {
            // SAFETY: the driver gives that many bytes (the function's document).
            unsafe { std::slice::from_raw_parts(data, size as usize) }
        };
        // SAFETY: the driver gives a string (the function's document).
        let name = unsafe { to_text(name) };
        registry::set(&path, &name, Value::from_bytes(value_type, bytes));
        STATUS_SUCCESS
    }

    /// Makes a key by its path (`nf-wdm-rtlcreateregistrykey.md`), unless it is there. STATUS_SUCCESS,
    /// STATUS_OBJECT_NAME_NOT_FOUND if its parent is not there, STATUS_INVALID_PARAMETER, or
    /// STATUS_INSUFFICIENT_RESOURCES.
    [PASSIVE..=PASSIVE] fn RtlCreateRegistryKey(
        RelativeTo: ULONG,
        Path: *const WCHAR,
    ) -> NTSTATUS {
        if should_fail("RtlCreateRegistryKey") {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        // SAFETY: the driver gives a null-terminated path (the function's document).
        let path = match unsafe { relative(RelativeTo, Path) } {
            Some(path) => path,
            None => return STATUS_INVALID_PARAMETER,
        };
        let parent = path.rsplit_once('\\').map_or("", |(parent, _)| parent);
        if !registry::exists(parent) {
            return STATUS_OBJECT_NAME_NOT_FOUND;
        }
        registry::create(&path);
        STATUS_SUCCESS
    }

    /// Deletes a value of the key at a path (`nf-wdm-rtldeleteregistryvalue.md`). STATUS_SUCCESS,
    /// STATUS_OBJECT_NAME_NOT_FOUND if key or value is not there, STATUS_INVALID_PARAMETER, or
    /// STATUS_INSUFFICIENT_RESOURCES.
    [PASSIVE..=PASSIVE] fn RtlDeleteRegistryValue(
        RelativeTo: ULONG,
        Path: *const WCHAR,
        ValueName: *const WCHAR,
    ) -> NTSTATUS {
        if should_fail("RtlDeleteRegistryValue") {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        // SAFETY: the driver gives a null-terminated path (the function's document).
        let path = match unsafe { relative(RelativeTo, Path) } {
            Some(path) => path,
            None => return STATUS_INVALID_PARAMETER,
        };
        // SAFETY: the driver gives a null-terminated name (the function's document).
        let name = String::from_utf16_lossy(unsafe { terminated(ValueName) });
        match registry::delete_value(&path, &name) {
            true => STATUS_SUCCESS,
            false => STATUS_OBJECT_NAME_NOT_FOUND,
        }
    }
}

/// The path of a key that a run-time library function is asked for.
///
/// # Safety
/// The path is null-terminated.
unsafe fn relative(relative_to: ULONG, path: *const WCHAR) -> Option<String> {
    // SAFETY: the caller's own promise.
    let path = String::from_utf16_lossy(unsafe { terminated(path) });
    match relative_to {
        RTL_REGISTRY_ABSOLUTE => Some(path),
        RTL_REGISTRY_SERVICES => Some(registry::service_path(&path)),
        _ => None,
    }
}

/// # Safety
/// `attributes` points to some with a valid name.
unsafe fn path_of(attributes: *const ObjectAttributes) -> Result<String, NTSTATUS> {
    // SAFETY: the caller's own promise.
    let attributes = unsafe { &*attributes };
    // SAFETY: the caller's own promise.
    let name = unsafe { to_text(attributes.name) };
    if attributes.root == 0 {
        return Ok(name);
    }
    let root = key_of(attributes.root)?;
    Ok(format!(r"{root}\{name}"))
}

fn key_of(handle: usize) -> Result<String, NTSTATUS> {
    match handle::resolve(handle) {
        Some(Object::Key(path)) => Ok(path),
        Some(Object::Thread(_)) => Err(STATUS_OBJECT_TYPE_MISMATCH),
        None => Err(STATUS_INVALID_HANDLE),
    }
}

/// A value in the form of a KEY_VALUE_INFORMATION_CLASS, and the bytes in front of what varies.
fn describe(class: i32, name: &str, value: &Value) -> Option<(Vec<u8>, usize)> {
    let data = value.to_bytes();
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let numbers = |numbers: &[usize]| -> Vec<u8> {
        let type_number = value.type_number() as usize;
        let all = [0, type_number].into_iter().chain(numbers.iter().copied());
        all.flat_map(|number| (number as u32).to_le_bytes())
            .collect()
    };
    Some(match class {
        BASIC => ([numbers(&[name.len()]), name].concat(), 12),
        FULL => {
            let at = (20 + name.len()).next_multiple_of(8);
            let mut bytes = [numbers(&[at, data.len(), name.len()]), name].concat();
            bytes.resize(at, 0);
            bytes.extend(data);
            (bytes, 20)
        }
        PARTIAL => ([numbers(&[data.len()]), data].concat(), 12),
        _ => return None,
    })
}

const STATUS_INVALID_HANDLE: NTSTATUS = 0xC000_0008_u32.cast_signed();
const CREATED_NEW: ULONG = 1;
const OPENED_EXISTING: ULONG = 2;
const BASIC: i32 = 0;
const FULL: i32 = 1;
const PARTIAL: i32 = 2;
const _: () = assert!(size_of::<ObjectAttributes>() == 48);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::handle::ZwClose;
    use crate::nt::string::UnicodeString;

    fn attributes(root: usize, name: &UnicodeString) -> ObjectAttributes {
        ObjectAttributes {
            length: 48,
            root,
            name: name.as_ptr(),
            attributes: 0x240,
            security: [0; 2],
        }
    }

    fn create(root: usize, name: &str) -> (NTSTATUS, usize, ULONG) {
        let name = UnicodeString::new(name);
        let (attributes, mut handle, mut how) = (attributes(root, &name), 0, 0);
        let (out, class) = (&raw mut handle, ptr::null());
        // SAFETY: all pointers are to variables, or null where that is allowed.
        let status =
            unsafe { ZwCreateKey(out, 0, &raw const attributes, 0, class, 0, &raw mut how) };
        (status, handle, how)
    }

    fn query(key: usize, class: i32, length: usize) -> (NTSTATUS, Vec<u8>, ULONG) {
        let name = UnicodeString::new("VlanId");
        let (mut buffer, mut needed) = (vec![0_u8; length], 0);
        let (name, out) = (name.as_ptr(), buffer.as_mut_ptr());
        // SAFETY: the buffer has that length, the other pointers are to variables.
        let status =
            unsafe { ZwQueryValueKey(key, name, class, out, length as u32, &raw mut needed) };
        (status, buffer, needed)
    }

    #[test]
    fn a_key_is_made_below_another_and_its_value_read_in_each_form() {
        registry::create(r"\Registry\Machine\KeyTest");
        let (status, root, how) = create(0, r"\Registry\Machine\KeyTest");
        assert_eq!((status, how), (STATUS_SUCCESS, OPENED_EXISTING));
        let (status, key, how) = create(root, "Sub");
        assert_eq!((status, how), (STATUS_SUCCESS, CREATED_NEW));
        let name = UnicodeString::new("VlanId");
        let data = 10_u32.to_le_bytes();
        // SAFETY: the data has four bytes.
        let set = unsafe { ZwSetValueKey(key, name.as_ptr(), 0, 4, data.as_ptr(), 4) };
        assert_eq!(set, STATUS_SUCCESS);

        let (status, bytes, needed) = query(key, PARTIAL, 16);
        assert_eq!((status, needed), (STATUS_SUCCESS, 16));
        assert_eq!(bytes, [0, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 10, 0, 0, 0]);
        let (status, bytes, needed) = query(key, FULL, 36);
        assert_eq!((status, needed), (STATUS_SUCCESS, 36));
        assert_eq!((bytes[8], &bytes[32..]), (32, &data[..]));
        assert_eq!(query(key, BASIC, 24).0, STATUS_SUCCESS);

        assert_eq!(query(key, PARTIAL, 14).0, STATUS_BUFFER_OVERFLOW);
        assert_eq!(query(key, PARTIAL, 11).0, STATUS_BUFFER_TOO_SMALL);
        assert_eq!(query(key, 99, 64).0, STATUS_INVALID_PARAMETER);
        for handle in [root, key] {
            // SAFETY: the handles were just given out.
            unsafe { ZwClose(handle) };
        }
        assert_eq!(query(key, PARTIAL, 16).0, STATUS_INVALID_HANDLE);
    }

    #[test]
    fn a_key_is_made_by_its_path_below_one_that_is_there() {
        registry::create(&registry::service_path("KeyTest"));
        let create = |relative_to, path: &str| {
            let path: Vec<u16> = path.encode_utf16().chain([0]).collect();
            // SAFETY: the path is terminated.
            unsafe { RtlCreateRegistryKey(relative_to, path.as_ptr()) }
        };
        let below = r"KeyTest\Parameters\Adapters";
        let missing = create(RTL_REGISTRY_SERVICES, below);
        assert_eq!(missing, STATUS_OBJECT_NAME_NOT_FOUND);
        for _round in 0..2 {
            let parent = create(RTL_REGISTRY_SERVICES, r"KeyTest\Parameters");
            assert_eq!(parent, STATUS_SUCCESS);
            assert_eq!(create(RTL_REGISTRY_SERVICES, below), STATUS_SUCCESS);
        }
        assert!(registry::exists(&registry::service_path(below)));
        let absolute = registry::service_path(r"KeyTest\Linkage");
        assert_eq!(create(RTL_REGISTRY_ABSOLUTE, &absolute), STATUS_SUCCESS);
        assert!(registry::exists(&absolute));
        assert_eq!(create(99, "KeyTest"), STATUS_INVALID_PARAMETER);
        registry::set(&absolute, "Bind", Value::Dword(1));
        let delete = || {
            let [path, name] = [r"KeyTest\Linkage", "bind"]
                .map(|text| text.encode_utf16().chain([0]).collect::<Vec<u16>>());
            // SAFETY: both are terminated.
            unsafe { RtlDeleteRegistryValue(RTL_REGISTRY_SERVICES, path.as_ptr(), name.as_ptr()) }
        };
        assert_eq!(delete(), STATUS_SUCCESS);
        assert_eq!(registry::get(&absolute, "Bind"), None);
        assert_eq!(delete(), STATUS_OBJECT_NAME_NOT_FOUND);
    }

    #[test]
    fn what_is_not_there_is_not_opened() {
        let name = UnicodeString::new(r"\Registry\Machine\KeyTestNone");
        let (attributes, mut handle) = (attributes(0, &name), 0);
        // SAFETY: both pointers are to variables.
        let status = unsafe { ZwOpenKey(&raw mut handle, 0, &raw const attributes) };
        assert_eq!(status, STATUS_OBJECT_NAME_NOT_FOUND);
        let below = create(0, r"\Registry\Machine\KeyTestNone\Sub").0;
        assert_eq!(below, STATUS_OBJECT_NAME_NOT_FOUND);
    }
}
