//! The buffers of a request, by the way in which they are handed over
//! (`buffer-descriptions-for-i-o-control-codes.md`, `methods-for-accessing-data-buffers.md`).
//!
//! Each is a block of pool of exactly its size, so that touching more faults.

use std::ptr;

use ndis_sys::nt::{MDL, MDL_MAPPED_TO_SYSTEM_VA, MDL_PAGES_LOCKED, PVOID};
use ndis_sys::{IRP, METHOD_BUFFERED, METHOD_IN_DIRECT, METHOD_NEITHER, METHOD_OUT_DIRECT, ULONG};

use crate::nt::mdl;
use crate::nt::pool::{self, Fill, Kind};

/// The buffers of one request.
#[derive(Debug)]
pub(super) struct Buffers {
    /// What the driver is given, and takes.
    system: *mut u8,
    /// The caller's input where the driver gets its address.
    input: *mut u8,
    /// The caller's output buffer, or the second input of METHOD_IN_DIRECT.
    output: *mut u8,
    mdl: *mut MDL,
    /// Where the answer is when the request succeeds.
    answer: *const u8,
    capacity: usize,
}

// SAFETY: the blocks belong to the request, which one thread at a time makes and ends.
unsafe impl Send for Buffers {}

/// How a request hands over its buffers, and what is in them.
#[derive(Debug)]
pub(super) struct Transfer {
    /// `METHOD_*`.
    pub(super) method: ULONG,
    /// What the driver reads.
    pub(super) input: Vec<u8>,
    /// What the output buffer holds before the driver writes it.
    pub(super) output: Vec<u8>,
}

impl Buffers {
    /// No buffers at all: create, cleanup, close.
    pub(super) const NONE: Self = Self {
        system: ptr::null_mut(),
        input: ptr::null_mut(),
        output: ptr::null_mut(),
        mdl: ptr::null_mut(),
        answer: ptr::null(),
        capacity: 0,
    };

    /// Makes the buffers of a transfer and puts them into a request.
    pub(super) fn new(transfer: &Transfer, irp: &mut IRP) -> Self {
        let Transfer {
            method,
            input,
            output,
        } = transfer;
        let mut buffers = Self {
            capacity: output.len(),
            ..Self::NONE
        };
        match *method {
            METHOD_BUFFERED => {
                buffers.system = filled(input, input.len().max(output.len()));
                buffers.answer = buffers.system;
                if !output.is_empty() {
                    irp.UserBuffer = NOT_FOR_DRIVERS;
                }
            }
            METHOD_IN_DIRECT | METHOD_OUT_DIRECT => {
                buffers.system = filled(input, input.len());
                buffers.output = filled(output, output.len());
                buffers.mdl = locked(buffers.output, output.len());
                buffers.answer = buffers.output;
            }
            method => {
                debug_assert_eq!(method, METHOD_NEITHER);
                buffers.input = filled(input, input.len());
                buffers.output = filled(output, output.len());
                buffers.answer = buffers.output;
                irp.UserBuffer = buffers.output.cast();
            }
        }
        irp.SystemBuffer = buffers.system.cast();
        irp.MdlAddress = buffers.mdl;
        buffers
    }

    /// Where the caller's input is, for METHOD_NEITHER.
    pub(super) fn input(&self) -> PVOID {
        self.input.cast()
    }

    /// The first `length` bytes of the answer.
    pub(super) fn answer(&self, length: usize) -> Vec<u8> {
        let length = length.min(self.capacity);
        if length == 0 {
            return Vec::new();
        }
        // SAFETY: the block holds at least `capacity` bytes and is freed by `free` only.
        unsafe { std::slice::from_raw_parts(self.answer, length) }.to_vec()
    }

    /// Frees everything: the driver may not touch it any more.
    pub(super) fn free(&mut self) {
        if let Some(mdl) = ptr::NonNull::new(self.mdl) {
            // SAFETY: the MDL was made by `locked` and is freed below.
            let content = unsafe { &mut *mdl.as_ptr() };
            // The I/O manager unlocks the pages, which takes a mapping of them back.
            content.MdlFlags &= !(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA);
            // SAFETY: as above.
            unsafe { mdl::free(mdl.as_ptr()) };
        }
        for block in [self.system, self.input, self.output] {
            if !block.is_null() {
                pool::free(block, Some(TAG.into()));
            }
        }
        *self = Self::NONE;
    }
}

/// A block of `size` bytes that begins with `content`; null for none. What follows the content is a
/// pattern: the I/O manager does not clear it.
fn filled(content: &[u8], size: usize) -> *mut u8 {
    if size == 0 {
        return ptr::null_mut();
    }
    let block = pool::allocate_with(size, TAG.into(), Kind::NonPaged, 1, Fill::Uninitialized);
    assert!(!block.is_null(), "no memory for a request's buffer");
    // SAFETY: the block was just allocated with at least that size, apart from the content.
    unsafe { ptr::copy_nonoverlapping(content.as_ptr(), block, content.len()) };
    block
}

fn locked(buffer: *mut u8, length: usize) -> *mut MDL {
    if length == 0 {
        return ptr::null_mut();
    }
    let mdl = mdl::allocate(buffer.cast(), length as u32);
    assert!(!mdl.is_null(), "no memory for a request's MDL");
    // SAFETY: the MDL was just allocated.
    unsafe { (*mdl).MdlFlags |= MDL_PAGES_LOCKED };
    mdl
}

const TAG: [u8; 4] = *b"IoBu";
/// Where a program's buffer would be. A driver that goes there instead of the system's faults: no
/// process has memory at the very start of its addresses.
const NOT_FOR_DRIVERS: PVOID = 0x2000 as PVOID;
