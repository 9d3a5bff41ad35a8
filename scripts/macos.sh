#!/bin/sh
# Checks the code for macOS on any system; C libraries are compiled by zig. Linking takes Apple's
# frameworks, so that only a Mac can build and run the program.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh

need_std aarch64-apple-darwin
zig=$scratch/zig
if [ ! -x "$zig/bin/cargo-zigbuild" ]; then
    python3 -m venv "$zig"
    "$zig/bin/pip" install --quiet ziglang==0.17.1 cargo-zigbuild==0.24.1
fi
PATH=$(cd "$zig/bin" && pwd):$PATH
export PATH
cargo-zigbuild check --release --locked --target aarch64-apple-darwin "$@"
