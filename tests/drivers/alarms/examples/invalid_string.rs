//! A counted string whose length is odd.

#![no_std]

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let text = sys::UNICODE_STRING {
            Length: if WRONG { 3 } else { 4 },
            MaximumLength: 4,
            Buffer: TEXT.as_ptr().cast_mut(),
        };
        call!(kernel::RtlCompareUnicodeString(
            &raw const text,
            &raw const text,
            0
        ));
        request.answer()
    }
}

static TEXT: [u16; 2] = [b'a' as u16; 2];
