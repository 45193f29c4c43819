//! What must hold after every test that moves money.

use sea_orm::ConnectionTrait;

/// Fails the test when an invariant of the ledger does not hold in this database.
pub async fn assert_ledger_invariants(db: &impl ConnectionTrait) {
    let findings = ledger::check::run(db)
        .await
        .unwrap_or_else(|error| panic!("the ledger could not be checked: {error}"));
    let broken: Vec<String> = findings
        .iter()
        .filter(|finding| !finding.holds())
        .map(|finding| {
            let (invariant, by) = (finding.invariant, finding.broken_by.join("\n    "));
            format!("{} {}:\n    {by}", invariant.id, invariant.title)
        })
        .collect();
    assert!(
        broken.is_empty(),
        "the ledger is broken:\n{}",
        broken.join("\n")
    );
}
