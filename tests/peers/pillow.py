"""Pictures of random sizes and kinds through every step that draws nothing, beside Pillow: the same bits.

PNGs of every kind are written here byte by byte, JPEGs by Pillow. What jre makes of them is read off inside a network that does
nothing: `jre embed --tap`."""
import io
import math
import os
import random
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

from common import done, folder, jre, told

DOCUMENT = """# One view

```jre
augment seen(x: Image) -> Image {{ x |> {steps} }}

network Eye(x: Tensor[N, C, H, W]) -> Embedding[N, _] {{
  inside = relu(x)
  inside |> average_pool
}}

embed numbers {{
  network Eye
  view    seen
}}
```
"""
FILTERS = {"nearest": Image.NEAREST, "box": Image.BOX, "bilinear": Image.BILINEAR, "hamming": Image.HAMMING, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}
FILLS = {"white": (255, 255, 255), "black": (0, 0, 0), "gray": (128, 128, 128)}
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
draw = random.Random(5)


# ---- pictures ------------------------------------------------------------------------------------------------------------------------

def chunk(name, inside):
    return struct.pack(">I", len(inside)) + name + inside + struct.pack(">I", zlib.crc32(name + inside))


def png(kind, depth, width, height, clear):
    """A PNG of smooth and busy parts; `clear`: with a transparent color, or transparent entries of its palette."""
    bits, rows = depth * CHANNELS[kind] * width, []
    for y in range(height):
        row = bytes((x * 3 + y * 5 if x < 9 else draw.randrange(256)) & 255 for x in range((bits + 7) // 8))
        rows.append(b"\0" + row)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)) + chunk(b"gAMA", struct.pack(">I", 30000))
    if kind == 3:
        head += chunk(b"PLTE", bytes(draw.randrange(256) for _ in range(3 << depth)))
        if clear:
            head += chunk(b"tRNS", bytes(draw.choice((0, 255, 90)) for _ in range(1 << depth)))
    elif clear:
        head += chunk(b"tRNS", b"".join(struct.pack(">H", draw.choice((0, 1, 255, rows[0][1]))) for _ in range(CHANNELS[kind])))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")


def jpeg(width, height):
    """Gray, colors, inks; baseline or progressive; any subsampling."""
    mode = draw.choice(("L", "RGB", "RGB", "CMYK"))
    small = Image.frombytes(mode, (5, 4), bytes(draw.randrange(256) for _ in range(20 * len(mode))))
    out = io.BytesIO()
    options = {"quality": draw.randrange(30, 98), "progressive": draw.random() < 0.5}
    if mode == "RGB":
        options["subsampling"] = draw.randrange(3)
    small.resize((width, height), Image.BICUBIC).save(out, "JPEG", **options)
    return out.getvalue()


def any_picture(most):
    width, height = draw.randrange(1, most), draw.randrange(1, most)
    if draw.random() < 0.3:
        return "jpg", jpeg(width, height)
    kind = draw.choice((0, 2, 3, 4, 6))
    depth = draw.choice({0: (1, 2, 4, 8, 16), 3: (1, 2, 4, 8)}.get(kind, (8, 16)))
    return "png", png(kind, depth, width, height, kind < 4 and draw.random() < 0.5)


def filled(image, color):
    """What is transparent lies on a color."""
    if "transparency" not in image.info and "A" not in image.getbands():
        return image.convert("RGB")
    image = image.convert("RGBA")
    ground = Image.new("RGB", image.size, color)
    ground.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return ground


# ---- views -----------------------------------------------------------------------------------------------------------------------------

def centered(image, side, fill):
    """torchvision's center_crop."""
    left, top = max(0, (side - image.width) // 2), max(0, (side - image.height) // 2)
    ground = Image.new("RGB", (max(side, image.width), max(side, image.height)), fill)
    ground.paste(image, (left, top))
    left, top = round((ground.width - side) / 2), round((ground.height - side) / 2)
    return ground.crop((left, top, left + side, top + side))


def shorter(image, side, name):
    """torchvision's Resize of one number."""
    short, long = min(image.size), max(image.size)
    other = int(side * long / short)
    size = (side, other) if image.width <= image.height else (other, side)
    return image if image.size == size else image.resize(size, FILTERS[name])


def any_view():
    """jre's steps, and the same in Pillow."""
    side, name, fill, angle = draw.randrange(4, 60), draw.choice(list(FILTERS)), draw.choice(list(FILLS)), draw.randrange(-360, 360)
    color = FILLS[fill]
    ground = lambda image: filled(image, color)
    stretch = lambda image: ground(image).resize((side, side), FILTERS[name])
    first = f"stretch({side}px, fill = {fill}, filter = {name})"
    return draw.choice((
        (first, stretch),
        (f"resize({side}px, fill = {fill}, filter = {name}) |> center({side}px)", lambda image: centered(shorter(ground(image), side, name), side, color)),
        (f"center({side}px, fill = {fill})", lambda image: centered(ground(image), side, color)),
        (f"{first} |> rotate({angle}deg, fill = {fill})", lambda image: stretch(image).rotate(angle, Image.BILINEAR, fillcolor=color)),
        (f"{first} |> gray", lambda image: stretch(image).convert("L").convert("RGB")),
        (f"{first} |> flip(chance = 1)", lambda image: ImageOps.mirror(stretch(image))),
        (f"{first} |> corner({side // 2 + 1}px, at = bottom_right)", lambda image: stretch(image).crop((side - side // 2 - 1,) * 2 + (side,) * 2)),
    ))


def through(steps, pictures, into):
    """Rows of 8-bit pixels [height, width, 3], as jre sees the files."""
    document = os.path.join(into, "view.jre")
    with open(document, "w") as file:
        file.write(DOCUMENT.format(steps=steps))
    out = os.path.join(into, "seen.npy")
    jre("embed", document, "numbers", *pictures, "--tap", "inside", "-o", out, "--quiet")
    values = np.load(out).reshape(len(pictures), 3, -1)
    side = math.isqrt(values.shape[2])
    pixels = np.rint(values * 255)
    assert (values == (pixels.astype(np.float32) / np.float32(255))).all()
    return pixels.reshape(-1, 3, side, side).transpose(0, 2, 3, 1)


def put(into, number, picture):
    path = os.path.join(into, f"{number}.{picture[0]}")
    with open(path, "wb") as file:
        file.write(picture[1])
    return path


def main():
    with folder() as into:
        worst, count = 0.0, 0
        for _ in range(60):
            steps, expected = any_view()
            paths = [put(into, i, any_picture(draw.choice((12, 90, 400)))) for i in range(12)]
            for path, seen in zip(paths, through(steps, paths, into)):
                theirs = np.asarray(expected(Image.open(path)), dtype=np.float64)
                apart = np.abs(seen - theirs).max()
                if apart > worst:
                    print(f"{steps}: {open(path, 'rb').read(26).hex()} differs by {apart:g}")
                worst, count = max(worst, apart), count + 1
        told("views of random pictures beside Pillow", count, worst, 0)


main()
done()
