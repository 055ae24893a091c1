#!/bin/bash
# Login pool login of eda. Written by hpcctl; sourced by setup.sh.

on_start() {
  :
}

on_configured() {
  :
}

# Amazon DCV: a desktop in the browser on port 8443.
setup_dcv() {
  local work conf user=ec2-user
  if ! command -v dcv >/dev/null; then
    work=$(mktemp -d)
    install_packages gnome-shell gnome-session-xsession gnome-terminal
    retry 5 5 curl -fsSL "https://d1uj6qtbmh3dt5.cloudfront.net/nice-dcv-el9-$(uname -m).tgz" -o "$work/dcv.tgz"
    tar -xzf "$work/dcv.tgz" -C "$work" --strip-components=1
    rpm --import https://d1uj6qtbmh3dt5.cloudfront.net/NICE-GPG-KEY
    dnf -q -y install "$work"/nice-dcv-server-*.rpm "$work"/nice-dcv-web-viewer-*.rpm "$work"/nice-xdcv-*.rpm \
      "$work"/nice-dcv-simple-external-authenticator-*.rpm
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
