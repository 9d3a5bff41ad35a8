#!/usr/bin/env python3
"""Creates small checkpoints in every form in which the community shares networks, for the import tests.

    make.py [FOLDER]

Needs torch, einops, rotary-embedding-torch, librosa, beartype, pyyaml, safetensors and audio-separator 0.47.1 (installed
without its dependencies): its classes have the keys and shapes of Music-Source-Separation-Training's. MDX23C's class is
defined here. The values are seeded; nothing is computed with them.
"""
import argparse, collections, importlib, importlib.util, random, sys, types, warnings
from pathlib import Path

warnings.filterwarnings("ignore")
import numpy as np, torch, yaml
from safetensors.torch import save_file
from torch import nn

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)


def classes():
    """The two RoFormers, without the imports of their package."""
    place = Path(list(importlib.util.find_spec("audio_separator").submodule_search_locations)[0])
    name = "audio_separator"
    for part in ("", "separator", "uvr_lib_v5", "roformer"):
        if part:
            name, place = f"{name}.{part}", place / part
        package = types.ModuleType(name)
        package.__path__ = [str(place)]
        sys.modules[name] = package
    load = lambda module: importlib.import_module(f"{name}.{module}")
    return load("mel_band_roformer").MelBandRoformer, load("bs_roformer").BSRoformer


MEL, BS = classes()
ROFORMER = dict(
    dim=4, depth=1, stereo=True, time_transformer_depth=1, freq_transformer_depth=1, dim_head=4, heads=2, attn_dropout=0,
    ff_dropout=0, flash_attn=False, stft_n_fft=64, stft_hop_length=16, stft_win_length=64, mlp_expansion_factor=1,
)
BANDS = dict(ROFORMER, freqs_per_bands=(2, 6, 25), num_stems=2, mask_estimator_depth=2)
# audio-separator's class does not pass the expansion factor on.
MEL_BANDS = dict(ROFORMER, mlp_expansion_factor=4, num_bands=3, num_stems=1, mask_estimator_depth=1, sample_rate=44100)


def roformer(kind, arguments, seed):
    torch.manual_seed(seed)
    return kind(**arguments).eval()


def mdx23c():
    """The layers of MSST's `TFC_TDF_net`: 2 scales, 4 channels, growth 2, 4 subbands of 8 bins, 2 stems."""
    def norm(c): return nn.InstanceNorm2d(c, affine=True)
    def tfc(inputs, c, f):
        net, net.blocks = nn.Module(), nn.ModuleList()
        for _ in range(1):
            block = nn.Module()
            block.tfc1 = nn.Sequential(norm(inputs), nn.GELU(), nn.Conv2d(inputs, c, 3, 1, 1, bias=False))
            block.tdf = nn.Sequential(
                norm(c), nn.GELU(), nn.Linear(f, f // 2, bias=False), norm(c), nn.GELU(), nn.Linear(f // 2, f, bias=False))
            block.tfc2 = nn.Sequential(norm(c), nn.GELU(), nn.Conv2d(c, c, 3, 1, 1, bias=False))
            block.shortcut = nn.Conv2d(inputs, c, 1, 1, 0, bias=False)
            net.blocks.append(block)
            inputs = c
        return net
    torch.manual_seed(3)
    net, c, g, f, dim_c = nn.Module(), 2, 1, 8, 16
    net.first_conv = nn.Conv2d(dim_c, c, 1, 1, 0, bias=False)
    net.encoder_blocks, net.decoder_blocks = nn.ModuleList(), nn.ModuleList()
    for _ in range(2):
        block = nn.Module()
        block.tfc_tdf, block.downscale = tfc(c, c, f), nn.Module()
        block.downscale.conv = nn.Sequential(norm(c), nn.GELU(), nn.Conv2d(c, c + g, 2, 2, bias=False))
        f, c = f // 2, c + g
        net.encoder_blocks.append(block)
    net.bottleneck_block = tfc(c, c, f)
    for _ in range(2):
        block = nn.Module()
        block.upscale = nn.Module()
        block.upscale.conv = nn.Sequential(norm(c), nn.GELU(), nn.ConvTranspose2d(c, c - g, 2, 2, bias=False))
        f, c = f * 2, c - g
        block.tfc_tdf = tfc(2 * c, c, f)
        net.decoder_blocks.append(block)
    net.final_conv = nn.Sequential(
        nn.Conv2d(c + dim_c, c, 1, 1, 0, bias=False), nn.GELU(), nn.Conv2d(c, 2 * dim_c, 1, 1, 0, bias=False))
    return net


def configuration(name, model, instruments, target=None, **sections):
    text = {
        "audio": {"chunk_size": 1600, "dim_f": 32, "dim_t": 101, "hop_length": 16, "n_fft": 64, "num_channels": 2,
                  "sample_rate": 44100, "min_mean_abs": 0.0},
        "model": model,
        "training": {"instruments": instruments, "target_instrument": target, "lr": 1e-5, "batch_size": 2},
        "inference": {"batch_size": 1, "dim_t": 101, "num_overlap": 2},
    }
    for section, values in sections.items():
        text[section] = values
    (OUT / name).write_text(yaml.dump(text))  # tuples as !!python/tuple, as in the field


class Callback:
    """An object of a trainer, whose class is unknown to readers of the file."""
    def __init__(self): self.best, self.paths = np.float64(9.5), {"a"}


def half(state, dtype):
    return {k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    bands, mel = roformer(BS, BANDS, 1), roformer(MEL, MEL_BANDS, 2)

    # Only the state, with the configuration beside it under the same name.
    torch.save(bands.state_dict(), OUT / "plain.ckpt")
    configuration("plain.yaml", BANDS, ["vocals", "other"])

    # Lightning: the state under `state_dict` with a prefix, beside callbacks and hyperparameters.
    state = collections.OrderedDict((f"model.{k}", v) for k, v in mel.half().state_dict().items())
    torch.save({
        "epoch": 3, "global_step": 2 ** 70, "pytorch-lightning_version": "2.0", "state_dict": state,
        "callbacks": {"ModelCheckpoint": Callback()}, "optimizer_states": [], "loops": None,
        "hyper_parameters": argparse.Namespace(lr=1e-5, args=["x"]), "rng": random.Random(1).getstate()[1][:4],
    }, OUT / "lightning.ckpt")
    configuration("config_lightning.yaml", MEL_BANDS, ["vocals", "other"], "vocals")

    # MSST's full checkpoint: the state under `model_state_dict`, beside an optimiser's three values
    # for each tensor (here only for a few tensors, so that the file is small).
    network = roformer(BS, dict(BANDS, num_stems=1), 4)
    few = list(network.parameters())[:4]
    adam = torch.optim.Adam(few, lr=1e-3)
    for p in few: p.grad = torch.full_like(p, 0.5)
    adam.step()
    torch.save({
        "epoch": 1, "model_state_dict": network.half().state_dict(), "optimizer_state_dict": adam.state_dict(),
        "scheduler_state_dict": torch.optim.lr_scheduler.ReduceLROnPlateau(adam).state_dict(),
        "best_metric": np.float32(1.5), "all_metrics": {"sdr": [np.float64(2.0)]},
    }, OUT / "full.ckpt")

    # bf16 under `model`, with stacked prefixes and a counter.
    state = {f"module._orig_mod.{k}": v for k, v in half(mel.state_dict(), torch.bfloat16).items()}
    state["module._orig_mod.num_batches_tracked"] = torch.tensor(7)
    torch.save({"model": state}, OUT / "stacked.pt")

    # Double precision under `state`, with all tensors as views of one storage.
    state = roformer(BS, dict(BANDS, num_stems=1), 5).state_dict()
    flat, at, views = torch.cat([v.double().flatten() for v in state.values()]), 0, {}
    for name, value in state.items():
        views[name] = flat[at:at + value.numel()].view(value.shape)
        at += value.numel()
    torch.save({"state": views, "kwargs": Callback()}, OUT / "shared.pth")

    # MDX23C, with a configuration that only Ultimate Vocal Remover's loader understands.
    net = mdx23c()
    torch.save(half(net.state_dict(), torch.float16), OUT / "mdx23c.bin")
    model = {"act": "gelu", "bottleneck_factor": 2, "growth": 1, "norm": "InstanceNorm", "num_blocks_per_scale": 1,
             "num_channels": 2, "num_scales": 2, "num_subbands": 4, "scale": [2, 2]}
    audio = {"dim_f": 32, "hop_length": 16, "n_fft": 64, "num_channels": 2, "sample_rate": 44100}
    configuration("mdx23c.yml", model, ["Vocals", "Instrumental"], audio=audio,
                  inference={"dim_t": 104, "num_overlap": 4})

    # Hugging Face's layout, in a separate folder.
    (OUT / "converted").mkdir(exist_ok=True)
    state = {k: v.contiguous().clone() for k, v in half(mel.state_dict(), torch.float16).items()}
    save_file(state, OUT / "converted/model.safetensors", {"format": "pt"})
    configuration("converted/config.yaml", MEL_BANDS, ["vocals", "other"], "vocals")

    # Refused: the format before PyTorch 1.6, a whole network, and a custom class in the state.
    few = {"a": torch.zeros(2)}
    torch.save(few, OUT / "legacy.ckpt", _use_new_zipfile_serialization=False)
    torch.save(nn.Linear(1, 1), OUT / "whole.pt")
    torch.save({"state_dict": {"a": Callback()}}, OUT / "object.ckpt")


if __name__ == "__main__":
    main()
