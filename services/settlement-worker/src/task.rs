//! Tasks that go on for as long as the process does, whatever happens to them.

use crate::metrics::RESTARTS;
use bus::{Stop, Stopper};
use futures_util::FutureExt as _;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The pause before a task that failed is started again; doubled with each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A task that was well for so long has begun anew when it fails.
const STEADY: Duration = Duration::from_secs(30);

/// Why a task ended.
pub type TaskError = Box<dyn std::error::Error + Send + Sync>;
type Work = Pin<Box<dyn Future<Output = Result<(), TaskError>> + Send>>;

/// Something to be done all the time.
pub struct Task {
    name: &'static str,
    start: Box<dyn Fn(Stop) -> Work + Send + Sync>,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(&self.name).finish()
    }
}

impl Task {
    /// `start` works until asked to stop, or until it cannot go on.
    pub fn new<F, R>(name: &'static str, start: F) -> Self
    where
        F: Fn(Stop) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        Self {
            name,
            start: Box::new(move |stop| Box::pin(start(stop))),
        }
    }

    /// `start` works until asked to stop, and deals with its failures itself.
    pub fn endless<F, R>(name: &'static str, start: F) -> Self
    where
        F: Fn(Stop) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        Self::new(name, move |stop| start(stop).map(Ok))
    }
}

/// Tasks at work. Dropping it ends them where they are.
#[derive(Debug)]
pub struct Crew {
    stopper: Stopper,
    tasks: JoinSet<()>,
}

impl Crew {
    /// Starts all, and again each that fails.
    pub fn start(tasks: Vec<Task>) -> Self {
        let (stopper, stop) = Stop::pair();
        let mut crew = JoinSet::new();
        for task in tasks {
            crew.spawn(keep(task, stop.clone()));
        }
        Self {
            stopper,
            tasks: crew,
        }
    }

    /// Asks all to stop and waits, at most `grace`. What is cut short then is taken up by another instance, or by the
    /// next start: it is as if the process had been killed.
    pub async fn stop(mut self, grace: Duration) {
        self.stopper.stop();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, ended).await.is_err() {
            let left = self.tasks.len();
            tracing::warn!(left, "tasks did not stop in time and are cut short");
        }
    }
}

async fn keep(task: Task, stop: Stop) {
    let mut pause = FIRST_PAUSE;
    while !stop.is_asked() {
        let begun = Instant::now();
        // Made inside, so that a panic of the closure itself is caught too.
        let work = AssertUnwindSafe(async { (task.start)(stop.clone()).await }).catch_unwind();
        let outcome = work.await;
        if stop.is_asked() {
            break;
        }
        if begun.elapsed() >= STEADY {
            pause = FIRST_PAUSE;
        }
        let task = task.name;
        match outcome {
            Ok(Ok(())) => tracing::error!(task, "a task ended and is started again"),
            Ok(Err(error)) => {
                let cause = bus::redacted(&error.to_string());
                tracing::warn!(task, cause, "a task failed and is started again");
            }
            Err(_) => tracing::error!(task, "a task panicked and is started again"),
        }
        metrics::counter!(RESTARTS, "task" => task).increment(1);
        stop.sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A task that does `fault` twice and then works.
    fn failing(fault: fn() -> Result<(), TaskError>, starts: &Arc<AtomicU32>) -> Task {
        let starts = Arc::clone(starts);
        Task::new("failing", move |stop: Stop| {
            let starts = Arc::clone(&starts);
            async move {
                if starts.fetch_add(1, Ordering::SeqCst) < 2 {
                    return fault();
                }
                stop.asked().await;
                Ok(())
            }
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_fails_panics_or_ends_is_started_again() {
        let faults: [fn() -> Result<(), TaskError>; 3] =
            [|| Ok(()), || Err("no".into()), || panic!("told to panic")];
        for fault in faults {
            let starts = Arc::new(AtomicU32::new(0));
            let crew = Crew::start(vec![failing(fault, &starts)]);
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert_eq!(starts.load(Ordering::SeqCst), 3);
            crew.stop(Duration::from_secs(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_stop_is_not_waited_for_for_ever() {
        let task = Task::endless("deaf", |_| std::future::pending());
        let crew = Crew::start(vec![task]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let begun = Instant::now();
        crew.stop(Duration::from_secs(3)).await;
        assert_eq!(begun.elapsed().as_secs(), 3);
    }
}
