//! The filter modules of one adapter, and who is next to whom.

use std::ptr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use ndis_sys::NDIS_HANDLE;

use super::module::Module;
use crate::ndis::adapter::Adapter;
use crate::ndis::caller::Caller;
use crate::ndis::object::handle_of;
use crate::nt::sched::Monitor;

/// Something that stands below a binding.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layer {
    /// The miniport adapter, at the bottom.
    Adapter(&'static Adapter),
    /// A filter module above it.
    Filter(&'static Module),
}

impl Layer {
    /// Whose functions are called for it.
    pub(crate) fn caller(self) -> Caller {
        match self {
            Self::Adapter(adapter) => adapter.driver().caller(),
            Self::Filter(module) => module.driver().caller(),
        }
    }

    /// Its name in traces and reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Adapter(adapter) => adapter.name(),
            Self::Filter(module) => module.name(),
        }
    }

    /// Its handle, which is also the `SourceHandle` of what it originates.
    pub(crate) fn handle(self) -> NDIS_HANDLE {
        match self {
            Self::Adapter(adapter) => handle_of(adapter),
            Self::Filter(module) => handle_of(module),
        }
    }

    /// The adapter that it is, or stands on.
    pub(crate) fn adapter(self) -> &'static Adapter {
        match self {
            Self::Adapter(adapter) => adapter,
            Self::Filter(module) => module.adapter(),
        }
    }

    /// The module, if it is one.
    pub(crate) fn filter(self) -> Option<&'static Module> {
        match self {
            Self::Adapter(_) => None,
            Self::Filter(module) => Some(module),
        }
    }
}

impl PartialEq for Layer {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Adapter(a), Self::Adapter(b)) => ptr::eq(*a, *b),
            (Self::Filter(a), Self::Filter(b)) => ptr::eq(*a, *b),
            _ => false,
        }
    }
}

/// The modules of an adapter, from the bottom up.
#[derive(Default)]
pub(crate) struct Stack {
    modules: ArcSwap<Vec<&'static Module>>,
    /// Held to change them.
    changing: Monitor<()>,
}

impl Stack {
    /// All modules, from the bottom up.
    pub(crate) fn modules(&self) -> Arc<Vec<&'static Module>> {
        self.modules.load_full()
    }

    /// The module at the top.
    pub(crate) fn top(&self) -> Option<&'static Module> {
        self.modules().last().copied()
    }

    /// Puts a module at `position`, counted from the bottom.
    pub(super) fn insert(&self, position: usize, module: &'static Module) {
        let _alone = self.changing.lock();
        let mut modules = Vec::clone(&self.modules.load());
        modules.insert(position, module);
        self.modules.store(Arc::new(modules));
    }

    /// Takes a module out.
    pub(super) fn remove(&self, module: &'static Module) {
        let _alone = self.changing.lock();
        let mut modules = Vec::clone(&self.modules.load());
        modules.retain(|other| !ptr::eq(*other, module));
        self.modules.store(Arc::new(modules));
    }

    /// The first module below `from` (the top of the stack, if that is `None`) that `has` a handler.
    pub(crate) fn below(
        &self,
        from: Option<&'static Module>,
        has: impl Fn(&Module) -> bool,
    ) -> Option<&'static Module> {
        let modules = self.modules.load();
        let end = match from {
            None => modules.len(),
            Some(module) => position(&modules, module)?,
        };
        modules[..end].iter().rev().copied().find(|it| has(it))
    }

    /// The first module above `from` (the adapter, if that is `None`) that `has` a handler.
    pub(crate) fn above(
        &self,
        from: Option<&'static Module>,
        has: impl Fn(&Module) -> bool,
    ) -> Option<&'static Module> {
        let modules = self.modules.load();
        let start = match from {
            None => 0,
            Some(module) => position(&modules, module)? + 1,
        };
        modules[start..].iter().copied().find(|it| has(it))
    }
}

/// Where a module stands; `None` if it was taken out while it was still about to pass something on.
fn position(modules: &[&'static Module], module: &'static Module) -> Option<usize> {
    modules.iter().position(|other| ptr::eq(*other, module))
}
