//! Receive side scaling: what an adapter can do (`NDIS_RECEIVE_SCALE_CAPABILITIES`).
//!
//! Not here: the parameters that are set, which travel as the bytes of their OID.

use core::{mem::MaybeUninit, ptr};

use ndis_sys as sys;

use crate::contract::Contract;

/// What an adapter's receive side scaling can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveScaling {
    /// `NDIS_RSS_CAPS_*`, and the hash functions.
    pub flags: u32,
    /// How many interrupt messages there are.
    pub interrupt_messages: u32,
    /// How many receive queues there are.
    pub queues: u32,
    /// How many entries an indirection table may have; 0 if the adapter does not say.
    pub table_entries: u16,
}

impl ReceiveScaling {
    /// Reads the capabilities behind a pointer, as far as their header says that they go. `None` if there
    /// are none.
    ///
    /// # Safety
    /// The pointer is null, or there are as many bytes as the header behind it says.
    pub(crate) unsafe fn read_raw(
        raw: *const sys::NDIS_RECEIVE_SCALE_CAPABILITIES,
    ) -> Option<Self> {
        // SAFETY: as the caller says.
        let header = unsafe { raw.cast::<sys::NDIS_OBJECT_HEADER>().as_ref() }?;
        let least = sys::NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_1;
        if header.Type != sys::NDIS_OBJECT_TYPE_RSS_CAPABILITIES || header.Size < least {
            return None;
        }
        let mut copy = MaybeUninit::<sys::NDIS_RECEIVE_SCALE_CAPABILITIES>::zeroed();
        let known = usize::from(header.Size).min(size_of_val(&copy));
        // SAFETY: both have `known` bytes, and do not overlap.
        unsafe { ptr::copy_nonoverlapping(raw.cast::<u8>(), copy.as_mut_ptr().cast(), known) };
        // SAFETY: the structure is integers throughout: any bytes are one.
        let copy = unsafe { copy.assume_init() };
        Some(Self {
            flags: copy.CapabilitiesFlags,
            interrupt_messages: copy.NumberOfInterruptMessages,
            queues: copy.NumberOfReceiveQueues,
            table_entries: copy.NumberOfIndirectionTableEntries,
        })
    }

    /// In the newest revision that the contract has.
    pub(crate) fn to_raw(self) -> sys::NDIS_RECEIVE_SCALE_CAPABILITIES {
        let minor = Contract::newest().map_or(0, Contract::minor);
        let (revision, size) = if minor >= 60 {
            (
                sys::NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_3,
                sys::NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_3,
            )
        } else {
            (
                sys::NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_2,
                sys::NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_2,
            )
        };
        sys::NDIS_RECEIVE_SCALE_CAPABILITIES {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_RSS_CAPABILITIES,
                Revision: revision,
                Size: size,
            },
            CapabilitiesFlags: self.flags,
            NumberOfInterruptMessages: self.interrupt_messages,
            NumberOfReceiveQueues: self.queues,
            NumberOfIndirectionTableEntries: self.table_entries,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_as_far_as_their_revision_goes() {
        let mut raw = sys::NDIS_RECEIVE_SCALE_CAPABILITIES::zeroed();
        raw.CapabilitiesFlags = 1;
        raw.NumberOfReceiveQueues = 3;
        raw.NumberOfIndirectionTableEntries = 4;
        let mut read = |kind, size| {
            raw.Header.Type = kind;
            raw.Header.Size = size;
            // SAFETY: the structure is as long as each of these sizes.
            unsafe { ReceiveScaling::read_raw(&raw const raw) }
        };
        let kind = sys::NDIS_OBJECT_TYPE_RSS_CAPABILITIES;
        let first = read(kind, 16).expect("they are some");
        assert_eq!((first.flags, first.queues, first.table_entries), (1, 3, 0));
        let second = read(kind, 18).expect("they are some");
        assert_eq!(second.table_entries, 4);
        assert_eq!(read(kind, 15), None);
        assert_eq!(read(sys::NDIS_OBJECT_TYPE_DEFAULT, 18), None);
        // SAFETY: null is allowed.
        assert_eq!(unsafe { ReceiveScaling::read_raw(ptr::null()) }, None);
    }
}
