//! How much pool is used, by tag: Driver Verifier's pool tracking, and what `poolmon` shows.

use std::collections::BTreeMap;
use std::fmt;

use super::{POOL, Tag};

/// What was allocated with one tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// The tags that were used so far, with how much of pool.
#[must_use]
pub fn by_tag() -> Vec<(Tag, Usage)> {
    let pool = POOL.lock();
    pool.usage
        .0
        .iter()
        .map(|(tag, usage)| (*tag, *usage))
        .collect()
}

/// The account of all tags.
pub(super) struct Account(BTreeMap<Tag, Usage>);

impl Account {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(super) fn allocated(&mut self, tag: Tag, size: usize) {
        let usage = self.0.entry(tag).or_default();
        usage.allocations += 1;
        usage.bytes += size;
        usage.peak = usage.peak.max(usage.bytes);
    }

    pub(super) fn freed(&mut self, tag: Tag, size: usize) {
        let usage = self.0.entry(tag).or_default();
        usage.frees += 1;
        usage.bytes -= size;
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
}
