"""Audits of drafts, against the fictional store's truth and against brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steamdino import Snapshot
from steamdino.analysis.audit import Auditor
from steamdino.banners.decode import decode
from steamdino.errors import QueryError, UsageError
from steamdino.records import Filter
from steamdino.sample import FictionalGame

Store = tuple[Path, tuple[FictionalGame, ...]]


@pytest.fixture(scope="module")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


@pytest.fixture(scope="module")
def auditor(snapshot: Snapshot) -> Auditor:
    return Auditor(snapshot, tags=("Horror",), size=(300, 450))


@pytest.mark.slow
def test_a_crop_of_a_known_banner_names_that_game_first(
    auditor: Auditor, fictional_store: Store, tmp_path: Path
) -> None:
    folder, games = fictional_store
    ordinary = [game for game in games if not game.defect][::12]
    assert len(ordinary) > 30
    first, taken = 0, 0
    for game in ordinary:
        banner = decode((folder / game.file).read_bytes())
        banner.crop((20, 30, 280, 420)).save(tmp_path / "crop.png")
        found = auditor(tmp_path / "crop.png", 3)
        first += found.matches[0].id == game.id
        taken += found.is_taken
        assert [flaw.flaw for flaw in found.flaws][-1] == "odd-size"
    assert first >= 0.97 * len(ordinary), f"{first} of {len(ordinary)}"
    assert taken >= 0.9 * len(ordinary), f"{taken} of {len(ordinary)}"


def test_a_banner_that_is_in_no_gallery_is_said_to_be_new_in_numbers(
    auditor: Auditor, tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    stripes = np.repeat(rng.integers(0, 256, (1, 60, 3), dtype=np.uint8), 450, axis=0).repeat(5, axis=1)
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    found = auditor(tmp_path / "stripes.png")
    assert not found.is_taken
    assert found.taken is not None
    assert found.matches[0].similarity < found.taken - 0.2
    every, horror = found.standings
    assert (every.tag, horror.tag) == (None, "Horror")
    assert every.percentile == 100
    assert every.usual is not None
    assert every.closest is not None
    assert every.closest.similarity < every.usual


def test_standings_are_those_of_a_full_table_of_cosines(
    snapshot: Snapshot, auditor: Auditor, tmp_path: Path
) -> None:
    draft = snapshot.game("neonoir").picture
    assert draft is not None
    with Image.open(draft) as image:
        image.convert("L").save(tmp_path / "grey.png")
    found = auditor(tmp_path / "grey.png")
    assert found.explanation is not None
    for standing, only in zip(found.standings, (Filter(), Filter(tags=("Horror",))), strict=True):
        rows = snapshot.rows(only)
        part = snapshot.vectors[rows].astype(np.float64)
        table = part @ part.T - 4 * np.eye(len(part))
        assert standing.closest is not None and standing.percentile is not None
        assert standing.games == len(rows)
        assert standing.percentile == pytest.approx(
            100 * (table.max(axis=1) > standing.closest.similarity).mean(), abs=0.3
        )
        assert standing.usual == pytest.approx(np.median(table.max(axis=1)), abs=1e-5)
        assert standing.closest.id in {game.id for game in snapshot.games(rows)}


def test_the_drafts_own_game_can_be_left_out(snapshot: Snapshot) -> None:
    picture = snapshot.game("neonoir").picture
    assert picture is not None
    with_it = Auditor(snapshot)(picture)
    assert with_it.matches[0].identical and with_it.is_taken
    without = Auditor(snapshot, without=["Neonoir"])(picture)
    assert without.matches.ids == with_it.matches.ids[1:] + without.matches.ids[-1:]
    assert without.standings[0].games == with_it.standings[0].games - 1
    assert without.standings[0].closest is not None
    assert without.standings[0].closest.id == without.matches[0].id


def test_flaws_are_those_that_a_check_finds(auditor: Auditor, tmp_path: Path) -> None:
    Image.new("RGB", (300, 450), (250, 250, 250)).save(tmp_path / "white.png")
    assert [flaw.flaw for flaw in auditor(tmp_path / "white.png").flaws] == ["blank"]
    Image.new("L", (100, 100), 3).save(tmp_path / "dark.png")
    assert {flaw.flaw for flaw in auditor(tmp_path / "dark.png").flaws} == {"blank", "odd-size", "bands"}


def test_what_cannot_be_audited_is_refused(snapshot: Snapshot, auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(QueryError, match=r"text\.png"):
        auditor(tmp_path / "text.png")
    with pytest.raises(QueryError, match="no game has the tag 'Horor'; did you mean: horror"):
        Auditor(snapshot, tags=("Horor",))
    with pytest.raises(QueryError, match="no game matches"):
        Auditor(snapshot, without=("no such game at all",))
    with pytest.raises(UsageError, match="is a picture"):
        Auditor(snapshot, without=(str(snapshot.game("neonoir").picture),))
    with pytest.raises(UsageError, match="k is 0"):
        auditor(snapshot.game("neonoir").picture, 0)  # type: ignore[arg-type]
