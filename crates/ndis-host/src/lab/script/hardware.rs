//! What the device of a miniport does to it, and what NDIS does when it may hang. A miniport without
//! handlers for these is not asked.

use ndis_sys::{NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_SUCCESS};

use super::Outcome;
use super::run::{Result, Runner, trouble};

impl Runner<'_> {
    pub(super) fn hardware(&mut self, adapter: &str) -> Result {
        self.require_adapter(adapter)?;
        let interrupt = self.lab.raise_interrupt(adapter, 0).map_err(trouble)?;
        self.lab.check_for_hang(adapter).map_err(trouble)?;
        let status = self.lab.reset_adapter(adapter).map_err(trouble)?;
        // What follows meets an adapter that runs again.
        self.require_adapter(adapter)?;
        if ![NDIS_STATUS_SUCCESS, NDIS_STATUS_NOT_SUPPORTED].contains(&status) {
            let what = format!("the reset ended with {status:#010x}");
            return Err((Outcome::Failed, what));
        }
        Ok(match interrupt {
            None => "no interrupt".to_owned(),
            Some(true) => "its interrupt".to_owned(),
            Some(false) => "not its interrupt".to_owned(),
        })
    }
}
