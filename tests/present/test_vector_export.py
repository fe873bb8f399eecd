"""`export parquet --vectors` and `export lance`, read back by other programs and compared with the snapshot."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import duckdb
import lance
import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from tests.fakes.snapshots import clustered, snapshot_of

from steamdino import Snapshot
from steamdino.errors import MissingExtraError, SnapshotError
from steamdino.index.name_folding import fold
from steamdino.installation import extra_command
from steamdino.present.export.vectors import game_table
from steamdino.present.export.vectors.lance_dataset import LanceDataset
from steamdino.present.export.vectors.parquet_parts import ParquetParts
from steamdino.present.export.vectors.vector_format import PART_BYTES, VectorFormat, default_part
from steamdino.records import EVERYTHING

Run = Callable[..., "CompletedProcess[str]"]

FORMATS = (ParquetParts(), LanceDataset())
NAMES = [form.name for form in FORMATS]
COMMANDS = {"Parquet": ("parquet", "--vectors"), "Lance": ("lance",)}


def read(form: str, folder: Path) -> pa.Table:
    """All rows, by the reader of the format's own makers."""
    if form == "Lance":
        return lance.dataset(folder).to_table()
    return pyarrow.dataset.dataset(folder, format="parquet").to_table()


def vectors_of(table: pa.Table) -> np.ndarray:
    column = table["vector"].combine_chunks()
    return np.asarray(column.values).reshape(len(table), column.type.list_size)


def write(form: VectorFormat, folder: Path, snapshot: Snapshot, part: int = 1000) -> Path:
    folder.mkdir()
    form.write(folder, snapshot, snapshot.rows(EVERYTHING), part, lambda *_: None)
    return folder


def facets_of(folder: Path) -> Iterator[tuple[Any, ...]]:
    """What the snapshot's own filters compare, from its database: a row's facets and its tags."""
    with closing(sqlite3.connect(folder / "games.sqlite")) as db:
        for row, *found in db.execute(
            "SELECT games.row, released_first, released_last, early_access_first, early_access_last,"
            " coalesce(reviews, 0), coalesce(free, 0), coalesce(upcoming, 0), coalesce(adult, 0),"
            " coalesce(delisted, 0) FROM games LEFT JOIN facets USING (row) ORDER BY games.row"
        ):
            tags = {tag for (tag,) in db.execute("SELECT tag FROM tags WHERE row = ?", (row,))}
            yield *found, tags


FACETS = (
    "released_first",
    "released_last",
    "early_access_first",
    "early_access_last",
    "reviews",
    "free",
    "upcoming",
    "adult",
    "delisted",
    "tags",
)


def exported_facets(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    for row in table.select(FACETS).to_pylist():
        values = [one.isoformat() if isinstance(one, date) else one for one in row.values()]
        yield *values[:-1], {fold(tag) for tag in values[-1]}


@pytest.mark.parametrize("form", NAMES)
def test_every_game_is_a_row_with_the_snapshots_values(
    run: Run, built: Path, tmp_path: Path, form: str
) -> None:
    output = tmp_path / "games.out"
    done = run("export", *COMMANDS[form], "-g", built, "-o", output, "--games-per-file", "100")
    snapshot = Snapshot.open(built)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{output}: {len(snapshot)} games in 5 files\n"
    table = read(form, output)
    assert np.array_equal(vectors_of(table), snapshot.vectors)
    games = snapshot.games(range(len(snapshot)))
    for name in ("id", "name", "source", "url", "sha256"):
        assert table[name].to_pylist() == [getattr(game, name) for game in games]
    assert [json.loads(text) for text in table["columns"].to_pylist()] == [game.columns for game in games]
    assert table["developers"].to_pylist() == [[game.columns["developer"]] for game in games]
    (newest,) = (path.parent for path in built.glob("snapshots/*/*/games.sqlite"))
    assert list(exported_facets(table)) == list(facets_of(newest))
    facts = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert facts == {
        "recipe": snapshot.recipe.name,
        "recipe_hash": snapshot.recipe.hash,
        "kind": "vertical",
        "dim": str(snapshot.recipe.dim),
        "similarity": "vectors have length 1; the inner product of two is their cosine similarity",
    }
    record = json.loads((output / "_export.json").read_text("utf-8"))
    files = {
        path.relative_to(output).as_posix(): path.stat().st_size
        for path in output.rglob("*")
        if path.is_file()
    }
    del files["_export.json"]
    assert record == {
        "export": "vectors",
        "format": form,
        **facts,
        "dim": snapshot.recipe.dim,
        "games": len(snapshot),
        "files": files,
    }


DATES = st.sampled_from(
    ["2012-08-21", "21 Aug, 2012", "Q3 2012", "2020", "Aug 2012", 1345507200, "soon", "", None]
)
LABELS = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9).filter(str.strip)
)
FLAGS = st.sampled_from([True, False, 0, 1, "true", "no", None])
COUNTS = st.sampled_from([0, 7, 2**40, "12", "many", -3, None])
GAMES = st.fixed_dictionaries(
    {},
    optional={
        "tags": LABELS | LABELS.map(";".join) | LABELS.map(lambda labels: dict.fromkeys(labels, 3)),
        "genres": LABELS,
        "developers": LABELS,
        "publisher": st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
        "released": DATES,
        "early_access_since": DATES,
        "reviews": COUNTS,
        "free": FLAGS,
        "coming_soon": FLAGS,
        "adult": FLAGS,
        "delisted": FLAGS,
        "price": st.sampled_from([0, 9.99, 15, "free", "4.5", -1, True, None]),
    },
)


@pytest.mark.slow
@given(columns=st.lists(GAMES, min_size=1, max_size=9), part=st.integers(1, 10))
@settings(max_examples=40)
def test_facets_are_those_that_the_snapshots_filters_compare(
    tmp_path_factory: pytest.TempPathFactory, columns: list[dict[str, Any]], part: int
) -> None:
    folder = tmp_path_factory.mktemp("facets")
    snapshot = snapshot_of(folder / "snapshots", clustered(len(columns)), columns)
    tables = [read(form.name, write(form, folder / form.name, snapshot, part)) for form in FORMATS]
    assert tables[0].equals(tables[1])
    (newest,) = folder.glob("snapshots/*")
    assert list(exported_facets(tables[0])) == list(facets_of(newest))
    assert [json.loads(text) for text in tables[0]["columns"].to_pylist()] == columns
    for name in ("tags", "genres", "developers"):
        assert all(len(set(texts)) == len(texts) for texts in tables[0][name].to_pylist())


@pytest.mark.parametrize(
    ("columns", "cents"),
    [
        ({"price_cents": 999}, 999),
        ({"price_cents": 999, "free": True}, 0),
        ({"is_free": "true"}, 0),
        ({"price": 9.99}, 999),
        ({"price": "19.99"}, 1999),
        ({"price": "1999", "initialprice": "1999"}, 1999),
        ({"price_overview": {"currency": "EUR", "final": 1299, "final_formatted": "12,99€"}}, 1299),
        ({"price_overview": "{'final': 499}"}, 499),
        ({"price_overview": {"final": None}, "price": 3}, None),
        ({"price": "$9.99"}, None),
        ({"price": -1}, None),
        ({"price": "inf"}, None),
        ({"price": "nan"}, None),
        ({"price": 1e300}, None),
        ({}, None),
    ],
)
def test_prices_are_whole_hundredths(columns: dict[str, Any], cents: int | None) -> None:
    from steamdino.index.columns import price_cents

    assert price_cents(columns) == cents


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({"developer": "Valve, Inc."}, ["Valve, Inc."]),
        ({"developers": '["Valve", "Hidden Path"]'}, ["Valve", "Hidden Path"]),
        ({"developers": ["Valve"], "developer": "Valve"}, ["Valve"]),
        ({"developers": '["a\\ud800"]'}, ["a?"]),  # half of a character, which Arrow's texts cannot hold
        ({"developer": " "}, []),
        ({"developer": 7}, []),
    ],
)
def test_a_developers_name_keeps_its_commas(
    tmp_path: Path, columns: dict[str, Any], names: list[str]
) -> None:
    snapshot = snapshot_of(tmp_path / "snapshots", clustered(1), [columns])
    (batch,) = game_table.parts(snapshot, snapshot.rows(), 1)
    assert batch["developers"].to_pylist() == [names]


@pytest.mark.slow
@given(games=st.integers(1, 25), part=st.integers(1, 30))
@settings(max_examples=25)
def test_files_have_a_bounded_number_of_games_and_names_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, games: int, part: int
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    snapshot = snapshot_of(folder / "snapshots", clustered(games))
    whole, rest = divmod(games, part)
    expected = [part] * whole + [rest] * bool(rest)
    files = sorted(write(FORMATS[0], folder / "parquet", snapshot, part).iterdir())
    assert [path.name for path in files] == [f"part-{number:05}.parquet" for number in range(len(expected))]
    assert [parquet.read_metadata(path).num_rows for path in files] == expected
    assert [key for path in files for key in parquet.read_table(path)["id"].to_pylist()] == snapshot.ids
    dataset = lance.dataset(write(FORMATS[1], folder / "lance", snapshot, part))
    assert [fragment.count_rows() for fragment in dataset.get_fragments()] == expected
    assert dataset.version == 1
    assert dataset.to_table()["id"].to_pylist() == snapshot.ids


def test_a_file_has_some_tens_of_megabytes_of_vectors() -> None:
    assert [default_part(dim) for dim in (1, 512, 768)] == [8_388_608, 16_384, 10_922]
    assert default_part(10**9) == 1
    assert PART_BYTES == 32 << 20


def test_duckdb_reads_the_parts_as_one_table(run: Run, built: Path, tmp_path: Path) -> None:
    run("export", "parquet", "--vectors", "-g", built, "-o", tmp_path / "games", "--games-per-file", "77")
    snapshot = Snapshot.open(built)
    found = duckdb.sql(
        f"SELECT id, tags, year(released_first), typeof(released_first), vector"
        f" FROM '{tmp_path}/games/*.parquet' ORDER BY filename, file_row_number"
    ).fetchall()
    assert [row[0] for row in found] == snapshot.ids
    assert {row[3] for row in found} == {"DATE"}
    games = snapshot.games(range(len(snapshot)))
    assert [str(row[2]) for row in found] == [game.columns["year"] for game in games]
    assert [";".join(row[1]) for row in found] == [game.columns["tags"] for game in games]
    assert np.array_equal(np.array([row[4] for row in found], np.float32), snapshot.vectors)


@pytest.mark.slow
def test_filters_choose_the_games_and_hidden_ones_need_their_options(
    run: Run, gallery: Path, tmp_path: Path
) -> None:
    snapshot = Snapshot.open(gallery)
    tag = snapshot.tags()[0]
    for options, wanted in (
        (("--tag", tag), {game.id for game in map(snapshot.game, snapshot.ids) if _has(game.columns, tag)}),
        (
            ("--released", "..2010"),
            {game.id for game in map(snapshot.game, snapshot.ids) if game.columns["year"] <= "2010"},
        ),
    ):
        for form in NAMES:
            output = tmp_path / "out"
            assert run("export", *COMMANDS[form], *options, "-g", gallery, "-o", output).returncode == 0
            assert set(read(form, output)["id"].to_pylist()) == wanted
    columns = [{"adult": True}, {"delisted": True}, {}]
    hidden = snapshot_of(tmp_path / "snapshots", clustered(3), columns)
    assert [game.id for game in hidden.games(hidden.rows())] == ["g002"]


def _has(columns: Any, tag: str) -> bool:
    return tag in {fold(one) for one in columns["tags"].split(";")}


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("form", NAMES)
def test_another_export_replaces_the_folder_and_a_failed_one_keeps_it(
    run: Run, built: Path, tmp_path: Path, form: str
) -> None:
    output, real = tmp_path / "games", tmp_path / "disk" / "games"
    real.parent.mkdir()
    output.symlink_to(real)
    command = ("export", *COMMANDS[form], "-g", built, "-o", output)
    assert run(*command, "--games-per-file", "50").returncode == 0
    first = {path: path.read_bytes() for path in real.rglob("*") if path.is_file()}
    # Like a disk that is full: no file may have more than 100 KB.
    limited = ["bash", "-c", 'ulimit -f 100; exec "$@"', "-", sys.executable, "-m", "steamdino"]
    failed = subprocess.run([*limited, *map(str, command)], capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert re.fullmatch(
        rf"steam-dino: {output} cannot be written: .*File too large; name another folder with -o\n",
        failed.stderr,
    )
    assert {path: path.read_bytes() for path in real.rglob("*") if path.is_file()} == first
    assert [path.name for path in real.parent.iterdir()] == ["games"]
    assert run(*command).returncode == 0
    assert output.is_symlink()
    assert len(list(real.rglob("*"))) < len(first)
    assert len(read(form, output)) == len(Snapshot.open(built))


@pytest.mark.parametrize(("value", "length"), [(0.0, "0"), (np.nan, "nan")])
def test_a_vector_without_length_1_ends_the_export(tmp_path: Path, value: float, length: str) -> None:
    snapshot_of(tmp_path / "snapshots", clustered(3000))
    (folder,) = (tmp_path / "snapshots").glob("*")
    np.load(folder / "vectors.npy", mmap_mode="r+")[2999] = value
    for form in FORMATS:
        with pytest.raises(SnapshotError, match=f"the vector of 'g2999' has length {length} instead of 1"):
            write(form, tmp_path / form.name, Snapshot.open(folder))


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("form", NAMES)
def test_ctrl_c_ends_the_export_and_leaves_nothing(built: Path, tmp_path: Path, form: str) -> None:
    code = """if True:
        import time
        from steamdino.present.cli.main import run
        from steamdino.present.export.vectors import game_table
        check, game_table.BLOCK = game_table._check, 10
        game_table._check = lambda *some: (print("reading", flush=True), time.sleep(0.1), check(*some))
        run()
    """
    command = [sys.executable, "-c", code, "export", *COMMANDS[form], "-g", built, "-o", tmp_path / "games"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert started.stdout
        for _ in range(5):
            assert started.stdout.readline() == "reading\n"
        started.send_signal(signal.SIGINT)
        _, told = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "Traceback" not in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_what_makes_no_sense_is_refused_in_one_line_and_changes_nothing(
    run: Run, built: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "mine"
    kept.mkdir()
    (kept / "photo.jpg").write_bytes(b"-")
    (tmp_path / "file").write_bytes(b"-")
    old = sorted(tmp_path.rglob("*"))
    new = tmp_path / "new"
    both, only = (("parquet", "--vectors"), ("lance",)), (("parquet", "--vectors"),)
    for commands, arguments, code, told in (
        (both, ("-o", "-"), 2, "-o is -, and standard output takes one file only; name a folder"),
        (both, ("-o", kept), 2, f"{kept} holds other files than an export of vectors; name a new folder"),
        (both, ("-o", tmp_path / "file"), 2, f"{tmp_path / 'file'} is not a folder; name a new folder"),
        (
            both,
            ("-o", new, "--games-per-file", "0"),
            2,
            "--games-per-file is 0; it must be at least 1",
        ),
        (both, ("-o", new, "--tag", "no such tag"), 1, "no game has the tag"),
        (both, ("-o", new, "--released", "1950"), 1, "no game is left to export; change the filters"),
        (both, ("-o", new, "--recipe", "nothing"), 1, "nothing"),
        (both, ("-o", tmp_path / "file" / "new"), 1, "cannot be written"),
        (only, ("-o", new, "neonoir"), 2, "--vectors writes all games and no matches; drop the games"),
        (only, ("-o", new, "--all"), 2, "--vectors writes all games and no matches; drop the games"),
        (only, ("-o", new, "-k", "10"), 2, "drop -k"),
        (only, ("-o", new, "--exact"), 2, "drop --exact"),
        (only, ("-o", new, "--alike"), 2, "drop --alike, --min-similarity and --min-percentile"),
        ((("parquet",),), ("-o", new, "--all", "--tag", "RPG"), 2, "add it, or drop the filters"),
        ((("parquet",),), ("-o", new, "--all", "--games-per-file", "5"), 2, "drop --games-per-file"),
        ((("parquet",),), ("-o", "s3://bucket/new", "--all"), 2, "name a file, or add --vectors"),
    ):
        for command in commands:
            done = run("export", *command, *arguments, "-g", built)
            assert (done.returncode, told in done.stderr) == (code, True), (arguments, done.stderr)
            assert done.stderr.startswith("steam-dino: ")
            assert done.stderr.count("\n") == 1
            assert sorted(tmp_path.rglob("*")) == old


@pytest.mark.parametrize(
    ("command", "library", "extra"),
    [(COMMANDS["Parquet"], "pyarrow", "parquet"), (COMMANDS["Lance"], "lance", "lance")],
)
def test_a_missing_library_is_named_with_its_extra(
    built: Path, tmp_path: Path, command: tuple[str, ...], library: str, extra: str
) -> None:
    code = (
        f"import sys, importlib.util as u; sys.modules[{library!r}] = None; find = u.find_spec\n"
        f"u.find_spec = lambda name, *a: None if name == {library!r} else find(name, *a)\n"
        "from steamdino.present.cli.main import run; run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "export", *command, "-g", built, "-o", tmp_path / "games"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"steam-dino: {MissingExtraError(form_name(extra), extra)}\n"
    assert extra_command(extra) in done.stderr
    assert list(tmp_path.iterdir()) == []


def form_name(extra: str) -> str:
    return extra.capitalize()


def test_commands_that_export_no_vectors_load_none_of_the_libraries(built: Path) -> None:
    code = (
        "import sys; from steamdino.present.cli.main import app_of\n"
        "arguments = ['export', 'csv', 'neonoir', '-g', sys.argv[1]]\n"
        "app_of(arguments)(arguments, standalone_mode=False)\n"
        "print({'pyarrow', 'lance', 'obstore'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, built], capture_output=True, text=True, check=True)
    assert done.stderr == "set()\n"


MEASURE = r"""
import re, sys, threading
from pathlib import Path
from steamdino import Snapshot
from steamdino.present.export.vectors.lance_dataset import LanceDataset
from steamdino.present.export.vectors.parquet_parts import ParquetParts

def private():
    return int(re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) << 10

form = {"Parquet": ParquetParts, "Lance": LanceDataset}[sys.argv[1]]()
snapshot, folder, part = Snapshot.open(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
(folder / "warm").mkdir(), (folder / "all").mkdir()
form.write(folder / "warm", snapshot, snapshot.rows()[:part], part, lambda *_: None)
before = largest = private()
done = threading.Event()

def watch():
    global largest
    while not done.wait(0.002):
        largest = max(largest, private())

watching = threading.Thread(target=watch)
watching.start()
form.write(folder / "all", snapshot, snapshot.rows(), part, lambda *_: None)
done.set()
watching.join()
print(largest - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux says how much of its own memory a process has"
)
def test_memory_does_not_grow_with_the_number_of_games(tmp_path: Path) -> None:
    games, dim, part = 40_000, 1024, 1000
    vectors = np.random.default_rng(0).standard_normal((games, dim), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    snapshot_of(tmp_path / "snapshots", vectors)
    (folder,) = (tmp_path / "snapshots").glob("*")
    for form in NAMES:
        (tmp_path / form).mkdir()
        command = [sys.executable, "-c", MEASURE, form, folder, tmp_path / form, str(part)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert int(done.stdout) < vectors.nbytes // 2, form
