//! Documented rules that are no rules here, each with the reason.

/// The documented name of a rule, and why it cannot be broken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The name that the documents give it.
    pub name: &'static str,
    /// Why it is no rule of this host.
    pub reason: &'static str,
}

/// All of them, by the documents' order.
pub const LEFT_OUT: &[LeftOut] = &[
    out("Irql_CallManager_Function", CO_NDIS),
    out("Irql_Connection_Function", CO_NDIS),
    out(
        "Irql_IrqlSetting_Function",
        "NDIS's macros are KfRaiseIrql and KeLowerIrql in an image: IrqlKeRaiseLower decides",
    ),
    out("Irql_MCM_Function", CO_NDIS),
    out("Irql_MCO_Function", CO_NDIS),
    out("WlanAssociation", WLAN),
    out("WlanConnectionRoaming", WLAN),
    out("WlanDisassociation", WLAN),
    out("WlanTimedAssociation", WLAN),
    out("WlanTimedConnectionRoaming", WLAN),
    out("WlanTimedConnectRequest", WLAN),
    out("WlanTimedLinkQuality", WLAN),
    out("WlanTimedScan", WLAN),
    out("WlanAssert", WLAN),
    out(
        "NDIS_BUGCHECK_UNLOAD_DRIVER_INVALID_PARAMETER",
        "instrumented builds of NDIS only, over a fault of the PnP manager",
    ),
    out(
        "NDIS_BUGCHECK_RECVD_PACKET_IN_USE",
        "about NDIS 5 packets; NET_BUFFER_LIST ownership decides the same for NDIS 6",
    ),
    out("NDIS_BUGCHECK_HALT_WITHOUT_CANCEL_TIMER", NDIS_5_TIMERS),
    out(
        "NDIS_BUGCHECK_INIT_FAILED_WITHOUT_CANCEL_TIMER",
        NDIS_5_TIMERS,
    ),
    out(
        "NDIS_BUGCHECK_HALT_INIT_WITHOUT_INTERRUPT_DEREGISTER",
        NO_HALT_IN_INITIALIZE,
    ),
    out(
        "NDIS_BUGCHECK_HALT_INIT_WITHOUT_CANCEL_TIMER",
        NDIS_5_TIMERS,
    ),
    out(
        "NDIS_BUGCHECK_PM_INIT_FAILED_NO_CANCEL_TIMER",
        NDIS_5_TIMERS,
    ),
    out(
        "NDIS_BUGCHECK_INVALID_NDIS5_CALL",
        "an image that imports functions of NDIS 5 is not loaded",
    ),
    out(
        "NDIS_BUGCHECK_REFCOUNT_IMBALANCE",
        "NDIS's own counts, which no documented function lets a driver change",
    ),
    out(
        "NDIS_BUGCHECK_PD_ERROR",
        "Packet Direct, which this host does not have",
    ),
    out(
        "NDIS_BUGCHECK_UNEXPECTED_FAILURE",
        "a failure of NDIS itself, not of a driver",
    ),
    out("NDIS_BUGCHECK_WATCHDOG_MINIPORT_IDLE", NO_SUSPEND),
    out("NDIS_BUGCHECK_WATCHDOG_CANCEL_IDLE", NO_SUSPEND),
];

const fn out(name: &'static str, reason: &'static str) -> LeftOut {
    LeftOut { name, reason }
}

const CO_NDIS: &str = "CoNDIS, which this host does not have";
const WLAN: &str = "802.11 miniports, which this host does not have";
const NDIS_5_TIMERS: &str =
    "timers of NDIS 5 (NDIS_MINIPORT_TIMER); CancelTimerObject decides for NDIS 6";
const NO_HALT_IN_INITIALIZE: &str =
    "this host halts no adapter from within its initialization; the rule of the halt decides";
const NO_SUSPEND: &str = "selective suspend, which this host does not have";
