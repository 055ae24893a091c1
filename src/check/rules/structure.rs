//! HPC10xx: text, keys and types.

use super::{Rule, Severity};

rules! {
1001 SYNTAX Error "yaml-syntax"
"the file must be YAML"
"this is not YAML: {detail}"
"correct the line, or the one before it"
"A cluster file is one YAML 1.2 document (<https://yaml.org/spec/1.2.2/>). The parser stops at the first place \
 that it cannot read, so further mistakes may show once this one is gone. Frequent causes are a missing space after \
 a colon, a bracket or quote that is not closed, and a line that is indented differently from its neighbours."

1002 TAB Error "tab-indentation"
"YAML is indented with spaces"
"a tab indents this line"
"replace the tab by spaces"
"YAML forbids tabs in indentation, since editors disagree about their width \
 (<https://yaml.org/spec/1.2.2/#61-indentation-spaces>). Tabs inside of values and comments are fine."

1003 EMPTY Error "empty-file"
"a cluster file describes a cluster"
"there is nothing in this file"
"write one with `hpcctl init`"
"An empty file, or one with comments alone, describes no cluster. It is an error and not an empty cluster: a file \
 that was cut off by accident must never plan the removal of everything."

1004 SECOND_DOCUMENT Error "second-document"
"one file, one cluster"
"a second YAML document begins here"
"put it into a file of its own; `validate` and `plan` take several files"
"`---` begins another document. A file holds exactly one cluster, so that every line of a plan belongs to one file."

1005 DUPLICATE_KEY Error "duplicate-key"
"a key stands once in a mapping"
"`{key}` is given twice; it stands on line {line} already"
"keep one of the two"
"YAML asks that the keys of a mapping are unique (<https://yaml.org/spec/1.2.2/#mapping>). Many programs take the \
 last one in silence; here the first one is read and the second one is an error, since nobody can know which was meant."

1006 UNKNOWN_ANCHOR Error "unknown-anchor"
"an alias names an anchor that stands before it"
"this alias names no anchor above it"
"define it above with `&name`, or write the value out"
"`*name` repeats the value that was marked `&name` earlier in the same file \
 (<https://yaml.org/spec/1.2.2/#anchors-and-aliases>). Anchors of other files cannot be used."

1007 TOO_DEEP Error "nested-too-deep"
"a file nests a limited number of levels"
"this is nested more than {max} levels deep"
"no key of a cluster file needs that; look for a bracket too many"
"The format itself needs ten levels. The limit keeps a damaged or hostile file from exhausting the machine that \
 validates it, which in a CI pipeline is somebody else's."

1008 TOO_LARGE Error "too-many-values"
"a file holds a limited number of values"
"with its aliases resolved the file holds more than {max} values"
"write fewer aliases of aliases"
"Aliases multiply: nine lines can stand for a billion values (the *billion laughs* attack). The limit is far above \
 what the largest cluster needs."

1009 NOT_UTF8 Error "not-utf8"
"the file must be UTF-8 text"
"this is {encoding}, not UTF-8 || this is not UTF-8 text: byte {byte} fits no character"
"save the file as UTF-8, in an editor or with `iconv -f {encoding} -t UTF-8` || save the file as UTF-8"
"Cluster files are UTF-8, with or without a byte order mark. A file in another encoding, or one that is no text at \
 all, cannot be read."

1010 UNKNOWN_KEY Error "unknown-key"
"only known keys are allowed"
"there is no key `{key}` here"
"did you mean `{suggestion}`? || `{key}` belongs below `{belongs}` || the keys here are {known*}"
"A key that means nothing is most often a typing mistake, and ignoring it would build something else than what was \
 written. `hpcctl schema` prints the JSON schema, with which editors complete and check keys while you type."

1011 MISSING Error "missing-key"
"required keys must be there"
"`{key}` is missing"
"add `{line}` || add `{key}:` with {expected} || add `{key}:`"
"Some values have no sensible default: the region, a queue's pools, an instance type. They have to be written."

1012 NO_VALUE Error "no-value"
"a key has a value"
"`{key}` has no value || there is no value here"
"give it one, or remove the key"
"`key:` with nothing behind it is null in YAML. It is often what is left when a block below lost its indentation, \
 so it is not taken for *use the default*: leave the key out for that."

1013 WRONG_TYPE Error "wrong-type"
"values have the right type"
"this should be {expected}, but `{text}` is {found} || this should be {expected}, but it is {found}"
"write `{unquoted}` without quotes || put it in quotes: `'{quoted}'` || write `{boolean}` || \
 write a list: `[{item}]` || write it as {expected}"
"Types follow the YAML 1.2 core schema: `true` and `false` are booleans and `no`, `on` or `off` are text; `12` is a \
 number and `'12'` is text (<https://yaml.org/spec/1.2.2/#103-core-schema>)."

1014 NOT_ONE_OF Error "not-in-list"
"some values come from a closed list"
"`{found}` is not one of the values allowed here"
"did you mean `{suggestion}`? || use {allowed*}"
"The value is handed to AWS or to Slurm, which know these words only. They are spelled as their owners spell them: \
 `SCRATCH_2` as in FSx, `price-capacity-optimized` as in EC2."

1015 BAD_FORMAT Error "bad-format"
"names, ids and addresses have a form"
"`{found}` is not {expected}"
"write one such as {example} || write {form} || write {expected}"
"Ids, ARNs, names and paths are checked for their form before AWS is asked, since AWS would refuse them minutes \
 later with fewer words. Names become part of host names, stack names and resource names, hence lower-case letters, \
 digits and hyphens."

1016 OUT_OF_RANGE Error "out-of-range"
"numbers lie in their range"
"{found} is not between {min} and {max} || {found} is less than {min} || {found} is more than {max} || \
 {found} is too large"
"use a number from {min} to {max} || use {min} or more || use {max} or less || use a smaller number"
"The ranges are those of the AWS API or of slurm.conf that the number is handed to."

1017 TOO_FEW Error "too-few"
"some lists and texts have a least length"
"at least {min} is needed here, and this has {found}"
"add what is missing"
"A cluster without a queue, a queue without a pool or a pool without an instance type could do no work. \
 A name or command without a letter names nothing."

1018 TOO_MANY Error "too-many"
"some lists and texts have a greatest length"
"there may be at most {max} here, and there are {found}"
"remove some"
"The limits are those of AWS: eight data-repository associations a file system, ten addresses a budget, five \
 thresholds."

1019 INTERNAL Error "internal"
"the schema and the program agree"
"the file fits the schema, but could not be read: {detail}"
"this is a fault of hpcctl; please report it with this file"
"The JSON schema is generated from the program's own types, so that a file which fits the one fits the other. This \
 finding says that for once it does not."

1020 UNREADABLE Error "unreadable-file"
"the file can be read"
"`{file}` cannot be read: {reason}"
"check the path; `-` reads standard input"
"The file is not there, is a directory, or may not be read by you. Standard input is read for `-`, so that a file can \
 be checked before it is written."

1021 FILE_TOO_LARGE Error "file-too-large"
"a file has a limited size"
"`{file}` holds more than {max} MiB"
"is this the right file?"
"A cluster with a thousand queues is a file of about half a megabyte. The limit keeps a wrong path, such as that of a \
 disk image, from being read to its end."
}
