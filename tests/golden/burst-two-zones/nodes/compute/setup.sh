#!/bin/bash
# Sets a compute node of burst-two-zones up, at its first boot. Written by hpcctl.
set -Eeuo pipefail
cd "$(dirname "$0")"
# shellcheck source=common.sh
. ./common.sh
# shellcheck source=storage.sh
. ./storage.sh
# The queue's settings and scripts: EFA, GPU, HYPERTHREADING, JOBS_MAY_USE_ROLE, LOCAL_SCRATCH, on_start, on_configured.
# shellcheck source=queue.sh disable=SC1091
. "./$QUEUE/queue.sh"

node=
# A node that cannot be set up says so to slurmctld and powers off: it must not cost money, nor take jobs.
failed() {
  trap - ERR
  log "set-up failed: $*"
  if [[ -n $node ]]; then
    # slurmd may not have fetched a slurm.conf yet; these two lines are all that scontrol needs.
    printf 'ClusterName=%s\nSlurmctldHost=%s(%s)\n' "$CLUSTER_NAME" "$(fact .head.hostname)" "$head" \
      >/run/hpcctl-slurm.conf
    SLURM_CONF=/run/hpcctl-slurm.conf timeout 20 /usr/bin/scontrol update \
      "nodename=$node" state=down "reason=hpcctl set-up: $*" || true
  fi
  sync
  # Leave the agent the time to ship the log.
  sleep 20
  systemctl poweroff
  exit 1
}
die() { failed "$*"; }
trap 'failed "line $LINENO"' ERR

# The node's name in Slurm: hpcctl writes an object for each launch, from which its instances learn who they are.
node_name() {
  local name id launch
  id=$(imds meta-data/instance-id) || return 1
  # Instances on Xen see tags in the metadata only after a stop.
  launch=$(imds meta-data/tags/instance/hpcctl:launch 2>/dev/null) ||
    launch=$(aws ec2 describe-tags --output text --query 'Tags[0].Value' \
      --filters "Name=resource-id,Values=$id" Name=key,Values=hpcctl:launch) || return 1
  artifact "clusters/$CLUSTER/launches/$launch.json" /run/hpcctl-launch.json &&
    name=$(jq -er --arg id "$id" '.nodes[$id].name' /run/hpcctl-launch.json) && node=$name
}

# Local NVMe disks, as one striped file system. What is on them is gone at the next stop anyway.
setup_local_scratch() {
  local disks device
  mountpoint -q "$LOCAL_SCRATCH" && return
  mapfile -t disks < <(lsblk -dnpo NAME,MODEL | awk '/Amazon EC2 NVMe Instance Storage/ { print $1 }' | sort)
  case ${#disks[@]} in
  0)
    log "no local disks: $LOCAL_SCRATCH is on the root volume"
    mkdir -p "$LOCAL_SCRATCH"
    chmod 1777 "$LOCAL_SCRATCH"
    return
    ;;
  1) device=${disks[0]} ;;
  *)
    install_packages mdadm
    device=/dev/md/scratch
    [[ -e $device ]] || mdadm --create "$device" --run --level=0 --name=scratch --raid-devices="${#disks[@]}" "${disks[@]}" >/dev/null
    ;;
  esac
  blkid -p "$device" >/dev/null || mkfs.ext4 -q -E nodiscard -m 0 -L scratch "$device"
  mount_at "$device" "$LOCAL_SCRATCH" ext4 noatime,discard,nofail
  chmod 1777 "$LOCAL_SCRATCH"
}

# The key that Amazon signs the EFA installer with. A key from where the archive lies proves nothing by itself.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html
EFA_KEY=4E9091BCBB97A96B26B15E59A05480B1DD2D3CCC

# fetch_efa DIRECTORY: the EFA installer, unpacked there when its signature is Amazon's. No step is left to `set -e`,
# which does not hold where a caller asks for the result.
fetch_efa() {
  local file from=https://efa-installer.amazonaws.com archive=aws-efa-installer-latest.tar.gz signed
  for file in aws-efa-installer.key "$archive.sig" "$archive"; do
    retry 5 5 curl -fsSL -o "$1/$file" "$from/$file" || return 1
  done
  install -d -m 700 "$1/gpg" &&
    gpg -q --batch --homedir "$1/gpg" --import "$1/aws-efa-installer.key" &&
    signed=$(gpg -q --batch --homedir "$1/gpg" --status-fd 1 --verify "$1/$archive.sig" "$1/$archive") || return 1
  # The last word of the line is the fingerprint of the primary key.
  grep -qE "^\[GNUPG:\] VALIDSIG .* $EFA_KEY\$" <<<"$signed" || { log "the signature is not of the key $EFA_KEY"; return 1; }
  tar -xzf "$1/$archive" -C "$1"
}

# The EFA driver and libfabric. The archive is signed, and no digest is known in advance because the address is that of
# the latest version. An image that carries EFA skips this.
install_efa() {
  local work
  if [[ -d /sys/class/infiniband ]] && command -v /opt/amazon/efa/bin/fi_info >/dev/null &&
    /opt/amazon/efa/bin/fi_info -p efa >/dev/null 2>&1; then
    return
  fi
  work=$(mktemp -d)
  install_packages gnupg
  fetch_efa "$work" || die "cannot fetch the EFA installer, or its signature is not Amazon's"
  (cd "$work/aws-efa-installer" && ./efa_installer.sh --yes --no-verify) >/var/log/hpcctl/efa.log 2>&1 ||
    die "cannot install EFA: see /var/log/hpcctl/efa.log"
  rm -rf "$work"
  /opt/amazon/efa/bin/fi_info -p efa >/dev/null || die "the EFA device does not work"
}

# Jobs run as the image's administrator, too, and whoever is root here has the node's role and the munge key. People with
# administrator's rights come by Session Manager, whose user has its own; a script of one's own may remove the file. The
# groups of a job are the head node's, so what they open is closed here.
take_root_away() {
  local file=/etc/sudoers.d/zz-hpcctl work
  if [[ -d ${file%/*} ]]; then
    work=$(mktemp)
    # Of several rules that match the last one counts.
    printf '# Written by hpcctl: jobs run as this user.\n%s ALL=(ALL:ALL) !ALL\n' ubuntu >"$work"
    put "$work" "$file" 440 || true
    rm -f "$work"
  fi
  # Ubuntu's administrator may ask for containers, and is root in them.
  systemctl -q mask --now lxd-installer.socket snap.lxd.daemon.unix.socket >/dev/null 2>&1 || true
}

check_gpus() {
  command -v nvidia-smi >/dev/null || die "there is no NVIDIA driver: the image has none, and no custom action installed one"
  retry 6 10 nvidia-smi --list-gpus >/dev/null || die "nvidia-smi finds no GPU"
  nvidia-smi --persistence-mode=1 >/dev/null || true
}

# EC2 itself starts most types with one thread a core; bare metal must be told.
disable_hyperthreading() {
  [[ $(cat /sys/devices/system/cpu/smt/active 2>/dev/null) != 1 ]] || echo off >/sys/devices/system/cpu/smt/control
}

start_slurmd() {
  printf 'NODE=%s\nHEAD=%s\n' "$node" "$head" >/etc/hpcctl/slurmd.env
  install -d -o slurm -g slurm -m 755 /var/log/slurm
  install -d -m 755 /var/spool/slurmd
  install -D -m 644 systemd/slurmd.conf /etc/systemd/system/slurmd.service.d/hpcctl.conf
  [[ $JOBS_MAY_USE_ROLE == true ]] ||
    install -m 644 systemd/slurmd-metadata.conf /etc/systemd/system/slurmd.service.d/hpcctl-metadata.conf
  install -m 644 systemd/hpcctl-watch.service /etc/systemd/system/hpcctl-watch.service
  install -m 644 "$QUEUE/$POOL.json" /opt/hpcctl/etc/pool.json
  systemctl daemon-reload
  systemctl enable -q --now slurmd
  if [[ $(jq -r .watch /opt/hpcctl/etc/pool.json) == true ]]; then
    # fuser ends what still uses Lustre when the node has to go.
    command -v fuser >/dev/null || install_packages psmisc
    systemctl enable -q --now hpcctl-watch
  fi
}

remember_node
configure_proxy
install_packages ca-certificates curl jq munge
setup_session_manager
on_start
ensure_slurm slurmd
# The packages may start slurmd: without a slurm.conf it ends at once, or its unit does not start it.
install_packages slurmd slurm-client slurm-wlm-basic-plugins
install_hpcctl
find_head
setup_munge
# The launch writes it down when EC2 has answered: a miss is no error.
retry 300 2 node_name 2>/run/hpcctl-name.why || die "nobody said which node this is: $(tail -n 1 /run/hpcctl-name.why)"
log "this is $node"
hostnamectl set-hostname "$node"
setup_logs
[[ $JOBS_MAY_USE_ROLE == true ]] || protect_metadata
take_root_away
mount_all
[[ -z $LOCAL_SCRATCH ]] || setup_local_scratch
[[ $EFA == false ]] || install_efa
[[ $HYPERTHREADING == true ]] || disable_hyperthreading
for file in libexec/*; do
  [[ ! -f $file ]] || put "$file" "/opt/hpcctl/$file" 755 || true
done
on_configured
# After the scripts of one's own: one of them may install the driver.
[[ $GPU == false ]] || check_gpus
start_slurmd
log "set-up done"
