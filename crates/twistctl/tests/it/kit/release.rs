//! A release folder of small artifacts, with a manifest and a signature.

use super::image::{Image, gzip};
use super::{Answer, answer, noise, twistctl};
use attest::{Draft, Manifest, SigningKey};
use serde_json::json;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use twistctl::artifact::assemble;
use twistctl::verify::{Report, Request};

pub(crate) const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

/// `home/dist` with a manifest, `home/good` with the same artifacts, keys beside them.
pub(crate) struct Release {
    home: TempDir,
}

impl Release {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// With artifacts changed before the manifest is made.
    pub(crate) fn with(change: impl FnOnce(&Path)) -> Self {
        let release = Self {
            home: tempfile::tempdir().unwrap(),
        };
        let dist = release.dist();
        artifacts(&dist);
        change(&dist);
        copy(&dist, &release.good());
        release.write_manifest(&json!({}));
        release.sign(&[7; 32]);
        release
    }

    /// Describes what is in the folder now; `with` replaces members of the plan.
    pub(crate) fn write_manifest(&self, with: &serde_json::Value) {
        let mut listed = Vec::new();
        for (name, kind) in [
            ("auth-service", "service"),
            ("edge-security-worker", "worker"),
            ("edge-vau-processor", "worker"),
            ("influencer-api", "service"),
            ("oci-auth-service", "image"),
            ("sbom", "sbom"),
            ("settlement-worker", "service"),
            ("twistctl", "tool"),
        ] {
            listed.push(json!({ "name": name, "kind": kind, "path": self.dist().join(name) }));
        }
        let mut plan = json!({
            "version": "0.1.0",
            "builder": "nix",
            "system": "x86_64-linux",
            "source": { "revision": REVISION, "dirty": false, "locks": {} },
            "toolchain": { "rustc": "1.95.0" },
            "inputs": {},
            "artifacts": listed,
        });
        for (member, value) in with.as_object().unwrap() {
            plan[member] = value.clone();
        }
        let input = serde_json::from_value(json!({ "plan": plan })).unwrap();
        let manifest = assemble::assemble(input).unwrap();
        fs::write(self.manifest(), manifest.to_bytes().unwrap()).unwrap();
    }

    /// Makes the manifest again with something changed in it.
    pub(crate) fn change_manifest(&self, change: impl FnOnce(&mut Draft)) {
        let mut draft = self.parsed().draft().clone();
        change(&mut draft);
        let manifest = draft.finish().unwrap();
        fs::write(self.manifest(), manifest.to_bytes().unwrap()).unwrap();
    }

    /// Signs the manifest and puts the public key into `key.pem`.
    pub(crate) fn sign(&self, seed: &[u8; 32]) {
        let key = SigningKey::from_seed(seed);
        let signature = key.sign(&fs::read(self.manifest()).unwrap());
        fs::write(self.signature(), signature.to_text()).unwrap();
        fs::write(self.key(), key.public().to_pem()).unwrap();
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn dist(&self) -> PathBuf {
        self.home().join("dist")
    }

    /// Copies that nobody touches.
    pub(crate) fn good(&self) -> PathBuf {
        self.home().join("good")
    }

    /// Not in `dist`: the folder of the manifest is looked at for good copies.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.home().join("release.json")
    }

    pub(crate) fn signature(&self) -> PathBuf {
        self.home().join("release.json.sig")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.home().join("key.pem")
    }

    pub(crate) fn parsed(&self) -> Manifest {
        Manifest::parse(&fs::read(self.manifest()).unwrap()).unwrap()
    }

    /// A question about it that asks for nothing yet.
    pub(crate) fn request(&self) -> Request {
        Request {
            manifest: self.manifest(),
            ..Request::default()
        }
    }

    /// Compares the folder, in this process.
    pub(crate) fn check_dist(&self, with_reference: bool) -> Report {
        twistctl::verify::run(&Request {
            dist: vec![self.dist()],
            reference: with_reference.then(|| self.good()),
            ..self.request()
        })
    }

    /// Runs the program with `--json` and the manifest.
    pub(crate) fn verify(&self, args: &[&str]) -> Answer {
        let mut command = twistctl(self.home());
        command
            .args(["verify", "--json", "--manifest"])
            .arg(self.manifest())
            .args(args);
        answer(command)
    }
}

/// The image in the release.
pub(crate) fn image() -> Image {
    Image::of("auth-service", &noise(9_000, 11), &noise(70_000, 12))
}

fn artifacts(dist: &Path) {
    put(
        dist,
        "auth-service/bin/auth-service",
        &noise(150_000, 1),
        true,
    );
    put(
        dist,
        "influencer-api/bin/influencer-api",
        &noise(65_536, 2),
        true,
    );
    put(
        dist,
        "settlement-worker/bin/settlement-worker",
        &noise(4_096, 5),
        true,
    );
    put(dist, "twistctl/bin/twistctl", &noise(100, 3), true);
    symlink("twistctl", dist.join("twistctl/bin/twist")).unwrap();
    put(
        dist,
        "edge-security-worker/index.js",
        b"export default {};\n",
        false,
    );
    put(
        dist,
        "edge-security-worker/index_bg.wasm",
        &noise(4_096, 6),
        false,
    );
    put(
        dist,
        "edge-vau-processor/index.js",
        b"export default {};\n",
        false,
    );
    put(
        dist,
        "edge-vau-processor/index_bg.wasm",
        &noise(70_000, 4),
        false,
    );
    put(dist, "sbom/twist.cdx.json", b"{}", false);
    put(
        dist,
        "oci-auth-service/image.tar.gz",
        &gzip(&image().docker_archive()),
        false,
    );
}

pub(crate) fn put(folder: &Path, name: &str, bytes: &[u8], executable: bool) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
}

/// A pipe that nobody writes to.
pub(crate) fn fifo(path: &Path) {
    let done = std::process::Command::new("mkfifo").arg(path).status();
    assert!(done.unwrap().success());
}

pub(crate) fn copy(from: &Path, to: &Path) {
    let done = std::process::Command::new("cp")
        .arg("-a")
        .args([from, to])
        .status()
        .unwrap();
    assert!(done.success());
}

/// Flips one bit of a file.
pub(crate) fn flip(file: &Path, byte: usize, bit: u8) {
    let mut bytes = fs::read(file).unwrap();
    bytes[byte] ^= 1 << bit;
    fs::write(file, bytes).unwrap();
}
