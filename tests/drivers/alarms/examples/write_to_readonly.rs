//! A constant that is written to.

#![no_std]

use alarms::{Device, Request, WRONG, frame, kernel::Place, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let table = if WRONG {
            TABLE.as_ptr().cast_mut()
        } else {
            PLACE.get().cast()
        };
        frame::write(table, 3, frame::read(TABLE.as_ptr(), 3));
        request.answer()
    }
}

/// In a section that is mapped read-only.
static TABLE: [u8; 8] = *b"constant";

static PLACE: Place<[u8; 8]> = Place::new([0; 8]);
