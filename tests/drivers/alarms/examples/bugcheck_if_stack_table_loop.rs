//! Two interfaces of which each lies on the other.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, interface::Provider, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn entry(_adapter: &'static Adapter) -> sys::NTSTATUS {
        let status = PROVIDER.register();
        if status == 0 {
            let (upper, lower) = (PROVIDER.add(0), PROVIDER.add(1));
            call!(NdisIfAddIfStackEntry(upper, lower));
            if WRONG {
                call!(NdisIfAddIfStackEntry(lower, upper));
            }
            call!(NdisIfDeleteIfStackEntry(upper, lower));
        }
        status
    }

    fn unload(adapter: &'static Adapter) {
        PROVIDER.remove(0);
        PROVIDER.remove(1);
        PROVIDER.deregister();
        adapter.deregister();
    }
}

static PROVIDER: Provider = Provider::new();
