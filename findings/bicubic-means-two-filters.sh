#!/usr/bin/env bash
# "Bicubic" names two filters: Pillow's has the coefficient -0.5, OpenVINO's and ONNX's -0.75.
#
# A preprocessing that moves into the graph ("resize with mode cubic") gives other pixels than the same one in Pillow, even where nothing
# is made smaller, so that Pillow's antialiasing plays no part. -0.75 overshoots more: edges get lighter and darker seams. It is also
# PyTorch's, and so the one with which position embeddings are interpolated. Interpolate has an attribute for it.
#
# Pillow 13.0.0, openvino 2026.4.1, a single white pixel in a row of 9, enlarged to 18. Seen, lowest and highest value:
#   Pillow, BICUBIC                           -0.070, 0.867
#   OpenVINO, cubic                           -0.105, 0.879
#   OpenVINO, cubic with cube_coeff = -0.5    -0.070, 0.867
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pillow==13.0.0 numpy==2.4.6 openvino==2026.4.1
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import openvino as ov
from openvino import opset13 as ops
from PIL import Image

row = np.zeros((1, 9), np.float32)
row[0, 4] = 1
pillow = np.asarray(Image.fromarray(row).resize((18, 1), Image.Resampling.BICUBIC))


def enlarged(**options):
    pixels = ops.parameter([1, 1, 1, 9], np.float32)
    larger = ops.interpolate(pixels, np.array([1, 18]), "cubic", "sizes", axes=np.array([2, 3]), **options)
    model = ov.Core().compile_model(ov.Model([larger], [pixels]), "CPU")
    return model(row[None, None])[0][0, 0]


usual, same = enlarged(), enlarged(cube_coeff=-0.5)
for name, values in (("Pillow", pillow), ("OpenVINO", usual), ("OpenVINO, -0.5", same)):
    print(f"{name:16} {values.min():.3f}, {values.max():.3f}")
assert np.abs(usual - pillow).max() > 0.03
assert np.abs(same - pillow).max() < 1e-3
PYTHON
