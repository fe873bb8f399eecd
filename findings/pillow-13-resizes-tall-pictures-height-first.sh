#!/usr/bin/env bash
# Pillow 13 resizes the height before the width where it loses more than twice as many pixels; earlier versions never do.
#
# Image.resize works in two passes, one for each side, and rounds to whole levels between them. So their order shows in the result.
# Up to Pillow 12 the width always came first. Pillow 13 resizes the height first if (height - new height) is more than twice
# (width - new width), to save time on tall pictures. A cover of 200 x 300 that a vision transformer takes as 224 x 224 is such a case:
# its width does not shrink at all. Feature vectors and hashes from the two versions then differ, with nothing to show it.
# Two calls that change one side each give the same bytes under both, those of Pillow 12.
#
# Pillow 12.3.0 and 13.0.0, random pictures. Seen, as the largest difference of a level out of 255:
#   200 x 300 to 224 x 224: 17, 300 x 450 to 224 x 224: 9, 600 x 900 to 518 x 518: 16; in two calls 0
#   600 x 900 to 224 x 224: 0, since 676 is less than twice 376
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/resize.py" <<'PYTHON'
import sys

import numpy as np
from PIL import Image

cases = [((200, 300), (224, 224)), ((300, 450), (224, 224)), ((600, 900), (518, 518)), ((600, 900), (224, 224))]
made = {}
for n, ((width, height), to) in enumerate(cases):
    pixels = np.random.default_rng(n).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    once = image.resize(to, Image.Resampling.BICUBIC)
    rows = image.resize((to[0], height), Image.Resampling.BICUBIC)
    made[f"{width} x {height} to {to[0]} x {to[1]}"] = np.stack([once, rows.resize(to, Image.Resampling.BICUBIC)])
np.savez(sys.argv[1], **made)
PYTHON
for version in 12.3.0 13.0.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet "pillow==$version" numpy==2.4.6
    "$folder/$version/bin/python" "$folder/resize.py" "$folder/$version.npz"
done
"$folder/13.0.0/bin/python" - "$folder" <<'PYTHON'
import sys

import numpy as np

earlier, later = (np.load(f"{sys.argv[1]}/{version}.npz") for version in ("12.3.0", "13.0.0"))
largest = {}
for case in earlier:
    apart = np.abs(earlier[case].astype(int) - later[case]).max(axis=(1, 2, 3))
    largest[case] = list(map(int, apart))
    same = (earlier[case][0] == earlier[case][1]).all()
    print(f"{case}: one call {apart[0]} levels apart, two calls {apart[1]}; two calls as one in Pillow 12: {same}")
    assert apart[1] == 0 and same, case
*tall, usual = largest.values()
assert all(one[0] > 0 for one in tall) and usual[0] == 0, largest
PYTHON
