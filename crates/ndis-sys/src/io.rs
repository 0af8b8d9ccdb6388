//! Devices, files and I/O requests, as the I/O manager and drivers share them (`wdm` header).
//!
//! Layouts are those of 64-bit Windows. Unions are flattened to the member that drivers of this kind
//! use: an [`IRP`]'s `AssociatedIrp.SystemBuffer` is `SystemBuffer` here, its `Tail.Overlay` lies
//! open. What the header has as inline functions stands at the end.

use core::sync::atomic::{AtomicPtr, Ordering};

use crate::declare::{constants, structures};
use crate::nt::*;

/// A driver's dispatch routine for one kind of IRP; PASSIVE_LEVEL to DISPATCH_LEVEL
/// (`nc-wdm-driver_dispatch.md`).
pub type DRIVER_DISPATCH =
    unsafe extern "efiapi" fn(DeviceObject: *mut DEVICE_OBJECT, Irp: *mut IRP) -> NTSTATUS;
/// A [`DRIVER_DISPATCH`] or null.
pub type PDRIVER_DISPATCH = Option<DRIVER_DISPATCH>;
/// What cancels an IRP that waits; DISPATCH_LEVEL with the cancel spin lock held, which it releases
/// (`nc-wdm-driver_cancel.md`).
pub type DRIVER_CANCEL = unsafe extern "efiapi" fn(DeviceObject: *mut DEVICE_OBJECT, Irp: *mut IRP);
/// A [`DRIVER_CANCEL`] or null.
pub type PDRIVER_CANCEL = Option<DRIVER_CANCEL>;
/// A driver object's unload routine; PASSIVE_LEVEL (`nc-wdm-driver_unload.md`).
pub type DRIVER_UNLOAD = unsafe extern "efiapi" fn(DriverObject: *mut DRIVER_OBJECT);
/// A [`DRIVER_UNLOAD`] or null.
pub type PDRIVER_UNLOAD = Option<DRIVER_UNLOAD>;
/// A bit for each kind of access to an object.
pub type ACCESS_MASK = ULONG;
/// The kind of a device, `FILE_DEVICE_*`.
pub type DEVICE_TYPE = ULONG;
/// How many priority levels completing a request is worth.
pub type CCHAR = i8;

structures! {
    /// A driver, as the I/O manager keeps it (`ns-wdm-_driver_object.md`).
    pub struct DRIVER_OBJECT {
        pub Type: CSHORT,
        pub Size: CSHORT,
        /// The first of the driver's devices.
        pub DeviceObject: *mut DEVICE_OBJECT,
        pub Flags: ULONG,
        pub DriverStart: PVOID,
        pub DriverSize: ULONG,
        pub DriverSection: PVOID,
        pub DriverExtension: *mut DRIVER_EXTENSION,
        pub DriverName: UNICODE_STRING,
        pub HardwareDatabase: *mut UNICODE_STRING,
        pub FastIoDispatch: PVOID,
        pub DriverInit: PVOID,
        pub DriverStartIo: PVOID,
        pub DriverUnload: PDRIVER_UNLOAD,
        /// By `IRP_MJ_*`.
        pub MajorFunction: [PDRIVER_DISPATCH; 28],
    }

    /// The rest of a driver object, as far as it is public.
    pub struct DRIVER_EXTENSION {
        pub DriverObject: *mut DRIVER_OBJECT,
        pub AddDevice: PVOID,
        pub Count: ULONG,
        pub ServiceKeyName: UNICODE_STRING,
    }

    /// Requests that wait for a device.
    pub struct KDEVICE_QUEUE {
        pub Type: CSHORT,
        pub Size: CSHORT,
        pub DeviceListHead: LIST_ENTRY,
        pub Lock: KSPIN_LOCK,
        pub Busy: ULONG64,
    }

    /// A device (`ns-wdm-_device_object.md`).
    pub struct DEVICE_OBJECT {
        pub Type: CSHORT,
        pub Size: USHORT,
        pub ReferenceCount: LONG,
        pub DriverObject: *mut DRIVER_OBJECT,
        pub NextDevice: *mut DEVICE_OBJECT,
        pub AttachedDevice: *mut DEVICE_OBJECT,
        pub CurrentIrp: *mut IRP,
        pub Timer: PVOID,
        /// `DO_*`.
        pub Flags: ULONG,
        /// `FILE_*` characteristics.
        pub Characteristics: ULONG,
        pub Vpb: PVOID,
        /// The memory that the driver asked for with the device.
        pub DeviceExtension: PVOID,
        pub DeviceType: DEVICE_TYPE,
        pub StackSize: CCHAR,
        /// A list entry or a wait context block.
        pub Queue: [ULONG_PTR; 9],
        pub AlignmentRequirement: ULONG,
        pub DeviceQueue: KDEVICE_QUEUE,
        pub Dpc: KDPC,
        pub ActiveThreadCount: ULONG,
        pub SecurityDescriptor: PVOID,
        pub DeviceLock: KEVENT,
        pub SectorSize: USHORT,
        pub Spare1: USHORT,
        pub DeviceObjectExtension: PVOID,
        pub Reserved: PVOID,
    }

    /// An open of a device (`ns-wdm-_file_object.md`).
    pub struct FILE_OBJECT {
        pub Type: CSHORT,
        pub Size: CSHORT,
        pub DeviceObject: *mut DEVICE_OBJECT,
        pub Vpb: PVOID,
        /// The driver's.
        pub FsContext: PVOID,
        /// The driver's.
        pub FsContext2: PVOID,
        pub SectionObjectPointer: PVOID,
        pub PrivateCacheMap: PVOID,
        pub FinalStatus: NTSTATUS,
        pub RelatedFileObject: *mut FILE_OBJECT,
        pub LockOperation: BOOLEAN,
        pub DeletePending: BOOLEAN,
        pub ReadAccess: BOOLEAN,
        pub WriteAccess: BOOLEAN,
        pub DeleteAccess: BOOLEAN,
        pub SharedRead: BOOLEAN,
        pub SharedWrite: BOOLEAN,
        pub SharedDelete: BOOLEAN,
        pub Flags: ULONG,
        /// What follows the device's name in the name that was opened.
        pub FileName: UNICODE_STRING,
        pub CurrentByteOffset: LARGE_INTEGER,
        pub Waiters: ULONG,
        pub Busy: ULONG,
        pub LastLock: PVOID,
        pub Lock: KEVENT,
        pub Event: KEVENT,
        pub CompletionContext: PVOID,
        pub IrpListLock: KSPIN_LOCK,
        pub IrpList: LIST_ENTRY,
        pub FileObjectExtension: PVOID,
    }

    /// How a request ended (`ns-wdm-_io_status_block.md`).
    pub struct IO_STATUS_BLOCK {
        pub Status: NTSTATUS,
        /// Bytes transferred, for most requests.
        pub Information: ULONG_PTR,
    }

    /// An I/O request (`ns-wdm-_irp.md`). Its stack locations follow it in memory.
    pub struct IRP {
        pub Type: CSHORT,
        pub Size: USHORT,
        pub MdlAddress: *mut MDL,
        pub Flags: ULONG,
        /// `AssociatedIrp.SystemBuffer`.
        pub SystemBuffer: PVOID,
        pub ThreadListEntry: LIST_ENTRY,
        pub IoStatus: IO_STATUS_BLOCK,
        pub RequestorMode: KPROCESSOR_MODE,
        pub PendingReturned: BOOLEAN,
        pub StackCount: CCHAR,
        pub CurrentLocation: CCHAR,
        pub Cancel: BOOLEAN,
        pub CancelIrql: KIRQL,
        pub ApcEnvironment: CCHAR,
        pub AllocationFlags: UCHAR,
        pub UserIosb: *mut IO_STATUS_BLOCK,
        pub UserEvent: *mut KEVENT,
        pub Overlay: [ULONG_PTR; 2],
        pub CancelRoutine: PDRIVER_CANCEL,
        pub UserBuffer: PVOID,
        /// The driver's while it has the request: `Tail.Overlay.DriverContext`.
        pub DriverContext: [PVOID; 4],
        pub Thread: PVOID,
        pub AuxiliaryBuffer: PVOID,
        /// The driver's while it has the request: `Tail.Overlay.ListEntry`.
        pub ListEntry: LIST_ENTRY,
        pub CurrentStackLocation: *mut IO_STACK_LOCATION,
        pub OriginalFileObject: *mut FILE_OBJECT,
        pub IrpExtension: PVOID,
    }

    /// `Parameters.Create`.
    pub struct IO_PARAMETERS_CREATE {
        pub SecurityContext: PVOID,
        pub Options: ULONG,
        pub Padding: ULONG,
        pub FileAttributes: USHORT,
        pub ShareAccess: USHORT,
        pub Padding2: ULONG,
        pub EaLength: ULONG,
    }

    /// `Parameters.Read` and `Parameters.Write`.
    pub struct IO_PARAMETERS_READ_WRITE {
        /// Bytes.
        pub Length: ULONG,
        pub Padding: ULONG,
        pub Key: ULONG,
        pub Flags: ULONG,
        /// Bytes from the start.
        pub ByteOffset: LARGE_INTEGER,
    }

    /// `Parameters.DeviceIoControl`.
    pub struct IO_PARAMETERS_DEVICE_IO_CONTROL {
        /// Bytes.
        pub OutputBufferLength: ULONG,
        pub Padding: ULONG,
        /// Bytes.
        pub InputBufferLength: ULONG,
        pub Padding2: ULONG,
        pub IoControlCode: ULONG,
        pub Padding3: ULONG,
        pub Type3InputBuffer: PVOID,
    }

    /// What a request of each kind asks.
    pub union IO_PARAMETERS {
        pub Create: IO_PARAMETERS_CREATE,
        pub Read: IO_PARAMETERS_READ_WRITE,
        pub Write: IO_PARAMETERS_READ_WRITE,
        pub DeviceIoControl: IO_PARAMETERS_DEVICE_IO_CONTROL,
        pub Others: [PVOID; 4],
    }

    /// What one driver of a stack is asked (`ns-wdm-_io_stack_location.md`).
    pub struct IO_STACK_LOCATION {
        /// `IRP_MJ_*`.
        pub MajorFunction: UCHAR,
        pub MinorFunction: UCHAR,
        pub Flags: UCHAR,
        /// `SL_*`.
        pub Control: UCHAR,
        pub Parameters: IO_PARAMETERS,
        pub DeviceObject: *mut DEVICE_OBJECT,
        pub FileObject: *mut FILE_OBJECT,
        pub CompletionRoutine: PVOID,
        pub Context: PVOID,
    }
}

constants! {
    UCHAR {
        IRP_MJ_CREATE = 0x00,
        IRP_MJ_CLOSE = 0x02,
        IRP_MJ_READ = 0x03,
        IRP_MJ_WRITE = 0x04,
        IRP_MJ_DEVICE_CONTROL = 0x0e,
        IRP_MJ_INTERNAL_DEVICE_CONTROL = 0x0f,
        IRP_MJ_SHUTDOWN = 0x10,
        IRP_MJ_CLEANUP = 0x12,
        IRP_MJ_POWER = 0x16,
        IRP_MJ_SYSTEM_CONTROL = 0x17,
        IRP_MJ_PNP = 0x1b,
        IRP_MJ_MAXIMUM_FUNCTION = 0x1b,
        /// The driver marked the request pending.
        SL_PENDING_RETURNED = 0x01,
    }
    CCHAR {
        IO_NO_INCREMENT = 0,
        IO_NETWORK_INCREMENT = 2,
    }
    ULONG {
        DO_BUFFERED_IO = 0x0000_0004,
        DO_EXCLUSIVE = 0x0000_0008,
        DO_DIRECT_IO = 0x0000_0010,
        DO_DEVICE_HAS_NAME = 0x0000_0040,
        /// The device cannot be opened yet.
        DO_DEVICE_INITIALIZING = 0x0000_0080,
        FILE_DEVICE_NETWORK = 0x12,
        FILE_DEVICE_PHYSICAL_NETCARD = 0x17,
        FILE_DEVICE_UNKNOWN = 0x22,
        /// Opens of names below the device's are checked against its security descriptor as well.
        FILE_DEVICE_SECURE_OPEN = 0x100,
        METHOD_BUFFERED = 0,
        METHOD_IN_DIRECT = 1,
        METHOD_OUT_DIRECT = 2,
        METHOD_NEITHER = 3,
        FILE_ANY_ACCESS = 0,
        FILE_READ_ACCESS = 1,
        FILE_WRITE_ACCESS = 2,
        DELETE = 0x0001_0000,
        READ_CONTROL = 0x0002_0000,
        WRITE_DAC = 0x0004_0000,
        WRITE_OWNER = 0x0008_0000,
        SYNCHRONIZE = 0x0010_0000,
        MAXIMUM_ALLOWED = 0x0200_0000,
        GENERIC_ALL = 0x1000_0000,
        GENERIC_EXECUTE = 0x2000_0000,
        GENERIC_WRITE = 0x4000_0000,
        GENERIC_READ = 0x8000_0000,
        FILE_READ_DATA = 0x0001,
        FILE_WRITE_DATA = 0x0002,
        FILE_GENERIC_READ = 0x0012_0089,
        FILE_GENERIC_WRITE = 0x0012_0116,
        FILE_GENERIC_EXECUTE = 0x0012_00a0,
        FILE_ALL_ACCESS = 0x001f_01ff,
    }
    NTSTATUS {
        STATUS_BUFFER_OVERFLOW = 0x8000_0005_u32.cast_signed(),
        STATUS_NO_SUCH_DEVICE = 0xC000_000E_u32.cast_signed(),
        STATUS_ACCESS_DENIED = 0xC000_0022_u32.cast_signed(),
        STATUS_OBJECT_TYPE_MISMATCH = 0xC000_0024_u32.cast_signed(),
        STATUS_OBJECT_NAME_INVALID = 0xC000_0033_u32.cast_signed(),
        STATUS_OBJECT_PATH_NOT_FOUND = 0xC000_003A_u32.cast_signed(),
        STATUS_DELETE_PENDING = 0xC000_0056_u32.cast_signed(),
        STATUS_UNKNOWN_REVISION = 0xC000_0058_u32.cast_signed(),
        STATUS_INVALID_SID = 0xC000_0078_u32.cast_signed(),
        STATUS_INVALID_ACL = 0xC000_0077_u32.cast_signed(),
        STATUS_INVALID_SECURITY_DESCR = 0xC000_0079_u32.cast_signed(),
    }
}

/// The code of a device control request: what the `CTL_CODE` macro makes
/// (`defining-i-o-control-codes.md`).
#[must_use]
pub const fn CTL_CODE(
    DeviceType: DEVICE_TYPE,
    Function: ULONG,
    Method: ULONG,
    Access: ULONG,
) -> ULONG {
    DeviceType << 16 | Access << 14 | Function << 2 | Method
}

/// The caller's stack location of a request (`nf-wdm-iogetcurrentirpstacklocation.md`).
///
/// # Safety
/// `Irp` points to a request that the caller was given and has not completed.
#[must_use]
pub const unsafe fn IoGetCurrentIrpStackLocation(Irp: *const IRP) -> *mut IO_STACK_LOCATION {
    // SAFETY: the caller's own promise.
    unsafe { (*Irp).CurrentStackLocation }
}

/// Says that the dispatch routine will return STATUS_PENDING (`nf-wdm-iomarkirppending.md`).
///
/// # Safety
/// As for [`IoGetCurrentIrpStackLocation`], and nobody completes the request meanwhile.
pub const unsafe fn IoMarkIrpPending(Irp: *mut IRP) {
    // SAFETY: the caller's own promise.
    let location = unsafe { IoGetCurrentIrpStackLocation(Irp) };
    // SAFETY: the I/O manager keeps the pointer at a stack location of the request.
    unsafe { (*location).Control |= SL_PENDING_RETURNED };
}

/// Sets or takes away what cancels a request; answers with what did so before
/// (`nf-wdm-iosetcancelroutine.md`).
///
/// # Safety
/// As for [`IoGetCurrentIrpStackLocation`].
pub unsafe fn IoSetCancelRoutine(Irp: *mut IRP, CancelRoutine: PDRIVER_CANCEL) -> PDRIVER_CANCEL {
    // SAFETY: only the address of the field is taken, inside of the caller's request.
    let place = unsafe { &raw mut (*Irp).CancelRoutine };
    // SAFETY: the field is aligned and lives as the request does; all who change it exchange it.
    let place = unsafe { AtomicPtr::<()>::from_ptr(place.cast()) };
    let new = CancelRoutine.map_or(core::ptr::null_mut(), |routine| routine as *mut ());
    let old = place.swap(new, Ordering::AcqRel);
    // SAFETY: null or a pointer that was put there as one of this type; the option of a function
    // pointer has the same form.
    unsafe { core::mem::transmute::<*mut (), PDRIVER_CANCEL>(old) }
}

// The layouts that the WDK's headers give, where a size alone would not show a slip.
const _: () = assert!(size_of::<DRIVER_OBJECT>() == 336);
const _: () = assert!(core::mem::offset_of!(DRIVER_OBJECT, MajorFunction) == 112);
const _: () = assert!(size_of::<KDEVICE_QUEUE>() == 40);
const _: () = assert!(size_of::<DEVICE_OBJECT>() == 328);
const _: () = assert!(core::mem::offset_of!(DEVICE_OBJECT, DeviceExtension) == 64);
const _: () = assert!(core::mem::offset_of!(DEVICE_OBJECT, StackSize) == 76);
const _: () = assert!(core::mem::offset_of!(DEVICE_OBJECT, Dpc) == 200);
const _: () = assert!(core::mem::offset_of!(DEVICE_OBJECT, DeviceLock) == 280);
const _: () = assert!(size_of::<FILE_OBJECT>() == 216);
const _: () = assert!(core::mem::offset_of!(FILE_OBJECT, ReadAccess) == 74);
const _: () = assert!(core::mem::offset_of!(FILE_OBJECT, FileName) == 88);
const _: () = assert!(core::mem::offset_of!(FILE_OBJECT, Event) == 152);
const _: () = assert!(size_of::<IRP>() == 208);
const _: () = assert!(core::mem::offset_of!(IRP, SystemBuffer) == 24);
const _: () = assert!(core::mem::offset_of!(IRP, IoStatus) == 48);
const _: () = assert!(core::mem::offset_of!(IRP, Cancel) == 68);
const _: () = assert!(core::mem::offset_of!(IRP, CancelRoutine) == 104);
const _: () = assert!(core::mem::offset_of!(IRP, ListEntry) == 168);
const _: () = assert!(core::mem::offset_of!(IRP, CurrentStackLocation) == 184);
const _: () = assert!(size_of::<IO_STACK_LOCATION>() == 72);
const _: () = assert!(core::mem::offset_of!(IO_STACK_LOCATION, Parameters) == 8);
const _: () = assert!(core::mem::offset_of!(IO_PARAMETERS_DEVICE_IO_CONTROL, IoControlCode) == 16);
const _: () = assert!(core::mem::offset_of!(IO_PARAMETERS_CREATE, ShareAccess) == 18);
const _: () = assert!(core::mem::offset_of!(IO_STACK_LOCATION, DeviceObject) == 40);
