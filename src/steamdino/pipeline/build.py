"""Encodes new banners and swaps in the next snapshot."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from steamdino.engines import Engine, EngineSettings, start_engine
from steamdino.errors import RecipeError
from steamdino.features.model_registry import check_precision
from steamdino.features.recipe_parser import Spec, of, parse
from steamdino.gallery import Gallery
from steamdino.gallery.layout import VERTICAL, check_kind
from steamdino.gallery.vectors import Pending
from steamdino.index.index_registry import AUTO, UNNAMED, kind_for
from steamdino.index.manifest import Manifest
from steamdino.index.neighbour_lists import DEFAULT, check_promised
from steamdino.index.neighbour_writer import remove_work
from steamdino.index.snapshot_selection import has_current_names, newest
from steamdino.pipeline import learn_whitening
from steamdino.pipeline.estimate import Estimator, Plan
from steamdino.pipeline.measure_opening import measure_opening
from steamdino.pipeline.next_snapshot import write_snapshot
from steamdino.pipeline.vector_writer import VectorWriter
from steamdino.recipe import Recipe
from steamdino.records import Progress


@dataclass(frozen=True, slots=True)
class BuildSummary:
    """What a build did.

    Attributes:
        recipe: the one built.
        encoded: different pictures that got a vector.
        failed: pictures that could not be encoded this time.
        games: number in the newest snapshot.
        absent: games that are not in it (no banner, unreadable, or missing from their source).
        snapshot: the newest one's folder.
        swapped: whether it is new; False if there was nothing to do.
        seconds: duration of the encoding.
        index: the kind of search index that the newest snapshot has.
        outdated: fields of the recipe's transform that this version would fill differently: an earlier one built the
            gallery.
    """

    recipe: Recipe
    encoded: int
    failed: int
    games: int
    absent: int
    snapshot: Path
    swapped: bool
    seconds: float
    index: str
    outdated: tuple[str, ...] = ()


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
    engine: str = "local",
    address: str = "",
    actors: int = 0,
    index: str = AUTO,
    neighbours: int = DEFAULT,
    listing: Progress | None = None,
) -> BuildSummary:
    """Encode the banners that have no vector yet and, if anything changed, swap in a new snapshot.

    Vectors are committed every few hundred banners, and what is found of the neighbours of all games every ten seconds.
    A build that was killed continues where it stopped and ends with the same snapshot.

    Args:
        gallery: its folder.
        recipe: its text, or what `features.recipe_parser.parse` made of it.
        kind: of banner, of `gallery.layout.KINDS`.
        device: "cpu", or, where a model's PyTorch weights are here, "cuda" or "mps".
        precision: inference precision: "f32", "bf16" or "auto" (bf16 on CPUs that support it).
        threads: pictures decoded at the same time; 0 means one per core.
        upgrade: encode everything again if the model's weights differ from those that the gallery was built with, or if
            an earlier version prepared its pictures otherwise, and learn a whitening again.
        rebuild: write the snapshot again even if nothing changed.
        announce: called once if there is anything to encode, after the first few pictures.
        progress: called with (done, total).
        engine: what encodes, of `engines.ENGINES`.
        address: of the engine's cluster; empty for one that is started on this machine.
        actors: processes of the cluster that encode; 0 for as many as it has cores or GPUs.
        index: the kind of search index, of `index_registry.INDEXES`, or "auto": the one that suits the number of games.
        neighbours: how many neighbours of each game to store in the snapshot; 0 for none.
        listing: called with (done, games whose neighbours are searched), after the encoding.

    Raises:
        RecipeError: the recipe does not exist, or needs `upgrade`.
        GalleryError: the gallery cannot be used, or has no banners of a kind other than the vertical one.
        UsageError: there is no such kind of banner, engine or index, the number of neighbours is out of range, or the
            model does not support the precision.
        EngineError: the engine's cluster cannot be reached or used.
    """
    check_kind(kind)
    kind_for(index, 0, 0)
    check_promised(neighbours)
    spec = parse(recipe) if isinstance(recipe, str) else recipe
    own = base = of(spec.base)
    check_precision(base.model, precision)  # even if there turns out to be nothing to encode
    with Gallery.write(gallery, "build") as opened:
        if not upgrade:
            base = _continued(opened, base)
        chosen = _check_upgrade(opened, spec, base, upgrade)
        if newest(opened.snapshots_of(chosen.hash, kind)) is None:  # an older one may have to become empty
            opened.banners.require(kind)
        total = opened.vectors.count_pending(opened.vectors.recipe_key(base), kind)
        started = time.monotonic()
        encoded = failed = 0
        if total:
            running = start_engine(
                engine, EngineSettings(base, device, precision, threads, address=address, actors=actors)
            )
            with opened.transaction():
                base_key = opened.vectors.put_recipe(base)
            writer = VectorWriter(opened, base_key, running.inference_precision)
            estimator = Estimator(total, running, announce)

            def left() -> int:
                return opened.vectors.count_pending(base_key, kind)

            pending = opened.vectors.pending(base_key, kind)
            _encode(running, pending, total, writer, estimator, progress, left)
            encoded, failed = writer.encoded, writer.failed
        seconds = time.monotonic() - started
        whitened = 0
        if spec.whiten is not None:
            chosen = chosen if chosen.projection else learn_whitening.learn(opened, spec, base, kind)
            whitened = learn_whitening.apply(opened, base, chosen)
        snapshot, swapped = _swap(
            opened,
            chosen,
            kind,
            index,
            neighbours,
            listing,
            force=rebuild or encoded + whitened > 0,
            anew=rebuild,
        )
        if swapped and kind == VERTICAL:
            measure_opening(opened, snapshot, threads or os.cpu_count() or 1)
        manifest = Manifest.read(snapshot)
        absent = opened.games.count() - manifest.games  # each game is in one of the snapshot's two lists
        outdated = tuple(
            name for name, value in asdict(own.transform).items() if value != getattr(chosen.transform, name)
        )
        return BuildSummary(
            chosen,
            encoded,
            failed,
            manifest.games,
            absent,
            snapshot,
            swapped,
            seconds,
            manifest.index,
            outdated,
        )


def _encode(
    engine: Engine,
    pending: Iterable[Pending],
    total: int,
    writer: VectorWriter,
    estimator: Estimator,
    progress: Progress | None,
    left: Callable[[], int],
) -> None:
    """Encode banners and store the results; what is encoded when an interrupt comes is kept.

    Args:
        engine: that encodes them.
        pending: the banners.
        total: how many there are.
        writer: stores the results.
        estimator: told how many are done.
        progress: called with (done, total).
        left: counts the banners in the gallery that have no vector yet.
    """
    done = 0
    batches = engine.encode(pending)
    try:
        for batch in batches:
            writer.add(batch)
            done += len(batch)
            estimator.update(done)
            writer.commit_if_due()
            if progress:
                progress(done, total)
    except BaseException:
        batches.close()
        writer.commit()
        if progress:  # an interrupt may fall between a commit and its count: only the gallery knows
            progress(total - left(), total)
        raise
    writer.commit()


def _continued(gallery: Gallery, base: Recipe) -> Recipe:
    """The recipe of a gallery that an earlier version built: this program can still encode under it.

    Otherwise the program's own one.
    """
    known = (one for one in (base, *base.earlier()) if gallery.vectors.recipe_key(one) is not None)
    return next(known, base)


def _check_upgrade(gallery: Gallery, spec: Spec, base: Recipe, upgrade: bool) -> Recipe:
    """The recipe to build; without a projection if its whitening must still be learned."""
    known = [recipe for recipe in gallery.vectors.recipes() if recipe.name == spec.label]
    if spec.whiten is not None:
        learned = learn_whitening.known(gallery, spec, base)
        chosen = base if learned is None or upgrade else learned
    else:
        chosen = base
    if known and not upgrade and gallery.vectors.recipe_key(chosen) is None:
        differences = "; ".join(known[-1].differences(base))
        raise RecipeError(
            f"the recipe {spec.label!r} differs from the one that this gallery was built with ({differences}); the old"
            " snapshot stays in use. To encode all banners again, run: steam-dino build --upgrade"
        )
    return chosen


def _swap(
    gallery: Gallery,
    recipe: Recipe,
    kind: str,
    index: str,
    neighbours: int,
    listing: Progress | None,
    *,
    force: bool,
    anew: bool,
) -> tuple[Path, bool]:
    """The newest snapshot's folder and whether it is new."""
    latest = newest(gallery.snapshots_of(recipe.hash, kind))
    with gallery.transaction():
        gallery.problems.drop_settled()
        gallery.vectors.put_recipe(recipe)
        revision = gallery.games.revision
    if latest and not force:
        manifest = Manifest.read(latest)
        # An exact index with a measured recall stands where another was refused; it would be refused again.
        refused = index == AUTO and manifest.index == UNNAMED and manifest.recall is not None
        wanted = refused or manifest.index == kind_for(index, manifest.games, manifest.recipe.dim)
        wanted = wanted and manifest.neighbours == neighbours
        if manifest.revision == revision and wanted and has_current_names(latest):
            remove_work(latest.parent)  # a kill may have come before it was removed
            return latest, False
    made = write_snapshot(
        gallery, recipe, kind=kind, anew=anew, index=index, neighbours=neighbours, progress=listing
    )
    return made, True
