//! What a binding does about the network Plug and Play events of the adapter below.
//!
//! One table, [`TABLE`], says it for each event. None fails but the question whether the adapter may go, if a
//! driver above says no, and none is passed on but those
//! that ask whether the adapter may go: the virtual miniports are devices of their own, whose power,
//! pauses and configuration NDIS tells the drivers above itself. `docs/control-plane.md` shows the
//! table.
//!
//! Sources: `NET_PNP_EVENT`, "Handling PnP Events and Power Management Events in an Intermediate
//! Driver", "Handling a Set Power Request", `NdisMNetPnPEvent`.

use core::fmt;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The event's name.
    pub event: &'static str,
    /// Its `NET_PNP_EVENT_CODE`.
    pub code: i32,
    /// What the driver does.
    pub does: &'static str,
    /// The end-to-end test that shows it, as a path below `tests`.
    pub test: &'static str,
}

impl fmt::Display for Row {
    /// The row as `docs/control-plane.md` shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row {
            event, does, test, ..
        } = self;
        write!(f, "| `{event}` | {does} | `{test}` |")
    }
}

macro_rules! rows {
    ($($event:ident = $code:literal: $test:literal, $does:literal;)*) => {
        /// Every event that a protocol gets, in the order of the codes.
        pub const TABLE: &[Row] = &[$(Row {
            event: stringify!($event),
            code: $code,
            does: $does,
            test: $test,
        }),*];
    };
}

rows! {
    NetEventSetPower = 0: "protocol::power::requests_wait_for_a_nic_that_sleeps_and_go_down_when_it_wakes",
        "Before a sleep, nothing is sent and no request is made any more, also if no pause follows; what is \
        below by then is not waited for. What is to be forwarded waits for the wake, 5 seconds at most; what \
        is wanted meanwhile is set after it. Not passed on: virtual miniports have power of their own.";
    NetEventQueryPower = 1: "protocol::power::one_edge_may_sleep_alone",
        "Yes, always. Not passed on.";
    NetEventQueryRemoveDevice = 2: "protocol::pnp::who_is_above_may_keep_a_nic_from_being_removed_and_all_learn_that_it_stays",
        "Passed on by each virtual miniport; who says no there is the last one asked, and says it here. For \
        all else, yes: the unbind takes down what stands on the adapter.";
    NetEventCancelRemoveDevice = 3: "protocol::pnp::who_is_above_may_keep_a_nic_from_being_removed_and_all_learn_that_it_stays",
        "Passed on by each virtual miniport, whether it was asked or not. Nothing else was done.";
    NetEventReconfigure = 4: "reconfigure::d15_the_first_virtual_miniport_is_added_while_the_nic_runs",
        "The virtual miniports are brought into line with the registry: added, changed, taken down. Not \
        passed on: it is about this binding.";
    NetEventBindList = 5: "protocol::pnp::each_event_that_asks_nothing_is_answered_with_success",
        "Nothing: the order of bindings has no meaning here. Not passed on.";
    NetEventBindsComplete = 6: "protocol::pnp::each_event_that_asks_nothing_is_answered_with_success",
        "Nothing. Must not be passed on.";
    NetEventPnPCapabilities = 7: "protocol::pnp::each_event_that_asks_nothing_is_answered_with_success",
        "Nothing: NDIS asks the adapter when it sleeps. Not passed on.";
    NetEventPause = 8: "protocol::pnp::d03_the_pause_of_a_binding_waits_for_its_sends",
        "No send goes below any more; completed when every send is back. Must not be passed on.";
    NetEventRestart = 9: "protocol::pnp::virtual_miniports_follow_a_nic_that_is_another_after_a_restart",
        "Sends go below again. Never fails. What virtual miniports show of an adapter that is another one now \
        (its MTU, its MAC options) is shown anew: they are taken down and made again. Must not be passed on.";
    NetEventPortActivation = 10: "protocol::pnp::each_event_that_asks_nothing_is_answered_with_success",
        "Nothing: the default port is the only one used. Must not be passed on.";
    NetEventPortDeactivation = 11: "protocol::pnp::each_event_that_asks_nothing_is_answered_with_success",
        "Nothing: the default port is the only one used. Must not be passed on.";
    NetEventIMReEnableDevice = 12: "protocol::pnp::s5_a_disabled_virtual_miniport_comes_up_again_when_it_is_enabled",
        "The virtual miniport that was enabled again is asked for.";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes by name, from the public headers.
    #[test]
    fn the_codes_are_those_of_ndis_in_order() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.code, index as i32, "{}", row.event);
        }
    }
}
