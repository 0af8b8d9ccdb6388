//! The demo's network: private namespaces, and cables between them.
//!
//! ```text
//!  client10 ─ TAP vlan10 ┐                               ┌ port10 ─ eth0 peer10
//!  client20 ─ TAP vlan20 ┼ host: ndishost ─ nic0 ═ trunk ┼ port20 ─ eth0 peer20
//!  client30 ─ TAP vlan30 ┘                        switch └ port30 ─ eth0 peer30
//! ```
//!
//! VLAN 30 is in the network from the start, and its adapter comes while the demo runs.
//!
//! Each name on the outside is a namespace of its own, as if it were a machine. Interfaces are made
//! inside the namespaces, so the machine's own namespace never sees one, and go with them. The names
//! carry the demo's process id; what a killed demo left is found by that and removed by the next.

use std::fs::{self, File};
use std::net::UdpSocket;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::tool::{self, Interrupt};

/// One of the VLANs: its identifier, its TAP device and its addresses.
#[derive(Clone, Copy)]
pub(super) struct Vlan {
    pub(super) id: u16,
    pub(super) tap: &'static str,
    pub(super) peer_port: &'static str,
}

/// Addresses end in these: the client above the driver, the peer behind the switch, and whoever
/// holds an address of the VLAN while standing in the other one.
#[derive(Clone, Copy)]
pub(super) enum Station {
    Client = 1,
    Peer = 2,
    StrayPeer = 3,
    StrayClient = 4,
}

/// The VLANs of `labs/demo.toml`.
pub(super) const VLANS: [Vlan; 2] = [
    Vlan {
        id: 10,
        tap: "vlan10",
        peer_port: "port10",
    },
    Vlan {
        id: 20,
        tap: "vlan20",
        peer_port: "port20",
    },
];

/// The VLAN whose adapter comes while traffic runs.
pub(super) const ADDED: Vlan = Vlan {
    id: 30,
    tap: "vlan30",
    peer_port: "port30",
};

/// All VLANs of the network; the stations of one have its place in [`Network::clients`] and
/// [`Network::peers`].
pub(super) const ALL: [Vlan; 3] = [VLANS[0], VLANS[1], ADDED];

/// The interface of the lab file's NIC, in the host's namespace.
pub(super) const NIC: &str = "nic0";
/// The other end of its cable, in the switch's namespace.
pub(super) const TRUNK: &str = "trunk";
/// A peer's only interface.
pub(super) const PEER_INTERFACE: &str = "eth0";

/// A network namespace of the demo's own, removed when dropped.
pub(super) struct Namespace {
    name: String,
    interrupt: Interrupt,
}

/// All namespaces and a private folder; all of it goes when this is dropped.
pub(super) struct Network {
    pub(super) host: Namespace,
    pub(super) switch: Namespace,
    pub(super) clients: [Namespace; 3],
    pub(super) peers: [Namespace; 3],
    folder: PathBuf,
}

impl Vlan {
    pub(super) fn v4(self, station: Station) -> String {
        format!("10.10.{}.{}", self.id, station as u8)
    }

    pub(super) fn v6(self, station: Station) -> String {
        format!("fd00:{}::{}", self.id, station as u8)
    }
}

impl Namespace {
    /// Makes the namespace of one role of this demo.
    pub(super) fn create(role: &str, interrupt: &Interrupt) -> Result<Self> {
        let name = format!("{}-{role}", prefix(std::process::id()));
        ip(interrupt, &["netns", "add", &name])
            .with_context(|| format!("cannot make the network namespace {name}"))?;
        let namespace = Self {
            name,
            interrupt: interrupt.clone(),
        };
        namespace.ip(&["link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// A socket inside, at an address that the namespace has. It stays inside whoever uses it.
    pub(super) fn udp_socket(&self, address: &str) -> Result<UdpSocket> {
        let file = File::open(Path::new(NAMESPACES).join(&self.name))
            .with_context(|| format!("cannot open the network namespace {}", self.name))?;
        // Only a thread of its own: it does not come back.
        let made = thread::scope(|scope| {
            scope
                .spawn(|| {
                    let network = Some(LinkNameSpaceType::Network);
                    move_into_link_name_space(file.as_fd(), network)?;
                    UdpSocket::bind((address, 0))
                })
                .join()
        });
        let made = made.map_err(|_| anyhow!("a socket's thread panicked"))?;
        made.with_context(|| format!("cannot make a socket at {address} in {}", self.name))
    }

    /// Whether it has an interface of that name.
    pub(super) fn has(&self, interface: &str) -> bool {
        self.ip(&["link", "show", interface]).is_ok()
    }

    /// The command that runs `program` inside.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Runs `ip` inside; it has to succeed.
    pub(super) fn ip(&self, arguments: &[&str]) -> Result<String> {
        let mut all = vec!["-netns", &self.name];
        all.extend(arguments);
        ip(&self.interrupt, &all)
    }

    /// Gives an interface addresses of both IP versions, free of duplicate address detection.
    pub(super) fn add_addresses(&self, interface: &str, v4: &str, v6: &str) -> Result<()> {
        self.ip(&["address", "add", &format!("{v4}/24"), "dev", interface])?;
        self.ip(&[
            "address",
            "add",
            &format!("{v6}/64"),
            "dev",
            interface,
            "nodad",
        ])?;
        Ok(())
    }

    /// No IPv6 of the kernel's own on interfaces made from now on: nothing but what the demo sends
    /// is to leave by them.
    fn without_ipv6(&self) -> Result<()> {
        for scope in ["all", "default"] {
            let path = format!("/proc/sys/net/ipv6/conf/{scope}/disable_ipv6");
            let script = format!("if [ -e {path} ]; then echo 1 > {path}; fi");
            tool::must(
                self.command("sh").args(["-c", &script]),
                SHORT,
                &self.interrupt,
            )?;
        }
        Ok(())
    }

    /// Switches off what would make frames that no wire carries: segmentation and merging, and
    /// checksums left to hardware that is not there.
    fn without_offloads(&self, interface: &str) -> Result<()> {
        for feature in ["tx", "rx", "tso", "gso", "gro", "sg"] {
            // A feature that is fixed at off for this kind of device is as good as switched off.
            tool::run(
                self.command("ethtool")
                    .args(["-K", interface, feature, "off"]),
                SHORT,
                &self.interrupt,
            )?;
        }
        let features = tool::must(
            self.command("ethtool").args(["-k", interface]),
            SHORT,
            &self.interrupt,
        )?;
        for feature in [
            "tx-checksumming",
            "tcp-segmentation-offload",
            "generic-segmentation-offload",
            "generic-receive-offload",
        ] {
            let off = features.lines().any(|line| {
                line.strip_prefix(feature)
                    .is_some_and(|rest| rest.starts_with(": off"))
            });
            if !off {
                bail!("{feature} of {interface} cannot be switched off");
            }
        }
        Ok(())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        delete(&self.name);
    }
}

impl Network {
    /// Makes the namespaces and the cables; the switch and the TAP devices come later.
    pub(super) fn create(interrupt: &Interrupt) -> Result<Self> {
        let folder = std::env::temp_dir().join(prefix(std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let namespace = |role: &str| Namespace::create(role, interrupt);
        let made = || -> Result<_> {
            Ok((
                namespace("host")?,
                namespace("switch")?,
                [
                    namespace("client10")?,
                    namespace("client20")?,
                    namespace("client30")?,
                ],
                [
                    namespace("peer10")?,
                    namespace("peer20")?,
                    namespace("peer30")?,
                ],
            ))
        };
        let (host, switch, clients, peers) = match made() {
            Ok(made) => made,
            Err(error) => {
                let _ = fs::remove_dir_all(&folder);
                return Err(error);
            }
        };
        let network = Self {
            host,
            switch,
            clients,
            peers,
            folder,
        };
        network.host.without_ipv6()?;
        network.switch.without_ipv6()?;
        cable(&network.host, NIC, &network.switch, TRUNK)?;
        for (vlan, peer) in ALL.iter().zip(&network.peers) {
            cable(peer, PEER_INTERFACE, &network.switch, vlan.peer_port)?;
            peer.add_addresses(
                PEER_INTERFACE,
                &vlan.v4(Station::Peer),
                &vlan.v6(Station::Peer),
            )?;
        }
        Ok(network)
    }

    /// A private folder for sockets, logs and captures.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Moves a TAP device that the host made to the client of the VLAN at `index`, and gives it its
    /// addresses.
    pub(super) fn hand_over_tap(&self, index: usize) -> Result<()> {
        let (vlan, client) = (ALL[index], &self.clients[index]);
        self.host
            .ip(&["link", "set", vlan.tap, "netns", &client.name])?;
        client.without_offloads(vlan.tap)?;
        client.ip(&["link", "set", vlan.tap, "up"])?;
        client.add_addresses(
            vlan.tap,
            &vlan.v4(Station::Client),
            &vlan.v6(Station::Client),
        )
    }

    /// Puts an address of each VLAN on the stations of the other one.
    pub(super) fn add_strays(&self) -> Result<()> {
        for (vlan, other) in VLANS.iter().zip([1, 0]) {
            self.peers[other].add_addresses(
                PEER_INTERFACE,
                &vlan.v4(Station::StrayPeer),
                &vlan.v6(Station::StrayPeer),
            )?;
            self.clients[other].add_addresses(
                VLANS[other].tap,
                &vlan.v4(Station::StrayClient),
                &vlan.v6(Station::StrayClient),
            )?;
        }
        Ok(())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The folder of `ip netns`, which is a mount of its own. If the machine had none before, it has none
/// after this is dropped, unless somebody else has a namespace in it by then.
pub(super) struct NamespaceFolder {
    was_there: bool,
}

impl NamespaceFolder {
    pub(super) fn note() -> Self {
        Self {
            was_there: Path::new(NAMESPACES).exists(),
        }
    }
}

impl Drop for NamespaceFolder {
    fn drop(&mut self) {
        let empty = || fs::read_dir(NAMESPACES).is_ok_and(|mut entries| entries.next().is_none());
        if !self.was_there && empty() {
            let _ = Command::new("umount").arg(NAMESPACES).output();
            // Removes an empty folder only.
            let _ = fs::remove_dir(NAMESPACES);
        }
    }
}

/// What of this demo is still on the machine: namespaces, processes inside them, its folder.
pub(super) fn leftovers() -> Result<Vec<String>> {
    let own = prefix(std::process::id());
    let mut found: Vec<String> = namespaces()?
        .into_iter()
        .filter(|name| name.starts_with(&own))
        .map(|name| format!("namespace {name}"))
        .collect();
    let folder = std::env::temp_dir().join(&own);
    if folder.exists() {
        found.push(format!("folder {}", folder.display()));
    }
    for entry in fs::read_dir("/proc")
        .context("cannot list /proc")?
        .flatten()
    {
        // A process may end while it is looked at; then it is not left over.
        let Ok(command) = fs::read(entry.path().join("cmdline")) else {
            continue;
        };
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        if command.contains(&own) {
            found.push(format!(
                "process {} ({})",
                entry.file_name().to_string_lossy(),
                command.trim_end()
            ));
        }
    }
    Ok(found)
}

/// Interfaces of the namespace that the demo was started in.
pub(super) fn own_interfaces() -> Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir("/sys/class/net")
        .context("cannot list /sys/class/net")?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

/// Removes namespaces and folders of demos whose process is gone.
pub(super) fn remove_abandoned() -> Result<()> {
    for name in namespaces()? {
        if owner(&name).is_some_and(|pid| !alive(pid)) {
            delete(&name);
        }
    }
    if let Ok(entries) = fs::read_dir(std::env::temp_dir()) {
        for entry in entries.flatten() {
            if owner(&entry.file_name().to_string_lossy()).is_some_and(|pid| !alive(pid)) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
    Ok(())
}

/// Names of the namespaces that `ip netns` knows.
fn namespaces() -> Result<Vec<String>> {
    match fs::read_dir(NAMESPACES) {
        Ok(entries) => Ok(entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("cannot list {NAMESPACES}")),
    }
}

/// A cable: two interfaces that are each other's ends, up, without offloads.
fn cable(a: &Namespace, a_interface: &str, b: &Namespace, b_interface: &str) -> Result<()> {
    a.ip(&[
        "link",
        "add",
        "name",
        a_interface,
        "type",
        "veth",
        "peer",
        "name",
        b_interface,
        "netns",
        &b.name,
    ])
    .with_context(|| format!("cannot lay a cable from {a_interface} to {b_interface}"))?;
    for (namespace, interface) in [(a, a_interface), (b, b_interface)] {
        namespace.without_offloads(interface)?;
        namespace.ip(&["link", "set", interface, "up"])?;
    }
    Ok(())
}

/// Removes a namespace. Not cut short by an interrupt: this is how an interrupted demo cleans up.
fn delete(name: &str) {
    let _ = Command::new("ip").args(["netns", "delete", name]).output();
}

fn ip(interrupt: &Interrupt, arguments: &[&str]) -> Result<String> {
    tool::must(Command::new("ip").args(arguments), SHORT, interrupt)
}

fn prefix(pid: u32) -> String {
    format!("{PREFIX}{pid}")
}

/// The process id in the name of something of a demo's.
fn owner(name: &str) -> Option<u32> {
    let rest = name.strip_prefix(PREFIX)?;
    rest.split('-').next()?.parse().ok()
}

fn alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

const PREFIX: &str = "ndismux-demo-";
const NAMESPACES: &str = "/run/netns";
const SHORT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_whose_they_are() {
        assert_eq!(owner("ndismux-demo-123-client10"), Some(123));
        assert_eq!(owner("ndismux-demo-123"), Some(123));
        assert_eq!(owner("ndismux-demo-x"), None);
        assert_eq!(owner("blue"), None);
        assert_eq!(owner(&prefix(7)), Some(7));
    }

    #[test]
    fn the_vlans_share_no_address() {
        let [ten, twenty, _] = ALL;
        assert_eq!(ten.v4(Station::Client), "10.10.10.1");
        assert_eq!(twenty.v6(Station::Peer), "fd00:20::2");
    }
}
