//! Inputs that are almost right.

/// What parsers look out for.
const PIECES: [&[u8]; 24] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"null",
    b"-1",
    b"1e999",
    b"18446744073709551615",
    b"9007199254740992",
    b"\\ud800",
    b"\xff",
    b"\xf0\x9f\x98\x80",
    b"\0",
    b"\r\n",
    b"\n",
    b"%00",
    b"../",
    b"=",
    b".",
    b"&",
];

/// The same numbers in every run: what fails once fails again.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: &str) -> Self {
        let fnv = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(seed.bytes().fold(0xcbf2_9ce4_8422_2325, fnv))
    }

    /// `SplitMix64`.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % (limit.max(1) as u64)).unwrap()
    }

    /// One of the inputs, with one to eight changes; now and then bytes that nobody chose.
    pub(super) fn change(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        if self.below(16) == 0 {
            let length = self.below(64);
            return (0..length).map(|_| self.next().to_le_bytes()[0]).collect();
        }
        let mut input = inputs[self.below(inputs.len())].clone();
        for _ in 0..=self.below(8) {
            let from = self.below(input.len() + 1);
            let to = from + self.below((input.len() - from).min(32) + 1);
            match self.below(7) {
                0 if from < input.len() => input[from] ^= 1 << self.below(8),
                1 if from < input.len() => input[from] = self.next().to_le_bytes()[0],
                2 => drop(input.drain(from..to)),
                3 => {
                    let again = input[from..to].to_vec();
                    input.splice(to..to, again);
                }
                4 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    input.splice(from..from, piece.iter().copied());
                }
                5 => {
                    let other = &inputs[self.below(inputs.len())];
                    let start = self.below(other.len() + 1);
                    let end = start + self.below(other.len() - start + 1);
                    input.splice(from..to, other[start..end].iter().copied());
                }
                _ => input.truncate(from),
            }
        }
        input
    }
}
