#!/bin/bash
# Knows nothing of the configuration, so that no change to it replaces this node.
set -euo pipefail
export HPCCTL_CLUSTER='@@CLUSTER@@' HPCCTL_OS='@@OS@@' HPCCTL_ROLE='head'
export HPCCTL_BUCKET='${ArtifactBucket}' AWS_DEFAULT_REGION='${AWS::Region}'
mkdir -p /opt/hpcctl
aws s3 cp --recursive --quiet "s3://$HPCCTL_BUCKET/clusters/$HPCCTL_CLUSTER/current/head/" /opt/hpcctl/
exec bash /opt/hpcctl/boot.sh
