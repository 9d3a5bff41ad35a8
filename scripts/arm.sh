#!/bin/sh
# Builds for Linux on ARM, and runs the unit tests under qemu. `./x arm` installs the packages first.
#   scripts/arm.sh [check | build | test [FILTER]]
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh

target=aarch64-unknown-linux-gnu
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc CXX_aarch64_unknown_linux_gnu=aarch64-linux-gnu-g++
export PKG_CONFIG_ALLOW_CROSS=1 PKG_CONFIG_SYSROOT_DIR=/ PKG_CONFIG_LIBDIR=/usr/lib/aarch64-linux-gnu/pkgconfig
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64-static -cpu max"
need_std "$target"

mode=${1:-test}
[ $# -eq 0 ] || shift
case $mode in
check) cargo check --release --locked --target "$target" --all-targets ;;
build) cargo build --release --locked --target "$target" ;;
# The integration tests start programs, which takes a kernel that knows ARM's.
test) cargo test --release --locked --target "$target" --lib "$@" ;;
*) say "expected check, build or test" && exit 2 ;;
esac
