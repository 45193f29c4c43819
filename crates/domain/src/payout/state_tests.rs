//! The states as a graph, and walked at random.

use super::{Change, State, Status};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// All that can be reached from `start`, itself included.
fn reachable(start: State) -> BTreeSet<State> {
    let mut seen = BTreeSet::from([start]);
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        for change in Change::ALL {
            if let Ok(next) = state.after(*change)
                && seen.insert(next)
            {
                open.push(next);
            }
        }
    }
    seen
}

/// The states from which a signed transaction may exist.
const SIGNED: [State; 4] = [
    State::Signed,
    State::Submitted,
    State::Confirmed,
    State::Unknown,
];

#[test]
fn nothing_leads_out_of_a_final_state_and_each_other_one_leads_to_one() {
    for state in State::ALL {
        let next: BTreeSet<_> = reachable(*state)
            .into_iter()
            .filter(|s| s != state)
            .collect();
        assert_eq!(next.is_empty(), state.is_final(), "{state:?}");
        assert!(reachable(*state).iter().any(|s| s.is_final()), "{state:?}");
    }
    assert_eq!(reachable(State::Requested).len(), State::ALL.len());
}

#[test]
fn what_may_have_been_sent_is_neither_called_off_nor_turned_down() {
    for state in SIGNED {
        for change in [Change::Cancel, Change::Reject, Change::Hold] {
            assert!(state.after(change).is_err(), "{state:?} {change:?}");
        }
    }
    for state in [State::Requested, State::Approved, State::Batched] {
        assert_eq!(state.after(Change::Cancel), Ok(State::Cancelled));
    }
    assert!(State::Held.after(Change::Cancel).is_err());
}

#[test]
fn what_is_unknown_is_not_paid_again_until_it_is_proven() {
    let can: Vec<_> = Change::ALL
        .iter()
        .filter(|change| State::Unknown.after(**change).is_ok())
        .collect();
    assert_eq!(can, [&Change::Finalize, &Change::Fail]);
}

#[test]
fn money_moves_only_out_of_what_was_approved() {
    for state in State::ALL {
        let pays = |change| state.after(change) == Ok(State::Finalized);
        assert_eq!(pays(Change::Pay), *state == State::Approved, "{state:?}");
        let signed = SIGNED.contains(state);
        assert_eq!(pays(Change::Finalize), signed, "{state:?}");
    }
}

#[test]
fn a_state_has_one_status_and_its_word_is_its_own() {
    let words: BTreeSet<_> = State::ALL.iter().map(|state| state.as_str()).collect();
    assert_eq!(words.len(), State::ALL.len());
    let of_statuses: usize = Status::ALL
        .iter()
        .map(|status| status.states().count())
        .sum();
    assert_eq!(of_statuses, State::ALL.len());
    for state in State::ALL {
        assert_eq!(State::from_text(state.as_str()), Some(*state));
        let over = matches!(
            state.status(),
            Status::Completed | Status::Failed | Status::Cancelled
        );
        assert_eq!(over, state.is_final(), "{state:?}");
    }
}

proptest! {
    #[test]
    fn whatever_is_tried_in_whatever_order_a_payout_is_paid_at_most_once(
        tries in prop::collection::vec(0..Change::ALL.len(), 0..60)
    ) {
        let mut state = State::Requested;
        let (mut approved, mut paid, mut ended) = (false, 0, false);
        for index in tries {
            let change = Change::ALL[index];
            match state.after(change) {
                Ok(next) => {
                    prop_assert!(!ended, "{change:?} after the end");
                    approved |= next == State::Approved;
                    paid += u32::from(next == State::Finalized);
                    prop_assert!(next != State::Finalized || approved);
                    ended = next.is_final();
                    state = next;
                }
                Err(refused) => {
                    prop_assert_eq!(refused.state, state);
                    prop_assert_eq!(refused.change, change);
                }
            }
        }
        prop_assert!(paid <= 1);
    }
}
