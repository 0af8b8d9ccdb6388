//! What an adapter says of itself in `MiniportInitializeEx`, and later by status indications.

use ndis_sys::{
    MediaConnectStateUnknown, MediaDuplexStateUnknown, NDIS_HANDLE, NDIS_LINK_STATE,
    NDIS_LINK_STATE_REVISION_1, NDIS_MINIPORT_ADAPTER_ATTRIBUTES,
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES, NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1,
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
    NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES,
    NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_2,
    NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES, NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
    NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
    NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND, NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT,
    NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
    NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES,
    NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_NDK_ATTRIBUTES,
    NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES,
    NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_PACKET_DIRECT_ATTRIBUTES,
    NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES, NDIS_OBJECT_TYPE_OFFLOAD,
    NDIS_OBJECT_TYPE_RSS_CAPABILITIES, NDIS_OFFLOAD, NDIS_OFFLOAD_REVISION_1,
    NDIS_OFFLOAD_REVISION_2, NDIS_OFFLOAD_REVISION_3, NDIS_OFFLOAD_REVISION_4,
    NDIS_OFFLOAD_REVISION_5, NDIS_OFFLOAD_REVISION_6, NDIS_OID, NDIS_PM_CAPABILITIES,
    NDIS_RECEIVE_FILTER_CAPABILITIES, NDIS_RECEIVE_SCALE_CAPABILITIES,
    NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_1, NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_2,
    NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_3, NDIS_SIZEOF_LINK_STATE_REVISION_1,
    NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1,
    NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
    NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
    NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_1, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_2,
    NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_3, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_4,
    NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_5, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_6,
    NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_1,
    NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_2,
    NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_3, NDIS_STATUS, NDIS_STATUS_BAD_VERSION,
    NDIS_STATUS_RESOURCES, NDIS_STATUS_SUCCESS, NdisInterfaceInternal,
};

use super::adapter::{Adapter, AdapterState};
use super::ethernet::Mac;
use super::faults::should_fail;
use super::object::resolve;
use super::{header, trace};
use crate::rules;

/// An adapter's attributes; owned copies, so that no pointer leads into the driver's stack.
#[derive(Clone)]
pub(crate) struct Attributes {
    registered: bool,
    /// `AttributeFlags` of the registration.
    pub(crate) flags: u32,
    /// `CheckForHangTimeInSeconds`; 0 is NDIS's choice.
    pub(crate) check_for_hang: u32,
    general: Option<NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES>,
    /// `SupportedOidList`.
    pub(crate) oids: Vec<NDIS_OID>,
    /// `PowerManagementCapabilitiesEx`.
    pub(crate) power: Option<Box<NDIS_PM_CAPABILITIES>>,
    /// `RecvScaleCapabilities`.
    pub(crate) rss: Option<Box<NDIS_RECEIVE_SCALE_CAPABILITIES>>,
    /// The receive side scaling parameters that were set last, with their arrays.
    pub(crate) rss_parameters: Vec<u8>,
    /// `DefaultOffloadConfiguration`.
    pub(crate) offload: Option<Box<NDIS_OFFLOAD>>,
    /// `CurrentReceiveFilterCapabilities`.
    pub(crate) receive_filters: Option<Box<NDIS_RECEIVE_FILTER_CAPABILITIES>>,
    /// `HardwareOffloadCapabilities`.
    pub(crate) offload_hardware: Option<Box<NDIS_OFFLOAD>>,
    /// The link as it was last told.
    pub(crate) link: NDIS_LINK_STATE,
    /// What the miniport was last told to let through.
    pub(crate) lookahead: u32,
    /// The driver asked for a configured address.
    pub(crate) overwrites_mac: bool,
}

// SAFETY: the pointers that are left in the copies are never followed; what they pointed at is in
// the boxes.
unsafe impl Send for Attributes {}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            registered: false,
            flags: 0,
            check_for_hang: 0,
            general: None,
            oids: Vec::new(),
            power: None,
            rss: None,
            rss_parameters: Vec::new(),
            offload: None,
            receive_filters: None,
            offload_hardware: None,
            link: NDIS_LINK_STATE {
                Header: NDIS_OBJECT_HEADER::new(
                    NDIS_OBJECT_TYPE_DEFAULT,
                    NDIS_LINK_STATE_REVISION_1,
                    NDIS_SIZEOF_LINK_STATE_REVISION_1,
                ),
                MediaConnectState: MediaConnectStateUnknown,
                MediaDuplexState: MediaDuplexStateUnknown,
                ..NDIS_LINK_STATE::zeroed()
            },
            lookahead: 0,
            overwrites_mac: false,
        }
    }
}

impl Attributes {
    /// Whether all that `MiniportInitializeEx` must set is set.
    pub(crate) fn complete(&self) -> bool {
        self.registered && self.general.is_some()
    }

    /// Whether the registration attributes are set: status indications are allowed then.
    pub(crate) fn registered(&self) -> bool {
        self.registered
    }

    /// Whether the adapter can be put to sleep and woken; what cannot is halted.
    pub(crate) fn keeps_through_sleep(&self) -> bool {
        let general = self.general();
        self.flags & NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND != 0
            || self.power.is_some()
            || !general.PowerManagementCapabilities.is_null()
    }

    /// The general attributes; zeros before they are set.
    pub(crate) fn general(&self) -> NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES {
        self.general
            .unwrap_or(NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES::zeroed())
    }

    /// The current address.
    pub(crate) fn mac(&self) -> Mac {
        let address = self.general().CurrentMacAddress;
        std::array::from_fn(|index| address[index])
    }
}

crate::ddi! { "ndis.sys":
    /// Sets attributes of an adapter that is being initialized.
    [PASSIVE..=PASSIVE] fn NdisMSetMiniportAttributes(
        NdisMiniportHandle: NDIS_HANDLE,
        MiniportAttributes: *mut NDIS_MINIPORT_ADAPTER_ATTRIBUTES,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisMSetMiniportAttributes";
        let adapter = resolve::<Adapter>(NdisMiniportHandle, NAME);
        let mut record = trace::call(NAME, adapter.name());
        adapter.require_state(&[AdapterState::Initializing], NAME);
        if should_fail("NdisMSetMiniportAttributes") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        // SAFETY: the document makes it a pointer to one of the attribute structures, which all
        // begin with a header.
        let header = unsafe { MiniportAttributes.cast::<NDIS_OBJECT_HEADER>().read() };
        let status = match header.Type {
            // SAFETY: the structure is of the type and size that its header says.
            NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES => unsafe {
                set_registration(adapter, MiniportAttributes, header)
            },
            // SAFETY: as above.
            NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES => unsafe {
                set_general(adapter, MiniportAttributes, header)
            },
            // SAFETY: as above.
            NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES => unsafe {
                set_offload(adapter, MiniportAttributes)
            },
            // SAFETY: as above.
            NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES => unsafe {
                set_hardware_assist(adapter, MiniportAttributes)
            },
            NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_NDK_ATTRIBUTES
            | NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_PACKET_DIRECT_ATTRIBUTES => NDIS_STATUS_SUCCESS,
            other => {
                eprintln!("ndis-host: {NAME}: attributes of type {other:#x} are not supported");
                NDIS_STATUS_BAD_VERSION
            }
        };
        record.returns(status)
    }
}

/// # Safety
/// Registration attributes as long as `header` says.
unsafe fn set_registration(
    adapter: &'static Adapter,
    attributes: *const NDIS_MINIPORT_ADAPTER_ATTRIBUTES,
    header: NDIS_OBJECT_HEADER,
) -> NDIS_STATUS {
    let revisions = [(
        NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
        NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
    )];
    if !header::valid(&header, header.Type, &revisions) {
        return NDIS_STATUS_BAD_VERSION;
    }
    // SAFETY: the caller's contract, and the size just checked.
    let given = unsafe { &*attributes.cast::<NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES>() };
    let flags = given.AttributeFlags;
    if adapter.driver().is_intermediate()
        && (flags & NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND == 0
            || given.InterfaceType != NdisInterfaceInternal)
    {
        rules::broken(
            &rules::IM_VIRTUAL_MINIPORT_STATE,
            format_args!(
                "NdisMSetMiniportAttributes({}): an intermediate driver's AttributeFlags {flags:#x} \
                 must have NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND and InterfaceType must be 0",
                adapter.name()
            ),
        );
    }
    rules::held(&rules::IM_VIRTUAL_MINIPORT_STATE);
    adapter.set_context(given.MiniportAdapterContext);
    adapter.with_attributes(|attributes| {
        attributes.registered = true;
        attributes.flags = flags;
        attributes.check_for_hang = given.CheckForHangTimeInSeconds;
    });
    NDIS_STATUS_SUCCESS
}

/// # Safety
/// General attributes as long as `header` says, with valid pointers.
unsafe fn set_general(
    adapter: &'static Adapter,
    attributes: *const NDIS_MINIPORT_ADAPTER_ATTRIBUTES,
    header: NDIS_OBJECT_HEADER,
) -> NDIS_STATUS {
    let revisions = [
        (
            NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1,
            NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1,
        ),
        (
            NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
            NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
        ),
    ];
    if !header::valid(&header, header.Type, &revisions) {
        return NDIS_STATUS_BAD_VERSION;
    }
    if !adapter.with_attributes(|attributes| attributes.registered()) {
        adapter.broken("general attributes are set before the registration attributes");
    }
    let mut given = NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES::zeroed();
    let length = usize::from(header.Size).min(size_of_val(&given));
    let target = (&raw mut given).cast::<u8>();
    // SAFETY: the caller's contract: `length` bytes are there by the header; they fit.
    unsafe { std::ptr::copy_nonoverlapping(attributes.cast::<u8>(), target, length) };
    let count = given.SupportedOidListLength as usize / size_of::<NDIS_OID>();
    let oids = if given.SupportedOidList.is_null() {
        Vec::new()
    } else {
        // SAFETY: the caller's contract.
        unsafe { std::slice::from_raw_parts(given.SupportedOidList, count) }.to_vec()
    };
    // SAFETY: the caller's contract.
    let power = unsafe { given.PowerManagementCapabilitiesEx.as_ref() }.map(|it| Box::new(*it));
    // SAFETY: the caller's contract.
    let rss = unsafe { rss_at(given.RecvScaleCapabilities) };
    adapter.with_attributes(|attributes| {
        attributes.link.MediaConnectState = given.MediaConnectState;
        attributes.link.MediaDuplexState = given.MediaDuplexState;
        attributes.link.XmitLinkSpeed = given.XmitLinkSpeed;
        attributes.link.RcvLinkSpeed = given.RcvLinkSpeed;
        attributes.link.AutoNegotiationFlags = given.AutoNegotiationFlags;
        attributes.lookahead = given.LookaheadSize;
        attributes.general = Some(given);
        attributes.oids = oids;
        attributes.power = power;
        attributes.rss = rss;
    });
    NDIS_STATUS_SUCCESS
}

/// # Safety
/// Offload attributes with valid pointers.
unsafe fn set_offload(
    adapter: &'static Adapter,
    attributes: *const NDIS_MINIPORT_ADAPTER_ATTRIBUTES,
) -> NDIS_STATUS {
    // SAFETY: the caller's contract.
    let given = unsafe { &*attributes.cast::<NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES>() };
    // SAFETY: the caller's contract.
    let offload = unsafe { offload_at(given.DefaultOffloadConfiguration) };
    // SAFETY: the caller's contract.
    let hardware = unsafe { offload_at(given.HardwareOffloadCapabilities) };
    adapter.with_attributes(|attributes| {
        attributes.offload = offload;
        attributes.offload_hardware = hardware;
    });
    NDIS_STATUS_SUCCESS
}

/// # Safety
/// Hardware assist attributes with valid pointers.
unsafe fn set_hardware_assist(
    adapter: &'static Adapter,
    attributes: *const NDIS_MINIPORT_ADAPTER_ATTRIBUTES,
) -> NDIS_STATUS {
    // SAFETY: the caller's contract; only a field of the first revision with receive filters is read.
    let given = unsafe { &*attributes.cast::<NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES>() };
    if given.Header.Revision < NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_2 {
        return NDIS_STATUS_SUCCESS;
    }
    // SAFETY: the caller's contract.
    let filters = unsafe { given.CurrentReceiveFilterCapabilities.as_ref() };
    let filters = filters.map(|it| Box::new(*it));
    adapter.with_attributes(|attributes| attributes.receive_filters = filters);
    NDIS_STATUS_SUCCESS
}

/// A copy of capabilities, as long as their header says. `None` if there are none.
///
/// # Safety
/// Null, or a structure as long as its header says.
unsafe fn rss_at(
    given: *const NDIS_RECEIVE_SCALE_CAPABILITIES,
) -> Option<Box<NDIS_RECEIVE_SCALE_CAPABILITIES>> {
    // SAFETY: the caller's contract.
    let header = unsafe { given.cast::<NDIS_OBJECT_HEADER>().as_ref() }?;
    header::require(
        header,
        NDIS_OBJECT_TYPE_RSS_CAPABILITIES,
        RSS_REVISIONS,
        "NDIS_RECEIVE_SCALE_CAPABILITIES",
    );
    let mut rss = Box::new(NDIS_RECEIVE_SCALE_CAPABILITIES::zeroed());
    let length = usize::from(header.Size).min(size_of_val(&*rss));
    let target = (&raw mut *rss).cast::<u8>();
    // SAFETY: the caller's contract; `length` fits both.
    unsafe { std::ptr::copy_nonoverlapping(given.cast::<u8>(), target, length) };
    Some(rss)
}

/// A copy of an `NDIS_OFFLOAD`, as long as its header says. `None` if there is none.
///
/// # Safety
/// Null, or a structure as long as its header says.
pub(crate) unsafe fn offload_at(given: *const NDIS_OFFLOAD) -> Option<Box<NDIS_OFFLOAD>> {
    // SAFETY: the caller's contract.
    let header = unsafe { given.cast::<NDIS_OBJECT_HEADER>().as_ref() }?;
    header::require(
        header,
        NDIS_OBJECT_TYPE_OFFLOAD,
        OFFLOAD_REVISIONS,
        "NDIS_OFFLOAD",
    );
    let mut offload = Box::new(NDIS_OFFLOAD::zeroed());
    let length = usize::from(header.Size).min(size_of::<NDIS_OFFLOAD>());
    let target = (&raw mut *offload).cast::<u8>();
    // SAFETY: the caller's contract; `length` fits both.
    unsafe { std::ptr::copy_nonoverlapping(given.cast::<u8>(), target, length) };
    Some(offload)
}

/// Of `NDIS_RECEIVE_SCALE_CAPABILITIES`, with their sizes.
const RSS_REVISIONS: &[(u8, u16)] = &[
    (
        NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_1,
        NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_1,
    ),
    (
        NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_2,
        NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_2,
    ),
    (
        NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_3,
        NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_3,
    ),
];

/// Of `NDIS_OFFLOAD`, with their sizes.
pub(crate) const OFFLOAD_REVISIONS: &[(u8, u16)] = &[
    (NDIS_OFFLOAD_REVISION_1, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_1),
    (NDIS_OFFLOAD_REVISION_2, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_2),
    (NDIS_OFFLOAD_REVISION_3, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_3),
    (NDIS_OFFLOAD_REVISION_4, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_4),
    (NDIS_OFFLOAD_REVISION_5, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_5),
    (NDIS_OFFLOAD_REVISION_6, NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_6),
];
