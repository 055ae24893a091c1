"""A realistic HPC cluster as one CloudFormation template: network, storage, accounting, nodes, monitoring."""

REGION_ZONE = {"Fn::Select": [0, {"Fn::GetAZs": ""}]}
OTHER_ZONE = {"Fn::Select": [1, {"Fn::GetAZs": ""}]}
TAGS = [{"Key": "hpcctl:cluster", "Value": {"Ref": "AWS::StackName"}}]


def ref(name):
    return {"Ref": name}


def att(name, attribute):
    return {"Fn::GetAtt": [name, attribute]}


def sub(text):
    return {"Fn::Sub": text}


def resource(kind, properties=None, **attributes):
    return {"Type": f"AWS::{kind}", "Properties": properties or {}, **attributes}


def allow(actions, resource_="*"):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource_}]}


def trust(service):
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}


def network():
    """VPC, a public and two private subnets, gateways, routes, endpoint."""
    def subnet(cidr, zone, **more):
        return resource("EC2::Subnet", {"VpcId": ref("Vpc"), "CidrBlock": cidr, "AvailabilityZone": zone, "Tags": TAGS, **more})

    return {
        "Vpc": resource("EC2::VPC", {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": True, "EnableDnsSupport": True, "Tags": TAGS}),
        "Igw": resource("EC2::InternetGateway", {"Tags": TAGS}),
        "IgwAttachment": resource("EC2::VPCGatewayAttachment", {"VpcId": ref("Vpc"), "InternetGatewayId": ref("Igw")}),
        "PublicSubnet": subnet("10.0.0.0/20", REGION_ZONE, MapPublicIpOnLaunch=True),
        "PrivateSubnet": subnet("10.0.16.0/20", REGION_ZONE),
        "PrivateSubnet2": subnet("10.0.32.0/20", OTHER_ZONE),
        "PublicRoutes": resource("EC2::RouteTable", {"VpcId": ref("Vpc")}),
        "PublicRoute": resource("EC2::Route", {"RouteTableId": ref("PublicRoutes"), "DestinationCidrBlock": "0.0.0.0/0",
                                               "GatewayId": ref("Igw")}, DependsOn="IgwAttachment"),
        "PublicAssociation": resource("EC2::SubnetRouteTableAssociation", {
            "RouteTableId": ref("PublicRoutes"), "SubnetId": ref("PublicSubnet")}),
        "NatAddress": resource("EC2::EIP", {"Domain": "vpc"}, DependsOn="IgwAttachment"),
        "Nat": resource("EC2::NatGateway", {"AllocationId": att("NatAddress", "AllocationId"), "SubnetId": ref("PublicSubnet")}),
        "PrivateRoutes": resource("EC2::RouteTable", {"VpcId": ref("Vpc")}),
        "PrivateRoute": resource("EC2::Route", {"RouteTableId": ref("PrivateRoutes"), "DestinationCidrBlock": "0.0.0.0/0",
                                                "NatGatewayId": ref("Nat")}),
        "PrivateAssociation": resource("EC2::SubnetRouteTableAssociation", {
            "RouteTableId": ref("PrivateRoutes"), "SubnetId": ref("PrivateSubnet")}),
        "S3Endpoint": resource("EC2::VPCEndpoint", {
            "VpcId": ref("Vpc"), "ServiceName": sub("com.amazonaws.${AWS::Region}.s3"), "VpcEndpointType": "Gateway",
            "RouteTableIds": [ref("PrivateRoutes")]}),
    }


def security():
    """Security groups, rules that refer to each other, roles and profiles."""
    def group(description, *rules):
        return resource("EC2::SecurityGroup", {"GroupDescription": description, "VpcId": ref("Vpc"),
                                               **({"SecurityGroupIngress": list(rules)} if rules else {})})

    def tcp(first, last, **source):
        return {"IpProtocol": "tcp", "FromPort": first, "ToPort": last, **source}

    compute = att("ComputeGroup", "GroupId")
    return {
        "HeadGroup": group("head", tcp(22, 22, CidrIp="10.0.0.0/8")),
        "ComputeGroup": group("compute"),
        "ComputeSelfIn": resource("EC2::SecurityGroupIngress", {"GroupId": compute, "IpProtocol": "-1", "SourceSecurityGroupId": compute}),
        "ComputeSelfOut": resource("EC2::SecurityGroupEgress", {"GroupId": compute, "IpProtocol": "-1", "DestinationSecurityGroupId": compute}),
        "HeadFromCompute": resource("EC2::SecurityGroupIngress", {
            "GroupId": att("HeadGroup", "GroupId"), **tcp(6817, 6819, SourceSecurityGroupId=compute)}),
        "LustreGroup": group("lustre", tcp(988, 988, SourceSecurityGroupId=compute)),
        "DbGroup": group("database", tcp(3306, 3306, SourceSecurityGroupId=att("HeadGroup", "GroupId"))),
        "HeadRole": resource("IAM::Role", {
            "AssumeRolePolicyDocument": trust("ec2.amazonaws.com"),
            "Policies": [{"PolicyName": "fleet", "PolicyDocument": allow(["ec2:CreateFleet", "ec2:DescribeInstances"])}]}),
        "HeadProfile": resource("IAM::InstanceProfile", {"Roles": [ref("HeadRole")]}),
        "ComputeRole": resource("IAM::Role", {"AssumeRolePolicyDocument": trust("ec2.amazonaws.com")}),
        "ComputeProfile": resource("IAM::InstanceProfile", {"Roles": [ref("ComputeRole")]}),
        "ComputePolicy": resource("IAM::RolePolicy", {
            "RoleName": ref("ComputeRole"), "PolicyName": "self", "PolicyDocument": allow("ec2:DescribeTags")}),
    }


def storage():
    """Two Lustre file systems: one linked by an association, one by ImportPath; a shared EFS; a bucket."""
    def lustre(**configuration):
        return resource("FSx::FileSystem", {
            "FileSystemType": "LUSTRE", "FileSystemTypeVersion": "2.15", "StorageCapacity": 1200,
            "SubnetIds": [ref("PrivateSubnet")], "SecurityGroupIds": [ref("LustreGroup")], "Tags": TAGS,
            "LustreConfiguration": {"DeploymentType": "SCRATCH_2", **configuration}})

    return {
        "Bucket": resource("S3::Bucket", {
            "VersioningConfiguration": {"Status": "Enabled"},
            "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True,
                                               "IgnorePublicAcls": True, "RestrictPublicBuckets": True},
        }, DeletionPolicy="Retain", UpdateReplacePolicy="Retain"),
        "Scratch": lustre(DataCompressionType="LZ4"),
        "ScratchLink": resource("FSx::DataRepositoryAssociation", {
            "FileSystemId": ref("Scratch"), "FileSystemPath": "/results", "DataRepositoryPath": sub("s3://${Bucket}/results")}),
        "Legacy": lustre(ImportPath=sub("s3://${Bucket}"), ExportPath=sub("s3://${Bucket}/export")),
        "Home": resource("EFS::FileSystem", {"Encrypted": True}),
        "HomeTarget": resource("EFS::MountTarget", {
            "FileSystemId": ref("Home"), "SubnetId": ref("PrivateSubnet"), "SecurityGroups": [att("LustreGroup", "GroupId")]}),
    }


def accounting():
    """A managed MySQL for slurmdbd."""
    return {
        "DbSubnets": resource("RDS::DBSubnetGroup", {"DBSubnetGroupDescription": "accounting",
                                                     "SubnetIds": [ref("PrivateSubnet"), ref("PrivateSubnet2")]}),
        "DbParameters": resource("RDS::DBParameterGroup", {
            "Description": "slurmdbd", "Family": "mysql8.0", "Parameters": {"innodb_lock_wait_timeout": "900"}}),
        "Db": resource("RDS::DBInstance", {
            "Engine": "mysql", "DBInstanceClass": "db.t4g.medium", "AllocatedStorage": "20", "StorageEncrypted": True,
            "MasterUsername": "slurm", "ManageMasterUserPassword": True, "DBSubnetGroupName": ref("DbSubnets"),
            "DBParameterGroupName": ref("DbParameters"), "VPCSecurityGroups": [ref("DbGroup")],
        }, DeletionPolicy="Delete", UpdateReplacePolicy="Delete"),
        "Munge": resource("SecretsManager::Secret", {"GenerateSecretString": {"PasswordLength": 64, "ExcludePunctuation": True}}),
    }


def launch_template(instance_type, efa):
    card = {"DeviceIndex": 0, "SubnetId": ref("PrivateSubnet"), "Groups": [ref("ComputeGroup")]}
    if efa:
        card["InterfaceType"] = "efa"
    data = {
        "ImageId": ref("Ami"), "InstanceType": instance_type, "IamInstanceProfile": {"Arn": att("ComputeProfile", "Arn")},
        "MetadataOptions": {"HttpTokens": "required"}, "NetworkInterfaces": [card],
        "TagSpecifications": [{"ResourceType": "instance", "Tags": TAGS}],
        "UserData": {"Fn::Base64": sub("#!/bin/bash\nmount -t lustre ${Scratch.DNSName}@tcp:/${Scratch.LustreMountName} /fsx\n")},
    }
    if efa:
        data["Placement"] = {"GroupName": ref("Placement")}
    return resource("EC2::LaunchTemplate", {"LaunchTemplateData": data})


def nodes():
    return {
        "Placement": resource("EC2::PlacementGroup", {"Strategy": "cluster"}),
        "SmallNodes": launch_template("c6i.xlarge", efa=False),
        "EfaNodes": launch_template("c6i.32xlarge", efa=True),
        "Head": resource("EC2::Instance", {
            "ImageId": ref("Ami"), "InstanceType": "c6i.large", "SubnetId": ref("PublicSubnet"),
            "SecurityGroupIds": [att("HeadGroup", "GroupId")], "IamInstanceProfile": ref("HeadProfile"), "Tags": TAGS,
            "UserData": {"Fn::Base64": "#!/bin/bash\n"}}),
    }


def monitoring():
    return {
        "Logs": resource("Logs::LogGroup", {"LogGroupName": sub("/hpcctl/${AWS::StackName}"), "RetentionInDays": 14}),
        "Dashboard": resource("CloudWatch::Dashboard", {
            "DashboardName": ref("AWS::StackName"), "DashboardBody": sub('{"widgets": []}')}),
        "Topic": resource("SNS::Topic"),
        "Alarm": resource("CloudWatch::Alarm", {
            "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "MetricName": "Down", "Namespace": "hpcctl",
            "Period": 60, "Statistic": "Sum", "Threshold": 0, "AlarmActions": [ref("Topic")]}),
        "Budget": resource("Budgets::Budget", {"Budget": {
            "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": {"Amount": 1000, "Unit": "USD"}}}),
        "Mount": resource("SSM::Parameter", {
            "Name": sub("/hpcctl/${AWS::StackName}/mount"), "Type": "String",
            "Value": sub("${Scratch.DNSName}/${Scratch.LustreMountName}")}),
    }


def template():
    """The whole cluster."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {"Ami": {"Type": "String", "Default": "ami-0123456789abcdef0"}},
        "Resources": {**network(), **security(), **storage(), **accounting(), **nodes(), **monitoring()},
        "Outputs": {name: {"Value": value} for name, value in {
            "Scratch": ref("Scratch"), "Legacy": ref("Legacy"), "SmallNodes": ref("SmallNodes"), "EfaNodes": ref("EfaNodes"),
            "EfaVersion": att("EfaNodes", "LatestVersionNumber"), "Subnet": ref("PrivateSubnet"), "Subnet2": ref("PrivateSubnet2"),
            "HeadProfile": ref("HeadProfile"), "HeadGroup": ref("HeadGroup"), "Bucket": ref("Bucket"),
            "DbAddress": att("Db", "Endpoint.Address"), "DbSecret": att("Db", "MasterUserSecret.SecretArn"),
            "Munge": ref("Munge"), "Head": ref("Head"),
        }.items()},
    }
