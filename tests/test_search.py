from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.fakes import packs

import steamdino
from steamdino import Match, Snapshot
from steamdino.errors import QueryError, RecipeError, UsageError
from steamdino.index.snapshot_selection import open_newest
from steamdino.pipeline import add, build
from steamdino.sample import FictionalGame

Store = tuple[Path, tuple[FictionalGame, ...]]
Paint = Callable[..., Path]


@pytest.fixture(scope="module")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


def test_matches_are_typed_ordered_and_counted(snapshot: Snapshot) -> None:
    matches = snapshot.similar(snapshot.ids[0], k=7)
    assert len(matches) == 7
    assert [match.rank for match in matches] == list(range(1, 8))
    assert all(isinstance(match, Match) for match in matches)
    assert matches.ids == [match.id for match in matches]
    assert matches.similarities.dtype == np.float32
    assert (np.diff(matches.similarities) <= 0).all()
    assert matches[0] == next(iter(matches))
    assert [match.rank for match in matches[2:4]] == [3, 4]
    assert matches.recipe == "bundled"


def test_matches_are_those_of_a_plain_dot_product(snapshot: Snapshot) -> None:
    for row in (0, 100, len(snapshot) - 1):
        scores = snapshot.vectors @ snapshot.vectors[row]
        order = [other for other in np.argsort(-scores, kind="stable") if other != row]
        matches = snapshot.similar(snapshot.ids[row], k=20)
        assert matches.ids == [snapshot.ids[other] for other in order[:20]]
        np.testing.assert_allclose(matches.similarities, scores[order[:20]], atol=1e-6)


def test_the_query_is_left_out_by_its_id_and_identical_pictures_are_shown_and_marked(
    snapshot: Snapshot, fictional_store: Store
) -> None:
    _, games = fictional_store
    pairs = [(game.id, game.duplicate_of) for game in games if game.defect == "exact"]
    assert pairs
    for copy, original in pairs:
        for query, other in ((copy, original), (original, copy)):
            matches = snapshot.similar(query)
            assert query not in matches.ids
            best = matches[0]
            assert (best.id, best.identical) == (other, True)
            assert best.similarity > 0.999999
            assert not any(match.identical for match in matches[1:])


def test_asking_for_more_than_there_is_gives_all_others(snapshot: Snapshot) -> None:
    matches = snapshot.similar(snapshot.ids[3], k=10_000)
    assert sorted(matches.ids) == sorted(set(snapshot.ids) - {snapshot.ids[3]})


def test_k_below_one_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(UsageError, match="k is 0; it must be at least 1"):
        snapshot.similar(snapshot.ids[0], k=0)


def test_hostile_and_odd_names_are_found_as_they_are(snapshot: Snapshot, fictional_store: Store) -> None:
    _, games = fictional_store
    odd = [game for game in games if game.defect == "hostile-name"]
    assert len(odd) >= 8
    for game in odd:
        query = snapshot.similar(game.name, k=1).query
        assert query.kind == "name"
        assert query.game is not None
        assert query.game.id == game.id
        assert query.game.name == " ".join(game.name.split())


def test_an_exact_name_wins_over_a_file_of_that_name(
    snapshot: Snapshot, fictional_store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = next(game.name for game in fictional_store[1] if not game.defect and game.name.isalpha())
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("not a picture")
    assert snapshot.similar(name).query.kind == "name"
    with pytest.raises(QueryError, match="not a picture"):
        snapshot.similar(Path(name))


def test_the_best_of_several_is_taken_and_the_others_are_named(
    snapshot: Snapshot, fictional_store: Store
) -> None:
    franchise = next(game.franchise for game in fictional_store[1] if game.franchise)
    members = {game.name for game in fictional_store[1] if game.franchise == franchise and game.file}
    query = snapshot.similar(franchise[: len(franchise) - 1].lower()).query
    assert query.game is not None
    assert query.game.name == franchise
    assert {game.name for game in query.alternatives} >= members - {franchise}


def test_a_name_with_a_typo_is_found(snapshot: Snapshot) -> None:
    query = snapshot.similar("Stromkeep").query
    assert query.game is not None
    assert query.game.name == "Stormkeep"


def test_an_int_is_an_id(tmp_path: Path, paint: Paint) -> None:
    for n in (10, 730):
        paint(tmp_path / f"covers/{n}.jpg", n)
    add(tmp_path / "g", tmp_path / "covers")
    build(tmp_path / "g")
    assert Snapshot.open(tmp_path / "g").similar(730).ids == ["10"]


def test_a_picture_finds_the_game_that_shows_it(
    snapshot: Snapshot, fictional_store: Store, tmp_path: Path
) -> None:
    folder, games = fictional_store
    game = next(game for game in games if not game.defect)
    matches = snapshot.similar(str(folder / game.file), k=3)
    assert (matches.query.kind, matches.query.game) == ("picture", None)
    assert (matches[0].id, matches[0].identical) == (game.id, True)
    # Another file with nearly the same picture is the most similar one, and not marked.
    with Image.open(folder / game.file) as image:
        image.convert("RGB").crop((6, 9, 294, 441)).save(tmp_path / "cropped.png")
    best = snapshot.similar(tmp_path / "cropped.png")[0]
    assert (best.id, best.identical) == (game.id, False)


def test_a_mirrored_query_finds_the_mirrored_copy(snapshot: Snapshot, fictional_store: Store) -> None:
    mirrored = [game for game in fictional_store[1] if game.defect == "mirrored"]
    assert mirrored
    for game in mirrored:
        plain = {match.id: match.similarity for match in snapshot.similar(game.id, k=500)}
        turned = snapshot.similar(game.id, k=500, mirror=True)
        assert turned[0].id == game.duplicate_of
        assert turned[0].similarity > max(0.98, plain[game.duplicate_of])
        assert game.id not in turned.ids
        assert turned.query.mirror


def test_a_turned_query_is_identical_to_no_banner(
    snapshot: Snapshot, fictional_store: Store, tmp_path: Path
) -> None:
    """Turned, a picture is another one than the file whose bytes a banner may have."""
    folder, games = fictional_store
    copy = next(game for game in games if game.defect == "exact")
    other = next(game for game in games if game.id == copy.duplicate_of)
    for query in (copy.id, copy.name, folder / other.file):
        plain = snapshot.similar(query, k=500)
        assert [match.id for match in plain if match.identical]
        for turn in ({"mirror": True}, {"flip": True}, {"mirror": True, "flip": True}):
            turned = snapshot.similar(query, k=500, **turn)
            assert not [match.id for match in turned if match.identical], (query, turn)
        # What was asked in between leaves no trace.
        assert snapshot.similar(query, k=500) == plain


def test_flipping_and_mirroring_turn_the_picture_before_it_is_encoded(
    snapshot: Snapshot, fictional_store: Store, tmp_path: Path
) -> None:
    folder, games = fictional_store
    game = next(game for game in games if not game.defect)
    with Image.open(folder / game.file) as image:
        image.transpose(Image.Transpose.ROTATE_180).save(tmp_path / "turned.png")
    by_flags = snapshot.similar(game.id, k=500, mirror=True, flip=True)
    by_hand = snapshot.similar(tmp_path / "turned.png", k=500)
    expected = {match.id: match.similarity for match in by_hand}
    for match in by_flags:
        assert match.similarity == pytest.approx(expected[match.id], abs=1e-5)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("zzzzqqqq", "no game matches 'zzzzqqqq', and there is no such file; try"),
        ("nowhere/draft.png", "there is no picture 'nowhere/draft.png'"),
        ("x" * 10_000, "no game matches 'xxx"),
        ("nul\0byte", "no game matches"),
        ("", "no game matches ''"),
    ],
)
def test_a_query_that_fits_nothing_says_so(snapshot: Snapshot, query: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        snapshot.similar(query)


def test_a_game_without_a_banner_says_why(snapshot: Snapshot, fictional_store: Store) -> None:
    missing = next(game for game in fictional_store[1] if game.defect == "missing")
    for query in (missing.id, missing.name):
        with pytest.raises(QueryError, match="cannot be compared: it has no banner"):
            snapshot.similar(query)
    with pytest.raises(QueryError, match="no game matches 'no-such-id'; try a part"):
        snapshot.game("no-such-id")


@given(st.text())
def test_no_text_whatever_raises_anything_but_our_own_error(snapshot: Snapshot, text: str) -> None:
    try:
        matches = snapshot.similar(text, k=2)
    except steamdino.SteamDinoError as error:
        assert "\n" not in str(error)
    else:
        assert len(matches) == 2


def test_a_picture_under_another_recipe_is_refused_by_the_field_that_differs(
    gallery: Path, fictional_store: Store
) -> None:
    reader = open_newest(gallery)
    other = replace(reader.manifest.recipe, weights="0" * 64)
    reader.manifest = replace(reader.manifest, recipe=other)
    snapshot = Snapshot(reader)
    with pytest.raises(RecipeError, match="with other weights"):
        snapshot.similar(fictional_store[0] / fictional_store[1][0].file)
    assert len(snapshot.similar(snapshot.ids[0])) == 10  # its own vectors can be compared all the same


def test_a_pack_without_the_whitening_that_its_recipe_needs_advises_another_pack(tmp_path: Path) -> None:
    members = packs.valid(tmp_path)
    query = tmp_path / "query.png"
    Image.new("RGB", (60, 90), "red").save(query)
    whole = Snapshot.open(packs.zipped(tmp_path / "whole.steamdino", members))
    assert len(whole.similar(query)) == packs.GAMES
    del members["whitening.npz"]
    lacking = Snapshot.open(packs.zipped(tmp_path / "lacking.steamdino", members))
    assert len(lacking.similar("10")) == packs.GAMES - 1
    with pytest.raises(RecipeError) as error:
        lacking.similar(query)
    assert "the snapshot lacks the whitening that its recipe 'bundled/whiten16' needs" in str(error.value)
    assert str(error.value).endswith("If you have a packed snapshot only, get one that was packed after that")


def test_a_whitening_that_was_altered_in_a_snapshots_folder_is_written_again_by_a_rebuild(
    tmp_path: Path,
) -> None:
    reader = packs.snapshot(tmp_path / "g/snapshots/x")
    whitening = reader.whitening
    assert whitening is not None
    data = bytearray(whitening.read_bytes())
    data[-1] ^= 1  # of the same length
    whitening.write_bytes(data)
    query = tmp_path / "query.png"
    Image.new("RGB", (60, 90), "red").save(query)
    with pytest.raises(
        RecipeError, match=r"whitening.npz of the snapshot is not .* steam-dino build --rebuild"
    ):
        Snapshot(reader).similar(query)


def test_a_gallery_can_be_moved_together_with_its_pictures(
    built: Path, fictional_store: Store, tmp_path: Path
) -> None:
    shutil.copytree(built.parent, tmp_path / "moved")
    snapshot = Snapshot.open(tmp_path / "moved" / built.name)
    game = snapshot.game(fictional_store[1][0].id)
    assert game.picture == tmp_path / "moved" / "store" / fictional_store[1][0].file
    assert len(snapshot.similar(game.id, mirror=True)) == 10


def test_games_of_a_franchise_are_found_and_themes_hold_together(
    snapshot: Snapshot, fictional_store: Store
) -> None:
    games = {game.id: game for game in fictional_store[1] if game.id in snapshot.ids and not game.defect}
    large = [g for g in games.values() if sum(o.franchise == g.franchise != "" for o in games.values()) >= 3]
    assert len(large) > 50
    hits = sum(
        any(m.id in games and games[m.id].franchise == game.franchise for m in snapshot.similar(game.id, k=5))
        for game in large
    )
    assert hits / len(large) > 0.7  # chance: about 0.03
    first = [(game, snapshot.similar(game.id, k=1)[0].id) for game in games.values()]
    same = [games[other].theme == game.theme for game, other in first if other in games]
    assert sum(same) / len(same) > 0.85  # chance: about 0.06
