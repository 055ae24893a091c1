//! The template engine: strict, deterministic, without access to anything.

use super::RenderError;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, syntax::SyntaxConfig};

/// The values that a template asks for, by name. Anything that can be serialised is a value.
macro_rules! vars {
    (@ $key:ident) => { minijinja::Value::from(minijinja::value::Serde(&$key)) };
    (@ $key:ident => $value:expr) => { minijinja::Value::from(minijinja::value::Serde(&$value)) };
    ($($key:ident $(=> $value:expr)?),* $(,)?) => {{
        let entries = [$((stringify!($key), vars!(@ $key $(=> $value)?))),*];
        minijinja::Value::from_pairs(entries)
    }};
}
pub(super) use vars;

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        /// Every template by its path below `templates/`.
        const TEMPLATES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $name)))),+
        ];
    };
}

templates![
    "libexec/clean-checkpoints",
    "libexec/dcv-url",
    "libexec/epilog",
    "libexec/prolog",
    "libexec/protect-metadata",
    "libexec/resume",
    "libexec/resume-fail",
    "libexec/suspend",
    "libexec/task-prolog",
    "libexec/wait-nodes",
    "shell/common.sh",
    "shell/compute.sh",
    "shell/dcv.sh",
    "shell/head.sh",
    "shell/login-pool.sh",
    "shell/login.sh",
    "shell/queue.sh",
    "shell/storage.sh",
    "slurm/cgroup.conf",
    "slurm/gres.conf",
    "slurm/job_submit.lua",
    "slurm/queue.conf",
    "slurm/slurm.conf",
    "slurm/slurmdbd.conf",
    "systemd/hpcctl-clean-checkpoints.service",
    "systemd/hpcctl-clean-checkpoints.timer",
    "systemd/hpcctl-metadata.service",
    "systemd/hpcctl-attach.service",
    "systemd/hpcctl-refresh.service",
    "systemd/hpcctl-refresh.timer",
    "systemd/hpcctl-sync.service",
    "systemd/hpcctl-watch.service",
    "systemd/slurmctld.conf",
    "systemd/slurmd-metadata.conf",
    "systemd/slurmd.conf",
    "systemd/slurmdbd.conf",
];

/// An environment that holds every template.
pub(super) struct Engine(Environment<'static>);

impl Engine {
    /// Parses every template: a name that is misspelt in one is found when it is rendered, since undefined
    /// values are errors everywhere.
    pub fn new() -> Result<Self, RenderError> {
        let mut env = Environment::new();
        // Jinja's own comments begin with `{#`, which bash means something by: `${#list[@]}`.
        let syntax = SyntaxConfig::builder()
            .comment_delimiters("{/*", "*/}")
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build();
        env.set_syntax(syntax.map_err(|error| RenderError::Template { name: "syntax", error })?);
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_auto_escape_callback(|_| AutoEscape::None);
        env.add_filter("sh", shell_word);
        env.add_filter("lua", lua_string);
        for (name, text) in TEMPLATES {
            env.add_template(name, text).map_err(|error| RenderError::Template { name, error })?;
        }
        Ok(Self(env))
    }

    /// The text of a template.
    pub fn render(&self, name: &'static str, context: &Value) -> Result<String, RenderError> {
        let text = self.0.get_template(name).and_then(|template| template.render(context.clone()));
        text.map(|text| tidy(&text)).map_err(|error| RenderError::Template { name, error })
    }
}

/// A text without the gaps that optional parts of a template leave: one empty line at most, none at the end.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.trim_end().lines() {
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// A word of the shell: as it is when nothing in it means anything to the shell, else in single quotes.
fn shell_word(text: String) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "_-./:@%+,=".contains(char);
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// A string of Lua.
fn lua_string(text: String) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_template_parses() {
        Engine::new().unwrap();
    }

    #[test]
    fn gaps_close() {
        assert_eq!(tidy("a\n\n\n\nb\n\n"), "a\n\nb\n");
    }

    #[test]
    fn shell_words_stay_one_word() {
        assert_eq!(shell_word("/opt/x.sh".into()), "/opt/x.sh");
        assert_eq!(shell_word(String::new()), "''");
        assert_eq!(shell_word("a b".into()), "'a b'");
        assert_eq!(shell_word("it's $HOME".into()), r"'it'\''s $HOME'");
    }

    #[test]
    fn lua_strings_cannot_end_early() {
        assert_eq!(lua_string(r#"a"b\"#.into()), r#""a\"b\\""#);
    }
}
