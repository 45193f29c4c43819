//! Bloom filters: small sets that answer "surely not" or "probably".
//!
//! ```text
//! m = max(64, ceil(n * 9.585058…)) bits, k = 7 hashes: at n elements 1 in 100 strangers is taken for one
//! h = SHA-256(element); a = first 8 bytes of h, b = next 8 bytes with the lowest bit set, both little-endian
//! the element's bits are (a + i * b mod 2^64) mod m, for i = 0 … k-1; bit j is bit j mod 8 of byte j / 8, lowest first
//! ```

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::bytes::sha256;
use serde::{Deserialize, Serialize};

/// -ln(0.01) / ln(2)^2 in millionths, rounded up.
const MILLIONTHS_PER_ELEMENT: u64 = 9_585_059;
/// m/n * ln(2), rounded up.
const HASHES: u32 = 7;
const LEAST_BITS: u32 = 64;
/// Filters longer than this are not read.
const MOST_BITS: u32 = 1 << 20;

/// A set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bloom {
    bits: u32,
    hashes: u32,
    bytes: Vec<u8>,
}

/// A set as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BloomDocument {
    /// m.
    pub bits: u32,
    /// k.
    pub hashes: u32,
    /// ceil(m / 8) bytes, base64url without padding.
    pub data: String,
}

/// A document that is no filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a filter")]
pub struct NoFilter;

impl Bloom {
    /// An empty set, sized for `elements`.
    pub fn sized_for(elements: usize) -> Self {
        let elements = u64::try_from(elements).unwrap_or(u64::MAX);
        let wanted = elements
            .saturating_mul(MILLIONTHS_PER_ELEMENT)
            .div_ceil(1_000_000);
        let bits = u32::try_from(wanted)
            .unwrap_or(MOST_BITS)
            .clamp(LEAST_BITS, MOST_BITS);
        Self {
            bits,
            hashes: HASHES,
            bytes: vec![0; bytes_for(bits)],
        }
    }

    /// Puts an element in.
    pub fn insert(&mut self, element: &[u8]) {
        for place in places(element, self.bits, self.hashes) {
            if let Some(byte) = self.bytes.get_mut(place / 8) {
                *byte |= 1 << (place % 8);
            }
        }
    }

    /// Whether the element is probably in; `false` is sure.
    pub fn contains(&self, element: &[u8]) -> bool {
        places(element, self.bits, self.hashes).all(|place| {
            let byte = self.bytes.get(place / 8).copied().unwrap_or_default();
            byte & (1 << (place % 8)) != 0
        })
    }

    /// As JSON.
    pub fn document(&self) -> BloomDocument {
        BloomDocument {
            bits: self.bits,
            hashes: self.hashes,
            data: URL_SAFE_NO_PAD.encode(&self.bytes),
        }
    }
}

impl TryFrom<&BloomDocument> for Bloom {
    type Error = NoFilter;

    fn try_from(document: &BloomDocument) -> Result<Self, NoFilter> {
        let BloomDocument { bits, hashes, data } = document;
        let bytes = URL_SAFE_NO_PAD.decode(data).map_err(|_| NoFilter)?;
        let sane = (LEAST_BITS..=MOST_BITS).contains(bits) && (1..=32).contains(hashes);
        if !sane || bytes.len() != bytes_for(*bits) {
            return Err(NoFilter);
        }
        Ok(Self {
            bits: *bits,
            hashes: *hashes,
            bytes,
        })
    }
}

/// At most 2^20 bits, which fits everywhere.
fn bytes_for(bits: u32) -> usize {
    usize::try_from(bits.div_ceil(8)).unwrap_or_default()
}

fn places(element: &[u8], bits: u32, hashes: u32) -> impl Iterator<Item = usize> {
    let digest = sha256(element);
    let word = |from: usize| {
        let bytes = digest.get(from..from + 8).unwrap_or_default();
        u64::from_le_bytes(bytes.try_into().unwrap_or_default())
    };
    let (a, b) = (word(0), word(8) | 1);
    (0..u64::from(hashes)).map(move |i| {
        let place = a.wrapping_add(i.wrapping_mul(b)) % u64::from(bits.max(1));
        usize::try_from(place).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_those_of_the_formula() {
        for (elements, bits) in [
            (0, 64),
            (1, 64),
            (6, 64),
            (7, 68),
            (1_000, 9_586),
            (100_000, 958_506),
        ] {
            assert_eq!(Bloom::sized_for(elements).bits, bits, "{elements}");
        }
    }

    #[test]
    fn about_one_stranger_in_a_hundred_is_taken_for_an_element() {
        for elements in [50_u32, 1_000, 20_000] {
            let mut filter = Bloom::sized_for(elements as usize);
            for n in 0..elements {
                filter.insert(format!("element {n}").as_bytes());
            }
            let strangers = 20_000;
            let taken = (0..strangers)
                .filter(|n| filter.contains(format!("stranger {n}").as_bytes()))
                .count();
            assert!(
                (100..=320).contains(&taken),
                "{taken} of {strangers} at {elements}"
            );
        }
    }

    #[test]
    fn a_document_that_is_no_filter_is_refused() {
        let good = Bloom::sized_for(3).document();
        assert!(Bloom::try_from(&good).is_ok());
        for bad in [
            BloomDocument {
                bits: 63,
                ..good.clone()
            },
            BloomDocument {
                bits: 72,
                ..good.clone()
            },
            BloomDocument {
                bits: u32::MAX,
                ..good.clone()
            },
            BloomDocument {
                hashes: 0,
                ..good.clone()
            },
            BloomDocument {
                hashes: 33,
                ..good.clone()
            },
            BloomDocument {
                data: "=".to_owned(),
                ..good.clone()
            },
        ] {
            assert_eq!(Bloom::try_from(&bad), Err(NoFilter), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn an_element_is_always_found_also_by_who_reads_the_document(
            elements in prop::collection::vec(any::<Vec<u8>>(), 0..50),
        ) {
            let mut filter = Bloom::sized_for(elements.len());
            for element in &elements {
                filter.insert(element);
            }
            let read = Bloom::try_from(&filter.document()).unwrap();
            prop_assert_eq!(&read, &filter);
            for element in &elements {
                prop_assert!(read.contains(element));
            }
        }
    }
}
