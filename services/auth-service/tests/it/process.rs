//! The real program, started as an operator starts it.

use crate::world::ISSUER;
use std::process::Command;

pub(crate) fn binary() -> Command {
    testkit::program::command(env!("CARGO_BIN_EXE_auth-service"))
}

pub(crate) fn with_settings(command: &mut Command, database_url: &str, redis_url: &str) {
    command.envs([
        ("TWIST_AUTH__LISTEN", "127.0.0.1:0"),
        ("TWIST_AUTH__OPS_LISTEN", "127.0.0.1:0"),
        ("TWIST_AUTH__DATABASE__URL", database_url),
        ("TWIST_AUTH__REDIS__URL", redis_url),
        ("TWIST_AUTH__ISSUER", ISSUER),
        ("TWIST_AUTH__DOMAIN", "app.test.example"),
        ("TWIST_AUTH__URI", "https://app.test.example"),
        ("TWIST_AUTH__CHAIN_ID", "solana:devnet"),
        ("TWIST_AUTH__KEY_ENCRYPTION_KEY", &"ab".repeat(32)),
        ("TWIST_LOG", "trace"),
    ]);
}
