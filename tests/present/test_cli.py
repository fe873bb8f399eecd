"""The command line as whole processes: what is printed where, and the exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import steamdino
from steamdino.installation import extras, installation
from steamdino.present.display_text import closeness
from steamdino.sample import FictionalGame
from steamdino.search import Snapshot

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Paint = Callable[..., Path]
Store = tuple[Path, tuple[FictionalGame, ...]]


def _game(store: Store, defect: str = "") -> FictionalGame:
    return next(game for game in store[1] if game.defect == defect)


def test_json_has_the_documented_shape(run: Run, built: Path, fictional_store: Store) -> None:
    game = _game(fictional_store)
    done = run("similar", game.id, "-g", built, "-k", 3, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    record = json.loads(done.stdout)
    assert list(record) == ["query", "recipe", "undated", "matches"]
    assert record["query"] == {
        "text": game.id,
        "kind": "id",
        "id": game.id,
        "name": game.name,
        "picture": str(fictional_store[0] / game.file),
        "mirror": False,
        "flip": False,
        "crop": None,
        "alternatives": [],
        "parts": [],
    }
    assert record["recipe"] == "bundled"
    expected = steamdino.Snapshot.open(built).similar(game.id, 3)
    for match, shown in zip(expected, record["matches"], strict=True):
        assert list(shown) == [
            "rank",
            "id",
            "name",
            "similarity",
            "percentile",
            "identical",
            "source",
            "url",
            "picture",
            "columns",
        ]
        assert (shown["rank"], shown["id"], shown["name"]) == (match.rank, match.id, match.name)
        assert shown["similarity"] == pytest.approx(match.similarity, abs=1e-6)
        assert shown["percentile"] == pytest.approx(match.percentile, abs=1e-4)
        assert shown["source"] == "catalogue.csv"
        assert shown["columns"]["theme"]


def test_ids_and_csv_say_the_same_as_json(run: Run, built: Path, fictional_store: Store) -> None:
    query = _game(fictional_store).id
    expected = steamdino.Snapshot.open(built).similar(query, 400)
    assert run("similar", query, "-g", built, "-k", 400, "--format", "ids").stdout.split("\n") == [
        *expected.ids,
        "",
    ]
    rows = list(
        csv.DictReader(io.StringIO(run("similar", query, "-g", built, "-k", 400, "--format", "csv").stdout))
    )
    assert [row["id"] for row in rows] == expected.ids
    # Names that a spreadsheet would run are made inert, and only those.
    names = [match.name for match in expected]
    formulas = [name for name in names if name[0] in "=+-@"]
    assert len(formulas) >= 2
    assert [row["name"] for row in rows] == [f"'{name}" if name in formulas else name for name in names]


def test_the_table_names_rank_similarity_name_and_id(run: Run, built: Path, fictional_store: Store) -> None:
    game = _game(fictional_store)
    done = run("similar", game.name, "-g", built, "-k", 4, "--show", "theme,year")
    heading, header, *rows = done.stdout.splitlines()
    assert heading == f"Similar to {game.name} ({game.id})"
    assert header.split() == ["#", "similarity", "closer", "than", "name", "id", "theme", "year"]
    expected = steamdino.Snapshot.open(built).similar(game.name, 4)
    for match, row in zip(expected, rows, strict=True):
        assert row.split()[:2] == [str(match.rank), f"{match.similarity:.3f}"]
        assert match.percentile is not None
        assert closeness(match.percentile) in row
        assert match.name in row
        assert str(match.game.columns["year"]) in row


@pytest.mark.parametrize("command", ["similar", "unique", "export csv"])
def test_a_command_reads_the_settings_once(
    run: Run, built: Path, fictional_store: Store, tmp_path: Path, command: str
) -> None:
    (tmp_path / "steamdino.toml").write_text(f"gallery = {json.dumps(str(built))}\n")
    watch = (
        "import sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, given: event == 'open' and opened.append(str(given[0])))\n"
        "from steamdino.present.cli.main import app_of\n"
        "try: app_of(sys.argv[1:])()\n"
        "finally: print(sum(name.endswith('steamdino.toml') for name in opened), file=sys.stderr)\n"
    )
    queries = [] if command == "unique" else [_game(fictional_store).id]
    done = subprocess.run(
        [sys.executable, "-c", watch, *command.split(), *queries],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout and done.stderr == "1\n"


def test_a_precision_that_the_model_does_not_support_is_refused_even_if_nothing_is_encoded(
    run: Run, built: Path, fictional_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    similar = ("similar", _game(fictional_store).id, "-g", built, "-k", 1)
    for command in (similar, ("build", "-g", built), ("serve", "-g", built)):
        done = run(*command, "--precision", "bf16")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "steam-dino: efficientnet-lite0-banners loses too much in bf16; use one of: f32, auto\n"
        )
    assert run(*similar, "--precision", "auto").returncode == 0
    monkeypatch.setenv("STEAMDINO_PRECISION", "bf16")  # perhaps for other galleries
    assert run(*similar).returncode == 0
    for command in (("build", "-g", built), ("serve", "-g", built)):
        assert "loses too much in bf16" in run(*command).stderr


def test_a_column_that_no_game_has_is_a_usage_error_that_lists_the_columns(
    run: Run, built: Path, fictional_store: Store
) -> None:
    game = _game(fictional_store)
    for command in (("similar", game.id), ("similar", game.id, "--format", "json")):
        done = run(*command, "-g", built, "--show", "year,themes")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert "--show names the column 'themes', and no game has it; did you mean 'theme'?" in done.stderr
        assert "The columns are: " in done.stderr and "year" in done.stderr
    done = run("similar", game.id, "-g", built, "--show", "x")
    assert "and no game has it; the columns are: " in done.stderr


@pytest.mark.slow
def test_a_column_that_only_other_games_have_is_shown_empty(run: Run, tmp_path: Path, paint: Paint) -> None:
    for name in "ab":
        paint(tmp_path / f"{name}.png", ord(name))
    (tmp_path / "t.jsonl").write_text(
        '{"id": "a", "path": "a.png", "rare": 7}\n{"id": "b", "path": "b.png"}\n'
    )
    run("add", tmp_path / "t.jsonl", "-g", tmp_path / "g")
    run("build", "-g", tmp_path / "g")
    done = run("similar", "a", "-g", tmp_path / "g", "--show", "rare")
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "u.csv").write_text("id,path\nc,a.png\n")
    run("add", tmp_path / "u.csv", "-g", tmp_path / "h")
    run("build", "-g", tmp_path / "h")
    done = run("similar", "c", "-g", tmp_path / "h", "--show", "rare")
    assert done.returncode == 2 and "no game has it; the games have no columns" in done.stderr


def test_an_identical_picture_is_marked_in_the_table(run: Run, built: Path, fictional_store: Store) -> None:
    done = run("similar", _game(fictional_store, "exact").id, "-g", built, "-k", 2)
    assert [line.count("  identical") for line in done.stdout.splitlines()[2:]] == [1, 0]


def test_other_games_that_fit_the_name_are_named(run: Run, built: Path, fictional_store: Store) -> None:
    franchise = next(game.franchise for game in fictional_store[1] if game.franchise)
    table = run("similar", franchise[:-1], "-g", built)
    assert "Also possible: " in table.stdout
    ids = run("similar", franchise[:-1], "-g", built, "--format", "ids")
    assert ids.stderr.startswith(f"Using {franchise} (")
    assert len(ids.stdout.splitlines()) == 10


def test_no_name_can_steer_the_terminal(run: Run, tmp_path: Path, paint: Paint) -> None:
    names = [
        "\x1b[31mred",
        "[bold]markup[/bold]",
        "\u202eright to left",
        "bell\x07",
        "<script>alert(1)</script>",
    ]
    table = tmp_path / "t.jsonl"
    for n in range(len(names)):
        paint(tmp_path / f"{n}.jpg", n)
    rows = [{"id": str(n), "name": name, "path": f"{n}.jpg"} for n, name in enumerate(names)]
    table.write_text("\n".join(map(json.dumps, rows)))
    assert run("add", table, "-g", tmp_path / "g").returncode == 0
    assert run("build", "-g", tmp_path / "g").returncode == 0
    for format in ("table", "json", "csv"):
        shown = run("similar", "1", "-g", tmp_path / "g", "--format", format).stdout
        assert "<script>alert(1)</script>" in shown
        if format == "table":
            assert not set(shown) & set("\x1b\x07\u202e")
            assert "[bold]markup[/bold]" in shown


def test_banners_are_drawn_where_the_terminal_can(run: Run, built: Path, fictional_store: Store) -> None:
    query = _game(fictional_store).id
    assert "▀" not in run("similar", query, "-g", built).stdout
    environ = {**os.environ, "COLUMNS": "100"}
    drawn = run("similar", query, "-g", built, "-k", 5, "--pictures", env=environ).stdout
    assert drawn.count("▀") == 6 * 14 * 10  # the query and five matches
    assert "query" in drawn


def test_a_gallery_is_named_by_flag_environment_or_folder(
    run: Run, built: Path, fictional_store: Store, tmp_path: Path
) -> None:
    query = _game(fictional_store).id
    by_environment = run("similar", query, env={**os.environ, "STEAMDINO_GALLERY": str(built)})
    (tmp_path / "gallery").symlink_to(built, target_is_directory=True)
    by_folder = run("similar", query, cwd=tmp_path)
    assert by_environment.returncode == by_folder.returncode == 0
    assert by_environment.stdout == by_folder.stdout == run("similar", query, "-g", built).stdout


def test_the_main_job_from_a_folder_to_similar_games(run: Run, tmp_path: Path, paint: Paint) -> None:
    for n in range(6):
        paint(tmp_path / f"covers/game {n}.jpg", n)
    added = run("add", tmp_path / "covers", "-g", tmp_path / "g")
    assert (
        added.stdout == "covers: 6 new, 0 changed, 0 unchanged, 0 missing, 0 without a banner, 0 problems\n"
    )
    built = run("build", "-g", tmp_path / "g")
    assert "6 games are ready under the recipe bundled." in built.stdout
    assert built.stderr.startswith("6 banners to encode in f32, about ")
    again = run("build", "-g", tmp_path / "g")
    assert again.stdout == "Nothing to do: 6 games are ready under the recipe bundled.\n"
    similar = run("similar", "game 3", "-g", tmp_path / "g", "--format", "ids")
    assert sorted(similar.stdout.split("\n")[:-1]) == [f"game {n}" for n in (0, 1, 2, 4, 5)]


def test_problems_are_told_and_the_exit_code_says_so(run: Run, tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "covers/good.jpg")
    for n in range(12):
        (tmp_path / f"covers/bad {n:02}.jpg").write_bytes(b"")
    done = run("add", tmp_path / "covers", "-g", tmp_path / "g")
    assert done.returncode == 1
    assert done.stdout.endswith(
        "13 new, 0 changed, 0 unchanged, 0 missing, 12 without a banner, 12 problems\n"
    )
    lines = done.stderr.splitlines()
    assert lines[0] == "bad 00.jpg: the file is empty"
    assert lines[10:] == ["... and 2 more; see: steam-dino info --problems"]
    listed = run("info", "--problems", "-g", tmp_path / "g")
    assert listed.stdout.count("the file is empty") == 12
    assert run("build", "-g", tmp_path / "g").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["similar"], 2, "missing argument 'QUERY'; see: steam-dino similar --help"),
        (
            ["similar", "x", "--bogus"],
            2,
            "no such option: --bogus",
        ),
        (["simlar"], 2, "no such command 'simlar'"),
        (["similr"], 2, "no such command 'similr'; did you mean 'similar'? See: steam-dino --help"),
        (["similar", "x", "-k", "many"], 2, "invalid value for '-k': 'many' "),
        (["evaluate", "--copies", "-1"], 2, "invalid value for '--copies': '-1' "),
        (["similar", "x", "--snapshot", "nope"], 1, "nope does not exist; name a packed snapshot"),
        (
            ["similar", "x", "--format", "xml"],
            2,
            "--format is 'xml'; it must be one of: table, json, csv, md, bbcode, html, ids, legacy-json",
        ),
        (
            ["similar", "x"],
            1,
            "there is no gallery in gallery; make one with: steam-dino add PICTURES -g gallery",
        ),
        (["info"], 1, "there is no gallery in gallery; make one with"),
        (["build"], 1, "there is no gallery in gallery; make one with"),
        (["build", "--recipe", "bundeld"], 2, "there is no recipe 'bundeld'; choose from: bundled"),
        (["build", "--size", "224"], 2, "--size is '224'; it must be a width and a height, as in 224x336"),
        (["build", "--size", "8x8"], 2, "8x8 does not fit"),
        (["build", "--transform", "gem"], 2, "the transform is 'gem'; it must be one of: crop, squash, fit"),
        (["build", "--pooling", "fit"], 2, "the pooling is 'fit'; it must be one of: simple, complex"),
        (["build", "--recipe", "bundled/stretch"], 2, "'stretch' in a recipe is not one of"),
        (["build", "--size", "10000x10"], 2, "--size is '10000x10'; each side must be below 10000"),
        (["build", "--precision", "f64"], 2, "precision is 'f64'; it must be one of: f32, bf16, auto"),
        (["build", "--threads", "-1"], 2, "threads is -1"),
        (["add", "nowhere"], 2, "nowhere does not exist; name a folder of pictures, an archive (.tar,"),
        (["add", "/dev/null"], 2, "/dev/null is not a file"),
        (["export", "html", "x"], 2, "missing option"),
    ],
)
def test_an_error_is_one_line_that_says_what_to_do(
    run: Run, arguments: list[str], code: int, message: str
) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("steam-dino: ")
    assert message in line


def test_errors_in_a_built_gallery_are_one_line_too(run: Run, built: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    for arguments, message in (
        (["similar", "zzzzqqqq"], "no game matches 'zzzzqqqq'"),
        (["similar", tmp_path / "broken.png"], "cannot be decoded|not a picture"),
        (["similar", tmp_path], "is a folder, and no game matches it; name one of its pictures"),
        (["similar", "x", "--kind", "hero"], "has no snapshot of hero banners yet; run: steam-dino build"),
        (["similar", "x", "--recipe", "other"], "no snapshot under the recipe 'other'"),
        (["export", "html", "1984", "-o", tmp_path / "broken.png/page.html"], "cannot be written"),
    ):
        done = run(*arguments, "-g", built)
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert any(part in line for part in message.split("|"))


def test_a_kind_of_banner_that_does_not_exist_is_refused(run: Run, built: Path) -> None:
    for command in (["similar", "x"], ["check"], ["duplicates"], ["export", "urls", "-o", "-"]):
        done = run(*command, "--kind", "square", "-g", built)
        assert done.returncode == 2
        assert done.stderr == (
            "steam-dino: there is no kind of banner 'square'; there are: vertical, header, hero\n"
        )


def test_a_file_is_not_a_gallery(run: Run, built: Path, tmp_path: Path) -> None:
    pack = tmp_path / "p.steamdino"
    Snapshot.open(built).pack(pack)
    done = run("info", "-g", pack)
    assert (done.returncode, f"{pack} is a file, not the folder of a gallery" in done.stderr) == (1, True)


def test_an_address_in_use_is_reported_in_one_line(run: Run, built: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "-g", built, "--port", port)
    assert (done.returncode, done.stderr) == (
        1,
        f"steam-dino: cannot listen on 127.0.0.1:{port}: Address already in use;"
        " choose others with --host and --port\n",
    )


def test_a_folder_without_pictures_is_mentioned(run: Run, tmp_path: Path) -> None:
    (tmp_path / "covers").mkdir()
    done = run("add", tmp_path / "covers", "-g", tmp_path / "g")
    assert (done.returncode, "Pictures must end in .avif, " in done.stderr) == (0, True)


def test_info_counts_what_is_there_and_tells_a_stale_snapshot(run: Run, tmp_path: Path, paint: Paint) -> None:
    for n in range(3):
        paint(tmp_path / f"covers/{n}.jpg", n)
    run("add", tmp_path / "covers", "-g", tmp_path / "g")
    assert "No recipe yet; run: steam-dino build" in run("info", "-g", tmp_path / "g").stdout
    run("build", "-g", tmp_path / "g")
    record = json.loads(run("info", "--json", "-g", tmp_path / "g").stdout)
    (source,) = record["sources"]
    assert (source["name"], source["games"], source["banners"], source["gone"]) == ("covers", 3, 3, 0)
    (recipe,) = record["recipes"]
    assert (recipe["name"], recipe["vectors"], recipe["pending"]) == ("bundled", {"f32": 3}, 0)
    (snapshot,) = record["snapshots"]
    assert (snapshot["games"], snapshot["stale"]) == (3, False)
    usual = snapshot["similarity"]
    assert -1 < usual["pairs"] <= usual["nearest"] <= 1
    assert usual["alike"] >= usual["pairs"]
    (tmp_path / "covers/1.jpg").unlink()
    run("add", tmp_path / "covers", "-g", tmp_path / "g")
    text = run("info", "-g", tmp_path / "g").stdout
    assert "Snapshot 1 of bundled: 3 games, stale; run: steam-dino build" in text
    assert f"a banner and its nearest {usual['nearest']:.2f}" in text
    run("build", "-g", tmp_path / "g")
    assert "Snapshot 2 of bundled: 2 games, up to date" in run("info", "-g", tmp_path / "g").stdout


def test_a_reader_who_has_had_enough_ends_it_in_silence(built: Path, fictional_store: Store) -> None:
    command = [
        sys.executable,
        "-m",
        "steamdino",
        "similar",
        _game(fictional_store).id,
        "-g",
        str(built),
        "-k",
        "400",
    ]
    with subprocess.Popen(
        [*command, "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.read(10)
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 0


def test_every_command_explains_itself_with_an_example(run: Run) -> None:
    environ = {**os.environ, "COLUMNS": "100"}
    names = (
        "",
        "demo",
        "add",
        "build",
        "similar",
        "info",
        "doctor",
        "remove",
        "prune",
        "pack",
        "export html",
    )
    for command in map(str.split, names):
        done = run(*command, "--help", env=environ)
        assert done.returncode == 0
        assert len(done.stdout.splitlines()) > 15
        assert f"\n  steam-dino {' '.join(command)}".rstrip() in done.stdout
        if command not in ([], ["demo"]):
            assert "--gallery" in done.stdout


def test_the_version_is_the_packages_and_tells_what_is_installed(
    run: Run, tmp_path: Path, paint: Paint
) -> None:
    printed = run("--version").stdout.splitlines()
    assert printed[0] == f"steam-dino {steamdino.__version__}"
    assert printed[1] == f"Installed from: {installation()}"
    assert sys.executable in printed[2]
    paint(tmp_path / "covers" / "a.png")
    run("add", tmp_path / "covers", "-g", tmp_path / "g")
    report = run("info", "-g", tmp_path / "g", env={**os.environ, "COLUMNS": "500"}).stdout
    assert all(line in report for line in printed)
    program = json.loads(run("info", "-g", tmp_path / "g", "--json").stdout)["program"]
    assert program["version"] == steamdino.__version__
    assert program["installed"]["kind"] == installation().kind
    assert {*program["extras"], *program["missing_extras"]} == {*extras()}


@pytest.mark.slow
def test_games_whose_date_cannot_be_read_are_counted_where_a_date_is_asked_for(
    run: Run, tmp_path: Path, paint: Paint
) -> None:
    dates = ["21 Aug, 2012", {"coming_soon": False, "date": "Mar 3, 2021"}, "Q3 2023", "7 AGO 2020", None]
    lines = [
        json.dumps(
            {
                "id": n,
                "path": paint(tmp_path / f"{n}.png", n).name,
                "release_date": one,
                "tags": {"RPG": n % 2},
            }
        )
        for n, one in enumerate(dates)
    ]
    (tmp_path / "games.jsonl").write_text("\n".join(lines))
    gallery = ("-g", tmp_path / "g")
    assert run("add", tmp_path / "games.jsonl", *gallery).returncode == 0
    assert run("build", *gallery).returncode == 0
    told = "2 games have no readable release date, so --released skips them.\n"

    asked = run("similar", "0", *gallery, "--released", "2021..", "--format", "json")
    assert (asked.returncode, asked.stderr) == (0, told)
    answer = json.loads(asked.stdout)
    assert sorted(match["id"] for match in answer["matches"]) == ["1", "2"]
    assert answer["undated"] == 2
    without = run("similar", "0", *gallery, "--format", "json")
    assert (without.stderr, json.loads(without.stdout)["undated"]) == ("", 0)
    one = run("similar", "0", *gallery, "--released", "2012", "--tag", "rpg", "--format", "ids")
    assert one.stderr.startswith("1 game has no readable release date, so --released skips it.")

    for command in (
        ["unique", "-n", "9", "--format", "ids"],
        ["map", "-o", tmp_path / "m.png"],
        ["duplicates"],
    ):
        done = run(*command, *gallery, "--released", "2012..")
        assert done.returncode == 0, done.stderr
        assert told in done.stderr
        assert told not in run(*command, *gallery).stderr
    report = json.loads(run("info", *gallery, "--json").stdout)
    assert [made["dated"] for made in report["snapshots"]] == [3]
    assert "Release dates: 3 of 5 games" in run("info", *gallery).stdout
