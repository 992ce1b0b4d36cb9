"""Weights to and from PyTorch: what torch.save, safetensors and numpy write jre reads, to the last bit; what jre writes timm loads
strictly; and a network with the same weights gives the same features."""
import os
import subprocess
import sys

import numpy as np

from common import BUILD, done, folder, jre, skipped, told

try:
    import timm
    import torch
    from safetensors.torch import load_file, save_file
except ImportError as missing:
    skipped("weights", missing)
    done()

NETWORKS = ("resnet18", "resnet34", "resnet50", "resnet101", "mobilenetv2_100")
DOCUMENT = """
# {network}

```jre
use resnet
use mobilenetv2

eye = {network}(weights = "{file}", stats = imagenet)

augment seen(x: Image) -> Image {{ x |> stretch(64px) |> normalize(eye.stats) }}

network Pooled(x: Tensor[N, 3, H, W]) -> Embedding[N, _] {{ x |> eye |> average_pool }}

embed features {{
  network Pooled
  view    seen
}}
```
"""


def rewrite(source, target):
    run = subprocess.run([os.path.join(BUILD, "tests/peers/rewrite"), source, target], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{source} could not be rewritten\n{run.stderr}")
    return load_file(target)


def written(state, place):
    """The same weights by every way there is to write them."""
    plain = {name: tensor.numpy() for name, tensor in state.items()}
    torch.save(state, place + "zip.pth")
    torch.save(state, place + "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"epoch": 3, "state_dict": {"module." + name: tensor for name, tensor in state.items()}}, place + "wrapped.pth")
    save_file(state, place + "plain.safetensors")
    np.savez(place + "arrays.npz", **plain)
    np.savez_compressed(place + "packed.npz", **plain)
    return [place + name for name in ("zip.pth", "legacy.pth", "wrapped.pth", "plain.safetensors", "arrays.npz", "packed.npz")]


def difference(state, found):
    """The largest of all numbers; without bound where names, shapes or kinds differ."""
    found = {name.removeprefix("module."): tensor for name, tensor in found.items()}
    if found.keys() != state.keys():
        return float("inf")
    same = all(found[name].shape == tensor.shape and found[name].dtype == tensor.dtype for name, tensor in state.items())
    return max(float((found[name].double() - tensor.double()).abs().max()) for name, tensor in state.items()) if same else float("inf")


def features(document, place, source, network, pictures):
    np.save(place + "input.npy", pictures)
    with open(document, "w") as file:
        file.write(DOCUMENT.format(network=network, file=source))
    jre("embed", document, "features", "--tensor", place + "input.npy", "-o", place + "features.npy")
    return np.load(place + "features.npy")


def compare(name, place):
    torch.manual_seed(1)
    network = timm.create_model(name, num_classes=0).eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1), module.running_var.uniform_(0.5, 1.5), module.num_batches_tracked.fill_(7)
    state = dict(network.state_dict())
    sources = written(state, place)
    worst = max(difference(state, rewrite(source, place + "again.safetensors")) for source in sources)
    told(f"{name}: weights by {len(sources)} ways there and back", len(sources) * len(state), worst, 0)
    pictures = np.random.default_rng(1).standard_normal((2, 3, 64, 64), dtype=np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(pictures)).numpy()
    again = timm.create_model(name, num_classes=0).eval()
    again.load_state_dict(load_file(place + "again.safetensors"), strict=True)
    with torch.no_grad():
        told(f"{name}: what jre wrote, loaded strictly", expected.size, float(np.abs(again(torch.from_numpy(pictures)).numpy() - expected).max()), 0)
    worst = max(float(np.abs(features(f"{place}{i}.jre", place, source, name, pictures) - expected).max()) for i, source in enumerate(sources))
    told(f"{name}: features by {len(sources)} ways", len(sources) * expected.size, worst / float(np.abs(expected).max()), 1e-4)


with folder() as place:
    for network in NETWORKS:
        compare(network, place + "/")
done()
