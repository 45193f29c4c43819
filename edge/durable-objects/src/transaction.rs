//! All or nothing: the runtime's synchronous transaction, which the worker crate does not offer.

use crate::store::StoreError;
use wasm_bindgen::prelude::*;
use worker::State;

#[wasm_bindgen]
extern "C" {
    type SyncStorage;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &SyncStorage,
        run: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;
}

/// Runs `work` in a transaction: when it fails, nothing it wrote remains. There is no await inside, so no
/// other call of the object comes between.
pub(crate) fn atomically<T>(
    state: &State,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let storage = state.storage();
    let raw: &JsValue = storage.as_raw().as_ref();
    let mut work = Some(work);
    let mut result = None;
    let committed = raw
        .unchecked_ref::<SyncStorage>()
        .transaction_sync(&mut || {
            let done = work.take().map(|work| work());
            let failed = !matches!(done, Some(Ok(_)));
            result = done;
            // Throwing is how the runtime is told to roll back.
            if failed {
                Err(JsValue::NULL)
            } else {
                Ok(JsValue::NULL)
            }
        });
    match (committed, result) {
        (Ok(_), Some(done)) | (Err(_), Some(done @ Err(_))) => done,
        (Err(error), _) => Err(StoreError::Sql(format!("transaction: {error:?}"))),
        (Ok(_), None) => Err(StoreError::Sql("transaction: not run".to_owned())),
    }
}
