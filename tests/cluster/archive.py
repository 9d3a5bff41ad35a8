#!/usr/bin/env python3
"""Shared by the recipes of this folder: creates songs, and checks the results.

    archive.py make DIR [SONGS] [SECONDS]   write synthetic songs to DIR, and all.csv with their lengths
    archive.py check OUT ALONE LOGS         check that OUT is complete and equals ALONE, and count the
                                            segments that the programs that wrote LOGS computed twice

Standard library only. Exit code 0 if everything is correct.
"""

import array
import csv
import json
import math
import pathlib
import random
import sys
import wave

RATE = 44_100


def make(folder, songs=40, seconds=12):
    """Writes deterministic songs of 0.5 to 1.5 times `seconds`, all different."""
    dice = random.Random(1)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "all.csv", "w", newline="") as file:
        manifest = csv.writer(file)
        manifest.writerow(["path", "seconds"])
        for number in range(songs):
            frames = int(RATE * seconds * dice.uniform(0.5, 1.5))
            path = (folder / f"song {number:02}.wav").absolute()
            write_song(path, frames, dice)
            manifest.writerow([path, round(frames / RATE, 3)])


def write_song(path, frames, dice):
    """A chord and a beat: one second, shifted slightly each time."""
    notes = [dice.uniform(60, 900) for _ in range(4)]
    samples = array.array("h")
    for frame in range(RATE):
        t = frame / RATE
        tone = sum(math.sin(2 * math.pi * note * t) for note in notes) / 8
        beat = math.exp(-30 * (t % 0.5)) * dice.uniform(-0.4, 0.4)
        for pan in (0.9, 1.1):
            samples.append(int(24_000 * pan * (tone + beat) / 1.4))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        whole = (samples * (frames // RATE + 1))[: 2 * frames]
        file.writeframes(whole.tobytes())


def results(folder):
    found = {}
    for path in sorted(folder.rglob("*.wav")):
        if ".partita" not in path.parts:
            with wave.open(str(path), "rb") as file:
                found[path.relative_to(folder)] = file.readframes(file.getnframes())
    return found


def check(out, alone, logs):
    """Compares samples and counts segments that were computed more than once."""
    expected, found = results(alone), results(out)
    missing = sorted(str(name) for name in expected.keys() - found.keys())
    other = sorted(str(name) for name in found.keys() - expected.keys())
    different = [str(name) for name in expected if name in found and found[name] != expected[name]]
    for words, names in (("missing", missing), ("not expected", other), ("different", different)):
        for name in names:
            print(f"{words}: {name}")
    receipts = [json.loads(path.read_text()) for path in (out / ".partita/songs").rglob("*.json")]
    total = sum(receipt["segments"] for receipt in receipts)
    begun = killed = done = 0
    for log in sorted(logs.glob("*.log")):
        text = log.read_text(errors="replace")
        begun += text.count("computing segment ")
        done += text.count('"event":"done"')
        killed += '"event":"ended"' not in text
    repeated = begun - total
    left = [path for path in (out / ".partita/work").rglob("*") if path.is_file()]
    print(f"{len(found)} files of {len(receipts)} songs, {total} segments; {killed} programs killed;")
    print(f"segments computed again: {repeated}; songs finished more than once: {done - len(receipts)}")
    # A killed program loses the current segment, and the one that was being stored.
    is_right = not (missing or other or different or left) and 0 <= repeated <= 2 * killed
    is_right = is_right and done <= len(receipts) and len(receipts) > 0
    print("everything is correct" if is_right else f"NOT correct; left over: {left}")
    return is_right


def main():
    match sys.argv[1:]:
        case ["make", folder, *numbers]:
            make(pathlib.Path(folder), *map(int, numbers))
        case ["check", out, alone, logs]:
            sys.exit(0 if check(*map(pathlib.Path, (out, alone, logs))) else 1)
        case _:
            sys.exit(__doc__)


main()
