"""Encodes what is new and swaps the snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import islice
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from steamdino.errors import RecipeError, UsageError
from steamdino.features.recipe_parser import Spec, of, parse
from steamdino.gallery import Gallery
from steamdino.gallery.layout import KINDS, VERTICAL
from steamdino.index.manifest import Manifest
from steamdino.index.snapshot_selection import newest
from steamdino.pipeline import learn_whitening
from steamdino.pipeline.decoding import Decoded, ahead, cores, decoded
from steamdino.pipeline.publish import write_snapshot
from steamdino.recipe import Recipe
from steamdino.records import Progress

if TYPE_CHECKING:
    from steamdino.features.encoder import Encoder
    from steamdino.gallery.vectors import Pending

COMMIT_EVERY = 256
"""Banners between two commits: what a kill can cost."""

GPU_BATCH = 64
"""Pictures at a time on a GPU, which is idle between small batches."""

SAMPLE = 4
"""Batches of each stream after which the time is estimated."""

Encoded = tuple[list[tuple[str, bytes]], list[Decoded]]
"""(sha256, vector) of each picture of a batch, and those that could not be decoded."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build is about to do.

    Attributes:
        banners: different pictures to encode.
        seconds: about how long that takes on this machine, judging by the first few.
        precision: of the inference.
    """

    banners: int
    seconds: float
    precision: str


@dataclass(frozen=True, slots=True)
class BuildSummary:
    """What a build came to.

    Attributes:
        recipe: under which it encoded.
        encoded: different pictures that got a vector.
        failed: pictures that could not be encoded this time.
        games: in the newest snapshot.
        absent: games that are not in it (no banner, unreadable, or gone).
        snapshot: the newest one's folder.
        swapped: whether it is new; False if there was nothing to do.
        seconds: of the encoding.
    """

    recipe: Recipe
    encoded: int
    failed: int
    games: int
    absent: int
    snapshot: Path
    swapped: bool
    seconds: float


def build(
    gallery: str | Path,
    recipe: str | Spec = "bundled",
    *,
    kind: str = VERTICAL,
    device: str = "cpu",
    precision: str = "f32",
    threads: int = 0,
    upgrade: bool = False,
    rebuild: bool = False,
    announce: Callable[[Plan], None] | None = None,
    progress: Progress | None = None,
) -> BuildSummary:
    """Encodes the banners that have no vector yet and, if anything changed, swaps in a new snapshot.

    Vectors are committed every few hundred banners; killed and started again, it goes on from there and ends with the
    same snapshot.

    Args:
        gallery: its folder.
        recipe: its text, or what `features.recipe_parser.parse` made of it.
        kind: of banner, of `gallery.layout.KINDS`.
        device: "cpu", or, where a model's PyTorch weights are here, "cuda" or "mps".
        precision: "f32", "bf16" or "auto" (bf16 where the CPU computes in it).
        threads: pictures decoded at the same time; 0 means one per core.
        upgrade: encode everything anew where the model's weights are others than those that the gallery was built with,
            and learn a whitening anew.
        rebuild: write the snapshot anew even if nothing changed.
        announce: called once if there is anything to encode, after the first few pictures.
        progress: called with (done, total).

    Raises:
        RecipeError: the recipe does not exist, or needs `upgrade`.
        GalleryError: the gallery cannot be used.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no kind of banner {kind!r}; there are: {', '.join(KINDS)}")
    spec = parse(recipe) if isinstance(recipe, str) else recipe
    base = of(spec.base)
    with Gallery.write(gallery, "build") as opened:
        chosen = _check_upgrade(opened, spec, base, upgrade)
        pending = opened.vectors.pending(opened.vectors.recipe_key(base), kind)
        started = time.monotonic()
        encoded = failed = 0
        if pending:
            encoder = _encoder(base, device, precision)
            run = _Encoding(opened, encoder, threads or cores(), kind)
            encoded, failed = run.run(pending, announce, progress)
        seconds = time.monotonic() - started
        whitened = 0
        if spec.whiten is not None:
            chosen = chosen if chosen.projection else learn_whitening.learn(opened, spec, base, kind)
            whitened = learn_whitening.apply(opened, base, chosen)
        snapshot, swapped = _swap(opened, chosen, kind, force=rebuild or encoded + whitened > 0, anew=rebuild)
        manifest = Manifest.read(snapshot)
        key = opened.vectors.recipe_key(chosen)
        absent = len(opened.vectors.absent(key, kind)) if key else 0
        return BuildSummary(chosen, encoded, failed, manifest.games, absent, snapshot, swapped, seconds)


def _encoder(recipe: Recipe, device: str, precision: str) -> Encoder:
    from steamdino.features.encoder import Encoder

    if device == "cpu":
        return Encoder(recipe, precision=precision, streams=cores())
    return Encoder(recipe, device=device, precision=precision, batch_size=GPU_BATCH)


def _check_upgrade(gallery: Gallery, spec: Spec, base: Recipe, upgrade: bool) -> Recipe:
    """The recipe to build; without a projection where a whitening is still to be learned."""
    known = [recipe for recipe in gallery.vectors.recipes() if recipe.name == spec.label]
    if spec.whiten is not None:
        learned = learn_whitening.known(gallery, spec, base)
        chosen = base if learned is None or upgrade else learned
    else:
        chosen = base
    if known and not upgrade and gallery.vectors.recipe_key(chosen) is None:
        differences = "; ".join(known[-1].differences(base))
        raise RecipeError(
            f"the recipe {spec.label!r} is another one than this gallery was built with ({differences}); the old"
            " snapshot keeps serving. To encode all banners anew, run: steam-dino build --upgrade"
        )
    return chosen


def _swap(gallery: Gallery, recipe: Recipe, kind: str, *, force: bool, anew: bool) -> tuple[Path, bool]:
    latest = newest(gallery.snapshots_of(recipe.hash, kind))
    with gallery.transaction():
        gallery.games.drop_settled_problems()
        gallery.vectors.put_recipe(recipe)
        revision = gallery.games.revision
    if latest and not force and Manifest.read(latest).revision == revision:
        return latest, False
    return write_snapshot(gallery, recipe, kind=kind, anew=anew), True


class _Encoding:
    """One run over the banners that have no vector yet."""

    def __init__(self, gallery: Gallery, encoder: Encoder, threads: int, kind: str) -> None:
        self._gallery = gallery
        self._encoder = encoder
        self._threads = threads
        self._kind = kind
        with gallery.transaction():
            self._key = gallery.vectors.put_recipe(encoder.recipe)
        self._encoded: list[tuple[str, bytes]] = []
        self._failed: list[Decoded] = []

    def run(
        self, pending: list[Pending], announce: Callable[[Plan], None] | None, progress: Progress | None
    ) -> tuple[int, int]:
        """Encodes and stores; returns how many were encoded and how many could not be."""
        counts = [0, 0]
        done = 0
        total = len(pending)
        enough = min(SAMPLE * self._encoder.streams * self._encoder.batch_size, ceil(total / 4))
        started = time.perf_counter()
        results = self._vectors(pending)
        try:
            for encoded, failed in results:
                self._encoded += encoded
                self._failed += failed
                done += len(encoded) + len(failed)
                if announce and done >= enough:
                    seconds = (time.perf_counter() - started) * total / done
                    announce(Plan(total, seconds, self._encoder.precision))
                    announce = None
                if len(self._encoded) + len(self._failed) >= COMMIT_EVERY:
                    self._commit(counts)
                if progress:
                    progress(done, total)
        except BaseException:
            results.close()
            self._commit(counts)  # what is encoded is kept
            if progress:  # an interrupt may fall between a commit and its count: only the gallery knows
                progress(total - len(self._gallery.vectors.pending(self._key, self._kind)), total)
            raise
        self._commit(counts)
        return counts[0], counts[1]

    def _vectors(self, pending: list[Pending]) -> Generator[Encoded, None, None]:
        """Encodes pictures batch by batch: decoded ahead, and as many batches at a time as the encoder has streams."""
        pictures = decoded(pending, self._encoder.recipe.transform, self._threads)
        batches = iter(lambda: list(islice(pictures, self._encoder.batch_size)), [])
        try:
            yield from ahead(
                self._encode, batches, threads=self._encoder.streams, waiting=2 * self._encoder.streams
            )
        finally:
            pictures.close()

    def _encode(self, batch: list[Decoded]) -> Encoded:
        good = [(item.banner.sha256, item.pixels) for item in batch if item.pixels is not None]
        failed = [item for item in batch if item.pixels is None]
        if not good:
            return [], failed
        stored = self._encoder([pixels for _, pixels in good]).astype("<f2")
        return [(sha256, row.tobytes()) for (sha256, _), row in zip(good, stored, strict=True)], failed

    def _commit(self, counts: list[int]) -> None:
        with self._gallery.transaction():
            self._gallery.vectors.put(self._key, self._encoder.precision, self._encoded)
            for item in self._failed:
                undecodable = item.banner.sha256 if item.final else None
                self._gallery.games.put_build_problem(item.banner.game_ids, item.reason, undecodable)
        counts[0] += len(self._encoded)
        counts[1] += len(self._failed)
        self._encoded, self._failed = [], []
