//! A frame that is sent in the name of the driver and not of the binding.

#![no_std]

use alarms::{Binding, Protocol, WRONG, frame::Nbl};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn receive(binding: &'static Binding, nbls: Nbl, flags: u32) {
        let source = if WRONG {
            binding.driver()
        } else {
            binding.handle()
        };
        binding.send_from(source);
        binding.give_back(nbls, flags);
    }
}
