//! `hpcctl schema`: the JSON schema of the cluster file.

use crate::spec::schema::cluster_schema_text;
use std::io::{self, Write};

/// Prints the JSON schema, draft 2020-12.
pub fn schema(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(cluster_schema_text().as_bytes())
}
