"""Images per second from JPEG files to vectors, end to end, for a DINO ViT-S/16 with made-up weights.

Compared in one run with the seed's way (PyTorch in fp32, one image at a time) and with the machine's own limit: what its
matrix multiplication in the same precision would allow if nothing else took time. Then the bundled model, and the batch
sizes. Pictures: the fictional store's, or the JPEG files of a folder:

    python benchmarks/encode.py --pictures FOLDER
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import ViTConfig, ViTModel

from steamdino.features.encode import BATCH, Encoder
from steamdino.features.pooling import pool, unit
from steamdino.features.registry import named
from steamdino.features.runtimes.openvino import OpenVinoModel, computes_bf16
from steamdino.features.transform import Pixels
from steamdino.gallery.vectors import Pending
from steamdino.pipeline.decoding import decoded, default_threads
from steamdino.recipe import Pooling, Transform
from steamdino.sample import draw_store

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DINO = Transform("crop", 224, 224, "bicubic", MEAN, STD)
ROUNDS, IMAGES, SEED_IMAGES = 5, 320, 40
Vectors = NDArray[np.float32]


def vit_s16() -> ViTModel:
    """A DINO ViT-S/16 as transformers builds it, with made-up weights."""
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=384, num_attention_heads=6, intermediate_size=1536, layer_norm_eps=1e-6, attn_implementation="eager"
    )
    return ViTModel(config, add_pooling_layer=False).eval()


def export(model: ViTModel, path: Path) -> None:
    """Writes the model as ONNX: pixels to tokens."""

    class Tokens(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vit = model

        def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
            return self.vit(pixel_values).last_hidden_state

    batch = torch.export.Dim("batch")
    torch.onnx.export(
        Tokens(),
        (torch.zeros(2, 3, 224, 224),),
        path,
        input_names=["pixel_values"],
        output_names=["tokens"],
        dynamic_shapes={"pixel_values": {0: batch}},
        dynamo=True,
        verbose=False,
    )


def gflop_per_image() -> float:
    """Of a ViT-S/16 at 224 x 224, two operations for each multiplication."""
    tokens, dim, blocks = 197, 384, 12
    block = 4 * tokens * dim * dim + 2 * tokens * tokens * dim + 2 * tokens * dim * 4 * dim
    return 2 * (blocks * block + 196 * 768 * dim) / 1e9


def machine_limit(dtype: torch.dtype) -> float:
    """GFLOP/s of the best of a few matrix multiplications with the shapes of a ViT-S."""
    best = 0.0
    for rows, inner, columns in ((1576, 384, 1536), (1576, 1536, 384), (2048, 2048, 2048)):
        a, b = torch.randn(rows, inner, dtype=dtype), torch.randn(inner, columns, dtype=dtype)
        for _ in range(30):
            started = time.perf_counter()
            torch.mm(a, b)
            best = max(best, 2e-9 * rows * inner * columns / (time.perf_counter() - started))
    return best


def seeds_way(model: ViTModel, paths: list[Path]) -> Vectors:
    """One image at a time through PyTorch, preprocessed as DINO's own evaluation does it."""
    mean, std = torch.tensor(MEAN)[:, None, None], torch.tensor(STD)[:, None, None]
    rows = []
    with torch.no_grad():
        for path in paths:
            image = Image.open(path).convert("RGB")
            scale = 256 / min(image.size)
            image = image.resize((int(image.width * scale), int(image.height * scale)), Image.Resampling.BICUBIC)
            left, top = (image.width - 224) // 2, (image.height - 224) // 2
            pixels = np.asarray(image.crop((left, top, left + 224, top + 224)))
            tensor = (torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255 - mean) / std
            rows.append(model(tensor[None]).last_hidden_state[0, 0].numpy())
    return unit(np.stack(rows))


def batches(pending: list[Pending], transform: Transform, size: int) -> Iterator[list[Pixels]]:
    """What the program's own decoding threads bring."""
    stream = decoded(pending, transform, default_threads())
    while batch := [item.pixels for item in itertools.islice(stream, size) if item.pixels is not None]:
        yield batch


def our_way(model: OpenVinoModel, pending: list[Pending]) -> Vectors:
    """Decoding threads ahead of OpenVINO, then pooling, as `steam-dino build` does it."""
    rows = []
    for batch in batches(pending, DINO, model.batch_size):
        tokens = model(np.stack(batch))[: len(batch)]
        rows.append(unit(pool(tokens, Pooling("simple"), family="vit")))
    return np.concatenate(rows)


def rate(images: int, work: Callable[[], object]) -> float:
    """Images per second."""
    started = time.perf_counter()
    work()
    return images / (time.perf_counter() - started)


def usable(paths: list[Path]) -> list[Pending]:
    """The pictures that can be decoded, as many as are needed."""
    import hashlib

    found = [Pending(hashlib.sha256(path.read_bytes()).hexdigest(), (path,), (path.stem,)) for path in paths]
    good = [item.banner for item in decoded(found, DINO, default_threads()) if item.pixels is not None]
    return list(itertools.islice(itertools.cycle(good), IMAGES))


def compare(folder: Path, pending: list[Pending], precision: str) -> None:
    """Ours against the seed's way and the machine's limit, in turns."""
    model = vit_s16()
    export(model, folder / "vit.onnx")
    compiled = OpenVinoModel(folder / "vit.onnx", DINO, batch_size=BATCH, precision=precision)
    paths = [item.paths[0] for item in pending]
    cosines = (our_way(compiled, pending[:200]) * seeds_way(model, paths[:200])).sum(axis=1)
    pairs = [
        (
            rate(IMAGES, lambda: our_way(compiled, pending)),
            rate(SEED_IMAGES, lambda: seeds_way(model, paths[:SEED_IMAGES])),
            machine_limit(torch.bfloat16 if precision == "bf16" else torch.float32) / gflop_per_image(),
        )
        for _ in range(ROUNDS)
    ]
    ours, seeds, limit = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"ViT-S/16, 224 x 224, {precision}, end to end: {ours:.1f} images/s")
    print(f"  seed's way (PyTorch fp32, one at a time): {seeds:.1f} images/s; ours is {statistics.median(a / b for a, b, _ in pairs):.2f} times as fast")
    print(f"  the machine's own limit: {limit:.1f} images/s; ours is {statistics.median(a / c for a, _, c in pairs):.2f} of it")
    print(f"  least cosine to the seed's vectors over {len(cosines)} pictures: {cosines.min():.5f}")
    x = np.zeros((1, 224, 224, 3), np.uint8)
    for size in (1, 4, 8, 16, 32):
        sized = OpenVinoModel(folder / "vit.onnx", DINO, batch_size=size, precision=precision)
        sized(x)
        print(f"  from arrays, batch {size:2}: {rate(96, lambda: [sized(x) for _ in range(96 // size)]):.1f} images/s")


def bundled(pending: list[Pending]) -> None:
    """The bundled model, end to end and from arrays, by batch size."""
    for size in (4, 8, 16, 32):
        encoder = Encoder(named("bundled"), batch_size=size)
        transform = encoder.recipe.transform
        blank = [np.zeros((transform.height, transform.width, 3), np.uint8)] * size
        encoder(blank)
        whole = [
            rate(IMAGES, lambda: [encoder(batch) for batch in batches(pending, transform, size)]) for _ in range(ROUNDS)
        ]
        arrays = [rate(8 * size, lambda: [encoder(blank) for _ in range(8)]) for _ in range(ROUNDS)]
        print(
            f"bundled model, f32, batch {size:2}: {statistics.median(whole):.0f} images/s end to end,"
            f" {statistics.median(arrays):.0f} from arrays"
        )


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, help="a folder of JPEG files")
    given = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given is None:
            draw_store(folder)
            given = folder / "banners"
        pending = usable(sorted(given.rglob("*.jpg"))[: IMAGES + 20])
        for precision in ("bf16", "f32") if computes_bf16() else ("f32",):
            compare(folder, pending, precision)
        bundled(pending)


if __name__ == "__main__":
    main()
