//! The Merkle tree of RFC 6962 section 2.1 over a release's artifacts.
//!
//! A leaf is the canonical JSON of one artifact. Whoever has published only the root can later show that one
//! artifact was part of the release, with a proof of a few hashes.

use crate::Sha256;
use sha2::Digest as _;

/// The root of the tree over `leaves`, in their order.
pub fn root(leaves: &[Vec<u8>]) -> Sha256 {
    match leaves {
        [] => Sha256::of(&[]),
        [leaf] => leaf_hash(leaf),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// What it takes to get from leaf number `index` to the root: the hashes beside the way, lowest first.
/// `None` when there is no such leaf.
pub fn proof(leaves: &[Vec<u8>], index: usize) -> Option<Vec<Sha256>> {
    if index >= leaves.len() {
        return None;
    }
    if leaves.len() == 1 {
        return Some(Vec::new());
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut path, beside) = if index < at {
        (proof(left, index)?, root(right))
    } else {
        (proof(right, index - at)?, root(left))
    };
    path.push(beside);
    Some(path)
}

/// Whether `leaf` is number `index` of the `count` leaves beneath `root`.
pub fn verify_proof(
    root: &Sha256,
    leaf: &[u8],
    index: usize,
    count: usize,
    proof: &[Sha256],
) -> bool {
    climb(leaf_hash(leaf), index, count, proof).is_some_and(|reached| reached == *root)
}

fn climb(leaf: Sha256, index: usize, count: usize, proof: &[Sha256]) -> Option<Sha256> {
    if index >= count {
        return None;
    }
    if count == 1 {
        return proof.is_empty().then_some(leaf);
    }
    let (beside, below) = proof.split_last()?;
    let at = split(count);
    if index < at {
        Some(node_hash(&climb(leaf, index, at, below)?, beside))
    } else {
        Some(node_hash(
            beside,
            &climb(leaf, index - at, count - at, below)?,
        ))
    }
}

/// The largest power of two smaller than `count`, which is at least 2.
const fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

fn leaf_hash(leaf: &[u8]) -> Sha256 {
    let mut hash = sha2::Sha256::new_with_prefix([0]);
    hash.update(leaf);
    Sha256::from_bytes(hash.finalize().into())
}

fn node_hash(left: &Sha256, right: &Sha256) -> Sha256 {
    let mut hash = sha2::Sha256::new_with_prefix([1]);
    hash.update(left.as_bytes());
    hash.update(right.as_bytes());
    Sha256::from_bytes(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: usize) -> Vec<Vec<u8>> {
        (0..count)
            .map(|n| vec![u8::try_from(n).unwrap(); n])
            .collect()
    }

    #[test]
    fn the_roots_are_those_of_certificate_transparency() {
        // The test vectors of the reference implementation: eight leaves, and the first n of them.
        let leaves: Vec<Vec<u8>> = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ]
        .iter()
        .map(|text| hex::decode(text).unwrap())
        .collect();
        for (count, expected) in [
            (
                1,
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            ),
            (
                2,
                "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            ),
            (
                3,
                "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            ),
            (
                8,
                "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            ),
        ] {
            assert_eq!(
                root(&leaves[..count]).to_string(),
                expected,
                "{count} leaves"
            );
        }
    }

    #[test]
    fn a_proof_holds_for_its_leaf_in_its_place_only() {
        for count in 1..20 {
            let leaves = leaves(count);
            let root = root(&leaves);
            for (index, leaf) in leaves.iter().enumerate() {
                let proof = proof(&leaves, index).unwrap();
                assert!(verify_proof(&root, leaf, index, count, &proof));
                assert!(!verify_proof(&root, b"another", index, count, &proof));
                assert!(!verify_proof(&root, leaf, index + 1, count, &proof));
                assert!(count == 1 || !verify_proof(&root, leaf, index, count, &proof[1..]));
                let longer = [proof, vec![root]].concat();
                assert!(!verify_proof(&root, leaf, index, count, &longer));
            }
            assert_eq!(proof(&leaves, count), None);
        }
    }

    #[test]
    fn an_inner_node_cannot_pass_for_a_leaf() {
        let leaves = leaves(4);
        let inner = [
            leaf_hash(&leaves[0]).as_bytes().as_slice(),
            leaf_hash(&leaves[1]).as_bytes(),
        ]
        .concat();
        let right = root(&leaves[2..]);
        assert!(!verify_proof(&root(&leaves), &inner, 0, 2, &[right]));
    }
}
