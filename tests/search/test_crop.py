"""Searching by a part of a picture, with Pillow's own crop as the oracle; and mixtures, with NumPy as the oracle."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from steamdino import Snapshot
from steamdino.errors import QueryError, UsageError
from steamdino.records import Crop
from steamdino.search.crop_parser import box, crop_of


@pytest.fixture(scope="module")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


@pytest.mark.parametrize(
    ("written", "pixels"),
    [
        ("0.25,0.2,0.5,0.4", (75, 90, 225, 270)),
        ("30, 45,100,200", (30, 45, 130, 245)),
        ("0,0,1,0.5", (0, 0, 300, 225)),
    ],
)
@pytest.mark.parametrize("turn", [{}, {"mirror": True}, {"flip": True}])
def test_a_part_finds_what_a_picture_of_that_part_finds(
    snapshot: Snapshot, tmp_path: Path, written: str, pixels: tuple[int, int, int, int], turn: dict[str, bool]
) -> None:
    banner = snapshot.game("neonoir").picture
    assert banner is not None
    with Image.open(banner) as image:
        assert image.size == (300, 450)
        image.convert("RGB").crop(pixels).save(tmp_path / "part.png")
    expected = snapshot.similar(tmp_path / "part.png", 11, **turn)
    for query in ("neonoir", banner):
        found = snapshot.similar(query, 10, crop=crop_of(written), **turn)
        wanted = [one for one in expected.ids if query == banner or one != "neonoir"][:10]
        assert found.ids == wanted
        assert not any(match.identical for match in found)
        assert str(found.query.crop) == written.replace(" ", "")
    assert found.similarities == pytest.approx(expected.similarities[:10], abs=1e-6)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("1,2,3", "the crop is '1,2,3'; write x,y,width,height"),
        ("a,b,c,d", "write x,y,width,height"),
        ("0,0,nan,1", "write x,y,width,height"),
        ("-1,0,10,10", "write x,y,width,height"),
        ("0,0,0,1", "is empty"),
        ("0.5,0,0.6,1", "reaches beyond the picture; x + width"),
        ("0,0,301,450", "which has 300 x 450 pixels"),
        ("0.5,0.5,0.01,0.5", "has 3 x 225 pixels; each side must have at least 8"),
        ("10,10,7,100", "has 7 x 100 pixels"),
    ],
)
def test_a_part_that_is_none_is_refused(snapshot: Snapshot, written: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        snapshot.similar("neonoir", crop=crop_of(written))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_numbers_are_no_part() -> None:
    assert crop_of("") is crop_of(",,,") is crop_of(" , , , ") is None


fractions = st.floats(0, 1, allow_subnormal=False)


@given(fractions, fractions, fractions, fractions, st.integers(8, 3000), st.integers(8, 3000))
def test_a_part_in_fractions_never_reaches_beyond_the_picture(
    left: float, right: float, top: float, bottom: float, width: int, height: int
) -> None:
    left, right = sorted((left, right))
    top, bottom = sorted((top, bottom))
    found = (
        crop_of(str(Crop(left, top, right - left, bottom - top)))
        if right - left > 1e-3 < bottom - top
        else None
    )
    if found:
        edges = box(found, (width, height))
        assert 0 <= edges[0] <= edges[2] <= width
        assert 0 <= edges[1] <= edges[3] <= height
        assert crop_of(str(found)) == found


def test_the_command_takes_a_part(run: Callable[..., Any], built: Path) -> None:
    done = run("similar", "neonoir", "-g", built, "-k", 3, "--crop", "0,0,1,0.5", "--format", "json")
    record = json.loads(done.stdout)
    assert (done.returncode, done.stderr, record["query"]["crop"]) == (0, "", "0,0,1,0.5")
    expected = Snapshot.open(built).similar("neonoir", 3, crop=Crop(0, 0, 1, 0.5))
    assert [match["id"] for match in record["matches"]] == expected.ids
    assert "part 0,0,1,0.5" in run("similar", "neonoir", "-g", built, "--crop", "0,0,1,.5").stdout
    done = run("similar", "neonoir", "-g", built, "--crop", "0,0,2")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_a_mixture_of_parts_is_their_weighted_sum(snapshot: Snapshot) -> None:
    def vector(game: str) -> np.ndarray:
        row = snapshot.row(game)
        assert row is not None
        return np.asarray(snapshot.vectors[row], np.float64)

    ids = snapshot.ids[:4]
    total = 2 * vector(ids[0]) + vector(ids[1]) - 0.5 * vector(ids[2])
    scores = np.asarray(snapshot.vectors, np.float64) @ (total / np.linalg.norm(total))
    order = [snapshot.ids[row] for row in np.argsort(-scores) if snapshot.ids[row] not in ids[:3]]
    found = snapshot.mixture([f"2*{ids[0]}", ids[1]], [f"0.5*{ids[2]}"], 12)
    hidden = set(snapshot.ids) - {snapshot.ids[row] for row in snapshot.rows()}
    assert found.ids == [one for one in order if one not in hidden][:12]
    assert [part.weight for part in found.query.parts] == [2, 1, -0.5]
    assert found.ids == snapshot.similar(ids[0], 12, plus=[f"0.5*{ids[1]}"], minus=[f"0.25*{ids[2]}"]).ids


def test_a_mixture_of_one_game_is_the_game(snapshot: Snapshot) -> None:
    for part in ("neonoir", "3*neonoir"):
        found, expected = snapshot.mixture([part], (), 10), snapshot.similar("neonoir", 10)
        assert [(one.id, one.similarity, one.identical) for one in found] == [
            (one.id, one.similarity, one.identical) for one in expected
        ]
    with pytest.raises(UsageError, match="at least one part"):
        snapshot.mixture([], [])
    with pytest.raises(UsageError, match="cancel each other out"):
        snapshot.mixture(["neonoir"], ["neonoir"])


def test_a_strangers_mixture_opens_no_file(snapshot: Snapshot, tmp_path: Path) -> None:
    picture = snapshot.game("neonoir").picture
    for mix in (
        lambda: snapshot.mixture([str(picture)], (), files=False),
        lambda: snapshot.similar("neonoir", plus=[str(picture)], files=False),
        lambda: snapshot.similar("neonoir", minus=[f"2*{picture}"], files=False),
    ):
        with pytest.raises(QueryError):
            mix()
    assert snapshot.mixture([str(picture)], ()).ids


def test_an_encoded_picture_is_searched_like_its_file(snapshot: Snapshot) -> None:
    picture = snapshot.game("neonoir").picture
    assert picture is not None
    encoded = snapshot.encode(picture)
    for options in ({}, {"plus": ["hollow-avenue"]}, {"minus": ["hollow-avenue"]}):
        found, expected = snapshot.similar(encoded, 8, **options), snapshot.similar(picture, 8, **options)
        assert [(one.id, one.similarity, one.identical) for one in found] == [
            (one.id, one.similarity, one.identical) for one in expected
        ]
