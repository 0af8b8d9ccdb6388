//! A port that is activated in an OID request.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, frame::Nbl, port::Port, sys};

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
        if !WRONG {
            PORT.activate_and_deactivate(adapter);
        }
        adapter.complete(nbls);
    }

    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        if WRONG {
            PORT.activate_and_deactivate(adapter);
        }
        adapter.answer(request)
    }

    fn halt(adapter: &'static Adapter) {
        PORT.free(adapter);
        adapter.close();
    }
}

static PORT: Port = Port::new();
