//! Received frames that are returned although they are only lent.

#![no_std]

use alarms::{Binding, Protocol, WRONG, frame::Nbl};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn receive(binding: &'static Binding, nbls: Nbl, flags: u32) {
        let flags = if WRONG { 0 } else { flags };
        binding.give_back(nbls, flags);
    }
}
