//! Signatures of authenticators, by the runtime's WebCrypto.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge_core::attestation::CoseKey;
use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    type KeyCrypto;

    #[wasm_bindgen(thread_local_v2, js_namespace = crypto, js_name = subtle)]
    static SUBTLE: KeyCrypto;

    #[wasm_bindgen(method, catch, js_name = importKey)]
    fn import_key(
        this: &KeyCrypto,
        format: &str,
        key: &JsValue,
        algorithm: &JsValue,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn verify(
        this: &KeyCrypto,
        algorithm: &JsValue,
        key: &JsValue,
        signature: &Uint8Array,
        data: &Uint8Array,
    ) -> Result<Promise, JsValue>;
}

/// Whether `signature` over `message` is by the holder of `key`. A key that is none signs nothing.
pub(crate) async fn holds(key: &CoseKey, message: &[u8], signature: &[u8]) -> bool {
    verified(key, message, signature).await.unwrap_or(false)
}

async fn verified(key: &CoseKey, message: &[u8], signature: &[u8]) -> Result<bool, JsValue> {
    let Parameters {
        format,
        key,
        import,
        verify,
    } = Parameters::of(key)?;
    let usages = Array::of1(&JsValue::from_str("verify"));
    let imported =
        SUBTLE.with(|subtle| subtle.import_key(format, &key, &import, false, &usages))?;
    let key = JsFuture::from(imported).await?;
    let verified = SUBTLE.with(|subtle| {
        subtle.verify(
            &verify,
            &key,
            &Uint8Array::from(signature),
            &Uint8Array::from(message),
        )
    })?;
    Ok(JsFuture::from(verified).await?.as_bool().unwrap_or(false))
}

/// How WebCrypto names a key.
struct Parameters {
    format: &'static str,
    key: JsValue,
    import: JsValue,
    verify: JsValue,
}

impl Parameters {
    fn of(key: &CoseKey) -> Result<Self, JsValue> {
        Ok(match key {
            CoseKey::Es256 { x, y } => {
                // An uncompressed point.
                let point = [&[4][..], x, y].concat();
                Self {
                    format: "raw",
                    key: Uint8Array::from(&point[..]).into(),
                    import: object(&[("name", "ECDSA"), ("namedCurve", "P-256")])?,
                    verify: object(&[("name", "ECDSA"), ("hash", "SHA-256")])?,
                }
            }
            CoseKey::EdDsa { x } => Self {
                format: "raw",
                key: Uint8Array::from(&x[..]).into(),
                import: JsValue::from_str("Ed25519"),
                verify: JsValue::from_str("Ed25519"),
            },
            CoseKey::Rs256 { n } => {
                let n = URL_SAFE_NO_PAD.encode(n);
                let algorithm = object(&[("name", "RSASSA-PKCS1-v1_5"), ("hash", "SHA-256")])?;
                Self {
                    format: "jwk",
                    // "AQAB" is 65,537.
                    key: object(&[("kty", "RSA"), ("alg", "RS256"), ("e", "AQAB"), ("n", &n)])?,
                    import: algorithm.clone(),
                    verify: algorithm,
                }
            }
        })
    }
}

fn object(members: &[(&str, &str)]) -> Result<JsValue, JsValue> {
    let object = Object::new();
    for (name, value) in members {
        Reflect::set(&object, &JsValue::from_str(name), &JsValue::from_str(value))?;
    }
    Ok(object.into())
}
