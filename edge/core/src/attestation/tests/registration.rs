//! New credentials and keys.

use super::*;
use proptest::prelude::*;

pub(super) fn attested(key: &[u8]) -> Vec<u8> {
    [&[5; 16][..], &[0, 3, 1, 2, 3], key].concat()
}

fn object(format: &str, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    let name = u8::try_from(format.len()).unwrap();
    [
        &b"\xa3\x63fmt"[..],
        &[0x60 + name],
        format.as_bytes(),
        b"\x67attStmt\xa0\x68authData\x59",
        &length,
        data,
    ]
    .concat()
}

fn register(client_data: &Value, object: &[u8]) -> Result<NewCredential, Reason> {
    registration(
        &b64(client_data.to_string()),
        &b64(object),
        &[6; 32],
        &policy(),
    )
}

#[test]
fn a_new_credential_is_read_and_its_make_only_recorded() {
    let key = ed25519_key(&[7; 32]);
    let data = auth_data(0x45, 1, &attested(&key));
    // Long enough for the two-byte length that is written above.
    let data = [&data[..], &[]].concat();
    let padded = auth_data(
        0xc5,
        1,
        &[&attested(&key)[..], b"\xa1\x61a\x59\x01\x00", &[0; 256]].concat(),
    );
    assert!(data.len() < 256);
    let found = register(
        &client_data("webauthn.create", &[6; 32]),
        &object("packed", &padded),
    )
    .unwrap();
    assert_eq!(found.credential_id, b64([1, 2, 3]));
    assert_eq!(found.public_key, b64(&key));
    assert_eq!((found.algorithm, found.sign_count), ("EdDSA", 1));
    assert_eq!((found.aaguid, found.format.as_str()), ([5; 16], "packed"));
    assert!(found.user_verified);
}

#[test]
fn a_registration_that_is_none_is_refused() {
    let key = ed25519_key(&[7; 32]);
    let tail = [&b"\xa1\x61a\x59\x01\x00"[..], &[0; 256]].concat();
    let data = |flags, attested: &[u8]| auth_data(flags, 1, &[attested, &tail].concat());
    let good = object("none", &data(0xc1, &attested(&key)));
    let client = client_data("webauthn.create", &[6; 32]);
    assert!(register(&client, &good).is_ok());
    for (reason, client, object) in [
        (
            Reason::Type,
            client_data("webauthn.get", &[6; 32]),
            good.clone(),
        ),
        (
            Reason::Challenge,
            client_data("webauthn.create", &[7; 32]),
            good.clone(),
        ),
        (
            Reason::UserAbsent,
            client.clone(),
            object("none", &data(0xc0, &attested(&key))),
        ),
        (
            Reason::Malformed,
            client.clone(),
            object("None", &data(0xc1, &attested(&key))),
        ),
        (
            Reason::Malformed,
            client.clone(),
            object("", &data(0xc1, &attested(&key))),
        ),
        (
            Reason::Malformed,
            client.clone(),
            object("none", &data(0x81, &[])),
        ),
        (
            Reason::Malformed,
            client.clone(),
            object("none", &data(0xc1, &[5; 17])),
        ),
        (
            Reason::Malformed,
            client.clone(),
            good[..good.len() - 1].to_vec(),
        ),
        (
            Reason::Malformed,
            client.clone(),
            [&good[..], &[0]].concat(),
        ),
        (
            Reason::Malformed,
            client.clone(),
            b"\xa2\x63fmt\x64none\x63fmt\x64none".to_vec(),
        ),
        (Reason::Malformed, client.clone(), Vec::new()),
        (
            Reason::UnsupportedKey,
            client.clone(),
            object(
                "none",
                &data(0xc1, &attested(b"\xa3\x01\x02\x03\x38\x22\x20\x02")),
            ),
        ),
        (
            Reason::Malformed,
            client.clone(),
            object("none", &data(0xc1, &attested(b"\xa2\x01\x01\x01\x01"))),
        ),
    ] {
        assert_eq!(register(&client, &object), Err(reason), "{object:02x?}");
    }
}

#[test]
fn keys_of_the_three_kinds_are_read_and_no_others() {
    let es256 = [
        &b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20"[..],
        &[1; 32],
        b"\x22\x58\x20",
        &[2; 32],
    ]
    .concat();
    assert_eq!(
        CoseKey::parse(&es256),
        Ok(CoseKey::Es256 {
            x: [1; 32],
            y: [2; 32]
        })
    );
    let rs256 = |length: u16, first: u8, exponent: &[u8]| {
        let mut n = vec![9; usize::from(length)];
        n[0] = first;
        let head = [
            &b"\xa4\x01\x03\x03\x39\x01\x00\x20\x59"[..],
            &length.to_be_bytes(),
        ]
        .concat();
        [
            &head[..],
            &n,
            &[0x21, 0x40 + u8::try_from(exponent.len()).unwrap()],
            exponent,
        ]
        .concat()
    };
    assert!(
        matches!(CoseKey::parse(&rs256(256, 0x80, &[1, 0, 1])), Ok(CoseKey::Rs256 { n }) if n.len() == 256)
    );
    for weak in [
        rs256(255, 1, &[1, 0, 1]),
        rs256(513, 1, &[1, 0, 1]),
        rs256(256, 0, &[1, 0, 1]),
        rs256(256, 1, &[3]),
    ] {
        assert!(CoseKey::parse(&weak).is_err());
    }
    // The algorithm of one kind with the key of another.
    let mixed = [&b"\xa4\x01\x01\x03\x26\x20\x06\x21\x58\x20"[..], &[1; 32]].concat();
    assert_eq!(CoseKey::parse(&mixed), Err(Reason::UnsupportedKey));
    assert_eq!(
        CoseKey::parse(&[&es256[..], &[0]].concat()),
        Err(Reason::Malformed)
    );
}

proptest! {
    #[test]
    fn no_bytes_stop_the_readers(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = CoseKey::parse(&bytes);
        let mut case = Case::good();
        case.auth_data.clone_from(&bytes);
        let _ = case.judged();
        let client = client_data("webauthn.create", &[6; 32]);
        let _ = register(&client, &bytes);
        let _ = registration(&b64(&bytes), "", &[6; 32], &policy());
    }

    #[test]
    fn a_changed_byte_never_makes_another_credential_of_a_registration(at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let data = auth_data(0xc1, 1, &[&attested(&ed25519_key(&[7; 32]))[..], b"\xa1\x61a\x59\x01\x00", &[0; 256]].concat());
        let mut bytes = object("none", &data);
        let index = at.index(bytes.len());
        bytes[index] ^= flip;
        if let Ok(found) = register(&client_data("webauthn.create", &[6; 32]), &bytes) {
            prop_assert_eq!(found.algorithm, "EdDSA");
        }
    }
}
