//! Code that runs in nonexecutable pool.

#![no_std]

use core::{ffi::c_void, mem};

use alarms::{Device, Request, TAG, WRONG, call, frame, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let flags = if WRONG {
            sys::POOL_FLAG_NON_PAGED
        } else {
            POOL_FLAG_NON_PAGED_EXECUTE
        };
        let block = call!(ExAllocatePool2(flags, 16, TAG));
        frame::write(block.cast(), 0, RETURN);
        // SAFETY: none is claimed, as for `call!`.
        let code = unsafe { mem::transmute::<*mut c_void, extern "C" fn()>(block) };
        code();
        frame::free(block.cast());
        request.answer()
    }
}

/// `ret`.
const RETURN: u8 = 0xc3;

const POOL_FLAG_NON_PAGED_EXECUTE: u64 = 0x80;
