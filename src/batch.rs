//! Sorting a chain into batches, one for each virtual miniport.

/// Up to `N` batches under construction.
pub(crate) struct Batches<B, const N: usize> {
    batches: [Option<B>; N],
}

impl<B, const N: usize> Batches<B, N> {
    pub(crate) const fn new() -> Self {
        Self {
            batches: [const { None }; N],
        }
    }

    /// The batch that something belongs to, or a new one. If all are in use by others, the first is
    /// delivered to make room: the order within a batch's virtual miniport stays as it is.
    pub(crate) fn batch(
        &mut self,
        belongs: impl Fn(&B) -> bool,
        new: impl FnOnce() -> B,
        deliver: impl FnOnce(B),
    ) -> &mut B {
        let place = self
            .batches
            .iter()
            .position(|batch| batch.as_ref().is_some_and(&belongs))
            .or_else(|| self.batches.iter().position(Option::is_none))
            .unwrap_or(0);
        let batch = &mut self.batches[place];
        if let Some(full) = batch.take_if(|batch| !belongs(batch)) {
            deliver(full);
        }
        batch.get_or_insert_with(new)
    }

    /// Delivers every batch.
    pub(crate) fn deliver(self, deliver: impl FnMut(B)) {
        self.batches.into_iter().flatten().for_each(deliver);
    }
}
