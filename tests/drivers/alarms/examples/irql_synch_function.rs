//! An event is set above DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, event::Event, frame::Nbl, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        DONE.clear();
        irql::at(LEVEL, || DONE.set());
        adapter.complete(nbls);
    }
}

static DONE: Event = Event::new();

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DEVICE } else { irql::DISPATCH };
