"""Games that are copied from an older snapshot are as if they had been written anew."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Absent, Row
from steamdino.index import facets, games_writer, name_index, name_patching, name_search
from steamdino.index.manifest import GAMES, VECTORS, Manifest
from steamdino.index.snapshot_writer import Draft, write
from steamdino.records import Filter

RECIPE = replace(named("bundled"), dim=4)
NAMES = [
    "Grand Theft Auto V",
    "Grand Theft Auto IV",
    "Hollow Knight",
    "Hollow Night",
    "Hallow Knight 2",
    "Final Fantasy II",
    "Final Fantasy 2",
    "東京物語",
    "とうきょう",
    "Pokémon",
    "The Pokemon",
    "2",
    "II",
    "",
    "!?",
    "Knights of the Hollow",
    "A",
    "ab ab",
]
TYPED = [
    "gta",
    "gta 5",
    "hollow",
    "holow nkight",
    "knight",
    "ight",
    "final fantasy ii",
    "final fantasy 2",
    "2",
    "ii",
    "東",
    "京物",
    "pokmon",
    "pokemon",
    "!?",
    "a",
    "ab",
    "knihgts",
    "the",
    "of",
    "hallow",
    "v",
    "theft",
    "grnd theft",
]
TAGS = ["Action", "RPG", "rpg", "Indie"]

names = st.sampled_from(NAMES) | st.lists(st.sampled_from(" ".join(NAMES).split()), max_size=3).map(" ".join)
columns = st.fixed_dictionaries(
    {},
    optional={
        "reviews": st.integers(0, 3),
        "tags": st.lists(st.sampled_from(TAGS), max_size=3),
        "released": st.sampled_from(["2020-05-17", "2019", "soon"]),
        "adult": st.booleans(),
        "free": st.booleans(),
    },
).map(json.dumps)
games = st.builds(
    Row,
    st.integers(0, 30).map(str),
    names,
    st.sampled_from(["steam", "files"]),
    st.sampled_from([None, "https://store.steampowered.com/app/1"]),
    st.just("../a.jpg"),
    st.integers(0, 3).map(lambda picture: f"{picture:064x}"),
    columns,
)
several = st.lists(games, max_size=12, unique_by=lambda game: game.id)
edits = st.tuples(
    st.lists(games, max_size=3, unique_by=lambda game: game.id),
    st.sets(st.integers(0, 30).map(str), max_size=3),
)
"""Games that are entered or changed, and the ids of those that are removed."""


def snapshot(folder: Path, rows: list[Row], *, anew: bool = False) -> Path:
    with Draft(folder, durable=False, anew=anew) as draft:
        np.save(draft.folder / VECTORS, np.eye(4, dtype=np.float32)[[0] * len(rows)])
        absent = [Absent("gone", "Gone", "it has no banner")]
        draft.write_games(rows, absent)
        return draft.commit(RECIPE, revision=1, precisions={})


def tables(db: sqlite3.Connection) -> dict[str, Any]:
    """What a database has, with games and words by their rank, whose places may have gaps of any size."""
    found: dict[str, Any] = {
        table: db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        for table in ("games", "absent", "facets", "tags")
    }
    found["schema"] = db.execute(
        "SELECT type, name, sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY 1, 2"
    ).fetchall()
    found["names"] = db.execute("SELECT row FROM names ORDER BY place").fetchall()
    found["words"] = db.execute("SELECT word FROM words ORDER BY place").fetchall()
    for table, of, column in (("name_words", "names", "row"), ("spellings", "words", "word")):
        db.execute(f"CREATE VIRTUAL TABLE temp.terms_{table} USING fts5vocab(main, {table}, 'instance')")
        places = dict(db.execute(f"SELECT place, {column} FROM {of}").fetchall())
        terms = db.execute(f"SELECT term, doc FROM temp.terms_{table}").fetchall()
        found[table] = sorted((term, places[place]) for term, place in terms)
    return found


def answers(db: sqlite3.Connection, count: int) -> list[Any]:
    found: list[Any] = [
        (asked(db, text, 50), text)
        for text in TYPED
        for asked in (name_search.find, name_search.suggest, name_search.find_exact)
    ]
    for wanted in (Filter(), Filter(tags=("rpg",)), Filter(min_reviews=2), Filter(released_from="2020")):
        mask = facets.allowed(db, wanted, count)
        found.append(None if mask is None else mask.tolist())
    return [*found, facets.tags(db), facets.dated(db)]


def read(path: Path, count: int) -> tuple[dict[str, Any], list[Any]]:
    with closing(sqlite3.connect(path / GAMES)) as db:
        db.execute("INSERT INTO name_words (name_words) VALUES ('integrity-check')")
        db.execute("INSERT INTO spellings (spellings) VALUES ('integrity-check')")
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return tables(db), answers(db, count)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    several,
    st.lists(edits, min_size=1, max_size=4),
    st.sampled_from([2, 4, 256]),
    st.sampled_from([3, 500_000]),
)
def test_any_sequence_of_changes_gives_what_a_build_from_nothing_gives(
    first: list[Row], steps: list[tuple[list[Row], set[str]]], gap: int, most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(name_index, "GAP", gap)
        patch.setattr(name_index, "MOST_WORDS", most)
        known: dict[str, Row] = {}
        for number, (entered, removed) in enumerate([(first, set()), *steps]):
            known |= {game.id: game for game in entered}
            rows = sorted(game for key, game in known.items() if key not in removed)
            known = {game.id: game for game in rows}
            changed = snapshot(Path(folder) / "changed", rows)
            anew = snapshot(Path(folder) / f"anew{number}", rows, anew=True)
            assert read(changed, len(rows)) == read(anew, len(rows))


def some(*numbers: int) -> list[Row]:
    return [
        Row(
            str(n),
            f"Game {n} of {n}",
            "files",
            None,
            "a.jpg",
            f"{n:064x}",
            f'{{"reviews": {n}, "tags": ["T{n}"]}}',
        )
        for n in sorted(numbers)
    ]


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The ids of games whose facets are computed, and "names" where all names are indexed."""
    noted: list[object] = []
    build, fill = name_index.build, facets.fill

    def building(db: sqlite3.Connection) -> None:
        noted.append("names")
        build(db)

    def filling(db: sqlite3.Connection, columns: Iterable[tuple[int, str]]) -> None:
        listed = list(columns)
        noted.extend(json.loads(written)["reviews"] for _, written in listed)
        fill(db, listed)

    monkeypatch.setattr(name_index, "build", building)
    monkeypatch.setattr(facets, "fill", filling)
    return noted


def test_only_games_that_are_new_or_changed_are_computed(tmp_path: Path, computed: list[object]) -> None:
    snapshot(tmp_path, some(1, 3, 5, 7))
    assert computed == [1, 3, 5, 7, "names"]
    computed.clear()
    snapshot(tmp_path, [*some(1, 2, 3), some(5)[0]._replace(name="Another"), *some(9)])
    assert computed == [2, 5, 9]


@pytest.mark.parametrize("change", ["damage", "version", "unicode", "table"])
def test_nothing_is_copied_from_a_damaged_or_older_snapshot(
    tmp_path: Path, computed: list[object], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    before = snapshot(tmp_path, some(1, 3))
    computed.clear()
    if change == "damage":
        content = bytearray((before / GAMES).read_bytes())
        content[-1] ^= 1
        (before / GAMES).write_bytes(content)
    elif change == "version":
        monkeypatch.setattr(games_writer, "VERSION", games_writer.VERSION + 1)
    elif change == "unicode":
        monkeypatch.setattr(games_writer.unicodedata, "unidata_version", "99.0.0")
    else:
        with closing(sqlite3.connect(before / GAMES)) as db:
            db.execute("DROP TABLE computed")
        manifest = Manifest.read(before)
        manifest.files[GAMES] = facts(before / GAMES)
        manifest.write(before)
    snapshot(tmp_path, some(1, 3, 5))
    assert computed == [1, 3, 5, "names"]


@pytest.mark.parametrize("limit", ["GAP", "MOST_CHANGES"])
def test_names_are_indexed_anew_where_a_gap_is_full_or_much_has_changed(
    tmp_path: Path, computed: list[object], monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(name_index if limit == "GAP" else name_patching, limit, 2)
    snapshot(tmp_path / "one", some(1, 9))
    computed.clear()
    rows = some(1, *range(2, 6), 9)
    changed = snapshot(tmp_path / "one", rows)
    assert computed == [2, 3, 4, 5, "names"]
    anew = snapshot(tmp_path / "anew", rows)
    assert read(changed, len(rows)) == read(anew, len(rows))


def test_a_rebuild_copies_nothing(tmp_path: Path, computed: list[object]) -> None:
    rows, vectors = some(1, 3), list(np.eye(4, dtype=np.float32)[:2])
    write(tmp_path, RECIPE, 1, rows, [], vectors, {})
    computed.clear()
    write(tmp_path, RECIPE, 1, rows, [], vectors, {}, anew=True)
    assert computed == [1, 3, "names"]
    computed.clear()
    write(tmp_path, RECIPE, 1, rows, [], vectors, {})
    assert computed == []


def facts(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
