//! Making cases: a seed of the corpus, changed a little or a lot. The same number makes the same case.

use serde_json::Value;

/// Numbers that only look random: xorshift64*.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number below `sides`; 0 when there are none.
    pub fn below(&mut self, sides: usize) -> usize {
        self.roll() as usize % sides.max(1)
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// What parsers stumble over.
const TOKENS: &[&str] = &[
    "",
    "0",
    "-1",
    "1",
    "00001",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e999",
    "0.1",
    "null",
    "true",
    "~",
    "[",
    "]",
    "{",
    "}",
    "[]",
    "{}",
    "\"",
    "'",
    "\\",
    "\\u0000",
    "\\ud800",
    ",",
    ":",
    ": ",
    "\n",
    "\r\n",
    "\t",
    "  ",
    "- ",
    "? ",
    "|\n",
    ">\n",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!str ",
    "%",
    "---\n",
    "...\n",
    "#",
    "é",
    "\u{feff}",
    "\u{202e}",
    "🦀",
    "[1-3]",
    "[08-10]",
    "[1-",
    "-",
    "=",
    "|",
    "+",
    "*",
    "..",
    "../",
    "/",
    "${",
    "}",
    "<",
    ">",
    "</",
    "/>",
    "<?",
    "<!--",
    "xml",
    "html",
    "HTTP/1.1",
    "\r\n\r\n",
    "1.0",
    "2.0",
    "999.0",
    "hpcctl",
    "kind",
    "format_version",
    "\0",
];

/// The longest case, in bytes, but for a seed that is longer itself.
const LONGEST: usize = 65_536;

/// A case made of these seeds.
pub fn case(dice: &mut Dice, seeds: &[Vec<u8>]) -> Vec<u8> {
    let seed = dice.pick(seeds).clone();
    let mut text = match dice.below(3) {
        0 => structured(dice, &seed).unwrap_or(seed),
        _ => seed,
    };
    for _ in 0..dice.below(5) {
        mutate(dice, &mut text, seeds);
    }
    text
}

/// JSON with some of its values changed, so that what follows the parser is reached.
fn structured(dice: &mut Dice, seed: &[u8]) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(seed).ok()?;
    for _ in 0..=dice.below(3) {
        change(dice, &mut value);
    }
    serde_json::to_vec(&value).ok()
}

fn change(dice: &mut Dice, value: &mut Value) {
    match value {
        Value::Array(items) if !items.is_empty() && dice.below(5) > 0 => {
            let at = dice.below(items.len());
            match dice.below(8) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                _ => change(dice, &mut items[at]),
            }
        }
        Value::Object(members) if !members.is_empty() && dice.below(8) > 0 => {
            let key = members.keys().nth(dice.below(members.len())).cloned().unwrap_or_default();
            match dice.below(10) {
                0 => drop(members.remove(&key)),
                1 => drop(members.insert((*dice.pick(TOKENS)).to_owned(), Value::Null)),
                _ => change(dice, &mut members[&key]),
            }
        }
        Value::Number(_) if dice.below(4) > 0 => {
            *value = dice.pick(&[0, 1, -1, i64::MAX, i64::MIN, 4_294_967_296, 253_402_300_800]).to_owned().into();
        }
        Value::String(text) if dice.below(4) > 0 => {
            let token = *dice.pick(TOKENS);
            let mut at = dice.below(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            if dice.below(2) == 0 { text.insert_str(at, token) } else { *text = token.to_owned() }
        }
        other => {
            *other = match dice.below(6) {
                0 => Value::Null,
                1 => Value::Bool(true),
                2 => Value::from(dice.roll() as i64),
                3 => Value::from((*dice.pick(TOKENS)).to_owned()),
                4 => Value::Array(vec![other.clone(), Value::Null]),
                _ => serde_json::json!({ "kind": other.clone() }),
            };
        }
    }
}

fn mutate(dice: &mut Dice, text: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let at = dice.below(text.len() + 1);
    let most = 1 << (1 + dice.below(7));
    let to = (at + dice.below(most)).min(text.len());
    match dice.below(9) {
        0 if at < text.len() => text[at] ^= 1 << dice.below(8),
        1 if at < text.len() => text[at] = dice.roll() as u8,
        2 => text.truncate(at),
        3 => drop(text.drain(at..to)),
        4 => {
            let part = text[at..to].to_vec();
            insert(text, at, &part);
        }
        5 => {
            let times = 1 << dice.below(9);
            let part = dice.pick(TOKENS).repeat(times);
            insert(text, at, part.as_bytes());
        }
        6 => {
            let other = dice.pick(seeds);
            let from = dice.below(other.len() + 1);
            let end = (from + dice.below(256)).min(other.len());
            insert(text, at, &other[from..end]);
        }
        _ => {
            let token = dice.pick(TOKENS).as_bytes();
            text.splice(at..to, token.iter().copied());
        }
    }
}

fn insert(text: &mut Vec<u8>, at: usize, part: &[u8]) {
    if text.len() + part.len() <= LONGEST {
        text.splice(at..at, part.iter().copied());
    }
}
