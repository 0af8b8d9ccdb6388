//! Copies of out-of-band information, and of data, from one NBL or NB to another.

use ndis_sys::{
    IPsecOffloadV2NetBufferListInfo, Ieee8021QNetBufferListInfo, MediaSpecificInformation,
    NDIS_STATUS, NDIS_STATUS_SUCCESS, NET_BUFFER, NET_BUFFER_LIST, NetBufferListCancelId,
    NetBufferListFilteringInfo, NetBufferListFrameType, NetBufferListHashInfo,
    NetBufferListHashValue, NetBufferListProtocolId, TcpIpChecksumNetBufferListInfo,
    TcpLargeSendNetBufferListInfo, TcpReceiveNoPush, VirtualSubnetInfo,
};

use super::{buffer, data, owner};

crate::ddi! { "ndis.sys":
    /// Copies what a sent NBL says beside its data.
    [PASSIVE..=DISPATCH] fn NdisCopySendNetBufferListInfo(
        DestNetBufferList: *mut NET_BUFFER_LIST,
        SrcNetBufferList: *mut NET_BUFFER_LIST,
    ) {
        copy("NdisCopySendNetBufferListInfo", DestNetBufferList, SrcNetBufferList, SEND);
    }

    /// Copies what a received NBL says beside its data.
    [PASSIVE..=DISPATCH] fn NdisCopyReceiveNetBufferListInfo(
        DestNetBufferList: *mut NET_BUFFER_LIST,
        SrcNetBufferList: *mut NET_BUFFER_LIST,
    ) {
        copy("NdisCopyReceiveNetBufferListInfo", DestNetBufferList, SrcNetBufferList, RECEIVE);
    }

    /// Copies bytes between the used data spaces of two NET_BUFFERs; may copy fewer than asked.
    [PASSIVE..=DISPATCH] fn NdisCopyFromNetBufferToNetBuffer(
        Destination: *mut NET_BUFFER,
        DestinationOffset: u32,
        BytesToCopy: u32,
        Source: *const NET_BUFFER,
        SourceOffset: u32,
        BytesCopied: *mut u32,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisCopyFromNetBufferToNetBuffer";
        let destination = buffer::known(Destination, NAME);
        let source = buffer::known(Source.cast_mut(), NAME);
        let mut bytes = vec![0; BytesToCopy.min(source.length()) as usize];
        let there = data::read(source, SourceOffset, &mut bytes);
        let copied = data::write_chain(destination, DestinationOffset, &bytes[..there]);
        // SAFETY: the document makes it a pointer to the caller's ULONG.
        unsafe { BytesCopied.write(copied as u32) };
        NDIS_STATUS_SUCCESS
    }
}

fn copy(
    function: &str,
    destination: *mut NET_BUFFER_LIST,
    source: *mut NET_BUFFER_LIST,
    slots: &[usize],
) {
    let destination = owner::known(destination, function);
    let source = owner::known(source, function).info();
    let mut info = destination.info();
    for &slot in slots {
        info[slot] = source[slot];
    }
    destination.set_info(info);
}

const SEND: &[usize] = &[
    TcpIpChecksumNetBufferListInfo,
    IPsecOffloadV2NetBufferListInfo,
    TcpLargeSendNetBufferListInfo,
    Ieee8021QNetBufferListInfo,
    MediaSpecificInformation,
    NetBufferListCancelId,
    NetBufferListProtocolId,
    NetBufferListFilteringInfo,
    VirtualSubnetInfo,
];

const RECEIVE: &[usize] = &[
    TcpIpChecksumNetBufferListInfo,
    IPsecOffloadV2NetBufferListInfo,
    TcpReceiveNoPush,
    Ieee8021QNetBufferListInfo,
    MediaSpecificInformation,
    NetBufferListFrameType,
    NetBufferListHashValue,
    NetBufferListHashInfo,
    NetBufferListFilteringInfo,
    VirtualSubnetInfo,
];
