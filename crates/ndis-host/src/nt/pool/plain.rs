//! Blocks for measurements of speed: from free lists of the thread that asks, without any lock.
//!
//! A block has a header in front of it, and a size that is a power of two. Freed, it joins the list of
//! the thread that frees it, whoever allocated it; what is too much there goes back to the allocator of
//! the process, as does all of a thread that ends. Nothing is checked.

use std::alloc::Layout;
use std::cell::RefCell;

use super::{Fill, Tag};

/// Allocates a block; none if there is no memory.
pub(super) fn allocate(size: usize, tag: Tag, fill: Fill) -> Option<*mut u8> {
    let class = class_of(size)?;
    let reused = LISTS
        .try_with(|lists| lists.borrow_mut().take(class))
        .ok()
        .flatten();
    let block = match reused {
        Some(block) => block,
        None => fresh(class)?,
    };
    let header = Header {
        class,
        tag: tag.0,
        next: std::ptr::null_mut(),
    };
    // SAFETY: a block of this module has a header in front of it, and this one is nobody else's.
    unsafe { header_of(block).write(header) };
    if fill == Fill::Zero {
        // SAFETY: the class has room for as many bytes.
        unsafe { block.write_bytes(0, size) };
    }
    Some(block)
}

/// Frees a block of [`allocate`].
pub(super) fn free(block: *mut u8) {
    // SAFETY: with the rules off, the driver's word for it that it is a block.
    let class = unsafe { (*header_of(block)).class };
    let kept = LISTS
        .try_with(|lists| lists.borrow_mut().put(class, block))
        .unwrap_or(false);
    if !kept {
        give_up(class, block);
    }
}

/// The tag of a block.
pub(super) fn tag_of(block: *mut u8) -> Tag {
    // SAFETY: as in `free`.
    Tag(unsafe { (*header_of(block)).tag })
}

/// What is in front of a block.
struct Header {
    class: u32,
    tag: u32,
    /// The next free block of its class.
    next: *mut u8,
}

/// The free blocks of a thread, by class.
struct Lists {
    first: [*mut u8; CLASSES],
    length: [u32; CLASSES],
}

impl Lists {
    fn take(&mut self, class: u32) -> Option<*mut u8> {
        let class = class as usize;
        let block = self.first[class];
        if block.is_null() {
            return None;
        }
        // SAFETY: a block in a list is this thread's, with its header.
        self.first[class] = unsafe { (*header_of(block)).next };
        self.length[class] -= 1;
        Some(block)
    }

    /// Keeps a block, unless there are enough of its class.
    fn put(&mut self, class: u32, block: *mut u8) -> bool {
        let index = class as usize;
        if self.length[index] >= MOST_BYTES >> class {
            return false;
        }
        // SAFETY: the block was just freed and is nobody else's.
        unsafe { (*header_of(block)).next = self.first[index] };
        self.first[index] = block;
        self.length[index] += 1;
        true
    }
}

impl Drop for Lists {
    fn drop(&mut self) {
        for class in 0..CLASSES as u32 {
            while let Some(block) = self.take(class) {
                give_up(class, block);
            }
        }
    }
}

fn fresh(class: u32) -> Option<*mut u8> {
    let (layout, ahead) = layout_of(class);
    // SAFETY: the layout has a size.
    let start = unsafe { std::alloc::alloc(layout) };
    (!start.is_null()).then(|| start.wrapping_add(ahead))
}

fn give_up(class: u32, block: *mut u8) {
    let (layout, ahead) = layout_of(class);
    // SAFETY: `fresh` made it with that layout, so far behind the start.
    unsafe { std::alloc::dealloc(block.wrapping_sub(ahead), layout) };
}

/// The layout of a class, and how far behind its start the block is. Blocks of a page or more are
/// aligned to a page.
fn layout_of(class: u32) -> (Layout, usize) {
    let size = 1_usize << class;
    let align = if size >= PAGE { PAGE } else { HEADER };
    let layout = Layout::from_size_align(size + align, align);
    (layout.expect("a class is below the largest layout"), align)
}

/// The binary logarithm of a block's size.
fn class_of(size: usize) -> Option<u32> {
    let class = size.max(SMALLEST).checked_next_power_of_two()?.ilog2();
    ((class as usize) < CLASSES).then_some(class)
}

fn header_of(block: *mut u8) -> *mut Header {
    block.wrapping_sub(HEADER).cast()
}

const HEADER: usize = size_of::<Header>();
const PAGE: usize = 4096;
const SMALLEST: usize = 64;
/// Blocks are smaller than four gigabytes.
const CLASSES: usize = 32;
/// The most that a thread keeps of one class.
const MOST_BYTES: u32 = 8 << 20;

thread_local! {
    static LISTS: RefCell<Lists> = const {
        RefCell::new(Lists { first: [std::ptr::null_mut(); CLASSES], length: [0; CLASSES] })
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_block_is_the_next_one_of_its_class_and_zeroed() {
        let block = allocate(100, Tag(7), Fill::Zero).unwrap();
        assert_eq!(tag_of(block), Tag(7));
        // SAFETY: the block has 100 bytes.
        unsafe { block.write_bytes(0xff, 100) };
        free(block);
        let again = allocate(128, Tag(8), Fill::Zero).unwrap();
        assert_eq!(again, block);
        // SAFETY: the block has 128 bytes, of which none was left as it was.
        let bytes = unsafe { std::slice::from_raw_parts(again, 128) };
        assert!(bytes.iter().all(|&byte| byte == 0));
        free(again);
    }

    #[test]
    fn blocks_of_a_page_or_more_are_aligned_to_a_page_and_others_to_16() {
        for (size, align) in [(0, 16), (1, 16), (4095, 16), (4096, 4096), (70_000, 4096)] {
            let block = allocate(size, Tag(1), Fill::Zero).unwrap();
            assert_eq!(block as usize % align, 0, "{size}");
            free(block);
        }
        assert_eq!(allocate(usize::MAX, Tag(1), Fill::Zero), None);
    }
}
