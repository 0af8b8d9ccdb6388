//! An MDL that is mapped twice.

#![no_std]

use core::ptr;

use alarms::{Device, Request, WRONG, call, frame, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let block = frame::allocate(64);
        let mdl = call!(IoAllocateMdl(block.cast(), 64, 0, 0, ptr::null_mut()));
        call!(kernel::MmProbeAndLockPages(mdl, KERNEL_MODE, WRITE));
        let address = call!(MmMapLockedPagesSpecifyCache(
            mdl,
            KERNEL_MODE,
            CACHED,
            ptr::null_mut(),
            0,
            16
        ));
        if WRONG {
            call!(MmMapLockedPagesSpecifyCache(
                mdl,
                KERNEL_MODE,
                CACHED,
                ptr::null_mut(),
                0,
                16
            ));
        }
        call!(MmUnmapLockedPages(address, mdl));
        call!(kernel::MmUnlockPages(mdl));
        call!(IoFreeMdl(mdl));
        frame::free(block);
        request.answer()
    }
}

const KERNEL_MODE: i8 = 0;

/// IoWriteAccess.
const WRITE: i32 = 1;

/// MmCached.
const CACHED: i32 = 1;
