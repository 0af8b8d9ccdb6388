//! A recursion without an end.

#![no_std]

use core::hint::black_box;

use alarms::{Device, Request, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        black_box(depth(if WRONG { u64::MAX } else { 10 }));
        request.answer()
    }
}

fn depth(rest: u64) -> u64 {
    let frame = black_box([rest; 64]);
    if rest == 0 {
        0
    } else {
        depth(rest - 1) + frame[7]
    }
}
