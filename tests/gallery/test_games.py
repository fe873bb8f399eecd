"""Sources and games, as rows of a real gallery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from steamdino.features.recipe_parser import named
from steamdino.gallery import Gallery
from steamdino.gallery.games import KnownGame, Source
from steamdino.gallery.vectors import Absent
from steamdino.records import Banner, Entry
from steamdino.storage.location import LocalFile


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.write(tmp_path / "g", "test", create=True) as opened, opened.transaction():
        yield opened


def _banner(path: Path, sha256: str = "a" * 64) -> Banner:
    return Banner(LocalFile(path), 5, 6, 7, sha256, 300, 450, "RGB", "JPEG")


def _game(gallery: Gallery, source: Source, game_id: str, **columns: object) -> None:
    gallery.games.put_game(source, Entry(game_id, f"Game {game_id}", None, "", columns))


def test_what_is_known_of_a_game_is_what_was_stored(gallery: Gallery, tmp_path: Path) -> None:
    source = gallery.games.put_source("folder", tmp_path / "covers", steam=False)
    for game_id in ("copied", "linked", "bare", "lost"):
        _game(gallery, source, game_id, year=1999)
    original, copy = tmp_path / "covers/a.jpg", tmp_path / "g/banners/aa/a.jpg"
    gallery.banners.put("copied", _banner(copy), LocalFile(original))
    gallery.banners.put("linked", _banner(original, "b" * 64), LocalFile(original))
    gallery.games.mark_gone(["lost"])
    columns = '{"year":1999}'
    assert gallery.games.known(source, ["copied", "linked", "bare", "lost", "unknown"]) == {
        "copied": KnownGame(
            "Game copied", columns, False, LocalFile(original), 5, 6, 7, "a" * 64, LocalFile(copy)
        ),
        "linked": KnownGame("Game linked", columns, False, LocalFile(original), 5, 6, 7, "b" * 64, None),
        "bare": KnownGame("Game bare", columns, False, None, 0, 0, 0, None, None),
        "lost": KnownGame("Game lost", columns, True, None, 0, 0, 0, None, None),
    }
    assert list(gallery.games.known(source, ["bare"])) == ["bare"]
    assert gallery.games.present(source) == {"copied": True, "linked": True, "bare": False}
    other = gallery.games.put_source("folder", tmp_path / "other", steam=False)
    assert gallery.games.known(other, ["bare"]) == {}
    assert gallery.games.owners(other, ["bare", "unknown"]) == {"bare": "covers"}
    assert gallery.games.owners(source, ["bare"]) == {}


def _steps(gallery: Gallery, work: Callable[[], object]) -> int:
    """Count the steps, in hundreds, that SQLite's virtual machine takes for some work."""
    taken = 0

    def step() -> int:
        nonlocal taken
        taken += 1
        return 0

    database = gallery.games._db
    database.set_progress_handler(step, 100)
    try:
        work()
    finally:
        database.set_progress_handler(None, 0)
    return taken


def test_a_few_games_are_looked_up_without_reading_all_others(gallery: Gallery, tmp_path: Path) -> None:
    source = gallery.games.put_source("table", tmp_path / "games.csv", steam=False)
    other = gallery.games.put_source("table", tmp_path / "other.csv", steam=False)
    asked = [str(number) for number in range(5)]
    lookups: list[Callable[[], object]] = [
        lambda: gallery.games.known(source, asked),
        lambda: gallery.games.owners(other, asked),
        lambda: gallery.games.from_stores(asked),
        lambda: gallery.history.games(asked, "vertical"),
        lambda: gallery.curation.shown_by(asked, "vertical"),
    ]
    taken = []
    for games in (range(20), range(20, 2_000)):
        for number in games:
            _game(gallery, source, str(number))
            gallery.banners.put(str(number), _banner(tmp_path / "a.jpg"), LocalFile(tmp_path / "a.jpg"))
        taken.append([_steps(gallery, lookup) for lookup in lookups])
    few, many = taken
    assert many == pytest.approx(few, abs=2)


def test_a_source_is_found_again_however_its_path_is_spelled(gallery: Gallery, tmp_path: Path) -> None:
    (tmp_path / "covers").mkdir()
    (tmp_path / "link").symlink_to("covers")
    source = gallery.games.put_source("folder", tmp_path / "covers", steam=False)
    for spelled in ("covers", "link", "g/../covers"):
        assert gallery.games.put_source("folder", tmp_path / spelled, steam=False) == source
    assert [one.name for one in gallery.report().sources] == ["covers"]


def test_sources_whose_folders_are_missing_are_told_apart_by_their_paths(
    gallery: Gallery, tmp_path: Path
) -> None:
    first = gallery.games.put_source("folder", tmp_path / "one/covers", steam=False)
    second = gallery.games.put_source("folder", tmp_path / "two/covers", steam=False)
    assert (first.name, second.name) == ("covers", "covers-2")
    assert gallery.games.put_source("folder", tmp_path / "one/covers", steam=False) == first
    assert gallery.games.put_source("folder", tmp_path / "two/covers", steam=False) == second


def test_a_third_source_of_one_name_gets_the_next_number(gallery: Gallery, tmp_path: Path) -> None:
    names = [
        gallery.games.put_source("folder", tmp_path / number / "covers", steam=False).name
        for number in ("one", "two", "three")
    ]
    assert names == ["covers", "covers-2", "covers-3"]


def test_the_revision_grows_with_every_change_that_a_snapshot_shows_and_with_no_other(
    gallery: Gallery, tmp_path: Path
) -> None:
    games, banners, curation = gallery.games, gallery.banners, gallery.curation
    path = tmp_path / "covers/a.jpg"
    source = games.put_source("folder", tmp_path / "covers", steam=False)

    def grows(change: Callable[[], object]) -> bool:
        before = games.revision
        change()
        return games.revision > before

    for _ in range(2):
        assert grows(lambda: _game(gallery, source, "a"))
        assert not grows(lambda: _game(gallery, source, "a"))
        assert grows(lambda: _game(gallery, source, "a", year=1999))
        assert grows(lambda: banners.put("a", _banner(path), LocalFile(path)))
        assert not grows(lambda: banners.put("a", _banner(path), LocalFile(path)))
        assert not grows(lambda: banners.touch("a", 8, 9))
        assert grows(lambda: banners.put("a", _banner(path, "b" * 64), LocalFile(path)))
        assert grows(lambda: banners.drop("a"))
        assert not grows(lambda: banners.drop("a"))
        assert grows(lambda: curation.exclude({"a": "by hand"}))
        assert not grows(lambda: curation.exclude({"a": "by hand"}))
        assert not grows(lambda: curation.restore(["blurry"]))
        assert grows(lambda: curation.restore(["by hand"]))
        assert not grows(lambda: curation.restore(None))
        assert grows(lambda: games.mark_gone(["a"]))
        assert not grows(lambda: games.mark_gone(["a"]))
        assert grows(games.remove_gone)
        assert not grows(games.remove_gone)
    assert grows(lambda: games.put_source("folder", tmp_path / "covers", steam=True))
    assert not grows(lambda: games.put_source("folder", tmp_path / "covers", steam=True))
    assert grows(lambda: games.remove_source("covers"))
    assert not grows(lambda: games.remove_source("covers"))


def test_each_game_without_a_vector_has_the_reason_that_explains_it(gallery: Gallery, tmp_path: Path) -> None:
    source = gallery.games.put_source("folder", tmp_path / "covers", steam=False)
    for number, game_id in enumerate(("bare", "excluded", "lost", "broken", "waiting")):
        _game(gallery, source, game_id)
        if game_id != "bare":
            path = tmp_path / f"covers/{game_id}.jpg"
            gallery.banners.put(game_id, _banner(path, str(number) * 64), LocalFile(path))
    gallery.games.mark_gone(["lost"])
    gallery.curation.exclude({"excluded": "by hand"})
    gallery.problems.put_build(["broken"], "it cannot be decoded", "3" * 64)
    key = gallery.vectors.put_recipe(named("bundled"))
    found = {one.id: one for one in gallery.vectors.absent(key)}
    lost = found.pop("lost")
    assert lost.reason.startswith("it was no longer found when its source was last added (20")
    assert found == {
        "bare": Absent("bare", "Game bare", "it has no banner"),
        "broken": Absent("broken", "Game broken", "it cannot be decoded"),
        "excluded": Absent(
            "excluded",
            "Game excluded",
            "it is excluded (by hand); steam-dino check --restore takes it back",
        ),
        "waiting": Absent("waiting", "Game waiting", "its banner is not encoded yet; run: steam-dino build"),
    }
