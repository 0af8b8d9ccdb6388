//! What a filter module is told of the adapter that it attaches to.

use std::ptr;

use ndis_sys::{
    NDIS_FILTER_ATTACH_PARAMETERS, NDIS_FILTER_ATTACH_PARAMETERS_REVISION_1 as REVISION_1,
    NDIS_FILTER_ATTACH_PARAMETERS_REVISION_2 as REVISION_2,
    NDIS_FILTER_ATTACH_PARAMETERS_REVISION_3 as REVISION_3,
    NDIS_FILTER_ATTACH_PARAMETERS_REVISION_4 as REVISION_4, NDIS_OBJECT_HEADER,
    NDIS_OBJECT_TYPE_FILTER_ATTACH_PARAMETERS,
    NDIS_SIZEOF_FILTER_ATTACH_PARAMETERS_REVISION_1 as SIZE_1,
    NDIS_SIZEOF_FILTER_ATTACH_PARAMETERS_REVISION_2 as SIZE_2,
    NDIS_SIZEOF_FILTER_ATTACH_PARAMETERS_REVISION_3 as SIZE_3,
    NDIS_SIZEOF_FILTER_ATTACH_PARAMETERS_REVISION_4 as SIZE_4,
};

use super::module::Module;
use crate::ndis::attributes::Attributes;
use crate::ndis::device;
use crate::ndis::strings::Counted;

/// `NDIS_FILTER_ATTACH_PARAMETERS` with all that they point at.
pub(super) struct AttachParameters {
    _strings: [Counted; 3],
    _attributes: Box<Attributes>,
    parameters: Box<NDIS_FILTER_ATTACH_PARAMETERS>,
}

impl AttachParameters {
    /// For a module that attaches now, in the revision of its driver's contract.
    pub(super) fn of(module: &'static Module) -> Self {
        let adapter = module.adapter();
        let leaf = adapter.name().rsplit('\\').next().unwrap_or_default();
        let guid_name = Counted::new(&format!("{leaf}-{}-0000", module.driver().guid()));
        let label = device::find(adapter.name()).map(|device| device.label);
        let instance = Counted::new(label.as_deref().unwrap_or(leaf));
        let base = Counted::new(adapter.name());
        let mut attributes = Box::new(adapter.with_attributes(|attributes| attributes.clone()));
        let general = attributes.general();
        let link = attributes.link;
        let (lower_index, lower_luid) = module.lower();
        let (revision, size) = match module.driver().handlers().MinorNdisVersion {
            0 => (REVISION_1, SIZE_1),
            1..20 => (REVISION_2, SIZE_2),
            20..30 => (REVISION_3, SIZE_3),
            _ => (REVISION_4, SIZE_4),
        };
        let parameters = Box::new(NDIS_FILTER_ATTACH_PARAMETERS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_FILTER_ATTACH_PARAMETERS,
                revision,
                size,
            ),
            IfIndex: module.index(),
            NetLuid: module.luid(),
            FilterModuleGuidName: guid_name.as_ptr(),
            BaseMiniportIfIndex: adapter.index(),
            BaseMiniportInstanceName: instance.as_ptr(),
            BaseMiniportName: base.as_ptr(),
            MediaConnectState: link.MediaConnectState,
            MediaDuplexState: link.MediaDuplexState,
            XmitLinkSpeed: link.XmitLinkSpeed,
            RcvLinkSpeed: link.RcvLinkSpeed,
            MiniportMediaType: general.MediaType,
            MiniportPhysicalMediaType: general.PhysicalMediumType,
            DefaultOffloadConfiguration: attributes
                .offload
                .as_mut()
                .map_or(ptr::null_mut(), |offload| &raw mut **offload),
            MacAddressLength: general.MacAddressLength,
            CurrentMacAddress: general.CurrentMacAddress,
            BaseMiniportNetLuid: adapter.luid(),
            LowerIfIndex: lower_index,
            LowerIfNetLuid: lower_luid,
            BaseMiniportIfConnectorPresent: general.IfConnectorPresent,
            ..NDIS_FILTER_ATTACH_PARAMETERS::zeroed()
        });
        Self {
            _strings: [guid_name, instance, base],
            _attributes: attributes,
            parameters,
        }
    }

    /// Valid as long as this value.
    pub(super) fn as_ptr(&mut self) -> *mut NDIS_FILTER_ATTACH_PARAMETERS {
        &raw mut *self.parameters
    }
}
