//! A list whose head was overwritten.

#![no_std]

use core::sync::atomic::AtomicUsize;

use alarms::{Device, Request, WRONG, call, kernel::Place, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let head = HEAD.get();
        let before = if WRONG { ENTRY.get() } else { head };
        let content = sys::LIST_ENTRY {
            Flink: head,
            Blink: before,
        };
        // SAFETY: the head is this driver's alone.
        unsafe { head.write(content) };
        call!(kernel::ExInterlockedInsertTailList(
            head,
            ENTRY.get(),
            LOCK.as_ptr()
        ));
        request.answer()
    }
}

static HEAD: Place<sys::LIST_ENTRY> = Place::new(sys::LIST_ENTRY::zeroed());

static ENTRY: Place<sys::LIST_ENTRY> = Place::new(sys::LIST_ENTRY::zeroed());

static LOCK: AtomicUsize = AtomicUsize::new(0);
