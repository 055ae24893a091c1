//! HPC175x: what is exported before a file system goes.

use super::{Rule, Severity};

rules! {
1750 EXPORT_IN_PART Warning "export-in-part"
"what is exported is the whole file system"
"outside {linked} nothing of `{name}` is exported before it is deleted"
"link `/`, or say `on_destroy: keep`; `destroy` asks for `--approve-data-loss` otherwise"
"A data repository association links one directory with S3. An export task writes nothing of what lies outside the \
 linked directories, and it goes with the file system \
 (<https://docs.aws.amazon.com/fsx/latest/APIReference/API_CreateDataRepositoryAssociation.html>). \
 A file system that is linked by `data_repository` is linked as a whole."
}
