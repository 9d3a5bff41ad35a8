#!/usr/bin/env python3
"""Creates the reference values of `partita model verify --self-test`: PyTorch's output for the built-in
signal with the published network, at some positions of each stem.

    pip install demucs==4.1.0 torch==2.15.0 safetensors
    python make_selftest.py --weights FILE      # an installed htdemucs.safetensors

Writes assets/selftest/htdemucs.safetensors. The signal is `signal` here and in `src/model/selftest.rs`:
integers divided by powers of two, so that both are bit-identical. README.md states the tolerance.
"""

import argparse
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from demucs.htdemucs import HTDemucs
from safetensors import safe_open
from safetensors.torch import save_file

LENGTH = 64


def signal(channels, frames):
    """A tone with overtones that changes every quarter of a second, with noise in every second quarter."""
    state, noise = 1, np.empty(channels * frames)
    for at in range(channels * frames):
        state = (state * 1664525 + 1013904223) % 2**32
        noise[at] = (state >> 16) - 32768
    mix = np.empty((channels, frames))
    at = np.arange(frames)
    quarter = at // 11025
    for channel in range(channels):
        period = 64 + 16 * (quarter % 8) + channel
        saw = (at % period) * 256 - 8192
        mix[channel] = saw + np.where(quarter % 2 == 1, noise[channel * frames:][:frames] / 4, 0)
    return torch.from_numpy((mix / 65536).astype(np.float32))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", required=True)
    options = parser.parse_args()
    with safe_open(options.weights, framework="pt") as file:
        metadata = file.metadata()
        state = {name: file.get_tensor(name).float() for name in file.keys()}
    kwargs = json.loads(metadata["kwargs"])
    kwargs["segment"] = Fraction(kwargs["segment"])
    net = HTDemucs(**kwargs)
    net.load_state_dict(state)
    net.eval()
    frames = int(net.segment * net.samplerate)
    with torch.no_grad():
        stems = net(signal(2, frames)[None])[0]
    places = [0, frames // 3, frames // 2 + 1000, frames - 5000]
    numbers = torch.stack([stems[:, :, at:at + LENGTH] for at in places]).contiguous()
    target = Path(__file__).parents[2] / "assets" / "selftest" / "htdemucs.safetensors"
    target.parent.mkdir(exist_ok=True, parents=True)
    data = {"places": torch.tensor(places), "stems": numbers}
    save_file(data, target, metadata={"digest": metadata["digest"]})
