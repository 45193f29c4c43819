//! Somebody who does not stop asking until the answer is certain.

use super::{Book, Dice, TWIST};
use client::{Client, Session, Wallet};
use contracts::Code;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Longer than anything is ever down.
const PATIENCE: Duration = Duration::from_mins(2);

/// A signed-in wallet with a book.
#[derive(Debug)]
pub struct Person {
    client: Client,
    /// Signed in.
    pub session: Session,
    /// Whose pool is theirs.
    pub influencer: Option<Uuid>,
    book: Mutex<Book>,
}

/// An answer that will not be another one, however often the same is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sure {
    /// HTTP status.
    pub status: u16,
    /// The body of a success; the code of a refusal.
    pub body: Value,
}

impl Sure {
    /// Whether it had an effect.
    pub const fn is_done(&self) -> bool {
        self.status < 300
    }

    /// The digits in `member`.
    pub fn units(&self, member: &str) -> u64 {
        self.body[member].as_str().unwrap().parse().unwrap()
    }

    /// The id in `member`.
    pub fn id(&self, member: &str) -> Uuid {
        self.body[member].as_str().unwrap().parse().unwrap()
    }
}

impl Person {
    /// Signs a new wallet in.
    pub async fn new(client: Client) -> Self {
        let wallet = Wallet::generate().unwrap();
        let mut session = client.sign_in(&wallet).await;
        // An earlier test may have ended a session of the database that is in use.
        if session
            .as_ref()
            .is_err_and(client::ClientError::is_retryable)
        {
            session = client.sign_in(&wallet).await;
        }
        let session = session.unwrap();
        Self {
            client,
            session,
            influencer: None,
            book: Mutex::default(),
        }
    }

    /// What they were told so far.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    /// Reads until there is an answer, which must be a good one.
    pub async fn read(&self, path: &str) -> Value {
        let sure = self.until_sure(Method::GET, path, &Value::Null, "").await;
        assert_eq!(sure.status, 200, "{path}: {sure:?}");
        sure.body
    }

    /// Orders something with a new key; sometimes twice at once, and sometimes again afterwards.
    pub async fn order(&self, dice: &mut Dice, method: Method, path: &str, body: &Value) -> Sure {
        let key = Uuid::new_v4().to_string();
        let ask = || self.until_sure(method.clone(), path, body, &key);
        let sure = if dice.one_in(8) {
            let (one, other) = tokio::join!(ask(), ask());
            assert_eq!(one, other, "{path}: one key, two answers");
            one
        } else {
            ask().await
        };
        if dice.one_in(8) {
            assert_eq!(ask().await, sure, "{path}: another answer later");
        }
        sure
    }

    /// Does something by chance; the book notes what became of it.
    pub async fn act(&self, dice: &mut Dice, pools: &[Uuid], operator: &Self) {
        let pool = *dice.of(pools);
        let units = TWIST + dice.below(20 * TWIST);
        let sure = match dice.below(100) {
            _ if self.influencer.is_some() && dice.one_in(3) => {
                self.be_paid(dice, operator, units).await
            }
            0..35 => {
                let sure = self.move_stake(dice, "/staking/stake", pool, units).await;
                if sure.is_done() {
                    self.book().stake(pool, units);
                }
                sure
            }
            35..55 => {
                let sure = self.move_stake(dice, "/staking/unstake", pool, units).await;
                if sure.is_done() {
                    self.book().unstake(pool, units);
                }
                sure
            }
            55..75 => {
                let body = json!({ "influencerId": pool });
                let sure = self
                    .order(dice, Method::POST, "/staking/claim", &body)
                    .await;
                if sure.is_done() {
                    self.book().claim(pool, sure.units("claimedAmount"));
                }
                sure
            }
            75..88 => {
                let path = format!("/staking/pools/{pool}/deposits");
                // Odd amounts, so that shares have remainders.
                let body = json!({ "amount": (units | 1).to_string() });
                operator.order(dice, Method::POST, &path, &body).await
            }
            _ => {
                self.read("/me/balance").await;
                return;
            }
        };
        let mut book = self.book();
        if sure.is_done() {
            book.done += 1;
        } else {
            book.refused += 1;
        }
    }

    async fn move_stake(&self, dice: &mut Dice, path: &str, pool: Uuid, units: u64) -> Sure {
        let body = json!({ "influencerId": pool, "amount": units.to_string() });
        self.order(dice, Method::POST, path, &body).await
    }

    /// Asks for a payout, about which something is decided sometimes.
    async fn be_paid(&self, dice: &mut Dice, operator: &Self, units: u64) -> Sure {
        let amount = 10 * TWIST + units;
        let body = json!({ "amount": amount.to_string(), "method": "ledger" });
        let asked = self
            .order(dice, Method::POST, "/payouts/request", &body)
            .await;
        if asked.is_done() {
            self.book().payouts.insert(asked.id("id"), amount);
        }
        // One that waits for a decision is in the way of the next.
        let decisions: &[&str] = match (asked.is_done(), dice.below(6)) {
            (_, 0) => &["cancel"],
            (true, 1) => &["process"],
            (true, 2) => &["hold"],
            (true, 3..) => &[],
            (_, 1) => &["hold", "reject"],
            (_, 2) => &["reject"],
            _ => &["release", "approve", "process"],
        };
        // It may be one that was made on day 1.
        let newest = self.read("/payouts/history?limit=1").await;
        let Some(id) = newest["payouts"][0]["id"].as_str() else {
            return asked;
        };
        for decision in decisions {
            let who = if *decision == "cancel" {
                self
            } else {
                operator
            };
            let path = format!("/payouts/{id}/{decision}");
            let body = json!({ "reason": "by chance" });
            who.order(dice, Method::POST, &path, &body).await;
        }
        asked
    }

    /// Asks until what it is told is certain: not while something is down, busy or unknown.
    async fn until_sure(&self, method: Method, path: &str, body: &Value, key: &str) -> Sure {
        let until = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(20);
        loop {
            let request = self
                .client
                .request(method.clone(), &self.client.endpoints.api, path);
            let request = if method == Method::GET {
                request
            } else {
                request.header("idempotency-key", key).json(body)
            };
            let answer = self.client.send_as(&self.session, request).await;
            match answer {
                Ok(answer) if answer.status < 300 => {
                    let body = if answer.body.is_empty() {
                        Value::Null
                    } else {
                        serde_json::from_slice(&answer.body).unwrap()
                    };
                    return Sure {
                        status: answer.status,
                        body,
                    };
                }
                Ok(answer) => {
                    let problem = answer.problem();
                    let problem = problem.unwrap_or_else(|| panic!("no problem: {answer:?}"));
                    assert_ne!(problem.code, Code::Internal, "{path}: {problem:?}");
                    assert!(
                        answer.status != 401,
                        "{path}: a good token was refused: {problem:?}"
                    );
                    if !problem.retryable {
                        return Sure {
                            status: answer.status,
                            body: json!(problem.code),
                        };
                    }
                }
                // Nobody there, or cut off in the middle: it may have happened or not.
                Err(_) => {}
            }
            assert!(Instant::now() < until, "{path}: no certain answer");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }
}
