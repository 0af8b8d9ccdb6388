//! For tests: a built-in NIC and a client on it.

use std::time::Duration;

use super::{Lab, NicPort};
use crate::client::Client;
use crate::nic::NicConfig;

/// Longer than anything that is not stuck takes.
pub(crate) const LONG: Duration = Duration::from_secs(10);

/// The NIC's address.
pub(crate) const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// A NIC as it usually is.
pub(crate) fn nic() -> NicConfig {
    NicConfig::new("nic0", MAC)
}

/// That NIC, with a client that runs on it.
pub(crate) fn stack(nic: NicConfig) -> (Lab, NicPort, &'static Client) {
    let lab = Lab::new();
    let nic = lab.add_nic(nic);
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    assert!(lab.settle(LONG));
    (lab, nic, client)
}

/// A broadcast of the NIC's, as short as a frame may be.
pub(crate) fn frame() -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend(MAC);
    frame.resize(60, 0);
    frame
}
