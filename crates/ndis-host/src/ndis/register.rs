//! How drivers register and undo it.
//!
//! A registration copies the characteristics, so that entry points are fixed from then on, and lasts
//! until it is undone, by `DriverEntry` itself if it fails, else by the unload routine.

use std::ptr;

use ndis_sys::{
    DRIVER_OBJECT, NDIS_HANDLE, NDIS_INTERMEDIATE_DRIVER, NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
    NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
    NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS, NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
    NDIS_STATUS, NDIS_STATUS_BAD_CHARACTERISTICS, NDIS_STATUS_BAD_VERSION,
    NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS, UNICODE_STRING,
};
use ndis_sys::{
    NDIS_DRIVER_OPTIONAL_HANDLERS, NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1 as MINIPORT_1,
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2 as MINIPORT_2,
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3 as MINIPORT_3,
    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1 as PROTOCOL_1,
    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2 as PROTOCOL_2,
    NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1 as MINIPORT_SIZE_1,
    NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2 as MINIPORT_SIZE_2,
    NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3 as MINIPORT_SIZE_3,
    NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1 as PROTOCOL_SIZE_1,
    NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2 as PROTOCOL_SIZE_2,
};

use super::caller::{self, Caller};
use super::driver::{
    MiniportDriver, ProtocolDriver, miniports_of_object, party_of, run, run_status,
};
use super::filter::{self, Module};
use super::object::{self, handle_of, resolve};
use super::policy::{self, FirstBind};
use super::{faults::should_fail, header, pnp, strings, trace, version};
use crate::nt;
use crate::rules;

crate::ddi! { "ndis.sys":
    /// Registers a driver's miniport edge.
    [PASSIVE..=PASSIVE] fn NdisMRegisterMiniportDriver(
        DriverObject: *mut DRIVER_OBJECT,
        RegistryPath: *mut UNICODE_STRING,
        MiniportDriverContext: NDIS_HANDLE,
        MiniportDriverCharacteristics: *mut NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
        NdisMiniportDriverHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS {
        let caller = caller_of(DriverObject, RegistryPath);
        let mut record = trace::call("NdisMRegisterMiniportDriver", caller.name);
        if should_fail("NdisMRegisterMiniportDriver") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        // SAFETY: the document makes it a pointer to a structure as long as its header says.
        let handlers = match unsafe { copy_miniport(MiniportDriverCharacteristics) } {
            Ok(handlers) => handlers,
            Err(status) => return record.returns(status),
        };
        if let Some(missing) = missing_miniport_handler(&handlers) {
            eprintln!("ndis-host: NdisMRegisterMiniportDriver({}): {missing}", caller.name);
            return record.returns(NDIS_STATUS_BAD_CHARACTERISTICS);
        }
        let driver =
            MiniportDriver::new(caller, handlers, MiniportDriverContext, DriverObject.cast());
        // SAFETY: the document makes it a pointer to the caller's handle variable.
        unsafe { NdisMiniportDriverHandle.write(handle_of(driver)) };
        if let Some(set_options) = handlers.SetOptionsHandler {
            let context = driver.context();
            let status = run_status(caller, "MiniportSetOptions", caller.name, || {
                // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with its own context.
                unsafe { set_options(handle_of(driver), context) }
            });
            if status != NDIS_STATUS_SUCCESS {
                object::retire(driver);
                return record.returns(status);
            }
        }
        driver.enter();
        if nt::driver::service_of(DriverObject.cast()).is_some() {
            // SAFETY: it is a driver object that the host made, in its driver's own call.
            unsafe { nt::driver::set_unload(DriverObject.cast(), Some(unload)) };
        }
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Undoes a miniport edge's registration.
    [PASSIVE..=PASSIVE] fn NdisMDeregisterMiniportDriver(NdisMiniportDriverHandle: NDIS_HANDLE) {
        const NAME: &str = "NdisMDeregisterMiniportDriver";
        let driver = resolve::<MiniportDriver>(NdisMiniportDriverHandle, NAME);
        let _record = trace::call(NAME, driver.caller().name);
        let left = driver.adapters();
        if !left.is_empty() {
            rules::broken(
                &rules::NDIS_BUGCHECK_DRIVER_UNLOAD_UNEXPECTED,
                format_args!("{NAME}({}): not halted: {left:?}", driver.caller().name),
            );
        }
        rules::held(&rules::NDIS_BUGCHECK_DRIVER_UNLOAD_UNEXPECTED);
        super::resources::require_none_of(NdisMiniportDriverHandle, NAME);
        super::im::forget(driver);
        driver.leave();
    }

    /// Registers a driver's protocol edge.
    [PASSIVE..=PASSIVE] fn NdisRegisterProtocolDriver(
        ProtocolDriverContext: NDIS_HANDLE,
        ProtocolCharacteristics: *mut NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
        NdisProtocolHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS {
        let mut record = trace::call("NdisRegisterProtocolDriver", caller::current().name);
        if should_fail("NdisRegisterProtocolDriver") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        // SAFETY: the document makes it a pointer to a structure as long as its header says.
        let handlers = match unsafe { copy_protocol(ProtocolCharacteristics) } {
            Ok(handlers) => handlers,
            Err(status) => return record.returns(status),
        };
        // SAFETY: the document makes Name a valid string during the call.
        let name = unsafe { strings::read(&handlers.Name) };
        if let Some(missing) = missing_protocol_handler(&handlers, &name) {
            eprintln!("ndis-host: NdisRegisterProtocolDriver({name}): {missing}");
            return record.returns(NDIS_STATUS_BAD_CHARACTERISTICS);
        }
        let caller = match caller::current() {
            // A thread that no callback led to: the driver is known by its name.
            Caller::UNNAMED => Caller {
                name: strings::intern(&name),
                built_in: false,
            },
            caller => caller,
        };
        let driver = ProtocolDriver::new(caller, &name, handlers, ProtocolDriverContext);
        // SAFETY: the document makes it a pointer to the caller's handle variable.
        unsafe { NdisProtocolHandle.write(handle_of(driver)) };
        if let Some(set_options) = handlers.SetOptionsHandler {
            let context = driver.context();
            let status = run_status(caller, "ProtocolSetOptions", &name, || {
                // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with its own context.
                unsafe { set_options(handle_of(driver), context) }
            });
            if status != NDIS_STATUS_SUCCESS {
                object::retire(driver);
                return record.returns(status);
            }
        }
        driver.enter();
        if policy::current().first_bind == FirstBind::InsideRegister {
            pnp::bind_protocol(driver);
        }
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Undoes a protocol edge's registration: unbinds what is still bound, and returns when that is
    /// done.
    [PASSIVE..=PASSIVE] fn NdisDeregisterProtocolDriver(NdisProtocolHandle: NDIS_HANDLE) {
        const NAME: &str = "NdisDeregisterProtocolDriver";
        let driver = resolve::<ProtocolDriver>(NdisProtocolHandle, NAME);
        let _record = trace::call(NAME, driver.name());
        driver.leave();
        pnp::unbind_protocol(driver);
        super::resources::require_none_of(NdisProtocolHandle, NAME);
        object::retire(driver);
    }

    /// Says that a miniport edge and a protocol edge are one intermediate driver.
    [PASSIVE..=PASSIVE] fn NdisIMAssociateMiniport(
        DriverHandle: NDIS_HANDLE,
        ProtocolHandle: NDIS_HANDLE,
    ) {
        const NAME: &str = "NdisIMAssociateMiniport";
        let miniport = resolve::<MiniportDriver>(DriverHandle, NAME);
        let protocol = resolve::<ProtocolDriver>(ProtocolHandle, NAME);
        let _record = trace::call(NAME, miniport.caller().name);
        if !miniport.associate(protocol) || !miniport.is_intermediate() {
            rules::broken(
                &rules::IM_VIRTUAL_MINIPORT_STATE,
                format_args!(
                    "{NAME}: {} is associated already, or did not register as an intermediate driver",
                    miniport.caller().name
                ),
            );
        }
        rules::held(&rules::IM_VIRTUAL_MINIPORT_STATE);
    }

    /// Registers optional handlers: the data path functions of a filter module.
    [PASSIVE..=PASSIVE] fn NdisSetOptionalHandlers(
        NdisHandle: NDIS_HANDLE,
        OptionalHandlers: *mut NDIS_DRIVER_OPTIONAL_HANDLERS,
    ) -> NDIS_STATUS {
        party_of(NdisHandle, "NdisSetOptionalHandlers");
        if let Some(module) = object::peek::<Module>(NdisHandle) {
            // SAFETY: the document makes it a pointer to a structure as long as its header says.
            return unsafe { filter::options::set(module, OptionalHandlers) };
        }
        // SAFETY: the document makes it a pointer to a structure with a header.
        let header = unsafe { (*OptionalHandlers).Header };
        eprintln!(
            "ndis-host: NdisSetOptionalHandlers: handlers of type {:#x} are not supported",
            header.Type
        );
        NDIS_STATUS_NOT_SUPPORTED
    }
}

/// The unload routine that NDIS gives the driver objects of miniport drivers.
unsafe extern "efiapi" fn unload(driver_object: *mut DRIVER_OBJECT) {
    let drivers = miniports_of_object(driver_object.cast());
    let Some(driver) = drivers.first() else {
        return;
    };
    if let Some(left) = drivers.iter().find(|driver| !driver.adapters().is_empty()) {
        rules::broken(
            &rules::NDIS_BUGCHECK_DRIVER_UNLOAD_UNEXPECTED,
            format_args!("{left:?} is unloaded with adapters: {:?}", left.adapters()),
        );
    }
    rules::held(&rules::NDIS_BUGCHECK_DRIVER_UNLOAD_UNEXPECTED);
    let handler = driver.handlers().UnloadHandler;
    let handler = handler.expect("registration requires it");
    run(
        driver.caller(),
        "MiniportDriverUnload",
        driver.caller().name,
        || {
            // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with its own driver object.
            unsafe { handler(driver_object) };
        },
    );
}

/// # Safety
/// A structure with a valid header, as long as the header says.
unsafe fn copy_miniport(
    given: *const NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
) -> Result<NDIS_MINIPORT_DRIVER_CHARACTERISTICS, NDIS_STATUS> {
    // SAFETY: the caller's contract.
    let header = unsafe { (*given).Header };
    let revisions = [
        (MINIPORT_1, MINIPORT_SIZE_1),
        (MINIPORT_2, MINIPORT_SIZE_2),
        (MINIPORT_3, MINIPORT_SIZE_3),
    ];
    if !header::valid(
        &header,
        NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
        &revisions,
    ) {
        return Err(NDIS_STATUS_BAD_CHARACTERISTICS);
    }
    let mut handlers = NDIS_MINIPORT_DRIVER_CHARACTERISTICS::zeroed();
    let length = usize::from(header.Size).min(size_of_val(&handlers));
    let target = (&raw mut handlers).cast::<u8>();
    // SAFETY: `length` bytes are there by the header, and fit; all fields accept what C puts there.
    unsafe { ptr::copy_nonoverlapping(given.cast::<u8>(), target, length) };
    let newest = match (handlers.MajorNdisVersion, handlers.MinorNdisVersion) {
        (6, 0) => MINIPORT_1,
        (6, 1..80) => MINIPORT_2,
        _ => MINIPORT_3,
    };
    let oldest = newest.min(MINIPORT_2);
    check_version(handlers.MajorNdisVersion, handlers.MinorNdisVersion)?;
    if header.Revision < oldest || header.Revision > newest {
        return Err(NDIS_STATUS_BAD_CHARACTERISTICS);
    }
    Ok(handlers)
}

/// # Safety
/// A structure with a valid header, as long as the header says.
unsafe fn copy_protocol(
    given: *const NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
) -> Result<NDIS_PROTOCOL_DRIVER_CHARACTERISTICS, NDIS_STATUS> {
    // SAFETY: the caller's contract.
    let header = unsafe { (*given).Header };
    let revisions = [(PROTOCOL_1, PROTOCOL_SIZE_1), (PROTOCOL_2, PROTOCOL_SIZE_2)];
    if !header::valid(
        &header,
        NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
        &revisions,
    ) {
        return Err(NDIS_STATUS_BAD_CHARACTERISTICS);
    }
    let mut handlers = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS::zeroed();
    let length = usize::from(header.Size).min(size_of_val(&handlers));
    let target = (&raw mut handlers).cast::<u8>();
    // SAFETY: `length` bytes are there by the header, and fit; all fields accept what C puts there.
    unsafe { ptr::copy_nonoverlapping(given.cast::<u8>(), target, length) };
    check_version(handlers.MajorNdisVersion, handlers.MinorNdisVersion)?;
    if header.Revision < PROTOCOL_2 && handlers.MinorNdisVersion > 0 {
        return Err(NDIS_STATUS_BAD_CHARACTERISTICS);
    }
    Ok(handlers)
}

pub(super) fn check_version(major: u8, minor: u8) -> Result<(), NDIS_STATUS> {
    let known = major == 6 && (minor < 2 || minor >= 20 && minor % 10 <= 9);
    let asked = u32::from(major) << 16 | u32::from(minor);
    if known && asked <= version::current() {
        Ok(())
    } else {
        Err(NDIS_STATUS_BAD_VERSION)
    }
}

fn missing_miniport_handler(handlers: &NDIS_MINIPORT_DRIVER_CHARACTERISTICS) -> Option<String> {
    let required = [
        (
            "InitializeHandlerEx",
            handlers.InitializeHandlerEx.is_some(),
        ),
        ("HaltHandlerEx", handlers.HaltHandlerEx.is_some()),
        ("UnloadHandler", handlers.UnloadHandler.is_some()),
        ("PauseHandler", handlers.PauseHandler.is_some()),
        ("RestartHandler", handlers.RestartHandler.is_some()),
        ("OidRequestHandler", handlers.OidRequestHandler.is_some()),
        (
            "SendNetBufferListsHandler",
            handlers.SendNetBufferListsHandler.is_some(),
        ),
        (
            "ReturnNetBufferListsHandler",
            handlers.ReturnNetBufferListsHandler.is_some(),
        ),
        ("CancelSendHandler", handlers.CancelSendHandler.is_some()),
        (
            "DevicePnPEventNotifyHandler",
            handlers.DevicePnPEventNotifyHandler.is_some(),
        ),
        ("ShutdownHandlerEx", handlers.ShutdownHandlerEx.is_some()),
        (
            "CancelOidRequestHandler",
            handlers.CancelOidRequestHandler.is_some(),
        ),
    ];
    if let Some((name, _)) = required.iter().find(|(_, given)| !given) {
        return Some(format!("{name} is missing"));
    }
    if handlers.DirectOidRequestHandler.is_some()
        != handlers.CancelDirectOidRequestHandler.is_some()
    {
        return Some("only one of the two direct OID handlers is given".to_owned());
    }
    let intermediate = handlers.Flags & NDIS_INTERMEDIATE_DRIVER != 0;
    if intermediate
        && (handlers.CheckForHangHandlerEx.is_some() || handlers.ResetHandlerEx.is_some())
    {
        return Some("an intermediate driver has no check-for-hang and reset handlers".to_owned());
    }
    None
}

fn missing_protocol_handler(
    handlers: &NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
    name: &str,
) -> Option<String> {
    let required = [
        ("Name", !name.is_empty()),
        (
            "BindAdapterHandlerEx",
            handlers.BindAdapterHandlerEx.is_some(),
        ),
        (
            "UnbindAdapterHandlerEx",
            handlers.UnbindAdapterHandlerEx.is_some(),
        ),
        (
            "OpenAdapterCompleteHandlerEx",
            handlers.OpenAdapterCompleteHandlerEx.is_some(),
        ),
        (
            "CloseAdapterCompleteHandlerEx",
            handlers.CloseAdapterCompleteHandlerEx.is_some(),
        ),
        ("NetPnPEventHandler", handlers.NetPnPEventHandler.is_some()),
        (
            "OidRequestCompleteHandler",
            handlers.OidRequestCompleteHandler.is_some(),
        ),
        ("StatusHandlerEx", handlers.StatusHandlerEx.is_some()),
        (
            "ReceiveNetBufferListsHandler",
            handlers.ReceiveNetBufferListsHandler.is_some(),
        ),
        (
            "SendNetBufferListsCompleteHandler",
            handlers.SendNetBufferListsCompleteHandler.is_some(),
        ),
        ("zero in Flags", handlers.Flags == 0),
    ];
    required
        .iter()
        .find(|(_, given)| !given)
        .map(|(name, _)| format!("{name} is missing"))
}

/// Whose registration it is: the running driver's, or if that is unknown that of the service key in
/// `registry_path`.
pub(super) fn caller_of(driver: *mut DRIVER_OBJECT, registry_path: *mut UNICODE_STRING) -> Caller {
    let current = caller::current();
    if let Some(service) = nt::driver::service_of(driver.cast()) {
        return Caller {
            name: strings::intern(&service),
            built_in: false,
        };
    }
    if current != Caller::UNNAMED || registry_path.is_null() {
        return current;
    }
    // SAFETY: the document makes it the RegistryPath argument of DriverEntry.
    let path = unsafe { strings::read(registry_path) };
    let service = path.rsplit('\\').next().unwrap_or_default();
    Caller {
        name: strings::intern(service),
        built_in: false,
    }
}
