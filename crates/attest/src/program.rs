//! Solana programs.

use crate::Sha256;

/// The hash by which a deployed program is compared: the SHA-256 of its ELF without the zeros at the end.
///
/// The account that holds a program on the chain may be longer than the program, and the rest of it is zeros,
/// so both sides drop them (as `solana-verify get-program-hash` does).
pub fn program_hash(elf: &[u8]) -> Sha256 {
    let length = elf
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    Sha256::of(elf.get(..length).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_for_growth_does_not_make_a_program_another_one() {
        assert_eq!(
            program_hash(b"\x7fELF\0code\0\0\0"),
            Sha256::of(b"\x7fELF\0code")
        );
        assert_eq!(program_hash(b"\x7fELF"), Sha256::of(b"\x7fELF"));
        assert_eq!(program_hash(&[0; 9]), Sha256::of(b""));
        assert_ne!(program_hash(b"\0\x7fELF"), program_hash(b"\x7fELF"));
    }
}
