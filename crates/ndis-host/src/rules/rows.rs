//! The rows of the state machines, and the orders of a stack, one by one, each with what the host does
//! about it at run time.
//!
//! From miniport-adapter-states-and-operations.md, protocol-binding-states-and-operations.md, the reference
//! pages of intermediate drivers, starting-a-driver-stack.md, stopping-a-driver-stack.md and
//! handling-a-set-power-request.md. Not here: the checks, which stand in `ndis/`.

use super::{IM_VIRTUAL_MINIPORT_STATE, MINIPORT_ADAPTER_STATE, PROTOCOL_BINDING_STATE, Rule};
use Seen::{Checked, Host, Unseen};

/// What the host does about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A driver can break it, and is reported: how.
    Checked(&'static str),
    /// The host does it, and ends the run should it find itself in another state or order.
    Host,
    /// It is not seen at run time: why.
    Unseen(&'static str),
}

/// A row of a state machine.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The machine's rule.
    pub rule: &'static Rule,
    /// The state before.
    pub state: &'static str,
    /// What happens.
    pub event: &'static str,
    /// The state after.
    pub next: &'static str,
    /// What the host does about it.
    pub seen: Seen,
}

/// An order in which the documents let things happen.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// What is done.
    pub name: &'static str,
    /// The file name of the document's page.
    pub source: &'static str,
    /// One after the other.
    pub steps: &'static [(&'static str, Seen)],
}

/// The rows of a rule, in the documents' order: none for a rule that is no state machine.
pub fn rows_of(rule: &'static Rule) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| row.rule == rule)
}

macro_rules! rows {
    ($($rule:ident: $($state:literal, $event:literal => $next:literal, $seen:expr;)*)*) => {
        &[$($(Row { rule: &$rule, state: $state, event: $event, next: $next, seen: $seen }),*),*]
    };
}

static ROWS: &[Row] = rows! {
    MINIPORT_ADAPTER_STATE:
    "Halted", "MiniportInitializeEx is called" => "Initializing", Host;
    "Initializing", "MiniportInitializeEx returns success" => "Paused", Checked("it has set the registration and the general attributes");
    "Initializing", "MiniportInitializeEx fails" => "Halted", Checked("nothing that was allocated with the adapter's handle is left; NDIS_STATUS_PENDING is no result");
    "Paused", "MiniportRestart is called" => "Restarting", Host;
    "Restarting", "the restart is complete, with success" => "Running", Checked(COMPLETE);
    "Restarting", "the restart failed" => "Paused", Checked(COMPLETE);
    "Running", "MiniportPause is called" => "Pausing", Host;
    "Pausing", "the pause is complete" => "Paused", Checked("it is completed in this state and once; no send is held and no indication out");
    "Paused", "MiniportHaltEx is called" => "Halted", Checked("when it returns, nothing that was allocated with the adapter's handle is left");
    "Paused", "MiniportShutdownEx is called" => "Shutdown", Host;
    "Restarting", "MiniportShutdownEx is called" => "Shutdown", Host;
    "Running", "MiniportShutdownEx is called" => "Shutdown", Host;
    "Pausing", "MiniportShutdownEx is called" => "Shutdown", Host;
    "Running", "a send comes, or a receive is indicated" => "Running", Checked(INDICATE);
    "Pausing", "a send comes, or a receive is indicated" => "Pausing", Checked(INDICATE);
    "Restarting", "a receive is indicated" => "Restarting", Checked(INDICATE);
    "Paused", "a send comes" => "Paused", Unseen("the states of the bindings let none come; a test of the driver sends one late by the API of the host");
    "Paused", "an OID request comes" => "Paused", Host;
    "Restarting", "an OID request comes" => "Restarting", Host;
    "Running", "an OID request comes" => "Running", Host;
    "Pausing", "an OID request comes" => "Pausing", Host;
    "any but Halted", "a reset begins or ends" => "the same", Host;

    PROTOCOL_BINDING_STATE:
    "Unbound", "ProtocolBindAdapterEx is called" => "Opening", Host;
    "Opening", "the bind fails" => "Unbound", Checked("the adapter is not left open");
    "Opening", "the bind is complete, the adapter open" => "Paused", Checked("it did not succeed without an open adapter");
    "Paused", "ProtocolUnbindAdapterEx is called" => "Closing", Host;
    "Closing", "the unbind is complete" => "Unbound", Checked("it succeeds, and the adapter is closed");
    "Running", "NetEventPause comes" => "Pausing", Host;
    "Pausing", "the pause is complete" => "Paused", Checked("all sends of the binding are completed");
    "Paused", "NetEventRestart comes" => "Restarting", Host;
    "Restarting", "the restart is complete" => "Running", Host;
    "Restarting", "the restart failed" => "Paused", Unseen("ProtocolNetPnPEvent has to let it succeed (its own page); the binding goes to Running");
    "Running", "a send is made, or a receive comes" => "Running", Checked(SEND);
    "Pausing", "a send is made, or a receive comes" => "Pausing", Unseen("a send that is on its way into NDIS when the pause comes cannot be told from a new one; receives are still handed up");
    "Paused", "a receive is indicated" => "Paused", Unseen("the adapter's states let none come; a receive is not handed to a paused binding");
    "Closing", "an OID request is made" => "Closing", Checked(OPEN);
    "Paused", "an OID request is made" => "Paused", Checked(OPEN);
    "Restarting", "an OID request is made" => "Restarting", Checked(OPEN);
    "Running", "an OID request is made" => "Running", Checked(OPEN);
    "Pausing", "an OID request is made" => "Pausing", Checked(OPEN);

    IM_VIRTUAL_MINIPORT_STATE:
    "no instance", "NdisIMInitializeDeviceInstanceEx succeeds" => "requested", Checked("the driver registered as an intermediate driver");
    "no instance", "NdisIMInitializeDeviceInstanceEx fails" => "no instance", Host;
    "requested", "NdisIMCancelInitializeDeviceInstance succeeds" => "no instance", Host;
    "requested", "NdisIMCancelInitializeDeviceInstance fails" => "initializing", Host;
    "requested", "the device is started: MiniportInitializeEx" => "initializing", Host;
    "initializing", "MiniportInitializeEx succeeds" => "initialized", Checked("the attributes are those of an intermediate driver");
    "initializing", "MiniportInitializeEx fails" => "no instance", Unseen("the documents do not say whether the request stays; here it ends");
    "initialized", "NdisIMDeInitializeDeviceInstance" => "halting", Checked("it is not called in another state");
    "initialized", "the device is stopped, removed or disabled" => "halting", Host;
    "halting", "MiniportHaltEx returns" => "no instance", Host;
};

/// The orders.
pub static ORDERS: &[Order] = &[
    Order {
        name: "Stopping a driver stack",
        source: "stopping-a-driver-stack.md",
        steps: &[
            ("NetEventPause to each binding", Host),
            ("FilterPause, from the top down", Host),
            ("MiniportPause", Host),
            ("ProtocolUnbindAdapterEx", Host),
            ("FilterDetach, from the top down", Host),
            ("MiniportHaltEx", Host),
            (
                "the driver is unloaded when all its adapters are halted",
                Host,
            ),
        ],
    },
    Order {
        name: "Starting a driver stack",
        source: "starting-a-driver-stack.md",
        steps: &[
            (
                "DriverEntry of each driver, in any order",
                Unseen("any order is right; the lab file says which"),
            ),
            ("MiniportInitializeEx, to Paused", Host),
            ("FilterAttach, from the bottom up", Host),
            (
                "ProtocolBindAdapterEx, in which NdisOpenAdapterEx is called",
                Checked(OPENS),
            ),
            ("ProtocolOpenAdapterCompleteEx, if the open pended", Host),
            (
                "NdisCompleteBindAdapterEx, if the bind pended",
                Checked(OPENS),
            ),
            ("MiniportRestart", Host),
            ("FilterRestart, from the bottom up", Host),
            ("NetEventRestart to each binding", Host),
        ],
    },
    Order {
        name: "A virtual miniport goes to sleep",
        source: "handling-a-set-power-request.md",
        steps: &[
            ("NetEventSetPower to the protocols above", Host),
            (
                "they and then the virtual miniport are paused for low power",
                Host,
            ),
            (
                "OID_PM_PARAMETERS to the virtual miniport: what it is to wake for (low-power-for-wake-on-lan.md)",
                Host,
            ),
            (
                "OID_PNP_SET_POWER to the virtual miniport, which succeeds and is not passed on",
                Checked(
                    "it succeeds; whether it was passed on is not seen: the host does not know why a request was made below",
                ),
            ),
            (
                "no receive or status is indicated any more",
                Checked("at each indication: the adapter does not sleep"),
            ),
        ],
    },
    Order {
        name: "The adapter below goes to sleep",
        source: "handling-a-set-power-request.md",
        steps: &[
            (
                "NetEventSetPower to the binding, which stops its sends and OID requests",
                Checked(
                    "an OID request after it is reported, a send when the binding is paused; a send before that is not seen: it may have been on its way",
                ),
            ),
            ("the binding and then the adapter below are paused", Host),
            (
                "OID_PM_PARAMETERS to the adapter below: what it is to wake for (low-power-for-wake-on-lan.md)",
                Host,
            ),
            ("OID_PNP_SET_POWER to the adapter below, or its halt", Host),
        ],
    },
    Order {
        name: "A virtual miniport wakes",
        source: "handling-a-set-power-request.md",
        steps: &[
            (
                "OID_PNP_SET_POWER (D0), which succeeds and is not passed on",
                Checked("it succeeds; whether it was passed on is not seen, as above"),
            ),
            (
                "the virtual miniport and the drivers above are restarted",
                Host,
            ),
            ("NetEventSetPower (D0) to the protocols above", Host),
        ],
    },
    Order {
        name: "The adapter below wakes",
        source: "handling-a-set-power-request.md",
        steps: &[
            (
                "OID_PNP_SET_POWER (D0) to the adapter below, or MiniportInitializeEx",
                Host,
            ),
            ("the adapter below and the binding are restarted", Host),
            (
                "NetEventSetPower (D0) to the binding, which may send again",
                Host,
            ),
        ],
    },
];

const COMPLETE: &str = "it is completed in this state, once, and not with NDIS_STATUS_PENDING";
const INDICATE: &str = "a receive is indicated in Running, Restarting or Pausing only, a send comes in Running or Pausing only";
const SEND: &str = "a send is made while the binding is Restarting, Running or Pausing";
const OPEN: &str = "the handle is that of an open binding: NdisCloseAdapterEx ends it";
const OPENS: &str = "a bind that succeeds leaves the adapter open, one that fails does not";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{self, Kind};

    #[test]
    fn every_row_belongs_to_a_state_machine_and_says_where_it_leads() {
        let rows = |rule| rows_of(rule).count();
        let counts = [
            rows(&MINIPORT_ADAPTER_STATE),
            rows(&PROTOCOL_BINDING_STATE),
            rows(&IM_VIRTUAL_MINIPORT_STATE),
        ];
        assert_eq!(counts, [22, 18, 10], "as many as the documents have");
        for row in ROWS {
            assert_eq!(row.rule.kind, Kind::State);
            assert!(rules::all().any(|rule| rule == row.rule));
        }
    }

    #[test]
    fn a_row_leads_to_a_state_that_other_rows_begin_in() {
        for row in ROWS {
            let known = rows_of(row.rule).any(|other| other.state == row.next);
            assert!(
                known || matches!(row.next, "Shutdown" | "the same"),
                "{row:?}"
            );
        }
    }
}
