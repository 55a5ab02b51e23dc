#!/bin/sh
# What a container of this image runs: ejabberd or Prosody as its package has it, once the server
# trusts whom ligase's own authority vouches for.
# usage: serve.sh ejabberd|prosody
set -eu
authority=/var/lib/ligase/ca.crt
# Where ligase is no native sidecar, it starts at the same time.
until [ -s $authority ]; do sleep 0.1; done
cp $authority /usr/local/share/ca-certificates/ligase.crt
update-ca-certificates >/dev/null

# What is made by a service manager elsewhere, and what is mounted empty.
mkdir -p "/run/$1"
chown "$1" "/run/$1" "/var/lib/$1"
case $1 in
ejabberd) start="ejabberdctl foreground" stop="ejabberdctl stop" ;;
prosody) start="prosody -F" stop="prosodyctl stop" ;;
esac
# The first process of a container ends by no signal that it does not ask for.
# shellcheck disable=SC2064
trap "$stop" TERM
# Unquoted, because it is a command.
# shellcheck disable=SC2086
setpriv --reuid "$1" --regid "$1" --init-groups env HOME="/var/lib/$1" $start &
# A signal ends the first wait, and the server the second.
wait $! || wait $!
