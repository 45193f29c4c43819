//! A small release.

use attest::{
    Artifact, Builder, Draft, Image, Kind, Layer, Manifest, Node, Revision, Sha256, Source, System,
};
use std::collections::BTreeMap;

pub(crate) fn file(contents: &[u8]) -> Node {
    Node::File {
        executable: false,
        contents: contents.to_vec(),
    }
}

pub(crate) fn program(contents: &[u8]) -> Node {
    Node::File {
        executable: true,
        contents: contents.to_vec(),
    }
}

pub(crate) fn folder<const N: usize>(entries: [(&str, Node); N]) -> Node {
    Node::Folder(
        entries
            .into_iter()
            .map(|(name, node)| (name.to_owned(), node))
            .collect(),
    )
}

pub(crate) fn artifact(name: &str, kind: Kind, node: &Node) -> Artifact {
    Artifact {
        name: name.parse().unwrap(),
        kind,
        canonical_system: System::X8664Linux,
        store_path: None,
        nar_hash: node.nar_hash(),
        closure_size: None,
        files: node.entries().unwrap(),
        image: None,
        program_hash: None,
    }
}

pub(crate) fn service() -> Node {
    folder([(
        "bin",
        folder([("auth-service", program(b"\x7fELF service"))]),
    )])
}

pub(crate) fn worker() -> Node {
    folder([
        ("index.js", file(b"export default {}")),
        ("index_bg.wasm", file(b"\0asm\x01\0\0\0")),
    ])
}

pub(crate) fn draft() -> Draft {
    let image = folder([("image.tar.gz", file(b"an archive"))]);
    let mut oci = artifact("oci-auth-service", Kind::Image, &image);
    oci.image = Some(Image {
        config: Sha256::of(b"config"),
        layers: vec![Layer {
            diff_id: Sha256::of(b"layer"),
            size: 5,
        }],
    });
    let program = folder([("pool.so", file(b"\x7fELF program"))]);
    let mut on_chain = artifact("pool", Kind::Program, &program);
    on_chain.program_hash = Some(attest::program_hash(b"\x7fELF program"));
    Draft {
        version: "1.2.3".into(),
        builder: Builder::Nix,
        system: System::X8664Linux,
        source: Source {
            revision: Some(Revision::try_from("0123456789012345678901234567890123456789").unwrap()),
            dirty: false,
            locks: BTreeMap::from([("Cargo.lock".into(), Sha256::of(b"lock"))]),
        },
        toolchain: BTreeMap::from([("rustc".into(), "1.95.0".into())]),
        inputs: BTreeMap::from([("nixpkgs".into(), service().nar_hash())]),
        // Not sorted: that is the crate's work.
        artifacts: vec![
            on_chain,
            artifact("edge-vau-processor", Kind::Worker, &worker()),
            oci,
            artifact("auth-service", Kind::Service, &service()),
        ],
    }
}

pub(crate) fn manifest() -> Manifest {
    draft().finish().unwrap()
}
