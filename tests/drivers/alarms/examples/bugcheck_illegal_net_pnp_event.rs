//! An event that only NDIS itself makes.

#![no_std]

use alarms::{
    Adapter, Miniport, SUCCESS, WRONG,
    frame::Nbl,
    port::{self, Port},
    sys,
};

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

    fn send(adapter: &'static Adapter, nbls: Nbl) {
        if WRONG {
            port::tell(adapter, sys::NetEventReconfigure, &mut 0_u32);
        } else {
            PORT.activate_and_deactivate(adapter);
        }
        adapter.complete(nbls);
    }

    fn halt(adapter: &'static Adapter) {
        PORT.free(adapter);
        adapter.close();
    }
}

static PORT: Port = Port::new();
