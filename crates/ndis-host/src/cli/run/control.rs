//! `ndishost run --control SOCKET`: what an administrator does with a machine, for programs.
//!
//! A Unix-domain socket on which programs ask in lines of JSON and are answered in lines of JSON, each
//! connection in the order of its questions; `protocol` has the questions, and docs/ndishost.md tells of
//! them. The socket is its owner's alone (mode 0600), is there while everything is up, and is removed
//! when the run ends, by a broken rule too. A line that cannot be understood is answered with an error
//! and does nothing.
//!
//! | file | concern |
//! |---|---|
//! | `protocol` | what may be asked, and what is answered |
//! | `machine` | does it with the lab |
//!
//! Not here: anything about a particular driver.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::rules;
use machine::Machine;

pub(super) use machine::ClientsKey;

pub(super) mod machine;
mod protocol;

/// The socket. It listens from the start, and is removed when this is dropped.
pub(super) struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Makes the socket.
    ///
    /// # Errors
    /// Something is there that is no socket or that another run listens on, or it cannot be made.
    pub(super) fn listen(path: &Path) -> anyhow::Result<Self> {
        remove_dead_socket(path)?;
        let explain = || format!("cannot make the socket {}", path.display());
        let listener = bind(path).with_context(explain)?;
        let end = path.to_owned();
        rules::at_end(move || drop(fs::remove_file(end)));
        Ok(Self {
            listener,
            path: path.to_owned(),
        })
    }

    /// Serves programs until `stop`: each connection has a thread of its own, which ends before this
    /// returns.
    pub(super) fn serve(&self, machine: &Machine<'_>, stop: &AtomicBool) {
        let open = AtomicUsize::new(0);
        thread::scope(|scope| {
            while !stop.load(Ordering::SeqCst) {
                let stream = match self.listener.accept() {
                    Ok((stream, _)) => stream,
                    Err(error) if is_patience(&error) => {
                        thread::sleep(LOOK);
                        continue;
                    }
                    Err(error) => {
                        eprintln!("ndishost: {}: {error}", self.path.display());
                        thread::sleep(LOOK);
                        continue;
                    }
                };
                if open.load(Ordering::SeqCst) >= MOST_CONNECTIONS {
                    // The program sees the connection end; there is nobody to tell if this fails.
                    let _ = writeln!(&stream, "{}", protocol::error("too many connections"));
                    continue;
                }
                open.fetch_add(1, Ordering::SeqCst);
                let open = &open;
                scope.spawn(move || {
                    // A program that went away is no fault of the run's.
                    let _ = converse(stream, machine, stop);
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // Whoever removed it before has done what is done here.
        let _ = fs::remove_file(&self.path);
    }
}

/// Answers the lines of one connection until it ends.
fn converse(stream: UnixStream, machine: &Machine<'_>, stop: &AtomicBool) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(LOOK))?;
    stream.set_write_timeout(Some(SLOW))?;
    let mut reader = BufReader::new(&stream);
    let mut line = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let room = (MOST_BYTES - line.len()) as u64;
        match reader.by_ref().take(room).read_until(b'\n', &mut line) {
            Err(error) if is_patience(&error) => continue,
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        let is_whole = line.ends_with(b"\n");
        if !is_whole && line.len() >= MOST_BYTES {
            let text = format!("a line has at most {MOST_BYTES} bytes");
            return writeln!(&stream, "{}", protocol::error(&text));
        }
        if line.is_empty() || !is_whole {
            return Ok(());
        }
        let answer = protocol::answer(&line, |request| machine.act(request));
        writeln!(&stream, "{answer}")?;
        line.clear();
    }
    Ok(())
}

fn is_patience(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

/// A run that was killed leaves its socket behind, to which nobody listens.
fn remove_dead_socket(path: &Path) -> anyhow::Result<()> {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !metadata.file_type().is_socket() {
        bail!(
            "{} is there and is no socket: name another place",
            path.display()
        );
    }
    if UnixStream::connect(path).is_ok() {
        bail!(
            "another run listens on {}: name another place",
            path.display()
        );
    }
    fs::remove_file(path).with_context(|| format!("cannot replace {}", path.display()))
}

/// Its mode is set before anybody can connect.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    socket.listen(128)?;
    let listener = UnixListener::from(OwnedFd::from(socket));
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// How often those who wait look whether the run ends.
const LOOK: Duration = Duration::from_millis(20);
/// How long a program may take to read an answer.
const SLOW: Duration = Duration::from_secs(10);
const MOST_CONNECTIONS: usize = 32;
/// Of a line: room for the longest buffers in hexadecimal, and more.
const MOST_BYTES: usize = 4 << 20;
