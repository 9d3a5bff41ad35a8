#!/bin/sh
# Makes the RPM from the built program. Run resources.sh first. Needs rpmbuild.
set -eu
. "$(dirname "$0")/common.sh"

tree=$out/rpm
rm -rf "$tree"
packaging/tree.sh "$tree"
# Fedora's and openSUSE's places for completions.
mkdir -p "$tree/usr/share/zsh/site-functions" "$tree/usr/share/licenses/partita"
mv "$tree/usr/share/zsh/vendor-completions/_partita" "$tree/usr/share/zsh/site-functions/"
rmdir "$tree/usr/share/zsh/vendor-completions"
mv "$tree/usr/share/doc/partita/LICENSE" "$tree/usr/share/doc/partita/THIRD-PARTY.txt.gz" \
    "$tree/usr/share/licenses/partita/"

sed "s/@VERSION@/$package_version/; s/@SUMMARY@/$summary/
    s|@TREE@|$tree|; s/@CHANGED@/$(day '+%a %b %d %Y')/" packaging/linux/partita.spec.in >"$out/partita.spec"
rpmbuild -bb --quiet --target "$machine" --define "_topdir $out/rpmbuild" --define "_rpmdir $out/rpmbuild" \
    --define "_rpmfilename partita$variant-$version.$machine.rpm" \
    --define "_binary_payload w19.zstdio" \
    --define "_buildhost localhost" --define "use_source_date_epoch_as_buildtime 1" \
    --define "clamp_mtime_to_source_date_epoch 1" "$out/partita.spec" >&2
mv "$out/rpmbuild/partita$variant-$version.$machine.rpm" "$out/"
