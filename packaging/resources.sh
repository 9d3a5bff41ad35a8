#!/bin/sh
# Builds the program with the given options of cargo, unless PARTITA_BINARY names a built one. Then
# writes what the packages need beside it, to target/packages: man pages, completions, icons, and
# the licences of the dependencies. Usage: resources.sh [CARGO-OPTION…]
set -eu
. "$(dirname "$0")/common.sh"
# Builds of C libraries start again whenever it changes.
unset SOURCE_DATE_EPOCH

mkdir -p "$out"
[ -n "${PARTITA_BINARY:-}" ] || cargo build --release --locked "$@"
cargo run --quiet --release --locked --example resources -- "$out/resources"
python3 packaging/third_party.py "$@" >"$out/THIRD-PARTY.txt"
