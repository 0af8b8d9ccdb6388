//! A partial MDL of more than its source describes.

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
        let part = call!(IoAllocateMdl(block.cast(), 64, 0, 0, ptr::null_mut()));
        let bytes = if WRONG { 65 } else { 64 };
        call!(kernel::IoBuildPartialMdl(mdl, part, block.cast(), bytes));
        call!(IoFreeMdl(part));
        call!(IoFreeMdl(mdl));
        frame::free(block);
        request.answer()
    }
}
