//! `cargo xtask demo`: the real driver image passes real traffic, from loading to unloading.
//!
//! It builds what it needs, lays a private network (`network.rs`, `switch.rs`), runs `ndishost` on
//! `labs/demo.toml` in it (`host.rs`), makes traffic (`traffic.rs`, `stream.rs`) and looks at the wire
//! (`capture.rs`), adds and removes VLAN adapters meanwhile (`muxctl.rs`), ends everything in order, and
//! reports each item as it finds it (`report.rs`).
//! Every item has to hold. Whatever way it ends, it takes away what it made.
//!
//! Not in here: how the image is built, and anything about NDIS.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::repository;

use host::Host;
use lifecycle::Events;
use muxctl::{LAB_NIC, Muxctl};
use network::{ADDED, ALL, Network, VLANS};
use report::Report;
use switch::Switch;
use tool::Interrupt;

mod capture;
mod checks;
mod host;
mod image;
mod lifecycle;
mod muxctl;
mod network;
mod packages;
mod report;
mod stream;
mod switch;
mod tool;
mod traffic;

/// Options of `cargo xtask demo`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Seconds of each TCP measurement (there are four).
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Keep the captures of the wire and of the host's edges in this folder.
    #[arg(long, value_name = "DIR")]
    keep_captures: Option<PathBuf>,
    /// Which switch stands between the driver and the peers.
    #[arg(long, value_enum, default_value_t)]
    switch: switch::Choice,
    /// Print one JSON document at the end instead of the report.
    #[arg(long)]
    json: bool,
    /// Show the host's events as well.
    #[arg(long, short)]
    verbose: bool,
    /// Run this ndishost instead of building one.
    #[arg(long, value_name = "PROGRAM")]
    ndishost: Option<PathBuf>,
    /// Run this muxctl instead of building one.
    #[arg(long, value_name = "PROGRAM")]
    muxctl: Option<PathBuf>,
    /// Take this image instead of building one (for the section on the image; the lab file says
    /// which one runs).
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
}

/// Runs the demo.
///
/// # Errors
/// It could not begin (not root, a tool is missing, something does not build), or an item did not
/// hold.
pub(crate) fn run(options: &Args) -> Result<()> {
    let begun = Instant::now();
    ensure!(
        rustix::process::geteuid().is_root(),
        "the demo needs root for its private network: run `sudo -E $(command -v cargo) xtask demo`"
    );
    let interrupt = Interrupt::install()?;
    let mut report = Report::new(options.json)?;
    let machine = Machine::now()?;
    let namespace_folder = network::NamespaceFolder::note();
    network::remove_abandoned()?;
    packages::ensure(options.switch, &interrupt)?;
    let built = Built::make(options, &interrupt)?;

    report.section("The image");
    image::check(&mut report, &built.ndishost, &built.image, &interrupt);
    let outcome = Stage::set(options, &built, &mut report, &interrupt)
        .and_then(|stage| stage.play(options, &built, &mut report, &interrupt));
    if let Err(error) = outcome {
        report.item("the demo", Err(error));
    }

    drop(namespace_folder);
    report.section("The machine");
    report.item("nothing is left behind", machine.is_as_before());
    report.finish(begun.elapsed().as_secs_f64());
    match report.failures() {
        0 => Ok(()),
        failures => bail!("items of the demo that do not hold: {failures}"),
    }
}

/// What the demo runs.
struct Built {
    image: PathBuf,
    ndishost: PathBuf,
    muxctl: PathBuf,
    lab: PathBuf,
}

impl Built {
    fn make(options: &Args, interrupt: &Interrupt) -> Result<Self> {
        let root = repository::root();
        let image = match &options.image {
            Some(image) => image.clone(),
            None => image::build(&root)?,
        };
        let ndishost = match &options.ndishost {
            Some(program) => program.clone(),
            None => host::build(&root, "ndis-host", "ndishost")?,
        };
        let muxctl = match &options.muxctl {
            Some(program) => program.clone(),
            None => host::build(&root, "muxctl", "muxctl")?,
        };
        interrupt.check()?;
        Ok(Self {
            image,
            ndishost,
            muxctl,
            lab: root.join("labs/demo.toml"),
        })
    }
}

/// Everything that runs. Fields are dropped in this order: what uses the network before the network.
struct Stage {
    host: Host,
    switch: Switch,
    network: Network,
    captures: PathBuf,
    /// The host's control socket.
    control: PathBuf,
}

impl Stage {
    /// Lays the network, starts the switch and the host, and hands the TAP devices to the clients.
    fn set(
        options: &Args,
        built: &Built,
        report: &mut Report,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        report.section("The network");
        let network = Network::create(interrupt).context("cannot lay the network")?;
        let mut switch =
            Switch::start(options.switch, &network.switch, network.folder(), interrupt)?;
        report.item(
            "switch",
            switch
                .describe()
                .map(|kind| format!("{kind}; trunk port and one access port per VLAN")),
        );
        let captures = match &options.keep_captures {
            Some(folder) => folder.clone(),
            None => network.folder().join("captures"),
        };
        std::fs::create_dir_all(&captures)
            .with_context(|| format!("cannot make {}", captures.display()))?;

        report.section("Coming up");
        let kept = options.keep_captures.as_ref().map(|_| captures.as_path());
        let log = network.folder().join("ndishost.log");
        let control = network.folder().join("control");
        let mut host = Host::start(
            &network.host,
            &built.ndishost,
            &built.lab,
            &control,
            kept,
            &log,
        )?;
        if let Err(error) = host.wait_ready(Duration::from_secs(60), interrupt) {
            show(report, &host, options.verbose);
            return Err(error.context("ndishost did not come up"));
        }
        for index in 0..VLANS.len() {
            network
                .hand_over_tap(index)
                .context("cannot hand the TAP devices to the clients")?;
        }
        Ok(Self {
            host,
            switch,
            network,
            captures,
            control,
        })
    }

    /// Traffic, then the end; each item goes to the report.
    fn play(
        mut self,
        options: &Args,
        built: &Built,
        report: &mut Report,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let adapters = VLANS.map(|vlan| vlan.tap);
        let events = Events(self.host.events());
        report.item("load", events.loaded());
        report.item("bind", events.bound(LAB_NIC));
        report.item("initialize", events.initialized(&adapters));
        report.item("link up", events.link_up(&adapters));

        let traffic = self.traffic(options, built, report, interrupt);

        let status = self.host.stop(Duration::from_secs(60));
        let events = Events(self.host.events());
        if let Ok(tallies) = &traffic {
            report.section("The virtual miniports");
            for vlan in ALL {
                let removed = vlan.id == muxctl::REMOVED_ID;
                let counters = checks::counters(&events, vlan, tallies, removed);
                report.item(vlan.tap, counters);
            }
        }
        report.section("Going down");
        report.item("unbind", events.unbound(LAB_NIC));
        let all = ALL.map(|vlan| vlan.tap);
        let halted = if traffic.is_ok() {
            &all[..]
        } else {
            &adapters[..]
        };
        report.item("halt", events.halted(halted));
        report.item("uninstall, unload", events.uninstalled_and_unloaded());
        report.item("outstanding", events.nothing_outstanding());
        let ended_well = report.item(
            "end of ndishost",
            status.and_then(|status| {
                ensure!(status.success(), "{status}; what it said follows");
                Ok("exit code 0".to_owned())
            }),
        );
        if options.verbose || !ended_well || traffic.is_err() {
            show(report, &self.host, options.verbose);
        }
        traffic.map(drop)
    }

    /// Whether it makes sense to go on with the next check.
    fn goes_on(&mut self, interrupt: &Interrupt) -> Result<()> {
        interrupt.check()?;
        self.host.must_run()?;
        self.switch
            .describe()
            .map(drop)
            .context("the switch is gone")
    }

    fn traffic(
        &mut self,
        options: &Args,
        built: &Built,
        report: &mut Report,
        interrupt: &Interrupt,
    ) -> Result<checks::Tallies> {
        let wire = checks::WireCaptures::start(&self.network, &self.captures, interrupt)?;
        report.section("Traffic");
        for (index, vlan) in VLANS.into_iter().enumerate() {
            for ip in [checks::Ip::V4, checks::Ip::V6] {
                let name = format!("VLAN {}, ping over {}", vlan.id, ip.name());
                report.item(&name, checks::pings(&self.network, index, ip, interrupt));
                self.goes_on(interrupt)?;
            }
        }
        for (index, vlan) in VLANS.into_iter().enumerate() {
            let name = format!("VLAN {}, TCP for {} s each way", vlan.id, options.seconds);
            report.item(
                &name,
                checks::streams(&self.network, index, options.seconds, interrupt),
            );
            self.goes_on(interrupt)?;
        }

        report.section("Isolation");
        checks::isolation(report, &self.network, &self.captures, interrupt)?;
        self.goes_on(interrupt)?;

        report.section("VLANs change while traffic runs");
        let muxctl = Muxctl {
            program: &built.muxctl,
            socket: &self.control,
            interrupt,
        };
        muxctl.changes(report, &self.network)?;
        self.goes_on(interrupt)?;
        let events = Events(self.host.events());
        report.item("initialize VLAN 30", events.initialized(&[ADDED.tap]));

        report.section("The wire");
        let tallies = wire.stop()?;
        report.item("tags from the driver", checks::tags(&tallies.from_driver));
        report.item("tags to the driver", checks::tags(&tallies.to_driver));
        Ok(tallies)
    }
}

/// The host's events, and what it wrote to standard error.
fn show(report: &Report, host: &Host, events: bool) {
    if events {
        for event in host.events() {
            report.note(&event.to_string());
        }
    }
    for line in host.log().lines() {
        report.note(line);
    }
}

/// What the demo must leave as it was.
struct Machine {
    interfaces: Vec<String>,
}

impl Machine {
    fn now() -> Result<Self> {
        Ok(Self {
            interfaces: network::own_interfaces()?,
        })
    }

    /// Nothing of the demo is there any more, and the interfaces are those of before.
    fn is_as_before(&self) -> Result<String> {
        let left = network::leftovers()?;
        ensure!(left.is_empty(), "{}", left.join("; "));
        let (before, after) = (&self.interfaces, network::own_interfaces()?);
        ensure!(
            *before == after,
            "interfaces before: {}; now: {}",
            before.join(", "),
            after.join(", ")
        );
        Ok("no namespace, process, interface or file".to_owned())
    }
}
