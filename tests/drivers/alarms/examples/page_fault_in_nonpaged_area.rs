//! A byte that is read where there is no memory.

#![no_std]

use core::ptr;

use alarms::{Device, Request, WRONG, frame, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let byte = 7_u8;
        let from = if WRONG {
            ptr::without_provenance(NOWHERE)
        } else {
            &raw const byte
        };
        frame::read(from, 0);
        request.answer()
    }
}

/// An address that nothing is mapped at, far from NULL.
const NOWHERE: usize = 0x1234_5678_0000;
