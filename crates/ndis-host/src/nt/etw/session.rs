//! What somebody wants to be told: a provider's events up to a level, of some keywords.

use std::fmt::Write as _;
use std::str::FromStr;

use super::trace_logging::provider_id;
use super::{Descriptor, EVERY_LEVEL};

/// A session: whoever listens, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The provider's identifier, as it is in memory; `None` for every provider.
    pub provider: Option<[u8; 16]>,
    /// The most verbose level: 1 critical, 2 error, 3 warning, 4 information, 5 verbose; 255 for all.
    pub level: u8,
    /// An event with any of these keywords, or with none, is wanted.
    pub keywords: u64,
}

/// A session that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no PROVIDER[:LEVEL[:KEYWORDS]]: a provider's name, its identifier in braces or * for all; \
     a level from 1 (critical) to 5 (verbose) or 255; keywords in hexadecimal, like 0x11"
)]
pub struct NoSession(String);

impl Session {
    /// All events of all providers.
    pub const EVERYTHING: Self = Self {
        provider: None,
        level: EVERY_LEVEL,
        keywords: u64::MAX,
    };

    /// All events of the TraceLogging provider of that name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self {
            provider: Some(provider_id(name)),
            ..Self::EVERYTHING
        }
    }

    /// Whether it wants events of this provider at all.
    pub(super) fn is_for(&self, provider: &[u8; 16]) -> bool {
        self.provider.is_none_or(|wanted| wanted == *provider)
    }

    /// Whether it wants this event of a provider that it is for.
    pub(super) const fn wants(&self, event: &Descriptor) -> bool {
        event.level <= self.level && (event.keyword == 0 || event.keyword & self.keywords != 0)
    }
}

impl FromStr for Session {
    type Err = NoSession;

    fn from_str(text: &str) -> Result<Self, NoSession> {
        let error = || NoSession(text.to_owned());
        let mut parts = text.split(':');
        let provider = match parts.next().unwrap_or_default() {
            "" => return Err(error()),
            "*" => None,
            id if id.starts_with('{') => Some(parse_id(id).ok_or_else(error)?),
            name => Some(provider_id(name)),
        };
        let level = parts.next().map_or(Ok(EVERY_LEVEL), str::parse);
        let keywords = parts.next().map_or(Some(u64::MAX), |keywords| {
            let digits = keywords.trim_start_matches("0x");
            u64::from_str_radix(digits, 16).ok()
        });
        if parts.next().is_some() {
            return Err(error());
        }
        Ok(Self {
            provider,
            level: level.ok().filter(|&level| level != 0).ok_or_else(error)?,
            keywords: keywords
                .filter(|&keywords| keywords != 0)
                .ok_or_else(error)?,
        })
    }
}

/// An identifier as people write it: `{6a5ad0fc-…}`.
#[must_use]
pub fn written(id: &[u8; 16]) -> String {
    let mut text = "{".to_owned();
    for (index, &byte) in IN_TEXT.iter().enumerate() {
        if [4, 6, 8, 10].contains(&index) {
            text.push('-');
        }
        let _ = write!(text, "{:02x}", id[byte]);
    }
    text + "}"
}

fn parse_id(text: &str) -> Option<[u8; 16]> {
    let digits = text.strip_prefix('{')?.strip_suffix('}')?.replace('-', "");
    if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut id = [0; 16];
    for (index, &byte) in IN_TEXT.iter().enumerate() {
        id[byte] = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(id)
}

/// Which byte in memory stands where in the text: the first three parts are little-endian numbers.
const IN_TEXT: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Session> {
        text.parse().ok()
    }

    #[test]
    fn a_provider_is_named_or_identified() {
        let named = parse("MyProvider").expect("it is a session");
        assert_eq!(named, Session::of("MyProvider"));
        let id = "{b3864c38-4273-58c5-545b-8b3608343471}";
        assert_eq!(parse(id), Some(named));
        assert_eq!(written(&provider_id("MyProvider")), id);
        assert_eq!(parse("*"), Some(Session::EVERYTHING));
    }

    #[test]
    fn level_and_keywords_narrow_it() {
        let narrowed = Session {
            level: 4,
            keywords: 0x11,
            ..Session::of("mux")
        };
        assert_eq!(parse("mux:4:0x11"), Some(narrowed));
        assert_eq!(parse("mux:4:11"), Some(narrowed));
        let event = |level, keyword| Descriptor {
            level,
            keyword,
            ..Descriptor::default()
        };
        assert!(narrowed.wants(&event(4, 0x10)) && narrowed.wants(&event(2, 0)));
        assert!(!narrowed.wants(&event(5, 0x10)) && !narrowed.wants(&event(4, 0x20)));
    }

    #[test]
    fn what_is_no_session_is_refused() {
        for text in [
            "",
            ":4",
            "mux:",
            "mux:0",
            "mux:256",
            "mux:four",
            "mux:4:",
            "mux:4:0",
            "mux:4:x",
            "mux:4:1:1",
            "{}",
            "{b3864c38}",
            "{zz864c38-4273-58c5-545b-8b3608343471}",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
