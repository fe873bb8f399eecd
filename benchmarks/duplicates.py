"""Measure recall, precision and speed of `duplicates`, on copies of pictures and at Steam's size.

    python benchmarks/duplicates.py --covers FOLDER [--count 500] [--peers install]

copies pictures from that folder (re-encoded, scaled, cropped, mirrored, recoloured, grey, marked, with a band, small,
poor or with a border). It prints the fraction of each kind in each tier, and the pairs of different originals, with the
pictures side by side in `--sheet FILE`. `--peers install` installs imagededup and perception into environments of their
own and measures their hashes on the same pictures; `--peers PYTHON` names a Python that has them. Without `--covers`
only the time is measured.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

import steamdino
from steamdino.analysis.duplicate_detection import TIERS, DuplicatePairs, find_pairs
from steamdino.analysis.duplicate_grouping import groups
from steamdino.index.exact import ExactIndex
from steamdino.pipeline.duplicate_search import find_duplicates

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


SMALL: dict[str, Callable[[Image.Image], Image.Image]] = {
    "quarter": lambda image: image.resize((image.width // 4, image.height // 4)),
    "sixth": lambda image: image.resize((image.width // 6, image.height // 6)),
    "jpeg 10": lambda image: _jpeg(image, 10),
    "border": lambda image: ImageOps.expand(image, image.width // 10, "black"),
}
"""Small and poor copies, and one with a border, which no hash of a whole picture finds."""

PEERS = {"imagededup": "imagededup==0.3.3.post2", "perception": "Perception==0.9.3"}

PRECISION = 0.99
"""Of the pairs that a method reports; its threshold is the loosest at which so many are right."""

Rows = NDArray[np.intp]


def copied(folder: Path, count: int, pictures: Path) -> list[Path]:
    """Write pictures of a folder as PNG, and copies of each kind. Return those that were copied.

    Of pictures that an index.jsonl beside them puts into one group, such as the editions of a game, one is copied.
    """
    index = folder / "index.jsonl"
    lines = map(json.loads, index.read_text("utf-8").splitlines()) if index.exists() else ()
    group_of = {line["file"]: line["group"] for line in lines}
    paths = sorted(folder.rglob("*.jpg"))
    random.Random(0).shuffle(paths)
    chosen = list({group_of.get(path.name, path): path for path in reversed(paths)}.values())[-count:]
    pictures.mkdir()
    for number, path in enumerate(chosen):
        image = Image.open(path).convert("RGB")
        image.save(pictures / f"{number:04} original.png")
        for kind, make in (KINDS | SMALL).items():
            quality = 10 if kind == "jpeg 10" else 88
            make(image).convert("RGB").save(pictures / f"{number:04} {kind}.jpg", quality=quality)
    return chosen


def of_covers(folder: Path, count: int, sheet: Path | None, peers: str | None) -> None:
    """Measure recall and precision on copies of a folder's pictures, of `duplicates` and of other libraries."""
    with tempfile.TemporaryDirectory() as place:
        gallery, pictures = Path(place) / "g", Path(place) / "pictures"
        chosen = copied(folder, count, pictures)
        began = time.monotonic()
        steamdino.add(gallery, pictures)
        steamdino.build(gallery)
        encoded = time.monotonic() - began
        found = find_duplicates(gallery)
        seconds, peak = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{len(chosen):,} originals, {len(KINDS | SMALL)} copies of each; add and build took {encoded:.0f} s"
        )
        names = [path.stem for path in sorted(pictures.iterdir())]
        rows = [row for row in map(found.reader.row, names) if row is not None]
        place_of = np.empty(len(names), np.intp)
        place_of[rows] = np.arange(len(names))
        tiers = _tiers(found.pairs, place_of)
        print("\nkind         " + "".join(f"{tier:>12}" for tier in (*TIERS[:3], "not found")))
        for kind in KINDS | SMALL:
            counts = Counter(
                tiers.get(
                    (
                        names.index(f"{n:04} {min(kind, 'original')}"),
                        names.index(f"{n:04} {max(kind, 'original')}"),
                    ),
                    "not found",
                )
                for n in range(len(chosen))
            )
            print(
                f"{kind:<13}"
                + "".join(f"{counts[tier] / len(chosen):>12.3f}" for tier in (*TIERS[:3], "not found"))
            )
        wrong = {
            tier: [
                pair
                for pair, its in tiers.items()
                if its == tier and names[pair[0]][:4] != names[pair[1]][:4]
            ]
            for tier in TIERS[:3]
        }
        for tier in TIERS[:3]:
            total = sum(its == tier for its in tiers.values())
            print(f"{tier}: {total:,} pairs, {len(wrong[tier])} of different originals")
        first, second = np.array(list(tiers), np.intp).T
        table = [("steam-dino", _recall(names, first, second), seconds, peak)]
        if peers:
            table += _of_peers(peers, pictures, names)
        _print_table(table)
        if sheet:
            pairs = {tuple(int(names[row][:4]) for row in pair) for tier in TIERS[:3] for pair in wrong[tier]}
            _sheet(sheet, [chosen[number] for pair in sorted(pairs) for number in pair])


def _tiers(pairs: Iterable[DuplicatePairs], place_of: Rows) -> dict[tuple[int, int], str]:
    """The tier of each pair, by the places of its pictures, the lower first."""
    found = {}
    for part in pairs:
        for tier in TIERS[:3]:
            for first, second in part.of_tier(tier):
                for one, other in zip(place_of[first].tolist(), place_of[second].tolist(), strict=True):
                    found[min(one, other), max(one, other)] = tier
    return found


def _recall(names: list[str], first: Rows, second: Rows) -> dict[str, float]:
    """The precision of pairs, and the fraction of the copies of each kind that are in a pair with their original."""
    number = np.array([int(name[:4]) for name in names])
    kind = np.array([name[5:] for name in names])
    right = number[first] == number[second]
    recall = {"precision": float(right.mean()) if len(right) else 1.0}
    for one in KINDS | SMALL:
        own = (kind[first] == one) & (kind[second] == "original")
        own |= (kind[second] == one) & (kind[first] == "original")
        recall[one] = int((own & right).sum()) / (number.max() + 1)
    return recall


def _of_peers(
    python: str, pictures: Path, names: list[str]
) -> Iterator[tuple[str, dict[str, float], float, float]]:
    """Measure each hash of the other libraries at the loosest threshold that is precise enough."""
    number = np.array([int(name[:4]) for name in names])
    for library, package in PEERS.items():
        interpreter = python
        if python == "install":
            interpreter = _installed(library, package)
        output = pictures.parent / f"{library}.npz"
        script = Path(__file__).with_name("duplicates_peers.py")
        subprocess.run([interpreter, script, library, pictures, output], check=True)
        made = np.load(output)
        for name, (seconds, peak) in json.loads(str(made["costs"])).items():
            first, second, apart = (made[f"{name} {part}"] for part in ("first", "second", "apart"))
            order = np.argsort(apart, kind="stable")
            first, second, apart = first[order], second[order], apart[order]
            precision = np.cumsum(number[first] == number[second]) / np.arange(1, len(order) + 1)
            last = np.append(apart[1:] > apart[:-1], True)  # of the pairs at each distance
            enough = np.flatnonzero(last & (precision >= PRECISION))
            end = enough[-1] + 1 if len(enough) else 0
            if end == len(order):
                raise ValueError(f"{name}: all pairs that were written are right; write more of them")
            yield name, _recall(names, first[:end], second[:end]), seconds, peak


def _installed(library: str, package: str) -> str:
    """Install a library into an environment of its own in the temporary folder, unless it is there; its Python."""
    folder = Path(tempfile.gettempdir()) / f"steam-dino-peer-{library}"
    interpreter = folder / "bin" / "python"
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([interpreter, "-m", "pip", "install", "--quiet", package], check=True)
        (folder / "installed").touch()
    return str(interpreter)


def _print_table(table: list[tuple[str, dict[str, float], float, float]]) -> None:
    """Print recall as a table in Markdown: a row for each method, a column for each kind."""
    columns = ["precision", *KINDS, *SMALL]
    print("\n| method | " + " | ".join(columns) + " | seconds | MB |")
    print("|---" * (len(columns) + 3) + "|")
    for name, recall, seconds, peak in table:
        figures = " | ".join(f"{recall[column]:.3f}" for column in columns)
        print(f"| {name} | {figures} | {seconds:.0f} | {peak:.0f} |")
    best = (
        {kind: max(recall[kind] for _, recall, _, _ in table[1:]) for kind in KINDS | SMALL}
        if table[1:]
        else {}
    )
    for kind, highest in best.items():
        own = table[0][1][kind]
        print(
            f"{kind}: {own:.3f}, the best of the others {highest:.3f}{'' if own >= highest else '  <-- BEHIND'}"
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
    parser.add_argument("--peers", metavar="PYTHON|install")
    parser.add_argument("--no-time", action="store_true")
    given = parser.parse_args()
    if given.covers:
        of_covers(given.covers, given.count, given.sheet, given.peers)
    if not given.no_time:
        of_steam()


if __name__ == "__main__":
    main()
