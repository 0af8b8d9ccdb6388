//! Received frames on their way up: what is indicated above is an NBL of this driver's own that
//! describes the received frame's memory, and never the received NBL itself.
//!
//! The received frame may be shared with other drivers that are bound to the same adapter, so
//! nothing of it is written to. A derived NBL has its own out-of-band data and, where the frame
//! needs another front, its own first bytes; the rest is the received memory. Several virtual
//! miniports can each get one, and each can be kept by whoever receives it.
//!
//! A [`Parent`] is counted in its NBL's `ChildRefCount`, as NDIS documents for derived NBLs: each
//! derived NBL holds one count, and whoever drops the last gets the received NBL back to return it.

use core::{
    mem::{self, ManuallyDrop},
    ptr::NonNull,
    sync::atomic::{AtomicI32, Ordering},
};

use ndis_sys as sys;

use super::{Chain, Nbl, NetBuffer, NetBufferList, OutOfBandTag, Outgoing};
use crate::{
    driver::MiniportRegistration,
    miniport::MiniportHandle,
    status::{Result, Status},
};

/// Kind of an NBL that a lower driver entrusted to a protocol, to be returned.
pub struct Incoming;

/// Kind of an NBL of our own that describes a received frame.
pub struct Derived;

/// A received NBL from which others are derived.
///
/// # Invariants
/// The NBL is valid and not written to, except for its `ChildRefCount`, which includes one for this
/// value and one for each NBL derived from it.
pub struct Parent {
    raw: NonNull<sys::NET_BUFFER_LIST>,
}

/// Received NBLs that go back to their owner when the callback that lent them returns
/// (`NDIS_RECEIVE_FLAGS_RESOURCES`).
pub struct Lent<'callback> {
    head: *mut sys::NET_BUFFER_LIST,
    callback: core::marker::PhantomData<&'callback ()>,
}

/// Lent NBLs from which others are derived.
///
/// # Invariants
/// Each NBL's `ChildRefCount` includes one for this value.
pub struct LentParents<'callback>(Lent<'callback>);

/// The pools that derived NBLs come from.
///
/// # Invariants
/// Both handles are valid; all NBLs of the pools are free when it is dropped.
pub struct DerivedPool {
    lists: sys::NDIS_HANDLE,
    buffers: sys::NDIS_HANDLE,
}

// SAFETY: NDIS serialises the use of a pool; the handles are valid on any thread.
unsafe impl Send for DerivedPool {}
// SAFETY: as above.
unsafe impl Sync for DerivedPool {}

impl Nbl<Incoming> {
    /// Makes the NBL a parent.
    #[must_use]
    pub fn into_parent(self) -> Parent {
        let raw = self.into_raw();
        // SAFETY: the NBL was owned by this driver until here.
        unsafe { Parent::begin(raw) }
    }
}

impl Parent {
    /// # Safety
    /// The NBL is valid and stays so until the last count is dropped.
    unsafe fn begin(raw: NonNull<sys::NET_BUFFER_LIST>) -> Self {
        let parent = Self { raw };
        parent.children().store(1, Ordering::Relaxed);
        parent
    }

    /// Drops this value's count. The NBL comes back if no derived one is left.
    #[must_use]
    pub fn release(self) -> Option<Nbl<Incoming>> {
        let raw = self.raw;
        let last = self.drop_count();
        // SAFETY: nobody counts the NBL any more, so it is this driver's alone, and its `Next` was
        // cleared when it was taken off its chain.
        last.then(|| unsafe { Nbl::from_raw(raw) })
    }

    fn drop_count(self) -> bool {
        let last = self.children().fetch_sub(1, Ordering::AcqRel) == 1;
        mem::forget(self);
        last
    }

    fn children(&self) -> &AtomicI32 {
        // SAFETY: by the invariant the NBL is valid; its `ChildRefCount` belongs to whoever owns it.
        let count = unsafe { &raw mut (*self.raw.as_ptr()).ChildRefCount };
        // SAFETY: the field is aligned, and from `begin` on accessed as an atomic only.
        unsafe { AtomicI32::from_ptr(count) }
    }
}

impl core::ops::Deref for Parent {
    type Target = NetBufferList;

    fn deref(&self) -> &NetBufferList {
        // SAFETY: by the invariant the NBL is valid and nobody writes to it.
        unsafe { NetBufferList::from_raw(self.raw) }
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        panic!("a received NBL was dropped instead of being released");
    }
}

impl<'callback> Lent<'callback> {
    /// # Safety
    /// `head` is a list of NBLs that stay valid and unchanged until the callback returns.
    pub(crate) unsafe fn from_raw(head: *mut sys::NET_BUFFER_LIST) -> Self {
        Self {
            head,
            callback: core::marker::PhantomData,
        }
    }

    /// Makes every NBL a parent, until the value that comes out is dropped.
    #[must_use]
    pub fn into_parents(self) -> LentParents<'callback> {
        for raw in self.lists() {
            // SAFETY: the NBLs stay valid until the callback returns, and the count taken here is
            // dropped before, with the value that comes out.
            mem::forget(unsafe { Parent::begin(raw) });
        }
        LentParents(self)
    }

    fn lists(&self) -> impl Iterator<Item = NonNull<sys::NET_BUFFER_LIST>> {
        let mut next = self.head;
        core::iter::from_fn(move || {
            let raw = NonNull::new(next)?;
            // SAFETY: every NBL of the list is valid, and the links are left as they are.
            next = unsafe { raw.as_ref() }.Next;
            Some(raw)
        })
    }
}

impl LentParents<'_> {
    /// The NBLs, in order.
    pub fn iter(&self) -> impl Iterator<Item = ManuallyDrop<Parent>> {
        self.0.lists().map(|raw| ManuallyDrop::new(Parent { raw }))
    }
}

impl Drop for LentParents<'_> {
    /// Gives the NBLs back as they were.
    ///
    /// # Panics
    /// If something derived is left: its memory would go away under it.
    fn drop(&mut self) {
        for raw in self.0.lists() {
            let last = Parent { raw }.drop_count();
            assert!(last, "an NBL derived from a lent one outlived its callback");
        }
    }
}

impl DerivedPool {
    /// Makes the pools.
    ///
    /// # Errors
    /// [`Status::RESOURCES`] if the system is short of memory.
    pub fn try_new(owner: &MiniportRegistration) -> Result<Self> {
        let mut lists = sys::NET_BUFFER_LIST_POOL_PARAMETERS {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_DEFAULT,
                Revision: sys::NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                Size: sys::NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
            },
            ProtocolId: sys::NDIS_PROTOCOL_ID_DEFAULT,
            PoolTag: POOL_TAG,
            ..sys::NET_BUFFER_LIST_POOL_PARAMETERS::zeroed()
        };
        let mut buffers = sys::NET_BUFFER_POOL_PARAMETERS {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_DEFAULT,
                Revision: sys::NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                Size: sys::NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1,
            },
            PoolTag: POOL_TAG,
            ..sys::NET_BUFFER_POOL_PARAMETERS::zeroed()
        };
        let owner = owner.handle();
        // SAFETY: the parameters are filled as the page wants them (NdisAllocateNetBufferListPool).
        let lists = unsafe { sys::NdisAllocateNetBufferListPool(owner, &raw mut lists) };
        if lists.is_null() {
            return Err(Status::RESOURCES);
        }
        // SAFETY: as above (NdisAllocateNetBufferPool).
        let buffers = unsafe { sys::NdisAllocateNetBufferPool(owner, &raw mut buffers) };
        if buffers.is_null() {
            // SAFETY: the pool was just made and is empty.
            unsafe { sys::NdisFreeNetBufferListPool(lists) };
            return Err(Status::RESOURCES);
        }
        Ok(Self { lists, buffers })
    }

    /// An NBL that describes the same frame as `parent`, to be indicated on `adapter`.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    ///
    /// # Errors
    /// [`Status::RESOURCES`] if there is no memory.
    pub fn clone_of(&self, parent: &Parent, adapter: MiniportHandle) -> Result<Nbl<Derived>> {
        // SAFETY: parent and pools are valid (NdisAllocateCloneNetBufferList).
        let clone = unsafe {
            sys::NdisAllocateCloneNetBufferList(
                parent.raw.as_ptr(),
                self.lists,
                self.buffers,
                CLONE_FLAGS,
            )
        };
        // SAFETY: null, or a new NBL derived from `parent`.
        unsafe { Nbl::derive(clone, parent, adapter, Origin::Clone) }
    }

    /// An NBL that describes the frame of `parent` with its first `skip` bytes replaced by `front`,
    /// to be indicated on `adapter`. The parent's memory is not touched: `front` has a buffer of
    /// its own, in one piece. Some of the frame must be left behind `skip`.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    ///
    /// # Errors
    /// [`Status::RESOURCES`] if there is no memory, [`Status::INVALID_LENGTH`] if nothing is left.
    pub fn fragment_of(
        &self,
        parent: &Parent,
        skip: u32,
        front: &[u8],
        adapter: MiniportHandle,
    ) -> Result<Nbl<Derived>> {
        let length = parent.buffers().next().map_or(0, NetBuffer::data_length);
        let rest = length.checked_sub(skip).filter(|&rest| rest > 0);
        let rest = rest.ok_or(Status::INVALID_LENGTH)?;
        let delta = front.len() as u32;
        // SAFETY: parent and pools are valid (NdisAllocateFragmentNetBufferList). One fragment
        // holds the whole rest of the frame.
        let fragment = unsafe {
            sys::NdisAllocateFragmentNetBufferList(
                parent.raw.as_ptr(),
                self.lists,
                self.buffers,
                skip,
                rest,
                delta,
                0,
                0,
            )
        };
        let origin = Origin::Fragment { delta };
        // SAFETY: null, or a new NBL derived from `parent`.
        let mut fragment = unsafe { Nbl::derive(fragment, parent, adapter, origin) }?;
        let written = fragment
            .buffers_mut()
            .try_for_each(|buffer| buffer.write_front(front));
        match written {
            Ok(()) => Ok(fragment),
            Err(status) => {
                let parent = Self::free(fragment);
                assert!(parent.is_none(), "the parent holds a count of its own");
                Err(status)
            }
        }
    }

    /// A carrier for an outgoing NBL: the first `skip` bytes of each frame are replaced by what `front`
    /// makes of that frame.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(super) fn carrier<const N: usize>(
        &self,
        original: &Nbl<Outgoing>,
        skip: u32,
        front: impl Fn(&NetBuffer) -> Result<[u8; N]>,
    ) -> Result<NonNull<sys::NET_BUFFER_LIST>> {
        let lengths = || original.buffers().map(NetBuffer::data_length);
        let longest = lengths().max().unwrap_or(0);
        if lengths().any(|length| length <= skip) {
            return Err(Status::INVALID_LENGTH);
        }
        let raw = original.pointer();
        // SAFETY: original and pools are valid (NdisAllocateFragmentNetBufferList). One fragment holds
        // the whole rest of each frame.
        let carrier = unsafe {
            sys::NdisAllocateFragmentNetBufferList(
                raw.as_ptr(),
                self.lists,
                self.buffers,
                skip,
                longest - skip,
                N as u32,
                0,
                0,
            )
        };
        let mut carrier = NonNull::new(carrier).ok_or(Status::RESOURCES)?;
        // SAFETY: both NBLs are valid (NdisCopySendNetBufferListInfo).
        unsafe { sys::NdisCopySendNetBufferListInfo(carrier.as_ptr(), raw.as_ptr()) };
        // SAFETY: nobody else knows of the new NBL.
        let list = unsafe { carrier.as_mut() };
        let uncopied = sys::UdpSegmentationOffloadInfo;
        list.NetBufferListInfo[uncopied] = original.raw().NetBufferListInfo[uncopied];
        list.Next = core::ptr::null_mut();
        list.ParentNetBufferList = raw.as_ptr();
        // SAFETY: as above.
        let view = unsafe { NetBufferList::from_raw_mut(carrier) };
        view.set_out_of_band_tag(OutOfBandTag::default());
        let written = view
            .buffers_mut()
            .zip(original.buffers())
            .try_for_each(|(to, from)| to.write_front(&front(from)?));
        if let Err(status) = written {
            // SAFETY: the NBL was just made with this many bytes in front, and nobody has it.
            unsafe { sys::NdisFreeFragmentNetBufferList(carrier.as_ptr(), N as u32, 0) };
            return Err(status);
        }
        Ok(carrier)
    }

    /// Frees a derived NBL. If it was the last one of a parent that was released, the received NBL
    /// comes out, to be returned.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    #[must_use]
    pub fn free(nbl: Nbl<Derived>) -> Option<Nbl<Incoming>> {
        let raw = nbl.into_raw();
        // SAFETY: the NBL is this driver's own.
        let list = unsafe { raw.as_ref() };
        let parent = list.ParentNetBufferList;
        match Origin::of(list) {
            // SAFETY: made by the function that this one undoes, with the same flags
            // (NdisFreeCloneNetBufferList).
            Origin::Clone => unsafe {
                sys::NdisFreeCloneNetBufferList(raw.as_ptr(), CLONE_FLAGS);
            },
            // SAFETY: as above, with the same offset and flags (NdisFreeFragmentNetBufferList).
            Origin::Fragment { delta } => unsafe {
                sys::NdisFreeFragmentNetBufferList(raw.as_ptr(), delta, 0);
            },
        }
        // SAFETY: a derived NBL always has a parent.
        let raw = unsafe { NonNull::new_unchecked(parent) };
        // The derived NBL's count of its parent passes to this value.
        let parent = Parent { raw };
        parent.release()
    }
}

impl Drop for DerivedPool {
    fn drop(&mut self) {
        // SAFETY: by the invariant the pool is valid and empty.
        unsafe { sys::NdisFreeNetBufferPool(self.buffers) };
        // SAFETY: as above.
        unsafe { sys::NdisFreeNetBufferListPool(self.lists) };
    }
}

impl Nbl<Derived> {
    /// Completes what NDIS leaves to the driver in a new derived NBL.
    ///
    /// # Safety
    /// `raw` is null or an NBL newly derived from `parent` in the way that `origin` says.
    unsafe fn derive(
        raw: *mut sys::NET_BUFFER_LIST,
        parent: &Parent,
        adapter: MiniportHandle,
        origin: Origin,
    ) -> Result<Self> {
        let mut raw = NonNull::new(raw).ok_or(Status::RESOURCES)?;
        // SAFETY: both NBLs are valid (NdisCopyReceiveNetBufferListInfo).
        unsafe { sys::NdisCopyReceiveNetBufferListInfo(raw.as_ptr(), parent.raw.as_ptr()) };
        parent.children().fetch_add(1, Ordering::Relaxed);
        // SAFETY: nobody else knows of the new NBL.
        let list = unsafe { raw.as_mut() };
        for uncopied in [sys::TcpRecvSegCoalesceInfo, sys::RscTcpTimestampDelta] {
            list.NetBufferListInfo[uncopied] = parent.raw().NetBufferListInfo[uncopied];
        }
        list.Next = core::ptr::null_mut();
        list.ParentNetBufferList = parent.raw.as_ptr();
        list.SourceHandle = adapter.raw();
        list.NblFlags = parent.raw().NblFlags & origin.inherited_flags();
        list.Status = sys::NDIS_STATUS_SUCCESS;
        list.MiniportReserved[0] = origin.to_word();
        // SAFETY: the NBL is this driver's own and complete.
        Ok(unsafe { Self::from_raw(raw) })
    }
}

impl Chain<Derived> {
    /// Frees every NBL. What comes out is to be returned to the driver below.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    #[must_use]
    pub fn free(mut self) -> Chain<Incoming> {
        let mut parents = Chain::new();
        while let Some(nbl) = self.pop() {
            if let Some(parent) = DerivedPool::free(nbl) {
                parents.push(parent);
            }
        }
        parents
    }
}

/// How a derived NBL was made, and so how it is freed. It stands in `MiniportReserved`, which
/// belongs to the miniport that indicates the NBL: this driver.
#[derive(Clone, Copy)]
enum Origin {
    Clone,
    /// With this many bytes of its own in front: one at least.
    Fragment {
        delta: u32,
    },
}

impl Origin {
    fn to_word(self) -> sys::PVOID {
        core::ptr::without_provenance_mut(match self {
            Self::Clone => 0,
            Self::Fragment { delta } => delta as usize,
        })
    }

    fn of(list: &sys::NET_BUFFER_LIST) -> Self {
        match list.MiniportReserved[0].addr() as u32 {
            0 => Self::Clone,
            delta => Self::Fragment { delta },
        }
    }

    /// Which of the parent's flags hold for the derived NBL: where a fragment's headers are split is
    /// another place.
    const fn inherited_flags(self) -> u32 {
        match self {
            Self::Clone => u32::MAX,
            Self::Fragment { .. } => {
                !(sys::NDIS_NBL_FLAGS_HD_SPLIT
                    | sys::NDIS_NBL_FLAGS_SPLIT_AT_UPPER_LAYER_PROTOCOL_HEADER
                    | sys::NDIS_NBL_FLAGS_SPLIT_AT_UPPER_LAYER_PROTOCOL_PAYLOAD)
            }
        }
    }
}

/// The clone refers to the parent's MDLs, which nobody changes while the parent is counted.
const CLONE_FLAGS: u32 = sys::NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS;

/// Pool tag of derived NBLs, `NmxD` as the debugger shows it.
const POOL_TAG: u32 = u32::from_le_bytes(*b"NmxD");
