#!/bin/sh
# Packs the crate for crates.io and checks that the packed one builds, as `cargo install` would.
set -eu
. "$(dirname "$0")/common.sh"
# Builds of C libraries start again whenever it changes.
unset SOURCE_DATE_EPOCH

cargo package --locked --no-verify ${PARTITA_ALLOW_DIRTY:+--allow-dirty}
crate=$target/package/partita-$version.crate
cp "$crate" "$out/"
rm -rf "$out/crate"
mkdir "$out/crate"
tar -C "$out/crate" -xzf "$crate"
# Not the repository's folder: its builds would read the messages of the packed crate from then on.
CARGO_TARGET_DIR=$target/crate cargo check --release --locked --manifest-path "$out/crate/partita-$version/Cargo.toml"
