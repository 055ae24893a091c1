#!/bin/bash
# Login pool login of everything. Written by hpcctl; sourced by setup.sh.

on_start() {
  :
}

on_configured() {
  :
  run_action on_configured 1 s3://reference-tools/site.sh --role login
}

# Amazon DCV: a desktop in the browser on port 8443.
setup_dcv() {
  local work conf user=ubuntu
  if ! command -v dcv >/dev/null; then
    work=$(mktemp -d)
    install_packages xfce4 xfce4-terminal dbus-x11
    retry 5 5 curl -fsSL "https://d1uj6qtbmh3dt5.cloudfront.net/nice-dcv-ubuntu2404-$(uname -m).tgz" -o "$work/dcv.tgz"
    tar -xzf "$work/dcv.tgz" -C "$work" --strip-components=1
    apt-get -qq -o DPkg::Lock::Timeout=300 install -y "$work"/nice-dcv-server_*.deb "$work"/nice-dcv-web-viewer_*.deb "$work"/nice-xdcv_*.deb \
      "$work"/nice-dcv-simple-external-authenticator_*.deb
    rm -rf "$work"
  fi
  conf=$(mktemp)
  cat >"$conf" <<'CONF'
# Written by hpcctl.
[connectivity]
web-port=8443
web-use-hsts=true
enable-quic-frontend=true
quic-port=8443
[security]
# People come in with a ticket that `hpcctl dcv` asks this node for; images in the cloud have no passwords.
auth-token-verifier="http://127.0.0.1:8444"
[session-management]
virtual-session-xdcv-args="-nolisten tcp"
CONF
  put libexec/dcv-url /opt/hpcctl/libexec/dcv-url 755 || true
  systemctl enable -q dcvsimpleextauth dcvserver
  systemctl start dcvsimpleextauth
  # A restart ends everybody's session.
  if put "$conf" /etc/dcv/dcv.conf; then
    systemctl restart dcvserver
  fi
  rm -f "$conf"
  systemctl start dcvserver
  retry 12 5 dcv list-sessions >/dev/null
  dcv describe-session "$user" >/dev/null 2>&1 || dcv create-session --type virtual --owner "$user" --user "$user" "$user"
}
