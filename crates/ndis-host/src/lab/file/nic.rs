//! `[[nic]]`: what a built-in NIC is like.

use std::ops::Range;

use ndis_sys::{
    NDIS_ENCAPSULATION_IEEE_802_3, NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q,
    NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB,
};
use serde::{Deserialize, Serialize};

use super::value::{DeviceName, MacAddress};
use super::{WireSection, device_name, yes};
use crate::nic::Offloads;

/// `[[nic]]`: a lower NIC, a miniport of the host's own.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NicSection {
    /// How the rest of the file calls it.
    pub name: String,
    /// Its device name; `\Device\<name>` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceName>,
    /// Where its frames come from and go to.
    pub wire: WireSection,
    /// Its permanent address; the wire's own if absent, else one made from the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddress>,
    /// Its MTU in bytes, without Ethernet header.
    #[serde(default = "default_mtu")]
    pub mtu: u16,
    /// Its link speed in bits per second, both ways.
    #[serde(default = "default_speed")]
    pub speed: u64,
    /// Whether it takes and gives 802.1Q tags beside the frame (`Ieee8021QNetBufferListInfo`), as a
    /// NIC that inserts and strips them does.
    #[serde(default)]
    pub out_of_band_tags: bool,
    /// How many receive filters for an address in a VLAN it has, by which it lets frames in besides
    /// those to its own address.
    #[serde(default)]
    pub receive_filters: u32,
    /// Whether it can wake the computer: by a magic packet, and by eight bitmap patterns of 128 bytes.
    #[serde(default)]
    pub wake_up: bool,
    /// Its task offloads; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offloads: Option<OffloadsSection>,
    /// How frames that it receives lie in memory.
    #[serde(default)]
    pub shapes: ShapesKey,
}

/// `offloads`: IPv4 checksums, large sends (version 2) and UDP segmentation, and coalescing of received segments.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OffloadsSection {
    /// For which frames it does checksums and large sends.
    #[serde(default = "untagged")]
    pub encapsulations: Vec<EncapsulationKey>,
    /// The most bytes of user data in a large send.
    #[serde(default = "default_largest_send")]
    pub largest_send: u32,
    /// Whether it segments UDP packets, of up to as many bytes.
    #[serde(default = "yes")]
    pub segments_udp: bool,
    /// Whether it coalesces received segments.
    #[serde(default = "yes")]
    pub coalesces: bool,
}

/// A bit of the `Encapsulation` that a NIC shows of an offload, under the name that NDIS has for it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum EncapsulationKey {
    /// Frames without a tag.
    #[serde(rename = "ieee_802_3")]
    Untagged,
    /// Frames with a tag in them.
    #[serde(rename = "ieee_802_3_p_and_q")]
    TagInside,
    /// Frames with a tag beside them, in `Ieee8021QNetBufferListInfo`.
    #[serde(rename = "ieee_802_3_p_and_q_in_oob")]
    TagBeside,
}

/// `shapes`: how received frames are laid out over MDLs.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShapesKey {
    /// Each frame in one MDL.
    #[default]
    Whole,
    /// In turn: cuts in and around the Ethernet header and the tag, odd bytes before the frame.
    Awkward,
}

impl NicSection {
    /// The device name in force.
    #[must_use]
    pub fn device_name(&self) -> String {
        device_name(self.device.as_ref(), &self.name)
    }

    /// What the types cannot say: a key and what is wrong with it.
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        if !MTU_RANGE.contains(&self.mtu) {
            let (least, most) = (MTU_RANGE.start, MTU_RANGE.end - 1);
            let message = format!(
                "an MTU of {} bytes is out of range: {least} to {most}",
                self.mtu
            );
            return Err(("mtu", message));
        }
        let nothing = |it: &OffloadsSection| it.encapsulations.is_empty();
        if self.offloads.as_ref().is_some_and(nothing) {
            let message = "`encapsulations` is empty: name one, or leave the offloads out";
            return Err(("offloads", message.to_owned()));
        }
        Ok(())
    }
}

impl OffloadsSection {
    /// The offloads as the NIC has them.
    pub(super) fn offloads(&self) -> Offloads {
        let bits = self.encapsulations.iter().map(|it| it.bit());
        Offloads {
            encapsulation: bits.fold(0, |all, bit| all | bit),
            largest_send: self.largest_send,
            segments_udp: self.segments_udp,
            coalesces: self.coalesces,
        }
    }
}

impl EncapsulationKey {
    const fn bit(self) -> u32 {
        match self {
            Self::Untagged => NDIS_ENCAPSULATION_IEEE_802_3,
            Self::TagInside => NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q,
            Self::TagBeside => NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB,
        }
    }
}

/// IPv6 needs 1280 bytes; IPv4 alone 68. A frame with two tags must fit a wire's buffer.
const MTU_RANGE: Range<u16> = 68..9217;

fn default_mtu() -> u16 {
    1500
}

fn default_speed() -> u64 {
    1_000_000_000
}

fn default_largest_send() -> u32 {
    Offloads::with(0).largest_send
}

fn untagged() -> Vec<EncapsulationKey> {
    vec![EncapsulationKey::Untagged]
}
