//! A break into the debugger where there is none.

#![no_std]

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if WRONG {
            call!(kernel::DbgBreakPoint());
        }
        request.answer()
    }
}
