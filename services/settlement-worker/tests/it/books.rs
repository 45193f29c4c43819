//! Money that the tests move.

use crate::world::World;
use domain::{Amount, EpochMs};
use ledger::account::{self, Account};
use ledger::{Posting, TxKind, phase, posting};
use std::time::Duration;
use uuid::Uuid;

const SOMETIME: u64 = 1_767_225_600_000;

fn units(amount: u64) -> Amount {
    Amount::from_units(amount).unwrap()
}

impl World {
    /// A user with `amount`, in one transaction of the ledger.
    pub(crate) async fn user_with(&self, amount: u64) -> Uuid {
        let user = Uuid::new_v4();
        self.run(&format!("INSERT INTO users (id) VALUES ('{user}')"))
            .await;
        self.deposit(user, amount).await;
        user
    }

    /// Brings `amount` in from outside.
    pub(crate) async fn deposit(&self, user: Uuid, amount: u64) {
        let accounts = (Account::ExternalWorld, Account::UserAvailable(user));
        account::open(&self.db, &[accounts.0, accounts.1])
            .await
            .unwrap();
        let source = Uuid::new_v4().to_string();
        let at = EpochMs::new(SOMETIME).unwrap();
        let posting =
            Posting::transfer(TxKind::OperatorDeposit, source, at, accounts, units(amount));
        posting::post(&self.db, &[posting.unwrap()]).await.unwrap();
    }

    /// Sets `amount` aside for `lifetime`.
    pub(crate) async fn set_aside(&self, user: Uuid, amount: u64, lifetime: Duration) {
        // A transaction that needs no record of its own.
        let world = Account::ExternalWorld;
        account::open(&self.db, &[world]).await.unwrap();
        let at = EpochMs::new(SOMETIME).unwrap();
        let source = Uuid::new_v4().to_string();
        let accounts = (Account::UserAvailable(user), world);
        let posting =
            Posting::transfer(TxKind::OperatorDeposit, source, at, accounts, units(amount));
        phase::reserve(&self.db, &posting.unwrap(), Some(lifetime))
            .await
            .unwrap();
    }

    pub(crate) async fn available(&self, user: Uuid) -> u64 {
        let account = Account::UserAvailable(user);
        account::balance(&self.db, account).await.unwrap().units()
    }
}
