"""Rules of the judging proxy, while a test needs them."""

import fcntl
import json
import os
import uuid


class Rule:
    """One rule, in force as long as the context lasts. Several tests can have some at the same time."""

    def __init__(self, vpc, **rule):
        self.path, self.vpc = f"{vpc.dir}/cloud/judge-rules.json", vpc
        self.name = str(uuid.uuid4())
        self.rule = {**rule, "name": self.name}

    def __enter__(self):
        self._change(lambda rules: [*rules, self.rule])
        return self

    def __exit__(self, *_):
        self._change(lambda rules: [rule for rule in rules if rule["name"] != self.name])

    def uses(self):
        """How often it was used."""
        return self.rule["times"] - next(rule["times"] for rule in self._rules() if rule["name"] == self.name)

    def reached(self, seconds=30):
        """Waits until it has been used once."""
        self.vpc.wait(self.uses, seconds, f"the call {self.rule['op']}")

    def _rules(self):
        with open(self.path) as file:
            return json.load(file)

    def _change(self, change):
        # The proxy counts the uses in the same file.
        with open(f"{self.path}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            rules = change(self._rules())
            with open(f"{self.path}.next", "w") as file:
                json.dump(rules, file)
            os.replace(f"{self.path}.next", self.path)
