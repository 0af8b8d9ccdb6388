//! Sets of VLANs: which of an adapter's are taken, and which a frame's reader asks about.
//!
//! There is one virtual miniport for each VLAN of an adapter, as Linux's 802.1Q interfaces have it. Two
//! in one VLAN could not talk to each other, because what one sends leaves by the wire; so the second is
//! refused, where its VLAN becomes known.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::wire::vlan::VlanId;

/// A set of VLANs. "No tag" is one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VlanSet {
    /// A bit for each number from 0 to 4095.
    words: [u64; 64],
}

impl VlanSet {
    /// None.
    pub const fn new() -> Self {
        VlanSet { words: [0; 64] }
    }

    /// Takes a VLAN; answers whether it was free.
    #[must_use = "a VLAN that was not free belongs to somebody else"]
    pub fn insert(&mut self, vlan: VlanId) -> bool {
        self.place(vlan).is_some_and(|(word, bit)| {
            let free = *word & bit == 0;
            *word |= bit;
            free
        })
    }

    /// Frees a VLAN.
    pub fn remove(&mut self, vlan: VlanId) {
        if let Some((word, bit)) = self.place(vlan) {
            *word &= !bit;
        }
    }

    /// The word and the bit of a VLAN. Every [`VlanId`] has one.
    fn place(&mut self, vlan: VlanId) -> Option<(&mut u64, u64)> {
        let number = vlan.get();
        let word = self.words.get_mut(usize::from(number >> 6))?;
        Some((word, 1_u64.wrapping_shl(u32::from(number))))
    }
}

/// A set of VLANs that is looked at without a lock.
#[derive(Debug)]
pub struct SharedVlanSet {
    words: [AtomicU64; 64],
}

impl SharedVlanSet {
    /// None.
    pub const fn new() -> Self {
        SharedVlanSet {
            words: [const { AtomicU64::new(0) }; 64],
        }
    }

    /// Becomes this set, word by word: whoever replaces it holds a lock of the set's owner.
    pub fn replace(&self, set: &VlanSet) {
        for (word, new) in self.words.iter().zip(set.words) {
            word.store(new, Ordering::Release);
        }
    }

    /// Whether a VLAN is in it.
    pub fn contains(&self, vlan: VlanId) -> bool {
        let number = vlan.get();
        let bit = 1_u64.wrapping_shl(u32::from(number));
        let word = self.words.get(usize::from(number >> 6));
        word.is_some_and(|word| word.load(Ordering::Acquire) & bit != 0)
    }
}

impl Default for SharedVlanSet {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for VlanSet {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_vlan_is_taken_once_until_it_is_freed() {
        let mut set = VlanSet::new();
        let all = || (0..=4094).map(|number| VlanId::new(number).unwrap());
        for vlan in all() {
            assert!(set.insert(vlan), "{vlan}");
            assert!(!set.insert(vlan), "{vlan} twice");
        }
        for vlan in all() {
            set.remove(vlan);
            assert!(set.insert(vlan), "{vlan} again");
            set.remove(vlan);
        }
        assert_eq!(set, VlanSet::new());
    }

    #[test]
    fn a_shared_set_contains_what_it_was_replaced_by() {
        let shared = SharedVlanSet::new();
        let all = || (0..=4094).map(|number| VlanId::new(number).unwrap());
        for vlan in all() {
            let mut set = VlanSet::new();
            assert!(set.insert(vlan));
            shared.replace(&set);
            let contained = all().filter(|vlan| shared.contains(*vlan));
            assert!(contained.eq([vlan]), "{vlan}");
        }
    }
}
