//! Reading artifacts from the disk.

use crate::kit::release::{fifo, put};
use attest::Node;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use twistctl::artifact::walk;

fn link(target: &str) -> Node {
    Node::Link {
        target: target.into(),
    }
}

#[test]
fn files_folders_and_links_are_read_as_they_are() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("artifact");
    put(&root, "bin/tool", b"x", true);
    put(&root, "a/b/c", b"", false);
    fs::create_dir(root.join("empty")).unwrap();
    symlink("bin/tool", root.join("link")).unwrap();
    symlink("/nowhere", root.join("dangling")).unwrap();
    symlink("a", root.join("folder")).unwrap();
    let Node::Folder(children) = walk::read(&root).unwrap() else {
        panic!("a folder")
    };
    let names: Vec<&String> = children.keys().collect();
    assert_eq!(names, ["a", "bin", "dangling", "empty", "folder", "link"]);
    assert_eq!(children["link"], link("bin/tool"));
    assert_eq!(children["dangling"], link("/nowhere"));
    assert_eq!(children["folder"], link("a"), "not followed");
    assert_eq!(
        children["empty"],
        Node::Folder(std::collections::BTreeMap::new())
    );
}

#[test]
fn a_link_as_the_artifact_leads_to_it() {
    let home = tempfile::tempdir().unwrap();
    put(home.path(), "file", b"x", false);
    symlink("file", home.path().join("one")).unwrap();
    symlink("one", home.path().join("two")).unwrap();
    let file = Node::File {
        executable: false,
        contents: b"x".to_vec(),
    };
    assert_eq!(walk::read(&home.path().join("two")).unwrap(), file);
}

fn refused(path: &std::path::Path, said: &str) {
    let error = walk::read(path).unwrap_err().to_string();
    assert!(error.contains(said), "{said:?} in {error:?}");
}

#[test]
fn what_has_no_place_in_an_artifact_is_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    let make = |name: &str| {
        let root = home.path().join(name);
        fs::create_dir(&root).unwrap();
        root
    };
    refused(&home.path().join("nowhere"), "nowhere");

    let root = make("socket");
    let _socket = UnixListener::bind(root.join("here")).unwrap();
    refused(&root, "here\" is a socket");

    let root = make("names");
    fs::write(root.join(OsStr::from_bytes(b"bad\xff")), "").unwrap();
    refused(&root, "bad\\xFF\" has a name that is not UTF-8");

    let root = make("links");
    symlink(OsStr::from_bytes(b"\xff"), root.join("link")).unwrap();
    refused(&root, "link\" is a link to a name that is not UTF-8");

    let root = make("circle");
    symlink("circle", home.path().join("circle2")).unwrap();
    fs::remove_dir(&root).unwrap();
    symlink("circle2", &root).unwrap();
    refused(&root, "circle");

    let mut deep = make("deep");
    for _ in 0..70 {
        deep.push("d");
        fs::create_dir(&deep).unwrap();
    }
    refused(&home.path().join("deep"), "lies too deep");

    refused(
        std::path::Path::new("/dev/null"),
        "is a socket, a device or a pipe",
    );
}

#[test]
fn a_file_larger_than_an_artifact_may_be_is_not_read() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("huge");
    // Sparse: it takes no room.
    fs::File::create(&path).unwrap().set_len(5 << 30).unwrap();
    refused(&path, "larger than 2147483648 bytes");
}

#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let pipe = home.path().join("artifact/pipe");
    put(home.path(), "artifact/file", b"x", false);
    fifo(&pipe);
    refused(
        &home.path().join("artifact"),
        "is a socket, a device or a pipe",
    );
    refused(&pipe, "is a socket, a device or a pipe");
}
