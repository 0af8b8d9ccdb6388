//! A driver in Rust, and programs that open its device.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

use ndis_sys::nt::{
    MDL, NTSTATUS, STATUS_CANCELLED, STATUS_INVALID_DEVICE_REQUEST, STATUS_OBJECT_NAME_COLLISION,
    STATUS_OBJECT_NAME_NOT_FOUND, STATUS_PENDING, STATUS_SUCCESS, STATUS_UNSUCCESSFUL,
};
use ndis_sys::{
    CTL_CODE, DEVICE_OBJECT, DO_BUFFERED_IO, DO_DEVICE_INITIALIZING, DO_DIRECT_IO, DRIVER_DISPATCH,
    DRIVER_OBJECT, FILE_DEVICE_UNKNOWN, FILE_READ_ACCESS, FILE_WRITE_ACCESS, GENERIC_READ,
    GENERIC_WRITE, IO_STACK_LOCATION, IRP, IRP_MJ_CLEANUP, IRP_MJ_CLOSE, IRP_MJ_CREATE,
    IRP_MJ_DEVICE_CONTROL, IRP_MJ_READ, IRP_MJ_WRITE, IoGetCurrentIrpStackLocation,
    IoMarkIrpPending, IoSetCancelRoutine, METHOD_BUFFERED, METHOD_IN_DIRECT, METHOD_NEITHER,
    METHOD_OUT_DIRECT, STATUS_ACCESS_DENIED, STATUS_BUFFER_OVERFLOW, STATUS_NO_SUCH_DEVICE,
};

mod broken;

use super::security::{Descriptor, Token};
use super::{File, NewDevice, Outcome, check_left_nothing, create, create_link, delete, irp};
use crate::nt::spin_lock::IoReleaseCancelSpinLock;
use crate::nt::{driver, mdl};

const READ_WRITE: u32 = GENERIC_READ | GENERIC_WRITE;
const SOON: Option<Duration> = Some(Duration::from_secs(10));

#[test]
fn buffered_data_goes_in_and_out_through_one_buffer() {
    let file = open_device_of("Buffered", dispatch);
    let outcome = control(&file, reverse(METHOD_BUFFERED), b"abc", vec![9; 5]);
    assert_eq!(outcome.output, b"cba");
    assert_eq!((outcome.status, outcome.information), (STATUS_SUCCESS, 3));
}

#[test]
fn direct_output_is_written_through_the_mdl() {
    let file = open_device_of("OutDirect", dispatch);
    let outcome = control(&file, reverse(METHOD_OUT_DIRECT), b"abc", vec![0; 3]);
    assert_eq!(outcome.output, b"cba");
}

#[test]
fn direct_input_is_read_through_the_mdl() {
    let file = open_device_of("InDirect", dispatch);
    let code = code(SUM_OF_MDL, METHOD_IN_DIRECT, 0);
    let outcome = control(&file, code, b"", vec![1, 2, 39]);
    assert_eq!(outcome.information, 3);
    assert_eq!(outcome.status, 42);
}

#[test]
fn neither_method_hands_over_the_callers_addresses() {
    let file = open_device_of("Neither", dispatch);
    let outcome = control(&file, reverse(METHOD_NEITHER), b"abc", vec![0; 3]);
    assert_eq!(outcome.output, b"cba");
}

#[test]
fn a_warning_brings_data_and_an_error_none() {
    let file = open_device_of("Warning", dispatch);
    let answer = |status: NTSTATUS| {
        let code = code(ANSWER, METHOD_BUFFERED, 0);
        control(&file, code, &status.to_le_bytes(), vec![0; 4]).output
    };
    assert_eq!(answer(STATUS_BUFFER_OVERFLOW).len(), 4);
    assert_eq!(answer(STATUS_UNSUCCESSFUL).len(), 0);
}

#[test]
fn reads_and_writes_take_the_method_that_the_devices_flags_say() {
    for (name, flags) in [("RwB", DO_BUFFERED_IO), ("RwD", DO_DIRECT_IO), ("RwN", 0)] {
        let driver = Driver::new(name, dispatch, Descriptor::of_devices());
        // SAFETY: the device lives, and nobody has it open.
        unsafe { (*driver.device).Flags |= flags };
        let file = driver.open();
        let written = file.write(b"xyz").expect("it may write").wait(SOON);
        assert_eq!(written.expect("it ends").information, 3, "{name}");
        let read = file.read(4).expect("it may read").wait(SOON);
        assert_eq!(read.expect("it ends").output, b"rrrr", "{name}");
    }
}

#[test]
fn a_handle_is_checked_against_the_access_that_a_code_requires() {
    let driver = Driver::new("Required", dispatch, Descriptor::of_devices());
    let path = driver.path();
    let reader = File::open(&path, &Token::user(), GENERIC_READ).expect("everybody may read");
    let ask = |access| reader.control(code(REVERSE, METHOD_BUFFERED, access), b"a", vec![0; 1]);
    assert!(ask(FILE_READ_ACCESS).is_ok());
    assert_eq!(ask(FILE_WRITE_ACCESS).err(), Some(STATUS_ACCESS_DENIED));
    assert_eq!(reader.write(b"a").err(), Some(STATUS_ACCESS_DENIED));
}

#[test]
fn whom_the_descriptor_does_not_name_does_not_get_in() {
    let only = Descriptor::parse("D:P(A;;GA;;;SY)(A;;GA;;;BA)").expect("valid");
    let driver = Driver::new("Secured", dispatch, only);
    let open = |token: &Token| File::open(&driver.path(), token, READ_WRITE).err();
    assert_eq!(open(&Token::administrator()), None);
    assert_eq!(open(&Token::user()), Some(STATUS_ACCESS_DENIED));
}

#[test]
fn names_below_a_device_are_checked_only_if_it_asks_for_that() {
    let nobody = || Descriptor::parse("D:P").expect("valid");
    for (name, characteristics, error) in [
        ("Below1", 0, None),
        (
            "Below2",
            ndis_sys::FILE_DEVICE_SECURE_OPEN,
            Some(STATUS_ACCESS_DENIED),
        ),
    ] {
        let driver = Driver::new(name, dispatch, nobody());
        // SAFETY: the device lives, and nobody has it open.
        unsafe { (*driver.device).Characteristics = characteristics };
        let path = format!(r"{}\Sub", driver.path());
        assert_eq!(File::open(&path, &Token::user(), READ_WRITE).err(), error);
    }
}

#[test]
fn a_device_is_opened_neither_before_nor_after_its_life() {
    let driver = Driver::new("Life", dispatch, Descriptor::of_devices());
    let path = driver.path();
    let open = || File::open(&path, &Token::user(), READ_WRITE);
    // SAFETY: the device lives, and nobody has it open.
    unsafe { (*driver.device).Flags |= DO_DEVICE_INITIALIZING };
    assert_eq!(open().err(), Some(STATUS_NO_SUCH_DEVICE));
    // SAFETY: as above.
    unsafe { (*driver.device).Flags &= !DO_DEVICE_INITIALIZING };
    let file = open().expect("it may be opened now");
    delete(driver.device, "IoDeleteDevice");
    assert_eq!(open().err(), Some(STATUS_OBJECT_NAME_NOT_FOUND));
    // What is open still works, and the object goes with it.
    let outcome = control(&file, reverse(METHOD_BUFFERED), b"ab", vec![0; 2]);
    assert_eq!(outcome.output, b"ba");
    drop(file);
    check_left_nothing("life", driver.object, |_| false);
}

#[test]
fn an_exclusive_device_is_open_once() {
    let driver = Driver::new("Exclusive", dispatch, Descriptor::of_devices());
    // SAFETY: the device lives, and nobody has it open.
    unsafe { (*driver.device).Flags |= ndis_sys::DO_EXCLUSIVE };
    let first = driver.open();
    let second = File::open(&driver.path(), &Token::user(), READ_WRITE);
    assert_eq!(second.err(), Some(STATUS_ACCESS_DENIED));
    drop(first);
    drop(driver.open());
}

#[test]
fn two_devices_do_not_have_one_name() {
    let driver = Driver::new("Twice", dispatch, Descriptor::of_devices());
    let again = new_device(driver.object, r"\Device\Twice", Descriptor::of_devices());
    // SAFETY: the driver object lives for good.
    let again = unsafe { create(again) };
    assert_eq!(again.err(), Some(STATUS_OBJECT_NAME_COLLISION));
}

#[test]
fn a_driver_without_routines_refuses() {
    let driver = Driver::new("Refuse", irp::refuse(), Descriptor::of_devices());
    let opened = File::open(&driver.path(), &Token::user(), READ_WRITE);
    assert_eq!(opened.err(), Some(STATUS_INVALID_DEVICE_REQUEST));
}

#[test]
fn a_pended_request_ends_when_it_is_completed() {
    static PENDING: AtomicPtr<IRP> = AtomicPtr::new(ptr::null_mut());
    unsafe extern "efiapi" fn pend(_: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
        if major_of(irp) != IRP_MJ_DEVICE_CONTROL {
            return finish(irp, STATUS_SUCCESS, 0);
        }
        // SAFETY: the request is this routine's.
        unsafe { IoMarkIrpPending(irp) };
        PENDING.store(irp, Ordering::SeqCst);
        STATUS_PENDING
    }
    let file = open_device_of("Pended", pend);
    let request = file.control(code(PEND, METHOD_BUFFERED, 0), b"", Vec::new());
    let request = request.expect("any access will do");
    assert_eq!(request.wait(Some(Duration::from_millis(5))), None);
    finish(PENDING.load(Ordering::SeqCst), STATUS_SUCCESS, 0);
    assert_eq!(request.wait(SOON).expect("it ended").status, STATUS_SUCCESS);
}

#[test]
fn a_request_that_waits_is_cancelled_once() {
    let file = open_device_of("Cancelled", dispatch);
    let request = file.control(code(PEND, METHOD_BUFFERED, 0), b"", Vec::new());
    let request = request.expect("any access will do");
    assert!(request.cancel());
    assert_eq!(
        request.wait(SOON).expect("it ended").status,
        STATUS_CANCELLED
    );
    assert!(!request.cancel());
}

#[test]
fn closing_cancels_what_is_on_its_way() {
    let file = open_device_of("Closing", dispatch);
    let request = file.control(code(PEND, METHOD_BUFFERED, 0), b"", Vec::new());
    let request = request.expect("any access will do");
    drop(file);
    assert_eq!(
        request.wait(SOON).expect("it ended").status,
        STATUS_CANCELLED
    );
}

/// A device of a driver object that lives for good.
struct Driver {
    object: *mut DRIVER_OBJECT,
    device: *mut DEVICE_OBJECT,
    name: &'static str,
}

impl Driver {
    fn new(name: &'static str, function: DRIVER_DISPATCH, security: Descriptor) -> Self {
        let object = Box::leak(Box::new(DRIVER_OBJECT {
            MajorFunction: [Some(function); 28],
            ..DRIVER_OBJECT::zeroed()
        }));
        let device = format!(r"\Device\{name}");
        // SAFETY: the driver object lives for good.
        let made = unsafe { create(new_device(object, &device, security)) };
        create_link(&format!(r"\DosDevices\{name}"), &device).expect("the name is free");
        // SAFETY: its entry point would have returned now.
        unsafe { super::initialized(object) };
        assert_eq!(driver::service_of(ptr::from_ref(object).cast()), None);
        Self {
            object,
            device: made.expect("the name is free"),
            name,
        }
    }

    fn path(&self) -> String {
        format!(r"\\.\{}", self.name)
    }

    fn open(&self) -> File {
        File::open(&self.path(), &Token::user(), READ_WRITE).expect("everybody may open it")
    }
}

fn new_device(object: *mut DRIVER_OBJECT, name: &str, security: Descriptor) -> NewDevice {
    NewDevice {
        driver: object,
        extension: 8,
        name: name.to_owned(),
        device_type: FILE_DEVICE_UNKNOWN,
        characteristics: 0,
        exclusive: false,
        security,
        functions: None,
    }
}

fn open_device_of(name: &'static str, function: DRIVER_DISPATCH) -> File {
    Driver::new(name, function, Descriptor::of_devices()).open()
}

fn control(file: &File, code: u32, input: &[u8], output: Vec<u8>) -> Outcome {
    let request = file.control(code, input, output);
    let request = request.expect("the open has the access");
    request.wait(SOON).expect("the request ends")
}

unsafe extern "efiapi" fn dispatch(_: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    // SAFETY: the request is this routine's.
    let location = unsafe { location_of(irp) };
    match location.MajorFunction {
        IRP_MJ_CREATE | IRP_MJ_CLEANUP | IRP_MJ_CLOSE => finish(irp, STATUS_SUCCESS, 0),
        IRP_MJ_READ => {
            // SAFETY: requests of this kind have these parameters.
            let length = unsafe { location.Parameters.Read.Length } as usize;
            // SAFETY: the buffer has that length.
            unsafe { ptr::write_bytes(data_of(irp), b'r', length) };
            finish(irp, STATUS_SUCCESS, length)
        }
        IRP_MJ_WRITE => {
            // SAFETY: as for reads.
            let length = unsafe { location.Parameters.Write.Length } as usize;
            // SAFETY: as for reads.
            let data = unsafe { std::slice::from_raw_parts(data_of(irp), length) };
            let status = if data == b"xyz" {
                STATUS_SUCCESS
            } else {
                STATUS_UNSUCCESSFUL
            };
            finish(irp, status, length)
        }
        IRP_MJ_DEVICE_CONTROL => dispatch_control(irp),
        _ => finish(irp, STATUS_INVALID_DEVICE_REQUEST, 0),
    }
}

fn dispatch_control(irp: *mut IRP) -> NTSTATUS {
    // SAFETY: the request is this routine's.
    let location = unsafe { location_of(irp) };
    // SAFETY: requests of this kind have these parameters.
    let control = unsafe { location.Parameters.DeviceIoControl };
    let (input_length, output_length) = (
        control.InputBufferLength as usize,
        control.OutputBufferLength as usize,
    );
    let method = control.IoControlCode & 3;
    // SAFETY: the request is this routine's.
    let system = unsafe { (*irp).SystemBuffer };
    match control.IoControlCode >> 2 & 0xfff {
        REVERSE => {
            let input = if method == METHOD_NEITHER {
                control.Type3InputBuffer
            } else {
                system
            };
            // SAFETY: the input buffer has that length.
            let input = unsafe { std::slice::from_raw_parts(input.cast::<u8>(), input_length) };
            let mut answer = input.to_vec();
            answer.reverse();
            // SAFETY: the tests give an output buffer that is as long as the input at least.
            unsafe { ptr::copy_nonoverlapping(answer.as_ptr(), data_of(irp), answer.len()) };
            finish(irp, STATUS_SUCCESS, answer.len())
        }
        SUM_OF_MDL => {
            // SAFETY: the buffer has that length.
            let data = unsafe { std::slice::from_raw_parts(data_of(irp), output_length) };
            finish(
                irp,
                data.iter().map(|byte| i32::from(*byte)).sum(),
                output_length,
            )
        }
        ANSWER => {
            // SAFETY: the tests give a status as the input.
            let status = unsafe { system.cast::<NTSTATUS>().read_unaligned() };
            finish(irp, status, output_length)
        }
        PEND => {
            // SAFETY: the request is this routine's.
            unsafe { IoMarkIrpPending(irp) };
            // SAFETY: as above.
            unsafe { IoSetCancelRoutine(irp, Some(cancel)) };
            STATUS_PENDING
        }
        _ => finish(irp, STATUS_INVALID_DEVICE_REQUEST, 0),
    }
}

unsafe extern "efiapi" fn cancel(_: *mut DEVICE_OBJECT, irp: *mut IRP) {
    // SAFETY: the request is this routine's now.
    let old = unsafe { (*irp).CancelIrql };
    // SAFETY: the I/O manager holds the lock for this routine.
    unsafe { IoReleaseCancelSpinLock(old) };
    finish(irp, STATUS_CANCELLED, 0);
}

/// Where a request's data is or goes: through the MDL, the system's buffer, or the caller's.
fn data_of(irp: *mut IRP) -> *mut u8 {
    // SAFETY: the request is the caller's.
    let content = unsafe { &*irp };
    if content.MdlAddress.is_null() {
        let system = content.SystemBuffer;
        return if system.is_null() {
            content.UserBuffer
        } else {
            system
        }
        .cast();
    }
    map(content.MdlAddress).cast()
}

fn map(mdl: *mut MDL) -> *mut std::ffi::c_void {
    // SAFETY: the request's MDL lives as the request does.
    unsafe { mdl::MmMapLockedPagesSpecifyCache(mdl, 0, 1, ptr::null_mut(), 0, 16) }
}

fn finish(irp: *mut IRP, status: NTSTATUS, information: usize) -> NTSTATUS {
    // SAFETY: the request is the caller's.
    unsafe {
        (*irp).IoStatus = ndis_sys::IO_STATUS_BLOCK {
            Status: status,
            Information: information,
        };
    }
    // SAFETY: as above.
    unsafe { irp::IofCompleteRequest(irp, 0) };
    status
}

/// # Safety
/// The request is the caller's.
unsafe fn location_of<'a>(irp: *mut IRP) -> &'a IO_STACK_LOCATION {
    // SAFETY: the caller's own promise.
    let location = unsafe { IoGetCurrentIrpStackLocation(irp) };
    // SAFETY: it is the request's one location.
    unsafe { &*location }
}

fn major_of(irp: *mut IRP) -> u8 {
    // SAFETY: the request is the caller's.
    let location = unsafe { IoGetCurrentIrpStackLocation(irp) };
    // SAFETY: it is the request's one location.
    unsafe { (*location).MajorFunction }
}

fn reverse(method: u32) -> u32 {
    code(REVERSE, method, 0)
}

const fn code(function: u32, method: u32, access: u32) -> u32 {
    CTL_CODE(FILE_DEVICE_UNKNOWN, function, method, access)
}

const REVERSE: u32 = 0x800;
const SUM_OF_MDL: u32 = 0x801;
const ANSWER: u32 = 0x802;
const PEND: u32 = 0x803;
