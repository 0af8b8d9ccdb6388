//! `ndishost run --lab FILE`: brings a lab up, lets it run, takes it down in order.
//!
//! It ends on Ctrl-C, on `SIGTERM` or after `--for`; a second signal ends it at once. What a driver
//! does wrong on the way ends the process with the rule's report and exit code 1, as does anything
//! that is outstanding at the end. Exit code 0 says that everything was given back.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use ndis_sys::{NDIS_STATISTICS_INFO, NDIS_STATUS_SUCCESS, OID_GEN_STATISTICS};

use super::verifier;
use crate::client::Client;
use crate::faults::{self, LowResources};
use crate::lab::file::{LabFile, Replace, Running};
use crate::ndis::trace::{Recording, Trace};
use crate::nt::etw::{self, session::Session};
use crate::nt::pool;
use crate::rules;
use crate::timeline::{self, Timeline};
use control::machine::Machine;
use control::{ClientsKey, Control};
use events::{Counters, Events, Form};
use live::Live;
use stop::{Reason, Stop};

mod control;
mod events;
mod live;
mod stop;

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lab file: images, NICs, registry values, clients
    #[arg(long, value_name = "FILE")]
    lab: PathBuf,
    /// Take this file for the image of that service
    #[arg(long = "image", value_name = "SERVICE=FILE")]
    images: Vec<Replace>,
    /// End after this many seconds [default: run until Ctrl-C]
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
    #[command(flatten)]
    verifier: verifier::Args,
    /// Seconds from when everything is up to when calls begin to fail
    #[arg(
        long,
        value_name = "SECONDS",
        requires = "low_resources",
        default_value_t = 0
    )]
    low_resources_delay: u64,
    /// Write events as lines of JSON
    #[arg(long)]
    json: bool,
    /// Do not show the calls of a driver's life, nor live counters
    #[arg(long, short, conflicts_with = "json")]
    quiet: bool,
    /// Write the frames at each wire, binding and virtual miniport to ndishost.pcapng in this folder
    #[arg(long, value_name = "DIR")]
    capture: Option<PathBuf>,
    /// Write what crossed between NDIS and the drivers to this file at the end: .json, or .html to
    /// look at
    #[arg(long, value_name = "FILE", value_parser = timeline_file)]
    timeline: Option<PathBuf>,
    /// Show what drivers trace: of all providers, or of one by its name or {identifier}, up to a level
    /// (1 critical to 5 verbose) and of some keywords
    #[arg(
        long,
        value_name = "PROVIDER[:LEVEL[:KEYWORDS]]",
        num_args = 0..=1,
        default_missing_value = "*",
    )]
    trace: Vec<Session>,
    /// Write this file once everything is up
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Make this Unix-domain socket, over which programs control the machine (docs/ndishost.md)
    #[arg(long, value_name = "SOCKET")]
    control: Option<PathBuf>,
    /// What binds to each device that comes by --control, as TCP/IP does on Windows
    #[arg(long, value_name = "WIRE", requires = "control")]
    clients: Option<ClientsKey>,
}

/// Runs the lab. Exit code 0 only if all came up, and nothing is outstanding at the end.
///
/// # Errors
/// The lab file is wrong, something did not come up, or a driver cannot be unloaded.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut file = LabFile::load(&args.lab)?;
    file.replace(&args.images)?;
    verifier::guard(&mut file, args.verifier.special_pool);
    if let Some(folder) = &args.capture {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let capture = args.capture.as_ref().map(|folder| folder.join(CAPTURE));
    let form = match (args.json, args.quiet) {
        (true, _) => Form::Json,
        (false, true) => Form::Quiet,
        (false, false) => Form::Text,
    };
    Trace.record(if args.timeline.is_some() {
        Recording::Everything
    } else {
        Recording::Lifecycle
    });
    if let Some(path) = args.timeline.clone() {
        // A run that a broken rule ends is the one that somebody wants to see.
        rules::at_end(move || {
            if let Err(error) = Timeline::now().write(&path) {
                eprintln!("cannot write the timeline {}: {error}", path.display());
            }
        });
    }
    for &session in &args.trace {
        etw::listen(session);
    }
    let mut stop = Stop::install().context("cannot handle signals")?;
    let mut events = Events::new(form, names(&file));
    let control = args.control.as_deref().map(Control::listen).transpose()?;
    let mut running = Running::prepare(&file, capture.as_deref())?;

    let up = bring_up(&mut events, &mut running, &file, args.ready_file.as_deref());
    let machine = Machine::new(&running, args.clients);
    if up.is_ok() {
        stop.begin(args.seconds.map(Duration::from_secs));
        let reason = controlled(control.as_ref(), &machine, || {
            let delay = Duration::from_secs(args.low_resources_delay);
            let low_resources = args.verifier.low_resources();
            let fail = low_resources.map(|options| (Instant::now() + delay, options));
            watch(&stop, &mut events, &running, form == Form::Text, fail)
        });
        events.ending(match reason {
            Reason::Asked => "asked by a signal",
            Reason::TimeOver => "its time is over",
        });
    }
    drop(control);

    for (adapter, client) in adapters(&file, &running) {
        say_counters(&events, adapter, client);
    }
    for (adapter, client) in machine.clients() {
        say_counters(&events, &adapter, client);
    }
    narrated(&mut events, || machine.take_down());
    let down = narrated(&mut events, || running.take_down());
    if let Some(ready) = &args.ready_file {
        // It says that everything is up, which it no longer is.
        let _ = std::fs::remove_file(ready);
    }
    if let Some(path) = &args.timeline {
        Timeline::now()
            .write(path)
            .with_context(|| format!("cannot write the timeline {}", path.display()))?;
        events.timeline(path);
    }
    if let Some(simulated) = faults::simulated() {
        events.low_resources(simulated);
    }
    events.pool(&pool::by_tag(), &pool::by_caller());
    let outstanding = running.lab().outstanding();
    let items: Vec<String> = outstanding.to_string().lines().map(str::to_owned).collect();
    let nothing = outstanding.is_nothing();
    events.outstanding(if nothing { &[] } else { &items });
    up?;
    down?;
    Ok(if nothing {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A file that a timeline can be written to.
fn timeline_file(path: &str) -> Result<PathBuf, timeline::UnknownForm> {
    let path = PathBuf::from(path);
    timeline::Form::of(&path).map(|_| path)
}

fn bring_up(
    events: &mut Events,
    running: &mut Running,
    file: &LabFile,
    ready: Option<&Path>,
) -> anyhow::Result<()> {
    narrated(events, || running.load(file))?;
    for image in &file.images {
        events.loaded(&image.service, &image.file.display().to_string());
    }
    narrated(events, || running.plug(file))?;
    for client in running.clients() {
        let up = client.wait_link(true, LINK);
        let speed = client
            .attributes()
            .map_or(0, |attributes| attributes.link_speed);
        events.link(client.name(), up, speed);
    }
    if let Some(ready) = ready {
        std::fs::write(ready, "ready\n")
            .with_context(|| format!("cannot write {}", ready.display()))?;
    }
    events.ready();
    Ok(())
}

/// Does `work`, and serves programs meanwhile.
fn controlled<R>(control: Option<&Control>, machine: &Machine<'_>, work: impl FnOnce() -> R) -> R {
    let Some(control) = control else {
        return work();
    };
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| control.serve(machine, &stop));
        scope.spawn(|| machine.wire_clients(&stop));
        let result = work();
        stop.store(true, Ordering::SeqCst);
        result
    })
}

/// Lets the lab run until the end comes; says what happens meanwhile. From that instant on calls `fail`.
fn watch(
    stop: &Stop,
    events: &mut Events,
    running: &Running,
    wanted: bool,
    mut fail: Option<(Instant, LowResources)>,
) -> Reason {
    const SECOND: Duration = Duration::from_secs(1);
    let mut live = Live::new(wanted);
    let mut before = Instant::now();
    loop {
        if let Some((_, options)) = fail.take_if(|(from, _)| *from <= Instant::now()) {
            faults::simulate(options);
        }
        let reason = stop.wait(SECOND);
        live.clear();
        events.calls();
        if let Some(reason) = reason {
            return reason;
        }
        if live.is_shown() {
            let clients = running.clients().iter();
            let now = clients.map(|client| (client.name().to_owned(), counted_by_client(client)));
            live.show(now.collect(), before.elapsed());
        }
        before = Instant::now();
    }
}

/// Does `work`, and says meanwhile which calls return.
fn narrated<R>(events: &mut Events, work: impl FnOnce() -> R) -> R {
    const LOOK: Duration = Duration::from_millis(20);
    let done = AtomicBool::new(false);
    let result = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                events.calls();
                thread::sleep(LOOK);
            }
        });
        let result = work();
        done.store(true, Ordering::Release);
        result
    });
    events.calls();
    result
}

/// Says what the client and the adapter below it counted, at one moment: the adapter is asked again
/// until nothing came between.
fn say_counters(events: &Events, adapter: &str, client: &Client) {
    const TRIES: usize = 10;
    let mut by_adapter = counted_by_adapter(client);
    let mut by_client = counted_by_client(client);
    for _ in 0..TRIES {
        let again = counted_by_adapter(client);
        if again == by_adapter {
            break;
        }
        by_adapter = again;
        by_client = counted_by_client(client);
    }
    events.counters(adapter, "client", &by_client);
    if let Some(counters) = by_adapter {
        events.counters(adapter, "adapter", &counters);
    }
}

/// Each adapter that has a client, and that client.
fn adapters<'a>(
    file: &'a LabFile,
    running: &'a Running,
) -> impl Iterator<Item = (&'a str, &'static Client)> {
    file.clients.iter().filter_map(|section| {
        let client = running
            .clients()
            .iter()
            .find(|client| client.name() == section.name)?;
        Some((section.above.as_str(), *client))
    })
}

fn counted_by_client(client: &Client) -> Counters {
    let counters = client.counters();
    Counters {
        sent_frames: counters.sent_frames,
        sent_bytes: counters.sent_bytes,
        received_frames: counters.received_frames,
        received_bytes: counters.received_bytes,
        errors: counters.send_errors,
    }
}

/// The adapter's own statistics, if its driver answers `OID_GEN_STATISTICS`.
fn counted_by_adapter(client: &Client) -> Option<Counters> {
    let (status, answer) = client.query(OID_GEN_STATISTICS, size_of::<NDIS_STATISTICS_INFO>());
    if status != NDIS_STATUS_SUCCESS {
        return None;
    }
    // Header and SupportedStatistics, then 64-bit counters in the structure's order.
    let counter = |offset: usize| {
        answer
            .get(offset..)?
            .first_chunk()
            .copied()
            .map(u64::from_le_bytes)
    };
    let sum = |offsets: [usize; 3]| offsets.into_iter().map(counter).sum::<Option<u64>>();
    macro_rules! at {
        ($($field:ident),+) => { [$(std::mem::offset_of!(NDIS_STATISTICS_INFO, $field)),+] };
    }
    Some(Counters {
        sent_frames: sum(at![
            ifHCOutUcastPkts,
            ifHCOutMulticastPkts,
            ifHCOutBroadcastPkts
        ])?,
        sent_bytes: counter(at![ifHCOutOctets][0])?,
        received_frames: sum(at![
            ifHCInUcastPkts,
            ifHCInMulticastPkts,
            ifHCInBroadcastPkts
        ])?,
        received_bytes: counter(at![ifHCInOctets][0])?,
        errors: counter(at![ifInErrors][0])? + counter(at![ifOutErrors][0])?,
    })
}

/// What the lab file calls each device.
fn names(file: &LabFile) -> Vec<(String, String)> {
    let nics = file
        .nics
        .iter()
        .map(|nic| (nic.device_name(), nic.name.clone()));
    let virtual_miniports = file.virtual_miniports.iter().map(|virtual_miniport| {
        (
            virtual_miniport.device.as_str().to_owned(),
            virtual_miniport.name.clone(),
        )
    });
    let adapters = file.adapters.iter();
    let adapters = adapters.map(|adapter| (adapter.device_name(), adapter.name.clone()));
    nics.chain(adapters).chain(virtual_miniports).collect()
}

/// The file with the captured frames.
const CAPTURE: &str = "ndishost.pcapng";

/// How long a link may take to come up.
const LINK: Duration = Duration::from_secs(10);
