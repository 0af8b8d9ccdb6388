//! IRQL as a value.

use core::marker::PhantomData;

/// Proof that the code runs at PASSIVE_LEVEL, lent for the length of a callback.
///
/// A function that takes one must not be called with a spin lock held. The type cannot be sent to
/// another thread or kept past the callback that got it.
#[derive(Clone, Copy)]
pub struct Passive<'callback>(PhantomData<*mut &'callback ()>);

impl Passive<'_> {
    /// States that the current code runs at PASSIVE_LEVEL.
    ///
    /// # Safety
    /// It does, and goes on to for the lifetime of the value: the caller is the entry point of a
    /// callback whose documentation gives IRQL = PASSIVE_LEVEL.
    #[must_use]
    pub const unsafe fn assume() -> Self {
        Self(PhantomData)
    }
}
