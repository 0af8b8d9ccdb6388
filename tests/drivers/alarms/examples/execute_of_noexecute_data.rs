//! A pointer to a function that points at data.

#![no_std]

use core::mem;

use alarms::{Device, Request, WRONG, kernel::Place, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let code: *const () = if WRONG {
            DATA.get().cast()
        } else {
            nothing as *const ()
        };
        // SAFETY: none is claimed, as for `call!`.
        let code = unsafe { mem::transmute::<*const (), extern "C" fn()>(code) };
        code();
        request.answer()
    }
}

extern "C" fn nothing() {}

static DATA: Place<u8> = Place::new(RETURN);

/// `ret`.
const RETURN: u8 = 0xc3;
