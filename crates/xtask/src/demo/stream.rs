//! A stream of numbered datagrams each way between two stations: whoever misses one knows which.
//!
//! Paced, so that no queue of the machine's own overflows; of several lengths up to the longest that fits.
//! Lifecycle: it runs from [`Stream::start`] to [`Stream::stop`], which sends no more, waits for what is
//! on its way and counts.

use std::collections::BTreeSet;
use std::fmt;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::network::{Network, Station, Vlan};

/// A stream that runs; its threads end soon after it was dropped.
pub(super) struct Stream {
    stop: Flag,
    /// From the client to the peer, and back.
    ways: [Way; 2],
}

struct Way {
    sent: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
    sender: JoinHandle<Result<u64>>,
    receiver: JoinHandle<BTreeSet<u64>>,
    /// The sender sends no more.
    over: Flag,
}

/// Says something to a thread, when it is dropped at the latest.
#[derive(Default)]
struct Flag(Arc<AtomicBool>);

impl Flag {
    fn raise(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Drop for Flag {
    fn drop(&mut self) {
        self.raise();
    }
}

/// What came of one way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Count {
    pub(super) sent: u64,
    /// The numbers that did not arrive.
    pub(super) lost: Vec<u64>,
}

impl Stream {
    /// Starts one between the stations of a VLAN, which have talked before.
    pub(super) fn start(network: &Network, index: usize, vlan: Vlan) -> Result<Self> {
        let client = network.clients[index].udp_socket(&vlan.v4(Station::Client))?;
        let peer = network.peers[index].udp_socket(&vlan.v4(Station::Peer))?;
        for (one, other) in [(&client, &peer), (&peer, &client)] {
            one.connect(other.local_addr()?)
                .context("cannot connect a stream's sockets")?;
            one.set_read_timeout(Some(LOOK))
                .context("cannot set a time-out")?;
        }
        let stop = Flag::default();
        let there = Way::start(&client, &peer, &stop.0)?;
        let back = Way::start(&peer, &client, &stop.0)?;
        Ok(Self {
            stop,
            ways: [there, back],
        })
    }

    /// How many have arrived, of the way on which fewer have.
    pub(super) fn arrived(&self) -> u64 {
        let arrived = self
            .ways
            .iter()
            .map(|way| way.received.load(Ordering::SeqCst));
        arrived.min().unwrap_or(0)
    }

    /// Ends it: what was sent and lost from the client to the peer, and back.
    pub(super) fn stop(self) -> Result<[Count; 2]> {
        self.stop.raise();
        let [there, back] = self.ways;
        Ok([there.end()?, back.end()?])
    }
}

impl Way {
    fn start(from: &UdpSocket, to: &UdpSocket, stop: &Arc<AtomicBool>) -> Result<Self> {
        let (sent, received) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let over = Flag::default();
        let socket = from.try_clone().context("cannot share a socket")?;
        let (counter, stop) = (Arc::clone(&sent), Arc::clone(stop));
        let sender = thread::spawn(move || send(&socket, &counter, &stop));
        let socket = to.try_clone().context("cannot share a socket")?;
        let (all, counter, ended) = (
            Arc::clone(&sent),
            Arc::clone(&received),
            Arc::clone(&over.0),
        );
        let receiver = thread::spawn(move || receive(&socket, &all, &counter, &ended));
        Ok(Self {
            sent,
            received,
            sender,
            receiver,
            over,
        })
    }

    fn end(self) -> Result<Count> {
        let panicked = |_| anyhow!("a stream's thread panicked");
        let sent = self.sender.join().map_err(panicked);
        self.over.raise();
        let received = self.receiver.join().map_err(panicked)?;
        sent??;
        Ok(count(self.sent.load(Ordering::SeqCst), &received))
    }
}

fn send(socket: &UdpSocket, sent: &AtomicU64, stop: &AtomicBool) -> Result<u64> {
    let mut datagram = [0; LONGEST];
    let mut next = Instant::now();
    while !stop.load(Ordering::SeqCst) {
        let number = sent.load(Ordering::SeqCst);
        datagram[..8].copy_from_slice(&number.to_be_bytes());
        let length = LENGTHS[number as usize % LENGTHS.len()];
        socket
            .send(&datagram[..length])
            .context("cannot send a datagram")?;
        sent.store(number + 1, Ordering::SeqCst);
        next += EVERY;
        // Who was late does not send the missed ones at once.
        next = next.max(Instant::now());
        thread::sleep(next.saturating_duration_since(Instant::now()).max(SHORTEST));
    }
    Ok(sent.load(Ordering::SeqCst))
}

fn receive(
    socket: &UdpSocket,
    sent: &AtomicU64,
    received: &AtomicU64,
    over: &AtomicBool,
) -> BTreeSet<u64> {
    let mut numbers = BTreeSet::new();
    let mut datagram = [0; LONGEST];
    let mut last = Instant::now();
    loop {
        // A time-out, or a complaint of the other side's, is not a datagram.
        if let Ok(length) = socket.recv(&mut datagram)
            && let Some(number) = datagram[..length].first_chunk()
        {
            numbers.insert(u64::from_be_bytes(*number));
            received.store(numbers.len() as u64, Ordering::SeqCst);
            last = Instant::now();
        }
        let all = numbers.len() as u64 == sent.load(Ordering::SeqCst);
        if over.load(Ordering::SeqCst) && (all || last.elapsed() > QUIET) {
            return numbers;
        }
    }
}

fn count(sent: u64, received: &BTreeSet<u64>) -> Count {
    Count {
        sent,
        lost: (0..sent)
            .filter(|number| !received.contains(number))
            .collect(),
    }
}

impl Count {
    /// None lost, or an error.
    pub(super) fn none_lost(&self) -> Result<u64> {
        let Self { sent, lost } = self;
        ensure!(*sent > 0, "nothing was sent");
        ensure!(
            lost.is_empty(),
            "{} of {sent} were lost, the first ones: {:?}",
            lost.len(),
            &lost[..lost.len().min(5)]
        );
        Ok(*sent)
    }
}

impl Count {
    /// None lost before the end of the way, or an error: how many arrived.
    pub(super) fn none_lost_before_the_end(&self) -> Result<u64> {
        let arrived = self.sent - self.lost.len() as u64;
        let gap = self.lost.iter().find(|number| **number < arrived);
        ensure!(arrived > 0, "nothing arrived");
        if let Some(gap) = gap {
            bail!("number {gap} was lost, and later ones arrived");
        }
        Ok(arrived)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.sent - self.lost.len() as u64, self.sent)
    }
}

/// How often one is sent: seldom enough that a host which checks every call keeps up on a busy machine.
const EVERY: Duration = Duration::from_millis(10);
const SHORTEST: Duration = Duration::from_micros(500);
/// Bytes of UDP payload, in turn. With IP and UDP headers the longest fills an MTU of 1496, which a NIC
/// that leaves no room for a tag has.
const LENGTHS: [usize; 4] = [18, 200, 700, LONGEST];
const LONGEST: usize = 1496 - 28;
const LOOK: Duration = Duration::from_millis(20);
/// Who has heard nothing for so long will hear nothing more.
const QUIET: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_arrive_is_named() {
        let whole = count(3, &BTreeSet::from([0, 1, 2]));
        assert_eq!(whole.none_lost().unwrap(), 3);
        let holes = count(5, &BTreeSet::from([0, 2, 3]));
        assert_eq!(holes.lost, [1, 4]);
        assert_eq!(holes.to_string(), "3 of 5");
        let error = holes.none_lost().unwrap_err().to_string();
        assert!(
            error.contains("2 of 5 were lost, the first ones: [1, 4]"),
            "{error}"
        );
        assert!(count(0, &BTreeSet::new()).none_lost().is_err());
        assert!(holes.none_lost_before_the_end().is_err());
        let cut = count(5, &BTreeSet::from([0, 1, 2]));
        assert_eq!(cut.none_lost_before_the_end().unwrap(), 3);
        assert!(cut.none_lost().is_err());
        assert!(
            count(5, &BTreeSet::new())
                .none_lost_before_the_end()
                .is_err()
        );
    }

    #[test]
    fn a_datagram_that_nobody_receives_is_lost() {
        let here = || UdpSocket::bind("127.0.0.1:0").unwrap();
        let (one, other, third) = (here(), here(), here());
        one.connect(other.local_addr().unwrap()).unwrap();
        third.set_read_timeout(Some(LOOK)).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let way = Way::start(&one, &third, &stop).unwrap();
        thread::sleep(Duration::from_millis(50));
        stop.store(true, Ordering::SeqCst);
        let count = way.end().unwrap();
        assert!(count.sent > 0);
        assert_eq!(count.lost.len() as u64, count.sent);
    }
}
