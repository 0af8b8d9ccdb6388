//! `--schedules N`: the lab's script and each race of `lab::race`, N times under the seeded scheduler.

use anyhow::ensure;

use super::plan::{End, Plan, SeedArgument};
use super::refuse_unloadable;
use super::series::{Series, Tried};
use super::summary::Summary;
use crate::lab::file::LabFile;
use crate::lab::race::Race;
use crate::nt::sched::Seed;

/// What is run under schedules: the script, or a race.
pub(super) type Subject = Option<&'static Race>;

/// Which schedules to try.
#[derive(Debug, clap::Args)]
#[group(id = "schedule arguments")]
pub struct Args {
    /// Run the script and each race under this many schedules: which thread runs, and what NDIS does
    /// where it has a choice, follow a seed
    #[arg(long, value_name = "N")]
    schedules: Option<u64>,
    /// What the series of schedules is made from, or the one schedule that a report names
    #[arg(long, value_name = "SEED", requires = "schedules", default_value = "1")]
    seed: SeedArgument,
    /// Only this race; `script` is the script [default: the script and all races]
    #[arg(long, value_name = "NAME", requires = "schedules", value_parser = names())]
    race: Vec<String>,
}

impl Args {
    /// Whether any schedule is to be tried.
    pub(super) fn are_wanted(&self) -> bool {
        self.schedules.is_some()
    }

    /// Runs them all.
    pub(super) fn run(
        &self,
        plan: &Plan,
        file: &LabFile,
        series: &Series,
        summary: &mut Summary,
    ) -> anyhow::Result<()> {
        for subject in self.subjects(file)? {
            let plans = |seeds: Vec<Seed>| {
                let plan = |seed: Seed| Plan {
                    schedule: Some(seed.to_string()),
                    race: subject.map(|race| race.name.to_owned()),
                    ..plan.clone()
                };
                seeds.into_iter().map(plan).collect::<Vec<_>>()
            };
            let name = name_of(subject);
            let start = match self.seed {
                SeedArgument::Series(start) => start,
                SeedArgument::One(seed) => {
                    let one = series.run(name, plans(vec![seed]))?;
                    refuse_unloadable(&one)?;
                    summary.add_schedules(name, &one);
                    continue;
                }
            };
            let number = self.schedules.unwrap_or(0);
            // One that nothing is known of says how long they are; twice, that a seed repeats.
            let first = Seed::nth(start, 0, 1);
            let mut twice = series.run(name, plans(vec![first; 2]))?;
            refuse_unloadable(&twice)?;
            let steps = steps_of(&twice);
            require_same(&mut twice);
            let seeds = (1..number).map(|number| Seed::nth(start, number, steps));
            twice.truncate(number.min(1) as usize);
            twice.extend(series.run(name, plans(seeds.collect()))?);
            summary.add_schedules(name, &twice);
        }
        Ok(())
    }

    /// What is run with that lab: races plug and unplug NICs.
    fn subjects(&self, file: &LabFile) -> anyhow::Result<Vec<Subject>> {
        let wanted = |subject: &Subject| self.race.iter().any(|name| name == name_of(*subject));
        let all = std::iter::once(None).chain(Race::all().iter().map(Some));
        let subjects: Vec<_> = match (self.race.is_empty(), file.nics.is_empty()) {
            (true, false) => all.collect(),
            (true, true) => vec![None],
            (false, _) => all.filter(wanted).collect(),
        };
        ensure!(
            !file.nics.is_empty() || subjects.iter().all(Option::is_none),
            "there is no [[nic]] in the lab: races plug and unplug NICs; `--race script` does not"
        );
        Ok(subjects)
    }
}

/// What a subject is called on the command line.
fn name_of(subject: Subject) -> &'static str {
    subject.map_or(SCRIPT, |race| race.name)
}

fn names() -> Vec<&'static str> {
    let races = Race::all().iter().map(|race| race.name);
    std::iter::once(SCRIPT).chain(races).collect()
}

fn steps_of(tried: &[Tried]) -> u64 {
    const UNKNOWN: u64 = 2000;
    let steps = tried.iter().filter_map(|run| run.result.schedule);
    steps
        .map(|schedule| schedule.steps)
        .max()
        .unwrap_or(UNKNOWN)
}

/// Two runs of one seed: if they did not do the same, the first one is bad.
fn require_same(twice: &mut [Tried]) {
    let [first, second] = twice else {
        return;
    };
    if first.result.schedule != second.result.schedule && !first.result.end.is_bad() {
        first.result.end = End::Died(format!(
            "the schedule did not repeat: {:?}, then {:?}",
            first.result.schedule, second.result.schedule
        ));
    }
}

/// What the script is called among the races.
pub(super) const SCRIPT: &str = "script";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Args, clap::Error> {
        crate::cli::parse(arguments)
    }

    #[test]
    fn the_script_and_all_races_are_run_unless_some_are_named() {
        let lab = LabFile::parse("[[nic]]\nname = \"nic\"\nwire = \"memory\"\n").unwrap();
        let all = parse(&["--schedules", "3"]).unwrap();
        assert_eq!(all.subjects(&lab).unwrap().len(), 1 + Race::all().len());
        let one = parse(&["--schedules", "3", "--race", "unbind-restart"]).unwrap();
        let names: Vec<_> = one
            .subjects(&lab)
            .unwrap()
            .into_iter()
            .map(name_of)
            .collect();
        assert_eq!(names, ["unbind-restart"]);
        // Without a NIC there is only the script.
        let lab = LabFile::default();
        let names: Vec<_> = all
            .subjects(&lab)
            .unwrap()
            .into_iter()
            .map(name_of)
            .collect();
        assert_eq!(names, [SCRIPT]);
        assert!(one.subjects(&lab).is_err());
        assert!(parse(&["--schedules", "3", "--race", "unheard-of"]).is_err());
    }

    #[test]
    fn one_schedule_is_given_by_its_text_in_place_of_a_number() {
        let one = parse(&["--schedules", "1", "--seed", "pct/2/90/0x1"]).unwrap();
        assert_eq!(one.seed, SeedArgument::One("pct/2/90/0x1".parse().unwrap()));
        assert!(parse(&["--seed", "pct/2/90/0x1"]).is_err());
        assert!(parse(&["--schedules", "1", "--seed", "some"]).is_err());
    }
}
