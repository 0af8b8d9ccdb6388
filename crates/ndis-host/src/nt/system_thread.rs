//! Threads that drivers start.
//!
//! A thread's object is a block of pool with a dispatcher header, so that drivers wait for its end. It
//! lives as long as the thread, a handle or a reference does.

use std::arch::naked_asm;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::c_void;

use ndis_sys::nt::{
    KEVENT, NTSTATUS, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER, STATUS_SUCCESS,
    ULONG,
};

use super::dispatcher;
use super::handle::{self, Object};
use super::irql::Irql;
use super::pool::{self, Kind};
use super::sched::{self, Guard, Monitor};
use crate::call;
use crate::ddi;
use crate::faults::should_fail;
use crate::rules;

/// KSTART_ROUTINE.
type Start = unsafe extern "efiapi" fn(*mut c_void);

/// Takes a reference to a thread's object; answers with how many there are.
pub(super) fn reference(thread: usize) -> usize {
    let mut threads = THREADS.lock();
    let Some(found) = threads.get_mut(&thread) else {
        drop(threads);
        no_object(thread);
    };
    found.references += 1;
    found.references
}

/// Gives a reference to a thread's object back.
pub(super) fn dereference(thread: usize) {
    give_back(THREADS.lock(), thread);
}

fn give_back(mut threads: Guard<'_, BTreeMap<usize, Thread>>, thread: usize) {
    let Some(found) = threads.get_mut(&thread) else {
        drop(threads);
        no_object(thread);
    };
    found.references -= 1;
    if found.references == 0 {
        threads.remove(&thread);
        drop(threads);
        pool::free(thread as *mut u8, Some(TAG.into()));
    }
}

/// Ends the run if code within `image`, which was unloaded, has a thread that runs.
pub(super) fn check_left_nothing(image: impl Fn(usize) -> bool) {
    let threads = THREADS.lock();
    let runs = threads
        .values()
        .find(|thread| thread.runs && image(thread.start));
    let start = runs.map(|thread| thread.start);
    drop(threads);
    if let Some(start) = start {
        rules::broken(
            &rules::UNLOADED_WITH_PENDING,
            format_args!(
                "the thread that begins at {} still runs",
                call::CodeAddress::of(start)
            ),
        );
    }
}

ddi! { "ntoskrnl.exe":
    /// Starts a thread (`nf-wdm-pscreatesystemthread.md`). STATUS_SUCCESS,
    /// STATUS_INSUFFICIENT_RESOURCES, or STATUS_INVALID_PARAMETER for a process other than the system.
    [PASSIVE..=PASSIVE, unchecked] fn PsCreateSystemThread(
        out: *mut usize,
        _access: ULONG,
        _attributes: *mut c_void,
        process: *mut c_void,
        _client: *mut c_void,
        start: Option<Start>,
        context: *mut c_void,
    ) -> NTSTATUS {
        let Some(start) = start.filter(|_| process.is_null()) else {
            return STATUS_INVALID_PARAMETER;
        };
        if should_fail("PsCreateSystemThread") {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        let object = pool::allocate(size_of::<KEVENT>(), TAG, Kind::NonPaged);
        if object.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        let event = object.cast::<KEVENT>();
        // SAFETY: the block was just allocated for one.
        unsafe { dispatcher::initialize_event(event, dispatcher::Kind::NotificationEvent, false) };
        let thread = Thread { references: 2, runs: true, start: start as usize };
        let object = object as usize;
        THREADS.lock().insert(object, thread);
        let new = handle::open(Object::Thread(object));
        // SAFETY: the driver gives the place for the handle (the function's document).
        unsafe { out.write(new) };
        let context = context as usize;
        sched::spawn("system thread", move || run(object, start, context as *mut c_void));
        STATUS_SUCCESS
    }

    /// Ends the calling thread (`nf-wdm-psterminatesystemthread.md`). STATUS_INVALID_PARAMETER if the
    /// driver did not start it.
    [PASSIVE..=PASSIVE, unchecked] fn PsTerminateSystemThread(_status: NTSTATUS) -> NTSTATUS {
        let stack = STACK.take();
        if stack == 0 {
            return STATUS_INVALID_PARAMETER;
        }
        // SAFETY: the stack pointer is the one that `enter`, further up this stack, stored; between it
        // and here are the driver's frames, and that of this call, whose place in the list of calls ends
        // with the thread.
        unsafe { leave(stack) }
    }
}

fn run(object: usize, start: Start, context: *mut c_void) {
    call::callback("ThreadStart", Irql::PASSIVE..=Irql::PASSIVE, || {
        let place = STACK.with(Cell::as_ptr);
        // SAFETY: the driver gave this function with this context; the place is this thread's own.
        unsafe { enter(start, context, place) };
    });
    STACK.set(0);
    // In one step: who waited for the end finds the thread's own reference gone.
    let mut threads = THREADS.lock();
    let thread = threads.get_mut(&object);
    let thread = thread.expect("the thread's own reference keeps its object");
    thread.runs = false;
    // SAFETY: the object lives, and nobody takes it away while the table is locked.
    unsafe { dispatcher::set_event(object as *mut KEVENT) };
    give_back(threads, object);
}

/// Calls `start(context)`, and notes in `stack` where [`leave`] goes on.
///
/// # Safety
/// `start` may be called with `context`, and `stack` may be written.
#[unsafe(naked)]
unsafe extern "sysv64" fn enter(start: Start, context: *mut c_void, stack: *mut usize) {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        // The room that the Microsoft convention wants, and 16-byte alignment.
        "sub rsp, 40",
        "mov [rdx], rsp",
        "mov rcx, rsi",
        "call rdi",
        "add rsp, 40",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// Returns from [`enter`], whatever was called meanwhile.
///
/// # Safety
/// `stack` is what `enter` stored in this thread and has not returned from; no frame above it holds
/// anything that must be dropped.
#[unsafe(naked)]
unsafe extern "sysv64" fn leave(stack: usize) -> ! {
    naked_asm!(
        "mov rsp, rdi",
        "add rsp, 40",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

fn no_object(object: usize) -> ! {
    rules::broken(
        &rules::REFERENCE_BY_POINTER,
        format_args!("{object:#x} is no object that a reference was given out for"),
    )
}

struct Thread {
    /// By the thread itself, handles and references.
    references: usize,
    runs: bool,
    start: usize,
}

const TAG: [u8; 4] = *b"Thre";

static THREADS: Monitor<BTreeMap<usize, Thread>> = Monitor::new(BTreeMap::new());

thread_local! {
    /// Where a thread of a driver ends; 0 in others.
    static STACK: Cell<usize> = const { Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use std::ptr;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::nt::handle::{ObReferenceObjectByHandle, ObfDereferenceObject, ZwClose};
    use crate::rules::testing::assert_broken;

    fn start(routine: Start, context: *const AtomicU32) -> *mut c_void {
        let (mut handle, null) = (0, ptr::null_mut());
        let context = context.cast_mut().cast();
        // SAFETY: the pointers are to variables that live long enough, or null.
        let status = unsafe {
            PsCreateSystemThread(&raw mut handle, 0, null, null, null, Some(routine), context)
        };
        assert_eq!(status, STATUS_SUCCESS);
        let mut object = ptr::null_mut();
        // SAFETY: as above.
        let status =
            unsafe { ObReferenceObjectByHandle(handle, 0, null, 0, &raw mut object, null) };
        assert_eq!(status, STATUS_SUCCESS);
        // SAFETY: the handle was just given out.
        unsafe { ZwClose(handle) };
        object
    }

    fn wait(object: *mut c_void) -> bool {
        // SAFETY: the reference keeps the object.
        unsafe { dispatcher::wait(object, Some(Duration::from_secs(10))) }
    }

    unsafe extern "efiapi" fn terminate(count: *mut c_void) {
        // SAFETY: the tests give such a counter.
        unsafe { &*count.cast::<AtomicU32>() }.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the function reads its argument only.
        unsafe { PsTerminateSystemThread(STATUS_SUCCESS) };
        unreachable!("the thread has ended");
    }

    #[test]
    fn a_thread_ends_where_it_says_and_whoever_waits_sees_it() {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let object = start(terminate, &raw const COUNT);
        assert!(wait(object));
        assert_eq!(COUNT.load(Ordering::SeqCst), 1);
        // SAFETY: the reference is given back once.
        unsafe { ObfDereferenceObject(object) };
    }

    #[test]
    fn other_threads_do_not_end_this_way() {
        // SAFETY: the function reads its argument only.
        let status = unsafe { PsTerminateSystemThread(STATUS_SUCCESS) };
        assert_eq!(status, STATUS_INVALID_PARAMETER);
    }

    #[test]
    fn giving_a_reference_back_too_often_breaks_its_rule() {
        assert_broken(&rules::REFERENCE_BY_POINTER, &["no object"], || {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let object = start(terminate, &raw const COUNT);
            wait(object);
            // SAFETY: the object is only looked up, twice.
            unsafe { ObfDereferenceObject(object) };
            // SAFETY: as above.
            unsafe { ObfDereferenceObject(object) };
        });
    }

    #[test]
    fn a_thread_that_runs_at_unload_breaks_its_rule() {
        unsafe extern "efiapi" fn sleep(_: *mut c_void) {
            sched::sleep(Duration::from_secs(10));
        }
        assert_broken(&rules::UNLOADED_WITH_PENDING, &["still runs"], || {
            start(sleep, ptr::null());
            check_left_nothing(|_| true);
        });
    }
}
