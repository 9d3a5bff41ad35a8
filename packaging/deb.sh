#!/bin/sh
# Makes the Debian package from the built program. Run resources.sh first. Needs dpkg-dev.
set -eu
. "$(dirname "$0")/common.sh"

# The window loads these when it opens, so that the program does not link to them.
window="libegl1, libgl1, libx11-6, libx11-xcb1, libxcb1, libxcursor1, libxi6, libxkbcommon0"
window="$window, libxkbcommon-x11-0, libxrandr2, libxrender1"

tree=$out/deb
rm -rf "$tree"
packaging/tree.sh "$tree"
share=$tree/usr/share
# Debian's names and places for what every package has.
mv "$share/doc/partita/CHANGELOG.md.gz" "$share/doc/partita/changelog.md.gz"
rm "$share/doc/partita/LICENSE"
install -m 644 packaging/linux/copyright "$share/doc/partita/copyright"
printf 'partita (%s) unstable; urgency=medium\n\n  * See changelog.md.gz.\n\n -- %s  %s\n' "$package_version" \
    "The Partita developers <noreply@partita.invalid>" "$(day -R)" >"$out/changelog"
gzip -9nc "$out/changelog" >"$share/doc/partita/changelog.gz"
install -D -m 644 packaging/linux/lintian-overrides "$share/lintian/overrides/partita"
install -D -m 644 packaging/linux/partita.service "$tree/usr/lib/systemd/system/partita.service"

# dpkg-shlibdeps reads a source package.
mkdir -p "$out/source/debian"
printf 'Source: partita\n\nPackage: partita\nArchitecture: any\n' >"$out/source/debian/control"
libraries=$(cd "$out/source" && dpkg-shlibdeps -O "$tree/usr/bin/partita" | sed -n 's/^shlibs:Depends=//p')

mkdir -p "$tree/DEBIAN"
for script in postinst prerm postrm; do
    install -m 755 "packaging/linux/debian/$script" "$tree/DEBIAN/$script"
done
cat >"$tree/DEBIAN/control" <<TEXT
Package: partita
Version: $package_version
Architecture: $debian_machine
Maintainer: The Partita developers <noreply@partita.invalid>
Installed-Size: $(du -sk --apparent-size "$tree/usr" | cut -f 1)
Depends: $libraries, $window
Recommends: libgl1-mesa-dri, libasound2-plugins, xdg-desktop-portal
Section: sound
Priority: optional
Description: separates a song into its instruments
 Drop a song in, tick instruments, press Process, and hear the stems while the
 rest is still being computed. Balance them, then export stems or a mix. It
 runs on this computer: it uploads nothing and needs no graphics card.
 .
 The weights of the models are not part of this package. Partita shows their
 terms, then downloads them from their publisher.
TEXT
(cd "$tree" && find usr -type f -exec md5sum {} + | LC_ALL=C sort -k 2) >"$tree/DEBIAN/md5sums"
find "$tree" -type d -exec chmod 755 {} +
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz --build "$tree" "$out/partita${variant}_${version}_$debian_machine.deb" >&2
