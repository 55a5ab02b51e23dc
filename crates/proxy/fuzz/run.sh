#!/bin/sh
# Fuzzes every reader of what others write (docs/fuzzing.md):
#
#   run.sh smoke                    each target for a few seconds; what honest servers send
#   run.sh long SECONDS             each target for so long, keeping what leads anywhere new
#   run.sh diff [COUNT [SEED]]      so many streams, read by ligase and by expat
#   run.sh diff-long [COUNT [SEED]] the same of many more, by a program that is built to be fast
#   run.sh one TARGET [ARGUMENT]... one target; arguments and files go to libFuzzer
set -eu
stands=$(pwd)
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
target_dir=${CARGO_TARGET_DIR:-$(cd ../../.. && pwd)/target}/fuzz
jobs=$(nproc)

usage() {
    sed -n 's/^# \{0,1\}//; 2,8p' "$here/run.sh" >&2
    exit 2
}

complain() {
    echo "$1" >&2
    exit 2
}

# Every target has seeds.
targets() {
    ls seeds
}

# What is wrong is told before anything is built.
case ${1:-} in
    smoke | diff | diff-long) ;;
    long) case ${2:-} in '' | *[!0-9]*) usage ;; esac ;;
    one)
        target=${2:-}
        if ! targets | grep -qxF -- "$target"; then
            [ -z "$target" ] || echo "no such target: $target" >&2
            complain "TARGET is one of $(targets | xargs)"
        fi
        for argument in "$@"; do
            shift
            case $argument in
                one | "$target" | -* | /*) ;;
                # What is named from where one stands is looked for there first.
                *) [ ! -e "$stands/$argument" ] || argument=$stands/$argument ;;
            esac
            set -- "$@" "$argument"
            case $argument in
                one | "$target" | -*) ;;
                *) [ -e "$argument" ] || complain "no such file: $argument" ;;
            esac
        done
        ;;
    *) usage ;;
esac

# Stable flags of a stable compiler; the wrapper says which crates count where they have been.
build() {
    RUSTC_WRAPPER="$here/rustc.sh" cargo build --quiet --locked --bins --target-dir "$target_dir"
}

# One target for so long, in little memory, giving up on what takes longer than it ever may.
one() {
    name=$1
    shift
    case $name in
        framer | header | features | dialback | management) dictionary=dictionaries/xml ;;
        *) dictionary=dictionaries/$name ;;
    esac
    [ ! -e "$dictionary" ] || set -- "-dict=$dictionary" "$@"
    mkdir -p artifacts
    TARGET=$name exec "$target_dir/debug/fuzz" -timeout=5 -rss_limit_mb=512 -max_len=4096 \
        -seed="${FUZZ_SEED:-0}" -artifact_prefix="artifacts/$name-" -print_final_stats=1 "$@"
}

# All targets for so many seconds each, as many at a time as there are cores.
all() {
    seconds=$1
    corpora=$2
    mkdir -p artifacts
    names=$("$target_dir/debug/fuzz" -runs=0 -artifact_prefix=artifacts/none- 2>&1 |
        sed -n 's/^TARGET is one of //p')
    [ -n "$names" ]
    echo "$names" | tr -s ', ' '\n\n' | FUZZ_BUILT=yes xargs -P "$jobs" -I NAME sh -c '
        name=$1 corpus=$3/$1 log=$3/$1.log
        mkdir -p "$corpus"
        # Every target has seeds: without, it would learn in a day what they tell.
        if "$0" one "$name" "-max_total_time=$2" "$corpus" "seeds/$name" >"$log" 2>&1; then
            runs=$(sed -n "s/^stat::number_of_executed_units: *//p" "$log")
            covered=$(sed -n "s/.*DONE *cov: *\([0-9]*\).*/\1/p" "$log")
            echo "$name: $runs inputs, $covered places reached"
        else
            tail -n 60 "$log"
            echo "$name: FAILED"
            exit 1
        fi' "$here/run.sh" NAME "$seconds" "$corpora"
}

case ${1:-} in
    # Nobody asks there where inputs have been, so nothing counts it.
    diff-long) cargo build --quiet --locked --bin differential --release --target-dir "$target_dir" ;;
    *) [ -n "${FUZZ_BUILT:-}" ] || build ;;
esac
case ${1:-} in
    smoke)
        # The same inputs each time: whether a change is sound is not left to chance. What is new is
        # found by looking longer.
        export FUZZ_SEED=20261122
        "$target_dir/debug/differential" --files ../tests/benign
        corpora=$(mktemp -d)
        trap 'rm -rf "$corpora"' EXIT
        all 3 "$corpora"
        ;;
    long)
        mkdir -p corpus
        all "$2" "$here/corpus"
        ;;
    diff)
        # Each day has streams of its own, and they can be had again.
        exec "$target_dir/debug/differential" --count "${2:-5_000_000}" --seed "${3:-$(date +%Y%m%d)}"
        ;;
    diff-long)
        exec "$target_dir/release/differential" --count "${2:-100_000_000}" \
            --seed "${3:-$(date +%Y%m%d)}"
        ;;
    one)
        shift
        one "$@"
        ;;
esac
