#!/bin/bash
# Where no registry can be reached: a stand-in for a Debian base image, from the machine's
# own package mirror and with its certificates and pip settings.
#   base_image.sh OUT.tar PACKAGE,PACKAGE…        (as root, on Debian, with mmdebstrap)
set -euo pipefail
out=$1 packages=$2
mirror=$(awk '/^URIs:/{print $2; exit}' /etc/apt/sources.list.d/debian.sources)
work=$(mktemp -d /var/tmp/base.XXXXXX)
trap 'rm -rf "$work"' EXIT
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
cat > "$work/hook" <<'HOOK'
#!/bin/sh
set -e
if [ -e "$1/usr/bin/python3" ]; then
  ln -sf /usr/bin/python3 "$1/usr/local/bin/python"
fi
cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/"
[ ! -f /etc/pip.conf ] || cp /etc/pip.conf "$1/etc/pip.conf"
rm -f "$1/etc/resolv.conf" "$1/etc/hostname"
: > "$1/etc/resolv.conf"
if [ -n "${COMPOSE_V2:-}" ] && [ -e "$1/usr/bin/docker" ]; then
  install -D "$COMPOSE_V2" "$1/usr/libexec/docker/cli-plugins/docker-compose"
fi
HOOK
chmod +x "$work/hook"
# The hook merges /usr as Docker's own images have it, without the package usrmerge and the
# 50 MB of Perl that it asks for.
mmdebstrap --quiet --format=tar --variant=apt --include="$packages,ca-certificates" \
  --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --aptopt='Apt::Install-Recommends "false"' \
  --customize-hook="$work/hook \"\$1\"" bookworm "$out" "$mirror"
