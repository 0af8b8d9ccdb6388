//! What an NBL costs on its way through a lab: time, and the structure behind it.
//!
//! A lab is up; its first client and the NIC below are then driven by a [`Bench`]. To *send*, the client
//! sends one chain again and again, which the NIC completes at once; to *receive*, the NIC indicates
//! one chain again and again, which the client returns at once. So what is measured is the way between
//! them: NDIS and the drivers under test.
//!
//! Times mean something with the rules off only ([`rules::relax`]); the numbers of calls come from a
//! process where they are on. What other threads than the measuring one do is not counted.
//!
//! Not in here: the lab, and how the numbers are shown (`cli::bench`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::call;
use crate::client::{self, Client};
use crate::ndis::trace::{self, Recording, Trace};
use crate::nic::{self, Nic};
use crate::nt::irql::{self, Irql};
use crate::nt::{memory, pool, sched};
use crate::rules;

/// Which way the chain goes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the client to the NIC, and back when complete.
    Send,
    /// From the NIC to the client, and back when returned.
    Receive,
}

/// What the chain is like.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// NBLs in it.
    pub chain: usize,
    /// Bytes in the frame of each, Ethernet header included.
    pub size: usize,
    /// The client allocates its NBLs for each chain, and frees them.
    pub allocate: bool,
}

/// Nanoseconds for one NBL.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Cost {
    /// The median of the rounds.
    pub median: f64,
    /// The fastest round.
    pub min: f64,
    /// The slowest round.
    pub max: f64,
}

/// What the measuring thread did for one NBL.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Structure {
    /// Locks of the host that were taken.
    pub host_locks: f64,
    /// Blocks of pool that were allocated: by drivers, and by NDIS for its own structures.
    pub pool_allocations: f64,
    /// Bytes that drivers copied by the functions that they import for it. Copies that the compiler
    /// wrote into them are not seen.
    pub bytes_copied: f64,
    /// Calls of each function. Empty with the rules off, where nobody counts them.
    pub calls: BTreeMap<String, f64>,
    /// Calls of each of the drivers' functions. Empty with the rules off.
    pub callbacks: BTreeMap<String, f64>,
}

/// Why nothing can be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The client has no running binding.
    #[error("the client {0} is not bound to a running adapter")]
    NotRunning(String),
    /// Sends do not come through.
    #[error("what the client {0} sends does not reach the NIC, or fails")]
    NoSend(String),
    /// Receives do not come through.
    #[error("what the NIC receives does not reach the client {0}")]
    NoReceive(String),
    /// There is no memory for the chain.
    #[error("there is no memory for the chain")]
    NoMemory,
}

/// A client and the NIC below it, ready to be measured.
pub struct Bench {
    client: &'static Client,
    upper: &'static client::bench::Upper,
    way: Way,
}

enum Way {
    Send(client::bench::Chain),
    Receive(nic::bench::Chain),
}

impl Bench {
    /// Takes hold of a client and of the NIC, for good: nobody else uses them any more.
    ///
    /// # Errors
    /// The frames do not get through.
    pub fn new(
        client: &'static Client,
        nic: &'static Nic,
        direction: Direction,
        shape: &Shape,
    ) -> Result<Self, BenchError> {
        let name = || client.name().to_owned();
        let attributes = client.attributes();
        let attributes = attributes.ok_or_else(|| BenchError::NotRunning(name()))?;
        let upper = client
            .drive()
            .ok_or_else(|| BenchError::NotRunning(name()))?;
        let lower = nic.drive();
        Trace.record(Recording::Nothing);
        let frames = vec![frame(PEER, attributes.mac, shape.size); shape.chain];
        let chain = client.bench_chain(upper, &frames, shape.allocate);
        let mut sends = chain.ok_or(BenchError::NoMemory)?;
        let seen = lower.look(|| at_dispatch(|| sends.send()));
        let seen = seen.filter(|_| upper.count_failed() == 0);
        let seen = seen.ok_or_else(|| BenchError::NoSend(name()))?;
        let way = match direction {
            Direction::Send => Way::Send(sends),
            Direction::Receive => {
                sends.end();
                // What is to reach the client has the tag, if any, that its own frames get.
                let mut received = seen;
                received[..6].copy_from_slice(&attributes.mac);
                received[6..12].copy_from_slice(&PEER);
                let received = vec![received; shape.chain];
                let chain = nic.bench_chain(lower, &received);
                let mut chain = chain.ok_or(BenchError::NoMemory)?;
                at_dispatch(|| chain.indicate());
                if upper.count_received() != shape.chain as u64 {
                    return Err(BenchError::NoReceive(name()));
                }
                Way::Receive(chain)
            }
        };
        Ok(Self { client, upper, way })
    }

    /// Sends or indicates the chain `times` times.
    pub fn run(&mut self, times: u32) {
        at_dispatch(|| {
            for _ in 0..times {
                match &mut self.way {
                    Way::Send(chain) => chain.send(),
                    Way::Receive(chain) => chain.indicate(),
                }
            }
        });
    }

    /// Measures for `time` in all, in rounds.
    ///
    /// # Errors
    /// Something was lost meanwhile.
    pub fn measure(&mut self, shape: &Shape, time: Duration) -> Result<Cost, BenchError> {
        self.run(WARM_UP);
        let mut rounds: Vec<f64> = (0..ROUNDS)
            .map(|_| self.round(shape, time / ROUNDS))
            .collect();
        if self.upper.count_failed() != 0 {
            return Err(BenchError::NoSend(self.client.name().to_owned()));
        }
        rounds.sort_by(f64::total_cmp);
        Ok(Cost {
            median: rounds[rounds.len() / 2],
            min: rounds[0],
            max: rounds[rounds.len() - 1],
        })
    }

    /// Counts what one NBL takes.
    pub fn count(&mut self, shape: &Shape) -> Structure {
        self.run(WARM_UP);
        let nbls = f64::from(COUNTED) * shape.chain as f64;
        let locks = sched::locks_taken();
        let allocations = pool::allocations();
        let copied = memory::copied();
        self.run(COUNTED);
        let mut structure = Structure {
            host_locks: (sched::locks_taken() - locks) as f64 / nbls,
            pool_allocations: (pool::allocations() - allocations) as f64 / nbls,
            bytes_copied: (memory::copied() - copied) as f64 / nbls,
            ..Structure::default()
        };
        if rules::enforced() {
            self.count_calls(shape, &mut structure);
        }
        structure
    }

    fn count_calls(&mut self, shape: &Shape, structure: &mut Structure) {
        let per_nbl = |count: u64| count as f64 / shape.chain as f64;
        let before = calls();
        Trace.clear();
        Trace.record(Recording::Everything);
        self.run(1);
        Trace.record(Recording::Nothing);
        for (name, count) in calls() {
            let more = count - before.get(name).unwrap_or(&0);
            if more != 0 {
                structure.calls.insert(name.to_owned(), per_nbl(more));
            }
        }
        for record in Trace.records() {
            if record.direction == trace::Direction::Callback {
                let name = format!("{} ({})", record.name, record.driver);
                *structure.callbacks.entry(name).or_default() += per_nbl(1);
            }
        }
    }

    /// Gives back what it took. The client and the NIC stay as they are.
    pub fn end(self) {
        match self.way {
            Way::Send(chain) => chain.end(),
            Way::Receive(chain) => chain.end(),
        }
    }

    /// Runs for about `time`; nanoseconds for one NBL.
    fn round(&mut self, shape: &Shape, time: Duration) -> f64 {
        let begin = Instant::now();
        let mut chains = 0;
        loop {
            self.run(AT_ONCE);
            chains += AT_ONCE;
            let elapsed = begin.elapsed();
            if elapsed >= time {
                let nbls = f64::from(chains) * shape.chain as f64;
                return elapsed.as_nanos() as f64 / nbls;
            }
        }
    }
}

fn calls() -> BTreeMap<&'static str, u64> {
    let counts = call::counts().into_iter();
    counts
        .map(|(function, count)| (function.name, count))
        .collect()
}

fn at_dispatch(f: impl FnOnce()) {
    sched::prepare_thread();
    irql::at(Irql::DISPATCH, f);
}

fn frame(to: [u8; 6], from: [u8; 6], size: usize) -> Vec<u8> {
    let mut frame = Vec::with_capacity(size);
    frame.extend(to);
    frame.extend(from);
    // An EtherType for experiments.
    frame.extend([0x88, 0xb5]);
    frame.resize(size.max(frame.len()), 0x5a);
    frame
}

/// Who the frames go to and come from.
const PEER: [u8; 6] = [0x02, 0x4e, 0x49, 0x43, 0xff, 0xfe];
/// Chains before anything is measured.
const WARM_UP: u32 = 64;
/// Chains between looks at the clock.
const AT_ONCE: u32 = 16;
/// Chains whose structure is counted.
const COUNTED: u32 = 16;
const ROUNDS: u32 = 9;
