//! Templates for the tests, as text: what is sent must come back to the letter.

/// A versioned bucket and its name.
pub const BUCKET: &str = r#"{
  "Resources": {
    "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}
  },
  "Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}
}"#;

/// A log group whose name (a create-only property) and retention are parameters.
pub const LOGS: &str = r#"{
  "Parameters": {"Name": {"Type": "String"}, "Days": {"Type": "Number", "Default": 7}},
  "Resources": {
    "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {
      "LogGroupName": {"Ref": "Name"}, "RetentionInDays": {"Ref": "Days"}}}
  },
  "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Logs", "Arn"]}}}
}"#;

/// A log group, and after it a security group in a VPC that does not exist.
pub const FAILING: &str = r#"{
  "Resources": {
    "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
    "Group": {"Type": "AWS::EC2::SecurityGroup", "DependsOn": "Logs", "Properties": {
      "GroupDescription": "never made", "VpcId": "vpc-0123456789abcdef0"}}
  }
}"#;

/// A VPC with a subnet, a security group with one rule, a role.
pub const NETWORK: &str = r#"{
  "Resources": {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
    "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.9.1.0/24"}},
    "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {
      "GroupDescription": "lustre", "VpcId": {"Ref": "Vpc"},
      "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 988, "ToPort": 988, "CidrIp": "10.9.0.0/16"}]}},
    "Role": {"Type": "AWS::IAM::Role", "Properties": {
      "RoleName": {"Fn::Sub": "${AWS::StackName}-role"},
      "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}}
  },
  "Outputs": {
    "Vpc": {"Value": {"Ref": "Vpc"}},
    "Subnet": {"Value": {"Ref": "Subnet"}},
    "Group": {"Value": {"Fn::GetAtt": ["Group", "GroupId"]}}
  }
}"#;

/// A volume.
pub const VOLUME: &str = r#"{
  "Resources": {
    "Volume": {"Type": "AWS::EC2::Volume", "Properties": {
      "AvailabilityZone": {"Fn::Sub": "${AWS::Region}a"}, "Size": 12, "VolumeType": "gp3", "Encrypted": true}}
  },
  "Outputs": {"Volume": {"Value": {"Ref": "Volume"}}}
}"#;

/// A launch template.
pub const LAUNCH_TEMPLATE: &str = r#"{
  "Resources": {
    "Template": {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": {
      "ImageId": "ami-0123456789abcdef0",
      "MetadataOptions": {"HttpTokens": "required", "InstanceMetadataTags": "enabled"}}}}
  },
  "Outputs": {
    "Id": {"Value": {"Ref": "Template"}},
    "Version": {"Value": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]}}
  }
}"#;

/// Two Lustre file systems: one with an association, one born with its link to S3.
pub const STORAGE: &str = r#"{
  "Parameters": {"Subnet": {"Type": "String"}, "Bucket": {"Type": "String"}},
  "Resources": {
    "Scratch": {"Type": "AWS::FSx::FileSystem", "Properties": {
      "FileSystemType": "LUSTRE", "FileSystemTypeVersion": "2.15", "StorageCapacity": 1200,
      "SubnetIds": [{"Ref": "Subnet"}], "LustreConfiguration": {"DeploymentType": "SCRATCH_2"}}},
    "Link": {"Type": "AWS::FSx::DataRepositoryAssociation", "Properties": {
      "FileSystemId": {"Ref": "Scratch"}, "FileSystemPath": "/results",
      "DataRepositoryPath": {"Fn::Sub": "s3://${Bucket}/results"}}},
    "Legacy": {"Type": "AWS::FSx::FileSystem", "Properties": {
      "FileSystemType": "LUSTRE", "FileSystemTypeVersion": "2.15", "StorageCapacity": 2400,
      "SubnetIds": [{"Ref": "Subnet"}], "LustreConfiguration": {"DeploymentType": "SCRATCH_2",
        "ImportPath": {"Fn::Sub": "s3://${Bucket}"}, "ExportPath": {"Fn::Sub": "s3://${Bucket}/export"}}}}
  },
  "Outputs": {"Scratch": {"Value": {"Ref": "Scratch"}}, "Legacy": {"Value": {"Ref": "Legacy"}}}
}"#;

/// A template of more than 51,200 bytes.
pub fn large() -> String {
    let topics: Vec<String> = (0..150)
        .map(|n| {
            let name = format!("{:x<200}", format!("a topic to fill the template, number {n} "));
            format!(r#""Topic{n}": {{"Type": "AWS::SNS::Topic", "Metadata": {{"Note": "{name}{name}"}}}}"#)
        })
        .collect();
    format!(r#"{{"Resources": {{{}}}}}"#, topics.join(","))
}

/// A launch template and the subnet it launches into.
pub const NODES: &str = r#"{
  "Resources": {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
    "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.9.1.0/24"}},
    "Template": {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": {
      "ImageId": "ami-0123456789abcdef0", "InstanceType": "c5.large"}}}
  },
  "Outputs": {
    "Subnet": {"Value": {"Ref": "Subnet"}},
    "Template": {"Value": {"Ref": "Template"}},
    "Version": {"Value": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]}}
  }
}"#;

/// A database that is protected against deletion, or not, and an instance likewise.
pub const PROTECTED: &str = r#"{
  "Parameters": {"Protected": {"Type": "String"}, "Subnet": {"Type": "String"}},
  "Resources": {
    "Database": {"Type": "AWS::RDS::DBInstance", "Properties": {
      "DBInstanceClass": "db.t4g.micro", "Engine": "mysql", "AllocatedStorage": "20",
      "MasterUsername": "admin", "MasterUserPassword": "not-a-secret-1", "DeletionProtection": {"Ref": "Protected"}}},
    "Head": {"Type": "AWS::EC2::Instance", "Properties": {
      "ImageId": "ami-0123456789abcdef0", "InstanceType": "c5.large", "SubnetId": {"Ref": "Subnet"},
      "DisableApiTermination": {"Ref": "Protected"}}}
  },
  "Outputs": {"Database": {"Value": {"Ref": "Database"}}, "Head": {"Value": {"Ref": "Head"}}}
}"#;

/// A Lustre file system whose size is a parameter.
pub const LUSTRE: &str = r#"{
  "Parameters": {"Subnet": {"Type": "String"}, "Gib": {"Type": "Number"}},
  "Resources": {
    "Scratch": {"Type": "AWS::FSx::FileSystem", "Properties": {
      "FileSystemType": "LUSTRE", "StorageCapacity": {"Ref": "Gib"}, "SubnetIds": [{"Ref": "Subnet"}],
      "LustreConfiguration": {"DeploymentType": "SCRATCH_2"}}}
  }
}"#;

/// Something else in its place.
pub const OTHER_TYPE: &str = r#"{"Resources": {"Scratch": {"Type": "AWS::EFS::FileSystem", "Properties": {}}}}"#;

/// A security group and a log group.
pub const GROUP: &str = r#"{
  "Parameters": {"Vpc": {"Type": "String"}},
  "Resources": {
    "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
    "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "files", "VpcId": {"Ref": "Vpc"}}}
  },
  "Outputs": {"Group": {"Value": {"Fn::GetAtt": ["Group", "GroupId"]}}}
}"#;

/// The same without the security group.
pub const NO_GROUP: &str = r#"{
  "Parameters": {"Vpc": {"Type": "String"}},
  "Resources": {"Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}}}
}"#;

/// A mount target in somebody's security group.
pub const TARGET: &str = r#"{
  "Parameters": {"Subnet": {"Type": "String"}, "Group": {"Type": "String"}},
  "Resources": {
    "Home": {"Type": "AWS::EFS::FileSystem", "Properties": {}},
    "Target": {"Type": "AWS::EFS::MountTarget", "Properties": {
      "FileSystemId": {"Ref": "Home"}, "SubnetId": {"Ref": "Subnet"}, "SecurityGroups": [{"Ref": "Group"}]}}
  }
}"#;
