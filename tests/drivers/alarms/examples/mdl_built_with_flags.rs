//! An MDL that is built for nonpaged pool twice.

#![no_std]

use core::ptr;

use alarms::{Device, Request, WRONG, call, frame, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let block = frame::allocate(64);
        let mdl = call!(IoAllocateMdl(block.cast(), 64, 0, 0, ptr::null_mut()));
        call!(MmBuildMdlForNonPagedPool(mdl));
        if WRONG {
            call!(MmBuildMdlForNonPagedPool(mdl));
        }
        call!(IoFreeMdl(mdl));
        frame::free(block);
        request.answer()
    }
}
