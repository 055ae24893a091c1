#!/bin/bash
# Sets a login node of everything up, at its first boot; `setup.sh refresh` fetches Slurm's configuration again. Written by
# hpcctl.
set -Eeuo pipefail
cd "$(dirname "$0")"
if [[ ${1:-start} == refresh ]]; then
  set -a
  # shellcheck disable=SC1091
  . /etc/hpcctl/node.env
  set +a
fi
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=storage.sh
. ./storage.sh
# The pool's scripts, and its desktop.
# shellcheck source=pool.sh disable=SC1091
. "./$POOL/pool.sh"

# A login node that cannot be set up stays, so that an administrator can look at it. A script of one's own that failed is not
# run again.
failed() {
  trap - ERR
  log "set-up failed: $*"
  exit 1
}
# What else fails may be there in a while: login nodes boot beside the head node, or while another one takes its place.
AGAIN=${AGAIN:-0}
again() {
  trap - ERR
  # A subshell ends, and then its caller is here.
  ((BASH_SUBSHELL == 0)) || exit 1
  ((AGAIN < 15)) || failed "$*"
  log "the set-up starts again in a minute: $*"
  sleep 60
  AGAIN=$((AGAIN + 1)) exec bash "$PWD/setup.sh" start
}
die() { again "$*"; }
trap 'again "line $LINENO: $BASH_COMMAND"' ERR

# configure_slurm DIRECTORY: the commands read slurm.conf, the same as the head node's.
configure_slurm() {
  local work file
  work=$(mktemp -d)
  cp "$1"/slurm*.conf "$work/"
  fill_head "$(fact .head.hostname)" "$head" "$work"/*
  for file in "$work"/*; do
    put "$file" "$SLURM_ETC/$(basename "$file")" || true
  done
  # A queue that is no more must not be left for an Include by hand.
  for file in "$SLURM_ETC"/slurm-queue-*.conf; do
    [[ ! -e $file || -e $work/$(basename "$file") ]] || rm -f "$file"
  done
  rm -rf "$work"
}

# fetch_conf DIRECTORY: the configuration of the newest revision, and the cluster's facts.
fetch_conf() {
  local from=clusters/$CLUSTER/current
  aws s3 cp --only-show-errors --recursive "s3://$BUCKET/$from/login/" "$1/" &&
    aws s3api get-object --expected-bucket-owner "$ACCOUNT" --bucket "$BUCKET" --key "$from/cluster.json" "$1/cluster.json" >/dev/null &&
    [[ -s $1/slurm.conf ]]
}

# A new configuration reaches login nodes by a timer; what they mount and run stays as it was at their boot.
refresh() {
  local work
  trap - ERR
  # Whatever fails, the next time will do: nothing is set up again.
  AGAIN=15
  work=$(mktemp -d)
  if fetch_conf "$work" && head=$(head_address); then
    NODE_TREE=$work configure_slurm "$work"
  else
    log "cannot fetch Slurm's configuration: it stays as it is"
  fi
  rm -rf "$work"
}
if [[ ${1:-start} == refresh ]]; then
  refresh
  exit
fi

start_refresh() {
  put systemd/hpcctl-refresh.service /etc/systemd/system/hpcctl-refresh.service || true
  put systemd/hpcctl-refresh.timer /etc/systemd/system/hpcctl-refresh.timer || true
  systemctl daemon-reload
  systemctl enable -q --now hpcctl-refresh.timer
}

remember_node
configure_proxy
install_packages ca-certificates curl jq munge
setup_session_manager
if [[ ! -e /var/lib/hpcctl/started ]]; then
  on_start
  touch /var/lib/hpcctl/started
fi
# shellcheck disable=SC2119  # no daemons here
ensure_slurm
find_head
setup_munge
mount_all
configure_slurm .
protect_metadata
setup_logs
setup_dcv
on_configured
start_refresh
log "set-up done"
