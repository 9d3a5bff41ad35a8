#!/bin/sh
# Runs a Windows program in wine. Debian's package wine64 alone installs no command.
for wine in wine64 wine /usr/lib/wine/wine64; do
    ! command -v "$wine" >/dev/null || exec "$wine" "$@"
done
echo "wine is missing; install Debian's package wine64" >&2
exit 127
