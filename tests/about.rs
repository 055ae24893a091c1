//! What hpcctl says of itself: version, completions, manual pages.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, fs, process::Command};

fn run(arguments: &[&str]) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_hpcctl")).args(arguments).output().unwrap();
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

/// The commands that `--help` names.
fn commands() -> BTreeSet<String> {
    let help = run(&["--help"]);
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    list.lines().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn the_version_says_what_was_built() {
    assert_eq!(run(&["-V"]), format!("hpcctl {}\n", env!("CARGO_PKG_VERSION")));
    let long = run(&["--version"]);
    assert!(long.starts_with(&run(&["-V"])), "{long}");
    let features = if cfg!(feature = "aws") { "features: aws\n" } else { "features: none (sandbox only)\n" };
    let target = format!("built for: {}-{}\n", std::env::consts::ARCH, std::env::consts::OS);
    for line in [features, &target, "commit: ", "plan 1."] {
        assert!(long.contains(line), "{line} is not in {long}");
    }
}

#[test]
fn every_command_is_completed_and_has_a_page() {
    let commands = commands();
    assert!(commands.contains("export-fsx") && commands.len() > 20, "{commands:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = run(&["completions", shell]);
        for command in &commands {
            assert!(text.contains(command.as_str()), "{shell} does not complete {command}");
        }
        assert_eq!(text, run(&["completions", shell]));
    }
    let folder = std::env::temp_dir().join(format!("hpcctl-man-{}", std::process::id()));
    run(&["man", "--out", folder.to_str().unwrap()]);
    let top = fs::read_to_string(folder.join("hpcctl.1")).unwrap();
    assert_eq!(top, run(&["man"]));
    for command in &commands {
        let page = fs::read_to_string(folder.join(format!("hpcctl-{command}.1"))).unwrap();
        assert!(page.contains(".SH NAME"), "{command}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

/// Bash itself reads what is made for it, and completes a command and an option.
#[test]
fn bash_completes() {
    let script = run(&["completions", "bash"]);
    let words = |line: &str, index: usize| {
        let program = format!(
            "{script}\nCOMP_WORDS=({line}); COMP_CWORD={index}; COMPREPLY=()\n_hpcctl hpcctl \"${{COMP_WORDS[{index}]}}\" x\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let ran = Command::new("bash").args(["--norc", "-c", &program]).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    };
    assert_eq!(words("hpcctl exp", 1).lines().collect::<Vec<_>>(), ["explain", "export-fsx"]);
    assert!(words("hpcctl plan --det", 2).contains("--detailed-exitcode"));
}
