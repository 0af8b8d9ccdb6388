//! What a run is told, and what it answers: JSON, in on its standard input and out on its standard output.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum as _;
use serde::{Deserialize, Serialize};

use super::schedules::SCRIPT;
use crate::call::StackId;
use crate::cli::verifier;
use crate::faults::{Fault, LowResources, Point, Simulated};
use crate::lab::file::{GuardKey, LabFile, LabFileError, Replace};
use crate::lab::script::Ended;
use crate::nt::pool::Used;
use crate::nt::sched::Seed;

/// One run of a lab's script.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Plan {
    /// The lab file.
    pub lab: PathBuf,
    /// Other files for its images.
    #[serde(default)]
    pub images: Vec<Replace>,
    /// The policy's name.
    pub policy: String,
    /// What fails.
    pub fault: Option<Fault>,
    /// What fails at random, once the drivers are loaded.
    #[serde(default)]
    pub low_resources: Option<LowResources>,
    /// On which side the guard pages are, if not where the lab file says.
    #[serde(default)]
    pub special_pool: Option<GuardKey>,
    /// Whose turn it is, as text ([`Seed`]); the system's threads if absent.
    #[serde(default)]
    pub schedule: Option<String>,
    /// Which race is run in place of the script.
    #[serde(default)]
    pub race: Option<String>,
    /// How long it may take before it counts as hanging.
    pub limit: Duration,
}

impl Plan {
    /// The lab file, with the images of this run.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn lab_file(&self) -> Result<LabFile, LabFileError> {
        let mut file = LabFile::load(&self.lab)?;
        file.replace(&self.images)?;
        verifier::guard(&mut file, self.special_pool);
        Ok(file)
    }

    /// The command that does this run again, alone.
    #[must_use]
    pub fn command(&self) -> String {
        let (lab, policy) = (self.lab.display(), &self.policy);
        let mut command = format!("ndishost check --lab {lab}");
        for image in &self.images {
            command.push_str(&format!(" --image {image}"));
        }
        command.push_str(&format!(" --policy {policy}"));
        if let Some(fault) = &self.fault {
            command.push_str(&format!(" --faults --only {}", name_of(fault)));
        }
        if let Some(guard) = self
            .special_pool
            .and_then(|guard| guard.to_possible_value())
        {
            command.push_str(&format!(" --special-pool {}", guard.get_name()));
        }
        if let Some(LowResources { probability, seed }) = self.low_resources {
            command.push_str(&format!(
                " --low-resources={probability} --low-resources-seed {seed} --low-resources-runs 1"
            ));
        }
        if let Some(schedule) = &self.schedule {
            let race = self.race.as_deref().unwrap_or(SCRIPT);
            command.push_str(&format!(" --race {race} --schedules 1 --seed {schedule}"));
        }
        command
    }
}

/// What came of a run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct RunResult {
    /// How it ended.
    pub end: End,
    /// What became of each step.
    #[serde(default)]
    pub steps: Vec<Ended>,
    /// The fallible calls, by point, in the order of their first ones.
    #[serde(default)]
    pub points: Vec<Point>,
    /// What the low resources simulation did.
    #[serde(default)]
    pub low_resources: Option<Simulated>,
    /// How much pool was used, by tag and caller, in a run that came to its end.
    #[serde(default)]
    pub pool: Vec<Used>,
    /// What a run under a schedule did.
    #[serde(default)]
    pub schedule: Option<Scheduled>,
    /// How often each rule was decided, by name.
    #[serde(default)]
    pub rules: BTreeMap<String, u64>,
}

/// What a run under a schedule did. Two runs of one schedule have the same.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Scheduled {
    /// Points at which another thread could take over.
    pub steps: u64,
    /// How often one did.
    pub switches: u64,
    /// Threads started.
    pub threads: u64,
    /// A hash of all crossings between drivers and host, in order.
    pub trace: u64,
}

/// How a run ended.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "end", content = "what")]
pub enum End {
    /// All rules were kept and nothing is left.
    Survived,
    /// The same, with a `DriverEntry` that failed because something was made to fail.
    Refused,
    /// The fault that it was to meet never came by.
    NotMet,
    /// A step found what should not be so, without anything having been made to fail.
    Unexpected(String),
    /// A rule was broken.
    Broken {
        /// The rule's name.
        rule: String,
        /// The whole report.
        report: String,
    },
    /// Something of an image's was left at the end.
    Left(Vec<String>),
    /// It did not come to its end in time. These were the last calls.
    Hung(Vec<String>),
    /// The process ended in a way that no run should, which is a fault of the host.
    Died(String),
    /// The lab cannot be run at all.
    Unusable(String),
}

impl End {
    /// Whether the run says that something is wrong.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        !matches!(self, Self::Survived | Self::Refused | Self::NotMet)
    }
}

/// `--seed`: where a series of schedules begins, or one schedule.
#[derive(Clone, Debug, PartialEq)]
pub enum SeedArgument {
    /// What a series is made from.
    Series(u64),
    /// What the report of a run names.
    One(Seed),
}

impl FromStr for SeedArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(number) = text.parse() {
            return Ok(Self::Series(number));
        }
        let schedule = text.parse().map(Self::One);
        schedule.map_err(|error| format!("{error}; a series begins at a number"))
    }
}

/// The faults to try, for points in the order of their first calls: each alone, then the other ways.
#[must_use]
pub fn faults(points: &[Point], pairs: bool, always: bool) -> Vec<Fault> {
    let single = |point: &Point| Fault {
        point: point.id,
        always: false,
        and_next: false,
    };
    let mut faults: Vec<_> = points.iter().map(single).collect();
    if pairs {
        faults.extend(points.iter().map(|point| Fault {
            and_next: true,
            ..single(point)
        }));
    }
    if always {
        // Where a point comes by once only, that has been tried.
        let often = points.iter().filter(|point| point.calls > 1);
        faults.extend(often.map(|point| Fault {
            always: true,
            ..single(point)
        }));
    }
    faults
}

/// At most `limit` of them, evenly from beginning to end.
#[must_use]
pub fn spread(faults: &[Fault], limit: usize) -> Vec<Fault> {
    if faults.len() <= limit {
        return faults.to_vec();
    }
    (0..limit)
        .map(|index| faults[index * faults.len() / limit])
        .collect()
}

/// `--only`: a point with all that is tried at it, or one fault.
#[derive(Clone, Debug, PartialEq)]
pub enum Selector {
    /// `POINT`
    Point(StackId),
    /// `POINT+next` or `POINT+always`
    Fault(Fault),
}

impl Selector {
    /// Whether it means that fault.
    #[must_use]
    pub fn selects(&self, fault: &Fault) -> bool {
        match self {
            Self::Point(point) => *point == fault.point,
            Self::Fault(wanted) => wanted == fault,
        }
    }

    /// The fault that it means, if it means one.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        Some(match *self {
            Self::Fault(fault) => fault,
            Self::Point(point) => Fault {
                point,
                always: false,
                and_next: false,
            },
        })
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (point, way) = match text.split_once('+') {
            Some((point, way)) => (point, Some(way)),
            None => (text, None),
        };
        let point = point.parse()?;
        let fault = |always, and_next| {
            Ok(Self::Fault(Fault {
                point,
                always,
                and_next,
            }))
        };
        match way {
            None => Ok(Self::Point(point)),
            Some("next") => fault(false, true),
            Some("always") => fault(true, false),
            Some(other) => Err(format!(
                "`+{other}` is no way to fail: there are +next and +always"
            )),
        }
    }
}

/// A fault as `--only` takes it.
#[must_use]
pub fn name_of(fault: &Fault) -> String {
    let way = match (fault.and_next, fault.always) {
        (true, _) => "+next",
        (false, true) => "+always",
        (false, false) => "",
    };
    format!("{}{way}", fault.point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::pool::Usage;

    fn point(number: u64, calls: u64) -> Point {
        Point {
            id: format!("{number:016x}").parse().expect("16 digits"),
            function: "NdisFoo".to_owned(),
            calls,
            failed: 0,
            stack: Vec::new(),
        }
    }

    #[test]
    fn the_command_of_a_plan_names_what_makes_it_another_run() {
        let mut plan = Plan {
            lab: "a.toml".into(),
            images: Vec::new(),
            policy: "strict".to_owned(),
            fault: None,
            low_resources: None,
            special_pool: None,
            schedule: None,
            race: None,
            limit: Duration::from_secs(1),
        };
        let plain = "ndishost check --lab a.toml --policy strict";
        assert_eq!(plan.command(), plain);
        plan.low_resources = Some(LowResources {
            probability: 600,
            seed: 3,
        });
        plan.special_pool = Some(GuardKey::Start);
        let verifier = "--special-pool start --low-resources=600 --low-resources-seed 3 --low-resources-runs 1";
        assert_eq!(plan.command(), format!("{plain} {verifier}"));
        (plan.low_resources, plan.special_pool) = (None, None);
        plan.schedule = Some("random/2/0x7".to_owned());
        let script = format!("{plain} --race script --schedules 1 --seed random/2/0x7");
        assert_eq!(plan.command(), script);
        plan.race = Some("unbind-status".to_owned());
        let race = format!("{plain} --race unbind-status --schedules 1 --seed random/2/0x7");
        assert_eq!(plan.command(), race);
        plan.images.push("a=b.sys".parse().unwrap());
        let image = race.replace("a.toml", "a.toml --image a=b.sys");
        assert_eq!(plan.command(), image);
    }

    #[test]
    fn each_point_is_tried_alone_then_in_the_other_ways() {
        let points = [point(1, 1), point(2, 5)];
        let names = |pairs, always| {
            let faults = faults(&points, pairs, always);
            faults.iter().map(name_of).collect::<Vec<_>>()
        };
        let (one, two) = ("0000000000000001", "0000000000000002");
        assert_eq!(names(false, false), [one, two]);
        let (one_next, two_next) = (format!("{one}+next"), format!("{two}+next"));
        assert_eq!(names(true, false), [one, two, &one_next, &two_next]);
        let two_always = format!("{two}+always");
        assert_eq!(
            names(false, true),
            [one, two, &two_always],
            "one came by once"
        );
    }

    #[test]
    fn only_takes_what_a_report_names() {
        let points = [point(1, 2), point(2, 2)];
        for fault in faults(&points, true, true) {
            let selector: Selector = name_of(&fault).parse().unwrap();
            assert!(selector.selects(&fault));
            assert_eq!(selector.fault(), Some(fault));
        }
        let all: Selector = "0000000000000002".parse().unwrap();
        let selected = faults(&points, true, true);
        assert_eq!(
            selected.iter().filter(|fault| all.selects(fault)).count(),
            3
        );
        assert!("0000000000000002+twice".parse::<Selector>().is_err());
        assert!("2".parse::<Selector>().is_err());
    }

    #[test]
    fn a_seed_is_a_number_or_what_a_report_names() {
        assert_eq!("7".parse(), Ok(SeedArgument::Series(7)));
        let seed = Seed::nth(7, 1, 500);
        assert_eq!(seed.to_string().parse(), Ok(SeedArgument::One(seed)));
        assert!("sometimes".parse::<SeedArgument>().is_err());
    }

    #[test]
    fn a_limit_takes_from_the_whole_range() {
        let points: Vec<_> = (0..10).map(|number| point(number, 1)).collect();
        let all = faults(&points, false, false);
        let some = spread(&all, 3);
        assert_eq!(some, [all[0], all[3], all[6]]);
        assert_eq!(spread(&all, 20), all);
    }

    #[test]
    fn results_survive_the_pipe() {
        let result = RunResult {
            end: End::Hung(vec!["NdisFoo".to_owned()]),
            steps: Vec::new(),
            points: vec![point(3, 2)],
            low_resources: Some(Simulated {
                calls: 5,
                failed: 1,
            }),
            pool: vec![Used {
                tag: "'Test'".to_owned(),
                caller: "a.sys+0x10".to_owned(),
                usage: Usage {
                    allocations: 2,
                    frees: 1,
                    bytes: 8,
                    peak: 16,
                },
            }],
            schedule: Some(Scheduled {
                steps: 9,
                switches: 4,
                threads: 2,
                trace: 1,
            }),
            rules: BTreeMap::from([("Rule".to_owned(), 7)]),
        };
        let text = serde_json::to_string(&result).unwrap();
        assert_eq!(serde_json::from_str::<RunResult>(&text).unwrap(), result);
        let bare: RunResult = serde_json::from_str(r#"{"end":{"end":"survived"}}"#).unwrap();
        assert_eq!(bare.end, End::Survived);
    }
}
