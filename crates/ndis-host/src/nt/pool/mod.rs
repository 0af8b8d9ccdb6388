//! Pool: what drivers allocate, by tag and by caller.
//!
//! Two kinds of block. *Special* ones each end or begin at a page that cannot be touched, and their
//! pages cannot be touched once freed (`special`): a wrong access faults where it happens. *Red-zoned*
//! ones carry patterns that are looked at when they are freed (`red_zone`): cheaper, for very many
//! blocks. Every block is known until it is reused, so that a fault or a second
//! free can say whose it was.
//!
//! With the rules off there is a third kind, of which nothing is known (`plain`).
//!
//! Frees are checked here; accesses by `nt::fault`.

pub mod exports;
mod plain;
mod red_zone;
mod special;
mod usage;

use std::collections::BTreeMap;
use std::fmt;

use super::irql::{self, Irql};
use super::lock_order;
use super::sched::{self, Monitor};
use super::timer;
use crate::call::{self, CodeAddress};
use crate::rules::{self, Rule};

pub use usage::{Usage, Used, by_caller, by_tag};

/// A pool tag: four characters, the first in the lowest byte.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

impl From<[u8; 4]> for Tag {
    fn from(characters: [u8; 4]) -> Self {
        Self(u32::from_le_bytes(characters))
    }
}

impl From<u32> for Tag {
    fn from(tag: u32) -> Self {
        Self(tag)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let characters = self.0.to_le_bytes();
        if characters.iter().all(|c| matches!(c, b' '..=b'~')) {
            write!(
                f,
                "'{}'",
                characters.map(char::from).iter().collect::<String>()
            )
        } else {
            write!(f, "{:#010x}", self.0)
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a block of pool is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// May be touched at any IRQL.
    NonPaged,
    /// Nonpaged pool that may be executed. It is not executable here.
    NonPagedExecute,
    /// May be touched, allocated and freed at or below APC_LEVEL.
    Paged,
}

/// A block of pool.
#[derive(Clone, Debug)]
pub struct Block {
    /// Where it begins.
    pub address: usize,
    /// Its size as asked for, in bytes.
    pub size: usize,
    /// Its tag.
    pub tag: Tag,
    /// Its kind.
    pub kind: Kind,
    /// Where the driver allocated it.
    pub caller: usize,
    /// The number of the thread that allocated it.
    pub thread: u64,
}

/// How blocks are made from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each block alone on its pages, until there are very many.
    Special,
    /// Blocks with red zones.
    RedZones,
}

/// On which side of a special block the page is that cannot be touched. What is written on the other
/// side is found when the block is freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Behind its end, as near as its alignment lets it: Driver Verifier's "Verify End".
    End,
    /// Before its start: "Verify Start".
    Start,
    /// One block so, the next one the other way.
    Alternate,
}

/// Chooses on which side of new special blocks the page is that cannot be touched.
pub fn set_guard(guard: Guard) {
    POOL.lock().special.set_guard(guard);
}

/// What a block is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Zeros.
    Zero,
    /// A pattern, so that use before initialization shows.
    Uninitialized,
}

/// Chooses how blocks are made. Blocks that there are stay as they are.
pub fn set_mode(mode: Mode) {
    POOL.lock().mode = mode;
}

/// Allocates a zeroed block for the driver call that is under way; null if there is no memory.
///
/// Blocks are aligned to 16 bytes, those of a page or more to a page.
#[must_use]
pub fn allocate(size: usize, tag: impl Into<Tag>, kind: Kind) -> *mut u8 {
    allocate_with(size, tag.into(), kind, 16, Fill::Zero)
}

/// Allocates a block aligned to `align`, a power of two of at most a page.
#[must_use]
pub fn allocate_with(size: usize, tag: Tag, kind: Kind, align: usize, fill: Fill) -> *mut u8 {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    if !rules::enforced() {
        return plain::allocate(size, tag, fill).unwrap_or(std::ptr::null_mut());
    }
    let block = Block {
        address: 0,
        size,
        tag,
        kind,
        caller: call::caller_address(),
        thread: sched::current_id(),
    };
    let Some(address) = POOL.lock().allocate(block, align, fill) else {
        return std::ptr::null_mut();
    };
    address as *mut u8
}

/// Frees a block. With a `tag`, that must be the block's; what else is wrong ends the run.
pub fn free(pointer: *mut u8, tag: Option<Tag>) {
    if !rules::enforced() {
        return plain::free(pointer);
    }
    let size = check_no_timer(pointer);
    lock_order::forget(pointer as usize..pointer as usize + size);
    let freed = POOL.lock().free(pointer as usize, tag);
    if let Err((rule, what)) = freed {
        rules::broken(rule, what);
    }
}

/// Answers with the size of the block.
fn check_no_timer(pointer: *mut u8) -> usize {
    let start = pointer as usize;
    let block = POOL.lock().live.get(&start).map(|live| live.block.clone());
    let Some(block) = block else { return 0 };
    if let Some(timer) = timer::set_within(start..start + block.size) {
        rules::broken(
            &rules::POOL_CONTAINS_LIVE_OBJECT,
            format_args!(
                "{} is freed; the timer at {timer:#x} in it is set",
                describe(&block)
            ),
        );
    }
    rules::held(&rules::POOL_CONTAINS_LIVE_OBJECT);
    block.size
}

/// The tag of the block that begins at `pointer`, if one does.
#[must_use]
pub fn tag_of(pointer: *mut u8) -> Option<Tag> {
    if !rules::enforced() {
        return (!pointer.is_null()).then(|| plain::tag_of(pointer));
    }
    let pool = POOL.lock();
    pool.live
        .get(&(pointer as usize))
        .map(|live| live.block.tag)
}

/// How many blocks this thread allocated so far.
#[must_use]
pub fn allocations() -> u64 {
    ALLOCATIONS.get()
}

/// The blocks that are allocated.
#[must_use]
pub fn outstanding() -> Vec<Block> {
    let pool = POOL.lock();
    pool.live.values().map(|live| live.block.clone()).collect()
}

/// Every block that was freed and not reused, looked at for writes after it was freed.
///
/// Special blocks cannot be written unseen; this finds what happened to the others.
pub fn check_freed() {
    let spoiled = POOL.lock().red_zones.check_freed();
    if let Some((block, offset)) = spoiled {
        rules::broken_at(
            &rules::SPECIAL_POOL_CORRUPTION,
            format_args!(
                "byte {offset} was written after {} was freed",
                describe(&block)
            ),
            block.caller,
        );
    }
    rules::held(&rules::SPECIAL_POOL_CORRUPTION);
}

/// What is known of an address that a driver touched wrongly.
#[derive(Debug)]
pub struct Explanation {
    /// The rule that the access broke.
    pub rule: &'static Rule,
    /// Whose memory it is or was, in words.
    pub text: String,
}

/// What the pool knows of `address`, which could not be touched: none if it is not the pool's, or if
/// the pool is busy.
#[must_use]
pub fn explain(address: usize) -> Option<Explanation> {
    let pool = POOL.try_lock()?;
    pool.explain(address)
}

/// The live block that has an address in it: for reports, and so none if the pool is busy.
#[must_use]
pub fn block_at(address: usize) -> Option<Block> {
    let pool = POOL.try_lock()?;
    let (_, live) = pool.live.range(..=address).next_back()?;
    let block = &live.block;
    (address < block.address + block.size).then(|| block.clone())
}

/// A block in words: `a nonpaged block of 24 bytes at 0x…, tag 'Nmux', allocated by …`.
#[must_use]
pub fn describe(block: &Block) -> String {
    let kind = match block.kind {
        Kind::NonPaged => "nonpaged",
        Kind::NonPagedExecute => "nonpaged executable",
        Kind::Paged => "paged",
    };
    format!(
        "the {kind} pool block of {} bytes at {:#x}, tag {}, allocated by {}",
        block.size,
        block.address,
        block.tag,
        CodeAddress::of(block.caller)
    )
}

struct Pool {
    mode: Mode,
    live: BTreeMap<usize, Live>,
    usage: usage::Account,
    special: special::Arena,
    red_zones: red_zone::Heap,
}

struct Live {
    block: Block,
    made: Made,
}

enum Made {
    Special(special::Slot),
    RedZoned(red_zone::Piece),
}

type Wrong = (&'static Rule, String);

impl Pool {
    fn allocate(&mut self, mut block: Block, align: usize, fill: Fill) -> Option<usize> {
        // What is executable needs pages of its own.
        let code = block.kind == Kind::NonPagedExecute;
        let special = code || self.mode == Mode::Special && self.live.len() < MAX_SPECIAL;
        let (address, made) = if special {
            let (address, slot) = self.special.allocate(block.size, align, fill, code)?;
            (address, Made::Special(slot))
        } else {
            let (address, piece) = self.red_zones.allocate(block.size, align, fill)?;
            (address, Made::RedZoned(piece))
        };
        block.address = address;
        self.usage.allocated(&block);
        self.live.insert(address, Live { block, made });
        Some(address)
    }

    fn free(&mut self, address: usize, tag: Option<Tag>) -> Result<(), Wrong> {
        let Some(live) = self.live.get(&address) else {
            return Err(self.unknown(address));
        };
        let block = &live.block;
        if let Some(tag) = tag
            && tag != block.tag
        {
            return Err((
                &rules::BAD_POOL_CALLER,
                format!("{} is freed with tag {tag}", describe(block)),
            ));
        }
        if block.kind == Kind::Paged && irql::current() > Irql::APC {
            return Err((
                &rules::IRQL_EX_FREE,
                format!("{} is freed at {}", describe(block), irql::current()),
            ));
        }
        let spoiled = match &live.made {
            Made::Special(slot) => slot.spoiled(),
            Made::RedZoned(piece) => piece.spoiled(),
        };
        if let Some(spoiled) = spoiled {
            return Err((
                &rules::SPECIAL_POOL_CORRUPTION,
                format!("{} is freed; a byte {spoiled} was written", describe(block)),
            ));
        }

        let live = self.live.remove(&address).expect("it was found above");
        self.usage.freed(&live.block);
        let freed = Freed {
            block: live.block,
            caller: call::caller_address(),
        };
        match live.made {
            Made::Special(slot) => self.special.free(slot, freed),
            Made::RedZoned(piece) => self.red_zones.free(piece, freed),
        }
        Ok(())
    }

    fn unknown(&self, address: usize) -> Wrong {
        let freed = self
            .special
            .freed_at(address)
            .or_else(|| self.red_zones.freed_at(address));
        if let Some(freed) = freed.filter(|freed| freed.block.address == address) {
            return (
                &rules::POOL_DOUBLE_FREE,
                format!("{} is freed again; {freed}", describe(&freed.block)),
            );
        }
        let inside = self.containing(address).map(|live| describe(&live.block));
        let inside = inside.map_or_else(String::new, |block| format!("; it lies inside {block}"));
        (
            &rules::POOL_FREE_UNKNOWN,
            format!("{address:#x} is freed, which no allocation returned{inside}"),
        )
    }

    fn containing(&self, address: usize) -> Option<&Live> {
        let (start, live) = self.live.range(..=address).next_back()?;
        (address < start + live.block.size.max(1)).then_some(live)
    }

    fn explain(&self, address: usize) -> Option<Explanation> {
        if let Some(freed) = self.special.freed_at(address) {
            return Some(Explanation {
                rule: &rules::PAGE_FAULT_IN_FREED_POOL,
                text: format!(
                    "{address:#x} is {}; {freed}",
                    position(address, &freed.block)
                ),
            });
        }
        if !self.special.contains(address) {
            return None;
        }
        if let Some(live) = self.containing(address) {
            // A live block can be read and written.
            return Some(Explanation {
                rule: &rules::EXECUTE_OF_NOEXECUTE,
                text: format!("{address:#x} is {}", position(address, &live.block)),
            });
        }
        let before = self.live.range(..=address).next_back();
        let after = self.live.range(address..).next();
        let nearest = [before, after]
            .into_iter()
            .flatten()
            .map(|(_, live)| &live.block)
            .min_by_key(|block| distance(address, block))
            .filter(|block| distance(address, block) < 1 << 16);
        Some(Explanation {
            rule: &rules::PAGE_FAULT_BEYOND_END,
            text: match nearest {
                Some(block) => format!("{address:#x} is {}", position(address, block)),
                None => format!("{address:#x} is pool that belongs to no block"),
            },
        })
    }
}

/// A block that was freed, and where.
#[derive(Clone, Debug)]
struct Freed {
    block: Block,
    caller: usize,
}

impl fmt::Display for Freed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it was freed by {}", CodeAddress::of(self.caller))
    }
}

fn distance(address: usize, block: &Block) -> usize {
    let end = block.address + block.size;
    if address < block.address {
        block.address - address
    } else {
        address.saturating_sub(end)
    }
}

/// `3 bytes past the end of the … block`.
fn position(address: usize, block: &Block) -> String {
    let end = block.address + block.size;
    let whose = describe(block);
    if address < block.address {
        format!("{} bytes before {whose}", block.address - address)
    } else if address < end {
        format!("byte {} of {whose}", address - block.address)
    } else {
        format!("{} bytes past the end of {whose}", address - end)
    }
}

/// More special blocks than this would exhaust the number of mappings that the kernel allows.
const MAX_SPECIAL: usize = 12_000;

static POOL: Monitor<Pool> = Monitor::new(Pool {
    mode: Mode::Special,
    live: BTreeMap::new(),
    usage: usage::Account::new(),
    special: special::Arena::new(),
    red_zones: red_zone::Heap::new(),
});

thread_local! {
    static ALLOCATIONS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests;
