//! The command line: what may be said, and its help.

use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use mux_core::config::asked::Address;
use mux_core::{MacAddress, VlanId};
use muxctl::engine::Which;

/// VLAN adapters of ndismux.
#[derive(Debug, Parser)]
#[command(name = "muxctl", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Print JSON, errors too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Control the machine that a running ndishost plays (`ndishost run --control SOCKET`)
    #[arg(long, global = true, value_name = "SOCKET", env = "MUXCTL_NDISHOST")]
    pub(crate) ndishost: Option<PathBuf>,
    /// How many seconds an adapter may take to come up
    #[arg(long, global = true, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) wait: Duration,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add, remove, change and list VLAN adapters
    #[command(subcommand)]
    Vlan(VlanCommand),
    /// Show the network adapters that ndismux is bound to, and the VLAN adapters on them
    Status,
    /// Show what VLAN adapters have counted
    Statistics {
        #[command(flatten)]
        which: Selection,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum VlanCommand {
    /// Add a VLAN adapter, and wait until it is up
    #[command(
        after_help = "Example:\n  muxctl vlan add --nic Ethernet --vlan 30 --name office\n\n\
        If anything fails, or on Ctrl-C, what was done is undone."
    )]
    Add(Add),
    /// Remove a VLAN adapter
    #[command(
        after_help = "Examples:\n  muxctl vlan remove office\n  muxctl vlan remove --nic Ethernet --vlan 30"
    )]
    Remove {
        #[command(flatten)]
        which: Selection,
    },
    /// Change the VLAN or the MAC address of a VLAN adapter
    #[command(after_help = "Examples:\n  muxctl vlan set office --to-vlan 31\n  \
        muxctl vlan set --nic Ethernet --vlan 31 --mac 02-4D-55-58-00-1F\n  \
        muxctl vlan set office --mac derived")]
    Set {
        #[command(flatten)]
        which: Selection,
        /// Its new VLAN: 1 to 4094, or 0 for untagged frames
        #[arg(long = "to-vlan", value_name = "VLAN", value_parser = vlan, required_unless_present = "mac")]
        new_vlan: Option<VlanId>,
        /// Its new MAC address; "derived" for the one that it has without a setting
        #[arg(long, value_name = "ADDRESS", value_parser = new_mac)]
        mac: Option<Address>,
    },
    /// List the VLAN adapters
    List {
        /// Those on this network adapter only
        #[arg(long)]
        nic: Option<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Add {
    /// The network adapter to stand on: its name, or its device name
    #[arg(long)]
    pub(crate) nic: String,
    /// The VLAN: 1 to 4094, or 0 for untagged frames
    #[arg(long, value_parser = vlan)]
    pub(crate) vlan: VlanId,
    /// What it is called [default: vlan and the number]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Its MAC address [default: one of its own, made from its name and the network adapter's]
    #[arg(long, value_name = "ADDRESS", value_parser = mac)]
    pub(crate) mac: Option<MacAddress>,
}

/// Which VLAN adapter.
#[derive(Args, Debug)]
#[group(multiple = true)]
pub(crate) struct Selection {
    /// The VLAN adapter: its name, its device name, or the GUID in that
    #[arg(conflicts_with_all = ["nic", "vlan"])]
    name: Option<String>,
    /// The one on this network adapter, in the VLAN that --vlan says
    #[arg(long, requires = "vlan")]
    nic: Option<String>,
    /// Its VLAN
    #[arg(long, requires = "nic", value_parser = vlan)]
    vlan: Option<VlanId>,
}

impl Selection {
    /// The one that is meant; ends the program, as any other wrong argument does, if none is named.
    pub(crate) fn required(&self) -> Which {
        self.selected().unwrap_or_else(|| {
            let text = "name a VLAN adapter, or say --nic and --vlan";
            Arguments::command()
                .error(ErrorKind::MissingRequiredArgument, text)
                .exit()
        })
    }

    pub(crate) fn selected(&self) -> Option<Which> {
        match (&self.name, &self.nic, self.vlan) {
            (Some(name), ..) => Some(Which::Name(name.clone())),
            (None, Some(nic), Some(vlan)) => Some(Which::OnNic {
                nic: nic.clone(),
                vlan: vlan.get(),
            }),
            _ => None,
        }
    }
}

fn vlan(text: &str) -> Result<VlanId, String> {
    let number = text
        .parse::<u32>()
        .map_err(|_| "a VLAN is a number: 1 to 4094, or 0 for no tag".to_owned())?;
    VlanId::new(number).map_err(|error| error.to_string())
}

fn mac(text: &str) -> Result<MacAddress, String> {
    let address: MacAddress = text
        .parse()
        .map_err(|error: mux_core::wire::mac::ParseMacAddressError| error.to_string())?;
    if !address.usable_as_station() {
        let text =
            "no adapter can have it: an adapter's address is not zero, and its first octet even";
        return Err(text.to_owned());
    }
    Ok(address)
}

fn new_mac(text: &str) -> Result<Address, String> {
    if text == "derived" {
        return Ok(Address::Derived);
    }
    mac(text)
        .map(Address::Set)
        .map_err(|error| format!("{error}; or write: derived"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: u64 = text
        .parse()
        .map_err(|_| "write a number of seconds".to_owned())?;
    Ok(Duration::from_secs(seconds))
}

const EXAMPLES: &str = "\
Examples:
  muxctl vlan add --nic Ethernet --vlan 30
  muxctl vlan list
  muxctl statistics vlan30
  muxctl vlan remove vlan30

Exit codes: 0 done; 1 failed, and what was done is undone; 2 the arguments name what is not there, or
cannot be; 3 the driver or the ndishost is not there; 4 not an administrator; 5 failed, and something
could not be undone; 130 interrupted, and what was done is undone.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    fn parse(line: &str) -> Result<Arguments, String> {
        let words = line.split_whitespace();
        Arguments::try_parse_from(words).map_err(|error| error.to_string())
    }

    #[test]
    fn vlans_and_addresses_are_checked_where_they_are_said() {
        assert!(parse("muxctl vlan add --nic e --vlan 4094").is_ok());
        assert!(parse("muxctl vlan add --nic e --vlan 0 --mac 024d5558001e").is_ok());
        for (line, part) in [
            ("muxctl vlan add --nic e --vlan 4095", "1 to 4094"),
            ("muxctl vlan add --nic e --vlan ten", "1 to 4094"),
            ("muxctl vlan add --vlan 10", "--nic"),
            (
                "muxctl vlan add --nic e --vlan 10 --mac 01-00-00-00-00-00",
                "first octet",
            ),
            ("muxctl vlan add --nic e --vlan 10 --mac x", "hexadecimal"),
            ("muxctl vlan set x", "--to-vlan"),
            ("muxctl vlan set x --mac default", "derived"),
            (
                "muxctl vlan add --nic e --vlan 10 --mac derived",
                "hexadecimal",
            ),
            ("muxctl vlan remove x --nic e", "cannot be used with"),
            ("muxctl vlan remove --nic e", "--vlan"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn an_address_can_be_set_or_derived_again() {
        let asked = |mac: &str| {
            let line = format!("muxctl vlan set office --mac {mac}");
            match parse(&line).unwrap().command {
                Command::Vlan(VlanCommand::Set { mac, .. }) => mac,
                other => panic!("{other:?}"),
            }
        };
        let address = MacAddress([2, 0x4d, 0x55, 0x58, 0, 0x1e]);
        assert_eq!(asked("02-4D-55-58-00-1E"), Some(Address::Set(address)));
        assert_eq!(asked("derived"), Some(Address::Derived));
    }

    #[test]
    fn one_is_named_or_found_by_nic_and_vlan() {
        let selected = |line: &str| match parse(line).unwrap().command {
            Command::Vlan(VlanCommand::Remove { which }) | Command::Statistics { which } => {
                which.selected()
            }
            other => panic!("{other:?}"),
        };
        assert!(matches!(selected("muxctl vlan remove x"), Some(Which::Name(name)) if name == "x"));
        let on = selected("muxctl vlan remove --nic e --vlan 10");
        assert!(matches!(on, Some(Which::OnNic { nic, vlan: 10 }) if nic == "e"));
        assert!(selected("muxctl statistics").is_none());
    }
}
