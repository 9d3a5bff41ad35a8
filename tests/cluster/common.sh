# Shared functions of this folder's recipes; sourced, never run. Sets $work, $partita, $songs.

set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
partita=${PARTITA:-$root/target/release/partita}
work=$(mktemp -d "${TMPDIR:-/tmp}/partita-cluster.XXXXXX")
songs=$work/songs
export PATH="$PATH:/usr/sbin:/sbin"

say() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }

need() {
    for program in "$@"; do
        command -v "$program" >/dev/null || { say "$program is missing: see README.md"; exit 1; }
    done
}

# Creates songs, and the expected result of a single run. $MODEL_HOME has a model; the default is
# the tests' small network, whose stems are not music but deterministic, in 1 % of the time.
prepare() {
    [ -x "$partita" ] || { say "build first: ./x build"; exit 1; }
    if [ -n "${MODEL_HOME:-}" ]; then
        PARTITA_HOME=$MODEL_HOME
    else
        PARTITA_HOME=$work/home
        mkdir -p "$PARTITA_HOME/models"
        cp "$root/tests/golden/general.weights.safetensors" \
            "$PARTITA_HOME/models/htdemucs.safetensors"
    fi
    export PARTITA_HOME PARTITA_LOG=partita=debug
    mkdir -p "$work/logs"
    say "in $work"
    python3 "$here/archive.py" make "$songs" "${SONGS:-40}" "${SECONDS_EACH:-12}"
    begin=$(date +%s.%N)
    "$partita" separate --json --threads 1 --manifest "$songs/all.csv" --out "$work/alone" \
        >"$work/alone.log" 2>&1
    alone_took=$(python3 -c "import time; print(round(time.time() - $begin, 1))")
    say "one run on one thread: $alone_took s"
}

# Compares the results with the expected ones.
check() {
    "$partita" report "$work/out" --verify >&2 || true
    python3 "$here/archive.py" check "$work/out" "$work/alone" "$work/logs"
    say "one run: $alone_took s; this run, with the killed programs: $1 s"
}

# Stops the processes that were started, and no others.
started=
clean_up() {
    for pid in $started; do kill "$pid" 2>/dev/null || true; done
    if [ -z "${KEEP:-}" ]; then rm -rf "$work"; else say "kept: $work"; fi
}
trap clean_up EXIT
trap 'exit 1' INT TERM
