#!/usr/bin/env bash
# OpenVINO's cache of compiled models (CACHE_DIR) loads a file whose weights are damaged, and computes wrong results.
#
# A cached model is checked for its version, not for its content. If some of its bytes change (a bad disk, a copy that
# broke off and was filled up with zeros), compile_model reports that it was loaded from the cache, and every result is
# wrong without an error. The folder also grows without bounds: each other model, shape or setting adds a file.
#
# openvino 2026.4.1, a matrix product; 64 bytes in the middle of the cached file are set to zero. Seen:
#   undamaged   loaded from the cache: True, results as compiled: True
#   damaged     loaded from the cache: True, results as compiled: False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet openvino==2026.4.1 numpy==2.4.6
CACHE="$folder/cache" "$folder/venv/bin/python" - <<'PYTHON'
import os
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as ops

cache = Path(os.environ["CACHE"])
entry = ops.parameter([1, 256], np.float32)
weights = np.random.default_rng(0).random((256, 256), np.float32)
model = ov.Model([ops.matmul(entry, weights, False, False)], [entry], "model")


def result():
    core = ov.Core()
    core.set_property({"CACHE_DIR": str(cache)})
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled.get_property("LOADED_FROM_CACHE"), compiled([np.ones((1, 256), np.float32)])[0]


_, made = result()
loaded, again = result()
print(f"undamaged   loaded from the cache: {loaded}, results as compiled: {np.array_equal(made, again)}")
assert loaded and np.array_equal(made, again)
(file,) = cache.glob("*.blob")
data = bytearray(file.read_bytes())
middle = len(data) // 2
data[middle : middle + 64] = bytes(64)
file.write_bytes(data)
loaded, damaged = result()
print(f"damaged     loaded from the cache: {loaded}, results as compiled: {np.array_equal(made, damaged)}")
assert loaded, "damaged files are noticed now"
assert not np.array_equal(made, damaged)
PYTHON
