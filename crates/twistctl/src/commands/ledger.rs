//! `ledger check`, `ledger explain`, `ledger verify-chain`.

use crate::platform::{Secrets, owner_url};
use crate::{CtlError, Paths, commands, ui};
use ledger::LedgerError;
use ledger::chain::{self, Flaw};
use ledger::explain::{self, Earning, Line, PayoutRecord, Step, Trail, Vau};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use std::fmt::Write;

/// What can be done with the ledger.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Checks the invariants of the double-entry ledger, each with what breaks it.
    Check {
        /// Which database.
        #[command(flatten)]
        which: Which,
    },
    /// Tells how a transaction came about: what caused it, what it booked, what it settles or reverses,
    /// and its place in the hash chain.
    Explain {
        /// A transaction's id, or what caused it, such as the id of a VAU.
        id: String,
        /// Which database.
        #[command(flatten)]
        which: Which,
    },
    /// Recomputes the hash chain from the rows and names the first seal that does not hold.
    VerifyChain {
        /// Which database.
        #[command(flatten)]
        which: Which,
    },
}

/// The database that is looked into.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// Another database than the local platform's.
    #[arg(long, env = "TWIST_LEDGER_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

impl Which {
    async fn connect(&self, paths: &Paths) -> Result<DatabaseConnection, CtlError> {
        let url = if let Some(url) = &self.database_url {
            url.clone()
        } else {
            let record = commands::running(paths)?;
            owner_url(&record.ports, &Secrets::load_or_make(paths)?)
        };
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        Ok(Database::connect(options).await?)
    }
}

/// Does it. Succeeds when what was asked about is as it should be.
pub fn run(paths: &Paths, command: &Command) -> Result<bool, CtlError> {
    commands::runtime()?.block_on(async {
        match command {
            Command::Check { which } => check(&which.connect(paths).await?).await,
            Command::Explain { id, which } => explain(&which.connect(paths).await?, id).await,
            Command::VerifyChain { which } => verify_chain(&which.connect(paths).await?).await,
        }
    })
}

async fn check(db: &DatabaseConnection) -> Result<bool, CtlError> {
    let findings = ledger::check::run(db).await?;
    for finding in &findings {
        let mark = if finding.holds() { "✓" } else { "✗" };
        ui::say(&format!(
            "  {mark} {:<4} {}",
            finding.invariant.id, finding.invariant.title
        ));
        for broken in &finding.broken_by {
            ui::say(&format!("         {broken}"));
        }
    }
    Ok(findings.iter().all(ledger::check::Finding::holds))
}

async fn verify_chain(db: &DatabaseConnection) -> Result<bool, CtlError> {
    let verdict = chain::verify(db).await.map_err(failed)?;
    let lag = chain::lag(db).await.map_err(failed)?;
    ui::say(&format!("  seals that hold  {}", verdict.seals));
    ui::say(&format!("  last hash        {}", hex::encode(verdict.head)));
    ui::say(&format!(
        "  not sealed yet   {}, the oldest for {}",
        lag.unsealed,
        ui::seconds(lag.oldest)
    ));
    let Some(broken) = verdict.broken else {
        return Ok(true);
    };
    let what = match broken.flaw {
        Flaw::Gap => "is missing",
        Flaw::Link => "does not link to the one before",
        Flaw::Content => "is not over what the rows say",
        Flaw::Account => "is over an account that was changed",
        Flaw::Rewritten => "is not the one that was proved before",
    };
    ui::say(&format!(
        "  ✗ seal {} {what}; transaction {}",
        broken.seq, broken.tx
    ));
    Ok(false)
}

async fn explain(db: &DatabaseConnection, id: &str) -> Result<bool, CtlError> {
    let trail = explain::trail(db, id).await.map_err(failed)?;
    if trail.steps.is_empty() && trail.vaus.is_empty() {
        return Err(CtlError::Help(format!(
            "the ledger knows no transaction {id}, and none that it caused"
        )));
    }
    ui::say(&told(&trail));
    let seals = || trail.steps.iter().filter_map(|step| step.seal.as_ref());
    Ok(seals().all(|seal| seal.holds))
}

fn failed(error: LedgerError) -> CtlError {
    match error {
        LedgerError::Database(error) => error.into(),
        other => CtlError::Help(other.to_string()),
    }
}

/// A trail as text.
fn told(trail: &Trail) -> String {
    let vaus = trail.vaus.iter().map(vau);
    let payout = trail.payout.iter().map(payout);
    let earnings = trail.earnings.iter().map(earning);
    let steps = trail.steps.iter().map(step);
    let all = vaus.chain(payout).chain(earnings).chain(steps);
    all.collect::<Vec<_>>().join("\n")
}

fn payout(payout: &PayoutRecord) -> String {
    let mut text = format!(
        "payout {}\n  {} to user {} for influencer {}\n  amount {}, fees {}, arrives {}",
        payout.id,
        payout.method,
        payout.user,
        payout.influencer,
        payout.amount,
        payout.fees,
        payout.net
    );
    for change in &payout.changes {
        let reason = change.reason.as_deref().map(|reason| format!(": {reason}"));
        let _ = write!(
            text,
            "\n  {} {} by {}, {}{}",
            change.version,
            change.state,
            change.actor,
            change.at,
            reason.unwrap_or_default()
        );
    }
    text
}

fn earning(earning: &Earning) -> String {
    let released = match earning.release_id {
        Some(id) => format!(", released by {id}"),
        None => String::new(),
    };
    format!(
        "distribution {}\n  {} {}, {}\n  the influencer's part {}, of which this pays {}\n  given by {}{released}",
        earning.distribution,
        earning.source,
        earning.source_ref,
        earning.at,
        earning.amount,
        earning.paid,
        earning.transaction_id
    )
}

fn vau(vau: &Vau) -> String {
    let earned = match vau.transaction_id {
        Some(id) => format!("{}, credited by {id}", vau.earned),
        None => "nothing".to_owned(),
    };
    format!(
        "VAU {}\n  user {}, wallet {}\n  device {}\n  site {}, accepted {}, trust {}\n  \
         segment {}, fingerprint {}\n  earned {earned}",
        vau.vau_id,
        vau.user,
        vau.wallet_address,
        vau.device_id,
        vau.site_id,
        vau.accepted_at,
        vau.trust_score,
        vau.segment_id,
        vau.fingerprint,
    )
}

fn step(step: &Step) -> String {
    let mut text = format!(
        "transaction {}\n  {} of {} ({})\n  effective {}, recorded {}",
        step.id, step.kind, step.source_ref, step.phase, step.effective_at, step.recorded_at
    );
    // Writing to a text cannot fail.
    if let Some(at) = &step.expires_at {
        let _ = write!(text, ", expires {at}");
    }
    if let Some(id) = step.settles {
        let _ = write!(text, "\n  settles {id}");
    }
    if let Some(id) = step.reverses {
        let _ = write!(text, "\n  reverses {id}");
    }
    for each in &step.lines {
        let _ = write!(text, "\n  {}", line(each));
    }
    let _ = match &step.seal {
        None => write!(text, "\n  not sealed yet"),
        Some(seal) => write!(
            text,
            "\n  seal {} {}\n    after {}\n    hash  {}",
            seal.seq,
            if seal.holds { "holds" } else { "DOES NOT HOLD" },
            seal.prev_hash,
            seal.hash
        ),
    };
    text
}

fn line(line: &Line) -> String {
    let of = |name: &str, id: Option<uuid::Uuid>| id.map(|id| format!(" {name} {id}"));
    format!(
        "{:<6} {:>20}  {}{}{}{}",
        line.side,
        line.amount,
        line.account,
        if line.owner.is_none() && line.subject.is_none() {
            format!(" part {}", line.stripe)
        } else {
            String::new()
        },
        of("of", line.owner).unwrap_or_default(),
        of("for", line.subject).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::explain::Seal;
    use uuid::Uuid;

    #[test]
    fn a_trail_names_every_part_of_it() {
        let (tx, pending, user) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let trail = Trail {
            vaus: Vec::new(),
            payout: None,
            earnings: Vec::new(),
            steps: vec![Step {
                id: tx,
                kind: "payout_paid".to_owned(),
                source_ref: "payout 7".to_owned(),
                phase: "post_pending".to_owned(),
                settles: Some(pending),
                reverses: None,
                effective_at: "2026-01-01T00:00:00.000000Z".to_owned(),
                recorded_at: "2026-01-01T00:00:01.000000Z".to_owned(),
                expires_at: None,
                lines: vec![Line {
                    account: "user:available".to_owned(),
                    owner: Some(user),
                    subject: None,
                    stripe: 0,
                    side: "credit".to_owned(),
                    amount: 5,
                }],
                seal: Some(Seal {
                    seq: 9,
                    prev_hash: "aa".to_owned(),
                    hash: "bb".to_owned(),
                    holds: false,
                }),
            }],
        };
        let text = told(&trail);
        for part in [
            tx.to_string(),
            format!("settles {pending}"),
            format!("of {user}"),
            "payout_paid of payout 7 (post_pending)".to_owned(),
            "seal 9 DOES NOT HOLD".to_owned(),
        ] {
            assert!(text.contains(&part), "{part} is not in {text}");
        }
    }
}
