"""`steam-dino changes` as a whole process, in each of its formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.fakes.history import changed_gallery

from steamdino.pipeline import add

Run = Callable[..., "CompletedProcess[str]"]
Paint = Callable[..., Path]


@pytest.fixture
def gallery(tmp_path: Path, paint: Paint) -> Path:
    """A gallery with a past."""
    return changed_gallery(tmp_path, paint)


def _day(ago: int) -> str:
    return (datetime.now(UTC).date() - timedelta(days=ago)).isoformat()


def test_the_table_has_a_line_for_each_change(run: Run, gallery: Path) -> None:
    done = run("changes", "-g", gallery)
    assert done.returncode == 0, done.stderr
    title, _, new, art, left, _ = done.stdout.splitlines()
    assert title == f"What changed from {_day(7)} to {_day(0)}: 1 new game, 2 new banners, 1 left"
    assert new.startswith(f"{_day(2)}  new   Game <x> (x)")
    assert new.rstrip().endswith("Game <d> (d)")
    assert art.split()[:4] == ["art", "Game", "<a>", "(a)"]
    assert art.rstrip().endswith("the banner before")
    assert left.split() == ["left", "Game", "<f>", "(f)"]


def test_a_first_import_is_one_line(run: Run, gallery: Path) -> None:
    done = run("changes", "-g", gallery, "--since", "60d", "--what", "left")
    assert done.stdout.splitlines()[1] == f"{_day(33)}: 6 games were imported from games.csv"
    assert "Changes of banners and returns are known from" in done.stderr


def test_json_has_what_the_table_has_and_more(run: Run, gallery: Path) -> None:
    done = run("changes", "-g", gallery, "--format", "json", "--since", "60d")
    found = json.loads(done.stdout)
    assert (found["since"], found["until"], found["total"], found["next"]) == (_day(60), _day(0), 4, None)
    assert found["counts"] == {"new": 1, "art": 2, "left": 1, "back": 0}
    assert found["imports"] == [{"day": _day(33), "source": "games.csv", "games": 6, "what": "new"}]
    new, art, left, earlier = found["changes"]
    assert (new["game"]["id"], new["closest"]["id"], left["game"]["id"]) == ("x", "d", "f")
    assert new["closest"]["similarity"] > 0.9
    assert art["before"]["sha256"] != art["after"]["sha256"]
    assert Path(art["before"]["picture"]).is_file() and Path(art["after"]["picture"]).is_file()
    assert -1 <= art["similarity"] < 1 and 0 <= art["percentile"] <= 100
    assert (left["gone"], left["unknown"]) == (True, None)
    assert (earlier["before"]["picture"], earlier["similarity"] is None) == (None, False)


def test_pages_of_json_lead_on(run: Run, gallery: Path) -> None:
    first = run("changes", "-g", gallery, "--format", "json", "--per-page", 2)
    assert json.loads(first.stdout)["next"] == 2
    assert first.stderr == "Page 1 of 2; next: --page 2\n"
    second = json.loads(
        run("changes", "-g", gallery, "--format", "json", "--per-page", 2, "--page", 2).stdout
    )
    assert ([one["what"] for one in second["changes"]], second["next"]) == (["left", "art"], None)
    done = run("changes", "-g", gallery, "--per-page", 2, "--page", 3)
    assert (done.returncode, done.stderr) == (2, "steam-dino: --page is 3, but there are only 2\n")


def test_the_page_has_pictures_before_and_after_and_no_markup_of_a_name(
    run: Run, gallery: Path, open_page: Callable[..., object], tmp_path: Path
) -> None:
    done = run("changes", "-g", gallery, "--format", "html", "-o", tmp_path / "c.html")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    text = (tmp_path / "c.html").read_text("utf-8")
    # Two of the new game, two and one of the new banners, one of the game that left.
    assert text.count('<img src="data:image/jpeg') == 6
    assert "Game &lt;x&gt;" in text and "<x>" not in text
    page: object = open_page(tmp_path / "c.html")
    assert page.locator("h3").all_inner_texts() == ["New games", "New banners", "Left", "New banners"]  # type: ignore[attr-defined]
    assert page.complaints == []  # type: ignore[attr-defined]


def test_markdown_links_to_the_pictures_from_where_it_is_written(
    run: Run, gallery: Path, tmp_path: Path
) -> None:
    target = tmp_path / "there" / "changes.md"
    target.parent.mkdir()
    assert run("changes", "-g", gallery, "--format", "md", "-o", target).returncode == 0
    text = target.read_text("utf-8")
    assert "### New banners\n\n* Game \\<a\\>: " in text
    links = [part.split('"')[0] for part in text.split('src="')[1:]]
    assert len(links) == 6
    assert all((target.parent / link).is_file() for link in links)


def test_a_table_can_be_written_to_a_file(run: Run, gallery: Path, tmp_path: Path) -> None:
    done = run("changes", "-g", gallery, "-o", tmp_path / "c.txt")
    assert done.stderr == f"{tmp_path / 'c.txt'}: 4 changes\n"
    assert (tmp_path / "c.txt").read_text("utf-8") == run("changes", "-g", gallery).stdout


def test_when_nothing_changed_the_last_change_is_named(run: Run, gallery: Path) -> None:
    done = run("changes", "-g", gallery, "--since", "1d")
    assert done.returncode == 0
    assert done.stdout == f"What changed from {_day(1)} to {_day(0)}: nothing changed\n"
    assert done.stderr == f"The last change was on {_day(2)}; see it with: --since {_day(2)}\n"


def test_a_gallery_that_was_never_built_shows_what_changed_without_similarities(
    run: Run, tmp_path: Path, paint: Paint
) -> None:
    for number, key in enumerate("ab"):
        paint(tmp_path / "covers" / f"{key}.jpg", number)
    add(tmp_path / "g", tmp_path / "covers")
    done = run("changes", "-g", tmp_path / "g")
    assert done.returncode == 0
    assert "2 games were imported from covers" in done.stdout
    assert "Nothing is built yet" in done.stderr
    done = run("changes", "-g", tmp_path / "g", "--recipe", "none-such")
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--since", "then"), "--since is 'then'; write a date like 2026-10-01"),
        (("--what", "newer"), "there is no kind of change 'newer'; there are: new, art, left, back"),
        (("--format", "csv"), "--format is 'csv'; it must be one of: table, json, html, md"),
        (("--page", "0"), "--page is 0 and --per-page 50; both must be at least 1"),
        (("--kind", "sideways"), "there is no kind of banner 'sideways'"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(
    run: Run, gallery: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = run("changes", "-g", gallery, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(("flags", "is_kept"), [((), True), (("--no-keep-old",), False)])
def test_a_setting_keeps_old_pictures_and_a_flag_overrides_it(
    run: Run,
    tmp_path: Path,
    paint: Paint,
    monkeypatch: pytest.MonkeyPatch,
    flags: tuple[str, ...],
    is_kept: bool,
) -> None:
    covers, gallery = tmp_path / "covers", tmp_path / "g"
    monkeypatch.setenv("STEAMDINO_KEEP_OLD", "yes")
    for seed in (1, 2):
        paint(covers / "a.jpg", seed)
        assert run("add", covers, "--copy", "-g", gallery, *flags).returncode == 0
    (change,) = json.loads(run("changes", "-g", gallery, "--format", "json").stdout)["changes"]
    assert (change["before"]["picture"] is not None) is is_kept
