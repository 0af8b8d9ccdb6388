use std::collections::HashSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn paused() -> Binding {
    let mut binding = Binding::new();
    binding.open_succeeded();
    binding
}

fn running() -> Binding {
    let mut binding = paused();
    binding.restart().unwrap();
    binding
}

fn pausing() -> Binding {
    let mut binding = running();
    binding.pause_begun().unwrap();
    binding
}

fn closing() -> Binding {
    let mut binding = paused();
    binding.unbind().unwrap();
    binding
}

#[test]
fn open_succeeded_is_paused() {
    let mut binding = Binding::new();
    binding.open_succeeded();
    assert_eq!(binding.state(), State::Paused);
}

#[test]
fn open_failed_is_closed() {
    let mut binding = Binding::new();
    binding.open_failed();
    assert_eq!(binding.state(), State::Closed);
}

#[test]
fn restart_while_paused_is_running() {
    let mut binding = paused();
    assert_eq!(binding.restart(), Ok(()));
    assert_eq!(binding.state(), State::Running);
}

#[test]
fn unbind_while_paused_is_closing() {
    let mut binding = paused();
    assert_eq!(binding.unbind(), Ok(()));
    assert_eq!(binding.state(), State::Closing);
}

#[test]
fn pause_begun_while_running_is_pausing() {
    let mut binding = running();
    assert_eq!(binding.pause_begun(), Ok(()));
    assert_eq!(binding.state(), State::Pausing);
}

#[test]
fn paused_while_pausing_is_paused() {
    let mut binding = pausing();
    binding.paused();
    assert_eq!(binding.state(), State::Paused);
}

#[test]
fn closed_while_closing_is_closed() {
    let mut binding = closing();
    binding.closed();
    assert_eq!(binding.state(), State::Closed);
}

#[test]
fn unbind_while_opening_is_refused() {
    let mut binding = Binding::new();
    assert_eq!(
        binding.unbind(),
        Err(Refused {
            state: State::Opening,
            event: Event::Unbind
        })
    );
    assert_eq!(binding.state(), State::Opening);
}

#[test]
fn restart_while_closing_is_refused() {
    let mut binding = closing();
    let refused = binding.restart().unwrap_err();
    assert_eq!(
        std::format!("{refused}"),
        "binding: Restart refused, it is Closing"
    );
    assert_eq!(binding.state(), State::Closing);
}

#[test]
fn no_two_rows_are_for_the_same_case() {
    let cases: HashSet<_> = TRANSITIONS
        .iter()
        .map(|row| (row.from, row.event))
        .collect();
    assert_eq!(cases.len(), TRANSITIONS.len());
}

#[test]
fn what_has_no_row_is_refused_and_changes_nothing() {
    for state in STATES {
        for event in EVENTS {
            let listed = TRANSITIONS
                .iter()
                .any(|row| row.from == state && row.event == event);
            if listed {
                continue;
            }
            let mut binding = Binding { state };
            if let Some(result) = drive(&mut binding, event) {
                assert_eq!(result, Err(Refused { state, event }));
            }
            assert_eq!(binding.state(), state, "{event:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_sequence_keeps_the_promises(events in prop::collection::vec(select(&EVENTS[..]), 0..64)) {
        let mut binding = Binding::new();
        let mut restarts = 0;
        let mut pauses = 0;
        for event in events {
            let before = binding;
            let result = drive(&mut binding, event);
            if result == Some(Ok(())) {
                restarts += usize::from(event == Event::Restart);
                pauses += usize::from(event == Event::PauseBegun);
            }
            prop_assert_eq!(binding.state() == State::Running, restarts == pauses + 1);
            if before.state() == State::Closed {
                prop_assert_eq!(binding, before, "came back after {:?}", event);
            }
            if before.state() == State::Closing {
                prop_assert!(binding == before || binding.state() == State::Closed);
            }
            if binding.state() == State::Closing && before != binding {
                prop_assert_eq!(before.state(), State::Paused, "closed without a pause");
            }
        }
    }
}

fn drive(binding: &mut Binding, event: Event) -> Option<Result<(), Refused>> {
    match event {
        Event::Restart => return Some(binding.restart()),
        Event::PauseBegun => return Some(binding.pause_begun()),
        Event::Unbind => return Some(binding.unbind()),
        Event::OpenSucceeded => binding.open_succeeded(),
        Event::OpenFailed => binding.open_failed(),
        Event::Paused => binding.paused(),
        Event::Closed => binding.closed(),
    }
    None
}

const STATES: [State; 6] = [
    State::Opening,
    State::Paused,
    State::Running,
    State::Pausing,
    State::Closing,
    State::Closed,
];

const EVENTS: [Event; 7] = [
    Event::OpenSucceeded,
    Event::OpenFailed,
    Event::Restart,
    Event::PauseBegun,
    Event::Paused,
    Event::Unbind,
    Event::Closed,
];
