#!/usr/bin/env python3
"""Creates tracks.golden.safetensors: whole tracks through the reference's segmentation and cross-fading
(demucs.apply.apply_model, shifts 0, overlap 0.25), with the small network of general.weights.safetensors.

    pip install demucs==4.1.0 torch==2.15.0 safetensors
    python make_tracks.py

The lengths: one sample, less than a segment, a segment, one sample more, and several segments and a
part. README.md states the tolerances and their reasons.
"""

import json
from fractions import Fraction
from pathlib import Path

import torch
from demucs.apply import apply_model
from demucs.htdemucs import HTDemucs
from safetensors import safe_open
from safetensors.torch import save_file

SEED = 20261124
HERE = Path(__file__).parent
LENGTHS = (1, 1000, 2800, 2801, 4201, 7001)


def network():
    with safe_open(HERE / "general.weights.safetensors", framework="pt") as file:
        metadata = file.metadata()
        state = {name: file.get_tensor(name).float() for name in file.keys()}
    kwargs = json.loads(metadata["kwargs"])
    part = kwargs["segment"]
    kwargs["segment"] = Fraction(part["numerator"], part["denominator"])
    net = HTDemucs(*json.loads(metadata["args"]), **kwargs)
    net.load_state_dict(state)
    return net.eval()


def main():
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    net = network()
    data = {}
    for length in LENGTHS:
        mix = 0.3 * torch.randn(2, length) + torch.tensor([[0.05], [-0.02]])
        # demucs/api.py, separate_tensor; the standard deviation of a single sample is NaN there.
        ref = mix.mean(0)
        deviation = ref.std() if length > 1 else torch.tensor(0.0)
        scale = deviation + 1e-8
        with torch.no_grad():
            stems = apply_model(net, ((mix - ref.mean()) / scale)[None], shifts=0, overlap=0.25)[0]
        data[f"mix.{length}"] = mix
        data[f"stems.{length}"] = (stems * scale + ref.mean()).contiguous()
    save_file(data, HERE / "tracks.golden.safetensors")


if __name__ == "__main__":
    main()
