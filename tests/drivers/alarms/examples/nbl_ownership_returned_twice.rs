//! Received frames that are returned twice.

#![no_std]

use alarms::{Binding, Protocol, WRONG, frame::Nbl};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn receive(binding: &'static Binding, nbls: Nbl, flags: u32) {
        binding.give_back(nbls, flags);
        if WRONG {
            binding.give_back(nbls, flags);
        }
    }
}
