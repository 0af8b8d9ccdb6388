//! Who is plugged in where.

use core::ptr;

use ndis::{Status, sync::SpinLock};

use crate::adapter::Adapter;

/// Plugs an adapter into its cable; [`unplug`] before it goes.
///
/// # Errors
/// There are too many adapters.
pub(crate) fn plug(adapter: &Adapter) -> ndis::Result {
    SOCKETS.with(|sockets| {
        let free = sockets.iter_mut().find(|socket| socket.0.is_null());
        free.ok_or(Status::RESOURCES)?.0 = ptr::from_ref(adapter);
        Ok(())
    })
}

/// Unplugs an adapter. Nobody reaches it by the cable any more.
pub(crate) fn unplug(adapter: &Adapter) {
    SOCKETS.with(|sockets| {
        for socket in sockets {
            if ptr::eq(socket.0, adapter) {
                socket.0 = ptr::null();
            }
        }
    });
}

/// Calls `deliver` for each running adapter at the other ends of the cable, in which it is a guest: it
/// has entered the gate once, and leaves it after.
pub(crate) fn others(adapter: &Adapter, mut deliver: impl FnMut(&Adapter)) {
    for at in 0..SIZE {
        let other = SOCKETS.with(|sockets| {
            // SAFETY: null, or an adapter that is unplugged, under this lock, before it goes.
            let other = unsafe { sockets[at].0.as_ref() }?;
            let wanted = other.cable == adapter.cable && !ptr::eq(other, adapter);
            (wanted && other.gate.enter(1)).then_some(ptr::from_ref(other))
        });
        if let Some(other) = other {
            // SAFETY: the gate was entered, so the adapter's pause is not complete, and it is not halted.
            let other = unsafe { &*other };
            deliver(other);
            other.leave(1);
        }
    }
}

/// Where an adapter is plugged in; null if it is free.
struct Socket(*const Adapter);

// SAFETY: an adapter may be used on any thread, and the pointer says which.
unsafe impl Send for Socket {}

static SOCKETS: SpinLock<[Socket; SIZE]> = SpinLock::new([const { Socket(ptr::null()) }; SIZE]);

/// How many adapters there can be.
const SIZE: usize = 32;
