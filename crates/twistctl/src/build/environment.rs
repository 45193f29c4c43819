//! What of the person's environment a compiler gets to see: what it needs to run, to find its files and to
//! download, and nothing that could change what it writes.

use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::process::Command;

const NAMES: [&str; 12] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TERM",
    "TMPDIR",
    "CARGO_HOME",
    "CARGO_BUILD_JOBS",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NIX_SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
];

const PREFIXES: [&str; 11] = [
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_TERM_",
    "FAKETIME",
    // Which of its two roles a compiler of the Nix shell plays.
    "NIX_BINTOOLS_WRAPPER_TARGET_",
    "NIX_CC_WRAPPER_TARGET_",
    // The version of the compiler is compared with the locked one.
    "RUSTUP_",
    "SSL_CERT_",
    "TWIST_",
];

/// Takes everything else from `command`, but not what was set for it.
pub(crate) fn clean(command: &mut Command) {
    clean_of(command, env::vars_os());
}

/// The same for these variables.
pub(super) fn clean_of(
    command: &mut Command,
    inherited: impl Iterator<Item = (OsString, OsString)>,
) {
    let set: BTreeSet<OsString> = command
        .get_envs()
        .map(|(name, _)| name.to_owned())
        .collect();
    for (name, value) in inherited {
        if !set.contains(&name) && !is_kept(&name, &value) {
            command.env_remove(name);
        }
    }
}

fn is_kept(name: &OsStr, value: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    NAMES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || name.to_ascii_lowercase().ends_with("_proxy")
        || (name == "LD_PRELOAD" && is_faketime(value))
}

/// The library by which a second build is told the wrong time.
fn is_faketime(preload: &OsStr) -> bool {
    preload.to_str().is_some_and(|list| {
        let mut files = list.split([':', ' ']).filter(|file| !file.is_empty());
        files.all(|file| {
            file.rsplit('/')
                .next()
                .is_some_and(|name| name.starts_with("libfaketime"))
        })
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What could change the code.
    pub(in crate::build) const LEAKS: [&str; 44] = [
        "RUSTC",
        "RUSTDOC",
        "RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_BOOTSTRAP",
        "CARGO_BUILD_RUSTC",
        "CARGO_BUILD_RUSTC_WRAPPER",
        "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_INCREMENTAL",
        "CARGO_PROFILE_RELEASE_LTO",
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
        "CC",
        "CXX",
        "AR",
        "LD",
        "HOST_CC",
        "TARGET_CC",
        "TARGET_CFLAGS",
        "HOST_CXXFLAGS",
        "CC_x86_64-unknown-linux-gnu",
        "CFLAGS_x86_64-unknown-linux-gnu",
        "CFLAGS_x86_64_unknown_linux_gnu",
        "CXXFLAGS_x86_64_unknown_linux_gnu",
        "AR_wasm32-unknown-unknown",
        "CPPFLAGS",
        "LDFLAGS",
        "CPATH",
        "C_INCLUDE_PATH",
        "LIBRARY_PATH",
        "LD_LIBRARY_PATH",
        "LD_RUN_PATH",
        "LD_PRELOAD",
        "MAKEFLAGS",
        "CARGO_MAKEFLAGS",
        "GCC_EXEC_PREFIX",
        "COMPILER_PATH",
        "NIX_CFLAGS_COMPILE",
        "NIX_LDFLAGS",
        "NODE_OPTIONS",
    ];

    fn kept(name: &str, value: &str) -> bool {
        is_kept(OsStr::new(name), OsStr::new(value))
    }

    #[test]
    fn what_could_change_the_code_is_not_kept() {
        for name in LEAKS {
            assert!(!kept(name, "/somewhere/else"), "{name}");
        }
    }

    #[test]
    fn what_a_build_needs_is_kept() {
        for name in [
            "PATH",
            "HOME",
            "CARGO_HOME",
            "RUSTUP_TOOLCHAIN",
            "RUSTUP_HOME",
            "https_proxy",
            "NO_PROXY",
            "SSL_CERT_FILE",
            "CARGO_HTTP_CAINFO",
            "CARGO_NET_OFFLINE",
            "CARGO_BUILD_JOBS",
            "TMPDIR",
            "FAKETIME_DONT_FAKE_MONOTONIC",
            "TWIST_WASM_RUSTC",
        ] {
            assert!(kept(name, "x"), "{name}");
        }
        assert!(kept("LD_PRELOAD", "/usr/lib/faketime/libfaketime.so.1"));
        assert!(!kept(
            "LD_PRELOAD",
            "/usr/lib/faketime/libfaketime.so.1:/tmp/mine.so"
        ));
    }

    #[test]
    fn what_was_set_for_the_command_stays() {
        let mut command = Command::new("true");
        command.env("CFLAGS", "ours");
        let inherited = [("CFLAGS", "theirs"), ("CC", "theirs")];
        clean_of(
            &mut command,
            inherited
                .into_iter()
                .map(|(name, value)| (name.into(), value.into())),
        );
        let envs: Vec<_> = command.get_envs().collect();
        assert_eq!(
            envs,
            [
                (OsStr::new("CC"), None),
                (OsStr::new("CFLAGS"), Some(OsStr::new("ours")))
            ]
        );
    }
}
