#!/bin/sh
# Makes Partita.app from the built program and, on a Mac, a disk image of it. Run resources.sh first.
# The signature is ad hoc: without an account at Apple, Gatekeeper asks before the first start.
set -eu
. "$(dirname "$0")/common.sh"

app=$out/macos/Partita.app
rm -rf "$out/macos"
mkdir -p "$app/Contents/MacOS" "$app/Contents/Resources"
install -m 755 "$binary" "$app/Contents/MacOS/partita"
install -m 644 "$out/resources/icons/partita.icns" "$app/Contents/Resources/partita.icns"
install -m 644 LICENSE "$out/THIRD-PARTY.txt" "$app/Contents/Resources/"
sed "s/@VERSION@/$version/" packaging/macos/Info.plist.in >"$app/Contents/Info.plist"
printf 'APPL????' >"$app/Contents/PkgInfo"
if [ "$(uname -s)" != Darwin ]; then
    say "$app is laid out; signing and the disk image need a Mac"
    exit 0
fi
plutil -lint "$app/Contents/Info.plist"
codesign --force --sign - --timestamp=none "$app"
codesign --verify --strict "$app"
ln -s /Applications "$out/macos/Applications"
hdiutil create -quiet -ov -volname Partita -srcfolder "$out/macos" -fs HFS+ -format UDZO \
    "$out/Partita-$version-macos-$machine.dmg"
