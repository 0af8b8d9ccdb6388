//! A miniport driver's device, from registration to the end of the driver.

use ndis_sys::{
    GENERIC_READ, IRP, IRP_MJ_CREATE, NDIS_MINIPORT_DRIVER_CHARACTERISTICS, STATUS_ACCESS_DENIED,
    STATUS_INVALID_ACL, STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_SUCCESS,
};

use super::*;
use crate::ndis::caller::Caller;
use crate::nt::io::File;
use crate::nt::io::security::Token;
use crate::nt::string::UnicodeString;
use crate::rules::testing::{alone, assert_broken};

#[test]
fn a_registered_device_is_opened_by_whom_its_string_names() {
    let driver = driver();
    let (_, handle) = driver
        .register("DevA", Some("D:P(A;;GA;;;BA)"))
        .expect("valid");
    let open = |token: &Token| File::open(r"\\.\DevA", token, GENERIC_READ).err();
    assert_eq!(open(&Token::administrator()), None);
    assert_eq!(open(&Token::user()), Some(STATUS_ACCESS_DENIED));
    // SAFETY: the handle was just given out.
    unsafe { NdisDeregisterDeviceEx(handle) };
    let gone = open(&Token::administrator());
    assert_eq!(gone, Some(STATUS_OBJECT_NAME_NOT_FOUND));
}

#[test]
fn the_reserved_extension_is_the_devices_own_and_zeroed() {
    let driver = driver();
    let (object, handle) = driver.register("DevB", None).expect("valid");
    // SAFETY: the function only looks the pointer up.
    let extension = unsafe { NdisGetDeviceReservedExtension(object) };
    // SAFETY: the registration asked for 16 bytes.
    assert_eq!(unsafe { extension.cast::<[u8; 16]>().read() }, [0; 16]);
    // SAFETY: as above.
    unsafe { NdisDeregisterDeviceEx(handle) };
    // SAFETY: as above.
    assert!(unsafe { NdisGetDeviceReservedExtension(object) }.is_null());
}

#[test]
fn what_cannot_be_registered_leaves_nothing() {
    alone(|| {
        let driver = driver();
        let bad = driver.register("DevC", Some("D:P(A;;GA;;;"));
        assert_eq!(bad.err(), Some(STATUS_INVALID_ACL));
        io::create_link(r"\DosDevices\DevC", r"\Device\Other").expect("it is free");
        let taken = driver.register("DevC", None);
        assert_eq!(taken.err(), Some(STATUS_OBJECT_NAME_COLLISION));
        io::delete_link(r"\DosDevices\DevC").expect("it is there");
        assert!(pool::outstanding().is_empty());
        assert!(driver.register("DevC", None).is_ok());
    });
}

#[test]
fn a_register_call_that_is_told_to_fail_answers_with_resources() {
    alone(|| {
        let driver = driver();
        crate::faults::fail_nth("NdisRegisterDeviceEx", 1);
        let failed = driver.register("DevD", None);
        assert_eq!(failed.err(), Some(NDIS_STATUS_RESOURCES));
    });
}

#[test]
fn changing_the_device_extension_breaks_its_rule() {
    assert_broken(
        &rules::NDIS_REGISTER_DEVICE_EX,
        &["DeviceExtension"],
        || {
            let (object, handle) = driver().register("DevE", None).expect("valid");
            // SAFETY: the device lives.
            unsafe { (*object).DeviceExtension = std::ptr::null_mut() };
            // SAFETY: the handle was just given out.
            unsafe { NdisDeregisterDeviceEx(handle) };
        },
    );
}

#[test]
fn deregistering_twice_is_the_use_of_a_dead_handle() {
    assert_broken(&rules::INVALID_HANDLE, &["dead device handle"], || {
        let (_, handle) = driver().register("DevF", None).expect("valid");
        // SAFETY: the handle was just given out.
        unsafe { NdisDeregisterDeviceEx(handle) };
        // SAFETY: the handle is only looked up.
        unsafe { NdisDeregisterDeviceEx(handle) };
    });
}

#[test]
fn a_device_outlives_its_driver_in_no_list_of_handles() {
    let driver = driver();
    let (_, handle) = driver.register("DevG", None).expect("valid");
    let left = object::owned_by(driver.handle);
    assert_eq!(left, [(Kind::Device, r"\Device\DevG".to_owned())]);
    // SAFETY: the handle was just given out.
    unsafe { NdisDeregisterDeviceEx(handle) };
    assert_eq!(object::owned_by(driver.handle), []);
}

struct Driver {
    handle: NDIS_HANDLE,
}

fn driver() -> Driver {
    let object = Box::leak(Box::new(DRIVER_OBJECT::zeroed()));
    let driver = MiniportDriver::new(
        Caller::UNNAMED,
        NDIS_MINIPORT_DRIVER_CHARACTERISTICS::zeroed(),
        std::ptr::null_mut(),
        std::ptr::from_mut(object).cast(),
    );
    Driver {
        handle: handle_of(driver),
    }
}

impl Driver {
    fn register(
        &self,
        name: &str,
        sddl: Option<&str>,
    ) -> Result<(*mut DEVICE_OBJECT, NDIS_HANDLE), NDIS_STATUS> {
        let device = UnicodeString::new(&format!(r"\Device\{name}"));
        let link = UnicodeString::new(&format!(r"\DosDevices\{name}"));
        let sddl = sddl.map(UnicodeString::new);
        let mut functions: [PDRIVER_DISPATCH; 28] = [None; 28];
        functions[usize::from(IRP_MJ_CREATE)] = Some(create);
        let mut attributes = NDIS_DEVICE_OBJECT_ATTRIBUTES {
            Header: ndis_sys::NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES,
                REVISION_1,
                SIZE_1,
            ),
            DeviceName: device.as_ptr(),
            SymbolicName: link.as_ptr(),
            MajorFunctions: functions.as_mut_ptr(),
            ExtensionSize: 16,
            DefaultSDDLString: sddl
                .as_ref()
                .map_or(std::ptr::null(), |sddl| sddl.as_ptr().cast_const()),
            DeviceClassGuid: std::ptr::null(),
        };
        let mut object = std::ptr::null_mut();
        let mut handle = std::ptr::null_mut();
        // SAFETY: all that the attributes point to lives until the call returns.
        let status = unsafe {
            NdisRegisterDeviceEx(
                self.handle,
                &raw mut attributes,
                &raw mut object,
                &raw mut handle,
            )
        };
        if status == STATUS_SUCCESS {
            Ok((object, handle))
        } else {
            assert!(object.is_null());
            Err(status)
        }
    }
}

unsafe extern "efiapi" fn create(_: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: the request is this routine's, and zeroed memory says success with nothing.
    unsafe { crate::nt::io::IofCompleteRequest(irp, 0) };
    STATUS_SUCCESS
}
