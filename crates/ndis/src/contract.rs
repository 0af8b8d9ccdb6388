//! Which NDIS contract a driver registers for.
//!
//! NDIS gives a whole binding the features of the oldest contract on it, so a driver that registers
//! for an old one takes receive segment coalescing and USO away from everybody on the same NIC.
//! The contract is therefore chosen when the driver is loaded: the newest that the running system
//! and this crate both know.

use ndis_sys as sys;

use crate::status::{Result, Status};

/// A version of the contract between NDIS and a driver. Ordered by age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contract {
    minor: u8,
}

impl Contract {
    /// NDIS 6.30 (Windows 8): the oldest that this crate registers for.
    pub const V6_30: Self = Self { minor: 30 };
    /// NDIS 6.80 (Windows 10 1709): synchronous OID requests.
    pub const V6_80: Self = Self { minor: 80 };
    /// NDIS 6.83 (Windows 10 1903): UDP segmentation offload, and the newest whose structures this crate
    /// fills.
    pub const V6_83: Self = Self { minor: 83 };

    /// The newest contract that the running system and this crate both know.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    ///
    /// # Errors
    /// [`Status::BAD_VERSION`] on a system older than NDIS 6.30.
    pub fn newest() -> Result<Self> {
        // SAFETY: the function takes nothing and reads a number (NdisGetVersion).
        Self::for_system(unsafe { sys::NdisGetVersion() })
    }

    /// The same for a system that reports `version`: the major number in the upper 16 bits, the
    /// minor one in the lower.
    ///
    /// # Errors
    /// [`Status::BAD_VERSION`] for one older than NDIS 6.30.
    pub fn for_system(version: u32) -> Result<Self> {
        let (major, minor) = (version >> 16, version & 0xFFFF);
        RELEASED
            .iter()
            .rev()
            .find(|&&known| (major, minor) >= (6, u32::from(known)))
            .map(|&minor| Self { minor })
            .ok_or(Status::BAD_VERSION)
    }

    /// `MajorNdisVersion` for a characteristics structure.
    #[must_use]
    pub const fn major(self) -> u8 {
        6
    }

    /// `MinorNdisVersion` for a characteristics structure.
    #[must_use]
    pub const fn minor(self) -> u8 {
        self.minor
    }
}

/// The minor versions that a driver can register for, oldest first. A system between two of them
/// gets the older one.
const RELEASED: [u8; 7] = [30, 40, 50, 60, 70, 80, 83];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_that_both_know_is_chosen() {
        let minor = |version| Contract::for_system(version).map(Contract::minor);
        assert_eq!(minor(0x0006_001E), Ok(30));
        assert_eq!(
            minor(0x0006_0033),
            Ok(50),
            "6.51 was never a contract of its own here"
        );
        assert_eq!(minor(0x0006_0050), Ok(80));
        assert_eq!(minor(0x0006_0052), Ok(80), "6.82 has nothing new");
        assert_eq!(minor(0x0006_0059), Ok(83), "6.89 is newer than this crate");
        assert_eq!(minor(0x0007_0000), Ok(83));
    }

    #[test]
    fn a_system_before_6_30_is_refused() {
        assert_eq!(Contract::for_system(0x0006_0014), Err(Status::BAD_VERSION));
        assert_eq!(Contract::for_system(0x0005_0001), Err(Status::BAD_VERSION));
    }
}
