//! Filter drivers in a lab: on which devices they stand, and in which order.

use super::{Lab, LabError, find_device};
use crate::ndis::device::{self, Filter, FilterKind, FilterRun};

impl Lab {
    /// Puts the filter driver of a service on top of those that stand on a device already: an optional
    /// one that may modify. Its modules attach when both driver and adapter are there.
    ///
    /// # Errors
    /// There is no such device.
    pub fn stack_filter(&self, service: &str, device_label: &str) -> Result<(), LabError> {
        self.stack_filter_as(
            service,
            device_label,
            FilterKind::default(),
            FilterRun::default(),
        )
    }

    /// As [`Lab::stack_filter`], with what its INF says of it.
    ///
    /// # Errors
    /// There is no such device.
    pub fn stack_filter_as(
        &self,
        service: &str,
        device_label: &str,
        kind: FilterKind,
        run: FilterRun,
    ) -> Result<(), LabError> {
        let device = find_device(device_label)?;
        let filter = Filter {
            service: service.to_owned(),
            kind,
            run,
        };
        device::stack_filter(&device.name, filter);
        Ok(())
    }
}
