"""A reverse proxy on 127.0.0.1 (or $JUDGE_ADDRESS) that judges every AWS request and passes it on untouched.

    judge_proxy.py serve PORT UPSTREAM --log FILE [--rules FILE] [--people FILE]
    judge_proxy.py summary FILE        counts of calls and violations; exit 1 when there is a violation

The log has one JSON object a line:
    t, service, op, status, ms, violations, client_token, bucket, key, injected, who, params

`who` is the ARN of the node or person whose policies a call was held against.
`violations` is what the emulators let pass and AWS would not: see `judge_models`; cfn-lint's errors
in every TemplateBody and in the template behind a TemplateURL count too (off with JUDGE_LINT=0). So do calls of nodes and
people that their policies do not allow; these are answered with AccessDenied and go no further. Who has which access key
stands in `iam_principals.py`, whom the proxy asks; the people are those of the file PEOPLE.

The rules file is read at each request. A rule is used when `op` is the call (`ec2:CreateFleet`) or
`*`, when the parameters contain `containing`, if it says so, and at most `times` times:
    {"op": "ec2:CreateFleet", "times": 1, "code": "RequestLimitExceeded", "status": 503, "message": "..."}
    {"op": "cloudformation:DescribeStackEvents", "times": 2, "drop": true}       the connection is cut
    {"op": "ec2:RunInstances", "times": 1, "after": true, "drop": true}          done, but the reply is lost
    {"op": "*", "delay": 0.3}
    {"op": "ec2:CreateFleet", "containing": "main/od", "times": 1, "delay": 30}      held before it is done
    {"op": "ec2:CreateFleet", "times": 1, "after": true, "delay": 30}                done, the reply is held
    {"op": "fsx:DescribeFileSystems", "after": true, "mangle": "cut"}                what a bad proxy makes of it:
        `cut` in half, a log-in `page`, or `empty`, each with status 200

What is held is not done any more when the client is gone meanwhile.
"""

import argparse
import collections
import contextlib
import fcntl
import http.client
import json
import os
import re
import select
import socket
import sys
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

import judge_lint
import judge_models

HOP_BY_HOP = ("connection", "keep-alive", "proxy-connection", "transfer-encoding", "expect", "upgrade")
BODYLESS = (204, 304)
NODE = re.compile("ASI[0-9A-F]{17}")


def _mangled(how, kind, answer):
    """What comes in the place of an answer, and its type."""
    if how == "page":
        return "text/html", b"<html><body>please log in</body></html>"
    return kind, answer[: len(answer) // 2] if how == "cut" else b""


class Judge:
    """Log, rules and upstream of one proxy."""

    def __init__(self, upstream, log, rules, people, lint):
        self.upstream = urllib.parse.urlsplit(upstream)
        if self.upstream.hostname != "127.0.0.1":
            raise SystemExit("the upstream must be on 127.0.0.1")
        self.log_path, self.rules_path, self.people_path, self.lint = log, rules, people, lint
        self.lock = threading.Lock()
        self.linters = ThreadPoolExecutor(1)
        if lint:
            judge_lint.preload()

    def rule(self, judgement, after):
        """The first rule for a call that has uses left, used once."""
        text = None
        with self.lock, self._rules_lock():
            rules = self._read_rules()
            for rule in rules:
                if rule["op"] in (judgement.key, "*") and bool(rule.get("after")) == after and rule.get("times", 1) > 0:
                    if "containing" in rule:
                        text = text or json.dumps(judgement.params, default=str)
                        if rule["containing"] not in text:
                            continue
                    if "times" in rule:
                        rule["times"] -= 1
                        self._write_rules(rules)
                    return rule
        return None

    @contextlib.contextmanager
    def _rules_lock(self):
        """Whoever changes the rules of a proxy that runs holds this lock, so that no change is lost."""
        if not self.rules_path:
            yield
            return
        with open(f"{self.rules_path}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read_rules(self):
        return self._read(self.rules_path, [])

    @staticmethod
    def _read(path, nothing):
        try:
            with open(path) as file:
                return json.load(file)
        except (OSError, TypeError, ValueError):
            return nothing

    def _write_rules(self, rules):
        with open(f"{self.rules_path}.partial", "w") as file:
            json.dump(rules, file)
        os.replace(f"{self.rules_path}.partial", self.rules_path)

    def denial(self, headers, judgement):
        """Why the caller's policies do not allow a call; None when they do, and for the account's owner. Notes who it is."""
        key = headers.get("Authorization", "").partition("Credential=")[2].split("/")[0]
        people = self._read(self.people_path, {})
        if not judgement.operation or not (NODE.fullmatch(key) or key in people):
            return None
        asked = {"key": key, "service": judgement.service, "operation": judgement.operation, "params": judgement.params,
                 "people": {key: people[key]} if key in people else {}}
        connection = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=60)
        try:
            connection.request("POST", "/", json.dumps(asked, default=str), {
                "X-Amz-Target": "HpcRights.Judge", "Content-Type": "application/x-amz-json-1.1",
                "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20260101/{_region(headers)}/hpcrights/aws4_request"})
            answer = json.loads(connection.getresponse().read())
            judgement.who = answer["who"]
            return answer["denied"]
        finally:
            connection.close()

    def start_lint(self, judgement, region):
        """Lints the template of a CloudFormation call while the emulator works on it."""
        if not self.lint or judgement.service != "cloudformation":
            return None
        body, url = judgement.params.get("TemplateBody"), judgement.params.get("TemplateURL")
        if not body and not url:
            return None
        return self.linters.submit(self._lint, body, url, region)

    def _lint(self, body, url, region):
        text = body or judge_lint.fetch(url, self.upstream.geturl())
        return judge_lint.errors(text, region) if text else [f"no template at {url}"]

    def note(self, started, judgement, status, injected=None):
        """Writes one line of the log."""
        params = judgement.params
        token = next((params[name] for name in ("ClientToken", "ClientRequestToken", "clientToken", "CreationToken")
                      if params.get(name)), None)
        text = json.dumps(params, default=str)
        line = {
            "t": round(started, 3), "service": judgement.service, "op": judgement.operation, "status": status,
            "ms": int((time.time() - started) * 1000), "violations": judgement.violations, "client_token": token,
            "injected": injected, "who": judgement.who, "params": params if len(text) < 20000 else text[:2000],
        }
        if judgement.service == "s3":
            line.update(bucket=params.get("Bucket"), key=params.get("Key"))
        # In one write, so that whoever reads meanwhile finds whole lines.
        with self.lock, open(self.log_path, "ab", buffering=0) as file:
            file.write((json.dumps(line, default=str) + "\n").encode())


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    # Head and body of an answer are two writes: the second must not wait for the first one's acknowledgement.
    disable_nagle_algorithm = True
    judge = None

    def log_message(self, *args):
        pass

    def handle_request(self):
        if self.path == "/_judge/health":
            return self.reply(200, [("Content-Type", "text/plain")], b"ok\n")
        started = time.time()
        body, chunked = self.read_body()
        judgement = judge_models.analyse(self.command, self.path, self.headers, body)
        rule = self.judge.rule(judgement, after=False)
        if rule and self.inject(rule, started, judgement):
            return None
        denied = self.judge.denial(self.headers, judgement)
        if denied:
            return self.deny(started, judgement, denied)
        lint = self.judge.start_lint(judgement, _region(self.headers))
        status, headers, answer = self.forward(body, chunked)
        if lint:
            judgement.violations += lint.result()
        late = self.judge.rule(judgement, after=True)
        if late and not self.hold(late.get("delay", 0)):
            self.judge.note(started, judgement, f"{status} client gone", late)
            return self.hang_up()
        if late and late.get("drop"):
            self.judge.note(started, judgement, f"{status} reply dropped", late)
            return self.hang_up()
        if late and late.get("mangle"):
            self.judge.note(started, judgement, f"{status} mangled", late)
            kind, answer = _mangled(late["mangle"], dict(headers).get("Content-Type", "text/xml"), answer)
            return self.reply(200, [("Content-Type", kind)], answer)
        self.judge.note(started, judgement, status, rule)
        return self.reply(status, headers, answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = handle_request

    def read_body(self):
        """The body as it came (aws-chunked stays as it is) and whether it came in HTTP chunks."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(self.read_chunks()), True
        length = int(self.headers.get("Content-Length") or 0)
        return (self.rfile.read(length) if length else b""), False

    def read_chunks(self):
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            if size == 0:
                while self.rfile.readline().strip():
                    pass  # trailers of the transfer coding
                return
            yield self.rfile.read(size)
            self.rfile.readline()

    def forward(self, body, chunked):
        """Sends the request on, with its path, its headers and its Host, and gives the answer."""
        upstream = http.client.HTTPConnection(self.judge.upstream.hostname, self.judge.upstream.port, timeout=300)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP and not (chunked and name.lower() == "content-length"):
                    upstream.putheader(name, value)
            if chunked:
                upstream.putheader("Transfer-Encoding", "chunked")
            upstream.endheaders([body] if chunked else body or None, encode_chunked=chunked)
            answer = upstream.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except OSError as error:
            return 502, [("Content-Type", "text/plain")], f"the judge cannot reach the emulator: {error}\n".encode()
        finally:
            upstream.close()

    def inject(self, rule, started, judgement):
        """Does what a rule says; True when the request was answered (or cut) here."""
        if not self.hold(rule.get("delay", 0)):
            self.judge.note(started, judgement, "client gone", rule)
            self.hang_up()
            return True
        if rule.get("drop"):
            self.judge.note(started, judgement, "dropped", rule)
            self.hang_up()
            return True
        if rule.get("code"):
            status = rule.get("status", 400)
            kind, body = _error(self.headers, judgement.service, rule["code"], rule.get("message", rule["code"]))
            self.reply(status, [("Content-Type", kind), ("x-amzn-ErrorType", rule["code"])], body)
            self.judge.note(started, judgement, status, rule)
            return True
        return False

    def deny(self, started, judgement, words):
        """Refuses a call as the service does. It counts as a violation: hpcctl asks for nothing that it has no right to."""
        judgement.violations.append(f"denied: {words}")
        code = "UnauthorizedOperation" if judgement.service == "ec2" else "AccessDenied"
        said = f"You are not authorized to perform this operation. {words}" if judgement.service == "ec2" else words
        kind, body = _error(self.headers, judgement.service, code, said)
        self.reply(403, [("Content-Type", kind), ("x-amzn-ErrorType", code)], body)
        self.judge.note(started, judgement, 403)

    def hold(self, seconds):
        """Waits; False when the client hangs up meanwhile."""
        end = time.time() + seconds
        while time.time() < end:
            readable, _, _ = select.select([self.connection], [], [], min(0.1, max(0.0, end - time.time())))
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return False
            if readable:
                time.sleep(0.1)
        return True

    def hang_up(self):
        self.close_connection = True
        self.connection.close()

    def reply(self, status, headers, body):
        length = next((value for name, value in headers if name.lower() == "content-length"), None)
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP and name.lower() != "content-length":
                self.send_header(name, value)
        if self.command == "HEAD":
            if length is not None:
                self.send_header("Content-Length", length)
        elif status not in BODYLESS:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in BODYLESS:
            self.wfile.write(body)


def _region(headers):
    parts = headers.get("Authorization", "").partition("Credential=")[2].split("/")
    return parts[2] if len(parts) > 3 else "us-east-1"


def _error(headers, service, code, message):
    """An error as the protocol of the request words it: its content type and body."""
    code, message = escape(code), escape(message)
    if headers.get("X-Amz-Target"):
        return "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message}).encode()
    if service == "ec2":
        text = f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>judge</RequestID></Response>"
    elif service == "s3":
        text = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>judge</RequestId></Error>"
    else:
        text = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>judge</RequestId></ErrorResponse>"
    return "text/xml", text.encode()


def serve(options):
    Handler.judge = Judge(options.upstream, options.log, options.rules, options.people, os.environ.get("JUDGE_LINT", "1") == "1")
    server = ThreadingHTTPServer((os.environ.get("JUDGE_ADDRESS", "127.0.0.1"), options.port), Handler)
    server.daemon_threads = True
    server.serve_forever()


def summary(options):
    """Prints the counts of a log and every violation."""
    with open(options.log) as file:
        lines = [json.loads(line) for line in file if line.strip()]
    calls = collections.Counter(f"{line['service']}:{line['op']}" for line in lines)
    for name, count in sorted(calls.items()):
        print(f"{count:6} {name}")
    wrong = collections.Counter((f"{line['service']}:{line['op']}", text) for line in lines for text in line["violations"])
    for (name, text), count in sorted(wrong.items()):
        print(f"violation  {count:4} {name}: {text}")
    total = sum(wrong.values())
    print(f"{len(lines)} calls, {total} violations")
    return 1 if total else 0


def main():
    parser = argparse.ArgumentParser(description="a proxy that judges AWS requests")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("serve")
    one.add_argument("port", type=int)
    one.add_argument("upstream")
    one.add_argument("--log", required=True)
    one.add_argument("--rules", default=None)
    one.add_argument("--people", default=None)
    two = commands.add_parser("summary")
    two.add_argument("log")
    options = parser.parse_args()
    return serve(options) if options.command == "serve" else summary(options)


if __name__ == "__main__":
    sys.exit(main())
