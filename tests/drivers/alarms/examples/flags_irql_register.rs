//! A send handler that reads the IRQL, which its flags tell, from its register.

#![no_std]

use core::arch::asm;

use alarms::{Adapter, Miniport, WRONG, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        if WRONG {
            let _irql: u64;
            // SAFETY: none is claimed, as for `call!`; the host reads the register for the driver.
            unsafe { asm!("mov {}, cr8", out(reg) _irql) };
        }
        adapter.complete(nbls);
    }
}
