#!/bin/sh
# How many lines of each room that reads what others write the unit tests reach (docs/fuzzing.md).
# Needs the compiler's own tools: rustup component add llvm-tools
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../.."
target_dir=${CARGO_TARGET_DIR:-$PWD/target}/coverage
tools=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
[ -x "$tools/llvm-cov" ] || { echo "rustup component add llvm-tools" >&2; exit 2; }

counts=$(mktemp -d)
trap 'rm -rf "$counts"' EXIT
export LLVM_PROFILE_FILE="$counts/%p.profraw" COUNT=lines RUSTC_WRAPPER="$here/rustc.sh"
run() {
    cargo test --quiet --workspace --lib --target-dir "$target_dir" "$@"
}
tests=$(run --no-run --message-format=json | sed -n 's/.*"executable":"\([^"]*\/\(ligase\|ligase_verifier\)-[^"]*\)".*/\1/p')
# The rooms' own tests: others reach them too, and take long.
run -- stream:: tls:: capture:: net:: posh:: domain:: names:: presented:: gather:: evaluate:: \
    >/dev/null
"$tools/llvm-profdata" merge --sparse "$counts"/*.profraw --output "$counts/all"

rooms="
    crates/proxy/src/stream crates/proxy/src/tls/identity crates/proxy/src/capture/dns/message
    crates/proxy/src/net/proxy_protocol crates/proxy/src/posh/document
    crates/verifier/src/gather/posh crates/verifier/src/domain crates/verifier/src/names
    crates/verifier/src/presented crates/verifier/src/roots"
set --
for test in $tests; do set -- "$@" --object "$test"; done
"$tools/llvm-cov" export --summary-only --instr-profile "$counts/all" "$@" |
    python3 -c '
import json, os, sys
rooms = sys.argv[1].split()
for file in sorted(json.load(sys.stdin)["data"][0]["files"], key=lambda it: it["filename"]):
    path = os.path.relpath(file["filename"])
    room = path.removesuffix(".rs")
    if "tests" in room.split("/") or not any(room == it or room.startswith(it + "/") for it in rooms):
        continue
    lines = file["summary"]["lines"]
    print("{:5.1f} %  {:4} of {:4} lines  {}".format(
        lines["percent"], lines["covered"], lines["count"], path))
' "$rooms"
