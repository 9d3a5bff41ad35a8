#!/bin/sh
# Builds for Windows with MinGW, and runs the tests in wine. `./x windows` installs the packages first.
#   scripts/windows.sh [check | build | test [FILTER]]
# Wine enforces no locks on reads, and renames folders with open files: docs/platforms.md.
set -eu
cd "$(dirname "$0")/.."
. scripts/common.sh

target=x86_64-pc-windows-gnu
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
need_std "$target"

# A folder for wine with the library that its versions before 9 lack, and with the model.
prepare_wine() {
    export WINEPREFIX="$PWD/target/wine" WINEDEBUG=-all
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="$PWD/scripts/wine/run.sh"
    system=$WINEPREFIX/drive_c/windows/system32
    # Wine makes the folder itself, but not its parents.
    mkdir -p "$WINEPREFIX"
    [ -d "$system" ] || scripts/wine/run.sh wineboot --init
    if [ ! -e "$system/bcryptprimitives.dll" ]; then
        x86_64-w64-mingw32-gcc -shared -O1 -o "$system/bcryptprimitives.dll" \
            scripts/wine/bcryptprimitives.c -ladvapi32
    fi
    home=$WINEPREFIX/drive_c/users/$(id -un)/AppData/Local/partita/data
    models=${XDG_DATA_HOME:-$HOME/.local/share}/partita/models
    mkdir -p "$home"
    [ ! -d "$models" ] || [ -e "$home/models" ] || cp -a "$models" "$home/models"
}

mode=${1:-test}
[ $# -eq 0 ] || shift
case $mode in
check) cargo check --release --locked --target "$target" --all-targets ;;
build) cargo build --release --locked --target "$target" ;;
test)
    prepare_wine
    cargo test --release --locked --target "$target" "$@"
    ;;
*) say "expected check, build or test" && exit 2 ;;
esac
