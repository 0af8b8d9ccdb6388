//! NBLs, NBs and MDLs as values that can be asked: raw memory of NDIS, read and written in one place.
//!
//! A view is made once, where it is known that the pointer is good (the tables of the `nbl` module,
//! or the chain of a structure that is), and is then read without further proof.
//!
//! Not in here: who owns the structures, and what is allowed to whom.

use std::ffi::c_void;
use std::ptr;

use ndis_sys::{MDL, NDIS_HANDLE, NDIS_STATUS, NET_BUFFER, NET_BUFFER_LIST};

/// Declares a view with accessors: `name / set_name: Field as Type`.
macro_rules! view {
    (
        $(#[$attribute:meta])* $view:ident of $raw:ident {
            $( $(#[$member:meta])* $get:ident $(/ $set:ident)? : $field:ident as $type:ty; )*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) struct $view(std::ptr::NonNull<$raw>);

        // SAFETY: a view is an address; the structures are shared between threads by the rules of
        // NDIS, which the ownership table checks.
        unsafe impl Send for $view {}

        impl $view {
            /// The view of what `raw` points at, `None` for NULL.
            ///
            /// # Safety
            /// A live structure for as long as the view is used.
            pub(crate) unsafe fn from_raw(raw: *mut $raw) -> Option<Self> {
                std::ptr::NonNull::new(raw).map(Self)
            }

            pub(crate) fn raw(self) -> *mut $raw {
                self.0.as_ptr()
            }

            $(
                $(#[$member])*
                pub(crate) fn $get(self) -> $type {
                    // SAFETY: the view is of a live structure, by `from_raw`.
                    unsafe { (*self.0.as_ptr()).$field }
                }

                $(
                    pub(crate) fn $set(self, value: $type) {
                        // SAFETY: as for reading.
                        unsafe { (*self.0.as_ptr()).$field = value }
                    }
                )?
            )*
        }
    };
}
pub(crate) use view;

view! {
    /// A `NET_BUFFER_LIST`.
    Nbl of NET_BUFFER_LIST {
        raw_next / set_raw_next: Next as *mut NET_BUFFER_LIST;
        raw_first / set_raw_first: FirstNetBuffer as *mut NET_BUFFER;
        context / set_context: Context as *mut ndis_sys::NET_BUFFER_LIST_CONTEXT;
        parent: ParentNetBufferList as *mut NET_BUFFER_LIST;
        pool_handle / set_pool_handle: NdisPoolHandle as NDIS_HANDLE;
        source / set_source: SourceHandle as NDIS_HANDLE;
        flags / set_flags: NblFlags as u32;
        children: ChildRefCount as i32;
        status / set_status: Status as NDIS_STATUS;
        info / set_info: NetBufferListInfo as [*mut c_void; ndis_sys::MaxNetBufferListInfo];
        protocol_reserved: ProtocolReserved as [*mut c_void; 4];
    }
}

view! {
    /// A `NET_BUFFER`.
    Nb of NET_BUFFER {
        raw_next / set_raw_next: Next as *mut NET_BUFFER;
        raw_current / set_raw_current: CurrentMdl as *mut MDL;
        current_offset / set_current_offset: CurrentMdlOffset as u32;
        length / set_length: DataLength as u32;
        raw_chain / set_raw_chain: MdlChain as *mut MDL;
        offset / set_offset: DataOffset as u32;
        pool_handle / set_pool_handle: NdisPoolHandle as NDIS_HANDLE;
    }
}

view! {
    /// An `MDL`.
    Mdl of MDL {
        raw_next / set_raw_next: Next as *mut MDL;
        process / set_process: Process as *mut ndis_sys::nt::EPROCESS;
        byte_count: ByteCount as u32;
        byte_offset: ByteOffset as u32;
        start_va: StartVa as *mut c_void;
    }
}

impl Nbl {
    pub(crate) fn address(self) -> usize {
        self.raw() as usize
    }

    pub(crate) fn set_next(self, next: Option<Self>) {
        self.set_raw_next(next.map_or(ptr::null_mut(), Self::raw));
    }

    /// Leaves `value` in the fields that are its current owner's: whoever keeps something there for
    /// later loses it.
    pub(crate) fn poison(self, value: usize) {
        let value = value as *mut c_void;
        // SAFETY: the view is of a live structure, which the miniport that has it may write.
        let fields = unsafe { &mut *self.raw() };
        fields.Scratch = value;
        fields.MiniportReserved = [value; 2];
    }

    pub(crate) fn first(self) -> Option<Nb> {
        // SAFETY: the NBs of a live NBL are alive.
        unsafe { Nb::from_raw(self.raw_first()) }
    }

    /// Its NBs, in order.
    pub(crate) fn buffers(self) -> impl Iterator<Item = Nb> {
        std::iter::successors(self.first(), |nb| nb.next())
    }
}

impl Nb {
    pub(crate) fn address(self) -> usize {
        self.raw() as usize
    }

    pub(crate) fn next(self) -> Option<Self> {
        // SAFETY: the chain of a live NB leads to live NBs.
        unsafe { Self::from_raw(self.raw_next()) }
    }

    pub(crate) fn chain(self) -> Option<Mdl> {
        // SAFETY: the MDLs of a live NB are alive.
        unsafe { Mdl::from_raw(self.raw_chain()) }
    }

    pub(crate) fn current(self) -> Option<Mdl> {
        // SAFETY: as for the chain, of which it is a member.
        unsafe { Mdl::from_raw(self.raw_current()) }
    }

    /// Its MDLs from the start of the data space, in order.
    pub(crate) fn mdls(self) -> impl Iterator<Item = Mdl> {
        std::iter::successors(self.chain(), |mdl| mdl.next())
    }
}

impl Mdl {
    pub(crate) fn address(self) -> usize {
        self.raw() as usize
    }

    pub(crate) fn next(self) -> Option<Self> {
        // SAFETY: the chain of a live MDL leads to live MDLs.
        unsafe { Self::from_raw(self.raw_next()) }
    }

    /// The virtual address that it describes.
    pub(crate) fn virtual_address(self) -> *mut u8 {
        self.start_va()
            .cast::<u8>()
            .wrapping_add(self.byte_offset() as usize)
    }
}
