//! An entry of an SLIST at an address that is not aligned.

#![no_std]

use alarms::{Device, Request, WRONG, call, kernel::Place, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let offset = if WRONG { 8 } else { 16 };
        let entry = MEMORY.get().wrapping_byte_add(offset).cast();
        call!(kernel::ExpInterlockedPushEntrySList(HEAD.get(), entry));
        request.answer()
    }
}

static HEAD: Place<sys::SLIST_HEADER> = Place::new(sys::SLIST_HEADER::zeroed());

static MEMORY: Place<[u64; 4]> = Place::new([0; 4]);
