//! Frames at each edge of a stack, as one pcapng file.
//!
//! The file has an interface for each edge, made when the first frame passes it: the wire of a NIC,
//! each binding, and the upper edge of each virtual miniport. Outbound is what goes down, toward the
//! wire; inbound what comes up. A tag that travels beside a frame is put into it, and a comment says
//! so; a send that failed is there a second time, with a comment that says with what. Times are those
//! of the scheduler's clock, which may be virtual.
//!
//! Recording begins with [`Capture::start`] and ends with [`Capture::finish`]; a broken rule ends it as
//! well. The data path asks for the one capture of the process, which costs a load while there is none.
//!
//! Not in here: who puts wires in (`lab::file`), and the wires themselves.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use ndis_sys::{Ieee8021QNetBufferListInfo, NDIS_STATUS_SUCCESS};
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::{PcapNgBlock as _, PcapNgWriter};
use pcap_file::{DataLink, PcapError};

use super::MAX_FRAME;
use crate::ndis::adapter::Adapter;
use crate::ndis::binding::Binding;
use crate::ndis::view::Nbl;
use crate::ndis::{device, names};
use crate::nic::frames;
use crate::nt::sched;
use crate::rules;

/// Which way a frame goes. The numbers are those of `epb_flags`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Up, from the wire.
    Inbound = 1,
    /// Down, toward the wire.
    Outbound = 2,
}

/// A capture file.
pub struct Capture {
    inner: Mutex<Inner>,
    /// When the scheduler's clock was at zero.
    epoch: Duration,
}

struct Inner {
    writer: PcapNgWriter<BufWriter<File>>,
    interfaces: HashMap<String, u32>,
    /// The first thing that went wrong.
    error: Option<io::Error>,
}

impl Capture {
    /// Starts the file at `path`, replacing what was there, and records what passes bindings and
    /// virtual miniports from now on.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn start(path: &Path) -> io::Result<Arc<Self>> {
        let explain = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!("cannot write the capture {}: {error}", path.display()),
            )
        };
        let file = File::create(path).map_err(explain)?;
        let writer = PcapNgWriter::new(BufWriter::new(file))
            .map_err(into_io)
            .map_err(explain)?;
        let since_epoch = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let capture = Arc::new(Self {
            inner: Mutex::new(Inner {
                writer,
                interfaces: HashMap::new(),
                error: None,
            }),
            epoch: since_epoch.saturating_sub(sched::now()),
        });
        let at_end = Arc::downgrade(&capture);
        rules::at_end(move || {
            // Whoever writes at that moment is not waited for: its frame is the only one lost.
            if let Some(capture) = at_end.upgrade()
                && let Ok(mut inner) = capture.inner.try_lock()
            {
                let _ = inner.writer.get_mut().flush();
            }
        });
        *CURRENT.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&capture));
        ON.store(true, Ordering::Release);
        Ok(capture)
    }

    /// Ends the recording at bindings and virtual miniports, and completes the file.
    ///
    /// # Errors
    /// Something could not be written, now or before.
    pub fn finish(&self) -> io::Result<()> {
        ON.store(false, Ordering::Release);
        *CURRENT.write().unwrap_or_else(PoisonError::into_inner) = None;
        let mut inner = self.lock();
        match inner.error.take() {
            Some(error) => Err(error),
            None => inner.writer.get_mut().flush(),
        }
    }

    /// Records a frame at the edge of that name.
    pub fn record(&self, edge: &str, direction: Direction, frame: &[u8], comment: Option<String>) {
        let time = self.epoch + sched::now();
        let mut inner = self.lock();
        // What cannot be written must not disturb the run; it is said at the end.
        if let Err(error) = inner.write(edge, direction, frame, comment, time) {
            inner.error.get_or_insert(error);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Frames pass a binding.
pub(crate) fn at_binding(binding: &Binding, chain: &[Nbl], direction: Direction) {
    let Some(capture) = current() else { return };
    let edge = format!("binding {}", binding_name(binding));
    for &nbl in chain {
        capture.nbl(&edge, direction, nbl, None);
    }
}

/// Frames pass the upper edge of an adapter; recorded if it is a driver image's, because a built-in
/// NIC has its wire.
pub(crate) fn at_adapter(adapter: &Adapter, chain: &[Nbl], direction: Direction) {
    let Some(capture) = current().filter(|_| !adapter.driver().caller().built_in) else {
        return;
    };
    let edge = format!("miniport {}", label(adapter.name()));
    for &nbl in chain {
        capture.nbl(&edge, direction, nbl, None);
    }
}

/// Sends of a binding are complete: those that failed are recorded, with what.
pub(crate) fn completed(binding: &Binding, chain: &[Nbl]) {
    let Some(capture) = current() else { return };
    for &nbl in chain {
        let status = nbl.status();
        if status != NDIS_STATUS_SUCCESS {
            let edge = format!("binding {}", binding_name(binding));
            let comment = format!("not sent: completed with {}", names::status(status));
            capture.nbl(&edge, Direction::Outbound, nbl, Some(&comment));
        }
    }
}

impl Capture {
    fn nbl(&self, edge: &str, direction: Direction, nbl: Nbl, comment: Option<&str>) {
        let beside = nbl.info()[Ieee8021QNetBufferListInfo] as usize;
        let tag = (beside != 0).then(|| {
            let (priority, id) = (beside & 7, beside >> 4 & 0xfff);
            format!("the tag (VLAN {id}, priority {priority}) is beside the frame")
        });
        let comments = [tag.as_deref(), comment];
        let comment: Vec<&str> = comments.into_iter().flatten().collect();
        let comment = (!comment.is_empty()).then(|| comment.join("; "));
        for nb in nbl.buffers() {
            self.record(edge, direction, &frames::sent(nbl, nb), comment.clone());
        }
    }
}

impl Inner {
    fn write(
        &mut self,
        edge: &str,
        direction: Direction,
        frame: &[u8],
        comment: Option<String>,
        time: Duration,
    ) -> io::Result<()> {
        let interface = match self.interfaces.get(edge) {
            Some(&interface) => interface,
            None => self.add_interface(edge)?,
        };
        let mut options = vec![EnhancedPacketOption::Flags(direction as u32)];
        options.extend(comment.map(|comment| EnhancedPacketOption::Comment(Cow::Owned(comment))));
        let packet = EnhancedPacketBlock {
            interface_id: interface,
            timestamp: time,
            original_len: u32::try_from(frame.len()).unwrap_or(u32::MAX),
            data: Cow::Borrowed(frame),
            options,
        };
        self.writer
            .write_block(&packet.into_block())
            .map_err(into_io)?;
        Ok(())
    }

    fn add_interface(&mut self, edge: &str) -> io::Result<u32> {
        let interface = InterfaceDescriptionBlock {
            linktype: DataLink::ETHERNET,
            snaplen: u32::try_from(MAX_FRAME).unwrap_or(u32::MAX),
            options: vec![
                InterfaceDescriptionOption::IfName(Cow::Borrowed(edge)),
                InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
            ],
        };
        self.writer
            .write_block(&interface.into_block())
            .map_err(into_io)?;
        let id = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
        self.interfaces.insert(edge.to_owned(), id);
        Ok(id)
    }
}

/// The capture that runs.
fn current() -> Option<Arc<Capture>> {
    if !ON.load(Ordering::Acquire) {
        return None;
    }
    CURRENT
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

fn binding_name(binding: &Binding) -> String {
    format!(
        "{} on {}",
        binding.protocol().name(),
        label(binding.adapter().name())
    )
}

/// What people call a device.
fn label(device: &str) -> String {
    device::find(device).map_or_else(|| device.to_owned(), |device| device.label)
}

fn into_io(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

/// `if_tsresol`: times count in units of 10 to the minus ninth of a second.
const NANOSECONDS: u8 = 9;

static ON: AtomicBool = AtomicBool::new(false);
static CURRENT: RwLock<Option<Arc<Capture>>> = RwLock::new(None);
