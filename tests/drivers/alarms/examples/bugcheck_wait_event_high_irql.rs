//! A wait for an event at DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, event::Event, frame::Nbl, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        DONE.clear();
        DONE.set();
        let irql = call!(KfRaiseIrql(sys::DISPATCH_LEVEL));
        if WRONG {
            DONE.wait();
        }
        call!(KeLowerIrql(irql));
        adapter.complete(nbls);
    }
}

static DONE: Event = Event::new();
