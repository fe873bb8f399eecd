"""What counts as found, against a plain reading of the definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.analysis.evaluation.retrieval import Scores, answer
from steamdino.analysis.evaluation.tasks import Task, answerable, hamming, labels_in, near_and_diff, sharing
from steamdino.index.exact import ExactIndex

LABELS = st.frozensets(st.sampled_from("abc"), max_size=2)


@st.composite
def _items(draw: st.DrawFn) -> Any:
    count = draw(st.integers(2, 9))
    labels = draw(st.lists(LABELS, min_size=count, max_size=count))
    sources = draw(
        st.lists(st.sampled_from("xy").map(lambda s: frozenset({s})), min_size=count, max_size=count)
    )
    # A hash that begins with 0, 2, 4, ... bytes of ones: any two differ in a multiple of 16 bits.
    ones = draw(st.lists(st.integers(0, 8), min_size=count, max_size=count))
    hashes = np.array([[255] * (2 * n) + [0] * (32 - 2 * n) for n in ones], np.uint8)
    return labels, sources, hashes


@given(_items())
def test_near_and_diff_are_what_their_definition_says(items: Any) -> None:
    labels, sources, hashes = items
    everyone = range(len(labels))
    tasks = near_and_diff(labels, sources, hashes, np.arange(len(labels)))
    for task, fits in zip(tasks, (lambda bits: bits <= 30, lambda bits: bits > 90), strict=True):
        expected = {}
        for query in everyone:
            alike = {other for other in everyone if other != query and labels[query] & labels[other]}
            found = {
                other
                for other in alike
                if sources[query] != sources[other]
                and fits(
                    sum(
                        (int(a) ^ int(b)).bit_count()
                        for a, b in zip(hashes[query], hashes[other], strict=True)
                    )
                )
            }
            if found:
                expected[query] = (found, alike - found | {query})
        assert task.queries.tolist() == list(expected)
        for query, relevant, left_out in zip(task.queries, task.relevant, task.left_out, strict=True):
            assert (set(relevant), set(left_out)) == expected[int(query)]
        # Two queries are of one cluster if and only if they have the same labels.
        assert [[labels[a] == labels[b] for b in task.queries] for a in task.queries] == (
            task.clusters[:, None] == task.clusters[None]
        ).tolist()


@given(_items())
def test_sharing_asks_for_all_others_with_a_label_in_common(items: Any) -> None:
    labels, sources, _ = items
    everyone = range(len(labels))
    expected = {
        query: found
        for query in everyone
        if (found := {other for other in everyone if other != query and labels[query] & labels[other]})
    }
    task = sharing(labels, np.arange(len(labels)))
    assert dict(zip(task.queries.tolist(), map(set, task.relevant), strict=True)) == expected
    assert [rows.tolist() for rows in task.left_out] == [[query] for query in expected]
    assert answerable(labels).tolist() == list(expected)
    abroad = [q for q, found in expected.items() if any(sources[q] != sources[other] for other in found)]
    assert answerable(labels, sources).tolist() == abroad


def test_only_the_asked_rows_are_queries() -> None:
    labels = [frozenset("a")] * 5
    assert sharing(labels, np.array([1, 3])).queries.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        (None, set()),
        ("", set()),
        (" ; ", set()),
        ("Portal", {"Portal"}),
        ("Action; Indie ;Action", {"Action", "Indie"}),
        (["Action", "Indie", None], {"Action", "Indie"}),
        ([], set()),
        (1998, {"1998"}),
    ],
)
def test_a_cell_holds_labels_as_people_write_them(cell: Any, labels: set[str]) -> None:
    assert labels_in(cell) == labels


def test_hamming_counts_bits() -> None:
    one = np.array([0b10110000, 255], np.uint8)
    many = np.array([[0b10110000, 255], [0b10110001, 254], [0b01001111, 0]], np.uint8)
    assert hamming(one, many).tolist() == [0, 2, 16]


def _near_and_diff(groups: list[str], sources: list[str], seed: int) -> tuple[Task, Task]:
    hashes = np.random.default_rng(seed).integers(0, 256, (len(groups), 32), dtype=np.uint8)
    labels = [frozenset({group} - {""}) for group in groups]
    # Hashes of different pictures are about 128 bits apart.
    return near_and_diff(labels, [frozenset({source}) for source in sources], hashes, np.arange(len(groups)))


def test_vectors_that_know_the_groups_are_perfect_and_those_that_know_the_sources_are_not() -> None:
    near, diff = _near_and_diff([f"group {n // 2}" for n in range(40)], ["here", "there"] * 20, 0)
    knowing = ExactIndex(np.repeat(np.eye(20, dtype=np.float32), 2, axis=0))
    scores = Scores.of(answer(diff, knowing))
    assert (scores.queries, scores.r1, scores.mean_ap) == (40, 1, 1)
    nothing = Scores.of(answer(near, knowing))
    assert nothing.queries == 0
    assert np.isnan(nothing.mean_ap)
    misled = ExactIndex(np.tile(np.eye(2, dtype=np.float32), (20, 1)))
    # All 19 others of the same source come before any of the other one.
    assert Scores.of(answer(diff, misled)).r10 == 0


def test_a_row_without_a_group_is_no_query_and_no_answer() -> None:
    _, diff = _near_and_diff(["", "", "a", "a"], ["x", "y", "x", "y"], 1)
    assert Scores.of(answer(diff, ExactIndex(np.eye(4, dtype=np.float32)))).queries == 2
