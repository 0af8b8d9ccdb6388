//! Traffic between the stations, made by ordinary tools: `ping` and `iperf3`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::network::Namespace;
use super::tool::{self, Background, Interrupt};

/// What a round of pings brought.
#[derive(Debug, PartialEq)]
pub(super) struct Pings {
    pub(super) sent: u32,
    pub(super) answered: u32,
    /// Mean round trip in milliseconds, if any came back.
    pub(super) mean: Option<f64>,
}

/// Sends five pings from `from` to `to` and waits for the answers.
pub(super) fn ping(from: &Namespace, to: &str, interrupt: &Interrupt) -> Result<Pings> {
    let mut command = from.command("ping");
    command
        .args(["-n", "-q", "-c", "5", "-i", "0.1", "-W", "2", to])
        .env("LC_ALL", "C");
    let finished = tool::run(&mut command, Duration::from_secs(20), interrupt)?;
    Pings::parse(&finished.stdout).with_context(|| {
        format!(
            "ping {to}: {}",
            tool::one_line(&(finished.stdout + &finished.stderr))
        )
    })
}

impl Pings {
    /// All answered, or an error.
    pub(super) fn all_answered(self) -> Result<String> {
        match self.mean {
            Some(mean) if self.answered == self.sent => {
                Ok(format!("{}/{}, {mean:.2} ms", self.answered, self.sent))
            }
            _ => bail!("{} of {} pings were answered", self.answered, self.sent),
        }
    }

    /// None answered, or an error.
    pub(super) fn none_answered(self) -> Result<String> {
        ensure!(
            self.answered == 0,
            "{} of {} pings were answered",
            self.answered,
            self.sent
        );
        ensure!(self.sent > 0, "no ping was sent");
        Ok(format!("0/{}", self.sent))
    }

    fn parse(text: &str) -> Option<Self> {
        let line = text
            .lines()
            .find(|line| line.contains("packets transmitted"))?;
        let mut numbers = line
            .split(", ")
            .map(|part| part.split(' ').next().unwrap_or_default());
        let sent = numbers.next()?.parse().ok()?;
        let answered = numbers.next()?.parse().ok()?;
        let mean = text
            .lines()
            .find_map(|line| line.strip_prefix("rtt min/avg/max/mdev = "))
            .and_then(|times| times.split('/').nth(1)?.parse().ok());
        Some(Self {
            sent,
            answered,
            mean,
        })
    }
}

/// One TCP stream for `seconds` from `client` to a server in `server`, or the other way when
/// `reverse`; returns what was received in megabits per second.
pub(super) fn tcp(
    client: &Namespace,
    server: &Namespace,
    address: &str,
    reverse: bool,
    seconds: u32,
    log: &Path,
    interrupt: &Interrupt,
) -> Result<f64> {
    let mut listen = server.command("iperf3");
    listen.args(["--server", "--one-off", "--bind", address]);
    let mut listener = Background::start(&mut listen, None, log)?;
    let listening = interrupt.wait_until(Duration::from_secs(10), || {
        listener.must_run()?;
        Ok(listens(listener.id()))
    })?;
    ensure!(
        listening,
        "the iperf3 server does not listen: {}",
        tool::one_line(&listener.said())
    );

    let mut command = client.command("iperf3");
    command
        .args([
            "--client",
            address,
            "--json",
            "--connect-timeout",
            "5000",
            "--time",
        ])
        .arg(seconds.to_string());
    if reverse {
        command.arg("--reverse");
    }
    let limit = Duration::from_secs(u64::from(seconds) + 20);
    let finished = tool::run(&mut command, limit, interrupt)?;
    let result: Value = serde_json::from_str(&finished.stdout).with_context(|| {
        format!(
            "iperf3 says: {}",
            tool::one_line(&(finished.stdout + &finished.stderr))
        )
    })?;
    if let Some(error) = result["error"].as_str() {
        bail!("iperf3: {error}");
    }
    let received = &result["end"]["sum_received"];
    let (Some(rate), Some(bytes)) = (
        received["bits_per_second"].as_f64(),
        received["bytes"].as_u64(),
    ) else {
        bail!("iperf3 reports no received bytes");
    };
    ensure!(bytes > 0, "TCP connected, but no byte arrived");
    Ok(rate / 1e6)
}

/// Whether the process has a listening TCP socket on iperf3's port in its namespace.
fn listens(pid: u32) -> bool {
    ["tcp", "tcp6"].iter().any(|table| {
        fs::read_to_string(format!("/proc/{pid}/net/{table}"))
            .is_ok_and(|text| text.lines().any(|line| is_listener(line, IPERF3_PORT)))
    })
}

/// Whether a line of `/proc/net/tcp` is a listening socket on `port`.
fn is_listener(line: &str, port: u16) -> bool {
    let mut fields = line.split_whitespace().skip(1);
    let local = fields.next().unwrap_or_default();
    let state = fields.nth(1).unwrap_or_default();
    state == "0A" && local.ends_with(&format!(":{port:04X}"))
}

const IPERF3_PORT: u16 = 5201;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ping_output_is_read_with_and_without_answers() {
        let good = "PING 10.10.10.2 (10.10.10.2) 56(84) bytes of data.\n\n--- 10.10.10.2 ping statistics ---\n\
            5 packets transmitted, 5 received, 0% packet loss, time 404ms\n\
            rtt min/avg/max/mdev = 0.101/0.250/0.400/0.090 ms\n";
        let pings = Pings::parse(good).unwrap();
        assert_eq!(
            pings,
            Pings {
                sent: 5,
                answered: 5,
                mean: Some(0.25)
            }
        );
        assert_eq!(pings.all_answered().unwrap(), "5/5, 0.25 ms");

        let none = "--- x ping statistics ---\n5 packets transmitted, 0 received, +5 errors, 100% packet loss, time 4ms\n";
        let pings = Pings::parse(none).unwrap();
        assert_eq!(
            pings,
            Pings {
                sent: 5,
                answered: 0,
                mean: None
            }
        );
        assert!(Pings::parse(none).unwrap().all_answered().is_err());
        assert_eq!(pings.none_answered().unwrap(), "0/5");
        assert_eq!(Pings::parse("ping: connect: Network is unreachable"), None);
    }

    #[test]
    fn a_listener_is_told_from_a_connection_on_the_same_port() {
        let listener =
            "   0: 020A0A0A:1451 00000000:0000 0A 00000000:00000000 00:00000000 00000000";
        let connection =
            "   1: 020A0A0A:1451 010A0A0A:C350 01 00000000:00000000 00:00000000 00000000";
        assert!(is_listener(listener, 5201));
        assert!(!is_listener(connection, 5201));
        assert!(!is_listener(listener, 22));
    }
}
