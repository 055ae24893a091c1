#!/bin/bash
# shellcheck disable=SC2154  # head and mode are set by who sources this
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

# mount_nfs DIRECTORY: one that the head node exports.
mount_nfs() {
  install_packages nfs-common
  mount_at "$head:$1" "$1" nfs4 nfsvers=4.2,hard,noatime,_netdev
}

mount_all() {
  :
  mount_nfs /home
}
