#!/bin/sh
# Makes the Windows zip and installer from a built partita.exe, on any system. Run resources.sh first, or
# set PARTITA_BINARY to the program. Needs zip; the installer needs makensis (Debian's package nsis).
set -eu
. "$(dirname "$0")/common.sh"

binary=${PARTITA_BINARY:-$target/release/partita.exe}
name=partita$variant-$version-windows-$machine
tree=$out/windows/$name
if [ ! -f "$binary" ]; then
    say "$binary is missing; build it, or set PARTITA_BINARY to a built partita.exe"
    exit 1
fi
rm -rf "$out/windows" "$out/$name.zip"
mkdir -p "$tree"
python3 packaging/third_party.py --target "$machine-pc-windows-msvc" >"$out/THIRD-PARTY-windows.txt"
install -m 755 "$binary" "$tree/partita.exe"
install -m 644 "$out/resources/completions/_partita.ps1" "$tree/completions.ps1"
for document in README.md CHANGELOG.md LICENSE "$out/THIRD-PARTY-windows.txt"; do
    sed 's/\r$//; s/$/\r/' "$document" >"$tree/$(basename "$document" .md).txt"
done
mv "$tree/LICENSE.txt" "$tree/LICENCE.txt"
mv "$tree/THIRD-PARTY-windows.txt.txt" "$tree/THIRD-PARTY.txt"
find "$tree" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$out/windows" && zip -qrX "$out/$name.zip" "$name")

if ! command -v makensis >/dev/null; then
    say "makensis is missing: no installer"
    exit 0
fi
makensis -V2 -DVERSION="$version" -DNUMBERS="${version%%-*}.0" -DTREE="$tree" -DICON="$root/assets/icon.ico" \
    -DTARGET64 -DOUT="$out/$name-setup.exe" packaging/windows/partita.nsi
