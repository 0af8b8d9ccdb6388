//! What kernel code does that a process may not, where drivers do it inline: reading and writing the
//! IRQL in CR8, and reading the processor's own block through the GS segment.

use crate::image;
use crate::nt::irql::{self, Irql};
use crate::nt::thread;

/// Carries out the instruction that faulted, if it moves to or from CR8 in a driver's code.
///
/// `registers` are those of the fault; on success they are as after the instruction.
pub(super) fn emulate(registers: &mut [libc::greg_t]) -> bool {
    let instruction = registers[libc::REG_RIP as usize] as usize;
    if image::place_of(instruction).is_none_or(|place| place.is_unloaded()) {
        return false;
    }
    let code = instruction as *const [u8; LENGTH];
    // SAFETY: the address is in a loaded image, whose last page is followed by tables, not by its
    // code: four bytes from an instruction on are in it.
    let code = unsafe { code.read_unaligned() };
    // REX.R selects CR8, REX.B the upper eight general registers.
    let [
        rex @ (0x44 | 0x45),
        0x0f,
        operation @ (0x20 | 0x22),
        operands @ 0xc0..=0xc7,
    ] = code
    else {
        return false;
    };
    let number = usize::from(operands & 7) + 8 * usize::from(rex & 1);
    let register = &mut registers[REGISTERS[number] as usize];
    if operation == MOVE_FROM {
        *register = irql::queried(Some(instruction)).0.into();
    } else {
        irql::set(Irql(*register as u8 & 0xf));
    }
    registers[libc::REG_RIP as usize] += LENGTH as libc::greg_t;
    true
}

/// Gives this thread a block that GS points to: inline functions of the kernel's headers read the
/// processor's number and the current thread from it.
pub(super) fn prepare_thread() {
    // SAFETY: a new mapping at an address that the kernel chooses touches no memory in use.
    let block = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            BLOCK_SIZE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    assert_ne!(block, libc::MAP_FAILED, "no memory for a processor's block");
    let fields = [
        (SELF, block as u64),
        // Each number is the upper half of the eight bytes that are written.
        (
            LEGACY_NUMBER - 4,
            u64::from(thread::current_processor()) << 32,
        ),
        (NUMBER - 4, u64::from(thread::current_processor()) << 32),
        (CURRENT_THREAD, thread::current_thread()),
    ];
    for (offset, number) in fields {
        let place = block.wrapping_byte_add(offset).cast::<u64>();
        // SAFETY: the offsets are within the block, which was just mapped and is aligned.
        unsafe { place.write(number) };
    }
    // SAFETY: no code of a Linux process uses GS on x86-64; the call changes nothing else.
    let set = unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_SET_GS, block) };
    assert_eq!(set, 0, "a thread can have a GS base");
}

/// The general registers in the order of their numbers.
const REGISTERS: [i32; 16] = [
    libc::REG_RAX,
    libc::REG_RCX,
    libc::REG_RDX,
    libc::REG_RBX,
    libc::REG_RSP,
    libc::REG_RBP,
    libc::REG_RSI,
    libc::REG_RDI,
    libc::REG_R8,
    libc::REG_R9,
    libc::REG_R10,
    libc::REG_R11,
    libc::REG_R12,
    libc::REG_R13,
    libc::REG_R14,
    libc::REG_R15,
];
/// Bytes of `mov reg, cr8` and `mov cr8, reg`.
const LENGTH: usize = 4;
const MOVE_FROM: u8 = 0x20;
const ARCH_SET_GS: i64 = 0x1001;
/// KPCR of x64, as far as inline functions read it.
const BLOCK_SIZE: usize = 0x1000;
const SELF: usize = 0x18;
const LEGACY_NUMBER: usize = 0x184;
const NUMBER: usize = 0x1a4;
const CURRENT_THREAD: usize = 0x188;
