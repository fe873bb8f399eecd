from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from steamdino.sample import FictionalGame, draw_store, fictional_games
from steamdino.sample import fictional_store as store_module
from steamdino.sample.files import banner_bytes
from steamdino.sample.truth import jobs


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype=np.float32)


def of(defect: str) -> list[FictionalGame]:
    return [game for game in fictional_games() if game.defect == defect]


def source_of(game: FictionalGame) -> FictionalGame:
    return next(other for other in fictional_games() if other.id == game.duplicate_of)


def test_every_game_with_a_banner_has_its_file_and_no_file_is_left_over(drawn_store: Path) -> None:
    found = {path.relative_to(drawn_store).as_posix() for path in drawn_store.rglob("*") if path.is_file()}
    assert found == {game.file for game in fictional_games() if game.file} | {"catalogue.csv"}


def test_the_catalogue_says_what_the_truth_says(drawn_store: Path) -> None:
    with (drawn_store / "catalogue.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {
            "id": game.id,
            "name": game.name,
            "path": game.file,
            "theme": game.theme,
            "franchise": game.franchise,
            "developer": game.developer,
            "year": str(game.year),
            "tags": ";".join(game.tags),
            "duplicate_of": game.duplicate_of,
            "defect": game.defect,
        }
        for game in fictional_games()
    ]


def test_drawing_a_banner_again_gives_the_same_bytes(drawn_store: Path) -> None:
    for job in jobs()[::13]:
        if job.game.file:
            assert (drawn_store / job.game.file).read_bytes() == banner_bytes(job), job.game.id


def test_an_ordinary_banner_is_a_colour_jpeg_of_300_by_450(drawn_store: Path) -> None:
    for game in of("")[::17]:
        with Image.open(drawn_store / game.file) as picture:
            assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (300, 450))


def test_ordinary_banners_are_neither_flat_nor_equal(drawn_store: Path) -> None:
    contents = [(drawn_store / game.file).read_bytes() for game in of("")]
    assert len(set(contents)) == len(contents)
    for game in of("")[::11]:
        assert pixels(drawn_store / game.file).std() > 12, game.id


def test_exact_copies_have_the_same_bytes(drawn_store: Path) -> None:
    for game in of("exact"):
        assert (drawn_store / game.file).read_bytes() == (drawn_store / source_of(game).file).read_bytes()


def test_reencoded_copies_have_other_bytes_and_almost_the_same_pixels(drawn_store: Path) -> None:
    for game in of("reencoded"):
        copy, source = drawn_store / game.file, drawn_store / source_of(game).file
        assert copy.read_bytes() != source.read_bytes()
        assert np.abs(pixels(copy) - pixels(source)).mean() < 6


def test_mirrored_copies_are_close_to_the_flipped_original_only(drawn_store: Path) -> None:
    for game in of("mirrored"):
        copy, source = pixels(drawn_store / game.file), pixels(drawn_store / source_of(game).file)
        assert np.abs(copy - source[:, ::-1]).mean() < 4
        assert np.abs(copy - source).mean() > 8


def test_reskins_keep_the_shapes_and_change_the_colours(drawn_store: Path) -> None:
    for game in of("reskin"):
        copy, source = pixels(drawn_store / game.file), pixels(drawn_store / source_of(game).file)
        assert np.abs(copy.mean(axis=(0, 1)) - source.mean(axis=(0, 1))).max() > 4, game.id
        # The middle of the banner, away from the titles, where the drawing itself is.
        ours, theirs = (
            np.abs(np.diff(image[140:300].mean(axis=2), axis=0)).ravel() for image in (copy, source)
        )
        assert np.corrcoef(ours, theirs)[0, 1] > 0.3, game.id


def test_blank_banners_are_all_black_or_all_white(drawn_store: Path) -> None:
    levels = []
    for game in of("blank"):
        picture = pixels(drawn_store / game.file)
        assert picture.min() == picture.max()
        levels.append(int(picture.max()))
    assert levels.count(0) >= 2
    assert levels.count(255) >= 2


@pytest.mark.parametrize(
    ("defect", "form", "mode", "size"),
    [
        ("greyscale", "JPEG", "L", (300, 450)),
        ("cmyk", "JPEG", "CMYK", (300, 450)),
        ("large", "JPEG", "RGB", (600, 900)),
        ("horizontal", "JPEG", "RGB", (460, 215)),
        ("alpha", "PNG", "RGBA", (300, 450)),
        ("palette", "PNG", "P", (300, 450)),
    ],
)
def test_odd_files_are_of_their_odd_kind(
    drawn_store: Path, defect: str, form: str, mode: str, size: tuple[int, int]
) -> None:
    for game in of(defect):
        with Image.open(drawn_store / game.file) as picture:
            assert (picture.format, picture.mode, picture.size) == (form, mode, size)


def test_the_picture_with_alpha_has_clear_corners(drawn_store: Path) -> None:
    for game in of("alpha"):
        with Image.open(drawn_store / game.file) as picture:
            assert picture.getchannel("A").getextrema() == (0, 255)


def test_the_rotated_picture_is_upright_once_its_orientation_is_obeyed(drawn_store: Path) -> None:
    (game,) = of("rotated")
    with Image.open(drawn_store / game.file) as picture:
        assert picture.size == (450, 300)
        assert ImageOps.exif_transpose(picture).size == (300, 450)


def test_broken_files_cannot_be_decoded(drawn_store: Path) -> None:
    assert len(of("broken")) >= 2
    for game in of("broken"):
        with pytest.raises(OSError):
            Image.open(io.BytesIO((drawn_store / game.file).read_bytes())).load()


def test_progress_is_told_once_per_game_and_existing_files_are_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = jobs()[:3]
    monkeypatch.setattr(store_module, "jobs", lambda: few)
    target = tmp_path / few[0].game.file
    target.parent.mkdir(parents=True)
    target.write_bytes(b"old")
    (tmp_path / "catalogue.csv").write_text("old", encoding="utf-8")
    told: list[tuple[int, int]] = []
    games = draw_store(tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert [game.id for game in games] == [job.game.id for job in few]
    assert target.read_bytes() == banner_bytes(few[0])
    assert (tmp_path / "catalogue.csv").read_text(encoding="utf-8").startswith("id,name,path,")
    assert not list(tmp_path.glob("*.part"))
