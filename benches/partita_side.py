"""Partita's side of a comparison: `cargo bench --bench model -- --serve`, see benches/serve.rs."""

import struct
import subprocess
from pathlib import Path

import numpy as np

HOME = Path(__file__).resolve().parent.parent


class Ours:
    """A process that separates segments."""

    name = "Partita"

    def __init__(self, threads, model, fast):
        command = ["cargo", "bench", "--quiet", "--locked", "--bench", "model", "--", "--serve"]
        command += ["--threads", str(threads), *["--fast"] * fast, str(model)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=HOME, stdin=pipe, stdout=pipe)
        self.frames, self.stems = struct.unpack("<II", self.read(8))

    def read(self, count):
        data = self.process.stdout.read(count)
        if len(data) != count:
            raise SystemExit("Partita has exited")
        return data

    def separate(self, mix):
        """Duration in seconds and stems for `mix`, [channels, frames]."""
        self.process.stdin.write(np.ascontiguousarray(mix, "<f4").tobytes())
        self.process.stdin.flush()
        (seconds,) = struct.unpack("<d", self.read(8))
        stems = np.frombuffer(self.read(4 * self.stems * mix.size), "<f4")
        return seconds, stems.reshape(self.stems, *mix.shape)
