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

install_lustre() {
  # modinfo: an image may carry the module without a package of this name.
  modinfo lustre >/dev/null 2>&1 && command -v mount.lustre >/dev/null && return
  rpm --import https://fsx-lustre-client-repo-public-keys.s3.amazonaws.com/fsx-rpm-public-key.asc
  curl -fsSL https://fsx-lustre-client-repo.s3.amazonaws.com/el/9/fsx-lustre-client.repo -o /etc/yum.repos.d/aws-fsx.repo
  install_packages kmod-lustre-client lustre-client
}

# mount_lustre NAME WHERE [DNS MOUNT_NAME]: FSx for Lustre. flock: MPI-IO and many applications lock files.
mount_lustre() {
  local dns=${3:-} name=${4:-}
  install_lustre
  [[ -n $dns ]] || dns=$(fact ".storage[\"$1\"].dns") || die "cluster.json lacks the host of $1"
  [[ -n $name ]] || name=$(fact ".storage[\"$1\"].mount_name") || die "cluster.json lacks the mount name of $1"
  mount_at "$dns@tcp:/$name" "$2" lustre defaults,noatime,flock,_netdev,x-systemd.requires=network-online.target
}

# mount_nfs DIRECTORY: one that the head node exports.
mount_nfs() {
  install_packages nfs-utils
  mount_at "$head:$1" "$1" nfs4 nfsvers=4.2,hard,noatime,_netdev
}

mount_all() {
  :
  mount_lustre scratch /fsx
  mount_nfs /home
}
