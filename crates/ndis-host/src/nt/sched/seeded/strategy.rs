//! Who runs next: the seed, the two strategies, and the generator that both draw from.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// All that a schedule depends on, besides image and lab. Its text (`random/5/0x2a`,
/// `pct/3/1200/0x2a`) gives it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed {
    /// What every choice is drawn from.
    pub seed: u64,
    /// How the next thread is chosen.
    pub strategy: Strategy,
    /// How many steps the run takes, roughly: what a run of the same lab reported.
    pub steps_estimate: u64,
}

/// How the next thread is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// At each step another thread takes over with a probability of 1 in `one_in`: any that can run.
    Random {
        /// From 1 on; 1 leaves no thread two steps in a row if another can run.
        one_in: u32,
    },
    /// Threads have random priorities and the highest one runs; at `depth` - 1 random steps of the
    /// estimate the running thread falls below all others (Burckhardt et al., "A Randomized Scheduler
    /// with Probabilistic Guarantees of Finding Bugs", 2010). A fault that needs that many ordering
    /// constraints is met with a probability of at least 1 in threads * steps^(depth - 1).
    Pct {
        /// From 1 on.
        depth: u32,
    },
}

impl Seed {
    /// The schedule of that number in a series: the strategies in turn, each with several settings.
    #[must_use]
    pub fn nth(seed: u64, number: u64, steps_estimate: u64) -> Self {
        const SERIES: [Strategy; 8] = [
            Strategy::Random { one_in: 4 },
            Strategy::Pct { depth: 2 },
            Strategy::Random { one_in: 2 },
            Strategy::Pct { depth: 3 },
            Strategy::Random { one_in: 10 },
            Strategy::Pct { depth: 4 },
            Strategy::Random { one_in: 40 },
            Strategy::Pct { depth: 1 },
        ];
        let mut generator = Generator::new(seed ^ number.wrapping_mul(Generator::STEP));
        Self {
            seed: generator.next(),
            strategy: SERIES[(number % SERIES.len() as u64) as usize],
            steps_estimate,
        }
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.strategy {
            Strategy::Random { one_in } => write!(f, "random/{one_in}/{:#x}", self.seed),
            Strategy::Pct { depth } => {
                write!(f, "pct/{depth}/{}/{:#x}", self.steps_estimate, self.seed)
            }
        }
    }
}

/// A text that is no seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a schedule is written random/ONE_IN/SEED or pct/DEPTH/STEPS/SEED")]
pub struct NoSeed;

impl FromStr for Seed {
    type Err = NoSeed;

    fn from_str(text: &str) -> Result<Self, NoSeed> {
        let parts: Vec<&str> = text.split('/').collect();
        let (strategy, steps, seed) = match parts[..] {
            ["random", one_in, seed] => {
                let one_in = positive(one_in)?;
                (Strategy::Random { one_in }, 0, seed)
            }
            ["pct", depth, steps, seed] => {
                let depth = positive(depth)?;
                (
                    Strategy::Pct { depth },
                    steps.parse().map_err(|_| NoSeed)?,
                    seed,
                )
            }
            _ => return Err(NoSeed),
        };
        let seed = match seed.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => seed.parse(),
        };
        Ok(Self {
            seed: seed.map_err(|_| NoSeed)?,
            strategy,
            steps_estimate: steps,
        })
    }
}

fn positive(text: &str) -> Result<u32, NoSeed> {
    text.parse().ok().filter(|number| *number > 0).ok_or(NoSeed)
}

/// SplitMix64 (Steele, Lea, Flood, 2014): a seed means the same run for as long as this stays as it
/// is, which the generators of crates do not promise.
#[derive(Debug)]
pub(super) struct Generator(u64);

impl Generator {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        // The upper half of the product is spread evenly, up to one part in 2^64 / end.
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }
}

/// The strategy at work.
#[derive(Debug)]
pub(super) struct Chooser {
    generator: Generator,
    strategy: Strategy,
    /// The steps at which the running thread falls.
    changes: BTreeSet<u64>,
    /// The next priority below all others.
    lowest: u64,
}

impl Chooser {
    pub(super) fn new(seed: Seed) -> Self {
        let mut generator = Generator::new(seed.seed);
        let depth = match seed.strategy {
            Strategy::Random { .. } => 1,
            Strategy::Pct { depth } => depth,
        };
        let changes = (1..depth).map(|_| 1 + generator.below(seed.steps_estimate.max(1)));
        Self {
            changes: changes.collect(),
            generator,
            strategy: seed.strategy,
            lowest: LOWEST_AT_FIRST,
        }
    }

    /// The priority of a new thread.
    pub(super) fn priority(&mut self) -> u64 {
        LOWEST_AT_FIRST + 1 + self.generator.below(1 << 32)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.generator.below(end)
    }

    /// Whether the running thread falls below all others at this step; its new priority then.
    pub(super) fn fall(&mut self, step: u64) -> Option<u64> {
        if *self.changes.first()? > step {
            return None;
        }
        self.changes.pop_first();
        self.lowest -= 1;
        Some(self.lowest)
    }

    /// Chooses among threads that can run, by number and priority in the order of numbers. `running`
    /// is the one that could go on.
    pub(super) fn choose(&mut self, can_run: &[(u64, u64)], running: Option<u64>) -> u64 {
        match self.strategy {
            Strategy::Random { one_in } => {
                let goes_on = running.filter(|me| can_run.iter().any(|(id, _)| id == me));
                if let Some(me) = goes_on
                    && self.generator.below(one_in.into()) != 0
                {
                    return me;
                }
                let others: Vec<u64> = can_run
                    .iter()
                    .map(|(id, _)| *id)
                    .filter(|id| Some(*id) != goes_on || can_run.len() == 1)
                    .collect();
                others[self.generator.below(others.len() as u64) as usize]
            }
            Strategy::Pct { .. } => {
                let highest = can_run.iter().max_by_key(|(id, priority)| (*priority, *id));
                highest.expect("a thread can run").0
            }
        }
    }
}

/// Below every priority that a new thread gets, with room for the falls.
const LOWEST_AT_FIRST: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The reference implementation's first numbers for seed 1234567.
        let mut generator = Generator::new(1_234_567);
        assert_eq!(generator.next(), 6_457_827_717_110_365_317);
        assert_eq!(generator.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_seed_survives_its_text() {
        for number in 0..8 {
            let mut seed = Seed::nth(7, number, 500);
            if matches!(seed.strategy, Strategy::Random { .. }) {
                seed.steps_estimate = 0;
            }
            assert_eq!(seed.to_string().parse(), Ok(seed));
        }
        for wrong in ["", "random/0/1", "pct/1/0x1", "pct/x/1/1", "random/1/zz"] {
            assert_eq!(wrong.parse::<Seed>(), Err(NoSeed), "{wrong}");
        }
    }

    #[test]
    fn pct_runs_the_highest_priority_until_its_change_point() {
        let mut chooser = Chooser::new(Seed {
            seed: 3,
            strategy: Strategy::Pct { depth: 2 },
            steps_estimate: 10,
        });
        let (high, low) = (chooser.priority().max(LOWEST_AT_FIRST + 9), LOWEST_AT_FIRST);
        assert_eq!(chooser.choose(&[(1, high), (2, low)], Some(1)), 1);
        let change = *chooser.changes.first().expect("depth 2 has one");
        let falls: Vec<_> = (0..=10)
            .filter_map(|step| Some((step, chooser.fall(step)?)))
            .collect();
        assert_eq!(falls, [(change, LOWEST_AT_FIRST - 1)]);
        assert_eq!(chooser.choose(&[(1, falls[0].1), (2, low)], Some(1)), 2);
    }

    #[test]
    fn random_switches_at_its_rate_and_only_to_others() {
        let mut chooser = Chooser::new(Seed {
            seed: 1,
            strategy: Strategy::Random { one_in: 4 },
            steps_estimate: 0,
        });
        let can_run = [(1, 0), (2, 0), (3, 0)];
        let switches = (0..4000)
            .filter(|_| chooser.choose(&can_run, Some(2)) != 2)
            .count();
        assert!((900..1100).contains(&switches), "{switches}");
        assert_eq!(chooser.choose(&[(2, 0)], Some(2)), 2);
    }
}
