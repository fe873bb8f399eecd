"""Games that a column hides, in all that finds games: Python, the command line, the page and the API."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import httpx2 as httpx
import pytest
from tests.fakes.memory_database import memory_database
from tests.present.web.conftest import Running

import steamdino
from steamdino import Snapshot
from steamdino.analysis.audit import Auditor
from steamdino.analysis.neighbourhood import Neighbourhood
from steamdino.records import EVERYTHING, HIDDEN_COLUMNS, Filter

Run = Callable[..., "CompletedProcess[str]"]
GAMES = [f"plain {n}" for n in range(4)]
BY_COLUMN = pytest.mark.parametrize("column", HIDDEN_COLUMNS)


def hidden(column: str) -> str:
    return f"game with {column}"


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some plain games, and one for each column that hides games."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("hidden")
    columns: dict[str, dict[str, bool]] = {name: {} for name in GAMES}
    columns |= {hidden(column): {column: True} for column in HIDDEN_COLUMNS}
    with (folder / "games.jsonl").open("w") as table:
        for name, more in columns.items():
            Image.effect_noise((60, 90), 20 + 20 * len(name)).convert("RGB").save(folder / f"{name}.png")
            table.write(json.dumps({"id": name, "name": name, "path": f"{name}.png", **more}) + "\n")
    steamdino.add(folder / "gallery", folder / "games.jsonl")
    steamdino.build(folder / "gallery")
    return folder / "gallery"


@pytest.fixture(scope="module")
def snapshot(gallery: Path) -> Snapshot:
    return Snapshot.open(gallery)


@pytest.fixture(scope="module")
def web(gallery: Path) -> Iterator[httpx.Client]:
    running = Running(gallery)
    yield running.client
    running.close()


def test_hidden_games_are_in_no_result_unless_everything_is_asked_for(snapshot: Snapshot) -> None:
    picture = snapshot.game(GAMES[0]).picture
    assert picture is not None
    every = {*GAMES, *map(hidden, HIDDEN_COLUMNS)}
    for only, expected in ((None, set(GAMES)), (EVERYTHING, every)):
        assert {game.id for game in snapshot.games(snapshot.rows(only))} == expected
        assert set(snapshot.similar(picture, 99, only=only).ids) == expected
        assert {one.game.id for one in steamdino.unique(snapshot, only=only)} == expected
        assert {one.game.id for one in steamdino.diverse(snapshot, only=only)} == expected
        assert {snapshot.ids[row] for row in Neighbourhood.of(snapshot, 9, only=only).queries} == expected
        assert {game.id for game in snapshot.suggest("game", only=only)} == expected - set(GAMES)
    assert {match.id for match in Auditor(snapshot)(picture, 99).matches} <= set(GAMES)


@BY_COLUMN
def test_each_column_is_included_alone_and_a_hidden_query_is_answered(
    snapshot: Snapshot, column: str
) -> None:
    only = Filter(**{column: True})
    assert only.hides == tuple(name for name in HIDDEN_COLUMNS if name != column)
    found = {game.id for game in snapshot.games(snapshot.rows(only))}
    assert found == {*GAMES, hidden(column)}
    for query in (hidden(column), hidden(column).upper()):  # by its id, by its name
        matches = snapshot.similar(query)
        assert matches.query.game is not None
        assert matches.query.game.id == hidden(column)
        assert set(matches.ids) == set(GAMES)


@BY_COLUMN
def test_a_flag_includes_them_on_the_command_line(run: Run, gallery: Path, column: str) -> None:
    for command in (("similar", GAMES[0], "-k", "9"), ("unique",)):
        for flags, more in (((), set()), ((f"--{column}",), {hidden(column)})):
            done = run(*command, "-g", gallery, "--format", "ids", *flags)
            assert (done.returncode, done.stderr) == (0, "")
            assert set(done.stdout.splitlines()) | {GAMES[0]} == {*GAMES, *more}
    done = run("similar", hidden(column), "-g", gallery, "--format", "ids")
    assert set(done.stdout.splitlines()) == set(GAMES)


def test_exports_skip_hidden_games_but_for_the_arrays(run: Run, gallery: Path, tmp_path: Path) -> None:
    assert run("export", "site", "-g", gallery, "-o", tmp_path / "site").returncode == 0
    assert json.loads((tmp_path / "site/data/home.json").read_text())["total"] == len(GAMES)
    assert run("export", "json", "-g", gallery, "--all", "-o", tmp_path / "matches.json").returncode == 0
    assert set(json.loads((tmp_path / "matches.json").read_text())) == set(GAMES)
    assert run("export", "npy", "-g", gallery, "-o", tmp_path / "arrays").returncode == 0
    named = json.loads((tmp_path / "arrays/app_ids.json").read_text())
    assert set(named) == {*GAMES, *map(hidden, HIDDEN_COLUMNS)}


def test_every_command_with_one_of_the_flags_has_them_all() -> None:
    reference = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
    flags = {f"--{column}" for column in HIDDEN_COLUMNS}
    with_flags = 0
    for section in re.split(r"^## ", reference.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        found = {flag for flag in flags if re.search(rf"^│ {flag} .*--no-", section, re.MULTILINE)}
        assert found in (set(), flags), section.splitlines()[0]
        with_flags += bool(found)
    assert with_flags == 5


@BY_COLUMN
def test_a_parameter_includes_them_in_the_api_and_is_documented(web: httpx.Client, column: str) -> None:
    for path, key in (
        (f"/api/v1/games/{GAMES[0]}/similar", "matches"),
        ("/api/v1/games", "games"),
        ("/api/v1/games?q=game", "games"),
        ("/api/v1/unique", "games"),
    ):
        plain, more = (
            web.get(path, params={**httpx.URL(path).params, column: n}).json()[key] for n in (0, 1)
        )
        ids, more_ids = ({one["id"] for one in found} for found in (plain, more))
        assert not ids & set(map(hidden, HIDDEN_COLUMNS))
        assert more_ids == ids | {hidden(column)}
    assert len(web.get(f"/api/v1/games/{hidden(column)}/similar").json()["matches"]) == len(GAMES)
    for path, methods in web.get("/openapi.json").json()["paths"].items():
        for method in methods.values():
            known = {one["name"] for one in method.get("parameters", ())} & set(HIDDEN_COLUMNS)
            assert known in (set(), set(HIDDEN_COLUMNS)), path


@BY_COLUMN
def test_the_page_has_a_box_that_stays_checked_in_a_saved_address(web: httpx.Client, column: str) -> None:
    plain = web.get(f"/games/{GAMES[0]}").text
    assert hidden(column) not in plain
    assert re.search(rf'name="{column}" value="1"> include {HIDDEN_COLUMNS[column]}', plain)
    assert "<details>" in plain
    saved = web.get(f"/games/{GAMES[0]}?{column}=1").text
    assert hidden(column) in saved
    assert f'name="{column}" value="1" checked' in saved
    assert saved.count('value="1" checked') == 1
    assert "<details open>" in saved


@BY_COLUMN
def test_a_snapshot_that_knows_only_some_of_the_columns_hides_those(column: str) -> None:
    from steamdino.index import facets

    db = memory_database()
    db.executescript(facets.SCHEMA)
    facets.fill(db, enumerate([*(json.dumps({name: True}) for name in HIDDEN_COLUMNS), '{"free":true}']))
    for other in HIDDEN_COLUMNS:
        if other != column:
            db.execute(f"DROP INDEX facets_{other}")
            db.execute(f"ALTER TABLE facets DROP COLUMN {other}")
    count = len(HIDDEN_COLUMNS) + 1
    mask = facets.allowed(db, Filter(), count)
    assert mask is not None
    assert [*mask] == [name != column for name in (*HIDDEN_COLUMNS, "")]
    assert facets.allowed(db, Filter(**{column: True}), count) is None
    free = facets.allowed(db, Filter(free=True), count)
    assert free is not None
    assert [*free] == [False] * (count - 1) + [True]
    assert facets.undated(db, Filter(released_from="2020"), count) == count - 1
