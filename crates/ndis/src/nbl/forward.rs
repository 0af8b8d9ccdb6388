//! Sends on their way through an intermediate driver: the same NBL goes down with a record of ours
//! on its context stack, and comes back as it was.
//!
//! An NBL that its sender marked read-only stays as it is: a *carrier* goes down in its place, an NBL of
//! our own that describes the same frames with other first bytes.

use core::{marker::PhantomData, mem::offset_of, ptr::NonNull};

use ndis_sys as sys;

use super::{Chain, DerivedPool, Nbl, NetBuffer, NetBufferList};
use crate::{
    mem::POOL_ALIGNMENT,
    protocol::{BindingHandle, Protocol},
    status::{Result, Status},
};

/// Kind of an NBL that an upper driver entrusted to a miniport to be sent.
pub struct Outgoing;

/// Kind of an outgoing NBL that carries a record of this driver's, `P::SendContext`, until it is taken
/// back.
pub struct Forwarded<P>(PhantomData<P>);

impl<P: Protocol> Forwarded<P> {
    /// How many bytes of context space each NBL needs: what an adapter asks for as context backfill.
    pub const CONTEXT_SIZE: u32 = Record::<P::SendContext>::SIZE as u32;
}

/// What an intermediate driver must know again when a send comes back.
#[repr(C)]
struct Record<C> {
    /// The `SourceHandle` that the upper driver sent with: NDIS finds it by that, and it must be in
    /// its place when the NBL is completed.
    source: sys::NDIS_HANDLE,
    /// What a carrier carries.
    carried: Option<Carried>,
    context: C,
}

/// The NBL that a carrier stands for, and how many bytes of its own the carrier has in front.
#[derive(Clone, Copy)]
struct Carried {
    original: NonNull<sys::NET_BUFFER_LIST>,
    delta: u32,
}

impl Nbl<Outgoing> {
    /// Whether the sender forbids writing to the NBL and its frames: others may read the same memory.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.raw().NblFlags & sys::NDIS_NBL_FLAGS_SEND_READ_ONLY != 0
    }

    /// Puts a record on the NBL's context stack and makes it a send on `binding`.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    ///
    /// # Errors
    /// The NBL as it was, if there is no memory for the record.
    pub fn forward<P: Protocol>(
        self,
        binding: BindingHandle<P>,
        context: P::SendContext,
    ) -> core::result::Result<Nbl<Forwarded<P>>, Self> {
        let nbl = self.pointer();
        let record = Record {
            source: self.raw().SourceHandle,
            carried: None,
            context,
        };
        // SAFETY: the NBL is this driver's for now.
        if unsafe { record.push(nbl, binding) }.is_err() {
            return Err(self);
        }
        // SAFETY: the NBL stays this driver's; only its kind changes.
        Ok(unsafe { Nbl::from_raw(self.into_raw()) })
    }

    /// Makes a carrier for the NBL a send on `binding`: the first `skip` bytes of each frame are
    /// replaced by what `front` makes of that frame. The NBL itself is not changed.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    ///
    /// # Errors
    /// The NBL, with [`Status::RESOURCES`] if there is no memory, [`Status::INVALID_LENGTH`] if a frame
    /// has nothing behind `skip`, or what `front` says.
    pub fn forward_by_carrier<P: Protocol, const N: usize>(
        self,
        pool: &DerivedPool,
        binding: BindingHandle<P>,
        context: P::SendContext,
        skip: u32,
        front: impl Fn(&NetBuffer) -> Result<[u8; N]>,
    ) -> core::result::Result<Nbl<Forwarded<P>>, (Self, Status)> {
        let carried = Carried {
            original: self.pointer(),
            delta: N as u32,
        };
        let carrier = match pool.carrier(&self, skip, front) {
            Ok(carrier) => carrier,
            Err(status) => return Err((self, status)),
        };
        let record = Record {
            source: self.raw().SourceHandle,
            carried: Some(carried),
            context,
        };
        // SAFETY: the carrier is this driver's own.
        if let Err(status) = unsafe { record.push(carrier, binding) } {
            // SAFETY: the carrier was made with this many bytes in front, and nobody has it.
            unsafe { sys::NdisFreeFragmentNetBufferList(carrier.as_ptr(), carried.delta, 0) };
            return Err((self, status));
        }
        // The record keeps the original until the carrier comes back.
        let _original = self.into_raw();
        // SAFETY: the carrier is this driver's own, with a record on top.
        Ok(unsafe { Nbl::from_raw(carrier) })
    }
}

impl<P: Protocol> Nbl<Forwarded<P>> {
    /// The record that [`Nbl::forward`] put on the NBL.
    #[must_use]
    pub fn context(&self) -> &P::SendContext {
        // SAFETY: an NBL of this kind has a record of this type on top of its context stack: what
        // drivers below put there they have taken off before they completed the send.
        let record = unsafe { Record::<P::SendContext>::top_of(self.pointer()) };
        // SAFETY: the record stays there, and as it is, while the NBL is of this kind.
        &unsafe { record.as_ref() }.context
    }

    /// Takes the record off and makes the NBL the upper driver's again.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    #[must_use]
    pub fn take_back(self) -> (Nbl<Outgoing>, P::SendContext) {
        let mut nbl = self.into_raw();
        // SAFETY: as in `context`.
        let record = unsafe { Record::<P::SendContext>::top_of(nbl) };
        // SAFETY: the record is read once: its space is freed below.
        let record = unsafe { record.read() };
        // SAFETY: the NBL is this driver's again, and the space on top is what `forward` allocated,
        // with that size (NdisFreeNetBufferListContext).
        unsafe { sys::NdisFreeNetBufferListContext(nbl.as_ptr(), Record::<P::SendContext>::SIZE) };
        if let Some(Carried {
            mut original,
            delta,
        }) = record.carried
        {
            // SAFETY: the carrier is this driver's again.
            let carrier = unsafe { NetBufferList::from_raw(nbl) };
            let (status, sent) = (carrier.raw().Status, carrier.offload_words());
            // SAFETY: the original has been this driver's all the time.
            unsafe { original.as_mut() }.Status = status;
            // SAFETY: as above.
            let view = unsafe { NetBufferList::from_raw_mut(original) };
            view.set_large_send_result(sent);
            // SAFETY: the carrier was made with this many bytes in front, and nothing is on its
            // context stack any more (NdisFreeFragmentNetBufferList).
            unsafe { sys::NdisFreeFragmentNetBufferList(nbl.as_ptr(), delta, 0) };
            // SAFETY: `forward_by_carrier` left the original to the record.
            return (unsafe { Nbl::from_raw(original) }, record.context);
        }
        // SAFETY: the NBL is this driver's.
        unsafe { nbl.as_mut() }.SourceHandle = record.source;
        // SAFETY: the NBL stays this driver's; only its kind changes.
        (unsafe { Nbl::from_raw(nbl) }, record.context)
    }
}

impl<P: Protocol> Chain<Forwarded<P>> {
    /// A chain that came back to `ProtocolSendNetBufferListsComplete`.
    ///
    /// # Safety
    /// As for [`Chain::from_raw`]; and every NBL was sent by this driver with a record of `P`'s.
    pub(crate) unsafe fn completed(head: *mut sys::NET_BUFFER_LIST) -> Self {
        // SAFETY: as the caller says.
        unsafe { Self::from_raw(head) }
    }
}

impl<C> Record<C> {
    /// In bytes: NDIS wants a multiple of MEMORY_ALLOCATION_ALIGNMENT.
    const SIZE: u16 = {
        assert!(
            align_of::<Self>() <= align_of::<usize>(),
            "context space is pointer aligned"
        );
        let size = size_of::<Self>().next_multiple_of(POOL_ALIGNMENT);
        assert!(
            size <= 256,
            "a record travels with every NBL: keep it small"
        );
        size as u16
    };

    /// Puts the record on top of an NBL's context stack and makes the NBL a send on `binding`.
    ///
    /// # Safety
    /// The NBL is this driver's for now.
    unsafe fn push<P>(
        self,
        mut nbl: NonNull<sys::NET_BUFFER_LIST>,
        binding: BindingHandle<P>,
    ) -> Result
    where
        P: Protocol<SendContext = C>,
    {
        // SAFETY: the NBL is this driver's for now, says the caller, and the size is a multiple of
        // MEMORY_ALLOCATION_ALIGNMENT (NdisAllocateNetBufferListContext).
        let status = unsafe {
            sys::NdisAllocateNetBufferListContext(nbl.as_ptr(), Self::SIZE, 0, CONTEXT_TAG)
        };
        Status::from_raw(status).ok()?;
        // SAFETY: the context space just allocated is on top.
        let top = unsafe { Self::top_of(nbl) };
        // SAFETY: it is large enough for the record, and aligned to a pointer's size.
        unsafe { top.write(self) };
        // SAFETY: the NBL is this driver's for now, says the caller.
        unsafe { nbl.as_mut() }.SourceHandle = binding.raw();
        Ok(())
    }

    /// The space on top of the NBL's context stack (`NET_BUFFER_LIST_CONTEXT_DATA_START`).
    ///
    /// # Safety
    /// The NBL is valid and has context space.
    unsafe fn top_of(nbl: NonNull<sys::NET_BUFFER_LIST>) -> NonNull<Self> {
        // SAFETY: the caller says that the NBL is valid.
        let context = unsafe { nbl.as_ref() }.Context;
        // SAFETY: the caller says that the NBL has context space, so `Context` points at it.
        let offset = usize::from(unsafe { (*context).Offset });
        let data = offset_of!(sys::NET_BUFFER_LIST_CONTEXT, ContextData) + offset;
        // SAFETY: the data begins behind the header, `Offset` bytes into the allocation.
        let top = unsafe { context.cast::<u8>().add(data) };
        // SAFETY: a pointer into an allocation is not null.
        unsafe { NonNull::new_unchecked(top.cast()) }
    }
}

/// Pool tag of NBL context space, `NmxC` as the debugger shows it.
const CONTEXT_TAG: u32 = u32::from_le_bytes(*b"NmxC");
