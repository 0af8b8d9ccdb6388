//! The unwind information of x64 images (`.pdata`, `.xdata`): what each function's prologue did to the
//! stack, so that it can be counted, or undone to find who called.
//!
//! Parsed once, when the image is loaded or inspected. Every number in it may be wrong: entries that make
//! no sense are left out, and undoing reads memory only through its caller. Not here: epilogues, in whose
//! last instructions only an interrupted function can stand, never one that calls.

mod undo;

use object::pe;

use super::parse::{Machine, Pe};

pub use undo::Registers;

/// A function's stack frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The function's offset in the image.
    pub(super) function: u32,
    /// Bytes that its prologue allocates, pushed registers not counted.
    pub(super) size: u64,
}

/// The functions of an image that have unwind information, by their offset.
#[derive(Debug, Default)]
pub(super) struct Functions(Vec<Function>);

/// A function, or a part of one with a prologue of its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    begin: u32,
    end: u32,
    /// The register that the frame is found by, and how far it is above the frame's base.
    frame: Option<(u8, u32)>,
    /// What the prologue did, last first; what the part did that this one belongs to comes after it.
    codes: Vec<Code>,
    /// How many of the codes are this part's own.
    own: usize,
}

/// A step of a prologue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Code {
    /// How far into the function it is done.
    done_at: u32,
    operation: Operation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Push {
        register: u8,
    },
    Allocate {
        bytes: u32,
    },
    SetFrame {
        register: u8,
        offset: u32,
    },
    Save {
        register: u8,
        offset: u32,
    },
    /// A machine frame lies on the stack, above an error code or not.
    MachineFrame {
        error_code: bool,
    },
}

impl Functions {
    /// The functions of the image. None for other processors than x64.
    pub(super) fn of(pe: &Pe) -> Self {
        let mut functions: Vec<_> = pe
            .entries()
            .filter_map(|entry| pe.function(entry))
            .collect();
        functions.sort_by_key(|function| function.begin);
        Self(functions)
    }

    /// The function that the instruction at an offset in the image belongs to.
    pub(super) fn at(&self, offset: u32) -> Option<&Function> {
        let after = self.0.partition_point(|function| function.begin <= offset);
        let function = self.0.get(after.checked_sub(1)?)?;
        (offset < function.end).then_some(function)
    }
}

impl Pe {
    /// The frames of all functions that allocate stack. Empty for other processors than x64.
    pub(super) fn frames(&self) -> Vec<Frame> {
        let functions = Functions::of(self);
        let frames = functions.0.iter().map(|function| Frame {
            function: function.begin,
            size: function.allocation(),
        });
        frames.filter(|frame| frame.size != 0).collect()
    }

    /// The offsets of the entries of the function table.
    fn entries(&self) -> impl Iterator<Item = u32> {
        let table = self.directory(pe::IMAGE_DIRECTORY_ENTRY_EXCEPTION);
        let (offset, size) = table
            .filter(|_| self.machine == Machine::X64)
            .unwrap_or_default();
        (0..size / ENTRY).map_while(move |index| offset.checked_add(index * ENTRY))
    }

    /// The function whose entry is at an offset.
    fn function(&self, entry: u32) -> Option<Function> {
        let [begin, end, mut info] = self.entry(entry)?;
        // An entry may refer to another one for its information.
        if info & 1 != 0 {
            [_, _, info] = self.entry(info & !1)?;
        }
        let mut part = self.part(info)?;
        let mut function = Function {
            begin,
            end,
            frame: part.frame,
            own: part.codes.len(),
            codes: part.codes,
        };
        for _ in 0..MAX_CHAIN {
            let Some(info) = part.belongs_to else {
                return Some(function);
            };
            part = self.part(info)?;
            // Who is in this part has the whole prologue of the other behind it.
            let done = part.codes.iter().map(|code| Code {
                done_at: 0,
                ..*code
            });
            function.codes.extend(done);
        }
        None
    }

    fn entry(&self, offset: u32) -> Option<[u32; 3]> {
        let second = offset.checked_add(4)?;
        let third = offset.checked_add(8)?;
        Some([self.u32(offset)?, self.u32(second)?, self.u32(third)?])
    }

    /// The unwind information at an offset.
    fn part(&self, info: u32) -> Option<Part> {
        let [version_flags, _, count, frame] = self.bytes::<4>(info)?;
        let (register, offset) = (frame & 0xf, u32::from(frame >> 4) * 16);
        let slot = |index: u32| {
            let at = info.checked_add(4 + 2 * index)?;
            self.bytes::<2>(at)
        };
        let number = |index| slot(index).map(u16::from_le_bytes).map(u32::from);
        let mut codes = Vec::new();
        let mut index = 0;
        while index < u32::from(count) {
            let [done_at, code] = slot(index)?;
            let operand = code >> 4;
            let wide = |index| Some(number(index)? | number(index + 1)? << 16);
            let (slots, operation) = match code & 0xf {
                PUSH_NONVOL => (1, Some(Operation::Push { register: operand })),
                ALLOC_LARGE if operand == 0 => {
                    let bytes = number(index + 1)? * 8;
                    (2, Some(Operation::Allocate { bytes }))
                }
                ALLOC_LARGE => {
                    let bytes = wide(index + 1)?;
                    (3, Some(Operation::Allocate { bytes }))
                }
                ALLOC_SMALL => {
                    let bytes = (u32::from(operand) + 1) * 8;
                    (1, Some(Operation::Allocate { bytes }))
                }
                SET_FPREG => (1, Some(Operation::SetFrame { register, offset })),
                SAVE_NONVOL => {
                    let offset = number(index + 1)? * 8;
                    let register = operand;
                    (2, Some(Operation::Save { register, offset }))
                }
                SAVE_NONVOL_FAR => {
                    let offset = wide(index + 1)?;
                    let register = operand;
                    (3, Some(Operation::Save { register, offset }))
                }
                // Vector registers are not needed to find who called, nor is where epilogues are.
                EPILOG | SAVE_XMM128 => (2, None),
                SPARE | SAVE_XMM128_FAR => (3, None),
                PUSH_MACHFRAME => {
                    let error_code = operand == 1;
                    (1, Some(Operation::MachineFrame { error_code }))
                }
                _ => return None,
            };
            codes.extend(operation.map(|operation| Code {
                done_at: u32::from(done_at),
                operation,
            }));
            index += slots;
        }
        // The entry of the part that this one belongs to follows the slots, of which an even number is there.
        let belongs_to = if version_flags >> 3 & CHAININFO != 0 {
            let entry = info.checked_add(4 + 2 * u32::from(count).next_multiple_of(2))?;
            Some(self.entry(entry)?[2])
        } else {
            None
        };
        Some(Part {
            frame: (register != 0).then_some((register, offset)),
            codes,
            belongs_to,
        })
    }
}

impl Function {
    /// Bytes that its prologue allocates.
    fn allocation(&self) -> u64 {
        let own = self.codes[..self.own].iter();
        own.map(|code| match code.operation {
            Operation::Allocate { bytes } => u64::from(bytes),
            _ => 0,
        })
        .sum()
    }
}

/// One UNWIND_INFO.
struct Part {
    frame: Option<(u8, u32)>,
    codes: Vec<Code>,
    /// The information of the part whose prologue ran before.
    belongs_to: Option<u32>,
}

/// Bytes of a RUNTIME_FUNCTION: begin, end, unwind information.
const ENTRY: u32 = 12;
/// `UNW_FLAG_CHAININFO`.
const CHAININFO: u8 = 4;
/// Compilers chain two or three parts.
const MAX_CHAIN: usize = 32;
const PUSH_NONVOL: u8 = 0;
const ALLOC_LARGE: u8 = 1;
const ALLOC_SMALL: u8 = 2;
const SET_FPREG: u8 = 3;
const SAVE_NONVOL: u8 = 4;
const SAVE_NONVOL_FAR: u8 = 5;
const EPILOG: u8 = 6;
const SPARE: u8 = 7;
const SAVE_XMM128: u8 = 8;
const SAVE_XMM128_FAR: u8 = 9;
const PUSH_MACHFRAME: u8 = 10;

#[cfg(test)]
mod tests;
