//! Faults: an access that hardware refuses becomes the report of a broken rule.
//!
//! The signal handlers run on a stack of their own, per thread. A fault ends the process, so the
//! handler may do what handlers else must not; it takes no lock that it would have to wait for, and
//! an alarm ends the process should the report itself hang.

mod privileged;

use std::cell::Cell;
use std::ptr;
use std::sync::Once;

use crate::call::{self, CodeAddress, stub};
use crate::coverage;
use crate::image;
use crate::nt::pool;
use crate::rules::{self, Reporter, Rule};

/// Makes this thread ready to have its faults reported. Called once for each thread.
pub(super) fn prepare_thread() {
    static HANDLERS: Once = Once::new();
    HANDLERS.call_once(install_handlers);
    if STACK.get() != 0 {
        return;
    }
    // SAFETY: a new mapping at an address that the kernel chooses touches no memory in use.
    let stack = unsafe {
        libc::mmap(
            ptr::null_mut(),
            STACK_SIZE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    assert_ne!(stack, libc::MAP_FAILED, "no memory for a signal stack");
    let alternate = libc::stack_t {
        ss_sp: stack,
        ss_flags: 0,
        ss_size: STACK_SIZE,
    };
    // SAFETY: the stack was just mapped and belongs to this thread for good.
    let set = unsafe { libc::sigaltstack(&raw const alternate, ptr::null_mut()) };
    assert_eq!(set, 0, "a thread can have its own signal stack");
    STACK.set(stack as usize);
    privileged::prepare_thread();
}

fn install_handlers() {
    for signal in [
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGILL,
        libc::SIGFPE,
        libc::SIGTRAP,
    ] {
        // SAFETY: zero is a valid value of every field of this plain C structure.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = on_fault as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        // SAFETY: `action` is complete, and `on_fault` has the type that SA_SIGINFO requires.
        let set = unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
        assert_eq!(set, 0, "handlers for faults can be installed");
    }
}

extern "C" fn on_fault(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel hands a ucontext_t to handlers with SA_SIGINFO, and takes it back after.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    if signal == libc::SIGSEGV && privileged::emulate(&mut context.uc_mcontext.gregs) {
        return;
    }
    if signal == libc::SIGTRAP {
        // The trap comes after the breakpoint's one byte.
        let instruction = &mut context.uc_mcontext.gregs[libc::REG_RIP as usize];
        if coverage::reached((*instruction as usize).wrapping_sub(1)) {
            *instruction -= 1;
            return;
        }
    }
    let reporter = Reporter::begin();
    // SAFETY: `alarm` takes any number; its signal ends the process, as intended.
    unsafe { libc::alarm(HANG_SECONDS) };
    // SAFETY: the kernel hands a siginfo_t to handlers with SA_SIGINFO.
    let info = unsafe { &*info };
    // SAFETY: for the signals handled here the address field is the valid one.
    let accessed = unsafe { info.si_addr() } as usize;

    let registers = &context.uc_mcontext.gregs;
    let fault = Fault {
        signal,
        accessed,
        instruction: registers[libc::REG_RIP as usize] as usize,
        error: registers[libc::REG_ERR as usize] as u64,
        trap: registers[libc::REG_TRAPNO as usize] as u64,
        stack: registers[libc::REG_RSP as usize] as usize,
        reason: registers[libc::REG_RCX as usize] as u32,
    };
    let (rule, what) = fault.judge();
    let address = if image::place_of(fault.instruction).is_some() {
        CodeAddress::of_instruction(fault.instruction)
    } else {
        // The host stumbled over what the driver handed it, or the driver jumped into nothing.
        match stub::pending_return_address() {
            0 => call::caller(),
            unguarded => CodeAddress::of(unguarded),
        }
    };
    let what = format!("{what}\n{}", registers_text(registers));
    reporter.end(rule, &what, Some(address))
}

struct Fault {
    signal: i32,
    accessed: usize,
    instruction: usize,
    error: u64,
    trap: u64,
    stack: usize,
    /// What a failed check gives as its reason.
    reason: u32,
}

impl Fault {
    fn judge(&self) -> (&'static Rule, String) {
        match self.signal {
            libc::SIGSEGV | libc::SIGBUS if self.trap == PAGE_FAULT => self.page_fault(),
            // `int 29h`, by which compiled checks stop a driver, is refused in user mode.
            libc::SIGSEGV if self.code() == Some(FAST_FAIL) => (
                if STACK_COOKIE.contains(&self.reason) {
                    &rules::STACK_BUFFER_OVERRUN
                } else {
                    &rules::SECURITY_CHECK_FAILURE
                },
                format!(
                    "the driver's own check failed: {} (int 29h with code {})",
                    fast_fail_reason(self.reason),
                    self.reason
                ),
            ),
            libc::SIGSEGV | libc::SIGBUS => (
                &rules::EXCEPTION_NOT_HANDLED,
                format!(
                    "a privileged instruction, or an access to a non-canonical address, at {} ({})",
                    CodeAddress::of_instruction(self.instruction),
                    self.bytes_at_instruction()
                ),
            ),
            _ => (
                &rules::EXCEPTION_NOT_HANDLED,
                format!(
                    "{} at {}",
                    match self.signal {
                        libc::SIGILL => "an illegal instruction",
                        libc::SIGFPE => "an arithmetic exception",
                        _ => "a breakpoint",
                    },
                    CodeAddress::of_instruction(self.instruction)
                ),
            ),
        }
    }

    fn page_fault(&self) -> (&'static Rule, String) {
        let access = if self.error & ERROR_FETCH != 0 {
            "an instruction fetch"
        } else if self.error & ERROR_WRITE != 0 {
            "a write"
        } else {
            "a read"
        };
        let accessed = self.accessed;
        if let Some(explained) = pool::explain(accessed) {
            return (explained.rule, format!("{access}: {}", explained.text));
        }
        if let Some(place) = image::place_of(accessed) {
            let where_ = format!("{}+{:#x}", place.image_name(), place.offset());
            if place.is_unloaded() {
                return (
                    &rules::UNLOADED_WITH_PENDING,
                    format!("{access} at {where_}, which was unloaded"),
                );
            }
            let rule = if self.error & ERROR_FETCH != 0 {
                &rules::EXECUTE_OF_NOEXECUTE
            } else {
                &rules::WRITE_TO_READONLY
            };
            return (
                rule,
                format!("{access} at {where_}, {}", place.protection()),
            );
        }
        if accessed & !0xfff == KUSER_SHARED_DATA {
            return (
                &rules::PAGE_FAULT_IN_NONPAGED_AREA,
                format!(
                    "{access} at {accessed:#x}, in KUSER_SHARED_DATA, which this host cannot \
                     provide: call KeQuerySystemTimePrecise or KeQueryInterruptTimePrecise instead \
                     of the inline functions"
                ),
            );
        }
        if accessed.abs_diff(self.stack) < 1 << 16 {
            return (
                &rules::EXCEPTION_NOT_HANDLED,
                format!("{access} at {accessed:#x}: the stack is exhausted"),
            );
        }
        let near_null = accessed < NULL_PAGES;
        let rule = if self.error & ERROR_FETCH != 0 {
            &rules::EXECUTE_OF_NOEXECUTE
        } else if near_null {
            &rules::NULL_CHECK
        } else {
            &rules::PAGE_FAULT_IN_NONPAGED_AREA
        };
        let near_null = if near_null { ", near NULL" } else { "" };
        (
            rule,
            format!("{access} at {accessed:#x}, where there is no memory{near_null}"),
        )
    }

    fn bytes_at_instruction(&self) -> String {
        match self.code() {
            Some(bytes) => format!("bytes {:02x} {:02x} ...", bytes[0], bytes[1]),
            None => "not in an image".to_owned(),
        }
    }

    fn code(&self) -> Option<[u8; 2]> {
        image::place_of(self.instruction)?;
        let code = self.instruction as *const [u8; 2];
        // SAFETY: the instruction was just executed from a mapped page of an image.
        Some(unsafe { code.read_unaligned() })
    }
}

/// The reasons of `int 29h` (`bug-check-0x139--kernel-security-check-failure.md`).
fn fast_fail_reason(code: u32) -> &'static str {
    match code {
        0 | 2 => "a stack buffer was overrun",
        3 => "a list entry is corrupt",
        7 => "a fatal error that it found itself",
        10 => "an indirect call has a wrong target",
        14 => "a reference count is wrong",
        _ => "a structure is corrupt",
    }
}

fn registers_text(registers: &[libc::greg_t]) -> String {
    let names = [
        ("rax", libc::REG_RAX),
        ("rbx", libc::REG_RBX),
        ("rcx", libc::REG_RCX),
        ("rdx", libc::REG_RDX),
        ("rsi", libc::REG_RSI),
        ("rdi", libc::REG_RDI),
        ("r8", libc::REG_R8),
        ("r9", libc::REG_R9),
        ("r10", libc::REG_R10),
        ("r11", libc::REG_R11),
        ("r12", libc::REG_R12),
        ("r13", libc::REG_R13),
        ("r14", libc::REG_R14),
        ("r15", libc::REG_R15),
        ("rbp", libc::REG_RBP),
        ("rsp", libc::REG_RSP),
    ];
    let texts: Vec<_> = names
        .iter()
        .map(|(name, index)| format!("{name:>3} {:016x}", registers[*index as usize]))
        .collect();
    let lines: Vec<_> = texts.chunks(4).map(|line| line.join("  ")).collect();
    lines.join("\n")
}

const STACK_SIZE: usize = 512 << 10;
const HANG_SECONDS: u32 = 10;
/// What lies below is a member of a structure at NULL, not a pointer that was something else.
const NULL_PAGES: usize = 1 << 16;
/// `FAST_FAIL_LEGACY_GS_VIOLATION` and `FAST_FAIL_STACK_COOKIE_CHECK_FAILURE`.
const STACK_COOKIE: [u32; 2] = [0, 2];
const FAST_FAIL: [u8; 2] = [0xcd, 0x29];
/// Where Windows has a page that everybody may read. Linux keeps these addresses for itself.
const KUSER_SHARED_DATA: usize = 0xffff_f780_0000_0000;
/// The processor's trap number, and bits of its error code.
const PAGE_FAULT: u64 = 14;
const ERROR_WRITE: u64 = 1 << 1;
const ERROR_FETCH: u64 = 1 << 4;

thread_local! {
    static STACK: Cell<usize> = const { Cell::new(0) };
}
