//! Access tokens that this service never issued, or not for here: every one is refused.

use crate::world::{ISSUER, Service, Wallet, World, code};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

/// A good token in parts, and the key that signed it, as nobody outside can have it.
struct Mint {
    key: SigningKey,
    header: Value,
    claims: Value,
    token: String,
}

impl Mint {
    async fn of(world: &World) -> Self {
        let token = world.service.sign_in(&Wallet::new(1)).await.access_token;
        let part = |at: usize| -> Value {
            let text = token.split('.').nth(at).unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
        };
        let (header, claims) = (part(0), part(1));
        let kid = header["kid"].as_str().unwrap();
        let sql = "SELECT encode(sealed_private_key, 'hex') FROM signing_keys WHERE kid = ";
        let sealed = hex::decode(world.text(&format!("{sql}'{kid}'")).await).unwrap();
        let nonce: [u8; 24] = sealed[..24].try_into().unwrap();
        let payload = Payload {
            msg: &sealed[24..],
            aad: kid.as_bytes(),
        };
        let seed = XChaCha20Poly1305::new(&[0xab; 32].into())
            .decrypt(&XNonce::from(nonce), payload)
            .unwrap();
        Self {
            key: SigningKey::from_bytes(&seed.try_into().unwrap()),
            header,
            claims,
            token,
        }
    }

    fn unsigned(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", part(header), part(claims))
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        Self::sign_with(&self.key, &Self::unsigned(header, claims))
    }

    fn sign_with(key: &SigningKey, unsigned: &str) -> String {
        let signature = key.sign(unsigned.as_bytes()).to_bytes();
        format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = self.header.clone();
        header[name] = value;
        self.sign(&header, &self.claims)
    }

    fn with_claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value;
        self.sign(&self.header, &claims)
    }
}

async fn status(service: &Service, token: &str) -> u16 {
    let response = service.call(Method::GET, "/auth/sessions", token).await;
    response.status().as_u16()
}

async fn assert_refused(service: &Service, what: &str, token: &str, expected: &str) {
    let response = service.call(Method::GET, "/auth/sessions", token).await;
    assert_eq!(response.status(), 401, "{what}");
    assert!(
        response.headers().contains_key("www-authenticate"),
        "{what}"
    );
    assert_eq!(code(response).await, expected, "{what}");
}

#[tokio::test]
async fn f53_no_other_algorithm_or_key_is_believed() {
    let world = World::start().await;
    let mint = Mint::of(&world).await;
    // So that what follows is refused for what it says.
    let same = mint.sign(&mint.header, &mint.claims);
    assert_eq!(status(&world.service, &same).await, 200);

    let public = mint.key.verifying_key().to_bytes();
    let hs256 = |secret: &[u8]| {
        let mut header = mint.header.clone();
        header["alg"] = json!("HS256");
        let unsigned = Mint::unsigned(&header, &mint.claims);
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(unsigned.as_bytes());
        let mac = mac.finalize().into_bytes();
        format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(mac))
    };
    let none = |alg: &str| {
        let mut header = mint.header.clone();
        header["alg"] = json!(alg);
        Mint::unsigned(&header, &mint.claims) + "."
    };
    let other = SigningKey::from_bytes(&[77; 32]);
    let unsigned = Mint::unsigned(&mint.header, &mint.claims);
    let own =
        json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(other.verifying_key())});
    let own_key = |name: &str, value: Value| {
        let mut header = mint.header.clone();
        header[name] = value;
        Mint::sign_with(&other, &Mint::unsigned(&header, &mint.claims))
    };
    let parts: Vec<&str> = mint.token.split('.').collect();
    let mut second_form = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    add_group_order(&mut second_form[32..]);
    let cases = [
        ("alg none", none("none")),
        ("alg None", none("None")),
        ("alg none, with the signature", none("none") + parts[2]),
        ("HS256 of the public key", hs256(&public)),
        (
            "HS256 of its text",
            hs256(URL_SAFE_NO_PAD.encode(public).as_bytes()),
        ),
        ("ES256", mint.with_header("alg", json!("ES256"))),
        ("RS256", mint.with_header("alg", json!("RS256"))),
        (
            "EdDSA in small letters",
            mint.with_header("alg", json!("eddsa")),
        ),
        ("alg a list", mint.with_header("alg", json!(["EdDSA"]))),
        (
            "another key under our name",
            Mint::sign_with(&other, &unsigned),
        ),
        ("its own jwk", own_key("jwk", own.clone())),
        (
            "its own jku",
            own_key("jku", json!("http://127.0.0.1:1/jwks.json")),
        ),
        ("its own x5u", own_key("x5u", json!("http://127.0.0.1:1/x"))),
        ("its own x5c", own_key("x5c", json!(["MA=="]))),
        (
            "a jwk beside a good signature",
            mint.with_header("jwk", own),
        ),
        ("crit", mint.with_header("crit", json!(["exp"]))),
        ("typ JWT", mint.with_header("typ", json!("JWT"))),
        ("typ left out", mint.with_header("typ", Value::Null)),
        ("no signature", unsigned.clone() + "."),
        ("no third part", unsigned.clone()),
        ("a fourth part", mint.token.clone() + ".AAAA"),
        (
            "a short signature",
            format!("{unsigned}.{}", &parts[2][..80]),
        ),
        (
            "a signature in a second form",
            format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(second_form)),
        ),
        ("padding", mint.token.clone() + "=="),
        ("nothing", ".".repeat(2)),
        ("not base64", "a.b.c!".to_owned()),
        ("too long", mint.token.clone() + &"A".repeat(4_096)),
    ];
    for (what, token) in &cases {
        assert_refused(&world.service, what, token, "auth.token_invalid").await;
    }
}

#[tokio::test]
async fn f53_a_key_name_is_only_a_name() {
    let world = World::start().await;
    let mint = Mint::of(&world).await;
    let before = world
        .text("SELECT string_agg(kid || state, ',') FROM signing_keys")
        .await;
    for kid in [
        "",
        "unknown",
        "../../../../etc/passwd",
        "/dev/null",
        "' OR '1'='1",
        "x'; UPDATE signing_keys SET state = 'retired'; --",
        "%00",
        "http://127.0.0.1:1/",
        &"k".repeat(65),
        &"k".repeat(3_000),
    ] {
        let token = mint.with_header("kid", json!(kid));
        assert_refused(&world.service, kid, &token, "auth.token_invalid").await;
    }
    for kid in [
        Value::Null,
        json!(1),
        json!([mint.header["kid"]]),
        json!({}),
    ] {
        let token = mint.with_header("kid", kid.clone());
        assert_refused(
            &world.service,
            &kid.to_string(),
            &token,
            "auth.token_invalid",
        )
        .await;
    }
    let after = world
        .text("SELECT string_agg(kid || state, ',') FROM signing_keys")
        .await;
    assert_eq!(before, after);
    assert_eq!(status(&world.service, &mint.token).await, 200);
}

#[tokio::test]
async fn f53_every_claim_has_to_be_there_and_right() {
    let world = World::start().await;
    let mint = Mint::of(&world).await;
    let required = [
        "iss",
        "aud",
        "sub",
        "walletAddress",
        "uid",
        "sid",
        "jti",
        "iat",
        "nbf",
        "exp",
        "ver",
    ];
    for name in required {
        let mut claims = mint.claims.clone();
        claims.as_object_mut().unwrap().remove(name).unwrap();
        let token = mint.sign(&mint.header, &claims);
        let what = format!("{name} left out");
        assert_refused(&world.service, &what, &token, "auth.token_invalid").await;
        let token = mint.with_claim(name, Value::Null);
        let what = format!("{name} null");
        assert_refused(&world.service, &what, &token, "auth.token_invalid").await;
    }
    let number = |name: &str| mint.claims[name].as_u64().unwrap();
    let (iat, exp) = (number("iat"), number("exp"));
    let other = Wallet::new(9).address();
    let cases = [
        ("exp", json!(exp.to_string())),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("exp", json!([exp])),
        ("exp", json!(iat - 1)),
        ("nbf", json!(iat + 3_600)),
        ("iat", json!(iat + 3_600)),
        ("aud", json!(["twist-api"])),
        ("aud", json!("twist-edge")),
        ("aud", json!("twist-api ")),
        ("iss", json!(format!("{ISSUER}/"))),
        ("iss", json!("https://evil.example")),
        ("iss", json!([ISSUER])),
        ("sub", json!(other)),
        ("walletAddress", json!(other)),
        ("sub", json!("not a wallet")),
        ("uid", json!("1 OR 1=1")),
        ("sid", json!("nonsense")),
        ("ver", json!(2)),
        ("ver", json!("1")),
    ];
    for (name, value) in cases {
        let token = mint.with_claim(name, value.clone());
        let what = format!("{name} {value}");
        assert_refused(&world.service, &what, &token, "auth.token_invalid").await;
    }
    let mut old = mint.claims.clone();
    for (name, back) in [("iat", 4_000), ("nbf", 4_000), ("exp", 4_000)] {
        old[name] = json!(number(name) - back);
    }
    let old = mint.sign(&mint.header, &old);
    assert_refused(&world.service, "old", &old, "auth.token_expired").await;
    // Another's claims under a signature that was good for one's own.
    let parts: Vec<&str> = mint.token.split('.').collect();
    let mut claims = mint.claims.clone();
    claims["uid"] = json!(uuid::Uuid::nil());
    let swapped = Mint::unsigned(&mint.header, &claims) + "." + parts[2];
    assert_refused(&world.service, "swapped", &swapped, "auth.token_invalid").await;
    // What is only a hint may be anything of its kind, and gives nothing.
    let admin = mint.with_claim("roles", json!(["admin", "operator"]));
    let path = format!(
        "/admin/users/{}/logout",
        mint.claims["uid"].as_str().unwrap()
    );
    let refused = world.service.call(Method::POST, &path, &admin).await;
    assert_eq!(code(refused).await, "permission.denied");
}

#[tokio::test]
async fn f54_a_token_of_another_environment_is_not_believed() {
    let production = World::start().await;
    let staging =
        World::start_with(|config| config.issuer = "https://auth.staging.example".into()).await;
    let wallet = Wallet::new(1);
    let token = staging.service.sign_in(&wallet).await;
    assert_eq!(status(&staging.service, &token.access_token).await, 200);
    assert_refused(
        &production.service,
        "staging",
        &token.access_token,
        "auth.token_invalid",
    )
    .await;
    let refused = production.service.refresh(&token.refresh_token).await;
    assert_eq!(code(refused).await, "auth.refresh_invalid");
    // Even with production's own key.
    let mint = Mint::of(&production).await;
    let named = mint.with_claim("iss", json!("https://auth.staging.example"));
    assert_refused(&production.service, "iss", &named, "auth.token_invalid").await;
}

fn add_group_order(s: &mut [u8]) {
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0u16;
    for (byte, l) in s.iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(l) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
}
