from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import steamdino
from steamdino.banners.decode import decode
from steamdino.errors import GalleryError, RecipeError
from steamdino.features.encoder import Encoder
from steamdino.features.pooling import Floats
from steamdino.features.recipe_parser import named, parse
from steamdino.features.transform import Pixels
from steamdino.gallery import Gallery
from steamdino.pipeline import Plan, add, build
from steamdino.sample import FictionalGame

Paint = Callable[..., Path]
Store = tuple[Path, tuple[FictionalGame, ...]]


@pytest.fixture
def small(tmp_path: Path, paint: Paint) -> Path:
    """A gallery of twelve pictures, not built."""
    for n in range(12):
        paint(tmp_path / f"covers/{n:02}.jpg", n)
    add(tmp_path / "g", tmp_path / "covers")
    return tmp_path / "g"


def test_the_plan_is_announced_and_the_summary_adds_up(small: Path) -> None:
    plans: list[Plan] = []
    calls: list[tuple[int, int]] = []
    summary = build(small, announce=plans.append, progress=lambda done, total: calls.append((done, total)))
    (plan,) = plans
    assert (plan.banners, plan.precision) == (12, "f32")
    assert 0 < plan.seconds < 60
    assert calls[-1] == (12, 12)
    assert (summary.encoded, summary.failed, summary.games, summary.absent, summary.swapped) == (
        12,
        0,
        12,
        0,
        True,
    )


@pytest.mark.parametrize(("new", "calls"), [(1, 1), (4, 1), (9, 3)])
def test_a_small_increment_runs_the_model_for_its_own_batches_only(
    small: Path, tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch, new: int, calls: int
) -> None:
    import openvino as ov

    recipe = parse("bundled", size=(64, 64))
    build(small, recipe)
    for n in range(new):
        paint(tmp_path / f"covers/new{n}.jpg", 100 + n)
    add(small, tmp_path / "covers")
    ran: list[object] = []
    infer = ov.InferRequest.infer

    def counted(self: ov.InferRequest, *arguments: object, **options: object) -> object:
        if len(self.input_tensors[0].shape) == 4:  # pictures, and not vectors to whiten
            ran.append(self)
        return infer(self, *arguments, **options)

    monkeypatch.setattr(ov.InferRequest, "infer", counted)
    assert build(small, recipe).encoded == new
    assert len(ran) == calls


@pytest.mark.parametrize("count", [1, 12, 60])
def test_each_picture_is_decoded_and_encoded_once_and_the_plan_comes_early(
    tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    for n in range(count):
        paint(tmp_path / f"covers/{n:02}.png", n, size=(16, 24))
    broken = tmp_path / "covers/00.png"
    broken.write_bytes(broken.read_bytes()[:-40])
    add(tmp_path / "g", tmp_path / "covers")
    decoded: list[bytes] = []
    encoded: list[bytes] = []

    def counting(data: bytes, at_least: tuple[int, int] | None = None, **options: str) -> Image.Image:
        decoded.append(data)
        return decode(data, at_least, **options)

    class Counting(Encoder):
        def __call__(self, pictures: Sequence[Pixels]) -> Floats:
            encoded.extend(picture.tobytes() for picture in pictures)
            return super().__call__(pictures)

    monkeypatch.setattr("steamdino.engines.decoding.decode", counting)
    monkeypatch.setattr("steamdino.engines.local.Encoder", Counting)
    events: list[tuple[str, int]] = []
    summary = build(
        tmp_path / "g",
        parse("bundled", size=(64, 64)),
        announce=lambda plan: events.append(("plan", plan.banners)),
        progress=lambda done, total: events.append(("done", done)),
    )
    assert (summary.encoded, summary.failed) == (count - 1, 1)
    assert sorted(decoded) == sorted(path.read_bytes() for path in (tmp_path / "covers").iterdir())
    assert len(encoded) == len(set(encoded)) == count - 1
    assert [number for name, number in events if name == "plan"] == [count]
    before = [number for name, number in events[: events.index(("plan", count))]]
    assert max(before, default=0) <= count / 4
    assert events[-1] == ("done", count)


def test_an_interrupt_while_the_plan_is_announced_keeps_what_is_encoded(small: Path) -> None:
    def stop(plan: Plan) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(small, announce=stop)
    with Gallery.open(small) as gallery:
        (recipe,) = gallery.report().recipes
    assert 0 < sum(recipe.vectors.values()) < 12
    assert build(small).encoded == 12 - sum(recipe.vectors.values())


def test_a_second_build_does_nothing(small: Path) -> None:
    first = build(small)
    again = build(small, announce=lambda _: pytest.fail("nothing was to be done"))
    assert (again.encoded, again.swapped, again.snapshot) == (0, False, first.snapshot)


def test_a_snapshot_of_an_older_program_gets_the_index_of_names_by_the_next_build(
    tmp_path: Path, paint: Paint
) -> None:
    paint(tmp_path / "covers/Neonoir.jpg")
    add(tmp_path / "g", tmp_path / "covers")
    first = build(tmp_path / "g").snapshot
    with closing(sqlite3.connect(first / "games.sqlite")) as db:
        db.execute("PRAGMA user_version = 0")
    old = steamdino.Snapshot.open(tmp_path / "g")
    assert [game.name for game in old.suggest("onoi")] == ["Neonoir"]
    assert old.suggest("neonior") == []
    again = build(tmp_path / "g")
    assert (again.encoded, again.swapped) == (0, True)
    assert (first / "vectors.npy").samefile(again.snapshot / "vectors.npy")
    assert [game.name for game in steamdino.Snapshot.open(tmp_path / "g").suggest("neonior")] == ["Neonoir"]
    assert not build(tmp_path / "g").swapped


def test_a_changed_name_takes_effect_without_encoding(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "a.jpg")
    table = tmp_path / "t.jsonl"
    table.write_text('{"id": "a", "name": "Old", "path": "a.jpg"}')
    add(tmp_path / "g", table)
    first = build(tmp_path / "g").snapshot
    table.write_text('{"id": "a", "name": "New", "path": "a.jpg"}')
    add(tmp_path / "g", table)
    summary = build(tmp_path / "g")
    assert (summary.encoded, summary.swapped) == (0, True)
    assert (first / "vectors.npy").samefile(summary.snapshot / "vectors.npy")
    assert steamdino.Snapshot.open(tmp_path / "g").game("a").name == "New"


def test_identical_pictures_are_encoded_once_and_keep_their_rows(tmp_path: Path, paint: Paint) -> None:
    original = paint(tmp_path / "covers/a.jpg")
    shutil.copy(original, tmp_path / "covers/b.jpg")
    paint(tmp_path / "covers/c.jpg", 1)
    add(tmp_path / "g", tmp_path / "covers")
    assert build(tmp_path / "g").encoded == 2
    snapshot = steamdino.Snapshot.open(tmp_path / "g")
    assert snapshot.ids == ["a", "b", "c"]
    assert (snapshot.vectors[0] == snapshot.vectors[1]).all()


def test_what_cannot_be_decoded_is_a_problem_with_its_reason_and_is_not_tried_again(small: Path) -> None:
    bad = small.parent / "covers/bad.jpg"
    bad.write_bytes((small.parent / "covers/00.jpg").read_bytes()[:-200])
    add(small, small.parent / "covers")
    summary = build(small)
    assert (summary.encoded, summary.failed, summary.games, summary.absent) == (12, 1, 12, 1)
    with Gallery.open(small) as gallery:
        ((_, stage, problem),) = gallery.problems.known()
    assert (stage, problem.id) == ("build", "bad")
    assert "truncated" in problem.reason
    assert build(small).failed == 0
    with pytest.raises(steamdino.SteamDinoError, match="'bad' cannot be compared: .*truncated"):
        steamdino.Snapshot.open(small).similar("bad")


def test_a_replaced_picture_settles_its_problem(small: Path, paint: Paint) -> None:
    bad = small.parent / "covers/bad.jpg"
    bad.write_bytes((small.parent / "covers/00.jpg").read_bytes()[:-200])
    add(small, small.parent / "covers")
    build(small)
    paint(bad, 99)
    add(small, small.parent / "covers")
    assert build(small).games == 13
    with Gallery.open(small) as gallery:
        assert list(gallery.problems.known()) == []


@pytest.mark.parametrize("damage", ["removed", "changed"])
def test_a_picture_that_is_not_there_any_more_is_tried_again(small: Path, paint: Paint, damage: str) -> None:
    path = small.parent / "covers/03.jpg"
    data = path.read_bytes()
    path.unlink()
    if damage == "changed":
        paint(path, 333)
    summary = build(small)
    assert (summary.encoded, summary.failed, summary.absent) == (11, 1, 1)
    path.write_bytes(data)
    summary = build(small)
    assert (summary.encoded, summary.failed, summary.games, summary.absent) == (1, 0, 12, 0)
    with Gallery.open(small) as gallery:
        assert list(gallery.problems.known()) == []


def test_a_gone_game_leaves_the_snapshot_and_its_vector_stays(small: Path) -> None:
    build(small)
    path = small.parent / "covers/03.jpg"
    data = path.read_bytes()
    path.unlink()
    add(small, small.parent / "covers")
    assert build(small).games == 11
    assert "03" not in steamdino.Snapshot.open(small).ids
    path.write_bytes(data)
    add(small, small.parent / "covers")
    summary = build(small)
    assert (summary.encoded, summary.games) == (0, 12)


def test_the_order_of_adding_does_not_show_in_the_snapshot(tmp_path: Path, paint: Paint) -> None:
    for n in range(6):
        paint(tmp_path / f"covers/{n}.jpg", n)
    add(tmp_path / "one", tmp_path / "covers")
    build(tmp_path / "one")
    shutil.move(tmp_path / "covers/5.jpg", tmp_path / "5.jpg")
    add(tmp_path / "two", tmp_path / "covers")
    build(tmp_path / "two")
    shutil.move(tmp_path / "5.jpg", tmp_path / "covers/5.jpg")
    add(tmp_path / "two", tmp_path / "covers")
    build(tmp_path / "two")
    one, two = (steamdino.Snapshot.open(tmp_path / name) for name in ("one", "two"))
    assert one.ids == two.ids
    assert (one.vectors == two.vectors).all()


def test_stored_vectors_are_those_of_the_encoder_within_float16(small: Path) -> None:
    from steamdino.banners.decode import decode
    from steamdino.features.encoder import Encoder
    from steamdino.features.transform import prepare

    build(small)
    snapshot = steamdino.Snapshot.open(small)
    encoder = Encoder(named("bundled"))
    for n in (0, 7):
        image = decode((small.parent / f"covers/{n:02}.jpg").read_bytes())
        (expected,) = encoder([prepare(image, encoder.recipe.transform)])
        assert float(snapshot.vectors[n] @ expected) > 0.9999999


def test_recipes_live_side_by_side(small: Path) -> None:
    build(small)
    other = build(small, parse("bundled", mode="fit", pooling="simple"))
    assert other.encoded == 12
    assert steamdino.Snapshot.open(small, "bundled").vectors.shape == (12, 512)
    assert steamdino.Snapshot.open(small, "bundled/simple/fit").vectors.shape == (12, 1488)
    assert build(small).swapped is False


def test_other_weights_under_the_same_name_need_upgrade_and_the_old_snapshot_keeps_serving(
    small: Path,
) -> None:
    build(small)
    older = replace(named("bundled"), weights="0" * 64)
    connection = sqlite3.connect(small / "gallery.sqlite")
    connection.execute("UPDATE recipes SET hash = ?, json = ?", (older.hash, older.json))
    connection.commit()
    connection.close()
    with pytest.raises(RecipeError, match="weights: 0000.* != 1fc6.*--upgrade"):
        build(small)
    assert len(steamdino.Snapshot.open(small)) == 12
    assert build(small, upgrade=True).encoded == 12
    assert build(small).swapped is False


def test_rebuilding_writes_the_snapshot_anew_from_the_stored_vectors(small: Path) -> None:
    first = build(small)
    before = np.array(steamdino.Snapshot.open(small).vectors)
    with (first.snapshot / "vectors.npy").open("r+b") as file:
        file.seek(-8, 2)
        file.write(b"\xff" * 8)
    summary = build(small, rebuild=True)
    assert (summary.encoded, summary.swapped) == (0, True)
    assert (steamdino.Snapshot.open(small).vectors == before).all()


def test_building_where_there_is_no_gallery_makes_none(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match="there is no gallery"):
        build(tmp_path / "g")
    assert not (tmp_path / "g").exists()


def test_an_empty_gallery_builds_an_empty_snapshot(tmp_path: Path) -> None:
    (tmp_path / "covers").mkdir()
    add(tmp_path / "g", tmp_path / "covers")
    assert build(tmp_path / "g").games == 0
    with pytest.raises(steamdino.SteamDinoError, match="the snapshot is empty"):
        steamdino.Snapshot.open(tmp_path / "g").similar("anything")


def test_the_fictional_store_holds_what_its_truth_says(built: Path, fictional_store: Store) -> None:
    _, games = fictional_store
    expected = {game.id for game in games if game.file and game.defect != "broken"}
    assert set(steamdino.Snapshot.open(built).ids) == expected


def test_an_interrupted_build_continues_page_by_page_and_encodes_nothing_twice(
    tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steamdino.gallery.vectors.PAGE", 3)
    monkeypatch.setattr("steamdino.pipeline.vector_writer.COMMIT_EVERY", 4)
    for seed in range(20):
        paint(tmp_path / f"covers/{seed}.jpg", seed)
    (tmp_path / "covers/broken.jpg").write_bytes((tmp_path / "covers/0.jpg").read_bytes()[:-200])
    for place in ("one", "other"):
        add(tmp_path / place, tmp_path / "covers")

    def stop(done: int, total: int) -> None:
        assert total == 21 - sum(encoded)
        if done >= 8:
            raise KeyboardInterrupt

    encoded: list[int] = []
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            build(tmp_path / "one", "bundled/64x64", progress=stop)
        with Gallery.open(tmp_path / "one") as gallery:
            (recipe,) = gallery.report().recipes
            failed = len([one for _, stage, one in gallery.problems.known() if stage == "build"])
        encoded = [sum(recipe.vectors.values()), failed]
    last = build(tmp_path / "one", "bundled/64x64")
    whole = build(tmp_path / "other", "bundled/64x64")
    assert last.encoded + encoded[0] == whole.encoded == 20
    assert (last.games, last.absent) == (whole.games, whole.absent) == (20, 1)
    assert (last.snapshot / "vectors.npy").read_bytes() == (whole.snapshot / "vectors.npy").read_bytes()
