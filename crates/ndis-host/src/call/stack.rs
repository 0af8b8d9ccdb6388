//! The driver's side of the stack: which of its functions led to a call into the host.
//!
//! A walk starts with the registers that the import's stub noted, goes from function to function by the
//! image's unwind information, through as many images as called each other, and stops where the host
//! called a driver. It reads this thread's stack above the call and nothing else, whatever the image says,
//! and takes well under a microsecond a frame: cheap enough for each call that can fail.

use std::cell::Cell;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CodeAddress, FRAMES, Kind, stub};
use crate::image::{self, Place, Registers};

/// The return addresses in the driver's functions that led to the call that this thread is in, the
/// innermost first: the last one is in the callback that the host called. Empty outside of a call, and
/// for calls by parts of the host.
#[must_use]
pub fn driver_stack() -> Vec<CodeAddress> {
    let addresses = driver_addresses();
    addresses.into_iter().map(CodeAddress::of).collect()
}

/// Like [`driver_stack`], as bare addresses.
#[must_use]
pub fn driver_addresses() -> Vec<usize> {
    let places = walk_call().into_iter();
    places.map(|(address, _)| address).collect()
}

/// Where registers stand in a driver, and the return addresses of those that led there: what a fault in
/// its code is described by.
#[must_use]
pub fn driver_stack_at(registers: &Registers) -> Vec<CodeAddress> {
    let mut places = walk(*registers).into_iter();
    let first = places
        .next()
        .map(|(address, _)| CodeAddress::of_instruction(address));
    let callers = places.map(|(address, _)| CodeAddress::of(address));
    first.into_iter().chain(callers).collect()
}

/// A number for the way that led to the call that this thread is in, `function`: made of the function's name
/// and the images and offsets of [`driver_stack`], so that it is the same in each run of the same images.
#[must_use]
pub fn stack_id(function: &str) -> StackId {
    let mut id = StackId(FNV_START).with(function.as_bytes());
    for (_, place) in walk_call() {
        id = id.with(place.image_name().as_bytes());
        id = id.with(&place.offset().to_le_bytes());
    }
    id
}

/// A way that led to a call. See [`stack_id`].
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct StackId(u64);

impl StackId {
    /// The identifier as a number.
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    fn with(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME)
        }))
    }
}

/// Sixteen hexadecimal digits.
impl fmt::Display for StackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl std::str::FromStr for StackId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = u64::from_str_radix(text, 16).ok();
        let number = number.filter(|_| text.len() == 16);
        let wrong = || format!("`{text}` names no call stack: it has 16 hexadecimal digits");
        number.map(Self).ok_or_else(wrong)
    }
}

impl From<StackId> for String {
    fn from(id: StackId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for StackId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Each return address with its place, the innermost first.
fn walk_call() -> Vec<(usize, Place)> {
    let Some(mut registers) = registers_of_call() else {
        return Vec::new();
    };
    let stack = registers.stack();
    let read = |address| read_stack(address, stack);
    match registers.pop_return(read) {
        Some(()) => walk(registers),
        None => Vec::new(),
    }
}

/// The registers of the driver's innermost call that is under way on this thread.
fn registers_of_call() -> Option<Registers> {
    if stub::pending_return_address() != 0 {
        // A function without a guard.
        return Some(stub::noted_registers());
    }
    let frames = FRAMES.try_with(|frames| {
        let frames = frames.try_borrow().ok()?;
        let innermost = frames.iter().rev().find(|frame| frame.kind == Kind::Call)?;
        (innermost.caller != 0).then_some(innermost.registers)
    });
    frames.ok().flatten()
}

fn walk(mut registers: Registers) -> Vec<(usize, Place)> {
    let lowest = registers.stack();
    let mut places = Vec::new();
    while places.len() < MAX_DEPTH {
        let address = registers.instruction as usize;
        let Some(place) = image::place_of(address) else {
            break;
        };
        let before = registers.stack();
        let left = place.leave(&mut registers, |address| read_stack(address, lowest));
        places.push((address, place));
        // A caller's frame is above the one that it called; else the information is wrong.
        if left.is_none() || registers.stack() <= before {
            break;
        }
    }
    places
}

/// The word at an address of this thread's stack, not below `lowest`, where it is in use.
fn read_stack(address: u64, lowest: u64) -> Option<u64> {
    let in_use = lowest.max(here())..=stack_end().checked_sub(8)?;
    if !in_use.contains(&address) || !address.is_multiple_of(8) {
        return None;
    }
    let word = address as *const u64;
    // SAFETY: the word lies in this thread's stack between a frame that is in use and the stack's end, by
    // the lines above; only this thread changes it.
    Some(unsafe { word.read_volatile() })
}

/// An address in the caller's frame or just below.
fn here() -> u64 {
    let local = 0_u8;
    &raw const local as u64
}

/// The first address after this thread's stack, 0 if the system does not say.
fn stack_end() -> u64 {
    let known = STACK_END.get();
    if known != 0 {
        return known;
    }
    // SAFETY: zero is a valid value of every field of this plain C structure.
    let mut attributes: libc::pthread_attr_t = unsafe { std::mem::zeroed() };
    // SAFETY: the call has no preconditions.
    let thread = unsafe { libc::pthread_self() };
    // SAFETY: the thread is this one, and the attributes are written before they are read.
    if unsafe { libc::pthread_getattr_np(thread, &raw mut attributes) } != 0 {
        return 0;
    }
    let (mut start, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: the attributes were just filled in.
    let got = unsafe {
        libc::pthread_attr_getstack(&raw const attributes, &raw mut start, &raw mut size)
    };
    // SAFETY: as above; they are not used after this.
    unsafe { libc::pthread_attr_destroy(&raw mut attributes) };
    let end = if got == 0 {
        start as u64 + size as u64
    } else {
        0
    };
    STACK_END.set(end);
    end
}

/// Kernel stacks are small; what is deeper goes in circles.
const MAX_DEPTH: usize = 64;
/// FNV-1a, which stays the same for ever, as the standard library's hashers do not.
const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

thread_local! {
    static STACK_END: Cell<u64> = const { Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_of_a_call_there_is_no_stack() {
        assert_eq!(driver_stack(), []);
        assert_eq!(stack_id("NdisFoo"), StackId(FNV_START).with(b"NdisFoo"));
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = stack_id("NdisFoo");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_ne!(id, stack_id("NdisBar"));
        for wrong in ["", "12", "000000000000000g", "00000000000000000"] {
            assert!(wrong.parse::<StackId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn memory_outside_of_the_stack_in_use_is_not_read() {
        let end = stack_end();
        assert!(here() < end, "this frame is in the stack");
        assert_eq!(read_stack(end, 0), None);
        assert_eq!(read_stack(here() - 65536, 0), None);
        assert_eq!(read_stack(end - 12, 0), None);
        assert!(read_stack(end - 8, 0).is_some());
        let thread = std::thread::spawn(move || (read_stack(end - 8, 0), stack_end()));
        let (other, own) = thread.join().expect("the thread does not panic");
        assert!(other.is_none() && own != end);
    }

    #[test]
    fn registers_that_mean_nothing_lead_nowhere() {
        let registers = Registers {
            general: [0x1234_5678; 16],
            instruction: 0x10,
        };
        assert_eq!(driver_stack_at(&registers), []);
    }
}
