#!/bin/sh
# Writes a software bill of materials in CycloneDX's format: the crates that the program contains.
# Usage: sbom.sh [TARGET], a triple [default: all, those of every system]. Installs cargo-cyclonedx.
set -eu
. "$(dirname "$0")/common.sh"

triple=${1:-all}
tool=0.5.9
[ "$(cargo cyclonedx --version 2>/dev/null | sed 's/.* //')" = "$tool" ] ||
    cargo install --quiet --locked "cargo-cyclonedx@$tool"
mkdir -p "$out"
cargo cyclonedx --quiet --format json --spec-version 1.5 --target "$triple" --no-build-deps \
    --override-filename partita-sbom
# The tool writes beside Cargo.toml, with the path of this folder as the program's address.
sed "s|$root|/partita|g" partita-sbom.json >"$out/partita-$version.cdx.json"
rm partita-sbom.json
