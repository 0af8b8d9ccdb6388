//! What the whole table promises, whatever happens in whatever order.

use std::collections::HashSet;
use std::vec::Vec;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

#[test]
fn no_two_rows_are_for_the_same_case() {
    let cases: HashSet<_> = TRANSITIONS
        .iter()
        .map(|row| (row.from, row.leaving, row.event))
        .collect();
    assert_eq!(cases.len(), TRANSITIONS.len());
}

#[test]
fn leave_has_a_row_in_every_state() {
    for state in STATES {
        for leaving in [false, true] {
            assert!(
                TRANSITIONS.iter().any(|row| row.from == state
                    && row.leaving == leaving
                    && row.event == Event::Leave),
                "{state:?} {leaving}"
            );
        }
    }
}

#[test]
fn what_has_no_row_is_refused_and_changes_nothing() {
    for state in STATES {
        for leaving in [false, true] {
            for event in EVENTS {
                let listed = TRANSITIONS
                    .iter()
                    .any(|row| row.from == state && row.leaving == leaving && row.event == event);
                if listed {
                    continue;
                }
                let before = Instance { state, leaving };
                let mut after = before;
                match drive(&mut after, event) {
                    Outcome::Silent => {}
                    Outcome::Result(result) => assert_eq!(
                        result,
                        Err(Refused {
                            state,
                            leaving,
                            event
                        })
                    ),
                    Outcome::Leave(leave) => assert_eq!(leave, Leave::Wait, "{before:?} {event:?}"),
                }
                assert_eq!(before, after, "{event:?}");
            }
        }
    }
}

#[test]
fn rows_cover_each_state_and_event() {
    let states: HashSet<_> = TRANSITIONS.iter().map(|row| row.from).collect();
    let events: HashSet<_> = TRANSITIONS.iter().map(|row| row.event).collect();
    let unreached: Vec<_> = STATES
        .iter()
        .filter(|state| !TRANSITIONS.iter().any(|row| row.to == **state))
        .collect();
    assert_eq!((states.len(), events.len()), (STATES.len(), EVENTS.len()));
    assert!(unreached.is_empty(), "{unreached:?}");
}

proptest! {
    #[test]
    fn any_sequence_keeps_the_promises(events in prop::collection::vec(select(&EVENTS[..]), 0..64)) {
        let mut instance = Instance::new();
        let mut deinitialize_answers = 0;
        let mut cancel_answers = 0;
        for event in events {
            let before = instance;
            let outcome = drive(&mut instance, event);

            prop_assert!(instance.leaving() || !before.leaving(), "leaving was undone");
            prop_assert_eq!(instance.leaving(), before.leaving() || event == Event::Leave);
            if before.gone() {
                prop_assert!(instance.gone(), "came back after {:?}", event);
                if let Outcome::Result(result) = outcome {
                    prop_assert!(result.is_err(), "{:?} accepted after the end", event);
                }
            }
            if instance.initialized() && !before.initialized() {
                prop_assert_eq!(event, Event::InitializeSucceeded);
                prop_assert!(!before.leaving(), "initialized while leaving");
            }
            if instance.running() && !before.running() {
                prop_assert_eq!(event, Event::Restarted);
            }
            if before.initialized() && !instance.initialized() {
                prop_assert_eq!(event, Event::Halted, "only a halt ends an initialized one");
            }
            match outcome {
                Outcome::Leave(Leave::Gone) => prop_assert!(instance.gone() || !instance.leaving()),
                Outcome::Leave(Leave::Cancel) => {
                    prop_assert_eq!(before.state(), State::Requested);
                    cancel_answers += 1;
                }
                Outcome::Leave(Leave::Deinitialize) => {
                    prop_assert!(before.initialized());
                    deinitialize_answers += 1;
                }
                Outcome::Leave(Leave::Wait) => prop_assert!(!instance.gone(), "waits for nothing"),
                Outcome::Result(Err(_)) => {
                    let ends = before.leaving()
                        && matches!(event, Event::InitializeBegun | Event::InitializeSucceeded);
                    prop_assert!(ends || instance == before, "{:?} refused with effect", event);
                }
                Outcome::Result(Ok(())) | Outcome::Silent => {}
            }
        }
        // Leaving is for ever, so these are per life.
        prop_assert!(deinitialize_answers + cancel_answers <= 1);
    }

    /// Whatever happened before: if those who have something to do for a leaving instance do it, it ends.
    #[test]
    fn a_leaving_instance_can_always_end(events in prop::collection::vec(select(&EVENTS[..]), 0..64)) {
        let mut instance = Instance::new();
        for event in events {
            drive(&mut instance, event);
        }
        let _: Leave = instance.leave();
        match instance.state() {
            State::Idle => {}
            State::Requested => prop_assert!(instance.initialize_begun().is_err()),
            State::Initializing => prop_assert!(instance.initialize_ended(true).is_err()),
            State::Paused | State::Running | State::Pausing => instance.halted(),
        }
        prop_assert!(instance.gone());
    }
}

enum Outcome {
    Silent,
    Result(Result<(), Refused>),
    Leave(Leave),
}

fn drive(instance: &mut Instance, event: Event) -> Outcome {
    match event {
        Event::Request => Outcome::Result(instance.request()),
        Event::InitializeBegun => Outcome::Result(instance.initialize_begun()),
        Event::InitializeSucceeded => Outcome::Result(instance.initialize_ended(true)),
        Event::InitializeFailed => Outcome::Result(instance.initialize_ended(false)),
        Event::Restarted => Outcome::Result(instance.restarted()),
        Event::PauseBegun => Outcome::Result(instance.pause_begun()),
        Event::Leave => Outcome::Leave(instance.leave()),
        Event::CancelSucceeded => Outcome::Leave(instance.cancelled(true)),
        Event::CancelFailed => Outcome::Leave(instance.cancelled(false)),
        Event::RequestFailed => {
            instance.request_failed();
            Outcome::Silent
        }
        Event::Paused => {
            instance.paused();
            Outcome::Silent
        }
        Event::Halted => {
            instance.halted();
            Outcome::Silent
        }
    }
}

const STATES: [State; 6] = [
    State::Idle,
    State::Requested,
    State::Initializing,
    State::Paused,
    State::Running,
    State::Pausing,
];

const EVENTS: [Event; 12] = [
    Event::Request,
    Event::RequestFailed,
    Event::InitializeBegun,
    Event::InitializeSucceeded,
    Event::InitializeFailed,
    Event::Leave,
    Event::CancelSucceeded,
    Event::CancelFailed,
    Event::Restarted,
    Event::PauseBegun,
    Event::Paused,
    Event::Halted,
];
