#!/bin/sh
# Writes a software bill of materials in CycloneDX's format: the crates of the program for one target.
# Usage: sbom.sh [TARGET]. Installs cargo-cyclonedx at a fixed version.
set -eu
. "$(dirname "$0")/common.sh"
# Builds of C libraries start again whenever it changes.
unset SOURCE_DATE_EPOCH

host=$(rustc -vV | sed -n 's/^host: //p')
triple=${1:-$host}
known=0.5.9
[ "$(cargo cyclonedx --version 2>/dev/null | sed 's/.* //')" = "$known" ] ||
    cargo install --quiet --locked "cargo-cyclonedx@$known"
mkdir -p "$out"
cargo cyclonedx --quiet --format json --spec-version 1.5 --describe binaries --target "$triple" --no-build-deps \
    --override-filename partita-sbom
