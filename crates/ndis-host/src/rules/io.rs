//! The rules of requests and devices: those of WDM drivers, and Driver Verifier's I/O verification,
//! which are named by the first parameter of its bug check 0xC9; and those of the objects beside them:
//! work items, handles, references, mutexes, trace providers.

super::rules! {
    DOUBLE_COMPLETION = Verifier "DoubleCompletion",
        "a request is completed once",
        "when IofCompleteRequest is called: the table of requests has this one, not completed",
        "wdm-doublecompletion.md";
    MARK_IRP_PENDING = Verifier "MarkIrpPending",
        "a dispatch routine that marks a request pending returns STATUS_PENDING",
        "when a dispatch routine returns: what it returned against the mark",
        "wdm-markirppending.md";
    MARK_IRP_PENDING_2 = Verifier "MarkIrpPending2",
        "a dispatch routine that returns STATUS_PENDING has marked the request pending",
        "when a dispatch routine returns: what it returned against the mark",
        "wdm-markirppending2.md";
    PENDED_COMPLETED_REQUEST = Verifier "PendedCompletedRequest",
        "a dispatch routine does not return STATUS_PENDING for a request that it completed and did not mark",
        "when a dispatch routine returns: what it returned against the mark and the completion",
        "wdm-pendedcompletedrequest.md";
    IRP_PROCESSING_COMPLETE = Verifier "IrpProcessingComplete",
        "a request is completed before its dispatch routine returns anything but STATUS_PENDING",
        "when a dispatch routine returns: what it returned against the completion",
        "wdm-irpprocessingcomplete.md";
    IRP_COMPLETED_AS_PENDING = Verifier "DRIVER_VERIFIER_IOMANAGER_VIOLATION 0x06",
        "no request is completed with STATUS_PENDING or -1",
        "when IofCompleteRequest is called: IoStatus.Status",
        "bug-check-0xc9--driver-verifier-iomanager-violation.md";
    IRP_COMPLETED_WITH_CANCEL_ROUTINE = Verifier "DRIVER_VERIFIER_IOMANAGER_VIOLATION 0x07",
        "a request has no cancel routine any more when it is completed",
        "when IofCompleteRequest is called: CancelRoutine is NULL",
        "bug-check-0xc9--driver-verifier-iomanager-violation.md";
    IRP_COMPLETED_ABOVE_DISPATCH = Verifier "DRIVER_VERIFIER_IOMANAGER_VIOLATION 0x0E",
        "requests are completed at or below DISPATCH_LEVEL",
        "when IofCompleteRequest is called: the thread's IRQL",
        "bug-check-0xc9--driver-verifier-iomanager-violation.md";
    IRP_STATUS_INCONSISTENT = Verifier "DRIVER_VERIFIER_IOMANAGER_VIOLATION 0x224",
        "a dispatch routine returns the status that it completed the request with",
        "when a dispatch routine returns: what it returned against IoStatus.Status at the completion",
        "bug-check-0xc9--driver-verifier-iomanager-violation.md";
    IRP_CANCEL_TIMED_OUT = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0x135",
        "a request that is cancelled is completed in time",
        "when an open is closed: each request is completed within 30 seconds of its cancelling",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    IO_COMPLETE_WITH_SPIN_LOCK = Host "IoCompleteRequest",
        "no spin lock is held where a request is completed",
        "when IofCompleteRequest is called: the thread's list of spin locks is empty",
        "nf-wdm-iocompleterequest.md";
    IRP_INFORMATION = Host "Failure to check the size of buffers",
        "a driver transfers no more bytes than the request's buffer has, and says so",
        "when IofCompleteRequest is called: IoStatus.Information against the buffer's length",
        "failure-to-check-the-size-of-buffers.md";
    RETURNED_HOLDING_CANCEL_LOCK = BugCheck "DRIVER_RETURNED_HOLDING_CANCEL_LOCK",
        "a cancel routine releases the cancel spin lock",
        "when a cancel routine returns: the thread's list of spin locks",
        "bug-check-0x11b---driver-returned-holding-cancel-lock.md";
    DELETE_DEVICE = Host "IoDeleteDevice",
        "a driver deletes each of its devices once",
        "when a device is deleted: the table of devices has it",
        "nf-wdm-iodeletedevice.md";
    UNLOAD_LEAVES_DEVICE = Host "Releasing Device and Controller Objects",
        "an unload routine deletes the driver's devices and symbolic links",
        "when DriverUnload has returned: the tables of devices and names have none of this driver",
        "releasing-device-and-controller-objects.md";
    NDIS_REGISTER_DEVICE_EX = Host "NdisRegisterDeviceEx",
        "a driver leaves the DeviceExtension member of NDIS's device alone",
        "when the device is deregistered: DeviceExtension is what NDIS put there",
        "nf-ndis-ndisregisterdeviceex.md";
    WORK_ITEM = Host "System Worker Threads",
        "a work item is queued once at a time, and freed when it is not queued",
        "when a work item is queued or freed: the table of items has it, not queued",
        "system-worker-threads.md";
    INVALID_KERNEL_HANDLE = BugCheck "INVALID_KERNEL_HANDLE",
        "a handle is closed once",
        "when a handle is closed: the table of handles has it",
        "bug-check-0x93--invalid-kernel-handle.md";
    REFERENCE_BY_POINTER = BugCheck "REFERENCE_BY_POINTER",
        "no more references to an object are given back than were taken",
        "when a reference is taken or given back: the table of objects has the object",
        "bug-check-0x18--reference-by-pointer.md";
    RUNDOWN = Host "Run-Down Protection",
        "a protection is released as often as it was acquired, and starts anew only after its run-down",
        "when a protection is released or initialized again: the count in its word",
        "run-down-protection.md";
    SELF_DEADLOCK = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0x1000",
        "a fast mutex is not acquired by the thread that holds it",
        "when a fast mutex is acquired: its owner",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    MUTEX_RELEASED_BY_OTHER = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0x1004",
        "a fast mutex is released by the thread that holds it",
        "when a fast mutex is released: its owner",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    ETW_INVALID_HANDLE = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0xDC",
        "EtwUnregister gets the handle of a registration, once",
        "when EtwUnregister is called: the table of providers has the handle",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    ETW_WRITE = Host "EtwWrite",
        "events are written between EtwRegister and EtwUnregister",
        "when an event is written: the table of providers has the handle",
        "nf-wdm-etwwrite.md";
    ETW_EVENT = Host "TraceLogging",
        "the metadata of an event describes its data",
        "when an event with metadata is written: name, fields and data are read as a reader of traces does",
        "tracelogging-for-kernel-mode-drivers-and-components.md";
    ETW_LEFT = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0xDD",
        "a driver unregisters its trace providers before it is unloaded",
        "when DriverUnload has returned: the table of providers has none that this driver registered",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
}
