//! Tests of interrupts.

use std::sync::atomic::AtomicU32;

use super::*;
use crate::ndis::testing::{Miniport, halt, start, start_fails};
use crate::rules::testing::assert_broken;

unsafe extern "efiapi" fn isr(
    context: NDIS_HANDLE,
    default: *mut BOOLEAN,
    _targets: *mut u32,
) -> BOOLEAN {
    assert_eq!(irql::current(), DEVICE);
    assert_eq!(context as usize, CONTEXT);
    // SAFETY: NDIS gives a variable for it.
    unsafe { default.write(1) };
    1
}

unsafe extern "efiapi" fn dpc(
    context: NDIS_HANDLE,
    dpc_context: PVOID,
    throttle: PVOID,
    _reserved: PVOID,
) {
    assert_eq!(
        (context as usize, irql::current()),
        (CONTEXT, Irql::DISPATCH)
    );
    assert!(!throttle.is_null());
    DPCS.fetch_add(1 + dpc_context as u32, Ordering::SeqCst);
}

unsafe extern "efiapi" fn synchronized(context: NDIS_HANDLE) -> BOOLEAN {
    assert_eq!(irql::current(), DEVICE);
    context as usize as BOOLEAN
}

fn register(adapter: NDIS_HANDLE) -> NDIS_HANDLE {
    let mut given = NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS {
        Header: ndis_sys::NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_MINIPORT_INTERRUPT,
            NDIS_MINIPORT_INTERRUPT_REVISION_1,
            NDIS_SIZEOF_MINIPORT_INTERRUPT_CHARACTERISTICS_REVISION_1,
        ),
        InterruptHandler: Some(isr),
        InterruptDpcHandler: Some(dpc),
        ..NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS::zeroed()
    };
    let mut handle = ptr::null_mut();
    let context = CONTEXT as NDIS_HANDLE;
    // SAFETY: the characteristics and the variable live during the call.
    let status =
        unsafe { NdisMRegisterInterruptEx(adapter, context, &raw mut given, &raw mut handle) };
    assert_eq!(status, NDIS_STATUS_SUCCESS);
    assert_eq!(given.InterruptType, NDIS_CONNECT_LINE_BASED);
    handle
}

fn deregister(handle: NDIS_HANDLE) {
    // SAFETY: the handle is a registration's.
    unsafe { NdisMDeregisterInterruptEx(handle) };
}

fn initialize(adapter: NDIS_HANDLE) -> NDIS_STATUS {
    let handle = register(adapter);
    HANDLE.store(handle as usize, Ordering::SeqCst);
    NDIS_STATUS_SUCCESS
}

fn handle() -> NDIS_HANDLE {
    HANDLE.load(Ordering::SeqCst) as NDIS_HANDLE
}

static HANDLE: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
static DPCS: AtomicU32 = AtomicU32::new(0);
const CONTEXT: usize = 0x1234;

#[test]
fn an_interrupt_runs_its_handler_at_device_level_and_then_its_dpc() {
    let adapter = start(
        "interrupt",
        Miniport {
            initialize,
            halt: |_| deregister(handle()),
            ..Miniport::default()
        },
    );
    assert_eq!(raise(adapter, 0), Some(true));
    dpc::flush();
    assert_eq!(DPCS.load(Ordering::SeqCst), 1);
    // SAFETY: the handle is alive.
    let queued = unsafe { NdisMQueueDpc(handle(), 0, 0b101, 9 as PVOID) };
    assert_eq!(queued, 0b101);
    dpc::flush();
    assert_eq!(DPCS.load(Ordering::SeqCst), 21);
    let function: MINIPORT_SYNCHRONIZE_INTERRUPT_HANDLER = Some(synchronized);
    // SAFETY: the handle is alive, and the function needs no context.
    let answer = unsafe { NdisMSynchronizeWithInterruptEx(handle(), 0, function, 7 as PVOID) };
    assert_eq!((answer, irql::current()), (7, Irql::PASSIVE));
    halt(adapter);
    assert_eq!(raise(adapter, 0), None);
}

#[test]
fn a_halt_that_leaves_the_interrupt_breaks_its_rule() {
    assert_broken(
        &rules::NDIS_BUGCHECK_HALT_WITHOUT_INTERRUPT_DEREGISTER,
        &["interrupt of"],
        || {
            halt(start(
                "interrupt",
                Miniport {
                    initialize,
                    ..Miniport::default()
                },
            ));
        },
    );
}

#[test]
fn an_initialize_that_fails_and_leaves_the_interrupt_breaks_its_rule() {
    assert_broken(
        &rules::NDIS_BUGCHECK_INIT_FAILED_WITHOUT_INTERRUPT_DEREGISTER,
        &["interrupt of"],
        || {
            start_fails(
                "interrupt",
                Miniport {
                    initialize: |adapter| {
                        register(adapter);
                        NDIS_STATUS_RESOURCES
                    },
                    ..Miniport::default()
                },
            );
        },
    );
}

#[test]
fn registering_late_breaks_init_register_interrupt() {
    assert_broken(
        &rules::INIT_REGISTER_INTERRUPT,
        &["only MiniportInitializeEx"],
        || {
            let adapter = start("interrupt", Miniport::default());
            register(handle_of(adapter));
        },
    );
}

#[test]
fn deregistering_early_breaks_init_deregister_interrupt() {
    assert_broken(&rules::INIT_DE_REGISTER_INTERRUPT, &["is Running"], || {
        start(
            "interrupt",
            Miniport {
                initialize,
                ..Miniport::default()
            },
        );
        deregister(handle());
    });
}

#[test]
fn synchronizing_after_the_deregistration_breaks_its_rule() {
    assert_broken(
        &rules::NDIS_M_DEREGISTER_INTERRUPT_EX,
        &["no registered interrupt"],
        || {
            let miniport = Miniport {
                initialize,
                halt: |_| deregister(handle()),
                ..Miniport::default()
            };
            halt(start("interrupt", miniport));
            // SAFETY: that the handle is dead is found first.
            unsafe {
                NdisMSynchronizeWithInterruptEx(handle(), 0, Some(synchronized), ptr::null_mut())
            }
        },
    );
}
