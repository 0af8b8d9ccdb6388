//! Driver Verifier's options, as `check` and `run` take them. What is not here is always on.

use crate::faults::{DEFAULT_PROBABILITY, LowResources, TRIALS};
use crate::lab::file::{GuardKey, LabFile};

/// Arguments of `check` and of `run`.
#[derive(Clone, Copy, Debug, clap::Args)]
#[group(id = "verifier arguments")]
pub(super) struct Args {
    /// Driver Verifier's low resources simulation: once drivers are up, calls that can fail do so at
    /// random, so many of 10,000 [default without a number: 600]
    #[arg(
        long,
        value_name = "PROBABILITY",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = DEFAULT,
        value_parser = clap::value_parser!(u16).range(1..=i64::from(TRIALS)),
    )]
    low_resources: Option<u16>,
    /// What is drawn from, which calls fail
    #[arg(
        long,
        value_name = "SEED",
        requires = "low_resources",
        default_value_t = 1
    )]
    low_resources_seed: u64,
    /// At which end of a block of special pool the page is that cannot be touched: Driver Verifier's
    /// Verify End and Verify Start [default: what the lab file says, else end]
    #[arg(long, value_name = "END")]
    pub(super) special_pool: Option<GuardKey>,
}

impl Args {
    /// The simulation, if one is wanted.
    pub(super) fn low_resources(&self) -> Option<LowResources> {
        self.low_resources.map(|probability| LowResources {
            probability,
            seed: self.low_resources_seed,
        })
    }
}

/// Changes what the lab file says of special pool to what the command says.
pub(super) fn guard(file: &mut LabFile, special_pool: Option<GuardKey>) {
    if special_pool.is_some() {
        file.policy.special_pool = special_pool;
    }
}

/// [`DEFAULT_PROBABILITY`], as one types it.
const DEFAULT: &str = "600";
const _: () = assert!(DEFAULT_PROBABILITY == 600, "the text has the same number");

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Args, clap::Error> {
        crate::cli::parse(arguments)
    }

    #[test]
    fn the_simulation_has_the_probability_of_driver_verifier_unless_one_is_given() {
        let low_resources = |arguments| parse(arguments).unwrap().low_resources();
        assert_eq!(low_resources(&[]), None);
        let default = LowResources {
            probability: DEFAULT_PROBABILITY,
            seed: 1,
        };
        assert_eq!(low_resources(&["--low-resources"]), Some(default));
        let other = LowResources {
            probability: 20,
            seed: 7,
        };
        let arguments = ["--low-resources=20", "--low-resources-seed", "7"];
        assert_eq!(low_resources(&arguments), Some(other));
        for wrong in ["--low-resources=0", "--low-resources=10001"] {
            assert!(parse(&[wrong]).is_err(), "{wrong}");
        }
        assert!(parse(&["--low-resources-seed", "7"]).is_err());
    }

    #[test]
    fn the_command_says_more_of_special_pool_than_the_lab_file() {
        let mut file = LabFile::parse("[policy]\nspecial_pool = \"alternate\"\n").unwrap();
        guard(&mut file, parse(&[]).unwrap().special_pool);
        assert_eq!(file.policy.special_pool, Some(GuardKey::Alternate));
        let start = parse(&["--special-pool", "start"]).unwrap();
        guard(&mut file, start.special_pool);
        assert_eq!(file.policy.special_pool, Some(GuardKey::Start));
    }
}
