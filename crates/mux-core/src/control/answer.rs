//! The answers of a fixed length, and how every answer begins.

use super::bytes::Filler;
use super::{AnswerError, BufferTooSmall, HEADER_LENGTH, VERSION};
use crate::statistics::{Count, Snapshot, Tally};

/// The answer to add, remove and set: only how every answer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledgement;

impl Acknowledgement {
    /// Its length in bytes.
    pub const LENGTH: usize = HEADER_LENGTH;

    /// Writes it to the start of `buffer` and gives its length.
    ///
    /// # Errors
    /// [`BufferTooSmall`]: to be found out before anything is done
    /// ([`Operation::least_answer`](super::Operation::least_answer)).
    pub fn encode(self, buffer: &mut [u8]) -> Result<usize, BufferTooSmall> {
        let needed = Self::LENGTH;
        Filler::new(buffer)
            .put(&header(needed))
            .map(|()| needed)
            .ok_or(BufferTooSmall { needed })
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn decode(output: &[u8]) -> Result<Self, AnswerError> {
        match body(output)? {
            [] => Ok(Acknowledgement),
            _ => Err(wrong_length(output)),
        }
    }
}

/// The answer to statistics: 16 numbers of 64 bits, which wrap.
///
/// | offset | what |
/// |---|---|
/// | 0 | how every answer begins |
/// | 8 | received: directed frames, directed bytes, multicast frames, multicast bytes, broadcast frames, broadcast bytes, errors, discards |
/// | 72 | sent: the same |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatisticsAnswer(pub Snapshot);

impl StatisticsAnswer {
    /// Its length in bytes.
    pub const LENGTH: usize = HEADER_LENGTH + 16 * 8;

    /// Writes it to the start of `buffer` and gives its length.
    ///
    /// # Errors
    /// [`BufferTooSmall`]; the buffer has nothing of use then.
    pub fn encode(&self, buffer: &mut [u8]) -> Result<usize, BufferTooSmall> {
        let needed = Self::LENGTH;
        let mut filler = Filler::new(buffer);
        let mut fill = || {
            filler.put(&header(needed))?;
            numbers(&self.0)
                .into_iter()
                .try_for_each(|number| filler.put(&number.to_le_bytes()))
        };
        fill().map(|()| needed).ok_or(BufferTooSmall { needed })
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn decode(output: &[u8]) -> Result<Self, AnswerError> {
        let (words, rest) = body(output)?.as_chunks::<8>();
        let words: &[[u8; 8]; 16] = words.try_into().map_err(|_| wrong_length(output))?;
        if !rest.is_empty() {
            return Err(wrong_length(output));
        }
        Ok(StatisticsAnswer(snapshot(words.map(u64::from_le_bytes))))
    }
}

fn numbers(snapshot: &Snapshot) -> [u64; 16] {
    let Snapshot {
        receive,
        receive_errors,
        receive_discards,
        send,
        send_errors,
        send_discards,
    } = *snapshot;
    #[rustfmt::skip]
    let numbers = [
        receive.directed.frames, receive.directed.bytes,
        receive.multicast.frames, receive.multicast.bytes,
        receive.broadcast.frames, receive.broadcast.bytes,
        receive_errors, receive_discards,
        send.directed.frames, send.directed.bytes,
        send.multicast.frames, send.multicast.bytes,
        send.broadcast.frames, send.broadcast.bytes,
        send_errors, send_discards,
    ];
    numbers
}

fn snapshot(numbers: [u64; 16]) -> Snapshot {
    let count = |frames, bytes| Count { frames, bytes };
    #[rustfmt::skip]
    let [a, b, c, d, e, f, receive_errors, receive_discards,
         g, h, i, j, k, l, send_errors, send_discards] = numbers;
    Snapshot {
        receive: Tally {
            directed: count(a, b),
            multicast: count(c, d),
            broadcast: count(e, f),
        },
        receive_errors,
        receive_discards,
        send: Tally {
            directed: count(g, h),
            multicast: count(i, j),
            broadcast: count(k, l),
        },
        send_errors,
        send_discards,
    }
}

/// How an answer of `length` bytes begins.
pub(super) fn header(length: usize) -> [u8; HEADER_LENGTH] {
    let [v0, v1] = VERSION.to_le_bytes();
    // An output buffer's length is of 32 bits itself.
    let [l0, l1, l2, l3] = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    [v0, v1, 0, 0, l0, l1, l2, l3]
}

/// What follows the beginning, once that is as it should be.
pub(super) fn body(output: &[u8]) -> Result<&[u8], AnswerError> {
    let ([v0, v1, _, _, l0, l1, l2, l3], rest) = output
        .split_first_chunk::<HEADER_LENGTH>()
        .ok_or_else(|| wrong_length(output))?;
    let version = u16::from_le_bytes([*v0, *v1]);
    if version != VERSION {
        return Err(AnswerError::UnknownVersion { version });
    }
    let said = u32::from_le_bytes([*l0, *l1, *l2, *l3]);
    if usize::try_from(said) != Ok(output.len()) {
        return Err(wrong_length(output));
    }
    Ok(rest)
}

pub(super) fn wrong_length(output: &[u8]) -> AnswerError {
    AnswerError::WrongLength {
        length: output.len(),
    }
}
