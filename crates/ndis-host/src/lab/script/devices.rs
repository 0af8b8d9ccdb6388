//! Requests to the devices that a driver made, by an administrator.
//!
//! Which codes a driver knows is its own business, so all are tried that it may: the first functions of
//! those that are left to drivers, with each method and each access. It may answer them as it likes, as long
//! as it answers by the rules. What it keeps is on its way when the device is closed.

use std::time::Duration;

use ndis_sys::{
    CTL_CODE, DEVICE_TYPE, FILE_ANY_ACCESS, FILE_READ_ACCESS, FILE_WRITE_ACCESS, METHOD_BUFFERED,
    METHOD_IN_DIRECT, METHOD_NEITHER, METHOD_OUT_DIRECT,
};

use super::run::{Result, Runner, trouble};
use crate::lab::Token;

impl Runner<'_> {
    pub(super) fn devices(&mut self, service: &str) -> Result {
        self.require_loaded(service)?;
        let devices = self.lab.devices(service).map_err(trouble)?;
        let said: Vec<_> = devices
            .iter()
            .map(
                |(path, device_type)| match self.ask_device(path, *device_type) {
                    Ok((answered, kept)) => {
                        format!(
                            "{path}: {answered} requests answered, {kept} kept until it was closed"
                        )
                    }
                    Err(error) => format!("{path} is not opened: {error}"),
                },
            )
            .collect();
        Ok(said.join("; "))
    }

    fn ask_device(
        &self,
        path: &str,
        device_type: DEVICE_TYPE,
    ) -> std::result::Result<(usize, usize), crate::lab::NtStatus> {
        let device = self.lab.open_device(path, &Token::administrator())?;
        let (mut answered, mut kept) = (0, 0);
        for code in codes(device_type) {
            for room in ROOMS {
                // Open for reading and writing, it may be asked with any code.
                let request = device.ioctl_start(code, &vec![1; room], vec![0; room])?;
                match request.wait(Duration::ZERO) {
                    Some(_) => answered += 1,
                    None => kept += 1,
                }
            }
        }
        // Most devices are neither read nor written, and say so.
        answered += 2;
        let _ = device.read(ROOMS[0]);
        let _ = device.write(&[1; ROOMS[0]]);
        Ok((answered, kept))
    }
}

fn codes(device_type: DEVICE_TYPE) -> impl Iterator<Item = u32> {
    const METHODS: [u32; 4] = [
        METHOD_BUFFERED,
        METHOD_IN_DIRECT,
        METHOD_OUT_DIRECT,
        METHOD_NEITHER,
    ];
    const ACCESS: [u32; 2] = [FILE_ANY_ACCESS, FILE_READ_ACCESS | FILE_WRITE_ACCESS];
    let ways = METHODS
        .into_iter()
        .flat_map(|method| ACCESS.map(|access| (method, access)));
    ways.flat_map(move |(method, access)| {
        let functions = FIRST_OF_DRIVERS..FIRST_OF_DRIVERS + FUNCTIONS;
        functions.map(move |function| CTL_CODE(device_type, function, method, access))
    })
}

/// Smaller functions are Microsoft's.
const FIRST_OF_DRIVERS: u32 = 0x800;
const FUNCTIONS: u32 = 16;
/// Bytes in and out: a little, none, much.
const ROOMS: [usize; 3] = [8, 0, 512];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_is_tried_in_each_way_and_no_code_twice() {
        let mut codes: Vec<_> = codes(0x12).collect();
        assert_eq!(
            codes[0], 0x0012_2000,
            "buffered, for everybody, function 0x800"
        );
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), 16 * 4 * 2);
        assert!(codes.iter().all(|code| code >> 16 == 0x12));
    }
}
