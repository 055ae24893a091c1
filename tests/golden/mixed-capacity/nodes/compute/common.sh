#!/bin/bash
# What the set-up scripts of all nodes share. Written by hpcctl; sourced, never run.
# Every step can be run again: it finds what is there and does what is missing.
# shellcheck disable=SC2034  # some names are for one kind of node only

export DEBIAN_FRONTEND=noninteractive PATH=$PATH:/usr/local/bin
NODE_TREE=${NODE_TREE:-/opt/hpcctl/node}
SLURM_ETC=/etc/slurm
CLUSTER_NAME=mixed-capacity

log() { printf '%s hpcctl: %s\n' "$(date -u +%FT%TZ)" "$*"; }
die() { log "$*"; exit 1; }

# retry TRIES PAUSE COMMAND...
retry() {
  local left=$1 pause=$2
  shift 2
  until "$@"; do
    ((left -= 1)) || return 1
    sleep "$pause"
  done
}

# --- Facts

# imds PATH: a fact from the instance metadata (version 2: with a token).
imds() {
  local url=http://169.254.169.254/latest token
  token=$(curl -fsS --noproxy '*' -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$url/api/token") &&
    curl -fsS --noproxy '*' -m 5 -H "X-aws-ec2-metadata-token: $token" "$url/$1"
}

# fact FILTER: a fact that is known since the deployment, from cluster.json.
fact() { jq -er "$1" "$NODE_TREE/cluster.json"; }

# find_head: sets `head` to the address of the head node. It writes it down itself when it answers there, the first time at
# the end of its set-up, and the next head node takes it over; an address of the instance would go with it.
find_head() {
  local why=/run/hpcctl-head.why
  log "waiting until the head node says where it is"
  head=$(retry 540 5 head_address 2>"$why") || die "the head node has not said where it is: $(tail -n 1 "$why")"
}
head_address() {
  artifact "clusters/$CLUSTER/launches/head.json" /run/hpcctl-head.json && jq -er .address /run/hpcctl-head.json
}

# --- Packages

install_packages() {
  local name missing=()
  for name in "$@"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
  done
  ((${#missing[@]} == 0)) && return
  log "installing ${missing[*]}"
  retry 5 10 apt-get -qq -o DPkg::Lock::Timeout=300 update
  retry 3 10 apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}"
}

# artifact KEY FILE: an object of the artifact bucket, which must be this account's: the name of a bucket proves nothing.
artifact() {
  aws s3api get-object --expected-bucket-owner "$ACCOUNT" --bucket "$BUCKET" --key "$1" "$2" >/dev/null
}

# hpcctl itself, the very program that wrote these files.
fetch_hpcctl() {
  local from=$1 program=$2 digest
  artifact "$from.sha256" "$program.sha256" && digest=$(<"$program.sha256") && [[ -n $digest ]] || return 1
  ! sha256sum --status --check <<<"$digest  $program" 2>/dev/null || return 0
  artifact "$from" "$program.new" &&
    sha256sum --status --check <<<"$digest  $program.new" || return 1
  chmod 755 "$program.new"
  mv "$program.new" "$program"
}
install_hpcctl() {
  mkdir -p /opt/hpcctl/bin
  retry 10 5 fetch_hpcctl "bin/hpcctl-0.1.0-$(uname -m)" /opt/hpcctl/bin/hpcctl
}

# --- What every node needs

# The names that user data gave us, for services and for later runs of setup.sh.
remember_node() {
  mkdir -p /etc/hpcctl /opt/hpcctl/{bin,etc,libexec} /var/lib/hpcctl /var/log/hpcctl
  printf '%s\n' "CLUSTER=$CLUSTER" "ROLE=$ROLE" "OS=$OS" "QUEUE=${QUEUE:-}" "POOL=${POOL:-}" "BUCKET=$BUCKET" "ACCOUNT=$ACCOUNT" \
    "AWS_DEFAULT_REGION=$AWS_DEFAULT_REGION" "AWS_REGION=$AWS_DEFAULT_REGION" "PARTITION=$PARTITION" \
    "PROXY=${PROXY:-}" ${PROXY:+"HTTPS_PROXY=$PROXY" "NO_PROXY=$NO_PROXY"} \
    ${AWS_ENDPOINT_URL:+"AWS_ENDPOINT_URL=$AWS_ENDPOINT_URL"} >/etc/hpcctl/node.env
  install -m 644 "$NODE_TREE/cluster.json" /opt/hpcctl/etc/cluster.json
}

configure_proxy() { :; }

install_session_agent() {
  local work from=https://s3.$AWS_DEFAULT_REGION.amazonaws.com/amazon-ssm-$AWS_DEFAULT_REGION/latest
  work=$(mktemp -d)
  retry 3 5 curl -fsSL -o "$work/agent.deb" "$from/debian_$(dpkg --print-architecture)/amazon-ssm-agent.deb" &&
    dpkg -i "$work/agent.deb" >/dev/null || return 1
  rm -rf "$work"
  systemctl enable -q --now amazon-ssm-agent
}

# Session Manager's agent, by which people reach nodes without a key: images of Ubuntu and Amazon Linux bring it, others do not.
# https://docs.aws.amazon.com/systems-manager/latest/userguide/ami-preinstalled-agent.html
setup_session_manager() {
  systemctl cat amazon-ssm-agent >/dev/null 2>&1 || systemctl cat snap.amazon-ssm-agent.amazon-ssm-agent >/dev/null 2>&1 ||
    install_session_agent || log "cannot install the Session Manager agent: \`hpcctl ssh\` does not reach this node"
}

# install_munge_key FILE: the key that all nodes share, for munged alone. Who has it can speak for any user.
install_munge_key() {
  (($(stat -c %s "$1") >= 32)) || die "the munge key is shorter than 32 bytes"
  if ! cmp -s "$1" /etc/munge/munge.key; then
    install -o munge -g munge -m 400 "$1" /etc/munge/munge.key
    systemctl restart munge
  fi
  systemctl enable -q munge
}

# The head node hands the key to the root of other nodes: an export of its own, read once. Their roles cannot read it, so
# a job that gets at the role has not got the key.
setup_munge() {
  local from=/run/hpcctl-key
  command -v munged >/dev/null || install_packages munge
  install_packages nfs-common
  install -d -m 700 "$from"
  retry 120 5 mount -t nfs4 -o nfsvers=4.2,ro,nosuid,nodev,noexec,soft,timeo=100 \
    "$head:/opt/hpcctl/key" "$from" || die "the head node does not hand the munge key over"
  retry 60 5 test -s "$from/munge.key" || die "the head node has no munge key yet"
  install_munge_key "$from/munge.key"
  umount "$from"
}

# Fills @@HEAD_...@@ in: fill_head HOSTNAME ADDRESS FILE...
fill_head() {
  local name=$1 address=$2
  shift 2
  sed -i -e "s/@@HEAD_HOSTNAME@@/$name/g" -e "s/@@HEAD_ADDRESS@@/$address/g" "$@"
}

# Puts a file in place if it differs; says so by its result.
put() {
  local from=$1 to=$2 mode=${3:-644}
  cmp -s "$from" "$to" && return 1
  install -D -m "$mode" "$from" "$to" || die "cannot write $to"
}

ensure_slurm() { :; }

# Neither people on a shared node nor jobs may borrow its role: see the script.
protect_metadata() {
  install_packages iptables
  put libexec/protect-metadata /opt/hpcctl/libexec/protect-metadata 755 || true
  put systemd/hpcctl-metadata.service /etc/systemd/system/hpcctl-metadata.service || true
  systemctl daemon-reload
  systemctl enable -q hpcctl-metadata
  systemctl restart hpcctl-metadata
}

# --- Scripts of one's own

# run_action WHEN NUMBER S3URI ARGUMENT...: fetches and runs a custom action; its output goes to a log of its own.
run_action() {
  local when=$1 number=$2 from=$3 to=/var/lib/hpcctl/actions
  shift 3
  mkdir -p "$to"
  log "custom action $when number $number: $from"
  retry 5 5 aws s3 cp --only-show-errors "$from" "$to/$when-$number" || failed "cannot fetch $from ($when number $number)"
  chmod 700 "$to/$when-$number"
  "$to/$when-$number" "$@" >>"/var/log/hpcctl/$when-$number.log" 2>&1 ||
    failed "$from ended with $? ($when number $number); see /var/log/hpcctl/$when-$number.log"
}

# --- Logs to CloudWatch

# Amazon's agent. Its place is in the region, and under the suffix of the region's partition.
install_log_agent() {
  local work from=https://amazoncloudwatch-agent-$AWS_DEFAULT_REGION.s3.$AWS_DEFAULT_REGION.amazonaws.com
  work=$(mktemp -d)
  retry 5 5 curl -fsSL -o "$work/agent.deb" "$from/ubuntu/$(dpkg --print-architecture)/latest/amazon-cloudwatch-agent.deb" &&
    dpkg -i "$work/agent.deb" >/dev/null || return 1
  rm -rf "$work"
}

# Without its logs in CloudWatch a node still works: they stay on it.
setup_logs() {
  local agent=/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl
  [[ -x $agent ]] || install_log_agent || { log "cannot install the CloudWatch agent: the logs stay on this node"; return 0; }
  "$agent" -a fetch-config -m ec2 -s -c "file:$NODE_TREE/cloudwatch.json" >/dev/null ||
    log "cannot start the CloudWatch agent: the logs stay on this node"
}
