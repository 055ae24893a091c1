//! HPC15xx: accounting and Slurm.

use super::{Rule, Severity};

rules! {
1501 NO_DATABASE Error "accounting-without-database"
"accounting needs a database"
"nothing says where the accounting database is"
"add `rds: {}` for one in RDS, or `external`"
"slurmdbd keeps job records in MySQL or MariaDB (<https://slurm.schedmd.com/accounting.html>). \
 Without `accounting` there are no job records, no accounts and no fair share; leave the whole section out for that."

1502 TWO_DATABASES Error "accounting-two-databases"
"accounting has one database"
"the accounting database is `{first}` already"
"keep one of the two"
"A slurmdbd writes to one database. To move from one to the other, dump and restore `slurm_acct_db` first."

1503 OTHER_ENGINE Error "option-of-another-engine"
"options fit the database engine"
"`{key}` is not for `engine: {engine}`"
"remove it, or use `engine: {other}`"
"RDS for MySQL is an instance of a class with storage; Aurora serverless is measured in capacity units and grows its \
 storage itself (<https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.html>)."

1504 ACU_ORDER Error "acu-order"
"the most capacity is at least the least"
"`min_acu` is {min}, and `max_acu` is {max}"
"raise `max_acu` to {min}, or lower `min_acu`"
"Aurora serverless scales between the two \
 (<https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html>)."

1505 ACU_STEP Error "acu-step"
"capacity comes in steps of 0.5"
"{acu} is no multiple of 0.5"
"use {lower} or {upper}"
"Aurora capacity units come in halves \
 (<https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html>)."

1506 RDS_SUBNETS Error "rds-one-zone"
"a database has subnets in two zones"
"the database would have {count}, and RDS wants two zones at least"
"set `network.create.availability_zones` to {zones} || give `rds.subnets` in two zones"
"A DB subnet group covers two Availability Zones at least, with or without a standby \
 (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html>)."

1507 DISCARD_PROTECTED Warning "discard-protected"
"a database is protected or discarded"
"`on_destroy: discard` cannot happen while `deletion_protection` is on"
"choose one of the two"
"`destroy` stops at a protected database and says so; it never removes the protection by itself. \
 To remove the database later, first apply a file with `deletion_protection: false`."

1508 ACCOUNTS_WITHOUT_ACCOUNTING Error "accounts-without-accounting"
"accounts are kept by accounting"
"`allow_accounts` needs `accounting`: without it no job has an account"
"add `accounting`, or use `allow_groups`"
"Slurm's accounts live in slurmdbd; without it every job of this queue would be refused \
 (<https://slurm.schedmd.com/slurm.conf.html#OPT_AllowAccounts>)."

1510 OWNED_OPTION Error "owned-option"
"some options of slurm.conf belong to hpcctl"
"`{option}` is written by hpcctl itself"
"use `{instead}` || remove it"
"hpcctl writes these options so that nodes resume, suspend and are counted. Slurm would take the one that comes last, \
 and nodes would not start or never stop (<https://slurm.schedmd.com/slurm.conf.html>)."

1511 UNKNOWN_OPTION Error "unknown-option"
"options of slurm.conf exist"
"slurm.conf has no option `{option}`"
"did you mean `{suggestion}`? || see the slurm.conf man page"
"slurmctld does not start with an unknown option. The list is that of Slurm 21.08 to 25.11 \
 (<https://slurm.schedmd.com/slurm.conf.html>)."

1512 OPTION_VALUE Error "option-value"
"options have values that Slurm understands"
"`{value}` is no value of `{option}`"
"use {expected}"
"Slurm takes some wrong values without a word: a time that is no number becomes 0, an exit code above 255 never \
 occurs. So they are checked here (<https://slurm.schedmd.com/slurm.conf.html>)."

1513 UNKNOWN_PARAMETER Warning "unknown-parameter"
"parameters in lists exist"
"Slurm's documentation knows no `{parameter}` in `{option}`"
"did you mean `{suggestion}`? || see the slurm.conf man page"
"Slurm ignores an unknown word in these lists without a message, so that a typing mistake switches nothing on \
 (<https://slurm.schedmd.com/slurm.conf.html#OPT_SlurmctldParameters>)."

1514 OPTION_TWICE Error "option-twice"
"an option is given once"
"`{option}` and `{other}` are the same option"
"keep one of the two"
"Slurm reads options without regard to case and takes the last one \
 (<https://slurm.schedmd.com/slurm.conf.html#SECTION_DESCRIPTION>)."

1515 OPTION_LINE Error "option-breaks-line"
"an option's value fits on its line"
"a {what} in a value would end it, and what follows would be lost or read as another option"
"remove it"
"slurm.conf has an option on a line, and `#` begins a comment \
 (<https://slurm.schedmd.com/slurm.conf.html#SECTION_DESCRIPTION>)."
}
