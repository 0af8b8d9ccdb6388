//! Edges that are associated twice.

#![no_std]

use alarms::{Adapter, Binding, Intermediate, WRONG, call};

alarms::driver!(im: Driver);

struct Driver;

impl Intermediate for Driver {
    fn associate(adapter: &'static Adapter, binding: &'static Binding) {
        for _ in 0..if WRONG { 2 } else { 1 } {
            call!(NdisIMAssociateMiniport(adapter.driver(), binding.driver()));
        }
    }
}
