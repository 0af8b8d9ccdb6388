//! The IRQL is lowered to a higher level.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl, irql};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let before = call!(KfRaiseIrql(irql::DISPATCH));
        call!(KeLowerIrql(if WRONG { irql::DEVICE } else { before }));
        adapter.complete(nbls);
    }
}
