//! A TAP device: the other end is the network stack of this machine, or of the namespace into which
//! the device is moved after it was created (the wire stays with this process).
//!
//! Lives as long as the [`TapWire`]; the device goes when the wire is dropped. Not in here: IP
//! addresses and routes, which belong to whoever uses the device.

use std::io;
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tun_rs::{DeviceBuilder, Layer, SyncDevice};

use super::{Wire, poll};

/// What a TAP device is to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TapOptions {
    /// Name of the device, at most 15 bytes.
    pub name: String,
    /// Its hardware address; the kernel draws one where `None`.
    pub mac: Option<[u8; 6]>,
    /// Its MTU in bytes, without Ethernet header.
    pub mtu: u16,
    /// Whether it comes up at once.
    pub up: bool,
}

/// A TAP device that this process made.
pub struct TapWire {
    device: SyncDevice,
    name: String,
    mac: Option<[u8; 6]>,
    dropped: AtomicU64,
}

impl TapWire {
    /// Makes the device in the namespace of the calling thread.
    ///
    /// # Errors
    /// `/dev/net/tun` is missing or not ours to open (root or `CAP_NET_ADMIN` is needed), or a
    /// device of this name exists and is not a free TAP device.
    pub fn create(options: &TapOptions) -> io::Result<Self> {
        super::require_free_run()?;
        let TapOptions { name, mac, mtu, up } = options;
        let explain = |error: io::Error| {
            let hint = match error.kind() {
                io::ErrorKind::PermissionDenied => "run as root or with CAP_NET_ADMIN",
                io::ErrorKind::NotFound => "this kernel has no /dev/net/tun: load the module `tun`",
                io::ErrorKind::ResourceBusy => {
                    "another program has it open: end that or take another name"
                }
                _ => "the name must be free and have at most 15 bytes",
            };
            io::Error::new(
                error.kind(),
                format!("cannot make the TAP device {name}: {error}; {hint}"),
            )
        };
        let mut builder = DeviceBuilder::new()
            .name(name.clone())
            .layer(Layer::L2)
            .mtu(*mtu)
            .enable(*up);
        if let Some(mac) = mac {
            builder = builder.mac_addr(*mac);
        }
        let device = builder.build_sync().map_err(explain)?;
        device.set_nonblocking(true).map_err(explain)?;
        let mac = Some(device.mac_address().map_err(explain)?);
        Ok(Self {
            device,
            name: name.clone(),
            mac,
            dropped: AtomicU64::new(0),
        })
    }

    /// The device's name as given when it was made.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Wire for TapWire {
    fn send(&self, frame: &[u8]) -> io::Result<()> {
        match self.device.send(frame) {
            Ok(_written) => Ok(()),
            // The device exists and is down.
            Err(error) if error.raw_os_error() == Some(libc::EIO) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A frame that fills `buf` to the last byte cannot be told from a longer one and is dropped.
    fn recv(&self, buf: &mut [u8], timeout: Duration) -> io::Result<Option<usize>> {
        let deadline = Instant::now() + timeout;
        loop {
            match self.device.recv(buf) {
                Ok(length) if length < buf.len() => return Ok(Some(length)),
                Ok(_cut) => {
                    self.dropped.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() || !poll::readable(self.device.as_fd(), left)? {
                        return Ok(None);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn set_promiscuous(&self, _on: bool) -> io::Result<()> {
        Ok(())
    }

    fn mac(&self) -> Option<[u8; 6]> {
        self.mac
    }

    fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn describe(&self) -> String {
        format!("TAP {}", self.name)
    }
}
