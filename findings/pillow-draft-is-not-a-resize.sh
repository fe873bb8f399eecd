#!/usr/bin/env bash
# Image.draft() is not a cheaper resize: a JPEG that is decoded at half its size is another picture than its halved decoding.
#
# draft() lets libjpeg leave out the high frequencies of each block of 8 x 8 pixels, which saves most of the time. Each block is
# reduced on its own, so edges ring or shift by a fraction of a pixel, by many levels on sharp pictures. A network that gets the
# pictures at just the size that draft() gives sees other pictures. If the draft is still several times as large as what is wanted,
# the resize that follows averages most of it away. The size is rounded up, too: what is beyond the edge is made up, and draft()
# returns a box with fractions that has to be passed to resize().
#
# Pillow 13.0.0, a JPEG of 600 x 900 pixels with hard edges, each resized with BICUBIC from the draft and from the whole. Seen:
#   wanted 300 x 450, draft 300 x 450   up to 78 of 255 levels apart, 7.7 on average
#   wanted 299 x 449, draft 300 x 450   5.1 on average
#   wanted 100 x 150, draft 300 x 450   1.6 on average
#   wanted 10 x 10                      the draft has 75 x 113 pixels, of which 75 x 112.5 are the picture
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pillow==13.0.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import io

import numpy as np
from PIL import Image

tiles = np.random.default_rng(0).integers(0, 256, (75, 50, 3), dtype=np.uint8)
file = io.BytesIO()
Image.fromarray(tiles).resize((600, 900), Image.Resampling.NEAREST).save(file, "JPEG", quality=90)


def apart(wanted, asked):
    whole, draft = Image.open(file).convert("RGB"), Image.open(file)
    draft.draft(None, asked)
    draft.load()
    one, other = (np.asarray(image.resize(wanted, Image.Resampling.BICUBIC)).astype(int) for image in (whole, draft))
    difference = abs(one - other)
    print(f"wanted {wanted}, draft {draft.size}: up to {difference.max()}, {difference.mean():.1f} on average")
    return difference.mean()


assert apart((300, 450), (300, 450)) > 5
assert apart((299, 449), (299, 449)) > 3
assert apart((100, 150), (300, 450)) < 2
draft = Image.open(file)
_, box = draft.draft(None, (10, 10))
print(f"wanted (10, 10): the draft has {draft.size} pixels, the picture is {box}")
assert draft.size == (75, 113) and box == (0, 0, 75.0, 112.5)
PYTHON
