use super::*;
use proptest::prelude::*;

fn key() -> Secret {
    Secret::new("a key of challenges")
}

fn at(ms: u64) -> EpochMs {
    EpochMs::new(ms).unwrap()
}

const ANA: Scope<'_> = Scope {
    network: "network-of-ana",
    class: Class::Vau,
};

fn solve(challenge: &str, bits: u8) -> String {
    let tries = (0_u64..).map(|n| format!("{challenge}.{n:x}"));
    let mut good = tries.filter(|proof| zero_bits(proof) >= u32::from(bits));
    good.next().unwrap()
}

#[test]
fn a_solved_challenge_lets_its_caller_through_until_it_ends() {
    let challenge = issue(&key(), [7; 16], 8, ANA, at(1_000));
    let proof = solve(&challenge, 8);
    let solved = check(&key(), &proof, ANA, at(120_999)).unwrap();
    assert_eq!(solved.id, "07".repeat(16));
    assert_eq!((solved.until, solved.token), (121_000, None));
    let late = check(&key(), &proof, ANA, at(121_000)).unwrap_err();
    assert!(late.detail.contains("expired"));
}

#[test]
fn a_proof_is_of_no_use_to_another_network_route_or_deployment() {
    let challenge = issue(&key(), [7; 16], 4, ANA, at(0));
    let proof = solve(&challenge, 4);
    let elsewhere = Scope {
        network: "network-of-eve",
        ..ANA
    };
    let other = Scope {
        class: Class::Read,
        ..ANA
    };
    for scope in [elsewhere, other] {
        assert_eq!(
            check(&key(), &proof, scope, at(1)).unwrap_err().code,
            Code::ChallengeInvalid
        );
    }
    check(&Secret::new("another"), &proof, ANA, at(1)).unwrap_err();
}

#[test]
fn nobody_makes_a_challenge_easier_longer_or_up() {
    let challenge = issue(&key(), [7; 16], 60, ANA, at(0));
    check(&key(), &format!("{challenge}.0"), ANA, at(1)).unwrap_err();
    let (fields, code) = challenge.split_once('.').unwrap();
    let fields = BASE64.decode(fields).unwrap();
    for byte in 0..fields.len() {
        let mut changed = fields.clone();
        changed[byte] ^= 1;
        let proof = format!("{}.{code}.0", BASE64.encode(&changed));
        check(&key(), &proof, ANA, at(1)).unwrap_err();
    }
    for bad in ["", ".", "..", "a.b.c", &challenge, &format!("{challenge}.")] {
        check(&key(), bad, ANA, at(1)).unwrap_err();
    }
}

#[test]
fn without_work_the_answer_is_a_token_for_turnstile() {
    let challenge = issue(&key(), [7; 16], 0, ANA, at(0));
    let solved = check(&key(), &format!("{challenge}.0.token_of-it"), ANA, at(1)).unwrap();
    assert_eq!(solved.token.as_deref(), Some("0.token_of-it"));
    check(&key(), &format!("{challenge}."), ANA, at(1)).unwrap_err();
}

proptest! {
    #[test]
    fn no_text_is_a_proof_by_chance(text in "(?s).{0,200}") {
        prop_assert!(check(&key(), &text, ANA, at(1)).is_err());
    }
}
