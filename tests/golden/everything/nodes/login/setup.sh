#!/bin/bash
# Sets a login node of everything up, at its first boot. Written by hpcctl.
set -Eeuo pipefail
cd "$(dirname "$0")"
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=storage.sh
. ./storage.sh
# The pool's scripts, and its desktop.
# shellcheck source=pool.sh disable=SC1091
. "./$POOL/pool.sh"

# A login node that cannot be set up stays, so that an administrator can look at it.
failed() { log "set-up failed: $*"; exit 1; }
trap 'log "set-up failed in line $LINENO"' ERR

# The commands read slurm.conf: the same as the head node's.
configure_slurm() {
  local work file
  work=$(mktemp -d)
  cp ./slurm*.conf "$work/"
  fill_head "$(fact .head.hostname)" "$head" "$work"/*
  for file in "$work"/*; do
    put "$file" "$SLURM_ETC/$(basename "$file")" || true
  done
  rm -rf "$work"
}

remember_node
configure_proxy
install_packages ca-certificates curl jq munge
setup_session_manager
on_start
# shellcheck disable=SC2119  # no daemons here
ensure_slurm
find_head
setup_munge
mount_all
configure_slurm
protect_metadata
setup_logs
setup_dcv
on_configured
log "set-up done"
