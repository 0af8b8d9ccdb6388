//! The attributes that travel up the stack when it restarts.

use ndis_sys::{
    NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT, NDIS_RESTART_ATTRIBUTES,
    NDIS_RESTART_GENERAL_ATTRIBUTES, NDIS_RESTART_GENERAL_ATTRIBUTES_REVISION_2,
    NDIS_SIZEOF_RESTART_GENERAL_ATTRIBUTES_REVISION_2, OID_GEN_MINIPORT_RESTART_ATTRIBUTES,
};

use super::adapter::Adapter;

/// One `OID_GEN_MINIPORT_RESTART_ATTRIBUTES` entry, with the memory it needs.
pub(crate) struct RestartAttributes {
    /// Kept for the pointer to it in the attributes.
    _oids: Vec<u32>,
    entry: Box<Entry>,
}

#[repr(C, align(16))]
struct Entry {
    head: NDIS_RESTART_ATTRIBUTES,
    /// Room for what does not fit `Data`.
    rest: [u8; size_of::<NDIS_RESTART_GENERAL_ATTRIBUTES>()],
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
        let mut entry = Box::new(Entry {
            head: NDIS_RESTART_ATTRIBUTES {
                Oid: OID_GEN_MINIPORT_RESTART_ATTRIBUTES,
                DataLength: size_of_val(&attributes) as u32,
                ..NDIS_RESTART_ATTRIBUTES::zeroed()
            },
            rest: [0; _],
        });
        let offset = std::mem::offset_of!(NDIS_RESTART_ATTRIBUTES, Data);
        let data = (&raw mut *entry).cast::<u8>().wrapping_add(offset);
        // SAFETY: Data lies within the entry, and `rest` has room for all of the attributes.
        unsafe {
            data.cast::<NDIS_RESTART_GENERAL_ATTRIBUTES>()
                .write_unaligned(attributes)
        };
        Self { _oids: oids, entry }
    }

    /// The list's head, valid as long as this value.
    pub(crate) fn as_ptr(&mut self) -> *mut NDIS_RESTART_ATTRIBUTES {
        (&raw mut *self.entry).cast()
    }
}
