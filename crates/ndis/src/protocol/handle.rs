//! What a driver calls on one of its bindings.

use core::{
    ffi::c_void,
    marker::PhantomData,
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use ndis_sys as sys;

use super::Protocol;
use crate::{
    configuration::Configuration,
    irql::Passive,
    nbl::{Chain, Forwarded, Incoming},
    status::Result,
};

/// NDIS's handle of a binding.
///
/// It is valid from [`opened`](super::Protocol::opened) until [`unbind`](super::Protocol::unbind)
/// returns; the driver must not use it after. No type can show that: a driver counts what is under
/// way on a binding in a [`Gate`](crate::sync::Gate) that it shuts before.
///
/// It belongs to bindings of `P`: what is sent and asked through it comes back to `P`, with the
/// records and tokens of `P`'s types.
pub struct BindingHandle<P> {
    raw: sys::NDIS_HANDLE,
    protocol: PhantomData<fn() -> P>,
}

impl<P> Clone for BindingHandle<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for BindingHandle<P> {}

// SAFETY: an opaque number that NDIS takes on any thread.
unsafe impl<P> Send for BindingHandle<P> {}
// SAFETY: as above.
unsafe impl<P> Sync for BindingHandle<P> {}

/// A place for the handle that any thread may look at: nothing before the binding is open, and
/// nothing after.
pub struct HandleCell<P> {
    raw: AtomicPtr<c_void>,
    protocol: PhantomData<fn() -> P>,
}

impl<P> Default for HandleCell<P> {
    fn default() -> Self {
        Self {
            raw: AtomicPtr::new(ptr::null_mut()),
            protocol: PhantomData,
        }
    }
}

impl<P: Protocol> HandleCell<P> {
    /// Puts the handle in its place, or takes it out.
    pub fn set(&self, handle: Option<BindingHandle<P>>) {
        let raw = handle.map_or(ptr::null_mut(), BindingHandle::raw);
        self.raw.store(raw, Ordering::Release);
    }

    /// The handle, while the binding is open.
    #[must_use]
    pub fn get(&self) -> Option<BindingHandle<P>> {
        let raw = self.raw.load(Ordering::Acquire);
        (!raw.is_null()).then_some(BindingHandle::from_raw(raw))
    }
}

impl<P: Protocol> BindingHandle<P> {
    pub(crate) const fn from_raw(raw: sys::NDIS_HANDLE) -> Self {
        Self {
            raw,
            protocol: PhantomData,
        }
    }

    pub(crate) const fn raw(self) -> sys::NDIS_HANDLE {
        self.raw
    }

    /// Sends. Every NBL comes back to [`send_complete`](super::Protocol::send_complete).
    ///
    /// The flag that asks for loopback is not passed on: the upper drivers' own frames are looped
    /// back above, where they were sent.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NdisSendNetBufferLists.
    pub fn send(self, sends: Chain<Forwarded<P>>, at_dispatch: bool) {
        if sends.is_empty() {
            return;
        }
        let flags = if at_dispatch {
            sys::NDIS_SEND_FLAGS_DISPATCH_LEVEL
        } else {
            0
        };
        // SAFETY: the binding is open and running, and every NBL of the chain has it as source.
        unsafe {
            sys::NdisSendNetBufferLists(
                self.raw,
                sends.into_raw(),
                sys::NDIS_DEFAULT_PORT_NUMBER,
                flags,
            );
        };
    }

    /// Gives received frames back to the driver below.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NdisReturnNetBufferLists.
    pub fn return_received(self, frames: Chain<Incoming>, at_dispatch: bool) {
        if frames.is_empty() {
            return;
        }
        let flags = if at_dispatch {
            sys::NDIS_RETURN_FLAGS_DISPATCH_LEVEL
        } else {
            0
        };
        // SAFETY: the frames came from this binding, which is open, and are unchanged.
        unsafe { sys::NdisReturnNetBufferLists(self.raw, frames.into_raw(), flags) };
    }

    /// Asks the drivers below to complete sends with this cancel ID early.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NdisCancelSendNetBufferLists.
    pub fn cancel_sends(self, cancel_id: usize) {
        let id = ptr::without_provenance_mut(cancel_id);
        // SAFETY: the binding is open for the whole call; the ID is a number that drivers compare.
        unsafe { sys::NdisCancelSendNetBufferLists(self.raw, id) };
    }

    /// The configuration of the binding in the registry.
    ///
    /// # Errors
    /// What `NdisOpenConfigurationEx` says.
    pub fn configuration<'callback>(
        self,
        _at: Passive<'callback>,
    ) -> Result<Configuration<'callback>> {
        // SAFETY: the binding is open, and stays so for the callback that PASSIVE_LEVEL belongs to.
        unsafe { Configuration::open(self.raw) }
    }
}
