#!/bin/bash
# Sets the head node of {{ cluster }} up (`setup.sh start`, from user data) and brings it up to date
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
# What earlier runs said stays, within bounds.
tail -n 5000 "$LOGS/set-up.log" >"$LOGS/set-up.new" 2>/dev/null || true
mv -f "$LOGS/set-up.new" "$LOGS/set-up.log"
# Before the two streams part: neither may say anything of this run before its beginning stands in the log.
log "set-up begins ($mode)" 2>&1 | tee -a "$LOGS/set-up.log"
exec > >(tee -a "$LOGS/set-up.log") 2> >(tee -a "$LOGS/set-up.log" >&2)
# this_run: what this run has said.
this_run() { awk '/hpcctl: set-up begins [(]/ { text = "" } { text = text $0 "\n" } END { printf "%s", text }' "$LOGS/set-up.log"; }
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
    this_run | tail -n 60
  } >"$LOGS/set-up.failed"
  aws s3 cp --only-show-errors "$LOGS/set-up.failed" "s3://$BUCKET/clusters/$CLUSTER/status/set-up.log"
  exit "$code"
}
trap tell_failure EXIT

on_start() {
  :
{% for it in actions.on_start %}
  run_action on_start {{ it.number }} {{ it.script | sh }}{% for arg in it.args %} {{ arg | sh }}{% endfor %}

{% endfor %}
}
on_configured() {
  :
{% for it in actions.on_configured %}
  run_action on_configured {{ it.number }} {{ it.script | sh }}{% for arg in it.args %} {{ arg | sh }}{% endfor %}

{% endfor %}
}
on_updated() {
  :
{% for it in actions.on_updated %}
  run_action on_updated {{ it.number }} {{ it.script | sh }}{% for arg in it.args %} {{ arg | sh }}{% endfor %}

{% endfor %}
}

install_programs() {
  configure_proxy
  install_packages {{ os.packages.base | join(" ") }}
  setup_session_manager
  ensure_slurm slurmctld{% if accounting %} slurmdbd{% endif %}

{% if not slurm.prefix %}
  install_packages {{ os.packages.head | join(" ") }}
{% endif %}
  install_hpcctl
}

# The key pair of this head node gets in: home directories outlive it, and what cloud-init has written is hidden by them.
# The key that was put there for the head node before goes; those that people have added stay. As the user: what
# is written there may be a link to anywhere.
put_login_key() {
  local user={{ os.user | sh }} record=$HEAD_DATA/login-key home key code=0 body old
  home=$(getent passwd "$user" | cut -d: -f6) || home=
  [[ -d $home ]] || return 0
  key=$(imds meta-data/public-keys/0/openssh-key 2>/dev/null) || code=$?
  # 22: the service knows none. With anything else nobody knows.
  ((code == 0 || code == 22)) || { log "cannot ask for the key pair of this node: log-ins stay as they are"; return 0; }
  body=$(grep -oE 'AAAA[A-Za-z0-9+/=]+' <<<"$key" | head -n 1) || body=
  old=$(cat "$record" 2>/dev/null) || old=
  # shellcheck disable=SC2016  # the inner shell expands it
  runuser -u "$user" -- bash -euc '
    umask 077
    file=$1/.ssh/authorized_keys
    mkdir -p "$1/.ssh"
    touch "$file"
    if [[ -n $2 && $2 != "$3" ]]; then
      grep -vF -- "$2" "$file" >"$file.new" || true
      mv -f "$file.new" "$file"
    fi
    [[ -z $3 ]] || grep -qF -- "$3" "$file" || { [[ -z $(tail -c 1 "$file") ]] || echo; printf "%s\n" "$4"; } >>"$file"
  ' - "$home" "$old" "$body" "$key" || { log "cannot write the key pair into $home/.ssh"; return 0; }
  install -m 600 /dev/stdin "$record" <<<"$body"
}

# Whoever knows this head node by its name or address knows the next one: the host keys come along on the data volume, for
# root alone.
keep_host_keys() {
  local from=$HEAD_DATA/ssh to=${SSH_ETC:-/etc/ssh} file changed=false
  if ! compgen -G "$from/ssh_host_*_key" >/dev/null; then
    compgen -G "$to/ssh_host_*_key" >/dev/null || return 0
    install -d -m 700 "$from.new"
    install -m 600 "$to"/ssh_host_*_key "$to"/ssh_host_*_key.pub "$from.new/"
    rm -rf "$from"
    mv "$from.new" "$from"
    return
  fi
  for file in "$from"/ssh_host_*; do
    cmp -s "$file" "$to/${file##*/}" && continue
    # Over what is there: owner and mode are the system's.
    [[ -e $to/${file##*/} ]] || install -m 600 /dev/null "$to/${file##*/}"
    cat "$file" >"$to/${file##*/}"
    changed=true
  done
  [[ $changed == false ]] || systemctl try-restart ssh sshd 2>/dev/null || true
}

# The configuration of Slurm. Sets `nodes_changed` when slurmctld must be started anew.
configure_slurm() {
  local work file name
  work=$(mktemp -d)
  name=$(hostname -s)
  install -d -m 755 "$SLURM_ETC"
  install -d -o slurm -g slurm -m 755 /var/spool/slurmctld /var/log/slurm /var/log/hpcctl
  cp ./*.conf{% if job_submit %} job_submit.lua{% endif %} "$work/"
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
{% if accounting %}
{% if not accounting.known %}

# database USER PASSWORD SQL: runs SQL as a user. No password is in an argument; the server proves who it is, in the
# words of MySQL's client or of MariaDB's.
database() {
  MYSQL_PWD=$2 mysql --no-defaults --host={{ accounting.host }} --port={{ accounting.port }} --user="$1" \
    --ssl-ca=/opt/hpcctl/etc/rds-ca.pem --loose-ssl-mode=VERIFY_IDENTITY --loose-ssl-verify-server-cert \
    --connect-timeout=10 --batch --skip-column-names <<<"$3"
}

# slurmdbd's user, with all rights on its database and none elsewhere. RDS changes the administrator's password every
# week, so nothing that runs may depend on it; it is read only when the user cannot log in.
grant_database() {
  local user=$1 password=$2 administrator name sql
  [[ $password =~ ^[A-Za-z0-9]+$ ]] || die "the password of the database user is not of letters and digits"
  install_packages {{ os.packages.mysql }}
  ! database "$user" "$password" 'SELECT 1' >/dev/null 2>&1 || return 0
  administrator=$(secret "$(fact .accounting.administrator_secret_arn)") || die "cannot read the administrator's password"
  name=$(jq -er .username <<<"$administrator")
  log "making the database user $user"
  # In a grant _ stands for any letter unless it is escaped.
  sql="
    CREATE DATABASE IF NOT EXISTS \`{{ accounting.database }}\`;
    CREATE USER IF NOT EXISTS '$user'@'%' IDENTIFIED BY '$password' REQUIRE SSL;
    ALTER USER '$user'@'%' IDENTIFIED BY '$password' REQUIRE SSL;
    GRANT ALL PRIVILEGES ON \`{{ accounting.database | replace("_", "\\\\_") }}\`.* TO '$user'@'%';"
  retry 10 15 database "$name" "$(jq -er .password <<<"$administrator")" "$sql" || die "cannot make the database user $user"
}
{% endif %}

# slurmdbd: host, user and password from the stack's outputs and Secrets Manager, in a file for slurm alone.
configure_slurmdbd() {
  local work text user password
  work=$(mktemp)
  text=$(secret {% if accounting.known %}{{ accounting.secret | sh }}{% else %}{{ accounting.secret }}{% endif %}) || die "cannot read the database's password"
  # RDS keeps {"username", "password"}; a secret of one's own may be the bare password.
  password=$(jq -er .password <<<"$text" 2>/dev/null) || password=$text
  # Slurm takes # for the beginning of a comment.
  password=${password//\\/\\\\}
  password=${password//\#/\\#}
  user={% if accounting.known %}{{ accounting.user | sh }}{% else %}{{ accounting.user }}{% endif %}

{% if accounting.tls %}
  [[ -s /opt/hpcctl/etc/rds-ca.pem ]] || retry 5 5 curl -fsSL -o /opt/hpcctl/etc/rds-ca.pem \
    {{ accounting.authorities }}
{% endif %}
{% if not accounting.known %}
  grant_database "$user" "$password"
{% endif %}
  DB_HOST={{ accounting.host }} DB_PORT={{ accounting.port }} DB_USER=$user DB_PASSWORD=$password \
    HEAD_HOSTNAME=$(hostname -s) HEAD_ADDRESS=$HEAD_ADDRESS \
    awk '{ done = ""
           while (match($0, /@@[A-Z_]+@@/)) {
             done = done substr($0, 1, RSTART - 1) ENVIRON[substr($0, RSTART + 2, RLENGTH - 4)]
             $0 = substr($0, RSTART + RLENGTH)
           }
           print done $0 }' slurmdbd.conf >"$work"
  dbd_changed=false
  if ! cmp -s "$work" "$SLURM_ETC/slurmdbd.conf"; then
    install -o slurm -g slurm -m 600 "$work" "$SLURM_ETC/slurmdbd.conf"
    dbd_changed=true
  fi
  rm -f "$work"
}
{% endif %}

install_units() {
  install -D -m 644 systemd/slurmctld.conf /etc/systemd/system/slurmctld.service.d/hpcctl.conf
{% if accounting %}
  install -D -m 644 systemd/slurmdbd.conf /etc/systemd/system/slurmdbd.service.d/hpcctl.conf
{% endif %}
  install -m 644 systemd/*.service {% if checkpoints %}systemd/*.timer {% endif %}/etc/systemd/system/
  systemctl daemon-reload
  systemctl enable -q hpcctl-attach
}

{% if accounting %}

dbd_answers() { timeout 30 {{ slurm.bin }}/sacctmgr --immediate --noheader show cluster >/dev/null; }

# slurmctld registers the cluster with slurmdbd: without it the first jobs would not be recorded, and from Slurm 24.11 on
# a new cluster's slurmctld does not start. A cluster that runs does not wait for a database that is away.
await_slurmdbd() {
  local minute minutes=30
  ! systemctl -q is-active slurmctld || minutes=2
  for ((minute = 0; minute < minutes; minute++)); do
    ! retry 30 2 dbd_answers 2>/dev/null || return 0
    log "waiting for slurmdbd and its database, see /var/log/slurm/slurmdbd.log: "{{ accounting.host }}
  done
  log "slurmdbd does not answer: going on without it"
}

# Beside its state Slurm keeps the number that the cluster has in its database, or one of its own making while there is
# none; from 24.11 on slurmctld does not start with another database's. It is asked for anew when it is missing.
forget_cluster_id() {
  local state database
  state=$(sed -nE 's/^StateSaveLocation=//Ip' "$SLURM_ETC/slurm.conf" | tail -n 1)
  database={{ accounting.host }}:{{ accounting.port }}/{{ accounting.database }}
  [[ $(cat "$state/hpcctl-database" 2>/dev/null) != "$database" ]] || return 0
  rm -f "$state/clustername"
  printf '%s\n' "$database" >"$state/hpcctl-database"
  nodes_changed=true
}
{% endif %}

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
{% if accounting %}
  systemctl enable -q slurmdbd
  if [[ $dbd_changed == true ]]; then
    systemctl restart slurmdbd
  fi
  systemctl start slurmdbd
  await_slurmdbd
  forget_cluster_id
{% endif %}
  systemctl enable -q slurmctld
  # Restart, not reconfigure: added nodes kill slurmctld 22.05 at a reconfigure. Running jobs do not mind.
  if [[ $nodes_changed == true ]] || ! systemctl -q is-active slurmctld; then
    systemctl restart slurmctld
  fi
  renew_nodes
{% if checkpoints %}
  systemctl enable -q --now hpcctl-clean-checkpoints.timer
{% endif %}
  systemctl enable -q hpcctl-sync
  # `update` is run by hpcctl-sync itself: it starts its new program when this script is done.
  [[ $mode == update ]] || systemctl restart hpcctl-sync
}
{% if dcv %}

{{ dcv }}
{% endif %}

if [[ $mode == move ]]; then
  move_data_now
  exit
fi
if [[ $mode == attach ]]; then
  mount_volumes
  take_address
  wake {{ os.nfs_service }} {% if accounting %}slurmdbd {% endif %}slurmctld hpcctl-sync
  log "volumes and address are here"
  exit
fi
remember_node
[[ $mode == update ]] || on_start
install_programs
setup_munge
share_munge_key
mount_all
put_login_key
keep_host_keys
take_address
configure_slurm
{% if accounting %}
configure_slurmdbd
{% endif %}
install_units
protect_metadata
setup_logs
{% if dcv %}
setup_dcv
{% endif %}
[[ $mode == update ]] || on_configured
start_services
tell_address
[[ $mode != update ]] || on_updated
log "set-up done ($mode)"
