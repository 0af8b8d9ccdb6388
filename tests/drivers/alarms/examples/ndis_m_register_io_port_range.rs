//! I/O ports that are claimed before the registration attributes are set.

#![no_std]

use core::sync::atomic::{AtomicBool, Ordering};

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        if WRONG {
            claim(adapter);
        }
        let status = adapter.open();
        if status == SUCCESS && !WRONG {
            claim(adapter);
        }
        status
    }

    fn halt(adapter: &'static Adapter) {
        release(adapter);
        adapter.close();
    }
}

/// The ports are as good as none: a device without them works by its registers.
fn claim(adapter: &Adapter) {
    let status = call!(NdisMRegisterIoPortRange(
        adapter.kept.as_ptr(),
        adapter.handle(),
        FIRST,
        COUNT,
    ));
    CLAIMED.store(status == SUCCESS, Ordering::Relaxed);
}

fn release(adapter: &Adapter) {
    if CLAIMED.load(Ordering::Relaxed) {
        let offset = adapter.kept.load(Ordering::Relaxed);
        call!(NdisMDeregisterIoPortRange(
            adapter.handle(),
            FIRST,
            COUNT,
            offset
        ));
    }
}

static CLAIMED: AtomicBool = AtomicBool::new(false);
const FIRST: u32 = 0x300;
const COUNT: u32 = 32;
