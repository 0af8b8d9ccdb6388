//! 48-bit MAC addresses: their kinds, their texts, and the ones this driver makes up.
//!
//! Not here: reading the `NetworkAddress` setting, which is [`crate::config`].

use core::fmt;
use core::str::FromStr;

/// A 48-bit MAC address, in the order of the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// `FF-FF-FF-FF-FF-FF`.
    pub const BROADCAST: MacAddress = MacAddress([0xff; 6]);
    /// `00-00-00-00-00-00`, which no station has.
    pub const ZERO: MacAddress = MacAddress([0; 6]);

    /// The six octets in the order of the wire.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// A group address, the broadcast address among them.
    pub const fn is_multicast(self) -> bool {
        let [first, ..] = self.0;
        first & GROUP != 0
    }

    /// `FF-FF-FF-FF-FF-FF`.
    pub fn is_broadcast(self) -> bool {
        self == Self::BROADCAST
    }

    /// An address that somebody other than a maker of network adapters gave.
    pub const fn is_locally_administered(self) -> bool {
        let [first, ..] = self.0;
        first & LOCAL != 0
    }

    /// Whether an adapter may have this address as its own: neither a group address nor zero.
    pub fn usable_as_station(self) -> bool {
        !self.is_multicast() && self != Self::ZERO
    }

    /// The address of a virtual miniport that was given none: a stable function of the address of
    /// the adapter below and of the virtual miniport's device instance name.
    ///
    /// The result is locally administered, no group address, and never `nic` itself, so that a
    /// virtual miniport does not answer as the adapter below does. The same two arguments give the same
    /// address on every start and every machine; ASCII letters count the same in either case,
    /// because Windows compares device names so. Distinct names give distinct addresses unless 46
    /// bits of a well-mixed hash agree: for 4094 names on one adapter the chance that any two do is
    /// about one in eight million. [`unique`](Self::unique) settles it.
    pub fn derived(nic: MacAddress, name: &[u16]) -> MacAddress {
        Self::candidate(nic, name, 0)
    }

    /// The first address derived from `nic` and `name` that is not taken: the [derived](Self::derived)
    /// one, or another one that depends on nothing else either. With the same names asked for in the
    /// same order, each gets the same address every time.
    pub fn unique(
        nic: MacAddress,
        name: &[u16],
        is_taken: impl Fn(MacAddress) -> bool,
    ) -> MacAddress {
        // As many are taken as there are virtual miniports, a few thousand: one of these is free.
        let mut candidates = (0..=u16::MAX).map(|attempt| Self::candidate(nic, name, attempt));
        let free = candidates.find(|&candidate| !is_taken(candidate));
        free.unwrap_or_else(|| Self::derived(nic, name))
    }

    fn candidate(nic: MacAddress, name: &[u16], attempt: u16) -> MacAddress {
        let mut hash = Fnv1a::new();
        nic.0.iter().for_each(|octet| hash.add(*octet));
        for unit in name {
            let folded = match *unit {
                upper @ 0x41..=0x5a => upper | 0x20,
                other => other,
            };
            folded
                .to_le_bytes()
                .iter()
                .for_each(|octet| hash.add(*octet));
        }
        if attempt != 0 {
            let octets = attempt.to_le_bytes();
            octets.iter().for_each(|octet| hash.add(*octet));
        }
        aside(Self::local_station(hash.mixed()), nic)
    }

    fn local_station(bits: u64) -> MacAddress {
        let [a, b, c, d, e, f, _, _] = bits.to_le_bytes();
        MacAddress([(a & !GROUP) | LOCAL, b, c, d, e, f])
    }

    /// Reads the three usual texts of an address from its characters: twelve hexadecimal digits, alone
    /// or in pairs with `-` or with `:` between, one kind of separator throughout.
    ///
    /// # Errors
    /// [`ParseMacAddressError`] for anything else; spaces too.
    pub(crate) fn from_characters(
        characters: impl Iterator<Item = char>,
    ) -> Result<MacAddress, ParseMacAddressError> {
        let mut characters = characters.peekable();
        let mut octets = [0_u8; 6];
        let mut separator = None;
        for (position, octet) in octets.iter_mut().enumerate() {
            let between = match characters.peek() {
                Some(&found @ ('-' | ':')) => {
                    characters.next();
                    Some(found)
                }
                _ => None,
            };
            match position {
                0 if between.is_some() => return Err(ParseMacAddressError),
                0 => {}
                1 => separator = between,
                _ if between != separator => return Err(ParseMacAddressError),
                _ => {}
            }
            let mut digit = || characters.next().and_then(|found| found.to_digit(16));
            let (Some(high), Some(low)) = (digit(), digit()) else {
                return Err(ParseMacAddressError);
            };
            // Two hexadecimal digits are at most 0xff: nothing is cut.
            *octet = ((high << 4) | low) as u8;
        }
        match characters.next() {
            None => Ok(MacAddress(octets)),
            Some(_) => Err(ParseMacAddressError),
        }
    }
}

impl From<[u8; 6]> for MacAddress {
    fn from(octets: [u8; 6]) -> Self {
        MacAddress(octets)
    }
}

impl fmt::Display for MacAddress {
    /// `02-AA-BB-CC-DD-EE`, as Windows writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0;
        write!(f, "{first:02X}")?;
        rest.iter().try_for_each(|octet| write!(f, "-{octet:02X}"))
    }
}

impl FromStr for MacAddress {
    type Err = ParseMacAddressError;

    /// Reads `02-AA-BB-CC-DD-EE`, `02:aa:bb:cc:dd:ee` or `02AABBCCDDEE`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        MacAddress::from_characters(text.chars())
    }
}

/// The text is not a MAC address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseMacAddressError;

impl fmt::Display for ParseMacAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a MAC address: write twelve hexadecimal digits, like 02AABBCCDDEE, \
             02-AA-BB-CC-DD-EE or 02:AA:BB:CC:DD:EE",
        )
    }
}

impl core::error::Error for ParseMacAddressError {}

/// `address`, or its neighbour in the last bit where that is `nic`: only a locally administered `nic`
/// can be hit, and the neighbour keeps every property.
fn aside(address: MacAddress, nic: MacAddress) -> MacAddress {
    if address != nic {
        return address;
    }
    let [a, b, c, d, e, f] = address.0;
    MacAddress([a, b, c, d, e, f ^ 1])
}

/// The 64-bit FNV-1a hash: small, without tables, the same everywhere. Its finish is SplitMix64's
/// finalizer, because the last bytes added reach few of FNV-1a's upper bits.
struct Fnv1a(u64);

impl Fnv1a {
    const fn new() -> Self {
        Fnv1a(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, octet: u8) {
        self.0 = (self.0 ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3);
    }

    fn mixed(&self) -> u64 {
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}

/// The bit of the first octet that marks a group address.
const GROUP: u8 = 0x01;
/// The bit of the first octet that marks a locally administered address.
const LOCAL: u8 = 0x02;

#[cfg(test)]
mod tests;
