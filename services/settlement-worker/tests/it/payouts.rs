//! Payouts with the real program: paid by their events and by the sweep, made on day 1, earnings released; killed at each
//! fail point, and money moved once.

use crate::stream::arrived;
use crate::world::World;
use contracts::event::PayoutFinalized;
use domain::{Amount, EpochMs};
use failpoint::Point;
use ledger::account::{self, Account};
use ledger::posting::{self, Leg, Posting};
use ledger::{Influencer, TxKind};
use payouts::{Actor, Method, NewPayout, request};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use uuid::Uuid;

const TWIST: u64 = 1_000_000_000;
/// What arrives of 40 TWIST: less 10 %, less 0.1 TWIST.
const NET: u64 = 35_900_000_000;
const SETTLE: (&str, &str) = ("SETTLE__EVERY_SECONDS", "1");
const RELEASE: (&str, &str) = ("RELEASE__EVERY_SECONDS", "1");
/// What a consumer that died had in hand is taken over soon.
const CONSUME: [(&str, &str); 3] = [
    ("CONSUMERS__IDLE_SECONDS", "2"),
    ("CONSUMERS__PATIENCE_SECONDS", "1"),
    ("CONSUMERS__RECLAIM_SECONDS", "1"),
];
const PAID: &str = "SELECT count(*) FROM payouts WHERE state = 'finalized'";
const OPEN: &str = "SELECT count(*) FROM payouts WHERE state <> 'finalized'";

impl World {
    /// An influencer who has earned 40 TWIST, payable or `held` for another moment.
    async fn payee(&self, held: bool) -> Influencer {
        let who = Influencer {
            user: Uuid::new_v4(),
            id: Uuid::now_v7(),
        };
        let Influencer { user, id } = who;
        let name = user.simple().to_string();
        self.run(&format!(
            "INSERT INTO users (id, roles) VALUES ('{user}', array['influencer']); \
             INSERT INTO influencers (id, user_id, username, display_name) \
             VALUES ('{id}', '{user}', 'p_{}', 'P'); \
             INSERT INTO staking_pools (id, influencer_id, revenue_share_bps, min_stake, earned) \
             VALUES ('{user}', '{id}', 2000, 1, {})",
            &name[..12],
            40 * TWIST
        ))
        .await;
        self.earn(who, held).await;
        who
    }

    /// 40 TWIST to the influencer alone, with the records that a distribution leaves.
    async fn earn(&self, who: Influencer, held: bool) {
        let amount = Amount::from_twist(40);
        let to = if held {
            Account::InfluencerPending(who)
        } else {
            Account::InfluencerPayable(who)
        };
        let legs = vec![
            Leg::debit(Account::ExternalWorld, amount),
            Leg::credit(to, amount),
        ];
        let source = Uuid::new_v4().to_string();
        let at = EpochMs::new(1_767_225_600_000).unwrap();
        let posting = Posting::new(TxKind::OperatorDeposit, source.clone(), at, legs).unwrap();
        account::open(&self.db, &[Account::ExternalWorld, to])
            .await
            .unwrap();
        let tx = posting.id().as_uuid();
        posting::post(&self.db, &[posting]).await.unwrap();
        let units = 40 * TWIST;
        let (user, id) = (who.user, who.id);
        self.run(&format!(
            "INSERT INTO distributions (id, pool_id, source, source_ref, amount, revenue_share_bps, staker_share, \
                 influencer_share, accumulator, total_staked, transaction_id) \
             VALUES ('{source}', '{user}', 'deposit', '{source}', {units}, 0, 0, {units}, 0, 1, '{tx}')"
        ))
        .await;
        if held {
            self.run(&format!(
                "INSERT INTO held_earnings (id, influencer_id, user_id, source, source_ref, policy_id, amount, \
                     transaction_id, release_at) \
                 SELECT '{source}', '{id}', '{user}', 'deposit', '{source}', max(id), {units}, '{tx}', \
                     now() - interval '1 minute' FROM payout_policies"
            ))
            .await;
        }
    }

    /// A payout of all that the payee has, approved.
    async fn approved(&self, payee: Influencer) {
        let tx = self.db.begin().await.unwrap();
        let new = NewPayout {
            id: Uuid::new_v4(),
            payee,
            amount: Amount::from_twist(40),
            method: Method::Ledger,
            wallet_address: None,
            due: None,
        };
        request(&tx, &new, &Actor::User(payee.user)).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn held_by(&self, account: Account) -> u64 {
        account::balance(&self.db, account).await.unwrap().units()
    }

    /// Each was paid once, and told once.
    async fn assert_paid_once(&self, payees: &[Influencer]) {
        for payee in payees {
            assert_eq!(self.available(payee.user).await, NET);
            assert_eq!(self.held_by(Account::InfluencerPayable(*payee)).await, 0);
        }
        let wanted = i64::try_from(payees.len()).unwrap();
        assert_eq!(self.count(PAID).await, wanted);
        assert_eq!(self.count(OPEN).await, 0);
        let paid = "SELECT count(*) FROM ledger_tx WHERE kind = 'payout_paid'";
        assert_eq!(self.count(paid).await, wanted);
        testkit::assert_ledger_invariants(&self.db).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_payout_is_paid_by_its_event_and_that_is_told() {
    let world = World::new().await;
    let payee = world.payee(false).await;
    let worker = world.worker(&[]).await;
    world.approved(payee).await;
    world.until_count(PAID, 1).await;
    world.assert_paid_once(&[payee]).await;
    world
        .until_count("SELECT count(*) FROM outbox WHERE published_at IS NULL", 0)
        .await;
    let mut told = arrived(&world.redis_url, "payouts").await;
    // A consumer that finds no group yet has what it lacks published again.
    told.sort_by_key(|event| event.aggregate_seq);
    told.dedup_by_key(|event| event.event_id);
    let topics: Vec<&str> = told.iter().map(|event| event.topic.as_str()).collect();
    assert_eq!(
        topics,
        ["requested", "approved", "finalized"].map(|fact| format!("twist.payouts.{fact}.v1"))
    );
    assert_eq!(told[2].aggregate_seq, 3);
    let PayoutFinalized(fact) = told[2].fact().unwrap();
    assert_eq!(fact.net_amount.units(), NET);
    assert!(fact.transaction_id.is_some());
    worker.program.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_pay_and_release_each_once() {
    let world = World::new().await;
    let mut payees = Vec::new();
    for _ in 0..6 {
        payees.push(world.payee(false).await);
        world.payee(true).await;
    }
    for payee in &payees {
        world.approved(*payee).await;
    }
    let settings = [SETTLE, RELEASE];
    let (first, second) = (world.worker(&settings).await, world.worker(&settings).await);
    world.until_count(PAID, 6).await;
    let held = "SELECT count(*) FROM held_earnings WHERE released_at IS NULL";
    world.until_count(held, 0).await;
    world.assert_paid_once(&payees).await;
    let released = "SELECT count(*) FROM ledger_tx WHERE kind = 'commission_released'";
    assert_eq!(world.count(released).await, 6);
    first.program.stop();
    second.program.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_meets_a_locked_account_is_no_dead_letter() {
    let world = World::new().await;
    let payee = world.payee(false).await;
    world.approved(payee).await;
    let owner = world.owner().await;
    let lock = owner.begin().await.unwrap();
    let sql = format!(
        "SELECT FROM ledger_account WHERE owner = '{}' FOR UPDATE",
        payee.user
    );
    lock.execute_unprepared(&sql).await.unwrap();
    // The first delivery that fails is the last.
    let settings = [
        ("CONSUMERS__DELIVERIES", "1"),
        ("DATABASE__STATEMENT_TIMEOUT_MS", "1000"),
    ];
    let worker = world.worker(&settings).await;
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                 AND datname = current_database()";
    world.until_count(waits, 1).await;
    // Long enough for the database to give up once.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    lock.rollback().await.unwrap();
    world.until_count(PAID, 1).await;
    assert_eq!(world.count("SELECT count(*) FROM dead_letter").await, 0);
    world.assert_paid_once(&[payee]).await;
    worker.program.stop();
}

/// Paid by its event, by an instance that dies at `point` and then by another.
async fn by_its_event(point: Point) {
    let world = World::new().await;
    let payee = world.payee(false).await;
    world.approved(payee).await;
    world.die_at(point.as_str(), &[]).await;
    testkit::assert_ledger_invariants(&world.db).await;
    let worker = world.worker(&CONSUME).await;
    world.until_count(PAID, 1).await;
    let dealt = "SELECT count(*) FROM inbox WHERE consumer = 'payout-settler'";
    world.until_count(dealt, 1).await;
    world.assert_paid_once(&[payee]).await;
    worker.program.stop();
}

/// Paid by the sweep alone, by an instance that dies at `point` with the first of two and then by another.
async fn by_the_sweep(point: Point) {
    let world = World::new().await;
    let payees = [world.payee(false).await, world.payee(false).await];
    for payee in payees {
        world.approved(payee).await;
    }
    // As if Redis had lost them for good.
    world.run("DELETE FROM outbox").await;
    world.die_at(point.as_str(), &[SETTLE]).await;
    testkit::assert_ledger_invariants(&world.db).await;
    let paid = i64::from(point == Point::PayoutSettleAfterCommit);
    assert_eq!(world.count(PAID).await, paid);
    let worker = world.worker(&[SETTLE]).await;
    world.until_count(PAID, 2).await;
    world.assert_paid_once(&payees).await;
    worker.program.stop();
}

/// The payouts of day 1, made by an instance that dies at `point` with the first of two and then by another.
async fn on_day_one(point: Point) {
    let world = World::new().await;
    let payees = [world.payee(false).await, world.payee(false).await];
    world
        .run(
            "UPDATE influencers SET auto_payout = true; \
             INSERT INTO schedule (name, due_at) VALUES ('auto_payout', '2026-11-01 12:00Z')",
        )
        .await;
    world.die_at(point.as_str(), &[]).await;
    testkit::assert_ledger_invariants(&world.db).await;
    let made = i64::from(point == Point::PayoutAutoAfterCommit);
    assert_eq!(world.count("SELECT count(*) FROM payouts").await, made);
    let settings = [CONSUME.as_slice(), &[SETTLE]].concat();
    let worker = world.worker(&settings).await;
    world.until_count(PAID, 2).await;
    let next =
        "SELECT count(*) FROM schedule WHERE name = 'auto_payout' AND due_at > '2026-11-01 12:00Z'";
    world.until_count(next, 1).await;
    world.assert_paid_once(&payees).await;
    let due = "SELECT count(*) FROM payouts WHERE due_at = '2026-11-01 12:00Z'";
    assert_eq!(world.count(due).await, 2);
    worker.program.stop();
}

/// Two earnings, released by an instance that dies at `point` with the first and then by another.
async fn when_an_earning_is_released(point: Point) {
    let world = World::new().await;
    let payees = [world.payee(true).await, world.payee(true).await];
    world.die_at(point.as_str(), &[RELEASE]).await;
    testkit::assert_ledger_invariants(&world.db).await;
    let worker = world.worker(&[RELEASE]).await;
    let released = "SELECT count(*) FROM held_earnings WHERE released_at IS NOT NULL";
    world.until_count(released, 2).await;
    for payee in payees {
        let payable = world.held_by(Account::InfluencerPayable(payee)).await;
        assert_eq!(payable, 40 * TWIST);
        assert_eq!(world.held_by(Account::InfluencerPending(payee)).await, 0);
    }
    let booked = "SELECT count(*) FROM ledger_tx WHERE kind = 'commission_released'";
    assert_eq!(world.count(booked).await, 2);
    testkit::assert_ledger_invariants(&world.db).await;
    worker.program.stop();
}

/// A test for each way to die, and the list of the points.
macro_rules! killed {
    ($($name:ident: $scenario:ident at $point:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                $scenario(Point::$point).await;
            }
        )*

        const KILLED_AT: &[Point] = &[$(Point::$point),*];
    };
}

killed! {
    killed_with_a_payout_locked_by_its_event: by_its_event at PayoutSettleLocked,
    killed_with_a_payout_posted_by_its_event: by_its_event at PayoutSettlePosted,
    killed_with_a_payout_paid_by_its_event: by_its_event at PayoutSettlePaid,
    killed_with_the_state_written_by_its_event: by_its_event at PayoutChanged,
    killed_with_all_recorded_by_its_event: by_its_event at PayoutRecorded,
    killed_with_an_event_handled_and_not_noted: by_its_event at PayoutHandled,
    killed_with_a_payout_locked_by_the_sweep: by_the_sweep at PayoutSettleLocked,
    killed_with_a_payout_posted_by_the_sweep: by_the_sweep at PayoutSettlePosted,
    killed_with_a_payout_paid_by_the_sweep: by_the_sweep at PayoutSettlePaid,
    killed_with_the_state_written_by_the_sweep: by_the_sweep at PayoutChanged,
    killed_with_all_recorded_by_the_sweep: by_the_sweep at PayoutRecorded,
    killed_before_the_sweep_commits: by_the_sweep at PayoutSettleBeforeCommit,
    killed_after_the_sweep_committed: by_the_sweep at PayoutSettleAfterCommit,
    killed_on_day_one_with_a_row_inserted: on_day_one at PayoutRequestInserted,
    killed_on_day_one_with_money_set_aside: on_day_one at PayoutRequestReserved,
    killed_on_day_one_with_a_request_recorded: on_day_one at PayoutRequestRecorded,
    killed_on_day_one_before_the_commit: on_day_one at PayoutAutoBeforeCommit,
    killed_on_day_one_after_the_commit: on_day_one at PayoutAutoAfterCommit,
    killed_with_a_release_posted: when_an_earning_is_released at EarningReleasePosted,
    killed_after_a_release_was_committed: when_an_earning_is_released at EarningReleaseAfterCommit,
}

#[test]
fn every_point_of_payouts_that_this_program_comes_to_has_a_test() {
    let ours = |point: &&Point| point.as_str().starts_with("payouts.");
    // Giving back is decided by people: influencer-api's tests die there.
    let elsewhere = [Point::PayoutVoided];
    for point in Point::ALL.iter().filter(ours) {
        assert_ne!(
            KILLED_AT.contains(point),
            elsewhere.contains(point),
            "{}",
            point.as_str()
        );
    }
}
