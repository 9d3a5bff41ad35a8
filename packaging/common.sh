# Settings that the packaging scripts share; they read this file with `.`.
# shellcheck shell=sh disable=SC2034 # the scripts use the variables

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
target=${CARGO_TARGET_DIR:-$root/target}
out=${PARTITA_PACKAGES:-$target/packages}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
# Versions such as 1.0.0-rc.1 have a hyphen, which Debian and RPM reserve; a tilde sorts before the release.
package_version=$(printf '%s' "$version" | tr - '~')
summary=$(sed -n 's/^description = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
# The id of the application for AppStream, Flatpak and macOS. A place holder: such ids begin with a domain
# or a forge of the project, and it has neither yet.
id=local.partita.Partita
# Files of a package have the commit's time, so that the same commit gives the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
# The processor's names in file names of Linux and in Debian. A cross-build sets the first.
machine=${PARTITA_MACHINE:-$(uname -m)}
case $machine in
x86_64) debian_machine=amd64 ;;
aarch64 | arm64) machine=aarch64 debian_machine=arm64 ;;
*) debian_machine=$machine ;;
esac
# Added to names of packages of a build with other features, such as "-cuda".
variant=${PARTITA_VARIANT:-}
binary=${PARTITA_BINARY:-$target/release/partita}

say() { printf '%s\n' "$*" >&2; }

# Prints the commit's day in the format of `date`.
day() { LC_ALL=C date -u -d "@$SOURCE_DATE_EPOCH" "$@"; }
