#!/bin/sh
# Checks the Linux packages in target/packages with the checkers of Debian, freedesktop.org and RPM, and
# starts the program of each. Installs the checkers with apt-get.
set -eu
. "$(dirname "$0")/common.sh"

install=""
for tool in lintian:lintian desktop-file-validate:desktop-file-utils appstreamcli:appstream \
    rpm:rpm xz:xz-utils; do
    command -v "${tool%%:*}" >/dev/null || install="$install ${tool#*:}"
done
if [ -n "$install" ]; then
    as_root=""
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update -qq
    # shellcheck disable=SC2086 # a list of names
    $as_root apt-get install -y -qq --no-install-recommends $install >/dev/null
fi

deb=$out/partita${variant}_${version}_$debian_machine.deb
say "lintian"
lintian --allow-root --fail-on error --info "$deb"
say "Desktop entry and metadata"
desktop-file-validate "$out/deb/usr/share/applications/partita.desktop"
appstreamcli validate --no-net --explain "$out/deb/usr/share/metainfo/$id.metainfo.xml"
say "RPM"
rpm -qp --requires "$out/partita$variant-$version.$machine.rpm"
say "The program of each package"
rm -rf "$out/check"
mkdir -p "$out/check/deb" "$out/check/tar"
dpkg-deb --extract "$deb" "$out/check/deb"
"$out/check/deb/usr/bin/partita" --version
tar -C "$out/check/tar" -xJf "$out/partita$variant-$version-linux-$machine.tar.xz"
"$out/check/tar/partita$variant-$version-linux-$machine/bin/partita" --version
