"""The instance metadata service, version 2, for all machines of a VPC: who asks is known by the address.

Paths, status codes and documents as in the EC2 user guide, "Instance metadata and user data" and "Spot Instance
interruptions". Without a token every request is refused with 401.
"""

import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADDRESS = "169.254.169.254"


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def key_of(instance):
    """The access key of an instance: `tests/cloud/iam_principals.py` reads its id in it."""
    return "ASI" + instance.removeprefix("i-").upper()


class Machines:
    """What the service knows of each machine, by address."""

    def __init__(self, region, cidr):
        self.region, self.cidr = region, cidr
        self.by_address = {}
        self.tokens = {}

    def document(self, machine, path):
        """The document at a path, or None."""
        documents = {
            "user-data": machine["user_data"],
            "meta-data/instance-id": machine["id"],
            "meta-data/instance-type": machine["type"],
            "meta-data/local-ipv4": machine["address"],
            "meta-data/local-hostname": f"ip-{machine['address'].replace('.', '-')}.ec2.internal",
            "meta-data/hostname": f"ip-{machine['address'].replace('.', '-')}.ec2.internal",
            "meta-data/mac": machine["mac"],
            f"meta-data/network/interfaces/macs/{machine['mac']}/vpc-ipv4-cidr-blocks": self.cidr,
            "meta-data/placement/availability-zone": machine["zone"],
            "meta-data/placement/region": self.region,
            "meta-data/instance-life-cycle": machine["life_cycle"],
            "meta-data/tags/instance": "\n".join(sorted(machine["tags"])),
            "meta-data/iam/security-credentials/": "rehearsal",
            "meta-data/iam/security-credentials/rehearsal": self.role(machine),
            "dynamic/instance-identity/document": json.dumps({
                "instanceId": machine["id"], "region": self.region, "availabilityZone": machine["zone"],
                "instanceType": machine["type"], "privateIp": machine["address"]}),
            "meta-data/spot/instance-action": machine.get("instance_action"),
            "meta-data/events/recommendations/rebalance": machine.get("rebalance"),
            "meta-data/events/maintenance/scheduled": "[]",
        }
        documents.update({f"meta-data/tags/instance/{key}": value for key, value in machine["tags"].items()})
        return documents.get(path, documents.get(path.rstrip("/")))

    def role(self, machine):
        """Keys of the machine's own, by which the test cloud knows whose role its calls are held against."""
        return json.dumps({
            "Code": "Success", "LastUpdated": stamp(time.time()), "Type": "AWS-HMAC", "AccessKeyId": key_of(machine["id"]),
            "SecretAccessKey": secrets.token_hex(20), "Token": "rehearsal", "Expiration": stamp(time.time() + 6 * 3600)})

    def issue(self, address, seconds):
        token = secrets.token_urlsafe(40)
        self.tokens[token] = (address, time.time() + seconds)
        return token

    def admits(self, address, token):
        owner, until = self.tokens.get(token, (None, 0))
        return owner == address and time.time() < until


class Handler(BaseHTTPRequestHandler):
    """One request of a machine."""

    protocol_version = "HTTP/1.1"
    machines = None
    TTL = "X-aws-ec2-metadata-token-ttl-seconds"

    def log_message(self, *args):
        pass

    def do_PUT(self):
        ttl = self.headers.get(self.TTL, "")
        if self.path != "/latest/api/token":
            return self.answer(405, "")
        if not ttl.isdigit() or not 1 <= int(ttl) <= 21600:
            return self.answer(400, "")
        return self.answer(200, self.machines.issue(self.client_address[0], int(ttl)), {self.TTL: ttl})

    def do_GET(self):
        address = self.client_address[0]
        machine = self.machines.by_address.get(address)
        if not self.machines.admits(address, self.headers.get("X-aws-ec2-metadata-token")):
            return self.answer(401, "")
        path = self.path.removeprefix("/latest/")
        text = self.machines.document(machine, path) if machine and path != self.path else None
        return self.answer(404, "") if text is None else self.answer(200, text)

    def answer(self, status, text, headers=None):
        body = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain", "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def serve(machines):
    """Serves in the background."""
    Handler.machines = machines
    server = Server((ADDRESS, 80), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
