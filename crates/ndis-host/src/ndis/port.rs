//! Ports of an adapter besides its default one: allocated by number, then activated and deactivated by
//! network events, then freed (ndis-ports.md).

use std::collections::BTreeMap;

use ndis_sys::{
    NDIS_HANDLE, NDIS_OBJECT_TYPE_PORT_CHARACTERISTICS, NDIS_PORT, NDIS_PORT_CHARACTERISTICS,
    NDIS_PORT_CHARACTERISTICS_REVISION_1, NDIS_PORT_NUMBER,
    NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1, NDIS_STATUS, NDIS_STATUS_CLOSING,
    NDIS_STATUS_INVALID_DATA, NDIS_STATUS_INVALID_PORT, NDIS_STATUS_INVALID_PORT_STATE,
    NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS, NET_PNP_EVENT, NetEventPortActivation,
};

use super::adapter::{Adapter, AdapterState};
use super::faults::should_fail;
use super::object::{handle_of, resolve};
use super::{header, trace};
use crate::nt::sched::Monitor;
use crate::rules;

crate::ddi! { "ndis.sys":
    /// Allocates a port, which gets a number and is not active yet.
    [PASSIVE..=DISPATCH] fn NdisMAllocatePort(
        NdisMiniportHandle: NDIS_HANDLE,
        PortCharacteristics: *mut NDIS_PORT_CHARACTERISTICS,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisMAllocatePort";
        let adapter = resolve::<Adapter>(NdisMiniportHandle, NAME);
        let mut record = trace::call(NAME, adapter.name());
        if adapter.state() == AdapterState::Halted {
            return record.returns(NDIS_STATUS_CLOSING);
        }
        // SAFETY: the document makes it a pointer to the caller's characteristics.
        let given = unsafe { &mut *PortCharacteristics };
        let revisions = [(
            NDIS_PORT_CHARACTERISTICS_REVISION_1,
            NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1,
        )];
        if !header::valid(&given.Header, NDIS_OBJECT_TYPE_PORT_CHARACTERISTICS, &revisions) {
            return record.returns(NDIS_STATUS_INVALID_DATA);
        }
        if should_fail("NdisMAllocatePort") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        let mut ports = PORTS.lock();
        let of = NdisMiniportHandle as usize;
        let number = (1..).find(|number| !ports.contains_key(&(of, *number)));
        given.PortNumber = number.expect("there are more numbers than ports");
        ports.insert((of, given.PortNumber), false);
        drop(ports);
        record.returns(NDIS_STATUS_SUCCESS)
    }

    /// Frees a port that is not active.
    [PASSIVE..=DISPATCH] fn NdisMFreePort(
        NdisMiniportHandle: NDIS_HANDLE,
        PortNumber: NDIS_PORT_NUMBER,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisMFreePort";
        let adapter = resolve::<Adapter>(NdisMiniportHandle, NAME);
        let mut record = trace::call(NAME, adapter.name());
        let port = (NdisMiniportHandle as usize, PortNumber);
        let mut ports = PORTS.lock();
        let status = match ports.get(&port) {
            None => NDIS_STATUS_INVALID_PORT,
            Some(true) => NDIS_STATUS_INVALID_PORT_STATE,
            Some(false) => {
                ports.remove(&port);
                NDIS_STATUS_SUCCESS
            }
        };
        drop(ports);
        record.returns(status)
    }
}

/// Takes note of the ports that a port event is about. Anything but success is the answer: what is
/// bound does not hear of the event then.
pub(crate) fn note_event(adapter: &'static Adapter, event: &NET_PNP_EVENT) -> NDIS_STATUS {
    let activate = event.NetEvent == NetEventPortActivation;
    let of = handle_of(adapter) as usize;
    let mut numbers = Vec::new();
    if activate {
        let mut port = event.Buffer.cast::<NDIS_PORT>();
        while !port.is_null() {
            // SAFETY: the document makes the buffer a list of ports.
            numbers.push(unsafe { (*port).PortCharacteristics.PortNumber });
            // SAFETY: as above.
            port = unsafe { (*port).Next };
        }
    } else {
        let count = event.BufferLength as usize / size_of::<NDIS_PORT_NUMBER>();
        let first = event.Buffer.cast::<NDIS_PORT_NUMBER>();
        for index in 0..count {
            // SAFETY: the document makes the buffer an array of numbers, as long as the event says.
            numbers.push(unsafe { first.wrapping_add(index).read() });
        }
    }
    let mut ports = PORTS.lock();
    for number in &numbers {
        match ports.get(&(of, *number)) {
            None => return NDIS_STATUS_INVALID_PORT,
            Some(active) if *active == activate => return NDIS_STATUS_INVALID_PORT_STATE,
            Some(_) => {}
        }
    }
    for number in numbers {
        ports.insert((of, number), activate);
    }
    NDIS_STATUS_SUCCESS
}

/// Ends the run if an adapter is halted with ports allocated.
pub(crate) fn require_none_of(adapter: &'static Adapter, function: &str) {
    let of = handle_of(adapter) as usize;
    let ports = PORTS.lock();
    let left: Vec<u32> = ports
        .range((of, 0)..=(of, u32::MAX))
        .map(|((_, number), _)| *number)
        .collect();
    drop(ports);
    rules::check(&rules::RESOURCES_LEFT, left.is_empty(), || {
        format!(
            "{function} of adapter {} left ports {left:?}",
            adapter.name()
        )
    });
}

/// By adapter's handle and number: whether the port is active.
static PORTS: Monitor<BTreeMap<(usize, NDIS_PORT_NUMBER), bool>> = Monitor::new(BTreeMap::new());

#[cfg(test)]
mod tests {
    use ndis_sys::{
        NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT,
        NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_2, NET_PNP_EVENT_NOTIFICATION,
        NET_PNP_EVENT_NOTIFICATION_REVISION_2, NetEventPortDeactivation,
    };

    use super::*;
    use crate::ndis::event::NdisMNetPnPEvent;
    use crate::ndis::testing::{Miniport, halt, start};
    use crate::rules::testing::assert_broken;

    fn allocate(adapter: NDIS_HANDLE) -> NDIS_PORT {
        let mut port = NDIS_PORT::zeroed();
        port.PortCharacteristics.Header = NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_PORT_CHARACTERISTICS,
            NDIS_PORT_CHARACTERISTICS_REVISION_1,
            NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1,
        );
        // SAFETY: the characteristics live during the call.
        let status = unsafe { NdisMAllocatePort(adapter, &raw mut port.PortCharacteristics) };
        assert_eq!(status, NDIS_STATUS_SUCCESS);
        port
    }

    fn tell<T>(adapter: NDIS_HANDLE, code: i32, buffer: &mut T) -> NDIS_STATUS {
        let mut event = NET_PNP_EVENT_NOTIFICATION {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_DEFAULT,
                NET_PNP_EVENT_NOTIFICATION_REVISION_2,
                NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_2,
            ),
            ..NET_PNP_EVENT_NOTIFICATION::zeroed()
        };
        event.NetPnPEvent.NetEvent = code;
        event.NetPnPEvent.Buffer = std::ptr::from_mut(buffer).cast();
        event.NetPnPEvent.BufferLength = size_of::<T>() as u32;
        // SAFETY: the event and its buffer live during the call.
        unsafe { NdisMNetPnPEvent(adapter, &raw mut event) }
    }

    fn free(adapter: NDIS_HANDLE, number: u32) -> NDIS_STATUS {
        // SAFETY: the handle is alive.
        unsafe { NdisMFreePort(adapter, number) }
    }

    #[test]
    fn a_port_is_activated_deactivated_and_freed_in_this_order() {
        let adapter = start("ports", Miniport::default());
        let handle = handle_of(adapter);
        let mut port = allocate(handle);
        let mut number = port.PortCharacteristics.PortNumber;
        assert_eq!(
            tell(handle, NetEventPortActivation, &mut port),
            NDIS_STATUS_SUCCESS
        );
        assert_eq!(
            tell(handle, NetEventPortActivation, &mut port),
            NDIS_STATUS_INVALID_PORT_STATE
        );
        assert_eq!(free(handle, number), NDIS_STATUS_INVALID_PORT_STATE);
        assert_eq!(
            tell(handle, NetEventPortDeactivation, &mut number),
            NDIS_STATUS_SUCCESS
        );
        assert_eq!(free(handle, number), NDIS_STATUS_SUCCESS);
        assert_eq!(free(handle, number), NDIS_STATUS_INVALID_PORT);
        halt(adapter);
    }

    #[test]
    fn a_halt_that_leaves_a_port_breaks_resources_left() {
        assert_broken(&rules::RESOURCES_LEFT, &["left ports [1]"], || {
            let adapter = start("ports", Miniport::default());
            allocate(handle_of(adapter));
            halt(adapter);
        });
    }

    #[test]
    fn an_event_that_is_not_of_ports_breaks_illegal_net_pnp_event() {
        assert_broken(
            &rules::NDIS_BUGCHECK_ILLEGAL_NET_PNP_EVENT,
            &["only intermediate drivers"],
            || {
                let adapter = start("events", Miniport::default());
                tell(
                    handle_of(adapter),
                    ndis_sys::NetEventReconfigure,
                    &mut 0_u32,
                )
            },
        );
    }
}
