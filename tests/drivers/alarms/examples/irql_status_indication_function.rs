//! A status is indicated above DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let mut indication = sys::NDIS_STATUS_INDICATION {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_STATUS_INDICATION,
                sys::NDIS_STATUS_INDICATION_REVISION_1,
                sys::NDIS_SIZEOF_STATUS_INDICATION_REVISION_1,
            ),
            SourceHandle: adapter.handle(),
            StatusCode: sys::NDIS_STATUS_MEDIA_SPECIFIC_INDICATION,
            ..sys::NDIS_STATUS_INDICATION::zeroed()
        };
        irql::at(LEVEL, || {
            call!(NdisMIndicateStatusEx(adapter.handle(), &raw mut indication));
        });
        adapter.complete(nbls);
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DEVICE } else { irql::DISPATCH };
