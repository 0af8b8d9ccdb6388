//! Requests: sent to a device, completed once, cancelled.
//!
//! Each IRP is a block of pool with its one stack location, and is gone when it is completed, as are
//! its buffers: a driver that touches them after `IofCompleteRequest` faults. When the dispatch
//! routine returns, what it returned is held against whether it marked the request pending and whether
//! it completed it.
//!
//! Not here: requests of drivers of their own, and stacks of devices. No function is exported that
//! would make either.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ndis_sys::nt::{
    NTSTATUS, STATUS_INVALID_DEVICE_REQUEST, STATUS_PENDING, STATUS_SUCCESS, UCHAR, USHORT,
    UserMode,
};
use ndis_sys::{
    CCHAR, DEVICE_OBJECT, DRIVER_DISPATCH, FILE_OBJECT, IO_PARAMETERS, IO_STACK_LOCATION, IRP,
    IRP_MJ_CLEANUP, IRP_MJ_CLOSE, IRP_MJ_CREATE, IRP_MJ_DEVICE_CONTROL, IRP_MJ_READ, IRP_MJ_WRITE,
    IoSetCancelRoutine, SL_PENDING_RETURNED,
};

use super::buffers::{Buffers, Transfer};
use super::device;
use crate::call;
use crate::ddi;
use crate::nt::irql::Irql;
use crate::nt::pool::{self, Kind};
use crate::nt::sched::Monitor;
use crate::nt::{spin_lock, thread};
use crate::rules;

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `IoStatus.Status`.
    pub status: NTSTATUS,
    /// `IoStatus.Information`.
    pub information: usize,
    /// The output buffer: `information` bytes where the I/O manager copies, else all of it; nothing
    /// if the request failed.
    pub output: Vec<u8>,
}

/// What a device is asked.
pub(super) struct Asked {
    pub(super) device: usize,
    pub(super) file: *mut FILE_OBJECT,
    pub(super) major: UCHAR,
    pub(super) parameters: IO_PARAMETERS,
    pub(super) transfer: Option<Transfer>,
}

/// A request on its way.
pub(super) struct Request {
    irp: usize,
    device: usize,
    major: UCHAR,
    /// Bytes that it may say it transferred.
    limit: usize,
    text: String,
    state: Monitor<State>,
}

struct State {
    buffers: Buffers,
    /// The end, and whether the driver had marked the request pending.
    outcome: Option<(Outcome, bool)>,
}

/// Sends a request to the device's driver, in this thread, at PASSIVE_LEVEL.
pub(super) fn send(asked: Asked) -> Arc<Request> {
    let request = prepare(asked);
    let irp = request.irp as *mut IRP;
    let object = request.device as *mut DEVICE_OBJECT;
    let function = device::function_of(request.device, request.major);
    let function = function.unwrap_or(match request.major {
        IRP_MJ_CLEANUP | IRP_MJ_CLOSE => accept_request,
        _ => refuse_request,
    });
    let name = routine_of(request.major);
    let returned = call::callback(name, Irql::PASSIVE..=Irql::PASSIVE, || {
        // SAFETY: the function is the driver's for this kind of request; the device lives while it is
        // open, and the IRP was just made.
        unsafe { function(object, irp) }
    });
    request.check_return(name, returned);
    request
}

impl Request {
    /// Waits for the end, at most for `timeout`.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> Option<Outcome> {
        self.state.wait_until(timeout, |state| {
            let (outcome, _) = state.outcome.as_ref()?;
            Some(outcome.clone())
        })
    }

    /// Asks the driver to cancel the request, if it waits where it can be cancelled
    /// (`nf-wdm-iocancelirp.md`). Answers whether a cancel routine ran.
    pub(super) fn cancel(&self) -> bool {
        let irp = self.irp as *mut IRP;
        let old = spin_lock::acquire_cancel();
        let routine = {
            let state = self.state.lock();
            if state.outcome.is_some() {
                None
            } else {
                // SAFETY: the request is not completed, and completing it takes the lock held here.
                unsafe { (*irp).Cancel = 1 };
                // SAFETY: as above.
                let routine = unsafe { IoSetCancelRoutine(irp, None) };
                // SAFETY: as above.
                unsafe { (*irp).CancelIrql = old.0 };
                routine
            }
        };
        let Some(routine) = routine else {
            spin_lock::release_cancel(old);
            return false;
        };
        let object = self.device as *mut DEVICE_OBJECT;
        call::callback_that_lowers("Cancel", old, || {
            // SAFETY: the driver set this routine for this request, which it still owns; the cancel
            // lock is held as the routine expects it.
            unsafe { routine(object, irp) };
        });
        true
    }

    /// Whether the request was completed.
    pub(super) fn has_ended(&self) -> bool {
        self.state.lock().outcome.is_some()
    }

    /// The request in words.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn check_return(&self, name: &str, returned: NTSTATUS) {
        let state = self.state.lock();
        let (completed, marked) = match &state.outcome {
            Some((outcome, marked)) => (Some(outcome.status), *marked),
            None => (None, is_marked(self.irp as *const IRP)),
        };
        drop(state);
        let what = format!("{name} returned {returned:#010x} for {}", self.text);
        match (completed, marked, returned == STATUS_PENDING) {
            (_, true, false) => rules::broken(
                &rules::MARK_IRP_PENDING,
                format_args!("{what}, which it had marked pending"),
            ),
            (Some(status), false, true) => rules::broken(
                &rules::PENDED_COMPLETED_REQUEST,
                format_args!("{what}, which was completed with {status:#010x} and never marked"),
            ),
            (None, false, true) => rules::broken(
                &rules::MARK_IRP_PENDING_2,
                format_args!("{what}, which it had not marked pending"),
            ),
            (None, false, false) => rules::broken(
                &rules::IRP_PROCESSING_COMPLETE,
                format_args!("{what}, which nobody has completed"),
            ),
            (Some(status), false, false) if status != returned => rules::broken(
                &rules::IRP_STATUS_INCONSISTENT,
                format_args!("{what}, which was completed with {status:#010x}"),
            ),
            (Some(_), ..) | (None, true, true) => {}
        }
        for rule in [
            &rules::MARK_IRP_PENDING,
            &rules::MARK_IRP_PENDING_2,
            &rules::PENDED_COMPLETED_REQUEST,
            &rules::IRP_PROCESSING_COMPLETE,
            &rules::IRP_STATUS_INCONSISTENT,
        ] {
            rules::held(rule);
        }
    }
}

ddi! { "ntoskrnl.exe":
    /// Completes a request (`nf-wdm-iocompleterequest.md`).
    [PASSIVE..=DISPATCH] fn IofCompleteRequest(irp: *mut IRP, _boost: CCHAR) {
        complete(irp);
    }
}

/// What a driver object has for requests of which the driver handles none.
pub(super) fn refuse() -> DRIVER_DISPATCH {
    refuse_request
}

fn prepare(asked: Asked) -> Arc<Request> {
    let size = size_of::<IRP>() + size_of::<IO_STACK_LOCATION>();
    let irp = pool::allocate(size, TAG, Kind::NonPaged).cast::<IRP>();
    assert!(!irp.is_null(), "no memory for a request");
    let location = irp.wrapping_add(1).cast::<IO_STACK_LOCATION>();
    let mut content = IRP {
        Type: IO_TYPE_IRP,
        Size: size as USHORT,
        RequestorMode: UserMode,
        StackCount: 1,
        CurrentLocation: 1,
        Thread: thread::current_thread() as *mut _,
        CurrentStackLocation: location,
        OriginalFileObject: asked.file,
        ..IRP::zeroed()
    };
    let mut parameters = asked.parameters;
    let buffers = asked.transfer.as_ref().map_or(Buffers::NONE, |transfer| {
        Buffers::new(transfer, &mut content)
    });
    if asked.major == IRP_MJ_DEVICE_CONTROL {
        parameters.DeviceIoControl.Type3InputBuffer = buffers.input();
    }
    // SAFETY: the block was just allocated with room for both.
    unsafe { irp.write(content) };
    let stack = IO_STACK_LOCATION {
        MajorFunction: asked.major,
        Parameters: parameters,
        DeviceObject: asked.device as *mut DEVICE_OBJECT,
        FileObject: asked.file,
        ..IO_STACK_LOCATION::zeroed()
    };
    // SAFETY: as above.
    unsafe { location.write(stack) };
    let (name, service) = device::describe(asked.device);
    let request = Arc::new(Request {
        irp: irp as usize,
        device: asked.device,
        major: asked.major,
        limit: asked
            .transfer
            .as_ref()
            .map_or(0, |transfer| match asked.major {
                IRP_MJ_WRITE => transfer.input.len().max(transfer.output.len()),
                _ => transfer.output.len(),
            }),
        text: format!(
            "the IRP {irp:p} ({}, {name} of {})",
            kind_of(&asked),
            service.as_deref().unwrap_or("a driver"),
        ),
        state: Monitor::new(State {
            buffers,
            outcome: None,
        }),
    });
    let mut requests = REQUESTS.lock();
    requests.live.insert(irp as usize, request.clone());
    requests
        .done
        .retain(|(address, _)| *address != irp as usize);
    drop(requests);
    request
}

fn complete(irp: *mut IRP) {
    let request = REQUESTS.lock().live.get(&(irp as usize)).cloned();
    let Some(request) = request else {
        completed_again(irp);
    };
    let text = &request.text;
    let mut state = request.state.lock();
    if state.outcome.is_some() {
        drop(state);
        completed_again(irp);
    }
    // SAFETY: the request is not completed, so its memory is there; what else the driver does with it
    // at the same time is its own fault.
    let content = unsafe { &*irp };
    let (status, information) = (content.IoStatus.Status, content.IoStatus.Information);
    let failed = status.cast_unsigned() >> 30 == 3;
    let transfers = matches!(
        request.major,
        IRP_MJ_READ | IRP_MJ_WRITE | IRP_MJ_DEVICE_CONTROL
    );
    let wrong = if status == STATUS_PENDING || status == -1 {
        let what = format!("{text} is completed with the status {status:#010x}");
        Some((&rules::IRP_COMPLETED_AS_PENDING, what))
    } else if content.CancelRoutine.is_some() {
        let what = format!("{text} is completed while its cancel routine is set");
        Some((&rules::IRP_COMPLETED_WITH_CANCEL_ROUTINE, what))
    } else if spin_lock::held_by_this_thread() != 0 {
        let what = format!("{text} is completed by a thread that holds a spin lock");
        Some((&rules::IO_COMPLETE_WITH_SPIN_LOCK, what))
    } else if transfers && !failed && information > request.limit {
        let what = format!(
            "{text} is completed with Information {information}; its buffer has {} bytes",
            request.limit
        );
        Some((&rules::IRP_INFORMATION, what))
    } else {
        None
    };
    if let Some((rule, what)) = wrong {
        drop(state);
        rules::broken(rule, what);
    }
    for rule in [
        &rules::DOUBLE_COMPLETION,
        &rules::IRP_COMPLETED_AS_PENDING,
        &rules::IRP_COMPLETED_WITH_CANCEL_ROUTINE,
        &rules::IO_COMPLETE_WITH_SPIN_LOCK,
        &rules::IRP_INFORMATION,
    ] {
        rules::held(rule);
    }
    let output = if failed {
        Vec::new()
    } else {
        state.buffers.answer(information)
    };
    let outcome = Outcome {
        status,
        information,
        output,
    };
    let marked = is_marked(irp);
    state.buffers.free();
    pool::free(irp.cast(), Some(TAG.into()));
    state.outcome = Some((outcome, marked));
    drop(state);
    let mut requests = REQUESTS.lock();
    requests.live.remove(&(irp as usize));
    if requests.done.len() == REMEMBERED {
        requests.done.pop_front();
    }
    requests.done.push_back((irp as usize, text.clone()));
    drop(requests);
    request.state.notify_all();
}

fn completed_again(irp: *mut IRP) -> ! {
    let requests = REQUESTS.lock();
    let done = requests
        .done
        .iter()
        .find(|(address, _)| *address == irp as usize);
    let what = match done {
        Some((_, text)) => format!("{text} is completed a second time"),
        None => format!("{irp:p} is completed, and is no request that waits for that"),
    };
    drop(requests);
    rules::broken(&rules::DOUBLE_COMPLETION, what)
}

fn is_marked(irp: *const IRP) -> bool {
    // SAFETY: the request is not completed, so its memory is there.
    let location = unsafe { (*irp).CurrentStackLocation };
    // SAFETY: it was made with this one location.
    unsafe { (*location).Control & SL_PENDING_RETURNED != 0 }
}

unsafe extern "efiapi" fn refuse_request(_device: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    end(irp, STATUS_INVALID_DEVICE_REQUEST)
}

unsafe extern "efiapi" fn accept_request(_device: *mut DEVICE_OBJECT, irp: *mut IRP) -> NTSTATUS {
    end(irp, STATUS_SUCCESS)
}

fn end(irp: *mut IRP, status: NTSTATUS) -> NTSTATUS {
    // SAFETY: a dispatch routine is called with a request that is its own.
    unsafe { (*irp).IoStatus.Status = status };
    complete(irp);
    status
}

fn kind_of(asked: &Asked) -> String {
    match asked.major {
        IRP_MJ_CREATE => "IRP_MJ_CREATE".to_owned(),
        IRP_MJ_CLOSE => "IRP_MJ_CLOSE".to_owned(),
        IRP_MJ_CLEANUP => "IRP_MJ_CLEANUP".to_owned(),
        IRP_MJ_READ => "IRP_MJ_READ".to_owned(),
        IRP_MJ_WRITE => "IRP_MJ_WRITE".to_owned(),
        IRP_MJ_DEVICE_CONTROL => {
            // SAFETY: requests of this kind are made with these parameters.
            let code = unsafe { asked.parameters.DeviceIoControl.IoControlCode };
            format!("IRP_MJ_DEVICE_CONTROL {code:#010x}")
        }
        major => format!("IRP_MJ {major:#04x}"),
    }
}

fn routine_of(major: UCHAR) -> &'static str {
    match major {
        IRP_MJ_CREATE => "DispatchCreate",
        IRP_MJ_CLOSE => "DispatchClose",
        IRP_MJ_CLEANUP => "DispatchCleanup",
        IRP_MJ_READ => "DispatchRead",
        IRP_MJ_WRITE => "DispatchWrite",
        _ => "DispatchDeviceControl",
    }
}

#[derive(Default)]
struct Requests {
    live: BTreeMap<usize, Arc<Request>>,
    /// The last ones that were completed.
    done: VecDeque<(usize, String)>,
}

const TAG: [u8; 4] = *b"Irp ";
const IO_TYPE_IRP: i16 = 6;
const REMEMBERED: usize = 1000;

static REQUESTS: Monitor<Requests> = Monitor::new(Requests {
    live: BTreeMap::new(),
    done: VecDeque::new(),
});
