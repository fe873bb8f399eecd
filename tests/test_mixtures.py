from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from steamdino import Snapshot
from steamdino.errors import QueryError, UsageError
from steamdino.index.similarity_distribution import ALIKE
from steamdino.pipeline import add, build

Paint = Callable[..., Path]
Run = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


def _row(snapshot: Snapshot, key: str) -> np.ndarray:
    return snapshot.vectors[snapshot.ids.index(key)]


def test_a_mixture_is_the_sum_of_its_parts(snapshot: Snapshot) -> None:
    first, second, third = snapshot.ids[3], snapshot.ids[40], snapshot.ids[77]
    matches = snapshot.similar(first, 50, plus=[f"2*{second}"], minus=[f"0.5*{third}"])
    mixed = _row(snapshot, first) + 2 * _row(snapshot, second) - 0.5 * _row(snapshot, third)
    scores = snapshot.vectors @ (mixed / np.linalg.norm(mixed))
    for key in (first, second, third):
        scores[snapshot.ids.index(key)] = -2
    np.testing.assert_allclose(matches.similarities, np.sort(scores)[::-1][:50], atol=1e-5)
    assert not {first, second, third} & set(matches.ids)


def test_adding_nothing_but_the_query_itself_changes_nothing(snapshot: Snapshot) -> None:
    key = snapshot.ids[10]
    assert snapshot.similar(key, 20, plus=[f"3*{key}"]).ids == snapshot.similar(key, 20).ids


def test_an_exact_name_wins_before_a_weight_is_looked_for(tmp_path: Path, paint: Paint) -> None:
    table = tmp_path / "t.jsonl"
    names = {"a": "2*b", "b": "b", "c": "Third"}
    table.write_text(
        "\n".join(json.dumps({"id": k, "name": n, "path": f"{k}.png"}) for k, n in names.items())
    )
    for seed, key in enumerate(names):
        paint(tmp_path / f"{key}.png", seed)
    add(tmp_path / "g", table)
    build(tmp_path / "g")
    (part,) = Snapshot.open(tmp_path / "g").similar("c", plus=["2*b"]).query.parts
    assert part.query.game is not None
    assert (part.weight, part.query.game.id) == (1.0, "a")
    (part,) = Snapshot.open(tmp_path / "g").similar("c", plus=["3*b"]).query.parts
    assert part.query.game is not None
    assert (part.weight, part.query.game.id) == (3.0, "b")


def test_what_cancels_itself_out_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(UsageError, match="cancel each other out"):
        snapshot.similar(snapshot.ids[0], minus=[snapshot.ids[0]])


def test_a_part_that_fits_nothing_is_named(snapshot: Snapshot) -> None:
    with pytest.raises(QueryError, match="no game matches 'qqqzzz xxqq'.*has no text model"):
        snapshot.similar(snapshot.ids[0], plus=["qqqzzz xxqq"])


def test_the_command_line_says_what_was_mixed(run: Run, built: Path, snapshot: Snapshot) -> None:
    first, second = snapshot.ids[3], snapshot.ids[40]
    done = run("similar", first, "-g", built, "--plus", f"2*{second}", "--format", "json")
    record = json.loads(done.stdout)
    assert [(part["weight"], part["id"]) for part in record["query"]["parts"]] == [(2.0, second)]
    table = run("similar", first, "-g", built, "--minus", second, "-k", 1).stdout
    assert f" - {snapshot.game(second).name}" in table.splitlines()[0]


def test_alike_keeps_what_is_closer_than_the_stated_share_of_pairs(
    run: Run, built: Path, snapshot: Snapshot
) -> None:
    everything = snapshot.similar("Rainproof", 400)
    alike = snapshot.similar("Rainproof", 400, alike=True)
    assert 0 < len(alike) < len(everything)
    assert [m for m in everything if m.percentile is not None and m.percentile >= ALIKE] == list(alike)
    percentiles = [match.percentile or 0 for match in everything]
    assert percentiles == sorted(percentiles, reverse=True)
    lonely = min(snapshot.ids, key=lambda key: snapshot.similar(key, 1)[0].similarity)
    done = run("similar", lonely, "-g", built, "--alike", "--format", "ids")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (
        0,
        "",
        "No match has at least a percentile of 99.9.\n",
    )


def test_a_snapshot_without_a_distribution_still_answers(gallery: Path) -> None:
    manifest = next(gallery.glob("snapshots/*/*/manifest.json"))
    record = json.loads(manifest.read_text())
    del record["similarity"]
    manifest.write_text(json.dumps(record))
    matches = Snapshot.open(gallery).similar("Rainproof", 3)
    assert [match.percentile for match in matches] == [None, None, None]
