use crate::support::{Books, cause, reward, stake};
use domain::EpochMs;
use ledger::TxKind;
use ledger::chain::seal;
use ledger::explain::trail;
use ledger::phase::{post_pending, reserve, reverse};
use ledger::posting::post;

#[tokio::test]
async fn any_step_of_a_trail_leads_to_all_of_it() {
    let books = Books::new().await;
    let user = books.user().await;
    let db = &books.db;
    post(db, &[reward(1, user, 10)]).await.unwrap();
    let pending = stake("payout 1", user, 4);
    let paid = cause(TxKind::PayoutPaid, "payout 1");
    reserve(db, &pending, None).await.unwrap();
    post_pending(db, pending.id(), &paid).await.unwrap();
    seal(db, 2).await.unwrap();
    let at = EpochMs::new(1_767_225_600_000).unwrap();
    reverse(db, paid.id(), "case 1", at).await.unwrap();
    post(db, &[stake("another", user, 1)]).await.unwrap();

    let whole = trail(db, "payout 1").await.unwrap();
    let kinds: Vec<_> = whole
        .steps
        .iter()
        .map(|s| (s.kind.as_str(), s.phase.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("stake_deposited", "pending"),
            ("payout_paid", "post_pending"),
            ("reversal", "posted"),
        ]
    );
    assert_eq!(whole.steps[1].settles, Some(whole.steps[0].id));
    assert_eq!(whole.steps[2].reverses, Some(whole.steps[1].id));
    let sides = |n: usize| {
        whole.steps[n]
            .lines
            .iter()
            .map(|l| l.side.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (sides(0), sides(2)),
        (vec!["debit", "credit"], vec!["credit", "debit"])
    );
    assert!(
        whole.steps[0]
            .seal
            .as_ref()
            .is_some_and(|seal| seal.seq == 2 && seal.holds)
    );
    assert_eq!(whole.steps[2].seal, None);
    for id in [
        whole.steps[0].id.to_string(),
        paid.id().as_uuid().to_string(),
        "case 1".to_owned(),
    ] {
        assert_eq!(trail(db, &id).await.unwrap(), whole, "{id}");
    }
    let nothing = trail(db, "payout 2").await.unwrap();
    assert!(nothing.steps.is_empty() && nothing.vaus.is_empty());

    books
        .as_owner("UPDATE ledger_pending_entry SET amount = amount + 1")
        .await;
    let forged = trail(db, "payout 1").await.unwrap();
    assert!(
        forged.steps[0]
            .seal
            .as_ref()
            .is_some_and(|seal| !seal.holds)
    );
}
