"""What AWS does not delete while it is protected: databases of RDS, instances of EC2.

CloudFormation's own deletion calls the service like anybody else; MiniStack's takes the record away. The words are those
of the services.
"""

from emulator import HANDLERS, drift, ec2_state, rds_state

KINDS = {
    "AWS::RDS::DBInstance": ("_instances", "DB Instance"),
    "AWS::RDS::DBCluster": ("_clusters", "DB Cluster"),
}


def databases_stay():
    for resource_type, (store, words) in KINDS.items():
        handler = HANDLERS[resource_type]
        handler["delete"] = _refusing(handler["delete"], store, words)
        drift._DRIFT_READERS[resource_type] = (_reader(store), frozenset({"DeletionProtection"}))


def _refusing(delete, store, words):
    def checked(name, props):
        if (getattr(rds_state, store).get(name) or {}).get("DeletionProtection"):
            raise ValueError(f"Cannot delete protected {words}, please disable deletion protection and try again. "
                             "(Service: Rds, Status Code: 400)")
        return delete(name, props)

    return checked


def _reader(store):
    def read(name, props):
        record = getattr(rds_state, store).get(name)
        return None if record is None else {"DeletionProtection": bool(record.get("DeletionProtection"))}

    return read


def instances_know_their_protection():
    """The attribute `disableApiTermination` is what the template says; MiniStack says false."""
    plain = ec2_state._ACTION_MAP["DescribeInstanceAttribute"]

    def described(params):
        answer = plain(params)
        record = ec2_state._instances.get(_one(params, "InstanceId")) or {}
        if _one(params, "Attribute") != "disableApiTermination" or not record.get("_protected"):
            return answer
        status, headers, body = answer
        text = body.decode() if isinstance(body, bytes) else body
        return status, headers, text.replace("<value>false</value>", "<value>true</value>").encode()

    ec2_state._ACTION_MAP["DescribeInstanceAttribute"] = described
    handler = HANDLERS["AWS::EC2::Instance"]
    create, delete = handler["create"], handler["delete"]

    def created(logical_id, props, *rest):
        name, attributes = create(logical_id, props, *rest)
        ec2_state._instances[name]["_protected"] = str(props.get("DisableApiTermination", "")).lower() == "true"
        return name, attributes

    def deleted(name, props):
        if (ec2_state._instances.get(name) or {}).get("_protected"):
            raise ValueError(f"The instance '{name}' may not be terminated. Modify its 'disableApiTermination' instance "
                             "attribute and try again. (Service: Ec2, Status Code: 400)")
        return delete(name, props)

    handler["create"], handler["delete"] = created, deleted


def _one(params, key):
    value = params.get(key)
    return value[0] if isinstance(value, list) else value


def install():
    databases_stay()
    instances_know_their_protection()
