//! Debug output, and the ways in which a driver stops the system.
//!
//! What a driver prints goes to the log (target `driver`), and its last lines into every report.

use std::arch::naked_asm;
use std::collections::VecDeque;
use std::ffi::{c_char, c_void};
use std::sync::Once;

use ndis_sys::nt::{NTSTATUS, ULONG, ULONG_PTR};

use super::format::{self, Arguments};
use super::irql::{self, Irql};
use super::sched::Monitor;
use crate::call::{self, Called, CodeAddress, Export, Function};
use crate::ddi;
use crate::rules;

/// The last lines that drivers printed, oldest first.
#[must_use]
pub fn last_lines() -> Vec<String> {
    LINES
        .try_lock()
        .map(|lines| lines.iter().cloned().collect())
        .unwrap_or_default()
}

ddi! { "ntoskrnl.exe":
    /// Stops the system: here, the run (`nf-wdm-kebugcheckex.md`).
    [PASSIVE..=HIGH] fn KeBugCheckEx(
        code: ULONG,
        first: ULONG_PTR,
        second: ULONG_PTR,
        third: ULONG_PTR,
        fourth: ULONG_PTR,
    ) -> ! {
        rules::broken(
            if code == OVERRAN_STACK_BUFFER {
                &rules::STACK_BUFFER_OVERRUN
            } else {
                &rules::DRIVER_BUGCHECK
            },
            format_args!(
                "the driver stops the system with bug check {code:#x} \
                 ({first:#x}, {second:#x}, {third:#x}, {fourth:#x})"
            ),
        );
    }

    /// Stops the system: here, the run (`nf-ntddk-kebugcheck.md`).
    [PASSIVE..=HIGH, unchecked] fn KeBugCheck(code: ULONG) -> ! {
        rules::broken(
            &rules::DRIVER_BUGCHECK,
            format_args!("the driver stops the system with bug check {code:#x}"),
        );
    }

    /// Breaks into the debugger, of which there is none: an unhandled exception
    /// (`nf-wdm-dbgbreakpoint.md`).
    [PASSIVE..=HIGH, unchecked] fn DbgBreakPoint() {
        rules::broken(
            &rules::EXCEPTION_NOT_HANDLED,
            "the driver broke into the debugger, and no debugger is attached",
        );
    }

    /// Prints what an argument list holds (`nf-wdm-vdbgprintex.md`).
    [PASSIVE..=HIGH, unchecked] fn vDbgPrintEx(
        _component: ULONG,
        _level: ULONG,
        format: *const c_char,
        arguments: *const u64,
    ) -> NTSTATUS {
        // SAFETY: the driver gives a format and the arguments for it (the function's document).
        unsafe { print("", format, arguments) }
    }

    /// The same behind a prefix (`nf-wdm-vdbgprintexwithprefix.md`).
    [PASSIVE..=HIGH, unchecked] fn vDbgPrintExWithPrefix(
        prefix: *const c_char,
        _component: ULONG,
        _level: ULONG,
        format: *const c_char,
        arguments: *const u64,
    ) -> NTSTATUS {
        // SAFETY: the driver gives a null-terminated prefix (the function's document).
        let prefix = unsafe { std::ffi::CStr::from_ptr(prefix) }.to_string_lossy();
        // SAFETY: as for `vDbgPrintEx`.
        unsafe { print(&prefix, format, arguments) }
    }
}

/// DRIVER_OVERRAN_STACK_BUFFER, by which compiled checks of the stack end where there is no int 29h.
const OVERRAN_STACK_BUFFER: ULONG = 0xf7;

/// What compiled exception handling calls when an exception passes through a function with a handler
/// (`__try`). No exception is raised in here: a fault ends the run before anybody could handle it.
///
/// # Safety
/// None is needed: it looks at nothing.
unsafe extern "efiapi" fn __C_specific_handler(
    _record: *mut c_void,
    _frame: *mut c_void,
    _context: *mut c_void,
    _dispatcher: *mut c_void,
) -> i32 {
    rules::broken(
        &rules::EXCEPTION_NOT_HANDLED,
        "the driver calls its exception handling by itself",
    );
}

/// The variadic functions, which the macro cannot declare, and the handler, which nobody calls.
pub const VARIADIC: &[Export] = &[
    variadic("DbgPrint", || DbgPrint as *const () as usize),
    variadic("DbgPrintEx", || DbgPrintEx as *const () as usize),
    variadic("__C_specific_handler", || {
        __C_specific_handler as *const () as usize
    }),
];

/// Prints a line (`nf-wdm-dbgprint.md`).
///
/// # Safety
/// A driver calls this by its import, with a format and the arguments for it behind it.
#[unsafe(naked)]
pub unsafe extern "efiapi" fn DbgPrint(format: *const c_char) -> NTSTATUS {
    // The four arguments in registers go to the places that the caller left for them on the stack:
    // then all arguments lie there in order, and the list begins behind the format.
    naked_asm!(
        "mov [rsp + 8], rcx",
        "mov [rsp + 16], rdx",
        "mov [rsp + 24], r8",
        "mov [rsp + 32], r9",
        "lea rdx, [rsp + 16]",
        "sub rsp, 40",
        "call {print}",
        "add rsp, 40",
        "ret",
        print = sym dbg_print,
    )
}

/// Prints a line for a component at a level (`nf-wdm-dbgprintex.md`).
///
/// # Safety
/// A driver calls this by its import, with a format and the arguments for it behind it.
#[unsafe(naked)]
pub unsafe extern "efiapi" fn DbgPrintEx(
    component: ULONG,
    level: ULONG,
    format: *const c_char,
) -> NTSTATUS {
    // As in `DbgPrint`; the list begins with the fourth argument.
    naked_asm!(
        "mov [rsp + 32], r9",
        "mov rcx, r8",
        "lea rdx, [rsp + 32]",
        "sub rsp, 40",
        "call {print}",
        "add rsp, 40",
        "ret",
        print = sym dbg_print_ex,
    )
}

unsafe extern "efiapi" fn dbg_print(format: *const c_char, arguments: *const u64) -> NTSTATUS {
    static FUNCTION: Called = Called::new(variadic("DbgPrint", || 0).function);
    let _call = call::enter(&FUNCTION);
    // SAFETY: the driver gives a format and the arguments for it (the function's document).
    unsafe { print("", format, arguments) }
}

unsafe extern "efiapi" fn dbg_print_ex(format: *const c_char, arguments: *const u64) -> NTSTATUS {
    static FUNCTION: Called = Called::new(variadic("DbgPrintEx", || 0).function);
    let _call = call::enter(&FUNCTION);
    // SAFETY: the driver gives a format and the arguments for it (the function's document).
    unsafe { print("", format, arguments) }
}

const fn variadic(name: &'static str, address: fn() -> usize) -> Export {
    Export {
        function: Function {
            module: "ntoskrnl.exe",
            name,
            irql: Irql::PASSIVE..=Irql::HIGH,
        },
        address,
    }
}

/// # Safety
/// `format` is null-terminated, and `arguments` are the arguments for it.
unsafe fn print(prefix: &str, format: *const c_char, arguments: *const u64) -> NTSTATUS {
    // SAFETY: the caller's own promise.
    let arguments = unsafe { Arguments::new(arguments) };
    // SAFETY: the caller's own promise.
    let formatted = unsafe { format::format(format, arguments) };
    if formatted.has_unicode && irql::current() != Irql::PASSIVE {
        rules::broken(
            &rules::IRQL_NOT_LESS_OR_EQUAL,
            format_args!(
                "a Unicode conversion is printed at {}; it needs PASSIVE_LEVEL: {:?}",
                irql::current(),
                formatted.text
            ),
        );
    }
    rules::held(&rules::IRQL_NOT_LESS_OR_EQUAL);
    for line in formatted.text.lines() {
        note(&format!("{prefix}{line}"));
    }
    STATUS_SUCCESS
}

fn note(line: &str) {
    static SECTION: Once = Once::new();
    SECTION.call_once(|| rules::on_report("The driver's last output", last_lines));
    tracing::info!(target: "driver", from = %CodeAddress::of(call::caller_address()), "{line}");
    let mut lines = LINES.lock();
    if lines.len() == KEPT_LINES {
        lines.pop_front();
    }
    lines.push_back(line.to_owned());
}

const STATUS_SUCCESS: NTSTATUS = 0;
const KEPT_LINES: usize = 20;

static LINES: Monitor<VecDeque<String>> = Monitor::new(VecDeque::new());

// The naked functions rely on a pointer being one argument of eight bytes.
const _: () = assert!(size_of::<*const c_void>() == size_of::<u64>());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::assert_broken;

    type Print = unsafe extern "efiapi" fn(*const c_char, u64, u64, u64, u64, u64, u64) -> NTSTATUS;
    type PrintEx = unsafe extern "efiapi" fn(
        u32,
        u32,
        *const c_char,
        u64,
        u64,
        u64,
        u64,
        u64,
        u64,
    ) -> NTSTATUS;

    #[test]
    fn arguments_in_registers_and_on_the_stack_are_found() {
        let address = DbgPrint as *const () as usize;
        // SAFETY: to the callee a variadic call is one with these arguments.
        let print = unsafe { std::mem::transmute::<usize, Print>(address) };
        // SAFETY: six arguments for six conversions.
        unsafe { print(c"a %d %d %d %d %d %x\n".as_ptr(), 1, 2, 3, 4, 5, 0x66) };
        assert!(
            last_lines().contains(&"a 1 2 3 4 5 66".to_owned()),
            "{:?}",
            last_lines()
        );
    }

    #[test]
    fn component_and_level_come_before_the_format() {
        let address = DbgPrintEx as *const () as usize;
        // SAFETY: to the callee a variadic call is one with these arguments.
        let print = unsafe { std::mem::transmute::<usize, PrintEx>(address) };
        // SAFETY: six arguments for six conversions.
        unsafe { print(77, 0, c"b %d %d %d %d %d %x".as_ptr(), 1, 2, 3, 4, 5, 0x66) };
        assert!(
            last_lines().contains(&"b 1 2 3 4 5 66".to_owned()),
            "{:?}",
            last_lines()
        );
    }

    #[test]
    fn a_unicode_conversion_above_passive_level_breaks_the_irql_rule() {
        assert_broken(
            &rules::IRQL_NOT_LESS_OR_EQUAL,
            &["Unicode conversion"],
            || {
                irql::set(Irql::DISPATCH);
                // SAFETY: one null pointer is the argument of the conversion.
                unsafe { print("", c"%wZ".as_ptr(), [0].as_ptr()) }
            },
        );
    }

    #[test]
    fn the_bug_check_of_a_spoiled_stack_is_a_rule_of_its_own() {
        assert_broken(&rules::STACK_BUFFER_OVERRUN, &["0xf7"], || {
            // SAFETY: any numbers will do.
            unsafe { KeBugCheckEx(0xf7, 1, 2, 3, 4) };
        });
    }

    #[test]
    fn a_bug_check_ends_the_run_with_its_code_and_the_drivers_output() {
        assert_broken(
            &rules::DRIVER_BUGCHECK,
            &["0xe2", "0x1234", "last words"],
            || {
                // SAFETY: the format has no conversion.
                unsafe { print("", c"last words".as_ptr(), std::ptr::null()) };
                // SAFETY: the function reads its arguments only.
                unsafe { KeBugCheckEx(0xe2, 0x1234, 0, 0, 0) };
            },
        );
    }
}
