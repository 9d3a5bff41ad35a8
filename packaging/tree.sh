#!/bin/sh
# Lays out the files of all Linux packages below FOLDER/usr, from the built program and from the
# resources that `cargo run --example resources` wrote. Usage: tree.sh FOLDER [NAME]
# Desktop entry and icons have the name; Flatpak requires that it is the component's id.
set -eu
. "$(dirname "$0")/common.sh"
usr=${1:?tree.sh FOLDER [NAME]}/usr
name=${2:-partita}
resources=$out/resources

rm -rf "$usr"
mkdir -p "$usr/bin" "$usr/share/doc/partita"
install -m 755 "$binary" "$usr/bin/partita"

put() { # put FILE PLACE
    install -D -m 644 "$1" "$usr/share/$2"
}
sed "s/^Icon=.*/Icon=$name/" packaging/linux/partita.desktop >"$out/entry.desktop"
put "$out/entry.desktop" "applications/$name.desktop"
sed "s/@ID@/$id/; s/@DESKTOP@/$name.desktop/; s/@ICON@/$name/; s/@VERSION@/$version/
    s/@DATE@/$(day +%F)/" packaging/linux/partita.metainfo.xml.in >"$out/metainfo.xml"
put "$out/metainfo.xml" "metainfo/$id.metainfo.xml"
put packaging/linux/partita-mime.xml "mime/packages/$name.xml"
for icon in "$resources"/icons/hicolor/*/apps/partita.png; do
    size=$(basename "$(dirname "$(dirname "$icon")")")
    put "$icon" "icons/hicolor/$size/apps/$name.png"
done
for page in "$resources"/man/*.1; do
    put "$page" "man/man1/$(basename "$page")"
    gzip -9n "$usr/share/man/man1/$(basename "$page")"
done
put "$resources/completions/partita.bash" bash-completion/completions/partita
put "$resources/completions/_partita" zsh/vendor-completions/_partita
put "$resources/completions/partita.fish" fish/vendor_completions.d/partita.fish
for document in README.md CHANGELOG.md; do
    put "$document" "doc/partita/$document"
done
put LICENSE doc/partita/LICENSE
put "$out/THIRD-PARTY.txt" doc/partita/THIRD-PARTY.txt
gzip -9n "$usr/share/doc/partita/CHANGELOG.md" "$usr/share/doc/partita/THIRD-PARTY.txt"
