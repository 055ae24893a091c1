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

# tunnel_efs NAME HOST PORT: TLS to a file system by stunnel, where Amazon's mount helper is not to be had. The server must
# prove that it is HOST; the tunnel's other end is for this machine alone.
tunnel_efs() {
  local conf=/etc/hpcctl/efs-$1.conf unit=hpcctl-efs-$1 work changed=false
  command -v stunnel >/dev/null || install_packages stunnel4 || return 1
  work=$(mktemp -d)
  printf '%s\n' 'foreground = yes' 'syslog = no' 'pid =' "[efs-$1]" 'client = yes' "accept = 127.0.0.1:$3" "connect = $2:2049" \
    'delay = yes' 'sslVersionMin = TLSv1.2' 'verifyChain = yes' "checkHost = $2" 'CAfile = /etc/ssl/certs/ca-certificates.crt' 'renegotiation = no' \
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
  install_packages nfs-common
  if [[ $port == clear ]]; then
    mount_at "$host:/" "$2" nfs4 "$options"
    return
  fi
  tunnel_efs "$1" "$host" "$port" ||
    die "$2 cannot be encrypted in transit: this system has neither amazon-efs-utils nor stunnel (efs.encryption_in_transit)"
  mount_at 127.0.0.1:/ "$2" nfs4 "$options,port=$port,x-systemd.requires=hpcctl-efs-$1.service"
}

# mount_volume NAME WHERE [VOLUME]: the volume of an `ebs` file system, found by its id, given a file system when it has none, never otherwise.
mount_volume() {
  local volume=${3:-} device found=0
  [[ -n $volume ]] || volume=$(fact ".storage[\"$1\"].volume_id") || die "cluster.json lacks the volume of $1"
  device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volume/-/}
  retry 60 5 test -e "$device" || die "the volume $volume of $1 is not attached"
  # blkid fails with 2 when it finds nothing; with anything else nobody knows, and nothing is formatted.
  blkid -p "$device" >/dev/null || found=$?
  case $found in
  0) ;;
  2) mkfs.ext4 -q -L "$1" "$device" ;;
  *) die "cannot tell what is on $volume" ;;
  esac
  mount_at "$device" "$2" ext4 defaults,noatime,nofail,x-systemd.device-timeout=60
}

# share_munge_key: to the root of the cluster's other nodes, who ask from a port that only root can open. `subtree_check`
# keeps them, who are not squashed here, from what else is on this disk.
share_munge_key() {
  local mac cidr clients=
  mkdir -p /etc/exports.d
  install_packages nfs-kernel-server
  install -d -m 700 /opt/hpcctl/key
  cmp -s /etc/munge/munge.key /opt/hpcctl/key/munge.key ||
    install -m 400 /etc/munge/munge.key /opt/hpcctl/key/munge.key
  mac=$(imds meta-data/mac)
  for cidr in $(imds "meta-data/network/interfaces/macs/$mac/vpc-ipv4-cidr-blocks"); do
    clients+=" $cidr(ro,sync,secure,subtree_check,no_root_squash)"
  done
  printf '/opt/hpcctl/key%s\n' "$clients" >/etc/exports.d/hpcctl-key.exports
  systemctl enable -q --now nfs-kernel-server
  exportfs -ra
}

# export_nfs DIRECTORY...: to the VPC; the security group says who gets through.
export_nfs() {
  local mac cidr directory clients=
  mkdir -p /etc/exports.d
  install_packages nfs-kernel-server
  mac=$(imds meta-data/mac)
  for cidr in $(imds "meta-data/network/interfaces/macs/$mac/vpc-ipv4-cidr-blocks"); do
    clients+=" $cidr(rw,sync,no_subtree_check)"
  done
  for directory in "$@"; do
    printf '%s%s\n' "$directory" "$clients"
  done >/etc/exports.d/hpcctl.exports
  systemctl enable -q --now nfs-kernel-server
  exportfs -ra
}

mount_all() {
  :
  mount_efs home /shared 20490
  mkdir -p /etc/exports.d
  export_nfs /home
}
