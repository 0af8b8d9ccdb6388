use proptest::prelude::*;
use std::collections::HashMap;
use std::vec::Vec;

use super::*;

#[test]
fn wanting_what_is_there_sends_nothing() {
    let mut reconciler = Reconciler::new(7);
    let (ticket, wanted) = reconciler.want(7);
    assert_eq!(wanted, Wanted::Already);
    assert!(reconciler.is_settled(ticket));
    assert!(!reconciler.busy());
}

#[test]
fn a_new_value_is_sent_and_settled_when_done() {
    let mut reconciler = Reconciler::new(0);
    let (ticket, wanted) = reconciler.want(1);
    assert_eq!(wanted, Wanted::Send(1));
    assert!(reconciler.busy() && !reconciler.is_settled(ticket));
    assert_eq!(reconciler.applied(), 0);
    let done = reconciler.done(true);
    assert_eq!(done.settled, ticket);
    assert_eq!(done.outcome(ticket), Some(true));
    assert_eq!(done.next, None);
    assert_eq!(reconciler.applied(), 1);
    assert!(reconciler.is_settled(ticket) && !reconciler.busy());
}

#[test]
fn the_last_of_those_that_wait_wins() {
    let mut reconciler = Reconciler::new(0);
    let (first, _) = reconciler.want(1);
    let (second, queued) = reconciler.want(2);
    assert_eq!(queued, Wanted::Queued);
    let (third, queued) = reconciler.want(3);
    assert_eq!(queued, Wanted::Queued);

    let done = reconciler.done(true);
    assert_eq!((done.settled, done.next), (first, Some(3)));
    assert_eq!(done.outcome(second), None);
    let done = reconciler.done(true);
    assert_eq!((done.settled, done.next), (third, None));
    assert_eq!(done.outcome(second), Some(true), "settled by the third");
    assert_eq!(reconciler.applied(), 3);
}

#[test]
fn wanting_what_is_in_flight_joins_it() {
    let mut reconciler = Reconciler::new(0);
    let (_, _) = reconciler.want(1);
    let (_, _) = reconciler.want(2);
    let (joined, queued) = reconciler.want(1);
    assert_eq!(queued, Wanted::Queued);
    let done = reconciler.done(true);
    assert_eq!((done.settled, done.next), (joined, None));
}

#[test]
fn going_back_to_what_is_there_needs_no_request() {
    let mut reconciler = Reconciler::new(0);
    let (first, _) = reconciler.want(1);
    let (back, _) = reconciler.want(0);
    let done = reconciler.done(false);
    assert_eq!((done.settled, done.next), (back, None));
    assert_eq!(done.outcome(first), Some(false));
    assert_eq!(done.outcome(back), Some(true), "0 is in place");
    assert_eq!(reconciler.applied(), 0);
}

#[test]
fn going_back_after_a_success_needs_a_request() {
    let mut reconciler = Reconciler::new(0);
    let (_, _) = reconciler.want(1);
    let (back, _) = reconciler.want(0);
    assert_eq!(reconciler.done(true).next, Some(0));
    let done = reconciler.done(true);
    assert_eq!(done.outcome(back), Some(true));
    assert_eq!(reconciler.applied(), 0);
}

#[test]
fn a_failure_keeps_what_was_there_and_can_be_tried_again() {
    let mut reconciler = Reconciler::new(0);
    let (ticket, _) = reconciler.want(1);
    let done = reconciler.done(false);
    assert_eq!(done.outcome(ticket), Some(false));
    assert_eq!(reconciler.applied(), 0);
    let (_, again) = reconciler.want(1);
    assert_eq!(again, Wanted::Send(1));
}

#[test]
fn a_failure_does_not_stop_those_that_wait() {
    let mut reconciler = Reconciler::new(0);
    let (first, _) = reconciler.want(1);
    let (second, _) = reconciler.want(2);
    let done = reconciler.done(false);
    assert_eq!((done.settled, done.next), (first, Some(2)));
    assert_eq!(reconciler.done(true).outcome(second), Some(true));
}

#[test]
fn done_without_a_request_changes_nothing() {
    let mut reconciler = Reconciler::new(0);
    let (ticket, _) = reconciler.want(0);
    let done = reconciler.done(true);
    assert_eq!((done.settled, done.next), (ticket, None));
    assert_eq!(reconciler.applied(), 0);
}

proptest! {
    /// A simulated adapter below: `Some(value)` wants it, `None` completes what is in flight.
    #[test]
    fn every_wish_ends_and_the_last_one_wins(
        steps in prop::collection::vec((prop::option::of(0_u8..4), any::<bool>()), 0..64),
    ) {
        let mut reconciler = Reconciler::new(0);
        let mut below = 0;
        let mut in_flight = None;
        let mut outcomes: HashMap<Ticket, bool> = HashMap::new();
        let mut open: Vec<Ticket> = Vec::new();
        let mut last = None;

        let mut complete = |reconciler: &mut Reconciler<u8>,
                            below: &mut u8,
                            in_flight: &mut Option<u8>,
                            open: &mut Vec<Ticket>,
                            succeeded: bool| {
            let value = in_flight.take().unwrap();
            if succeeded {
                *below = value;
            }
            let done = reconciler.done(succeeded);
            open.retain(|ticket| match done.outcome(*ticket) {
                Some(outcome) => {
                    outcomes.insert(*ticket, outcome);
                    false
                }
                None => true,
            });
            *in_flight = done.next;
        };

        for (wanted, succeeded) in steps {
            match wanted {
                Some(value) => {
                    let (ticket, answer) = reconciler.want(value);
                    prop_assert!(Some(ticket) > last.map(|(ticket, _)| ticket));
                    last = Some((ticket, value));
                    match answer {
                        Wanted::Already => prop_assert!(below == value && in_flight.is_none()),
                        Wanted::Send(sent) => {
                            prop_assert_eq!(sent, value);
                            prop_assert_eq!(in_flight.replace(sent), None, "two in flight");
                            open.push(ticket);
                        }
                        Wanted::Queued => {
                            prop_assert!(in_flight.is_some());
                            open.push(ticket);
                        }
                    }
                }
                None if in_flight.is_some() => {
                    complete(&mut reconciler, &mut below, &mut in_flight, &mut open, succeeded);
                }
                None => {}
            }
            prop_assert_eq!(reconciler.applied(), below);
            prop_assert_eq!(reconciler.busy(), in_flight.is_some());
            prop_assert!(open.is_empty() || in_flight.is_some(), "waits for nothing");
        }
        let mut requests_to_end = 0;
        while in_flight.is_some() {
            complete(&mut reconciler, &mut below, &mut in_flight, &mut open, true);
            requests_to_end += 1;
        }
        prop_assert!(requests_to_end <= 2, "wishes were queued up");
        prop_assert!(open.is_empty());
        if let Some((ticket, value)) = last {
            let succeeded = outcomes.get(&ticket).copied().unwrap_or(true);
            prop_assert_eq!(succeeded, below == value, "the last wish lost");
        }
    }
}
