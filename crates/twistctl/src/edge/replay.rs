//! `edge replay`: segments that the backend did not get, from where the edge keeps copies of them.
//!
//! Every segment may be posted any number of times, as the backend counts each VAU once. The cursor file has a
//! line for each one that the backend has acknowledged; what is not in it is posted. So neither a segment that
//! was written late nor one whose receipt got lost is left out.

use crate::edge::EdgeError;
use crate::edge::api::is_loopback;
use crate::edge::segments::Key;
pub use crate::edge::segments::{Chosen, Source, is_day};
use crate::ui;
use contracts::ingest::SegmentReceipt;
use domain::EpochMs;
use domain::http_hmac::{KEY_ID_HEADER, SIGNATURE_HEADER, SignedRequest, TIMESTAMP_HEADER};
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

const PATH: &str = "/internal/v1/vau-batches";
/// How often a segment is posted before the backend counts as gone.
const TRIES: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// What was asked for.
#[derive(Debug)]
pub struct Options {
    /// Where the segments are.
    pub source: Source,
    /// Which of them.
    pub chosen: Chosen,
    /// The backend, without a path.
    pub backend: String,
    /// Names the secret to the backend.
    pub key_id: String,
    /// Signs.
    pub secret: Vec<u8>,
    /// What was acknowledged, over several runs.
    pub cursor: PathBuf,
    /// Only count.
    pub dry: bool,
}

/// What the receipts say, added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Acknowledged segments.
    pub segments: u64,
    /// VAUs counted by them.
    pub counted: u64,
    /// VAUs that had been counted before.
    pub duplicates: u64,
    /// Items that were set aside.
    pub quarantined: u64,
    /// Segments that the backend does not take.
    pub refused: u64,
}

/// Does it. Good if every segment that was chosen is acknowledged.
pub async fn run(options: &Options) -> Result<bool, EdgeError> {
    let url = backend(&options.backend)?;
    let keys = options.source.list(&options.chosen).await?;
    let mut cursor = Cursor::open(&options.cursor, options.dry)?;
    let left: Vec<&Key> = keys.iter().filter(|key| !cursor.has(key)).collect();
    ui::say(&format!(
        "{} segments, {} of them acknowledged earlier, {} to post",
        keys.len(),
        keys.len() - left.len(),
        left.len()
    ));
    if options.dry {
        ui::say("nothing was posted: this was a dry run");
        return Ok(true);
    }
    let poster = Poster::new(url, options)?;
    let mut totals = Totals::default();
    let mut stopped = None;
    for key in left {
        let body = options.source.read(key).await?;
        match poster.post(&body).await {
            Ok(receipt) => {
                cursor.note(key)?;
                totals.add(&receipt);
            }
            Err(Failure::Refused(why)) => {
                totals.refused += 1;
                ui::say(&format!("{}: {why}", key.name));
            }
            Err(Failure::Gone(why)) => {
                stopped = Some(format!("{}: {why}", key.name));
                break;
            }
        }
    }
    ui::say(&totals.text());
    match stopped {
        Some(why) => Err(EdgeError::help(format!(
            "{why}; the same command goes on from there"
        ))),
        None => Ok(totals.refused == 0),
    }
}

impl Totals {
    fn add(&mut self, receipt: &SegmentReceipt) {
        self.segments += 1;
        self.counted += u64::from(receipt.counted);
        self.duplicates += u64::from(receipt.duplicates);
        self.quarantined += receipt.quarantined.len() as u64;
    }

    fn text(&self) -> String {
        format!(
            "{} segments acknowledged: {} VAUs counted, {} had been counted before, {} set aside; {} segments refused",
            self.segments, self.counted, self.duplicates, self.quarantined, self.refused
        )
    }
}

/// The segments that were acknowledged, a line each.
struct Cursor {
    path: PathBuf,
    done: BTreeSet<String>,
    /// None where nothing is to be changed.
    file: Option<File>,
}

impl Cursor {
    fn open(path: &Path, dry: bool) -> Result<Self, EdgeError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(EdgeError::io("read", path)(error)),
        };
        // The last line may have been torn by a crash: that segment is posted again.
        let end = text.rfind('\n').map_or(0, |at| at + 1);
        let whole = text.get(..end).unwrap_or_default();
        if let Some(line) = whole.lines().find(|line| Key::of(line).is_none()) {
            return Err(EdgeError::help(format!(
                "{} is no cursor of a replay: it has the line {line:?}",
                path.display()
            )));
        }
        let done = whole.lines().map(str::to_owned).collect();
        let file = if dry {
            None
        } else {
            let file = OpenOptions::new().create(true).append(true).open(path);
            let file = file.map_err(EdgeError::io("write", path))?;
            file.set_len(end as u64)
                .map_err(EdgeError::io("write", path))?;
            Some(file)
        };
        Ok(Self {
            path: path.to_owned(),
            done,
            file,
        })
    }

    fn has(&self, key: &Key) -> bool {
        self.done.contains(&key.name)
    }

    fn note(&mut self, key: &Key) -> Result<(), EdgeError> {
        if let Some(file) = &mut self.file {
            file.write_all(format!("{}\n", key.name).as_bytes())
                .and_then(|()| file.sync_data())
                .map_err(EdgeError::io("write", &self.path))?;
        }
        Ok(())
    }
}

/// Only what has to be known of a segment.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Segment {
    segment_id: Uuid,
}

enum Failure {
    /// This segment is not taken; others may be.
    Refused(String),
    /// None would be.
    Gone(String),
}

struct Poster<'a> {
    http: Client,
    url: Url,
    options: &'a Options,
}

impl<'a> Poster<'a> {
    fn new(url: Url, options: &'a Options) -> Result<Self, EdgeError> {
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30));
        if is_loopback(&url) {
            // A proxy's own machine is not this one.
            builder = builder.no_proxy();
        }
        let http = builder
            .build()
            .map_err(|error| EdgeError::help(error.to_string()))?;
        Ok(Self { http, url, options })
    }

    async fn post(&self, body: &[u8]) -> Result<SegmentReceipt, Failure> {
        let segment: Segment = serde_json::from_slice(body)
            .map_err(|error| Failure::Refused(format!("it is no segment ({error})")))?;
        let mut tried = 1;
        loop {
            let why = match self.once(body).await {
                Ok((StatusCode::OK, answer)) => {
                    let receipt = serde_json::from_slice::<SegmentReceipt>(&answer).ok();
                    return receipt
                        .filter(|receipt| receipt.segment_id == segment.segment_id)
                        .ok_or_else(|| {
                            Failure::Gone("the answer is no receipt for it".to_owned())
                        });
                }
                Ok((status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), _)) => {
                    return Err(Failure::Gone(format!(
                        "the backend answers {status}: it does not know the key, the secret is another one, or the clocks are minutes apart"
                    )));
                }
                Ok((status, _)) if status.is_client_error() && !is_passing(status) => {
                    return Err(Failure::Refused(format!("the backend answers {status}")));
                }
                Ok((status, _)) => format!("the backend answers {status}"),
                Err(error) => format!("the backend cannot be reached ({error})"),
            };
            if tried == TRIES {
                return Err(Failure::Gone(why));
            }
            tokio::time::sleep(FIRST_WAIT * 2_u32.pow(tried)).await;
            tried += 1;
        }
    }

    async fn once(&self, body: &[u8]) -> Result<(StatusCode, Vec<u8>), String> {
        let timestamp = now();
        let signature = SignedRequest {
            method: "POST",
            path: PATH,
            timestamp,
            body,
        }
        .sign(&self.options.secret);
        let request = self
            .http
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header(KEY_ID_HEADER, &self.options.key_id)
            .header(TIMESTAMP_HEADER, timestamp.to_string())
            .header(SIGNATURE_HEADER, signature)
            .body(body.to_vec());
        let reason = |error: reqwest::Error| error.without_url().to_string();
        let response = request.send().await.map_err(reason)?;
        let status = response.status();
        let answer = response.bytes().await.map_err(reason)?;
        Ok((status, answer.to_vec()))
    }
}

fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
    )
}

fn backend(text: &str) -> Result<Url, EdgeError> {
    let base = Url::parse(text).ok();
    let base = base.filter(|url| matches!(url.scheme(), "http" | "https") && url.path() == "/");
    let url = base.and_then(|url| url.join(PATH).ok());
    url.ok_or_else(|| {
        EdgeError::help(format!(
            "{text:?} is no address of a backend, such as http://127.0.0.1:3003"
        ))
    })
}

fn now() -> EpochMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    });
    EpochMs::new(ms).unwrap_or(EpochMs::MAX)
}
