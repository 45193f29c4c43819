//! J3: one VAU, from a device's signature to the ledger.

use crate::smoke::check::{Found, ensure, eventually, problem, refused, text};
use crate::smoke::recorder::{Recorder, Step};
use crate::smoke::target::Local;
use crate::smoke::traveller::{Walker, as_a_stranger, own_address, register};
use crate::smoke::{StepReport, Tag, Target};
use client::{Client, Wallet, now};
use contracts::vau::{VauAccepted, VauSubmission};
use contracts::{Code, Success};
use domain::http_hmac::{KEY_ID_HEADER, SIGNATURE_HEADER, SignedRequest, TIMESTAMP_HEADER};
use domain::{Amount, EpochMs};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/api/v1/vau";
const PATIENCE: Duration = Duration::from_secs(30);

/// What was accepted first.
struct First {
    vau: VauSubmission,
    accepted: VauAccepted,
}

pub(crate) async fn walk<W: FnMut(&StepReport)>(target: &Target, recorder: &mut Recorder<W>) {
    let client = &as_a_stranger(target);
    let step = |id, title, tag| Step { id, title, tag };
    let walker = recorder
        .take(
            step(
                "J3.1",
                "a device proves its key and is registered",
                Tag::Staging,
            ),
            register(client),
        )
        .await;
    let walker = walker.as_ref();
    let first = recorder
        .take_with(
            step(
                "J3.2",
                "a signed VAU is accepted and says what it earns",
                Tag::Staging,
            ),
            walker,
            |walker| submit(client, walker, target.local.as_ref()),
        )
        .await;
    let both = walker.zip(first.as_ref());
    recorder
        .take_with(
            step("J3.3", "it arrives as one reward", Tag::Staging),
            both,
            |(walker, first)| one_reward(client, walker, first),
        )
        .await;
    recorder
        .take_with(
            step(
                "J3.4",
                "the ledger's balance is what it earned",
                Tag::Staging,
            ),
            both,
            |(walker, first)| balance_is(client, walker, first.accepted.earned),
        )
        .await;
    recorder
        .take_with(
            step(
                "J3.5",
                "the same VAU again is refused and changes nothing",
                Tag::Staging,
            ),
            both,
            |(walker, first)| duplicate(client, walker, first),
        )
        .await;
    recorder
        .take_with(
            step(
                "J3.6",
                "a changed field under the old signature is refused",
                Tag::Staging,
            ),
            walker,
            |walker| altered(client, walker),
        )
        .await;
    recorder
        .take_with(
            step(
                "J3.7",
                "a stale, future or missing timestamp is refused",
                Tag::Staging,
            ),
            walker,
            |walker| timestamps(client, walker),
        )
        .await;
    strangers(target, client, walker, recorder).await;
}

/// The steps that are about callers, not about VAUs.
async fn strangers<W: FnMut(&StepReport)>(
    target: &Target,
    client: &Client,
    walker: Option<&Walker>,
    recorder: &mut Recorder<W>,
) {
    let step = |id, title, tag| Step { id, title, tag };
    recorder
        .take_with(
            step(
                "J3.8",
                "no token, a wrong HMAC or half an HMAC is refused",
                Tag::Staging,
            ),
            walker,
            |walker| credentials(client, walker),
        )
        .await;
    recorder
        .take_with(
            step(
                "J3.9",
                "one request too many in a minute has to wait",
                Tag::LocalOnly,
            ),
            walker,
            |walker| limit(client, walker),
        )
        .await;
    recorder
        .take_with(
            step(
                "J3.10",
                "the hour counts a VAU once, and what it promised",
                Tag::LocalOnly,
            ),
            walker.zip(target.local.as_ref()),
            |(walker, local)| hour(client, walker, local),
        )
        .await;
}

impl Walker {
    fn vau(&self, timestamp: EpochMs) -> VauSubmission {
        self.device.vau(
            self.session.wallet,
            &self.site,
            timestamp,
            "{\"smoke\":true}",
        )
    }

    /// The request as a client of ours sends it.
    fn request(&self, client: &Client, body: &Value) -> RequestBuilder {
        let request = client.request(Method::POST, &client.endpoints.edge, PATH);
        self.session.sign(request).json(body)
    }
}

fn value(vau: &VauSubmission) -> Result<Value, String> {
    serde_json::to_value(vau).map_err(text)
}

async fn submit(client: &Client, walker: &Walker, local: Option<&Local>) -> Found<First> {
    let vau = walker.vau(now());
    let body = serde_json::to_vec(&vau).map_err(text)?;
    let request = client.request(Method::POST, &client.endpoints.edge, PATH);
    let mut request = walker
        .session
        .sign(request)
        .header("content-type", "application/json");
    if let Some(local) = local {
        let (key_id, secret) = &local.integrator;
        let timestamp = now();
        let signed = SignedRequest {
            method: "POST",
            path: PATH,
            timestamp,
            body: &body,
        };
        request = request
            .header(KEY_ID_HEADER, key_id)
            .header(TIMESTAMP_HEADER, timestamp.to_string())
            .header(SIGNATURE_HEADER, signed.sign(secret.as_bytes()));
    }
    let answer = client.send(request.body(body)).await.map_err(text)?;
    let accepted = answer.success::<Success<VauAccepted>>().map_err(text)?.data;
    ensure(accepted.vau_id == vau.signed_fields().id(), || {
        "the answer names another VAU".into()
    })?;
    let seen = format!(
        "{} at trust {}",
        accepted.earned.to_twist_string(),
        accepted.trust_score
    );
    Ok((First { vau, accepted }, seen))
}

async fn one_reward(client: &Client, walker: &Walker, first: &First) -> Found<()> {
    let reward = eventually("the reward", PATIENCE, || async {
        let page = client.rewards(&walker.session, 50, None).await?;
        let mut of_this = page
            .rewards
            .into_iter()
            .filter(|reward| reward.vau_id == first.accepted.vau_id);
        Ok(of_this.next().map(|reward| (reward, of_this.count())))
    })
    .await?;
    let (reward, others) = reward;
    ensure(others == 0, || format!("it is there {} times", others + 1))?;
    ensure(reward.earned == first.accepted.earned, || {
        format!("it is {}, not what was promised", reward.earned)
    })?;
    let transaction = reward
        .transaction_id
        .map_or_else(|| "none".to_owned(), |id| id.to_string());
    Ok(((), format!("transaction {transaction}")))
}

async fn balance_is(client: &Client, walker: &Walker, expected: Amount) -> Found<()> {
    let balance = client.balance(&walker.session).await.map_err(text)?;
    ensure(balance.available == expected, || {
        format!("it is {}, expected {expected}", balance.available)
    })?;
    Ok(((), balance.available.to_twist_string()))
}

async fn duplicate(client: &Client, walker: &Walker, first: &First) -> Found<()> {
    let request = walker.request(client, &value(&first.vau)?);
    let refusal = refused(client, request, Code::VauDuplicate).await?;
    let repeated = refusal
        .data
        .and_then(|data| serde_json::from_value::<VauAccepted>(data).ok());
    ensure(repeated.as_ref() == Some(&first.accepted), || {
        "the refusal does not carry the first answer".into()
    })?;
    // A later VAU takes the same way: once it has arrived, a copy of the first would have too.
    let marker = client
        .submit(&walker.session, &walker.vau(now()))
        .await
        .map_err(text)?;
    let total = first
        .accepted
        .earned
        .checked_add(marker.earned)
        .map_err(text)?;
    eventually("the next reward", PATIENCE, || async {
        let page = client.rewards(&walker.session, 50, None).await?;
        let arrived = page.rewards.iter().any(|r| r.vau_id == marker.vau_id);
        Ok(arrived.then_some(()))
    })
    .await?;
    balance_is(client, walker, total).await?;
    Ok(((), "400 vau.duplicate with the first answer".into()))
}

async fn altered(client: &Client, walker: &Walker) -> Found<()> {
    let good = value(&walker.vau(now()))?;
    let at = now().get() + 1;
    let changes = [
        ("timestamp", json!(at)),
        ("payload", json!("{\"smoke\":false}")),
        ("siteId", json!("another-site")),
    ];
    for (field, new) in changes {
        let mut body = good.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.insert(field.to_owned(), new);
        }
        refused(
            client,
            walker.request(client, &body),
            Code::VauSignatureInvalid,
        )
        .await
        .map_err(|why| format!("{field}: {why}"))?;
    }
    let stranger = Wallet::generate().map_err(text)?.address();
    let mut body = good;
    if let Some(fields) = body.as_object_mut() {
        fields.insert("userId".to_owned(), json!(stranger));
    }
    let request = walker.request(client, &body);
    refused(client, request, Code::VauSignatureInvalid)
        .await
        .map_err(|why| format!("userId: {why}"))?;
    Ok(((), "400 for timestamp, payload, siteId, userId".into()))
}

async fn timestamps(client: &Client, walker: &Walker) -> Found<()> {
    let at = |ms: u64| EpochMs::new(ms).map_err(text);
    let stale = walker.vau(at(now().get().saturating_sub(60_000))?);
    let future = walker.vau(at(now().get() + 60_000)?);
    for (vau, code) in [(&stale, Code::VauStale), (&future, Code::VauFuture)] {
        refused(client, walker.request(client, &value(vau)?), code).await?;
    }
    let mut missing = value(&walker.vau(now()))?;
    if let Some(fields) = missing.as_object_mut() {
        fields.remove("timestamp");
    }
    refused(
        client,
        walker.request(client, &missing),
        Code::ValidationFailed,
    )
    .await?;
    Ok(((), "vau.stale, vau.future, validation.failed".into()))
}

async fn credentials(client: &Client, walker: &Walker) -> Found<()> {
    let body = value(&walker.vau(now()))?;
    // An answer that came before the body was read ends the connection; nobody else may be using it.
    let bare = client
        .request(Method::POST, &client.endpoints.edge, PATH)
        .header("connection", "close")
        .json(&body);
    refused(client, bare, Code::AuthTokenMissing).await?;
    let wrong = walker
        .request(client, &body)
        .header(KEY_ID_HEADER, "nobody")
        .header(TIMESTAMP_HEADER, now().to_string())
        .header(SIGNATURE_HEADER, "0".repeat(64));
    refused(client, wrong, Code::AuthHmacInvalid).await?;
    let half = walker
        .request(client, &body)
        .header(SIGNATURE_HEADER, "0".repeat(64));
    refused(client, half, Code::AuthHmacInvalid).await?;
    Ok(((), "401, 401, 401".into()))
}

/// Sends under an address of its own, so that the minute of nobody else is used up.
async fn limit(client: &Client, walker: &Walker) -> Found<()> {
    let body = json!({});
    let client = &client.clone().seen_from(own_address());
    let mut allowed = 0u32;
    let mut most = 300;
    loop {
        let answer = client
            .send(walker.request(client, &body))
            .await
            .map_err(text)?;
        if answer.status == 429 {
            problem(&answer, Code::RateLimited)?;
            let wait = answer
                .header("retry-after")
                .and_then(|seconds| seconds.parse::<u64>().ok());
            let wait = wait.ok_or("the refusal carries no Retry-After")?;
            ensure((1..=60).contains(&wait), || {
                format!("Retry-After is {wait}")
            })?;
            return Ok(((), format!("429 after {allowed} requests, wait {wait} s")));
        }
        allowed += 1;
        if let Some(limit) = answer
            .header("x-ratelimit-limit")
            .and_then(|limit| limit.parse::<u32>().ok())
        {
            // A minute may end in between, which gives another one.
            most = limit.saturating_mul(2);
        }
        ensure(allowed <= most, || {
            format!("{allowed} requests went through")
        })?;
    }
}

/// Others may be counted in the same hour; what one VAU adds is one VAU and its reward.
async fn hour(client: &Client, walker: &Walker, local: &Local) -> Found<()> {
    let read = async || {
        let request = client
            .request(Method::GET, &client.endpoints.edge, "/api/v1/vau/hours")
            .bearer_auth(&local.operator_token);
        let answer = client.send(request).await.map_err(text)?;
        let hours = answer.success::<Success<Vec<Value>>>().map_err(text)?.data;
        let sum = |field: &str| -> u64 {
            let figure = |hour: &Value| match &hour[field] {
                Value::String(digits) => digits.parse().unwrap_or(0),
                other => other.as_u64().unwrap_or(0),
            };
            hours.iter().map(figure).sum()
        };
        Ok::<_, String>((sum("count"), sum("totalEarned")))
    };
    let before = read().await?;
    let vau = walker.vau(now());
    let accepted = client.submit(&walker.session, &vau).await.map_err(text)?;
    let again = walker.request(client, &value(&vau)?);
    refused(client, again, Code::VauDuplicate).await?;
    let after = read().await?;
    let expected = (before.0 + 1, before.1 + accepted.earned.units());
    ensure(after == expected, || {
        format!("{after:?} after {before:?}, expected {expected:?}")
    })?;
    Ok(((), format!("{} VAUs, {} base units", after.0, after.1)))
}
