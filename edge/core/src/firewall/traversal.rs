//! Paths that lead out of where they should stay.

use super::Care;

/// Files and folders that nobody asks for but a thief. Below a root, with slashes.
const SENSITIVE: [&str; 34] = [
    "etc/passwd",
    "etc/shadow",
    "etc/hosts",
    "etc/group",
    "etc/sudoers",
    "proc/self",
    "proc/version",
    "windows/win.ini",
    "windows/system32",
    "winnt/system32",
    "boot.ini",
    "win.ini",
    ".ssh/",
    "id_rsa",
    "authorized_keys",
    ".env",
    ".git/",
    ".svn/",
    ".hg/",
    ".aws/",
    ".htpasswd",
    ".htaccess",
    ".ds_store",
    "wp-config",
    "web.config",
    "web-inf/",
    "var/log/",
    "root/.",
    "manager/html",
    "phpunit/",
    ".npmrc",
    ".dockerenv",
    "config.php",
    "cgi-bin/",
];

/// Whether a path in lower case climbs, or names what it should not.
pub(super) fn is_attack_path(path: &str) -> bool {
    let path = slashes(path);
    let climbs = path
        .split('/')
        .any(|segment| matches!(segment.split(';').next(), Some("..")) || segment.contains('\0'));
    climbs || names_sensitive(&path)
}

fn names_sensitive(path: &str) -> bool {
    SENSITIVE.iter().any(|file| {
        path.split_once(file)
            .is_some_and(|(before, _)| before.ends_with('/'))
    })
}

/// Whether a value in lower case is such a path. A text about paths is none.
pub(super) fn is_attack(text: &str, care: Care) -> bool {
    if !text.contains(['/', '\\', '.']) {
        return false;
    }
    let path = slashes(text);
    let ups = count_ups(&path);
    let whole = !path.trim().contains(' ');
    let named = whole && SENSITIVE.iter().any(|file| path.contains(file));
    let rooted = whole && is_rooted(&path);
    match care {
        Care::Full => (ups >= 2 && (whole || named)) || (ups == 1 && named) || (rooted && named),
        Care::Opaque => ups >= 2 && named,
    }
}

/// Starts at the root of a file system.
fn is_rooted(path: &str) -> bool {
    let path = path
        .strip_prefix("file://")
        .or_else(|| path.strip_prefix("php://filter"))
        .unwrap_or(path);
    path.starts_with('/') || path.get(1..3) == Some(":/") || path.starts_with("./")
}

/// `..` as a segment; `....//`, which some filters turn into it; `..;`, which some servers do.
fn count_ups(path: &str) -> usize {
    path.split('/')
        .filter(|segment| {
            let name = segment.split(['\0', ';']).next().unwrap_or_default();
            let name = name
                .rsplit(['=', '"', '\'', ':'])
                .next()
                .unwrap_or_default();
            matches!(name, ".." | "....")
        })
        .count()
}

fn slashes(text: &str) -> String {
    text.replace('\\', "/")
}
