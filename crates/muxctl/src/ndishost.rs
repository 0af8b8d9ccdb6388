//! A machine that a running `ndishost` plays: `ndishost run --control SOCKET`.
//!
//! Lines of JSON over a Unix-domain socket, as docs/ndishost.md has them.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use mux_core::control::status;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::machine::{Adapter, Machine, MachineError, Reply};

/// A running `ndishost`.
pub struct Ndishost {
    stream: BufReader<UnixStream>,
    /// Of the last question.
    id: u64,
}

impl Ndishost {
    /// Connects to the socket.
    ///
    /// # Errors
    /// [`MachineError::Unreachable`] or [`MachineError::Denied`].
    pub fn connect(socket: &Path) -> Result<Self, MachineError> {
        let stream = UnixStream::connect(socket).map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => MachineError::Denied,
            _ => MachineError::Unreachable(format!(
                "no ndishost at {}: {error}; start one by `ndishost run --lab FILE --control {}`",
                socket.display(),
                socket.display()
            )),
        })?;
        // A driver has half a minute for a request, and the host some time to wait for what goes.
        let timeouts = stream
            .set_read_timeout(Some(LONG))
            .and_then(|()| stream.set_write_timeout(Some(LONG)));
        timeouts.map_err(|error| MachineError::Failed(error.to_string()))?;
        Ok(Self {
            stream: BufReader::new(stream),
            id: 0,
        })
    }

    fn ask<T: DeserializeOwned>(&mut self, mut question: Value) -> Result<T, MachineError> {
        self.id += 1;
        question["version"] = json!(1);
        question["id"] = json!(self.id);
        let mut line = String::new();
        let sent = writeln!(self.stream.get_mut(), "{question}");
        let read = sent.and_then(|()| self.stream.read_line(&mut line));
        match read {
            Ok(0) => return Err(MachineError::Unreachable("the ndishost ended".to_owned())),
            Ok(_) => {}
            Err(error) => {
                let text = format!("the ndishost does not answer: {error}");
                return Err(MachineError::Unreachable(text));
            }
        }
        let strange = || MachineError::Failed(format!("a strange answer: {}", line.trim_end()));
        let answer: Answer = serde_json::from_str(&line).map_err(|_| strange())?;
        match answer {
            Answer {
                error: Some(error), ..
            } => Err(MachineError::Failed(error)),
            Answer { id, ok, .. } if id == Some(self.id) => {
                serde_json::from_value(ok).map_err(|_| strange())
            }
            _ => Err(strange()),
        }
    }
}

impl Machine for Ndishost {
    fn adapters(&mut self) -> Result<Vec<Adapter>, MachineError> {
        #[derive(Deserialize)]
        struct Listed {
            device: String,
            label: String,
            is_virtual: bool,
        }
        let listed: Vec<Listed> = self.ask(json!({ "do": "adapters" }))?;
        let adapters = listed.into_iter().map(|it| Adapter {
            device: it.device,
            name: it.label,
            is_virtual: it.is_virtual,
        });
        Ok(adapters.collect())
    }

    fn control(&mut self, code: u32, input: &[u8], room: usize) -> Result<Reply, MachineError> {
        #[derive(Deserialize)]
        struct Controlled {
            opened: bool,
            status: u32,
            #[serde(default)]
            output: String,
        }
        let mut hex = String::new();
        for byte in input {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        let controlled: Controlled = self.ask(json!({
            "do": "control", "device": DEVICE, "code": code, "input": hex, "output_length": room,
        }))?;
        match controlled {
            Controlled {
                opened: false,
                status: status::OBJECT_NAME_NOT_FOUND,
                ..
            } => Err(MachineError::NoDriver),
            Controlled {
                opened: false,
                status: ACCESS_DENIED,
                ..
            } => Err(MachineError::Denied),
            Controlled {
                opened: false,
                status,
                ..
            } => Err(MachineError::Failed(format!(
                "{DEVICE} cannot be opened: status {status:#010x}"
            ))),
            Controlled { status, output, .. } => Ok(Reply {
                status,
                output: bytes(&output)
                    .ok_or_else(|| MachineError::Failed("a strange output".to_owned()))?,
            }),
        }
    }

    fn create_device(&mut self, name: &str) -> Result<String, MachineError> {
        #[derive(Deserialize)]
        struct Added {
            device: String,
        }
        let added: Added = self.ask(json!({ "do": "device-add", "label": name }))?;
        Ok(added.device)
    }

    fn name_device(&mut self, _device: &str, _name: &str) -> Result<(), MachineError> {
        // It has its name from the beginning.
        Ok(())
    }

    fn remove_device(&mut self, device: &str) -> Result<(), MachineError> {
        self.ask(json!({ "do": "device-remove", "device": device }))
    }
}

#[derive(Deserialize)]
struct Answer {
    id: Option<u64>,
    #[serde(default)]
    ok: Value,
    error: Option<String>,
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hex.chars().map(|it| it.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| (pair[0] << 4 | pair[1]) as u8)
            .collect(),
    )
}

/// The driver's control device, as programs open it.
const DEVICE: &str = r"\\.\ndismux";
const ACCESS_DENIED: u32 = 0xc000_0022;
const LONG: Duration = Duration::from_secs(90);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_pairs_of_digits() {
        assert_eq!(bytes("00fF"), Some(vec![0, 255]));
        assert_eq!(bytes(""), Some(Vec::new()));
        assert_eq!(bytes("0"), None);
        assert_eq!(bytes("0g"), None);
    }

    /// A machine whose ndishost answers with these lines.
    fn answered(answers: &'static [u8]) -> Ndishost {
        let (near, mut far) = UnixStream::pair().unwrap();
        std::thread::spawn(move || {
            let mut line = String::new();
            // It reads a question, answers, and ends.
            let _ = BufReader::new(far.try_clone().unwrap()).read_line(&mut line);
            let _ = far.write_all(answers);
        });
        Ndishost {
            stream: BufReader::new(near),
            id: 0,
        }
    }

    #[test]
    fn strange_answers_are_errors_and_so_is_none() {
        for answers in [
            &b""[..],
            b"{}\n",
            b"nonsense\n",
            b"{\"id\":7,\"ok\":[]}\n",
            b"{\"id\":1,\"ok\":{}}\n",
            b"{\"id\":1,\"error\":\"no\"}\n",
        ] {
            let shown = String::from_utf8_lossy(answers);
            assert!(answered(answers).adapters().is_err(), "{shown}");
        }
        let good = answered(b"{\"id\":1,\"ok\":[]}\n").adapters();
        assert_eq!(good.unwrap(), []);
    }

    #[test]
    fn a_device_that_is_not_there_means_that_the_driver_is_not_loaded() {
        let not_found = b"{\"id\":1,\"ok\":{\"opened\":false,\"status\":3221225524}}\n";
        let reply = answered(not_found).control(1, &[], 8);
        assert!(matches!(reply, Err(MachineError::NoDriver)));
        let denied = b"{\"id\":1,\"ok\":{\"opened\":false,\"status\":3221225506}}\n";
        let reply = answered(denied).control(1, &[], 8);
        assert!(matches!(reply, Err(MachineError::Denied)));
        let refused =
            b"{\"id\":1,\"ok\":{\"opened\":true,\"status\":3221225524,\"output\":\"\"}}\n";
        let reply = answered(refused).control(1, &[], 8).unwrap();
        assert_eq!(reply.status, status::OBJECT_NAME_NOT_FOUND);
    }
}
