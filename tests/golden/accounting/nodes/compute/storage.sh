#!/bin/bash
# Shared file systems. Written by hpcctl; sourced after common.sh.

# release WHERE: unmounted. The servers of a Lustre that is gone answer nobody: a plain umount may hang for good.
release() {
  if [[ $(awk -v at="$1" '$2 == at { kind = $3 } END { print kind }' "${MOUNTS:-/proc/mounts}") == lustre ]]; then
    timeout 60 umount -f -l "$1"
  else
    umount "$1"
  fi
}

# mount_at WHAT WHERE TYPE OPTIONS: into /etc/fstab, and mounted. A changed line is mounted anew.
mount_at() {
  local line="$1 $2 $3 $4 0 0"
  mkdir -p "$2"
  if ! grep -qxF "$line" /etc/fstab; then
    sed -i "\\|^[^#][^ ]* $2 |d" /etc/fstab
    printf '%s\n' "$line" >>/etc/fstab
    systemctl daemon-reload
    if mountpoint -q "$2"; then
      release "$2" || { log "$2 is in use; its new source is mounted at the next boot"; return; }
    fi
  fi
  mountpoint -q "$2" || retry 12 5 mount "$2" || die "cannot mount $2"
}

# mount_efs NAME WHERE [ID]: encrypted in transit where Amazon's mount helper can be had, plain NFS 4.1 otherwise.
mount_efs() {
  local id=${3:-}
  [[ -n $id ]] || id=$(fact ".storage[\"$1\"].file_system_id") || die "cluster.json lacks the id of $1"
  command -v mount.efs >/dev/null || install_packages amazon-efs-utils 2>/dev/null || true
  if command -v mount.efs >/dev/null; then
    mount_at "$id:/" "$2" efs tls,_netdev,noresvport
  else
    log "no amazon-efs-utils on this system: $2 is mounted without encryption in transit"
    install_packages nfs-common
    mount_at "$id.efs.$AWS_DEFAULT_REGION.amazonaws.com:/" "$2" nfs4 nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport,_netdev
  fi
}

# mount_nfs DIRECTORY: one that the head node exports.
mount_nfs() {
  install_packages nfs-common
  mount_at "$(fact .head.private_ip):$1" "$1" nfs4 nfsvers=4.2,hard,noatime,_netdev
}

mount_all() {
  :
  mount_efs home /shared
  mount_nfs /home
}
