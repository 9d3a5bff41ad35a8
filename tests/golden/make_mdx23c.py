#!/usr/bin/env python3
"""Creates the golden data of `mdx23c/` with the reference's class.

    pip install torch==2.15.0 ml-collections safetensors
    git clone https://github.com/ZFTurbo/Music-Source-Separation-Training MSST     # at ccc011ab
    python make_mdx23c.py MSST
    python make_mdx23c.py MSST --size FOLDER     # a network of the published size, for measuring

For each NAME, writes NAME.weights.safetensors, a small random network in Partita's form, and
NAME.golden.safetensors, its input and output. All random values are seeded. README.md describes the
purpose of each network.
"""

import importlib.util
import json
import sys
import time
import types
from pathlib import Path

import torch
from ml_collections import ConfigDict
from safetensors.torch import save_file

HERE = Path(__file__).parent / "mdx23c"
SAMPLE_RATE = 44_100

# NAME: columns, names of the outputs, the rest's name, arguments.
NETWORKS = {
    # The outputs of the layers are stored as well.
    "one": (20, ["vocals"], "other", dict(
        n_fft=256, hop_length=64, dim_f=128, num_channels=8, growth=8, num_scales=2,
        num_blocks_per_scale=2, bottleneck_factor=4, num_subbands=4)),
    # Unused bins at the top, a hop that does not divide the window, odd numbers of channels and
    # columns.
    "four": (24, ["drums", "bass", "other", "vocals"], None, dict(
        n_fft=256, hop_length=55, dim_f=96, num_channels=7, growth=3, num_scales=3,
        num_blocks_per_scale=1, bottleneck_factor=3, num_subbands=2)),
    # Sizes beyond one block of the convolutions.
    "wide": (70, ["kick", "snare"], "rest", dict(
        n_fft=256, hop_length=32, dim_f=128, num_channels=27, growth=5, num_scales=1,
        num_blocks_per_scale=1, bottleneck_factor=2, num_subbands=2)),
}

# The arguments of the published networks.
PUBLISHED = (256, ["vocals", "instrumental"], None, dict(
    n_fft=8192, hop_length=1024, dim_f=4096, num_channels=128, growth=128, num_scales=5,
    num_blocks_per_scale=2, bottleneck_factor=4, num_subbands=4))

LAYERS_KEPT = ["one"]


def network_class(checkout):
    """The class, without the imports of its module."""
    utils = types.ModuleType("utils.model_utils")
    utils.prefer_target_instrument = lambda config: config.training.instruments
    sys.modules["utils"] = types.ModuleType("utils")
    sys.modules["utils.model_utils"] = utils
    path = Path(checkout, "models", "mdx23c_tfc_tdf_v3.py")
    spec = importlib.util.spec_from_file_location("mdx23c", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.TFC_TDF_net


def reinitialise(net):
    """Fills a network with values that are exact in f16 and that leave every part active."""
    for name, p in net.named_parameters():
        if p.dim() == 1:
            p.data.uniform_(0.7, 1.3) if name.endswith("weight") else p.data.normal_(std=0.1)
        else:
            fan_in = p.shape[0] if "upscale" in name else p[0].numel()
            p.data.normal_(std=fan_in**-0.5)
        p.data = p.data.half().float()
    return net.eval()


def noise(frames):
    """Noise with a slope, so that mean and spectrum are not flat."""
    slow = torch.cumsum(torch.randn(2, frames), dim=1)
    return 0.2 * torch.randn(2, frames) + 0.1 * slow / slow.std() + 0.05


def make(network, columns, sources, rest, special):
    """A network, and its arguments in Partita's form."""
    audio = {key: special[key] for key in ("n_fft", "hop_length", "dim_f")}
    audio |= dict(num_channels=2, dim_t=columns, sample_rate=SAMPLE_RATE)
    model = {key: value for key, value in special.items() if key not in audio or key == "num_channels"}
    model |= dict(scale=[2, 2], norm="InstanceNorm", act="gelu")
    net = network(ConfigDict(dict(
        audio=audio, model=model, training=dict(instruments=sources, target_instrument=None),
    )))
    kwargs = model | {key: audio[key] for key in ("n_fft", "hop_length", "dim_f", "dim_t")} | dict(
        audio_channels=2, sources=sources, rest=rest, samplerate=SAMPLE_RATE,
        segment_frames=audio["hop_length"] * (columns - 1), overlap=50, normalize=False,
    )
    return reinitialise(net), kwargs


def save_weights(net, kwargs, path):
    """Writes a network in Partita's form."""
    metadata = {"klass": "TFC_TDF_net", "kwargs": json.dumps(kwargs)}
    state = {key: value.half().contiguous() for key, value in net.state_dict().items()}
    save_file(state, path, metadata=metadata)


def keep_layers(net, data):
    """Records the outputs of the layers: [channels, columns, frequencies]."""
    layers = ["encoder_blocks.0.tfc_tdf", "encoder_blocks.0.downscale", "bottleneck_block",
              "decoder_blocks.0.upscale", "decoder_blocks.1.tfc_tdf"]
    for layer in layers:
        def keep(_module, _inputs, output, layer=layer):
            data[layer] = output[0].clone().contiguous()
        net.get_submodule(layer).register_forward_hook(keep)


def golden(network, name):
    net, kwargs = make(network, *NETWORKS[name])
    save_weights(net, kwargs, HERE / f"{name}.weights.safetensors")
    mix = noise(kwargs["segment_frames"])
    data = {"mix": mix}
    if name in LAYERS_KEPT:
        keep_layers(net, data)
    with torch.no_grad():
        data["stems"] = net(mix[None])[0].contiguous()
    save_file(data, HERE / f"{name}.golden.safetensors")


def published_size(network, folder):
    """Golden data for a network of the published size, and the time of its second run."""
    folder.mkdir(parents=True, exist_ok=True)
    net, kwargs = make(network, *PUBLISHED)
    save_weights(net, kwargs, folder / "weights.safetensors")
    torch.save(net.state_dict(), folder / "net.ckpt")
    mix = noise(kwargs["segment_frames"])
    with torch.inference_mode():
        stems = net(mix[None])[0]
        start = time.time()
        net(mix[None])
        print(f"{time.time() - start:.2f} s with {torch.get_num_threads()} threads")
    save_file({"mix": mix, "stems": stems.contiguous()}, folder / "golden.safetensors")


if __name__ == "__main__":
    network = network_class(sys.argv[1])
    if "--size" in sys.argv:
        torch.manual_seed(20261150)
        published_size(network, Path(sys.argv[sys.argv.index("--size") + 1]))
    else:
        torch.set_num_threads(1)
        HERE.mkdir(exist_ok=True)
        for number, name in enumerate(NETWORKS):
            torch.manual_seed(20261140 + number)
            golden(network, name)
