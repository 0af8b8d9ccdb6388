//! What images have to give back and have not.

use std::fmt;

use crate::ndis::nbl::owner;
use crate::ndis::object::{self, Kind};
use crate::ndis::{driver, im, memory};
use crate::nt;
use crate::nt::driver::Driver;
use crate::rules;

/// What is left of images.
#[derive(Clone, Debug, Default)]
pub struct Outstanding {
    /// Live NDIS handles, with what they are.
    pub handles: Vec<String>,
    /// NBLs that images allocated or hold.
    pub nbls: Vec<String>,
    /// Virtual miniports that were requested and did not end.
    pub virtual_miniports: Vec<String>,
    /// Pool blocks that images allocated, one line for each.
    pub pool: Vec<String>,
    /// MDLs from `NdisAllocateMdl`.
    pub mdls: usize,
    /// Spin locks that are held.
    pub locks: Vec<String>,
}

impl Outstanding {
    /// Whether images gave back everything.
    pub fn is_nothing(&self) -> bool {
        self.lines().is_empty()
    }

    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = [
            &self.handles,
            &self.nbls,
            &self.virtual_miniports,
            &self.pool,
            &self.locks,
        ]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
        if self.mdls != 0 {
            lines.push(format!("{} MDLs", self.mdls));
        }
        lines
    }
}

impl fmt::Display for Outstanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines();
        if lines.is_empty() {
            return f.write_str("nothing");
        }
        f.write_str(&lines.join("\n"))
    }
}

/// What is left now.
pub(super) fn now() -> Outstanding {
    let nt = nt::outstanding();
    Outstanding {
        handles: object::alive()
            .into_iter()
            .map(|(kind, name)| format!("{kind}: {name}"))
            .collect(),
        nbls: owner::of_images(),
        virtual_miniports: im::outstanding(),
        pool: nt
            .pool
            .iter()
            .filter(|block| block.caller != 0)
            .map(nt::pool::describe)
            .collect(),
        mdls: memory::mdls_outstanding(),
        locks: nt.spin_locks.iter().map(ToString::to_string).collect(),
    }
}

/// Ends the run if anything is left of the driver of `service`, now that `when`.
pub(super) fn require_nothing_of(service: &str, driver: &Driver, when: &str) {
    driver.check_left_no_object();
    let mut left = driver::registered(service);
    let objects = object::alive_of(service);
    // Nothing else has a rule of its own at this point: its handle would have ended before.
    let generic = objects.iter().any(|(kind, _)| *kind == Kind::GenericObject);
    let rule = if generic {
        &rules::NDIS_ALLOCATE_GENERIC_OBJECT
    } else {
        &rules::RESOURCES_LEFT
    };
    left.extend(
        objects
            .into_iter()
            .map(|(kind, name)| format!("{kind}: {name}")),
    );
    if !left.is_empty() {
        rules::broken(
            rule,
            format_args!("{when} ({service}), and this is left:\n{}", left.join("\n")),
        );
    }
    rules::held(&rules::RESOURCES_LEFT);
    rules::held(&rules::NDIS_ALLOCATE_GENERIC_OBJECT);
    driver.check_left_no_memory(when);
}
