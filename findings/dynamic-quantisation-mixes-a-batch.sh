#!/usr/bin/env bash
# Dynamically quantised ONNX files give a row other numbers if other rows are in its batch, in ONNX Runtime and in OpenVINO.
#
# onnxruntime.quantization.quantize_dynamic, with which the 8-bit files of the model hub are made, puts DynamicQuantizeLinear before
# each matrix product. By its definition it takes one scale from the least and the greatest value of the whole tensor, which is the whole
# batch. So the vector of a picture depends on the pictures beside it, and on padding. Two vectors of one picture then differ, and
# a run that was interrupted and continued gives other numbers. Compute one row at a time, or quantise statically.
#
# onnxruntime 1.32.0, onnx 1.23.2, OpenVINO 2026.4.1; one layer of 64 x 64 with random weights. Seen, as the largest change of the first
# row's outputs, which are up to 19: 0.84 in both when a row of ten times larger values joins it; 0 when it stays alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnxruntime==1.32.0 onnx==1.23.2 openvino==2026.4.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import quantize_dynamic

rng = np.random.default_rng(0)
weights = numpy_helper.from_array(rng.normal(size=(64, 64)).astype(np.float32), "weights")
ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 64]) for name in ("given", "made")]
graph = helper.make_graph([helper.make_node("MatMul", ["given", "weights"], ["made"])], "layer", ends[:1], ends[1:], [weights])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "f32.onnx")
quantize_dynamic("f32.onnx", "int8.onnx")

session = onnxruntime.InferenceSession("int8.onnx")
compiled = openvino.Core().compile_model("int8.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
runtimes = {
    "ONNX Runtime": lambda rows: session.run(None, {"given": rows})[0],
    "OpenVINO": lambda rows: compiled(rows)[0].copy(),
}
row, larger = rng.normal(size=(2, 1, 64)).astype(np.float32)
for name, run in runtimes.items():
    alone, again, beside = run(row)[0], run(row)[0], run(np.vstack([row, 10 * larger]))[0]
    change = float(abs(beside - alone).max())
    print(f"{name}: outputs up to {abs(alone).max():.0f}; changed by up to {change:.2f} beside another row, {abs(again - alone).max():.2f} alone")
    assert change > 0.01 and (again == alone).all()
PYTHON
