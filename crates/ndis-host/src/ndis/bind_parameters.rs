//! What a protocol driver is told of the adapter that it is to bind to.

use std::ptr;

use ndis_sys::{
    NDIS_BIND_PARAMETERS, NDIS_BIND_PARAMETERS_REVISION_4, NDIS_OBJECT_HEADER,
    NDIS_OBJECT_TYPE_BIND_PARAMETERS, NDIS_SIZEOF_BIND_PARAMETERS_REVISION_4,
    NET_IF_COMPARTMENT_ID_PRIMARY,
};

use super::adapter::Adapter;
use super::attributes::Attributes;
use super::config;
use super::driver::ProtocolDriver;
use super::strings::Counted;

/// `NDIS_BIND_PARAMETERS` with all that they point at.
pub(crate) struct BindParameters {
    _strings: [Counted; 2],
    _attributes: Box<Attributes>,
    parameters: Box<NDIS_BIND_PARAMETERS>,
}

impl BindParameters {
    /// For `protocol` and `adapter` as it is now.
    pub(crate) fn of(protocol: &ProtocolDriver, adapter: &Adapter) -> Self {
        let path = config::protocol_section(protocol, adapter);
        let section = Counted::new(&path);
        let name = Counted::new(adapter.name());
        let mut attributes = Box::new(adapter.with_attributes(|attributes| attributes.clone()));
        let general = attributes.general();
        let link = attributes.link;
        let (bound_index, bound_luid) = adapter.bound_interface();
        let parameters = Box::new(NDIS_BIND_PARAMETERS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_BIND_PARAMETERS,
                NDIS_BIND_PARAMETERS_REVISION_4,
                NDIS_SIZEOF_BIND_PARAMETERS_REVISION_4,
            ),
            ProtocolSection: section.as_ptr(),
            AdapterName: name.as_ptr(),
            BoundAdapterName: name.as_ptr(),
            MediaType: general.MediaType,
            MtuSize: general.MtuSize,
            MaxXmitLinkSpeed: general.MaxXmitLinkSpeed,
            XmitLinkSpeed: link.XmitLinkSpeed,
            MaxRcvLinkSpeed: general.MaxRcvLinkSpeed,
            RcvLinkSpeed: link.RcvLinkSpeed,
            MediaConnectState: link.MediaConnectState,
            MediaDuplexState: link.MediaDuplexState,
            LookaheadSize: general.LookaheadSize,
            SupportedPacketFilters: general.SupportedPacketFilters,
            MaxMulticastListSize: general.MaxMulticastListSize,
            MacAddressLength: general.MacAddressLength,
            CurrentMacAddress: general.CurrentMacAddress,
            PhysicalMediumType: general.PhysicalMediumType,
            RcvScaleCapabilities: pointer(&mut attributes.rss),
            BoundIfNetluid: bound_luid,
            BoundIfIndex: bound_index,
            LowestIfNetluid: adapter.luid(),
            LowestIfIndex: adapter.index(),
            AccessType: general.AccessType,
            DirectionType: general.DirectionType,
            ConnectionType: general.ConnectionType,
            IfType: general.IfType,
            IfConnectorPresent: general.IfConnectorPresent,
            DataBackFillSize: general.DataBackFillSize,
            ContextBackFillSize: general.ContextBackFillSize,
            MacOptions: general.MacOptions,
            CompartmentId: NET_IF_COMPARTMENT_ID_PRIMARY,
            DefaultOffloadConfiguration: pointer(&mut attributes.offload),
            ReceiveFilterCapabilities: pointer(&mut attributes.receive_filters),
            PowerManagementCapabilitiesEx: pointer(&mut attributes.power),
            ..NDIS_BIND_PARAMETERS::zeroed()
        });
        config::add_section(std::ptr::from_ref(&*parameters) as usize, &path);
        Self {
            _strings: [section, name],
            _attributes: attributes,
            parameters,
        }
    }

    /// Valid as long as this value.
    pub(crate) fn as_ptr(&mut self) -> *mut NDIS_BIND_PARAMETERS {
        &raw mut *self.parameters
    }
}

impl Drop for BindParameters {
    fn drop(&mut self) {
        config::remove_section(std::ptr::from_ref(&*self.parameters) as usize);
    }
}

fn pointer<T>(value: &mut Option<Box<T>>) -> *mut T {
    value
        .as_mut()
        .map_or(ptr::null_mut(), |value| &raw mut **value)
}
