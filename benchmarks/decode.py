"""Measure what a picture costs on its way to a vector, and compare decoders of JPEG files.

First it divides the processor time of a picture among reading, decoding, resizing, inference and the rest. Then it
decodes the same files with Pillow and with the other libraries that are installed, alone and in threads, and compares
the bundled model's vectors with today's: by cosine, the least of all pictures. Their pixels go through the same resize,
except those of the methods named "and resizes", which resize by themselves.

    pip install simplejpeg imagecodecs kornia-rs "pyvips[binary]"
    python benchmarks/decode.py --pictures FOLDER

Pictures: the JPEG files of a folder, or the fictional store's. They are measured at their own size and, enlarged and
saved again, as banners of 600 x 900.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steamdino.banners.decode import decode
from steamdino.engines.cores import cores
from steamdino.engines.engine import EngineSettings
from steamdino.engines.local import LocalEngine
from steamdino.features.encoder import BATCH, Encoder
from steamdino.features.recipe_parser import named
from steamdino.features.transform import Pixels, prepare, sufficient_size
from steamdino.gallery.vectors import Pending
from steamdino.recipe import Recipe
from steamdino.sample import draw_store
from steamdino.storage.location import LocalFile

LARGE = (600, 900)
ROUNDS = 3
Method = Callable[[bytes], Pixels]
Out = TypeVar("Out")


def methods(recipe: Recipe) -> Iterator[tuple[str, Method]]:
    """Yield the name and the function of each decoder that is installed: from a file's bytes to the model's pixels."""
    transform = recipe.transform
    enough = sufficient_size(transform)

    def prepared(pixels: NDArray[np.uint8]) -> Pixels:
        return prepare(Image.fromarray(pixels), transform)

    yield (
        f"Pillow {version('pillow')} (today)",
        lambda data: prepare(decode(data, enough, colours=transform.colours), transform),
    )
    yield (
        "Pillow, and nothing but decoding",
        lambda data: prepare(Image.open(io.BytesIO(data), formats=["JPEG"]).convert("RGB"), transform),
    )
    try:
        import simplejpeg

        yield f"simplejpeg {version('simplejpeg')}", lambda data: prepared(simplejpeg.decode_jpeg(data))
        yield (
            "simplejpeg, fast IDCT and upsampling",
            lambda data: prepared(simplejpeg.decode_jpeg(data, fastdct=True, fastupsample=True)),
        )
    except ImportError:
        pass
    try:
        import imagecodecs

        yield f"imagecodecs {version('imagecodecs')}", lambda data: prepared(imagecodecs.jpeg8_decode(data))
    except ImportError:
        pass
    try:
        from kornia_rs import io as kornia

        name = f"kornia-rs {version('kornia-rs')}"
        yield f"{name}, libjpeg-turbo", lambda data: prepared(kornia.decode_image_jpegturbo(data, "rgb"))
        yield f"{name}, in Rust", lambda data: prepared(kornia.decode_image_jpeg(data))
    except ImportError:
        pass
    try:
        import pyvips

        pyvips.cache_set_max(0)
        yield (
            f"pyvips {version('pyvips')}",
            lambda data: prepared(pyvips.Image.new_from_buffer(data, "").numpy()),
        )
        yield (
            "pyvips, and resizes",
            lambda data: pyvips.Image.thumbnail_buffer(
                data, transform.width, height=transform.height, size="force"
            ).numpy(),
        )
    except (ImportError, OSError):
        pass


def compare(files: Sequence[bytes], recipe: Recipe, encoder: Encoder) -> None:
    """Print a table of all decoders on some files."""
    found = list(methods(recipe))
    today = vectors(encoder, [found[0][1](data) for data in files])
    of_a_core: dict[str, list[float]] = {name: [] for name, _ in found}
    threaded: dict[str, list[float]] = {name: [] for name, _ in found}
    for _ in range(ROUNDS):
        for name, method in found:
            started = time.process_time()
            milliseconds(files, method, 1)
            of_a_core[name].append(1000 * (time.process_time() - started) / len(files))
            threaded[name].append(milliseconds(files, method, cores()))
    print(f"{'':38} {'ms of a core':>13} {f'ms, {cores()} threads':>14} {'least cosine':>13}")
    for name, method in found:
        cosine = (vectors(encoder, [method(data) for data in files]) * today).sum(axis=1).min()
        print(
            f"{name:38} {statistics.median(of_a_core[name]):13.2f} {statistics.median(threaded[name]):14.2f}"
            f" {cosine:13.6f}"
        )


def milliseconds(files: Sequence[bytes], method: Method, threads: int) -> float:
    """Return the milliseconds of a picture, by the clock."""
    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        for _ in pool.map(method, files):
            pass
        return 1000 * (time.perf_counter() - started) / len(files)


def vectors(encoder: Encoder, pixels: Sequence[Pixels]) -> NDArray[np.float32]:
    """Return the vectors of prepared pictures."""
    remaining = iter(pixels)
    return np.concatenate([encoder(batch) for batch in iter(lambda: list(islice(remaining, BATCH)), [])])


def parts(paths: Sequence[Path], recipe: Recipe) -> None:
    """Print where the processor time of a picture goes: medians of a few rounds."""
    engine = LocalEngine(EngineSettings(recipe, "cpu", "f32", 0))
    pending = [Pending(LocalFile(path).read().sha256, (LocalFile(path),), (path.stem,)) for path in paths]
    encoder = Encoder(recipe)
    rounds = []
    for _ in range(ROUNDS):
        spent = _spent(paths, encoder)
        _timed(spent, "all, from files to vectors", lambda: list(engine.encode(pending)))
        rounds.append(spent)
    for name in rounds[0]:
        seconds = statistics.median(spent[name] for spent in rounds)
        print(f"{name:38} {1000 * seconds / len(paths):10.2f} ms of a core")


def _spent(paths: Sequence[Path], encoder: Encoder) -> dict[str, float]:
    """Take one picture after the other through all steps, as the program does, so that its pixels stay in the cache."""
    spent: dict[str, float] = {}
    transform = encoder.recipe.transform
    enough = sufficient_size(transform)
    (network,) = encoder._runtimes
    remaining = iter(paths)
    for batch in iter(lambda: list(islice(remaining, BATCH)), []):
        pixels = []
        for path in batch:
            data = _timed(spent, "reading and hashing", _hashed, path)
            image = _timed(spent, "decoding", decode, data, enough, colours=transform.colours)
            pixels.append(_timed(spent, "resizing", prepare, image, transform))
        _timed(spent, "inference", network, np.stack(pixels))
        _timed(spent, "inference, pooling, whitening", encoder, pixels)
    return spent


def _hashed(path: Path) -> bytes:
    """Read a picture, and compute the hash that tells whether it has changed."""
    content = LocalFile(path).read()
    _ = content.sha256
    return content.data


def _timed(
    spent: dict[str, float], name: str, work: Callable[..., Out], *given: object, **options: object
) -> Out:
    """Call something, and add its processor time."""
    started = time.process_time()
    made = work(*given, **options)
    spent[name] = spent.get(name, 0.0) + time.process_time() - started
    return made


def enlarged(path: Path, target: Path) -> Path:
    """Save a picture as a banner of 600 x 900."""
    with Image.open(path) as image:
        image.convert("RGB").resize(LARGE, Image.Resampling.LANCZOS).save(target, quality=90)
    return target


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=Path, help="a folder with JPEG files")
    parser.add_argument("--count", type=int, default=200, help="pictures")
    options = parser.parse_args()
    recipe = named("bundled")
    encoder = Encoder(recipe)
    with tempfile.TemporaryDirectory() as folder:
        if options.pictures is None:
            draw_store(Path(folder, "store"))
        source = options.pictures or Path(folder, "store")
        small = sorted(source.rglob("*.jpg"))[: options.count]
        small = [path for path in small if Image.open(path).mode == "RGB"]
        large = [enlarged(path, Path(folder, f"{n}.jpg")) for n, path in enumerate(small)]
        for paths in (small, large):
            with Image.open(paths[0]) as first:
                print(f"\n{len(paths)} pictures, the first of {first.size[0]} x {first.size[1]}")
            parts(paths, recipe)
            print()
            compare([path.read_bytes() for path in paths], recipe, encoder)


if __name__ == "__main__":
    main()
