"""Measure images per second from JPEG files to vectors, end to end, for a DINO ViT-S/16 with made-up weights.

One run compares it with the original Steam DINO notebook's method (DINO's formulation in PyTorch, fp32, one image at a
time) and with the machine's limit: the rate that its matrix multiplication in the same precision would allow if nothing
else took time. Then it measures batch sizes and the bundled model. Pictures: the fictional store's, or the JPEG files
of a folder:

    python benchmarks/encode.py --pictures FOLDER
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from steamdino.engines.cores import cores
from steamdino.engines.decoding import Decoded, ahead, decoded
from steamdino.features.encoder import BATCH, Encoder
from steamdino.features.model_registry import model as known
from steamdino.features.pooling import pool, unit
from steamdino.features.recipe_parser import named
from steamdino.features.runtimes.openvino import OpenVinoModel
from steamdino.features.transform import Pixels
from steamdino.gallery.vectors import Pending
from steamdino.recipe import Pooling, Transform
from steamdino.sample import draw_store
from steamdino.storage.location import LocalFile
from vit import VisionTransformer, export, vit_s16

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DINO = Transform("crop", 224, 224, "bicubic", MEAN, STD)
MODEL = known("dino-vits16")
ROUNDS, IMAGES, SEED_IMAGES = 3, 320, 40
COMPARED = 9  # rounds: PyTorch's rate varies by a quarter between rounds
Vectors = NDArray[np.float32]


def gflop_per_image() -> float:
    """Return GFLOP per image of a ViT-S/16 at 224 x 224, with two operations per multiplication."""
    tokens, dim, blocks = 197, 384, 12
    block = 4 * tokens * dim * dim + 2 * tokens * tokens * dim + 2 * tokens * dim * 4 * dim
    return 2 * (blocks * block + 196 * 768 * dim) / 1e9


def machine_limit(dtype: torch.dtype) -> float:
    """Return the best GFLOP/s of a few matrix multiplications with the shapes of a ViT-S."""
    best = 0.0
    for rows, inner, columns in ((1576, 384, 1536), (1576, 1536, 384), (2048, 2048, 2048)):
        a, b = torch.randn(rows, inner, dtype=dtype), torch.randn(inner, columns, dtype=dtype)
        for _ in range(30):
            started = time.perf_counter()
            torch.mm(a, b)
            best = max(best, 2e-9 * rows * inner * columns / (time.perf_counter() - started))
    return best


def notebook_method(model: VisionTransformer, paths: list[Path]) -> Vectors:
    """Encode one image at a time with PyTorch, preprocessed as in DINO's own evaluation."""
    mean, std = torch.tensor(MEAN)[:, None, None], torch.tensor(STD)[:, None, None]
    rows = []
    with torch.no_grad():
        for path in paths:
            image = Image.open(path).convert("RGB")
            scale = 256 / min(image.size)
            image = image.resize(
                (int(image.width * scale), int(image.height * scale)), Image.Resampling.BICUBIC
            )
            left, top = (image.width - 224) // 2, (image.height - 224) // 2
            pixels = np.asarray(image.crop((left, top, left + 224, top + 224)))
            tensor = (torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255 - mean) / std
            rows.append(model(tensor[None])[0, 0].numpy())
    return unit(np.stack(rows))


Batches = Iterator[list[Pixels]]


def batches(pending: list[Pending], transform: Transform, size: int) -> Batches:
    """Yield the batches of the program's own decoding threads."""
    stream = decoded(pending, transform, cores())
    return iter(lambda: [item.pixels for item in islice(stream, size) if isinstance(item, Decoded)], [])


def in_streams(work: Callable[[list[Pixels]], Vectors], source: Batches) -> Vectors:
    """Encode as many batches at a time as there are cores, as `steam-dino build` does."""
    return np.concatenate(list(ahead(work, source, threads=cores(), waiting=2 * cores())))


def our_way(model: OpenVinoModel, pending: list[Pending], batch_size: int) -> Vectors:
    """Encode with decoding threads ahead of OpenVINO, then pool."""

    def encode(batch: list[Pixels]) -> Vectors:
        return unit(pool(model(np.stack(batch)), Pooling("simple"), MODEL))[: len(batch)]

    return in_streams(encode, batches(pending, DINO, batch_size))


def rate(images: int, work: Callable[..., object], *arguments: object) -> float:
    """Return images per second of one call."""
    started = time.perf_counter()
    work(*arguments)
    return images / (time.perf_counter() - started)


def median_rate(images: int, work: Callable[..., object], *arguments: object) -> float:
    """Return images per second, the median of a few calls."""
    return statistics.median(rate(images, work, *arguments) for _ in range(ROUNDS))


def usable(paths: list[Path], count: int = IMAGES) -> list[Pending]:
    """Return as many pictures as needed, of those that can be decoded, and again if there are too few."""
    paths = paths[: count + 20]
    found = [
        Pending(hashlib.sha256(path.read_bytes()).hexdigest(), (LocalFile(path),), (path.stem,))
        for path in paths
    ]
    good = [item.banner for item in decoded(found, DINO, cores()) if isinstance(item, Decoded)]
    return list(islice(cycle(good), count))


def compare(folder: Path, pending: list[Pending], precision: str) -> None:
    """Compare with the notebook's method and the machine's limit, in turns."""
    model = vit_s16()
    export(model, folder / "vit.onnx")

    def compiled(batch_size: int) -> OpenVinoModel:
        return OpenVinoModel(
            folder / "vit.onnx", MODEL, DINO, batch_size=batch_size, precision=precision, streams=cores()
        )

    ours = compiled(BATCH)
    paths = [item.locations[0].path for item in pending if item.locations[0].path]
    cosines = (our_way(ours, pending[:200], BATCH) * notebook_method(model, paths[:200])).sum(axis=1)
    rounds = [
        (
            rate(IMAGES, our_way, ours, pending, BATCH),
            rate(SEED_IMAGES, notebook_method, model, paths[:SEED_IMAGES]),
            machine_limit(torch.bfloat16 if precision == "bf16" else torch.float32) / gflop_per_image(),
        )
        for _ in range(COMPARED)
    ]
    own, notebook, limit = (statistics.median(column) for column in zip(*rounds, strict=True))
    to_notebook, to_limit = (statistics.median(r[0] / r[n] for r in rounds) for n in (1, 2))
    print(f"ViT-S/16, 224 x 224, {precision}, end to end: {own:.1f} images/s")
    print(
        f"  notebook (PyTorch fp32, one at a time): {notebook:.1f} images/s; ours is {to_notebook:.2f} times as fast"
    )
    print(f"  the machine's limit: {limit:.1f} images/s; ours is {to_limit:.2f} of it")
    print(f"  lowest cosine to the notebook's vectors over {len(cosines)} pictures: {cosines.min():.5f}")
    for size in (1, 2, 4, 8, 16):
        images = median_rate(96, our_way, compiled(size), pending[:96], size)
        print(f"  end to end with batches of {size:2}: {images:.1f} images/s")


def bundled(pending: list[Pending]) -> None:
    """Measure the bundled model, end to end and from arrays, by batch size."""
    for size in (1, 2, 4, 8, 16):
        encoder = Encoder(named("bundled"), batch_size=size, streams=cores())
        transform = encoder.recipe.transform
        blank = [np.zeros((transform.height, transform.width, 3), np.uint8)] * size

        def from_files(encoder: Encoder, size: int) -> Vectors:
            return in_streams(encoder, batches(pending, encoder.recipe.transform, size))

        def from_arrays(encoder: Encoder, blank: list[Pixels]) -> Vectors:
            return in_streams(encoder, iter([blank] * (IMAGES // len(blank))))

        files = median_rate(IMAGES, from_files, encoder, size)
        arrays = median_rate(IMAGES, from_arrays, encoder, blank)
        print(
            f"bundled model, f32, batches of {size:2}: {files:.0f} images/s end to end, {arrays:.0f} from arrays"
        )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, help="a folder of JPEG files")
    given = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given is None:
            draw_store(folder)
            given = folder / "banners"
        pending = usable(sorted(given.rglob("*.jpg"))[: IMAGES + 20])
        # Imported here, since `encode_bundled.py` also runs with versions that do not have this module.
        from steamdino.features.runtimes.openvino_cpu import computes_bf16

        for precision in ("bf16", "f32") if computes_bf16() else ("f32",):
            compare(folder, pending, precision)
        bundled(pending)


if __name__ == "__main__":
    main()
