//! The programs the demo runs, and the Debian packages that have them.
//!
//! Open vSwitch is only needed where the kernel has no 8021q. Its package would start a switch for
//! the whole machine; the demo wants the programs alone, so no service is started while it installs.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::machine::{self, Need};
use crate::process;

use super::switch::{self, Choice};
use super::tool::Interrupt;

/// Makes sure that all programs are there.
pub(super) fn ensure(choice: Choice, interrupt: &Interrupt) -> Result<()> {
    machine::ensure(&[
        program("ip", "network namespaces", &["iproute2"]),
        program(
            "setpriv",
            "ending a program with its parent",
            &["util-linux"],
        ),
        program("ethtool", "offload settings", &["ethtool"]),
        program("ping", "reachability", &["iputils-ping"]),
        program("iperf3", "TCP throughput", &["iperf3"]),
        program("tcpdump", "captures", &["tcpdump"]),
    ])?;
    let open_vswitch = match choice {
        Choice::Ovs => true,
        Choice::Kernel => false,
        Choice::Auto => !switch::kernel_has_8021q(interrupt)?,
    };
    if open_vswitch && process::find_program("ovs-vswitchd").is_none() {
        let _quiet = NoServices::begin()?;
        machine::ensure(&[program(
            "ovs-vswitchd",
            "a VLAN switch in user space",
            &["openvswitch-switch"],
        )])?;
    }
    Ok(())
}

fn program(name: &'static str, what_for: &str, packages: &'static [&'static str]) -> Need {
    Need::new(format!("{name} ({what_for})"), packages, move || {
        process::find_program(name).is_some()
    })
}

/// While this lives, installing a package starts no service. What the machine already says about
/// that is left alone.
struct NoServices {
    ours: bool,
}

impl NoServices {
    fn begin() -> Result<Self> {
        let explain = || format!("cannot write {POLICY}");
        match fs::File::create_new(POLICY) {
            Ok(file) => {
                let guard = Self { ours: true };
                fs::write(POLICY, "#!/bin/sh\nexit 101\n").with_context(explain)?;
                file.set_permissions(fs::Permissions::from_mode(0o755))
                    .with_context(explain)?;
                Ok(guard)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Self { ours: false }),
            Err(error) => Err(error).with_context(explain),
        }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(Path::new(POLICY));
        }
    }
}

/// What `invoke-rc.d` asks before it starts a service; 101 is "no".
const POLICY: &str = "/usr/sbin/policy-rc.d";
