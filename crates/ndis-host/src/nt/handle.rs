//! Handles of the kernel, and references to what they stand for: registry keys and threads.

use std::collections::BTreeMap;
use std::ffi::c_void;

use ndis_sys::nt::{KPROCESSOR_MODE, NTSTATUS, STATUS_SUCCESS};
use ndis_sys::{ACCESS_MASK, STATUS_OBJECT_TYPE_MISMATCH};

use super::sched::Monitor;
use super::system_thread;
use crate::call::{self, CodeAddress};
use crate::ddi;
use crate::rules;

/// What a handle stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Object {
    /// A registry key, by its path.
    Key(String),
    /// A thread, by the address of its object.
    Thread(usize),
}

/// A handle for the driver call that is under way.
pub(super) fn open(object: Object) -> usize {
    let mut handles = HANDLES.lock();
    handles.next += 4;
    let handle = FIRST | handles.next;
    let caller = call::caller_address();
    handles.open.insert(handle, (object, caller));
    handle
}

/// What an open handle stands for.
pub(super) fn resolve(handle: usize) -> Option<Object> {
    let handles = HANDLES.lock();
    handles.open.get(&handle).map(|(object, _)| object.clone())
}

/// Ends the run if code within `image`, which was unloaded, left a handle open.
pub(super) fn check_left_nothing(image: impl Fn(usize) -> bool) {
    let handles = HANDLES.lock();
    let left = handles.open.values().find(|(_, caller)| image(*caller));
    let left = left.cloned();
    drop(handles);
    if let Some((object, caller)) = left {
        rules::broken_at(
            &rules::RESOURCES_LEFT,
            format_args!(
                "a handle to {object:?} is open, from {}",
                CodeAddress::of(caller)
            ),
            caller,
        );
    }
}

ddi! { "ntoskrnl.exe":
    /// Closes a handle (`nf-ntifs-ntclose.md`). STATUS_SUCCESS.
    [PASSIVE..=PASSIVE, unchecked] fn ZwClose(handle: usize) -> NTSTATUS {
        let closed = HANDLES.lock().open.remove(&handle);
        match closed {
            Some((Object::Thread(thread), _)) => system_thread::dereference(thread),
            Some((Object::Key(_), _)) => {}
            None => rules::broken(
                &rules::INVALID_KERNEL_HANDLE,
                format_args!("ZwClose: {handle:#x} is no open handle"),
            ),
        }
        rules::held(&rules::INVALID_KERNEL_HANDLE);
        STATUS_SUCCESS
    }

    /// The object of a thread's handle, with a reference (`nf-wdm-obreferenceobjectbyhandle.md`).
    /// STATUS_SUCCESS, STATUS_INVALID_HANDLE, or STATUS_OBJECT_TYPE_MISMATCH: objects of keys are not
    /// given out.
    [PASSIVE..=PASSIVE, unchecked] fn ObReferenceObjectByHandle(
        handle: usize,
        _access: ACCESS_MASK,
        _object_type: *mut c_void,
        _mode: KPROCESSOR_MODE,
        object: *mut *mut c_void,
        _information: *mut c_void,
    ) -> NTSTATUS {
        let thread = match resolve(handle) {
            None => return STATUS_INVALID_HANDLE,
            Some(Object::Key(_)) => return STATUS_OBJECT_TYPE_MISMATCH,
            Some(Object::Thread(thread)) => thread,
        };
        system_thread::reference(thread);
        // SAFETY: the driver gives the place for the pointer (the function's document).
        unsafe { object.write(thread as *mut c_void) };
        STATUS_SUCCESS
    }

    /// Takes another reference to an object (`nf-wdm-obfreferenceobject.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ObfReferenceObject(object: *mut c_void) -> isize {
        system_thread::reference(object as usize) as isize
    }

    /// Gives a reference back (`nf-wdm-obdereferenceobject.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ObfDereferenceObject(object: *mut c_void) -> isize {
        system_thread::dereference(object as usize);
        0
    }
}

struct Handles {
    next: usize,
    open: BTreeMap<usize, (Object, usize)>,
}

const STATUS_INVALID_HANDLE: NTSTATUS = 0xC000_0008_u32.cast_signed();
/// Handles of the kernel have the highest bit.
const FIRST: usize = 0xffff_ffff_8000_0000;

static HANDLES: Monitor<Handles> = Monitor::new(Handles {
    next: 0,
    open: BTreeMap::new(),
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::assert_broken;

    #[test]
    fn a_closed_handle_stands_for_nothing() {
        let handle = open(Object::Key("x".to_owned()));
        assert_eq!(resolve(handle), Some(Object::Key("x".to_owned())));
        // SAFETY: the handle is only looked up.
        assert_eq!(unsafe { ZwClose(handle) }, STATUS_SUCCESS);
        assert_eq!(resolve(handle), None);
    }

    #[test]
    fn closing_what_is_no_handle_is_an_invalid_kernel_handle() {
        assert_broken(&rules::INVALID_KERNEL_HANDLE, &["0x1234"], || {
            // SAFETY: the handle is only looked up.
            unsafe { ZwClose(0x1234) };
        });
    }

    #[test]
    fn a_handle_left_at_unload_is_a_resource_left() {
        assert_broken(&rules::RESOURCES_LEFT, &["Key"], || {
            open(Object::Key("x".to_owned()));
            check_left_nothing(|_| true);
        });
    }
}
