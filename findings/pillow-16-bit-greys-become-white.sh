#!/usr/bin/env bash
# Pillow's convert("L") and convert("RGB") turn nearly every 16-bit grey picture white.
#
# A PNG or TIFF of 16-bit greys opens as mode I;16. convert() does not scale 65,536 levels to 256; it clips them, so that all that is
# lighter than 0.4 % of white becomes white. No warning is given, and the result is a valid picture. Shift the levels by 8 bits.
#
# Pillow 13.0.0, a PNG with each of the 65,536 levels once. Seen:
#   convert("RGB")   99.6 % of the pixels are white
#   levels >> 8      0.4 % of the pixels are white
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pillow==13.0.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import io

import numpy as np
from PIL import Image

file = io.BytesIO()
Image.fromarray(np.arange(65536, dtype=np.uint16).reshape(256, 256)).save(file, "PNG")
image = Image.open(file)
converted = (np.asarray(image.convert("RGB")) == 255).mean()
shifted = (np.asarray(image) >> 8 == 255).mean()
print(f"mode {image.mode}: convert('RGB') makes {converted:.1%} of the pixels white, a shift by 8 bits {shifted:.1%}")
assert image.mode == "I;16" and converted > 0.99 and shifted < 0.01
PYTHON
