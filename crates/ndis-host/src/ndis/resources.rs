//! What a driver must have given back when an adapter halts or a registration ends.

use ndis_sys::NDIS_HANDLE;

use super::object::{self, Kind};
use crate::rules;

/// Ends the run if anything that was allocated with `handle` is left; `function` ends the handle.
pub(crate) fn require_none_of(handle: NDIS_HANDLE, function: &str) {
    let left = object::owned_by(handle);
    let Some((kind, _)) = left.first() else {
        return;
    };
    let rule = match kind {
        Kind::WorkItem => &rules::INIT_NDIS_ALLOCATE_IO_WORK_ITEM,
        Kind::Timer => &rules::CANCEL_TIMER_OBJECT,
        Kind::Configuration => &rules::NDIS_OPEN_CONFIGURATION_EX,
        Kind::GenericObject => &rules::NDIS_ALLOCATE_GENERIC_OBJECT,
        _ => &rules::RESOURCES_LEFT,
    };
    let left: Vec<String> = left
        .into_iter()
        .map(|(kind, name)| format!("{kind} {name}"))
        .collect();
    rules::broken(
        rule,
        format_args!(
            "{function}: of {} is left:\n{}",
            object::name_of(handle),
            left.join("\n")
        ),
    );
}
