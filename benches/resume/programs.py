"""The three ResumePrograms, each set up as its own documentation says, on the same subnet and instance type.

All are given the same: the list of nodes, SLURM_RESUME_FILE with one job that waits for all of them, credentials in the
environment, and the fake scontrol.
"""

import configparser
import datetime
import json
import shutil
from pathlib import Path

CLUSTER = "bench"
TYPE = "c5.4xlarge"


class Program:
    """A ResumeProgram in a folder of its own; `prefix` is what its nodes' names begin with."""

    name = prefix = ""

    def __init__(self, home, ground):
        self.home, self.ground = Path(home), ground
        self.home.mkdir(parents=True)

    def nodes(self, count):
        """The list as slurmctld gives it."""
        return f"{self.prefix}[1-{count}]" if count > 1 else f"{self.prefix}1"

    def fresh(self):
        """Forgets earlier rounds."""

    def command(self, count):
        """What slurmctld runs."""
        raise NotImplementedError

    def environment(self):
        """What it needs in the environment besides the common."""
        return {}

    def launched(self):
        """Raises when its log says that something went wrong."""

    def write(self, name, content):
        """A file in its folder, JSON unless it is text."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
        return path


class Hpcctl(Program):
    """`hpcctl node resume`."""

    name, prefix = "hpcctl", "cfd-od-"

    def __init__(self, home, ground, binary):
        super().__init__(home, ground)
        self.binary = binary
        template = {"name": "bench/cfd/od", "id_output": "Id", "version_output": "Version", "instance_types": [TYPE]}
        pool = {
            "name": "od", "node_prefix": self.prefix, "min": 0, "max": 1000, "purchase": "on-demand",
            "allocation": "lowest-price", "spot_price": None, "instance_types": [TYPE], "launch_templates": [template],
            "stack": "queue.cfd", "subnets": [ground.subnet], "subnets_output": "Subnets", "tags": {}}
        self.write("etc/hpcctl.json", {
            "kind": "hpcctl/node-config", "format_version": "1.0", "cluster": CLUSTER, "region": ground.region,
            "slurm_bin": str(ground.slurm / "bin"), "slurm_conf": "/etc/slurm/slurm.conf", "scaling": "all-or-nothing",
            "capacity_cooldown_seconds": 600, "protected_failure_count": 10, "resume_timeout_seconds": 900,
            "queues": [{"name": "cfd", "pools": [pool]}]})
        self.write("etc/cluster.json", {
            "artifact_bucket": ground.bucket, "revision": 1,
            "outputs": {"queue.cfd": {"Id": ground.template("hpcctl", {}), "Version": "1"}}})

    def fresh(self):
        shutil.rmtree(self.home / "state", ignore_errors=True)
        (self.home / "state").mkdir()

    def command(self, count):
        return [self.binary, "node", "resume", self.nodes(count), "--etc", str(self.home / "etc"),
                "--state", str(self.home / "state")]


class Plugin(Program):
    """resume.py of aws-plugin-for-slurm, branch plugin-v2, with the log level of its examples."""

    name, prefix = "plugin", "cfd-od-"

    def __init__(self, home, ground, source, python):
        super().__init__(home, ground)
        self.python = python
        for file in ("resume.py", "common.py"):
            shutil.copy(Path(source) / file, self.home / file)
        name = ground.template("plugin", {}, by="name")
        self.write("config.json", {
            "LogLevel": "INFO", "LogFileName": str(self.home / "aws_plugin.log"), "SlurmBinPath": str(ground.slurm / "bin"),
            "SlurmConf": {
                "PrivateData": "CLOUD", "ResumeProgram": "resume.py", "SuspendProgram": "suspend.py", "ResumeRate": 100,
                "SuspendRate": 100, "ResumeTimeout": 300, "SuspendTime": 350, "TreeWidth": 60000}})
        self.write("partitions.json", {"Partitions": [{"PartitionName": "cfd", "NodeGroups": [{
            "NodeGroupName": "od", "MaxNodes": 1001, "Region": ground.region, "SlurmSpecifications": {"CPUs": "16"},
            "PurchasingOption": "on-demand", "OnDemandOptions": {"AllocationStrategy": "lowest-price"},
            "LaunchTemplateSpecification": {"LaunchTemplateName": name, "Version": "$Latest"},
            "LaunchTemplateOverrides": [{"InstanceType": TYPE}], "SubnetIds": [ground.subnet],
            "Tags": [{"Key": "NodeGroup", "Value": "od"}]}]}]})

    def fresh(self):
        (self.home / "aws_plugin.log").unlink(missing_ok=True)

    def command(self, count):
        return [self.python, str(self.home / "resume.py"), self.nodes(count)]

    def launched(self):
        complain((self.home / "aws_plugin.log").read_text())


class Peer(Program):
    """slurm_resume of aws-parallelcluster-node, with DynamoDB table and Route 53 zone as in a cluster of its own."""

    name, prefix = "peer", "cfd-dy-od-"

    def __init__(self, home, ground, python):
        super().__init__(home, ground)
        self.python = python
        ground.template(f"{CLUSTER}-cfd-od", {
            "Name": "Compute", "parallelcluster:cluster-name": CLUSTER, "parallelcluster:node-type": "Compute",
            "parallelcluster:queue-name": "cfd", "parallelcluster:compute-resource-name": "od",
            "parallelcluster:version": "3.16.1"}, by="name")
        fleet = self.write("fleet-config.json", {"cfd": {"od": {
            "Api": "create-fleet", "CapacityType": "on-demand", "AllocationStrategy": "lowest-price",
            "Instances": [{"InstanceType": TYPE}], "Networking": {"SubnetIds": [ground.subnet]}}}})
        config = configparser.ConfigParser()
        config["slurm_resume"] = {
            "cluster_name": CLUSTER, "region": ground.region, "proxy": "NONE", "dynamodb_table": ground.table,
            "hosted_zone": ground.zone, "dns_domain": ground.domain, "use_private_hostname": "false",
            "head_node_private_ip": "10.0.0.5", "head_node_hostname": "ip-10-0-0-5", "instance_id": "i-0123456789abcdef0",
            "scaling_strategy": "all-or-nothing", "fleet_config_file": str(fleet),
            "clustermgtd_heartbeat_file_path": str(self.home / "heartbeat"),
            "logging_config": str(self.home / "logging.conf")}
        with (self.home / "slurm_resume.conf").open("w") as file:
            config.write(file)
        self.write("logging.conf", LOGGING.format(log=self.home / "slurm_resume.log",
                                                  events=self.home / "slurm_resume.events"))

    def fresh(self):
        (self.home / "slurm_resume.log").unlink(missing_ok=True)
        now = datetime.datetime.now(tz=datetime.timezone.utc)
        self.write("heartbeat", now.strftime("%Y-%m-%d %H:%M:%S.%f%z"))

    def command(self, count):
        return [self.python, str(Path(__file__).with_name("peer_resume.py")), self.nodes(count)]

    def environment(self):
        return {"CONFIG_FILE": str(self.home / "slurm_resume.conf"), "PEER_LOG": str(self.home / "slurm_resume.log"),
                "SLURM_BINARIES_DIR": str(self.ground.slurm / "bin")}

    def launched(self):
        complain((self.home / "slurm_resume.log").read_text())


def complain(log):
    """Raises when a log has an error."""
    wrong = [line for line in log.splitlines() if any(word in line for word in (" ERROR ", " WARNING ", " CRITICAL "))]
    if wrong:
        raise RuntimeError("\n".join(wrong[:5]))


# The package's own parallelcluster_resume_logging.conf, with other paths.
LOGGING = """[loggers]
keys=root,events
[handlers]
keys=fileHandler,eventsHandler
[formatters]
keys=defaultFormatter,eventsFormatter
[logger_root]
level=INFO
handlers=fileHandler
[formatter_defaultFormatter]
format=%(asctime)s - %(process)d - [%(name)s:%(funcName)s] - %(levelname)s - %(message)s
[handler_fileHandler]
class=FileHandler
level=INFO
formatter=defaultFormatter
args=("{log}",)
[logger_events]
level=WARNING
handlers=eventsHandler
propagate=0
qualname=slurm_plugin.resume.events
[formatter_eventsFormatter]
format=%(message)s
[handler_eventsHandler]
class=FileHandler
level=WARNING
formatter=eventsFormatter
args=("{events}", "a", None, False)
"""
