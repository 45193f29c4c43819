//! Bodies of requests.

use crate::parts::now;
use edge_core::{Refusal, batch, request};
use std::collections::BTreeSet;

/// What is accepted is written and read back as the same, and a signature may only be left out where that is asked
/// for. What is refused is refused in words of ours.
pub(crate) fn request(input: &[u8]) {
    let media_type = str::from_utf8(input).ok();
    if let Err(refusal) = request::check_media_type(media_type, None) {
        assert_ours(&refusal);
    }
    match request::parse(input) {
        Ok(vau) => {
            let again = serde_json::to_vec(&vau).unwrap_or_default();
            assert_eq!(request::parse(&again).as_ref(), Ok(&vau));
            assert_eq!(request::parse_unsigned(input).as_ref(), Ok(&vau));
            assert_eq!(vau.signature.len(), 128);
        }
        Err(refusal) => assert_ours(&refusal),
    }
    match request::parse_unsigned(input) {
        Ok(vau) => assert!(vau.signature.is_empty() || request::parse(input).is_ok()),
        Err(refusal) => assert_ours(&refusal),
    }
}

/// Every item is accepted or refused, once.
pub(crate) fn batch(input: &[u8]) {
    let mut batch = match batch::parse(input) {
        Ok(batch) => batch,
        Err(refusal) => return assert_ours(&refusal),
    };
    let size = u32::try_from(batch.size).unwrap_or(u32::MAX);
    let at = batch
        .items()
        .first()
        .map_or_else(now, |(_, vau)| vau.timestamp);
    if let Err(refusal) = batch.check_time(at) {
        return assert_ours(&refusal);
    }
    if let Some(user) = batch.items().first().map(|(_, vau)| vau.user_id) {
        batch.check_user(&user);
    }
    if let Some((index, _)) = batch.items().last() {
        batch.refuse(*index, &batch::too_large());
    }
    let sealed = batch.seal.is_some();
    let (groups, refused) = batch.divide();
    assert!(groups.len() <= batch::MAX_DEVICES);
    let mut seen = BTreeSet::new();
    for item in groups.iter().flat_map(|group| &group.items) {
        assert!(seen.insert(item.index), "{} is there twice", item.index);
        assert_eq!(item.signature.is_none(), sealed);
    }
    for (index, refusal) in &refused {
        assert!(seen.insert(*index), "{index} is there twice");
        assert_ours(refusal);
    }
    assert!(seen.into_iter().eq(0..size), "an item is lost");
}

const FIELDS: [&str; 16] = [
    "",
    "/userId",
    "/deviceId",
    "/siteId",
    "/timestamp",
    "/payload",
    "/signature",
    "/batchId",
    "/submittedAt",
    "/vaus",
    "/attestation",
    "/attestation/credentialId",
    "/attestation/clientDataJSON",
    "/attestation/authenticatorData",
    "/attestation/signature",
    "/attestation/userHandle",
];
const MESSAGES: [&str; 16] = [
    "is required",
    "is there twice",
    "has a field that is not part of it",
    "must be a JSON object",
    "must be a wallet address: base58 of 32 bytes",
    "must be a device id: 64 lower-case hex digits",
    "must be 1 to 128 bytes without control characters",
    "must be whole milliseconds since 1970, as a number",
    "must be a list of VAUs",
    "must be an object",
    "must be a string",
    "must not be longer than 8192 bytes",
    "must be 128 lower-case hex digits",
    "must not be longer than 2048 bytes",
    "must be 1 to 128 visible ASCII characters",
    "must be left out when the batch is signed as a whole",
];

/// A refusal repeats nothing that was sent: each text is one of a list, each pointer names a field of ours.
fn assert_ours(refusal: &Refusal) {
    for field in &refusal.fields {
        let message = field.message.as_str();
        assert!(MESSAGES.contains(&message), "{message}");
        let pointer = field.pointer.as_str();
        assert!(FIELDS.contains(&in_item(pointer)), "{pointer}");
    }
    assert_eq!(refusal.data, None);
}

/// The pointer below `/vaus/<number>`.
fn in_item(pointer: &str) -> &str {
    let Some(rest) = pointer.strip_prefix("/vaus/") else {
        return pointer;
    };
    let (index, _) = rest.split_once('/').unwrap_or((rest, ""));
    if index.parse::<u8>().is_ok() {
        rest.get(index.len()..).unwrap_or(pointer)
    } else {
        pointer
    }
}
