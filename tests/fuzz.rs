//! Every parser of foreign text, fed with text that went wrong: no panic, no hang, no time that grows with the square.
//!
//! ```text
//! HPCCTL_FUZZ_CASES=10000000 cargo test --no-default-features --test fuzz -- --nocapture
//! ```
//!
//! Case N of a kind is the same on every machine. `HPCCTL_FUZZ_FROM` is the first one; `HPCCTL_FUZZ_KINDS` names kinds
//! (`plan,lock`); with `HPCCTL_FUZZ_TRACE=FILE` each case is written there before it is tried, for those that end the program.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "fuzz/mutate.rs"]
mod mutate;
#[path = "fuzz/seeds.rs"]
mod seeds;
mod support;

use mutate::Dice;
use std::{
    env,
    panic::{self, AssertUnwindSafe},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

type Parser = (&'static str, fn(&[u8]) -> bool);

/// Kinds of which a case takes milliseconds: of a thousand cases they get this many.
const SLOW: &[(&str, u64)] =
    &[("cluster-file", 20), ("plan", 4), ("sandbox-state", 2), ("template", 6), ("instance-catalog", 1)];

/// More than any case of at most 64 KiB needs, on a machine that does other things beside.
const PATIENCE: Duration = Duration::from_secs(20);

/// All parsers.
pub fn parsers() -> Vec<Parser> {
    [
        hpcctl::commands::parsers::PARSERS,
        hpcctl::node::parsers::PARSERS,
        hpcctl::observe::parsers::PARSERS,
        hpcctl::apply::parsers::PARSERS,
        hpcctl::rehearsal::parsers::PARSERS,
        hpcctl::cloud::sandbox::parsers::PARSERS,
    ]
    .concat()
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap())
}

/// How many of `cases` a kind gets.
fn share(kind: &str, cases: u64) -> u64 {
    let slow: u64 = SLOW.iter().map(|(_, of)| of).sum();
    match SLOW.iter().find(|(one, _)| *one == kind) {
        Some((_, of)) => cases * of / 1000,
        None => cases * (1000 - slow) / 1000 / (parsers().len() - SLOW.len()) as u64,
    }
    .max(1)
}

/// What came of the cases of a kind.
struct Tried {
    cases: u64,
    understood: u64,
    slowest: Duration,
    wrong: Vec<String>,
}

fn attempt((kind, parse): Parser, seeds: &[Vec<u8>], cases: u64) -> Tried {
    let from = number("HPCCTL_FUZZ_FROM").unwrap_or(0);
    let trace = env::var_os("HPCCTL_FUZZ_TRACE");
    let mut tried = Tried { cases, understood: 0, slowest: Duration::ZERO, wrong: Vec::new() };
    for number in from..from + cases {
        let text = mutate::case(&mut Dice::new(number + 1), seeds);
        if let Some(file) = &trace {
            std::fs::write(file, &text).unwrap();
        }
        let began = Instant::now();
        let result = panic::catch_unwind(AssertUnwindSafe(|| parse(&text)));
        let took = began.elapsed();
        tried.slowest = tried.slowest.max(took);
        tried.understood += u64::from(matches!(result, Ok(true)));
        if result.is_err() || took > PATIENCE {
            let kept = env::temp_dir().join(format!("hpcctl-fuzz-{kind}-{number}"));
            std::fs::write(&kept, &text).unwrap();
            tried.wrong.push(format!("{kind} {number}: {result:?} after {took:?}, kept as {}", kept.display()));
        }
        if tried.wrong.len() >= 5 {
            break;
        }
    }
    tried
}

#[test]
fn no_case_breaks_a_parser() {
    let cases = number("HPCCTL_FUZZ_CASES").unwrap_or(24_000);
    let kinds = env::var("HPCCTL_FUZZ_KINDS").unwrap_or_default();
    let seeds = seeds::seeds();
    let (mut all, mut wrong) = (0, Vec::new());
    for parser in parsers().into_iter().filter(|(kind, _)| kinds.is_empty() || kinds.split(',').any(|one| one == *kind))
    {
        let began = Instant::now();
        let tried = attempt(parser, &seeds[parser.0], share(parser.0, cases));
        let Tried { cases, understood, slowest, wrong: found } = tried;
        println!(
            "{:<20} {cases:>9} cases {understood:>9} understood  slowest {slowest:>12?}  in {:?}",
            parser.0,
            began.elapsed()
        );
        all += cases;
        wrong.extend(found);
    }
    println!("{all} cases, {} deviations", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_has_a_seed_that_is_understood() {
    let seeds = seeds::seeds();
    for (kind, parse) in parsers() {
        let seeds = seeds.get(kind).unwrap_or_else(|| panic!("{kind} has no seed"));
        assert!(seeds.iter().any(|seed| parse(seed)), "no seed of {kind} is understood");
    }
}

/// Runs a parser as the program does, on the main thread's stack; panics when it does not end.
fn ends(kind: &str, what: &str, parse: fn(&[u8]) -> bool, text: Vec<u8>) {
    let (done, ended) = mpsc::channel();
    let run = move || done.send(panic::catch_unwind(|| parse(&text)).is_ok()).unwrap();
    thread::Builder::new().stack_size(8 << 20).spawn(run).unwrap();
    match ended.recv_timeout(PATIENCE) {
        Ok(sound) => assert!(sound, "{kind} panics at {what}"),
        Err(_) => panic!("{kind} does not end at {what}"),
    }
}

#[test]
fn what_broke_something_once_does_so_no_more() {
    let parsers = parsers();
    for (name, text) in seeds::corpus() {
        let (kind, parse) = parsers.iter().find(|(kind, _)| *kind == seeds::kind_of(&name)).unwrap();
        ends(kind, &name, *parse, text);
    }
}

/// Text of 128 KiB that repeats itself: whatever nests, branches or is copied shows here.
#[test]
fn no_parser_takes_the_square_of_its_text() {
    const SIZE: usize = 128 * 1024;
    const PARTS: &[&str] = &[
        "[", "{\"a\":", "a: ", "- ", "[1]", "[1-9]", "a[1-2]", "a,", "a=b ", "&a [*a,", "? ", "<a>", "</", "< ", "'",
        "\"", "\\", "|\n", " ", "\n", "\n ", "\r\n\r\n", "0", "9", "1,", "{}", "é", "\0", "%a\n", "a: b\n", "*a\n",
        "#", "${", "|", "+", ".", "a/",
    ];
    for (kind, parse) in parsers() {
        for part in PARTS {
            let text = part.repeat(SIZE / part.len());
            ends(kind, &format!("{part:?} without end"), parse, text.clone().into_bytes());
            for (before, after) in
                [("[", "]"), ("a[", "]"), ("{\"a\": \"", "\"}"), ("version: 1\nname: ", "\n"), ("GET / ", "\r\n\r\n")]
            {
                if kind != "cluster-file" || part.len() == 1 {
                    ends(
                        kind,
                        &format!("{before}{part:?}...{after}"),
                        parse,
                        format!("{before}{text}{after}").into_bytes(),
                    );
                }
            }
        }
    }
}
