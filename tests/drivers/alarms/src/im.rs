//! An intermediate driver with one virtual miniport above one binding. The virtual miniport does not
//! use the binding: it answers its sends itself, as `miniport` does.

use crate::{
    Adapter, Binding, Miniport, Protocol, SUCCESS, call, miniport, miniport::ADAPTER, protocol,
    protocol::BINDING, sys,
};

/// The steps of an intermediate driver. Each is correct unless an image replaces it.
pub trait Intermediate {
    /// Says that both edges are one driver.
    fn associate(adapter: &'static Adapter, binding: &'static Binding) {
        call!(NdisIMAssociateMiniport(adapter.driver(), binding.driver()));
    }

    /// `ProtocolBindAdapterEx`.
    fn bind(
        adapter: &'static Adapter,
        binding: &'static Binding,
        context: sys::NDIS_HANDLE,
        parameters: &sys::NDIS_BIND_PARAMETERS,
    ) -> sys::NDIS_STATUS {
        let mut status = binding.open(context, parameters);
        if status == SUCCESS {
            status = request(adapter);
            if status != SUCCESS {
                binding.close();
            }
        }
        status
    }

    /// `ProtocolUnbindAdapterEx`.
    fn unbind(adapter: &'static Adapter, binding: &'static Binding) {
        end(adapter);
        binding.close();
    }

    /// `MiniportInitializeEx`.
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        adapter.open_with(sys::NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND)
    }

    /// `MiniportOidRequest`.
    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        adapter.answer(request)
    }

    /// `MiniportHaltEx`.
    fn halt(adapter: &'static Adapter) {
        adapter.close();
    }

    /// `MiniportDriverUnload`.
    fn unload(adapter: &'static Adapter, binding: &'static Binding) {
        binding.deregister();
        adapter.deregister();
    }
}

/// Asks for the virtual miniport.
pub fn request(adapter: &Adapter) -> sys::NDIS_STATUS {
    let mut name = protocol::text(&DEVICE);
    call!(NdisIMInitializeDeviceInstanceEx(
        adapter.driver(),
        &raw mut name,
        core::ptr::null_mut(),
    ))
}

/// Takes the request for the virtual miniport back, or ends the virtual miniport.
pub fn end(adapter: &Adapter) {
    let mut name = protocol::text(&DEVICE);
    let cancelled = call!(NdisIMCancelInitializeDeviceInstance(
        adapter.driver(),
        &raw mut name,
    ));
    if cancelled != SUCCESS {
        call!(NdisIMDeInitializeDeviceInstance(adapter.handle()));
    }
}

/// `DriverEntry` of an intermediate driver.
pub fn load<D: Intermediate>(
    driver: *mut sys::DRIVER_OBJECT,
    registry_path: *mut sys::UNICODE_STRING,
) -> sys::NTSTATUS {
    let flags = sys::NDIS_INTERMEDIATE_DRIVER;
    let mut status = miniport::register::<Upper<D>>(driver, registry_path, flags);
    if status != SUCCESS {
        return status;
    }
    status = protocol::register::<Lower<D>>();
    if status != SUCCESS {
        ADAPTER.deregister();
        return status;
    }
    D::associate(&ADAPTER, &BINDING);
    SUCCESS
}

/// The device of the virtual miniport: `\Device\upper`.
pub static DEVICE: [u16; 13] = protocol::wide(br"\Device\upper");

/// The miniport edge of `D`.
struct Upper<D>(core::marker::PhantomData<D>);

/// The protocol edge of `D`.
struct Lower<D>(core::marker::PhantomData<D>);

impl<D: Intermediate> Miniport for Upper<D> {
    fn unload(adapter: &'static Adapter) {
        D::unload(adapter, &BINDING);
    }

    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        D::initialize(adapter)
    }

    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        D::oid(adapter, request)
    }

    fn halt(adapter: &'static Adapter) {
        D::halt(adapter);
    }
}

impl<D: Intermediate> Protocol for Lower<D> {
    fn bind(
        binding: &'static Binding,
        context: sys::NDIS_HANDLE,
        parameters: &sys::NDIS_BIND_PARAMETERS,
    ) -> sys::NDIS_STATUS {
        D::bind(&ADAPTER, binding, context, parameters)
    }

    fn unbind(binding: &'static Binding) {
        D::unbind(&ADAPTER, binding);
    }

    fn driver_event(notification: *mut sys::NET_PNP_EVENT_NOTIFICATION) -> sys::NDIS_STATUS {
        match protocol::code(notification) {
            // The virtual miniport was disabled, which halted it; there is only this one.
            sys::NetEventIMReEnableDevice => request(&ADAPTER),
            _ => SUCCESS,
        }
    }
}
