#!/bin/bash
set -euo pipefail
export HPCCTL_CLUSTER='@@CLUSTER@@' HPCCTL_OS='@@OS@@' HPCCTL_ROLE='login' HPCCTL_POOL='@@POOL@@'
export HPCCTL_BUCKET='${ArtifactBucket}' AWS_DEFAULT_REGION='${AWS::Region}'
mkdir -p /opt/hpcctl
aws s3 cp --recursive --quiet "s3://$HPCCTL_BUCKET/clusters/$HPCCTL_CLUSTER/current/login/" /opt/hpcctl/
exec bash /opt/hpcctl/boot.sh
