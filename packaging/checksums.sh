#!/bin/sh
# Writes SHA256SUMS of all packages of a folder. Usage: checksums.sh [FOLDER]
set -eu
. "$(dirname "$0")/common.sh"
cd "${1:-$out}"
sum() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi; }
for file in *; do
    case $file in
    *.deb | *.rpm | *.tar.xz | *.AppImage | *.flatpak | *.dmg | *.zip | *.exe | *.crate | *.cdx.json) sum "$file" ;;
    esac
done >SHA256SUMS
cat SHA256SUMS
