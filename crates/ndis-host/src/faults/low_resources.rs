//! Driver Verifier's randomized low resources simulation (`low-resources-simulation.md`): calls that
//! can fail do so at random.
//!
//! Which ones is drawn from a seed, for the nth call at each point by itself: other threads do not
//! change it, so that the same seed lets the same calls fail as far as the driver comes to them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::call::StackId;

/// How often calls fail, and which.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LowResources {
    /// So many calls of [`TRIALS`] fail, on average.
    pub probability: u16,
    /// Says which ones.
    pub seed: u64,
}

/// What a probability is a part of, as for `verifier /faults`.
pub const TRIALS: u16 = 10_000;

/// What Driver Verifier takes unless it is told otherwise: 6%.
pub const DEFAULT_PROBABILITY: u16 = 600;

/// What the simulation did.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Simulated {
    /// Fallible calls by images since it began.
    pub calls: u64,
    /// How many of them were made to fail.
    pub failed: u64,
}

/// A simulation under way.
pub(super) struct Simulation {
    options: LowResources,
    /// How often each point came by.
    calls: BTreeMap<StackId, u64>,
    pub(super) simulated: Simulated,
}

impl Simulation {
    pub(super) fn new(options: LowResources) -> Self {
        Self {
            options,
            calls: BTreeMap::new(),
            simulated: Simulated::default(),
        }
    }

    /// Counts a call at a point; answers whether it is to fail.
    pub(super) fn fails(&mut self, point: StackId) -> bool {
        let nth = self.calls.entry(point).or_default();
        *nth += 1;
        let LowResources { probability, seed } = self.options;
        let drawn = mixed(mixed(seed ^ point.number()) ^ *nth) % u64::from(TRIALS);
        let fails = drawn < u64::from(probability);
        self.simulated.calls += 1;
        self.simulated.failed += u64::from(fails);
        fails
    }
}

/// The output function of SplitMix64: near inputs have outputs that have nothing to do with each other.
fn mixed(value: u64) -> u64 {
    let mut value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(number: u64) -> StackId {
        format!("{number:016x}").parse().expect("16 digits")
    }

    fn simulation(probability: u16, seed: u64) -> Simulation {
        Simulation::new(LowResources { probability, seed })
    }

    /// Which of so many calls at a point fail.
    fn drawn(simulation: &mut Simulation, number: u64, calls: usize) -> Vec<bool> {
        (0..calls)
            .map(|_| simulation.fails(point(number)))
            .collect()
    }

    #[test]
    fn so_many_calls_fail_as_the_probability_says() {
        let mut default = simulation(DEFAULT_PROBABILITY, 1);
        let failed = drawn(&mut default, 7, 100_000);
        let failed = failed.into_iter().filter(|fails| *fails).count() as u64;
        assert!((5_700..6_300).contains(&failed), "{failed} of 100,000");
        let simulated = Simulated {
            calls: 100_000,
            failed,
        };
        assert_eq!(default.simulated, simulated);
        assert!(!drawn(&mut simulation(0, 1), 7, 1000).contains(&true));
        assert!(!drawn(&mut simulation(TRIALS, 1), 7, 1000).contains(&false));
    }

    #[test]
    fn a_seed_means_the_same_calls_at_a_point_whatever_comes_between() {
        let alone = drawn(&mut simulation(600, 3), 7, 500);
        let mut mixed = simulation(600, 3);
        let mut between = Vec::new();
        for _ in 0..500 {
            between.push(mixed.fails(point(7)));
            let _ = mixed.fails(point(8));
        }
        assert_eq!(alone, between);
        assert_ne!(alone, drawn(&mut simulation(600, 4), 7, 500));
        assert_ne!(alone, drawn(&mut simulation(600, 3), 8, 500));
    }
}
