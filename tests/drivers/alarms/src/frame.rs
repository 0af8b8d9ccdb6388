//! Frames of a driver's own: an NBL with one NB, one MDL, and a block of nonpaged pool.

use core::ptr;

use crate::{TAG, call, sys};

/// An NBL. Whose it is at a time, the driver has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nbl(pub *mut sys::NET_BUFFER_LIST);

/// An NBL pool whose NBLs come with an NB each; null if there is no memory.
pub fn pool(owner: sys::NDIS_HANDLE) -> sys::NDIS_HANDLE {
    let mut parameters = sys::NET_BUFFER_LIST_POOL_PARAMETERS {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_DEFAULT,
            sys::NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
            sys::NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
        ),
        fAllocateNetBuffer: 1,
        PoolTag: TAG,
        ..sys::NET_BUFFER_LIST_POOL_PARAMETERS::zeroed()
    };
    call!(NdisAllocateNetBufferListPool(owner, &raw mut parameters))
}

/// A block of nonpaged pool; null if there is none.
pub fn allocate(bytes: usize) -> *mut u8 {
    call!(ExAllocatePool2(sys::POOL_FLAG_NON_PAGED, bytes, TAG)).cast()
}

/// Frees such a block.
pub fn free(block: *mut u8) {
    call!(ExFreePoolWithTag(block.cast(), TAG));
}

/// Writes one byte.
pub fn write(block: *mut u8, at: usize, byte: u8) {
    // SAFETY: none is claimed, as for `call!`.
    unsafe { block.wrapping_add(at).write_volatile(byte) };
}

/// Reads one byte.
pub fn read(block: *const u8, at: usize) -> u8 {
    // SAFETY: none is claimed, as for `call!`.
    unsafe { block.wrapping_add(at).read_volatile() }
}

impl Nbl {
    /// No NBL.
    pub const NONE: Self = Self(ptr::null_mut());

    /// A broadcast frame from `pool`, sent by `source`. `owner` is the handle of the driver's edge.
    pub fn frame(
        owner: sys::NDIS_HANDLE,
        pool: sys::NDIS_HANDLE,
        source: sys::NDIS_HANDLE,
    ) -> Option<Self> {
        let block = allocate(LENGTH);
        if block.is_null() {
            return None;
        }
        for at in 0..LENGTH - HEADROOM {
            let byte = match at {
                0..6 => 0xff,
                6 => 0x02,
                12 => 0x88,
                13 => 0xb5,
                _ => at as u8,
            };
            write(block, HEADROOM + at, byte);
        }
        let mdl = call!(NdisAllocateMdl(owner, block.cast(), LENGTH as u32));
        if mdl.is_null() {
            free(block);
            return None;
        }
        let nbl = call!(NdisAllocateNetBufferAndNetBufferList(
            pool,
            0,
            0,
            mdl,
            HEADROOM as u32,
            LENGTH - HEADROOM,
        ));
        if nbl.is_null() {
            call!(NdisFreeMdl(mdl));
            free(block);
            return None;
        }
        let nbl = Self(nbl);
        nbl.update(|it| it.SourceHandle = source);
        Some(nbl)
    }

    /// Frees what [`Nbl::frame`] made.
    pub fn free(self) {
        let mdl = self.mdl();
        // SAFETY: none is claimed, as for `call!`.
        let block = unsafe { (*mdl).MappedSystemVa };
        call!(NdisFreeNetBufferList(self.0));
        call!(NdisFreeMdl(mdl));
        free(block.cast());
    }

    /// The NBLs from this one on.
    pub fn chain(self) -> impl Iterator<Item = Self> {
        let mut next = self;
        core::iter::from_fn(move || {
            let current = next;
            if current == Self::NONE {
                return None;
            }
            next = Self(current.get().Next);
            Some(current)
        })
    }

    /// How many there are from this one on.
    pub fn count(self) -> u32 {
        self.chain().count() as u32
    }

    /// Gives each from this one on a status.
    pub fn set_status(self, status: sys::NDIS_STATUS) {
        for nbl in self.chain() {
            nbl.update(|it| it.Status = status);
        }
    }

    /// Its fields.
    pub fn get(self) -> sys::NET_BUFFER_LIST {
        // SAFETY: none is claimed, as for `call!`.
        unsafe { *self.0 }
    }

    /// Changes its fields.
    pub fn update(self, change: impl FnOnce(&mut sys::NET_BUFFER_LIST)) {
        // SAFETY: none is claimed, as for `call!`.
        change(unsafe { &mut *self.0 });
    }

    /// The first MDL of its first NB.
    pub fn mdl(self) -> *mut sys::MDL {
        let first = self.get().FirstNetBuffer;
        // SAFETY: none is claimed, as for `call!`.
        unsafe { (*first).MdlChain }
    }
}

/// Bytes of a frame's block.
const LENGTH: usize = 64;

/// Bytes of it before the frame.
const HEADROOM: usize = 4;
