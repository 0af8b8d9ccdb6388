//! One test for each row of the table, named as the row.

use super::*;

mod states {
    //! Instances in each state, made by what happens to real ones.

    use super::super::{Instance, Leave};

    pub(super) fn requested() -> Instance {
        let mut instance = Instance::new();
        instance.request().unwrap();
        instance
    }

    pub(super) fn initializing() -> Instance {
        let mut instance = requested();
        instance.initialize_begun().unwrap();
        instance
    }

    pub(super) fn paused() -> Instance {
        let mut instance = initializing();
        instance.initialize_ended(true).unwrap();
        instance
    }

    pub(super) fn running() -> Instance {
        let mut instance = paused();
        instance.restarted().unwrap();
        instance
    }

    pub(super) fn pausing() -> Instance {
        let mut instance = running();
        instance.pause_begun().unwrap();
        instance
    }

    pub(super) fn leaving(mut instance: Instance) -> Instance {
        let _: Leave = instance.leave();
        instance
    }
}

use states::{initializing, leaving, paused, pausing, requested, running};

#[track_caller]
fn assert_is(instance: Instance, state: State, leaving: bool) {
    assert_eq!((instance.state(), instance.leaving()), (state, leaving));
    assert_eq!(instance.gone(), leaving && state == State::Idle);
}

#[test]
fn request_while_idle_is_accepted() {
    let mut instance = Instance::new();
    assert_eq!(instance.request(), Ok(()));
    assert_is(instance, State::Requested, false);
}

#[test]
fn initialize_begun_while_idle_starts_it_again() {
    let mut instance = running();
    instance.halted();
    assert_eq!(instance.initialize_begun(), Ok(()));
    assert_is(instance, State::Initializing, false);
}

#[test]
fn leave_while_idle_is_gone() {
    let mut instance = Instance::new();
    assert_eq!(instance.leave(), Leave::Gone);
    assert_is(instance, State::Idle, true);
}

#[test]
fn request_failed_while_requested_is_idle_again() {
    let mut instance = requested();
    instance.request_failed();
    assert_is(instance, State::Idle, false);
    assert_eq!(instance.request(), Ok(()));
}

#[test]
fn initialize_begun_while_requested_is_accepted() {
    let mut instance = requested();
    assert_eq!(instance.initialize_begun(), Ok(()));
    assert_is(instance, State::Initializing, false);
}

#[test]
fn leave_while_requested_cancels() {
    let mut instance = requested();
    assert_eq!(instance.leave(), Leave::Cancel);
    assert_is(instance, State::Requested, true);
}

#[test]
fn initialize_succeeded_is_paused() {
    let mut instance = initializing();
    assert_eq!(instance.initialize_ended(true), Ok(()));
    assert_is(instance, State::Paused, false);
    assert!(instance.initialized() && !instance.running());
}

#[test]
fn initialize_failed_is_idle_again() {
    let mut instance = initializing();
    assert_eq!(instance.initialize_ended(false), Ok(()));
    assert_is(instance, State::Idle, false);
}

#[test]
fn leave_while_initializing_waits() {
    let mut instance = initializing();
    assert_eq!(instance.leave(), Leave::Wait);
    assert_is(instance, State::Initializing, true);
}

#[test]
fn restarted_while_paused_is_running() {
    let mut instance = paused();
    assert_eq!(instance.restarted(), Ok(()));
    assert_is(instance, State::Running, false);
    assert!(instance.initialized() && instance.running());
}

#[test]
fn halted_while_paused_is_idle() {
    let mut instance = paused();
    instance.halted();
    assert_is(instance, State::Idle, false);
}

#[test]
fn leave_while_paused_deinitializes() {
    let mut instance = paused();
    assert_eq!(instance.leave(), Leave::Deinitialize);
    assert_is(instance, State::Paused, true);
}

#[test]
fn pause_begun_while_running_is_pausing() {
    let mut instance = running();
    assert_eq!(instance.pause_begun(), Ok(()));
    assert_is(instance, State::Pausing, false);
    assert!(instance.initialized() && !instance.running());
}

#[test]
fn halted_while_running_is_idle() {
    let mut instance = running();
    instance.halted();
    assert_is(instance, State::Idle, false);
}

#[test]
fn leave_while_running_deinitializes() {
    let mut instance = running();
    assert_eq!(instance.leave(), Leave::Deinitialize);
    assert_is(instance, State::Running, true);
}

#[test]
fn paused_while_pausing_is_paused() {
    let mut instance = pausing();
    instance.paused();
    assert_is(instance, State::Paused, false);
}

#[test]
fn halted_while_pausing_is_idle() {
    let mut instance = pausing();
    instance.halted();
    assert_is(instance, State::Idle, false);
}

#[test]
fn leave_while_pausing_deinitializes() {
    let mut instance = pausing();
    assert_eq!(instance.leave(), Leave::Deinitialize);
    assert_is(instance, State::Pausing, true);
}

#[test]
fn leave_again_after_gone_is_gone() {
    let mut instance = leaving(Instance::new());
    assert_eq!(instance.leave(), Leave::Gone);
    assert_is(instance, State::Idle, true);
}

#[test]
fn cancel_succeeded_after_gone_is_gone() {
    let mut instance = leaving(requested());
    instance.request_failed();
    assert_eq!(instance.cancelled(true), Leave::Gone);
    assert_is(instance, State::Idle, true);
}

#[test]
fn cancel_failed_after_refused_initialize_is_gone() {
    let mut instance = leaving(requested());
    assert!(instance.initialize_begun().is_err());
    assert_eq!(instance.cancelled(false), Leave::Gone);
    assert_is(instance, State::Idle, true);
}

#[test]
fn request_failed_while_cancelling_is_gone() {
    let mut instance = leaving(requested());
    instance.request_failed();
    assert_is(instance, State::Idle, true);
}

#[test]
fn initialize_begun_after_leave_is_refused() {
    let mut instance = leaving(requested());
    assert_eq!(
        instance.initialize_begun(),
        Err(Refused {
            state: State::Requested,
            leaving: true,
            event: Event::InitializeBegun
        })
    );
    assert_is(instance, State::Idle, true);
}

#[test]
fn leave_again_while_cancelling_waits() {
    let mut instance = leaving(requested());
    assert_eq!(instance.leave(), Leave::Wait);
    assert_is(instance, State::Requested, true);
}

#[test]
fn cancel_succeeded_is_gone() {
    let mut instance = leaving(requested());
    assert_eq!(instance.cancelled(true), Leave::Gone);
    assert_is(instance, State::Idle, true);
}

#[test]
fn cancel_failed_waits_for_initialize() {
    let mut instance = leaving(requested());
    assert_eq!(instance.cancelled(false), Leave::Wait);
    assert_is(instance, State::Requested, true);
    assert!(instance.initialize_begun().is_err());
    assert!(instance.gone());
}

#[test]
fn initialize_succeeded_after_leave_is_refused() {
    let mut instance = leaving(initializing());
    assert_eq!(
        instance.initialize_ended(true),
        Err(Refused {
            state: State::Initializing,
            leaving: true,
            event: Event::InitializeSucceeded
        })
    );
    assert_is(instance, State::Idle, true);
}

#[test]
fn initialize_failed_after_leave_is_gone() {
    let mut instance = leaving(initializing());
    assert_eq!(instance.initialize_ended(false), Ok(()));
    assert_is(instance, State::Idle, true);
}

#[test]
fn leave_again_while_initializing_waits() {
    let mut instance = leaving(initializing());
    assert_eq!(instance.leave(), Leave::Wait);
    assert_is(instance, State::Initializing, true);
}

#[test]
fn restarted_while_deinitializing_is_running() {
    let mut instance = leaving(paused());
    assert_eq!(instance.restarted(), Ok(()));
    assert_is(instance, State::Running, true);
}

#[test]
fn halted_while_paused_and_leaving_is_gone() {
    let mut instance = leaving(paused());
    instance.halted();
    assert_is(instance, State::Idle, true);
}

#[test]
fn leave_again_while_paused_waits() {
    let mut instance = leaving(paused());
    assert_eq!(instance.leave(), Leave::Wait);
    assert_is(instance, State::Paused, true);
}

#[test]
fn pause_begun_while_deinitializing_is_pausing() {
    let mut instance = leaving(running());
    assert_eq!(instance.pause_begun(), Ok(()));
    assert_is(instance, State::Pausing, true);
}

#[test]
fn halted_while_running_and_leaving_is_gone() {
    let mut instance = leaving(running());
    instance.halted();
    assert_is(instance, State::Idle, true);
}

#[test]
fn leave_again_while_running_waits() {
    let mut instance = leaving(running());
    assert_eq!(instance.leave(), Leave::Wait);
    assert_is(instance, State::Running, true);
}

#[test]
fn paused_while_deinitializing_is_paused() {
    let mut instance = leaving(pausing());
    instance.paused();
    assert_is(instance, State::Paused, true);
}

#[test]
fn halted_while_pausing_and_leaving_is_gone() {
    let mut instance = leaving(pausing());
    instance.halted();
    assert_is(instance, State::Idle, true);
}

#[test]
fn leave_again_while_pausing_waits() {
    let mut instance = leaving(pausing());
    assert_eq!(instance.leave(), Leave::Wait);
    assert_is(instance, State::Pausing, true);
}

#[test]
fn a_refusal_says_what_and_where() {
    let mut instance = leaving(requested());
    let refused = instance.initialize_begun().unwrap_err();
    assert_eq!(
        std::format!("{refused}"),
        "virtual miniport: InitializeBegun refused, it is Requested and its binding is leaving"
    );
}
