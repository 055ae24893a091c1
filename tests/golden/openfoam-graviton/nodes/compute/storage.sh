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

install_lustre() {
  # modinfo: an image may carry the module without a package of this name.
  modinfo lustre >/dev/null 2>&1 && command -v mount.lustre >/dev/null && return
  local key=/usr/share/keyrings/fsx-lustre.asc
  install_packages curl ca-certificates
  curl -fsSL https://fsx-lustre-client-repo-public-keys.s3.amazonaws.com/fsx-ubuntu-public-key.asc -o "$key"
  printf 'deb [signed-by=%s] https://fsx-lustre-client-repo.s3.amazonaws.com/ubuntu noble main\n' "$key" \
    >/etc/apt/sources.list.d/fsx-lustre.list
  install_packages "lustre-client-modules-$(uname -r)"
}

# mount_lustre NAME WHERE [DNS MOUNT_NAME]: FSx for Lustre. flock: MPI-IO and many applications lock files.
mount_lustre() {
  local dns=${3:-} name=${4:-}
  install_lustre
  [[ -n $dns ]] || dns=$(fact ".storage[\"$1\"].dns") || die "cluster.json lacks the host of $1"
  [[ -n $name ]] || name=$(fact ".storage[\"$1\"].mount_name") || die "cluster.json lacks the mount name of $1"
  mount_at "$dns@tcp:/$name" "$2" lustre defaults,noatime,flock,_netdev,x-systemd.requires=network-online.target
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
  mount_lustre cases /fsx
  mount_nfs /home
}
