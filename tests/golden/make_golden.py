#!/usr/bin/env python3
"""Creates the golden data of this folder with the reference implementation.

    pip install demucs==4.1.0 torch==2.15.0 soundfile safetensors
    python make_golden.py                       # the small random networks
    python make_golden.py --weights FILE --song lithium-mixture.flac     # also the real network

FILE is an installed htdemucs.safetensors (`partita model path`). All random values come from one
seed. README.md states the tolerances and their reasons.
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

SEED = 20261123
HERE = Path(__file__).parent


def reinitialise(net):
    """Fills a network with values under which no part is dead (LayerScale starts near 0 otherwise)
    and that f16 holds exactly."""
    for name, p in net.named_parameters():
        if name.endswith("scale"):
            p.data.uniform_(0.3, 1.0)
        elif p.dim() > 1:
            fan_in = p[0].numel() if "conv_tr" not in name else p.shape[0] * 2
            p.data.normal_(std=fan_in**-0.5)
        elif "norm" in name and name.endswith("weight") or ".1.weight" in name or ".4.weight" in name:
            p.data.uniform_(0.7, 1.3)
        else:
            p.data.normal_(std=0.1)
        p.data = p.data.half().float()
    return net.eval()


def save_weights(net, name, args, kwargs):
    """Writes a network in the publisher's form: arguments as JSON in the metadata."""
    def plain(value):
        return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}

    metadata = {
        "klass": "demucs.htdemucs.HTDemucs",
        "args": json.dumps(args, default=plain),
        "kwargs": json.dumps(kwargs, default=plain),
    }
    state = {k: v.half().contiguous() for k, v in net.state_dict().items()}
    save_file(state, HERE / f"{name}.weights.safetensors", metadata=metadata)


def noise(net):
    """A segment of noise with a slope, so that mean and spectrum are not flat."""
    frames = int(net.segment * net.samplerate)
    slow = torch.cumsum(torch.randn(2, frames), dim=1)
    return 0.5 * torch.randn(2, frames) + 0.05 * slow / slow.std() + 0.1


def golden(name, args, kwargs, layers=()):
    """Weights, input and output of one small network, and the outputs of `layers`."""
    net = reinitialise(HTDemucs(*args, **kwargs))
    save_weights(net, name, args, kwargs)
    mix = noise(net)
    data = {"mix": mix}
    for layer in layers:
        def keep(_module, _inputs, output, layer=layer):
            for suffix, part in zip(("", ".t"), output if isinstance(output, tuple) else (output,)):
                if part is not None:
                    data[layer + suffix] = part[0].clone().contiguous()
        net.get_submodule(layer).register_forward_hook(keep)
    with torch.no_grad():
        data["stems"] = net(mix[None])[0]
        if layers:
            z = net._spec(mix[None])
            data["spectrogram"] = net._magnitude(z)[0].contiguous()
            data["resynthesis"] = net._ispec(z, mix.shape[1])[0].contiguous()
    save_file(data, HERE / f"{name}.golden.safetensors")


def small_networks():
    # Covers every branch of the arguments: norms in some layers, context in both directions, a
    # cross layer first, and a length in time that no stride divides.
    golden(
        "general",
        [["low", "high", "rest"]],
        dict(
            channels=8, growth=2, nfft=512, depth=3, context_enc=1, norm_starts=1, norm_groups=2,
            dconv_mode=3, dconv_comp=4, bottom_channels=24, t_layers=3, t_heads=2,
            t_hidden_scale=2.0, t_cross_first=True, freq_emb=0.3, emb_scale=5, samplerate=44100,
            segment=Fraction(2800, 44100),
        ),
        layers=("encoder.1", "tencoder.1", "crosstransformer", "decoder.1", "tdecoder.1"),
    )
    # The arguments of the six-stem variant: no channel up- and downsamplers, and most others left
    # out.
    golden(
        "six",
        [],
        dict(
            sources=["drums", "bass", "other", "vocals", "guitar", "piano"], channels=4, nfft=2048,
            dconv_mode=3, bottom_channels=0, dconv_comp=2, t_layers=4, t_heads=4,
            t_hidden_scale=1.5, samplerate=44100, segment=Fraction(4000, 44100),
        ),
    )


def real_network(weights, song):
    """The published network on 2.5 s of a CC0 song, followed by silence up to a whole segment."""
    import soundfile

    with safe_open(weights, framework="pt") as file:
        kwargs = json.loads(file.metadata()["kwargs"])
        state = {name: file.get_tensor(name).float() for name in file.keys()}
    kwargs["segment"] = Fraction(kwargs["segment"])
    net = HTDemucs(**kwargs)
    net.load_state_dict(state)
    net.eval()
    start, frames = 43 * 44_100, 110_250
    mix, rate = soundfile.read(song, start=start, frames=frames, dtype="int16", always_2d=True)
    assert rate == 44_100 and mix.shape == (frames, 2)
    segment = torch.zeros(2, int(net.segment * net.samplerate))
    segment[:, :frames] = torch.from_numpy(mix.T.astype(np.float32)) / 8192
    with torch.no_grad():
        stems = net(segment[None])[0]
    places = [0, frames // 2, frames - 1536, segment.shape[1] - 2048]
    slices = torch.stack([stems[:, :, at:at + 2048] for at in places])
    save_file(
        {
            "mix": torch.from_numpy(mix.T.copy()),
            "places": torch.tensor(places, dtype=torch.int64),
            "stems": slices.contiguous(),
        },
        HERE / "htdemucs.golden.safetensors",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights")
    parser.add_argument("--song")
    options = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    small_networks()
    if options.weights and options.song:
        real_network(options.weights, options.song)
