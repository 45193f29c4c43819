//! J4: a batch of VAUs, from one signature over all of them to the ledger.

use crate::smoke::check::{Found, ensure, eventually, problem, text};
use crate::smoke::recorder::{Recorder, Step};
use crate::smoke::traveller::{Walker, as_a_stranger, register};
use crate::smoke::{StepReport, Tag, Target};
use client::{Client, now};
use contracts::vau::{BatchAccepted, BatchItemStatus};
use contracts::{Code, Success};
use domain::{Amount, EpochMs, VauId};
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

const PATH: &str = "/api/v1/vau/batch";
const PATIENCE: Duration = Duration::from_secs(30);
const SIZE: u64 = 100;

/// A batch that was taken in.
struct Sent {
    body: Value,
    told: BatchAccepted,
}

pub(crate) async fn walk<W: FnMut(&StepReport)>(target: &Target, recorder: &mut Recorder<W>) {
    let client = &as_a_stranger(target);
    let step = |id, title| Step {
        id,
        title,
        tag: Tag::Staging,
    };
    let walker = recorder
        .take(step("J4.1", "a device is registered"), register(client))
        .await;
    let walker = walker.as_ref();
    let sent = recorder
        .take_with(
            step(
                "J4.2",
                "100 VAUs under one signature are taken in, and each is answered",
            ),
            walker,
            |walker| hundred(client, walker),
        )
        .await;
    let both = walker.zip(sent.as_ref());
    recorder
        .take_with(
            step(
                "J4.3",
                "each arrives once, and the balance is what was promised",
            ),
            both,
            |(walker, sent)| arrived(client, walker, sent),
        )
        .await;
    recorder
        .take_with(
            step("J4.4", "the same batch again adds nothing"),
            both,
            |(walker, sent)| again(client, walker, sent),
        )
        .await;
    recorder
        .take_with(
            step(
                "J4.5",
                "an item that is wrong is named, and the others are taken in",
            ),
            walker,
            |walker| half_valid(client, walker),
        )
        .await;
    recorder
        .take_with(
            step(
                "J4.6",
                "101 VAUs, or a signature over other VAUs, are refused as a whole",
            ),
            walker,
            |walker| refused_whole(client, walker),
        )
        .await;
}

/// `count` VAUs of the last seconds, without signatures of their own.
fn unsigned(walker: &Walker, count: u64) -> Result<Vec<Value>, String> {
    let newest = now().get();
    (0..count)
        .map(|n| {
            let at = EpochMs::new(newest.saturating_sub(n * 100)).map_err(text)?;
            let vau =
                walker
                    .device
                    .vau(walker.session.wallet, &walker.site, at, "{\"smoke\":true}");
            let mut vau = serde_json::to_value(vau).map_err(text)?;
            if let Some(fields) = vau.as_object_mut() {
                fields.remove("signature");
            }
            Ok(vau)
        })
        .collect()
}

fn sealed(walker: &Walker, count: u64) -> Result<Value, String> {
    let name = uuid::Uuid::new_v4().to_string();
    walker
        .device
        .seal(&name, now(), &unsigned(walker, count)?)
        .map_err(text)
}

async fn send(client: &Client, walker: &Walker, body: &Value) -> Result<client::Answer, String> {
    let request = client.request(Method::POST, &client.endpoints.edge, PATH);
    client
        .send(walker.session.sign(request).json(body))
        .await
        .map_err(text)
}

async fn taken(client: &Client, walker: &Walker, body: &Value) -> Result<BatchAccepted, String> {
    let answer = send(client, walker, body).await?;
    ensure(answer.status == 202, || {
        format!(
            "got {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        )
    })?;
    let told = answer.success::<Success<BatchAccepted>>().map_err(text)?;
    Ok(told.data)
}

async fn hundred(client: &Client, walker: &Walker) -> Found<Sent> {
    let body = sealed(walker, SIZE)?;
    let told = taken(client, walker, &body).await?;
    ensure(u64::from(told.accepted) == SIZE, || {
        format!("{} were taken in", told.accepted)
    })?;
    let seen = format!("batch {}, {}", told.batch_id, told.earned.to_twist_string());
    Ok((Sent { body, told }, seen))
}

async fn arrived(client: &Client, walker: &Walker, sent: &Sent) -> Found<()> {
    let expected = sent.told.earned;
    eventually("the whole balance", PATIENCE, || async {
        let balance = client.balance(&walker.session).await?;
        Ok((balance.available >= expected).then_some(()))
    })
    .await?;
    balance_is(client, walker, expected).await?;
    let (mut seen, mut cursor) = (BTreeSet::<VauId>::new(), None);
    loop {
        let page = client
            .rewards(&walker.session, 50, cursor.as_deref())
            .await
            .map_err(text)?;
        for reward in &page.rewards {
            ensure(seen.insert(reward.vau_id), || {
                format!("{} is there twice", reward.vau_id)
            })?;
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let promised: BTreeSet<VauId> = ids(&sent.told).collect();
    ensure(seen == promised, || {
        format!("{} of {} arrived", seen.len(), promised.len())
    })?;
    Ok(((), expected.to_twist_string()))
}

fn ids(told: &BatchAccepted) -> impl Iterator<Item = VauId> {
    told.items
        .iter()
        .filter_map(|item| item.receipt.as_ref())
        .map(|r| r.vau_id)
}

async fn balance_is(client: &Client, walker: &Walker, expected: Amount) -> Result<(), String> {
    let balance = client.balance(&walker.session).await.map_err(text)?;
    ensure(balance.available == expected, || {
        format!("it is {}, expected {expected}", balance.available)
    })
}

async fn again(client: &Client, walker: &Walker, sent: &Sent) -> Found<()> {
    let told = taken(client, walker, &sent.body).await?;
    ensure(
        (told.accepted, u64::from(told.duplicates)) == (0, SIZE),
        || {
            format!(
                "{} were taken in again, {} recognised",
                told.accepted, told.duplicates
            )
        },
    )?;
    ensure(ids(&told).eq(ids(&sent.told)), || {
        "the first answers are others".into()
    })?;
    balance_is(client, walker, sent.told.earned).await?;
    Ok(((), format!("{} duplicates", told.duplicates)))
}

async fn half_valid(client: &Client, walker: &Walker) -> Found<()> {
    let at = |ago: u64| EpochMs::new(now().get().saturating_sub(ago)).map_err(text);
    let (wallet, site) = (walker.session.wallet, &walker.site);
    let good = serde_json::to_value(walker.device.vau(wallet, site, at(1)?, "{}")).map_err(text)?;
    let mut altered =
        serde_json::to_value(walker.device.vau(wallet, site, at(2)?, "{}")).map_err(text)?;
    if let Some(fields) = altered.as_object_mut() {
        fields.insert("payload".into(), "altered".into());
    }
    let name = uuid::Uuid::new_v4().to_string();
    let body = serde_json::json!({
        "batchId": name, "submittedAt": now(), "vaus": [good, altered, {"siteId": 7}],
    });
    let told = taken(client, walker, &body).await?;
    let outcome: Vec<_> = told
        .items
        .iter()
        .map(|item| (item.status, item.code))
        .collect();
    let expected = [
        (BatchItemStatus::Accepted, None),
        (BatchItemStatus::Rejected, Some(Code::VauSignatureInvalid)),
        (BatchItemStatus::Rejected, Some(Code::ValidationFailed)),
    ];
    ensure(outcome == expected, || format!("{outcome:?}"))?;
    Ok((
        (),
        "accepted, vau.signature_invalid, validation.failed".into(),
    ))
}

async fn refused_whole(client: &Client, walker: &Walker) -> Found<()> {
    let answer = send(client, walker, &sealed(walker, SIZE + 1)?).await?;
    problem(&answer, Code::VauBatchSize)?;
    let mut fewer = sealed(walker, 3)?;
    if let Some(vaus) = fewer.get_mut("vaus").and_then(Value::as_array_mut) {
        vaus.pop();
    }
    problem(
        &send(client, walker, &fewer).await?,
        Code::VauSignatureInvalid,
    )?;
    Ok(((), "vau.batch_size, vau.signature_invalid".into()))
}
