//! The published page and the published example of a service's configuration.

use crate::reference::{assert_text, page};
use schemars::JsonSchema;
use std::fs;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A service, by what is published of its configuration.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// Its name.
    pub service: &'static str,
    /// Its program.
    pub program: &'static str,
    /// What its variables begin with.
    pub prefix: &'static str,
    /// Its secrets beside those of the stores: the key as a credential is named, what a complaint calls it, and a value
    /// that is good.
    pub secrets: &'static [(&'static str, &'static str, &'static str)],
}

impl Example {
    /// The page under `docs/reference/config/` is what the code makes of `Config`; with [`crate::reference::UPDATE`] set it becomes so.
    pub fn assert_page<Config: JsonSchema>(&self) {
        let Self {
            service, prefix, ..
        } = self;
        let text = format!(
            "# Configuration of {service}\n\nMade from the code: `TWIST_UPDATE_REFERENCE=1 cargo test --test it -- reference::` writes it. \
             How values are given: [config.md](../config.md).\n\n{}",
            service::config::reference::<Config>(prefix)
        );
        assert_text(&format!("config/{service}.md"), &text);
    }

    /// `check-config` with what `configure` sets, and nothing of this process' settings.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn check(&self, configure: impl FnOnce(&mut Command)) -> Output {
        let mut command = testkit::program::command(self.program);
        configure(&mut command);
        let output = command.arg("check-config").output();
        output.unwrap_or_else(|error| panic!("{}: {error}", self.program))
    }

    /// [`Example::check`] with the published example.
    pub fn check_example(&self, configure: impl FnOnce(&mut Command)) -> Output {
        self.check(|command| {
            let file = page(&format!("config/{}.toml", self.service));
            configure(command.arg("--config").arg(file));
        })
    }

    /// The variable of a key: `redis.url` is `TWIST_API__REDIS__URL`.
    pub fn variable(&self, key: &str) -> String {
        let key = key.replace('.', "__").to_uppercase();
        format!("{}__{key}", self.prefix)
    }

    fn secrets(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        let stores = [
            (
                "database.url",
                "database.url",
                "postgres://twist_app:canary@127.0.0.1/twist",
            ),
            ("redis.url", "redis.url", "redis://:canary@127.0.0.1"),
        ];
        stores.iter().chain(self.secrets).copied().collect()
    }

    /// The published example is a configuration when its secrets are given as credentials; without them each is named, a
    /// line each.
    ///
    /// # Panics
    /// When that is not so.
    pub fn assert_example(&self) {
        let Ok(folder) = TempDir::new() else {
            panic!("no folder for credentials")
        };
        for (name, _, value) in self.secrets() {
            if let Err(error) = fs::write(folder.path().join(name), value) {
                panic!("{name}: {error}");
            }
        }
        let by_option = self.check_example(|command| {
            command.env("CREDENTIALS_DIRECTORY", folder.path());
        });
        assert!(by_option.status.success(), "{by_option:?}");
        let by_variable = self.check(|command| {
            let file = page(&format!("config/{}.toml", self.service));
            command
                .env(format!("{}_CONFIG", self.prefix), file)
                .env("CREDENTIALS_DIRECTORY", folder.path());
        });
        assert!(by_variable.status.success(), "{by_variable:?}");
        let bare = self.check_example(|_| {});
        let text = told(&bare);
        let secrets = self.secrets();
        assert_eq!(text.lines().count(), secrets.len(), "{text}");
        for (_, key, _) in secrets {
            let line = format!("{}: {key} ({}__", self.service, self.prefix);
            assert!(text.lines().any(|told| told.starts_with(&line)), "{text}");
        }
    }

    /// Secrets that are no good are named, a line each, and not shown.
    ///
    /// # Panics
    /// When that is not so.
    pub fn assert_bad_secrets_are_named(&self) {
        let bad = self.check_example(|command| {
            for (name, _, _) in self.secrets() {
                let value = match name {
                    "database.url" => "mysql://canary-a",
                    "redis.url" => "http://canary-b",
                    _ => "canary-c",
                };
                command.env(self.variable(name), value);
            }
        });
        let text = told(&bad);
        assert_eq!(text.lines().count(), self.secrets().len(), "{text}");
        assert!(!text.contains("canary"), "{text}");
        for (name, _, _) in self.secrets() {
            assert!(text.contains(name), "{text}");
        }
    }
}

/// What a refusal says.
///
/// # Panics
/// When it was none.
pub fn told(output: &Output) -> String {
    let of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let text = of(&output.stderr) + &of(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    text
}
