//! `validate`, `schema`, `explain`.

use super::{explain as pages, output::Output, schema as json_schema, validate as files};
use crate::report::errors::{CODES, Failure, exit};
use clap::Args;
use std::path::PathBuf;

/// Options of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Cluster files; `-` is stdin
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// How to show findings
    #[arg(long, value_enum, default_value_t = files::FindingFormat::Text)]
    format: files::FindingFormat,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code, such as HPC1034
    code: String,
}

/// Checks cluster files.
pub fn validate(args: &ValidateArgs, output: &mut Output) -> Result<u8, Failure> {
    let catalog = super::catalog::instance_catalog()?;
    let facts = crate::check::Facts { catalog: Some(&catalog) };
    let (text, code) = files::validate(&args.files, args.format, &facts, output.paint.color);
    output.data(&text);
    Ok(code)
}

/// Prints the JSON schema.
pub fn schema(output: &mut Output) -> Result<u8, Failure> {
    output.data(&json_schema::schema());
    Ok(exit::OK)
}

/// Prints a code's page.
pub fn explain(args: &ExplainArgs, output: &mut Output) -> Result<u8, Failure> {
    let wanted = args.code.to_ascii_uppercase();
    let failure = CODES.iter().find(|(code, ..)| *code == wanted || code.strip_prefix("HPC") == Some(wanted.as_str()));
    if let Some((code, title, page)) = failure {
        output.data(&format!("{code}: {title}\n\n{page}\n"));
        return Ok(exit::OK);
    }
    match pages::explain(&args.code) {
        Ok(text) => {
            output.data(&text);
            Ok(exit::OK)
        }
        Err(message) => Err(Failure::new("HPC2007", message, "`hpcctl explain HPC1001` shows a page", exit::ERROR)),
    }
}
