//! Where accepted VAUs were kept: objects `edge/segments/<shard>/<yyyy-mm-dd>/<number>…`, one segment each.

use crate::edge::EdgeError;
use crate::edge::api::Api;
use std::fs;
use std::path::{Path, PathBuf};

/// Before every name.
pub(super) const PREFIX: &str = "edge/segments/";

/// Where they are read.
#[derive(Debug, Clone)]
pub enum Source {
    /// A bucket.
    Bucket {
        /// The account.
        api: Api,
        /// The bucket's full name.
        bucket: String,
    },
    /// A folder with a copy of the bucket.
    Folder(PathBuf),
}

/// Which are meant.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// Only this shard.
    pub shard: Option<String>,
    /// From this day on, `yyyy-mm-dd`.
    pub since: Option<String>,
    /// To this day, with it.
    pub until: Option<String>,
}

/// A segment's name, taken apart; sorted as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    day: String,
    shard: String,
    /// Numbers by their size, whether or not they have zeros before them.
    length: usize,
    seq: String,
    pub(super) name: String,
}

impl Key {
    /// None for what is no segment.
    pub(super) fn of(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(PREFIX)?.split('/');
        let (shard, day, seq) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = parts.next().is_none() && !shard.is_empty() && !seq.is_empty();
        if !whole || !is_day(day) {
            return None;
        }
        let digits = seq.trim_start_matches('0');
        Some(Self {
            day: day.to_owned(),
            shard: shard.to_owned(),
            length: digits.len(),
            seq: digits.to_owned(),
            name: name.to_owned(),
        })
    }
}

/// Whether it is written as a day.
pub fn is_day(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

impl Chosen {
    fn has(&self, key: &Key) -> bool {
        self.shard.as_ref().is_none_or(|shard| *shard == key.shard)
            && self.since.as_ref().is_none_or(|day| *day <= key.day)
            && self.until.as_ref().is_none_or(|day| key.day <= *day)
    }
}

impl Source {
    /// The names, the eldest first.
    pub(super) async fn list(&self, chosen: &Chosen) -> Result<Vec<Key>, EdgeError> {
        let names = match self {
            Self::Bucket { api, bucket } => of_bucket(api, bucket, chosen).await?,
            Self::Folder(folder) => of_folder(folder)?,
        };
        let mut keys: Vec<Key> = names.iter().filter_map(|name| Key::of(name)).collect();
        keys.retain(|key| chosen.has(key));
        keys.sort();
        Ok(keys)
    }

    /// The bytes.
    pub(super) async fn read(&self, key: &Key) -> Result<Vec<u8>, EdgeError> {
        match self {
            Self::Bucket { api, bucket } => Ok(api.object(bucket, &key.name).await?),
            Self::Folder(folder) => {
                let path = folder.join(&key.name);
                fs::read(&path).map_err(EdgeError::io("read", &path))
            }
        }
    }
}

async fn of_bucket(api: &Api, bucket: &str, chosen: &Chosen) -> Result<Vec<String>, EdgeError> {
    let prefix = match &chosen.shard {
        Some(shard) => format!("{PREFIX}{shard}/"),
        None => PREFIX.to_owned(),
    };
    let mut names = Vec::new();
    let mut from: Option<String> = None;
    loop {
        let page = api.objects(bucket, &prefix, from.as_deref()).await?;
        let empty = page.keys.is_empty();
        names.extend(page.keys);
        if page.next.is_none() || empty || page.next == from {
            return Ok(names);
        }
        from = page.next;
    }
}

fn of_folder(folder: &Path) -> Result<Vec<String>, EdgeError> {
    let mut names = Vec::new();
    let below = folder.join(PREFIX.trim_end_matches('/'));
    for shard in entries(&below)? {
        for day in entries(&shard)? {
            for segment in entries(&day)? {
                let name = segment.strip_prefix(folder).unwrap_or(&segment);
                names.push(name.display().to_string());
            }
        }
    }
    Ok(names)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, EdgeError> {
    let entries = fs::read_dir(folder).map_err(EdgeError::io("list", folder))?;
    entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(EdgeError::io("list", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_sorted_as_they_were_written() {
        let names = [
            "edge/segments/shard-0/2026-07-02/1",
            "edge/segments/shard-0/2026-07-01/10",
            "edge/segments/shard-0/2026-07-01/9",
            "edge/segments/shard-0/2026-07-01/000000000002-0190.json",
            "edge/segments/shard-0/2026-07-01/000000000011-0191.json",
        ];
        let mut keys: Vec<Key> = names.iter().filter_map(|name| Key::of(name)).collect();
        keys.sort();
        let sorted: Vec<&str> = keys.iter().map(|key| key.seq.as_str()).collect();
        assert_eq!(sorted, ["9", "10", "2-0190.json", "11-0191.json", "1"]);
    }

    #[test]
    fn what_else_lies_in_the_bucket_is_no_segment() {
        for name in [
            "edge/audit/2026-07-01/1",
            "edge/segments/shard-0/2026-07-01",
            "edge/segments/shard-0/2026-07-01/",
            "edge/segments//2026-07-01/1",
            "edge/segments/shard-0/yesterday/1",
            "edge/segments/shard-0/2026-07-01/1/2",
        ] {
            assert_eq!(Key::of(name), None, "{name}");
        }
    }

    #[test]
    fn days_and_shards_are_chosen_with_both_ends() {
        let chosen = Chosen {
            shard: Some("shard-0".into()),
            since: Some("2026-07-02".into()),
            until: Some("2026-07-03".into()),
        };
        let has = |shard: &str, day: &str| {
            chosen.has(&Key::of(&format!("{PREFIX}{shard}/{day}/1")).unwrap())
        };
        assert!(has("shard-0", "2026-07-02") && has("shard-0", "2026-07-03"));
        assert!(!has("shard-0", "2026-07-01") && !has("shard-0", "2026-07-04"));
        assert!(!has("shard-1", "2026-07-02"));
    }
}
