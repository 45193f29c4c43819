//! `verify --worker`: yes to what was published, no to one flipped bit.

use crate::kit::cloudflare::{ACCOUNT, TOKEN};
use crate::kit::edge::{Edge, VAU};
use crate::kit::release::Release;
use crate::kit::{Answer, answer, twistctl};
use std::fs;
use std::path::Path;

/// A release and an account that has the release's Worker.
struct World {
    release: Release,
    edge: Edge,
}

impl World {
    fn new() -> Self {
        let release = Release::new();
        let edge = Edge::new();
        // The same modules as in the release.
        for module in ["index.js", "index_bg.wasm"] {
            let name = format!("edge-vau-processor/{module}");
            fs::copy(release.dist().join(&name), edge.bundles().join(&name)).unwrap();
        }
        Self { release, edge }
    }

    fn url(&self) -> String {
        format!(
            "{}/accounts/{ACCOUNT}/workers/scripts/{VAU}",
            self.edge.cloudflare.url
        )
    }

    fn verify(&self, worker: &str) -> Answer {
        let mut command = twistctl(self.release.home());
        command
            .args([
                "verify",
                "--manifest",
                "release.json",
                "--key",
                "key.pem",
                "--json",
            ])
            .args(["--worker", worker])
            .env("CLOUDFLARE_API_TOKEN", TOKEN);
        let answer = answer(command);
        assert!(!format!("{answer:?}").contains(TOKEN));
        answer
    }

    /// The body that the API answers with.
    fn read_back(&self, into: &Path) {
        let api = twistctl::edge::api::Api::new(
            &self.edge.cloudflare.url,
            ACCOUNT,
            twistctl::edge::api::Token::new(TOKEN),
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let content = runtime.block_on(api.unwrap().content(VAU, None)).unwrap();
        fs::create_dir_all(into).unwrap();
        for part in content.parts {
            fs::write(into.join(part.name), part.bytes).unwrap();
        }
    }
}

#[test]
fn what_was_published_is_the_release_and_one_flipped_bit_is_not() {
    let world = World::new();
    world.edge.published();
    let good = world.verify(&world.url());
    assert_eq!(good.code, 0, "{good:?}");
    let row = good.row("edge-vau-processor");
    assert_eq!(row["leg"], "worker");
    assert_eq!(row["evidence"], "recomputed from bytes");
    assert_eq!(world.verify(&format!("{}/content/v2", world.url())).code, 0);

    world
        .edge
        .cloudflare
        .state()
        .scripts
        .get_mut(VAU)
        .unwrap()
        .flip("index_bg.wasm", 12_345);
    let bad = world.verify(&world.url());
    assert_eq!(bad.code, 1, "{bad:?}");
    let row = bad.row("edge-vau-processor");
    assert_eq!(row["difference"]["file"], "index_bg.wasm", "{row}");
    // The release beside the manifest is no reference here; with one the very byte is told.
    let mut command = twistctl(world.release.home());
    command
        .args([
            "verify",
            "--manifest",
            "release.json",
            "--key",
            "key.pem",
            "--reference",
            "good",
        ])
        .args(["--worker", &world.url()])
        .env("CLOUDFLARE_API_TOKEN", TOKEN);
    let told = answer(command);
    assert!(told.stdout.contains("byte 12345"), "{told:?}");
}

#[test]
fn a_version_is_asked_for_by_its_name() {
    let world = World::new();
    world.edge.published();
    let first = world.edge.shares(VAU)[0].0.clone();
    world.edge.build("edge-vau-processor", 9);
    world.edge.published();
    assert_eq!(world.verify(&world.url()).code, 1, "the newest is another");
    assert_eq!(
        world
            .verify(&format!("{}?version={first}", world.url()))
            .code,
        0
    );
}

#[test]
fn a_dump_is_as_good_as_the_api() {
    let world = World::new();
    world.edge.published();
    let folder = world.release.home().join(VAU);
    world.read_back(&folder);
    let good = world.verify(VAU);
    assert_eq!(good.code, 0, "{good:?}");
    // Where the name says nothing it has to be said.
    fs::rename(&folder, world.release.home().join("dump")).unwrap();
    assert_eq!(world.verify("dump").code, 2);
    assert_eq!(world.verify("edge-vau-processor=dump").code, 0);
    let module = world.release.home().join("dump/index.js");
    crate::kit::release::flip(&module, 3, 0);
    assert_eq!(world.verify("edge-vau-processor=dump").code, 1);
    crate::kit::release::flip(&module, 3, 0);
    fs::write(world.release.home().join("dump/more.js"), "x").unwrap();
    assert_eq!(
        world.verify("edge-vau-processor=dump").code,
        1,
        "a module too many"
    );
}

#[test]
fn the_answer_of_the_api_can_be_kept_as_a_file() {
    let world = World::new();
    let bundle = world.edge.bundles().join("edge-vau-processor");
    let mut body = Vec::new();
    for module in ["index.js", "index_bg.wasm"] {
        body.extend_from_slice(b"--boundary\r\nContent-Disposition: form-data; name=\"");
        body.extend_from_slice(module.as_bytes());
        body.extend_from_slice(b"\"\r\n\r\n");
        body.extend_from_slice(&fs::read(bundle.join(module)).unwrap());
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--boundary--\r\n");
    let file = world
        .release
        .home()
        .join("vau-processor-production.multipart");
    fs::write(&file, &body).unwrap();
    let file = file.display().to_string();
    assert_eq!(world.verify(&file).code, 0);
    let inside = body.len() - 100;
    body[inside] ^= 4;
    fs::write(&file, &body).unwrap();
    assert_eq!(world.verify(&file).code, 1);
    fs::write(&file, b"{\"success\":false}").unwrap();
    assert_eq!(world.verify(&file).code, 5);
}

#[test]
fn what_cannot_be_looked_at_is_no_yes() {
    let world = World::new();
    let absent = world.verify(&world.url());
    assert_eq!(absent.code, 3, "it was never published: {absent:?}");
    world.edge.published();
    world.edge.cloudflare.state().expired = true;
    assert_eq!(world.verify(&world.url()).code, 5);
    assert_eq!(world.verify("edge-vau-processor=nowhere").code, 3);
    assert_eq!(world.verify("auth-service=x").code, 2, "no worker");
    assert_eq!(world.verify("https://api.example.org/other").code, 2);
}
