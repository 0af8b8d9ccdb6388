//! Unwind information that compilers make, undone on a small stack.

use super::*;
use crate::image::testing::Builder;

/// A stack of eight words at 0x8000, each holding its own number.
fn read(address: u64) -> Option<u64> {
    let index = address.checked_sub(0x8000)? / 8;
    (index < 8 && address.is_multiple_of(8)).then_some(index)
}

fn functions(unwind: &[&[u8]]) -> Functions {
    let mut builder = Builder::new(&[0xc3]);
    for (index, info) in unwind.iter().enumerate() {
        let index = index as u32;
        builder.function(index, 0x1000 + index * 0x40, info);
    }
    Functions::of(&Pe::parse(&builder.build()).expect("the test's image is whole"))
}

/// The registers of the caller of who is `into` the first function, with the stack pointer at 0x8000.
fn undone(unwind: &[&[u8]], into: u32, prepare: impl FnOnce(&mut Registers)) -> Registers {
    let functions = functions(unwind);
    let mut registers = Registers::default();
    registers.general[Registers::RSP] = 0x8000;
    prepare(&mut registers);
    let function = functions.at(0x1000 + into).expect("it is in the function");
    function
        .undo(0x1000 + into, &mut registers, read)
        .expect("the stack is there");
    registers
}

const RBX: usize = 3;
const RBP: usize = 5;
const RDI: usize = 7;

/// `push rbx` (2 bytes in), `sub rsp, 16` (6 bytes in).
const PUSH_AND_ALLOCATE: &[u8] = &[1, 6, 2, 0, 6, 0x12, 2, 0x30];

#[test]
fn pushes_and_allocations_are_undone() {
    let caller = undone(&[PUSH_AND_ALLOCATE], 0x20, |_| {});
    assert_eq!((caller.general[RBX], caller.instruction), (2, 3));
    assert_eq!(caller.stack(), 0x8020);
}

#[test]
fn what_the_prologue_has_not_done_yet_is_not_undone() {
    let caller = undone(&[PUSH_AND_ALLOCATE], 2, |_| {});
    assert_eq!((caller.general[RBX], caller.instruction), (0, 1));
    let caller = undone(&[PUSH_AND_ALLOCATE], 0, |_| {});
    assert_eq!(caller.instruction, 0);
}

#[test]
fn a_frame_register_says_where_the_frame_is() {
    // push rbp; sub rsp, 16; lea rbp, [rsp+16]; mov [rsp+8], rdi; then the body moved rsp away.
    let info = [
        1, 12, 5, 0x15, 12, 0x74, 1, 0, 9, 0x03, 5, 0x12, 1, 0x50, 0, 0,
    ];
    let caller = undone(&[&info], 0x20, |registers| {
        registers.general[Registers::RSP] = 0x10;
        registers.general[RBP] = 0x8018;
    });
    assert_eq!(
        caller.general[RDI], 2,
        "saved one word above the base 0x8008"
    );
    assert_eq!((caller.general[RBP], caller.instruction), (3, 4));
    assert_eq!(caller.stack(), 0x8028);
}

#[test]
fn a_chained_part_undoes_the_first_parts_prologue_too() {
    // The second function, by its entry in the file, is a part of the first: sub rsp, 8 more.
    let first = PUSH_AND_ALLOCATE;
    // Version 1 with UNW_FLAG_CHAININFO, one code, then the entry of the first: its info is at 0x21c0.
    let mut chained = vec![0x21, 4, 1, 0, 4, 0x02, 0, 0];
    chained.extend([0; 8]);
    chained.extend(0x21c0_u32.to_le_bytes());
    let functions = functions(&[first, &chained]);
    let mut registers = Registers::default();
    registers.general[Registers::RSP] = 0x8000;
    let function = functions.at(0x1041).expect("the second");
    assert_eq!(function.undo(0x1041, &mut registers, read), Some(()));
    // Only what the first did: the 8 bytes are 4 bytes into the second.
    assert_eq!((registers.general[RBX], registers.instruction), (2, 3));
    assert_eq!(function.allocation(), 8);
}

#[test]
fn a_machine_frame_has_the_interrupted_stack() {
    let caller = undone(&[&[1, 0, 1, 0, 0, 0x1a]], 8, |_| {});
    // Error code 0, then RIP, CS, RFLAGS, RSP.
    assert_eq!((caller.instruction, caller.stack()), (1, 4));
}

#[test]
fn a_stack_that_is_not_there_ends_the_undoing() {
    let functions = functions(&[PUSH_AND_ALLOCATE]);
    let mut registers = Registers::default();
    registers.general[Registers::RSP] = u64::MAX - 3;
    let function = functions.at(0x1020).expect("the function");
    assert_eq!(function.undo(0x1020, &mut registers, read), None);
}

#[test]
fn offsets_between_functions_belong_to_none() {
    let functions = functions(&[PUSH_AND_ALLOCATE]);
    assert!(functions.at(0xfff).is_none() && functions.at(0x1040).is_none());
    assert!(functions.at(0x103f).is_some());
}

#[test]
fn information_that_is_chained_to_itself_is_left_out() {
    let mut circle = vec![0x21, 4, 1, 0, 4, 0x02, 0, 0];
    circle.extend([0; 8]);
    circle.extend(0x21c0_u32.to_le_bytes());
    assert!(functions(&[&circle]).at(0x1000).is_none());
}

proptest::proptest! {
    /// Whatever the bytes say: parsing and undoing come to an end.
    #[test]
    fn any_information_is_read_without_harm(info in proptest::collection::vec(0_u8.., 16), into in 0_u32..0x40) {
        let functions = functions(&[&info]);
        if let Some(function) = functions.at(0x1000 + into) {
            let mut registers = Registers { general: [0x8000; 16], instruction: 0 };
            let _ = function.undo(0x1000 + into, &mut registers, read);
        }
    }
}
