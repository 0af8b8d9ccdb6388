//! A send that is completed with its data starting before where it did.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        for nbl in nbls.chain() {
            let status = call!(NdisRetreatNetBufferListDataStart(nbl.0, 4, 0, None, None));
            if status == SUCCESS && !WRONG {
                call!(NdisAdvanceNetBufferListDataStart(nbl.0, 4, 1, None));
            }
        }
        adapter.complete(nbls);
    }
}
