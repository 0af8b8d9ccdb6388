//! A partial MDL that has no room for the pages of its part.

#![no_std]

use core::ptr;

use alarms::{Device, Request, WRONG, call, frame, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let block = frame::allocate(SIZE as usize);
        let mdl = call!(IoAllocateMdl(block.cast(), SIZE, 0, 0, ptr::null_mut()));
        call!(MmBuildMdlForNonPagedPool(mdl));
        let room = if WRONG { 64 } else { SIZE };
        let part = call!(IoAllocateMdl(block.cast(), room, 0, 0, ptr::null_mut()));
        call!(kernel::IoBuildPartialMdl(mdl, part, block.cast(), SIZE));
        call!(IoFreeMdl(part));
        call!(IoFreeMdl(mdl));
        frame::free(block);
        request.answer()
    }
}

/// Three pages.
const SIZE: u32 = 12_288;
