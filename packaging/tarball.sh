#!/bin/sh
# Makes the archive for any Linux: unpack it, then run bin/partita, or copy bin and share to /usr/local
# or ~/.local. Run resources.sh first.
set -eu
. "$(dirname "$0")/common.sh"

name=partita$variant-$version-linux-$machine
rm -rf "${out:?}/tar"
packaging/tree.sh "$out/tar"
mv "$out/tar/usr" "$out/tar/$name"
# Shells look for completions of /usr/local and ~/.local in these folders.
share=$out/tar/$name/share
mkdir -p "$share/zsh/site-functions"
mv "$share/zsh/vendor-completions/_partita" "$share/zsh/site-functions/"
rmdir "$share/zsh/vendor-completions"
tar -C "$out/tar" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" |
    xz -T0 -6 >"$out/$name.tar.xz"
