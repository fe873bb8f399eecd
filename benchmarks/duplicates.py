"""Measure recall, precision and speed of `duplicates`, on copies of pictures and at Steam's size.

    python benchmarks/duplicates.py --covers FOLDER [--count 500]

copies pictures from that folder (re-encoded, scaled, cropped, mirrored, recoloured, grey, marked or with a band) and
reports for each kind the fraction found in each tier, and the pairs of different originals reported as copies,
with the pictures side by side in `--sheet FILE`. Without `--covers` only the time is measured.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

import steamdino
from steamdino.analysis.duplicate_detection import TIERS, find_pairs
from steamdino.analysis.duplicate_grouping import groups
from steamdino.index.exact import ExactIndex
from steamdino.pipeline.duplicate_groups import duplicates

GAMES, DIM, COPIED = 180_000, 256, 0.02


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def _cropped(image: Image.Image) -> Image.Image:
    across, down = image.width // 20, image.height // 20
    return image.crop((across, down, image.width - across, image.height - down))


def _recoloured(image: Image.Image) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    turned = Image.merge("HSV", (hue.point([(n + 20) % 256 for n in range(256)]), saturation, value))
    return ImageEnhance.Brightness(turned.convert("RGB")).enhance(1.15)


def _banded(image: Image.Image) -> Image.Image:
    banded = image.copy()
    height = image.height // 8
    draw = ImageDraw.Draw(banded)
    draw.rectangle((0, image.height - height, image.width, image.height), fill=(200, 30, 30))
    draw.text((8, image.height - height + 4), "GAME OF THE YEAR", fill="white", font_size=max(height // 2, 8))
    return banded


def _marked(image: Image.Image) -> Image.Image:
    mark = Image.new("RGBA", image.size)
    place, size = (image.width // 5, image.height * 9 // 20), image.width // 8
    ImageDraw.Draw(mark).text(place, "WATERMARK", fill=(255, 255, 255, 128), font_size=size)
    return Image.alpha_composite(image.convert("RGBA"), mark)


KINDS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "re-encoded": lambda image: _jpeg(image, 60),
    "scaled": lambda image: image.resize((image.width * 3 // 4, image.height * 3 // 4)),
    "half": lambda image: image.resize((image.width // 2, image.height // 2)),
    "third": lambda image: image.resize((image.width // 3, image.height // 3)),
    "cropped": _cropped,
    "mirrored": ImageOps.mirror,
    "recoloured": _recoloured,
    "grey": lambda image: image.convert("L"),
    "marked": _marked,
    "banded": _banded,
}


def of_covers(folder: Path, count: int, sheet: Path | None) -> None:
    """Measure recall and precision on copies of a folder's pictures."""
    paths = sorted(path for path in folder.rglob("*.jpg"))
    chosen = random.Random(0).sample(paths, min(count, len(paths)))
    with tempfile.TemporaryDirectory() as place:
        gallery, pictures = Path(place) / "g", Path(place) / "pictures"
        pictures.mkdir()
        for n, path in enumerate(chosen):
            image = Image.open(path).convert("RGB")
            image.save(pictures / f"{n:04} original.png")
            for kind, make in KINDS.items():
                make(image).convert("RGB").save(pictures / f"{n:04} {kind}.jpg", quality=88)
        steamdino.add(gallery, pictures)
        steamdino.build(gallery)
        found = duplicates(gallery, tiers=TIERS[:3])
        tier_of: dict[tuple[str, str], str] = {}
        wrong: dict[str, set[tuple[str, str]]] = defaultdict(set)
        right: Counter[str] = Counter()
        for group in found:
            for one, other in combinations(sorted(member.game_id for member in group.members), 2):
                if one[:4] == other[:4]:
                    tier_of.setdefault((one, other), group.tier)
                    right[group.tier] += 1
                else:
                    wrong[group.tier].add(tuple(sorted((one[:4], other[:4]))))  # type: ignore[arg-type]
        for kind in KINDS:
            tiers = Counter(
                tier_of.get(
                    (f"{n:04} {min(kind, 'original')}", f"{n:04} {max(kind, 'original')}"), "not found"
                )
                for n in range(len(chosen))
            )
            shares = ", ".join(
                f"{tier} {tiers[tier] / len(chosen):.3f}" for tier in (*TIERS[:3], "not found")
            )
            print(f"{kind:<11} {shares}")
        for tier in TIERS[:3]:
            print(
                f"{tier:<11} joins {right[tier]:,} pairs of copies, and {len(wrong[tier])} pairs of different originals"
            )
        if sheet:
            _sheet(
                sheet, [chosen[int(n)] for pairs in wrong.values() for pair in sorted(pairs) for n in pair]
            )


def _sheet(path: Path, pictures: list[Path]) -> None:
    across = 16
    canvas = Image.new("RGB", (across * 84, max(-(-len(pictures) // across), 1) * 124))
    for n, one in enumerate(pictures[: across * 12]):
        small = Image.open(one).convert("RGB").resize((80, 120))
        canvas.paste(small, (n % across * 84, n // across * 124))
    canvas.save(path)


def of_steam() -> None:
    """Measure time and memory with made-up vectors, some of them near copies."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(GAMES, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    copies = rng.choice(GAMES // 2, int(GAMES * COPIED), replace=False)
    vectors[GAMES // 2 + np.arange(len(copies))] = vectors[copies] + 0.02 * rng.normal(
        size=(len(copies), DIM)
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    hashes = rng.integers(0, 256, (GAMES, 32), dtype=np.uint8)
    hashes[GAMES // 2 + np.arange(len(copies))] = hashes[copies]
    index = ExactIndex(vectors)
    began = time.monotonic()
    pairs = find_pairs(
        index,
        map(str, range(GAMES)),
        0.0,
        lambda rows: (hashes[rows], np.ones(len(rows), np.bool_)),
        tiers=TIERS,
    )
    found = groups(pairs, GAMES, lambda row: (row,), index.similarity)
    seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counted = {tier: sum(len(one) for part in pairs for one, _ in part.of_tier(tier)) for tier in TIERS}
    print(
        f"{GAMES:,} vectors of {DIM} dims: {seconds:.0f} s, {peak:,.0f} MB at most (the vectors take"
        f" {vectors.nbytes / 1e6:,.0f} MB); {counted} pairs, {len(found):,} groups"
    )
    assert counted["re-encoded"] == len(copies)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--covers", type=Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--no-time", action="store_true")
    given = parser.parse_args()
    if given.covers:
        of_covers(given.covers, given.count, given.sheet)
    if not given.no_time:
        of_steam()


if __name__ == "__main__":
    main()
