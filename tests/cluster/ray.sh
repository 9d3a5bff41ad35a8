#!/bin/sh
# Ray on this machine's loopback: two nodes of one processor each, one of them killed in the middle.
# Wants Python with Ray: python3 -m venv VENV && VENV/bin/pip install ray, then PYTHON=VENV/bin/python.
. "$(dirname "$0")/common.sh"
python=${PYTHON:-python3}
"$python" -c 'import ray' || { say "Ray is missing: see README.md"; exit 1; }
# Ray makes its workers nice, which on this busy machine is to wait for everybody else.
export RAY_worker_niceness=0
prepare
begin=$(date +%s)
"$python" "$here/share_by_ray.py" "$partita" "$songs/all.csv" "$work/out" "$work/logs" 4 >&2
check "$(($(date +%s) - begin))"
