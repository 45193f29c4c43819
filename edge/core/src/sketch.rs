//! How many different things were seen, in a fixed 1 KiB: `HyperLogLog` with 1,024 registers (Flajolet et al. 2007),
//! standard error 3.25 %, and linear counting for few. A list of ids would grow without bound, and tell who they were.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use domain::bytes::sha256;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const BITS: u32 = 10;
const REGISTERS: usize = 1 << BITS;

/// A set of which only the size can be told.
#[derive(Clone, PartialEq, Eq)]
pub struct Sketch(Vec<u8>);

impl Default for Sketch {
    fn default() -> Self {
        Self(vec![0; REGISTERS])
    }
}

impl std::fmt::Debug for Sketch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sketch(about {})", self.count())
    }
}

impl Sketch {
    /// Takes something in.
    pub fn add(&mut self, value: &[u8]) {
        let digest = sha256(value);
        let (head, _) = digest.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        let hash = u64::from_be_bytes(*head);
        let place = usize::try_from(hash >> (64 - BITS)).unwrap_or(0);
        // The lowest set bit bounds the run of zeros where all the others are zero.
        let rest = (hash << BITS) | (1 << (BITS - 1));
        let run = u8::try_from(rest.leading_zeros().saturating_add(1)).unwrap_or(u8::MAX);
        if let Some(register) = self.0.get_mut(place) {
            *register = run.max(*register);
        }
    }

    /// How many different things were taken in, about.
    #[allow(clippy::float_arithmetic)] // an estimate of a statistic; no money is near
    pub fn count(&self) -> u64 {
        let (mut sum, mut empty) = (0.0_f64, 0u32);
        for register in &self.0 {
            sum += (-f64::from(*register)).exp2();
            empty += u32::from(*register == 0);
        }
        let m = f64::from(u32::try_from(REGISTERS).unwrap_or(u32::MAX));
        let raw = (0.7213 / (1.0 + 1.079 / m)) * m * m / sum;
        let estimate = if raw <= 2.5 * m && empty > 0 {
            m * (m / f64::from(empty)).ln()
        } else {
            raw
        };
        // Never negative, and far below 2^53.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rounded = estimate.round() as u64;
        rounded
    }
}

impl Serialize for Sketch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Sketch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64
            .decode(text)
            .ok()
            .filter(|bytes| bytes.len() == REGISTERS)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("not a sketch"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(n: u64) -> Sketch {
        let mut sketch = Sketch::default();
        for i in 0..n {
            sketch.add(&i.to_le_bytes());
            sketch.add(&i.to_le_bytes());
        }
        sketch
    }

    #[test]
    fn few_are_counted_exactly_and_many_within_a_tenth() {
        for n in [0, 1, 2, 5, 20] {
            assert_eq!(of(n).count(), n);
        }
        for n in [1_000u64, 50_000, 300_000] {
            assert!(of(n).count().abs_diff(n) < n / 10, "{:?} of {n}", of(n));
        }
    }

    #[test]
    fn a_sketch_survives_its_text_form() {
        let text = serde_json::to_string(&of(500)).unwrap();
        assert_eq!(serde_json::from_str::<Sketch>(&text).unwrap(), of(500));
        assert!(serde_json::from_str::<Sketch>("\"AA\"").is_err());
    }
}
