//! Every rule, held against files that break it.
//!
//! `tests/mistakes/*.yaml` are cluster files with mistakes. The first line of each names the codes that must be
//! found, `# expect: HPC1010 HPC1301`; files that cannot begin with a comment have them in `EXPECTED`. Beside
//! each stands the text that a user sees. `UPDATE_GOLDEN=1` writes those texts.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use hpcctl::{
    check::{self, Facts, RULES},
    commands::validate::{CheckedFile, FindingFormat, check_bytes, check_file, show},
    report::findings,
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Files that cannot begin with a comment.
const EXPECTED: &[(&str, &str)] =
    &[("empty", "HPC1003"), ("binary", "HPC1009"), ("utf-16", "HPC1009"), ("bom", "HPC1010")];
/// Rules that no file can break by itself: a fault of the program, files that cannot be read, and what an account lacks
/// (see tests/preflight.rs).
const WITHOUT_FILE: &[u16] = &[
    1019, 1020, 1021, 1782, 1783, 1784, 1785, 1786, 1787, 1788, 1789, 1790, 1791, 1792, 1793, 1794, 1797, 1800, 1801,
    1802, 1803, 1804, 1805, 1806,
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes")
}

fn files() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

fn checked() -> &'static [(String, CheckedFile)] {
    static CHECKED: OnceLock<Vec<(String, CheckedFile)>> = OnceLock::new();
    CHECKED.get_or_init(|| {
        let check = |(name, bytes): (String, Vec<u8>)| {
            (name.clone(), check_bytes(&format!("{name}.yaml"), bytes, &Facts::embedded()))
        };
        files().into_iter().map(check).collect()
    })
}

fn expected(name: &str, bytes: &[u8]) -> BTreeSet<String> {
    let listed = EXPECTED.iter().find(|(file, _)| *file == name).map(|(_, codes)| (*codes).to_owned());
    let codes = listed.unwrap_or_else(|| {
        let text = String::from_utf8_lossy(bytes);
        let first = text.lines().next().unwrap_or("").to_owned();
        first.strip_prefix("# expect:").unwrap_or_else(|| panic!("{name}: no `# expect:` line")).to_owned()
    });
    codes.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn every_mistake_is_found_and_nothing_else() {
    let mut wrong = Vec::new();
    for ((name, bytes), (_, checked)) in files().iter().zip(checked()) {
        let found: BTreeSet<String> = checked.findings.iter().map(|finding| finding.rule.id()).collect();
        let expected = expected(name, bytes);
        if found != expected {
            let words: Vec<String> = checked.findings.iter().map(findings::message).collect();
            wrong.push(format!("{name}: expected {expected:?}, found {found:?}: {words:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_report_is_as_it_was() {
    let mut wrong = Vec::new();
    for (name, checked) in checked() {
        let mut text = Vec::new();
        show(std::slice::from_ref(checked), FindingFormat::Text, false, &mut text).unwrap();
        let golden = folder().join(format!("{name}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &text).unwrap();
        } else if fs::read(&golden).unwrap_or_default() != text {
            wrong.push(format!("{name}:\n{}", String::from_utf8_lossy(&text)));
        }
    }
    assert!(wrong.is_empty(), "these reports changed; UPDATE_GOLDEN=1 takes them\n{}", wrong.join("\n"));
}

#[test]
fn no_other_view_panics_and_all_are_well_formed() {
    for (name, checked) in checked() {
        for format in [FindingFormat::Json, FindingFormat::Sarif] {
            let mut out = Vec::new();
            show(std::slice::from_ref(checked), format, false, &mut out).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert!(value.is_object(), "{name}");
        }
        let mut out = Vec::new();
        show(std::slice::from_ref(checked), FindingFormat::Github, false, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out.lines().count(), checked.findings.len(), "{name}");
        assert!(out.lines().all(|line| line.starts_with("::error file=") || line.starts_with("::warning file=")));
        let mut colored = Vec::new();
        show(std::slice::from_ref(checked), FindingFormat::Text, true, &mut colored).unwrap();
    }
}

#[test]
fn views_for_programs_are_as_they_were() {
    let (_, checked) = checked().iter().find(|(name, _)| name == "five-mistakes").unwrap();
    for (extension, format) in [("json", FindingFormat::Json), ("github", FindingFormat::Github)] {
        let mut out = Vec::new();
        show(std::slice::from_ref(checked), format, false, &mut out).unwrap();
        let golden =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/findings/five-mistakes.{extension}"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(golden.parent().unwrap()).unwrap();
            fs::write(&golden, &out).unwrap();
        }
        assert!(fs::read(&golden).unwrap_or_default() == out, "{extension} changed; UPDATE_GOLDEN=1 takes it");
    }
}

#[test]
fn sarif_names_rules_and_places() {
    let (_, checked) = checked().iter().find(|(name, _)| name == "five-mistakes").unwrap();
    let mut out = Vec::new();
    show(std::slice::from_ref(checked), FindingFormat::Sarif, false, &mut out).unwrap();
    let sarif: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(run["results"].as_array().unwrap().len(), 5);
    let first = &run["results"][0];
    let rule = &run["tool"]["driver"]["rules"][usize::try_from(first["ruleIndex"].as_u64().unwrap()).unwrap()];
    assert_eq!((&rule["id"], &first["ruleId"]), (&"HPC1213".into(), &"HPC1213".into()));
    let place = &first["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "five-mistakes.yaml");
    let region = serde_json::json!({ "startLine": 11, "startColumn": 14, "endLine": 11, "endColumn": 29 });
    assert_eq!(place["region"], region);
}

#[test]
fn commands_for_github_escape_what_they_must() {
    let name = "a,b:c%.yaml";
    let file = check_bytes(name, b"version: 1\n\xff".to_vec(), &Facts::embedded());
    let line = findings::github(&[file.view()]);
    assert!(line.starts_with("::error file=a%2Cb%3Ac%25.yaml,line=2,col=1,title=HPC1009::"), "{line}");
    assert_eq!(line.matches('\n').count(), 1);
}

#[test]
fn every_rule_is_broken_by_some_file() {
    let found: BTreeSet<u16> =
        checked().iter().flat_map(|(_, checked)| &checked.findings).map(|finding| finding.rule.code).collect();
    let missing: Vec<String> = RULES
        .iter()
        .filter(|rule| !found.contains(&rule.code) && !WITHOUT_FILE.contains(&rule.code))
        .map(|rule| format!("{} {}", rule.id(), rule.name))
        .collect();
    assert!(missing.is_empty(), "no mistake file for {missing:#?}");
}

#[test]
fn gaps_and_what_fills_them_agree() {
    let unread = [check::unreadable("a.yaml", "there is no such file"), check::too_large("a.yaml")];
    let all = checked();
    let mut used: BTreeSet<(u16, &str)> = BTreeSet::new();
    for finding in all.iter().flat_map(|(_, checked)| &checked.findings).chain(&unread) {
        let rule = finding.rule;
        let both = format!("{} || {}", rule.message, rule.remedy);
        let gaps: BTreeSet<&str> = findings::gaps(&both).collect();
        for (name, _) in &finding.args {
            assert!(gaps.contains(name), "{}: nothing shows `{name}`", rule.id());
            used.insert((rule.code, name));
        }
        let given: BTreeSet<&str> = finding.args.iter().map(|(name, _)| *name).collect();
        for template in [rule.message, rule.remedy] {
            let filled = |part: &str| findings::gaps(part).all(|gap| given.contains(gap));
            assert!(template.split(" || ").any(filled), "{}: {:?} does not fill `{template}`", rule.id(), given);
        }
    }
    for rule in RULES.iter().filter(|rule| rule.code != 1019 && !(1782..=1806).contains(&rule.code)) {
        for gap in findings::gaps(rule.message).chain(findings::gaps(rule.remedy)) {
            assert!(used.iter().any(|(code, name)| *code == rule.code && *name == gap), "{}: `{gap}`", rule.id());
        }
    }
}

#[test]
fn the_table_is_sorted_and_its_names_are_unique() {
    assert!(RULES.windows(2).all(|pair| pair[0].code < pair[1].code), "codes are sorted and unique");
    let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), RULES.len());
    for rule in RULES {
        let words = [rule.title, rule.message, rule.remedy];
        assert!(words.iter().all(|text| !text.ends_with('.') && !text.contains("  ")), "{}", rule.id());
        assert!(words.iter().all(|text| text.matches('`').count() % 2 == 0), "{}", rule.id());
        assert!(rule.explanation.len() > 60 && !rule.explanation.contains("  "), "{}", rule.id());
    }
}

#[test]
fn five_mistakes_are_found_at_once() {
    let (_, checked) = checked().iter().find(|(name, _)| name == "five-mistakes").unwrap();
    assert_eq!(checked.findings.len(), 5);
    assert!(checked.findings.windows(2).all(|pair| pair[0].span.start <= pair[1].span.start));
}

#[test]
fn files_that_cannot_be_read_are_findings() {
    let code = |path: &Path| check_file(path, &Facts::embedded()).findings[0].rule.code;
    assert_eq!(code(Path::new("tests/mistakes/no-such-file.yaml")), 1020);
    assert_eq!(code(&folder()), 1020);
    let large = check_bytes("large.yaml", vec![b'#'; 16 * 1024 * 1024 + 1], &Facts::embedded());
    assert_eq!(large.findings[0].rule.code, 1021);
}
