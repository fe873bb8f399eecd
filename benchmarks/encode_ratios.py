"""Compare ways to encode, from JPEG files to vectors, in turns within one run.

A DINO ViT-S/16 with made-up weights:

* ours in int8 (the rest in bf16 where the CPU has it), bf16 and f32;
* fastembed's and rclip's way: Pillow decodes and resizes in the calling thread, ONNX Runtime computes batches in f32;
* the original Steam DINO notebook's way: PyTorch in f32, one picture at a time.

And the bundled model, by this version and by another one whose `src` is given. Quantising and the comparison of
neighbours take minutes. `--prepare` does that alone, so that the measurement needs a quiet machine for less time:

    python benchmarks/encode_ratios.py --pictures FOLDER --work WORK --prepare
    python benchmarks/encode_ratios.py --pictures FOLDER --work WORK --against ../581b3c2/src
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from encode import DINO, MODEL, Vectors, notebook_method, our_way, rate, usable
from steamdino.analysis.evaluation.agreement import agreement, neighbours
from steamdino.engines.cores import cores
from steamdino.engines.decoding import Decoded, decoded
from steamdino.features.encoder import BATCH
from steamdino.features.pooling import unit
from steamdino.features.runtimes import openvino_quantise
from steamdino.features.runtimes.openvino import OpenVinoModel
from steamdino.features.runtimes.openvino_cpu import computes_bf16
from steamdino.features.transform import normalise, prepare
from steamdino.index.exact import ExactIndex
from vit import export, vit_s16

CALIBRATED, COMPARED = 120, 1000
ROUNDS, IMAGES, SLOW_IMAGES = 5, 96, 16
PEER_BATCH = 16
INT8 = "int8"


def prepared(work: Path, paths: list[Path]) -> None:
    """Write the network in f32 and in int8, and how near their vectors are, unless they are there."""
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "vit.onnx").exists():
        export(vit_s16(), work / "vit.onnx")
    if (work / "near.json").exists():
        return
    pending = usable(paths, CALIBRATED + COMPARED)
    pixels = [one.pixels for one in decoded(pending, DINO, cores()) if isinstance(one, Decoded)]
    made = openvino_quantise.quantise(work / "vit.onnx", replace(MODEL, transform=DINO), pixels[:CALIBRATED])
    openvino_quantise.save(made, work / f"{INT8}.xml")
    others = pending[CALIBRATED:]
    vectors = {
        name: our_way(_compiled(work, name, precision), others, BATCH)
        for name, precision in (("f32", "f32"), ("bf16", _low()), (INT8, _low()))
    }
    rows = np.arange(len(others))
    near = {name: neighbours(ExactIndex(each), rows) for name, each in vectors.items()}
    figures = {}
    for name in ("bf16", INT8):
        cosines = (vectors[name] * vectors["f32"]).sum(axis=1)
        figures[name] = {
            "pictures": len(others),
            "least": float(cosines.min()),
            "first": float(np.percentile(cosines, 1)),
            "median": float(np.median(cosines)),
            "recall@10": float(agreement([near[name], near["f32"]])[0, 1]),
        }
    (work / "near.json").write_text(json.dumps(figures, indent=2))


def _low() -> str:
    return "bf16" if computes_bf16() else "f32"


def _compiled(work: Path, name: str, precision: str) -> OpenVinoModel:
    file = work / (f"{INT8}.xml" if name == INT8 else "vit.onnx")
    return OpenVinoModel(file, MODEL, DINO, batch_size=BATCH, precision=precision, streams=cores())


def peers_way(session: onnxruntime.InferenceSession, paths: list[Path]) -> Vectors:
    """Decode and resize with Pillow in this thread, and compute batches with ONNX Runtime."""
    rows = []
    for start in range(0, len(paths), PEER_BATCH):
        batch = []
        for path in paths[start : start + PEER_BATCH]:
            with Image.open(path) as image:
                batch.append(prepare(image.convert("RGB"), DINO))
        (tokens,) = session.run(None, {"pixel_values": normalise(np.stack(batch), DINO)})
        rows.append(tokens[:, 0])
    return unit(np.concatenate(rows))


def transformer(work: Path, paths: list[Path]) -> None:
    """Measure all ways for the ViT in turns, and print each one's rate and its ratio to bf16."""
    pending = usable(paths, IMAGES)
    files = [path for one in pending if (path := one.locations[0].path)]
    session = onnxruntime.InferenceSession(work / "vit.onnx", providers=["CPUExecutionProvider"])
    module = vit_s16()

    def ours(name: str, precision: str) -> Callable[[], object]:
        model = _compiled(work, name, precision)
        return lambda: our_way(model, pending, BATCH)

    ways: dict[str, tuple[int, Callable[[], object]]] = {
        f"int8, rest {_low()}": (IMAGES, ours(INT8, _low())),
        "int8, rest f32": (IMAGES, ours(INT8, "f32")),
        _low(): (IMAGES, ours("bf16", _low())),
        "f32": (SLOW_IMAGES, lambda: our_way(floats, pending[:SLOW_IMAGES], BATCH)),
        "ONNX Runtime, f32, Pillow": (SLOW_IMAGES, lambda: peers_way(session, files[:SLOW_IMAGES])),
        "PyTorch, f32, one at a time": (SLOW_IMAGES, lambda: notebook_method(module, files[:SLOW_IMAGES])),
    }
    floats = _compiled(work, "f32", "f32")
    rounds = [{name: rate(count, run) for name, (count, run) in ways.items()} for _ in range(ROUNDS)]
    print(f"ViT-S/16, JPEG to vector, medians of {ROUNDS} rounds in turns:")
    for name in ways:
        ratio = statistics.median(one[name] / one[_low()] for one in rounds)
        images = statistics.median(one[name] for one in rounds)
        print(f"  {name:28} {images:6.1f} images/s, {ratio:.2f} times {_low()}")
    for name, figures in json.loads((work / "near.json").read_text()).items():
        print(f"  {name} to f32: " + ", ".join(f"{key} {value:.5g}" for key, value in figures.items()))


def bundled(work: Path, pictures: Path, against: Path) -> None:
    """Compare this version's bundled model with another version's, in processes that take turns."""
    rates: dict[str, list[float]] = {"now": [], "before": []}
    script = Path(__file__).with_name("encode_bundled.py")
    sources = {"now": script.parents[1] / "src", "before": against.absolute()}
    for _ in range(3):
        for name, source in sources.items():
            done = subprocess.run(
                [sys.executable, str(script), str(pictures), str(work / f"{name}.npy")],
                env={**os.environ, "PYTHONPATH": str(source)},
                capture_output=True,
                text=True,
                check=True,
            )
            rates[name].append(float(done.stdout))
    ratio = statistics.median(a / b for a, b in zip(rates["now"], rates["before"], strict=True))
    cosines = (np.load(work / "now.npy") * np.load(work / "before.npy")).sum(axis=1)
    now, before = (statistics.median(rates[name]) for name in ("now", "before"))
    print(f"bundled model, JPEG to vector: {now:.0f} images/s now, {before:.0f} before, {ratio:.2f} times")
    print(f"  least cosine to before over {len(cosines)} pictures: {cosines.min():.6f}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="a folder of JPEG files")
    parser.add_argument("--work", type=Path, required=True, help="a folder for the networks")
    parser.add_argument(
        "--prepare", action="store_true", help="only make the networks, and compare their vectors"
    )
    parser.add_argument("--against", type=Path, help="the src folder of another version")
    given = parser.parse_args()
    paths = sorted(given.pictures.rglob("*.jpg"))
    paths = paths[:: max(1, len(paths) // 1500)]
    prepared(given.work, paths)
    if given.prepare:
        print((given.work / "near.json").read_text())
        return
    transformer(given.work, paths)
    if given.against:
        bundled(given.work, given.pictures, given.against)


if __name__ == "__main__":
    main()
