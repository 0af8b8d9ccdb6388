//! Where the crate and the layout table differ on purpose: growth since NDIS 6.80, unions that the
//! crate flattens, structures that only one of them has.

/// Structures that grew at the end after NDIS 6.80: name, bytes then, bytes now.
pub(crate) const GROWN: &[(&str, &str, &str)] = &[
    ("NET_BUFFER_LIST", "368", "384"),
    ("NET_BUFFER_LIST_POOL_PARAMETERS", "16", "20"),
    ("NET_BUFFER_POOL_PARAMETERS", "12", "16"),
    ("NDIS_OFFLOAD", "188", "220"),
    ("NDIS_SG_DMA_DESCRIPTION", "40", "48"),
];

/// Fields that changed after NDIS 6.80.
pub(crate) const CHANGED: &[(&str, &str)] = &[
    // 27 slots then, 29 now.
    ("NET_BUFFER_LIST", "NetBufferListInfo"),
    // `UsoSupported` was cut from the reserved bits.
    ("NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD_V2", "Reserved"),
];

/// A field of the table that lies over one or more of ours, because C overlays them in a union.
pub(crate) struct Span {
    pub(crate) structure: &'static str,
    pub(crate) field: &'static str,
    pub(crate) first: &'static str,
    pub(crate) last: &'static str,
}

pub(crate) const SPANS: &[Span] = &[
    span("NET_BUFFER", "Link", "Next", "CurrentMdl"),
    span("NET_BUFFER", "NetBufferHeader", "Next", "Padding2"),
    span("NET_BUFFER", "stDataLength", "DataLength", "DataLengthHigh"),
    span(
        "NET_BUFFER_DATA",
        "DataLength",
        "NbDataLength.DataLength",
        "NbDataLength.DataLength",
    ),
    span(
        "NET_BUFFER_DATA",
        "stDataLength",
        "NbDataLength.stDataLength",
        "NbDataLength.stDataLength",
    ),
    span(
        "NET_BUFFER_HEADER",
        "Next",
        "NetBufferData.Next",
        "NetBufferData.Next",
    ),
    span(
        "NET_BUFFER_HEADER",
        "CurrentMdl",
        "NetBufferData.CurrentMdl",
        "NetBufferData.CurrentMdl",
    ),
    span(
        "NET_BUFFER_HEADER",
        "CurrentMdlOffset",
        "NetBufferData.CurrentMdlOffset",
        "NetBufferData.CurrentMdlOffset",
    ),
    span(
        "NET_BUFFER_HEADER",
        "MdlChain",
        "NetBufferData.MdlChain",
        "NetBufferData.MdlChain",
    ),
    span(
        "NET_BUFFER_HEADER",
        "DataOffset",
        "NetBufferData.DataOffset",
        "NetBufferData.DataOffset",
    ),
    span(
        "NET_BUFFER_HEADER",
        "DataLength",
        "NetBufferData.NbDataLength.DataLength",
        "NetBufferData.NbDataLength.DataLength",
    ),
    span(
        "NET_BUFFER_HEADER",
        "stDataLength",
        "NetBufferData.NbDataLength.stDataLength",
        "NetBufferData.NbDataLength.stDataLength",
    ),
    span("NET_BUFFER_LIST", "Link", "Next", "FirstNetBuffer"),
    span(
        "NET_BUFFER_LIST",
        "NetBufferListHeader",
        "Next",
        "FirstNetBuffer",
    ),
    span("NET_BUFFER_LIST", "NdisReserved2", "Status", "Status"),
    span(
        "NET_BUFFER_LIST_HEADER",
        "Next",
        "NetBufferListData.Next",
        "NetBufferListData.Next",
    ),
    span(
        "NET_BUFFER_LIST_HEADER",
        "FirstNetBuffer",
        "NetBufferListData.FirstNetBuffer",
        "NetBufferListData.FirstNetBuffer",
    ),
    span("NDIS_RW_LOCK", "Reserved", "SpinLock", "Context"),
    span("KDPC", "TargetInfoAsUlong", "Type", "Number"),
    span("NET_LUID_LH", "Info", "Value", "Value"),
    span("NET_LUID_LH", "Info.Reserved", "Reserved", "Reserved"),
    span(
        "NET_LUID_LH",
        "Info.NetLuidIndex",
        "NetLuidIndex",
        "NetLuidIndex",
    ),
    span("NET_LUID_LH", "Info.IfType", "IfType", "IfType"),
    span("SLIST_HEADER", "HeaderX64", "Alignment", "Region"),
    span("SLIST_HEADER", "HeaderX64.Depth", "Depth", "Depth"),
    span("SLIST_HEADER", "HeaderX64.Sequence", "Sequence", "Sequence"),
    span("SLIST_HEADER", "HeaderX64.Reserved", "Reserved", "Reserved"),
    span(
        "SLIST_HEADER",
        "HeaderX64.NextEntry",
        "NextEntry",
        "NextEntry",
    ),
    span("SLIST_HEADER", "HeaderArm64", "Alignment", "Region"),
    span("SLIST_HEADER", "HeaderArm64.Depth", "Depth", "Depth"),
    span(
        "SLIST_HEADER",
        "HeaderArm64.Sequence",
        "Sequence",
        "Sequence",
    ),
    span(
        "SLIST_HEADER",
        "HeaderArm64.Reserved",
        "Reserved",
        "Reserved",
    ),
    span(
        "SLIST_HEADER",
        "HeaderArm64.NextEntry",
        "NextEntry",
        "NextEntry",
    ),
];

const fn span(
    structure: &'static str,
    field: &'static str,
    first: &'static str,
    last: &'static str,
) -> Span {
    Span {
        structure,
        field,
        first,
        last,
    }
}

/// Fields of ours that C has no name for: padding, and the upper half of a union.
pub(crate) const OURS: &[(&str, &str)] = &[
    ("NET_BUFFER", "Padding"),
    ("NET_BUFFER", "Padding2"),
    ("NET_BUFFER", "DataLengthHigh"),
    ("NET_BUFFER_LIST", "Padding"),
    ("NET_BUFFER_LIST_CONTEXT", "Padding"),
];

/// Structures that the table does not have. The filter structures, and those with `NDIS_SIZEOF_*`
/// values, are held against those by `constants.rs`; the others have size assertions in the crate.
pub(crate) const NOT_IN_TABLE: &[&str] = &[
    "DEVICE_OBJECT",
    "DISPATCHER_HEADER",
    "DRIVER_EXTENSION",
    "DRIVER_OBJECT",
    "FILE_OBJECT",
    "GROUP_AFFINITY",
    "IO_PARAMETERS",
    "IO_PARAMETERS_CREATE",
    "IO_PARAMETERS_DEVICE_IO_CONTROL",
    "IO_PARAMETERS_READ_WRITE",
    "IO_STACK_LOCATION",
    "IO_STATUS_BLOCK",
    "IRP",
    "KDEVICE_QUEUE",
    "NDIS_BIND_FAILED_NOTIFICATION",
    "NDIS_ENUM_FILTERS",
    "NDIS_FILTER_ATTACH_PARAMETERS",
    "NDIS_FILTER_ATTRIBUTES",
    "NDIS_FILTER_DRIVER_CHARACTERISTICS",
    "NDIS_FILTER_PARTIAL_CHARACTERISTICS",
    "NDIS_FILTER_PAUSE_PARAMETERS",
    "NDIS_FILTER_RESTART_PARAMETERS",
    "NDIS_IF_PROVIDER_CHARACTERISTICS",
    // Their whole sizes are in the table of constants.
    "NDIS_PM_COUNTED_STRING",
    "NDIS_PM_WAKE_PACKET",
    "NDIS_PM_WAKE_REASON",
    "NDIS_PM_WOL_BITMAP_PATTERN",
    "NDIS_PM_WOL_IPV4_TCP_SYN",
    "NDIS_PM_WOL_IPV6_TCP_SYN",
    "NDIS_PM_WOL_PATTERN",
    "NDIS_PM_WOL_PATTERN_PARAMETERS",
    "NDIS_PROCESSOR_INFO",
    "NDIS_RECEIVE_THROTTLE_PARAMETERS",
    "NDIS_RSC_STATISTICS_INFO",
    "NDIS_RW_LOCK_REFCOUNT",
    "NDIS_SHARED_MEMORY_PARAMETERS",
    "NDIS_TIMESTAMP_CAPABILITY_FLAGS",
    "NDIS_UDP_SEGMENTATION_OFFLOAD_NET_BUFFER_LIST_INFO",
    "NDIS_UDP_SEGMENTATION_OFFLOAD_TRANSMIT",
    "PROCESSOR_NUMBER",
    "SLIST_ENTRY",
    "NDIS_RECEIVE_FILTER_CLEAR_PARAMETERS",
    "NDIS_RECEIVE_FILTER_FIELD_PARAMETERS",
];

/// Structures of the table for CoNDIS, WMI and packet direct.
pub(crate) const LEFT_OUT: &[&str] = &[
    "NDIS_CO_DEVICE_PROFILE",
    "NDIS_VAR_DATA_DESC",
    "NDIS_PD_CAPABILITIES",
    "NDIS_WMI_EVENT_HEADER",
    "NDIS_WMI_METHOD_HEADER",
    "NDIS_WMI_SET_HEADER",
];
