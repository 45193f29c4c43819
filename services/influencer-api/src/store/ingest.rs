//! Counts a segment: VAUs, their postings and what is set aside, in one database transaction.

use super::values::{bigints, blobs, moments, texts, uuids};
use crate::domain::ingest::{Batch, Checked, Item};
use contracts::ingest::{AcceptedVau, QuarantineReason, Quarantined, SegmentReceipt};
use domain::{EpochMs, Fingerprint, VauId};
use ledger::account::{self, Account};
use ledger::reward::reward_posting;
use ledger::{LedgerError, Posting};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement, TransactionTrait, Value,
};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;
use uuid::Uuid;

/// How often a transaction that had to give way to another is run again.
const ATTEMPTS: u8 = 5;

/// An item that may be counted, with the user who is credited.
struct Candidate {
    accepted: AcceptedVau,
    batch_group: Option<u32>,
    user: Uuid,
    posting: Option<Posting>,
}

/// Counts the items of `segment` that were found good, once each, and sets the others aside. The same
/// segment again changes nothing.
pub async fn count(
    db: &DatabaseConnection,
    segment_id: Uuid,
    checked: &Checked,
) -> Result<SegmentReceipt, LedgerError> {
    let mut attempt = 1;
    loop {
        match count_once(db, segment_id, checked).await {
            Err(LedgerError::Database(error))
                if attempt < ATTEMPTS && ledger::is_contention(&error) =>
            {
                attempt += 1;
            }
            result => return result,
        }
    }
}

async fn count_once(
    db: &DatabaseConnection,
    segment_id: Uuid,
    checked: &Checked,
) -> Result<SegmentReceipt, LedgerError> {
    let tx = db.begin().await?;
    let mut aside = quarantined_before(&tx, segment_id).await?;
    let owners = owners(&tx, checked).await?;
    let mut candidates = BTreeMap::<VauId, Candidate>::new();
    let mut index_of = BTreeMap::<VauId, u32>::new();
    let mut duplicates = 0;

    for (index, item) in (0u32..).zip(&checked.items) {
        if aside.contains_key(&index) {
            continue;
        }
        let accepted = match &item.result {
            Ok(accepted) => accepted,
            Err(reason) => {
                aside.insert(index, *reason);
                continue;
            }
        };
        let Some(user) = owners.credited(accepted) else {
            aside.insert(index, QuarantineReason::DeviceUnknown);
            continue;
        };
        match candidates.get(&accepted.vau_id) {
            Some(first) if first.accepted.fingerprint == accepted.fingerprint => duplicates += 1,
            Some(_) => {
                aside.insert(index, QuarantineReason::Conflicting);
            }
            None => {
                let candidate = Candidate::new(item, accepted.clone(), user, segment_id)?;
                index_of.insert(accepted.vau_id, index);
                candidates.insert(accepted.vau_id, candidate);
            }
        }
    }

    insert_batches(&tx, segment_id, &checked.batches).await?;
    let fresh = insert_vaus(&tx, segment_id, &candidates).await?;
    let known = fingerprints(&tx, candidates.keys().filter(|id| !fresh.contains(id))).await?;
    for (id, fingerprint) in known {
        match (candidates.get(&id), index_of.get(&id)) {
            (Some(c), Some(index)) if c.accepted.fingerprint != fingerprint => {
                aside.insert(*index, QuarantineReason::Conflicting);
            }
            _ => duplicates += 1,
        }
    }

    let postings: Vec<Posting> = candidates
        .iter()
        .filter(|(id, _)| fresh.contains(id))
        .filter_map(|(_, candidate)| candidate.posting.clone())
        .collect();
    let accounts: Vec<Account> = postings.iter().flat_map(Posting::accounts).collect();
    if !accounts.is_empty() {
        account::open(&tx, &accounts).await?;
        ledger::posting::post(&tx, &postings).await?;
    }
    set_aside(&tx, segment_id, &checked.items, &aside).await?;
    tx.commit().await?;

    Ok(SegmentReceipt {
        segment_id,
        counted: u32::try_from(fresh.len()).unwrap_or(u32::MAX),
        duplicates,
        quarantined: aside
            .into_iter()
            .map(|(index, reason)| Quarantined { index, reason })
            .collect(),
    })
}

impl Candidate {
    fn new(
        item: &Item,
        accepted: AcceptedVau,
        user: Uuid,
        group: Uuid,
    ) -> Result<Self, LedgerError> {
        let posting = if accepted.earned.is_zero() {
            None
        } else {
            let (id, earned, at) = (accepted.vau_id, accepted.earned, accepted.accepted_at);
            Some(reward_posting(id, user, earned, at, group)?)
        };
        Ok(Self {
            accepted,
            batch_group: item.batch_group,
            user,
            posting,
        })
    }
}

/// Registered devices: owner, wallet, and since when it is out of use.
struct Owners(BTreeMap<String, (Uuid, String, Option<OffsetDateTime>)>);

impl Owners {
    /// The user to credit: the device's, if the VAU names its wallet and the device was in use when the
    /// edge accepted.
    fn credited(&self, accepted: &AcceptedVau) -> Option<Uuid> {
        let (user, wallet, revoked_at) = self.0.get(&accepted.vau.device_id.to_string())?;
        let in_use =
            revoked_at.is_none_or(|at| super::values::to_column(accepted.accepted_at) < at);
        (*wallet == accepted.vau.user_id.to_string() && in_use).then_some(*user)
    }
}

async fn owners(tx: &impl ConnectionTrait, checked: &Checked) -> Result<Owners, DbErr> {
    let devices: BTreeSet<String> = checked
        .items
        .iter()
        .filter_map(|item| item.result.as_ref().ok())
        .map(|a| a.vau.device_id.to_string())
        .collect();
    let sql = "SELECT device_id, user_id, wallet_address, revoked_at FROM devices \
               WHERE device_id = ANY ($1::text[])";
    let rows = tx
        .query_all_raw(statement(sql, [texts(devices.into_iter())]))
        .await?;
    let found = rows.iter().map(|row| {
        let owner = (
            row.try_get("", "user_id")?,
            row.try_get("", "wallet_address")?,
            row.try_get("", "revoked_at")?,
        );
        Ok((row.try_get("", "device_id")?, owner))
    });
    found.collect::<Result<_, DbErr>>().map(Owners)
}

/// Inserts the VAUs that are new and returns their ids. Ordered by id, so that two segments with the
/// same VAUs wait for each other instead of locking each other out.
async fn insert_vaus(
    tx: &impl ConnectionTrait,
    segment: Uuid,
    candidates: &BTreeMap<VauId, Candidate>,
) -> Result<BTreeSet<VauId>, DbErr> {
    if candidates.is_empty() {
        return Ok(BTreeSet::new());
    }
    let all = || candidates.values();
    let items = || candidates.values().map(|c| &c.accepted);
    let submissions = items()
        .map(|a| serde_json::to_vec(&a.vau))
        .collect::<Result<Vec<_>, _>>();
    let submissions = submissions.map_err(|error| DbErr::Json(error.to_string()))?;
    let values = [
        texts(items().map(|a| a.vau_id.to_string())),
        blobs(items().map(|a| a.fingerprint.as_bytes().to_vec())),
        uuids(all().map(|c| c.user)),
        texts(items().map(|a| a.vau.user_id.to_string())),
        texts(items().map(|a| a.vau.device_id.to_string())),
        texts(items().map(|a| a.vau.site_id.to_string())),
        blobs(submissions.into_iter()),
        moments(items().map(|a| a.accepted_at)),
        bigints(items().map(|a| a.trust_score.into())),
        bigints(items().map(|a| a.earned.to_i64())),
        // The driver cannot send an array with nulls in it: they travel as empty texts.
        texts(all().map(|c| {
            c.posting
                .as_ref()
                .map(|p| p.id().as_uuid().to_string())
                .unwrap_or_default()
        })),
        Value::from(segment),
        bigints(all().map(|c| c.batch_group.map_or(-1, i64::from))),
    ];
    let sql = "INSERT INTO vaus (vau_id, fingerprint, user_id, wallet_address, device_id, site_id, \
                   submission, accepted_at, trust_score, earned, transaction_id, segment_id, batch_group) \
               SELECT id, fingerprint, user_id, wallet, device, site, submission, accepted_at, trust, \
                   earned, nullif(transaction_id, '')::uuid, $12::uuid, nullif(batch_group, -1)::integer \
               FROM unnest($1::text[], $2::bytea[], $3::uuid[], $4::text[], $5::text[], $6::text[], \
                   $7::bytea[], $8::timestamptz[], $9::bigint[], $10::bigint[], $11::text[], $13::bigint[]) \
                   AS v (id, fingerprint, user_id, wallet, device, site, submission, accepted_at, \
                       trust, earned, transaction_id, batch_group) \
               ORDER BY id COLLATE \"C\" \
               ON CONFLICT (vau_id) DO NOTHING RETURNING vau_id";
    let rows = tx.query_all_raw(statement(sql, values)).await?;
    rows.iter()
        .map(|row| vau_id(&row.try_get::<String>("", "vau_id")?))
        .collect()
}

async fn fingerprints(
    tx: &impl ConnectionTrait,
    ids: impl Iterator<Item = &VauId>,
) -> Result<Vec<(VauId, Fingerprint)>, DbErr> {
    let ids: Vec<String> = ids.map(ToString::to_string).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT vau_id, fingerprint FROM vaus WHERE vau_id = ANY ($1::text[])";
    let rows = tx
        .query_all_raw(statement(sql, [texts(ids.into_iter())]))
        .await?;
    let read = rows.iter().map(|row| {
        let bytes: Vec<u8> = row.try_get("", "fingerprint")?;
        let bytes = bytes
            .try_into()
            .map_err(|_| DbErr::Type("fingerprint is not 32 bytes".into()))?;
        Ok((
            vau_id(&row.try_get::<String>("", "vau_id")?)?,
            Fingerprint::from_bytes(bytes),
        ))
    });
    read.collect()
}

async fn quarantined_before(
    tx: &impl ConnectionTrait,
    segment: Uuid,
) -> Result<BTreeMap<u32, QuarantineReason>, DbErr> {
    let sql = "SELECT item_index, reason FROM vau_quarantine WHERE segment_id = $1";
    let rows = tx.query_all_raw(statement(sql, [segment.into()])).await?;
    let read = rows.iter().map(|row| {
        let index: i32 = row.try_get("", "item_index")?;
        let reason: String = row.try_get("", "reason")?;
        let reason = serde_json::from_value(serde_json::Value::String(reason))
            .map_err(|error| DbErr::Json(error.to_string()))?;
        Ok((
            u32::try_from(index).map_err(|e| DbErr::Type(e.to_string()))?,
            reason,
        ))
    });
    read.collect()
}

/// Keeps the batches that devices have signed as a whole, once each.
async fn insert_batches(
    tx: &impl ConnectionTrait,
    segment: Uuid,
    batches: &[Batch],
) -> Result<(), DbErr> {
    if batches.is_empty() {
        return Ok(());
    }
    let prints = |b: &Batch| b.fingerprints.iter().flat_map(|f| *f.as_bytes()).collect();
    let values = [
        segment.into(),
        bigints(batches.iter().map(|b| i64::from(b.group))),
        texts(batches.iter().map(|b| b.device_id.to_string())),
        texts(batches.iter().map(|b| b.batch_id.clone())),
        moments(batches.iter().map(|b| b.submitted_at)),
        blobs(batches.iter().map(|b| b.signature.to_vec())),
        blobs(batches.iter().map(prints)),
    ];
    let sql = "INSERT INTO vau_batches SELECT $1, b.place::integer, b.device, b.id, b.submitted_at, b.signature, b.prints \
               FROM unnest($2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::bytea[], $7::bytea[]) \
                   AS b (place, device, id, submitted_at, signature, prints) \
               ON CONFLICT (segment_id, batch_group) DO NOTHING";
    tx.execute_raw(statement(sql, values)).await.map(|_| ())
}

async fn set_aside(
    tx: &impl ConnectionTrait,
    segment: Uuid,
    items: &[Item],
    aside: &BTreeMap<u32, QuarantineReason>,
) -> Result<(), DbErr> {
    if aside.is_empty() {
        return Ok(());
    }
    let item = |index: &u32| usize::try_from(*index).ok().and_then(|i| items.get(i));
    let accepted = |index: &u32| item(index).and_then(|i| i.result.as_ref().ok());
    let known_id = |index: &u32| accepted(index).map(|a| a.vau_id.to_string());
    let wallet = |index: &u32| accepted(index).map(|a| a.vau.user_id.to_string());
    let kept = |index: &u32| {
        let raw = item(index).and_then(|i| i.raw.clone());
        let raw = raw.or_else(|| accepted(index).and_then(|a| serde_json::to_value(a).ok()));
        raw.map(|value| value.to_string())
            .unwrap_or_default()
            .into_bytes()
    };
    // 1970 stands for a time that cannot be told.
    let accepted_at = |index: &u32| accepted(index).map_or(EpochMs::ZERO, |a| a.accepted_at);
    let values = [
        segment.into(),
        bigints(aside.keys().map(|index| i64::from(*index))),
        texts(aside.values().map(|reason| reason.as_str().to_owned())),
        texts(
            aside
                .keys()
                .map(|index| known_id(index).unwrap_or_default()),
        ),
        blobs(aside.keys().map(kept)),
        moments(aside.keys().map(accepted_at)),
        texts(aside.keys().map(|index| wallet(index).unwrap_or_default())),
    ];
    let sql = "INSERT INTO vau_quarantine (segment_id, item_index, reason, vau_id, item, accepted_at, wallet_address) \
               SELECT $1, q.item_index::integer, q.reason, nullif(q.vau_id, ''), q.item, nullif(q.accepted_at, to_timestamp(0)), \
                   nullif(q.wallet, '') \
               FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::timestamptz[], $7::text[]) \
                   AS q (item_index, reason, vau_id, item, accepted_at, wallet) \
               ON CONFLICT (segment_id, item_index) DO NOTHING";
    tx.execute_raw(statement(sql, values)).await.map(|_| ())
}

fn vau_id(text: &str) -> Result<VauId, DbErr> {
    VauId::try_from(text).map_err(|error| DbErr::Type(error.to_string()))
}

fn statement<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// When the edge accepted the newest VAU of a segment, for the metric of how far counting lags.
pub fn newest(checked: &Checked) -> Option<EpochMs> {
    let accepted = checked.items.iter().filter_map(|i| i.result.as_ref().ok());
    accepted.map(|accepted| accepted.accepted_at).max()
}
