//! An unbind that ends with the adapter open.

#![no_std]

use alarms::{Binding, Protocol, WRONG};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn unbind(binding: &'static Binding) {
        if WRONG {
            binding.free_pool();
        } else {
            binding.close();
        }
    }
}
