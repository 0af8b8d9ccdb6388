//! An unbind that does not return.

#![no_std]

use alarms::{Binding, Protocol, WRONG, event};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn unbind(binding: &'static Binding) {
        binding.close();
        if WRONG {
            event::forever();
        }
    }
}
