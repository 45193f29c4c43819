//! What the tests share.

use domain::{Amount, EpochMs, VauId};
use ledger::account::{self, Account, Stripe};
use ledger::freeze::{FreezeOrder, set_frozen};
use ledger::posting::TxKind;
use ledger::reward::reward_posting;
use ledger::{Cause, Posting};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use testkit::TestDb;
use uuid::Uuid;

pub(crate) struct Books {
    pub(crate) test: TestDb,
    pub(crate) db: DatabaseConnection,
}

impl Books {
    pub(crate) async fn new() -> Self {
        let test = TestDb::new().await;
        let db = test.connect().await;
        Self { test, db }
    }

    /// A user with an open account.
    pub(crate) async fn user(&self) -> Uuid {
        let user = Uuid::new_v4();
        self.open(user).await;
        user
    }

    /// Makes `user` one, with an open account.
    pub(crate) async fn open(&self, user: Uuid) {
        let sql = format!("INSERT INTO users (id) VALUES ('{user}')");
        self.db.execute_unprepared(&sql).await.unwrap();
        let accounts: Vec<Account> = (0..8u128)
            .map(|n| Account::PlatformRewards(Stripe::of(Uuid::from_u128(n))))
            .chain([
                Account::UserAvailable(user),
                Account::UserStaked { user, pool: POOL },
            ])
            .collect();
        account::open(&self.db, &accounts).await.unwrap();
    }

    pub(crate) async fn balance(&self, user: Uuid) -> u64 {
        account::balance(&self.db, Account::UserAvailable(user))
            .await
            .unwrap()
            .units()
    }

    /// What the user has staked.
    pub(crate) async fn staked(&self, user: Uuid) -> u64 {
        account::balance(&self.db, Account::UserStaked { user, pool: POOL })
            .await
            .unwrap()
            .units()
    }

    /// Fails the test when an invariant does not hold.
    pub(crate) async fn assert_adds_up(&self) {
        assert_adds_up(&self.db).await;
    }

    /// Freezes a user's available balance, or releases it.
    pub(crate) async fn freeze(&self, user: Uuid, frozen: bool) {
        let order = FreezeOrder {
            id: Uuid::new_v4(),
            account: Account::UserAvailable(user).id(),
            frozen,
            reason: "a test".to_owned(),
            actor: "tests".to_owned(),
        };
        assert!(set_frozen(&self.db, &order).await.unwrap());
    }

    /// Runs a statement as the owner of the tables: what an attacker with the database could do.
    pub(crate) async fn as_owner(&self, sql: &str) {
        self.test
            .connect_as_owner()
            .await
            .execute_unprepared(sql)
            .await
            .unwrap();
    }

    /// The ids of the invariants that do not hold.
    pub(crate) async fn broken(&self) -> Vec<&'static str> {
        let findings = ledger::check::run(&self.db).await.unwrap();
        findings
            .iter()
            .filter(|f| !f.holds())
            .map(|f| f.invariant.id)
            .collect()
    }
}

/// Fails the test when an invariant does not hold. Transactions here have nothing behind them, which V1 and L14 rightly
/// say; L14 says other things too.
pub(crate) async fn assert_adds_up(db: &impl ConnectionTrait) {
    let findings = ledger::check::run(db).await.unwrap();
    let ours = |text: &String| text.ends_with("has no record");
    for finding in findings.iter().filter(|f| !f.holds()) {
        let expected = match finding.invariant.id {
            "V1" => true,
            "L14" => finding.broken_by.iter().all(ours),
            _ => false,
        };
        assert!(expected, "{finding:?}");
    }
}

pub(crate) fn vau(n: u128) -> VauId {
    VauId::from_bytes(n.to_be_bytes())
}

pub(crate) fn units(n: u64) -> Amount {
    Amount::from_units(n).unwrap()
}

/// The reward of VAU `n`.
pub(crate) fn reward(n: u128, user: Uuid, amount: u64) -> Posting {
    let at = EpochMs::new(1_767_225_600_000).unwrap();
    reward_posting(vau(n), user, units(amount), at, Uuid::from_u128(n)).unwrap()
}

/// The reverse direction, which only tests post so far: from a user to the platform.
pub(crate) fn charge(source: &str, user: Uuid, amount: u64) -> Posting {
    let accounts = (
        Account::UserAvailable(user),
        Account::PlatformRewards(Stripe::of(Uuid::nil())),
    );
    let at = EpochMs::new(0).unwrap();
    Posting::transfer(TxKind::VauReward, source, at, accounts, units(amount)).unwrap()
}

/// A stake of `amount`: from what the user has to a pool of its own.
pub(crate) fn stake(source: &str, user: Uuid, amount: u64) -> Posting {
    let accounts = (
        Account::UserAvailable(user),
        Account::UserStaked { user, pool: POOL },
    );
    let at = EpochMs::new(0).unwrap();
    Posting::transfer(TxKind::StakeDeposited, source, at, accounts, units(amount)).unwrap()
}

/// The pool of [`stake`].
pub(crate) const POOL: Uuid = Uuid::from_u128(0x0900_1000);

pub(crate) fn cause(kind: TxKind, source: &str) -> Cause {
    Cause {
        kind,
        source_ref: source.to_owned(),
        effective_at: EpochMs::new(1_767_225_600_000).unwrap(),
    }
}
