#!/bin/bash
# Sets the head node of mixed-capacity up (`setup.sh start`, from user data) and brings it up to date
# (`setup.sh update`, from `hpcctl node sync` after a new configuration); `setup.sh attach` is its way through every boot.
# Written by hpcctl.
set -Eeuo pipefail
mode=${1:-update}
cd "$(dirname "$0")"
# People who run it by hand have not got what user data says either.
if [[ $mode != start || -z ${CLUSTER:-} ]]; then
  set -a
  # shellcheck disable=SC1091
  . /etc/hpcctl/node.env
  set +a
fi
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=storage.sh
. ./storage.sh

# A failing script of one's own ends the set-up of the head node; the log says which.
failed() { die "set-up failed: $*"; }
trap 'log "set-up failed in line $LINENO: $BASH_COMMAND"' ERR

# Whoever applies reads why a set-up failed: the end of its log goes into the bucket, next to the head node's reports.
LOGS=${LOGS:-/var/log/hpcctl}
mkdir -p "$LOGS"
: >"$LOGS/set-up.log"
exec > >(tee -a "$LOGS/set-up.log") 2> >(tee -a "$LOGS/set-up.log" >&2)
tell_failure() {
  local code=$? revision
  ((code != 0)) || return 0
  trap - ERR EXIT
  set +e
  # What was said last is still on its way into the log.
  sleep 1
  revision=$(sed -n 's/^  "revision": \([0-9]*\),*$/\1/p' "$NODE_TREE/cluster.json")
  {
    printf 'hpcctl set-up failed: revision=%s instance=%s mode=%s at=%s\n' "${revision:-0}" \
      "$(imds meta-data/instance-id || echo unknown)" "$mode" "$(date -u +%FT%TZ)"
    tail -n 60 "$LOGS/set-up.log"
  } >"$LOGS/set-up.failed"
  aws s3 cp --only-show-errors "$LOGS/set-up.failed" "s3://$BUCKET/clusters/$CLUSTER/status/set-up.log"
  exit "$code"
}
trap tell_failure EXIT

on_start() {
  :
}
on_configured() {
  :
}
on_updated() {
  :
}

install_programs() {
  configure_proxy
  install_packages ca-certificates curl jq munge
  setup_session_manager
  ensure_slurm slurmctld
  install_packages slurmctld slurmdbd slurm-client slurm-wlm-basic-plugins slurm-wlm-mysql-plugin
  install_hpcctl
}

# The configuration of Slurm. Sets `nodes_changed` when slurmctld must be started anew.
configure_slurm() {
  local work file name
  work=$(mktemp -d)
  name=$(hostname -s)
  install -d -m 755 "$SLURM_ETC"
  install -d -o slurm -g slurm -m 755 /var/spool/slurmctld /var/log/slurm /var/log/hpcctl
  cp ./*.conf "$work/"
  rm -f "$work/slurmdbd.conf"
  fill_head "$name" "$HEAD_ADDRESS" "$work"/*
  nodes_changed=false
  for file in "$work"/*; do
    ! put "$file" "$SLURM_ETC/$(basename "$file")" || nodes_changed=true
  done
  # A queue that is no more must not be left for an Include by hand.
  for file in "$SLURM_ETC"/slurm-queue-*.conf; do
    [[ ! -e $file || -e $work/$(basename "$file") ]] || rm -f "$file"
  done
  rm -rf "$work"
  for file in libexec/*; do
    put "$file" "/opt/hpcctl/$file" 755 || true
  done
  install -m 644 hpcctl.json /opt/hpcctl/etc/hpcctl.json
  # What `hpcctl node resume`, which runs as slurm, remembers: pools that rest, starts that failed.
  install -d -o slurm -g slurm -m 755 /var/lib/hpcctl/state /var/lib/hpcctl/state/launches
}

install_units() {
  install -D -m 644 systemd/slurmctld.conf /etc/systemd/system/slurmctld.service.d/hpcctl.conf
  install -m 644 systemd/*.service /etc/systemd/system/
  systemctl daemon-reload
  systemctl enable -q hpcctl-attach
}

# Nodes that come ask for the head node's address first: they are told when everything answers there.
tell_address() {
  /opt/hpcctl/bin/hpcctl node --etc "$NODE_TREE" attach --publish "$HEAD_ADDRESS" || die "cannot tell the nodes the head node's address"
}

# wake NAME...: at a boot that got its volumes at the second try those who need them were not started.
wake() {
  local name
  for name in "$@"; do
    ! systemctl -q is-enabled "$name" 2>/dev/null || systemctl start --no-block "$name"
  done
}

start_services() {
  systemctl enable -q slurmctld
  # Restart, not reconfigure: added nodes kill slurmctld 22.05 at a reconfigure. Running jobs do not mind.
  if [[ $nodes_changed == true ]] || ! systemctl -q is-active slurmctld; then
    systemctl restart slurmctld
  fi
  renew_nodes
  systemctl enable -q hpcctl-sync
  # `update` is run by hpcctl-sync itself: it starts its new program when this script is done.
  [[ $mode == update ]] || systemctl restart hpcctl-sync
}

if [[ $mode == move ]]; then
  move_data_now
  exit
fi
if [[ $mode == attach ]]; then
  mount_volumes
  take_address
  wake nfs-kernel-server slurmctld hpcctl-sync
  log "volumes and address are here"
  exit
fi
remember_node
[[ $mode == update ]] || on_start
install_programs
setup_munge
share_munge_key
mount_all
take_address
configure_slurm
install_units
protect_metadata
setup_logs
[[ $mode == update ]] || on_configured
start_services
tell_address
[[ $mode != update ]] || on_updated
log "set-up done ($mode)"
