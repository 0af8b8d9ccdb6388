//! Network Plug and Play events: NDIS tells protocol drivers, which may take their time.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr;

use ndis_sys::{
    NDIS_HANDLE, NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT,
    NDIS_OBJECT_TYPE_PROTOCOL_RESTART_PARAMETERS, NDIS_PROTOCOL_PAUSE_PARAMETERS,
    NDIS_PROTOCOL_PAUSE_PARAMETERS_REVISION_1, NDIS_PROTOCOL_RESTART_PARAMETERS,
    NDIS_PROTOCOL_RESTART_PARAMETERS_REVISION_1, NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1,
    NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_2,
    NDIS_SIZEOF_PROTOCOL_PAUSE_PARAMETERS_REVISION_1,
    NDIS_SIZEOF_PROTOCOL_RESTART_PARAMETERS_REVISION_1, NDIS_STATUS, NDIS_STATUS_NOT_SUPPORTED,
    NDIS_STATUS_PENDING, NDIS_STATUS_SUCCESS, NDIS_STRING, NET_PNP_EVENT, NET_PNP_EVENT_CODE,
    NET_PNP_EVENT_NOTIFICATION, NET_PNP_EVENT_NOTIFICATION_REVISION_1,
    NET_PNP_EVENT_NOTIFICATION_REVISION_2, NetEventBindList, NetEventBindsComplete,
    NetEventCancelRemoveDevice, NetEventFilterPreDetach, NetEventIMReEnableDevice, NetEventPause,
    NetEventPnPCapabilities, NetEventPortActivation, NetEventPortDeactivation, NetEventQueryPower,
    NetEventQueryRemoveDevice, NetEventReconfigure, NetEventRestart, NetEventSetPower,
};

use super::adapter::Adapter;
use super::binding::{Binding, BindingState};
use super::driver::{ProtocolDriver, run_status};
use super::filter::{self, Layer, Module};
use super::nbl::owner;
use super::nbl::snapshot::Way;
use super::object::{self, Kind, resolve};
use super::restart::RestartAttributes;
use super::strings::Counted;
use super::{header, policy, port, trace, watchdog};
use crate::nt::sched::Monitor;
use crate::{call, rules};

impl Binding {
    /// Running to Paused by `NetEventPause`.
    pub(crate) fn pause(&'static self, reason: u32) {
        self.go(BindingState::Running, BindingState::Pausing);
        let mut parameters = NDIS_PROTOCOL_PAUSE_PARAMETERS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_DEFAULT,
                NDIS_PROTOCOL_PAUSE_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_PROTOCOL_PAUSE_PARAMETERS_REVISION_1,
            ),
            Flags: 0,
            PauseReason: reason,
        };
        self.notify(NetEventPause, &mut parameters);
        let sent = owner::of_binding(self, Way::Down);
        if sent != 0 {
            self.broken(&format!(
                "NetEventPause was completed with {sent} sends outstanding"
            ));
        }
        self.go(BindingState::Pausing, BindingState::Paused);
    }

    /// Paused to Running by `NetEventRestart`.
    pub(crate) fn restart(&'static self, attributes: &mut RestartAttributes) {
        self.go(BindingState::Paused, BindingState::Restarting);
        let (index, luid) = self.adapter().bound_interface();
        let mut parameters = NDIS_PROTOCOL_RESTART_PARAMETERS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_PROTOCOL_RESTART_PARAMETERS,
                NDIS_PROTOCOL_RESTART_PARAMETERS_REVISION_1,
                NDIS_SIZEOF_PROTOCOL_RESTART_PARAMETERS_REVISION_1,
            ),
            RestartAttributes: attributes.as_ptr(),
            BoundIfIndex: index,
            BoundIfNetluid: luid,
            ..NDIS_PROTOCOL_RESTART_PARAMETERS::zeroed()
        };
        self.notify(NetEventRestart, &mut parameters);
        self.go(BindingState::Restarting, BindingState::Running);
    }

    /// Sends an event with its buffer to the protocol for this binding, and waits for its end.
    pub(crate) fn notify<T>(
        &'static self,
        code: NET_PNP_EVENT_CODE,
        buffer: &mut T,
    ) -> NDIS_STATUS {
        let buffer = (
            ptr::from_mut(buffer).cast::<c_void>(),
            size_of::<T>() as u32,
        );
        notify(self.protocol(), Some(self), code, buffer)
    }
}

/// Sends an event that is about all bindings of a protocol, and waits for its end.
pub(crate) fn notify_driver(
    protocol: &'static ProtocolDriver,
    code: NET_PNP_EVENT_CODE,
) -> NDIS_STATUS {
    notify(protocol, None, code, (ptr::null_mut(), 0))
}

/// Sends an event without a buffer that is about one binding, and waits for its end.
pub(crate) fn notify_binding(binding: &'static Binding, code: NET_PNP_EVENT_CODE) -> NDIS_STATUS {
    notify(
        binding.protocol(),
        Some(binding),
        code,
        (ptr::null_mut(), 0),
    )
}

/// Sends `NetEventIMReEnableDevice` for the virtual miniport of that device name.
pub(crate) fn reenable(protocol: &'static ProtocolDriver, device: &str) -> NDIS_STATUS {
    let name = Counted::new(device);
    let buffer = (name.as_ptr().cast(), size_of::<NDIS_STRING>() as u32);
    notify(protocol, None, NetEventIMReEnableDevice, buffer)
}

fn notify(
    protocol: &'static ProtocolDriver,
    binding: Option<&'static Binding>,
    code: NET_PNP_EVENT_CODE,
    (buffer, length): (*mut c_void, u32),
) -> NDIS_STATUS {
    let mut notification = self::notification(code);
    notification.NetPnPEvent.Buffer = buffer;
    notification.NetPnPEvent.BufferLength = length;
    let notification = &raw mut notification;
    let about = match binding {
        Some(binding) => format!("{} {}", name_of(code), binding.name()),
        None => format!("{} {}", name_of(code), protocol.name()),
    };
    PENDING.lock().insert(notification as usize, None);
    let handler = protocol.handlers().NetPnPEventHandler;
    let handler = handler.expect("registration requires it");
    let context = binding.map_or(ptr::null_mut(), Binding::context);
    let rule = watchdog_of(code);
    let limit = watchdog::limit(rule, &format!("ProtocolNetPnPEvent {about}"));
    let outer = IN_EVENT_OF_BINDING.replace(binding.is_some());
    let returned = run_status(protocol.caller(), "ProtocolNetPnPEvent", &about, || {
        // SAFETY: the driver's registered function, at PASSIVE_LEVEL, with its context for the
        // binding (or NULL, for all) and a notification that outlives the operation.
        unsafe { handler(context, notification) }
    });
    IN_EVENT_OF_BINDING.set(outer);
    drop(limit);
    let status = if returned == NDIS_STATUS_PENDING {
        wait(notification as usize, watchdog_for(code, binding), &about)
    } else {
        returned
    };
    let early = PENDING.lock().remove(&(notification as usize)).flatten();
    if returned != NDIS_STATUS_PENDING && early.is_some() {
        broken(
            &about,
            "was completed by NdisCompleteNetPnPEvent and not returned as pending",
        );
    }
    if status == NDIS_STATUS_NOT_SUPPORTED
        || MUST_SUCCEED.contains(&code) && status != NDIS_STATUS_SUCCESS
    {
        broken(&about, &format!("ended with {status:#x}; it must succeed"));
    }
    status
}

fn wait(notification: usize, rule: impl Fn() -> &'static rules::Rule, about: &str) -> NDIS_STATUS {
    let limit = policy::current().watchdog;
    let status = PENDING.wait_until(Some(limit), |pending| {
        pending.get(&notification).copied().flatten()
    });
    status.unwrap_or_else(|| {
        rules::broken(
            rule(),
            format_args!(
                "{about} is pending for {} s; NBLs on their way:\n{}",
                limit.as_secs(),
                owner::outstanding().join("\n")
            ),
        )
    })
}

/// The rule of an event that takes too long.
fn watchdog_of(code: NET_PNP_EVENT_CODE) -> &'static rules::Rule {
    if code == NetEventPause {
        &rules::NDIS_BUGCHECK_WATCHDOG_PROTOCOL_PAUSE
    } else {
        &rules::NDIS_BUGCHECK_WATCHDOG_PROTOCOL_NETPNPEVENT
    }
}

/// The same, once it has taken too long: a pause that waits for a send is not the protocol's fault.
fn watchdog_for(
    code: NET_PNP_EVENT_CODE,
    binding: Option<&'static Binding>,
) -> impl Fn() -> &'static rules::Rule {
    move || match binding {
        Some(binding) if code == NetEventPause && owner::of_binding(binding, Way::Down) != 0 => {
            &rules::NDIS_BUGCHECK_STUCK_NBL
        }
        _ => watchdog_of(code),
    }
}

/// Whether this thread is in a `ProtocolNetPnPEvent` with a binding's context.
pub(crate) fn in_event_of_binding() -> bool {
    IN_EVENT_OF_BINDING.get()
}

thread_local! {
    static IN_EVENT_OF_BINDING: Cell<bool> = const { Cell::new(false) };
}

crate::ddi! { "ndis.sys":
    /// Completes a pending network event.
    [PASSIVE..=PASSIVE] fn NdisCompleteNetPnPEvent(
        NdisBindingHandle: NDIS_HANDLE,
        NetPnPEventNotification: *mut NET_PNP_EVENT_NOTIFICATION,
        Status: NDIS_STATUS,
    ) {
        const NAME: &str = "NdisCompleteNetPnPEvent";
        object::require(NdisBindingHandle, &[Kind::Binding, Kind::ProtocolDriver], NAME);
        let mut record = trace::call(NAME, &object::name_of(NdisBindingHandle));
        record.returns(Status);
        let right = {
            let mut pending = PENDING.lock();
            match pending.get_mut(&(NetPnPEventNotification as usize)) {
                Some(slot @ None) if Status != NDIS_STATUS_PENDING => {
                    *slot = Some(Status);
                    true
                }
                _ => false,
            }
        };
        if !right {
            broken(
                &format!("the event at {NetPnPEventNotification:p}"),
                &format!("is not pending, was completed already, or is completed with {Status:#x}"),
            );
        }
        PENDING.notify_all();
    }

    /// Propagates an event to the protocols above a miniport adapter.
    [PASSIVE..=PASSIVE] fn NdisMNetPnPEvent(
        NdisMiniportHandle: NDIS_HANDLE,
        NetPnPEventNotification: *mut NET_PNP_EVENT_NOTIFICATION,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisMNetPnPEvent";
        let adapter = resolve::<Adapter>(NdisMiniportHandle, NAME);
        let mut record = trace::call(NAME, adapter.name());
        // One that comes while this runs is none of the driver's doing.
        if adapter.oids.is_pending() || call::is_inside(&["MiniportOidRequest"]) {
            rules::broken(
                &rules::NDIS_M_NET_PN_P_EVENT_IN_OID_REQUEST,
                format_args!("{NAME} on {} while an OID request is pending on it", adapter.name()),
            );
        }
        rules::held(&rules::NDIS_M_NET_PN_P_EVENT_IN_OID_REQUEST);
        // SAFETY: the document makes it a pointer to a notification.
        let event = unsafe { (*NetPnPEventNotification).NetPnPEvent };
        // SAFETY: as above.
        let header = unsafe { (*NetPnPEventNotification).Header };
        if let Some(wrong) = wrong(adapter, header, &event) {
            rules::broken(
                &rules::NDIS_BUGCHECK_ILLEGAL_NET_PNP_EVENT,
                format_args!(
                    "{NAME}: {} of adapter {}: {wrong}",
                    name_of(event.NetEvent),
                    adapter.name()
                ),
            );
        }
        rules::held(&rules::NDIS_BUGCHECK_ILLEGAL_NET_PNP_EVENT);
        if matches!(event.NetEvent, NetEventPortActivation | NetEventPortDeactivation) {
            let status = port::note_event(adapter, &event);
            if status != NDIS_STATUS_SUCCESS {
                return record.returns(status);
            }
        }
        // SAFETY: as above.
        let notification = unsafe { &*NetPnPEventNotification };
        record.returns(pass_up(Layer::Adapter(adapter), notification))
    }
}

/// Why a driver may not originate or propagate an event, if it may not.
fn wrong(
    adapter: &Adapter,
    header: NDIS_OBJECT_HEADER,
    event: &NET_PNP_EVENT,
) -> Option<&'static str> {
    let revisions = [
        (
            NET_PNP_EVENT_NOTIFICATION_REVISION_1,
            NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1,
        ),
        (
            NET_PNP_EVENT_NOTIFICATION_REVISION_2,
            NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_2,
        ),
    ];
    let of_ports = matches!(
        event.NetEvent,
        NetEventPortActivation | NetEventPortDeactivation
    );
    let of_power = matches!(event.NetEvent, NetEventSetPower | NetEventQueryPower);
    if !header::valid(&header, NDIS_OBJECT_TYPE_DEFAULT, &revisions) {
        Some("its header is wrong")
    } else if NOT_PROPAGATED.contains(&event.NetEvent) {
        Some("it is not propagated")
    } else if !of_ports && !adapter.driver().is_intermediate() {
        Some("only intermediate drivers make other events than those of ports")
    } else if of_power && (event.Buffer.is_null() || event.BufferLength < 4) {
        Some("its buffer has no power state")
    } else {
        None
    }
}

/// Tells those above `from` of a network event: the next filter module that wants to know, or the
/// bindings.
pub(crate) fn pass_up(from: Layer, notification: &NET_PNP_EVENT_NOTIFICATION) -> NDIS_STATUS {
    let adapter = from.adapter();
    let has = |module: &Module| module.driver().handlers().NetPnPEventHandler.is_some();
    let next = adapter.filters.above(from.filter(), has);
    if let Some(status) = next.and_then(|module| filter::event::deliver(module, notification)) {
        return status;
    }
    let event = notification.NetPnPEvent;
    let mut status = NDIS_STATUS_SUCCESS;
    for &binding in adapter.bindings().iter() {
        // A driver's event may meet an unbind: the binding is not closed while this runs.
        let Some(_busy) = binding.enter() else {
            continue;
        };
        let buffer = (event.Buffer, event.BufferLength);
        let answer = notify(binding.protocol(), Some(binding), event.NetEvent, buffer);
        if answer != NDIS_STATUS_SUCCESS {
            status = answer;
            // Who refused decides a query: the others are not asked.
            if matches!(
                event.NetEvent,
                NetEventQueryPower | NetEventQueryRemoveDevice
            ) {
                break;
            }
        }
    }
    status
}

/// Tells all that stands above an adapter of a network event.
pub(crate) fn tell<T>(
    adapter: &'static Adapter,
    code: NET_PNP_EVENT_CODE,
    buffer: &mut T,
) -> NDIS_STATUS {
    let mut notification = notification(code);
    notification.NetPnPEvent.Buffer = ptr::from_mut(buffer).cast();
    notification.NetPnPEvent.BufferLength = size_of::<T>() as u32;
    pass_up(Layer::Adapter(adapter), &notification)
}

/// Ends the run if `function` propagates an event that drivers keep to themselves.
pub(crate) fn require_propagated(code: NET_PNP_EVENT_CODE, function: &str) {
    if NOT_PROPAGATED.contains(&code) {
        rules::broken(
            &rules::NDIS_BUGCHECK_ILLEGAL_NET_PNP_EVENT,
            format_args!("{function}: {} is not propagated", name_of(code)),
        );
    }
}

/// A notification of an event without a buffer.
pub(crate) fn notification(code: NET_PNP_EVENT_CODE) -> NET_PNP_EVENT_NOTIFICATION {
    let mut notification = NET_PNP_EVENT_NOTIFICATION {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_DEFAULT,
            NET_PNP_EVENT_NOTIFICATION_REVISION_2,
            NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_2,
        ),
        ..NET_PNP_EVENT_NOTIFICATION::zeroed()
    };
    notification.NetPnPEvent.NetEvent = code;
    notification
}

/// The name of an event.
pub(crate) fn name_of(code: NET_PNP_EVENT_CODE) -> &'static str {
    match code {
        NetEventSetPower => "NetEventSetPower",
        NetEventQueryPower => "NetEventQueryPower",
        NetEventQueryRemoveDevice => "NetEventQueryRemoveDevice",
        NetEventCancelRemoveDevice => "NetEventCancelRemoveDevice",
        NetEventReconfigure => "NetEventReconfigure",
        NetEventBindList => "NetEventBindList",
        NetEventBindsComplete => "NetEventBindsComplete",
        NetEventPnPCapabilities => "NetEventPnPCapabilities",
        NetEventPause => "NetEventPause",
        NetEventRestart => "NetEventRestart",
        NetEventIMReEnableDevice => "NetEventIMReEnableDevice",
        NetEventPortActivation => "NetEventPortActivation",
        NetEventPortDeactivation => "NetEventPortDeactivation",
        NetEventFilterPreDetach => "NetEventFilterPreDetach",
        _ => "NetEvent",
    }
}

fn broken(about: &str, what: &str) -> ! {
    rules::broken(
        &rules::PROTOCOL_BINDING_STATE,
        format_args!("ProtocolNetPnPEvent {about}: {what}"),
    )
}

/// Events that a protocol driver may not fail.
const MUST_SUCCEED: &[NET_PNP_EVENT_CODE] = &[
    NetEventRestart,
    NetEventIMReEnableDevice,
    NetEventCancelRemoveDevice,
    NetEventReconfigure,
    NetEventBindList,
    NetEventBindsComplete,
    NetEventPause,
    NetEventPortDeactivation,
    NetEventPnPCapabilities,
];

/// Events that an intermediate driver keeps to itself.
const NOT_PROPAGATED: &[NET_PNP_EVENT_CODE] =
    &[NetEventBindsComplete, NetEventPause, NetEventRestart];

/// Events that were sent and did not end, with what they were completed with.
static PENDING: Monitor<BTreeMap<usize, Option<NDIS_STATUS>>> = Monitor::new(BTreeMap::new());
