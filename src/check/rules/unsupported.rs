//! HPC19xx: what is understood, but not built yet.

use super::{Rule, Severity};

rules! {
1901 DIRECTORY_SERVICE Error "directory-service-unsupported"
"directories are not supported yet"
"`directory_service` is not supported yet"
"configure SSSD in your image or in `custom_actions.on_configured`"
"The key is reserved so that files keep their meaning once it is supported. \
 Until then it is an error and not a warning, so that nobody believes it to work."

1902 OTHER_FILE_SYSTEM Error "file-system-unsupported"
"OpenZFS, ONTAP and File Cache are not supported yet"
"`{kind}` is not supported yet"
"mount it in `custom_actions.on_configured`, or use `fsx_lustre`, `efs` or `ebs`"
"The key is reserved so that files keep their meaning once it is supported. \
 Until then it is an error and not a warning, so that nobody believes it to work."

1903 EXTERNAL_SLURMDBD Error "external-slurmdbd-unsupported"
"a slurmdbd elsewhere is not supported yet"
"`external_slurmdbd` is not supported yet"
"use `external` with the database behind that slurmdbd; several clusters can share one"
"A slurmdbd elsewhere needs the same munge key and an open port 6819. A shared database needs neither."

1904 REST Error "rest-unsupported"
"slurmrestd is not supported yet"
"`slurm.rest` is not supported yet"
"remove it, or start slurmrestd in `head_node.custom_actions.on_configured`"
"slurmrestd needs tokens and TLS in front of it before anyone but the head node may reach it \
 (<https://slurm.schedmd.com/rest.html>)."

1905 INCLUDE Error "include-unsupported"
"included configuration is not supported yet"
"`slurm.include` is not supported yet"
"write the options in `slurm.options`"
"A file that is changed in S3 would change the cluster without a plan. \
 What is written in this file is checked, planned and reviewed."
}
