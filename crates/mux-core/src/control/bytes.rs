//! Filling a caller's buffer from its start, without ever leaving it.

/// What is left of a buffer that is being filled.
pub(super) struct Filler<'a>(&'a mut [u8]);

impl<'a> Filler<'a> {
    pub(super) fn new(buffer: &'a mut [u8]) -> Self {
        Filler(buffer)
    }

    /// Puts these bytes next. `None` if there is no room: nothing was put then.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let (here, rest) = core::mem::take(&mut self.0).split_at_mut_checked(bytes.len())?;
        here.copy_from_slice(bytes);
        self.0 = rest;
        Some(())
    }

    /// Puts UTF-16 units next, little-endian.
    pub(super) fn put_units(&mut self, units: impl Iterator<Item = u16>) -> Option<()> {
        units
            .into_iter()
            .try_for_each(|unit| self.put(&unit.to_le_bytes()))
    }
}
