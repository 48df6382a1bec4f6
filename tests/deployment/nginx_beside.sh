#!/bin/bash
# The shipped nginx site, unmodified, on this machine's nginx: in mounts of its own, so that
# neither its certificate nor its logs touch the machine.   nginx_beside.sh SITE FOLDER
set -euo pipefail
exec unshare -m --propagation private bash -euc '
site=$1 certificates=$2
mount -t tmpfs none /run
mkdir /run/etc-upper /run/etc-work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc-upper,workdir=/run/etc-work /etc
rm -f /etc/nginx/sites-enabled/* /etc/nginx/conf.d/*
cp "$site" /etc/nginx/conf.d/
mkdir -p /etc/letsencrypt/live/facenality
cp "$certificates"/*.pem /etc/letsencrypt/live/facenality/
mount --bind "$certificates/logs" /var/log/nginx
nginx -t
exec nginx -g "daemon off;"
' nginx_beside "$@"
