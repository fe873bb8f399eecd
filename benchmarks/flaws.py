"""Measure how well `check` tells blurred pictures from crisp ones, and finds borders, on versions of real pictures.

    python benchmarks/flaws.py --pictures FOLDER [--count 300]

Each picture is scaled to a height of 300 pixels. Versions that are as crisp as before (dark, with little contrast, as
JPEG, as flat art of six colours) must not be blurry; blurred ones must. For borders, pictures are scaled to 300 x 450
and get a frame or bars, as JPEG of quality 75. Measures of blur are compared by the area under their ROC curve.
"""

from __future__ import annotations

import argparse
import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from steamdino.banners.quality import measure
from steamdino.thresholds import Thresholds

Version = Callable[[Image.Image], Image.Image]


def jpeg(image: Image.Image, quality: int = 75) -> Image.Image:
    """Save as JPEG and read again."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def dark(image: Image.Image) -> Image.Image:
    """Multiply all levels by 0.3."""
    return image.point([int(level * 0.3) for level in range(256)] * 3)


def pale(image: Image.Image) -> Image.Image:
    """Reduce the contrast to a quarter."""
    return image.point([int(128 + (level - 128) * 0.25) for level in range(256)] * 3)


def flat(image: Image.Image) -> Image.Image:
    """Draw areas of six colours with crisp edges."""
    return image.filter(ImageFilter.MedianFilter(5)).quantize(6).convert("RGB")


def logo(image: Image.Image) -> Image.Image:
    """Draw a word on one colour, both taken from the picture."""
    colours = np.asarray(image.resize((1, 2), Image.Resampling.BOX), np.int16)[:, 0]
    ground, ink = tuple(colours[0].tolist()), tuple(colours[1].tolist())
    if np.abs(colours[0] - colours[1]).sum() < 60:
        ink = tuple((level + 128) % 256 for level in ink)
    large = Image.new("RGB", (600, 900), ground)
    ImageDraw.Draw(large).text((300, 450), "ZIPPER", fill=ink, font_size=120, anchor="mm")
    return large.resize((200, 300), Image.Resampling.LANCZOS)


def blurred(radius: float) -> Version:
    """Blur by a Gaussian."""
    return lambda image: image.filter(ImageFilter.GaussianBlur(radius))


def then(*versions: Version) -> Version:
    """Apply one after the other."""

    def both(image: Image.Image) -> Image.Image:
        for version in versions:
            image = version(image)
        return image

    return both


CRISP: dict[str, Version] = {
    "original": lambda image: image,
    "dark": dark,
    "little contrast": pale,
    "JPEG 60": lambda image: jpeg(image, 60),
    "dark, JPEG 75": then(dark, jpeg),
    "flat art": flat,
    "dark flat art": then(flat, dark),
    "word on one colour": logo,
    "word, JPEG 75": then(logo, jpeg),
}
BLURRED: dict[str, Version] = {
    "blur 2": blurred(2),
    "blur 3": blurred(3),
    "blur 4": blurred(4),
    "blur 2, dark": then(blurred(2), dark),
    "blur 3, little contrast": then(blurred(3), pale),
    "blur 2, JPEG 75": then(blurred(2), jpeg),
    "blur 3 of flat art": then(flat, blurred(3)),
}


def laplacian(image: Image.Image) -> NDArray[np.float32]:
    """Compute the Laplacian of the grey levels."""
    grey = np.asarray(image.convert("L"), np.float32)
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return around - 4 * grey[1:-1, 1:-1]


def relative(image: Image.Image) -> float:
    """Compute the variance of the Laplacian, relative to that of the grey levels."""
    return float(laplacian(image).var() / (np.asarray(image.convert("L"), np.float32).var() + 1e-3))


def reblurred(image: Image.Image) -> float:
    """Compute how much of the differences between neighbours a blur of 9 pixels removes (Crete et al. 2007)."""
    grey = np.asarray(image.convert("L"), np.float64)
    shares = []
    for levels in (grey, grey.T):
        sums = np.cumsum(np.pad(levels, ((5, 4), (0, 0)), mode="edge"), axis=0)
        before = np.abs(np.diff(levels, axis=0))
        after = np.abs(np.diff((sums[9:] - sums[:-9]) / 9, axis=0))
        shares.append(np.maximum(before - after, 0).sum() / (before.sum() + 1e-3))
    return float(max(shares))


MEASURES: dict[str, Callable[[Image.Image], float]] = {
    "steepness (used)": lambda image: measure(image)["blurry"],
    "variance of the Laplacian": lambda image: float(laplacian(image).var()),
    "the same / grey variance": relative,
    "re-blurring": reblurred,
}


def roc_area(crisp: list[float], blurry: list[float]) -> float:
    """Compute the probability that a crisp picture has a higher score than a blurred one."""
    ranks = np.argsort(np.argsort(np.concatenate([blurry, crisp]), kind="stable"))
    return float((ranks[len(blurry) :].mean() - (len(crisp) - 1) / 2) / len(blurry))


def report_blur(pictures: list[Image.Image]) -> None:
    """Print the area under each measure's curve, and what the threshold makes of each version."""
    limit = Thresholds().blurry
    scores: dict[str, dict[str, list[float]]] = {name: {} for name in MEASURES}
    for picture in pictures:
        for version, make in (CRISP | BLURRED).items():
            made = make(picture)
            for name, score in MEASURES.items():
                scores[name].setdefault(version, []).append(score(made))
    for name, found in scores.items():
        area = roc_area([s for v in CRISP for s in found[v]], [s for v in BLURRED for s in found[v]])
        print(f"{name:26} area under the curve {area:.4f}")
    flagged = {
        version: float(np.mean(np.less(s, limit))) for version, s in scores["steepness (used)"].items()
    }
    for version, share in flagged.items():
        print(f"{version:26} {share:6.1%} blurry")
    right, wrong = sum(flagged[v] for v in BLURRED), sum(flagged[v] for v in CRISP)
    print(f"precision {right / (right + wrong):.3f}, recall {right / len(BLURRED):.3f}")


def bordered(image: Image.Image, depth: int, colour: str, sides: str) -> Image.Image:
    """Draw a border on the sides that a text names, of top, bottom, left and right."""
    framed = image.copy()
    width, height = image.size
    if "t" in sides:
        framed.paste(colour, (0, 0, width, depth))
        framed.paste(colour, (0, height - depth, width, height))
    if "l" in sides:
        framed.paste(colour, (0, 0, depth, height))
        framed.paste(colour, (width - depth, 0, width, height))
    return jpeg(framed)


def report_borders(pictures: list[Image.Image]) -> None:
    """Print the share of borders that are found."""
    limit = Thresholds().border
    large = [picture.resize((300, 450), Image.Resampling.LANCZOS) for picture in pictures]
    for sides, name in (("tblr", "frame"), ("tb", "bars above and below"), ("lr", "bars at the sides")):
        for colour in ("black", "white", "#c03020"):
            found = []
            for depth in (3, 5, 10, 20, 40):
                scores = [measure(bordered(image, depth, colour, sides))["border"] for image in large]
                found.append(f"{depth}: {np.mean(np.less(scores, limit)):.2f}")
            print(f"{name:22} {colour:8} {', '.join(found)}")
    plain = np.mean([measure(image)["border"] < limit for image in large])
    print(f"without one added      {plain:.3f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=Path, required=True, help="a folder of JPEGs")
    parser.add_argument("--count", type=int, default=300)
    given = parser.parse_args()
    paths = sorted(given.pictures.rglob("*.jpg"))
    random.Random(1).shuffle(paths)
    pictures = []
    for path in paths[: given.count]:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        pictures.append(
            image.resize((round(image.width * 300 / image.height), 300), Image.Resampling.BICUBIC)
        )
    report_blur(pictures)
    report_borders(pictures)


if __name__ == "__main__":
    main()
