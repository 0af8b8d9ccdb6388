//! Device objects and requests, as far as a driver with a control device calls the I/O manager for
//! them (`ntoskrnl.exe`). What the header has inline is in [`crate::io`].

use crate::declare::functions;
use crate::io::*;
use crate::nt::*;

functions! {
    "ntoskrnl.exe";

    /// Makes a device object. PASSIVE_LEVEL (`nf-wdm-iocreatedevice.md`).
    fn IoCreateDevice [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        DriverObject: *mut DRIVER_OBJECT,
        DeviceExtensionSize: ULONG,
        DeviceName: *mut UNICODE_STRING,
        DeviceType: DEVICE_TYPE,
        DeviceCharacteristics: ULONG,
        Exclusive: BOOLEAN,
        DeviceObject: *mut *mut DEVICE_OBJECT,
    ) -> NTSTATUS;

    /// Deletes it, at the latest when the last open of it is closed. Up to APC_LEVEL
    /// (`nf-wdm-iodeletedevice.md`).
    fn IoDeleteDevice [PASSIVE_LEVEL, APC_LEVEL] (DeviceObject: *mut DEVICE_OBJECT);

    /// Gives a device a name that users see. PASSIVE_LEVEL (`nf-wdm-iocreatesymboliclink.md`).
    fn IoCreateSymbolicLink [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        SymbolicLinkName: *mut UNICODE_STRING,
        DeviceName: *mut UNICODE_STRING,
    ) -> NTSTATUS;

    /// Takes that name away. PASSIVE_LEVEL (`nf-wdm-iodeletesymboliclink.md`).
    fn IoDeleteSymbolicLink [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        SymbolicLinkName: *mut UNICODE_STRING,
    ) -> NTSTATUS;

    /// Completes a request: it is not the caller's any more. Up to DISPATCH_LEVEL
    /// (`nf-wdm-iocompleterequest.md`).
    fn IofCompleteRequest [PASSIVE_LEVEL, DISPATCH_LEVEL] (Irp: *mut IRP, PriorityBoost: CCHAR);

    /// Takes the lock under which requests are cancelled. Up to DISPATCH_LEVEL
    /// (`nf-wdm-ioacquirecancelspinlock.md`).
    fn IoAcquireCancelSpinLock [PASSIVE_LEVEL, DISPATCH_LEVEL] (Irql: *mut KIRQL);

    /// Lets go of it. DISPATCH_LEVEL (`nf-wdm-ioreleasecancelspinlock.md`).
    fn IoReleaseCancelSpinLock [DISPATCH_LEVEL, DISPATCH_LEVEL] (Irql: KIRQL);
}
