#!/bin/sh
# Install what the suite needs of the distribution, where that is allowed. What is missing
# afterwards is said by the tests themselves: they skip with the reason, or fail in CI.
set -u
missing=
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing="chromium"
command -v curl >/dev/null || missing="$missing curl"
command -v slowhttptest >/dev/null || missing="$missing slowhttptest"
command -v openssl >/dev/null || missing="$missing openssl"
[ -d /usr/share/fonts/truetype/dejavu ] || missing="$missing fonts-dejavu-core"
[ -d /usr/share/fonts/truetype/liberation ] || missing="$missing fonts-liberation"
# Docker only where a machine is there for nothing else.
if [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ]; then
  command -v dockerd >/dev/null || missing="$missing docker.io"
  command -v docker-compose >/dev/null || missing="$missing docker-compose"
  command -v mmdebstrap >/dev/null || missing="$missing mmdebstrap"
  command -v nginx >/dev/null || missing="$missing nginx-light"
  command -v systemd-nspawn >/dev/null || missing="$missing systemd-container"
  command -v ip >/dev/null || missing="$missing iproute2"
  command -v iptables >/dev/null || missing="$missing iptables"
  command -v pgrep >/dev/null || missing="$missing procps"
fi
[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null || { echo "not on this machine: $missing"; exit 0; }
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
install() { $as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }
$as_root apt-get update -qq
# One package that cannot be installed must not keep the others away.
# shellcheck disable=SC2086  # a list of names
install $missing || for package in $missing; do
  install "$package" || echo "could not be installed: $package"
done
exit 0
