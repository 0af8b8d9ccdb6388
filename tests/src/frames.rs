//! Frames for tests.

use ndis_host::ndis::ethernet::Mac;

/// The address of the lab's NIC.
pub const MAC_BELOW: Mac = [0x02, 0x4E, 0x49, 0x43, 0x00, 0x01];

/// The address of the lab's second NIC, if it has one.
pub const MAC_BELOW_1: Mac = [0x02, 0x4E, 0x49, 0x43, 0x00, 0x02];

/// The address of whoever is at the other end of the cable.
pub const MAC_PEER: Mac = [0x02, 0x50, 0x45, 0x45, 0x52, 0x01];

/// An Ethernet frame under construction.
#[derive(Clone, Debug)]
pub struct Frame {
    destination: Mac,
    source: Mac,
    tag: Option<u16>,
    payload: Vec<u8>,
}

impl Frame {
    /// A frame from one address to another, with a payload of 46 bytes that `seed` tells apart.
    #[must_use]
    pub fn new(source: Mac, destination: Mac, seed: u8) -> Self {
        Self {
            destination,
            source,
            tag: None,
            payload: payload(46, seed),
        }
    }

    /// The same in a VLAN: the tag's control information, with the priority in the upper bits.
    #[must_use]
    pub fn tagged(self, tci: u16) -> Self {
        Self {
            tag: Some(tci),
            ..self
        }
    }

    /// The same with a payload of `length` bytes.
    #[must_use]
    pub fn of_length(self, length: usize) -> Self {
        let seed = self.payload[0];
        Self {
            payload: payload(length, seed),
            ..self
        }
    }

    /// The frame's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = [self.destination, self.source].concat();
        if let Some(tci) = self.tag {
            bytes.extend([0x81, 0x00]);
            bytes.extend(tci.to_be_bytes());
        }
        // 88-B5 is for experiments on a local network.
        bytes.extend([0x88, 0xB5]);
        bytes.extend(&self.payload);
        bytes
    }
}

/// The value of `Ieee8021QNetBufferListInfo` for a tag beside the frames.
#[must_use]
pub const fn tag(priority: u16, drop_eligible: u16, vlan: u16) -> usize {
    (priority | drop_eligible << 3 | vlan << 4) as usize
}

/// Bytes of which the first is `seed` and each differs from the one before.
fn payload(length: usize, seed: u8) -> Vec<u8> {
    (0..length)
        .map(|at| seed.wrapping_add((at as u8).wrapping_mul(7)))
        .collect()
}
