"""Lists of neighbours after any sequence of changes, against lists from nothing and against a full sort."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Row
from steamdino.index import neighbour_patching, neighbour_writer
from steamdino.index.manifest import VECTORS
from steamdino.index.neighbour_lists import COSINES, ROWS, NeighbourLists
from steamdino.index.pair_cosines import pair_cosines
from steamdino.index.snapshot_writer import Draft

Vectors = NDArray[np.float32]
Games = dict[str, Vectors]

DIM = 6
RECIPE = replace(named("bundled"), dim=DIM)
FAMILIES = 4
EPSILON = np.float32(2) ** -23


def vector(seed: int) -> Vectors:
    """A unit vector: of few families, of whose members some are identical, and others differ in the last bits."""
    rng = np.random.default_rng(seed % FAMILIES)
    made = rng.normal(size=DIM).astype(np.float32)
    kind = seed // FAMILIES % 4
    if kind == 1:
        made = made + made * EPSILON * np.random.default_rng(seed).integers(-2, 3, DIM).astype(np.float32)
    elif kind > 1:
        made = np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
    return made / np.linalg.norm(made)


def snapshot(folder: Path, games: Games, promised: int, *, anew: bool = False) -> Path:
    found = sorted(games.items())
    rows = [
        Row(key, key, "s", None, "", hashlib.sha256(made.tobytes()).hexdigest(), "{}") for key, made in found
    ]
    with Draft(folder, durable=False, anew=anew) as draft:
        np.save(draft.folder / VECTORS, np.array([made for _, made in found], np.float32).reshape(-1, DIM))
        draft.write_games(rows, [])
        return draft.commit(RECIPE, revision=0, precisions={}, neighbours=promised)


def promised_part(folder: Path, promised: int) -> tuple[bytes, bytes]:
    return tuple(np.load(folder / name)[:, :promised].tobytes() for name in (ROWS, COSINES))  # type: ignore[return-value]


def check_lists(folder: Path, promised: int) -> None:
    """Checks every list against a full sort of all pairs' cosines: a beginning of it, and long enough."""
    vectors = np.load(folder / VECTORS)
    count = len(vectors)
    lists = NeighbourLists.open(folder, count, promised)
    for row in range(count):
        others = np.delete(np.arange(count), row)
        cosines = pair_cosines(vectors, np.full(len(others), row), others)
        order = np.lexsort((others, -cosines))
        length = int((lists.rows[row] >= 0).sum())
        assert length >= min(promised, count - 1)
        assert lists.rows[row, :length].tolist() == others[order][:length].tolist()
        assert lists.cosines[row, :length].tobytes() == cosines[order][:length].tobytes()
        assert (lists.rows[row, length:] == -1).all()
        assert (lists.cosines[row, length:] == -1).all()


changes = st.dictionaries(st.integers(0, 40), st.none() | st.integers(0, 60), max_size=6)
"""By game: its new vector, or None to remove it."""


steps = st.lists(changes, min_size=1, max_size=5)
starts = st.lists(st.integers(0, 60), max_size=30)
lengths = st.sampled_from([1, 2, 5, 12])
at_once = st.sampled_from([1, 3, 256])


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(first=starts, steps=steps, promised=lengths, at_once=at_once)
def test_any_sequence_of_changes_gives_the_lists_of_a_build_from_nothing(
    first: list[int],
    steps: list[dict[int, int | None]],
    promised: int,
    at_once: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    check_sequence(first, steps, promised, at_once, tmp_path_factory.mktemp("lists"))


@pytest.mark.soak
@settings(max_examples=1000, deadline=None)
@given(first=starts, steps=steps, promised=lengths, at_once=at_once)
def test_a_thousand_sequences_of_changes_do(
    first: list[int],
    steps: list[dict[int, int | None]],
    promised: int,
    at_once: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    check_sequence(first, steps, promised, at_once, tmp_path_factory.mktemp("lists"))


def check_sequence(
    first: list[int], steps: list[dict[int, int | None]], promised: int, at_once: int, home: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbour_patching, "PAYS", 0)  # however much is new
        patch.setattr(neighbour_patching, "AT_ONCE", at_once)
        patch.setattr(neighbour_patching, "BLOCK", 7)
        patch.setattr(neighbour_writer, "BLOCK", 7)
        games = {f"{n:02}": vector(seed) for n, seed in enumerate(first)}
        snapshot(home / "patched", games, promised)
        for number, step in enumerate(steps):
            for key, seed in step.items():
                if seed is None:
                    games.pop(f"{key:02}", None)
                else:
                    games[f"{key:02}"] = vector(seed)
            patched = snapshot(home / "patched", games, promised)
            check_lists(patched, promised)
            anew = snapshot(home / f"anew{number}", games, promised)
            assert promised_part(patched, promised) == promised_part(anew, promised)
            assert not (home / "patched" / neighbour_writer.WORK).exists()


def test_a_copy_does_not_enter_a_list_before_another_copy_that_the_list_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbour_patching, "PAYS", 1)
    games = {f"{n:02}": vector(0) for n in range(10)}
    snapshot(tmp_path, games, 1)  # the lists hold four of nine equal games
    del games["02"]
    games["99"] = vector(0)
    check_lists(snapshot(tmp_path, games, 1), 1)


def test_lists_are_patched_if_games_stayed_in_order_and_few_are_new() -> None:
    assert neighbour_patching.can_be_patched(np.array([0, 1, -1, 2, 3], np.int32))
    assert not neighbour_patching.can_be_patched(np.array([0, 2, -1, 1, 3], np.int32))
    assert not neighbour_patching.can_be_patched(np.array([0, 1, -1, -1, 3], np.int32))
