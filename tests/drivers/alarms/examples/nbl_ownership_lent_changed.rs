//! A frame that was only lent, whose chain is changed.

#![no_std]

use alarms::{Binding, Protocol, WRONG, frame::Nbl};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn receive(binding: &'static Binding, nbls: Nbl, flags: u32) {
        let next = nbls.get().Next;
        nbls.update(|it| it.Next = nbls.0);
        if !WRONG {
            nbls.update(|it| it.Next = next);
        }
        binding.give_back(nbls, flags);
    }
}
