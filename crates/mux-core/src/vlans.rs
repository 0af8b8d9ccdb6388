//! Which VLANs of an adapter are taken.
//!
//! There is one virtual miniport for each VLAN of an adapter, as Linux's 802.1Q interfaces have it. Two
//! in one VLAN could not talk to each other, because what one sends leaves by the wire; so the second is
//! refused, where its VLAN becomes known.

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
}
