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
case $name in
    ligase | ligase_verifier | ligase_fuzz | quick_xml | serde_json | serde_yaml | unsafe_libyaml | \
        x509_parser | der_parser | asn1_rs | webpki)
        set -- "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
            -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
            -Cllvm-args=-sanitizer-coverage-pc-table
        ;;
esac
exec "$compiler" "$@"
