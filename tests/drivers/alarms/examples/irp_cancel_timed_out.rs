//! A request that is cancelled and never completed.

#![no_std]

use alarms::{Device, Request, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn cancelled(request: Request) {
        request.release_cancel_lock();
        if !WRONG {
            request.complete(sys::STATUS_INVALID_PARAMETER, 0);
        }
    }
}
