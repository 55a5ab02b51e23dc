#!/bin/sh
# Runs every test, the end-to-end ones included; arguments go to cargo test. Worlds are made of
# network namespaces, so test programs run as root: by sudo, if you are somebody else.
set -eu
cd "$(dirname "$0")/.."

tests/install.sh
if [ "$(id -u)" != 0 ]; then
    triple=$(rustc -vV | sed -n 's/^host: //p' | tr a-z- A-Z_)
    export "CARGO_TARGET_${triple}_RUNNER=sudo -E"
fi
# The end-to-end tests run the program beside them. (Alone it would be built with fewer features of
# its libraries, and all of them once more.)
cargo build --workspace --bins
# What is run in containers is built as it is shipped, which takes a while.
case " $* " in
    *" --test image "* | *" --test pod "*) deploy/image/build.sh ;;
    *" --test "* | *" --lib "* | *" -p "* | *" --package "*) ;;
    *) deploy/image/build.sh ;;
esac
# Whatever fails, all is tried: what else fails says more.
exec cargo test --workspace --no-fail-fast "$@"
