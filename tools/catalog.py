#!/usr/bin/env python3
"""Writes the data files of src/catalog from packages that carry AWS's own facts.

    tools/catalog.py [--moto DIR] [--cfn-lint DIR] [--botocore DIR] [--out src/catalog/data] [--check]

Each DIR is an installed package's own folder (the one with __init__.py); without it the package is
looked up in the running Python. Only the standard library is used and nothing is imported from the
packages: they are read as data. Same packages, same bytes. `--check` writes nothing and fails when
a file would change.

    instance-types.txt   moto: the answers of ec2 DescribeInstanceTypes, recorded from AWS
    resource-types.txt   cfn-lint: CloudFormation's resource provider schemas, as of us-east-1
    handlers.txt         cfn-lint: the actions that the providers of these types call
    regions.txt          botocore: partitions and regions
"""

import argparse
import gzip
import importlib.util
import json
import pathlib
import re
import sys

# ---------------------------------------------------------------- instance types

INSTANCE_COLUMNS = [
    ("name", "instance type"),
    ("vcpus", "default vCPUs"),
    ("cores", "default physical cores"),
    ("threads", "default threads per core"),
    ("valid_threads", "threads per core that CpuOptions may ask for, comma list"),
    ("memory_mib", "memory, MiB"),
    ("arch", "x86_64, arm64, x86_64_mac or arm64_mac"),
    ("efa", "maximum EFA interfaces, 0 without EFA"),
    ("cards", "maximum network cards"),
    ("interfaces", "maximum network interfaces"),
    ("network", "network performance in AWS's words"),
    ("base_gbps", "baseline bandwidth of all cards, Gbit/s"),
    ("peak_gbps", "peak bandwidth of all cards, Gbit/s"),
    ("gpus", "COUNT:SHARE:MANUFACTURER:NAME:MIB each, semicolon list; SHARE 1 is a whole GPU"),
    ("accelerators", "KIND:COUNT:CORES:NAME:MIB each; KIND neuron, inference, fpga, media"),
    ("placement", "placement group strategies, comma list of cluster, partition, spread"),
    ("disk_gb", "instance store in total, GB, 0 without"),
    ("disk", "instance store kind: nvme, ssd, hdd"),
    ("ebs", "EBS-optimised: default, supported, unsupported"),
    ("hypervisor", "nitro, xen, metal"),
    ("usage", "purchase options, comma list of on-demand, spot, capacity-block"),
    ("flags", "comma list of current, burstable"),
]


def instance_row(name, facts):
    cpu, net = facts["VCpuInfo"], facts["NetworkInfo"]
    base, peak = bandwidth(net)
    store = facts.get("InstanceStorageInfo", {})
    flags = [
        word
        for word, on in (
            ("current", facts["CurrentGeneration"]),
            ("burstable", facts["BurstablePerformanceSupported"]),
        )
        if on
    ]
    return [
        name,
        cpu["DefaultVCpus"],
        cpu["DefaultCores"],
        cpu["DefaultThreadsPerCore"],
        ",".join(map(str, cpu.get("ValidThreadsPerCore", []))),
        facts["MemoryInfo"]["SizeInMiB"],
        # i386 is listed beside x86_64 on some old types: the 64-bit one is what we run.
        next(a for a in facts["ProcessorInfo"]["SupportedArchitectures"] if a != "i386"),
        net.get("EfaInfo", {}).get("MaximumEfaInterfaces", 0) if net["EfaSupported"] else 0,
        net["MaximumNetworkCards"],
        net["MaximumNetworkInterfaces"],
        net["NetworkPerformance"],
        base,
        peak,
        ";".join(map(gpu, facts.get("GpuInfo", {}).get("Gpus", []))),
        ";".join(accelerators(facts)),
        ",".join(sorted(facts.get("PlacementGroupInfo", {}).get("SupportedStrategies", []))),
        store.get("TotalSizeInGB", 0),
        disk_kind(store),
        facts["EbsInfo"]["EbsOptimizedSupport"],
        "metal" if facts["BareMetal"] else facts.get("Hypervisor"),
        ",".join(sorted(facts["SupportedUsageClasses"])),
        ",".join(flags),
    ]


def bandwidth(net):
    """Baseline and peak over all cards, unknown where AWS's cards contradict its own summary.

    On a dozen types with several cards (c6in.32xlarge, hpc6id.32xlarge, p6-b200.48xlarge) each card
    carries the whole instance's figure or a part of it, so that their sum is wrong.
    """
    cards = net["NetworkCards"]
    if any("BaselineBandwidthInGbps" not in c or "PeakBandwidthInGbps" not in c for c in cards):
        return None, None
    base = sum(c["BaselineBandwidthInGbps"] for c in cards)
    peak = sum(c["PeakBandwidthInGbps"] for c in cards)
    words = re.fullmatch(r"(?:Up to )?(?:(\d+)x )?([\d.]+) Gigabit", net["NetworkPerformance"])
    if words:
        said = int(words[1] or 1) * float(words[2])
        if abs(said - peak) > said / 4:
            return None, None
    return number(base), number(peak)


def number(value):
    return f"{value:.3f}".rstrip("0").rstrip(".")


def gpu(g):
    # A type with a share of a GPU says Count 0 and LogicalGpuCount 1.
    count = g["Count"] or g["LogicalGpuCount"]
    mib = g.get("MemoryInfo", {}).get("SizeInMiB", "")
    return f"{count}:{number(g.get('GpuPartitionSize', 1))}:{g['Manufacturer']}:{g['Name']}:{mib}"


def accelerators(facts):
    found = []
    for d in facts.get("NeuronInfo", {}).get("NeuronDevices", []):
        found.append(("neuron", d["Count"], d["CoreInfo"]["Count"], d))
    # Inferentia is told twice, the second time as an inference accelerator.
    for a in [] if found else facts.get("InferenceAcceleratorInfo", {}).get("Accelerators", []):
        found.append(("inference", a["Count"], "", a))
    for a in facts.get("FpgaInfo", {}).get("Fpgas", []):
        found.append(("fpga", a["Count"], "", a))
    for a in facts.get("MediaAcceleratorInfo", {}).get("Accelerators", []):
        found.append(("media", a["Count"], "", a))
    return [
        f"{kind}:{count}:{cores}:{a['Name']}:{a.get('MemoryInfo', {}).get('SizeInMiB', '')}"
        for kind, count, cores, a in found
    ]


def disk_kind(store):
    if not store:
        return None
    if store["NvmeSupport"] == "required":
        return "nvme"
    return store["Disks"][0]["Type"]


def instance_types(moto):
    path = moto / "ec2/resources/instance_types.json"
    if path.exists():
        facts = json.loads(path.read_text())
    else:
        facts = json.loads(gzip.decompress(path.with_suffix(".json.gz").read_bytes()))
    lines = header(
        "EC2 instance types, one a line, sorted by name (byte order). Tab separated.",
        "An empty field means that the source does not say, or that there is none.",
        f"source: moto {version(moto)}, ec2/resources/instance_types.json",
        "source_version: " + version(moto),
        "region: union of the regions that moto records; a type may be absent from yours",
        "columns:",
        *(f"  {name}: {text}" for name, text in INSTANCE_COLUMNS),
    )
    for name in sorted(facts):
        row = ["" if f is None else str(f) for f in instance_row(name, facts[name])]
        assert not any("\t" in f or "\n" in f for f in row), name
        lines.append("\t".join(row))
    return lines


# ---------------------------------------------------------------- resource types

RESOURCE_TYPES = {
    "AutoScaling": "AutoScalingGroup",
    "Budgets": "Budget",
    "CloudWatch": "Alarm Dashboard",
    "DynamoDB": "Table",
    "EC2": "CapacityReservation EIP EIPAssociation FlowLog Instance InternetGateway KeyPair"
    " LaunchTemplate NatGateway NetworkInterface PlacementGroup Route RouteTable SecurityGroup"
    " SecurityGroupEgress SecurityGroupIngress Subnet SubnetRouteTableAssociation VPC VPCEndpoint"
    " VPCGatewayAttachment Volume VolumeAttachment",
    "EFS": "AccessPoint FileSystem MountTarget",
    "ElasticLoadBalancingV2": "Listener LoadBalancer TargetGroup",
    "Events": "Rule",
    "FIS": "ExperimentTemplate",
    "FSx": "DataRepositoryAssociation FileSystem Snapshot StorageVirtualMachine Volume",
    "IAM": "InstanceProfile ManagedPolicy Policy Role RolePolicy ServiceLinkedRole",
    "KMS": "Alias Key",
    "Lambda": "Function Permission",
    "Logs": "LogGroup MetricFilter",
    "PCS": "Cluster ComputeNodeGroup Queue",
    "RDS": "DBCluster DBClusterParameterGroup DBInstance DBParameterGroup DBSubnetGroup",
    "Route53": "HostedZone RecordSet",
    "S3": "Bucket BucketPolicy",
    "SNS": "Subscription Topic TopicPolicy",
    "SSM": "Document Parameter",
    "SecretsManager": "ResourcePolicy RotationSchedule Secret SecretTargetAttachment",
}

LIMITS = {
    "minimum": "min",
    "maximum": "max",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_items",
    "maxItems": "max_items",
}

# A longer pattern says more about a service's history than about a typing mistake.
LONGEST_PATTERN = 120


def compact(schema):
    """A property schema as short JSON: a type's bare name, "#Definition", or an object."""
    if "$ref" in schema:
        return "#" + schema["$ref"].rsplit("/", 1)[1]
    out = {}
    kinds = schema.get("type", [])
    kinds = sorted([kinds] if isinstance(kinds, str) else kinds)
    if not kinds and "properties" in schema:
        kinds = ["object"]
    if kinds:
        out["type"] = "|".join(kinds)
    if "enum" in schema or "const" in schema:
        out["enum"] = [str(v) for v in schema.get("enum", [schema.get("const")])]
    if "enumCaseInsensitive" in schema:
        out["enum_any_case"] = [str(v) for v in schema["enumCaseInsensitive"]]
    if (pattern := portable(schema.get("pattern", ""))) is not None:
        out["pattern"] = pattern
    out |= {short: schema[long] for long, short in LIMITS.items() if long in schema}
    if schema.get("insertionOrder") is False:
        out["unordered"] = True
    if "items" in schema:
        out["items"] = compact(schema["items"])
    out |= members(schema)
    return out["type"] if list(out) == ["type"] and "|" not in out["type"] else out


def members(schema):
    """What an object may hold."""
    out = {}
    if "properties" in schema:
        out["props"] = {k: compact(v) for k, v in sorted(schema["properties"].items())}
        # A schema that lists members closes the list unless it says otherwise.
        if schema.get("additionalProperties", False) is not False:
            out["open"] = True
    values = [*schema.get("patternProperties", {}).values()]
    if isinstance(schema.get("additionalProperties"), dict):
        values.append(schema["additionalProperties"])
    if values and "properties" not in schema:
        out["values"] = compact(values[0])
    if schema.get("required"):
        out["required"] = sorted(schema["required"])
    one = schema.get("requiredXor") or single_requirements(schema.get("oneOf", []))
    if one:
        out["exactly_one"] = sorted(one)
    some = schema.get("requiredOr") or single_requirements(schema.get("anyOf", []))
    if some:
        out["at_least_one"] = sorted(some)
    needs = schema.get("dependentRequired") or schema.get("dependencies")
    for key, others in (("needs", needs), ("excludes", schema.get("dependentExcluded"))):
        if others:
            out[key] = {name: sorted(others[name]) for name in sorted(others)}
    return out


def single_requirements(choices):
    """The names in `[{required: [A]}, {required: [B]}]`, or nothing for any other form."""
    names = [c["required"][0] for c in choices if list(c) == ["required"] and len(c["required"]) == 1]
    return names if len(names) == len(choices) else []


def portable(pattern):
    """The pattern in a form that Rust's regex-lite reads alike, or None."""
    if not pattern or len(pattern) > LONGEST_PATTERN:
        return None
    if re.search(r"\\[pPu]|\(\?|\\[1-9]|[^\x20-\x7e]", pattern):
        return None
    if any(int(n) > 1024 for n in re.findall(r"[{,](\d+)", pattern)):
        return None
    out, inside, i = "", False, 0
    while i < len(pattern):
        c = pattern[i]
        if c == "\\":
            escaped = pattern[i + 1]
            # Python's end of text; and letters apart, an escaped character is itself.
            out += "$" if escaped == "Z" else "\\" + escaped
            i += 2
            continue
        if inside and c in "[&~":
            out += "\\" + c
        else:
            out += c
        if c == "[":
            inside = True
        elif c == "]":
            inside = False
        i += 1
    return out


def pointers(schema, key):
    """Property paths like Endpoint/Address; a list element is `*`."""
    paths = (p.removeprefix("/properties/") for p in schema.get(key, []))
    return sorted({p.replace("/properties/", "/").replace("/items/", "/*/") for p in paths})


def resource_line(name, schema):
    row = {}
    for short, key in (
        ("id", "primaryIdentifier"),
        ("create_only", "createOnlyProperties"),
        ("conditional", "conditionalCreateOnlyProperties"),
        ("read_only", "readOnlyProperties"),
        ("write_only", "writeOnlyProperties"),
    ):
        if paths := pointers(schema, key):
            row[short] = paths
    if schema.get("replacementStrategy") == "delete_then_create":
        row["delete_first"] = True
    row |= members(schema)
    used = reachable(schema)
    if used:
        row["defs"] = {d: compact(schema["definitions"][d]) for d in sorted(used)}
    return name + "\t" + json.dumps(row, separators=(",", ":"), ensure_ascii=True)


def reachable(schema):
    found, todo = set(), [schema["properties"]]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo.extend(node)
        elif isinstance(node, dict):
            todo.extend(node.values())
            ref = node.get("$ref")
            if isinstance(ref, str) and (d := ref.rsplit("/", 1)[1]) not in found:
                found.add(d)
                todo.append(schema["definitions"][d])
    return found


def resource_types(cfn_lint):
    schemas = cfn_lint / "data/schemas"
    index = json.loads((schemas / "providers/us-east-1.json").read_text())
    lines = header(
        "CloudFormation resource types, one a line, sorted by name (byte order):",
        "NAME <tab> JSON. Descriptions, formats and patterns over 120 characters are left out.",
        f"source: cfn-lint {version(cfn_lint)}, data/schemas (resource provider schemas, patched)",
        "source_version: " + version(cfn_lint),
        "schema_date: " + json.loads((schemas / "version.json").read_text())["schema_date"],
        "region: us-east-1",
        "keys of a type: id, create_only, conditional (create-only under a condition), read_only,",
        "  write_only: property paths, `*` is any list element; delete_first: replaced by delete,",
        "  then create; defs: definitions; and an object's keys",
        'a property: "string" (a type), "#Name" (a definition) or an object: type (`|` list), enum,',
        "  enum_any_case, pattern, min, max, min_length, max_length, min_items, max_items, items,",
        "  unordered (the order of elements means nothing)",
        "an object's keys: props, open (other members too), values (any names), required,",
        "  exactly_one, at_least_one, needs, excludes (by the member that needs or excludes others)",
    )
    names = [f"AWS::{s}::{r}" for s, rs in RESOURCE_TYPES.items() for r in rs.split()]
    for name in sorted(names):
        schema = json.loads((schemas / f"resources/{index[name]}.json").read_text())
        lines.append(resource_line(name, schema))
    return lines


# ---------------------------------------------------------------- regions


# What providers call that their schemas do not tell: FSx's FileSystem has no handlers in its schema.
# <https://docs.aws.amazon.com/fsx/latest/LustreGuide/access-control-manage-access-intro.html>
UNTOLD = {
    "AWS::FSx::FileSystem": [
        "ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets", "ec2:DescribeVpcs", "fsx:CreateFileSystem", "fsx:CreateFileSystemFromBackup",
        "fsx:DeleteFileSystem", "fsx:DescribeFileSystems", "fsx:ListTagsForResource", "fsx:TagResource",
        "fsx:UntagResource", "fsx:UpdateFileSystem", "iam:AttachRolePolicy", "iam:CreateServiceLinkedRole",
        "iam:PutRolePolicy", "s3:ListBucket",
    ],
}

# Names in the providers' lists that are no actions: names of S3's logs, and operations whose action is called otherwise and
# is in the lists as well (`DeleteBucketCors` is judged as `s3:PutBucketCORS`).
# <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
NO_ACTION = re.compile(
    r"s3:REST\..*|s3:PutBucketReplication|s3:PutObjectLockConfiguration"
    r"|s3:DeleteBucket(AnalyticsConfiguration|Cors|Encryption|Lifecycle|MetricsConfiguration|Replication)"
)


def handlers(cfn_lint):
    """The actions of create, read, update and delete of each resource type of the catalogue."""
    wanted = sorted(f"AWS::{service}::{kind}" for service, kinds in RESOURCE_TYPES.items() for kind in kinds.split())
    schemas = cfn_lint / "data" / "schemas"
    provider = json.loads((schemas / "providers" / "us-east-1.json").read_text())
    lines = header(
        "What CloudFormation calls with the caller's rights for a resource, one type a line, sorted by name. Tab separated.",
        f"source: cfn-lint {version(cfn_lint)}, the handlers of the resource provider schemas of us-east-1",
        "columns: name, actions (comma list)",
    )
    for name in wanted:
        if name in provider:
            schema = json.loads((schemas / "resources" / f"{provider[name]}.json").read_text())
            kinds = schema.get("handlers", {}).items()
            actions = {action for kind, handler in kinds if kind != "list" for action in handler["permissions"]}
            actions |= set(UNTOLD.get(name, []))
            actions = {action for action in actions if not NO_ACTION.fullmatch(action)}
            lines.append(f"{name}\t{','.join(sorted(actions))}")
    return lines


def regions(botocore):
    data = json.loads((botocore / "data/partitions.json").read_text())
    lines = header(
        "AWS regions, one a line, sorted by name (byte order). Tab separated.",
        f"source: botocore {version(botocore)}, data/partitions.json",
        "source_version: " + version(botocore),
        "columns: name, partition, DNS suffix, long name",
    )
    rows = [
        (name, p["id"], p["outputs"]["dnsSuffix"], r["description"])
        for p in data["partitions"]
        for name, r in p["regions"].items()
        if not name.endswith("-global")
    ]
    return lines + ["\t".join(row) for row in sorted(rows)]


# ---------------------------------------------------------------- wiring


def header(*lines):
    return ["# " + line for line in ("Written by tools/catalog.py; do not edit.", *lines)]


def version(package):
    """From the dist-info beside the package: importing it could run its code."""
    names = {package.name, package.name.replace("cfnlint", "cfn_lint")}
    for name in names:
        for info in sorted(package.parent.glob(f"{name}-*.dist-info")):
            return info.name.removeprefix(name + "-").removesuffix(".dist-info")
    sys.exit(f"failed to find the version of `{package}`: no dist-info beside it")


def package_dir(given, name):
    if given:
        return pathlib.Path(given)
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        sys.exit(f"failed to find the package `{name}`: install it or give its folder")
    return pathlib.Path(spec.origin).parent


def main():
    cli = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    cli.add_argument("--moto")
    cli.add_argument("--cfn-lint")
    cli.add_argument("--botocore")
    cli.add_argument("--out", default="src/catalog/data", type=pathlib.Path)
    cli.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    args = cli.parse_args()

    files = {
        "instance-types.txt": instance_types(package_dir(args.moto, "moto")),
        "resource-types.txt": resource_types(package_dir(args.cfn_lint, "cfnlint")),
        "handlers.txt": handlers(package_dir(args.cfn_lint, "cfnlint")),
        "regions.txt": regions(package_dir(args.botocore, "botocore")),
    }
    stale = []
    for name, lines in files.items():
        path, text = args.out / name, "\n".join(lines) + "\n"
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if not args.check:
                path.write_text(text)
        print(f"{name}: {len(text)} bytes{', changed' if name in stale else ''}")
    sys.exit(1 if args.check and stale else 0)


if __name__ == "__main__":
    main()
