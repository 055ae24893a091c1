//! Which Slurm the nodes run and where it is.

use crate::spec::{Image, Os};
use serde::Serialize;

/// The Slurm of an image as the templates see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct SlurmFacts {
    /// `23.11`.
    pub name: &'static str,
    /// `2311`, to compare with.
    pub number: u32,
    /// Where the image has its own Slurm.
    pub prefix: Option<String>,
    /// The directory of slurm.conf.
    pub etc: String,
    /// The directory of the commands.
    pub bin: String,
    /// The directory of the daemons.
    pub sbin: String,
}

impl SlurmFacts {
    /// The distribution's Slurm, or the one that the image carries; that one is taken to be 23.11 or newer.
    pub fn of(image: &Image) -> Self {
        let (name, number) = match (image.os, &image.slurm_prefix) {
            (Os::Ubuntu2204, None) => ("21.08", 2108),
            (Os::Debian12, None) => ("22.05", 2205),
            _ => ("23.11", 2311),
        };
        let prefix = image.slurm_prefix.as_ref().map(|prefix| prefix.as_str().trim_end_matches('/').to_owned());
        let under = |folder: &str, packaged: &str| match &prefix {
            Some(prefix) => format!("{prefix}/{folder}"),
            None => packaged.to_owned(),
        };
        Self {
            name,
            number,
            etc: under("etc", "/etc/slurm"),
            bin: under("bin", "/usr/bin"),
            sbin: under("sbin", "/usr/sbin"),
            prefix,
        }
    }

    /// Whether the main scheduler passes jobs over when there is no database: the packaged 23.11.4 does, 21.08, 22.05,
    /// 24.11 and 26.05 do not (tried).
    pub fn passes_jobs_over(&self) -> bool {
        self.number == 2311 && self.prefix.is_none()
    }
}

/// The version of the distribution's own Slurm, such as `22.05`; `None` where Slurm comes with the image.
pub fn packaged_slurm(image: &Image) -> Option<&'static str> {
    let packaged = matches!(image.os, Os::Ubuntu2404 | Os::Ubuntu2204 | Os::Debian12) && image.slurm_prefix.is_none();
    packaged.then(|| SlurmFacts::of(image).name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_decides_unless_the_image_has_its_own() {
        let image = |os, prefix: Option<&str>| Image { os, slurm_prefix: prefix.map(Into::into), ..Image::default() };
        assert_eq!(SlurmFacts::of(&image(Os::Debian12, None)).number, 2205);
        assert_eq!(SlurmFacts::of(&image(Os::Ubuntu2204, None)).etc, "/etc/slurm");
        let own = SlurmFacts::of(&image(Os::Ubuntu2204, Some("/opt/slurm/")));
        assert_eq!((own.number, own.etc.as_str(), own.sbin.as_str()), (2311, "/opt/slurm/etc", "/opt/slurm/sbin"));
    }
}
