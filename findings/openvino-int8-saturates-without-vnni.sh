#!/usr/bin/env bash
# OpenVINO computes a model in 8 bits on every x86 CPU, but with other results where the CPU has neither VNNI nor AMX.
#
# Older instructions add pairs of 8-bit products in 16 bits, where large sums saturate. OpenVINO lists INT8 as a capability of such a CPU
# and says nothing. It also lists BF16 where it emulates bf16 or cannot compile a product in it. Asked for f16 it takes bf16.
#
# ONEDNN_MAX_CPU_ISA hides the newer instructions of this CPU, which must have AVX-512 VNNI. openvino 2026.4.1. Seen, for a row of 255
# times a column of 127, 256 of each (8290560):
#   AVX512_CORE_VNNI   8290560   listed: INT8 BF16   bf16: jit_gemm_bf16
#   AVX512_CORE        4194176   listed: INT8 BF16   bf16: jit_gemm_bf16
#   AVX2               4194176   listed: INT8 BF16   bf16: cannot be compiled
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet openvino==2026.4.1 numpy==2.4.6
cat >"$folder/product.py" <<'PYTHON'
import numpy as np
import openvino as ov
from openvino import opset13 as ops

SIZE = 256
core = ov.Core()
entry = ops.parameter([4, SIZE], np.float32)
levels = (np.float32(level) for level in (0, 255, 0, 255))
weights = ops.multiply(ops.convert(ops.constant(np.full((SIZE, SIZE), 127, np.int8)), "f32"), np.float32(1))
product = ops.matmul(ops.fake_quantize(entry, *levels, levels=256), weights, False, True)
compiled = core.compile_model(ov.Model([ops.result(product)], [entry], "sum"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
(found,) = compiled([np.full((4, SIZE), 255, np.float32)]).values()
listed = [name for name in ("INT8", "BF16") if name in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")]

entry = ops.parameter([4, SIZE], np.float32)
plain = ops.matmul(entry, np.ones((SIZE, SIZE), np.float32), False, True)
try:
    compiled = core.compile_model(ov.Model([ops.result(plain)], [entry], "bf16"), "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
    facts = [node.get_rt_info() for node in compiled.get_runtime_model().get_ordered_ops()]
    (kernel,) = [fact["primitiveType"].value for fact in facts if fact["layerType"].value == "FullyConnected"]
except RuntimeError:
    kernel = "cannot be compiled"
print(f"{found[0, 0]:.0f}   listed: {' '.join(listed)}   bf16: {kernel}")
PYTHON
check() {
  got=$(ONEDNN_MAX_CPU_ISA=$1 "$folder/venv/bin/python" "$folder/product.py")
  printf '%-18s %s\n' "$1" "$got"
  [[ $got == "$2"* ]] || { echo "expected $2"; exit 1; }
}
check AVX512_CORE_VNNI "8290560   listed: INT8 BF16   bf16: jit_gemm_bf16"
check AVX512_CORE "4194176   listed: INT8 BF16   bf16: jit_gemm_bf16"
check AVX2 "4194176   listed: INT8 BF16   bf16: cannot be compiled"
