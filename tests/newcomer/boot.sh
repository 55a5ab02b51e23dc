#!/bin/sh
# Starts a copy of the Debian in the folder DEBIAN, with what is in the folder MORE besides, and with
# its own systemd, as a machine that has no network: in memory, in namespaces of its own, and in the
# control group GROUP. Nothing is left of it when this process ends.
# usage: boot.sh DEBIAN MORE GROUP
set -eu
if [ "$#" = 3 ]; then
    echo $$ > "$3/cgroup.procs"
    exec unshare --mount --net --pid --cgroup --uts --ipc --fork --kill-child "$0" "$1" "$2"
fi

ip link set lo up
mount --make-rprivate /
debian=$1 more=$2
cd "$more"
mount -t tmpfs -o mode=755 tmpfs "$more"
cp -a "$debian/." "$more"
# The folder itself is under the new one now, and still where we are.
cp -a . "$more"
cd "$more"
# What belongs to the whole machine may be read only.
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 sys/fs/cgroup
else
    mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
    mkdir sys/fs/cgroup/systemd
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
    touch dev/$device
    mount --bind /dev/$device dev/$device
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs tmp
mkdir old
pivot_root . old
umount --lazy old
rmdir old
hostname newcomer
echo "the machine starts"
# systemd wants to be told that it is in a container, and of what kind.
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
