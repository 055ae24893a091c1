//! Before a plan: the file held against what the account has, and put on that ground.

use super::{iam::scope, load::Loaded, output::Output};
use crate::{
    check::{Finding, Severity},
    cloud::{Cloud, rights},
    observe::{self, Live, Questions},
    report::errors::{Failure, exit},
};
use clap::Args;

/// What to ask before a plan.
#[derive(Debug, Clone, Copy, Args)]
pub struct Preflight {
    /// Do not ask AWS whether what the file names is there
    #[arg(long)]
    no_preflight: bool,
}

impl Preflight {
    /// Asks, shows what was found, and fills in what the file leaves to AWS.
    ///
    /// # Errors
    /// When the account lacks something that the file names.
    pub async fn run(
        self,
        cloud: &Cloud,
        loaded: &mut Loaded,
        live: &Live,
        output: &Output,
    ) -> Result<Vec<Finding>, Failure> {
        let questions = if self.no_preflight {
            Questions::default()
        } else {
            let account = live.caller.as_ref().map_or("*", |caller| caller.account.as_str());
            let scope = scope(&loaded.cluster, &loaded.graph, account);
            Questions { all: true, rights: rights::questions(rights::Purpose::Apply, &scope) }
        };
        let ground = observe::ground(cloud, &loaded.cluster, &loaded.graph, live, &questions).await?;
        let mut found = loaded.findings(&ground);
        if self.no_preflight {
            found.retain(|finding| loaded.warnings.contains(finding));
        }
        loaded.show(&found, output);
        for (what, why) in &ground.skipped {
            output.note(&format!("preflight skipped {what}: {why}"));
        }
        if output.verbose {
            output.note(&format!("preflight made {} calls", ground.calls));
        }
        if found.iter().any(|finding| finding.rule.severity == Severity::Error) {
            let remedy = "mend what is listed above; `--no-preflight` leaves these questions out";
            return Err(Failure::new(
                "HPC2180",
                "the account has not what the cluster file names",
                remedy,
                exit::ERROR,
            ));
        }
        loaded.on(&ground)?;
        Ok(found)
    }
}
