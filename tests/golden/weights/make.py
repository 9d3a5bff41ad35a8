"""Writes the golden weight files of this folder in the reference's form.

Needs: pip install demucs==4.1.0 torch==2.15.0 safetensors==0.8.0. The network is random (seed 0) and
as small as the class allows. The files are exact, because values are only stored.
"""

import hashlib
import json
import pathlib
import struct
from fractions import Fraction

import torch
from demucs.htdemucs import HTDemucs
from demucs.states import get_state
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
torch.manual_seed(0)
sources = ["left", "right"]
net = HTDemucs(
    sources, channels=2, depth=1, nfft=64, freq_emb=0.2, norm_starts=0, norm_groups=1, dconv_comp=1,
    t_layers=1, t_heads=1, bottom_channels=4, t_hidden_scale=1.0, segment=Fraction(39, 5),
)
half = get_state(net, None, half=True)
# One tensor that is not stored in the order of its dimensions.
name = "crosstransformer.layers.0.linear1.weight"
half[name] = half[name].T.contiguous().T
assert not half[name].is_contiguous()
single = {key: value.float() for key, value in half.items()}

args, kwargs = net._init_args_kwargs
package = {"klass": HTDemucs, "args": args, "kwargs": kwargs, "training_args": {"lr": 3e-4, "a": [1, None, True]}}
torch.save({**package, "state": half}, here / "tiny.th")
# The format of older programs: an ordered dictionary with attributes.
state = net.state_dict()
for key, value in single.items():
    state[key] = value
torch.save({**package, "state": state}, here / "tiny_f32.th")


def encoded(value):
    if isinstance(value, Fraction):
        return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}
    return value


metadata = {
    "klass": "demucs.htdemucs.HTDemucs",
    "args": "[]",
    "kwargs": json.dumps({key: encoded(value) for key, value in {"sources": sources, **kwargs}.items()}),
}
save_file({key: value.contiguous() for key, value in half.items()}, here / "tiny.safetensors", metadata)

digest = hashlib.sha256()
for key in sorted(half, key=str.encode):
    value = half[key].contiguous()
    digest.update(key.encode() + b"\0" + struct.pack("<I", value.dim()))
    digest.update(b"".join(struct.pack("<Q", size) for size in value.shape) + value.numpy().tobytes())
(here / "tiny.json").write_text(json.dumps({"digest": digest.hexdigest(), "sources": sources}) + "\n")
