#!/bin/bash
# An EC2 instance as Linux namespaces: process 1 of one that has its own network, host name, processes, clock since boot
# and a root disk that is this machine's, copied on write. It boots as an instance does: address, metadata, user data.
#
# Started in new namespaces by the hypervisor, which puts `eth0` into it and then makes $MACHINE/go:
#
#   unshare --mount --net --uts --ipc --pid --fork --kill-child machine.sh      and a time namespace that begins at zero
#
#   MACHINE    a directory of this machine's own: disk, journal, console
#   ADDRESS    the private address
#   PREFIX     the length of the VPC's network prefix
#   ROUTER     the VPC's router; the metadata service is behind it
#   IMAGE      what the machine image has beyond this machine's own programs, as a directory tree
#   SHARED     where file servers keep what machines mount: file systems on directories 0, 1, ...
#   HOSTS      the VPC's names, as in /etc/hosts
#   PROGRAM    hpcctl's binary, if the machine image carries it; empty: the machine fetches it
#   ENDPOINT   where AWS is; empty: AWS itself
#   ACCOUNT    instead of AWS: the directory with the sandbox's account. Then PROGRAM is there, and these two are asked for:
#   SECRET     what the account's secrets are made from
#   ADMINISTRATOR   the image's user with whom people log in
#   OVERLAY    a file with options of slurm.conf that this rehearsal has otherwise; may be missing
set -euo pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# A root disk of its own. What this machine keeps of other lives (logs, spools, keys) is not on it.
make_root() {
  local root=$MACHINE/root disk=$MACHINE/disk name
  mkdir -p "$root" "$disk"
  mount -t tmpfs -o mode=755 disk "$disk"
  mkdir "$disk/upper" "$disk/work"
  cp -a "$IMAGE/." "$disk/upper/"
  chmod 755 "$disk/upper"
  mount -t overlay root -o "lowerdir=/,upperdir=$disk/upper,workdir=$disk/work" "$root"
  for name in run tmp opt etc/slurm etc/munge etc/systemd/system var/log var/spool var/lib/munge var/lib/hpcctl var/lib/slurm; do
    mkdir -p "$root/$name"
    [[ ! -d $disk/upper/$name ]] || cp -a "$disk/upper/$name" "$disk/keep"
    mount -t tmpfs -o mode=755 "${name##*/}" "$root/$name"
    [[ ! -d $disk/keep ]] || { cp -a "$disk/keep/." "$root/$name/"; rm -rf "$disk/keep"; }
  done
  chmod 1777 "$root/tmp"
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"
  make_devices "$root/dev"
  mkdir -p "$root/run/rehearsal/shared" "$root/run/lock" "$root/run/munge" "$root/var/spool/slurmd" "$root/old"
  mount --rbind "$SHARED" "$root/run/rehearsal/shared"
  touch "$root/run/rehearsal/journal"
  if [[ -n ${ACCOUNT:-} ]]; then
    mkdir "$root/run/rehearsal/account"
    touch "$root/run/rehearsal/program" "$root/run/rehearsal/secret"
    mount --bind "$ACCOUNT" "$root/run/rehearsal/account"
    mount --bind "$SECRET" "$root/run/rehearsal/secret"
    mount --bind "$PROGRAM" "$root/run/rehearsal/program"
    ln -s /usr/lib/rehearsal/hpcctl "$root/run/rehearsal/hpcctl"
  else
    touch "$root/run/rehearsal/hpcctl"
    [[ -z $PROGRAM ]] || mount --bind "$PROGRAM" "$root/run/rehearsal/hpcctl"
  fi
  basename "$MACHINE" >"$root/run/rehearsal/instance"
  cat "${OVERLAY:-/dev/null}" >"$root/run/rehearsal/slurm.conf" 2>/dev/null || true
  : >>"$MACHINE/journal"
  mount --bind "$MACHINE/journal" "$root/run/rehearsal/journal"
  # What hpcctl's programs say outlives the machine.
  mkdir -p "$MACHINE/log" "$root/var/log/hpcctl"
  mount --bind "$MACHINE/log" "$root/var/log/hpcctl"
  chown munge: "$root/run/munge" "$root/etc/munge" "$root/var/lib/munge"
  install -d -o munge -g munge -m 700 "$root/var/log/munge"
}

make_devices() {
  local to=$1 name
  mount -t tmpfs -o mode=755 dev "$to"
  for name in null zero full random urandom tty; do
    touch "$to/$name"
    mount --bind "/dev/$name" "$to/$name"
  done
  mkdir "$to/shm" "$to/pts"
  mount -t tmpfs -o mode=1777 shm "$to/shm"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$to/pts"
  ln -s pts/ptmx "$to/ptmx"
  ln -s /proc/self/fd "$to/fd"
  ln -s fd/0 "$to/stdin"
  ln -s fd/1 "$to/stdout"
  ln -s fd/2 "$to/stderr"
  : >>"$MACHINE/console"
  touch "$to/console"
  mount --bind "$MACHINE/console" "$to/console"
}

enter_root() {
  cd "$MACHINE/root"
  pivot_root . old
  cd /
  umount -l /old
  rmdir /old 2>/dev/null || true
}

# Names as the VPC gives them: `ip-10-42-0-7`. There is no name server: nobody shall wait for one.
set_network() {
  local name=ip-${ADDRESS//./-} hosts=$1
  hostname "$name"
  printf '%s\n' "$name" >/etc/hostname
  printf '127.0.0.1 localhost\n%s %s\n%s\n' "$ADDRESS" "$name" "$hosts" >/etc/hosts
  printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\nprotocols: files\nrpc: files\n' \
    >/etc/nsswitch.conf
  ip link set lo up
  ip address add "$ADDRESS/$PREFIX" dev eth0
  ip link set eth0 up
  ip route add default via "$ROUTER"
  # The metadata service has an address of IPv6, too, where there is such a thing.
  if [[ -e /proc/net/if_inet6 ]]; then
    { ip -6 address add "fd00:a::$ADDRESS/64" dev eth0 nodad && ip -6 route add fd00:ec2::254 dev eth0; } || true
  fi
}

# What the user data finds in its environment and hands on to hpcctl and its services (/etc/hpcctl/node.env): where AWS is.
# Who the machine is comes from the metadata.
set_cloud() {
  mkdir -p /opt/hpcctl/bin
  [[ -z $PROGRAM ]] || ln -s /run/rehearsal/hpcctl /opt/hpcctl/bin/hpcctl
  [[ -z $ENDPOINT ]] || export AWS_ENDPOINT_URL=$ENDPOINT
}

# People do not log in as root, and the image's administrator becomes root without a password, as cloud-init leaves it.
make_administrator() {
  id "$ADMINISTRATOR" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$ADMINISTRATOR"
  [[ ! -d /etc/sudoers.d ]] || install -m 440 /dev/stdin /etc/sudoers.d/90-cloud-init-users <<<"$ADMINISTRATOR ALL=(ALL) NOPASSWD:ALL"
}

user_data() {
  local url=http://169.254.169.254/latest token
  token=$(curl -fsS --retry 20 --retry-connrefused --retry-delay 1 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$url/api/token")
  mkdir -p /var/lib/cloud
  curl -fsS -H "X-aws-ec2-metadata-token: $token" "$url/user-data" -o /var/lib/cloud/user-data
}

until [[ -e $MACHINE/go ]]; do sleep 0.02; done
# shellcheck disable=SC2153  # the hypervisor sets it
names=$(cat "$HOSTS")
make_root
enter_root
set_network "$names"
set_cloud
[[ -z ${ACCOUNT:-} ]] || make_administrator
# `systemctl poweroff` tells process 1, and so does who stops the instance: slurmctld writes its state down.
power_off() {
  local unit
  for unit in hpcctl-sync slurmctld slurmdbd; do
    [[ ! -e /run/units/$unit.service ]] || systemctl stop "$unit"
  done
  sync
  exit 0
}
trap power_off PWR
unset MACHINE IMAGE SHARED HOSTS PROGRAM OVERLAY ROUTER PREFIX ADDRESS ENDPOINT ACCOUNT SECRET ADMINISTRATOR
user_data && {
  setsid bash /var/lib/cloud/user-data </dev/null >>/dev/console 2>&1 &
}
# Process 1 reaps what is orphaned; `wait` also lets the trap run at once.
while :; do
  wait || true
  sleep infinity &
  wait $! || true
done
