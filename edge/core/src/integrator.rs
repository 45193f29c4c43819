//! The optional HMAC of integrators, beside the Bearer token and the device signature.

use crate::Refusal;
use crate::settings::Secret;
use contracts::Code;
use domain::EpochMs;
use domain::http_hmac::{HmacError, SignedRequest};
use std::collections::BTreeMap;

/// The three headers. When one is there, all must be, and hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct HmacHeaders<'a> {
    /// `X-Key-Id`.
    pub key_id: Option<&'a str>,
    /// `X-Timestamp`, epoch ms.
    pub timestamp: Option<&'a str>,
    /// `X-HMAC-Signature`, hex.
    pub signature: Option<&'a str>,
}

/// Checks the headers of a request; `Ok` when there are none or they hold.
pub fn check(
    headers: HmacHeaders<'_>,
    keys: &BTreeMap<String, Secret>,
    method: &str,
    path: &str,
    body: &[u8],
    now: EpochMs,
) -> Result<(), Refusal> {
    let (key_id, timestamp, signature) =
        match (headers.key_id, headers.timestamp, headers.signature) {
            (None, None, None) => return Ok(()),
            (Some(key_id), Some(timestamp), Some(signature)) => (key_id, timestamp, signature),
            _ => {
                return Err(refused(
                    "Send X-Key-Id, X-Timestamp and X-HMAC-Signature together or none of them.",
                ));
            }
        };
    let invalid = || refused("The HMAC does not match method, path, X-Timestamp and body.");
    let timestamp = timestamp
        .parse::<u64>()
        .ok()
        .and_then(|ms| EpochMs::new(ms).ok())
        // One text for one time: what is signed is the number, not the header.
        .filter(|ms| ms.to_string() == timestamp)
        .ok_or_else(invalid)?;
    let secret = keys.get(key_id).ok_or_else(invalid)?;
    let request = SignedRequest {
        method,
        path,
        timestamp,
        body,
    };
    match request.verify(secret.bytes(), signature, now) {
        Ok(()) => Ok(()),
        Err(HmacError::Invalid) => Err(invalid()),
        Err(HmacError::Window) => Err(refused(
            "X-Timestamp is more than five minutes from our clock.",
        )),
    }
}

const fn refused(detail: &'static str) -> Refusal {
    Refusal::new(Code::AuthHmacInvalid, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_767_225_600_000;

    fn result(change: impl FnOnce(&mut [Option<String>; 3])) -> Result<(), Code> {
        let keys = [("new", "secret-2"), ("old", "secret-1")]
            .map(|(id, secret)| (id.to_owned(), Secret::new(secret)));
        let signature = SignedRequest {
            method: "POST",
            path: "/api/v1/vau",
            timestamp: EpochMs::new(NOW).unwrap(),
            body: b"{}",
        }
        .sign(b"secret-1");
        let mut headers = [
            Some("old".to_owned()),
            Some(NOW.to_string()),
            Some(signature),
        ];
        change(&mut headers);
        let [key_id, timestamp, signature] = &headers;
        check(
            HmacHeaders {
                key_id: key_id.as_deref(),
                timestamp: timestamp.as_deref(),
                signature: signature.as_deref(),
            },
            &keys.into(),
            "POST",
            "/api/v1/vau",
            b"{}",
            EpochMs::new(NOW + 1_000).unwrap(),
        )
        .map_err(|r| r.code)
    }

    #[test]
    fn either_of_two_active_keys_signs() {
        assert_eq!(result(|_| {}), Ok(()));
        assert_eq!(
            result(|h| h[0] = Some("new".into())),
            Err(Code::AuthHmacInvalid)
        );
    }

    #[test]
    fn leaving_one_header_out_does_not_switch_the_check_off() {
        for missing in 0..3 {
            assert_eq!(result(|h| h[missing] = None), Err(Code::AuthHmacInvalid));
            assert_eq!(
                result(|h| h[missing] = Some(String::new())),
                Err(Code::AuthHmacInvalid)
            );
        }
        assert_eq!(result(|h| *h = [None, None, None]), Ok(()));
    }

    #[test]
    fn another_time_key_or_signature_does_not_hold() {
        for (place, text) in [
            (0, "unknown".to_owned()),
            (1, (NOW + 1).to_string()),
            (1, format!("+{NOW}")),
            (1, format!("0{NOW}")),
            (1, "soon".into()),
            (2, "00".repeat(32)),
            (2, "zz".into()),
        ] {
            assert_eq!(
                result(|h| h[place] = Some(text)),
                Err(Code::AuthHmacInvalid)
            );
        }
    }
}
