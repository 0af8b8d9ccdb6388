//! Registered filter drivers.

use std::ptr;

use ndis_sys::{
    DRIVER_OBJECT, NDIS_FILTER_CHARACTERISTICS_REVISION_1 as REVISION_1,
    NDIS_FILTER_CHARACTERISTICS_REVISION_2 as REVISION_2,
    NDIS_FILTER_CHARACTERISTICS_REVISION_3 as REVISION_3, NDIS_FILTER_DRIVER_CHARACTERISTICS,
    NDIS_HANDLE, NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS,
    NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_1 as SIZE_1,
    NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2 as SIZE_2,
    NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_3 as SIZE_3, NDIS_STATUS,
    NDIS_STATUS_BAD_CHARACTERISTICS, NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS,
};

use super::attach;
use super::module::Module;
use crate::call;
use crate::ndis::caller::{self, Caller};
use crate::ndis::driver::{Address, run_status};
use crate::ndis::faults::should_fail;
use crate::ndis::object::{self, Kind, Object, handle_of, resolve};
use crate::ndis::policy::{self, FirstBind};
use crate::ndis::register::{caller_of, check_version};
use crate::ndis::{header, resources, strings, trace};
use crate::nt::sched::Monitor;
use crate::rules;

/// A filter driver's registration.
pub(crate) struct FilterDriver {
    caller: Caller,
    /// `ServiceName`.
    service: String,
    /// `UniqueName`: a GUID in braces.
    guid: String,
    handlers: NDIS_FILTER_DRIVER_CHARACTERISTICS,
    context: Address,
    modules: Monitor<Vec<&'static Module>>,
}

// SAFETY: the characteristics are function pointers and numbers; the strings' buffers in them are not
// read after registration.
unsafe impl Sync for FilterDriver {}

impl Object for FilterDriver {
    const KIND: Kind = Kind::FilterDriver;
}

impl std::fmt::Debug for FilterDriver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "filter driver {}", self.caller.name)
    }
}

impl FilterDriver {
    /// Who runs when its functions are called.
    pub(crate) fn caller(&self) -> Caller {
        self.caller
    }

    /// Its `UniqueName`.
    pub(super) fn guid(&self) -> &str {
        &self.guid
    }

    /// Its functions.
    pub(crate) fn handlers(&self) -> &NDIS_FILTER_DRIVER_CHARACTERISTICS {
        &self.handlers
    }

    /// Its `FilterDriverContext`.
    pub(super) fn context(&self) -> NDIS_HANDLE {
        self.context.0
    }

    /// Its modules that are not detached.
    pub(super) fn modules(&self) -> Vec<&'static Module> {
        self.modules.lock().clone()
    }

    pub(super) fn add_module(&self, module: &'static Module) {
        self.modules.lock().push(module);
    }

    pub(super) fn remove_module(&self, module: &'static Module) {
        self.modules.lock().retain(|other| !ptr::eq(*other, module));
    }

    fn is_called(&self, service: &str) -> bool {
        self.caller.name.eq_ignore_ascii_case(service) || self.service.eq_ignore_ascii_case(service)
    }
}

/// The registered filter driver of a service.
pub(crate) fn filter_of(service: &str) -> Option<&'static FilterDriver> {
    let drivers = DRIVERS.lock();
    drivers.iter().copied().find(|it| it.is_called(service))
}

/// What the driver of that service has registered and not undone.
pub(crate) fn registered(service: &str) -> Vec<String> {
    let drivers = DRIVERS.lock();
    let of = drivers
        .iter()
        .filter(|it| it.caller.name.eq_ignore_ascii_case(service));
    of.map(|it| format!("{it:?}")).collect()
}

crate::ddi! { "ndis.sys":
    /// Registers a filter driver.
    [PASSIVE..=PASSIVE] fn NdisFRegisterFilterDriver(
        DriverObject: *mut DRIVER_OBJECT,
        FilterDriverContext: NDIS_HANDLE,
        FilterDriverCharacteristics: *mut NDIS_FILTER_DRIVER_CHARACTERISTICS,
        NdisFilterDriverHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisFRegisterFilterDriver";
        let caller = caller_of(DriverObject, ptr::null_mut());
        let mut record = trace::call(NAME, caller.name);
        if should_fail(NAME) {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        // SAFETY: the document makes it a pointer to a structure as long as its header says.
        let handlers = match unsafe { copy(FilterDriverCharacteristics) } {
            Ok(handlers) => handlers,
            Err(status) => return record.returns(status),
        };
        // SAFETY: the document makes UniqueName a valid string during the call.
        let guid = unsafe { strings::read(&handlers.UniqueName) };
        // SAFETY: the same for ServiceName.
        let service = unsafe { strings::read(&handlers.ServiceName) };
        // SAFETY: the same for FriendlyName.
        let friendly = unsafe { strings::read(&handlers.FriendlyName) };
        if let Some(wrong) = wrong(&handlers, [&friendly, &guid, &service]) {
            eprintln!("ndis-host: {NAME}({}): {wrong}", caller.name);
            return record.returns(NDIS_STATUS_BAD_CHARACTERISTICS);
        }
        let caller = match caller {
            // A thread that no callback led to: the driver is known by its service.
            Caller::UNNAMED => Caller { name: strings::intern(&service), built_in: false },
            caller => caller,
        };
        let driver = {
            let _party = caller::enter(caller);
            let driver = FilterDriver {
                caller,
                service,
                guid,
                handlers,
                context: Address(FilterDriverContext),
                modules: Monitor::default(),
            };
            object::publish(object::fresh(driver), format!("filter driver {}", caller.name))
        };
        // SAFETY: the document makes it a pointer to the caller's handle variable.
        unsafe { NdisFilterDriverHandle.write(handle_of(driver)) };
        if let Some(set_options) = handlers.SetOptionsHandler {
            let status = run_status(caller, "FilterSetOptions", caller.name, || {
                // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with its own context.
                unsafe { set_options(handle_of(driver), FilterDriverContext) }
            });
            if status != NDIS_STATUS_SUCCESS {
                object::retire(driver);
                return record.returns(status);
            }
        }
        DRIVERS.lock().push(driver);
        if policy::current().first_bind == FirstBind::InsideRegister {
            attach::attach_driver(driver);
        }
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Undoes that: detaches its modules, and returns when that is done.
    [PASSIVE..=PASSIVE] fn NdisFDeregisterFilterDriver(NdisFilterDriverHandle: NDIS_HANDLE) {
        const NAME: &str = "NdisFDeregisterFilterDriver";
        let driver = resolve::<FilterDriver>(NdisFilterDriverHandle, NAME);
        let _record = trace::call(NAME, driver.caller.name);
        let right = |name| matches!(name, "DriverUnload" | "DriverEntry");
        if !driver.caller.built_in && !call::frames().iter().any(|frame| right(frame.name)) {
            rules::broken(
                &rules::NDIS_F_DEREGISTER_FILTER_DRIVER,
                format_args!(
                    "{NAME}({}) outside of the driver's unload routine and its DriverEntry",
                    driver.caller.name
                ),
            );
        }
        DRIVERS.lock().retain(|other| !ptr::eq(*other, driver));
        attach::detach_driver(driver);
        resources::require_none_of(NdisFilterDriverHandle, NAME);
        object::retire(driver);
    }
}

/// # Safety
/// A structure with a valid header, as long as the header says.
unsafe fn copy(
    given: *const NDIS_FILTER_DRIVER_CHARACTERISTICS,
) -> Result<NDIS_FILTER_DRIVER_CHARACTERISTICS, NDIS_STATUS> {
    // SAFETY: the caller's contract.
    let head = unsafe { (*given).Header };
    let revisions = [
        (REVISION_1, SIZE_1),
        (REVISION_2, SIZE_2),
        (REVISION_3, SIZE_3),
    ];
    let kind = NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS;
    if !header::valid(&head, kind, &revisions) {
        return Err(NDIS_STATUS_BAD_CHARACTERISTICS);
    }
    let mut handlers = NDIS_FILTER_DRIVER_CHARACTERISTICS::zeroed();
    let of_revision = revisions
        .iter()
        .find(|(revision, _)| *revision == head.Revision)
        .map_or(usize::MAX, |(_, size)| usize::from(*size));
    let length = usize::from(head.Size)
        .min(of_revision)
        .min(size_of_val(&handlers));
    let target = (&raw mut handlers).cast::<u8>();
    // SAFETY: `length` bytes are there by the header, and fit; all fields accept what C puts there.
    unsafe { ptr::copy_nonoverlapping(given.cast::<u8>(), target, length) };
    check_version(handlers.MajorNdisVersion, handlers.MinorNdisVersion)?;
    let newest = match handlers.MinorNdisVersion {
        0 => REVISION_1,
        1..80 => REVISION_2,
        _ => REVISION_3,
    };
    if head.Revision < newest.min(REVISION_2) || head.Revision > newest {
        return Err(NDIS_STATUS_BAD_CHARACTERISTICS);
    }
    Ok(handlers)
}

/// What is wrong with a registration's functions and names.
fn wrong(handlers: &NDIS_FILTER_DRIVER_CHARACTERISTICS, names: [&str; 3]) -> Option<&'static str> {
    let [friendly, guid, service] = names;
    let braces = guid.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
    let oids = handlers.OidRequestHandler.is_some() == handlers.OidRequestCompleteHandler.is_some();
    let direct = handlers.DirectOidRequestHandler.is_some()
        == handlers.DirectOidRequestCompleteHandler.is_some();
    let receives = handlers.ReceiveNetBufferListsHandler.is_some()
        || handlers.ReturnNetBufferListsHandler.is_some();
    let checks = [
        (handlers.AttachHandler.is_some(), "AttachHandler is missing"),
        (handlers.DetachHandler.is_some(), "DetachHandler is missing"),
        (
            handlers.RestartHandler.is_some(),
            "RestartHandler is missing",
        ),
        (handlers.PauseHandler.is_some(), "PauseHandler is missing"),
        (!friendly.is_empty(), "FriendlyName is missing"),
        (!service.is_empty(), "ServiceName is missing"),
        (
            braces.is_some_and(|it| it.len() == 36),
            "UniqueName is no GUID in braces",
        ),
        (
            oids,
            "only one of FilterOidRequest and its completion is given",
        ),
        (
            direct,
            "only one of FilterDirectOidRequest and its completion is given",
        ),
        (
            !receives || handlers.StatusHandler.is_some(),
            "it receives, and has no FilterStatus",
        ),
    ];
    checks
        .iter()
        .find(|(right, _)| !right)
        .map(|(_, what)| *what)
}

static DRIVERS: Monitor<Vec<&'static FilterDriver>> = Monitor::new(Vec::new());
