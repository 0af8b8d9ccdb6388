//! Races by name: two things that may meet, each made to meet under a seeded scheduler.
//!
//! A race takes a lab in which everything is prepared and nothing is loaded, brings up what it needs,
//! starts the sides that are to meet on threads of their own, and takes all down, until nothing of the
//! drivers is left. It asserts little by itself: the rules do, and that every thread ends. What it
//! needs of the lab is what a lab file says ([`Stage`]), so it runs over any driver.
//!
//! | file | what meets |
//! |---|---|
//! | `bind` | an unbind, with an initialize, a restart, requests and sends, status; a surprise removal |
//! | `configuration` | virtual miniports that go and come, with traffic and an unbind |
//! | `data` | a halt with returned NBLs, a pause with indications |
//! | `power` | sleep and wake, with requests, sends and indications |
//! | `unload` | an unload with all of it |
//!
//! Not in here: which schedules are tried (`cli`), and who runs when (`nt::sched`).

mod bind;
mod configuration;
mod data;
mod power;
mod sides;
mod stage;
mod unload;

pub use stage::Stage;

/// A race.
#[derive(Clone, Copy)]
pub struct Race {
    /// What it is chosen by, and called in summaries.
    pub name: &'static str,
    /// What meets what, in a sentence.
    pub about: &'static str,
    run: fn(&Stage),
}

impl Race {
    /// All races.
    #[must_use]
    pub fn all() -> &'static [Self] {
        ALL
    }

    /// The race of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|race| race.name == name)
    }

    /// Runs it once. Returns when all is down again and nothing is left of the drivers; a broken rule
    /// ends the process.
    ///
    /// # Errors
    /// What did not come up as it should have, in words.
    ///
    /// # Panics
    /// If the lab cannot be brought up or down, which is no driver's fault.
    pub fn run(&self, stage: &Stage) -> Result<(), String> {
        (self.run)(stage);
        match stage.unexpected.get() {
            Some(what) => Err(what.clone()),
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for Race {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const ALL: &[Race] = &[
    bind::AGAINST_INITIALIZE,
    bind::AGAINST_RESTART,
    bind::AGAINST_REQUESTS_AND_SENDS,
    bind::AGAINST_STATUS,
    bind::SURPRISE,
    configuration::AGAINST_TRAFFIC,
    configuration::AGAINST_UNBIND,
    data::HALT_AGAINST_RETURNS,
    data::PAUSE_AGAINST_INDICATIONS,
    power::AGAINST_REQUESTS,
    power::REQUEST_STORM,
    unload::AGAINST_EVERYTHING,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn races_are_found_by_their_names_which_are_words_for_a_command_line() {
        for race in Race::all() {
            assert!(std::ptr::eq(
                Race::find(race.name).expect("in the table"),
                race
            ));
            let plain = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(race.name.chars().all(plain), "{}", race.name);
        }
        assert!(Race::find("nothing").is_none());
    }

    #[test]
    fn each_race_stands_in_the_document() {
        let document = include_str!("../../../../../docs/ndishost.md");
        for race in Race::all() {
            let row = format!("\n| `{}` |", race.name);
            assert!(document.contains(&row), "{}", race.name);
        }
    }
}
