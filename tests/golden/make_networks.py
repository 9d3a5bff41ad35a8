#!/usr/bin/env python3
"""Creates networks with random weights by the reference's classes and serialisers.

    pip install demucs==4.1.0 torch==2.15.0 soundfile safetensors
    python make_networks.py                  # the small ones of this folder's bag/ and own.th
    python make_networks.py --full DIR       # full size, as htdemucs_ft (a bag of four) and _6s
    python make_networks.py --full DIR --song FILE --out DIR2      # and their stems of a song

The small networks: a bag of two networks in a publisher's form (YAML, weights), with the reference's
stems of a track, also with shifts; and a network whose values are not exact in half precision, with
unusual stems. Full-size networks are for benchmarks, and are not in the repository. All random values
come from one seed.
"""

import argparse
import json
import random
from fractions import Fraction
from pathlib import Path

import torch
from demucs.apply import BagOfModels, apply_model
from demucs.htdemucs import HTDemucs
from demucs.states import get_state
from safetensors.torch import save_file

from make_golden import HERE, reinitialise

SEED = 20261125
SMALL = dict(
    channels=4, nfft=512, depth=3, dconv_mode=3, dconv_comp=2, bottom_channels=0, t_layers=2,
    t_heads=2, t_hidden_scale=1.0, samplerate=44100, segment=Fraction(2800, 44100),
)
# The published arguments: `htdemucs` and `htdemucs_ft` have the same, `htdemucs_6s` has no bottom
# channels.
FULL = dict(
    channels=48, dconv_mode=3, t_layers=5, t_heads=8, t_hidden_scale=4.0, segment=Fraction(39, 5),
)
FOUR = ["drums", "bass", "other", "vocals"]
SIX = FOUR + ["guitar", "piano"]


def save_th(net, path, half=True):
    """Saves a checkpoint in the reference's form: demucs.states.serialize_model without training arguments."""
    args, kwargs = net._init_args_kwargs
    state = get_state(net, None, half=half)
    torch.save({"klass": HTDemucs, "args": args, "kwargs": kwargs, "state": state}, path)


def save_safetensors(net, path):
    """Saves the publisher's form on Hugging Face: class and arguments as JSON in the metadata."""
    def plain(value):
        return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}

    args, kwargs = net._init_args_kwargs
    metadata = {
        "klass": "demucs.htdemucs.HTDemucs",
        "args": json.dumps(args, default=plain),
        "kwargs": json.dumps(kwargs, default=plain),
    }
    state = {name: value.half().contiguous() for name, value in net.state_dict().items()}
    save_file(state, path, metadata=metadata)


def yaml(signatures, weights):
    rows = ",\n".join(f"  {row}" for row in weights)
    return f"models: {signatures}\nweights: [\n{rows}\n]\n"


def separate(model, mix, **options):
    """demucs/api.py, separate_tensor."""
    ref = mix.mean(0)
    scale = ref.std() + 1e-8
    with torch.no_grad():
        stems = apply_model(model, ((mix - ref.mean()) / scale)[None], **options)[0]
    return (stems * scale + ref.mean()).contiguous()


def small():
    bag = HERE / "bag"
    bag.mkdir(exist_ok=True)
    nets = [reinitialise(HTDemucs(["low", "high", "rest"], **SMALL)) for _ in range(2)]
    weights = [[1.0, 0.0, 1.0], [0.0, 1.0, 3.0]]
    for net, signature in zip(nets, ("aaaa0001", "bbbb0002")):
        save_th(net, bag / f"{signature}-00000000.th")
    (bag / "pair.yaml").write_text(yaml(["aaaa0001", "bbbb0002"], weights))
    mix = 0.3 * torch.randn(2, 9001) + torch.tensor([[0.05], [-0.02]])
    data = {"mix": mix, "stems": separate(BagOfModels(nets, weights), mix, shifts=0, overlap=0.25)}
    # The reference draws its shifts, up to half a second, from Python's generator.
    random.seed(SEED)
    most = int(0.5 * 44100)
    data["delays"] = torch.tensor([most - random.randint(0, most) for _ in range(2)])
    # Reduces the delays to less than a stride, like `Plan::of`.
    stride = int((1 - 0.5) * 2800)
    offsets = [most - int(delay) % stride for delay in data["delays"]]
    data["delays"] = torch.tensor([most - offset for offset in offsets])
    draw, random.randint = random.randint, lambda low, high: offsets.pop(0)
    data["shifted"] = separate(nets[0], mix, shifts=2, overlap=0.5)
    random.randint = draw
    save_file(data, bag / "pair.golden.safetensors")

    # A user's network: not rounded to half precision, with two unusual stems.
    net = HTDemucs(["Dholak", "rest of it"], **SMALL)
    reinitialise(net)
    for value in net.parameters():
        value.data += 1e-5 * torch.randn_like(value)
    save_th(net, HERE / "own.th", half=False)
    mix = 0.3 * torch.randn(2, 2800)
    with torch.no_grad():
        save_file({"mix": mix, "stems": net(mix[None])[0].contiguous()}, HERE / "own.golden.safetensors")


def full(folder):
    folder.mkdir(exist_ok=True, parents=True)
    nets = []
    for signature in ("1111aaaa", "2222bbbb", "3333cccc", "4444dddd"):
        net = reinitialise(HTDemucs(FOUR, bottom_channels=512, **FULL))
        save_th(net, folder / f"{signature}-00000000.th")
        nets.append(net)
    weights = [[1.0 if i == j else 0.0 for j in range(4)] for i in range(4)]
    (folder / "ft.yaml").write_text(yaml(["1111aaaa", "2222bbbb", "3333cccc", "4444dddd"], weights))
    six = reinitialise(HTDemucs(SIX, bottom_channels=0, **FULL))
    save_safetensors(six, folder / "six.safetensors")
    return {"ft": BagOfModels(nets, weights), "six": six}


def stems_of_song(models, song, out):
    import soundfile

    samples, rate = soundfile.read(song, dtype="float32", always_2d=True)
    assert rate == 44_100
    for name, model in models.items():
        (out / name).mkdir(exist_ok=True, parents=True)
        stems = separate(model, torch.from_numpy(samples.T.copy()), shifts=0, overlap=0.25)
        for source, stem in zip(model.sources, stems):
            soundfile.write(out / name / f"{source}.wav", stem.T.numpy(), rate, subtype="FLOAT")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", type=Path)
    parser.add_argument("--song", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(options.threads)
    if options.full is None:
        small()
    else:
        models = full(options.full)
        if options.song and options.out:
            stems_of_song(models, options.song, options.out)
