//! What the head of a request gives away.

use super::decode::readings;
use crate::proxy::is_framing_clear;
use std::net::IpAddr;

pub(super) type Headers = [(String, String)];

pub(super) fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// Names in which a caller claims another address, host or path. None is Cloudflare's.
const CLAIMS: [&str; 16] = [
    "x-originating-ip",
    "x-remote-ip",
    "x-client-ip",
    "x-forwarded-host",
    "x-forwarded-server",
    "x-host",
    "x-remote-addr",
    "x-cluster-client-ip",
    "client-ip",
    "true-client-ip",
    "x-original-url",
    "x-rewrite-url",
    "x-custom-ip-authorization",
    "x-original-host",
    "x-proxyuser-ip",
    "x-forwarded-path",
];

/// Whether a caller pretends to be somebody else: two such claims, or one to be this very machine.
pub(super) fn claims_another_origin(headers: &Headers) -> bool {
    let claims = headers
        .iter()
        .filter(|(name, _)| CLAIMS.iter().any(|claim| name.eq_ignore_ascii_case(claim)));
    let addressed = |name: &str| {
        ["x-forwarded-for", "x-real-ip", "forwarded"]
            .iter()
            .chain(&CLAIMS)
            .any(|known| name.eq_ignore_ascii_case(known))
    };
    claims.count() >= 2
        || headers
            .iter()
            .filter(|(name, _)| addressed(name))
            .any(|(_, value)| names_this_machine(value))
}

fn names_this_machine(value: &str) -> bool {
    value.split([',', ';', ' ']).any(|part| {
        let part = part
            .trim()
            .trim_start_matches("for=")
            .trim_start_matches("by=");
        let part = part.trim_matches(['"', '[', ']']);
        part.eq_ignore_ascii_case("localhost")
            || part
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback() || address.is_unspecified())
    })
}

/// Whether two parsers could see two requests in this one.
pub(super) fn is_smuggled(headers: &Headers) -> bool {
    let all = |wanted: &str| {
        headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .count()
    };
    let value = |name| header(headers, name).map(str::trim);
    let framing = is_framing_clear(
        header(headers, "content-length"),
        header(headers, "transfer-encoding"),
    );
    let twice = all("content-length") > 1 || all("transfer-encoding") > 1 || all("host") > 1;
    let spelled = ["content_length", "transfer_encoding"]
        .iter()
        .any(|name| all(name) > 0);
    let upgrade = value("upgrade").is_some_and(|to| to.eq_ignore_ascii_case("h2c"))
        || value("http2-settings").is_some();
    let connection = value("connection").is_some_and(|names| {
        names.split(',').any(|name| {
            [
                "authorization",
                "content-length",
                "cf-connecting-ip",
                "content-type",
                "host",
            ]
            .iter()
            .any(|kept| name.trim().eq_ignore_ascii_case(kept))
        })
    });
    !framing || twice || spelled || upgrade || connection
}

/// Headers that a response splitter wants to write.
const WRITTEN: [&str; 16] = [
    "set-cookie",
    "location",
    "content-type",
    "content-length",
    "content-encoding",
    "content-disposition",
    "transfer-encoding",
    "refresh",
    "host",
    "cookie",
    "authorization",
    "connection",
    "cache-control",
    "link",
    "status",
    "www-authenticate",
];

/// Whether a text in lower case, put into a head, would add a line of its own. A text of several lines is none.
pub(super) fn splits_head(text: &str) -> bool {
    if text.contains('\0') {
        return true;
    }
    text.split(['\r', '\n']).skip(1).any(|line| {
        let line = line.trim_start_matches([' ', '\t']);
        let name = line.split(':').next().unwrap_or_default();
        let named = name.len() < line.len()
            && (WRITTEN.contains(&name)
                || ["x-", "access-control-", "sec-"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix)));
        named || line.starts_with("http/1.")
    }) || text.contains("\r\n\r\n<")
}

/// Whether the value of a header has a line break in it, however it is written.
pub(super) fn has_line_break(value: &str) -> bool {
    value.contains(['\r', '\n', '\0'])
        || readings(value, false).iter().any(|text| splits_head(text))
}

/// Words of which programs that look for holes are made.
const SCANNERS: [&str; 44] = [
    "sqlmap",
    "nikto",
    "nmap",
    "masscan",
    "zgrab",
    "havij",
    "acunetix",
    "nessus",
    "openvas",
    "dirbuster",
    "gobuster",
    "fuzz",
    "ffuf",
    "wpscan",
    "nuclei",
    "projectdiscovery",
    "w3af",
    "arachni",
    "wfuzz",
    "feroxbuster",
    "jaeles",
    "censysinspect",
    "l9explore",
    "hydra",
    "commix",
    "xsser",
    "qualys",
    "detectify",
    "burp",
    "zap",
    "whatweb",
    "vega",
    "skipfish",
    "paros",
    "morfeus",
    "scanner",
    "scripting",
    "dirsearch",
    "metasploit",
    "libwww-perl",
    "scrapy",
    "crawler",
    "spider",
    "scraper",
];
/// Bots that are welcome.
const WELCOME: [&str; 10] = [
    "googlebot",
    "bingbot",
    "slurp",
    "duckduckbot",
    "facebookexternalhit",
    "twitterbot",
    "linkedinbot",
    "whatsapp",
    "applebot",
    "uptimerobot",
];

/// Whether a caller says that it is a scanner or an unknown crawler. Clients that are libraries are our clients.
pub(super) fn is_scanner(agent: &str) -> bool {
    let agent = agent.to_ascii_lowercase();
    let words = agent.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let mut words = words.filter(|word| !word.is_empty());
    words.any(|word| {
        let known = SCANNERS.iter().any(|name| {
            word == *name
                || word
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('-'))
        });
        let kind = ["crawler", "spider", "scraper", "nuclei"]
            .iter()
            .any(|kind| word.ends_with(kind));
        known || kind || is_bot(&agent, word)
    })
}

/// `SomeBot/1.0`: a product that ends in "bot".
fn is_bot(agent: &str, word: &str) -> bool {
    word.len() > "bot".len()
        && word.ends_with("bot")
        && !WELCOME.contains(&word)
        && agent.contains(&format!("{word}/"))
}

/// Kinds of files that a server would run.
const RUN: [&str; 36] = [
    "php", "php3", "php4", "php5", "php7", "phtml", "phar", "asp", "aspx", "ashx", "jsp", "jspx",
    "war", "jar", "exe", "msi", "dll", "scr", "com", "bat", "cmd", "ps1", "vbs", "hta", "sh",
    "bash", "pl", "py", "rb", "cgi", "shtml", "htaccess", "cfm", "so", "elf", "wsf",
];

/// Whether a request uploads something that a server would run.
pub(super) fn uploads_program(path: &str, headers: &Headers, body: Option<&[u8]>) -> bool {
    let kind = header(headers, "content-type")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let multipart = kind.starts_with("multipart/");
    let named = header(headers, "content-disposition").is_some_and(names_program);
    let part = multipart && body.is_some_and(|body| names_program(&String::from_utf8_lossy(body)));
    let target = (multipart || kind.starts_with("application/octet-stream"))
        && readings(path, false)
            .iter()
            .any(|path| runs(path.rsplit('/').next().unwrap_or_default()));
    named || part || target
}

fn names_program(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.split("filename").skip(1).any(|rest| {
        let value = rest.trim_start_matches(['*', '=', ' ', '"', '\'']);
        let name = value
            .split(['"', '\r', '\n', ';'])
            .next()
            .unwrap_or_default();
        readings(name, false).iter().any(|name| runs(name))
    })
}

/// Any part of the name counts: servers disagree about which one decides.
fn runs(name: &str) -> bool {
    name == "web.config"
        || name
            .split(['.', '\0', ';', ':'])
            .skip(1)
            .any(|part| RUN.contains(&part.trim()))
}
