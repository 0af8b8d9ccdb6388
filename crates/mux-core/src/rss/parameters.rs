//! `NDIS_RECEIVE_SCALE_PARAMETERS`, with the arrays behind it.

use alloc::vec::Vec;

/// Parameters that are whole and valid, as the adapter below gets them.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameters(Vec<u8>);

/// What a set asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Set {
    /// Scaling by these parameters.
    Enable(Parameters),
    /// None.
    Disable,
}

/// Why the data of a set is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// `NDIS_STATUS_INVALID_LENGTH`: so many bytes are needed.
    Length {
        /// How many, in bytes.
        needed: u32,
    },
    /// `NDIS_STATUS_INVALID_DATA`: it is something else, or an array does not lie in the data, or a part
    /// is to stay as it is that never was set.
    Data,
    /// `NDIS_STATUS_RESOURCES`.
    OutOfMemory,
}

impl Parameters {
    /// Reads the data of a set by a client whose last parameters were `before`.
    ///
    /// Allocates.
    ///
    /// # Errors
    /// [`Invalid`]: nothing changes.
    pub fn read(data: &[u8], before: Option<&Self>) -> Result<Set, Invalid> {
        let fixed = Fixed::read(data)?;
        if fixed.flags & DISABLE_RSS != 0 {
            return Ok(Set::Disable);
        }
        let before = before.map(|Self(bytes)| View::of(bytes)).transpose()?;
        let given = fixed.arrays(data)?;
        let unchanged = |flag| fixed.flags & flag != 0;
        let last = || before.ok_or(Invalid::Data);
        let mut whole = given;
        if unchanged(BASE_CPU_UNCHANGED) {
            // Zero in any case, by its page.
            whole.base_cpu = before.map_or(0, |before| before.base_cpu);
        }
        if unchanged(HASH_INFO_UNCHANGED) {
            whole.hash_information = last()?.hash_information;
        }
        if whole.hash_information & HASH_FUNCTION_MASK == 0 {
            return Ok(Set::Disable);
        }
        if unchanged(ITABLE_UNCHANGED) {
            let last = last()?;
            (whole.table, whole.masks) = (last.table, last.masks);
        }
        if unchanged(HASH_KEY_UNCHANGED) {
            whole.key = last()?.key;
        }
        if unchanged(DEFAULT_PROCESSOR_UNCHANGED) {
            whole.default_processor = before.and_then(|before| before.default_processor);
        }
        whole.check()?;
        whole.encode().map(|bytes| Set::Enable(Self(bytes)))
    }

    /// Whether an adapter that has these hashes frames in the same way as one that has those.
    pub fn hashes_as(&self, other: &Self) -> bool {
        let how = |Self(bytes): &Self| {
            let view = View::of(bytes).ok()?;
            Some((
                view.hash_information,
                <[u8; KEY_SIZE]>::try_from(view.key).ok()?,
            ))
        };
        let mine = how(self);
        mine.is_some() && mine == how(other)
    }

    /// The same without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The bytes of the whole structure and its arrays, for the adapter below.
    ///
    /// # Errors
    /// [`Invalid::OutOfMemory`].
    pub fn bytes(&self) -> Result<Vec<u8>, Invalid> {
        let mut copy = room(self.0.len())?;
        copy.extend_from_slice(&self.0);
        Ok(copy)
    }
}

/// The data of a set that switches scaling off.
pub const fn disabled() -> [u8; SIZE_2] {
    let mut data = [0; SIZE_2];
    data[0] = RSS_PARAMETERS;
    data[1] = 2;
    data[2] = SIZE_2 as u8;
    data[4] = DISABLE_RSS as u8;
    data
}

/// Bytes of the longest parameters: a mask for each processor, the largest table, and a key.
pub const LONGEST: usize = ARRAYS + MASKS_MAXIMUM + TABLE_MAXIMUM + KEY_SIZE;

/// The structure itself.
struct Fixed {
    revision: u8,
    flags: u16,
    base_cpu: u16,
    hash_information: u32,
    /// Offsets and sizes, in bytes.
    table: (u32, u32),
    key: (u32, u32),
    masks: (u32, u32),
    default_processor: Option<[u8; 4]>,
}

/// What parameters say, whatever bytes they stand in.
#[derive(Clone, Copy)]
struct View<'a> {
    base_cpu: u16,
    hash_information: u32,
    /// `PROCESSOR_NUMBER`s.
    table: &'a [u8],
    key: &'a [u8],
    /// `GROUP_AFFINITY`s.
    masks: &'a [u8],
    /// `PROCESSOR_NUMBER`, since revision 3.
    default_processor: Option<[u8; 4]>,
}

impl Fixed {
    fn read(data: &[u8]) -> Result<Self, Invalid> {
        let too_short = |needed: usize| Invalid::Length {
            needed: needed as u32,
        };
        let (fields, _) = data
            .split_first_chunk::<SIZE_2>()
            .ok_or(too_short(SIZE_2))?;
        let half = |at: usize| u16::from_ne_bytes(chunk(fields, at));
        let word = |at: usize| u32::from_ne_bytes(chunk(fields, at));
        let [kind, revision] = chunk(fields, 0);
        let size = usize::from(half(2));
        // The first revision has a table of other entries; NDIS translates it for a driver of NDIS 6.20
        // and later.
        let smallest = if revision >= 3 { SIZE_3 } else { SIZE_2 };
        if kind != RSS_PARAMETERS || revision < 2 || size < smallest {
            return Err(Invalid::Data);
        }
        if data.len() < size {
            return Err(too_short(size));
        }
        let masks_size = match (word(32), word(36)) {
            (0, _) => 0,
            (number, GROUP_AFFINITY_SIZE) => number
                .checked_mul(GROUP_AFFINITY_SIZE)
                .ok_or(Invalid::Data)?,
            _ => return Err(Invalid::Data),
        };
        let default_processor = data.get(SIZE_2..SIZE_3).map(|bytes| chunk(bytes, 0));
        Ok(Self {
            revision,
            flags: half(4),
            base_cpu: half(6),
            hash_information: word(8),
            table: (word(16), half(12).into()),
            key: (word(24), half(20).into()),
            masks: (word(28), masks_size),
            default_processor: default_processor.filter(|_| revision >= 3),
        })
    }

    /// With the arrays, where the flags do not say that they are not there.
    fn arrays<'a>(&self, data: &'a [u8]) -> Result<View<'a>, Invalid> {
        let first = if self.revision >= 3 { SIZE_3 } else { SIZE_2 };
        let array = |(offset, size): (u32, u32), unchanged: u16| {
            if size == 0 || self.flags & unchanged != 0 {
                return Ok(&[][..]);
            }
            let (start, size) = (offset as usize, size as usize);
            let end = start.checked_add(size).ok_or(Invalid::Data)?;
            let array = data.get(start..end).ok_or(Invalid::Data)?;
            if start < first {
                Err(Invalid::Data)
            } else {
                Ok(array)
            }
        };
        Ok(View {
            base_cpu: self.base_cpu,
            hash_information: self.hash_information,
            table: array(self.table, ITABLE_UNCHANGED)?,
            key: array(self.key, HASH_KEY_UNCHANGED)?,
            masks: array(self.masks, ITABLE_UNCHANGED)?,
            default_processor: self.default_processor,
        })
    }
}

impl<'a> View<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, Invalid> {
        Fixed::read(bytes)?.arrays(bytes)
    }

    fn check(&self) -> Result<(), Invalid> {
        let (entries, rest) = self.table.as_chunks::<PROCESSOR_NUMBER_SIZE>();
        let fits = rest.is_empty()
            && entries.len().is_power_of_two()
            && self.table.len() <= TABLE_MAXIMUM
            && self.masks.len() <= MASKS_MAXIMUM
            && self.key.len() == KEY_SIZE;
        fits.then_some(()).ok_or(Invalid::Data)
    }

    /// The structure with its arrays behind it, each aligned as its elements want it.
    fn encode(&self) -> Result<Vec<u8>, Invalid> {
        let (revision, size) = match self.default_processor {
            Some(_) => (3, SIZE_3),
            None => (2, SIZE_2),
        };
        let masks_at = ARRAYS;
        let table_at = masks_at.saturating_add(self.masks.len());
        let key_at = table_at.saturating_add(self.table.len());
        let length = key_at.saturating_add(self.key.len());
        let number = (self.masks.len() as u32)
            .checked_div(GROUP_AFFINITY_SIZE)
            .unwrap_or(0);
        let mut bytes = room(length)?;
        bytes.extend_from_slice(&[RSS_PARAMETERS, revision]);
        bytes.extend_from_slice(&(size as u16).to_ne_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&self.base_cpu.to_ne_bytes());
        let words = [
            self.hash_information,
            u32::from(self.table.len() as u16),
            table_at as u32,
            u32::from(self.key.len() as u16),
            key_at as u32,
            masks_at as u32,
            number,
            GROUP_AFFINITY_SIZE,
        ];
        for word in words {
            // The two sizes are of sixteen bits, with as many of padding behind them.
            bytes.extend_from_slice(&word.to_ne_bytes());
        }
        bytes.extend_from_slice(&self.default_processor.unwrap_or_default());
        bytes.resize(masks_at, 0);
        bytes.extend_from_slice(self.masks);
        bytes.extend_from_slice(self.table);
        bytes.extend_from_slice(self.key);
        Ok(bytes)
    }
}

/// The bytes at a place that the caller knows to be there; zeros if they are not.
fn chunk<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk)
        .copied()
        .unwrap_or([0; N])
}

fn room(length: usize) -> Result<Vec<u8>, Invalid> {
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(length)
        .map_err(|_| Invalid::OutOfMemory)?;
    Ok(bytes)
}

/// `NDIS_OBJECT_TYPE_RSS_PARAMETERS`.
const RSS_PARAMETERS: u8 = 0x89;
/// `NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_*`.
const SIZE_2: usize = 40;
const SIZE_3: usize = 44;
/// Where the arrays begin, for elements of eight bytes.
const ARRAYS: usize = 48;
const PROCESSOR_NUMBER_SIZE: usize = 4;
const GROUP_AFFINITY_SIZE: u32 = 16;
/// `NDIS_RSS_INDIRECTION_TABLE_MAX_SIZE_REVISION_2`.
const TABLE_MAXIMUM: usize = 512;
/// One mask for each processor that the largest table can name.
const MASKS_MAXIMUM: usize = 2048;
/// Of the Toeplitz hash, the only one.
const KEY_SIZE: usize = 40;
const HASH_FUNCTION_MASK: u32 = 0xff;

// NDIS_RSS_PARAM_FLAG_*.
const BASE_CPU_UNCHANGED: u16 = 0x1;
const HASH_INFO_UNCHANGED: u16 = 0x2;
const ITABLE_UNCHANGED: u16 = 0x4;
const HASH_KEY_UNCHANGED: u16 = 0x8;
const DISABLE_RSS: u16 = 0x10;
const DEFAULT_PROCESSOR_UNCHANGED: u16 = 0x20;
