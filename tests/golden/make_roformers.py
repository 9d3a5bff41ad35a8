#!/usr/bin/env python3
"""Creates the golden data of `roformer/` with the reference's classes.

    pip install torch==2.15.0 einops==0.8.2 rotary-embedding-torch==0.6.5 librosa==0.11.0 beartype safetensors
    git clone https://github.com/ZFTurbo/Music-Source-Separation-Training MSST     # at ccc011ab
    python make_roformers.py MSST

For each NAME, writes NAME.weights.safetensors, a small random network in Partita's form, and
NAME.golden.safetensors, its input and output. All random values are seeded. README.md describes the
purpose of each network.
"""

import json
import sys
import types
from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent / "roformer"
SAMPLE_RATE = 44_100

# The first 62 bands of the published networks of this kind: 1025 bins.
BANDS_62 = (2,) * 24 + (4,) * 12 + (12,) * 8 + (24,) * 8 + (48,) * 8 + (128, 129)

# NAME: kind, frames, names of the outputs, the rest's name, arguments of the class.
NETWORKS = {
    # The outputs of the layers are stored as well.
    "mel": ("mel", 777, ["vocals"], "other", dict(
        dim=8, depth=2, num_bands=8, dim_head=16, stft_n_fft=128, stft_hop_length=64,
        mask_estimator_depth=2, mlp_expansion_factor=2, match_input_audio_length=True)),
    "mel-deep": ("mel", 27 * 60, ["drums", "bass"], "other", dict(
        dim=8, depth=2, num_bands=10, dim_head=16, stft_n_fft=128, stft_hop_length=27,
        mask_estimator_depth=3, mlp_expansion_factor=1, linear_transformer_depth=1)),
    "mel-mono": ("mel", 2001, ["speech", "noise"], None, dict(
        dim=8, depth=2, stereo=False, num_bands=14, heads=3, dim_head=8,
        time_transformer_depth=2, freq_transformer_depth=2, stft_n_fft=256, stft_hop_length=55,
        zero_dc=False, skip_connection=True, match_input_audio_length=True,
        mlp_expansion_factor=1)),
    # The filter bank, the window and the hop of the published networks.
    "mel-60": ("mel", 441 * 4, ["vocals"], "instrumental", dict(
        dim=2, depth=1, dim_head=8, mlp_expansion_factor=1, stft_hop_length=441)),
    "bs": ("bs", 64 * 12, ["vocals"], "other", dict(
        dim=8, depth=2, dim_head=16, freqs_per_bands=(2, 2, 2, 4, 7, 12, 36),
        stft_n_fft=128, stft_hop_length=64, mask_estimator_depth=2)),
    "bs-four": ("bs", 999, ["drums", "bass", "other", "vocals"], None, dict(
        dim=6, depth=1, dim_head=64, freqs_per_bands=(2, 3, 4, 8, 16, 32), zero_dc=False,
        stft_n_fft=128, stft_hop_length=32, mask_estimator_depth=2, mlp_expansion_factor=2)),
    "bs-mono": ("bs", 3200, ["dry"], "reverb", dict(
        dim=12, depth=2, stereo=False, heads=3, dim_head=8, time_transformer_depth=2,
        linear_transformer_depth=1, skip_connection=True, freqs_per_bands=(1, 4, 8, 20, 32, 64),
        stft_n_fft=256, stft_hop_length=32, mask_estimator_depth=1)),
    # Normalised spectra, and rotary frequencies rounded to f16, which must be read from the file.
    "bs-half": ("bs", 2001, ["other"], "vocals", dict(
        dim=8, depth=2, dim_head=32, freqs_per_bands=(2, 3, 4, 8, 16, 32, 64),
        stft_n_fft=256, stft_hop_length=55, stft_normalized=True, mask_estimator_depth=3,
        mlp_expansion_factor=2)),
    "bs-62": ("bs", 512 * 4, ["vocals"], "instrumental", dict(
        dim=2, depth=1, dim_head=8, freqs_per_bands=BANDS_62, stft_hop_length=512,
        mask_estimator_depth=2, mlp_expansion_factor=1)),
}

LAYERS_KEPT = ["mel", "bs"]

# The defaults of the classes, and the arguments stated in the files.
DEFAULTS = dict(
    stereo=True, time_transformer_depth=1, freq_transformer_depth=1, linear_transformer_depth=0,
    heads=2, stft_n_fft=2048, stft_normalized=False, zero_dc=True, mask_estimator_depth=1,
    mlp_expansion_factor=4, skip_connection=False,
)


def classes(checkout):
    """The two classes, without the imports of their packages."""
    for name in ("models", "models.bs_roformer"):
        package = types.ModuleType(name)
        package.__path__ = [str(Path(checkout, *name.split(".")))]
        sys.modules[name] = package
    from models.bs_roformer.bs_roformer import BSRoformer
    from models.bs_roformer.mel_band_roformer import MelBandRoformer

    return {"mel": MelBandRoformer, "bs": BSRoformer}


def reinitialise(net, half_rotary):
    """Fills a network with values that are exact in f16 and that leave every part active."""
    for name, p in net.named_parameters():
        if name.endswith("freqs"):
            if half_rotary:
                p.data = p.data.half().float()
            continue
        if name.endswith("gamma"):
            p.data.uniform_(0.7, 1.3)
        elif name.endswith("temperature"):
            p.data.normal_(std=0.3)
        elif name.endswith("bias"):
            p.data.normal_(std=0.1)
        else:
            p.data.normal_(std=p.shape[1] ** -0.5)
        p.data = p.data.half().float()
    return net.eval()


def noise(channels, frames):
    """Noise with a slope, so that mean and spectrum are not flat."""
    slow = torch.cumsum(torch.randn(channels, frames), dim=1)
    return 0.2 * torch.randn(channels, frames) + 0.1 * slow / slow.std() + 0.05


def save_weights(net, name, kind, kwargs):
    """Writes a network in Partita's form."""
    state = {}
    for key, value in net.state_dict().items():
        exact = torch.equal(value.half().float(), value)
        state[key] = (value.half() if exact else value.clone()).contiguous()
    klass = {"mel": "MelBandRoformer", "bs": "BSRoformer"}[kind]
    metadata = {"klass": klass, "kwargs": json.dumps(kwargs)}
    save_file(state, HERE / f"{name}.weights.safetensors", metadata=metadata)


def keep_layers(net, data):
    """Keeps what goes into the band split and comes out of the layers: [columns, bands, dim], and
    [columns, values] for values in the order (bin of a band, channel, real and imaginary)."""
    def split(_module, inputs, output):
        data["band_split.input"] = inputs[0][0].clone()
        data["band_split"] = output[0].clone()

    net.band_split.register_forward_hook(split)
    for index, layer in enumerate(net.layers):
        def out(_module, _inputs, output, index=index):
            data[f"layers.{index}"] = output.clone()

        def turned(_module, _inputs, output, index=index):
            data[f"layers.{index}.time"] = output.transpose(0, 1).contiguous()

        layer[-1].register_forward_hook(out)
        layer[-2].register_forward_hook(turned)
    for index, estimator in enumerate(net.mask_estimators):
        def mask(_module, _inputs, output, index=index):
            data[f"mask.{index}"] = output[0].clone()

        estimator.register_forward_hook(mask)


def golden(name, kinds):
    kind, frames, sources, rest, special = NETWORKS[name]
    arguments = DEFAULTS | special
    arguments["num_stems"] = len(sources)
    arguments["stft_win_length"] = arguments["stft_n_fft"]
    if kind == "mel":
        arguments.setdefault("num_bands", 60)
        arguments.setdefault("match_input_audio_length", False)
        arguments["sample_rate"] = SAMPLE_RATE
    net = reinitialise(kinds[kind](**arguments), name == "bs-half")
    save_weights(net, name, kind, arguments | dict(
        sources=sources, rest=rest, samplerate=SAMPLE_RATE, segment_frames=frames, overlap=50,
        normalize=False,
    ))
    mix = noise(2 if arguments["stereo"] else 1, frames)
    data = {"mix": mix}
    if name in LAYERS_KEPT:
        keep_layers(net, data)
    with torch.no_grad():
        stems = net(mix[None])
    data["stems"] = stems.reshape(len(sources), *mix.shape).contiguous()
    save_file(data, HERE / f"{name}.golden.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    HERE.mkdir(exist_ok=True)
    kinds = classes(sys.argv[1])
    for number, name in enumerate(NETWORKS):
        torch.manual_seed(20261130 + number)
        golden(name, kinds)
