"""Holds the calls of a story against the table of rights: every call that hpcctl makes has its rights in it.

    rights.py TABLE CALLS    TABLE is src/cloud/rights.rs, CALLS lines of the judging proxy's log
"""

import json
import re
import sys

ENTRY = re.compile(r'^\s+\("(\w+)", "(\w+)", &\[', re.M)


def main(table, calls):
    known = {f"{service}:{operation}" for service, operation in ENTRY.findall(open(table, encoding="utf-8").read())}
    made = set()
    for line in open(calls, encoding="utf-8"):
        call = json.loads(line)
        # People alone: nodes have their roles, and the ground is made with the owner's key.
        if call.get("op") and ":user/" in (call.get("who") or ""):
            made.add(f"{call['service']}:{call['op']}")
    missing = sorted(made - known)
    for call in missing:
        print(f"rights: {call} is called and not in the table", file=sys.stderr)
    print(f"rights: {len(made)} kinds of calls, {len(missing)} without rights")
    return 1 if missing or not made else 0


sys.exit(main(*sys.argv[1:]))
