//! The headers that versioned structures begin with.

use ndis_sys::NDIS_OBJECT_HEADER;

use crate::rules;

/// Whether `header` is of `object_type` and one of the `revisions` (revision, size of it). A larger
/// revision than the newest one listed is read as that, if it is not smaller.
pub(crate) fn valid(header: &NDIS_OBJECT_HEADER, object_type: u8, revisions: &[(u8, u16)]) -> bool {
    header.Type == object_type
        && match revisions
            .iter()
            .find(|(revision, _)| *revision == header.Revision)
        {
            Some((_, size)) => header.Size >= *size,
            None => revisions.iter().max().is_some_and(|(revision, size)| {
                header.Revision > *revision && header.Size >= *size
            }),
        }
}

/// Ends the run if `header`, passed to `function`, is not [`valid`].
pub(crate) fn require(
    header: &NDIS_OBJECT_HEADER,
    object_type: u8,
    revisions: &[(u8, u16)],
    function: &str,
) {
    if !valid(header, object_type, revisions) {
        rules::broken(
            &rules::NDIS_BUGCHECK_INVALID_OBJECT_HEADER,
            format_args!(
                "{function}: Header has Type {:#x}, Revision {}, Size {}; it must be Type \
                 {object_type:#x} and (revision, at least bytes) one of {revisions:?}",
                header.Type, header.Revision, header.Size
            ),
        );
    }
    rules::held(&rules::NDIS_BUGCHECK_INVALID_OBJECT_HEADER);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_must_reach_the_revision_that_is_named() {
        let revisions = [(1, 8), (2, 16)];
        let header = NDIS_OBJECT_HEADER::new;
        assert!(valid(&header(0x80, 1, 8), 0x80, &revisions));
        assert!(valid(&header(0x80, 2, 16), 0x80, &revisions));
        assert!(valid(&header(0x80, 3, 24), 0x80, &revisions));
        assert!(!valid(&header(0x80, 2, 8), 0x80, &revisions));
        assert!(!valid(&header(0x80, 3, 8), 0x80, &revisions));
        assert!(!valid(&header(0x81, 1, 8), 0x80, &revisions));
        assert!(!valid(&header(0x80, 0, 8), 0x80, &revisions));
    }
}
