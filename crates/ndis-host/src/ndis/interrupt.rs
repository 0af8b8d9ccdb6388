//! Interrupts of simulated devices: registering them, raising them, and their DPCs.
//!
//! The lab raises an interrupt ([`raise`]): the miniport's handler runs at [`DEVICE`] on the thread that
//! raises it, its DPC on the thread of DPCs at DISPATCH_LEVEL. NDIS grants line interrupts, and message
//! interrupts where the driver supports them: as many messages as one asks for.
//!
//! Not in here: what the device is. It is the driver's own, or the lab's.

use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use ndis_sys::{
    BOOLEAN, GROUP_AFFINITY, MINIPORT_SYNCHRONIZE_INTERRUPT_HANDLER, NDIS_CONNECT_LINE_BASED,
    NDIS_CONNECT_MESSAGE_BASED, NDIS_HANDLE, NDIS_INDICATE_ALL_NBLS,
    NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS, NDIS_MINIPORT_INTERRUPT_REVISION_1,
    NDIS_OBJECT_TYPE_MINIPORT_INTERRUPT, NDIS_RECEIVE_THROTTLE_PARAMETERS,
    NDIS_SIZEOF_MINIPORT_INTERRUPT_CHARACTERISTICS_REVISION_1, NDIS_STATUS, NDIS_STATUS_RESOURCES,
    NDIS_STATUS_SUCCESS, PVOID, ULONG_PTR,
};

use super::adapter::{Adapter, AdapterState};
use super::driver::{Address, guarded, run_data};
use super::faults::should_fail;
use super::object::{self, Kind, Object, handle_of, peek, resolve};
use super::{header, trace};
use crate::nt::dpc;
use crate::nt::irql::{self, Irql};
use crate::nt::sched::{Monitor, Spin};
use crate::rules;

/// The IRQL of all simulated devices.
pub(crate) const DEVICE: Irql = Irql(5);

struct Interrupt {
    adapter: &'static Adapter,
    context: Address,
    handlers: NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS,
    /// Held while code runs at the device's IRQL.
    busy: AtomicBool,
    /// DPCs that are queued or run: message and processor. Their end is waited for.
    dpcs: Monitor<Vec<(u32, u32, bool)>>,
}

// SAFETY: the characteristics are function pointers and numbers; the pointer to a message table is
// NULL, and the driver's context is not followed.
unsafe impl Sync for Interrupt {}
// SAFETY: as above.
unsafe impl Send for Interrupt {}

impl Object for Interrupt {
    const KIND: Kind = Kind::Interrupt;
}

crate::ddi! { "ndis.sys":
    /// Registers an adapter's interrupt.
    [PASSIVE..=PASSIVE] fn NdisMRegisterInterruptEx(
        MiniportAdapterHandle: NDIS_HANDLE,
        MiniportInterruptContext: NDIS_HANDLE,
        MiniportInterruptCharacteristics: *mut NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS,
        NdisInterruptHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisMRegisterInterruptEx";
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        let mut record = trace::call(NAME, adapter.name());
        // SAFETY: the document makes it a pointer to the caller's characteristics.
        let given = unsafe { &mut *MiniportInterruptCharacteristics };
        header::require(
            &given.Header,
            NDIS_OBJECT_TYPE_MINIPORT_INTERRUPT,
            &[(
                NDIS_MINIPORT_INTERRUPT_REVISION_1,
                NDIS_SIZEOF_MINIPORT_INTERRUPT_CHARACTERISTICS_REVISION_1,
            )],
            NAME,
        );
        if let Some(wrong) = wrong(adapter, given) {
            rules::broken(
                &rules::INIT_REGISTER_INTERRUPT,
                format_args!("{NAME} of adapter {}: {wrong}", adapter.name()),
            );
        }
        if should_fail("NdisMRegisterInterruptEx") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        given.InterruptType = if given.MsiSupported != 0 {
            NDIS_CONNECT_MESSAGE_BASED
        } else {
            NDIS_CONNECT_LINE_BASED
        };
        given.MessageInfoTable = ptr::null_mut();
        let interrupt = object::fresh(Interrupt {
            adapter,
            context: Address(MiniportInterruptContext),
            handlers: *given,
            busy: AtomicBool::new(false),
            dpcs: Monitor::default(),
        });
        let name = format!("interrupt of {}", adapter.name());
        object::publish_for(interrupt, name, MiniportAdapterHandle);
        // SAFETY: the document makes it a pointer to the caller's handle variable.
        unsafe { NdisInterruptHandle.write(handle_of(interrupt)) };
        INTERRUPTS.lock().push(interrupt);
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Undoes the registration: the handler does not run any more, and the DPCs have run.
    [PASSIVE..=PASSIVE] fn NdisMDeregisterInterruptEx(NdisInterruptHandle: NDIS_HANDLE) {
        const NAME: &str = "NdisMDeregisterInterruptEx";
        let interrupt = resolve::<Interrupt>(NdisInterruptHandle, NAME);
        let _record = trace::call(NAME, interrupt.adapter.name());
        let state = interrupt.adapter.state();
        if !matches!(state, AdapterState::Initializing | AdapterState::Halted) {
            rules::broken(
                &rules::INIT_DE_REGISTER_INTERRUPT,
                format_args!(
                    "{NAME} while adapter {} is {state:?}: only MiniportInitializeEx and \
                     MiniportHaltEx deregister an interrupt",
                    interrupt.adapter.name()
                ),
            );
        }
        INTERRUPTS.lock().retain(|other| !ptr::eq(*other, interrupt));
        interrupt.at_device(|| {});
        interrupt.dpcs.wait_until(None, |dpcs| dpcs.is_empty().then_some(()));
        object::retire(interrupt);
    }

    /// Runs a function of the driver's with the interrupt held back.
    [PASSIVE..=HIGH] fn NdisMSynchronizeWithInterruptEx(
        NdisInterruptHandle: NDIS_HANDLE,
        _MessageId: u32,
        SynchronizeFunction: MINIPORT_SYNCHRONIZE_INTERRUPT_HANDLER,
        SynchronizeContext: PVOID,
    ) -> BOOLEAN {
        const NAME: &str = "NdisMSynchronizeWithInterruptEx";
        let Some(interrupt) = peek::<Interrupt>(NdisInterruptHandle) else {
            rules::broken(
                &rules::NDIS_M_DEREGISTER_INTERRUPT_EX,
                format_args!("{NAME}: {NdisInterruptHandle:p} is no registered interrupt"),
            );
        };
        let Some(function) = SynchronizeFunction else {
            interrupt.adapter.broken(&format!("{NAME} without a function"));
        };
        let driver = interrupt.adapter.driver().caller();
        let mut result = 0;
        interrupt.at_device(|| {
            result = guarded(driver, "MiniportSynchronizeInterrupt", DEVICE, || {
                // SAFETY: the driver's function with its own context, at the device's IRQL.
                unsafe { function(SynchronizeContext) }
            });
        });
        result
    }

    /// Queues DPCs; answers with the processors for which none was queued before.
    [PASSIVE..=HIGH] fn NdisMQueueDpc(
        NdisInterruptHandle: NDIS_HANDLE,
        MessageId: u32,
        TargetProcessors: u32,
        MiniportDpcContext: PVOID,
    ) -> u32 {
        let interrupt = resolve::<Interrupt>(NdisInterruptHandle, "NdisMQueueDpc");
        interrupt.queue(MessageId, TargetProcessors.into(), MiniportDpcContext) as u32
    }

    /// The same for a processor group.
    [PASSIVE..=HIGH] fn NdisMQueueDpcEx(
        NdisInterruptHandle: NDIS_HANDLE,
        MessageId: u32,
        TargetProcessors: *mut GROUP_AFFINITY,
        MiniportDpcContext: PVOID,
    ) -> ULONG_PTR {
        let interrupt = resolve::<Interrupt>(NdisInterruptHandle, "NdisMQueueDpcEx");
        // SAFETY: the document makes it a pointer to the caller's affinity.
        let affinity = unsafe { *TargetProcessors };
        if affinity.Group != 0 {
            return 0;
        }
        interrupt.queue(MessageId, affinity.Mask as u64, MiniportDpcContext) as ULONG_PTR
    }
}

/// Raises the interrupt of an adapter, as its device: that message, where the driver was granted
/// message interrupts. Answers what the handler said, whether it was its device; `None` if the adapter
/// has registered no interrupt.
pub(crate) fn raise(adapter: &'static Adapter, message: u32) -> Option<bool> {
    let registered = INTERRUPTS.lock().clone();
    let interrupt = registered
        .into_iter()
        .find(|interrupt| ptr::eq(interrupt.adapter, adapter))?;
    let driver = adapter.driver().caller();
    let context = interrupt.context.0;
    let (mut ours, mut default, mut targets) = (0, 0, 0);
    interrupt.at_device(|| {
        if interrupt.has_messages() {
            let handler = interrupt.handlers.MessageInterruptHandler;
            let handler = handler.expect("registration requires it");
            ours = guarded(driver, "MiniportMessageInterrupt", DEVICE, || {
                // SAFETY: the driver's registered function with its context, at the device's IRQL.
                unsafe { handler(context, message, &raw mut default, &raw mut targets) }
            });
        } else {
            let handler = interrupt.handlers.InterruptHandler;
            let handler = handler.expect("registration requires it");
            ours = guarded(driver, "MiniportInterrupt", DEVICE, || {
                // SAFETY: as above.
                unsafe { handler(context, &raw mut default, &raw mut targets) }
            });
        }
    });
    let processors = if default != 0 { 1 } else { targets };
    interrupt.queue(message, processors.into(), ptr::null_mut());
    Some(ours != 0)
}

impl Interrupt {
    fn has_messages(&self) -> bool {
        self.handlers.InterruptType == NDIS_CONNECT_MESSAGE_BASED
    }

    /// Runs `f` at the device's IRQL, with nothing else of this interrupt at it.
    fn at_device(&self, f: impl FnOnce()) {
        let mut spin = Spin::default();
        while self.busy.swap(true, Ordering::Acquire) {
            spin.once();
        }
        irql::at(DEVICE.max(irql::current()), f);
        self.busy.store(false, Ordering::Release);
    }

    /// Queues a DPC for each processor of `processors` that has none; answers which.
    fn queue(&'static self, message: u32, processors: u64, context: PVOID) -> u64 {
        let mut queued = 0;
        for processor in (0..u64::BITS).filter(|bit| processors & 1 << bit != 0) {
            {
                let mut dpcs = self.dpcs.lock();
                let waits = |dpc: &(u32, u32, bool)| *dpc == (message, processor, false);
                if dpcs.iter().any(waits) {
                    continue;
                }
                dpcs.push((message, processor, false));
            }
            queued |= 1 << processor;
            let context = Address(context);
            dpc::queue(move || self.run_dpc(message, processor, context));
        }
        queued
    }

    fn run_dpc(&'static self, message: u32, processor: u32, dpc_context: Address) {
        let this = (message, processor, false);
        let running = (message, processor, true);
        {
            let mut dpcs = self.dpcs.lock();
            let at = dpcs.iter().position(|dpc| *dpc == this);
            dpcs[at.expect("it was queued")] = running;
        }
        let mut throttle = NDIS_RECEIVE_THROTTLE_PARAMETERS {
            MaxNblsToIndicate: NDIS_INDICATE_ALL_NBLS,
            ..NDIS_RECEIVE_THROTTLE_PARAMETERS::zeroed()
        };
        let throttle = (&raw mut throttle).cast();
        let driver = self.adapter.driver().caller();
        let (context, null) = (self.context.0, ptr::null_mut());
        if self.has_messages() {
            let handler = self.handlers.MessageInterruptDpcHandler;
            let handler = handler.expect("registration requires it");
            run_data(
                driver,
                "MiniportMessageInterruptDPC",
                self.adapter.name(),
                || {
                    // SAFETY: the driver's registered function with its contexts, at DISPATCH_LEVEL.
                    unsafe { handler(context, message, dpc_context.0, throttle, null) };
                },
            );
        } else {
            let handler = self.handlers.InterruptDpcHandler;
            let handler = handler.expect("registration requires it");
            run_data(driver, "MiniportInterruptDPC", self.adapter.name(), || {
                // SAFETY: as above.
                unsafe { handler(context, dpc_context.0, throttle, null) };
            });
        }
        let mut dpcs = self.dpcs.lock();
        let at = dpcs.iter().position(|dpc| *dpc == running);
        dpcs.remove(at.expect("it ran"));
        drop(dpcs);
        self.dpcs.notify_all();
    }
}

/// What a registration lacks.
fn wrong(
    adapter: &Adapter,
    given: &NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS,
) -> Option<&'static str> {
    let messages = given.MessageInterruptHandler.is_some()
        && given.MessageInterruptDpcHandler.is_some()
        && given.DisableMessageInterruptHandler.is_some()
        && given.EnableMessageInterruptHandler.is_some();
    if adapter.state() != AdapterState::Initializing {
        Some("only MiniportInitializeEx registers an interrupt")
    } else if !adapter.with_attributes(|attributes| attributes.registered()) {
        Some("the registration attributes are not set")
    } else if given.InterruptHandler.is_none() || given.InterruptDpcHandler.is_none() {
        Some("the handler of line interrupts or its DPC is missing")
    } else if given.MsiSupported != 0 && !messages {
        Some("MsiSupported is set and one of the message interrupt functions is missing")
    } else {
        None
    }
}

static INTERRUPTS: Monitor<Vec<&'static Interrupt>> = Monitor::new(Vec::new());

#[cfg(test)]
mod tests;
