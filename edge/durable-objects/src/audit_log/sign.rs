//! Ed25519 signatures by the runtime's WebCrypto.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

const ALGORITHM: &str = "Ed25519";

#[wasm_bindgen]
extern "C" {
    type SigningCrypto;

    #[wasm_bindgen(thread_local_v2, js_namespace = crypto, js_name = subtle)]
    static SIGNING: SigningCrypto;

    #[wasm_bindgen(method, catch, js_name = importKey)]
    fn import_key(
        this: &SigningCrypto,
        format: &str,
        key: &Uint8Array,
        algorithm: &str,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn sign(
        this: &SigningCrypto,
        algorithm: &str,
        key: &JsValue,
        data: &Uint8Array,
    ) -> Result<Promise, JsValue>;
}

/// The signature of the holder of `pkcs8` over `message`.
pub(crate) async fn sign(pkcs8: &[u8], message: &[u8]) -> worker::Result<Vec<u8>> {
    let usages = Array::of1(&JsValue::from_str("sign"));
    let imported = SIGNING.with(|subtle| {
        subtle.import_key("pkcs8", &Uint8Array::from(pkcs8), ALGORITHM, false, &usages)
    })?;
    let key = JsFuture::from(imported).await?;
    let signed = SIGNING.with(|subtle| subtle.sign(ALGORITHM, &key, &Uint8Array::from(message)))?;
    Ok(Uint8Array::new(&JsFuture::from(signed).await?).to_vec())
}
