"""Recipes compared on the fictional store, whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import steamdino
from steamdino.analysis.evaluation.collection import Collection, collect
from steamdino.analysis.evaluation.evaluate import Evaluation, evaluate
from steamdino.analysis.evaluation.task_results import Result, Score
from steamdino.analysis.evaluation.tasks import hamming
from steamdino.engines.cores import cores
from steamdino.errors import SnapshotError, UsageError
from steamdino.index.snapshot_selection import open_newest

Paint = Callable[..., Path]


@pytest.fixture(scope="module")
def collection(built: Path) -> Collection:
    return collect([open_newest(built)], threads=cores())


@pytest.fixture(scope="module")
def told() -> list[tuple[int, int]]:
    """What the evaluation tells of its progress."""
    return []


@pytest.fixture(scope="module")
def evaluation(collection: Collection, told: list[tuple[int, int]]) -> Evaluation:
    def progress(done: int, total: int) -> None:
        told.append((done, total))

    return evaluate(collection, labels=["franchise"], copied=12, threads=cores(), progress=progress)


def _result(evaluation: Evaluation, name: str) -> Result:
    return next(result for result in evaluation.results if result.name == name)


def _score(result: Result, descriptor: str = "bundled") -> Score:
    return next(score for score in result.scores if score.descriptor == descriptor)


def test_the_collection_is_the_snapshots(collection: Collection, built: Path) -> None:
    snapshot = steamdino.Snapshot.open(built)
    assert [game.id for game in collection.games] == snapshot.ids
    names = ["bundled", "colour-histogram", "thumbnails", "difference-hash"]
    assert [descriptor.name for descriptor in collection.descriptors] == names
    np.testing.assert_array_equal(collection.descriptors[0].index.vectors, snapshot.vectors)
    assert not collection.problems


def test_hashes_tell_a_copy_from_another_picture(collection: Collection, fictional_store: tuple) -> None:  # type: ignore[type-arg]
    rows = {game.id: row for row, game in enumerate(collection.games)}
    copies = [game for game in fictional_store[1] if game.defect in ("exact", "reencoded")]
    assert len(copies) >= 2
    for game in copies:
        own, other = collection.hashes[rows[game.id]], collection.hashes[rows[game.duplicate_of]]
        assert hamming(own, other) <= (0 if game.defect == "exact" else 30)


def test_r1_is_what_searching_finds(evaluation: Evaluation, built: Path) -> None:
    snapshot = steamdino.Snapshot.open(built)
    franchises = {key: str(snapshot.game(key).columns.get("franchise") or "") for key in snapshot.ids}
    counts = list(franchises.values())
    asked = [key for key, name in franchises.items() if name and counts.count(name) > 1]
    found = [franchises[snapshot.similar(key, 1)[0].id] == franchises[key] for key in asked]
    result = _result(evaluation, "franchise: all")
    assert (result.queries, result.clusters) == (len(asked), len({franchises[key] for key in asked}))
    assert _score(result).r1.value == pytest.approx(np.mean(found))
    low, high = _score(result).r1.low, _score(result).r1.high
    assert low is not None and high is not None and low < np.mean(found) < high


def test_a_difference_is_that_of_the_averages(evaluation: Evaluation) -> None:
    result = _result(evaluation, "franchise: all")
    assert len(result.differences) == 2 * 6  # two measures, and four descriptors make six pairs
    for found in result.differences:
        one, other = (getattr(_score(result, name), found.measure) for name in (found.descriptor, found.than))
        assert found.difference.value == pytest.approx(one.value - other.value)


def test_copies_are_found_as_each_descriptor_must(evaluation: Evaluation) -> None:
    # A histogram does not see a mirror; nor does a difference hash see colours, as far as they keep the light.
    assert _score(_result(evaluation, "mirror"), "colour-histogram").r1.value == 1
    assert _score(_result(evaluation, "greyscale"), "difference-hash").r1.value == 1
    assert _score(_result(evaluation, "greyscale"), "colour-histogram").r1.value < 0.5
    assert _score(_result(evaluation, "mirror"), "difference-hash").r1.value < 0.5
    assert _score(_result(evaluation, "JPEG 30")).r1.value > 0.9
    ways = [result for result in evaluation.results if result.kind == "copy"]
    total = _result(evaluation, "copies")
    assert total.queries == 12 * len(ways)
    assert total.clusters == 12
    mean = np.mean([_score(way).r1.value for way in ways])
    assert _score(total).r1.value == pytest.approx(mean)


def test_costs_are_those_of_what_is_stored(evaluation: Evaluation, built: Path) -> None:
    bundled, _, _, hashes = evaluation.costs
    assert (bundled.dim, bundled.vector_bytes) == (512, 2048)
    snapshot = next(built.glob("snapshots/*/*/vectors.npy"))
    assert snapshot.stat().st_size == pytest.approx(evaluation.games * bundled.vector_bytes, abs=200)
    assert bundled.model_bytes > 100_000
    assert (hashes.vector_bytes, hashes.model_bytes) == (32, 0)
    assert all(cost.pictures_per_second > 0 for cost in evaluation.costs)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_figures(collection: Collection, evaluation: Evaluation) -> None:
    again = evaluate(collection, labels=["franchise"], copied=12, threads=1)
    assert replace(again, costs=()) == replace(evaluation, costs=())


@pytest.mark.slow
def test_another_seed_draws_other_queries(collection: Collection) -> None:
    one, other = (
        evaluate(collection, labels=["tags"], copied=0, queries=50, seed=seed, threads=cores())
        for seed in (1, 2)
    )
    for found in (one, other):  # several labels in a cell count one by one, so that few games stay alone
        assert [(result.name, result.queries) for result in found.results] == [("tags: all", 50)]
    assert one.results[0].scores != other.results[0].scores


def test_progress_counts_pictures_up_to_its_total(
    evaluation: Evaluation, told: list[tuple[int, int]]
) -> None:
    assert evaluation.costs
    assert told == sorted(told)
    assert told[-1] == (4 * (2 * 64 + 12), 4 * (2 * 64 + 12))


def test_a_column_that_no_game_has_is_refused_by_name(collection: Collection) -> None:
    with pytest.raises(UsageError, match="no game has a column 'colour'; there are: .*franchise"):
        evaluate(collection, labels=["colour"], copied=0)


def test_labels_that_nobody_shares_are_refused(collection: Collection) -> None:
    with pytest.raises(UsageError, match="no two games share a label in 'franchise' across 'source'"):
        evaluate(collection, labels=["franchise"], across="source", copied=0)


def test_games_whose_pictures_have_gone_stay_away(tmp_path: Path, paint: Paint) -> None:
    gallery, pictures = tmp_path / "gallery", tmp_path / "pictures"
    for seed, name in enumerate("abcd"):
        paint(pictures / f"{name}.jpg", seed)
    steamdino.add(gallery, pictures)
    steamdino.build(gallery)
    (pictures / "a.jpg").unlink()
    paint(pictures / "b.jpg", 99)
    reader = open_newest(gallery)
    small = collect([reader])
    assert [problem.id for problem in small.problems] == ["a", "b"]
    assert "does not exist" in small.problems[0].reason
    assert "has changed" in small.problems[1].reason
    assert [game.id for game in small.games] == ["c", "d"]
    assert len(small.hashes) == 2
    for descriptor in small.descriptors:
        assert len(descriptor.index.vectors) == 2
    np.testing.assert_array_equal(small.descriptors[0].index.vectors, reader.vectors[2:])
    (pictures / "c.jpg").unlink()
    with pytest.raises(SnapshotError, match="1 games are left to compare recipes on"):
        collect([reader])


def test_only_games_of_all_recipes_are_compared(tmp_path: Path, paint: Paint) -> None:
    gallery, pictures = tmp_path / "gallery", tmp_path / "pictures"
    for seed, name in enumerate("abc"):
        paint(pictures / f"{name}.jpg", seed)
    steamdino.add(gallery, pictures)
    steamdino.build(gallery)
    paint(pictures / "aa.jpg", 7)
    steamdino.add(gallery, pictures)
    steamdino.build(gallery, "bundled/fit/64x96")
    readers = [open_newest(gallery, name) for name in ("bundled", "bundled/fit/64x96")]
    found = collect(readers)
    assert [game.id for game in found.games] == ["a", "b", "c"]
    assert [(problem.id, problem.reason[:33]) for problem in found.problems] == [
        ("aa", "it is not in the snapshots of all")
    ]
    np.testing.assert_array_equal(found.descriptors[0].index.vectors, readers[0].vectors)
    np.testing.assert_array_equal(found.descriptors[1].index.vectors, readers[1].vectors[[0, 2, 3]])
