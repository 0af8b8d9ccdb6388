//! What a driver must have given back when an adapter halts or a registration ends.

use ndis_sys::NDIS_HANDLE;

use super::adapter::Adapter;
use super::object::{self, Kind, peek};
use crate::rules::{self, Rule};

/// Ends the run if anything that was allocated with `handle` is left; `function` ends the handle.
pub(crate) fn require_none_of(handle: NDIS_HANDLE, function: &str) {
    let left = object::owned_by(handle);
    let Some((kind, _)) = left.first() else {
        for rule in [
            &rules::INIT_NDIS_ALLOCATE_IO_WORK_ITEM,
            &rules::CANCEL_TIMER_OBJECT,
            &rules::NDIS_OPEN_CONFIGURATION_EX,
            &rules::RESOURCES_LEFT,
        ] {
            rules::held(rule);
        }
        return;
    };
    let rule = match kind {
        Kind::WorkItem => &rules::INIT_NDIS_ALLOCATE_IO_WORK_ITEM,
        Kind::Timer => &rules::CANCEL_TIMER_OBJECT,
        Kind::Configuration => &rules::NDIS_OPEN_CONFIGURATION_EX,
        Kind::Interrupt => interrupt_rule(handle, function),
        Kind::Dma => &rules::INIT_REGISTER_SG,
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

fn interrupt_rule(handle: NDIS_HANDLE, function: &str) -> &'static Rule {
    let wakes = peek::<Adapter>(handle).is_some_and(|adapter| adapter.power.is_announced());
    match (function, wakes) {
        ("MiniportHaltEx", _) => &rules::NDIS_BUGCHECK_HALT_WITHOUT_INTERRUPT_DEREGISTER,
        (_, true) => &rules::NDIS_BUGCHECK_PM_INIT_FAILED_NO_INT_DEREGISTER,
        (_, false) => &rules::NDIS_BUGCHECK_INIT_FAILED_WITHOUT_INTERRUPT_DEREGISTER,
    }
}
