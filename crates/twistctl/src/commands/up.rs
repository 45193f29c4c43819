//! `up`.

use crate::platform::{Lock, Options, Part, Platform, Ports, Record};
use crate::smoke::{Target, all_passed, line, walk};
use crate::{CtlError, Paths, build, commands, platform, ui};
use client::{Device, Wallet, now};
use domain::SiteId;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// A part that dies this often within a minute is not started again.
const MAX_RESTARTS: usize = 5;

/// Options of `up`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Start over: forget the database, Redis, the edge's storage and the local secrets.
    #[arg(long)]
    fresh: bool,
    /// Come back when the platform is ready, and leave it running until `down`.
    #[arg(long, short)]
    detach: bool,
    /// Run what lies in this release folder instead of building.
    #[arg(long, value_name = "DIR")]
    dist: Option<PathBuf>,
}

/// Builds, starts and proves the platform. Succeeds when every smoke step did.
pub fn run(paths: &Paths, args: &Args) -> Result<bool, CtlError> {
    let artifacts = match &args.dist {
        Some(dist) => build::artifacts(dist)?,
        None => build::build(paths)?,
    };
    let lock = Lock::take(paths)?;
    if let Some(record) = Record::load(paths).filter(Record::has_owner) {
        if args.fresh {
            return Err(CtlError::Help(
                "another `up` holds the platform; ./twist down stops it, then --fresh can start over"
                    .into(),
            ));
        }
        ui::say("the platform is running already, in another terminal:\n");
        ui::say(&addresses(&record.ports));
        return Ok(true);
    }
    if args.fresh {
        ui::Step::during("remove the data of the last run", |_| {
            Platform::clear(paths)
        })?;
    }
    let mut platform = Platform::up(paths, artifacts, Options::default())?;
    let runtime = commands::runtime()?;
    let passed = runtime.block_on(prove(&platform))?;
    let demo = runtime.block_on(demo(&platform));
    ui::say(&format!("\n{}", addresses(&platform.ports)));
    match demo {
        Ok(demo) => ui::say(&demo),
        Err(error) => ui::complain(&format!("the demo wallet: {error}")),
    }
    if args.detach || !platform.started_something() {
        platform.detach()?;
        ui::say(&next_steps(true));
        return Ok(passed);
    }
    platform.save()?;
    drop(lock);
    ui::say(&next_steps(false));
    let ended_well = runtime.block_on(supervise(&mut platform));
    ui::note("stopping …");
    platform.stop_all();
    Record::remove(paths)?;
    Ok(passed && ended_well)
}

async fn prove(platform: &Platform) -> Result<bool, CtlError> {
    ui::say("\nsmoke journeys:");
    let target = Target::of(platform)?;
    let reports = walk(&target, |report| ui::say(&line(report))).await;
    Ok(all_passed(&reports))
}

/// Lets the demo wallet earn something, so that there is something to look at.
async fn demo(platform: &Platform) -> Result<String, CtlError> {
    let seed = |text: &str| {
        let mut seed = [0u8; 32];
        hex::decode_to_slice(text, &mut seed)
            .map(|()| seed)
            .map_err(|error| CtlError::Help(error.to_string()))
    };
    let wallet = Wallet::from_seed(&seed(&platform.secrets.demo_wallet)?);
    let device = Device::from_seed(&seed(&platform.secrets.demo_device)?);
    let client = platform.client()?;
    let session = client.sign_in(&wallet).await?;
    client.register_device(&session, &device).await?;
    let site = SiteId::try_from("demo").map_err(client::ClientError::from)?;
    let before = client.balance(&session).await?.available;
    let vau = device.vau(wallet.address(), &site, now(), "{}");
    let earned = client.submit(&session, &vau).await?.earned;
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut balance = client.balance(&session).await?.available;
    while balance == before && !earned.is_zero() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(100)).await;
        balance = client.balance(&session).await?.available;
    }
    Ok(format!(
        "demo wallet    {}\nits balance    {} ({} of it just now)",
        wallet.address(),
        balance.to_twist_string(),
        earned.to_twist_string()
    ))
}

/// Waits for Ctrl-C. A part that dies is started again, a few times.
async fn supervise(platform: &mut Platform) -> bool {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        return false;
    };
    let mut deaths: BTreeMap<Part, Vec<Instant>> = BTreeMap::new();
    loop {
        tokio::select! {
            _ = interrupt.recv() => return true,
            _ = terminate.recv() => return true,
            _ = hang_up.recv() => return true,
            () = tokio::time::sleep(Duration::from_millis(300)) => {}
        }
        for (part, log) in platform.ended() {
            let times = deaths.entry(part).or_default();
            times.retain(|at| at.elapsed() < Duration::from_mins(1));
            times.push(Instant::now());
            ui::complain(&format!("{} ended; its log says:\n{log}", part.name()));
            if times.len() > MAX_RESTARTS {
                ui::complain(&format!("{} does not stay up", part.name()));
                return false;
            }
            ui::complain(&format!("starting {} again", part.name()));
            if let Err(error) = platform.start(part).and_then(|()| platform.save()) {
                ui::complain(&error.to_string());
                return false;
            }
        }
    }
}

fn addresses(ports: &Ports) -> String {
    let platform = platform::endpoints(ports);
    format!(
        "auth-service   {}\ninfluencer-api {}\nsettlement     {}\nedge           {}",
        platform.auth,
        platform.api,
        ports.url(Part::Settlement),
        platform.edge
    )
}

fn next_steps(detached: bool) -> String {
    let last = if detached {
        "./twist down              stop it; the data stays"
    } else {
        "Ctrl-C                    stop it; the data stays"
    };
    format!(
        "\nnext:\n  ./twist smoke             walk the journeys again\n  ./twist ledger check      prove that the ledger balances\n  ./twist status --json     every address, for your own client\n  {last}"
    )
}
