//! What a device and the system do to a miniport of hardware, and what drivers wrote to the error log.

use ndis_sys::NDIS_STATUS;

use super::{Lab, LabError, unknown};
use crate::ndis::adapter::Adapter;
use crate::ndis::error_log::{self, LogEntry};
use crate::ndis::{interrupt, reset};
use crate::nt::dpc;

impl Lab {
    /// Raises the interrupt of an adapter, the message of that number where it has message interrupts,
    /// and waits for its DPCs. Answers whether the handler said that it was its device; `None` if the
    /// adapter has no interrupt.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn raise_interrupt(&self, label: &str, message: u32) -> Result<Option<bool>, LabError> {
        let adapter = self.hardware(label)?;
        let ours = self.as_host(|| interrupt::raise(adapter, message));
        dpc::flush();
        Ok(ours)
    }

    /// Asks a miniport whether it hangs, and resets it if so: answers then how the reset ended.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn check_for_hang(&self, label: &str) -> Result<Option<NDIS_STATUS>, LabError> {
        let adapter = self.hardware(label)?;
        Ok(self.as_host(|| reset::check(adapter)))
    }

    /// Resets an adapter, and answers how that ended.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn reset_adapter(&self, label: &str) -> Result<NDIS_STATUS, LabError> {
        let adapter = self.hardware(label)?;
        Ok(self.as_host(|| reset::reset(adapter)))
    }

    /// What drivers wrote to the event log so far.
    pub fn event_log(&self) -> Vec<LogEntry> {
        error_log::entries()
    }

    fn hardware(&self, label: &str) -> Result<&'static Adapter, LabError> {
        self.adapter(label).ok_or_else(|| unknown("adapter", label))
    }
}
