//! The rows: each OID once, with what becomes of its queries, sets and method requests.

use super::Length::{Any, Bytes, Counter, Elements};
use super::Policy::{Answer, Combine, Forward, Refuse};
use super::Refusal::{InvalidData, NotAccepted};
use super::{NOT_SUPPORTED as NO, Policy, Row};

/// Declares each OID once: its constant and its row.
macro_rules! oids {
    ($($name:ident = $number:literal: $query:expr, $set:expr, $method:expr;
        $test:ident, $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: u32 = $number;)*

        /// Every OID that a virtual miniport knows, in ascending order.
        pub const TABLE: &[Row] = &[$(Row {
            oid: $name,
            name: stringify!($name),
            query: $query,
            set: $set,
            method: $method,
            meaning: $meaning,
            test: $test,
        }),*];
    };
}

// OID = number: query, set, method; the test, what it means.
oids! {
    OID_GEN_HARDWARE_STATUS = 0x0001_0102: Answer(Bytes(4)), NO, NO;
        VALUES, "Always ready. Obsolete since NDIS 6.0, still asked for.";
    OID_GEN_MAXIMUM_FRAME_SIZE = 0x0001_0106: Answer(Bytes(4)), NO, NO;
        VALUES, "The MTU. NDIS 6 answers it from the attributes.";
    OID_GEN_TRANSMIT_BUFFER_SPACE = 0x0001_0108: Answer(Bytes(4)), NO, NO;
        VALUES, "Bytes of send buffers; there are none of its own, so one frame.";
    OID_GEN_RECEIVE_BUFFER_SPACE = 0x0001_0109: Answer(Bytes(4)), NO, NO;
        VALUES, "Bytes of receive buffers; there are none of its own, so one frame.";
    OID_GEN_TRANSMIT_BLOCK_SIZE = 0x0001_010A: Answer(Bytes(4)), NO, NO;
        VALUES, "Bytes that one frame takes of the send buffers.";
    OID_GEN_RECEIVE_BLOCK_SIZE = 0x0001_010B: Answer(Bytes(4)), NO, NO;
        VALUES, "Bytes that one frame takes of the receive buffers.";
    OID_GEN_VENDOR_ID = 0x0001_010C: Answer(Bytes(4)), NO, NO;
        VALUES, "The maker's IEEE number; `0xFFFFFF` for one who has none.";
    OID_GEN_VENDOR_DESCRIPTION = 0x0001_010D: Answer(Bytes(21)), NO, NO;
        VALUES, "The maker's text, NUL-terminated.";
    OID_GEN_CURRENT_PACKET_FILTER = 0x0001_010E: Answer(Bytes(4)), Combine(Bytes(4)), NO;
        PACKET_FILTER, "The packet filter. NDIS 6 answers the query.";
    OID_GEN_CURRENT_LOOKAHEAD = 0x0001_010F: Answer(Bytes(4)), Answer(Bytes(4)), NO;
        SETS, "Bytes of look-ahead. Every frame has as many as may be asked for in one piece, whoever asks: \
        a set is taken without effect. NDIS 6 answers the query.";
    OID_GEN_MAXIMUM_TOTAL_SIZE = 0x0001_0111: Answer(Bytes(4)), NO, NO;
        VALUES, "The largest frame with its header, without the tag.";
    OID_GEN_PROTOCOL_OPTIONS = 0x0001_0112: NO, NO, NO;
        UNKNOWN, "Optional, and nothing here depends on it.";
    OID_GEN_MAXIMUM_SEND_PACKETS = 0x0001_0115: Answer(Bytes(4)), NO, NO;
        VALUES, "How many packets one send may have. Obsolete since NDIS 6.0.";
    OID_GEN_VENDOR_DRIVER_VERSION = 0x0001_0116: Answer(Bytes(4)), NO, NO;
        VALUES, "The driver's version: major in the upper, minor in the lower sixteen bits.";
    OID_GEN_NETWORK_LAYER_ADDRESSES = 0x0001_0118: NO, NO, NO;
        UNKNOWN, "Optional, and nothing here depends on it.";
    OID_GEN_RECEIVE_SCALE_PARAMETERS = 0x0001_0204: NO, Combine(Bytes(40)), NO;
        SCALING, "Receive side scaling: the newest parameters of those who want it are set below, and what was \
        there before when nobody does. `NOT_SUPPORTED` where the adapter below has none. NDIS answers the \
        query.";
    OID_GEN_LINK_PARAMETERS = 0x0001_0208: NO, NO, NO;
        UNKNOWN, "A virtual miniport has no link to set, and the one below is shared.";
    OID_GEN_INTERRUPT_MODERATION = 0x0001_0209: Answer(Bytes(12)), Refuse(InvalidData), NO;
        SETS, "Not supported, says the query; a set is then `INVALID_DATA`, by its page.";
    OID_GEN_RECEIVE_SCALE_PARAMETERS_V2 = 0x0001_0214: NO, NO, NO;
        UNKNOWN, "RSSv2 is not offered: it moves single entries of a table, and the table below may be \
        another virtual miniport's.";
    OID_GEN_VLAN_ID = 0x0001_021C: Answer(Bytes(4)), NO, NO;
        VALUES, "The VLAN. Not to be set this way: the configuration says it.";
    OID_RECEIVE_FILTER_FREE_QUEUE = 0x0001_0224: NO, Refuse(NotAccepted), NO;
        ROWS, "No receive queue was allocated.";
    OID_RECEIVE_FILTER_SET_FILTER = 0x0001_0227: NO, NO, NO;
        UNKNOWN, "No receive filters are offered above; those of the adapter below are the driver's.";
    OID_RECEIVE_FILTER_CLEAR_FILTER = 0x0001_0228: NO, Refuse(NotAccepted), NO;
        ROWS, "No receive filter was set.";
    OID_NIC_SWITCH_DELETE_SWITCH = 0x0001_0239: NO, Refuse(NotAccepted), NO;
        ROWS, "No NIC switch was created.";
    OID_NIC_SWITCH_FREE_VF = 0x0001_0246: NO, Refuse(NotAccepted), NO;
        ROWS, "No virtual function was allocated.";
    OID_GEN_XMIT_OK = 0x0002_0101: Answer(Counter), NO, NO;
        COUNTERS, "Frames sent without errors.";
    OID_GEN_RCV_OK = 0x0002_0102: Answer(Counter), NO, NO;
        COUNTERS, "Frames received without errors.";
    OID_GEN_XMIT_ERROR = 0x0002_0103: Answer(Counter), NO, NO;
        COUNTERS, "Frames that failed to be sent.";
    OID_GEN_RCV_ERROR = 0x0002_0104: Answer(Counter), NO, NO;
        COUNTERS, "Frames received with errors.";
    OID_GEN_RCV_NO_BUFFER = 0x0002_0105: Answer(Counter), NO, NO;
        COUNTERS, "Frames not received for lack of buffers.";
    OID_GEN_STATISTICS = 0x0002_0106: Answer(Bytes(152)), NO, NO;
        COUNTERS, "Bytes and frames by kind, errors and discards, in 64 bits: its own only. NDIS makes \
        the single counters from it.";
    OID_GEN_TRANSMIT_QUEUE_LENGTH = 0x0002_020E: Forward(Bytes(4)), NO, NO;
        FORWARDED, "Frames that wait in the adapter below, which all virtual miniports share.";
    OID_802_3_PERMANENT_ADDRESS = 0x0101_0101: Answer(Bytes(6)), NO, NO;
        VALUES, "The address that it has without a setting.";
    OID_802_3_CURRENT_ADDRESS = 0x0101_0102: Answer(Bytes(6)), NO, NO;
        VALUES, "The address that it has.";
    OID_802_3_MULTICAST_LIST = 0x0101_0103: Answer(Elements(6)), Combine(Elements(6)), NO;
        MULTICAST, "The whole multicast list at once: NDIS 6 makes adding and deleting into this, and \
        answers the query.";
    OID_802_3_MAXIMUM_LIST_SIZE = 0x0101_0104: Answer(Bytes(4)), NO, NO;
        VALUES, "How many groups the multicast list may have.";
    OID_802_3_MAC_OPTIONS = 0x0101_0105: NO, NO, NO;
        UNKNOWN, "Obsolete, and there is no such option.";
    OID_OFFLOAD_ENCAPSULATION = 0x0101_010A: NO, Forward(Bytes(28)), NO;
        OFFLOAD, "Switches what is configured on or off, for all: the adapter below is shared, and tells \
        all. `NOT_SUPPORTED` where no offload is shown. NDIS answers the query.";
    OID_802_3_DELETE_MULTICAST_ADDRESS = 0x0101_0209: NO, Refuse(NotAccepted), NO;
        ROWS, "NDIS makes it a set of the whole list.";
    OID_802_3_RCV_ERROR_ALIGNMENT = 0x0102_0101: Answer(Counter), NO, NO;
        COUNTERS, "Zero: a virtual miniport has no wire.";
    OID_802_3_XMIT_ONE_COLLISION = 0x0102_0102: Answer(Counter), NO, NO;
        COUNTERS, "Zero: a virtual miniport has no wire.";
    OID_802_3_XMIT_MORE_COLLISIONS = 0x0102_0103: Answer(Counter), NO, NO;
        COUNTERS, "Zero: a virtual miniport has no wire.";
    OID_TUNNEL_INTERFACE_RELEASE_OID = 0x0F01_0107: NO, Refuse(NotAccepted), NO;
        ROWS, "There is no tunnel interface.";
    OID_TCP_OFFLOAD_CURRENT_CONFIG = 0xFC01_020B: NO, NO, NO;
        UNKNOWN, "NDIS answers it, from the attributes and the status that tells of changes.";
    OID_TCP_OFFLOAD_PARAMETERS = 0xFC01_020C: NO, Forward(Bytes(20)), NO;
        OFFLOAD, "As the encapsulation: one adapter, one configuration. `NOT_SUPPORTED` where no offload \
        is shown.";
    OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES = 0xFC01_020D: NO, NO, NO;
        UNKNOWN, "NDIS answers it, from the attributes and the status that tells of changes.";
    OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA = 0xFC03_0202: NO, NO, NO;
        DIRECT, "IPsec offload is not shown above. A direct request.";
    OID_TCP_TASK_IPSEC_OFFLOAD_V2_DELETE_SA = 0xFC03_0203: NO, Refuse(NotAccepted), NO;
        DIRECT, "No security association was added. A direct request.";
    OID_TCP_TASK_IPSEC_OFFLOAD_V2_UPDATE_SA = 0xFC03_0204: NO, NO, NO;
        DIRECT, "IPsec offload is not shown above. A direct request.";
    OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA_EX = 0xFC03_0205: NO, NO, NO;
        DIRECT, "IPsec offload is not shown above. A direct request.";
    OID_NDK_STATISTICS = 0xFC04_0202: NO, NO, NO;
        DIRECT, "Network direct is not shown above. A direct request.";
    OID_PNP_SET_POWER = 0xFD01_0101: NO, Answer(Any), NO;
        SLEEP, "Always success, never passed down: an intermediate driver must. No status is indicated \
        in a low-power state; what was missed is told in D0.";
    OID_PNP_QUERY_POWER = 0xFD01_0102: Answer(Any), NO, NO;
        POWER, "Always success, never passed down: an intermediate driver must.";
    OID_PM_PARAMETERS = 0xFD01_0109: NO, Combine(Bytes(16)), NO;
        WAKE, "What all enable is set below. `INVALID_PARAMETER` for what is not shown, which is everything \
        unless an administrator allows it. NDIS answers the query.";
    OID_PM_ADD_WOL_PATTERN = 0xFD01_010A: NO, Combine(Bytes(196)), NO;
        PATTERNS, "Added below with the tag woven in, under a number of its own there. `NOT_SUPPORTED` \
        where no patterns are shown, `LOW_POWER_STATE` while the adapter below sleeps.";
    OID_PM_REMOVE_WOL_PATTERN = 0xFD01_010B: NO, Combine(Any), NO;
        PATTERNS, "Removed below; always success, since it may not fail. While the adapter below sleeps, \
        when it wakes.";
}

/// The OIDs of [`TABLE`] that are not refused in every kind, for the `SupportedOidList` of the
/// miniport's general attributes.
pub const SUPPORTED: &[u32] = {
    const NUMBER: usize = {
        let mut number = 0;
        visit(&mut number, &mut []);
        number
    };
    const LIST: [u32; NUMBER] = {
        let mut list = [0; NUMBER];
        visit(&mut 0, &mut list);
        list
    };
    &LIST
};

/// Whether a virtual miniport supports this OID of [`SUPPORTED`] only if it shows task offloads.
pub const fn needs_offloads(oid: u32) -> bool {
    matches!(oid, OID_OFFLOAD_ENCAPSULATION | OID_TCP_OFFLOAD_PARAMETERS)
}

/// Whether a virtual miniport supports this OID of [`SUPPORTED`] only if it shows receive side scaling.
pub const fn needs_scaling(oid: u32) -> bool {
    matches!(oid, OID_GEN_RECEIVE_SCALE_PARAMETERS)
}

/// Whether a virtual miniport supports this OID of [`SUPPORTED`] only if it shows wake-on-LAN patterns.
pub const fn needs_wake_patterns(oid: u32) -> bool {
    matches!(oid, OID_PM_ADD_WOL_PATTERN | OID_PM_REMOVE_WOL_PATTERN)
}

/// Counts the supported OIDs, and writes them down as far as there is room.
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which refuses what would panic"
)]
const fn visit(number: &mut usize, list: &mut [u32]) {
    let mut row = 0;
    while row < TABLE.len() {
        let Row {
            oid,
            query,
            set,
            method,
            ..
        } = TABLE[row];
        if !(is_refusal(query) && is_refusal(set) && is_refusal(method)) {
            if *number < list.len() {
                list[*number] = oid;
            }
            *number += 1;
        }
        row += 1;
    }
}

const fn is_refusal(policy: Policy) -> bool {
    matches!(policy, Refuse(_))
}

// The tests that show the rows.
const VALUES: &str =
    "miniport::oid::each_oid_has_its_value_in_its_length_and_too_short_a_buffer_is_told_the_length";
const COUNTERS: &str = "miniport::oid::statistics_are_each_virtual_miniports_own_and_right";
const PACKET_FILTER: &str = "miniport::oid::a_packet_filter_is_taken_whole_or_not_at_all";
const MULTICAST: &str = "miniport::oid::a_multicast_list_is_taken_whole_or_not_at_all";
const SETS: &str = "miniport::oid::sets_without_effect_are_taken_and_power_is_never_passed_down";
const POWER: &str = SETS;
const WAKE: &str = "miniport::wake::what_all_virtual_miniports_enable_is_set_below";
const PATTERNS: &str =
    "miniport::wake::patterns_of_two_vlans_wake_for_their_own_frames_and_go_with_their_owners";
const SLEEP: &str = "protocol::power::a_virtual_miniport_that_sleeps_alone_is_silent_and_learns_on_waking_what_it_missed";
const FORWARDED: &str =
    "protocol::oid::a_request_that_is_passed_on_gets_the_answer_of_the_adapter_below";
const OFFLOAD: &str =
    "miniport::offload::sets_go_below_and_what_comes_of_them_is_shown_on_every_virtual_miniport";
const SCALING: &str =
    "miniport::scaling::the_newest_parameters_are_set_below_and_the_last_who_leaves_switches_off";
const ROWS: &str =
    "miniport::oid_table::d08_d16_each_row_checks_its_buffer_before_it_reads_or_writes";
const DIRECT: &str =
    "miniport::oid_table::direct_requests_are_refused_as_the_table_says_at_dispatch_level";
const UNKNOWN: &str = "miniport::oid::what_is_not_supported_is_refused_in_every_kind_of_request";
