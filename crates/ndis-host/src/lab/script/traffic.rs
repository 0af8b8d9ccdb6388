//! Frames both ways through whatever a lab has between its clients and its NICs.
//!
//! What a driver does to a frame is its own business (a tag goes in, an address changes), so a frame is
//! known by a mark in its payload. A frame that left a NIC shows what frames from the other side look like:
//! the answer is the same frame with its addresses exchanged.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Outcome;
use super::run::{Result, Runner, skipped};
use crate::client::{Client, SendShape, SendTicket};
use crate::lab::NicPort;
use crate::ndis::ethernet::Mac;
use crate::nic::{Shape, Statistics};
use crate::nt::sched;

/// How frames for each client look at the NIC.
#[derive(Default)]
pub(super) struct Ways {
    /// By client: the NIC, and a frame that the client sent as it left there.
    learned: BTreeMap<String, (String, Vec<u8>)>,
    /// The number of the last frame.
    last: u32,
}

impl Runner<'_> {
    /// Frames from each client that runs, and an answer to each; and frames in at each NIC that no client
    /// stands on.
    pub(super) fn traffic(&mut self, frames: u32) -> Result {
        let clients: Vec<_> = self.clients.values().copied().collect();
        let clients: Vec<_> = clients.into_iter().filter(|it| self.runs(it)).collect();
        let ports = self.ports_without_clients();
        if clients.is_empty() && ports.is_empty() {
            return Err(skipped(format_args!("no client runs")));
        }
        let mut lost = Vec::new();
        let (mut count, mut sent) = (0, 0);
        for client in &clients {
            let done = if self.is_answered(client) {
                self.both_ways(client, frames)
                    .map(|answered| count += answered)
            } else {
                self.one_way(client, frames).map(|()| sent += frames)
            };
            if let Err(what) = done {
                lost.push(format!("{}: {what}", client.name()));
            }
        }
        for port in &ports {
            self.feed(port, frames);
        }
        self.let_come_back();
        if !lost.is_empty() {
            return Err((Outcome::Failed, lost.join("; ")));
        }
        let mut told = format!("{count} frames each way, {} clients", clients.len());
        if sent != 0 {
            told.push_str(&format!(", {sent} frames sent that no NIC of the lab sees"));
        }
        if !ports.is_empty() {
            told.push_str(&format!(
                ", {frames} frames in at each of {} NICs",
                ports.len()
            ));
        }
        Ok(told)
    }

    /// Frames from a client whose way ends in a driver: all that is known is that sends have to complete.
    fn one_way(&mut self, client: &'static Client, number: u32) -> std::result::Result<(), String> {
        self.drain(client);
        let frames = self.make(client, number);
        self.send(client, &frames)
    }

    /// Frames in at a NIC. What the protocols above it do with them is their own business.
    fn feed(&mut self, port: &NicPort, number: u32) {
        let before = port.statistics();
        let config = port.config();
        let (to, mtu) = (config.mac, config.mtu);
        for frame in self.fill(&PEER, &to, mtu, number) {
            port.inject(&frame);
        }
        self.wait_for(|_| {
            let now = port.statistics();
            let came = |it: &Statistics| it.received_frames + it.discarded;
            came(&now) - came(&before) >= u64::from(number)
        });
        while port.take_sent(Duration::ZERO).is_some() {}
    }

    /// A few frames both ways, wherever that is possible, which nobody waits for.
    pub(super) fn burst(&mut self) -> Vec<SendTicket> {
        let clients: Vec<_> = self.clients.values().copied().collect();
        let mut tickets = Vec::new();
        let learned: Vec<_> = self
            .ways
            .learned
            .values()
            .map(|(nic, _)| nic.clone())
            .collect();
        let unlearned = |port: &NicPort| !learned.contains(&port.config().label);
        for port in self.ports().into_iter().filter(unlearned) {
            let config = port.config();
            let (to, mtu) = (config.mac, config.mtu);
            for frame in self.fill(&PEER, &to, mtu, BURST) {
                port.inject(&frame);
            }
        }
        for client in clients {
            if let Some((nic, frame)) = self.ways.learned.get(client.name()).cloned()
                && let Ok(port) = self.lab.nic(&nic)
            {
                for _ in 0..BURST {
                    self.ways.last += 1;
                    port.inject(&answer(&frame, self.ways.last));
                }
            }
            if self.runs(client) {
                let frames = self.make(client, BURST);
                tickets.push(client.send(&frames));
            }
        }
        tickets
    }

    fn both_ways(
        &mut self,
        client: &'static Client,
        number: u32,
    ) -> std::result::Result<usize, String> {
        self.drain(client);
        let first = self.ways.last + 1;
        let frames = self.make(client, number);
        let marks = first..=self.ways.last;
        self.send(client, &frames)?;

        let mut below = Vec::new();
        self.collect(frames.len(), || {
            for port in self.ports() {
                let Some(frame) = port.take_sent(Duration::ZERO) else {
                    continue;
                };
                if mark_of(&frame).is_some_and(|mark| marks.contains(&mark)) {
                    below.push((port.config().label.clone(), frame));
                }
                return below.len();
            }
            usize::MAX
        });
        if below.len() != frames.len() {
            let (sent, arrived) = (frames.len(), below.len());
            return Err(format!("{arrived} of {sent} frames left a NIC"));
        }

        for (nic, frame) in &below {
            let mark = mark_of(frame).unwrap_or_default();
            let port = self.lab.nic(nic).map_err(|error| error.to_string())?;
            port.inject(&answer(frame, mark | ANSWER));
        }
        let mut answered = 0;
        self.collect(below.len(), || {
            let Some(received) = client.recv(Duration::ZERO) else {
                return usize::MAX;
            };
            let mark = mark_of(&received.frame).filter(|mark| mark & ANSWER != 0);
            if mark.is_some_and(|mark| marks.contains(&(mark & !ANSWER))) {
                answered += 1;
            }
            answered
        });
        if answered != below.len() {
            let injected = below.len();
            return Err(format!("{answered} of {injected} answers arrived above"));
        }
        if let Some(way) = below.pop() {
            self.ways.learned.insert(client.name().to_owned(), way);
        }
        Ok(answered)
    }

    /// Sends frames in several shapes, and waits for the end of each send.
    fn send(&self, client: &'static Client, frames: &[Vec<u8>]) -> std::result::Result<(), String> {
        let tickets: Vec<_> = frames
            .chunks(4)
            .zip(shapes().iter().cycle())
            .map(|(frames, shape)| client.send_shaped(frames, shape))
            .collect();
        let mut failed = 0;
        for ticket in tickets {
            let statuses = ticket.wait(self.patience.max(COMPLETION));
            let statuses = statuses.ok_or_else(|| "a send does not complete".to_owned())?;
            failed += statuses.iter().filter(|status| **status != 0).count();
        }
        if failed != 0 {
            return Err(format!("{failed} sends failed"));
        }
        Ok(())
    }

    /// Looks until `look` has counted `wanted`, or nothing came for too long. `look` answers with
    /// `usize::MAX` if there was nothing.
    fn collect(&self, wanted: usize, mut look: impl FnMut() -> usize) {
        let mut end = sched::now() + self.patience;
        loop {
            match look() {
                usize::MAX if sched::now() > end => return,
                usize::MAX => sched::sleep(LOOK),
                count if count >= wanted => return,
                _ => end = sched::now() + self.patience,
            }
        }
    }

    /// Forgets what came before.
    fn drain(&self, client: &Client) {
        while client.recv(Duration::ZERO).is_some() {}
        for port in self.ports() {
            while port.take_sent(Duration::ZERO).is_some() {}
        }
    }

    /// Frames of the client's, of several lengths, from the shortest to the longest that its adapter takes.
    fn make(&mut self, client: &Client, number: u32) -> Vec<Vec<u8>> {
        let Some(attributes) = client.attributes() else {
            return Vec::new();
        };
        self.fill(&attributes.mac, &PEER, attributes.mtu, number)
    }

    fn fill(&mut self, from: &Mac, to: &Mac, mtu: u32, number: u32) -> Vec<Vec<u8>> {
        let longest = mtu as usize + 14;
        let lengths = [60, 61, 128, 590, longest];
        (0..number as usize)
            .map(|index| {
                self.ways.last += 1;
                let mut frame = [*to, *from].concat();
                frame.extend(ETHER_TYPE);
                frame.extend(MARK);
                frame.extend(self.ways.last.to_be_bytes());
                let length = lengths[index % lengths.len()].min(longest);
                let fill = (frame.len()..length).map(|at| at as u8);
                frame.extend(fill);
                frame
            })
            .collect()
    }
}

/// The number of a frame, wherever tags have moved it to.
fn mark_of(frame: &[u8]) -> Option<u32> {
    let at = mark_at(frame)?;
    frame
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u32::from_be_bytes)
}

fn mark_at(frame: &[u8]) -> Option<usize> {
    let head = &frame[..frame.len().min(64)];
    let at = head.windows(MARK.len()).position(|window| window == MARK)?;
    Some(at + MARK.len())
}

/// What comes back for a frame: its addresses exchanged, with another number.
fn answer(frame: &[u8], number: u32) -> Vec<u8> {
    let mut answer = frame.to_vec();
    if let Some(at) = mark_at(frame) {
        answer[at..at + 4].copy_from_slice(&number.to_be_bytes());
        let (first, second) = answer.split_at_mut(6);
        first.swap_with_slice(&mut second[..6]);
    }
    answer
}

/// The shapes in which clients send, in turn.
fn shapes() -> Vec<SendShape> {
    let mut shapes = vec![SendShape::PLAIN];
    let awkward = Shape::awkward();
    let picked = awkward.into_iter().step_by(AWKWARD_STEP);
    shapes.extend(
        picked
            .zip([1, 2, 3].into_iter().cycle())
            .map(|(shape, frames_per_nbl)| SendShape {
                shape,
                frames_per_nbl,
                ..SendShape::PLAIN
            }),
    );
    shapes
}

/// Who is at the other end of each cable.
const PEER: [u8; 6] = [0x02, 0x50, 0x45, 0x45, 0x52, 0x01];
/// For experiments on a local network.
const ETHER_TYPE: [u8; 2] = [0x88, 0xb5];
const MARK: [u8; 4] = *b"ndck";
/// The bit that answers have in their number.
const ANSWER: u32 = 1 << 31;
const BURST: u32 = 4;
const LOOK: Duration = Duration::from_millis(1);
/// A send has to complete, also where frames may be lost.
const COMPLETION: Duration = Duration::from_secs(10);
/// Coprime to the number of heads, so that both vary.
const AWKWARD_STEP: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_goes_back_with_the_tag_and_its_own_number() {
        let mut frame = [PEER, [2, 0, 0, 0, 0, 9]].concat();
        frame.extend([0x81, 0x00, 0x00, 0x0a]);
        frame.extend(ETHER_TYPE);
        frame.extend(MARK);
        frame.extend(7_u32.to_be_bytes());
        frame.extend([0xaa; 40]);
        assert_eq!(mark_of(&frame), Some(7));
        let answer = answer(&frame, 9);
        assert_eq!(mark_of(&answer), Some(9));
        assert_eq!(answer[..6], [2, 0, 0, 0, 0, 9]);
        assert_eq!(answer[6..12], PEER);
        assert_eq!(answer[12..20], frame[12..20]);
        assert_eq!(answer.len(), frame.len());
    }

    #[test]
    fn frames_of_others_have_no_number() {
        assert_eq!(mark_of(&[]), None);
        assert_eq!(mark_of(&[0; 60]), None);
        assert_eq!(mark_of(&MARK), None, "cut off");
    }
}
