#!/usr/bin/env bash
# OpenVINO's CompiledModel, called from several threads, raises "Infer Request is busy" instead of taking turns.
#
# compiled(input) looks like a function, and a model served by threads is called like one. It keeps one infer request for itself:
# a second call while the first runs is refused, whatever number of streams the model was compiled for. Each thread needs a request
# of its own (compiled.create_infer_request()), which run side by side.
#
# openvino 2026.4.1, a convolution called 20 times by each of three threads. Seen:
#   compiled(input)              40 of 60 calls: RuntimeError: Infer Request is busy   (the number varies)
#   a request for each thread     0 of 60
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet openvino==2026.4.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import threading

import numpy as np
import openvino as ov
from openvino import opset13 as ops

THREADS, CALLS = 3, 20
picture = np.ones((1, 3, 256, 256), np.float32)
kernel = np.random.default_rng(0).random((64, 3, 7, 7), np.float32)
entry = ops.parameter(picture.shape, np.float32)
model = ov.Model([ops.convolution(entry, kernel, [1, 1], [3, 3], [3, 3], [1, 1])], [entry], "model")
compiled = ov.Core().compile_model(model, "CPU", {"NUM_STREAMS": THREADS})


def refused(make):
    """How many of the calls of all threads are refused, each calling what `make` gives it."""
    errors, together = [], threading.Barrier(THREADS)

    def calls():
        call = make()
        together.wait()
        for _ in range(CALLS):
            try:
                call(picture)
            except RuntimeError as error:
                errors.append(str(error))

    threads = [threading.Thread(target=calls) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("Infer Request is busy" in error for error in errors), errors
    return len(errors)


shared = refused(lambda: compiled)
own = refused(lambda: compiled.create_infer_request().infer)
print(f"compiled(input)             {shared:3} of {THREADS * CALLS} calls: RuntimeError: Infer Request is busy")
print(f"a request for each thread   {own:3} of {THREADS * CALLS}")
assert shared > 0, "threads may share a compiled model now"
assert own == 0
PYTHON
