#!/bin/bash
# First boot of a login node: fetches the node's files from the artifact bucket and hands over to setup.sh.
# It never changes with the configuration, so a new configuration never replaces a node.
# CloudFormation's Fn::Sub fills the names in braces, hpcctl the @@names@@.
set -euo pipefail
exec > >(tee -a /var/log/hpcctl-boot.log >/dev/console) 2>&1

export CLUSTER='@@CLUSTER@@' ROLE=login OS='@@OS@@' POOL='@@POOL@@' PROXY='@@PROXY@@'
export BUCKET='${ArtifactBucket}' AWS_DEFAULT_REGION='${AWS::Region}' PARTITION='${AWS::Partition}'
FROM="s3://$BUCKET/clusters/$CLUSTER/current" TO=/opt/hpcctl/node
if [[ -n $PROXY ]]; then
  export http_proxy="$PROXY" https_proxy="$PROXY" HTTPS_PROXY="$PROXY"
  # All the rest goes through it: names of AWS without an endpoint in the VPC are reached in no other way.
  export no_proxy='@@NO_PROXY@@' NO_PROXY='@@NO_PROXY@@'
fi

# retry TRIES COMMAND: with a growing pause, a minute at most.
retry() {
  local left=$1 pause=2
  shift
  until "$@"; do
    ((left -= 1)) || { echo "hpcctl: gave up: $*"; return 1; }
    echo "hpcctl: trying again in $pause s: $*"
    sleep "$pause"
    pause=$((pause < 30 ? pause * 2 : 60))
  done
}

# The AWS CLI: from the image, the distribution, or Amazon.
install_aws() {
  command -v aws >/dev/null && return
  if command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update && apt-get -qq -o DPkg::Lock::Timeout=300 install -y curl unzip || return 1
    apt-get -qq install -y awscli 2>/dev/null && return
  else
    dnf -q -y install unzip || return 1
    dnf -q -y install awscli2 2>/dev/null && return
  fi
  local work
  work=$(mktemp -d)
  curl -fsSL "https://awscli.amazonaws.com/awscli-exe-linux-$(uname -m).zip" -o "$work/aws.zip" &&
    unzip -q "$work/aws.zip" -d "$work" && "$work/aws/install" --update && rm -rf "$work"
}

fetch() {
  aws s3 cp --only-show-errors --recursive "$FROM/$ROLE/" "$TO/" &&
    aws s3 cp --only-show-errors "$FROM/cluster.json" "$TO/cluster.json" && [[ -s $TO/setup.sh ]]
}

export PATH=$PATH:/usr/local/bin
mkdir -p "$TO"
retry 20 install_aws
# The first apply writes the files while the nodes boot.
retry 60 fetch
exec bash "$TO/setup.sh" start
