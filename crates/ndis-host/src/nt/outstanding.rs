//! What is left of a driver at the end of a run, as far as ntoskrnl sees it.

use std::collections::BTreeMap;
use std::fmt;

use super::{pool, sched, spin_lock};
use crate::call::CodeAddress;

/// What a run left behind.
#[derive(Clone, Debug, Default)]
pub struct Outstanding {
    /// Pool blocks that were not freed.
    pub pool: Vec<pool::Block>,
    /// Spin locks that some thread holds.
    pub spin_locks: Vec<spin_lock::Held>,
    /// Threads that have not ended.
    pub threads: Vec<String>,
}

/// What is outstanding now, apart from what the host itself needs. Ends the run if pool was written
/// after it was freed.
#[must_use]
pub fn outstanding() -> Outstanding {
    pool::check_freed();
    Outstanding {
        pool: pool::outstanding(),
        spin_locks: spin_lock::all_held(),
        threads: sched::threads(),
    }
}

impl Outstanding {
    /// Whether the driver gave back all of its pool and locks. Threads are the host's.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.pool.is_empty() && self.spin_locks.is_empty()
    }
}

/// One line for each allocating call and tag, then one for each lock.
impl fmt::Display for Outstanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_nothing() {
            return f.write_str("nothing");
        }
        let mut by_caller: BTreeMap<(pool::Tag, usize), (usize, usize)> = BTreeMap::new();
        for block in &self.pool {
            let (count, bytes) = by_caller.entry((block.tag, block.caller)).or_default();
            *count += 1;
            *bytes += block.size;
        }
        let mut separator = "";
        for ((tag, caller), (count, bytes)) in by_caller {
            write!(
                f,
                "{separator}{count} pool block(s), {bytes} bytes, tag {tag}, allocated by {}",
                CodeAddress::of(caller)
            )?;
            separator = "\n";
        }
        for lock in &self.spin_locks {
            write!(f, "{separator}spin lock {lock}")?;
            separator = "\n";
        }
        Ok(())
    }
}
