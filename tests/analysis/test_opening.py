"""The games that a first page opens with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import steamdino
from steamdino import Snapshot
from steamdino.analysis.opening import candidates, good_first, opening
from steamdino.banners.quality import VERSION, measure
from steamdino.banners.read import read_picture
from steamdino.gallery import Gallery
from steamdino.records import Game
from steamdino.storage.location import LocalFile


@pytest.fixture
def flawed(tmp_path: Path) -> Path:
    """A gallery of noise, and of banners that show nothing."""
    folder = tmp_path / "in"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(8):
        coarse = rng.integers(0, 256, (60, 40, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((200, 300), Image.Resampling.NEAREST).save(
            folder / f"fine-{number}.png"
        )
    for name, colour in (("black", 0), ("grey", 128), ("white", 255)):
        Image.new("RGB", (200, 300), (colour,) * 3).save(folder / f"flat-{name}.png")
    Image.fromarray(rng.integers(0, 40, (300, 200, 3), dtype=np.uint8)).save(folder / "flat-dark.png")
    steamdino.add(tmp_path / "gallery", folder)
    steamdino.build(tmp_path / "gallery")
    return tmp_path / "gallery"


def test_flat_and_dark_banners_never_lead(flawed: Path) -> None:
    snapshot = Snapshot.open(flawed)
    games = [game.id for game in opening(snapshot, 12, flawed)]
    assert {key[:4] for key in games[:8]} == {"fine"}
    assert {key[:4] for key in games[8:]} == {"flat"}
    assert sorted(games) == snapshot.ids
    plain = [game.id for game in candidates(snapshot)]
    assert [key for key in plain if key.startswith("fine")] == games[:8]  # in the same order
    assert plain[0].startswith("flat")  # without the measures, one of them would lead


def test_the_build_measures_the_candidates_and_reads_no_picture_twice(
    flawed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = Snapshot.open(flawed)
    with Gallery.open(flawed) as opened:
        found = opened.curation.measures_of(snapshot.sha256s, VERSION)
    for game in snapshot.games(range(len(snapshot))):
        assert game.picture is not None
        assert found[game.sha256] == measure(read_picture(game.picture))
    from steamdino.pipeline import measuring

    monkeypatch.setattr(measuring, "picture_of", lambda *_: pytest.fail("a picture was read again"))
    steamdino.build(flawed, rebuild=True)


def test_without_its_gallery_a_snapshot_opens_with_games_that_differ(flawed: Path, tmp_path: Path) -> None:
    snapshot = Snapshot.open(flawed)
    plain = candidates(snapshot)
    assert opening(snapshot, 5, None) == opening(snapshot, 5, tmp_path / "none") == plain[:5]


def test_games_are_ordered_by_how_grave_their_flaws_are(paint: Callable[..., Path], tmp_path: Path) -> None:
    def game(key: str, location: LocalFile | None) -> Game:
        return Game(key, key, "x", None, None, key, {}, location)

    somewhere = LocalFile(tmp_path / "x.png")
    fine = {
        "blank": 0.9,
        "dark": 0.9,
        "light": 0.9,
        "low-information": 0.9,
        "blurry": 0.9,
        "border": 1.0,
        "grey": 0.0,
    }
    measures = {
        "flat": {**fine, "blank": 0.01},
        "pale": {**fine, "light": 0.1},
        "empty": {**fine, "low-information": 0.1},
        "blurry": {**fine, "blurry": 0.1},
        "fine": fine,
        "also fine": fine,
        "gone": fine,
    }
    games = [game(key, None if key == "gone" else somewhere) for key in ("gone", "unread", *measures)][:-1]
    order = [one.id for one in good_first(games, measures)]
    assert order == ["fine", "also fine", "blurry", "flat", "pale", "empty", "unread", "gone"]
