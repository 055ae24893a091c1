"""cfn-lint over the templates that pass, in this process, each text once.

The library takes about two seconds to load and well under one a template, a subprocess would take
both every time.
"""

import threading
import urllib.parse
import urllib.request

_lock = threading.Lock()
_known = {}


def errors(template, region):
    """cfn-lint's errors in a template: `cfn-lint E3002 message`. Warnings are no violations."""
    with _lock:  # cfn-lint keeps global state
        if template not in _known:
            _known[template] = _run(template, region)
        return _known[template]


def _run(template, region):
    try:
        from cfnlint.api import lint
        from cfnlint.config import ManualArgs

        found = lint(template, config=ManualArgs(regions=[region]))
        return [f"cfn-lint {one.rule.id} {one.message[:160]}" for one in found if one.rule.id.startswith("E")]
    except Exception as error:
        return [f"cfn-lint could not run: {type(error).__name__} {error}"]


def preload():
    """Loads the library on a thread, so that the first template does not wait for it."""

    def load():
        errors('{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}', "us-east-1")

    threading.Thread(target=load, daemon=True).start()


def fetch(url, upstream):
    """The text behind a TemplateURL, read from the emulator; None when it has none there."""
    parts = urllib.parse.urlsplit(url)
    host = (parts.hostname or "").split(".")
    path = parts.path
    if len(host) > 1 and host[1].startswith("s3"):  # bucket.s3.region.amazonaws.com/key
        path = f"/{host[0]}{path}"
    query = f"?{parts.query}" if "versionId" in parts.query else ""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{upstream}{path}{query}", timeout=10) as answer:
            return answer.read().decode()
    except (OSError, ValueError):
        return None
