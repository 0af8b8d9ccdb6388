//! The counters of a binding, and their way into the registry.

use core::{
    ptr,
    sync::atomic::{AtomicU32, Ordering},
};

use driver_registry::{Configuration, Name};
use ndis::{Passive, Status, sync::SpinLock};
use ndis_sys as sys;

use crate::binding::Binding;

/// What a binding has done, in frames.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) sent: AtomicU32,
    pub(crate) send_errors: AtomicU32,
    pub(crate) received: AtomicU32,
    pub(crate) damaged: AtomicU32,
}

impl Counters {
    /// Writes them to the registry of the binding of that handle, at PASSIVE_LEVEL.
    pub(crate) fn write(&self, binding: sys::NDIS_HANDLE) {
        // SAFETY: the adapter is open, and the caller at PASSIVE_LEVEL.
        let Some(configuration) = (unsafe { Configuration::open(binding) }) else {
            return;
        };
        let now = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        configuration.write(&SENT, now(&self.sent));
        configuration.write(&SEND_ERRORS, now(&self.send_errors));
        configuration.write(&RECEIVED, now(&self.received));
        configuration.write(&DAMAGED, now(&self.damaged));
    }
}

/// Makes a binding one of those that [`all`] is about; [`forget`] before it goes.
///
/// # Errors
/// There are too many bindings.
pub(crate) fn remember(binding: &Binding) -> ndis::Result {
    BINDINGS.with(|places| {
        let free = places.iter_mut().find(|place| place.0.is_null());
        free.ok_or(Status::RESOURCES)?.0 = ptr::from_ref(binding);
        binding.reports.open();
        Ok(())
    })
}

/// Nobody reaches a binding by [`all`] any more.
pub(crate) fn forget(binding: &Binding, at: Passive<'_>) {
    BINDINGS.with(|places| {
        for place in places {
            if ptr::eq(place.0, binding) {
                place.0 = ptr::null();
            }
        }
    });
    binding.reports.drain(at);
}

/// Writes the counters of all bindings.
pub(crate) fn all(_at: Passive<'_>) {
    for at in 0..SIZE {
        let binding = BINDINGS.with(|places| {
            // SAFETY: null, or a binding that is forgotten, under this lock, before it goes.
            let binding = unsafe { places[at].0.as_ref() }?;
            binding.reports.enter(1).then_some(ptr::from_ref(binding))
        });
        if let Some(binding) = binding {
            // SAFETY: the rundown was entered, and the binding does not go before it is left.
            let binding = unsafe { &*binding };
            binding.counters.write(binding.handle());
            binding.reports.leave(1);
        }
    }
}

/// Where a binding is remembered; null if it is free.
struct Place(*const Binding);

// SAFETY: a binding may be used on any thread, and the pointer says which.
unsafe impl Send for Place {}

static BINDINGS: SpinLock<[Place; SIZE]> = SpinLock::new([const { Place(ptr::null()) }; SIZE]);

/// How many bindings there can be.
const SIZE: usize = 32;

static SENT: Name<4> = Name::new(b"Sent");
static SEND_ERRORS: Name<10> = Name::new(b"SendErrors");
static RECEIVED: Name<8> = Name::new(b"Received");
static DAMAGED: Name<7> = Name::new(b"Damaged");
