//! `hpcctl validate FILE...`: every finding of every file.

use crate::{
    check::{self, Facts, Finding, RoleSize, Severity},
    model, render,
    report::findings::{self, Checked},
    spec,
};
use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// How findings are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FindingFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For code scanning.
    Sarif,
    /// For pull requests on GitHub.
    Github,
}

/// A file that was read and checked.
#[derive(Debug, Clone)]
pub struct CheckedFile {
    /// The name, as the user gave it; `-` is `<stdin>`.
    pub name: String,
    /// The text and what it means; `None` when it could not be read.
    pub document: Option<spec::Document>,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl CheckedFile {
    /// Whether the cluster cannot be built like this.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.rule.severity == Severity::Error)
    }

    /// The file as `report` wants it.
    pub fn view(&self) -> Checked<'_> {
        let text = self.document.as_ref().map_or("", |document| document.text.as_str());
        Checked { file: &self.name, text, findings: &self.findings }
    }
}

/// Checks files, shows what was found on `out`, and gives the exit code: 0 (perhaps with warnings), or 1.
pub fn validate(
    files: &[PathBuf],
    facts: &Facts<'_>,
    format: FindingFormat,
    color: bool,
    out: &mut dyn Write,
) -> io::Result<u8> {
    let checked: Vec<CheckedFile> = files.iter().map(|file| check_file(file, facts)).collect();
    show(&checked, format, color, out)?;
    Ok(u8::from(checked.iter().any(CheckedFile::has_errors)))
}

/// Shows what was found in files.
pub fn show(checked: &[CheckedFile], format: FindingFormat, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let views: Vec<Checked> = checked.iter().map(CheckedFile::view).collect();
    match format {
        FindingFormat::Text => {
            for view in &views {
                out.write_all(findings::text(view, color).as_bytes())?;
            }
        }
        FindingFormat::Json => writeln!(out, "{:#}", findings::json(&views))?,
        FindingFormat::Sarif => writeln!(out, "{:#}", findings::sarif(&views, env!("CARGO_PKG_VERSION")))?,
        FindingFormat::Github => out.write_all(findings::github(&views).as_bytes())?,
    }
    out.flush()
}

/// Reads and checks a file; `-` is standard input. Never fails: what is wrong is among the findings.
pub fn check_file(file: &Path, facts: &Facts<'_>) -> CheckedFile {
    let (stdin, name) = (file == Path::new("-"), name(file));
    let bytes = if stdin { read_all(io::stdin().lock()) } else { open(file).and_then(read_all) };
    match bytes {
        Ok(bytes) => check_bytes(&name, bytes, facts),
        Err(error) => {
            let finding = check::unreadable(&name, &reason(&error));
            CheckedFile { name, document: None, findings: vec![finding] }
        }
    }
}

/// What a file is called in findings.
pub fn name(file: &Path) -> String {
    if file == Path::new("-") { "<stdin>".to_owned() } else { file.display().to_string() }
}

/// Checks the bytes of a file.
pub fn check_bytes(name: &str, bytes: Vec<u8>, facts: &Facts<'_>) -> CheckedFile {
    let unread = |finding| CheckedFile { name: name.to_owned(), document: None, findings: vec![finding] };
    if bytes.len() as u64 > check::MAX_BYTES {
        return unread(check::too_large(name));
    }
    if let Some(encoding) = check::other_encoding(&bytes) {
        return unread(check::not_utf8(encoding));
    }
    match String::from_utf8(bytes) {
        Ok(text) => {
            let document = spec::read(name, &text);
            let findings = check_rendered(&document, facts);
            CheckedFile { name: name.to_owned(), document: Some(document), findings }
        }
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            unread(check::no_character(at, line))
        }
    }
}

/// What is wrong with a file, and, when nothing else is, with what it is rendered into.
fn check_rendered(document: &spec::Document, facts: &Facts<'_>) -> Vec<Finding> {
    let found = check::check(document, facts);
    let sound = found.iter().all(|finding| finding.rule.severity != Severity::Error);
    match (&document.cluster, facts.catalog) {
        (Some(cluster), Some(catalog)) if sound => {
            let sizes = render::role_sizes(&model::build(cluster, catalog)).into_iter();
            let roles: Vec<RoleSize> = sizes.map(|(at, characters)| RoleSize { at, characters }).collect();
            check::check(document, &Facts { roles: &roles, ..*facts })
        }
        _ => found,
    }
}

fn open(file: &Path) -> io::Result<File> {
    if file.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    File::open(file)
}

/// Reads to the end, or to one byte more than is allowed.
fn read_all(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(check::MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        io::ErrorKind::PermissionDenied => "you may not read it".to_owned(),
        _ => error.to_string(),
    }
}
