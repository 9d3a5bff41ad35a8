#!/bin/sh
# Ray on this machine's loopback: two nodes of one processor each, one of which is killed in the
# middle. Needs Python with Ray: python3 -m venv VENV && VENV/bin/pip install ray, then
# PYTHON=VENV/bin/python.
. "$(dirname "$0")/common.sh"
python=${PYTHON:-python3}
"$python" -c 'import ray' || { say "Ray is missing: see README.md"; exit 1; }
# Ray raises the niceness of its workers, which would starve them on this busy machine.
export RAY_worker_niceness=0
prepare
begin=$(date +%s)
"$python" "$here/share_by_ray.py" "$partita" "$songs/all.csv" "$work/out" "$work/logs" 4 >&2
check "$(($(date +%s) - begin))"
