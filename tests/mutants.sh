#!/bin/sh
# Changes the code that decides, one small change at a time, and tells which of them no test notices:
#
#     tests/mutants.sh proxy|verifier [ARGUMENTS of cargo mutants]
#
# Without `-f` among the arguments, all rooms are changed that security hangs on. So that a change
# costs seconds, only what decides is compiled, with its tests: a crate is made for that below
# target/mutants/, from the sources as they are, and changed there. What was found is in its
# mutants.out/. It ends with an error if a change went unnoticed.
set -eu
cd "$(dirname "$0")/.."

usage() {
    echo "usage: tests/mutants.sh proxy|verifier [ARGUMENTS of cargo mutants]" >&2
    exit 2
}

root=$PWD
crate=${1:-}
[ $# = 0 ] || shift
made=${CARGO_TARGET_DIR:-$root/target}/mutants/$crate

# The proxy's first floor: it needs no other, and neither do the tests that drive it from outside.
proxy() {
    for room in binding establish stream tests; do
        cp -R "crates/proxy/src/$room.rs" "crates/proxy/src/$room" "$made/src/"
    done
    for test in model conversation transcripts support xml_cases.tsv; do
        cp -R "crates/proxy/tests/$test"* "$made/tests/"
    done
    # One program with all tests in it is compiled faster than four.
    cat >"$made/src/lib.rs" <<'END'
//! What decides.
extern crate self as ligase;
pub mod binding;
pub mod establish;
pub mod stream;
#[cfg(test)]
#[path = "../tests/conversation.rs"]
mod conversation;
#[cfg(test)]
#[path = "../tests/model.rs"]
mod model;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[path = "../tests/transcripts.rs"]
mod transcripts;
END
    slow="model:: table::tests::no_order_of_events framer::tests::many_names
        framer::tests::one_byte_at_a_time no_long_path whatever_both_tables_allow
        no_path_over_tls no_path_says_anything broken_streams_break_the_same"
    timed=
    rooms="binding/*.rs stream/open.rs stream/open/*.rs stream/receiving.rs stream/receiving/*.rs
        stream/initiating.rs stream/initiating/*.rs stream/dialback.rs stream/sasl.rs
        stream/stanza.rs stream/framer.rs stream/framer/*.rs stream/header.rs stream/element.rs"
}

# The verifier, all of it: what gathers is needed to compile what decides.
verifier() {
    cp -R crates/verifier/src "$made/"
    slow=weights_are_shares
    timed="the_longest_name_takes_few_hashes cost_little"
    rooms="evaluate.rs evaluate/*.rs evaluate/*/*.rs delegation.rs verdict.rs reach.rs names.rs
        gather/posh/document.rs gather/resolver/denial.rs gather/resolver/denial/*.rs
        gather/resolver/signed.rs gather/resolver/zones.rs"
}

# Those lines of a crate's manifest, in that section, whose library is spoken of in its sources.
needed() {
    sed -n "/^\[$2\]/,/^\[/p" "crates/$1/Cargo.toml" | grep '^[a-z]' | while read -r line; do
        name=$(printf '%s' "${line%%[. ]*}" | sed 's/^rustls-webpki$/webpki/' | tr - _)
        ! grep -Rqw -- "$name" "$made/src" "$made/tests" || printf '%s\n' "$line"
    done
}

# The versions of all libraries are those of the project.
manifest() {
    sed -n '/^\[package\]/,/^description/p' "crates/$1/Cargo.toml"
    printf 'edition = "2024"\nautotests = false\n\n[lib]\ndoctest = false\n\n[workspace]\n'
    for section in dependencies dev-dependencies; do
        printf '\n[%s]\n' "$section"
        needed "$1" "$section"
    done
    printf '\n[workspace.dependencies]\n'
    sed -n '/^\[workspace.dependencies\]/,/^\[workspace.lints/p' Cargo.toml | grep '^[a-z]' |
        sed "s|path = \"|path = \"$root/|"
    # As fast as can be compiled again and again, with tests that walk many paths.
    printf '\n[profile.dev]\ndebug = false\nincremental = true\nopt-level = 1\n'
    printf '\n[profile.dev.package."*"]\nopt-level = 2\n'
}

case $crate in
    proxy | verifier) ;;
    *) usage ;;
esac
command -v cargo-mutants >/dev/null || cargo install --locked cargo-mutants
rm -rf "$made/src" "$made/tests"
mkdir -p "$made/src" "$made/tests"
$crate
manifest "$crate" >"$made/Cargo.toml"
cp Cargo.lock rust-toolchain.toml "$made/"

case " $* " in
    *" -f"* | *" --file"*) ;;
    *)
        # The shell that reads the list must not look for such files here.
        set -f
        for room in $rooms; do
            set -- "$@" -f "src/$room"
        done
        set +f
        ;;
esac
unset CARGO_PROFILE_DEV_OPT_LEVEL CARGO_PROFILE_DEV_DEBUG
# The libraries of both are the same, and are compiled once.
export CARGO_INCREMENTAL=1 CARGO_TARGET_DIR="${made%/*}/target"
# It is our own copy, so it may be changed where it is: what was compiled once stays compiled.
mutants() {
    cargo mutants --in-place --dir "$made" --output "$made" --no-shuffle "$@"
}

# Tests by the clock fail also because the machine is busy, and would notice what they do not.
calm=
for test in $timed; do
    calm="$calm --skip $test"
done
# Tests that take seconds are asked only about what no other has noticed.
quick=$calm
for test in $slow; do
    quick="$quick --skip $test"
done
code=0
# Unquoted, because it is a list.
# shellcheck disable=SC2086
mutants --minimum-test-timeout 20 "$@" -- --lib -- $quick || code=$?
if [ -n "$slow" ] && [ $code = 2 ]; then
    code=0
    case " $* " in
        *" --iterate "*) ;;
        *) set -- --iterate "$@" ;;
    esac
    # shellcheck disable=SC2086
    mutants --baseline skip --timeout 300 "$@" -- --lib -- $calm || code=$?
fi
# A change that has a test go on for ever is noticed, too.
[ $code != 3 ] || code=0
exit $code
