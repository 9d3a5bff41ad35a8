#!/bin/sh
# Prints the changelog's section of a release, after checking that the tag is Cargo.toml's version.
# Usage: notes.sh v0.1.0
set -eu
. "$(dirname "$0")/common.sh"

tag=${1:?notes.sh TAG}
if [ "$tag" != "v$version" ]; then
    say "The tag is $tag, but Cargo.toml has the version $version; tag v$version, or change Cargo.toml"
    exit 1
fi
notes=$(awk -v heading="## $version" '
    /^## / { inside = index($0, heading) == 1 && substr($0, length(heading) + 1, 1) ~ /^[ ]?$/; next }
    inside { print }' CHANGELOG.md)
if [ -z "$notes" ]; then
    say "CHANGELOG.md has no section \"## $version\"; rename \"Unreleased\""
    exit 1
fi
printf '%s\n' "$notes"
