//! The transitions of a filter module, each by a function of its driver.

use std::time::Duration;

use ndis_sys::{
    NDIS_FILTER_PAUSE_PARAMETERS, NDIS_FILTER_PAUSE_PARAMETERS_REVISION_1,
    NDIS_FILTER_RESTART_PARAMETERS, NDIS_FILTER_RESTART_PARAMETERS_REVISION_1, NDIS_OBJECT_HEADER,
    NDIS_OBJECT_TYPE_FILTER_PAUSE_PARAMETERS, NDIS_OBJECT_TYPE_FILTER_RESTART_PARAMETERS,
    NDIS_SIZEOF__FILTER_RESTART_PARAMETERS_REVISION_1,
    NDIS_SIZEOF_FILTER_PAUSE_PARAMETERS_REVISION_1, NDIS_STATUS, NDIS_STATUS_PENDING,
    NDIS_STATUS_SUCCESS,
};

use super::driver::FilterDriver;
use super::module::{FilterState, Module};
use super::parameters::AttachParameters;
use super::stack::Layer;
use crate::ndis::adapter::Adapter;
use crate::ndis::device;
use crate::ndis::driver::{run, run_status};
use crate::ndis::object::handle_of;
use crate::ndis::oid::direct;
use crate::ndis::restart::RestartAttributes;
use crate::ndis::{policy, watchdog};
use crate::rules;

/// How long a `FilterPause` may take (ndisfiltertimedpausecomplete-.md).
const PAUSE_LIMIT: Duration = Duration::from_secs(10);

impl Module {
    /// A module of `driver` on `adapter`: Detached to Paused by `FilterAttach`, or back.
    pub(super) fn attach(
        driver: &'static FilterDriver,
        adapter: &'static Adapter,
        configured: device::Filter,
    ) -> Result<&'static Self, NDIS_STATUS> {
        let module = Self::new(driver, adapter, configured);
        let mut parameters = AttachParameters::of(module);
        let handler = driver.handlers().AttachHandler;
        let handler = handler.expect("registration requires it");
        let context = driver.context();
        let status = run_status(driver.caller(), "FilterAttach", module.name(), || {
            // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with its own context and
            // parameters that outlive the call.
            unsafe { handler(handle_of(module), context, parameters.as_ptr()) }
        });
        match status {
            NDIS_STATUS_SUCCESS if !module.has_attributes() => {
                module.broken("FilterAttach succeeded without NdisFSetAttributes")
            }
            NDIS_STATUS_SUCCESS => {
                module.go(FilterState::Attaching, FilterState::Paused);
                driver.add_module(module);
                module.set_open();
                Ok(module)
            }
            NDIS_STATUS_PENDING => module.broken("FilterAttach returned NDIS_STATUS_PENDING"),
            status => {
                module.go(FilterState::Attaching, FilterState::Detached);
                module.ended("FilterAttach");
                Err(status)
            }
        }
    }

    /// Paused to Detached by `FilterDetach`. It is out of the stack already.
    pub(super) fn detach(&'static self) {
        self.oids.drain(Layer::Filter(self));
        direct::drain(Layer::Filter(self));
        self.close();
        self.go(FilterState::Paused, FilterState::Detached);
        let handler = self.driver().handlers().DetachHandler;
        let handler = handler.expect("registration requires it");
        let context = self.context();
        let limit = watchdog::limit(&rules::NDIS_BUGCHECK_WATCHDOG_FILTER_DETACH, self.name());
        run(self.driver().caller(), "FilterDetach", self.name(), || {
            // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the context that it
            // set for this module.
            unsafe { handler(context) };
        });
        drop(limit);
        self.require_nothing_out("FilterDetach returned");
        self.driver().remove_module(self);
        self.ended("FilterDetach");
    }

    /// Paused to Running by `FilterRestart`, or back.
    pub(crate) fn restart(
        &'static self,
        attributes: &mut RestartAttributes,
    ) -> Result<(), NDIS_STATUS> {
        self.go(FilterState::Paused, FilterState::Restarting);
        let general = self
            .adapter()
            .with_attributes(|attributes| attributes.general());
        let (lower_index, lower_luid) = self.lower();
        let mut parameters = NDIS_FILTER_RESTART_PARAMETERS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_FILTER_RESTART_PARAMETERS,
                NDIS_FILTER_RESTART_PARAMETERS_REVISION_1,
                NDIS_SIZEOF__FILTER_RESTART_PARAMETERS_REVISION_1,
            ),
            MiniportMediaType: general.MediaType,
            MiniportPhysicalMediaType: general.PhysicalMediumType,
            RestartAttributes: attributes.as_ptr(),
            LowerIfIndex: lower_index,
            LowerIfNetLuid: lower_luid,
            Flags: 0,
        };
        let handler = self.driver().handlers().RestartHandler;
        let handler = handler.expect("registration requires it");
        let context = self.context();
        let mut status = run_status(self.driver().caller(), "FilterRestart", self.name(), || {
            // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the context that it
            // set for this module and parameters that outlive the operation.
            unsafe { handler(context, &raw mut parameters) }
        });
        if status == NDIS_STATUS_PENDING {
            let limit = policy::current().watchdog;
            status = self.wait_completed(&rules::FILTER_MODULE_STATE, limit, "FilterRestart");
        }
        // A driver may put entries of its own into the list, in front too.
        attributes.replace(parameters.RestartAttributes);
        let next = if status == NDIS_STATUS_SUCCESS {
            FilterState::Running
        } else {
            FilterState::Paused
        };
        self.go(FilterState::Restarting, next);
        if status == NDIS_STATUS_SUCCESS {
            Ok(())
        } else {
            Err(status)
        }
    }

    /// Running to Paused by `FilterPause`.
    pub(crate) fn pause(&'static self, reason: u32) {
        self.go(FilterState::Running, FilterState::Pausing);
        let mut parameters = NDIS_FILTER_PAUSE_PARAMETERS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_FILTER_PAUSE_PARAMETERS,
                NDIS_FILTER_PAUSE_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_FILTER_PAUSE_PARAMETERS_REVISION_1,
            ),
            Flags: 0,
            PauseReason: reason,
        };
        let handler = self.driver().handlers().PauseHandler;
        let handler = handler.expect("registration requires it");
        let context = self.context();
        let watchdog = policy::current().watchdog;
        let (rule, time) = if watchdog < PAUSE_LIMIT {
            (&rules::NDIS_BUGCHECK_WATCHDOG_FILTER_PAUSE, watchdog)
        } else {
            (&rules::NDIS_FILTER_TIMED_PAUSE_COMPLETE, PAUSE_LIMIT)
        };
        let limit = watchdog::limit_of(rule, self.name(), time);
        let status = run_status(self.driver().caller(), "FilterPause", self.name(), || {
            // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with the context that it
            // set for this module and parameters that outlive the call.
            unsafe { handler(context, &raw mut parameters) }
        });
        drop(limit);
        match status {
            NDIS_STATUS_PENDING => {
                self.wait_completed(rule, time, "FilterPause");
            }
            NDIS_STATUS_SUCCESS if self.is_completed() => rules::broken(
                &rules::NDIS_FILTER_TIMED_PAUSE_COMPLETE,
                format_args!(
                    "FilterPause of {} was completed by NdisFPauseComplete and succeeded too",
                    self.name()
                ),
            ),
            NDIS_STATUS_SUCCESS => self.require_quiet("FilterPause returned"),
            other => rules::broken(
                &rules::NDIS_FILTER_TIMED_PAUSE_COMPLETE,
                format_args!("FilterPause of {} returned {other:#x}", self.name()),
            ),
        }
        self.go(FilterState::Pausing, FilterState::Paused);
    }
}
