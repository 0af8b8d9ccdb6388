//! How much pool is used, by tag and by who allocated it: Driver Verifier's pool tracking, and what
//! `poolmon` shows.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Block, POOL, Tag};
use crate::call::CodeAddress;

/// What was allocated with one tag, or with one tag by one caller.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Usage {
    /// Allocations.
    pub allocations: u64,
    /// Frees.
    pub frees: u64,
    /// Bytes that are allocated now.
    pub bytes: usize,
    /// The most bytes that were allocated at one time.
    pub peak: usize,
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} allocations, {} frees, {} bytes now, {} at most",
            self.allocations, self.frees, self.bytes, self.peak
        )
    }
}

/// What one caller allocated with one tag.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Used {
    /// The tag, as text.
    pub tag: String,
    /// Where in the driver.
    pub caller: String,
    /// How much.
    #[serde(flatten)]
    pub usage: Usage,
}

/// The tags that were used so far, with how much of pool.
#[must_use]
pub fn by_tag() -> Vec<(Tag, Usage)> {
    let pool = POOL.lock();
    let tags = pool.usage.tags.iter();
    tags.map(|(tag, usage)| (*tag, *usage)).collect()
}

/// The same by tag and caller, in the order of the tags.
#[must_use]
pub fn by_caller() -> Vec<Used> {
    let callers = POOL.lock().usage.callers.clone();
    // Symbols are read from files, and so without the lock.
    let used = callers.into_iter().map(|((tag, caller), usage)| Used {
        tag: tag.to_string(),
        caller: match caller {
            0 => "NDIS or a built-in part".to_owned(),
            address => CodeAddress::of(address).to_string(),
        },
        usage,
    });
    used.collect()
}

/// The account of all tags and callers.
pub(super) struct Account {
    tags: BTreeMap<Tag, Usage>,
    /// By tag and return address.
    callers: BTreeMap<(Tag, usize), Usage>,
}

impl Account {
    pub(super) const fn new() -> Self {
        Self {
            tags: BTreeMap::new(),
            callers: BTreeMap::new(),
        }
    }

    pub(super) fn allocated(&mut self, block: &Block) {
        for usage in self.of(block) {
            usage.allocations += 1;
            usage.bytes += block.size;
            usage.peak = usage.peak.max(usage.bytes);
        }
    }

    /// A block counts for who allocated it, whoever frees it.
    pub(super) fn freed(&mut self, block: &Block) {
        for usage in self.of(block) {
            usage.frees += 1;
            usage.bytes -= block.size;
        }
    }

    fn of(&mut self, block: &Block) -> [&mut Usage; 2] {
        [
            self.tags.entry(block.tag).or_default(),
            self.callers.entry((block.tag, block.caller)).or_default(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, allocate, free};
    use super::*;

    #[test]
    fn a_tag_has_its_allocations_and_its_peak() {
        let tag = Tag::from(*b"Usge");
        let blocks = [10, 20].map(|size| allocate(size, tag, Kind::NonPaged));
        free(blocks[0], Some(tag));
        let last = allocate(5, tag, Kind::NonPaged);
        let usage = by_tag().into_iter().find(|(other, _)| *other == tag);
        let expected = Usage {
            allocations: 3,
            frees: 1,
            bytes: 25,
            peak: 30,
        };
        assert_eq!(usage, Some((tag, expected)));
        free(blocks[1], Some(tag));
        free(last, Some(tag));
    }

    #[test]
    fn a_tag_is_shared_by_callers_and_a_free_counts_for_who_allocated() {
        let mut account = Account::new();
        let block = |caller, size| Block {
            address: 0,
            size,
            tag: Tag::from(*b"Shrd"),
            kind: Kind::NonPaged,
            caller,
            thread: 0,
        };
        account.allocated(&block(1, 10));
        account.allocated(&block(2, 20));
        account.freed(&block(1, 10));
        account.allocated(&block(1, 4));
        let usage = |allocations, frees, bytes, peak| Usage {
            allocations,
            frees,
            bytes,
            peak,
        };
        let tag = Tag::from(*b"Shrd");
        let callers: Vec<_> = account.callers.into_iter().collect();
        let (first, second) = (usage(2, 1, 4, 10), usage(1, 0, 20, 20));
        assert_eq!(callers, [((tag, 1), first), ((tag, 2), second)]);
        let whole: Vec<_> = account.tags.into_iter().collect();
        assert_eq!(whole, [(tag, usage(3, 1, 24, 30))]);
    }
}
