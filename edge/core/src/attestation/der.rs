//! ECDSA signatures: authenticators write them in DER, WebCrypto reads the two numbers side by side.

use super::Reason;

/// `SEQUENCE { r INTEGER, s INTEGER }` as 64 bytes. Every other spelling of the same numbers is refused.
pub fn ecdsa_raw(der: &[u8]) -> Result<[u8; 64], Reason> {
    let (body, rest) = tagged(der, 0x30)?;
    let (r, body) = tagged(body, 0x02)?;
    let (s, body) = tagged(body, 0x02)?;
    if !rest.is_empty() || !body.is_empty() {
        return Err(Reason::Malformed);
    }
    let mut raw = [0; 64];
    let (first, second) = raw.split_at_mut(32);
    fill(first, r)?;
    fill(second, s)?;
    Ok(raw)
}

/// What is inside, and what comes after. Two numbers of 33 bytes never need a length of more than one byte.
fn tagged(bytes: &[u8], tag: u8) -> Result<(&[u8], &[u8]), Reason> {
    let [found, length, rest @ ..] = bytes else {
        return Err(Reason::Malformed);
    };
    if *found != tag || *length > 0x7f {
        return Err(Reason::Malformed);
    }
    rest.split_at_checked(usize::from(*length))
        .ok_or(Reason::Malformed)
}

/// A positive number, as short as it can be written, into 32 bytes.
fn fill(target: &mut [u8], number: &[u8]) -> Result<(), Reason> {
    let digits = match number {
        [] | [0] => return Err(Reason::Malformed),
        [0, next, ..] if *next < 0x80 => return Err(Reason::Malformed),
        [0, digits @ ..] => digits,
        [first, ..] if *first >= 0x80 => return Err(Reason::Malformed),
        digits => digits,
    };
    let space = target
        .len()
        .checked_sub(digits.len())
        .ok_or(Reason::Malformed)?;
    for (to, from) in target.iter_mut().skip(space).zip(digits) {
        *to = *from;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn der(number: &[u8; 32]) -> Vec<u8> {
        let digits: Vec<u8> = number.iter().copied().skip_while(|b| *b == 0).collect();
        let mut out = Vec::new();
        if digits[0] >= 0x80 {
            out.push(0);
        }
        out.extend(digits);
        [&[2, u8::try_from(out.len()).unwrap()][..], &out].concat()
    }

    fn sequence(r: &[u8], s: &[u8]) -> Vec<u8> {
        [&[0x30, u8::try_from(r.len() + s.len()).unwrap()][..], r, s].concat()
    }

    #[test]
    fn another_spelling_of_a_signature_is_none() {
        let good = sequence(b"\x02\x01\x01", b"\x02\x02\x00\x80");
        assert!(ecdsa_raw(&good).is_ok());
        for bad in [
            sequence(b"\x02\x01\x00", b"\x02\x01\x01"),
            sequence(b"\x02\x02\x00\x01", b"\x02\x01\x01"),
            sequence(b"\x02\x01\x80", b"\x02\x01\x01"),
            sequence(b"\x02\x00", b"\x02\x01\x01"),
            sequence(b"\x03\x01\x01", b"\x02\x01\x01"),
            sequence(b"\x02\x01\x01", b""),
            [&good[..], &[0]].concat(),
            good[..good.len() - 1].to_vec(),
            [&[0x30, 0x81, 7][..], &good[2..]].concat(),
            sequence(&[&[2, 33][..], &[1; 33]].concat(), b"\x02\x01\x01"),
            Vec::new(),
        ] {
            assert_eq!(ecdsa_raw(&bad), Err(Reason::Malformed), "{bad:02x?}");
        }
    }

    proptest! {
        #[test]
        fn numbers_are_read_back(mut r: [u8; 32], mut s: [u8; 32], zeros in 0..32_usize) {
            r[..zeros].fill(0);
            (r[31], s[31]) = (1, 1);
            prop_assert_eq!(ecdsa_raw(&sequence(&der(&r), &der(&s))), Ok([r, s].concat().try_into().unwrap()));
        }

        #[test]
        fn no_bytes_stop_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = ecdsa_raw(&bytes);
        }
    }
}
