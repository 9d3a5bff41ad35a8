#!/bin/sh
# Makes a Flatpak bundle from the built program. Run resources.sh first. Needs flatpak-builder, and the
# network for the runtime, which comes from Flathub.
set -eu
. "$(dirname "$0")/common.sh"

rm -rf "$out/flatpak"
packaging/tree.sh "$out/flatpak" "$id"
cp "packaging/flatpak/$id.yml" "$out/flatpak/"
flatpak remote-add --user --if-not-exists flathub https://dl.flathub.org/repo/flathub.flatpakrepo
flatpak-builder --user --install-deps-from=flathub --force-clean --repo="$out/flatpak/repo" \
    "$out/flatpak/build" "$out/flatpak/$id.yml"
flatpak build-bundle "$out/flatpak/repo" "$out/Partita$variant-$version-$machine.flatpak" "$id"
