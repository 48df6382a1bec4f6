#!/bin/bash
# A server of its own (systemd as PID 1, Docker, nginx) in namespaces: the shipped unit,
# compose file and nginx site together, across a reboot.      (as root, on Debian)
#   reboot.sh SERVER.tar IMAGE.tar PROJECT CERTIFICATES
# Prints one line a step, with the seconds since the beginning.
set -euo pipefail
server=$1 image=$2 project=$3 certificates=$4
unit=facenality.service name=facenality$$
work=$(mktemp -d /var/tmp/reboot.XXXXXX) root=
root=$work/root
began=$(date +%s%N)
step() { local ms=$((($(date +%s%N) - began) / 1000000)); printf '%d.%d s: %s\n' $((ms / 1000)) $((ms % 1000 / 100)) "$*"; }

leader() { pgrep -P "$(cat "$work/nspawn.pid" 2>/dev/null || echo 1000000000)" -x systemd | head -1; }
inside() {
  local pid
  pid=$(leader) && [ -n "$pid" ] || return 97
  nsenter -t "$pid" -m -u -i -n -p -C env -i HOME=/root \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# A child of our own control group in every hierarchy: the booted systemd sees only that.
confine() {
  local lines line rest controller path hierarchy group
  mapfile -t lines < /proc/self/cgroup
  for line in "${lines[@]}"; do
    rest=${line#*:} controller=${line#*:}
    controller=${controller%%:*} path=${rest#*:}
    case $controller in
      name=systemd) hierarchy=/sys/fs/cgroup/systemd ;;
      "") hierarchy=/sys/fs/cgroup/unified
          [ -d $hierarchy ] || hierarchy=/sys/fs/cgroup ;;
      *) hierarchy=/sys/fs/cgroup/$controller ;;
    esac
    [ -e "$hierarchy/cgroup.procs" ] || continue
    group=$hierarchy${path%/}/$name
    mkdir -p "$group"
    if [ "$controller" = cpuset ]; then
      cat "$hierarchy/cpuset.cpus" > "$group/cpuset.cpus"
      cat "$hierarchy/cpuset.mems" > "$group/cpuset.mems"
      echo 1 > "$group/cgroup.clone_children"
    fi
    echo "$BASHPID" > "$group/cgroup.procs"
  done
}
boot() (
  confine
  status=133   # what the guest ends with when it asks for a reboot
  while [ $status = 133 ]; do
    status=0
    systemd-nspawn -D "$root" --machine="$name" --private-network --register=no --keep-unit \
      --console=pipe --capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYS_ADMIN \
      --system-call-filter='add_key keyctl bpf' -b </dev/null &
    echo $! > "$work/nspawn.pid"
    wait $! || status=$?
  done
)
booted=
off() {
  [ -n "$booted" ] || return 0
  inside systemctl poweroff 2>/dev/null
  for _ in $(seq 120); do kill -0 "$booted" 2>/dev/null || break; sleep .25; done
  if kill -0 "$booted" 2>/dev/null; then
    # shellcheck disable=SC2046  # numbers
    kill -9 "$booted" $(leader) $(cat "$work/nspawn.pid")
    sleep 1
  fi
}
clean() {
  set +e
  off
  umount -R "$root" 2>/dev/null
  rm -rf "$work"
  find /sys/fs/cgroup -depth -type d -path "*/$name*" -exec rmdir {} \; 2>/dev/null
}
trap clean EXIT

until_() {   # until a command succeeds, a minute and a half at most
  for _ in $(seq 360); do "$@" >/dev/null 2>&1 && return; sleep .25; done
  inside journalctl -b --no-pager -n 60 >&2
  return 1
}
get() {
  inside curl -sS -m 5 --fail "https://facenality.test$1" "${@:2}" --cacert /etc/ssl/authority.crt \
    --resolve facenality.test:443:127.0.0.1
}
is() { [ "$(inside systemctl is-active "$1")" = active ]; }
predicted() { get /predict -F image=@/opt/facenality/models/digits/sample.png; echo; }

mkdir "$root"
tar -C "$root" -xf "$server"
mkdir -p "$root/opt/facenality" "$root/etc/letsencrypt/live/facenality"
cp -a "$project"/{docker-compose.yml,models} "$root/opt/facenality/"
cp "$project/deploy/systemd/$unit" "$root/etc/systemd/system/"
rm -f "$root"/etc/nginx/sites-enabled/*
cp "$project/nginx/facenality.conf" "$root/etc/nginx/conf.d/"
cp "$certificates"/{fullchain,privkey}.pem "$root/etc/letsencrypt/live/facenality/"
cp "$certificates/authority.crt" "$root/etc/ssl/"
ln "$image" "$root/opt/image.tar" 2>/dev/null || cp "$image" "$root/opt/image.tar"
# nspawn mounts the controllers of version 1 read-only.
mkdir -p "$root/etc/systemd/system/docker.service.d"
cat > "$root/etc/systemd/system/docker.service.d/writable.conf" <<'DROPIN'
[Service]
ExecStartPre=/bin/sh -c 'for m in /sys/fs/cgroup/*/; do mount -o remount,rw,bind "$m" || true; done'
DROPIN

boot > "$work/log" 2>&1 &
booted=$!
until_ is docker || { tail -40 "$work/log" >&2; exit 1; }
step "booted"
inside docker load -qi /opt/image.tar >/dev/null
inside systemctl enable -q --now $unit || :   # what is wrong then is shown by the next line
until_ is $unit
step "unit active"
until_ get /readyz
step "ready through nginx and TLS"
predicted

inside systemctl reload $unit
until_ inside sh -c 'docker logs facenality 2>&1 | grep -q "models: reloaded"'
step "reloaded"
first=$(inside cat /proc/sys/kernel/random/boot_id; leader)
inside systemctl reboot || :
while [ "$first" = "$(inside cat /proc/sys/kernel/random/boot_id; leader)" ]; do sleep .1; done
step "gone down"
until_ get /readyz
step "ready again after the reboot"
predicted
until_ is $unit
step "unit active again"
inside systemctl stop $unit
[ "$(inside docker ps -aq | wc -l)" = 0 ]
step "stopped, no container left"
