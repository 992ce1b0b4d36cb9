"""pictures.py PEER FOLDER: pictures a second on one core, best of 3: a cutout is decoded, laid on gray, fitted into 224 pixels and
normalized. PEER is pillow (the same numbers as jre's) or torchvision (its own resampling, of tensors)."""
import glob
import sys
import time

import numpy as np

SIDE, MEAN, SPREAD = 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def fitted(width, height):
    scale = SIDE / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def by_pillow():
    from PIL import Image

    mean, spread = np.float32(MEAN), np.float32(SPREAD)

    def one(path):
        cutout = Image.open(path).convert("RGBA")
        filled = Image.new("RGBA", cutout.size, (128, 128, 128, 255))
        filled.alpha_composite(cutout)
        small = filled.convert("RGB").resize(fitted(*cutout.size), Image.Resampling.BICUBIC)
        canvas = Image.new("RGB", (SIDE, SIDE), (128, 128, 128))
        canvas.paste(small, ((SIDE - small.width) // 2, (SIDE - small.height) // 2))
        return ((np.asarray(canvas, dtype=np.float32) / 255 - mean) / spread).transpose(2, 0, 1)

    return one


def by_torchvision():
    import torch
    from torchvision.io import ImageReadMode, decode_image
    from torchvision.transforms.v2 import functional as step

    torch.set_num_threads(1)

    def one(path):
        cutout = decode_image(path, ImageReadMode.RGB_ALPHA)
        alpha = cutout[3:].float() / 255
        filled = cutout[:3] * alpha + 128 * (1 - alpha)
        width, height = fitted(cutout.shape[2], cutout.shape[1])
        small = step.resize(filled, [height, width], step.InterpolationMode.BICUBIC, antialias=True).clamp(0, 255)
        left, top = (SIDE - width) // 2, (SIDE - height) // 2
        canvas = step.pad(small, [left, top, SIDE - width - left, SIDE - height - top], fill=128.0)
        return step.normalize(canvas / 255, MEAN, SPREAD)

    return one


def main():
    one = {"pillow": by_pillow, "torchvision": by_torchvision}[sys.argv[1]]()
    paths, best = sorted(glob.glob(sys.argv[2] + "/*.png")), 0.0
    for _ in range(3):
        started = time.perf_counter()
        for path in paths:
            one(path)
        best = max(best, len(paths) / (time.perf_counter() - started))
    print(f"{best:.1f}")


main()
