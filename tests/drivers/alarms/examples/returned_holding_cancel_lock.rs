//! A cancel routine that does not release the cancel lock.

#![no_std]

use alarms::{Device, Request, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn cancelled(request: Request) {
        if WRONG {
            return;
        }
        request.release_cancel_lock();
        request.complete(sys::STATUS_INVALID_PARAMETER, 0);
    }
}
