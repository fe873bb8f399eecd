"""Training data: a gallery's banners, decoded once into a file of raw pixels, and their order in a run.

::

    OUT/pictures.u8     height x width x 3 bytes per banner, one after the other
    OUT/pictures.json   the banners in the file, and their size

Both files grow banner by banner: after a kill, decoding resumes where it stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.evaluation.tasks import labels_in
from steamdino.analysis.picture_loading import each
from steamdino.banners.decode import decode
from steamdino.errors import GalleryError, PictureError, UsageError
from steamdino.features.transform import prepare, sufficient_size
from steamdino.gallery import Gallery
from steamdino.gallery.vectors import Pending
from steamdino.index.snapshot_selection import open_newest
from steamdino.recipe import SRGB, Transform
from steamdino.records import Problem, Progress
from steamdino.storage.atomic import replacing

PIXELS, INDEX = "pictures.u8", "pictures.json"

CHUNK = 256
"""Banners between two writes to disk."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The banners of a run.

    Attributes:
        pixels: uint8, shape (n, height, width, 3), memory-mapped.
        sha256: of each banner's file, in the same order.
        rows: the banners that could be decoded.
        problems: the banners that could not.
    """

    pixels: NDArray[np.uint8]
    sha256: tuple[str, ...]
    rows: NDArray[np.intp]
    problems: tuple[Problem, ...]

    @property
    def fingerprint(self) -> str:
        """Return a hex digest that identifies a set of banners at one size."""
        text = f"{self.pixels.shape[1:3]} {' '.join(self.sha256)}"
        return hashlib.sha256(text.encode()).hexdigest()


def collect(
    gallery: str | Path,
    out: Path,
    size: tuple[int, int],
    *,
    fewest: int,
    threads: int = 1,
    progress: Progress | None = None,
) -> Pictures:
    """Decode a gallery's distinct banners into `out`; banners from an earlier call are kept.

    Args:
        gallery: its folder; it need not be built.
        out: the run's folder.
        size: (height, width) of the stored pictures.
        fewest: minimum number of banners.
        threads: number of pictures decoded at the same time.
        progress: called with (done, total).

    Raises:
        GalleryError: there is no such gallery, or it has too few banners.
    """
    with Gallery.open(gallery) as opened:
        wanted = list(opened.vectors.pending(None))
    _check_enough(gallery, len(wanted), fewest)
    names = [banner.sha256 for banner in wanted]
    record = {"height": size[0], "width": size[1], "banners": names, "unreadable": {}}
    kept = _kept(out / INDEX)
    if {**kept, "unreadable": {}} != record:
        (out / PIXELS).unlink(missing_ok=True)
        kept = record
        _write(out / INDEX, record)
    unreadable: dict[str, str] = kept["unreadable"]  # type: ignore[assignment]
    each_bytes = size[0] * size[1] * 3
    have = (out / PIXELS).stat().st_size // each_bytes if (out / PIXELS).exists() else 0
    look = partial(_look, size)
    while have < len(wanted):
        chunk = wanted[have : have + CHUNK]
        looks = list(each(look, chunk, threads))
        for banner, found in zip(chunk, looks, strict=True):
            if isinstance(found, str):
                unreadable[banner.sha256] = found
        if any(isinstance(found, str) for found in looks):
            _write(out / INDEX, {**record, "unreadable": unreadable})
        with (out / PIXELS).open("ab") as file:
            file.truncate(have * each_bytes)  # a kill may have left half a banner
            blank = bytes(each_bytes)  # placeholder for a banner that could not be decoded
            file.writelines(blank if isinstance(found, str) else found.tobytes() for found in looks)
        have += len(chunk)
        if progress:
            progress(have, len(wanted))
    pixels = np.memmap(out / PIXELS, np.uint8, "r", shape=(len(wanted), *size, 3))
    rows = np.flatnonzero([name not in unreadable for name in names])
    _check_enough(gallery, len(rows), fewest)
    return Pictures(
        pixels=pixels,
        sha256=tuple(names),
        rows=rows,
        problems=tuple(Problem(name, reason) for name, reason in unreadable.items()),
    )


def held_out(sha256: Sequence[str], share: float) -> NDArray[np.bool_]:
    """Choose the banners for validation: by their content alone, so that a larger gallery keeps the choice.

    Returns:
        bool, shape (len(sha256),); at least two, so that each has a neighbour.
    """
    numbers = np.array([int(name[:8], 16) for name in sha256], np.float64)
    chosen = numbers < share * 2**32
    if chosen.sum() < 2:
        chosen[np.argsort(numbers, kind="stable")[:2]] = True
    return chosen


def order(rows: NDArray[np.intp], seed: int, epoch: int) -> NDArray[np.intp]:
    """Return the rows in the order of an epoch."""
    return np.random.default_rng([seed, epoch]).permutation(rows)


def partners(
    labels: Sequence[frozenset[str]], rows: NDArray[np.intp], seed: int, epoch: int
) -> NDArray[np.intp]:
    """Return for each row another row with a common label, drawn anew in each epoch; the row itself if there is none.

    Args:
        labels: the labels of all rows.
        rows: the rows that may be drawn.
        seed, epoch: determine the random choice.
    """
    holders: dict[str, list[int]] = defaultdict(list)
    for row in rows.tolist():
        for label in labels[row]:
            holders[label].append(row)
    rng = np.random.default_rng([seed, epoch, 1])
    drawn = np.arange(len(labels))
    for row in rows.tolist():
        others = sorted({other for label in labels[row] for other in holders[label]} - {row})
        if others:
            drawn[row] = others[rng.integers(len(others))]
    return drawn


def labels_of(gallery: str | Path, column: str, pictures: Pictures) -> Sequence[frozenset[str]]:
    """Return each banner's labels in a column of the newest snapshot.

    Raises:
        UsageError: no game has such a column.
    """
    reader = open_newest(Path(gallery))
    games = reader.games(list(range(len(reader.ids))))
    if not any(column in game.columns for game in games):
        known = sorted({name for game in games for name in game.columns})
        raise UsageError(f"no game has a column {column!r}; choose from: {', '.join(known) or 'none'}")
    found = {game.sha256: labels_in(game.columns.get(column)) for game in games}
    return [found.get(sha256, frozenset()) for sha256 in pictures.sha256]


def _look(size: tuple[int, int], banner: Pending) -> NDArray[np.uint8] | str:
    """Return a banner resized to (height, width), or the reason why it cannot be read."""
    transform = Transform("squash", size[1], size[0], "bicubic", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), SRGB)
    reason = "it has no file"
    for location in banner.locations:
        try:
            content = location.read()
            if content.sha256 != banner.sha256:
                reason = f"{location.name}: it has changed since it was added; add its source again"
                continue
            return prepare(decode(content.data, sufficient_size(transform)), transform)
        except PictureError as error:
            reason = f"{location.name}: {error}"
    return reason


def _check_enough(gallery: str | Path, count: int, fewest: int) -> None:
    if count < fewest:
        raise GalleryError(
            f"{gallery} has {count:,} different readable banners, but training needs at least {fewest:,};"
            " add more with: steam-dino add"
        )


def _kept(path: Path) -> dict[str, object]:
    try:
        record: dict[str, object] = json.loads(path.read_text("utf-8"))
        return record
    except (OSError, ValueError):
        return {}


def _write(path: Path, record: dict[str, object]) -> None:
    with replacing(path) as file:
        file.write(json.dumps(record).encode())
