#!/usr/bin/env bash
# Pillow's ImageCms converts a grey picture with a linear profile to sRGB with errors of up to 10 of 255 levels in dark parts.
#
# The same picture as RGB, with a profile whose three curves are that one, comes out right to half a level. LittleCMS optimises the
# transform of one channel into a table with few points, in which the steep beginning of sRGB's curve is lost. The flag NOOPTIMIZE
# gives the right levels; HIGHRESPRECALC, which asks for a finer table, does not.
#
# Pillow 13.0.0 with LittleCMS 2.19, numpy 2.4.6. Output seen:
#   as grey: off by 9.7 levels at level 2
#   as RGB: off by 0.5
#   as grey, NOOPTIMIZE: off by 0.5
#   as grey, HIGHRESPRECALC: off by 6.7
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pillow==13.0.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import io
import struct

import numpy as np
from PIL import Image, ImageCms

WHITE = (63190, 65536, 54061)  # D50, in 1/65536
PRIMARIES = {b"rXYZ": (28573, 14568, 911), b"gXYZ": (25239, 46985, 6364), b"bXYZ": (9378, 3979, 46786)}  # sRGB's, under D50


def xyz(values):
    return b"XYZ " + bytes(4) + struct.pack(">3i", *values)


def profile(space, more):
    """A profile of version 2 (ICC.1:2001)."""
    words = b"linear\0"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(words)) + words + bytes(78),
        b"cprt": b"text" + bytes(4) + words,
        b"wtpt": xyz(WHITE),
        **more,
    }
    start, table, data = 132 + 12 * len(tags), b"", b""
    for name, element in tags.items():
        table += name + struct.pack(">II", start + len(data), len(element))
        data += element + bytes(-len(element) % 4)
    head = struct.pack(
        ">I4xI4s4s4s12x4s28x3i", start + len(data), 0x02200000, b"mntr", space, b"XYZ ", b"acsp", *WHITE
    )
    return io.BytesIO(head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + data)


linear = b"curv" + bytes(4) + struct.pack(">I", 0)  # no points: the identity
srgb = ImageCms.createProfile("sRGB")
levels = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
light = np.arange(256) / 255
right = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)  # IEC 61966-2-1


def off(mode, **options):
    made = (
        profile(b"GRAY", {b"kTRC": linear})
        if mode == "L"
        else profile(b"RGB ", {n: xyz(v) for n, v in PRIMARIES.items()} | {b"rTRC": linear, b"gTRC": linear, b"bTRC": linear})
    )
    transform = ImageCms.buildTransform(made, srgb, mode, "RGB", **options)
    found = np.asarray(ImageCms.applyTransform(levels.convert(mode), transform))[:, :, 0].ravel()
    return np.abs(found - right)


grey, rgb = off("L"), off("RGB")
exact, fine = (off("L", flags=flag) for flag in (ImageCms.Flags.NOOPTIMIZE, ImageCms.Flags.HIGHRESPRECALC))
print(f"as grey: off by {grey.max():.1f} levels at level {grey.argmax()}")
print(f"as RGB: off by {rgb.max():.1f}")
print(f"as grey, NOOPTIMIZE: off by {exact.max():.1f}")
print(f"as grey, HIGHRESPRECALC: off by {fine.max():.1f}")
assert grey.max() > 9 and fine.max() > 6
assert rgb.max() < 1 and exact.max() < 1
PYTHON
