//! `muxctl`: VLAN adapters by command.

mod command_line;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser as _;
use muxctl::engine::{Change, NewVlan};
use muxctl::{Engine, Error, Machine, view};
use serde::Serialize;

use command_line::{Arguments, Command, VlanCommand};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if arguments.json {
                let error = serde_json::json!({ "error": error.to_string() });
                println!("{error:#}");
            } else {
                eprintln!("muxctl: {error}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    if let Err(error) = ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst)) {
        // It works without; Ctrl-C then ends it wherever it is.
        eprintln!("muxctl: Ctrl-C is not handled: {error}");
    }
    let engine = Engine::new(machine(arguments)?, move || {
        interrupted.load(Ordering::SeqCst)
    });
    act(engine.with_patience(arguments.wait), arguments)
}

#[cfg(unix)]
fn machine(arguments: &Arguments) -> Result<impl Machine + use<>, Error> {
    use muxctl::machine::MachineError;
    use muxctl::ndishost::Ndishost;

    let machine = arguments.ndishost.as_deref().map_or_else(
        || {
            let text = "this system is not Windows: name the socket of a running ndishost by \
                        --ndishost SOCKET or MUXCTL_NDISHOST";
            Err(MachineError::Unreachable(text.to_owned()))
        },
        Ndishost::connect,
    );
    machine.map_err(|error| Error::Machine {
        doing: "reach the machine".to_owned(),
        error,
    })
}

#[cfg(windows)]
fn machine(arguments: &Arguments) -> Result<impl Machine + use<>, Error> {
    use muxctl::machine::MachineError;

    match arguments.ndishost {
        None => Ok(muxctl::windows::Windows),
        Some(_) => Err(Error::Machine {
            doing: "reach the machine".to_owned(),
            error: MachineError::Unreachable("ndishost runs on Linux only".to_owned()),
        }),
    }
}

fn act(mut engine: Engine<impl Machine>, arguments: &Arguments) -> Result<(), Error> {
    let json = arguments.json;
    match &arguments.command {
        Command::Status => {
            let nics = engine.nics()?;
            let vlans = nics.iter().flat_map(|nic| &nic.vlans);
            let table = || format!("{}\n{}", view::nics(&nics), view::vlans(vlans));
            show(json, &nics, table);
        }
        Command::Statistics { which } => {
            let which = which.selected();
            let statistics = engine.statistics(which.as_ref())?;
            show(json, &statistics, || view::statistics(&statistics));
        }
        Command::Vlan(VlanCommand::List { nic }) => {
            let nics = engine.nics()?;
            let wanted = |it: &&view::Nic| nic.as_ref().is_none_or(|name| it.is_called(name));
            let found: Vec<&view::Nic> = nics.iter().filter(wanted).collect();
            if let (Some(nic), []) = (nic, &found[..]) {
                return Err(Error::NotBound {
                    name: nic.clone(),
                    bound: nics.iter().map(|nic| nic.name.clone()).collect(),
                });
            }
            let vlans: Vec<_> = found.into_iter().flat_map(|nic| &nic.vlans).collect();
            show(json, &vlans, || view::vlans(vlans.iter().copied()));
        }
        Command::Vlan(VlanCommand::Add(add)) => {
            let vlan = engine.add(&NewVlan {
                nic: add.nic.clone(),
                vlan: add.vlan,
                name: add.name.clone(),
                address: add.mac,
            })?;
            show(json, &vlan, || view::vlans([&vlan]));
        }
        Command::Vlan(VlanCommand::Remove { which }) => {
            let name = engine.remove(&which.required())?;
            let removed = serde_json::json!({ "removed": name });
            show(json, &removed, || format!("{name} is removed\n"));
        }
        Command::Vlan(VlanCommand::Set {
            which,
            new_vlan,
            mac,
        }) => {
            let change = Change {
                vlan: *new_vlan,
                address: *mac,
            };
            let vlan = engine.set(&which.required(), change)?;
            show(json, &vlan, || view::vlans([&vlan]));
        }
    }
    Ok(())
}

fn show(json: bool, value: &impl Serialize, table: impl FnOnce() -> String) {
    use std::io::Write as _;

    let text = match json {
        true => serde_json::to_string_pretty(value).unwrap_or_default() + "\n",
        false => table(),
    };
    // Whoever read it went away: what was asked is done all the same.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
