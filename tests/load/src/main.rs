//! What the services cost: CPU for each request, beside a bare route in the same run; memory; time to ready; and what
//! stakes, deliveries of VAUs and the ledger cost the database, beside the bare writes.
//!
//! `load DIST BARE [SECONDS]` starts a platform of its own from the release folder `DIST`, and the program `BARE` as the
//! baseline. Each scenario runs for `SECONDS`. Prints tables in Markdown, as `docs/performance.md` has it.
//!
//! CPU is what the kernel counted for the server's process, so it holds on a machine that is busy with the client and
//! the database at the same time; rates are floors.

mod baseline;
mod drive;
mod ingest;
mod postings;
mod process;
mod scenario;
mod sign_in;
mod staking;
mod table;
mod turns;

use scenario::Bench;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

const USAGE: &str = "load DIST BARE [SECONDS]";
const SECONDS: u64 = 8;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(dist), Some(bare)) = (arguments.next(), arguments.next()) else {
        return Err(USAGE.into());
    };
    let seconds = match arguments.next() {
        Some(text) => text.to_str().ok_or(USAGE)?.parse()?,
        None => SECONDS,
    };
    let bench = Bench::start(&dist, &bare, Duration::from_secs(seconds)).await?;
    let results = bench.run().await?;
    table::print(&results)?;
    Ok(())
}
