//! `doctor`.

use crate::repository::{self, Edits};
use crate::run::ask;
use crate::{Paths, tools, ui};
use std::fs;
use std::path::Path;

/// One thing that is needed.
struct Finding {
    name: &'static str,
    /// The version or place, or what is wrong.
    found: Result<String, String>,
    /// What to type.
    mend: String,
}

/// Looks at everything. Succeeds when nothing is missing.
pub fn run(paths: &Paths) -> bool {
    let findings = [
        rustc(paths),
        rust_tool("clippy", &["clippy", "--version"], "clippy"),
        rust_tool("rustfmt", &["fmt", "--version"], "rustfmt"),
        wasm_target(),
        compiler(),
        postgres(),
        redis(),
        node(paths),
        npm_packages(paths),
        on_path(
            "shellcheck",
            &["--version"],
            "./twist installs it; or: apt-get install shellcheck",
        ),
        on_path("git", &["--version"], "apt-get install git"),
        checkout(paths),
        writable("cache folder", &paths.cache),
        writable("state folder", &paths.state),
    ];
    for finding in &findings {
        match &finding.found {
            Ok(found) => ui::say(&format!("  ✓ {:<18} {found}", finding.name)),
            Err(wrong) => ui::say(&format!(
                "  ✗ {:<18} {wrong}\n      mend it: {}",
                finding.name, finding.mend
            )),
        }
    }
    ui::say(&match ask("nix", &["--version"]) {
        Some(version) => format!("  ✓ {:<18} {version}", "nix (optional)"),
        None => format!(
            "  - {:<18} not here; only `test nix` needs it",
            "nix (optional)"
        ),
    });
    findings.iter().all(|finding| finding.found.is_ok())
}

/// The compiler that the repository pins is the one that makes the published bytes.
fn rustc(paths: &Paths) -> Finding {
    let pinned = fs::read_to_string(paths.root.join("rust-toolchain.toml"))
        .ok()
        .and_then(|text| {
            let line = text
                .lines()
                .find(|line| line.trim().starts_with("channel"))?;
            Some(line.split('"').nth(1)?.to_owned())
        })
        .unwrap_or_default();
    let version = ask("rustc", &["--version"]);
    let found = match version {
        None => Err("rustc does not run".to_owned()),
        Some(version) if version.split(' ').nth(1) == Some(pinned.as_str()) => Ok(version),
        Some(version) => Err(format!("{version}, but the repository pins {pinned}")),
    };
    Finding {
        name: "rustc",
        found,
        mend: format!("rustup toolchain install {pinned} && unset RUSTUP_TOOLCHAIN"),
    }
}

fn rust_tool(name: &'static str, args: &[&str], component: &str) -> Finding {
    Finding {
        name,
        found: ask("cargo", args).ok_or_else(|| "missing".to_owned()),
        mend: format!("rustup component add {component}"),
    }
}

fn wasm_target() -> Finding {
    let sysroot = ask(
        "rustc",
        &[
            "--print",
            "target-libdir",
            "--target",
            "wasm32-unknown-unknown",
        ],
    );
    let found = match (sysroot, tools::wasm_rustc()) {
        (_, Some(rustc)) if rustc.is_file() => {
            Ok(format!("made from Debian's: {}", rustc.display()))
        }
        (Some(folder), _) if Path::new(&folder).is_dir() => Ok(folder),
        _ => Err("the standard library for wasm32 is missing".to_owned()),
    };
    Finding {
        name: "wasm32 target",
        found,
        mend: "rustup target add wasm32-unknown-unknown".into(),
    }
}

fn compiler() -> Finding {
    on_path("cc", &["--version"], "apt-get install gcc libc6-dev")
}

fn postgres() -> Finding {
    let found = stack::binaries::postgres()
        .map_err(|error| error.to_string())
        .and_then(|found| {
            ask(&found.postgres, &["--version"])
                .ok_or_else(|| format!("{} does not run", found.postgres.display()))
        });
    Finding {
        name: "PostgreSQL",
        found,
        mend: "./twist installs it; or: apt-get install postgresql".into(),
    }
}

fn redis() -> Finding {
    let found = stack::binaries::redis()
        .map_err(|error| error.to_string())
        .and_then(|program| {
            ask(&program, &["--version"])
                .ok_or_else(|| format!("{} does not run", program.display()))
        });
    Finding {
        name: "Redis",
        found,
        mend: "./twist installs it; or: apt-get install redis-server".into(),
    }
}

fn node(paths: &Paths) -> Finding {
    let found = tools::node(paths)
        .map_err(|error| error.to_string())
        .map(|node| {
            let version = ask(&node, &["--version"]).unwrap_or_default();
            format!("{version} {}", node.display())
        });
    Finding {
        name: "Node.js",
        found,
        mend: "./twist sets it up; or install Node.js 22 or newer".into(),
    }
}

fn npm_packages(paths: &Paths) -> Finding {
    let modules = paths.node_modules();
    let all = [
        modules.join("miniflare/package.json").is_file(),
        tools::esbuild(paths).is_ok(),
        tools::wasm_opt(paths).is_ok(),
    ];
    let found = if all == [true; 3] {
        Ok(modules.display().to_string())
    } else {
        Err(format!("incomplete in {}", modules.display()))
    };
    Finding {
        name: "npm packages",
        found,
        mend: "./twist installs them from edge/package-lock.json".into(),
    }
}

/// A build takes what it reads, so a file that a cloud drive has not fetched is a wrong build.
fn checkout(paths: &Paths) -> Finding {
    let found = match repository::check(&paths.root, Edits::here()) {
        Ok(report) if report.is_good() => Ok(report.text()),
        Ok(report) => Err(report.text().replace('\n', "\n      ")),
        Err(error) => Err(error.to_string()),
    };
    Finding {
        name: "checkout",
        found,
        mend: "move the checkout out of the synchronised folder and `git checkout -- FILE`; an output: `git rm --cached FILE`".into(),
    }
}

fn on_path(name: &'static str, args: &[&str], mend: &str) -> Finding {
    let found = ask(name, args)
        .map(|text| {
            let versioned = text
                .lines()
                .find(|line| line.contains(|c: char| c.is_ascii_digit()));
            versioned.unwrap_or_default().to_owned()
        })
        .ok_or_else(|| "not found".to_owned());
    Finding {
        name,
        found,
        mend: mend.to_owned(),
    }
}

fn writable(name: &'static str, folder: &Path) -> Finding {
    let probe = folder.join(".doctor");
    let found = fs::create_dir_all(folder)
        .and_then(|()| fs::write(&probe, ""))
        .and_then(|()| fs::remove_file(&probe))
        .map(|()| folder.display().to_string())
        .map_err(|error| format!("{}: {error}", folder.display()));
    Finding {
        name,
        found,
        mend: "give the folder back to yourself: chown -R $(id -u) on it".into(),
    }
}
