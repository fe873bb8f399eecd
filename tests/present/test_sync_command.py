"""`steam-dino sync` and what belongs to it, as whole processes against a Steam on loopback."""

from __future__ import annotations

import csv
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.fakes.steam import Game, Store, picture, serving

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with serving(Store.of(60, fates={"hidden": 0.05, "broken": 0.05})) as running:
        for name, value in (
            ("STEAMDINO_STEAM_API_URL", running.address),
            ("STEAMDINO_STEAM_ASSETS_URL", f"{running.address}/assets"),
            ("STEAMDINO_STEAM_BACKOFF", "0.05"),
            ("STEAMDINO_STEAM_RATE", "0"),
            ("STEAMDINO_STEAM_BANNER_RATE", "0"),
            ("STEAM_API_KEY", running.key),
        ):
            monkeypatch.setenv(name, value)
        yield running


def test_an_empty_folder_becomes_a_gallery_that_can_be_searched_with_filters(
    run: Run, store: Store, tmp_path: Path
) -> None:
    gallery = tmp_path / "g"
    delisted = [str(game.appid) for game in store.games.values() if not game.fate][-1]
    store.games[int(delisted)].delisted = True
    plan = run("sync", "-g", gallery, "--dry-run")
    assert (plan.returncode, plan.stderr) == (0, "")
    assert plan.stdout.startswith("60 games to ask about, up to 60 banners")
    assert not gallery.exists()
    done = run("sync", "-g", gallery)
    assert done.returncode == 1  # some are broken
    assert "60 new games" in done.stdout
    assert store.key not in done.stdout + done.stderr
    counts = json.loads(run("info", "-g", gallery, "--json").stdout)["steam"]
    assert sum(counts.values()) == 60
    assert set(counts) == {"fetched", "hidden", "failed"}
    problems = run("info", "-g", gallery, "--problems").stdout
    assert problems.count("hidden, or not available in US or DE") == counts["hidden"]
    assert "Steam: " in run("info", "-g", gallery).stdout
    run("build", "-g", gallery)
    query = next(str(game.appid) for game in store.games.values() if not game.fate)
    for flags, fits in (
        ((), lambda c: not c.get("adult") and not c.get("delisted")),
        (("--tag", "horror"), lambda c: "Horror" in c["tags"]),
        (("--released", "2017-08..2017-08"), lambda c: c["released"].startswith("2017-08")),
        (("--min-reviews", "40"), lambda c: c["reviews"] >= 40),
        (("--free",), lambda c: c["free"]),
    ):
        shown = json.loads(
            run("similar", query, "-g", gallery, "-k", "60", "--format", "json", *flags).stdout
        )
        assert shown["matches"], flags
        assert all(fits(match["columns"]) for match in shown["matches"]), flags
    adult = json.loads(run("similar", query, "-g", gallery, "-k", "60", "--adult", "--format", "json").stdout)
    assert any(match["columns"].get("adult") for match in adult["matches"])
    assert not any(match["columns"].get("delisted") for match in adult["matches"])
    shown = json.loads(
        run("similar", query, "-g", gallery, "-k", "60", "--delisted", "--format", "json").stdout
    )
    assert [match["id"] for match in shown["matches"] if match["columns"].get("delisted")] == [delisted]
    assert len(run("similar", delisted, "-g", gallery, "-k", "3", "--format", "ids").stdout.split()) == 3
    assert all("store.steampowered.com" in match["url"] for match in adult["matches"])
    wrong = run("similar", query, "-g", gallery, "--tag", "horro")
    assert (wrong.returncode, wrong.stderr) == (
        1,
        "steam-dino: no game has the tag 'horro'; did you mean: horror\n",
    )


RELEASES: dict[int, dict[str, object]] = {
    10: {"steam_release_date": 1711040635, "original_steam_release_date": 1648742371},
    20: {"steam_release_date": 1830240000, "is_coming_soon": True, "coming_soon_display": "date_year"},
    30: {"steam_release_date": 1830297600, "is_coming_soon": True, "coming_soon_display": "date_quarter"},
    40: {"steam_release_date": 1796083200, "is_coming_soon": True, "coming_soon_display": "date_month"},
    50: {"steam_release_date": 1800025200, "is_coming_soon": True, "coming_soon_display": "date_full"},
    60: {
        "steam_release_date": 1830240000,
        "is_coming_soon": True,
        "coming_soon_display": "text_tba",
        "custom_release_date_message": "When it's done",
    },
}


@pytest.mark.slow
def test_games_without_an_exact_date_are_found_by_what_is_announced_and_shown_so(
    run: Run, store: Store, tmp_path: Path
) -> None:
    gallery = ("-g", tmp_path / "g")
    store.games = {appid: Game(appid, f"Game {appid}", release=one) for appid, one in RELEASES.items()}
    store.games[70] = Game(70, "The query")
    assert run("sync", *gallery).returncode == 0
    assert run("build", *gallery).returncode == 0
    for flags, expected in (
        (("--released", "2027"), {20, 30, 50}),
        (("--released", "2027-12"), {20, 30}),
        (("--released", "2027-Q1"), {20, 50}),
        (("--released", "2026-11-01..2026-12-31"), {40}),
        (("--released", "..2026"), {10, 40}),
        (("--released", "2028.."), set()),
        (("--upcoming",), {20, 30, 40, 50, 60}),
        (("--no-upcoming",), {10}),
        (("--upcoming", "--released", "..2026"), {40}),
        (("--early-access", "2022-03"), {10}),
        (("--early-access", "..2021"), set()),
    ):
        found = run("similar", "70", *gallery, "--format", "ids", *flags)
        assert found.returncode == 0, found.stderr
        assert set(map(int, found.stdout.split())) == expected, flags
        assert ("1 game has no readable release date" in found.stderr) == ("--released" in flags), flags
    shown = run("similar", "70", *gallery, "--show", "released,early_access_since").stdout
    words = {line.split()[-2 if "2022" in line else -1]: line for line in shown.splitlines()[2:]}
    for date in ("2024-03-21", "2027", "2027-Q4", "2026-11", "2027-01-15", "done"):
        assert date in words, shown
    assert "When it's done" in words["done"]
    wrong = run("similar", "70", *gallery, "--early-access", "soon")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "the start of early access is 'soon'; write it like 2020, 2020.. or" in wrong.stderr


def test_apps_that_are_not_games_are_reported_and_included_by_the_names_of_their_types(
    run: Run, store: Store, tmp_path: Path
) -> None:
    gallery = tmp_path / "g"
    store.games = {appid: game for appid, game in list(store.games.items())[:10] if not game.fate}
    games = len(store.games)
    for appid, code in ((5, 12), (6, 4), (7, 4), (8, 1)):
        store.games[appid] = Game(appid, "Not a game", type=code, stray=code != 1)
    done = run("sync", "-g", gallery)
    assert done.returncode == 0
    assert f"In total: {games} fetched, 3 other type." in done.stdout
    assert done.stderr.strip().endswith(
        "Left out because they are not games: 1 beta, 2 dlc. To add them, pass --include or their appIDs."
    )
    assert run("sync", "-g", gallery).stderr == ""
    info = run("info", "-g", gallery).stdout
    assert f"Steam: {games} fetched, 3 other type\n" in info
    assert "Other types: 1 beta, 2 dlc\n" in info
    assert json.loads(run("info", "-g", gallery, "--json").stdout)["other_types"] == {"beta": 1, "dlc": 2}
    assert "No problems" in run("info", "-g", gallery, "--problems").stdout

    done = run("sync", "-g", gallery, "--include", "beta, demo", "--json")
    assert done.returncode == 0
    assert "cannot be asked for beta: only such apps that a list contains anyway" in done.stderr
    assert "The list that needs a key has no demo, so the list that needs none is read." in done.stderr
    summary = json.loads(done.stdout)
    assert summary["outcomes"] == {"fetched": games + 2, "other type": 2}
    assert summary["other_types"] == {"dlc": 2}
    assert run("sync", "-g", gallery, "6", "--include", "beta").stderr == ""  # no list is read
    assert json.loads(run("info", "-g", gallery, "--json").stdout)["other_types"] == {"dlc": 1}
    wrong = run("sync", "-g", gallery, "--include", "dlc,soundtrack")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "steam-dino: --include is 'dlc,soundtrack'; it must be among: demo, mod, movie, dlc, guide, software, video,"
        " series, episode, hardware, music, beta, tool, advertising\n",
    )


@pytest.mark.slow
def test_a_game_that_the_gallery_lacks_is_fetched_for_a_query(run: Run, store: Store, tmp_path: Path) -> None:
    gallery = tmp_path / "g"
    run("sync", "-g", gallery, "--limit", "20")
    run("build", "-g", gallery)
    store.games[7770] = Game(7770, "Brand new")
    without = run("similar", "7770", "-g", gallery)
    assert (without.returncode, without.stdout) == (1, "")
    done = run("similar", "7770", "-g", gallery, "--fetch", "-k", "3", "--format", "ids")
    assert done.returncode == 0
    assert len(done.stdout.split()) == 3
    assert "Fetched the banner of 7770" in done.stderr
    before = len(store.log)
    run("build", "-g", gallery)
    assert run("similar", "7770", "-g", gallery, "--fetch").returncode == 0
    assert len(store.log) == before  # it is there now
    absent = run("similar", "4000000", "-g", gallery, "--fetch")
    assert absent.returncode == 1
    hidden = "it is hidden, or not available in US or DE"
    assert absent.stderr == f"steam-dino: Steam has no banner of 4000000: {hidden}\n"


def test_addresses_are_written_as_bulk_downloaders_want_them(run: Run, store: Store, tmp_path: Path) -> None:
    store.games[10].name = '=HYPERLINK("evil")'
    run("sync", "-g", tmp_path / "g", "10", "20")
    done = run("export", "urls", "-g", tmp_path / "g", "-o", tmp_path / "urls.csv")
    assert done.returncode == 0
    rows = list(csv.DictReader((tmp_path / "urls.csv").read_text("utf-8").splitlines()))
    assert [list(row) for row in rows] == [["url", "caption", "appid"]] * 2
    assert rows[0] == {
        "url": f"{store.address}/assets/{store.games[10].file}?t=1500000000",
        "caption": '\'=HYPERLINK("evil")',
        "appid": "10",
    }
    assert run("export", "urls", "-g", tmp_path / "none", "-o", tmp_path / "u.csv").returncode == 1


@pytest.mark.slow
def test_two_kinds_of_banner_are_searched_apart(run: Run, store: Store, tmp_path: Path) -> None:
    gallery = tmp_path / "g"
    run("sync", "-g", gallery, "--limit", "20")
    run("build", "-g", gallery)
    missing = run("similar", "10", "-g", gallery, "--kind", "header")
    assert missing.returncode == 1
    assert "build -g" in missing.stderr
    assert "--kind header" in missing.stderr
    assert run("build", "-g", gallery, "--kind", "square").returncode == 2
    assert run("similar", "10", "-g", gallery, "-k", "2").returncode == 0


@pytest.mark.slow
def test_a_kind_of_banner_that_the_gallery_lacks_is_an_error_that_says_how_to_get_it(
    run: Run, store: Store, tmp_path: Path
) -> None:
    gallery = tmp_path / "g"
    for game in store.games.values():
        game.fate = "hero"
    run("sync", "-g", gallery, "10", "20")
    for command in ("build", "check"):
        lacking = run(command, "-g", gallery, "--kind", "hero")
        assert (lacking.returncode, lacking.stdout) == (1, "")
        assert lacking.stderr == (
            f"steam-dino: the gallery {gallery} has no hero banners; download Steam's with:"
            f" steam-dino sync -g {gallery} --kind hero\n"
        )
    assert not list(gallery.glob("snapshots/*.hero"))
    run("sync", "-g", gallery, "10", "20", "--kind", "hero")
    for command in ("build", "check", "similar 10"):
        done = run(*command.split(), "-g", gallery, "--kind", "hero")
        assert done.returncode == 0, done.stderr
    # A snapshot follows the gallery, even if nothing is left of that kind.
    run("remove", "-g", gallery, "--source", "steam")
    emptied = run("build", "-g", gallery, "--kind", "hero")
    assert emptied.returncode == 0 and "0 games are ready" in emptied.stdout
    urls = run("export", "urls", "-g", gallery, "--kind", "hero", "-o", tmp_path / "urls.csv")
    assert urls.returncode == 1
    assert "the gallery has no URLs of hero banners; run: steam-dino sync --kind hero" in urls.stderr


def test_an_archive_of_steams_banners_gets_its_names_from_a_list(
    run: Run, store: Store, tmp_path: Path
) -> None:
    archive = tmp_path / "resized_vertical_steam_banners.tar"
    with tarfile.open(archive, "w") as tar:
        for appid in (730, 570):
            path = tmp_path / f"{appid}.jpg"
            path.write_bytes(picture(appid, 0))
            tar.add(path, path.name)
    listed = {"response": {"apps": [{"appid": 730, "name": "Counter-Strike 2"}]}}
    (tmp_path / "IStoreService.json").write_text(json.dumps(listed))
    done = run("add", archive, "-g", tmp_path / "g", "--steam", "--names", tmp_path / "IStoreService.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("IStoreService.json: 1 of 2 games named, from 1 name\n")
    run("build", "-g", tmp_path / "g")
    shown = json.loads(run("similar", "730", "-g", tmp_path / "g", "--format", "json").stdout)
    assert shown["query"]["name"] == "Counter-Strike 2"


@pytest.mark.parametrize(
    ("listed", "steam", "printed", "warning"),
    [
        ({"1": "One", "2": "Two"}, True, "0 of 3 games named, from 2 names", "None of 3 games got a name"),
        (
            {"730": "One", "2": "Two"},
            True,
            "1 of 3 games named, from 2 names",
            "Only 1 of 3 games got a name",
        ),
        ({"730": "One"}, True, "1 of 3 games named, from 1 name", "Is it the list of these games?"),
        (
            {"730": "One"},
            False,
            "0 of 3 games named, from 1 name",
            "If the ids are appIDs, add them with --steam.",
        ),
        ({"730": "One", "570": "Two"}, True, "2 of 3 games named, from 2 names", ""),
    ],
)
def test_add_reports_how_many_names_fitted_and_warns_if_few_did(
    run: Run, tmp_path: Path, listed: dict[str, str], steam: bool, printed: str, warning: str
) -> None:
    for appid in (730, 570, 440):
        (tmp_path / "covers/sub").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"covers/sub/{appid}.jpg").write_bytes(picture(appid, 0))
    (tmp_path / "names.json").write_text(json.dumps(listed))
    flags = ["--steam"] * steam
    for _ in range(2):  # also when nothing has changed
        done = run(
            "add", tmp_path / "covers", "-g", tmp_path / "g", "--names", tmp_path / "names.json", *flags
        )
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"names.json: {printed}")
        assert warning in done.stderr and bool(warning) == bool(done.stderr)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (["Portal", "1954"], "seems to be a list of names, not of appIDs: one of them is 'Portal'"),
        ([730, 570], "lists appIDs without names; appIDs come as in app_ids.json"),
    ],
)
def test_a_list_that_cannot_name_games_is_refused_before_anything_is_added(
    run: Run, tmp_path: Path, content: list[object], message: str
) -> None:
    (tmp_path / "covers").mkdir()
    (tmp_path / "covers/1954.jpg").write_bytes(picture(1, 0))
    (tmp_path / "names.json").write_text(json.dumps(content))
    done = run(
        "add", tmp_path / "covers", "-g", tmp_path / "g", "--steam", "--names", tmp_path / "names.json"
    )
    assert done.returncode == 1 and message in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "g").exists()
    if content[0] == "Portal":
        asked = run("sync", "-g", tmp_path / "g", "--appids", tmp_path / "names.json")
        assert asked.returncode == 1 and message in asked.stderr
        assert not (tmp_path / "g").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["0"], "'0' is not an appID"),
        (["x"], "'x' is not an appID"),
        (["10", "--top", "3"], "pass only one of them"),
        (["--top", "101"], "from 1 to 100"),
        (["--include", "films"], "it must be among: demo, mod, movie, dlc,"),
        (["--kind", "square"], "it must be among: vertical, header, hero"),
        (["--appids", "none.txt"], "none.txt does not exist"),
        (["--rate", "-1"], "must be a number from 0 to 1000"),
        (["--connections", "99"], "must be a whole number from 1 to 32"),
        (["--countries", "USA"], "--countries is 'USA'; it must be codes of two letters, each once"),
        (["--countries", "US,us"], "--countries is 'US,us'; it must be codes of two letters, each once"),
        (["--countries", ""], "--countries is ''; it must be codes of two letters, each once"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_before_anything_is_asked(
    run: Run, store: Store, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = run("sync", "-g", tmp_path / "g", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not store.log


@pytest.mark.slow
def test_a_wait_before_a_retry_is_explained_while_it_lasts(
    run: Run, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEAMDINO_STEAM_BACKOFF", "2")  # with jitter 1 to 3 s
    monkeypatch.setenv("STEAMDINO_STEAM_TRIES", "2")
    store.eresult = 84
    done = run("sync", "-g", tmp_path / "g")
    assert done.returncode == 1
    waits, failure = done.stderr.splitlines()
    assert re.fullmatch(
        r"Steam is limiting the rate of requests \(x-eresult 84\); trying again in [123] s", waits
    )
    assert failure.startswith("steam-dino: Steam is limiting the rate of requests")
    assert store.key not in done.stderr


def test_a_block_is_explained_in_one_line(run: Run, store: Store, tmp_path: Path) -> None:
    store.blocked = True
    done = run("sync", "-g", tmp_path / "g")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "answered 403" in done.stderr
    assert store.key not in done.stderr


def test_a_file_in_the_current_folder_does_not_send_the_key_to_a_stranger(
    run: Run, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STEAMDINO_STEAM_API_URL")
    (tmp_path / "steamdino.toml").write_text(f'[steam]\napi_url = "{store.address}"\n')
    sync = ("sync", "-g", "g", "--limit", "5", "--json")
    refused = run(*sync, cwd=tmp_path)
    assert (refused.returncode, refused.stdout, store.log) == (2, "", [])
    assert refused.stderr.startswith(f"steam-dino: steamdino.toml, [steam]: api_url is '{store.address}'")
    assert refused.stderr.count("\n") == 1
    assert store.key not in refused.stderr

    monkeypatch.setenv("STEAMDINO_STEAM_API_URL", store.address)
    taken = run(*sync, cwd=tmp_path)
    assert ("list", "ok") in {(one.what, one.answer) for one in store.log}  # which only a key brings
    assert store.key not in taken.stdout + taken.stderr

    monkeypatch.delenv("STEAMDINO_STEAM_API_URL")
    monkeypatch.delenv("STEAM_API_KEY")
    store.log.clear()
    assert run(*sync, cwd=tmp_path).returncode in (0, 1)
    assert "query" in {one.what for one in store.log}
    assert "list" not in {one.what for one in store.log}


def test_problems_of_sync_name_its_source_and_not_a_folder_called_steam(
    run: Run, store: Store, tmp_path: Path
) -> None:
    (tmp_path / "steam").mkdir()
    (tmp_path / "steam" / "cover.jpg").write_bytes(picture(1, 0))
    assert run("add", tmp_path / "steam", "-g", tmp_path / "g").returncode == 0
    run("sync", "-g", tmp_path / "g")
    problems = run("info", "-g", tmp_path / "g", "--problems").stdout.splitlines()
    assert problems and all(line.startswith("steam-2: sync: ") for line in problems)
