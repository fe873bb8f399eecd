"""`steam-dino export`: each format read back by somebody else's reader, and compared with what a search says."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import jsonschema
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.fakes.steam import Store as Steam
from tests.fakes.steam import serving

from steamdino import Snapshot
from steamdino.analysis.neighbourhood import Neighbourhood
from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Row
from steamdino.index.snapshot_writer import write
from steamdino.present.export.legacy_export import MATCHES, similar_json, write_arrays
from steamdino.present.export.markup import bbcode, markdown
from steamdino.records import Filter, Game

Run = Callable[..., "CompletedProcess[str]"]
QUERY = "neonoir"

SIMILAR = {
    "type": "object",
    "propertyNames": {"pattern": r"^\d+$"},
    "additionalProperties": {
        "type": "array",
        "items": {"type": "integer", "minimum": 1},
        "minItems": 10,
        "maxItems": 10,
        "uniqueItems": True,
    },
}
"""What steam-DINOv2's similar_to_top_100.*.json is."""


@pytest.fixture(scope="module")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


@pytest.fixture
def steam(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run) -> tuple[Steam, Path]:
    """A Steam that has stopped since, and a gallery that was synced from it."""
    with serving(Steam.of(30)) as running:
        for name, value in (
            ("STEAMDINO_STEAM_API_URL", running.address),
            ("STEAMDINO_STEAM_ASSETS_URL", f"{running.address}/assets"),
            ("STEAMDINO_STEAM_BACKOFF", "0.05"),
            ("STEAMDINO_STEAM_TRIES", "1"),
            ("STEAMDINO_STEAM_RATE", "0"),
            ("STEAMDINO_STEAM_BANNER_RATE", "0"),
        ):
            monkeypatch.setenv(name, value)
        gallery = tmp_path / "steam"
        assert run("sync", "-g", gallery).returncode == 0
        assert run("build", "-g", gallery).returncode == 0
        first = run("export", "json", "--top100", "-g", gallery, "-o", tmp_path / "top.json")
        assert first.returncode == 0, first.stderr
        asked = running.counts()
        run("export", "json", "--top100", "-g", gallery)
        assert running.counts() == asked, "Steam was asked twice on one day"
        return running, gallery


def test_markdown_and_bbcode_have_the_query_then_ten_pictures_in_two_rows(
    run: Run, gallery_with_pictures: Path, snapshot: Snapshot, tmp_path: Path
) -> None:
    names = [match.name for match in snapshot.similar(QUERY)]
    done = run("export", "markdown", QUERY, "-g", gallery_with_pictures, "-o", tmp_path / "wiki" / "a.md")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "wiki" / "a.md").read_text("utf-8").splitlines()
    assert lines[0] == "Query:"
    rows = [
        re.findall(r'<img alt="(.*?)" src="(.*?)" width="150">', line) for line in lines if "<img" in line
    ]
    assert [len(row) for row in rows] == [1, 5, 5]
    assert [name for row in rows[1:] for name, _ in row] == names
    assert all((tmp_path / "wiki" / way).is_file() for row in rows for _, way in row)

    posted = run("export", "bbcode", QUERY, "-g", gallery_with_pictures, cwd=tmp_path).stdout.splitlines()
    pictures = [re.findall(r'\[img="width:150px;"\](.*?)\[/img\]', line) for line in posted if "[img" in line]
    assert [len(row) for row in pictures] == [1, 5, 5]
    assert all((tmp_path / way).is_file() for row in pictures for way in row)

    for form in ("md", "bbcode"):
        printed = run("similar", QUERY, "-g", gallery_with_pictures, "--format", form, cwd=tmp_path).stdout
        assert printed.count("width") == 11
    page = run("similar", QUERY, "-g", gallery_with_pictures, "--format", "html").stdout
    assert page.startswith("<!DOCTYPE html>")
    assert page.count('<img src="data:image/jpeg') == 11
    unique = run("unique", "-g", gallery_with_pictures, "-n", "3", "--format", "md", cwd=tmp_path).stdout
    assert unique.count("Query:") == 3
    assert unique.count("<img") == 9  # each with its closest one, then the grid


def test_names_of_strangers_stay_text_in_markdown_and_bbcode() -> None:
    game = Game("1", 'a](http://x) <b> "q" [url=y]', "s", "https://x/app/1?a=(b)", None, "0" * 64, {})
    assert markdown(game, None) == (
        r'[a\]\(http://x) \<b\> "q" \[url=y\]](https://x/app/1?a=%28b%29)'.replace(r"\(", "(")
    )
    assert markdown(game, "p.jpg") == (
        '[<img alt="a](http://x) &lt;b&gt; &quot;q&quot; [url=y]" src="p.jpg" width="150">]'
        "(https://x/app/1?a=%28b%29)"
    )
    assert bbcode(game, None) == '[url=https://x/app/1?a=%28b%29]a)(http://x) <b> "q" (url=y)[/url]'


def test_json_is_the_form_that_steam_dinos_family_publishes(
    run: Run, steam: tuple[Steam, Path], tmp_path: Path
) -> None:
    _, gallery = steam
    text = (tmp_path / "top.json").read_text("utf-8")
    found = json.loads(text)
    jsonschema.validate(found, SIMILAR)
    assert text == json.dumps(found, indent=4) + "\n"
    snapshot = Snapshot.open(gallery)
    assert found
    for key, (own, *others) in found.items():
        assert str(own) == key
        assert [str(other) for other in others] == snapshot.similar(key, 9).ids
    # The most played first, and kept for the day.
    (kept,) = gallery.glob("*_top_100_app_ids.txt")
    assert re.fullmatch(r"\d{8}_top_100_app_ids\.txt", kept.name)
    assert [line for line in kept.read_text().split() if line in found] == list(found)

    # Steam is gone by now: the last file answers.
    kept.rename(kept.with_name("20200101_top_100_app_ids.txt"))
    again = run("export", "json", "--top100", "-g", gallery)
    assert again.stdout == text
    assert "20200101_top_100_app_ids.txt" in again.stderr
    kept.with_name("20200101_top_100_app_ids.txt").unlink()
    never = run("export", "json", "--top100", "-g", gallery)
    assert never.returncode == 1
    assert "cannot be reached" in never.stderr


def test_pictures_of_steam_are_linked_where_steam_has_them(steam: tuple[Steam, Path], run: Run) -> None:
    store, gallery = steam
    snapshot = Snapshot.open(gallery)
    text = run("export", "markdown", "--all", "-k", "2", "-g", gallery).stdout
    links = re.findall(r'\[<img alt="(.*?)" src="(.*?)" width="150">\]\((.*?)\)', text)
    assert len(links) == 3 * len(snapshot.rows())
    assert all(src.startswith(f"{store.address}/assets/") for _, src, _ in links)
    assert all(url.startswith("https://store.steampowered.com/app/") for _, _, url in links)


@given(
    st.lists(
        st.tuples(st.text(max_size=5), st.lists(st.text(max_size=5), max_size=4)), unique_by=lambda x: x[0]
    )
)
def test_the_json_of_any_ids_is_the_librarys_own(lists: list[tuple[str, list[str]]]) -> None:
    assert similar_json(lists, numbers=False) == json.dumps(dict(lists), indent=4) + "\n"
    numbers = [(str(place), [str(7 * other) for other in range(place)]) for place in range(len(lists))]
    expected = {key: [int(one) for one in found] for key, found in numbers}
    assert similar_json(numbers, numbers=True) == json.dumps(expected, indent=4) + "\n"


def test_arrays_have_the_layout_of_steam_dinos_family(
    run: Run, steam: tuple[Steam, Path], tmp_path: Path
) -> None:
    _, gallery = steam
    folder = tmp_path / "data_export"
    done = run("export", "npy", "-g", gallery, "-o", folder, "-k", "5")
    assert done.returncode == 0, done.stderr
    snapshot = Snapshot.open(gallery)
    ids = np.load(folder / "app_ids.npy")
    assert ids.dtype == np.uint32
    assert ids.tolist() == sorted(int(one) for one in snapshot.ids)
    text = (folder / "app_ids.json").read_text("utf-8")
    assert text == json.dumps(ids.tolist(), indent=2)
    names = json.loads((folder / "app_names.json").read_text("utf-8"))
    assert names == [snapshot.game(str(one)).name for one in ids]
    assert (folder / "frozen_app_ids.txt").read_text("utf-8").split() == [str(one) for one in ids]
    vectors = np.load(folder / "label_database.bundled.npy")
    assert (vectors.dtype, vectors.shape) == (np.float16, snapshot.vectors.shape)
    matches = np.load(folder / MATCHES)
    assert (matches.dtype, matches.shape) == (np.uint16, (len(ids), 6))
    assert matches[:, 0].tolist() == list(range(len(ids)))
    for row, own in enumerate(ids):
        np.testing.assert_allclose(vectors[row], snapshot.vectors[snapshot.ids.index(str(own))], atol=1e-3)
        found = [str(ids[other]) for other in matches[row, 1:]]
        assert found == snapshot.similar(int(own), 5, only=Filter(adult=True)).ids


def test_ids_that_are_no_numbers_are_exported_as_texts(run: Run, built: Path, tmp_path: Path) -> None:
    assert run("export", "npy", "-g", built, "-o", tmp_path, "-k", "3").returncode == 0
    snapshot = Snapshot.open(built)
    assert np.load(tmp_path / "app_ids.npy").tolist() == snapshot.ids
    assert json.loads((tmp_path / "app_ids.json").read_text("utf-8")) == snapshot.ids


@pytest.mark.slow
def test_row_numbers_beyond_sixteen_bits_do_not_overflow(tmp_path: Path) -> None:
    recipe, count = replace(named("bundled"), dim=2, name="a/b"), 65_537
    rows = [Row(str(key), "", "steam", None, None, f"{key:064x}", "{}") for key in range(1, count + 1)]
    angles = np.linspace(0, 1, count)  # each game's neighbours are those beside it
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    snapshot = Snapshot.open(write(tmp_path / recipe.hash, recipe, 1, rows, [], vectors, {"f32": count}))
    some = np.arange(count)
    beside = np.minimum(some + 1, count - 2)[:, np.newaxis]
    beside[-2] = count - 1
    table = Neighbourhood(snapshot, some, beside, np.ones((count, 1), np.float32))
    write_arrays(tmp_path / "export", table)
    matches = np.load(tmp_path / "export" / MATCHES)
    assert matches.dtype == np.uint32
    assert matches[-2].tolist() == [65_535, 65_536]
    assert (tmp_path / "export" / "label_database.a-b.npy").is_file()


def test_csv_and_parquet_hold_the_same_table_and_open_in_pandas(
    run: Run, built: Path, snapshot: Snapshot, tmp_path: Path
) -> None:
    assert run("export", "csv", "--all", "-k", "4", "-g", built, "-o", tmp_path / "m.csv").returncode == 0
    assert (
        run("export", "parquet", "--all", "-k", "4", "-g", built, "-o", tmp_path / "m.parquet").returncode
        == 0
    )
    table = pd.read_parquet(tmp_path / "m.parquet").astype({"query_id": str, "id": str, "name": str})
    assert len(table) == 4 * len(snapshot)
    written = pd.read_csv(tmp_path / "m.csv", dtype={"query_id": str, "id": str})
    assert list(written.columns) == list(table.columns)
    assert (written["id"] == table["id"]).all()
    np.testing.assert_allclose(written["similarity"], table["similarity"], atol=1e-6)
    np.testing.assert_allclose(written["percentile"], table["percentile"], atol=1e-5)
    for key in (QUERY, snapshot.ids[7]):
        matches = snapshot.similar(key, 4)
        own = table[table["query_id"] == key]
        assert own["id"].tolist() == matches.ids
        assert own["rank"].tolist() == [1, 2, 3, 4]
        assert own["percentile"].tolist() == pytest.approx([match.percentile for match in matches])
    # A spreadsheet runs nothing of it.
    with (tmp_path / "m.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row[:2] + row[3:5]]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    assert any(cell.startswith("'=") for cell in cells)


def test_a_file_of_ids_is_a_query_set_and_what_is_missing_is_said(
    run: Run, built: Path, tmp_path: Path
) -> None:
    (tmp_path / "ids.txt").write_text(f"# mine\n{QUERY}\n\nno-such-game\n", "utf-8")
    done = run("export", "csv", "the-wet-precinct", "--from", tmp_path / "ids.txt", "-k", "1", "-g", built)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["query_id"] for row in rows] == ["the-wet-precinct", QUERY]
    assert done.stderr == "1 of 2 games are missing from the snapshot: no-such-game\n"


def test_a_sheet_is_one_picture_of_a_query_with_its_matches(run: Run, built: Path, tmp_path: Path) -> None:
    done = run("export", "sheet", QUERY, "-g", built, "-o", tmp_path / "s.png")
    assert done.stdout == f"{tmp_path / 's.png'}: 10 matches\n"
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.format == "PNG"
        # The query's banner is where a reader looks first.
        tile = np.asarray(sheet.convert("RGB").crop((12, 46, 162, 271)), np.float32)
    picture = Snapshot.open(built).game(QUERY).picture
    assert picture is not None
    with Image.open(picture) as banner:
        expected = np.asarray(banner.convert("RGB").resize((150, 225), Image.Resampling.BICUBIC), np.float32)
    assert np.abs(tile - expected).mean() < 8


@pytest.mark.slow
def test_what_makes_no_sense_is_refused_and_leaves_the_old_file(
    run: Run, built: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.write_text("old", "utf-8")
    picture = Snapshot.open(built).game(QUERY).picture
    for arguments, code, told in (
        (("json",), 2, "no games are selected"),
        (("json", "nothing at all like this"), 1, "no game matches"),
        (("json", picture), 2, "is a picture, not a game"),
        (("csv", QUERY, "-k", "0"), 2, "k is 0"),
        (("markdown", "--from", tmp_path / "none.txt"), 2, "does not exist; name a file of ids"),
        (("csv", "--from", kept), 1, "none of these games"),
        (("sheet", QUERY), 2, "does not end in .png"),
        (("npy",), 1, "cannot be written to"),
    ):
        done = run("export", *arguments, "-g", built, "-o", kept)
        assert (done.returncode, told in done.stderr) == (code, True), done.stderr
        assert "Traceback" not in done.stderr
        assert kept.read_text("utf-8") == "old"
