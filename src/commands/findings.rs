//! `validate`, `schema`, `explain`.

use super::{explain as pages, output::Output, schema as json_schema, validate as files};
use crate::{
    check::Facts,
    plan::plan_schema_text,
    report::{
        codes::CODES,
        errors::{Failure, exit},
    },
};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Options of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Cluster files; `-` is stdin
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// How to show findings
    #[arg(long, value_enum, default_value_t = ShownAs::Text)]
    format: ShownAs,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code, such as HPC1301, or the short name of a rule; none: list all
    code: Option<String>,
}

/// How findings are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShownAs {
    /// For people
    Text,
    /// For programs
    Json,
    /// For code scanning
    Sarif,
    /// For pull requests on GitHub
    Github,
}

/// Checks cluster files.
pub fn validate(args: &ValidateArgs, output: &mut Output) -> Result<u8, Failure> {
    let catalog = super::catalog::instance_catalog()?;
    let facts = Facts { catalog: Some(&catalog), ..Facts::default() };
    let format = match args.format {
        ShownAs::Text => files::FindingFormat::Text,
        ShownAs::Json => files::FindingFormat::Json,
        ShownAs::Sarif => files::FindingFormat::Sarif,
        ShownAs::Github => files::FindingFormat::Github,
    };
    to_output(output, |text, color| files::validate(&args.files, &facts, format, color, text))
}

/// Options of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Of what
    #[arg(value_enum, default_value_t = SchemaOf::Cluster)]
    of: SchemaOf,
}

/// What has a JSON schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The cluster file
    Cluster,
    /// A plan, as `plan --format json` prints it
    Plan,
}

/// Prints a JSON schema.
pub fn schema(args: &SchemaArgs, output: &mut Output) -> Result<u8, Failure> {
    if args.of == SchemaOf::Plan {
        output.data(&plan_schema_text());
        return Ok(exit::OK);
    }
    to_output(output, |text, _| json_schema::schema(text).map(|()| exit::OK))
}

/// Prints a code's page, or the list of all codes.
pub fn explain(args: &ExplainArgs, output: &mut Output) -> Result<u8, Failure> {
    let Some(code) = &args.code else {
        to_output(output, |text, _| pages::list(text).map(|()| exit::OK))?;
        let list: String = CODES.iter().map(|(code, title, _)| format!("{code}  {title}\n")).collect();
        output.data(&list);
        return Ok(exit::OK);
    };
    let wanted = code.to_ascii_uppercase();
    let failure =
        CODES.iter().find(|(known, ..)| *known == wanted || known.strip_prefix("HPC") == Some(wanted.as_str()));
    if let Some((known, title, page)) = failure {
        output.data(&format!("{known}: {title}\n\n{page}\n"));
        return Ok(exit::OK);
    }
    let mut trouble = Vec::new();
    let code = to_output(output, |text, _| pages::explain(code, text, &mut trouble))?;
    output.warn(&String::from_utf8_lossy(&trouble));
    Ok(code)
}

fn to_output<F>(output: &mut Output, write: F) -> Result<u8, Failure>
where
    F: FnOnce(&mut Vec<u8>, bool) -> std::io::Result<u8>,
{
    let mut text = Vec::new();
    let code = write(&mut text, output.paint.color).map_err(|error| Failure::file("-".as_ref(), &error))?;
    output.data(&String::from_utf8_lossy(&text));
    Ok(code)
}
