//! A wire that writes what passes over it to a pcapng file.
//!
//! Each frame is one enhanced packet with its time and direction: outbound is what the host sent on
//! the wire, inbound what it received. The file is complete once the wire is dropped, or once a broken
//! rule has ended the process.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::{PcapNgBlock as _, PcapNgWriter};
use pcap_file::{DataLink, PcapError};

use super::{MAX_FRAME, Wire};
use crate::rules;

/// `if_tsresol`: times count in units of 10 to the minus ninth of a second.
const NANOSECONDS: u8 = 9;

/// A wire whose frames are also written to a file.
pub struct CaptureWire {
    inner: Box<dyn Wire>,
    file: Arc<Mutex<PcapNgWriter<BufWriter<File>>>>,
}

impl CaptureWire {
    /// Wraps `inner` and starts the file at `path`, replacing what was there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn wrap(inner: Box<dyn Wire>, path: &Path) -> io::Result<Self> {
        let explain = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!("cannot write the capture {}: {error}", path.display()),
            )
        };
        let file = File::create(path).map_err(explain)?;
        let mut writer = PcapNgWriter::new(BufWriter::new(file))
            .map_err(into_io)
            .map_err(explain)?;
        let interface = InterfaceDescriptionBlock {
            linktype: DataLink::ETHERNET,
            snaplen: u32::try_from(MAX_FRAME).unwrap_or(u32::MAX),
            options: vec![
                InterfaceDescriptionOption::IfName(Cow::Owned(inner.describe())),
                InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
            ],
        };
        writer
            .write_block(&interface.into_block())
            .map_err(into_io)
            .map_err(explain)?;
        let file = Arc::new(Mutex::new(writer));
        let at_end = Arc::downgrade(&file);
        rules::at_end(move || {
            // Whoever writes at that moment is not waited for: its frame is the only one lost.
            if let Some(file) = at_end.upgrade()
                && let Ok(mut file) = file.try_lock()
            {
                let _ = file.get_mut().flush();
            }
        });
        Ok(Self { inner, file })
    }

    /// Writes out what the file still lacks. Frames that pass later are recorded as well.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(&self) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.get_mut().flush()
    }

    fn record(&self, frame: &[u8], direction: Direction) -> io::Result<()> {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let packet = EnhancedPacketBlock {
            interface_id: 0,
            timestamp: now,
            original_len: u32::try_from(frame.len()).unwrap_or(u32::MAX),
            data: Cow::Borrowed(frame),
            options: vec![EnhancedPacketOption::Flags(direction as u32)],
        };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_block(&packet.into_block()).map_err(into_io)?;
        Ok(())
    }
}

impl Wire for CaptureWire {
    fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.record(frame, Direction::Outbound)?;
        self.inner.send(frame)
    }

    fn recv(&self, buf: &mut [u8], timeout: Duration) -> io::Result<Option<usize>> {
        let received = self.inner.recv(buf, timeout)?;
        if let Some(frame) = received.and_then(|length| buf.get(..length)) {
            self.record(frame, Direction::Inbound)?;
        }
        Ok(received)
    }

    fn set_promiscuous(&self, on: bool) -> io::Result<()> {
        self.inner.set_promiscuous(on)
    }

    fn mac(&self) -> Option<[u8; 6]> {
        self.inner.mac()
    }

    fn dropped(&self) -> u64 {
        self.inner.dropped()
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

impl Drop for CaptureWire {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            eprintln!(
                "the capture of {} is incomplete: {error}",
                self.inner.describe()
            );
        }
    }
}

/// The low two bits of `epb_flags`.
#[derive(Clone, Copy)]
enum Direction {
    Inbound = 1,
    Outbound = 2,
}

fn into_io(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use pcap_file::pcapng::{Block, PcapNgReader};

    use super::super::MemoryWire;
    use super::*;

    #[test]
    fn both_directions_are_in_the_file_with_their_bytes_and_order() {
        let path =
            std::env::temp_dir().join(format!("ndis-host-capture-{}.pcapng", std::process::id()));
        let (near, far) = MemoryWire::pair();
        let wire = CaptureWire::wrap(Box::new(near), &path).unwrap();
        wire.send(&[1; 60]).unwrap();
        far.send(&[2; 61]).unwrap();
        let mut buf = [0; 2048];
        assert_eq!(
            wire.recv(&mut buf, Duration::from_secs(10)).unwrap(),
            Some(61)
        );
        assert_eq!(wire.recv(&mut buf, Duration::ZERO).unwrap(), None);
        drop(wire);

        let mut reader = PcapNgReader::new(File::open(&path).unwrap()).unwrap();
        let mut seen = Vec::new();
        while let Some(block) = reader.next_block() {
            match block.unwrap() {
                Block::InterfaceDescription(interface) => {
                    assert_eq!(interface.linktype, DataLink::ETHERNET);
                }
                Block::EnhancedPacket(packet) => {
                    let Some(EnhancedPacketOption::Flags(flags)) = packet.options.first() else {
                        panic!("a packet without its direction");
                    };
                    seen.push((packet.data.into_owned(), *flags));
                }
                other => panic!("unexpected block {other:?}"),
            }
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(seen, [(vec![1; 60], 2), (vec![2; 61], 1)]);
    }
}
