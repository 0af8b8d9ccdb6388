//! A list of what there is now: the driver's bindings, a binding's virtual miniports.
//!
//! Whoever goes through it sees an immutable snapshot, so that nobody is skipped or seen twice because
//! somebody else comes or goes meanwhile. A change puts a new list in the place of the old one. Taking
//! somebody out must not need memory: who is gone may stand in the list until it is changed next, and
//! does not count.

use alloc::vec::Vec;
use core::mem;

use ndis::{Result, Shared, Status, sync::SpinLock};

/// A list, and whether anybody may still be added.
pub(crate) struct Roster<T> {
    state: SpinLock<State<T>>,
    /// What the list is in the end: kept so that clearing needs no memory.
    nobody: List<T>,
}

/// The list as it was at one moment.
pub(crate) type List<T> = Shared<Vec<Shared<T>>>;

/// Who stands in a roster.
pub(crate) trait Member {
    /// Whether it is gone for good, and does not count any more.
    fn is_gone(&self) -> bool;
}

struct State<T> {
    open: bool,
    list: List<T>,
}

impl<T: Member> Roster<T> {
    /// Nobody yet.
    ///
    /// # Errors
    /// [`Status::RESOURCES`].
    pub(crate) fn try_new() -> Result<Self> {
        let nobody = Shared::try_new(Vec::new())?;
        Ok(Self {
            state: SpinLock::new(State {
                open: true,
                list: nobody.clone(),
            }),
            nobody,
        })
    }

    /// Who is there now, and perhaps some who are gone.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub(crate) fn list(&self) -> List<T> {
        self.state.with(|state| state.list.clone())
    }

    /// The first who is there and whom `is_it` knows. Needs no memory.
    pub(crate) fn find(&self, is_it: impl Fn(&Shared<T>) -> bool) -> Option<Shared<T>> {
        let list = self.list();
        let mut known = list.iter().filter(|&member| is_it(member));
        known.find(|member| !member.is_gone()).cloned()
    }

    /// Adds some at the end.
    ///
    /// # Errors
    /// [`Status::CLOSING`] if the roster is shut, [`Status::RESOURCES`]: nobody was added.
    pub(crate) fn add(&self, new: &[Shared<T>]) -> Result {
        self.change(new)
    }

    /// Lets go of those who are gone, if there is memory for the list without them.
    pub(crate) fn tidy(&self) {
        let _kept_for_now = self.change(&[]);
    }

    /// Nobody is added any more. Whoever was is in the list from here on.
    pub(crate) fn shut(&self) {
        self.state.with(|state| state.open = false);
    }

    /// Whether somebody may still be added.
    pub(crate) fn is_open(&self) -> bool {
        self.state.with(|state| state.open)
    }

    /// Lets go of everybody.
    pub(crate) fn clear(&self) {
        let nobody = self.nobody.clone();
        let before = self
            .state
            .with(|state| mem::replace(&mut state.list, nobody));
        drop(before);
    }

    /// Puts a list of those who are there and of `new` in the place of the one it was made from.
    fn change(&self, new: &[Shared<T>]) -> Result {
        loop {
            let before = self.list();
            let there = before.iter().filter(|member| !member.is_gone());
            let mut list = Vec::new();
            list.try_reserve_exact(before.len() + new.len())
                .map_err(|_| Status::RESOURCES)?;
            list.extend(there.chain(new).cloned());
            let list = Shared::try_new(list)?;
            let replaced = self.state.with(|state| {
                if !state.open {
                    return Err(Status::CLOSING);
                }
                let unchanged = state.list.same(&before);
                Ok(unchanged.then(|| mem::replace(&mut state.list, list)))
            })?;
            if replaced.is_some() {
                return Ok(());
            }
        }
    }
}
