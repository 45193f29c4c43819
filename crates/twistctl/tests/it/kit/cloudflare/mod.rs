//! A server that answers as Cloudflare's API is documented to, on this machine.
//!
//! It knows nothing of the program under test: it reads forms with a reader of its own, keeps what it was sent,
//! and refuses what the documentation says is refused.

mod form;
mod objects;
mod queues;
mod scripts;
mod wire;

pub(crate) use queues::StoredMessage;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use wire::{Reply, Request};

pub(crate) const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const TOKEN: &str = "token-that-must-never-be-shown";

/// The server.
#[derive(Clone)]
pub(crate) struct Cloudflare {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

/// What it keeps.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) scripts: BTreeMap<String, scripts::Script>,
    pub(crate) queues: BTreeMap<String, queues::Stored>,
    pub(crate) objects: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    /// Method and path of every request, in order.
    pub(crate) log: Vec<String>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) expired: bool,
    /// A bit of every module that is sent flips before it is kept.
    pub(crate) flips: bool,
    /// Somebody else migrates to this just before the next upload.
    pub(crate) overtaken: Option<String>,
    next: u64,
}

/// An answer other than the good one, to requests of a kind, so many times.
pub(crate) struct Fault {
    /// `POST …/versions`: the method, and how the path ends.
    pub(crate) method: &'static str,
    pub(crate) path_end: String,
    pub(crate) times: u32,
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u32>,
    /// The request is carried out all the same: its answer gets lost.
    pub(crate) done: bool,
}

impl State {
    /// Ids that look like Cloudflare's and are the same on every run.
    pub(crate) fn id(&mut self) -> String {
        self.next += 1;
        format!("{:08x}-0000-4000-8000-000000000000", self.next)
    }
}

impl Cloudflare {
    pub(crate) fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let origin = super::http::serve(move |mut stream| {
            if let Some(request) = wire::read(&mut stream) {
                let reply = answer(&mut shared.lock().unwrap(), &request);
                reply.write(&mut stream);
            }
        });
        Self {
            url: format!("{origin}/client/v4"),
            state,
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Queues and buckets, which have to be there before a script is bound to them.
    pub(crate) fn provide(&self, queues: &[&str], buckets: &[&str]) {
        let mut state = self.state();
        for queue in queues {
            state
                .queues
                .insert((*queue).to_owned(), queues::Stored::default());
        }
        for bucket in buckets {
            state.objects.insert((*bucket).to_owned(), BTreeMap::new());
        }
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// How many requests there were whose `METHOD path` ends so.
    pub(crate) fn count(&self, method: &str, path_end: &str) -> usize {
        let state = self.state();
        let is = |line: &&String| line.starts_with(method) && line.ends_with(path_end);
        state.log.iter().filter(is).count()
    }
}

fn answer(state: &mut State, request: &Request) -> Reply {
    state
        .log
        .push(format!("{} {}", request.method, request.path));
    if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) || state.expired {
        return Reply::refused(401, 10000, "Authentication error");
    }
    let hit = state.faults.iter_mut().find(|fault| {
        fault.times > 0 && fault.method == request.method && request.path.ends_with(&fault.path_end)
    });
    let fault = hit.map(|fault| {
        fault.times -= 1;
        (fault.status, fault.retry_after, fault.done)
    });
    if let Some((status, retry_after, done)) = fault {
        if done {
            route(state, request);
        }
        let mut reply = Reply::refused(status, 10013, "workers.api.error.unknown");
        if let Some(seconds) = retry_after {
            reply = reply.header("retry-after", &seconds.to_string());
        }
        return reply;
    }
    route(state, request)
}

fn route(state: &mut State, request: &Request) -> Reply {
    let prefix = format!("/client/v4/accounts/{ACCOUNT}/");
    let Some(path) = request.path.strip_prefix(&prefix) else {
        return Reply::refused(
            404,
            7003,
            "Could not route to the path, perhaps your object identifier is invalid?",
        );
    };
    let parts: Vec<&str> = path.split('/').collect();
    match (request.method.as_str(), parts.as_slice()) {
        (_, ["workers", "scripts", rest @ ..]) => scripts::route(state, request, rest),
        (_, ["queues", rest @ ..]) => queues::route(state, request, rest),
        ("GET", ["r2", "buckets", bucket, "objects", rest @ ..]) => {
            objects::route(state, request, bucket, rest)
        }
        _ => Reply::refused(404, 7000, "No route for that URI"),
    }
}

pub(crate) fn ok(result: &Value) -> Reply {
    Reply::json(
        200,
        &json!({ "success": true, "errors": [], "messages": [], "result": result }),
    )
}
