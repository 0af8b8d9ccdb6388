//! Undoing a prologue: from the registers inside of a function to those of its caller.

use super::{Function, Operation};

/// The registers that lead from a function to its caller: the general ones by their number in machine
/// code, and the instruction pointer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Registers {
    /// By number. Those that functions need not preserve are 0 if unknown.
    pub general: [u64; 16],
    /// The instruction pointer.
    pub instruction: u64,
}

impl Registers {
    /// The number of the stack pointer.
    pub const RSP: usize = 4;

    /// The stack pointer.
    #[must_use]
    pub fn stack(&self) -> u64 {
        self.general[Self::RSP]
    }

    /// Takes the return address from the stack, as a `ret` does. `None` if `read` has no such memory.
    pub(crate) fn pop_return(&mut self, read: impl Fn(u64) -> Option<u64>) -> Option<()> {
        self.instruction = self.pop(read)?;
        Some(())
    }

    fn pop(&mut self, read: impl Fn(u64) -> Option<u64>) -> Option<u64> {
        let stack = &mut self.general[Self::RSP];
        let value = read(*stack)?;
        *stack = stack.wrapping_add(8);
        Some(value)
    }

    fn set(&mut self, register: u8, value: u64) {
        self.general[usize::from(register & 0xf)] = value;
    }
}

impl Function {
    /// Turns the registers of an instruction `offset` into the image, in this function, into those of its
    /// caller after the return. `None` if `read` has no memory where the stack should be.
    pub(in crate::image) fn undo(
        &self,
        offset: u32,
        registers: &mut Registers,
        read: impl Fn(u64) -> Option<u64>,
    ) -> Option<()> {
        let into = offset.saturating_sub(self.begin);
        let base = self.base(into, registers);
        let done = self.codes.iter().filter(|code| code.done_at <= into);
        for code in done {
            match code.operation {
                Operation::Push { register } => {
                    let value = registers.pop(&read)?;
                    registers.set(register, value);
                }
                Operation::Allocate { bytes } => {
                    let stack = &mut registers.general[Registers::RSP];
                    *stack = stack.wrapping_add(u64::from(bytes));
                }
                Operation::SetFrame { register, offset } => {
                    let frame = registers.general[usize::from(register & 0xf)];
                    registers.general[Registers::RSP] = frame.wrapping_sub(u64::from(offset));
                }
                Operation::Save { register, offset } => {
                    let value = read(base.wrapping_add(u64::from(offset)))?;
                    registers.set(register, value);
                }
                Operation::MachineFrame { error_code } => {
                    let frame = registers.stack().wrapping_add(u64::from(error_code) * 8);
                    registers.instruction = read(frame)?;
                    registers.general[Registers::RSP] = read(frame.wrapping_add(24))?;
                    return Some(());
                }
            }
        }
        registers.pop_return(read)
    }

    /// What saved registers are counted from: the stack pointer after the prologue, before allocations
    /// of the body.
    fn base(&self, into: u32, registers: &Registers) -> u64 {
        let set = self.codes.iter().any(|code| {
            matches!(code.operation, Operation::SetFrame { .. }) && code.done_at <= into
        });
        match self.frame {
            Some((register, offset)) if set => {
                registers.general[usize::from(register)].wrapping_sub(u64::from(offset))
            }
            _ => registers.stack(),
        }
    }
}
