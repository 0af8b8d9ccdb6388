//! Finding the virtual miniports of a VLAN among those of a binding.
//!
//! The receive path keeps a snapshot of its virtual miniports sorted by VLAN; several may share one.
//! Which of those want a given frame is [`crate::filter::Station::wants`].

use crate::wire::vlan::VlanId;

/// The part of `sorted` whose `key` is `vlan`: O(log n), empty if there is none.
///
/// `sorted` must be in ascending order of `key`. If it is not, the answer is some part of it, perhaps
/// not the right one, and still no panic: both ends are looked up by `get`.
pub fn of_vlan<T>(sorted: &[T], key: impl Fn(&T) -> VlanId, vlan: VlanId) -> &[T] {
    let start = sorted.partition_point(|item| key(item) < vlan);
    let from_start = sorted.get(start..).unwrap_or_default();
    let length = from_start.partition_point(|item| key(item) == vlan);
    from_start.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests;
