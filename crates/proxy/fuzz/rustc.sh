#!/bin/sh
# Cargo runs this instead of the compiler, for each crate. Those that read what others write count
# where they have been, so that the fuzzer can tell whether an input led anywhere new; the rest are
# built as they are. All of it is stable: no nightly compiler, no sanitizer, no other tool.
set -eu
compiler=$1
shift
name=
previous=
for argument in "$@"; do
    [ "$previous" = --crate-name ] && name=$argument
    previous=$argument
done
case ${COUNT:-places}/$name in
    places/ligase | places/ligase_verifier | places/ligase_fuzz | places/quick_xml | \
        places/serde_json | places/serde_yaml | places/unsafe_libyaml | places/x509_parser | \
        places/der_parser | places/asn1_rs | places/webpki)
        set -- "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
            -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
            -Cllvm-args=-sanitizer-coverage-pc-table
        ;;
    # For people: which lines tests reach.
    lines/ligase | lines/ligase_verifier) set -- "$@" -Cinstrument-coverage ;;
esac
exec "$compiler" "$@"
