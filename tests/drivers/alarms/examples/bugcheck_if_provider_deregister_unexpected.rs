//! An interface provider that deregisters before its interface.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, interface::Provider, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn entry(_adapter: &'static Adapter) -> sys::NTSTATUS {
        let status = PROVIDER.register();
        if status == 0 {
            PROVIDER.add(0);
        }
        status
    }

    fn unload(adapter: &'static Adapter) {
        if !WRONG {
            PROVIDER.remove(0);
        }
        PROVIDER.deregister();
        adapter.deregister();
    }
}

static PROVIDER: Provider = Provider::new();
