//! A layer, laid over the ones beneath it.

use crate::CtlError;
use std::fs;
use std::path::Path;

/// Unpacks an uncompressed layer into `root`. An entry that would lie elsewhere is refused.
pub(super) fn layer(archive: &[u8], root: &Path) -> Result<(), CtlError> {
    let io = || CtlError::io("unpack a layer into", root);
    fs::create_dir_all(root).map_err(io())?;
    let mut archive = tar::Archive::new(archive);
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(stack::is_root());
    for entry in archive.entries().map_err(io())? {
        let mut entry = entry.map_err(io())?;
        let name = entry.path().map_err(io())?.into_owned();
        if name
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(".wh."))
        {
            return Err(CtlError::Help(format!(
                "{} removes something of a lower layer, which none of our images does",
                name.display()
            )));
        }
        if !entry.unpack_in(root).map_err(io())? {
            return Err(CtlError::Help(format!(
                "{} lies outside of the image",
                name.display()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(name: &str) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        // `set_path` refuses what a hostile archive may well have.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(1);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        let mut archive = tar::Builder::new(Vec::new());
        archive.append(&header, b"x".as_slice()).unwrap();
        archive.into_inner().unwrap()
    }

    #[test]
    fn a_layer_writes_nowhere_but_into_its_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        layer(&archive("etc/good"), &root).unwrap();
        assert!(root.join("etc/good").is_file());
        for bad in ["../escaped", "etc/../../escaped", "etc/.wh.good"] {
            assert!(layer(&archive(bad), &root).is_err(), "{bad}");
        }
        assert!(!folder.path().join("escaped").exists());
    }
}
