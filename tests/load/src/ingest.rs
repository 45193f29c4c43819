//! Segments of accepted VAUs, delivered as the edge does it.
//!
//! The baseline writes the same rows: VAU, transaction and both entries, each kind with one `INSERT … SELECT unnest`, one
//! database transaction for a segment. It looks at nothing and moves no balance.

use crate::baseline;
use crate::drive::{Connection, Driven, Failure, gather, json};
use crate::postings::{AT, pool};
use crate::scenario::Site;
use crate::sign_in::sign_in;
use crate::table::Row;
use crate::turns::{Meters, Turns};
use client::{Device, Wallet, now};
use contracts::ingest::{AcceptedVau, SEGMENT_VERSION, SegmentReceipt, VauSegment};
use domain::http_hmac::{KEY_ID_HEADER, SIGNATURE_HEADER, SignedRequest, TIMESTAMP_HEADER};
use domain::reward::{DeviceHistory, reward, trust_score};
use domain::{EpochMs, SiteId};
use hyper::Method;
use hyper::body::Bytes;
use sea_orm::sea_query::ArrayType;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbBackend, Statement, TransactionTrait as _, Value,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use twistctl::platform::Secrets;
use uuid::Uuid;

const PATH: &str = "/internal/v1/vau-batches";
/// As many as a packed segment of the edge holds, about.
const ITEMS: u32 = 100;
const DEVICES: u64 = 16;
/// Segments that are on their way at a time.
const CONNECTIONS: usize = 4;
const TURNS: usize = 3;
/// Segments before the measurement.
const WARM: usize = 80;
/// For each second of the measurement: about what is delivered in one.
const SEGMENTS_A_SECOND: usize = 30;

/// Cost and latency, for each VAU.
pub(crate) async fn run(site: &Site, meters: Meters, time: Duration) -> Result<Vec<Row>, Failure> {
    let count = usize::try_from(time.as_secs().max(1))? * SEGMENTS_A_SECOND;
    let segments = segments(site, count + WARM).await?;
    let database = pool(&site.app_url, 16).await?;
    let versions = Arc::new(AtomicI64::new(1));
    // A connection plans what it is asked for the first times.
    let (warm, segments) = segments.split_at(WARM);
    write(&database, warm, &versions).await?;
    deliver(site, warm).await?;
    baseline::analyze(&site.owner).await?;
    let (mut bare, mut ours) = (Turns::default(), Turns::default());
    for turn in segments.chunks(count.div_ceil(TURNS)) {
        let writes = write(&database, turn, &versions);
        bare.take(meters, writes).await?;
        ours.take(meters, deliver(site, turn)).await?;
    }
    Ok(vec![
        bare.baseline("PostgreSQL: a VAU's rows by `unnest`", ITEMS)?,
        ours.row(
            format!("PostgreSQL: `POST {PATH}`, a VAU of {ITEMS}"),
            ITEMS,
        )?,
        ours.server(format!("api: `POST {PATH}`, a VAU of {ITEMS}"), ITEMS)?,
    ])
}

/// Segments of VAUs from devices that are registered.
async fn segments(site: &Site, count: usize) -> Result<Vec<Arc<Vec<AcceptedVau>>>, Failure> {
    let mut devices = Vec::new();
    for _ in 0..DEVICES {
        let (wallet, device) = (Wallet::generate()?, Device::generate()?);
        let session = sign_in(&mut Connection::open(site.auth).await?, &wallet).await?;
        let body = serde_json::to_string(&device.registration(wallet.address(), now()))?;
        let token = Some(session.access_token.as_str());
        let mut api = Connection::open(site.api).await?;
        api.send(Method::POST, "/devices", token, Some(body))
            .await?;
        devices.push((wallet, device));
    }
    let place: SiteId = "site-load".parse()?;
    let history = DeviceHistory {
        attestations: 0,
        vau_count: 0,
        since_last_ms: None,
        anomalies: 0,
    };
    let trust_score = trust_score(&history);
    let mut at = AT.get();
    let mut accepted = |(wallet, device): &(Wallet, Device)| {
        at += 1;
        let vau = device.vau(wallet.address(), &place, EpochMs::new(at)?, "{\"view\":1}");
        Ok::<_, Failure>(AcceptedVau {
            vau_id: vau.signed_fields().id(),
            fingerprint: vau.signed_fields().fingerprint(),
            vau,
            accepted_at: now(),
            device: history,
            trust_score,
            earned: reward(trust_score),
        })
    };
    let mut sources = devices.iter().cycle();
    let mut segments = Vec::new();
    for _ in 0..count {
        let items = sources.by_ref().take(usize::try_from(ITEMS)?);
        let items = items.map(&mut accepted).collect::<Result<_, _>>()?;
        segments.push(Arc::new(items));
    }
    Ok(segments)
}

/// Delivers `segments` over some connections, each as fast as it is answered.
async fn deliver(site: &Site, segments: &[Arc<Vec<AcceptedVau>>]) -> Result<Driven, Failure> {
    let bodies = segments.iter().map(|items| {
        let items = items.iter().map(serde_json::to_value);
        let segment = VauSegment {
            version: SEGMENT_VERSION,
            segment_id: Uuid::new_v4(),
            shard: "load".to_owned(),
            items: items.collect::<Result<_, _>>()?,
        };
        Ok::<_, Failure>(Bytes::from(serde_json::to_vec(&segment)?))
    });
    let bodies: Vec<Bytes> = bodies.collect::<Result<_, _>>()?;
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for bodies in bodies.chunks(bodies.len().div_ceil(CONNECTIONS)) {
        let (bodies, secret, port) = (bodies.to_vec(), site.edge_secret.clone(), site.api);
        clients.spawn(async move {
            let mut connection = Connection::open(port).await?;
            let mut latencies = Vec::new();
            for body in bodies {
                let sent = Instant::now();
                let headers = signed(&body, &secret);
                let answer = connection
                    .send_with(Method::POST, PATH, headers, body)
                    .await?;
                latencies.push(sent.elapsed());
                let receipt: SegmentReceipt = serde_json::from_slice(&answer)?;
                if receipt.counted != ITEMS {
                    return Err(format!("not all were counted: {receipt:?}").into());
                }
            }
            Ok(latencies)
        });
    }
    gather(clients, start).await
}

/// The headers of a delivery.
fn signed(body: &[u8], secret: &str) -> Vec<(&'static str, String)> {
    let timestamp = now();
    let request = SignedRequest {
        method: "POST",
        path: PATH,
        timestamp,
        body,
    };
    vec![
        json(),
        (KEY_ID_HEADER, Secrets::INGEST_KEY.to_owned()),
        (TIMESTAMP_HEADER, timestamp.to_string()),
        (SIGNATURE_HEADER, request.sign(secret.as_bytes())),
    ]
}

/// Writes the rows of `segments` over as many connections.
async fn write(
    database: &DatabaseConnection,
    segments: &[Arc<Vec<AcceptedVau>>],
    versions: &Arc<AtomicI64>,
) -> Result<Driven, Failure> {
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for segments in segments.chunks(segments.len().div_ceil(CONNECTIONS)) {
        let (database, segments) = (database.clone(), segments.to_vec());
        let versions = Arc::clone(versions);
        clients.spawn(async move {
            let mut latencies = Vec::new();
            for items in segments {
                let version = versions.fetch_add(1, Ordering::Relaxed);
                let statements = statements(&items, version)?;
                let sent = Instant::now();
                let transaction = database.begin().await?;
                for statement in statements {
                    transaction.execute_raw(statement).await?;
                }
                transaction.commit().await?;
                latencies.push(sent.elapsed());
            }
            Ok(latencies)
        });
    }
    gather(clients, start).await
}

fn array(kind: ArrayType, items: impl Iterator<Item = Value>) -> Value {
    Value::Array(kind, Some(Box::new(items.collect())))
}

/// Its VAUs, their transactions, and two entries for each.
fn statements(items: &[AcceptedVau], version: i64) -> Result<[Statement; 3], Failure> {
    let texts = |of: fn(&AcceptedVau) -> String| {
        array(ArrayType::String, items.iter().map(|item| of(item).into()))
    };
    let fingerprints = || {
        let bytes = items
            .iter()
            .map(|item| item.fingerprint.as_bytes().to_vec());
        array(ArrayType::Bytes, bytes.map(Value::from))
    };
    let moments = || {
        let moments = items.iter().map(|item| item.accepted_at.get());
        let moments = moments.map(i64::try_from).collect::<Result<Vec<_>, _>>();
        moments.map(|moments| array(ArrayType::BigInt, moments.into_iter().map(Value::from)))
    };
    let amounts = || {
        let amounts = items.iter().map(|item| item.earned.to_i64());
        array(ArrayType::BigInt, amounts.map(Value::from))
    };
    let fresh = || {
        let ids: Vec<Uuid> = items.iter().map(|_| Uuid::new_v4()).collect();
        array(ArrayType::Uuid, ids.into_iter().map(Value::from))
    };
    let submissions = items.iter().map(|item| serde_json::to_vec(&item.vau));
    let submissions = submissions.collect::<Result<Vec<_>, _>>()?;
    let submissions = array(ArrayType::Bytes, submissions.into_iter().map(Value::from));
    let (transactions, group) = (fresh(), Uuid::new_v4());
    let vaus = "INSERT INTO bare_vau (vau_id, fingerprint, user_id, wallet_address, device_id, site_id, \
                    submission, accepted_at, trust_score, earned, transaction_id, segment_id) \
                SELECT id, fingerprint, $10, wallet, device, site, submission, to_timestamp(at / 1000.0), \
                    50, earned, tx, $10 \
                FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::bytea[], \
                    $7::bigint[], $8::bigint[], $9::uuid[]) \
                    AS v (id, fingerprint, wallet, device, site, submission, at, earned, tx)";
    let vaus = Statement::from_sql_and_values(
        DbBackend::Postgres,
        vaus,
        [
            texts(|item| item.vau_id.to_string()),
            fingerprints(),
            texts(|item| item.vau.user_id.to_string()),
            texts(|item| item.vau.device_id.to_string()),
            texts(|item| item.vau.site_id.to_string()),
            submissions,
            moments()?,
            amounts(),
            transactions.clone(),
            group.into(),
        ],
    );
    let posted = "INSERT INTO bare_tx (id, kind, source_ref, fingerprint, effective_at) \
                  SELECT id, 'vau_reward', source, fingerprint, to_timestamp(at / 1000.0) \
                  FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::bigint[]) \
                      AS t (id, source, fingerprint, at)";
    let posted = Statement::from_sql_and_values(
        DbBackend::Postgres,
        posted,
        [
            transactions.clone(),
            texts(|item| item.vau_id.to_string()),
            fingerprints(),
            moments()?,
        ],
    );
    let entries = "INSERT INTO bare_entry (account_id, account_version, tx_id, ordinal, side, amount) \
                   SELECT $3, $4::bigint * 1000 + place, tx, 1, 'debit'::ledger_side, amount \
                   FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS e (tx, amount, place) \
                   UNION ALL \
                   SELECT account, $4, tx, 2, 'credit'::ledger_side, amount \
                   FROM unnest($1::uuid[], $2::bigint[], $5::uuid[]) AS e (tx, amount, account)";
    let entries = Statement::from_sql_and_values(
        DbBackend::Postgres,
        entries,
        [
            transactions,
            amounts(),
            group.into(),
            version.into(),
            fresh(),
        ],
    );
    Ok([vaus, posted, entries])
}
