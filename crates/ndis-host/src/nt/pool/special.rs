//! Blocks that each end, or begin, at a page which cannot be touched.
//!
//! One large range of addresses is reserved and inaccessible. A slot is a run of its pages with one
//! page more behind it that stays inaccessible; the pages become accessible while the slot's block
//! lives. A freed slot is inaccessible again, and is reused only after many others of its size.

use std::collections::{BTreeMap, VecDeque};

use super::{Fill, Freed, Guard};

/// The reserved range and its slots.
pub(super) struct Arena {
    /// Where the range begins, 0 before the first allocation.
    base: usize,
    /// Where slots begin that were never used.
    next: usize,
    /// Freed slots by number of pages, oldest first.
    waiting: BTreeMap<usize, VecDeque<Slot>>,
    /// The last block of each freed slot, by the slot's start.
    freed: BTreeMap<usize, Freed>,
    guard: Guard,
    /// Which side it is next, for alternating guards.
    before: bool,
}

/// The pages of one block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    start: usize,
    pages: usize,
    /// Where the block is on the pages.
    block: usize,
    size: usize,
}

impl Arena {
    pub(super) const fn new() -> Self {
        Self {
            base: 0,
            next: 0,
            waiting: BTreeMap::new(),
            freed: BTreeMap::new(),
            guard: Guard::End,
            before: false,
        }
    }

    pub(super) fn allocate(
        &mut self,
        size: usize,
        align: usize,
        fill: Fill,
        executable: bool,
    ) -> Option<(usize, Slot)> {
        let pages = size.div_ceil(PAGE).max(1);
        let start = self.start_of_slot(pages)?;
        let code = if executable { libc::PROT_EXEC } else { 0 };
        if !protect(start, pages, libc::PROT_READ | libc::PROT_WRITE | code) {
            self.wait(start, pages);
            return None;
        }
        // A page or more begins at a page; less ends at one, as close as its alignment lets it.
        let block = if size >= PAGE || self.is_next_before() {
            start
        } else {
            (start + pages * PAGE - size) & !(align.max(16) - 1)
        };
        let slot = Slot {
            start,
            pages,
            block,
            size,
        };
        slot.fill(fill);
        Some((block, slot))
    }

    pub(super) fn free(&mut self, slot: Slot, freed: Freed) {
        // Without the call the pages would keep their content: the next block would not be zero.
        // SAFETY: the slot's pages are the arena's, and its block has just been freed.
        unsafe {
            libc::madvise(
                slot.start as *mut libc::c_void,
                slot.pages * PAGE,
                libc::MADV_DONTNEED,
            );
        }
        assert!(
            protect(slot.start, slot.pages, libc::PROT_NONE),
            "freed pool can be made inaccessible"
        );
        self.freed.insert(slot.start, freed);
        self.wait(slot.start, slot.pages);
    }

    /// The freed block on whose slot, or on the page behind it, `address` lies.
    pub(super) fn freed_at(&self, address: usize) -> Option<&Freed> {
        let (start, freed) = self.freed.range(..=address).next_back()?;
        let pages = freed.block.size.div_ceil(PAGE).max(1);
        (address < start + pages * PAGE).then_some(freed)
    }

    pub(super) fn contains(&self, address: usize) -> bool {
        self.base != 0 && (self.base..self.base + ARENA_SIZE).contains(&address)
    }

    pub(super) fn set_guard(&mut self, guard: Guard) {
        self.guard = guard;
    }

    fn is_next_before(&mut self) -> bool {
        match self.guard {
            Guard::End => false,
            Guard::Start => true,
            Guard::Alternate => {
                self.before = !self.before;
                self.before
            }
        }
    }

    fn start_of_slot(&mut self, pages: usize) -> Option<usize> {
        let fresh_left = self.base == 0 || self.next + (pages + 1) * PAGE <= self.base + ARENA_SIZE;
        let waiting = self.waiting.get_mut(&pages);
        if let Some(waiting) = waiting
            && (waiting.len() > KEPT_AWAY || !fresh_left)
            && let Some(slot) = waiting.pop_front()
        {
            self.freed.remove(&slot.start);
            return Some(slot.start);
        }
        if !fresh_left {
            return None;
        }
        if self.base == 0 {
            self.base = reserve()?;
            // The first page stays inaccessible: what lies before the first block.
            self.next = self.base + PAGE;
        }
        let start = self.next;
        self.next += (pages + 1) * PAGE;
        Some(start)
    }

    fn wait(&mut self, start: usize, pages: usize) {
        self.waiting.entry(pages).or_default().push_back(Slot {
            start,
            pages,
            block: start,
            size: 0,
        });
    }
}

impl Slot {
    /// Where a byte around the block was written, if one was.
    pub(super) fn spoiled(&self) -> Option<String> {
        let before = self.read(self.start, self.block - self.start);
        if let Some(index) = before.iter().rposition(|byte| *byte != AROUND) {
            return Some(format!("{} before its start", before.len() - index));
        }
        let end = self.block + self.size;
        let after = self.read(end, self.start + self.pages * PAGE - end);
        let index = after.iter().position(|byte| *byte != AROUND)?;
        Some(format!("{index} past its end"))
    }

    fn fill(&self, fill: Fill) {
        let content = match fill {
            Fill::Zero => 0,
            Fill::Uninitialized => UNINITIALIZED,
        };
        let end = self.start + self.pages * PAGE;
        self.write(self.start, self.block - self.start, AROUND);
        if content != 0 {
            self.write(self.block, self.size, content);
        }
        self.write(self.block + self.size, end - self.block - self.size, AROUND);
    }

    fn write(&self, start: usize, length: usize, byte: u8) {
        debug_assert!(start >= self.start && start + length <= self.start + self.pages * PAGE);
        // SAFETY: the range is on the slot's pages, which are accessible while the slot is live.
        unsafe { std::ptr::write_bytes(start as *mut u8, byte, length) };
    }

    fn read(&self, start: usize, length: usize) -> &[u8] {
        debug_assert!(start >= self.start && start + length <= self.start + self.pages * PAGE);
        // SAFETY: the range is on the slot's pages, outside of its block: nobody writes there unless
        // the driver is wrong, which is what this looks for.
        unsafe { std::slice::from_raw_parts(start as *const u8, length) }
    }
}

fn reserve() -> Option<usize> {
    // SAFETY: a new mapping at an address that the kernel chooses touches no memory in use.
    let base = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            ARENA_SIZE,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    (base != libc::MAP_FAILED).then_some(base as usize)
}

fn protect(start: usize, pages: usize, protection: i32) -> bool {
    // SAFETY: the pages are a slot of the arena, whose block is not in use: not yet, or no more.
    unsafe { libc::mprotect(start as *mut libc::c_void, pages * PAGE, protection) == 0 }
}

const PAGE: usize = 4096;
/// Addresses are free; memory is used only by slots whose blocks live.
const ARENA_SIZE: usize = 64 << 30;
/// How many freed slots of a size are kept from being used again.
const KEPT_AWAY: usize = 8192;
/// On a block's pages, around the block.
const AROUND: u8 = 0xf5;
/// In a block that was asked for without zeroing.
const UNINITIALIZED: u8 = 0xcd;
