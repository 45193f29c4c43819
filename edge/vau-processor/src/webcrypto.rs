//! Ed25519 by the runtime's WebCrypto: native code instead of wasm, inside the CPU budget.

use edge_core::signature::is_forgeable;
use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

const ALGORITHM: &str = "Ed25519";

#[wasm_bindgen]
extern "C" {
    type SubtleCrypto;

    #[wasm_bindgen(thread_local_v2, js_namespace = crypto, js_name = subtle)]
    static SUBTLE: SubtleCrypto;

    #[wasm_bindgen(method, catch, js_name = importKey)]
    fn import_key(
        this: &SubtleCrypto,
        format: &str,
        key: &Uint8Array,
        algorithm: &str,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn verify(
        this: &SubtleCrypto,
        algorithm: &str,
        key: &JsValue,
        signature: &Uint8Array,
        data: &Uint8Array,
    ) -> Result<Promise, JsValue>;
}

/// Whether `signature` over `message` is by the holder of `key`. A key that is none signs nothing.
pub(crate) async fn holds(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    !is_forgeable(key, signature) && verified(key, message, signature).await.unwrap_or(false)
}

async fn verified(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Result<bool, JsValue> {
    let usages = Array::of1(&JsValue::from_str("verify"));
    let imported = SUBTLE.with(|subtle| {
        subtle.import_key(
            "raw",
            &Uint8Array::from(&key[..]),
            ALGORITHM,
            false,
            &usages,
        )
    })?;
    let key = JsFuture::from(imported).await?;
    let verified = SUBTLE.with(|subtle| {
        subtle.verify(
            ALGORITHM,
            &key,
            &Uint8Array::from(&signature[..]),
            &Uint8Array::from(message),
        )
    })?;
    Ok(JsFuture::from(verified).await?.as_bool().unwrap_or(false))
}
