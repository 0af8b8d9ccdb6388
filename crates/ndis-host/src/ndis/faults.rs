//! Calls into NDIS that are told to fail: those that images make. Built-in parts never fail this way.

use super::caller;
use crate::faults;

/// Whether this call of `function` is to fail. Counts the call.
pub(crate) fn should_fail(function: &'static str) -> bool {
    !caller::current().built_in && faults::should_fail(function)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ndis::caller::{Caller, enter};

    #[test]
    fn calls_of_built_in_parts_are_not_counted() {
        faults::fail_nth("FaultTestOfImages", 1);
        {
            let _host = enter(Caller::HOST);
            assert!(!should_fail("FaultTestOfImages"));
        }
        assert!(should_fail("FaultTestOfImages"));
        assert_eq!(faults::fallible_calls()["FaultTestOfImages"], 1);
    }
}
