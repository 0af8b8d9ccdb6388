//! Hand-overs of NBLs: from whom, to whom, and what the NBL looked like.

use std::time::Duration;

use super::snapshot::{Snapshot, Way};
use crate::ndis::binding::Binding;
use crate::ndis::caller::Caller;
use crate::ndis::filter::{Layer, Module};
use crate::ndis::object::name_of;
use crate::ndis::view::Nbl;
use crate::nt::sched;
use crate::rules;

/// One side of a hand-over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Party {
    /// A binding, above all else.
    Binding(&'static Binding),
    /// The adapter or a filter module.
    Below(Layer),
    /// NDIS, between two drivers.
    Ndis,
}

impl Party {
    /// Whose driver it is.
    pub(super) fn caller(self) -> Caller {
        match self {
            Self::Binding(binding) => binding.protocol().caller(),
            Self::Below(layer) => layer.caller(),
            Self::Ndis => Caller::HOST,
        }
    }

    /// Whether it may change the bytes of what it passes on: a filter may, a protocol or a miniport
    /// may not.
    fn may_change_bytes(self) -> bool {
        match self {
            Self::Below(Layer::Filter(module)) => !module.is_monitoring(),
            _ => false,
        }
    }

    /// Whether it is that module.
    pub(super) fn is_filter(self, module: &Module) -> bool {
        match self {
            Self::Below(Layer::Filter(other)) => std::ptr::eq(other, module),
            _ => false,
        }
    }
}

impl PartialEq for Party {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Binding(a), Self::Binding(b)) => std::ptr::eq(*a, *b),
            (Self::Below(a), Self::Below(b)) => a == b,
            (Self::Ndis, Self::Ndis) => true,
            _ => false,
        }
    }
}

/// One hand-over that was not yet undone.
#[derive(Debug)]
pub(super) struct Hand {
    pub(super) way: Way,
    pub(super) from: Party,
    pub(super) to: Party,
    /// `SourceHandle`, which stays as it is until the NBL is back with who originated it.
    pub(super) source: usize,
    pub(super) resources: bool,
    /// None with the rules off.
    snapshot: Option<Box<Snapshot>>,
    pub(super) since: Duration,
    /// Since when the receiver has it: again, if it had passed it on in between.
    pub(super) held: Duration,
}

impl Hand {
    /// `from` hands `nbl` to `to`, now.
    pub(super) fn new(way: Way, from: Party, to: Party, nbl: Nbl, resources: bool) -> Self {
        let enforced = rules::enforced();
        let now = if enforced {
            sched::now()
        } else {
            Duration::ZERO
        };
        Self {
            way,
            from,
            to,
            source: nbl.source() as usize,
            resources,
            snapshot: enforced.then(|| Box::new(Snapshot::of(nbl, way))),
            since: now,
            held: now,
        }
    }

    /// Whose driver has it.
    pub(super) fn receiver(&self) -> Caller {
        self.to.caller()
    }

    /// What is not as it was when it was handed over.
    pub(super) fn difference(&self, nbl: Nbl) -> Option<String> {
        if !rules::enforced() {
            return None;
        }
        let source = nbl.source() as usize;
        // A protocol may use the member of what it received as long as it has it.
        let kept = self.way == Way::Up && matches!(self.to, Party::Binding(_));
        if source != self.source && !kept {
            return Some(format!(
                "SourceHandle: was {:#x} ({}) and is {source:#x} ({})",
                self.source,
                name_of(self.source as *mut _),
                name_of(source as *mut _)
            ));
        }
        let snapshot = self.snapshot.as_ref()?;
        snapshot.difference(nbl, !self.to.may_change_bytes())
    }
}
