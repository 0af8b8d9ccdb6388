//! A change of the link that is indicated with less than a link state.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame::Nbl, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let mut link = sys::NDIS_LINK_STATE {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_DEFAULT,
                sys::NDIS_LINK_STATE_REVISION_1,
                sys::NDIS_SIZEOF_LINK_STATE_REVISION_1,
            ),
            MediaConnectState: sys::MediaConnectStateConnected,
            MediaDuplexState: sys::MediaDuplexStateFull,
            ..sys::NDIS_LINK_STATE::zeroed()
        };
        adapter.indicate_status(|indication| {
            indication.StatusCode = sys::NDIS_STATUS_LINK_STATE;
            indication.StatusBuffer = (&raw mut link).cast();
            indication.StatusBufferSize = if WRONG { 8 } else { size_of_val(&link) as u32 };
        });
        adapter.complete(nbls);
    }
}
