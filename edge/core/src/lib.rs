//! The rules of the edge without the Worker: everything here is pure, gets the time as an argument and
//! runs the same natively and in wasm.
//!
//! A VAU's way through: [`request`] or [`batch`] (headers, body, fields) → [`token`] and [`jwks`] (who) →
//! [`integrator`] (optional HMAC) → [`window`] (when) → [`signature`] (which device) →
//! [`admission`] (device, limits, duplicate, reward) → [`memory`] (what the object knows) → [`segment`] (packing) →
//! [`resend`] (until the backend has acknowledged).
//!
//! Before it, in security-worker: [`proxy`] (routes, headers, sizes), [`firewall`] and
//! [`challenge`], with the settings of [`guard`]; [`limiter`] and [`spent`] count, [`sightings`] are audited.

pub mod admission;
pub mod answer;
pub mod attestation;
pub mod audit;
pub mod batch;
pub mod batch_answer;
pub mod bindings;
pub mod challenge;
pub mod client;
pub mod cohort;
pub mod device;
pub mod exposition;
pub mod firewall;
pub mod guard;
pub mod hours;
pub mod integrator;
pub mod jwks;
pub mod limit;
pub mod limiter;
pub mod memory;
pub mod meter;
pub mod proxy;
pub mod recent;
pub mod refusal;
pub mod request;
pub mod resend;
pub mod segment;
pub mod settings;
pub mod shard;
pub mod sightings;
pub mod signature;
pub mod sketch;
pub mod spent;
pub mod token;
pub mod window;

pub use guard::GuardSettings;
pub use refusal::Refusal;
pub use settings::{Secret, Settings, SettingsError};
