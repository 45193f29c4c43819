//! J5: what has no business at the edge is stopped there, and a caller that only looks odd can prove itself.

use crate::smoke::check::{Found, ensure, problem, text};
use crate::smoke::recorder::{Recorder, Step};
use crate::smoke::traveller::{Walker, as_a_stranger, register};
use crate::smoke::{StepReport, Tag, Target};
use client::{Answer, Client, now};
use contracts::Code;
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};

const PATH: &str = "/api/v1/vau";
const PROOF: &str = "x-challenge-proof";
/// A proof that needs more tries than this is harder than any environment asks for.
const MOST_TRIES: u64 = 1 << 28;

pub(crate) async fn walk<W: FnMut(&StepReport)>(target: &Target, recorder: &mut Recorder<W>) {
    let client = &as_a_stranger(target);
    let step = |id, title| Step {
        id,
        title,
        tag: Tag::Staging,
    };
    let walker = recorder
        .take(step("J5.1", "a device is registered"), register(client))
        .await;
    recorder
        .take(
            step(
                "J5.2",
                "probes for injection, scripts and files are blocked",
            ),
            probes(client),
        )
        .await;
    recorder
        .take_with(
            step(
                "J5.3",
                "a scanner is challenged, and let through once it has solved the task",
            ),
            walker.as_ref(),
            |walker| challenged(client, walker),
        )
        .await;
    recorder
        .take(
            step("J5.4", "a body of more than 1 MiB is refused"),
            oversized(client),
        )
        .await;
}

async fn probes(client: &Client) -> Found<()> {
    let probes = [
        "/api/v1/vau/status/0?q=1%27%20OR%20%271%27%3D%271",
        "/api/v1/vau/status/0?q=1%20UNION%20SELECT%20password%20FROM%20users",
        "/api/v1/vau/status/0?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/api/v1/vau/status/0?file=..%2F..%2F..%2Fetc%2Fpasswd",
        "/api/v1/vau/status/0?host=x%3Bcat%20%2Fetc%2Fpasswd",
        "/api/v1/vau/status/0?user%5B%24ne%5D=1",
    ];
    for probe in probes {
        let request = client.request(Method::GET, &client.endpoints.edge, probe);
        let answer = client.send(request).await.map_err(text)?;
        problem(&answer, Code::FirewallBlocked).map_err(|why| format!("{probe}: {why}"))?;
    }
    Ok(((), format!("{} of {} blocked", probes.len(), probes.len())))
}

async fn challenged(client: &Client, walker: &Walker) -> Found<()> {
    let send = async |proof: Option<&str>| -> Result<Answer, String> {
        let vau = walker
            .device
            .vau(walker.session.wallet, &walker.site, now(), "{}");
        let mut request = client
            .request(Method::POST, &client.endpoints.edge, PATH)
            .header("user-agent", "sqlmap/1.8");
        if let Some(proof) = proof {
            request = request.header(PROOF, proof);
        }
        let request = walker.session.sign(request).json(&vau);
        client.send(request).await.map_err(text)
    };
    let asked = problem(&send(None).await?, Code::ChallengeRequired)?;
    let task = asked.data.unwrap_or_default();
    let kind = task.get("kind").and_then(Value::as_str).unwrap_or_default();
    ensure(kind == "proof-of-work", || {
        format!("the task is {kind:?}, which only a browser can do")
    })?;
    let proof = solve(&task)?;
    let through = send(Some(&proof)).await?;
    ensure(through.status == 200, || {
        format!(
            "got {} {}",
            through.status,
            String::from_utf8_lossy(&through.body)
        )
    })?;
    problem(&send(Some(&proof)).await?, Code::ChallengeInvalid)?;
    Ok((
        (),
        "challenge.required, 200, then challenge.invalid for the same proof".into(),
    ))
}

/// Tries answers until the proof's hash begins with enough zero bits.
fn solve(task: &Value) -> Result<String, String> {
    let challenge = task.get("challenge").and_then(Value::as_str);
    let challenge = challenge.ok_or("no challenge is given")?;
    let wanted = task
        .get("difficulty")
        .and_then(Value::as_u64)
        .ok_or("no difficulty is given")?;
    (0..MOST_TRIES)
        .map(|n| format!("{challenge}.{n}"))
        .find(|proof| u64::from(zero_bits(proof)) >= wanted)
        .ok_or_else(|| format!("no answer found for {wanted} bits"))
}

fn zero_bits(text: &str) -> u32 {
    let digest = Sha256::digest(text);
    let whole = digest.iter().take_while(|byte| **byte == 0).count();
    let next = digest.get(whole).map_or(0, |byte| byte.leading_zeros());
    u32::try_from(whole * 8).unwrap_or(u32::MAX) + next
}

async fn oversized(client: &Client) -> Found<()> {
    let request = client
        .request(Method::POST, &client.endpoints.edge, PATH)
        .header("content-type", "application/json")
        .header("connection", "close")
        .body(vec![b' '; (1 << 20) + 1]);
    let answer = client.send(request).await.map_err(text)?;
    problem(&answer, Code::RequestTooLarge)?;
    Ok(((), "request.too_large".into()))
}
