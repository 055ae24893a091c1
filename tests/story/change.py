"""change.py EXAMPLE FIRST CHANGED: two states of one cluster for the story.

FIRST is the example without its protection against deletion. CHANGED has one more node in every pool, another log
retention, another idle time, and another compression of its Lustre file systems. The changes are made in the text, so
that the files stay what a person wrote.
"""

import re
import sys


def main(example, first, changed):
    text = open(example, encoding="utf-8").read()
    text = re.sub(r"^deletion_protection: true", "deletion_protection: false", text, flags=re.M)
    text = re.sub(r"deletion_protection: true", "deletion_protection: false", text)
    open(first, "w", encoding="utf-8").write(text)
    text = re.sub(r"\bmax: (\d+)", lambda found: f"max: {int(found[1]) + 1}", text)
    text = re.sub(r"\bcompression: LZ4", "compression: NONE", text)
    if re.search(r"\bretention_days: \d+", text):
        text = re.sub(r"\bretention_days: \d+", "retention_days: 60", text)
    elif not re.search(r"^monitoring:", text, flags=re.M):
        text += "\nmonitoring: { logs: { retention_days: 60 } }\n"
    open(changed, "w", encoding="utf-8").write(text)


main(*sys.argv[1:])
