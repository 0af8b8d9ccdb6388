//! A port of an adapter besides the default one.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::{Adapter, SUCCESS, call, sys};

/// A port, not usable before [`Port::allocate`].
pub struct Port(AtomicU32);

impl Port {
    /// A port without a number.
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Allocates it.
    pub fn allocate(&self, adapter: &Adapter) -> sys::NDIS_STATUS {
        let mut characteristics = self.characteristics();
        let status = call!(NdisMAllocatePort(
            adapter.handle(),
            &raw mut characteristics
        ));
        self.0.store(characteristics.PortNumber, Ordering::Release);
        status
    }

    /// Frees it.
    pub fn free(&self, adapter: &Adapter) {
        call!(NdisMFreePort(adapter.handle(), self.number()));
    }

    /// Makes it active and inactive again.
    pub fn activate_and_deactivate(&self, adapter: &Adapter) {
        let mut port = sys::NDIS_PORT {
            PortCharacteristics: self.characteristics(),
            ..sys::NDIS_PORT::zeroed()
        };
        if tell(adapter, sys::NetEventPortActivation, &mut port) == SUCCESS {
            tell(adapter, sys::NetEventPortDeactivation, &mut self.number());
        }
    }

    fn number(&self) -> sys::NDIS_PORT_NUMBER {
        self.0.load(Ordering::Acquire)
    }

    fn characteristics(&self) -> sys::NDIS_PORT_CHARACTERISTICS {
        sys::NDIS_PORT_CHARACTERISTICS {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_PORT_CHARACTERISTICS,
                sys::NDIS_PORT_CHARACTERISTICS_REVISION_1,
                sys::NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1,
            ),
            PortNumber: self.number(),
            ..sys::NDIS_PORT_CHARACTERISTICS::zeroed()
        }
    }
}

/// Passes an event with that buffer to whoever is bound to the adapter.
pub fn tell<T>(
    adapter: &Adapter,
    code: sys::NET_PNP_EVENT_CODE,
    buffer: &mut T,
) -> sys::NDIS_STATUS {
    let mut notification = sys::NET_PNP_EVENT_NOTIFICATION {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_DEFAULT,
            sys::NET_PNP_EVENT_NOTIFICATION_REVISION_2,
            sys::NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_2,
        ),
        ..sys::NET_PNP_EVENT_NOTIFICATION::zeroed()
    };
    notification.NetPnPEvent.NetEvent = code;
    notification.NetPnPEvent.BufferLength = size_of::<T>() as u32;
    notification.NetPnPEvent.Buffer = core::ptr::from_mut(buffer).cast();
    call!(NdisMNetPnPEvent(adapter.handle(), &raw mut notification))
}
