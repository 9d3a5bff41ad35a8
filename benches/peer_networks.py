#!/usr/bin/env python3
"""Compares Partita with PyTorch on networks of the published sizes with seeded weights, in turn.

    ./x bench --peers --network mel|bs|mdx23c [--runs N] [--threads N] [--avx2] [--fast] [--device D]

The networks are the classes of Music-Source-Separation-Training, as packaged by `audio-separator`. One
segment of noise is separated by Partita and by PyTorch in turn, with the same number of threads. The
time covers the whole forward pass including spectrogram and inverse, but not loading, and does not
depend on the weights. With `--device cuda`, both compute on the graphics card, and Partita is built
for it. PARTITA_PEERS_PYTHON names a Python with all packages installed.
"""

import argparse
import importlib
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
import types
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
PAUSE = 0.3  # seconds, in which the previous program's threads become idle
SAMPLE_RATE = 44_100
BANDS = (2,) * 24 + (4,) * 12 + (12,) * 8 + (24,) * 8 + (48,) * 8 + (128, 129)

# Arguments of the classes.
ROFORMER = dict(
    stereo=True, num_stems=1, time_transformer_depth=1, freq_transformer_depth=1, dim_head=64,
    heads=8, stft_n_fft=2048, stft_hop_length=441, stft_win_length=2048, stft_normalized=False,
    mask_estimator_depth=2,
)
NETWORKS = {
    # Kimberley Jensen's vocals model.
    "mel": ("MelBandRoformer", 352_800, dict(ROFORMER, dim=384, depth=6, num_bands=60)),
    # viperx' vocals model.
    "bs": ("BSRoformer", 352_800, dict(ROFORMER, dim=512, depth=12, freqs_per_bands=BANDS)),
    "mdx23c": ("TFC_TDF_net", 261_120, dict(
        audio=dict(n_fft=8192, hop_length=1024, dim_f=4096, dim_t=256, num_channels=2),
        model=dict(num_channels=128, growth=128, num_scales=5, num_blocks_per_scale=2,
                   bottleneck_factor=4, num_subbands=4, scale=[2, 2], norm="InstanceNorm", act="gelu"),
    )),
}


def arguments():
    parser = argparse.ArgumentParser(prog="./x bench --peers --network")
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--avx2", action="store_true", help="limit both to AVX2")
    parser.add_argument("--fast", action="store_true", help="use Partita's fast precision")
    parser.add_argument("--device", default="cpu", help="cpu, candle-cpu, cuda or metal")
    return parser.parse_args()


ARGUMENTS = arguments()
if ARGUMENTS.avx2:  # read when the libraries are loaded
    os.environ["ATEN_CPU_CAPABILITY"] = "avx2"
    os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"
    os.environ["PARTITA_CPU"] = "avx2"

import numpy as np  # noqa: E402
import torch  # noqa: E402
from partita_side import Ours, timed, torch_device  # noqa: E402
from safetensors.torch import save_file  # noqa: E402


def separator_module(name):
    """A module of `audio-separator`, without the imports of its packages."""
    root = importlib.util.find_spec("audio_separator").submodule_search_locations[0]
    parts = ["audio_separator", "separator", "uvr_lib_v5", *name.split(".")[:-1]]
    for depth in range(1, len(parts) + 1):
        package = types.ModuleType(".".join(parts[:depth]))
        package.__path__ = [str(Path(root, *parts[1:depth]))]
        sys.modules.setdefault(package.__name__, package)
    return importlib.import_module(".".join([*parts, name.split(".")[-1]]))


def roformer(klass, frames, given):
    module = {"MelBandRoformer": "mel_band_roformer", "BSRoformer": "bs_roformer"}[klass]
    network = getattr(separator_module(f"roformer.{module}"), klass)(**given)
    kwargs = dict(
        given, linear_transformer_depth=0, mlp_expansion_factor=4, skip_connection=False,
        zero_dc=False,  # which these classes do not apply
    )
    if klass == "MelBandRoformer":
        kwargs |= dict(sample_rate=SAMPLE_RATE, match_input_audio_length=False)
    return network, kwargs


def mdx23c(_klass, frames, given):
    spaces = {name: types.SimpleNamespace(**part) for name, part in given.items()}
    training = types.SimpleNamespace(instruments=["vocals"], target_instrument="vocals")
    config = types.SimpleNamespace(**spaces, training=training)
    device = torch.device(torch_device(ARGUMENTS.device))
    network = separator_module("tfc_tdf_v3").TFC_TDF_net(config, device)
    audio = {key: given["audio"][key] for key in ("n_fft", "hop_length", "dim_f", "dim_t")}
    return network, dict(given["model"], **audio, audio_channels=2)


def network(folder):
    """PyTorch's network, its frames, and Partita's file of the network."""
    klass, frames, given = NETWORKS[ARGUMENTS.network]
    torch.manual_seed(20261129)
    make = mdx23c if klass == "TFC_TDF_net" else roformer
    net, kwargs = make(klass, frames, given)
    kwargs |= dict(
        sources=["vocals"], rest="instrumental", samplerate=SAMPLE_RATE, segment_frames=frames,
        overlap=50, normalize=False,
    )
    path = Path(folder, "network.safetensors")
    state = {name: value.contiguous().clone() for name, value in net.state_dict().items()}
    save_file(state, path, metadata={"klass": klass, "kwargs": json.dumps(kwargs)})
    return net.eval().to(torch_device(ARGUMENTS.device)), frames, path


def reference(net, mix):
    seconds, stems = timed(net, mix, ARGUMENTS.device)
    return seconds, stems.reshape(-1, *mix.shape)


def main():
    torch.set_num_threads(ARGUMENTS.threads)
    with tempfile.TemporaryDirectory() as folder:
        net, frames, path = network(folder)
        ours = Ours(ARGUMENTS.threads, path, ARGUMENTS.fast, ARGUMENTS.device)
        mix = np.random.default_rng(1).normal(0, 0.2, (2, frames)).astype(np.float32)
        ours.separate(mix[:, ::-1].copy())  # warms up
        if torch_device(ARGUMENTS.device) != "cpu":
            reference(net, mix)
        times = {"Partita": [], "PyTorch " + torch.__version__.split("+")[0]: []}
        for run in range(ARGUMENTS.runs):
            results = []
            for (name, seconds), side in zip(times.items(), (ours.separate, lambda m: reference(net, m))):
                time.sleep(PAUSE)
                taken, stems = side(mix)
                seconds.append(taken)
                results.append(stems.astype(np.float64))
                print(f"run {run + 1}: {name} {taken:.2f} s", file=sys.stderr)
    error = 10 * np.log10((results[1] ** 2).sum() / ((results[1] - results[0]) ** 2).sum())
    held = ", both limited to AVX2" if ARGUMENTS.avx2 else ""
    print(f"`{ARGUMENTS.network}`, a segment of {frames / SAMPLE_RATE:.2f} s, "
          f"{ARGUMENTS.threads} threads{held}, device {ARGUMENTS.device}, {ARGUMENTS.runs} runs in turn\n")
    print("| | s/segment, least | median | Partita's time, least | median |")
    print("|---|---|---|---|---|")
    (least, median), *_ = figures = [(min(s), statistics.median(s)) for s in times.values()]
    for name, (a, b) in zip(times, figures):
        print(f"| {name} | {a:.2f} | {b:.2f} | × {least / a:.2f} | × {median / b:.2f} |")
    print(f"\nThe stems are {error:.1f} dB apart.")


if __name__ == "__main__":
    main()
