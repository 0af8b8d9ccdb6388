//! Lanes: the edges at which drivers and NDIS meet, ordered as they are stacked.
//!
//! They are found in the records themselves: a binding is called `protocol on adapter`, and the
//! functions of a miniport name its adapter. From below: what belongs to no adapter, then for each
//! adapter its miniport edge, the adapter itself, and the bindings above it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ndis::trace::{Direction, Record};

/// One lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lane {
    /// Its position, from the wire up.
    pub id: usize,
    /// What it is.
    pub kind: LaneKind,
    /// The adapter or binding; the service of a driver as a whole.
    pub name: String,
    /// Whose edge it is; empty for NDIS's own lanes.
    pub driver: String,
}

/// What a lane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneKind {
    /// NDIS, where no adapter is concerned.
    Ndis,
    /// A driver as a whole.
    Driver,
    /// The edge of a built-in NIC, with the wire below it.
    Nic,
    /// An image's miniport edge for one adapter.
    Miniport,
    /// An adapter: NDIS between a miniport and what is above.
    Adapter,
    /// A filter module.
    Filter,
    /// An image's protocol edge on one adapter.
    Protocol,
    /// A built-in protocol above.
    Client,
}

/// All lanes, and which of them a record is about.
pub(super) struct Stack {
    lanes: Vec<Lane>,
    index: BTreeMap<Key, usize>,
    bindings: Vec<String>,
    adapters: Vec<String>,
    filters: Vec<String>,
}

/// What tells lanes apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Ndis,
    Driver(String),
    MiniportEdge(String),
    Adapter(String),
    Filter(String),
    Binding(String),
}

impl Stack {
    /// The lanes that these records need.
    pub(super) fn of(records: &[Record]) -> Self {
        let mut stack = Self {
            lanes: Vec::new(),
            index: BTreeMap::new(),
            bindings: Vec::new(),
            adapters: Vec::new(),
            filters: Vec::new(),
        };
        for record in records {
            stack.learn(record);
        }
        let mut found: BTreeMap<Key, (&'static str, bool)> = BTreeMap::new();
        for record in records {
            let (driver, ndis) = stack.keys(record);
            found
                .entry(driver)
                .or_insert((record.driver, record.built_in));
            found.entry(ndis).or_insert(("", true));
        }
        let mut ordered: Vec<Key> = found.keys().cloned().collect();
        let levels = stack.levels(&found);
        let place = |key: &Key| stack.place(key, &levels);
        ordered.sort_by_key(|key| place(key));
        for (id, key) in ordered.into_iter().enumerate() {
            let (driver, built_in) = found[&key];
            stack.lanes.push(key.lane(id, driver, built_in));
            stack.index.insert(key, id);
        }
        stack
    }

    /// The lanes.
    pub(super) fn into_lanes(self) -> Vec<Lane> {
        self.lanes
    }

    /// The lane that a record goes from, and the one that it goes to.
    pub(super) fn ends(&self, record: &Record) -> (usize, usize) {
        let (driver, ndis) = self.keys(record);
        let (driver, ndis) = (self.index[&driver], self.index[&ndis]);
        match record.direction {
            Direction::Call => (driver, ndis),
            Direction::Callback => (ndis, driver),
        }
    }

    /// The driver's lane of a record.
    pub(super) fn edge(&self, record: &Record) -> usize {
        self.index[&self.keys(record).0]
    }

    /// Takes the names of adapters, bindings and filter modules from a record that has them as they
    /// are.
    fn learn(&mut self, record: &Record) {
        let object = record.object.as_str();
        if is_filter(record.name) {
            if !object.is_empty() && !object.contains(' ') {
                note(&mut self.filters, object);
            }
        } else if EXACT_BINDING.contains(&record.name) {
            if let Some((_, adapter)) = object.split_once(" on ") {
                note(&mut self.bindings, object);
                note(&mut self.adapters, adapter);
            }
        } else if EXACT_ADAPTER.contains(&record.name) && !object.is_empty() {
            note(&mut self.adapters, object);
        }
    }

    /// The lane of the driver that a record is about, and the one of NDIS.
    fn keys(&self, record: &Record) -> (Key, Key) {
        let text = record.edge.as_deref().unwrap_or(&record.object);
        // The longest: one name may be the beginning of another.
        let within = |names: &[String]| {
            let inside = names.iter().filter(|name| text.contains(name.as_str()));
            inside.max_by_key(|name| name.len()).cloned()
        };
        let adapter = within(&self.adapters);
        let ndis = adapter.clone().map_or(Key::Ndis, Key::Adapter);
        if is_filter(record.name) {
            let filter = within(&self.filters);
            let driver = filter.map_or_else(|| Key::driver(record), Key::Filter);
            return (driver, ndis);
        }
        if let Some(binding) = within(&self.bindings)
            && !record.name.starts_with("Miniport")
        {
            return (Key::Binding(binding), ndis);
        }
        let driver = adapter.map_or_else(|| Key::driver(record), Key::MiniportEdge);
        (driver, ndis)
    }

    /// How high each adapter stands: above the adapters that its driver's protocol edge is bound to.
    fn levels(&self, found: &BTreeMap<Key, (&'static str, bool)>) -> BTreeMap<String, usize> {
        let mut levels: BTreeMap<String, usize> =
            self.adapters.iter().map(|name| (name.clone(), 0)).collect();
        // Each round settles a level; a stack that leans on itself ends with the last round.
        for _ in 0..self.adapters.len() {
            let before = levels.clone();
            for adapter in &self.adapters {
                let Some((driver, false)) = found.get(&Key::MiniportEdge(adapter.clone())) else {
                    continue;
                };
                let below = self.bindings.iter().filter_map(|binding| {
                    let (owner, _) = found.get(&Key::Binding(binding.clone()))?;
                    let (_, below) = binding.split_once(" on ")?;
                    (owner == driver && below != adapter).then(|| before.get(below))?
                });
                if let Some(highest) = below.max() {
                    levels.insert(adapter.clone(), highest + 1);
                }
            }
        }
        levels
    }

    /// Where a lane stands: level, order of appearance of the adapter, position above it, name.
    fn place(&self, key: &Key, levels: &BTreeMap<String, usize>) -> (usize, usize, usize, String) {
        let of = |adapter: &str, position: usize, name: &str| {
            let level = levels.get(adapter).copied().unwrap_or(0);
            let order = self.adapters.iter().position(|other| other == adapter);
            let order = order.unwrap_or(usize::MAX);
            (level + 1, order, position, name.to_owned())
        };
        match key {
            Key::Ndis => (0, 0, 0, String::new()),
            Key::Driver(driver) => (0, 0, 1, driver.clone()),
            Key::MiniportEdge(adapter) => of(adapter, 0, ""),
            Key::Adapter(adapter) => of(adapter, 1, ""),
            Key::Filter(module) => {
                let adapter = self
                    .adapters
                    .iter()
                    .find(|adapter| module.contains(*adapter));
                of(adapter.map_or("", String::as_str), 2, module)
            }
            Key::Binding(binding) => {
                let adapter = binding
                    .split_once(" on ")
                    .map_or("", |(_, adapter)| adapter);
                of(adapter, 3, binding)
            }
        }
    }
}

impl Key {
    fn driver(record: &Record) -> Self {
        Self::Driver(if record.built_in {
            BUILT_IN.to_owned()
        } else {
            record.driver.to_owned()
        })
    }

    fn lane(&self, id: usize, driver: &str, built_in: bool) -> Lane {
        let (kind, name) = match self {
            Self::Ndis => (LaneKind::Ndis, "NDIS"),
            Self::Driver(name) => (LaneKind::Driver, name.as_str()),
            Self::MiniportEdge(name) if built_in => (LaneKind::Nic, name.as_str()),
            Self::MiniportEdge(name) => (LaneKind::Miniport, name.as_str()),
            Self::Adapter(name) => (LaneKind::Adapter, name.as_str()),
            Self::Filter(name) => (LaneKind::Filter, name.as_str()),
            Self::Binding(name) if built_in => (LaneKind::Client, name.as_str()),
            Self::Binding(name) => (LaneKind::Protocol, name.as_str()),
        };
        Lane {
            id,
            kind,
            name: name.to_owned(),
            driver: driver.to_owned(),
        }
    }
}

fn note(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|other| other == name) {
        names.push(name.to_owned());
    }
}

fn is_filter(function: &str) -> bool {
    function.starts_with("NdisF") && !function.starts_with("NdisFree")
        || function.starts_with("Filter")
}

/// The lane of built-in drivers as a whole.
const BUILT_IN: &str = "built-in drivers";

/// Functions whose records have exactly a binding's name as their object.
const EXACT_BINDING: [&str; 9] = [
    "ProtocolBindAdapterEx",
    "NdisOpenAdapterEx",
    "ProtocolOpenAdapterCompleteEx",
    "NdisCloseAdapterEx",
    "ProtocolUnbindAdapterEx",
    "NdisSendNetBufferLists",
    "ProtocolSendNetBufferListsComplete",
    "ProtocolReceiveNetBufferLists",
    "NdisReturnNetBufferLists",
];

/// Functions whose records have exactly an adapter's name as their object.
const EXACT_ADAPTER: [&str; 8] = [
    "MiniportInitializeEx",
    "MiniportPause",
    "MiniportRestart",
    "MiniportHaltEx",
    "MiniportSendNetBufferLists",
    "MiniportReturnNetBufferLists",
    "NdisMIndicateReceiveNetBufferLists",
    "NdisMSendNetBufferListsComplete",
];
