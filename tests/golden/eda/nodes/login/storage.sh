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

# tunnel_efs NAME HOST PORT: TLS to a file system by stunnel, where Amazon's mount helper is not to be had. The server must
# prove that it is HOST; the tunnel's other end is for this machine alone.
tunnel_efs() {
  local conf=/etc/hpcctl/efs-$1.conf unit=hpcctl-efs-$1 work changed=false
  command -v stunnel >/dev/null || install_packages stunnel || return 1
  work=$(mktemp -d)
  printf '%s\n' 'foreground = yes' 'syslog = no' 'pid =' "[efs-$1]" 'client = yes' "accept = 127.0.0.1:$3" "connect = $2:2049" \
    'delay = yes' 'sslVersionMin = TLSv1.2' 'verifyChain = yes' "checkHost = $2" 'CAfile = /etc/pki/tls/certs/ca-bundle.crt' 'renegotiation = no' \
    'TIMEOUTbusy = 20' 'TIMEOUTclose = 0' 'TIMEOUTidle = 86400' >"$work/conf"
  printf '%s\n' '[Unit]' "Description=hpcctl: TLS to the file system $1" 'After=network.target' 'Before=remote-fs-pre.target' \
    '[Service]' "ExecStart=$(command -v stunnel) $conf" 'Restart=always' 'RestartSec=1' '[Install]' 'WantedBy=multi-user.target' >"$work/unit"
  ! put "$work/conf" "$conf" || changed=true
  ! put "$work/unit" "/etc/systemd/system/$unit.service" || changed=true
  rm -rf "$work"
  if [[ $changed == true ]]; then
    systemctl daemon-reload && systemctl enable -q "$unit" && systemctl restart "$unit" || return 1
  fi
}

# mount_efs NAME WHERE PORT [ID]: encrypted in transit, by Amazon's mount helper or by stunnel on PORT of this machine; PORT
# `clear`: not encrypted. https://docs.aws.amazon.com/efs/latest/ug/encryption-in-transit.html
mount_efs() {
  local port=$3 id=${4:-} host options=nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport,_netdev
  [[ -n $id ]] || id=$(fact ".storage[\"$1\"].file_system_id") || die "cluster.json lacks the id of $1"
  host=$id.efs.$AWS_DEFAULT_REGION.amazonaws.com
  if [[ $port != clear ]] && command -v mount.efs >/dev/null; then
    mount_at "$id:/" "$2" efs tls,_netdev,noresvport
    return
  fi
  install_packages nfs-utils
  if [[ $port == clear ]]; then
    mount_at "$host:/" "$2" nfs4 "$options"
    return
  fi
  tunnel_efs "$1" "$host" "$port" ||
    die "$2 cannot be encrypted in transit: this system has neither amazon-efs-utils nor stunnel (efs.encryption_in_transit)"
  mount_at 127.0.0.1:/ "$2" nfs4 "$options,port=$port,x-systemd.requires=hpcctl-efs-$1.service"
}

# mount_nfs DIRECTORY: one that the head node exports.
mount_nfs() {
  install_packages nfs-utils
  mount_at "$head:$1" "$1" nfs4 nfsvers=4.2,hard,noatime,_netdev
}

mount_all() {
  :
  mount_efs home /users 20490
  mount_efs tools /tools 20491
  mount_lustre scratch /scratch-shared
  mount_nfs /home
}
