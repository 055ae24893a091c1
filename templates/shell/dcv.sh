# Amazon DCV: a desktop in the browser on port {{ port }}.
setup_dcv() {
{% if os.dcv %}
  local work user={{ os.user }}
  if ! command -v dcv >/dev/null; then
    work=$(mktemp -d)
    install_packages {{ os.packages.desktop | join(" ") }}
    retry 5 5 curl -fsSL "https://d1uj6qtbmh3dt5.cloudfront.net/nice-dcv-{{ os.dcv }}-$(uname -m).tgz" -o "$work/dcv.tgz"
    tar -xzf "$work/dcv.tgz" -C "$work" --strip-components=1
{% if os.apt %}
    apt-get -qq -o DPkg::Lock::Timeout=300 install -y "$work"/nice-dcv-server_*.deb "$work"/nice-dcv-web-viewer_*.deb "$work"/nice-xdcv_*.deb
{% else %}
    rpm --import https://d1uj6qtbmh3dt5.cloudfront.net/NICE-GPG-KEY
    dnf -q -y install "$work"/nice-dcv-server-*.rpm "$work"/nice-dcv-web-viewer-*.rpm "$work"/nice-xdcv-*.rpm
{% endif %}
    rm -rf "$work"
  fi
  cat >/etc/dcv/dcv.conf <<'CONF'
# Written by hpcctl.
[connectivity]
web-port={{ port }}
web-use-hsts=true
enable-quic-frontend=true
quic-port={{ port }}
[security]
# People log in with their own password; sessions are their own.
authentication="system"
[session-management]
virtual-session-xdcv-args="-nolisten tcp"
CONF
  systemctl enable -q dcvserver
  systemctl restart dcvserver
  retry 12 5 dcv list-sessions >/dev/null
  dcv describe-session "$user" >/dev/null 2>&1 || dcv create-session --type virtual --owner "$user" --user "$user" "$user"
{% else %}
  log "Amazon DCV does not support {{ os.id }}: no desktop"
{% endif %}
}
