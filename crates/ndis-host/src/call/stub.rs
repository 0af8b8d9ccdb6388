//! Import stubs: what an image's import address table points at.
//!
//! A stub notes where the driver will continue, and the registers that lead from there to its callers,
//! then goes on into the Rust function:
//!
//! ```text
//! mov rax, [rsp]            ; the return address, in the driver
//! mov fs:[disp32], rax      ; this thread's RETURN_ADDRESS
//! mov fs:[disp32], rbx      ; its REGISTERS; the same for rsp, rbp, rsi, rdi, r12 to r15
//! mov rax, imm64            ; the exported function
//! jmp rax
//! ```
//!
//! `rax` carries nothing into a function of the Microsoft x64 convention, variadic ones included, and
//! the stack is left as the driver made it. There is one stub for each export, made when first asked
//! for and never freed: a driver may keep its address.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::sync::{Mutex, PoisonError};

use super::Export;
use crate::image::Registers;

/// The address that a driver's pointer to `export` holds: in its import table, or in a structure
/// that the host fills in.
#[must_use]
pub fn address_of(export: &'static Export) -> usize {
    make(export.function.name, (export.address)())
}

/// A stub that goes to `target`, under a name that is unique to it.
#[must_use]
pub fn make(name: &'static str, target: usize) -> usize {
    let mut stubs = STUBS.lock().unwrap_or_else(PoisonError::into_inner);
    let stubs = stubs.get_or_insert_with(Stubs::default);
    if let Some(&stub) = stubs.by_target.get(&(name, target)) {
        return stub;
    }
    let stub = stubs.emit(&note_caller_and_go(target));
    stubs.by_target.insert((name, target), stub);
    stub
}

/// Machine code of a few bytes that drivers may call, under a name that is unique to it.
#[must_use]
pub(crate) fn make_code(name: &'static str, code: &[u8]) -> usize {
    let mut stubs = STUBS.lock().unwrap_or_else(PoisonError::into_inner);
    let stubs = stubs.get_or_insert_with(Stubs::default);
    if let Some(&stub) = stubs.by_target.get(&(name, 0)) {
        return stub;
    }
    let stub = stubs.emit(code);
    stubs.by_target.insert((name, 0), stub);
    stub
}

fn note_caller_and_go(target: usize) -> Vec<u8> {
    let mut code = Vec::with_capacity(STUB_SIZE);
    code.extend([0x48, 0x8b, 0x04, 0x24]); // mov rax, [rsp]
    code.extend([0x64, 0x48, 0x89, 0x04, 0x25]); // mov fs:[disp32], rax
    code.extend(displacement(RETURN_ADDRESS.with(Cell::as_ptr) as usize).to_le_bytes());
    let registers = displacement(REGISTERS.with(Cell::as_ptr) as usize);
    for register in PRESERVED {
        // mov fs:[disp32], register
        code.extend([
            0x64,
            0x48 | register >> 3 << 2,
            0x89,
            0x04 | (register & 7) << 3,
            0x25,
        ]);
        code.extend((registers + i32::from(register) * 8).to_le_bytes());
    }
    code.extend([0x48, 0xb8]); // mov rax, imm64
    code.extend(target.to_le_bytes());
    code.extend([0xff, 0xe0]); // jmp rax
    code
}

/// The driver's return address that the last stub on this thread noted, 0 if none did since the last
/// time it was taken.
pub(super) fn take_return_address() -> usize {
    RETURN_ADDRESS.replace(0)
}

/// Like taking it, but it stays: the call of a function without a guard, if one is under way.
pub(crate) fn pending_return_address() -> usize {
    RETURN_ADDRESS.get()
}

/// The stack pointer and the registers that functions preserve, as the last stub on this thread noted
/// them: its return address is on top of the stack. The others are 0.
pub(super) fn noted_registers() -> Registers {
    REGISTERS.get()
}

#[derive(Default)]
struct Stubs {
    by_target: HashMap<(&'static str, usize), usize>,
    area: Option<Area>,
}

impl Stubs {
    fn emit(&mut self, code: &[u8]) -> usize {
        let mut code = code.to_vec();
        code.resize(STUB_SIZE, 0xcc);
        if self.area.as_ref().is_none_or(|area| area.used == AREA_SIZE) {
            self.area = Some(Area::map());
        }
        let area = self.area.as_mut().expect("there is an area with room");
        area.push(&code)
    }
}

/// Memory mapped twice, so that none of it is ever writable and executable at one address.
struct Area {
    writable: *mut u8,
    executable: usize,
    used: usize,
}

// SAFETY: `writable` is this area's own mapping, written only through `&mut Area`.
unsafe impl Send for Area {}

impl Area {
    fn map() -> Self {
        // SAFETY: the name is a C string; the call makes a new file and touches no memory.
        let file = unsafe { libc::memfd_create(c"import stubs".as_ptr(), libc::MFD_CLOEXEC) };
        assert!(file >= 0, "no memory file for import stubs");
        // SAFETY: the call answers with a descriptor that nobody else has.
        let file = unsafe { OwnedFd::from_raw_fd(file) };
        let file = File::from(file);
        file.set_len(AREA_SIZE as u64)
            .expect("the memory file for import stubs has room");
        Self {
            writable: map_shared(&file, libc::PROT_READ | libc::PROT_WRITE),
            executable: map_shared(&file, libc::PROT_READ | libc::PROT_EXEC) as usize,
            used: 0,
        }
    }

    fn push(&mut self, code: &[u8]) -> usize {
        assert!(self.used + code.len() <= AREA_SIZE);
        // SAFETY: the offset is within the mapping, by the line above.
        let place = unsafe { self.writable.add(self.used) };
        // SAFETY: `place` has room for `code`, by the same line; no stub is there yet, so nothing
        // executes these bytes.
        unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), place, code.len()) };
        let stub = self.executable + self.used;
        self.used += code.len();
        stub
    }
}

fn map_shared(file: &File, protection: i32) -> *mut u8 {
    // SAFETY: a new mapping at an address that the kernel chooses touches no memory in use.
    let address = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            AREA_SIZE,
            protection,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        )
    };
    assert_ne!(address, libc::MAP_FAILED, "no memory for import stubs");
    address.cast()
}

/// Where a thread-local of the host lies from the thread pointer. The same in every thread, because the
/// host is linked into the executable, whose thread-locals are at fixed offsets.
fn displacement(slot: usize) -> i32 {
    let thread_pointer: usize;
    // SAFETY: the x86-64 ABI for thread-local storage puts the thread pointer itself at fs:[0]; the
    // instruction reads that word and nothing else.
    unsafe {
        std::arch::asm!("mov {}, fs:[0]", out(reg) thread_pointer, options(nostack, readonly, preserves_flags));
    }
    let displacement = slot.wrapping_sub(thread_pointer) as isize;
    i32::try_from(displacement).expect("the executable's thread-locals are near")
}

const AREA_SIZE: usize = 64 << 10;
const STUB_SIZE: usize = 128;
/// The stack pointer and what functions of the Microsoft x64 convention preserve, by number.
const PRESERVED: [u8; 9] = [3, 4, 5, 6, 7, 12, 13, 14, 15];

static STUBS: Mutex<Option<Stubs>> = Mutex::new(None);

thread_local! {
    static RETURN_ADDRESS: Cell<usize> = const { Cell::new(0) };
    static REGISTERS: Cell<Registers> = const {
        Cell::new(Registers { general: [0; 16], instruction: 0 })
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    extern "efiapi" fn sum(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64) -> u64 {
        a + 10 * b + 100 * c + 1000 * d + 10_000 * e + 100_000 * f
    }

    type Sum = extern "efiapi" fn(u64, u64, u64, u64, u64, u64) -> u64;

    fn call_through_stub() {
        let stub = make("sum", sum as *const () as usize);
        // SAFETY: the stub goes to `sum`, whose type this is, with all arguments as they were.
        let through: Sum = unsafe { std::mem::transmute::<usize, Sum>(stub) };
        assert_eq!(through(1, 2, 3, 4, 5, 6), 654_321);
        let return_address = take_return_address();
        let here = call_through_stub as *const () as usize;
        assert!(
            (here..here + 4096).contains(&return_address),
            "{return_address:#x} is in the function at {here:#x}"
        );
        assert_eq!(take_return_address(), 0);
        let local = 0_u8;
        let below = (&raw const local as u64).wrapping_sub(noted_registers().stack());
        assert!(below < 4096, "the stub's stack is just below this frame");
    }

    #[test]
    fn arguments_pass_and_the_return_address_is_noted() {
        call_through_stub();
    }

    #[test]
    fn each_thread_has_its_own_return_address() {
        for _ in 0..3 {
            std::thread::spawn(call_through_stub).join().unwrap();
        }
        assert_eq!(take_return_address(), 0);
    }
}
