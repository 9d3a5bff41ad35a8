"""The two sides of a comparison: `cargo bench --bench model -- --serve` (see benches/serve.rs), and a
network of PyTorch on the same device."""

import struct
import subprocess
import time
from pathlib import Path

import numpy as np
import torch

HOME = Path(__file__).resolve().parent.parent


def torch_device(device):
    """PyTorch's name of a device of Partita."""
    return {"metal": "mps", "candle-cpu": "cpu"}.get(device, device)


def timed(network, mix, device):
    """Duration in seconds and result of a PyTorch network for `mix`, [channels, frames]."""
    device = torch_device(device)
    wait = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}
    wait = wait.get(device.split(":")[0], lambda: None)
    with torch.inference_mode():
        start = time.perf_counter()
        stems = network(torch.from_numpy(mix)[None].to(device))
        wait()
        seconds = time.perf_counter() - start
    return seconds, stems.cpu().numpy()


class Ours:
    """A process that separates segments."""

    name = "Partita"

    def __init__(self, threads, model, fast, device="cpu"):
        command = ["cargo", "bench", "--quiet", "--locked", "--bench", "model"]
        command += ["--features", "cuda"] * device.startswith("cuda")
        command += ["--", "--serve", "--device", device]
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
