//! A port that is not freed in halt.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, port::Port, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let mut status = adapter.open();
        if status == SUCCESS {
            status = PORT.allocate(adapter);
            if status != SUCCESS {
                adapter.close();
            }
        }
        status
    }

    fn halt(adapter: &'static Adapter) {
        if !WRONG {
            PORT.free(adapter);
        }
        adapter.close();
    }
}

static PORT: Port = Port::new();
