//! A program and its arguments, as a shell would start it.

/// Programs that a probe starts. The second list has those that are also ordinary words: they need an argument that
/// only a program takes.
const PROGRAMS: [&str; 60] = [
    "id",
    "whoami",
    "uname",
    "ifconfig",
    "ipconfig",
    "netstat",
    "nslookup",
    "wget",
    "curl",
    "nc",
    "ncat",
    "netcat",
    "telnet",
    "tftp",
    "ftp",
    "ssh",
    "scp",
    "bash",
    "sh",
    "zsh",
    "ksh",
    "dash",
    "cmd",
    "cmd.exe",
    "powershell",
    "pwsh",
    "python",
    "python2",
    "python3",
    "perl",
    "ruby",
    "php",
    "lua",
    "ls",
    "ps",
    "rm",
    "chmod",
    "chown",
    "crontab",
    "reboot",
    "halt",
    "poweroff",
    "env",
    "printenv",
    "awk",
    "sed",
    "base64",
    "xxd",
    "dig",
    "ping",
    "systemctl",
    "sudo",
    "passwd",
    "useradd",
    "busybox",
    "tee",
    "xargs",
    "mkfifo",
    "certutil",
    "bitsadmin",
];
const SHELLS: [&str; 6] = ["bash", "sh", "zsh", "ksh", "dash", "cmd"];
const WORDS: [&str; 22] = [
    "cat", "sleep", "echo", "find", "kill", "type", "dir", "head", "tail", "more", "less", "sort",
    "touch", "cp", "mv", "test", "exec", "eval", "source", "time", "host", "timeout",
];

pub(super) fn is_system_path(path: &str) -> bool {
    [
        "/etc/", "/bin/", "/usr/", "/dev/", "/tmp/", "/var/", "/proc/", "/root", "c:\\", "~/.",
    ]
    .iter()
    .any(|folder| path.starts_with(folder))
}

pub(super) fn is_program(name: &str) -> bool {
    PROGRAMS.contains(&name) || WORDS.contains(&name)
}

/// How much behind a program is looked at.
const ARGUMENTS: usize = 200;

fn beginning(text: &str) -> &str {
    let end = text.char_indices().nth(ARGUMENTS);
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// One command.
pub(super) struct Command<'a> {
    name: &'a str,
    /// Named by a path.
    path: bool,
    arguments: &'a str,
}

impl<'a> Command<'a> {
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let text = text.trim_start();
        let end = text
            .find(|c: char| c.is_whitespace() || ";|&<>`)('\",$".contains(c))
            .unwrap_or(text.len());
        let word = text.get(..end)?;
        let name = word.rsplit('/').next().unwrap_or(word);
        let path = word.starts_with('/') && word.len() > name.len() + 1;
        let known = is_program(name) || (path && is_system_path(word));
        known.then_some(Self {
            name,
            path,
            arguments: beginning(text.get(end..)?),
        })
    }

    /// Whether it is written as a command is. `alone`: nothing but a value is before it.
    pub(super) fn is_started(&self, alone: bool) -> bool {
        let arguments = self.arguments.trim_start();
        let ends = arguments.is_empty()
            || arguments.starts_with([';', '|', '&', '`', ')', '#', '\'', '"', '\n']);
        let takes = self.has_argument();
        if WORDS.contains(&self.name) {
            return takes || (alone && ends && self.path) || (alone && self.number_ends());
        }
        // A shell at the end of a pipe runs what comes through it; by itself the word is a name.
        takes || (alone && ends && !SHELLS.contains(&self.name))
    }

    /// `sleep 10`, and nothing else.
    fn number_ends(&self) -> bool {
        let argument = self
            .arguments
            .trim()
            .trim_end_matches([';', '&', '|', '#', ')', '`', '\'', '"'])
            .trim();
        !argument.is_empty() && argument.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    }

    /// An argument of the kind that only a program takes.
    fn has_argument(&self) -> bool {
        self.path
            || self
                .arguments
                .split([';', '|', '&', '`', ')', '\n'])
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .take(4)
                .any(is_argument)
            || (self.name == "ps" && self.arguments.trim_start().starts_with("aux"))
            || (self.name == "kill" && self.arguments.trim_start().starts_with('-'))
            || (self.name == "cat" && self.arguments.trim_start().starts_with('<'))
            || (self.name == "curl" && self.arguments.contains('.'))
    }

    pub(super) fn does_harm(&self) -> bool {
        let arguments = self.arguments;
        [
            "http://", "https://", "/etc/", "/bin/", "/dev/tcp", " -e ", "-rf /", ".evil", "| sh",
            "|sh",
        ]
        .iter()
        .any(|mark| arguments.contains(mark))
            || (self.path && self.name != "sh")
    }
}

fn is_argument(word: &str) -> bool {
    let flag = word.len() > 1
        && word.starts_with('-')
        && word
            .get(1..)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-'));
    let windows = word.len() == 2 && word.starts_with('/');
    let drive = word.get(1..3) == Some(":\\");
    let address = word.contains("://")
        || (word.split('.').count() == 4 && word.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    let host = word.split('.').count() >= 2
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        && word.ends_with(|c: char| c.is_ascii_alphabetic());
    let path = word.starts_with('/') && word.len() > 1
        || word == "/"
        || word.starts_with("~/")
        || word.starts_with("./");
    let mode = word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit());
    flag || windows || drive || address || host || path || mode || word.contains(".exe")
}
