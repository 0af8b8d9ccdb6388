use proptest::prelude::*;
use std::cell::Cell;
use std::vec::Vec;

use super::*;

fn vlan(number: u32) -> VlanId {
    VlanId::new(number).unwrap()
}

fn found(sorted: &[(u32, char)], wanted: u32) -> &[(u32, char)] {
    of_vlan(sorted, |item| vlan(item.0), vlan(wanted))
}

#[test]
fn all_of_a_vlan_are_found_and_no_others() {
    let sorted = [(0, 'a'), (10, 'b'), (10, 'c'), (10, 'd'), (20, 'e')];
    assert_eq!(found(&sorted, 0), [(0, 'a')]);
    assert_eq!(found(&sorted, 10), [(10, 'b'), (10, 'c'), (10, 'd')]);
    assert_eq!(found(&sorted, 20), [(20, 'e')]);
}

#[test]
fn a_vlan_without_anybody_is_empty() {
    let sorted = [(5, 'a'), (10, 'b')];
    for absent in [0, 4, 6, 11, 4094] {
        assert_eq!(found(&sorted, absent), []);
    }
    assert_eq!(found(&[], 10), []);
}

#[test]
fn each_of_4094_vlans_is_found_in_a_few_steps() {
    let sorted: Vec<_> = (1..=4094).collect();
    for wanted in 1..=4094 {
        let steps = Cell::new(0);
        let key = |number: &u32| {
            steps.set(steps.get() + 1);
            vlan(*number)
        };
        assert_eq!(of_vlan(&sorted, key, vlan(wanted)), [wanted]);
        assert!(steps.get() <= 28, "{} steps for {wanted}", steps.get());
    }
}

proptest! {
    #[test]
    fn the_same_is_found_as_by_looking_at_each(
        mut numbers in prop::collection::vec(0_u32..40, 0..100),
        wanted in 0_u32..45,
    ) {
        numbers.sort_unstable();
        let expected: Vec<_> = numbers.iter().copied().filter(|number| *number == wanted).collect();
        prop_assert_eq!(of_vlan(&numbers, |number| vlan(*number), vlan(wanted)), expected);
    }

    #[test]
    fn what_is_not_sorted_does_not_panic(
        numbers in prop::collection::vec(0_u32..40, 0..100),
        wanted in 0_u32..45,
    ) {
        let some = of_vlan(&numbers, |number| vlan(*number), vlan(wanted));
        prop_assert!(some.len() <= numbers.len());
    }
}
