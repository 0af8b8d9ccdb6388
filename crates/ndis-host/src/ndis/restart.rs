//! The attributes that travel up the stack when it restarts.

use ndis_sys::{
    NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT, NDIS_RESTART_ATTRIBUTES,
    NDIS_RESTART_GENERAL_ATTRIBUTES, NDIS_RESTART_GENERAL_ATTRIBUTES_REVISION_2,
    NDIS_SIZEOF_RESTART_GENERAL_ATTRIBUTES_REVISION_2, OID_GEN_MINIPORT_RESTART_ATTRIBUTES,
};

use super::adapter::Adapter;
use crate::nt::pool::{self, Kind};

/// The list of attributes of one restart: an `OID_GEN_MINIPORT_RESTART_ATTRIBUTES` entry for the
/// adapter, which filters may exchange, and to which they may add.
///
/// Entries are memory that `NdisFreeMemory` frees; NDIS frees what is in the list at the end.
pub(crate) struct RestartAttributes {
    /// Kept for the pointer to it in the attributes.
    _oids: Vec<u32>,
    head: *mut NDIS_RESTART_ATTRIBUTES,
}

impl RestartAttributes {
    /// What `adapter` is like now.
    pub(crate) fn of(adapter: &Adapter) -> Self {
        let (general, mut oids) =
            adapter.with_attributes(|attributes| (attributes.general(), attributes.oids.clone()));
        let attributes = NDIS_RESTART_GENERAL_ATTRIBUTES {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_DEFAULT,
                NDIS_RESTART_GENERAL_ATTRIBUTES_REVISION_2,
                NDIS_SIZEOF_RESTART_GENERAL_ATTRIBUTES_REVISION_2,
            ),
            MtuSize: general.MtuSize,
            MaxXmitLinkSpeed: general.MaxXmitLinkSpeed,
            MaxRcvLinkSpeed: general.MaxRcvLinkSpeed,
            LookaheadSize: general.LookaheadSize,
            MacOptions: general.MacOptions,
            SupportedPacketFilters: general.SupportedPacketFilters,
            MaxMulticastListSize: general.MaxMulticastListSize,
            AccessType: general.AccessType,
            ConnectionType: general.ConnectionType,
            SupportedStatistics: general.SupportedStatistics,
            DataBackFillSize: general.DataBackFillSize,
            ContextBackFillSize: general.ContextBackFillSize,
            SupportedOidList: oids.as_mut_ptr(),
            SupportedOidListLength: (oids.len() * 4) as u32,
            ..NDIS_RESTART_GENERAL_ATTRIBUTES::zeroed()
        };
        let offset = std::mem::offset_of!(NDIS_RESTART_ATTRIBUTES, Data);
        let size = (offset + size_of_val(&attributes)).max(size_of::<NDIS_RESTART_ATTRIBUTES>());
        let head: *mut NDIS_RESTART_ATTRIBUTES =
            pool::allocate(size, *b"NDra", Kind::NonPaged).cast();
        let entry = NDIS_RESTART_ATTRIBUTES {
            Oid: OID_GEN_MINIPORT_RESTART_ATTRIBUTES,
            DataLength: size_of_val(&attributes) as u32,
            ..NDIS_RESTART_ATTRIBUTES::zeroed()
        };
        // SAFETY: the block is new and large enough.
        unsafe { head.write(entry) };
        let data = head.cast::<u8>().wrapping_add(offset);
        // SAFETY: `size` has room for the attributes from there on.
        unsafe {
            data.cast::<NDIS_RESTART_GENERAL_ATTRIBUTES>()
                .write_unaligned(attributes)
        };
        Self { _oids: oids, head }
    }

    /// The list's head, valid as long as this value, or until a filter exchanges it.
    pub(crate) fn as_ptr(&self) -> *mut NDIS_RESTART_ATTRIBUTES {
        self.head
    }

    /// A filter left the list beginning with `head`.
    pub(crate) fn replace(&mut self, head: *mut NDIS_RESTART_ATTRIBUTES) {
        self.head = head;
    }
}

impl Drop for RestartAttributes {
    fn drop(&mut self) {
        let mut next = self.head;
        while !next.is_null() {
            let entry = next;
            // SAFETY: the list's entries live until NDIS frees them, here.
            next = unsafe { (*entry).Next };
            pool::free(entry.cast(), None);
        }
    }
}
