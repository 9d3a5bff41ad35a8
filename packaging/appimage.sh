#!/bin/sh
# Makes the AppImage. Run resources.sh first. Needs mksquashfs, and the network for AppImage's runtime,
# unless PARTITA_APPIMAGE_RUNTIME names the file.
# The X11 and OpenGL libraries are the system's: those of a graphics driver cannot be bundled.
set -eu
. "$(dirname "$0")/common.sh"

release=20251108
case $machine in
x86_64) digest=2fca8b443c92510f1483a883f60061ad09b46b978b2631c807cd873a47ec260d ;;
aarch64) digest=00cbdfcf917cc6c0ff6d3347d59e0ca1f7f45a6df1a428a0d6d8a78664d87444 ;;
*) say "AppImage's runtime is pinned for x86_64 and aarch64 alone, not for $machine" && exit 1 ;;
esac
runtime=${PARTITA_APPIMAGE_RUNTIME:-$out/runtime-$machine}
if [ ! -f "$runtime" ]; then
    curl -fsSL --retry 3 -o "$runtime.part" \
        "https://github.com/AppImage/type2-runtime/releases/download/$release/runtime-$machine"
    mv "$runtime.part" "$runtime"
fi
echo "$digest  $runtime" | sha256sum --check --quiet

tree=$out/partita.AppDir
rm -rf "$tree"
packaging/tree.sh "$tree"
cp "$tree/usr/share/applications/partita.desktop" "$tree/usr/share/icons/hicolor/256x256/apps/partita.png" "$tree/"
ln -s partita.png "$tree/.DirIcon"
ln -s usr/bin/partita "$tree/AppRun"
image=$out/Partita$variant-$version-$machine.AppImage
rm -f "$image.squashfs"
# The time of the file system is SOURCE_DATE_EPOCH.
mksquashfs "$tree" "$image.squashfs" -root-owned -noappend -quiet -no-progress -comp zstd >&2
cat "$runtime" "$image.squashfs" >"$image"
rm "$image.squashfs"
chmod 755 "$image"
