#!/bin/sh
# Makes FOLDER/debian, a fresh Debian 12 that has never been started: what its installer calls the
# base system, less what few would miss. The PACKAGES are fetched, but not installed: what is
# installed on it finds them there, without a network. All of this is kept for the next time.
# usage: fresh.sh FOLDER [PACKAGES]
set -eu
folder=$1 packages=${2-}
mkdir -p "$folder"
exec 9> "$folder/lock"
flock 9

debian=$folder/debian
if [ ! -e "$debian" ]; then
    # The mirror that this machine is told to use.
    mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
        sed -n 's/^bookworm //p' | head -n 1)
    rm -rf "$folder/draft"
    debootstrap --variant=minbase --include=systemd-sysv,dbus bookworm "$folder/draft" "$mirror"
    # It is thrown away soon: nobody has to wait until each file is on the disk.
    echo force-unsafe-io > "$folder/draft/etc/dpkg/dpkg.cfg.d/unsafe-io"
    rm -f "$folder/fetched"
    mv "$folder/draft" "$debian"
fi
if [ -n "$packages" ] && [ "$(cat "$folder/fetched" 2>/dev/null)" != "$packages" ]; then
    cp -L /etc/resolv.conf "$debian/etc/resolv.conf"
    chroot "$debian" apt-get -qq update
    # Unquoted, because it is a list.
    # shellcheck disable=SC2086
    chroot "$debian" apt-get -qq install --download-only --no-install-recommends -y $packages
    echo "$packages" > "$folder/fetched"
fi
