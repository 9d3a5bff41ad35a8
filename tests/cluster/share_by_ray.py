#!/usr/bin/env python3
"""Runs the shares of an archive as tasks of Ray, and restarts them if necessary.

    share_by_ray.py PARTITA MANIFEST OUT LOGS [SHARES]

Uses two nodes on this machine, one of which is killed in the middle. On a real cluster, leave out
`two_nodes`, and let `ray.init()` find the cluster. Needs Ray from PyPI; started by ray.sh.
"""

import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import time

import ray
from ray.cluster_utils import Cluster

PARTITA, MANIFEST, OUT, LOGS = sys.argv[1:5]
SHARES = int(sys.argv[5]) if len(sys.argv) > 5 else 4
RESUME = 75


class Again(Exception):
    """The share must be restarted: it was stopped, or its failures may succeed later."""


def end_with_worker():
    """Linux: children receive SIGTERM when this process ends, and finish their segment."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


@ray.remote(num_cpus=1, max_retries=8, retry_exceptions=[Again])
def separate(share):
    log = pathlib.Path(LOGS) / f"{share}-{time.time_ns()}.log"
    # Ray states the processors of a task in OMP_NUM_THREADS, and Partita uses no more.
    words = [PARTITA, "separate", "--json", "--manifest", MANIFEST, "--out", OUT]
    words += ["--shard", f"{share}/{SHARES}"]
    with open(log, "w") as file:
        code = subprocess.run(words, stdout=file, stderr=file, preexec_fn=end_with_worker).returncode
    if code == RESUME or code < 0:
        raise Again(f"share {share} ended with {code}")
    return code


def descendants(pid):
    found = [pid]
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                status = pathlib.Path(f"/proc/{name}/stat").read_text().rsplit(") ", 1)[1].split()
            except OSError:
                continue
            if int(status[1]) == pid:
                found += descendants(int(name))
    return found


def two_nodes():
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    cluster.wait_for_nodes()
    ray.init(address=cluster.address, log_to_driver=False)
    return cluster, nodes


def main():
    cluster, nodes = two_nodes()
    tasks = [separate.remote(share + 1) for share in range(SHARES)]
    while not any('"event":"done"' in log.read_text() for log in pathlib.Path(LOGS).glob("*.log")):
        time.sleep(0.2)
    time.sleep(float(os.environ.get("KILL_AFTER", 1)))
    # The daemon of a node, and all its descendants.
    daemon = next(iter(nodes[1].all_processes["raylet"])).process.pid
    victims = descendants(daemon)
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    print(f"killed: the second node's daemon and descendants, {len(victims)} processes", flush=True)
    time.sleep(5)
    cluster.add_node(num_cpus=1)
    print("a replacement node has joined", flush=True)
    print("exit codes of the shares:", ray.get(tasks), flush=True)


main()
