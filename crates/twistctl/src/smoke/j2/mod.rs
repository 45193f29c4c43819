//! J2: a wallet signs in, and what becomes of its session.

mod limit;
mod sessions;

use crate::smoke::check::{Found, ensure, refusal, refused, text};
use crate::smoke::forge;
use crate::smoke::recorder::{Recorder, Step};
use crate::smoke::{StepReport, Tag, Target};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use client::{Client, ExposeSecret as _, Session, Wallet};
use contracts::Code;
use contracts::auth::{NonceResponse, VerifyRequest};
use contracts::token::AccessClaims;
use domain::ed25519;
use reqwest::Method;
use serde_json::json;

pub(crate) async fn walk<W: FnMut(&StepReport)>(target: &Target, recorder: &mut Recorder<W>) {
    let client = &target.client;
    let step = |id, title, tag| Step { id, title, tag };
    let asked = recorder
        .take(
            step("J2.1", "a wallet asks for a nonce", Tag::ProductionSafe),
            nonce(client),
        )
        .await;
    let signed = recorder
        .take_with(
            step(
                "J2.2",
                "its signature becomes an access token of ours",
                Tag::Staging,
            ),
            asked.as_ref(),
            |(wallet, nonce)| verify(client, wallet, nonce),
        )
        .await;
    recorder
        .take_with(
            step(
                "J2.3",
                "the same signature a second time is refused",
                Tag::Staging,
            ),
            signed.as_ref(),
            |(_, body)| async move {
                refusal(client.verify(body).await, Code::AuthNonceUsed)?;
                Ok(((), "400 auth.nonce_used".into()))
            },
        )
        .await;
    recorder
        .take(
            step(
                "J2.4",
                "another wallet's signature is refused",
                Tag::ProductionSafe,
            ),
            wrong_signature(client),
        )
        .await;
    recorder
        .take(
            step(
                "J2.5",
                "a nonce that is not (or no longer) known is refused",
                Tag::ProductionSafe,
            ),
            unknown_nonce(client),
        )
        .await;
    recorder
        .take(
            step(
                "J2.6",
                "an address that asks too often is refused, it alone",
                Tag::LocalOnly,
            ),
            limit::limit(client),
        )
        .await;
    recorder
        .take_with(
            step(
                "J2.7",
                "the api takes this token and no forged one",
                Tag::Staging,
            ),
            signed.as_ref(),
            |(session, _)| tokens(client, session),
        )
        .await;
    sessions::walk(client, recorder).await;
}

async fn nonce(client: &Client) -> Found<(Wallet, NonceResponse)> {
    let wallet = Wallet::generate().map_err(text)?;
    let nonce = client.nonce(wallet.address()).await.map_err(text)?;
    ensure(nonce.message.contains(&nonce.nonce), || {
        "the message does not hold the nonce".into()
    })?;
    ensure(nonce.wallet_address == wallet.address(), || {
        "the answer is for another wallet".into()
    })?;
    let seen = format!("good for {} s", nonce.ttl_seconds);
    Ok(((wallet, nonce), seen))
}

async fn verify(
    client: &Client,
    wallet: &Wallet,
    nonce: &NonceResponse,
) -> Found<(Session, VerifyRequest)> {
    let body = wallet.verify_request(&nonce.message);
    let token = client.verify(&body).await.map_err(text)?;
    let parts = forge::parts(&token.access_token).ok_or("the token is no JWT")?;
    let claims: AccessClaims = forge::decode(parts.claims)
        .and_then(|claims| serde_json::from_value(claims).ok())
        .ok_or("the token's claims cannot be read")?;
    ensure(
        token.token_type == "Bearer" && claims.sub == wallet.address(),
        || "the token is not for this wallet".into(),
    )?;
    let key = public_key(client, parts.header).await?;
    let signature = URL_SAFE_NO_PAD
        .decode(parts.signature)
        .ok()
        .and_then(|bytes| <[u8; 64]>::try_from(bytes).ok())
        .ok_or("the token's signature cannot be read")?;
    let message = format!("{}.{}", parts.header, parts.claims);
    ed25519::verify(&key, message.as_bytes(), &signature)
        .map_err(|_| "the token does not verify with the published key")?;
    let seen = format!("EdDSA, good for {} s", token.expires_in);
    let session = Session::new(wallet.address(), token);
    Ok(((session, body), seen))
}

/// The published key that a token's header names.
async fn public_key(client: &Client, header: &str) -> Result<[u8; 32], String> {
    let header = forge::decode(header).ok_or("the token's header cannot be read")?;
    let kid = header.get("kid").and_then(|kid| kid.as_str());
    let jwks = client.jwks().await.map_err(text)?;
    jwks.keys
        .iter()
        .find(|key| Some(key.kid.as_str()) == kid && key.crv == "Ed25519")
        .and_then(|key| URL_SAFE_NO_PAD.decode(&key.x).ok())
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| "the token's key is not published".into())
}

async fn wrong_signature(client: &Client) -> Found<()> {
    let (wallet, other) = (
        Wallet::generate().map_err(text)?,
        Wallet::generate().map_err(text)?,
    );
    let nonce = client.nonce(wallet.address()).await.map_err(text)?;
    let body = VerifyRequest {
        wallet_address: wallet.address(),
        ..other.verify_request(&nonce.message)
    };
    refusal(client.verify(&body).await, Code::AuthSignatureInvalid)?;
    // The attempt has used the nonce up.
    let honest = wallet.verify_request(&nonce.message);
    refusal(client.verify(&honest).await, Code::AuthNonceUsed)?;
    Ok(((), "401, and the nonce is used up".into()))
}

async fn unknown_nonce(client: &Client) -> Found<()> {
    let wallet = Wallet::generate().map_err(text)?;
    let nonce = client.nonce(wallet.address()).await.map_err(text)?;
    let swapped: String = nonce.nonce.chars().rev().collect();
    let message = nonce.message.replace(&nonce.nonce, &swapped);
    ensure(message != nonce.message, || {
        "the nonce reads the same backwards".into()
    })?;
    let body = wallet.verify_request(&message);
    refusal(client.verify(&body).await, Code::AuthNonceUsed)?;
    Ok(((), "400 auth.nonce_used".into()))
}

async fn tokens(client: &Client, session: &Session) -> Found<()> {
    let me = client.me(session).await.map_err(text)?;
    ensure(me.wallet_address == session.wallet, || {
        "GET /me is about another wallet".into()
    })?;
    let token = session.access_token();
    let token = token.expose_secret();
    let header = forge::parts(token).ok_or("the token is no JWT")?.header;
    let key = public_key(client, header).await?;
    let stranger = Wallet::generate().map_err(text)?.address();
    let forged = [
        forge::altered(token, "exp", json!(1)),
        forge::altered(token, "sub", json!(stranger)),
        forge::unsigned(token),
        forge::hs256(token, &key),
        Some("not.a.token".to_owned()),
    ];
    let count = forged.len();
    for forged in forged {
        let forged = forged.ok_or("the token is no JWT")?;
        let request = client
            .request(Method::GET, &client.endpoints.api, "/me")
            .bearer_auth(forged);
        refused(client, request, Code::AuthTokenInvalid).await?;
    }
    let request = client.request(Method::GET, &client.endpoints.api, "/me");
    refused(client, request, Code::AuthTokenMissing).await?;
    Ok(((), format!("{count} forgeries and no token: 401")))
}
