#!/bin/sh
# Makes SERVERS, a Debian 12 with ejabberd and Prosody as their packages bring them, of a fresh
# Debian in the folder FRESH, which is made if it is not there.
# usage: servers.sh FRESH SERVERS
set -eu
fresh=$1 servers=$2
"$(dirname "$0")/../newcomer/fresh.sh" "$fresh"
rm -rf "$servers"
cp -a "$fresh/debian" "$servers"
cp -L /etc/resolv.conf "$servers/etc/resolv.conf"
# Nothing that is installed here may start.
printf '#!/bin/sh\nexit 101\n' > "$servers/usr/sbin/policy-rc.d"
chmod 755 "$servers/usr/sbin/policy-rc.d"
export DEBIAN_FRONTEND=noninteractive
chroot "$servers" apt-get -qq update
chroot "$servers" apt-get -qq install --no-install-recommends -y \
    ca-certificates ejabberd erlang-base lua-unbound prosody
chroot "$servers" apt-get clean
rm -rf "$servers/var/lib/apt/lists"
install -m 755 "$(dirname "$0")/serve.sh" "$servers/usr/local/bin/serve"
