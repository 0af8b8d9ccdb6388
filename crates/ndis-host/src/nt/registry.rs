//! The registry, in memory: a tree of keys with typed values. Names compare without case.
//!
//! Paths are as drivers see them, from `\Registry\Machine` down. It starts empty; a lab file and the
//! installation of drivers fill it in.

use std::collections::BTreeMap;

use super::sched::Monitor;
use super::string::upcase;

/// The data of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `REG_SZ`.
    Sz(String),
    /// `REG_DWORD`.
    Dword(u32),
    /// `REG_MULTI_SZ`.
    MultiSz(Vec<String>),
    /// `REG_BINARY`.
    Binary(Vec<u8>),
}

impl Value {
    /// The number of the type, `REG_*`.
    #[must_use]
    pub fn type_number(&self) -> u32 {
        match self {
            Self::Sz(_) => 1,
            Self::Binary(_) => 3,
            Self::Dword(_) => 4,
            Self::MultiSz(_) => 7,
        }
    }

    /// The bytes as the registry keeps them: strings in UTF-16 with their terminating nulls.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let utf16 = |units: Vec<u16>| units.into_iter().flat_map(u16::to_le_bytes).collect();
        match self {
            Self::Sz(text) => utf16(text.encode_utf16().chain([0]).collect()),
            Self::MultiSz(texts) => utf16(
                texts
                    .iter()
                    .flat_map(|text| text.encode_utf16().chain([0]))
                    .chain([0])
                    .collect(),
            ),
            Self::Dword(number) => number.to_le_bytes().to_vec(),
            Self::Binary(bytes) => bytes.clone(),
        }
    }

    /// A value from its type number and bytes; other types, and bytes that do not fit the type, are
    /// binary.
    #[must_use]
    pub fn from_bytes(type_number: u32, bytes: &[u8]) -> Self {
        match (type_number, bytes) {
            (1 | 2, bytes) => Self::Sz(decode(bytes).trim_end_matches('\0').to_owned()),
            (4, &[a, b, c, d]) => Self::Dword(u32::from_le_bytes([a, b, c, d])),
            (7, bytes) => Self::MultiSz(
                decode(bytes)
                    .split('\0')
                    .filter(|text| !text.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
            (_, bytes) => Self::Binary(bytes.to_vec()),
        }
    }
}

/// Makes the key and its parents, if they are not there.
pub fn create(path: &str) {
    ROOT.lock().make(path);
}

/// Whether the key is there.
#[must_use]
pub fn exists(path: &str) -> bool {
    ROOT.lock().find(path).is_some()
}

/// Sets a value, making the key if it is not there.
pub fn set(path: &str, name: &str, value: Value) {
    let mut root = ROOT.lock();
    let entry = (name.to_owned(), value);
    root.make(path).values.insert(upcase(name), entry);
}

/// A value of a key.
#[must_use]
pub fn get(path: &str, name: &str) -> Option<Value> {
    let root = ROOT.lock();
    let (_, value) = root.find(path)?.values.get(&upcase(name))?;
    Some(value.clone())
}

/// Deletes a value; answers whether it was there.
pub fn delete_value(path: &str, name: &str) -> bool {
    let mut root = ROOT.lock();
    let key = root.find_mut(path);
    key.is_some_and(|key| key.values.remove(&upcase(name)).is_some())
}

/// Deletes a key with all below it; answers whether it was there.
pub fn delete(path: &str) -> bool {
    let Some((parent, name)) = path.rsplit_once('\\') else {
        return false;
    };
    let mut root = ROOT.lock();
    let parent = root.find_mut(parent);
    parent.is_some_and(|parent| parent.keys.remove(&upcase(name)).is_some())
}

/// The names of the keys right below a key, in order.
#[must_use]
pub fn keys(path: &str) -> Vec<String> {
    let root = ROOT.lock();
    let key = root.find(path);
    key.map_or_else(Vec::new, |key| {
        key.keys.values().map(|key| key.name.clone()).collect()
    })
}

/// The values of a key with their names, in order.
#[must_use]
pub fn values(path: &str) -> Vec<(String, Value)> {
    let root = ROOT.lock();
    let key = root.find(path);
    key.map_or_else(Vec::new, |key| key.values.values().cloned().collect())
}

/// Deletes everything: for a fresh run in the same process.
pub fn clear() {
    *ROOT.lock() = Key::new();
}

/// The path of a driver's service key.
#[must_use]
pub fn service_path(service: &str) -> String {
    format!(r"\Registry\Machine\System\CurrentControlSet\Services\{service}")
}

struct Key {
    /// As it was first spelled.
    name: String,
    keys: BTreeMap<String, Key>,
    /// By upcased name: the name as first spelled, and the value.
    values: BTreeMap<String, (String, Value)>,
}

impl Key {
    const fn new() -> Self {
        Self {
            name: String::new(),
            keys: BTreeMap::new(),
            values: BTreeMap::new(),
        }
    }

    fn make(&mut self, path: &str) -> &mut Self {
        parts(path).fold(self, |key, part| {
            key.keys.entry(upcase(part)).or_insert_with(|| Self {
                name: part.to_owned(),
                ..Self::new()
            })
        })
    }

    fn find(&self, path: &str) -> Option<&Self> {
        parts(path).try_fold(self, |key, part| key.keys.get(&upcase(part)))
    }

    fn find_mut(&mut self, path: &str) -> Option<&mut Self> {
        parts(path).try_fold(self, |key, part| key.keys.get_mut(&upcase(part)))
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('\\').filter(|part| !part.is_empty())
}

fn decode(bytes: &[u8]) -> String {
    let units: Vec<_> = bytes
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .collect();
    String::from_utf16_lossy(&units)
}

static ROOT: Monitor<Key> = Monitor::new(Key::new());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_case_and_keep_their_spelling() {
        set(r"\Registry\Machine\T1\Key", "VlanId", Value::Dword(10));
        assert_eq!(
            get(r"\REGISTRY\machine\t1\kEY", "VLANID"),
            Some(Value::Dword(10))
        );
        set(
            r"\Registry\Machine\t1\key",
            "vlanid",
            Value::Sz("20".into()),
        );
        let value = Value::Sz("20".into());
        assert_eq!(
            values(r"\Registry\Machine\T1\Key"),
            [("vlanid".to_owned(), value)]
        );
        assert_eq!(keys(r"\Registry\Machine\T1"), ["Key"]);
    }

    #[test]
    fn deleting_a_key_deletes_all_below() {
        set(r"\Registry\Machine\T2\A\B", "x", Value::Dword(1));
        assert!(delete(r"\Registry\Machine\T2\A"));
        assert!(!exists(r"\Registry\Machine\T2\A\B"));
        assert!(!delete(r"\Registry\Machine\T2\A"));
        assert!(exists(r"\Registry\Machine\T2"));
    }

    #[test]
    fn bytes_of_each_type_come_back_as_the_same_value() {
        for value in [
            Value::Sz("Übung".into()),
            Value::Dword(0x1234_5678),
            Value::MultiSz(vec!["a".into(), "bc".into()]),
            Value::MultiSz(Vec::new()),
            Value::Binary(vec![1, 2, 3]),
        ] {
            assert_eq!(
                Value::from_bytes(value.type_number(), &value.to_bytes()),
                value
            );
        }
    }

    #[test]
    fn multi_sz_ends_with_an_empty_string() {
        let bytes = Value::MultiSz(vec!["a".into()]).to_bytes();
        assert_eq!(bytes, [b'a', 0, 0, 0, 0, 0]);
    }
}
