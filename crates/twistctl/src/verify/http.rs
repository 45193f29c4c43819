//! One GET to a server that nobody trusts: five seconds, 64 KiB, no redirects.

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use std::error::Error;
use std::time::Duration;

/// From the name's lookup to the last byte.
const WHOLE: Duration = Duration::from_secs(5);
const MOST_BYTES: usize = 64 << 10;

/// The address below which a service answers, if it is one that can be asked.
pub(crate) fn base(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{text:?} is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{text:?} begins with neither http:// nor https://"));
    }
    // The report shows the address.
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with a password in it is not taken".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!(
            "{text:?} has a part after ? or #; give the address of the service alone"
        ));
    }
    Ok(url)
}

/// The body of the answer 200, or why there is none.
pub(crate) fn get(base: &Url, path: &str) -> Result<Vec<u8>, String> {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    within(WHOLE, fetch(url))?.unwrap_or_else(|| Err(too_slow()))
}

/// Runs it; none if it has not ended by then. Nothing that it started is waited for: a lookup of a name that never
/// ends is a thread that nobody can stop.
fn within<T>(time: Duration, work: impl Future<Output = T>) -> Result<Option<T>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let answer = runtime.block_on(async { tokio::time::timeout(time, work).await });
    runtime.shutdown_background();
    Ok(answer.ok())
}

async fn fetch(url: Url) -> Result<Vec<u8>, String> {
    let mut builder = Client::builder().redirect(Policy::none()).timeout(WHOLE);
    if is_loopback(&url) {
        // A proxy's own machine is not this one.
        builder = builder.no_proxy();
    }
    let client = builder.build().map_err(reason)?;
    let mut response = client.get(url).send().await.map_err(reason)?;
    let status = response.status();
    if status.is_redirection() {
        return Err(format!(
            "it answers {} and sends the reader elsewhere, where nobody followed",
            status.as_u16()
        ));
    }
    if status != StatusCode::OK {
        return Err(format!("it answers {status}"));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reason)? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BYTES {
            return Err(format!(
                "its answer is larger than {} KiB",
                MOST_BYTES >> 10
            ));
        }
    }
    Ok(body)
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn reason(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return too_slow();
    }
    let mut cause: &dyn Error = &error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if error.is_connect() {
        format!("it cannot be reached ({cause})")
    } else {
        format!("its answer broke off ({cause})")
    }
}

fn too_slow() -> String {
    format!("it did not answer within {} s", WHOLE.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Instant;

    #[test]
    fn a_lookup_that_never_ends_does_not_keep_the_program() {
        let (_open, never) = mpsc::channel::<()>();
        let lookup = async {
            let wait = move || never.recv_timeout(Duration::from_secs(30)).is_ok();
            tokio::task::spawn_blocking(wait).await
        };
        let started = Instant::now();
        let answer = within(Duration::from_millis(50), lookup).unwrap();
        assert!(answer.is_none());
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn only_a_plain_web_address_is_asked() {
        assert!(base("http://127.0.0.1:3001").is_ok());
        assert!(base("https://app.example.org/api/v1/").is_ok());
        for bad in [
            "127.0.0.1:3001",
            "file:///etc/passwd",
            "ftp://h/",
            "http://user:secret@h/",
            "http://h/?a",
            "http://h/#a",
            "",
        ] {
            assert!(base(bad).is_err(), "{bad:?}");
        }
        assert!(
            !base("http://user:secret@h/")
                .unwrap_err()
                .contains("secret")
        );
    }
}
