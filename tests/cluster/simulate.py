#!/usr/bin/env python3
"""Simulates how archives scale with the number of nodes: time, tail, and bytes.

    simulate.py [--segment S] [--rest R] [--start S] [--songs N] [--storage BYTES/S] [--seed N]

Shares are assigned as in Partita: the longest song first, each to the smallest share. A node processes
its songs in sequence; a song is never divided between nodes. All nodes use one storage: if the total
traffic exceeds its bandwidth, all nodes slow down equally. Nodes fail at random; their share is requeued
and loses the current segments. Prints the table of README.md. Standard library only.
"""

import argparse
import heapq
import random

STRIDE = 5.85  # seconds of music from one segment to the next
LENGTH = 7.8  # seconds of music in one
STEMS = 4
RAW = 44_100 * 2 * 4  # bytes of a second of a store: stereo, single precision
SOURCE = 110_000  # bytes of a second of a FLAC song
RESULT = STEMS * 44_100 * 2 * 2  # bytes of stems for a second of music, as 16-bit WAV
WEIGHTS = 84e6  # bytes that a node reads once
LOST = 2  # segments that a failing node loses
SILENCE = 60  # seconds until another node may take over the song
REQUEUE = 120  # seconds until an engine has noticed and starts the share again
FAILURES = 1 / (2000 * 3600)  # of a node, for each second

# Songs of each archive for one of --songs, and the distribution of their lengths in seconds: a
# label; a small label; radio, with shows among the songs; recordings of concerts.
KINDS = {
    "songs": (1, lambda dice: min(1200, max(20, dice.lognormvariate(5.45, 0.38)))),
    "songs (few)": (0.02, lambda dice: min(1200, max(20, dice.lognormvariate(5.45, 0.38)))),
    "radio": (0.5, lambda dice: dice.uniform(1800, 7200) if dice.random() < 0.03 else dice.uniform(60, 420)),
    "concerts": (0.02, lambda dice: min(14_400, max(600, dice.lognormvariate(8.4, 0.5)))),
}


def shares(lengths, count):
    """Seconds of music and number of songs of each share."""
    loads = [(0.0, index, 0) for index in range(count)]
    for length in sorted(lengths, reverse=True):
        load, index, songs = loads[0]
        heapq.heapreplace(loads, (load + length, index, songs + 1))
    return [(load, songs) for load, _, songs in loads]


def bytes_for(music, keeps_work_there):
    """Bytes read from and written to the storage for some seconds of music."""
    read, written = SOURCE, RESULT
    if keeps_work_there:  # the mix, and the stems with their overlap: once out, once back
        overlap = LENGTH / STRIDE
        written += RAW * (1 + STEMS * overlap)
        read += RAW * (overlap + STEMS * overlap)
    return music * read, music * written


def run(lengths, nodes, about, keeps_work_there, storage, dice):
    """Time until the last share ends, mean time of all shares, and bytes read and written."""
    per_music = about.segment / STRIDE + about.rest
    work, read, written = [], 0.0, 0.0  # of each share: seconds, and bytes
    for music, songs in shares(lengths, nodes):
        seconds = about.start + music * per_music + songs * about.song
        failures = sum(dice.random() < FAILURES * 600 for _ in range(int(seconds // 600)))
        lost = failures * (LOST * about.segment + max(SILENCE, REQUEUE) + about.start)
        there = bytes_for(music, keeps_work_there)
        read, written = read + there[0] + WEIGHTS, written + there[1]
        work.append((seconds + lost, sum(there) + WEIGHTS))
    # All nodes start together. Each spreads its traffic evenly over its time; if the total exceeds
    # the storage's bandwidth, all nodes slow down equally.
    want = sum(size for _, size in work) / sum(seconds for seconds, _ in work)
    slower = lambda active: max(1.0, active * want / storage)
    now, done, ends = 0.0, 0.0, []
    ordered = sorted(seconds for seconds, _ in work)
    for index, seconds in enumerate(ordered):
        now += (seconds - done) * slower(nodes - index)
        done = seconds
        ends.append(now)
    return now, sum(ends) / nodes, read, written


def time_of(seconds):
    if seconds < 3600:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 72 * 3600 else f"{seconds / 86_400:.1f} d"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--segment", type=float, default=0.80, help="seconds of a segment on a node")
    parser.add_argument("--rest", type=float, default=0.010, help="other seconds for a second of music")
    parser.add_argument("--song", type=float, default=0.1, help="fixed seconds for each song")
    parser.add_argument("--start", type=float, default=1.0, help="seconds until a share starts")
    parser.add_argument("--songs", type=int, default=100_000)
    parser.add_argument("--storage", type=float, default=1e9, help="bytes a second, all nodes together")
    parser.add_argument("--seed", type=int, default=1)
    about = parser.parse_args()
    print("| archive | nodes | work on the nodes | | tail | work on the storage | | ten times its speed | | tail | read | written |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for kind, (part, length) in KINDS.items():
        dice = random.Random(about.seed)
        lengths = [length(dice) for _ in range(int(about.songs * part))]
        alone = None
        for nodes in (1, 2, 10, 30, 100, 300, 1000):
            line = []
            for keeps, speed in ((False, 1), (True, 1), (False, 10)):
                dice = random.Random(nodes)
                took, mean, read, written = run(lengths, nodes, about, keeps, speed * about.storage, dice)
                alone = alone or took
                line += [time_of(took), f"{alone / nodes / took:.0%}"]
                if not keeps:
                    line.append(f"{(took - mean) / took:.0%}")
                    there = read, written
            line += [f"{size / 1e12:.2f} TB" for size in there]
            what = f"{len(lengths)} {kind}, {sum(lengths) / 3600:.0f} h" if nodes == 1 else ""
            print(f"| {what} | {nodes} | " + " | ".join(line) + " |")


main()
