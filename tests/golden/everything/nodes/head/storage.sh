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

has_package() { apt-cache show "$1" >/dev/null 2>&1; }

# lustre_kernel: the newest kernel of this system for which Amazon has a Lustre module; nothing when there is none.
lustre_kernel() {
  local name kernel
  apt-cache pkgnames lustre-client-modules- | grep -E '^lustre-client-modules-[0-9].*-aws$' | sort -rV |
    while read -r name; do
      kernel=${name#lustre-client-modules-}
      ! has_package "linux-image-$kernel" || { echo "$kernel"; cat >/dev/null; }
    done
}

# boot_kernel VERSION: installs a kernel, boots it, and goes on with the set-up after that. Does not come back.
# https://docs.aws.amazon.com/fsx/latest/LustreGuide/install-lustre-client.html
boot_kernel() {
  log "Amazon has no Lustre client for the kernel $(uname -r) yet: booting $1, for which it has one"
  install_packages "linux-image-$1" "lustre-client-modules-$1"
  sed -i "s/^GRUB_DEFAULT=.*/GRUB_DEFAULT=\"Advanced options for Ubuntu>Ubuntu, with Linux $1\"/" /etc/default/grub
  update-grub
  printf '%s\n' "$1" >/etc/hpcctl/kernel
  cat >/etc/systemd/system/hpcctl-set-up.service <<'UNIT'
[Unit]
Description=hpcctl: the set-up, after the reboot into another kernel
After=network-online.target
Wants=network-online.target
[Service]
Type=oneshot
EnvironmentFile=/etc/hpcctl/node.env
ExecStartPre=/bin/systemctl disable hpcctl-set-up
ExecStart=/bin/bash /opt/hpcctl/node/setup.sh start
StandardOutput=append:/var/log/hpcctl-boot.log
StandardError=append:/var/log/hpcctl-boot.log
[Install]
WantedBy=multi-user.target
UNIT
  systemctl daemon-reload
  systemctl enable -q hpcctl-set-up
  sync
  systemctl reboot
  sleep infinity
}

# A newer kernel comes with an upgrade before its module does: nobody upgrades these by the way.
hold_kernel() {
  apt-mark hold linux-aws linux-image-aws linux-headers-aws "linux-image-$(uname -r)" "lustre-client-modules-$(uname -r)" \
    >/dev/null 2>&1 || log "cannot hold the kernel: an upgrade may bring one without Lustre"
}

install_lustre() {
  # modinfo: an image may carry the module without a package of this name.
  modinfo lustre >/dev/null 2>&1 && command -v mount.lustre >/dev/null && return
  local key=/usr/share/keyrings/fsx-lustre.asc host=fsx-lustre-client-repo kernel other=
  install_packages curl ca-certificates
  retry 5 5 curl -fsSL "https://$host-public-keys.s3.amazonaws.com/fsx-ubuntu-public-key.asc" -o "$key"
  printf 'deb [signed-by=%s] https://%s.s3.amazonaws.com/ubuntu noble main\n' "$key" "$host" \
    >/etc/apt/sources.list.d/fsx-lustre.list
  retry 5 10 apt-get -qq -o DPkg::Lock::Timeout=300 update
  kernel=$(uname -r)
  if ! has_package "lustre-client-modules-$kernel"; then
    other=$(lustre_kernel) || true
    [[ -n $other ]] || die "Amazon has no package lustre-client-modules-$kernel, nor one for another kernel: name an image that has one (image.ami)"
    # A head node that runs, and one that has booted for this already, are not booted anew.
    [[ ${mode:-start} == start && ! -e /etc/hpcctl/kernel ]] ||
      die "Amazon has no package lustre-client-modules-$kernel: boot $other, or name an image with that kernel (image.ami)"
    boot_kernel "$other"
  fi
  install_packages "lustre-client-modules-$kernel"
  hold_kernel
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

# Where the volume with this node's lasting data is mounted. It belongs to the cluster: the next head node takes it over.
HEAD_DATA=/var/lib/hpcctl/data DEV=/dev
declare -A volume_id=() volume_device=()

# attach_volumes NAME...: they become this instance's, and are waited for: the head node before this one may have them yet.
attach_volumes() {
  local text kind name id device
  text=$(/opt/hpcctl/bin/hpcctl node --etc "$NODE_TREE" attach "$@") || die "the volumes $* are not here"
  while read -r kind name id device; do
    [[ $kind != volume ]] || { volume_id[$name]=$id; volume_device[$name]=$device; }
  done <<<"$text"
}

# device_of ID DEVICE: the block device of a volume. On Nitro it has the volume's id as its serial number, whatever device
# was asked for; on Xen it has that name, or `xvd` for `sd`.
device_of() {
  local serial=${1/-/} letter=${2#/dev/sd} name found=$DEV/disk/by-id/nvme-Amazon_Elastic_Block_Store_${1/-/}
  [[ -e $found ]] || found=$(lsblk -dnpo NAME,SERIAL | awk -v serial="$serial" '$2 == serial { print $1; exit }')
  for name in "$found" "$DEV/xvd$letter" "$DEV/sd$letter"; do
    [[ ! -e $name ]] || { readlink -f "$name"; return; }
  done
  return 1
}

# mount_volume NAME WHERE: an attached volume, given a file system when it is blank, never otherwise. The file system grows
# with the volume.
mount_volume() {
  local name=$1 id=${volume_id[$1]} device found=0 type uuid
  device=$(retry 60 2 device_of "$id" "${volume_device[$1]}") || die "the volume $id of $name does not show up"
  # blkid fails with 2 when it finds nothing; with anything else nobody knows, and nothing is formatted.
  blkid -p "$device" >/dev/null || found=$?
  case $found in
  0) ;;
  2)
    command -v mkfs.ext4 >/dev/null || install_packages e2fsprogs
    mkfs.ext4 -q -L "${name:0:16}" "$device" || die "cannot make a file system on $id"
    ;;
  *) die "cannot tell what is on $id" ;;
  esac
  type=$(blkid -p -s TYPE -o value "$device") || type=
  uuid=$(blkid -p -s UUID -o value "$device") || uuid=
  [[ -n $type && -n $uuid ]] || die "there is something else than a file system on $id of $name"
  # noauto: at boot the volume may be elsewhere yet, and this script mounts it (hpcctl-attach.service).
  mount_at "UUID=$uuid" "$2" "$type" defaults,noatime,noauto
  case $type in
  ext[234]) resize2fs "$device" >/dev/null 2>&1 || log "$2 does not grow" ;;
  xfs) xfs_growfs "$2" >/dev/null || log "$2 does not grow" ;;
  esac
}

# bind_data NAME WHERE: a directory of the data volume in its place. What was there before moves along, once and whole; of
# later head nodes only what is new, such as the home of another image's administrator.
bind_data() {
  local to=$HEAD_DATA/$1 where=$2
  mkdir -p "$where"
  if ! mountpoint -q "$where"; then
    if [[ ! -e $to ]]; then
      rm -rf "$to.new"
      if ! { cp -a "$where" "$to.new" && sync "$to.new" && mv "$to.new" "$to"; }; then
        die "cannot move $where to the data volume"
      fi
    else
      cp -an "$where/." "$to/" 2>/dev/null || true
    fi
  fi
  mount_at "$to" "$where" none bind,noauto
}

data_is_there() { grep -q ' /var/spool/slurmctld none bind' /etc/fstab; }

put_data_in_place() {
  attach_volumes head_data
  mount_volume head_data "$HEAD_DATA"
  bind_data home /home
  install -d -o slurm -g slurm -m 755 /var/spool/slurmctld
  bind_data slurmctld /var/spool/slurmctld
  # Another image may number its users otherwise.
  [[ $(stat -c %U /var/spool/slurmctld) == slurm ]] || chown -R slurm:slurm /var/spool/slurmctld
}

# The lasting data of a head node that was set up before there was a volume for it is on its root volume, which goes with
# the instance. It moves when no job runs: jobs on compute nodes have files of /home open. Sets `data_moved`.
move_data() {
  if [[ -n $(/opt/slurm/bin/squeue --noheader --states=RUNNING,COMPLETING,CONFIGURING,SUSPENDED) ]]; then
    log "home directories and Slurm's state are on the root volume as long as jobs run: then, $PWD/setup.sh update"
    return
  fi
  systemctl stop slurmctld
  # By itself: whatever fails there, slurmctld runs again.
  if ! bash "$PWD/setup.sh" move; then
    umount "$HEAD_DATA" || true
    sed -i "\\|^[^#][^ ]* $HEAD_DATA |d" /etc/fstab
    /opt/hpcctl/bin/hpcctl node --etc "$NODE_TREE" detach head_data || true
    systemctl start slurmctld
    die "the head node's data stays on the root volume"
  fi
  data_moved=true
  log "home directories and Slurm's state are on the data volume now; log in again"
}

# What `setup.sh move` does, while slurmctld is stopped.
move_data_now() {
  local used room
  used=$(du -sxk /home /var/spool/slurmctld | awk '{ sum += $1 } END { print sum }')
  attach_volumes head_data
  mount_volume head_data "$HEAD_DATA"
  room=$(df --output=avail -k "$HEAD_DATA" | tail -n 1)
  ((used + used / 10 < room)) || die "head_node.data_volume.size_gib: $((used >> 20)) GiB do not fit"
  put_data_in_place
}

# Nodes that run have the old /home mounted. They are idle, and come back with the new one.
renew_nodes() {
  local nodes
  [[ $data_moved == true ]] || return 0
  nodes=$(/opt/slurm/bin/sinfo --noheader --Node --format='%N %t' | awk '$2 !~ /[~%!#]$/ { print $1 }' | sort -u | paste -sd,)
  [[ -z $nodes ]] || /opt/slurm/bin/scontrol update "nodename=$nodes" state=power_down || log "these nodes have the old /home: $nodes"
}

# is_away WHERE: `hpcctl node sync` has let go of what was mounted there, and no configuration has come since. A boot does
# not bring it back: the right to attach it may be gone already.
is_away() {
  # shellcheck disable=SC2154  # setup.sh says which way it is run
  [[ $mode == attach ]] && awk -v at="$1" '$1 == "#away" && $3 == at { found = 1 } END { exit !found }' "${FSTAB:-/etc/fstab}"
}

# The head node's volumes, in this order: at boot those that were here, else all.
mount_volumes() {
  # shellcheck disable=SC2154  # setup.sh says which way it is run
  data_moved=false
  if data_is_there || [[ $mode == start || ! -d /var/spool/slurmctld ]]; then
    put_data_in_place
  elif [[ $mode == update ]]; then
    move_data
  fi
  if ! is_away /apps; then
    attach_volumes apps
    mount_volume apps /apps
  fi
  if ! is_away /licences; then
    attach_volumes licences
    mount_volume licences /licences
  fi
}

# The address by which the other nodes find this one, until the next head node takes it over. On the loopback interface: it
# is answered for all the same, and whoever manages the network card does not take it away. What it exports is there by now;
# the other nodes are told at the end (tell_address).
take_address() {
  HEAD_ADDRESS=$(/opt/hpcctl/bin/hpcctl node --etc "$NODE_TREE" attach --address) || die "cannot take the head node's address over"
  [[ $(ip -4 -o address show dev lo) == *" $HEAD_ADDRESS/"* ]] || ip address add "$HEAD_ADDRESS/32" dev lo
  [[ ! -d /etc/exports.d ]] || exportfs -ra
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
  mount_volumes
  mount_lustre scratch /fsx
  mount_lustre projects /projects
  mount_lustre archive /archive
  mount_lustre restored /restored
  mount_lustre shared-lustre /site fs-0aaaabbbbccccdddd.fsx.us-east-1.amazonaws.com abcdefgh
  mount_efs home /users 20490
  mount_efs site-efs /corp 20491 fs-0eeeeffff00001111
  # Volumes that this revision has no more, which `hpcctl node sync` has unmounted.
  sed -i '/^#away /d' /etc/fstab
  mkdir -p /etc/exports.d
  export_nfs /home /apps /licences
}
