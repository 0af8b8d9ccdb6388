//! The switch between the driver's NIC and the peers: one trunk port, one access port per VLAN.
//!
//! Neither kind is ours: the kernel's 8021q with a bridge per VLAN where the kernel has it, else
//! Open vSwitch in user space. Both live in the switch's namespace and go with it; the processes of
//! Open vSwitch end when this is dropped.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::network::{ALL, Namespace, TRUNK};
use super::tool::{self, Background, Interrupt};

/// A switch that runs.
pub(super) enum Switch {
    /// The kernel's 8021q and bridges.
    Kernel,
    /// Open vSwitch.
    OpenVSwitch(OpenVSwitch),
}

/// Open vSwitch in user space. The switch ends before the database it works from.
pub(super) struct OpenVSwitch {
    switch: Background,
    database: Background,
    version: String,
}

/// Which switch to take.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Choice {
    /// The kernel's where it has 8021q, else Open vSwitch.
    #[default]
    Auto,
    /// The kernel's 8021q and bridges.
    Kernel,
    /// Open vSwitch in user space.
    Ovs,
}

impl Switch {
    /// Starts the switch in `namespace`, with its sockets and logs in `folder`.
    pub(super) fn start(
        choice: Choice,
        namespace: &Namespace,
        folder: &Path,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let kernel = match choice {
            Choice::Auto => kernel_has_8021q(interrupt)?,
            Choice::Kernel => true,
            Choice::Ovs => false,
        };
        if kernel {
            start_kernel(namespace)
                .context("cannot set up the kernel's switch; try --switch ovs")?;
            return Ok(Self::Kernel);
        }
        OpenVSwitch::start(namespace, folder, interrupt)
            .map(Self::OpenVSwitch)
            .context("cannot start Open vSwitch")
    }

    /// What it is, and that it still runs.
    pub(super) fn describe(&mut self) -> Result<String> {
        match self {
            Self::Kernel => Ok("the kernel's 8021q, one bridge per VLAN".to_owned()),
            Self::OpenVSwitch(ovs) => {
                ovs.database.must_run()?;
                ovs.switch.must_run()?;
                Ok(format!("Open vSwitch {} in user space", ovs.version))
            }
        }
    }
}

/// Whether the kernel makes VLAN interfaces. The only sure way to know is to make one, in a namespace
/// that is gone when this returns.
pub(super) fn kernel_has_8021q(interrupt: &Interrupt) -> Result<bool> {
    let namespace = Namespace::create("probe", interrupt)?;
    namespace.ip(&[
        "link", "add", "name", "near", "type", "veth", "peer", "name", "far",
    ])?;
    Ok(namespace
        .ip(&[
            "link", "add", "link", "near", "name", "near.1", "type", "vlan", "id", "1",
        ])
        .is_ok())
}

fn start_kernel(namespace: &Namespace) -> Result<()> {
    for vlan in ALL {
        let id = vlan.id.to_string();
        let (tagged, bridge) = (format!("{TRUNK}.{id}"), format!("br{id}"));
        namespace.ip(&[
            "link", "add", "link", TRUNK, "name", &tagged, "type", "vlan", "id", &id,
        ])?;
        namespace.ip(&[
            "link",
            "add",
            "name",
            &bridge,
            "type",
            "bridge",
            "mcast_snooping",
            "0",
        ])?;
        for port in [tagged.as_str(), vlan.peer_port] {
            namespace.ip(&["link", "set", port, "master", &bridge])?;
            namespace.ip(&["link", "set", port, "up"])?;
        }
        namespace.ip(&["link", "set", &bridge, "up"])?;
    }
    Ok(())
}

impl OpenVSwitch {
    fn start(namespace: &Namespace, folder: &Path, interrupt: &Interrupt) -> Result<Self> {
        let files = Files {
            folder: folder.join("ovs"),
        };
        std::fs::create_dir(&files.folder)
            .with_context(|| format!("cannot make {}", files.folder.display()))?;
        let start = Duration::from_secs(20);
        let database_file = files.path("conf.db");
        tool::must(
            files
                .on(Command::new("ovsdb-tool"))
                .arg("create")
                .arg(&database_file),
            start,
            interrupt,
        )?;

        let mut server = files.on(namespace.command("ovsdb-server"));
        server
            .arg(&database_file)
            .arg(format!(
                "--remote=punix:{}",
                files.path("db.sock").display()
            ))
            .arg(format!(
                "--pidfile={}",
                files.path("ovsdb-server.pid").display()
            ))
            .arg(format!(
                "--unixctl={}",
                files.path("ovsdb-server.ctl").display()
            ))
            .args(["--verbose=console:warn"]);
        let mut database = Background::start(&mut server, None, &files.path("ovsdb-server.log"))?;
        let socket = files.path("db.sock");
        let up = interrupt.wait_until(start, || {
            database.must_run()?;
            Ok(socket.exists())
        })?;
        anyhow::ensure!(
            up,
            "ovsdb-server did not open its socket within {} s",
            start.as_secs()
        );

        let remote = format!("unix:{}", socket.display());
        let mut daemon = files.on(namespace.command("ovs-vswitchd"));
        daemon
            .arg(&remote)
            .arg("--disable-system")
            .arg(format!(
                "--pidfile={}",
                files.path("ovs-vswitchd.pid").display()
            ))
            .arg(format!(
                "--unixctl={}",
                files.path("ovs-vswitchd.ctl").display()
            ))
            .args(["--verbose=console:warn"]);
        let control = |arguments: &[&str]| {
            let mut command = files.on(namespace.command("ovs-vsctl"));
            command
                .arg(format!("--db={remote}"))
                .arg("--timeout=20")
                .args(arguments);
            tool::must(&mut command, start + Duration::from_secs(5), interrupt)
        };
        control(&["--no-wait", "init"])?;
        let mut switch = Background::start(&mut daemon, None, &files.path("ovs-vswitchd.log"))?;

        let trunks = format!("trunks={}", ALL.map(|vlan| vlan.id.to_string()).join(","));
        let tags = ALL.map(|vlan| format!("tag={}", vlan.id));
        let mut arguments = vec![
            "add-br",
            "br0",
            "--",
            "set",
            "bridge",
            "br0",
            "datapath_type=netdev",
        ];
        arguments.extend(["--", "add-port", "br0", TRUNK, trunks.as_str()]);
        for (vlan, tag) in ALL.iter().zip(&tags) {
            arguments.extend(["--", "add-port", "br0", vlan.peer_port, tag]);
        }
        // Returns once ovs-vswitchd has taken the configuration over.
        control(&arguments)?;
        switch.must_run()?;
        let version = tool::must(
            Command::new("ovs-vswitchd").arg("--version"),
            start,
            interrupt,
        )?;
        let version = version
            .lines()
            .next()
            .and_then(|line| line.split_whitespace().last());
        Ok(Self {
            switch,
            database,
            version: version.unwrap_or("of unknown version").to_owned(),
        })
    }
}

/// The private folder that stands in for `/etc`, `/var/run` and `/var/log` of Open vSwitch.
struct Files {
    folder: PathBuf,
}

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn on(&self, mut command: Command) -> Command {
        for place in ["OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR"] {
            command.env(place, &self.folder);
        }
        command
    }
}
