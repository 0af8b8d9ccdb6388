//! What can go wrong, and what to do then.

use mux_core::control::{AnswerError, status};

use crate::machine::MachineError;

/// Why a command did not do what it should. What it had done is undone, except where it says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A step failed.
    #[error("cannot {doing}: {error}{}", hint(.error))]
    Machine {
        /// The step.
        doing: String,
        /// What went wrong.
        error: MachineError,
    },
    /// The driver refused a request.
    #[error("the driver did not {doing}: {}", refusal(*.status))]
    Refused {
        /// What it was asked.
        doing: String,
        /// The NTSTATUS.
        status: u32,
    },
    /// The driver's answer cannot be read.
    #[error("the driver's answer cannot be read: {0}; use the muxctl that came with the driver")]
    Answer(#[from] AnswerError),
    /// There is no such NIC.
    #[error("there is no network adapter \"{name}\"; there are: {}", list(.known))]
    UnknownNic {
        /// What was given.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The driver is not bound to the NIC.
    #[error(
        "ndismux is not bound to {name}; it is bound to: {}. Enable \"ndismux\" in the properties of {name}",
        list(.bound)
    )]
    NotBound {
        /// The NIC.
        name: String,
        /// What it is bound to.
        bound: Vec<String>,
    },
    /// There is no such VLAN adapter.
    #[error("there is no VLAN adapter {name}; there are: {}", list(.known))]
    UnknownVlan {
        /// What was given.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Several VLAN adapters fit.
    #[error("{name} is not one VLAN adapter but several: name one of {}", list(.known))]
    Ambiguous {
        /// What was given.
        name: String,
        /// What fits.
        known: Vec<String>,
    },
    /// The NIC has an adapter in that VLAN.
    #[error("{nic} has an adapter in VLAN {vlan} already: {name}")]
    VlanTaken {
        /// The NIC.
        nic: String,
        /// The VLAN.
        vlan: u16,
        /// What is in it.
        name: String,
    },
    /// The name is another adapter's.
    #[error("there is a network adapter \"{name}\" already: choose another --name")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The adapter did not come up in time.
    #[error(
        "{name} did not come up within {seconds} s; it was last {state}. See whether its device has a \
         problem, and whether {nic} is up"
    )]
    NotUp {
        /// The adapter.
        name: String,
        /// How long it had.
        seconds: u64,
        /// Its state.
        state: String,
        /// The NIC.
        nic: String,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// It failed, and what it had done could not all be undone.
    #[error("{error}\n{}", .left.iter().map(|it| format!("not undone: {it}")).collect::<Vec<_>>().join("\n"))]
    NotUndone {
        /// Why it failed.
        error: Box<Error>,
        /// What could not be undone, and why.
        left: Vec<String>,
    },
}

impl Error {
    /// The exit code that tells the kind of it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Machine { error, .. } => match error {
                MachineError::NoDriver | MachineError::Unreachable(_) => exit::NOT_THERE,
                MachineError::Denied => exit::DENIED,
                MachineError::Failed(_) => exit::FAILED,
            },
            Self::UnknownNic { .. }
            | Self::NotBound { .. }
            | Self::UnknownVlan { .. }
            | Self::Ambiguous { .. }
            | Self::VlanTaken { .. }
            | Self::NameTaken { .. } => exit::WRONG,
            Self::Interrupted => exit::INTERRUPTED,
            Self::NotUndone { .. } => exit::NOT_UNDONE,
            Self::Refused { .. } | Self::Answer(_) | Self::NotUp { .. } => exit::FAILED,
        }
    }
}

/// The exit codes of `muxctl`.
pub mod exit {
    /// Something failed; what was done is undone.
    pub const FAILED: u8 = 1;
    /// The arguments name what is not there, or what cannot be.
    pub const WRONG: u8 = 2;
    /// The driver, or the running ndishost, is not there.
    pub const NOT_THERE: u8 = 3;
    /// Not an administrator.
    pub const DENIED: u8 = 4;
    /// Something failed, and what was done could not all be undone.
    pub const NOT_UNDONE: u8 = 5;
    /// Ctrl-C; what was done is undone.
    pub const INTERRUPTED: u8 = 130;
}

/// What to do about it.
fn hint(error: &MachineError) -> &'static str {
    match error {
        MachineError::NoDriver => {
            ". The first VLAN adapter loads it: `muxctl vlan add`; is the driver installed?"
        }
        MachineError::Denied => ". Run muxctl as administrator",
        MachineError::Unreachable(_) | MachineError::Failed(_) => "",
    }
}

fn refusal(code: u32) -> String {
    let text = match code {
        status::REVISION_MISMATCH => {
            "it speaks another version; use the muxctl that came with the driver"
        }
        status::INVALID_DEVICE_REQUEST => {
            "it does not know the request; use the muxctl that came with the driver"
        }
        status::INVALID_PARAMETER => "it found the request wrong",
        status::NO_SUCH_DEVICE => "it is not bound to that network adapter",
        status::OBJECT_NAME_NOT_FOUND => "it has no such VLAN adapter",
        status::OBJECT_NAME_COLLISION => "it has that VLAN adapter already",
        status::ADDRESS_ALREADY_EXISTS => "the network adapter has an adapter in that VLAN already",
        status::INSUFFICIENT_RESOURCES => {
            "it has no memory for it, or the network adapter has 4094 already"
        }
        _ => return format!("status {code:#010x}"),
    };
    format!("{text} (status {code:#010x})")
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}
