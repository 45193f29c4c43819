//! `--dist`.

use crate::kit::Release;
use crate::kit::release::{fifo, flip, put};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

fn dist(release: &Release) -> String {
    release.dist().display().to_string()
}

#[test]
fn a_good_folder_is_equal_and_every_artifact_is_named() {
    let release = Release::new();
    let answer = release.verify(&["--dist", &dist(&release)]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let json = answer.json();
    assert_eq!(json["verdict"], "equal");
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 8);
    for row in rows {
        assert_eq!(row["verdict"], "match", "{row}");
        assert_eq!(row["evidence"], "recomputed from bytes");
    }
}

#[test]
fn artifacts_may_be_links_into_a_store() {
    let release = Release::new();
    for entry in fs::read_dir(release.dist()).unwrap() {
        let entry = entry.unwrap();
        let store = release.home().join("store").join(entry.file_name());
        fs::create_dir_all(store.parent().unwrap()).unwrap();
        fs::rename(entry.path(), &store).unwrap();
        symlink(&store, entry.path()).unwrap();
    }
    assert_eq!(release.verify(&["--dist", &dist(&release)]).code, 0);
}

#[test]
fn one_flipped_bit_is_named_by_file_and_byte() {
    let release = Release::new();
    let file = release.dist().join("auth-service/bin/auth-service");
    flip(&file, 140_001, 5);
    // The manifest alone tells the block.
    let answer = release.verify(&["--dist", &dist(&release)]);
    assert_eq!(answer.code, 1);
    let row = answer.row("auth-service");
    assert_eq!(row["difference"]["file"], "bin/auth-service");
    let (from, to) = (65_536 * 2, 149_999);
    assert_eq!(row["difference"]["offset"]["from"], from);
    assert_eq!(row["difference"]["offset"]["to"], to);
    // A good copy tells the byte.
    let good = release.good().display().to_string();
    let answer = release.verify(&["--dist", &dist(&release), "--reference", &good]);
    assert_eq!(answer.code, 1);
    let row = answer.row("auth-service");
    assert_eq!(row["difference"]["offset"]["at"], 140_001);
    let sha = |path| attest::Sha256::of(&fs::read(path).unwrap()).to_string();
    assert_eq!(row["difference"]["actual"], sha(file));
    assert_eq!(
        row["difference"]["expected"],
        sha(release.good().join("auth-service/bin/auth-service"))
    );
    for untouched in ["influencer-api", "edge-vau-processor", "sbom", "twistctl"] {
        assert_eq!(answer.row(untouched)["verdict"], "match");
    }
}

#[test]
fn a_reference_that_was_changed_as_well_is_not_believed() {
    let release = Release::new();
    let file = "auth-service/bin/auth-service";
    flip(&release.dist().join(file), 70_000, 0);
    flip(&release.good().join(file), 3, 0);
    let answer = release.verify(&[
        "--dist",
        &dist(&release),
        "--reference",
        &release.good().display().to_string(),
    ]);
    assert_eq!(answer.code, 1);
    assert_eq!(
        answer.row("auth-service")["difference"]["offset"]["from"],
        65_536
    );
}

#[test]
fn the_same_changed_folder_as_reference_does_not_make_it_good() {
    let release = Release::new();
    flip(&release.dist().join("sbom/twist.cdx.json"), 0, 0);
    let answer = release.verify(&["--dist", &dist(&release), "--reference", &dist(&release)]);
    assert_eq!(answer.code, 1);
}

#[test]
fn a_flipped_executable_bit_is_a_difference() {
    let release = Release::new();
    for (artifact, file, mode) in [
        ("auth-service", "auth-service/bin/auth-service", 0o644),
        ("edge-vau-processor", "edge-vau-processor/index.js", 0o755),
    ] {
        let path = release.dist().join(file);
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let answer = release.verify(&["--dist", &dist(&release)]);
        assert_eq!(answer.code, 1, "{file}");
        let row = answer.row(artifact);
        assert!(
            row["reason"].as_str().unwrap().contains("executable"),
            "{row}"
        );
    }
}

#[test]
fn permissions_that_are_no_part_of_an_artifact_do_not_matter() {
    let release = Release::new();
    let path = release.dist().join("sbom/twist.cdx.json");
    fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
    assert_eq!(release.verify(&["--dist", &dist(&release)]).code, 0);
}

#[test]
fn a_link_that_leads_elsewhere_or_became_a_file_is_a_difference() {
    let release = Release::new();
    let link = release.dist().join("twistctl/bin/twist");
    fs::remove_file(&link).unwrap();
    symlink("../../auth-service/bin/auth-service", &link).unwrap();
    let answer = release.verify(&["--dist", &dist(&release)]);
    assert_eq!(answer.code, 1);
    assert_eq!(answer.row("twistctl")["difference"]["file"], "bin/twist");

    fs::remove_file(&link).unwrap();
    fs::copy(release.dist().join("twistctl/bin/twistctl"), &link).unwrap();
    let answer = release.verify(&["--dist", &dist(&release)]);
    assert_eq!(answer.code, 1, "the same bytes, but no link");
}

#[test]
fn a_file_that_became_a_link_to_itself_elsewhere_is_a_difference() {
    let release = Release::new();
    let file = release.dist().join("edge-vau-processor/index.js");
    fs::remove_file(&file).unwrap();
    symlink(release.good().join("edge-vau-processor/index.js"), &file).unwrap();
    assert_eq!(release.verify(&["--dist", &dist(&release)]).code, 1);
}

#[test]
fn extra_files_and_folders_are_named() {
    let release = Release::new();
    put(&release.dist(), "edge-vau-processor/extra.js", b"x", false);
    put(&release.dist(), "stranger/file", b"x", false);
    put(&release.dist(), ".hidden", b"x", false);
    let answer = release.verify(&["--dist", &dist(&release)]);
    assert_eq!(answer.code, 1);
    assert_eq!(
        answer.row("edge-vau-processor")["difference"]["file"],
        "extra.js"
    );
    for name in ["stranger", ".hidden"] {
        assert!(
            answer
                .stdout
                .contains(&format!("{name} is in the folder and not in the manifest"))
        );
    }
}

#[test]
fn an_empty_folder_inside_an_artifact_is_a_difference() {
    let release = Release::new();
    fs::create_dir(release.dist().join("sbom/empty")).unwrap();
    assert_eq!(release.verify(&["--dist", &dist(&release)]).code, 1);
}

#[test]
fn a_missing_file_and_a_missing_artifact_are_told_apart() {
    let release = Release::new();
    fs::remove_dir_all(release.dist().join("sbom")).unwrap();
    let answer = release.verify(&["--dist", &dist(&release)]);
    assert_eq!(answer.code, 3);
    assert_eq!(answer.row("sbom")["verdict"], "missing");

    fs::remove_file(release.dist().join("edge-vau-processor/index.js")).unwrap();
    let answer = release.verify(&["--dist", &dist(&release)]);
    assert_eq!(answer.code, 1, "a difference is worse");
    assert_eq!(
        answer.row("edge-vau-processor")["difference"]["file"],
        "index.js"
    );
}

#[test]
fn a_folder_that_is_not_there_misses_everything() {
    let release = Release::new();
    let answer = release.verify(&["--dist", "nowhere"]);
    assert_eq!(answer.code, 3);
    let json = answer.json();
    assert!(
        json["rows"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["verdict"] == "missing")
    );
}

#[test]
fn a_link_to_nowhere_is_missing() {
    let release = Release::new();
    fs::remove_dir_all(release.dist().join("sbom")).unwrap();
    symlink("/nowhere/at/all", release.dist().join("sbom")).unwrap();
    let answer = release.verify(&["--dist", &dist(&release)]);
    assert_eq!(answer.code, 3);
}

#[test]
fn another_manifest_in_the_folder_is_a_difference() {
    let release = Release::new();
    let inside = release.dist().join("release.json");
    fs::copy(release.manifest(), &inside).unwrap();
    fs::copy(release.signature(), release.dist().join("release.json.sig")).unwrap();
    assert_eq!(release.verify(&["--dist", &dist(&release)]).code, 0);
    flip(&inside, 40, 1);
    let answer = release.verify(&["--dist", &dist(&release)]);
    assert_eq!(answer.code, 1);
    assert!(
        answer
            .stdout
            .contains("another manifest; it differs at byte 40")
    );
}

#[test]
fn a_socket_in_an_artifact_is_never_equal() {
    let release = Release::new();
    let _socket = UnixListener::bind(release.dist().join("sbom/socket")).unwrap();
    let answer = release.verify(&["--dist", &dist(&release)]);
    assert_eq!(answer.code, 5);
    assert!(
        answer.row("sbom")["reason"]
            .as_str()
            .unwrap()
            .contains("socket")
    );
}

#[test]
fn only_the_artifacts_asked_for_are_looked_at() {
    let release = Release::new();
    fs::remove_dir_all(release.dist().join("sbom")).unwrap();
    flip(&release.dist().join("auth-service/bin/auth-service"), 0, 0);
    let args = [
        "--dist",
        &dist(&release),
        "--artifact",
        "edge-vau-processor",
    ];
    let answer = release.verify(&args);
    assert_eq!(answer.code, 0);
    assert_eq!(answer.json()["rows"].as_array().unwrap().len(), 1);
}

#[test]
fn the_signature_in_the_folder_is_the_one_that_was_checked() {
    let release = Release::new();
    let inside = release.dist().join("release.json.sig");
    let key = release.key().display().to_string();
    let signed = ["--dist", &dist(&release), "--key", &key];
    let unsigned = ["--dist", &dist(&release)];
    fs::copy(release.signature(), &inside).unwrap();
    assert_eq!(release.verify(&signed).code, 0);
    // Another one, over something else.
    let other = attest::SigningKey::from_seed(&[9; 32]).sign(b"other");
    fs::write(&inside, other.to_text()).unwrap();
    let answer = release.verify(&signed);
    assert_eq!(answer.code, 1);
    assert!(
        answer.stdout.contains("another signature than"),
        "{answer:?}"
    );
    assert_eq!(release.verify(&unsigned).code, 0, "nobody checked any");
    for odd in ["hello", ""] {
        fs::write(&inside, odd).unwrap();
        assert_eq!(release.verify(&unsigned).code, 1, "{odd:?}");
    }
    fs::remove_file(&inside).unwrap();
    fs::create_dir(&inside).unwrap();
    assert_eq!(release.verify(&unsigned).code, 1, "a folder");
    fs::remove_dir(&inside).unwrap();
    symlink("nowhere", &inside).unwrap();
    assert_eq!(release.verify(&unsigned).code, 1, "a link to nowhere");
    fs::remove_file(&inside).unwrap();
    fifo(&inside);
    assert_eq!(release.verify(&unsigned).code, 1, "a pipe");
}

#[test]
fn a_manifest_in_the_folder_that_cannot_be_read_does_not_vanish() {
    let release = Release::new();
    let inside = release.dist().join("release.json");
    symlink("nowhere", &inside).unwrap();
    assert_eq!(release.verify(&["--dist", &dist(&release)]).code, 5);
    fs::remove_file(&inside).unwrap();
    fifo(&inside);
    assert_eq!(release.verify(&["--dist", &dist(&release)]).code, 5);
    fs::remove_file(&inside).unwrap();
    fs::create_dir(&inside).unwrap();
    assert_eq!(release.verify(&["--dist", &dist(&release)]).code, 5);
}

#[test]
fn a_pipe_in_an_artifact_is_not_waited_for() {
    let release = Release::new();
    let file = release.dist().join("sbom/twist.cdx.json");
    fs::remove_file(&file).unwrap();
    fifo(&file);
    let answer = release.verify(&["--dist", &dist(&release)]);
    assert_eq!(answer.code, 5);
    assert!(answer.stdout.contains("a pipe"), "{answer:?}");
}

#[test]
fn a_file_of_terabytes_is_a_difference_and_is_not_read() {
    let release = Release::new();
    let grow = |name: &str| {
        let path = release.dist().join(name);
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        // A hole: it takes no room.
        file.set_len(1 << 40).unwrap();
    };
    put(&release.dist(), "edge-vau-processor/extra", b"", false);
    grow("edge-vau-processor/extra");
    grow("auth-service/bin/auth-service");
    let good = release.good().display().to_string();
    let answer = release.verify(&["--dist", &dist(&release), "--reference", &good]);
    assert_eq!(answer.code, 1, "{answer:?}");
    for (artifact, file) in [
        ("auth-service", "bin/auth-service"),
        ("edge-vau-processor", "extra"),
    ] {
        let row = answer.row(artifact);
        assert_eq!(row["difference"]["file"], file);
        assert_eq!(row["difference"]["actual"], "1099511627776 bytes");
    }
}
