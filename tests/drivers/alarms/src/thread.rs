//! A system thread of a driver's own.

use core::{ffi::c_void, ptr};

use crate::{SUCCESS, call};

/// A thread that was started.
#[derive(Clone, Copy, Debug)]
pub struct Thread {
    /// The handle of its object.
    pub handle: usize,
    /// Its object, with a reference.
    pub object: *mut c_void,
}

/// What a thread runs.
pub type Routine = unsafe extern "efiapi" fn(*mut c_void);

impl Thread {
    /// Starts a thread; none if there is no memory.
    pub fn start(routine: Routine) -> Option<Self> {
        let mut handle = 0;
        let null = ptr::null_mut();
        let status = call!(kernel::PsCreateSystemThread(
            &raw mut handle,
            0,
            null,
            null,
            null,
            Some(routine),
            null
        ));
        if status != SUCCESS {
            return None;
        }
        let mut object = null;
        call!(kernel::ObReferenceObjectByHandle(
            handle,
            0,
            null,
            0,
            &raw mut object,
            null
        ));
        Some(Self { handle, object })
    }

    /// Waits until it has ended.
    pub fn join(self) {
        let none = ptr::null_mut();
        call!(KeWaitForSingleObject(self.object, 0, 0, 0, none));
    }

    /// Gives handle and reference back.
    pub fn release(self) {
        call!(kernel::ObfDereferenceObject(self.object));
        call!(kernel::ZwClose(self.handle));
    }
}
